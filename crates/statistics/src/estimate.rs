//! The words that all methods share: a level of confidence, limits, an estimate, and why there is none.

use thiserror::Error;

use crate::special;

const LARGEST: f64 = 1e100;

/// How often limits made this way contain what they estimate: a two-sided level strictly between 0.5 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %: outside with probability 0.025 on either side; the «2σ» of funnels.
    pub const P95: Self = Self(0.95);
    /// 99.8 %: outside with probability 0.001 on either side; the «3σ» of funnels.
    pub const P998: Self = Self(0.998);

    /// The two-sided level `level`, a share of one.
    ///
    /// # Errors
    /// [`Undefined::NoConfidence`] unless 0.5 < `level` < 1.
    pub fn new(level: f64) -> Result<Self, Undefined> {
        if level > 0.5 && level < 1.0 { Ok(Self(level)) } else { Err(Undefined::NoConfidence) }
    }

    /// The two-sided level, a share of one.
    pub fn level(self) -> f64 {
        self.0
    }

    /// The probability of lying outside on one side: (1 − level) / 2.
    pub fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }

    /// The normal deviate that leaves [`tail`](Self::tail) above it: 1.96 at 95 %.
    pub(crate) fn z(self) -> f64 {
        special::upper_normal(self.tail())
    }
}

/// Lower and upper limit, in the units of what they limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Never above `upper`.
    pub lower: f64,
    /// Never below `lower`.
    pub upper: f64,
}

impl Limits {
    /// The same limits in other units: both times `multiplier`, which is not negative.
    #[must_use]
    pub fn per(self, multiplier: f64) -> Self {
        Self { lower: self.lower * multiplier, upper: self.upper * multiplier }
    }

    /// Whether `value` lies between them, both included.
    pub fn contain(self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// From the lower of both to the upper of both.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self { lower: self.lower.min(other.lower), upper: self.upper.max(other.upper) }
    }
}

/// A value and its limits, in the same units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Its limits.
    pub limits: Limits,
}

impl Estimate {
    /// The same estimate in other units: per 100 for a percentage, per 100 000 for a rate. `multiplier` is not negative.
    #[must_use]
    pub fn per(self, multiplier: f64) -> Self {
        Self { value: self.value * multiplier, limits: self.limits.per(multiplier) }
    }
}

/// What was counted among how many: people concerned among inhabitants, events among person-years. Counts that a
/// survey weights need not be whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// What was counted, ≥ 0.
    pub numerator: f64,
    /// Among how many, ≥ 0.
    pub denominator: f64,
}

impl Counted {
    /// `numerator` among `denominator`.
    pub fn new(numerator: f64, denominator: f64) -> Self {
        Self { numerator, denominator }
    }

    /// Both terms finite and not negative.
    pub(crate) fn checked(self) -> Result<Self, Undefined> {
        Ok(Self { numerator: amount(self.numerator)?, denominator: amount(self.denominator)? })
    }

    /// As [`checked`](Self::checked), and no more counted than there are.
    pub(crate) fn checked_share(self) -> Result<Self, Undefined> {
        let counted = self.checked()?;
        if counted.numerator > counted.denominator { Err(Undefined::NumeratorAboveDenominator) } else { Ok(counted) }
    }

    /// Numerator ÷ denominator.
    pub(crate) fn value(self) -> Result<f64, Undefined> {
        if self.denominator > 0.0 { Ok(self.numerator / self.denominator) } else { Err(Undefined::EmptyDenominator) }
    }
}

