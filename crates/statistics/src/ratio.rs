//! Ratios of intervals, for one commune and for several together (ΣN/ΣD, never a mean of ratios).

use model::{Decimals, Units};

use crate::{Interval, Reading, Silence};

/// An interval with the decimal places of its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// In units of the last decimal place.
    pub interval: Interval,
    /// Decimal places of one unit.
    pub decimals: Decimals,
}

impl Amount {
    /// What may be read of it.
    pub fn reading(self) -> Reading {
        let one = to_f64(self.decimals.one().into());
        Reading::from_bounds(to_f64(self.interval.lo()) / one, self.interval.hi().map(|hi| to_f64(hi) / one))
    }
}

/// How numerator and denominator make a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Per how many units of the denominator: 100 for a percentage, 1 for euros per household.
    pub per: Units,
    /// Whether everything counted in the numerator is counted in the denominator too, so that N ≤ D.
    pub share: bool,
}

impl Ratio {
    /// All values that numerator ÷ denominator × per may have.
    ///
    /// The truth lies in the result whenever it lies in both terms (and N ≤ D for a share); both are ≥ 0. A
    /// denominator that must be zero gives [`Silence::ZeroDenominator`]; one that may be zero says nothing more than
    /// the share's own limit.
    pub fn of(self, numerator: Amount, denominator: Amount) -> Reading {
        let (n, d) = same_scale(numerator, denominator);
        let (n, d) = if self.share { tightened(n, d) } else { (n, d) };
        if d.value() == Some(0) {
            return Reading::Silence(Silence::ZeroDenominator);
        }
        let per = to_f64(self.per.into());
        let low = d.hi().map_or(0.0, |hi| divide(n.lo(), hi) * per);
        let high = match n.hi() {
            Some(hi) if d.lo() > 0 => Some(divide(hi, d.lo()) * per),
            _ => None,
        };
        let high = if self.share { Some(high.map_or(per, |high| high.min(per))) } else { high };
        Reading::from_bounds(low, high)
    }
}

/// The ratio of several communes together: ΣN/ΣD over the pairs given, where both terms may be put together.
pub fn group_ratio(ratio: Ratio, pairs: &[(Amount, Amount)]) -> Reading {
    match pairs {
        [] => Reading::Silence(Silence::NotReceived),
        [first, ..] => {
            let (nd, dd) = (first.0.decimals, first.1.decimals);
            let sum = |term: fn(&(Amount, Amount)) -> Amount, decimals: Decimals| {
                let finest = pairs.iter().map(|pair| term(pair).decimals).max().unwrap_or(decimals);
                let interval = pairs.iter().map(|pair| rescaled(term(pair), finest)).sum();
                Amount { interval, decimals: finest }
            };
            ratio.of(sum(|pair| pair.0, nd), sum(|pair| pair.1, dd))
        }
    }
}

fn rescaled(amount: Amount, decimals: Decimals) -> Interval {
    amount.interval.scaled(i128::from(decimals.one() / amount.decimals.one()))
}

fn same_scale(n: Amount, d: Amount) -> (Interval, Interval) {
    let finest = n.decimals.max(d.decimals);
    (rescaled(n, finest), rescaled(d, finest))
}

/// What N ≤ D adds: the numerator is at most the highest denominator, the denominator at least the lowest numerator.
/// Contradicting terms (damaged data) are left as they are.
fn tightened(n: Interval, d: Interval) -> (Interval, Interval) {
    let capped = d.hi().and_then(|hi| Interval::between(0, Some(hi))).and_then(|below| n.and(below)).unwrap_or(n);
    let raised = Interval::between(n.lo(), None).and_then(|above| d.and(above)).unwrap_or(d);
    (capped, raised)
}

// Conversion, division and multiplication round monotonically: bounds stay bounds.
fn divide(n: i128, d: i128) -> f64 {
    to_f64(n) / to_f64(d)
}

#[expect(clippy::cast_precision_loss, reason = "ratios and display accept 53 bits; rounding is monotone")]
pub(crate) fn to_f64(units: i128) -> f64 {
    units as f64
}
