//! Exact intervals over integer units.

use std::iter::Sum;
use std::ops::Add;

use model::Units;

/// All values that a figure may have: `lo` to `hi`, both included; no upper limit where `hi` is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    lo: i128,
    hi: Option<i128>,
}

impl Interval {
    /// Exactly zero: the sum of nothing.
    pub const ZERO: Self = Self { lo: 0, hi: Some(0) };

    /// Exactly this value.
    pub fn known(value: Units) -> Self {
        Self { lo: value.into(), hi: Some(value.into()) }
    }

    /// From `lo` to `hi`; `None` if `hi` is below `lo`.
    pub fn between(lo: i128, hi: Option<i128>) -> Option<Self> {
        if hi.is_some_and(|hi| hi < lo) { None } else { Some(Self { lo, hi }) }
    }

    /// The lowest possible value, in units.
    pub fn lo(self) -> i128 {
        self.lo
    }

    /// The highest possible value, in units; `None` if there is no upper limit.
    pub fn hi(self) -> Option<i128> {
        self.hi
    }

    /// The value, if only one is possible.
    pub fn value(self) -> Option<i128> {
        self.hi.filter(|hi| *hi == self.lo)
    }

    /// Whether `value` is possible.
    pub fn contains(self, value: i128) -> bool {
        self.lo <= value && self.hi.is_none_or(|hi| value <= hi)
    }

    /// The values possible under both; `None` if they contradict each other.
    pub fn and(self, other: Self) -> Option<Self> {
        let lo = self.lo.max(other.lo);
        let hi = match (self.hi, other.hi) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if hi.is_some_and(|hi| hi < lo) { None } else { Some(Self { lo, hi }) }
    }

    /// Every unit becomes `factor` finer ones. `factor` is positive.
    pub(crate) fn scaled(self, factor: i128) -> Self {
        Self { lo: self.lo.saturating_mul(factor), hi: self.hi.map(|hi| hi.saturating_mul(factor)) }
    }
}

impl Add for Interval {
    type Output = Self;

    /// All sums of a value of each.
    fn add(self, other: Self) -> Self {
        let hi = self.hi.zip(other.hi).map(|(a, b)| a.saturating_add(b));
        Self { lo: self.lo.saturating_add(other.lo), hi }
    }
}

impl Sum for Interval {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}
