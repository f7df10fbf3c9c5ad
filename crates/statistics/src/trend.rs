//! Change over time: whether there is any, how much, and where it leads if it goes on.

use crate::estimate::{enough, finite, size};
use crate::line::Line;
use crate::special::{chi_squared_tail, length, upper_student};
use crate::{Confidence, Counted, Estimate, Limits, Undefined, proportion, rate};

/// Whether proportions rise or fall along a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change of the proportion, a share of one, per unit of position.
    pub slope: f64,
    /// The test's chi-squared, with one degree of freedom.
    pub chi_squared: f64,
    /// The probability of a chi-squared at least as high if nothing changed.
    pub probability: f64,
}

/// The chi-squared test for a linear trend in proportions, at positions such as years.
///
/// With N = Σ nᵢ, p = Σ xᵢ/N, position means weighted by nᵢ and S = Σ nᵢ(tᵢ − t̄)²: slope b = Σ nᵢ(pᵢ − p)(tᵢ − t̄) / S,
/// χ² = b² S / (p(1 − p)).
///
/// Source: W. G. Cochran, 1954, *Biometrics* 10:417–451; P. Armitage, 1955, *Biometrics* 11:375–386. Domain: at least two
/// positions, counts of independent people.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below two positions, [`NoSpread`](Undefined::NoSpread) if positions are all the same, or
/// everybody or nobody counts, [`EmptyDenominator`](Undefined::EmptyDenominator) where one is empty,
/// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn trend_in_proportions(points: &[(f64, Counted)]) -> Result<Trend, Undefined> {
    enough(points.len(), 2)?;
    let mut weighted = Vec::with_capacity(points.len());
    for (position, counted) in points {
        let counted = counted.checked_share()?;
        weighted.push((finite(*position)?, counted.value()?, counted.denominator));
    }
    let line = Line::through(&weighted)?;
    let variance = line.y * (1.0 - line.y);
    if variance <= 0.0 {
        return Err(Undefined::NoSpread);
    }
    let chi_squared = line.slope * line.slope * line.spread / variance;
    Ok(Trend { slope: line.slope, chi_squared, probability: chi_squared_tail(chi_squared) })
}

/// The change of a proportion between two periods with different people: after minus before, shares of one.
///
/// Hybrid score limits, from the Wilson limits l, u of each ([`proportion`](proportion())): δ − √((p₂ − l₂)² + (u₁ − p₁)²)
/// and δ + √((u₂ − p₂)² + (p₁ − l₁)²).
///
/// Source: R. G. Newcombe, 1998, *Statistics in Medicine* 17:873–890 (method 10). Domain: independent counts; the same
/// people asked twice have narrower limits.
///
/// # Errors
/// As [`proportion`](proportion()).
pub fn proportion_change(before: Counted, after: Counted, confidence: Confidence) -> Result<Estimate, Undefined> {
    Ok(difference(proportion(before, confidence)?, proportion(after, confidence)?))
}

/// The change of a rate between two periods: after minus before, per unit of the denominator.
///
/// Limits are put together from those of each rate ([`rate`](rate())) as in [`proportion_change`].
///
/// Source: G. Y. Zou & A. Donner, 2008, *Statistics in Medicine* 27:1693–1702. Domain: independent counts.
///
/// # Errors
/// As [`rate`](rate()).
pub fn rate_change(before: Counted, after: Counted, confidence: Confidence) -> Result<Estimate, Undefined> {
    Ok(difference(rate(before, confidence)?, rate(after, confidence)?))
}

/// From the distance of each estimate to its limits, as the two sides of a right angle.
fn difference(before: Estimate, after: Estimate) -> Estimate {
    let value = after.value - before.value;
    let down = (after.value - after.limits.lower).hypot(before.limits.upper - before.value);
    let up = (after.limits.upper - after.value).hypot(before.value - before.limits.lower);
    Estimate { value, limits: Limits { lower: value - down, upper: value + up } }
}

/// How a value goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Course {
    /// By the same amount every year. It leaves 0 to 1, or falls below zero, if it goes on for long.
    Linear,
    /// By the same factor every year: a line through logarithms. It stays above zero.
    LogLinear,
}

/// The value at `target` if points (time, value) go on as they did, with the limits of one new observation, in the units
/// of the values.
///
/// The line of least squares, at x ± t(n − 2) s √(1 + 1/n + (x − x̄)²/Σ(xᵢ − x̄)²), with s² = Σ(y − ŷ)²/(n − 2); for
/// [`Course::LogLinear`] through logarithms, value and limits turned back. It knows of nothing but these points, and is
/// the less to be trusted the farther the target.
///
/// Source: N. R. Draper & H. Smith, 1998, *Applied Regression Analysis*, 3rd ed., ch. 3. Domain: at least three points at
/// two times; values above zero for logarithms.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below three points, [`NoSpread`](Undefined::NoSpread) if all are of one time,
/// [`NotPositive`](Undefined::NotPositive), [`NotFinite`](Undefined::NotFinite).
pub fn project(
    points: &[(f64, f64)],
    target: f64,
    course: Course,
    confidence: Confidence,
) -> Result<Estimate, Undefined> {
    enough(points.len(), 3)?;
    let mut weighted = Vec::with_capacity(points.len());
    for (time, value) in points {
        let value = finite(*value)?;
        let value = match course {
            Course::Linear => value,
            Course::LogLinear if value > 0.0 => value.ln(),
            Course::LogLinear => return Err(Undefined::NotPositive),
        };
        weighted.push((finite(*time)?, value, 1.0));
    }
    let line = Line::through(&weighted)?;
    let n = size(length(points.len()))?;
    let away = finite(target)? - line.x;
    let value = line.y + line.slope * away;
    let error = (line.residual * (1.0 + 1.0 / n + away * away / line.spread)).sqrt();
    let reach = upper_student(n - 2.0, confidence.tail()) * error;
    let turned = |y: f64| finite(if course == Course::LogLinear { y.exp() } else { y });
    let limits = Limits { lower: turned(value - reach)?, upper: turned(value + reach)? };
    Ok(Estimate { value: turned(value)?, limits })
}
