//! Funnels: how far a place of its size may lie from the whole by chance alone.
//!
//! A place lies outside its control limits exactly when its own limits, at the same level, leave the baseline out: the
//! funnel and the interval beside the figure never contradict each other. General source: D. J. Spiegelhalter, 2005,
//! *Statistics in Medicine* 24:1185–1202.

use crate::estimate::{amount, share, size};
use crate::rate::count_limits;
use crate::special::turning_point;
use crate::{Confidence, Counted, Limits, Undefined};

/// Which of the two pairs of control limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sigma {
    /// Probability 0.025 on either side.
    Two,
    /// Probability 0.001 on either side.
    Three,
}

impl Sigma {
    /// The two-sided level of these limits.
    pub fn confidence(self) -> Confidence {
        match self {
            Self::Two => Confidence::P95,
            Self::Three => Confidence::P998,
        }
    }
}

/// Where a place lies in the funnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Significance {
    /// Below the lower limit of this level, the stricter if below both.
    Low(Sigma),
    /// Within all limits: no more than chance.
    NotSignificant,
    /// Above the upper limit of this level, the stricter if above both.
    High(Sigma),
}

/// Control limits for one size, in the units of the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlLimits {
    /// Probability 0.025 on either side.
    pub two: Limits,
    /// Probability 0.001 on either side.
    pub three: Limits,
}

impl ControlLimits {
    fn both(of: impl Fn(Confidence) -> Result<Limits, Undefined>) -> Result<Self, Undefined> {
        Ok(Self { two: of(Sigma::Two.confidence())?, three: of(Sigma::Three.confidence())? })
    }

    /// The same limits in other units: all times `multiplier`, which is not negative.
    #[must_use]
    pub fn per(self, multiplier: f64) -> Self {
        Self { two: self.two.per(multiplier), three: self.three.per(multiplier) }
    }

    /// Where `value` lies; limits themselves are not outside.
    pub fn significance(self, value: f64) -> Significance {
        outside(|sigma| {
            let limits = if sigma == Sigma::Two { self.two } else { self.three };
            (value < limits.lower, value > limits.upper)
        })
    }
}

/// The strictest level at which something is too low or too high.
fn outside(at: impl Fn(Sigma) -> (bool, bool)) -> Significance {
    for sigma in [Sigma::Three, Sigma::Two] {
        match at(sigma) {
            (true, _) => return Significance::Low(sigma),
            (_, true) => return Significance::High(sigma),
            _ => {}
        }
    }
    Significance::NotSignificant
}

/// The value of all places together: Σ numerators ÷ Σ denominators.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn baseline(places: &[Counted]) -> Result<f64, Undefined> {
    let mut whole = Counted::new(0.0, 0.0);
    for place in places {
        let place = place.checked()?;
        whole.numerator += place.numerator;
        whole.denominator += place.denominator;
    }
    whole.value()
}

/// Control limits of a proportion for places of `denominator`, shares of one.
///
/// Places whose Wilson limits ([`proportion`](crate::proportion())) just touch the baseline θ: θ ± z √(θ(1 − θ)/n), kept
/// within 0 to 1. Domain: θ from 0 to 1, n > 0.
///
/// # Errors
/// [`NotAShare`](Undefined::NotAShare), [`EmptyDenominator`](Undefined::EmptyDenominator),
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn proportion_control(baseline: f64, denominator: f64) -> Result<ControlLimits, Undefined> {
    let (baseline, denominator) = (share(baseline)?, size(denominator)?);
    let error = (baseline * (1.0 - baseline) / denominator).sqrt();
    ControlLimits::both(|confidence| {
        let reach = confidence.z() * error;
        Ok(Limits { lower: (baseline - reach).max(0.0), upper: (baseline + reach).min(1.0) })
    })
}

/// Control limits of a standardised ratio (observed ÷ expected) for places with `expected` events.
///
/// The counts whose own limits ([`count_limits`]) just touch `expected`, divided by it; 0 where even no event at all
/// would not be too few. Where Byar's limits take over at a count of ten, they step by less than a tenth of an event. Domain:
/// `expected` > 0.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn ratio_control(expected: f64) -> Result<ControlLimits, Undefined> {
    let expected = size(expected)?;
    ControlLimits::both(|confidence| {
        let limits = |count: f64| count_limits(count, confidence).unwrap_or(Limits { lower: count, upper: count });
        let lower = if limits(0.0).upper >= expected {
            0.0
        } else {
            turning_point(0.0, expected, |count| limits(count).upper >= expected)
        };
        let mut high = expected + 1.0;
        while limits(high).lower <= expected {
            high *= 2.0;
        }
        let upper = turning_point(expected, high, |count| limits(count).lower > expected);
        Ok(Limits { lower, upper }.per(expected.recip()))
    })
}

/// Control limits of a rate for places of `denominator`, in the units of `baseline`: [`ratio_control`] of
/// `baseline` × `denominator` expected events, times `baseline`.
///
/// # Errors
/// As [`ratio_control`].
pub fn rate_control(baseline: f64, denominator: f64) -> Result<ControlLimits, Undefined> {
    Ok(ratio_control(amount(baseline)? * size(denominator)?)?.per(baseline))
}

/// Whether `observed` events are more or fewer than chance makes of `expected` ones: whether the limits of the observed
/// count ([`count_limits`]) leave out what was expected.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn ratio_significance(observed: f64, expected: f64) -> Result<Significance, Undefined> {
    let expected = size(expected)?;
    let two = count_limits(observed, Sigma::Two.confidence())?;
    let three = count_limits(observed, Sigma::Three.confidence())?;
    Ok(outside(|sigma| {
        let limits = if sigma == Sigma::Two { two } else { three };
        (limits.upper < expected, limits.lower > expected)
    }))
}

/// Where each place's proportion lies in the funnel around all of them together, in the order given.
///
/// # Errors
/// As [`baseline`] and [`proportion_control`], and
/// [`NumeratorAboveDenominator`](Undefined::NumeratorAboveDenominator).
pub fn proportion_significances(places: &[Counted]) -> Result<Vec<Significance>, Undefined> {
    let baseline = baseline(places)?;
    let place = |place: &Counted| {
        let place = place.checked_share()?;
        Ok(proportion_control(baseline, place.denominator)?.significance(place.value()?))
    };
    places.iter().map(place).collect()
}

/// Where each place's rate lies in the funnel around all of them together, in the order given.
///
/// # Errors
/// As [`baseline`] and [`ratio_significance`].
pub fn rate_significances(places: &[Counted]) -> Result<Vec<Significance>, Undefined> {
    let baseline = baseline(places)?;
    places.iter().map(|place| ratio_significance(place.numerator, baseline * size(place.denominator)?)).collect()
}
