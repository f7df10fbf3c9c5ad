//! One indicator or two over all places, and need against answer: cases found by hand or elsewhere, and what always holds.

use proptest::prelude::*;

use super::super::*;
use super::structure::{ARRESTS, assert_all};
use super::{assert_close, count, figure, hidden};

const P95: Confidence = Confidence::P95;

/// Room for rounding.
const EPSILON: f64 = 1e-9;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= EPSILON * a.abs().max(b.abs()).max(1.0)
}

/// Expected: scipy's `pearsonr` with its interval, `spearmanr`, and the limits by their formula.
#[test]
fn correlations_as_computed_elsewhere() {
    let pairs = |x: usize, y: usize| ARRESTS.map(|(_, values)| (values[x], values[y]));
    let found = pearson(&pairs(0, 1), P95).expect("a correlation");
    assert_all(
        &[found.value, found.limits.lower, found.limits.upper],
        &[0.801_873_311_725, 0.673_951_246_453, 0.883_111_001_826],
        1e-9,
        "Pearson",
    );
    let found = spearman(&pairs(0, 2), P95).expect("a correlation");
    assert_all(
        &[found.value, found.limits.lower, found.limits.upper],
        &[0.106_716_341_835, -0.177_672_887_844, 0.374_654_902_008],
        1e-9,
        "Spearman",
    );
    let line = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0), (4.0, 8.0)];
    assert_eq!(pearson(&line, P95), Ok(Estimate { value: 1.0, limits: Limits { lower: 1.0, upper: 1.0 } }));
    assert_eq!(pearson(&line[..3], P95), Err(Undefined::TooFew { found: 3, needed: 4 }));
    assert_eq!(spearman(&line.map(|(x, _)| (x, 5.0)), P95), Err(Undefined::NoSpread));
    assert_eq!(spearman(&[(f64::NAN, 1.0); 4], P95), Err(Undefined::NotFinite));
}

#[test]
fn a_spine_and_a_place_on_it() {
    // numpy's `quantile`.
    let murder: Vec<Reading> = ARRESTS.iter().map(|(_, values)| Reading::Value(values[0])).collect();
    let found = spine(&murder).expect("a spine");
    let expected = [0.8, 4.075, 7.25, 11.25, 17.4];
    let readings = [found.minimum, found.lower_quartile, found.median, found.upper_quartile, found.maximum];
    for (reading, expected) in readings.into_iter().zip(expected) {
        let Reading::Value(value) = reading else { panic!("all are known") };
        assert_close(value, expected, 1e-12, "quantile");
    }
    // From 7.8 it is 9.6 to the maximum and 7 to the minimum: the scale goes from −1.8 to 17.4.
    let position = |value| found.position(Reading::Value(value), 7.8).expect("a position");
    assert_eq!((position(17.4), position(7.8)), (Reading::Value(1.0), Reading::Value(0.5)));
    let Reading::Value(lowest) = position(0.8) else { panic!("known") };
    assert_close(lowest, 2.6 / 19.2, 1e-12, "minimum");
    let gap = Reading::Silence(Silence::NotReceived);
    assert_eq!(found.position(gap, 7.8), Ok(gap));
    let flat = spine(&[Reading::Value(3.0); 4]).expect("a spine");
    assert_eq!(flat.position(Reading::Value(3.0), 3.0), Ok(Reading::Value(0.5)));
    assert_eq!(spine(&[gap]), Err(Undefined::TooFew { found: 0, needed: 1 }));
    let open = spine(&[Reading::Value(3.0), Reading::Interval { low: 1.0, high: None }]).expect("a spine");
    assert_eq!((open.hidden, open.minimum), (1, Reading::Interval { low: 1.0, high: Some(3.0) }));
    assert_eq!(open.maximum, Reading::Interval { low: 3.0, high: None });
    let anywhere = Reading::Interval { low: 0.0, high: Some(1.0) };
    assert_eq!(open.position(Reading::Interval { low: 1.0, high: None }, 2.0), Ok(anywhere));
}

#[test]
fn coverage_goes_through_hidden_figures_and_units() {
    let at = |helped, need, conversion| coverage(count(helped), count(need), conversion);
    let known = Interval::known;
    let found = at(known(30), known(120), Conversion::NONE);
    assert_eq!(found, Coverage { percent: Reading::Value(25.0), excess: Excess::None });
    let found = at(hidden(1, 9), hidden(20, 40), Conversion::NONE);
    assert_eq!(found, Coverage { percent: Reading::Interval { low: 2.5, high: Some(45.0) }, excess: Excess::None });
    // 30 households of 2 to 2.5 people each.
    let people = Conversion::between(2.0, 2.5).expect("a factor");
    let found = at(known(30), known(120), people);
    assert_eq!(found, Coverage { percent: Reading::Interval { low: 50.0, high: Some(62.5) }, excess: Excess::None });
    assert_eq!(at(known(50), known(120), people).excess, Excess::Possible);
    assert_eq!(at(known(80), known(120), people).excess, Excess::Certain);
    let found = at(known(150), known(120), Conversion::NONE);
    assert_eq!(found, Coverage { percent: Reading::Value(125.0), excess: Excess::Certain });
    assert_eq!(at(known(120), known(120), Conversion::NONE).excess, Excess::None);
    // Nobody in the situation.
    let nobody = Reading::Silence(Silence::ZeroDenominator);
    assert_eq!(at(known(0), known(0), people), Coverage { percent: nobody, excess: Excess::None });
    assert_eq!(at(known(3), known(0), people), Coverage { percent: nobody, excess: Excess::Certain });
    let found = at(known(3), hidden(0, 9), Conversion::NONE);
    assert_eq!(found.excess, Excess::Possible);
    assert!(matches!(found.percent, Reading::Interval { high: None, .. }));
    assert_eq!(Conversion::between(0.0, 1.0), Err(Undefined::EmptyDenominator));
    assert_eq!(Conversion::between(3.0, 2.0), Err(Undefined::LimitsReversed));
    assert_eq!(Conversion::between(1.0, f64::INFINITY), Err(Undefined::NotFinite));
}

