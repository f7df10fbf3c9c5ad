//! Exact fractions of checked whole numbers.

use std::cmp::Ordering;

use super::Halt;

/// Larger numbers halt: whatever is within can be negated, doubled and taken apart without a further look.
const LARGEST: u64 = 1 << 61;

pub(super) fn sized(number: Option<i64>) -> Result<i64, Halt> {
    number.filter(|number| number.unsigned_abs() <= LARGEST).ok_or(Halt)
}

/// `over / under` in lowest terms, `under` positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    over: i64,
    under: i64,
}

pub(super) fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(i64::MAX)
}

impl From<i64> for Ratio {
    fn from(whole: i64) -> Self {
        Self { over: whole, under: 1 }
    }
}

impl Ratio {
    /// `over / under`; `under` is not zero.
    pub(super) fn new(over: i64, under: i64) -> Result<Self, Halt> {
        Self::of(i128::from(over), i128::from(under))
    }

    fn of(over: i128, under: i128) -> Result<Self, Halt> {
        let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let common = i128::try_from(a).ok().filter(|&common| common != 0).ok_or(Halt)?;
        let common = if under < 0 { -common } else { common };
        Ok(Self { over: sized(i64::try_from(over / common).ok())?, under: sized(i64::try_from(under / common).ok())? })
    }

    pub(super) fn whole(self) -> Option<i64> {
        (self.under == 1).then_some(self.over)
    }

    pub(super) fn floor(self) -> i64 {
        self.over.div_euclid(self.under)
    }

    pub(super) fn ceiling(self) -> i64 {
        -(-self.over).div_euclid(self.under)
    }

    pub(super) fn is_zero(self) -> bool {
        self.over == 0
    }

    pub(super) fn negated(self) -> Self {
        Self { over: -self.over, ..self }
    }

    /// `self + step · by`.
    pub(super) fn plus(self, step: Self, by: i64) -> Result<Self, Halt> {
        if self.under == 1 && step.under == 1 {
            let over = step.over.checked_mul(by).and_then(|change| self.over.checked_add(change));
            return Ok(Self { over: sized(over)?, under: 1 });
        }
        let (own, other) = (i128::from(self.under), i128::from(step.under));
        let change = i128::from(step.over) * i128::from(by);
        let over = change.checked_mul(own).and_then(|change| change.checked_add(i128::from(self.over) * other));
        Self::of(over.ok_or(Halt)?, own * other)
    }

    /// `bound − self`.
    pub(super) fn below(self, bound: i64) -> Result<Self, Halt> {
        Self::from(bound).plus(self, -1)
    }

    /// `self / by`, `by` positive.
    pub(super) fn divided(self, by: i64) -> Result<Self, Halt> {
        if by == 1 {
            return Ok(self);
        }
        Self::of(i128::from(self.over), i128::from(self.under) * i128::from(by))
    }

    /// Distance to the nearest whole number, for choosing only.
    #[expect(clippy::cast_precision_loss, reason = "orders candidates, decides nothing")]
    pub(super) fn brokenness(self) -> f64 {
        let rest = self.over.rem_euclid(self.under);
        rest.min(self.under - rest) as f64 / self.under as f64
    }

    pub(super) fn nearest_is_below(self) -> bool {
        self.over.rem_euclid(self.under) * 2 < self.under
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.under == other.under {
            return self.over.cmp(&other.over);
        }
        let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
        product(self.over, other.under).cmp(&product(other.over, self.under))
    }
}
