//! What a rule asks, as a function of visible data only: node and hub apply the same one.

use model::{Decimals, Units};

use crate::scheme::{Quantity, Rule, Zeros};

/// What must hold for one cell under its rule, in units of the measure.
///
/// A cell whose reachable interval `[low, high]` meets the forbidden range must have `high − low ≥ width`. A visible
/// value is an interval without width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The smallest forbidden value.
    pub from: Units,
    /// The first value above `from` that is allowed again; `None` if all larger ones are forbidden too, as for
    /// amounts: from an amount nobody outside can tell how many stand behind it.
    pub below: Option<Units>,
    /// The least width of the reachable interval, in units of the measure; at least 1.
    pub width: Units,
}

/// What `rule` asks of a cell that sums `quantity` in units of `decimals`; `None` if it asks nothing.
pub fn need(rule: &Rule, quantity: &Quantity, decimals: Decimals) -> Option<Need> {
    let from = match rule.zeros {
        Zeros::Publish => 1,
        Zeros::Protect => 0,
    };
    let small = rule.threshold > 1 || rule.zeros == Zeros::Protect;
    let below = match quantity {
        // At most 4.3e9 × 1e9: inside i64.
        Quantity::Rows | Quantity::Distinct { .. } | Quantity::Weight { .. } => {
            Some(Units::from(rule.threshold).saturating_mul(decimals.one()))
        }
        Quantity::Sum { .. } => None,
    };
    let some = small && below.is_none_or(|below| from < below);
    some.then(|| Need { from, below, width: rule.width.max(1) })
}

impl Need {
    /// Whether some value of the interval (`None`: without upper end) is forbidden.
    pub fn meets(&self, low: i128, high: Option<i128>) -> bool {
        self.below.is_none_or(|below| low < i128::from(below)) && high.is_none_or(|high| high >= i128::from(self.from))
    }

    /// Both needs at once: what either forbids, as wide as either asks.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            below: self.below.zip(other.below).map(|(a, b)| a.max(b)),
            width: self.width.max(other.width),
        }
    }
}

/// Both needs at once, where there are any.
pub(crate) fn stricter(a: Option<Need>, b: Option<Need>) -> Option<Need> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.stricter(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(threshold: u32, zeros: Zeros) -> Rule {
        Rule { threshold, zeros, width: 3 }
    }

    #[test]
    fn five_hides_one_to_four_and_not_five() {
        let need = need(&rule(5, Zeros::Publish), &Quantity::Rows, Decimals::NONE).expect("a threshold of five");
        for (value, forbidden) in [(0, false), (1, true), (4, true), (5, false), (6, false)] {
            assert_eq!(need.meets(value, Some(value)), forbidden, "{value}");
        }
        assert!(need.meets(4, None) && !need.meets(5, None));
    }

    #[test]
    fn protected_zeros_are_forbidden_and_weights_scale() {
        let six = Decimals::new(6).expect("six places");
        let weight = Quantity::Weight { column: "w".into() };
        let need = need(&rule(5, Zeros::Protect), &weight, six).expect("a threshold of five");
        assert!(need.meets(0, Some(0)) && need.meets(4_999_999, Some(4_999_999)));
        assert!(!need.meets(5_000_000, None));
    }

    #[test]
    fn an_amount_is_forbidden_whatever_its_size_and_a_threshold_of_one_asks_nothing() {
        let sum = Quantity::Sum { column: "m".into() };
        let two = Decimals::new(2).expect("two places");
        let amount = need(&rule(5, Zeros::Publish), &sum, two).expect("a threshold of five");
        assert!(amount.meets(1_000_000, Some(1_000_000)) && !amount.meets(0, Some(0)));
        assert_eq!(need(&rule(1, Zeros::Publish), &sum, two), None);
        assert_eq!(need(&rule(1, Zeros::Publish), &Quantity::Rows, Decimals::NONE), None);
    }
}
