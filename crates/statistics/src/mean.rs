//! Means of measured values.

use crate::estimate::{enough, finite};
use crate::special::{length, upper_student};
use crate::{Confidence, Estimate, Limits, Undefined};

/// A mean, and what it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// How many values.
    pub count: usize,
    /// Their sum, in their own units.
    pub sum: f64,
    /// Their standard deviation, with n − 1, in their own units.
    pub deviation: f64,
    /// The mean with its limits, in their own units.
    pub estimate: Estimate,
}

/// The mean of values with Student's limits: x̄ ± t(n − 1) s/√n, in the units of the values.
///
/// Source: «Student» (W. S. Gosset), 1908, *Biometrika* 6:1–25. Domain: at least two values, from a population that is
/// roughly normal or large enough a sample of it.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below two values, [`NotFinite`](Undefined::NotFinite).
pub fn mean(values: &[f64], confidence: Confidence) -> Result<Mean, Undefined> {
    let count = values.len();
    enough(count, 2)?;
    let n = length(count);
    let sum = finite(values.iter().sum())?;
    let value = sum / n;
    let squares: f64 = values.iter().map(|x| (x - value).powi(2)).sum();
    let deviation = finite((squares / (n - 1.0)).sqrt())?;
    let reach = upper_student(n - 1.0, confidence.tail()) * deviation / n.sqrt();
    let limits = Limits { lower: value - reach, upper: value + reach };
    Ok(Mean { count, sum, deviation, estimate: Estimate { value, limits } })
}
