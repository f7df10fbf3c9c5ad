//! Rules that say which cells must be hidden, and how uncertain they must stay.
//!
//! Each rule is a pure function of what is known inside about one cell. Strictness is part of the rule: a threshold
//! shows the figure it names, a share may be forbidden from the limit on or only beyond it.

use crate::scheme::Zeros;
use crate::system;

/// A share, exact to the thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    const WHOLE: i128 = 100_000;

    /// So many whole percent.
    pub const fn new(percent: u32) -> Self {
        Self(percent * 1000)
    }

    /// From thousandths of a percent.
    pub const fn thousandths(thousandths: u32) -> Self {
        Self(thousandths)
    }
}

/// Whether the limit itself is still allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Hidden only beyond the limit: "more than 85 %".
    Beyond,
    /// Hidden from the limit on: "85 % or more".
    From,
}

/// What makes a cell one that must be hidden.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Criterion {
    /// Fewer than `least` stand behind it: the figure itself if it is a count and nothing is said of contributors.
    Threshold {
        /// The smallest number that may be shown.
        least: u32,
    },
    /// Fewer than `least` contributors, who must be told.
    Contributors {
        /// The smallest number that may be shown.
        least: u32,
    },
    /// The `largest` contributors (1 or 2) have more than their share together: the (n, k) rule.
    Dominance {
        /// How many are taken together: 1 or 2.
        largest: u8,
        /// Their share.
        share: Percent,
        /// Whether that share itself is allowed.
        strictness: Strictness,
    },
    /// The second contributor could estimate the first to within less than p % of it, strictly:
    /// `value − top1 − top2 < p/100 · top1`.
    Precision {
        /// p.
        p: Percent,
    },
    /// One category of this dimension takes all of a total that is not zero: whoever knows that somebody is counted
    /// in the total knows the category too.
    OneCategory {
        /// The dimension, by name.
        dimension: String,
    },
    /// A total less one of its parts, which nobody publishes and anybody computes, has fewer than `least` behind it.
    Difference {
        /// The smallest number that may be computable.
        least: u32,
    },
}

/// What is known inside about a cell.
#[derive(Clone, Copy, Default)]
pub struct Facts {
    /// The figure, in units of the last decimal.
    pub value: i64,
    /// Units that make one.
    pub one: i64,
    /// How many stand behind it.
    pub contributors: Option<u64>,
    /// The largest contribution.
    pub top1: Option<i64>,
    /// The second largest.
    pub top2: Option<i64>,
}

/// How uncertain a hidden cell must stay, in units of the last decimal, over all whole tables that agree with what is
/// shown. 0 asks nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Need {
    /// Some table has it this much below the true figure.
    pub below: i64,
    /// Some table has it this much above.
    pub above: i64,
    /// Two tables differ by this much.
    pub width: i64,
}

impl Need {
    /// Only a width.
    pub fn width(width: i64) -> Self {
        Self { width, ..Self::default() }
    }

    /// As the engine takes it. A need beyond what it computes with is one that it cannot meet.
    pub(super) fn units(self) -> system::Need {
        let units = |level: i64| u32::try_from(level.max(0)).unwrap_or(u32::MAX);
        system::Need { below: units(self.below), above: units(self.above), width: units(self.width) }
    }

    /// Both needs at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            below: self.below.max(other.below),
            above: self.above.max(other.above),
            width: self.width.max(other.width),
        }
    }
}

/// A rule that needs a column which has nothing for this cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking(pub &'static str);

impl Facts {
    /// Nobody stands behind it.
    pub fn nobody(&self) -> bool {
        self.contributors.map_or(self.value == 0, |contributors| contributors == 0)
    }

    /// Exactly one stands behind it.
    pub fn alone(&self) -> bool {
        self.contributors.map_or(self.one == 1 && self.value == 1, |contributors| contributors == 1)
    }

    fn top1(&self) -> Result<i64, Lacking> {
        match (self.top1, self.contributors) {
            (Some(top), _) => Ok(top),
            (None, Some(0 | 1)) => Ok(self.value),
            (None, _) => Err(Lacking("top1")),
        }
    }

    fn top2(&self) -> Result<i64, Lacking> {
        match (self.top2, self.contributors) {
            (Some(top), _) => Ok(top),
            (None, Some(0 | 1)) => Ok(0),
            (None, Some(2)) => Ok(self.value - self.top1()?),
            (None, _) => Err(Lacking("top2")),
        }
    }

    /// Whether 0 < contributors < `least` (or from 0 on, where zeros are protected).
    fn few(&self, least: u32, zeros: Zeros) -> Result<bool, Lacking> {
        let few = match self.contributors {
            Some(contributors) => contributors < u64::from(least),
            None if self.one == 1 => self.value < i64::from(least),
            // An amount does not tell how many it comes from.
            None => return Err(Lacking("contributors")),
        };
        Ok(few && (zeros == Zeros::Protect || !self.nobody()))
    }
}

impl Criterion {
    /// What it asks for one cell by itself; `None` if the cell may be shown.
    ///
    /// Protection levels are those by which the rule would hold for whoever takes the end of the interval for the
    /// figure (Hundepool et al., *Statistical Disclosure Control*, Wiley 2012, chapter 4 on magnitude tables):
    ///
    /// * (n, k): `upl = 100/k · (top1 + … + topn) − value`;
    /// * p %: `upl = p/100 · top1 − (value − top1 − top2)`;
    ///
    /// each the same below as above, and at least one unit. Thresholds ask for the width that goes with them and
    /// nothing else.
    pub fn asks(&self, facts: &Facts, zeros: Zeros) -> Result<Option<Need>, Lacking> {
        match self {
            Self::Threshold { least } => Ok(facts.few(*least, zeros)?.then(Need::default)),
            Self::Contributors { least } => {
                if facts.contributors.is_none() {
                    return Err(Lacking("contributors"));
                }
                Ok(facts.few(*least, zeros)?.then(Need::default))
            }
            Self::Dominance { largest, share, strictness } => {
                if facts.nobody() {
                    return Ok(None);
                }
                let mut top = i128::from(facts.top1()?);
                if *largest > 1 {
                    top += i128::from(facts.top2()?);
                }
                let (have, limit) = (top * Percent::WHOLE, i128::from(facts.value) * i128::from(share.0));
                let dominated = match strictness {
                    Strictness::Beyond => have > limit,
                    // With nothing to share, nobody has a share.
                    Strictness::From => have >= limit && top > 0,
                };
                Ok(dominated.then(|| {
                    let up = ceiling(have, i128::from(share.0).max(1)) - i128::from(facts.value);
                    both(up)
                }))
            }
            Self::Precision { p } => {
                if facts.nobody() {
                    return Ok(None);
                }
                let (top1, top2) = (i128::from(facts.top1()?), i128::from(facts.top2()?));
                let rest = i128::from(facts.value) - top1 - top2;
                let margin = top1 * i128::from(p.0);
                Ok((rest * Percent::WHOLE < margin).then(|| both(ceiling(margin, Percent::WHOLE) - rest)))
            }
            // These look at a total and its parts together.
            Self::OneCategory { .. } | Self::Difference { .. } => Ok(None),
        }
    }
}

/// At least one unit, on both sides.
fn both(level: i128) -> Need {
    let level = i64::try_from(level.max(1)).unwrap_or(i64::MAX);
    Need { below: level, above: level, width: 0 }
}

/// Of a quotient with a positive divisor.
fn ceiling(dividend: i128, divisor: i128) -> i128 {
    dividend.div_euclid(divisor) + i128::from(dividend.rem_euclid(divisor) != 0)
}
