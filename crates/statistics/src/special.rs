//! Quantiles and tails of distributions.
//!
//! `statrs` gives the functions they rest on. Its incomplete beta function stops after 140 terms, too early beyond some
//! ten thousand inhabitants, and its gamma quantile is right to 10⁻⁹ only, too coarse where nearly nothing is expected;
//! ours go on until they have converged.

use std::f64::consts::SQRT_2;

use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{gamma_lr, ln_gamma};

/// More steps than any bisection between two finite numbers of use needs.
const BISECTIONS: usize = 200;
/// Terms of the continued fraction: enough for shapes up to some 10¹⁰.
const TERMS: u32 = 200_000;
const PRECISION: f64 = 1e-15;
/// Below this the first term of a series is all of it.
const NEGLIGIBLE: f64 = 1e-12;

/// The number of things in a list, to compute with.
#[expect(clippy::cast_precision_loss, reason = "lists are shorter than 2^53")]
pub(crate) fn length(count: usize) -> f64 {
    count as f64
}

/// The normal deviate with probability `tail` above it, 0 < `tail` < 1.
pub(crate) fn upper_normal(tail: f64) -> f64 {
    SQRT_2 * erfc_inv(2.0 * tail)
}

/// The probability that a chi-squared variable with one degree of freedom is above `x` ≥ 0.
pub(crate) fn chi_squared_tail(x: f64) -> f64 {
    erfc((x / 2.0).sqrt())
}

/// The quantile of the gamma distribution with this shape > 0 and rate 1, at 0 < `p` < 1.
pub(crate) fn gamma_quantile(shape: f64, p: f64) -> f64 {
    let scale = ln_gamma(shape);
    // P(a, x) = xᵃ / (a Γ(a)) × (1 − O(x)).
    let least = ((p.ln() + shape.ln() + scale) / shape).exp();
    if least < NEGLIGIBLE {
        return least;
    }
    let probability = |x: f64| if x > 0.0 { gamma_lr(shape, x) } else { 0.0 };
    let mut high = shape + 1.0;
    while probability(high) < p {
        high *= 2.0;
    }
    // Wilson & Hilferty's approximation, where it is above zero.
    let cube = 1.0 - 1.0 / (9.0 * shape) + upper_normal(1.0 - p) / (3.0 * shape.sqrt());
    let start = if cube > 0.0 { (shape * cube.powi(3)).min(high) } else { least.min(high) };
    let density = |x: f64| ((shape - 1.0) * x.ln() - x - scale).exp();
    root(p, high, start, probability, density)
}

/// Student's deviate with `freedom` > 0 degrees of freedom and probability 0 < `tail` < 0.5 above it.
pub(crate) fn upper_student(freedom: f64, tail: f64) -> f64 {
    // t² / (freedom + t²) has a beta distribution.
    let share = beta_quantile(0.5, freedom / 2.0, 1.0 - 2.0 * tail);
    (freedom * share / (1.0 - share)).sqrt()
}

/// The quantile of the beta distribution with shapes `a`, `b` > 0, at 0 < `p` < 1.
pub(crate) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if a > b {
        // What is near one is known by what is missing from it.
        return 1.0 - beta_quantile(b, a, 1.0 - p);
    }
    let scale = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    // I_x(a, b) = xᵃ / (a B(a, b)) × (1 − O(bx)).
    let least = ((p.ln() + a.ln() - scale) / a).exp();
    if least * (b + 1.0) < NEGLIGIBLE {
        return least;
    }
    let probability = |x| beta_probability(a, b, scale, x);
    let density = |x: f64| (scale + (a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p()).exp();
    root(p, 1.0, a / (a + b), probability, density)
}

/// Where `probability` is `p`, between 0 and `high`: Newton's steps from `start`, and bisection wherever one would leave
/// what is known to contain it.
fn root(p: f64, mut high: f64, start: f64, probability: impl Fn(f64) -> f64, density: impl Fn(f64) -> f64) -> f64 {
    let mut low = 0.0;
    let mut x = start;
    for _ in 0..BISECTIONS {
        let excess = probability(x) - p;
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let step = x - excess / density(x);
        let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
        if (next - x).abs() <= PRECISION * 10.0 * x {
            return next;
        }
        x = next;
    }
    x
}

/// The regularised incomplete beta function `I_x(a, b)`; `scale` is −ln B(a, b).
fn beta_probability(a: f64, b: f64, scale: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (scale + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front / a * beta_fraction(a, b, x)
    } else {
        1.0 - front / b * beta_fraction(b, a, 1.0 - x)
    }
}

/// The continued fraction of the incomplete beta function (Lentz's method, as modified by Thompson & Barnett 1986,
/// Journal of Computational Physics 64:490–509), which converges fast for x < (a + 1) / (a + b + 2).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut above = 1.0;
    let mut below = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = below;
    for term in 1..TERMS {
        let step = f64::from(term);
        let even = step * (b - step) * x / ((a + 2.0 * step - 1.0) * (a + 2.0 * step));
        below = 1.0 / away(1.0 + even * below);
        above = away(1.0 + even / above);
        fraction *= below * above;
        let odd = -(a + step) * (a + b + step) * x / ((a + 2.0 * step) * (a + 2.0 * step + 1.0));
        below = 1.0 / away(1.0 + odd * below);
        above = away(1.0 + odd / above);
        fraction *= below * above;
        if (below * above - 1.0).abs() <= PRECISION {
            break;
        }
    }
    fraction
}

/// Where `above` turns from false at `low` to true at `high`.
pub(crate) fn turning_point(mut low: f64, mut high: f64, above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || high - low <= PRECISION * high {
            break;
        }
        if above(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}
