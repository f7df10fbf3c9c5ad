//! Shares of a whole, with score limits.

use crate::estimate::size;
use crate::ratio::to_f64;
use crate::{Confidence, Counted, Estimate, Interval, Limits, Undefined};

/// A proportion with Wilson's score limits, both shares of one ([`Estimate::per`] 100 for a percentage).
///
/// With x of n, p = x/n and the normal deviate z: (2x + z² ± z √(z² + 4x(1 − p))) / (2(n + z²)). The limits never leave
/// 0 to 1, and the value always lies between them.
///
/// Source: E. B. Wilson, 1927, *Journal of the American Statistical Association* 22:209–212. Domain: 0 ≤ x ≤ n, n > 0,
/// not necessarily whole.
///
/// # Errors
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount),
/// [`EmptyDenominator`](Undefined::EmptyDenominator),
/// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator).
pub fn proportion(counted: Counted, confidence: Confidence) -> Result<Estimate, Undefined> {
    let Counted { numerator, denominator } = counted.checked_share()?;
    let value = numerator / size(denominator)?;
    let z = confidence.z();
    let rest = denominator - numerator;
    let spread = z * (z * z + 4.0 * numerator * rest / denominator).sqrt();
    let below = 2.0 * (denominator + z * z);
    // Exactly 0 where nobody counts, exactly 1 where everybody does, whatever rounding says.
    let lower = if numerator > 0.0 { (2.0 * numerator + z * z - spread) / below } else { 0.0 };
    let upper = if rest > 0.0 { (2.0 * numerator + z * z + spread) / below } else { 1.0 };
    Ok(Estimate { value, limits: Limits { lower: lower.clamp(0.0, value), upper: upper.clamp(value, 1.0) } })
}

/// The widest limits of [`proportion`] over all whole counts that may be true, shares of one.
///
/// Both limits rise with the numerator and fall as the denominator grows, so the widest are found at the ends. What
/// numerator ≤ denominator adds is used; a denominator of zero gives no proportion, and is not counted among those that
/// may be true. Without upper limit of the denominator the lower limit is 0.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator) if the denominator can only be zero,
/// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator) if no numerator fits,
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn proportion_within(
    numerator: Interval,
    denominator: Interval,
    confidence: Confidence,
) -> Result<Limits, Undefined> {
    if numerator.lo() < 0 || denominator.lo() < 0 {
        return Err(Undefined::NegativeCount);
    }
    if denominator.hi() == Some(0) {
        return Err(Undefined::EmptyDenominator);
    }
    let fewest = denominator.lo().max(1);
    let lower = match denominator.hi() {
        Some(most) => proportion(Counted::new(to_f64(numerator.lo()), to_f64(most)), confidence)?.limits.lower,
        None => 0.0,
    };
    let upper = match numerator.hi() {
        Some(most) if most < fewest => proportion(Counted::new(to_f64(most), to_f64(fewest)), confidence)?.limits.upper,
        _ => 1.0,
    };
    Ok(Limits { lower, upper })
}
