//! Events over a population, with Poisson limits.

use crate::estimate::{amount, size};
use crate::ratio::to_f64;
use crate::special::gamma_quantile;
use crate::{Confidence, Counted, Estimate, Interval, Limits, Undefined};

/// From this count on, Byar's limits stand for the exact ones, as Public Health England publishes them.
pub const BYAR_FROM: f64 = 10.0;

/// Byar's limits of a Poisson count, in events.
///
/// x (1 − 1/(9x) − z/(3√x))³ and (x+1) (1 − 1/(9(x+1)) + z/(3√(x+1)))³. Where the first is negative (a count of 1 at
/// 99.8 %), or the count zero, the lower limit is 0.
///
/// Source: N. E. Breslow & N. E. Day, 1987, *Statistical Methods in Cancer Research II*, IARC, p. 69. Domain: x ≥ 0, not
/// necessarily whole.
///
/// # Errors
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn byar(count: f64, confidence: Confidence) -> Result<Limits, Undefined> {
    let count = amount(count)?;
    let z = confidence.z();
    let limit = |count: f64, z: f64| count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3);
    let lower = if count > 0.0 { limit(count, -z).max(0.0) } else { 0.0 };
    Ok(Limits { lower, upper: limit(count + 1.0, z) })
}

/// Exact limits of a Poisson count, in events: the smallest and the largest mean under which a count at least as high,
/// or at least as low, still has a probability of [`Confidence::tail`].
///
/// χ²(tail; 2x)/2 and χ²(1 − tail; 2x+2)/2, as quantiles of the gamma distribution with shapes x and x + 1.
///
/// Source: F. Garwood, 1936, *Biometrika* 28:437–442. Domain: x ≥ 0, not necessarily whole.
///
/// # Errors
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn exact_poisson(count: f64, confidence: Confidence) -> Result<Limits, Undefined> {
    let count = amount(count)?;
    let tail = confidence.tail();
    let lower = if count > 0.0 { gamma_quantile(count, tail) } else { 0.0 };
    Ok(Limits { lower, upper: gamma_quantile(count + 1.0, 1.0 - tail) })
}

/// Limits of a Poisson count, in events: [`exact_poisson`] below [`BYAR_FROM`], [`byar`] from there on.
///
/// # Errors
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn count_limits(count: f64, confidence: Confidence) -> Result<Limits, Undefined> {
    if count < BYAR_FROM { exact_poisson(count, confidence) } else { byar(count, confidence) }
}

/// A rate with the limits of its count ([`count_limits`]), per unit of the denominator ([`Estimate::per`] 100 000 for a
/// rate per 100 000). It may be above one: events are not people.
///
/// # Errors
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount),
/// [`EmptyDenominator`](Undefined::EmptyDenominator).
pub fn rate(counted: Counted, confidence: Confidence) -> Result<Estimate, Undefined> {
    let Counted { numerator, denominator } = counted.checked()?;
    let denominator = size(denominator)?;
    let limits = count_limits(numerator, confidence)?.per(denominator.recip());
    Ok(Estimate { value: numerator / denominator, limits })
}

/// The widest limits of [`rate`] over all whole counts that may be true, per unit of the denominator.
///
/// Both limits rise with the count within each of the two methods, and fall as the denominator grows: the widest are
/// found at the ends and where the method changes. A denominator of zero gives no rate, and is not counted among those
/// that may be true. Without upper limit of the denominator the lower limit is 0.
///
/// # Errors
/// [`Unbounded`](Undefined::Unbounded) if the count has no upper limit,
/// [`EmptyDenominator`](Undefined::EmptyDenominator) if the denominator can only be zero,
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn rate_within(count: Interval, denominator: Interval, confidence: Confidence) -> Result<Limits, Undefined> {
    if count.lo() < 0 || denominator.lo() < 0 {
        return Err(Undefined::NegativeCount);
    }
    if denominator.hi() == Some(0) {
        return Err(Undefined::EmptyDenominator);
    }
    let most = count.hi().ok_or(Undefined::Unbounded)?;
    let mut widest = count_limits(to_f64(count.lo()), confidence)?.or(count_limits(to_f64(most), confidence)?);
    for whole in [9, 10] {
        if count.contains(whole) {
            widest = widest.or(count_limits(to_f64(whole), confidence)?);
        }
    }
    // As `rate` computes it: another rounding would leave the truth outside by a hair.
    let lower = denominator.hi().map_or(0.0, |hi| widest.per(to_f64(hi).recip()).lower);
    let upper = widest.per(to_f64(denominator.lo().max(1)).recip()).upper;
    Ok(Limits { lower, upper })
}
