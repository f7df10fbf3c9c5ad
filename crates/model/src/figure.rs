//! What a cell shows: a value, or which kind of silence.

use std::fmt;

/// A value in integer units of the last published place: 19 449.668 with three decimals is 19 449 668.
///
/// Sums of integers are the same to the last digit on every machine, which sums of floats are not.
pub type Units = i64;

/// How many decimal places one unit stands for; at most 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimals(u8);

impl Decimals {
    /// Whole numbers.
    pub const NONE: Self = Self(0);

    /// `None` above nine places.
    pub fn new(places: u8) -> Option<Self> {
        (places <= 9).then_some(Self(places))
    }

    /// The number of places.
    pub fn places(self) -> u8 {
        self.0
    }

    /// Units in one: 1 000 with three places.
    pub fn one(self) -> Units {
        10_i64.pow(u32::from(self.0))
    }

    /// The value as a float, for display and statistics only, never for sums.
    #[expect(clippy::cast_precision_loss, reason = "display and statistics accept 53 bits")]
    pub fn to_f64(self, units: Units) -> f64 {
        units as f64 / self.one() as f64
    }
}

/// Why there is no value although one was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissingReason {
    /// The source does not collect it.
    NotCollected,
    /// The source collects it but has not delivered it yet.
    NotYetAvailable,
}

/// One cell's content. Zero, missing, hidden and not applicable are four different things in arithmetic,
/// storage, charts and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// A value that may be read.
    Observed(Units),
    /// Hidden for secrecy. Carries neither bound nor cause: readers derive what is reachable from visible figures.
    Suppressed,
    /// No value, and why.
    Missing(MissingReason),
    /// The cell cannot exist.
    NotApplicable,
}

impl Figure {
    /// The value, if it may be read.
    pub fn observed(self) -> Option<Units> {
        match self {
            Self::Observed(units) => Some(units),
            Self::Suppressed | Self::Missing(_) | Self::NotApplicable => None,
        }
    }
}

/// A remark on a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// May change when its producer closes the period.
    Provisional = 1,
    /// Not counted but estimated.
    Estimated = 2,
    /// Not comparable with the period before.
    BreakInSeries = 4,
}

/// Remarks on a figure, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u8);

impl Flags {
    /// These flags and `flag`.
    #[must_use]
    pub fn with(self, flag: Flag) -> Self {
        Self(self.0 | flag as u8)
    }

    /// Whether `flag` is set.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & flag as u8 != 0
    }

    /// The flags as bits, for the wire.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// `None` if an unknown bit is set: a remark we cannot read must not be dropped silently.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits & !7 == 0).then_some(Self(bits))
    }
}

impl fmt::Display for MissingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotCollected => "not collected",
            Self::NotYetAvailable => "not yet available",
        })
    }
}
