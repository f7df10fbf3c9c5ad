//! Need against answer: how many of the people in a situation are helped.

use crate::estimate::size;
use crate::ratio::to_f64;
use crate::{Amount, Ratio, Reading, Undefined};

/// How many units of the need one unit of the answer stands for: people per household helped, between a lowest and a highest
/// value that a source gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    low: f64,
    high: f64,
}

impl Conversion {
    /// Both count in the same units.
    pub const NONE: Self = Self { low: 1.0, high: 1.0 };

    /// Between `low` and `high` units of the need per unit of the answer.
    ///
    /// # Errors
    /// [`EmptyDenominator`](Undefined::EmptyDenominator) at zero, [`NegativeCount`](Undefined::NegativeCount),
    /// [`NotFinite`](Undefined::NotFinite), [`LimitsReversed`](Undefined::LimitsReversed) if `high` is below `low`.
    pub fn between(low: f64, high: f64) -> Result<Self, Undefined> {
        let (low, high) = (size(low)?, size(high)?);
        if low <= high { Ok(Self { low, high }) } else { Err(Undefined::LimitsReversed) }
    }
}

/// Whether more are helped than are in the situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Excess {
    /// No.
    None,
    /// What is hidden, or the conversion, leaves it open.
    Possible,
    /// Yes: the two do not count the same people, or not at the same time.
    Certain,
}

/// How much of a need is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Percent of the people in the situation, as far as it may be known; above 100 where more are helped.
    pub percent: Reading,
    /// Whether more are helped than are in the situation, also where nobody is and there is no percentage.
    pub excess: Excess,
}

/// People helped per 100 people in the situation.
///
/// helped × conversion / need × 100, with each of the three as an interval: from lowest over highest to highest over
/// lowest. The truth lies in the result whenever it lies in all three. Nothing is cut at 100: more people helped than
/// counted in the situation is something to look into ([`Excess`]), not to hide. A need of zero has no coverage:
/// [`Silence::ZeroDenominator`](crate::Silence::ZeroDenominator); one that may be zero sets no upper limit.
///
/// Source: interval arithmetic; R. E. Moore, 1966, *Interval Analysis*. Domain: both counts ≥ 0, of the same period and
/// territory.
pub fn coverage(helped: Amount, need: Amount, conversion: Conversion) -> Coverage {
    let percent = match (Ratio { per: 100, share: false }).of(helped, need) {
        Reading::Value(value) => Reading::from_bounds(value * conversion.low, Some(value * conversion.high)),
        Reading::Interval { low, high } => {
            Reading::from_bounds(low * conversion.low, high.map(|high| high * conversion.high))
        }
        silence @ Reading::Silence(_) => silence,
    };
    let (one_helped, one_need) = (to_f64(helped.decimals.one().into()), to_f64(need.decimals.one().into()));
    let fewest = to_f64(helped.interval.lo()) / one_helped * conversion.low;
    let most = helped.interval.hi().map(|hi| to_f64(hi) / one_helped * conversion.high);
    let needed = need.interval.hi().map(|hi| to_f64(hi) / one_need);
    let excess = if needed.is_some_and(|needed| fewest > needed) {
        Excess::Certain
    } else if most.is_none_or(|most| most > to_f64(need.interval.lo()) / one_need) {
        Excess::Possible
    } else {
        Excess::None
    };
    Coverage { percent, excess }
}
