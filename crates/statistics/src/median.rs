//! The median of a distribution of which only the number in each class is known, and some numbers only as intervals.

use crate::{Interval, Reading, Silence};

/// One class: the limits of its values, `from` up to, not including, `to`, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Lower limit; `None` is open.
    pub from: Option<f64>,
    /// Upper limit; `None` is open.
    pub to: Option<f64>,
    /// How many: at least 0.
    pub count: Interval,
}

/// The value that half of the counted lie below, as if those of a class were spread evenly over it: for N counted, F of
/// them in the classes below and f in the class that the middle falls in, L + (N/2 − F)/f × width (Yule, *An Introduction
/// to the Theory of Statistics*, 1911, chapter VII). Where the middle falls between two classes, or in an empty one, the
/// middle of what lies between.
///
/// Where counts are intervals, all medians that such counts can have. In a class without a limit nothing can be spread: there
/// the result is its other limit as a bound. Classes are ascending and leave no gap; nobody counted gives
/// [`Silence::ZeroDenominator`].
pub fn grouped_median(classes: &[Class]) -> Reading {
    if classes.iter().all(|class| class.count.value() == Some(0)) {
        return Reading::Silence(Silence::ZeroDenominator);
    }
    let count = |class: &Class, most: bool| {
        if most { class.count.hi().map_or(f64::INFINITY, number) } else { number(class.count.lo()) }
    };
    // Weighing classes below a point by +1 and those above by −1, the median is where the sum is zero. Whether it can lie
    // lower is asked with as many as possible below, whether higher with as few.
    let low = classes.iter().enumerate().find_map(|(at, class)| {
        let balance = balance(classes, at, |below| below);
        let (few, many) = (count(class, false), count(class, true));
        share(balance, few, many, Side::First).map(|share| (class, share))
    });
    let high = classes.iter().enumerate().rev().find_map(|(at, class)| {
        let balance = balance(classes, at, |below| !below);
        let (few, many) = (count(class, false), count(class, true));
        share(balance, many, few, Side::Last).map(|share| (class, share))
    });
    let (Some((low_class, low)), Some((high_class, high))) = (low, high) else {
        return Reading::Silence(Silence::ZeroDenominator);
    };
    let known = classes.iter().all(|class| class.count.value().is_some());
    let lowest = match (low_class.from, low_class.to) {
        (Some(from), Some(to)) => from + low * (to - from),
        (Some(from), None) => from,
        (None, Some(to)) if low >= 1.0 => to,
        (None, _) => f64::NEG_INFINITY,
    };
    let highest = match (high_class.from, high_class.to) {
        (Some(from), Some(to)) => Some(from + high * (to - from)),
        (None, Some(to)) => Some(to),
        (Some(from), None) if high <= 0.0 => Some(from),
        (_, None) => None,
    };
    match highest {
        Some(highest) if known && low_class.from.is_some() && high_class.to.is_some() => {
            Reading::Value(f64::midpoint(lowest, highest))
        }
        highest => Reading::from_bounds(lowest, highest),
    }
}

/// Classes below number `at` minus classes above it, each with as many as `most` says of it.
fn balance(classes: &[Class], at: usize, most: impl Fn(bool) -> bool) -> f64 {
    let count = |class: &Class, below: bool| {
        if most(below) { class.count.hi().map_or(f64::INFINITY, number) } else { number(class.count.lo()) }
    };
    let below: f64 = classes[..at].iter().map(|class| count(class, true)).sum();
    let above: f64 = classes[at + 1..].iter().map(|class| count(class, false)).sum();
    // As many as one likes on either side: it can lie anywhere.
    if below.is_infinite() && above.is_infinite() { 0.0 } else { below - above }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    First,
    Last,
}

