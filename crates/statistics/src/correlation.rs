//! Whether two indicators go together.

use crate::estimate::{enough, finite};
use crate::profile::Standard;
use crate::special::length;
use crate::{Confidence, Estimate, Limits, Undefined};

/// Fisher's limits divide by √(n − 3).
const FEWEST: usize = 4;

/// Pearson's correlation of pairs (x, y), −1 to 1, with Fisher's limits: how close they are to a straight line.
///
/// r = Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²); limits tanh(artanh r ± z/√(n − 3)). Each place counts once. Limits tell
/// what places like these could show by chance; of places that are all that there are, r itself is exact. A correlation
/// of places is not one of people, nor a cause.
///
/// Source: R. A. Fisher, 1921, *Metron* 1:3–32. Domain: at least four pairs, roughly normal; exactly on a line, the
/// limits are the value itself.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below four pairs, [`NoSpread`](Undefined::NoSpread) if x or y is the same everywhere,
/// [`NotFinite`](Undefined::NotFinite).
pub fn pearson(pairs: &[(f64, f64)], confidence: Confidence) -> Result<Estimate, Undefined> {
    let value = correlation(checked(pairs)?)?;
    Ok(with_limits(value, 1.0, pairs.len(), confidence))
}

/// Spearman's rank correlation of pairs (x, y), −1 to 1: how close y is to rising, or falling, with x, in whatever curve.
/// One extreme place moves it by its rank only.
///
/// Pearson's correlation of ranks, equal values at the middle of theirs; limits
/// tanh(artanh ρ ± z √((1 + ρ²/2)/(n − 3))).
///
/// Source: C. Spearman, 1904, *American Journal of Psychology* 15:72–101; D. G. Bonett & T. A. Wright, 2000,
/// *Psychometrika* 65:23–28 (limits). Domain: at least four pairs; exactly in order, the limits are the value itself.
///
/// # Errors
/// As [`pearson`].
pub fn spearman(pairs: &[(f64, f64)], confidence: Confidence) -> Result<Estimate, Undefined> {
    let checked = checked(pairs)?;
    let (x, y): (Vec<f64>, Vec<f64>) = checked.into_iter().unzip();
    let value = correlation(ranks(&x).into_iter().zip(ranks(&y)).collect())?;
    Ok(with_limits(value, 1.0 + value * value / 2.0, pairs.len(), confidence))
}

/// In order of value, so that a sum does not depend on who comes first.
fn checked(pairs: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, Undefined> {
    enough(pairs.len(), FEWEST)?;
    let mut pairs =
        pairs.iter().map(|(x, y)| Ok((finite(*x)? + 0.0, finite(*y)? + 0.0))).collect::<Result<Vec<_>, Undefined>>()?;
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Ok(pairs)
}

fn correlation(pairs: Vec<(f64, f64)>) -> Result<f64, Undefined> {
    let n = length(pairs.len());
    let scale = |of: fn(&(f64, f64)) -> f64| Standard::of(pairs.iter().map(of).collect()).ok_or(Undefined::NoSpread);
    let (x, y) = (scale(|pair| pair.0)?, scale(|pair| pair.1)?);
    let product = pairs.into_iter().map(|pair| x.score(pair.0) * y.score(pair.1)).sum::<f64>() / n;
    // Rounding alone takes it beyond one.
    Ok(product.clamp(-1.0, 1.0))
}

/// 1 for the lowest; equal values share the middle of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| {
        let (below, upto) =
            (sorted.partition_point(|other| other < value), sorted.partition_point(|other| other <= value));
        f64::midpoint(length(below + upto), 1.0)
    };
    values.iter().map(rank).collect()
}

/// Fisher's transformation has variance `variance`/(n − 3).
fn with_limits(value: f64, variance: f64, count: usize, confidence: Confidence) -> Estimate {
    if value.abs() >= 1.0 - f64::EPSILON * length(count) {
        let value = value.signum();
        return Estimate { value, limits: Limits { lower: value, upper: value } };
    }
    let reach = confidence.z() * (variance / (length(count) - 3.0)).sqrt();
    let at = value.atanh();
    Estimate { value, limits: Limits { lower: (at - reach).tanh(), upper: (at + reach).tanh() } }
}
