//! Small places borrow strength: their values are drawn towards all places together, the more the smaller they are.

use crate::estimate::enough;
use crate::special::{beta_quantile, gamma_quantile, length};
use crate::{Confidence, Counted, Estimate, Limits, Undefined, proportion, rate};

/// Whether the true values of places differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Between {
    /// By more than chance explains.
    Beyond {
        /// The variance of their true values, in squared units of the value; above zero.
        variance: f64,
        /// The size of a place whose own value weighs as much as that of all places together; above zero.
        half: f64,
    },
    /// By no more than chance: the estimate of the variance between them is zero or less. Everything shrinks to the value
    /// of all places together.
    Chance,
}

/// What all places say about one of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    family: Family,
    whole: Counted,
    overall: f64,
    between: Between,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Shares of one: the true ones have a beta distribution, the counts a binomial.
    Proportion,
    /// Rates: the true ones have a gamma distribution, the counts a Poisson.
    Rate,
}

/// A value drawn towards that of all places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrunk {
    /// The mean of what is then believed of the place, with its equal-tailed credible interval. The mean may lie outside
    /// the interval where nearly nothing was counted and places differ widely.
    pub estimate: Estimate,
    /// How much of it is the place's own value, from 0 to 1; the rest is that of all places.
    pub weight: f64,
}

/// The prior of proportions: beta-binomial, by the method of moments.
///
/// With sizes nᵢ, N = Σ nᵢ, shares pᵢ, p = Σ nᵢpᵢ / N and q = 1 − p, over the k places that are not empty:
/// γ = (Σ nᵢ(pᵢ − p)² − pq(k − 1)) / (pq Σ (nᵢ − 1)(1 − nᵢ/N)), the correlation between two people of one place. True
/// shares have mean p, variance γpq and a beta distribution with α + β = 1/γ − 1. γ is taken as at most ½, so that all
/// places together weigh as much as one person at least and everything stays defined.
///
/// Source: J. C. Kleinman, 1973, *Journal of the American Statistical Association* 68:46–54, with weights nᵢ. Domain: at
/// least two places that are not empty, 0 ≤ count ≤ size.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below two places that are not empty,
/// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn proportion_prior(places: &[Counted]) -> Result<Prior, Undefined> {
    for place in places {
        place.checked_share()?;
    }
    let (places, whole, p) = pooled(places)?;
    let variance = p * (1.0 - p);
    let apart = weighted_squares(&places, p);
    let within = length(places.len() - 1);
    let information: f64 =
        places.iter().map(|place| (place.denominator - 1.0) * (1.0 - place.denominator / whole.denominator)).sum();
    let gamma = (apart - variance * within) / (variance * information);
    // Not above zero either where all shares are 0 or 1, or all places of one person: then 0/0.
    let between = if gamma > 0.0 && information > 0.0 {
        let gamma = gamma.min(0.5);
        Between::Beyond { variance: gamma * variance, half: 1.0 / gamma - 1.0 }
    } else {
        Between::Chance
    };
    Ok(Prior { family: Family::Proportion, whole, overall: p, between })
}

/// The prior of rates: gamma-Poisson, by the method of moments.
///
/// With sizes nᵢ, mean size n̄, rates rᵢ and m = Σ nᵢrᵢ / Σ nᵢ, over the places that are not empty: the variance of true
/// rates is A = Σ nᵢ(rᵢ − m)² / Σ nᵢ − m/n̄. They have a gamma distribution with shape m²/A and rate m/A.
///
/// Source: R. J. Marshall, 1991, *Journal of the Royal Statistical Society C* 40:283–294 (global smoothing). Domain: at
/// least two places that are not empty, count ≥ 0.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below two places that are not empty, [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn rate_prior(places: &[Counted]) -> Result<Prior, Undefined> {
    let (places, whole, m) = pooled(places)?;
    let chance = m * length(places.len()) / whole.denominator;
    let variance = weighted_squares(&places, m) / whole.denominator - chance;
    let between = if variance > 0.0 { Between::Beyond { variance, half: m / variance } } else { Between::Chance };
    Ok(Prior { family: Family::Rate, whole, overall: m, between })
}

/// The places that are not empty, their sum and its value.
fn pooled(places: &[Counted]) -> Result<(Vec<Counted>, Counted, f64), Undefined> {
    for place in places {
        place.checked()?;
    }
    let sized: Vec<Counted> = places.iter().copied().filter(|place| place.denominator > 0.0).collect();
    enough(sized.len(), 2)?;
    let sum = |of: fn(&Counted) -> f64| sized.iter().map(of).sum();
    let whole = Counted { numerator: sum(|place| place.numerator), denominator: sum(|place| place.denominator) };
    let overall = whole.value()?;
    Ok((sized, whole, overall))
}

/// Σ n (r − m)².
fn weighted_squares(places: &[Counted], m: f64) -> f64 {
    places.iter().map(|place| place.denominator * (place.numerator / place.denominator - m).powi(2)).sum()
}

impl Prior {
    /// The value of all places together, per unit of the denominator.
    pub fn overall(&self) -> f64 {
        self.overall
    }

    /// Whether the true values of places differ.
    pub fn between(&self) -> Between {
        self.between
    }

    /// What is to be believed of a place, per unit of the denominator. An empty one has the value of all places.
    ///
    /// With x of n, prior mean m and [`half`](Between::Beyond) M: mean (Mm + x) / (M + n), credible interval from the
    /// quantiles of Beta(Mm + x, M(1 − m) + n − x), or of Gamma(Mm + x) with rate M + n. Where places differ by no more
    /// than chance it is the value of all places with that value's own limits ([`proportion`](proportion()),
    /// [`rate`](rate())).
    ///
    /// # Errors
    /// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator) for a proportion,
    /// [`EmptyDenominator`](Undefined::EmptyDenominator) for events among nobody, [`NotFinite`](Undefined::NotFinite),
    /// [`NegativeCount`](Undefined::NegativeCount).
    pub fn shrunk(&self, place: Counted, confidence: Confidence) -> Result<Shrunk, Undefined> {
        let Counted { numerator: x, denominator: n } = match self.family {
            Family::Proportion => place.checked_share()?,
            Family::Rate => place.checked()?,
        };
        if x > 0.0 && n <= 0.0 {
            return Err(Undefined::EmptyDenominator);
        }
        let Between::Beyond { half, .. } = self.between else {
            let estimate = match self.family {
                Family::Proportion => proportion(self.whole, confidence)?,
                Family::Rate => rate(self.whole, confidence)?,
            };
            return Ok(Shrunk { estimate, weight: 0.0 });
        };
        let (shape, size) = (half * self.overall + x, half + n);
        let quantile = |p| match self.family {
            Family::Proportion => beta_quantile(shape, half * (1.0 - self.overall) + (n - x), p),
            Family::Rate => gamma_quantile(shape, p) / size,
        };
        let tail = confidence.tail();
        let limits = Limits { lower: quantile(tail), upper: quantile(1.0 - tail) };
        Ok(Shrunk { estimate: Estimate { value: shape / size, limits }, weight: n / size })
    }
}