/// Why a method gives no number.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum Undefined {
    /// A number is infinite, not a number, or beyond 10¹⁰⁰, where its square or cube could be.
    #[error("a number is infinite, not a number or too large to compute with")]
    NotFinite,
    /// A count, a population, a weight or a rate is below zero.
    #[error("a count or a weight is below zero")]
    NegativeCount,
    /// Nothing to divide by: nobody, or a total of zero.
    #[error("the denominator is zero")]
    EmptyDenominator,
    /// A share counts more than there are.
    #[error("the numerator of a share is above its denominator")]
    NumeratorAboveDenominator,
    /// A value that must lie between 0 and 1 does not.
    #[error("a share is not between 0 and 1")]
    NotAShare,
    /// A logarithm of zero or less.
    #[error("a value must be above zero")]
    NotPositive,
    /// Too few observations for the method.
    #[error("{found} observations where the method needs {needed}")]
    TooFew {
        /// Observations that can be used.
        found: usize,
        /// Observations that the method needs.
        needed: usize,
    },
    /// Too few events for limits that could be relied on.
    #[error("fewer than {needed} events in all")]
    TooFewEvents {
        /// Events that the method needs.
        needed: u32,
    },
    /// Two lists that go together have different lengths.
    #[error("a list of {found} where another has {expected}")]
    LengthMismatch {
        /// The length of the first.
        expected: usize,
        /// The length of the other.
        found: usize,
    },
    /// All positions or all values are the same: no line, no test.
    #[error("nothing varies")]
    NoSpread,
    /// Too few indicators that vary and are known, of a place or of all.
    #[error("{found} indicators where the method needs {needed}")]
    TooFewIndicators {
        /// Indicators that can be used.
        found: usize,
        /// Indicators that the method needs.
        needed: usize,
    },
    /// More places than can be compared each with each.
    #[error("{found} places where the method takes at most {most}")]
    TooMany {
        /// Places given.
        found: usize,
        /// Places that the method takes.
        most: usize,
    },
    /// A place is given twice.
    #[error("a place is given twice")]
    RepeatedPlace,
    /// The place that is asked about is not among those given.
    #[error("the place is not among those given")]
    UnknownPlace,
    /// A number of groups that cannot be made.
    #[error("there can be 2 to {most} groups")]
    NoSuchDivision {
        /// The most groups that can be made.
        most: usize,
    },
    /// A highest value below the lowest one.
    #[error("the upper limit is below the lower one")]
    LimitsReversed,
    /// An iteration did not come to its end.
    #[error("the computation did not converge")]
    NotConverged,
    /// A figure has no known upper limit, and the method needs one.
    #[error("no upper limit is known")]
    Unbounded,
    /// A level of confidence that is not strictly between 0.5 and 1.
    #[error("a level of confidence lies strictly between 0.5 and 1")]
    NoConfidence,
    /// The target year is not a whole number of steps after the last one.
    #[error("the target is not a whole number of steps ahead")]
    BetweenSteps,
}

/// `number`, if it is finite, and so are its square and cube.
pub(crate) fn finite(number: f64) -> Result<f64, Undefined> {
    if number.abs() <= LARGEST { Ok(number) } else { Err(Undefined::NotFinite) }
}

/// `count`, if it is finite and not negative.
pub(crate) fn amount(count: f64) -> Result<f64, Undefined> {
    if finite(count)? < 0.0 { Err(Undefined::NegativeCount) } else { Ok(count) }
}

/// `size`, if it is finite and above zero.
pub(crate) fn size(size: f64) -> Result<f64, Undefined> {
    if amount(size)? > 0.0 { Ok(size) } else { Err(Undefined::EmptyDenominator) }
}

/// `share`, if it lies between 0 and 1.
pub(crate) fn share(share: f64) -> Result<f64, Undefined> {
    if (0.0..=1.0).contains(&finite(share)?) { Ok(share) } else { Err(Undefined::NotAShare) }
}

/// That `found` observations are enough.
pub(crate) fn enough(found: usize, needed: usize) -> Result<(), Undefined> {
    if found < needed { Err(Undefined::TooFew { found, needed }) } else { Ok(()) }
}

/// That a second list is as long as the first.
pub(crate) fn same_length(expected: usize, found: usize) -> Result<(), Undefined> {
    if expected == found { Ok(()) } else { Err(Undefined::LengthMismatch { expected, found }) }
}
