//! A number as far as it may be known.

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Silence {
    /// The commune did not send this slice.
    NotReceived,
    /// The commune does not collect it.
    NotCollected,
    /// Its source has not delivered it yet.
    NotYetAvailable,
    /// The cell cannot exist there.
    NotApplicable,
    /// A ratio over nothing.
    ZeroDenominator,
    /// The figures may not be put together.
    NotAdditive,
    /// Withdrawn by its commune.
    Withdrawn,
    /// Its commune does not share it with who asks.
    NotShared,
    /// Said of so few communes together that it would be said of one.
    NotShown,
}

/// A number as far as it may be known. Zero is a value; hidden is an interval; missing is a silence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Known.
    Value(f64),
    /// Hidden, or derived from something hidden: all that visible figures allow.
    Interval {
        /// Lowest.
        low: f64,
        /// Highest; `None` if there is no upper limit.
        high: Option<f64>,
    },
    /// No number, and why.
    Silence(Silence),
}

impl Reading {
    /// A value where both bounds are one, otherwise an interval.
    pub fn from_bounds(low: f64, high: Option<f64>) -> Self {
        match high {
            Some(high) if high <= low => Self::Value(low),
            high => Self::Interval { low, high },
        }
    }

    /// Lowest and highest, where there is a number.
    pub fn bounds(self) -> Option<(f64, Option<f64>)> {
        match self {
            Self::Value(value) => Some((value, Some(value))),
            Self::Interval { low, high } => Some((low, high)),
            Self::Silence(_) => None,
        }
    }

    /// This minus `other`, as if nothing linked the two: wide, never wrong. `None` where there is no number, or
    /// where `other` has no upper limit and nothing could be said from below.
    pub fn minus(self, other: Self) -> Option<Self> {
        let (low, high) = self.bounds()?;
        let (other_low, other_high) = other.bounds()?;
        Some(Self::from_bounds(low - other_high?, high.map(|high| high - other_low)))
    }

    /// Whether `value` is possible.
    pub fn contains(self, value: f64) -> bool {
        self.bounds().is_some_and(|(low, high)| low <= value && high.is_none_or(|high| value <= high))
    }
}