proptest! {
    #[test]
    fn correlations_lie_in_their_limits_and_turn_with_the_sign(pairs in prop::collection::vec((-50..50_i32, -50..50_i32), 4..30)) {
        let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(x, y)| (x.into(), y.into())).collect();
        for of in [pearson, spearman] {
            let Ok(found) = of(&pairs, P95) else { continue };
            prop_assert!(found.limits.contain(found.value) && -1.0 <= found.limits.lower && found.limits.upper <= 1.0);
            let turned: Vec<(f64, f64)> = pairs.iter().rev().map(|(x, y)| (-x, *y)).collect();
            prop_assert!(near(of(&turned, P95).expect("a correlation").value, -found.value));
            let swapped: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (*y, 3.0 * x + 1.0)).collect();
            prop_assert!(near(of(&swapped, P95).expect("a correlation").value, found.value));
            let reversed: Vec<(f64, f64)> = pairs.iter().rev().copied().collect();
            prop_assert_eq!(of(&reversed, P95), Ok(found));
        }
        // Ranks do not care how a value rises.
        let curved: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (x.powi(3), *y)).collect();
        prop_assert_eq!(spearman(&curved, P95), spearman(&pairs, P95));
    }

    #[test]
    fn spines_and_positions_of_hidden_figures_contain_the_true_ones(
        places in prop::collection::vec((0..40_i32, 0..5_i32, 0..5_i32, prop::bool::weighted(0.1)), 1..20),
        benchmark in -5..50_i32,
    ) {
        let truths: Vec<f64> = places.iter().map(|(truth, ..)| (*truth).into()).collect();
        let readings: Vec<Reading> = places.iter().zip(&truths).map(|((_, below, above, open), truth)| {
            Reading::from_bounds(truth - f64::from(*below), (!open).then(|| truth + f64::from(*above)))
        }).collect();
        let known: Vec<Reading> = truths.iter().map(|truth| Reading::Value(*truth)).collect();
        let (truth, found) = (spine(&known).expect("a spine"), spine(&readings).expect("a spine"));
        let all = |of: Spine| [of.minimum, of.lower_quartile, of.median, of.upper_quartile, of.maximum];
        let value = |reading: Reading| match reading {
            Reading::Value(value) => value,
            other => panic!("{other:?} is not known"),
        };
        for (truth, found) in all(truth).into_iter().zip(all(found)) {
            let (low, high) = found.bounds().expect("a number");
            let truth = value(truth);
            prop_assert!(low <= truth + EPSILON && high.is_none_or(|high| truth <= high + EPSILON), "{found:?} without {truth}");
        }
        prop_assert!(all(truth).is_sorted_by(|a, b| value(*a) <= value(*b) + EPSILON));
        let benchmark = f64::from(benchmark);
        for (known, reading) in known.iter().zip(&readings) {
            let at = value(truth.position(*known, benchmark).expect("a position"));
            prop_assert!((0.0..=1.0).contains(&at));
            prop_assert_eq!(at < 0.5, value(*known) < benchmark);
            let (low, high) = found.position(*reading, benchmark).expect("a position").bounds().expect("a number");
            prop_assert!(low <= at + EPSILON && at <= high.expect("an end") + EPSILON, "{at} not in {low}..{high:?}");
        }
    }

    #[test]
    fn coverage_of_hidden_figures_contains_the_truth(
        (helped, helped_known) in figure(300),
        (need, need_known) in figure(300),
        low in 0.5..3.0_f64,
        part in 0.0..=1.0_f64,
        width in 0.0..1.0_f64,
    ) {
        let truth = low + part * width;
        let conversion = Conversion::between(low, low + width).expect("a factor");
        let found = coverage(count(helped_known), count(need_known), conversion);
        let real = |units: i64| f64::from(u32::try_from(units).expect("small"));
        let people = real(helped) * truth;
        if need > 0 {
            let (low, high) = found.percent.bounds().expect("a number");
            let percent = people / real(need) * 100.0;
            prop_assert!(low <= percent + EPSILON && high.is_none_or(|high| percent <= high + EPSILON), "{found:?} without {percent}");
        }
        match found.excess {
            Excess::None => prop_assert!(people <= real(need) + EPSILON),
            Excess::Certain => prop_assert!(people > real(need) - EPSILON),
            Excess::Possible => {}
        }
    }
}
