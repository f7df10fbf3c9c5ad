//! Intervals contain the truth, whatever is hidden.

mod departement;
mod known;
mod laws;
mod overview;
mod published;
mod structure;
mod structure_laws;

use model::{Decimals, Units};
use proptest::prelude::*;

use super::*;

/// Relative, unless zero is expected.
fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = if expected.abs() > 0.0 { expected.abs() } else { 1.0 };
    assert!((found - expected).abs() <= tolerance * scale, "{what}: {found} instead of {expected}");
}

const PERCENT: Ratio = Ratio { per: 100, share: true };

fn hidden(lo: Units, hi: Units) -> Interval {
    Interval::between(lo.into(), Some(hi.into())).expect("ordered bounds")
}

fn count(interval: Interval) -> Amount {
    Amount { interval, decimals: Decimals::NONE }
}

fn thousandths() -> Decimals {
    Decimals::new(3).expect("three places")
}

#[test]
fn a_hidden_figure_is_neither_zero_nor_left_out() {
    let sum: Interval = [Interval::known(12), hidden(1, 9), Interval::known(30)].into_iter().sum();
    assert_eq!(sum, hidden(43, 51));
    assert!(!sum.contains(42));
    assert_eq!(sum.value(), None);
}

#[test]
fn one_figure_without_upper_limit_takes_the_limit_from_the_sum() {
    let open = Interval::between(1, None).expect("no upper limit");
    let sum: Interval = [Interval::known(12), open].into_iter().sum();
    assert_eq!((sum.lo(), sum.hi()), (13, None));
    assert_eq!(Interval::between(3, Some(2)), None);
}

#[test]
fn a_share_knows_that_its_numerator_is_part_of_its_denominator() {
    // 8 of {between 5 and 20}: the denominator is at least 8.
    let share = PERCENT.of(count(Interval::known(8)), count(hidden(5, 20)));
    assert_eq!(share, Reading::Interval { low: 40.0, high: Some(100.0) });
    // {between 1 and 9} of 5: the numerator is at most 5.
    let share = PERCENT.of(count(hidden(1, 9)), count(Interval::known(5)));
    assert_eq!(share, Reading::Interval { low: 20.0, high: Some(100.0) });
    // Nothing known of the denominator: still at most everybody.
    let open = Interval::between(0, None).expect("no upper limit");
    let share = PERCENT.of(count(Interval::known(0)), count(open));
    assert_eq!(share, Reading::Interval { low: 0.0, high: Some(100.0) });
    let plain = Ratio { per: 1, share: false }.of(count(Interval::known(8)), count(open));
    assert_eq!(plain, Reading::Interval { low: 0.0, high: None });
}

#[test]
fn a_ratio_over_zero_is_a_silence_and_a_zero_ratio_is_a_value() {
    let zero = count(Interval::ZERO);
    assert_eq!(PERCENT.of(zero, zero), Reading::Silence(Silence::ZeroDenominator));
    assert_eq!(PERCENT.of(zero, count(Interval::known(7))), Reading::Value(0.0));
    assert_eq!(group_ratio(PERCENT, &[]), Reading::Silence(Silence::NotReceived));
}

#[test]
fn a_group_is_the_sum_over_the_sum_and_not_the_mean_of_ratios() {
    let pairs = [
        (count(Interval::known(1)), count(Interval::known(10))),
        (count(Interval::known(90)), count(Interval::known(100))),
    ];
    let Reading::Value(group) = group_ratio(PERCENT, &pairs) else { panic!("all terms are known") };
    assert!((group - 100.0 * 91.0 / 110.0).abs() < 1e-12);
}

#[test]
fn units_of_different_places_meet_at_the_finest() {
    // 2.5 € per household: 5 000 thousandths over 2 households.
    let euros = Amount { interval: Interval::known(5_000), decimals: thousandths() };
    let mean = Ratio { per: 1, share: false }.of(euros, count(Interval::known(2)));
    assert_eq!(mean, Reading::Value(2.5));
    assert_eq!(
        Amount { interval: hidden(1_500, 2_000), decimals: thousandths() }.reading(),
        Reading::Interval { low: 1.5, high: Some(2.0) }
    );
}

#[test]
fn a_difference_says_nothing_where_nothing_is_known() {
    let value = Reading::Value(5.0);
    assert_eq!(value.minus(Reading::Silence(Silence::Withdrawn)), None);
    assert_eq!(value.minus(Reading::Interval { low: 1.0, high: None }), None);
    assert_eq!(
        Reading::Interval { low: 1.0, high: None }.minus(value),
        Some(Reading::Interval { low: -4.0, high: None })
    );
    assert_eq!(value.minus(value), Some(Reading::Value(0.0)));
}

/// A true value, and what is known of it: itself, or an interval around it, or a lower limit.
fn figure(max: Units) -> impl Strategy<Value = (Units, Interval)> {
    (0..=max).prop_flat_map(move |truth| (Just(truth), known_of(truth)))
}

fn known_of(truth: Units) -> impl Strategy<Value = Interval> {
    prop_oneof![
        Just(Interval::known(truth)),
        (0..=truth, 0..50_i64).prop_map(move |(lo, above)| hidden(lo, truth + above)),
        (0..=truth).prop_map(|lo| Interval::between(lo.into(), None).expect("no upper limit")),
    ]
}

/// N ≤ D with what is known of each.
fn pair() -> impl Strategy<Value = ((Units, Units), (Amount, Amount))> {
    (0..200_i64)
        .prop_flat_map(|d| (Just(d), 0..=d))
        .prop_flat_map(|(d, n)| (Just((n, d)), known_of(n), known_of(d)))
        .prop_map(|(truth, n, d)| (truth, (count(n), count(d))))
}

#[expect(clippy::cast_precision_loss, reason = "test values are small")]
fn percent(n: Units, d: Units) -> f64 {
    n as f64 / d as f64 * 100.0
}

proptest! {
    #[test]
    fn sums_contain_the_truth(figures in prop::collection::vec(figure(1_000_000), 0..12)) {
        let truth: Units = figures.iter().map(|(truth, _)| truth).sum();
        let sum: Interval = figures.iter().map(|(_, known)| *known).sum();
        prop_assert!(sum.contains(truth.into()));
        if figures.iter().all(|(_, known)| known.value().is_some()) {
            prop_assert_eq!(sum.value(), Some(truth.into()));
        }
    }

    #[test]
    fn ratios_contain_the_truth(((n, d), (numerator, denominator)) in pair(), share: bool) {
        let reading = Ratio { per: 100, share }.of(numerator, denominator);
        if d > 0 {
            prop_assert!(reading.contains(percent(n, d)), "{reading:?} without {n}/{d}");
        }
    }

    #[test]
    fn group_ratios_and_differences_contain_the_truth(pairs in prop::collection::vec(pair(), 1..8)) {
        let n: Units = pairs.iter().map(|((n, _), _)| n).sum();
        let d: Units = pairs.iter().map(|((_, d), _)| d).sum();
        let known: Vec<_> = pairs.iter().map(|(_, known)| *known).collect();
        let group = group_ratio(PERCENT, &known);
        if d > 0 {
            prop_assert!(group.contains(percent(n, d)), "{group:?} without {n}/{d}");
            let ((n0, d0), own) = pairs[0];
            let own = PERCENT.of(own.0, own.1);
            if let (true, Some(difference)) = (d0 > 0, own.minus(group)) {
                prop_assert!(difference.contains(percent(n0, d0) - percent(n, d)));
            }
        }
    }
}