/// The first share of a class, from 0 to 1, at which balance + (2 × share − 1) × count is at least zero, or the last at
/// which it is at most zero; `left` is the count while the share is at most a half, `right` beyond. `None` if there is none
/// in this class.
fn share(balance: f64, left: f64, right: f64, side: Side) -> Option<f64> {
    let at = |share: f64| {
        let count = if share <= 0.5 { left } else { right };
        let weight = 2.0 * share - 1.0;
        // No weight of any number is none.
        balance + if weight == 0.0 || count == 0.0 { 0.0 } else { weight * count }
    };
    let crossing = |count: f64| if count == 0.0 { 0.5 } else { f64::midpoint(1.0, -balance / count) };
    match side {
        Side::First if at(0.0) >= 0.0 => Some(0.0),
        Side::First if at(1.0) < 0.0 => None,
        Side::First => Some(if balance >= 0.0 { crossing(left) } else { crossing(right) }.clamp(0.0, 1.0)),
        Side::Last if at(1.0) <= 0.0 => Some(1.0),
        Side::Last if at(0.0) > 0.0 => None,
        Side::Last => Some(if balance <= 0.0 { crossing(right) } else { crossing(left) }.clamp(0.0, 1.0)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share accepts 53 bits")]
fn number(units: i128) -> f64 {
    units as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(from: Option<f64>, to: Option<f64>, count: i64) -> Class {
        Class { from, to, count: Interval::known(count) }
    }

    fn ages(counts: [i64; 4]) -> Vec<Class> {
        let limits = [(Some(0.0), Some(18.0)), (Some(18.0), Some(60.0)), (Some(60.0), Some(75.0)), (Some(75.0), None)];
        limits.into_iter().zip(counts).map(|((from, to), count)| class(from, to, count)).collect()
    }

    #[test]
    fn medians_found_by_hand() {
        // 20 counted: the tenth is the last of ten between 18 and 60, of which 4 come before.
        assert_eq!(grouped_median(&ages([4, 10, 6, 0])), Reading::Value(18.0 + 42.0 * 6.0 / 10.0));
        // Half below 18, half from 60: the middle of what lies between.
        assert_eq!(grouped_median(&ages([5, 0, 5, 0])), Reading::Value(39.0));
        assert_eq!(grouped_median(&ages([0, 7, 0, 0])), Reading::Value(39.0));
        assert_eq!(grouped_median(&ages([5, 5, 0, 0])), Reading::Value(18.0));
        // More than half are in a class without end.
        assert_eq!(grouped_median(&ages([1, 1, 1, 9])), Reading::Interval { low: 75.0, high: None });
        assert_eq!(grouped_median(&ages([0; 4])), Reading::Silence(Silence::ZeroDenominator));
    }

    fn intervals() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
        prop::collection::vec((0_i64..12, 0_i64..6, 0_i64..6), 3..6)
    }

    proptest! {
        #[test]
        fn hidden_counts_never_lose_the_true_median_and_known_ones_have_one(counts in intervals()) {
            let limits = |at: usize| (Some(10.0 * f64::from(u32::try_from(at).expect("few"))), Some(10.0 * f64::from(u32::try_from(at + 1).expect("few"))));
            let truth: Vec<Class> = counts.iter().enumerate().map(|(at, (count, ..))| class(limits(at).0, limits(at).1, *count)).collect();
            let seen: Vec<Class> = truth.iter().zip(&counts).map(|(class, (count, less, more))| {
                let (low, high) = ((count - less).max(0), count + more);
                Class { count: Interval::between(low.into(), Some(high.into())).expect("low first"), ..*class }
            }).collect();
            let median = grouped_median(&truth);
            match median {
                Reading::Value(value) => {
                    // By the definition: as many below as above, where those of a class are spread evenly.
                    let below: f64 = truth.iter().map(|class| {
                        let (from, to) = (class.from.expect("closed"), class.to.expect("closed"));
                        number(class.count.lo()) * ((value - from) / (to - from)).clamp(0.0, 1.0)
                    }).sum();
                    let all: f64 = truth.iter().map(|class| number(class.count.lo())).sum();
                    prop_assert!((below - all / 2.0).abs() < 1e-9, "{below} of {all} below {value}");
                    let Some((low, Some(high))) = grouped_median(&seen).bounds() else {
                        return Err(TestCaseError::fail("closed classes"));
                    };
                    prop_assert!(low - 1e-9 <= value && value <= high + 1e-9, "{value} is not between {low} and {high}");
                    // The bounds are reached: by as many as possible below them, and above.
                    if counts.iter().all(|(_, less, more)| less + more == 0) {
                        prop_assert!((high - low).abs() < 1e-9 || truth.iter().any(|class| class.count.lo() == 0));
                    }
                }
                other => prop_assert_eq!(other, Reading::Silence(Silence::ZeroDenominator)),
            }
        }

        #[test]
        fn the_bounds_are_medians_of_some_counts(counts in prop::collection::vec((0_i64..5, 0_i64..4), 3..5)) {
            let limit = |at: usize| 10.0 * f64::from(u32::try_from(at).expect("few"));
            let with = |pick: &[i64]| -> Vec<Class> {
                pick.iter().enumerate().map(|(at, count)| class(Some(limit(at)), Some(limit(at + 1)), *count)).collect()
            };
            let seen: Vec<Class> = with(&vec![0; counts.len()]).into_iter().zip(&counts).map(|(class, (low, more))| {
                Class { count: Interval::between((*low).into(), Some((low + more).into())).expect("low first"), ..class }
            }).collect();
            let mut all: Vec<Vec<i64>> = vec![Vec::new()];
            for (low, more) in &counts {
                all = all.iter().flat_map(|pick| (*low..=low + more).map(|count| [pick.as_slice(), &[count]].concat())).collect();
            }
            let medians: Vec<f64> = all.iter().filter_map(|pick| match grouped_median(&with(pick)) {
                Reading::Value(value) => Some(value),
                _ => None,
            }).collect();
            let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = medians.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if let Some((low, Some(high))) = grouped_median(&seen).bounds() {
                prop_assert!(low <= lowest + 1e-9 && highest <= high + 1e-9, "{low}–{high} does not hold {lowest}–{highest}");
            } else {
                prop_assert!(medians.is_empty());
            }
        }
    }
}
