//! Values worked out by hand, printed in papers, or computed with thirty digits: what holds without any file.

use super::super::*;
use super::assert_close;
use crate::special::{beta_quantile, chi_squared_tail, gamma_quantile, upper_normal, upper_student};

const P95: Confidence = Confidence::P95;

fn assert_estimate(found: Estimate, value: f64, lower: f64, upper: f64, tolerance: f64) {
    assert_close(found.value, value, tolerance, "value");
    assert_close(found.limits.lower, lower, tolerance, "lower");
    assert_close(found.limits.upper, upper, tolerance, "upper");
}

fn of(numerator: f64, denominator: f64) -> Counted {
    Counted::new(numerator, denominator)
}

#[test]
fn quantiles_hold_from_the_smallest_to_the_largest_shapes() {
    for (shape, p, expected) in [
        (0.001, 0.975, 5.679_251_996_823_423e-12),
        (0.01, 0.025, 3.522_685_997_313_745_8e-161),
        (0.01, 0.975, 0.047_137_958_431_590_337),
        (0.5, 0.025, 0.000_491_034_558_587_628),
        (1.0, 0.001, 0.001_000_500_333_583_533_5),
        (5.0, 0.025, 1.623_486_390_118_420_6),
        (6.0, 0.975, 11.668_332_079_322_668),
        (1_000.5, 0.025, 939.457_524_144_168_8),
    ] {
        assert_close(gamma_quantile(shape, p), expected, 1e-9, &format!("gamma {shape} at {p}"));
    }
    // Wilson & Hilferty's approximation, whose error falls with the shape.
    let (shape, z) = (7_776_456.0_f64, upper_normal(0.025));
    let cube = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
    assert_close(gamma_quantile(shape, 0.975), shape * cube.powi(3), 1e-9, "a large gamma");
    for (a, b, p, expected) in [
        (0.5, 0.5, 0.025, 0.001_541_333_133_436_012),
        (2.0, 3.0, 0.025, 0.067_585_986_488_542_96),
        (20.5, 80.5, 0.975, 0.286_279_572_827_317_4),
        (0.02, 5.0, 0.975, 0.041_740_585_159_990_094),
        (1_500.25, 98_500.5, 0.025, 0.014_258_189_460_842_923),
    ] {
        assert_close(beta_quantile(a, b, p), expected, 1e-9, &format!("beta {a}, {b} at {p}"));
        assert_close(1.0 - beta_quantile(b, a, 1.0 - p), expected, 1e-9, &format!("beta {b}, {a} at 1 − {p}"));
    }
    for (freedom, tail, expected) in [
        (1.0, 0.025, 12.706_204_736_174_705),
        (7.0, 0.001, 4.785_289_628_638_334),
        (25.0, 0.025, 2.059_538_552_753_297_7),
        (5_000.0, 0.025, 1.960_438_551_706_508),
    ] {
        assert_close(upper_student(freedom, tail), expected, 1e-9, &format!("Student {freedom} at {tail}"));
    }
    assert_close(upper_normal(0.025), 1.959_963_984_540_054_2, 1e-12, "normal at 95 %");
    assert_close(upper_normal(0.001), 3.090_232_306_167_813_5, 1e-12, "normal at 99.8 %");
    assert_close(chi_squared_tail(3.841_458_820_694_124), 0.05, 1e-9, "chi-squared");
}

#[test]
fn a_level_lies_strictly_between_a_half_and_one() {
    assert_eq!(Confidence::new(0.95), Ok(P95));
    for level in [0.5, 1.0, 0.0, 95.0, f64::NAN] {
        assert_eq!(Confidence::new(level), Err(Undefined::NoConfidence), "{level}");
    }
    assert_close(Confidence::P998.tail(), 0.001, 1e-12, "tail");
}

#[test]
fn limits_as_published() {
    let wilson = |x, n, level| proportion(of(x, n), level).expect("a proportion");
    assert_estimate(wilson(65.0, 100.0, P95), 0.65, 0.552_544_432_968_88, 0.736_357_517_569_02, 1e-9);
    assert_estimate(wilson(5.0, 100.0, P95).per(100.0), 5.0, 2.154_367_915_437, 11.175_046_923_19, 1e-9);
    assert_estimate(wilson(1.0, 100.0, Confidence::P998), 0.01, 0.000_873_065_697_3, 0.104_554_452_837_06, 1e-9);
    // Wilson's limits with nobody, and with everybody: z² / (n + z²).
    assert_estimate(wilson(0.0, 10.0, P95), 0.0, 0.0, 0.277_532_799_862_889, 1e-9);
    assert_estimate(wilson(10.0, 10.0, P95), 1.0, 0.722_467_200_137_111, 1.0, 1e-9);
    // Garwood's table: nothing counted is compatible with up to 3.689.
    let exact = exact_poisson(0.0, P95).expect("a count");
    assert_eq!(exact.lower.to_bits(), 0.0_f64.to_bits());
    assert_close(exact.upper, -(0.025_f64.ln()), 1e-9, "−ln 0.025");
    let per_hundred = rate(of(20.0, 100.0), P95).expect("a rate").per(100.0);
    assert_estimate(per_hundred, 20.0, 12.211_428_834_876, 30.889_880_369_197, 1e-9);
    assert_eq!(byar(1.0, Confidence::P998).expect("a count").lower.to_bits(), 0.0_f64.to_bits());
    assert_eq!(count_limits(9.0, P95), exact_poisson(9.0, P95));
    assert_eq!(count_limits(10.0, P95), byar(10.0, P95));
}

#[test]
fn what_is_not_defined_says_why() {
    assert_eq!(proportion(of(0.0, 0.0), P95), Err(Undefined::EmptyDenominator));
    assert_eq!(proportion(of(2.0, 1.0), P95), Err(Undefined::NumeratorAboveDenominator));
    assert_eq!(proportion(of(-1.0, 1.0), P95), Err(Undefined::NegativeCount));
    assert_eq!(proportion(of(f64::NAN, 1.0), P95), Err(Undefined::NotFinite));
    assert_eq!(proportion(of(1.0, f64::INFINITY), P95), Err(Undefined::NotFinite));
    assert_eq!(rate(of(1.0, 0.0), P95), Err(Undefined::EmptyDenominator));
    assert!(rate(of(2.0, 1.0), P95).is_ok(), "events are not people");
    assert_eq!(byar(f64::NAN, P95), Err(Undefined::NotFinite));
    assert_eq!(exact_poisson(-0.5, P95), Err(Undefined::NegativeCount));
    assert_eq!(mean(&[1.0], P95), Err(Undefined::TooFew { found: 1, needed: 2 }));
    assert_eq!(mean(&[1.0, f64::INFINITY], P95), Err(Undefined::NotFinite));
    assert_eq!(
        directly_standardised(&[of(20.0, 10.0)], &[1.0, 1.0], P95),
        Err(Undefined::LengthMismatch { expected: 1, found: 2 })
    );
    assert_eq!(directly_standardised(&[of(20.0, 0.0)], &[1.0], P95), Err(Undefined::EmptyDenominator));
    assert_eq!(directly_standardised(&[of(9.9, 10.0)], &[1.0], P95), Err(Undefined::TooFewEvents { needed: 10 }));
    assert_eq!(proportion_control(1.1, 10.0), Err(Undefined::NotAShare));
    assert_eq!(ratio_control(0.0), Err(Undefined::EmptyDenominator));
    assert_eq!(baseline(&[]), Err(Undefined::EmptyDenominator));
    assert_eq!(proportion_prior(&[of(1.0, 2.0), of(0.0, 0.0)]), Err(Undefined::TooFew { found: 1, needed: 2 }));
    assert_eq!(rate_prior(&[]), Err(Undefined::TooFew { found: 0, needed: 2 }));
    assert_eq!(rate_prior(&[of(1.0, -2.0), of(0.0, 1.0)]), Err(Undefined::NegativeCount));
    assert_eq!(gini(&[(0.0, 1.0)]), Err(Undefined::EmptyDenominator));
    assert_eq!(gini(&[(-1.0, 1.0), (3.0, 1.0)]), Err(Undefined::NegativeCount));
    assert_eq!(theil::<u8>(&[]), Err(Undefined::EmptyDenominator));
    let flat = [(1.0, of(1.0, 2.0)), (1.0, of(1.0, 3.0))];
    assert_eq!(trend_in_proportions(&flat), Err(Undefined::NoSpread));
    assert_eq!(trend_in_proportions(&[(1.0, of(0.0, 2.0)), (2.0, of(0.0, 3.0))]), Err(Undefined::NoSpread));
    let points = [(1.0, 2.0), (2.0, 0.0), (3.0, 1.0)];
    assert_eq!(project(&points, 4.0, Course::LogLinear, P95), Err(Undefined::NotPositive));
    assert_eq!(project(&points[..2], 4.0, Course::Linear, P95), Err(Undefined::TooFew { found: 2, needed: 3 }));
    assert_eq!(Undefined::TooFew { found: 1, needed: 2 }.to_string(), "1 observations where the method needs 2");
}

#[test]
fn a_mean_by_hand() {
    let found = mean(&[1.0, 2.0, 3.0, 4.0, 5.0], P95).expect("a mean");
    assert_eq!(found.count, 5);
    // t(4) = 2.776445 times √(2.5 / 5).
    let reach = 2.776_445_105_197_79 * 0.5_f64.sqrt();
    assert_estimate(found.estimate, 3.0, 3.0 - reach, 3.0 + reach, 1e-9);
    assert_close(found.deviation, 2.5_f64.sqrt(), 1e-12, "deviation");
}

#[test]
fn standardised_rates_by_hand() {
    assert_close(EUROPEAN_STANDARD_POPULATION_2013.iter().sum(), 100_000.0, 1e-12, "the standard population");
    // One group: the crude rate with Byar's limits. Two of the same rate: that rate, whatever the weights.
    let one = directly_standardised(&[of(20.0, 100.0)], &[7.0], P95).expect("a rate");
    let crude = rate(of(20.0, 100.0), P95).expect("a rate");
    assert_estimate(one, 0.2, crude.limits.lower, crude.limits.upper, 1e-12);
    let two = directly_standardised(&[of(20.0, 100.0), of(10.0, 50.0)], &[1.0, 3.0], P95).expect("a rate");
    assert_close(two.value, 0.2, 1e-12, "two of the same rate");
    // 3/4 × 0.1 + 1/4 × 0.5.
    let weighted = directly_standardised(&[of(10.0, 100.0), of(25.0, 50.0)], &[3.0, 1.0], P95).expect("a rate");
    assert_close(weighted.value, 0.2, 1e-12, "weighted");

    let reference = [of(10.0, 1_000.0), of(90.0, 1_000.0)];
    let populations = [200.0, 100.0];
    // 200 × 0.01 + 100 × 0.09.
    assert_close(expected_events(&populations, &reference).expect("expected"), 11.0, 1e-12, "expected");
    let ratio = indirectly_standardised_ratio(22.0, 11.0, P95).expect("a ratio");
    let count = byar(22.0, P95).expect("a count");
    assert_estimate(ratio, 2.0, count.lower / 11.0, count.upper / 11.0, 1e-12);
    let small = indirectly_standardised_ratio(5.0, 10.0, P95).expect("a ratio");
    assert_estimate(small, 0.5, 0.162_348_639_011_842, 1.166_833_207_932_267, 1e-9);
    let rate = indirectly_standardised_rate(22.0, &populations, &reference, P95).expect("a rate");
    assert_close(rate.value, 0.1, 1e-12, "twice the crude rate of 0.05");
}

#[test]
fn funnels_by_hand() {
    // Published: baseline 80.642448 %, one person, two sigma.
    let one = proportion_control(0.806_424_48, 1.0).expect("limits");
    assert_close(one.two.lower, 0.032_042_64, 1e-6, "published");
    assert_eq!((one.two.upper, one.three.lower, one.three.upper), (1.0, 0.0, 1.0));
    // A place just touches the baseline with its own limits when it lies on its control limits.
    let limits = proportion_control(0.3, 50.0).expect("limits");
    let upper = proportion(of(limits.two.upper * 50.0, 50.0), P95).expect("a proportion");
    assert_close(upper.limits.lower, 0.3, 1e-9, "on the upper limit");
    let lower = proportion(of(limits.three.lower * 50.0, 50.0), Confidence::P998).expect("a proportion");
    assert_close(lower.limits.upper, 0.3, 1e-9, "on the lower limit");
    for expected in [3.0, 40.0, 2_000.0] {
        let limits = ratio_control(expected).expect("limits");
        let upper = count_limits(limits.two.upper * expected, P95).expect("a count");
        assert_close(upper.lower, expected, 1e-9, "on the upper limit");
        let most = count_limits(limits.three.upper * expected, Confidence::P998).expect("a count");
        assert_close(most.lower, expected, 1e-9, "on the uppermost limit");
        if expected > 3.7 {
            let lower = count_limits(limits.two.lower * expected, P95).expect("a count");
            assert_close(lower.upper, expected, 1e-9, "on the lower limit");
        } else {
            assert_eq!(limits.two.lower.to_bits(), 0.0_f64.to_bits(), "not even nothing is too few of {expected}");
        }
    }
    // 0.05 × 800 expected events, in units of the rate.
    let (of_rate, of_ratio) = (rate_control(0.05, 800.0).expect("limits"), ratio_control(40.0).expect("limits"));
    assert_eq!(of_rate, of_ratio.per(0.05));
    assert_eq!(ratio_significance(0.0, 3.6), Ok(Significance::NotSignificant));
    assert_eq!(ratio_significance(0.0, 3.7), Ok(Significance::Low(Sigma::Two)));
    assert_eq!(ratio_significance(0.0, 7.0), Ok(Significance::Low(Sigma::Three)));
    assert_eq!(ratio_significance(65.0, 50.0), Ok(Significance::High(Sigma::Two)));
    assert_eq!(ratio_significance(65.0, 40.0), Ok(Significance::High(Sigma::Three)));
    let places = [of(10.0, 100.0), of(40.0, 100.0), of(25.0, 100.0)];
    let expected = vec![Significance::Low(Sigma::Three), Significance::High(Sigma::Two), Significance::NotSignificant];
    assert_eq!(rate_significances(&places), Ok(expected));
}

#[test]
fn shrinkage_by_hand() {
    // Σ n(p − ½)² = 0.8, pq(k − 1) = 0.25, pq Σ (n − 1)(1 − n/N) = 2.25: γ = 0.55 / 2.25 = 11/45.
    let places = [of(3.0, 10.0), of(7.0, 10.0)];
    let prior = proportion_prior(&places).expect("a prior");
    let Between::Beyond { variance, half } = prior.between() else { panic!("they differ") };
    assert_close(half, 34.0 / 11.0, 1e-12, "size of equal weight");
    assert_close(variance, 11.0 / 180.0, 1e-12, "variance between");
    let shrunk = prior.shrunk(places[0], P95).expect("shrunk");
    assert_close(shrunk.estimate.value, 25.0 / 72.0, 1e-12, "shrunk");
    assert_close(shrunk.weight, 110.0 / 144.0, 1e-12, "weight");
    let (a, b) = (17.0 / 11.0 + 3.0, 17.0 / 11.0 + 7.0);
    assert_close(shrunk.estimate.limits.lower, beta_quantile(a, b, 0.025), 1e-12, "lower");
    assert_close(shrunk.estimate.limits.upper, beta_quantile(a, b, 0.975), 1e-12, "upper");

    // s² = 0.01, m/n̄ = 0.2/100: A = 0.008; a place of 25 weighs as much as all.
    let places = [of(10.0, 100.0), of(30.0, 100.0)];
    let prior = rate_prior(&places).expect("a prior");
    let Between::Beyond { variance, half } = prior.between() else { panic!("they differ") };
    assert_close(variance, 0.008, 1e-12, "variance between");
    assert_close(half, 25.0, 1e-12, "size of equal weight");
    let shrunk = prior.shrunk(places[0], P95).expect("shrunk");
    assert_close(shrunk.estimate.value, 0.12, 1e-12, "(5 + 10) / 125");
    assert_close(shrunk.weight, 0.8, 1e-12, "weight");
    assert_close(shrunk.estimate.limits.lower, gamma_quantile(15.0, 0.025) / 125.0, 1e-12, "lower");
    let empty = prior.shrunk(of(0.0, 0.0), P95).expect("an empty place");
    assert_close(empty.estimate.value, 0.2, 1e-12, "nothing known");
    assert_eq!(prior.shrunk(of(1.0, 0.0), P95), Err(Undefined::EmptyDenominator));
}

#[test]
fn places_that_differ_by_chance_alone_all_have_the_overall_value() {
    let places = [of(10.0, 100.0), of(11.0, 100.0)];
    let whole = of(21.0, 200.0);
    let prior = proportion_prior(&places).expect("a prior");
    assert_eq!(prior.between(), Between::Chance);
    let shrunk = prior.shrunk(places[0], P95).expect("shrunk");
    assert_eq!(Ok(shrunk.estimate), proportion(whole, P95));
    assert_eq!(shrunk.weight.to_bits(), 0.0_f64.to_bits());
    let prior = rate_prior(&places).expect("a prior");
    assert_eq!(prior.between(), Between::Chance);
    assert_eq!(Ok(prior.shrunk(places[1], P95).expect("shrunk").estimate), rate(whole, P95));
    // Nobody anywhere, everybody everywhere, one person each: nothing to tell places apart by.
    for places in [[of(0.0, 5.0); 2], [of(5.0, 5.0); 2], [of(1.0, 1.0), of(0.0, 1.0)]] {
        assert_eq!(proportion_prior(&places).expect("a prior").between(), Between::Chance, "{places:?}");
    }
    // As far apart as can be: a place of one person still weighs no more than all together.
    let extremes = proportion_prior(&[of(0.0, 50.0), of(50.0, 50.0)]).expect("a prior");
    assert!(matches!(extremes.between(), Between::Beyond { half, .. } if (half - 1.0).abs() < 1e-12));
}

fn known_bands(values: &[f64], count: std::num::NonZeroUsize) -> Vec<Option<usize>> {
    let readings: Vec<Reading> = values.iter().map(|value| Reading::Value(*value)).collect();
    bands(&readings, count).expect("bands").into_iter().map(|bands| bands.and_then(Bands::band)).collect()
}

#[test]
fn bands_by_hand() {
    let ten: Vec<f64> = (1..=10).map(f64::from).collect();
    let expected: Vec<Option<usize>> = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5].into_iter().map(Some).collect();
    assert_eq!(known_bands(&ten, QUINTILES), expected);
    assert_eq!(known_bands(&ten, DECILES), (1..=10).map(Some).collect::<Vec<_>>());
    // Half of all places at zero: the middle of their ranks is the third of ten.
    let ties = [0.0, 0.0, -0.0, 0.0, 0.0, 6.0, 7.0, 8.0, 9.0, 10.0];
    assert_eq!(known_bands(&ties, QUINTILES)[..6], [Some(2), Some(2), Some(2), Some(2), Some(2), Some(3)]);
    assert_eq!(known_bands(&[4.0; 7], QUINTILES), vec![Some(3); 7]);

    let readings = [
        Reading::Value(1.0),
        Reading::Value(2.0),
        Reading::Interval { low: 2.5, high: Some(4.5) },
        Reading::Value(4.0),
        Reading::Interval { low: 5.0, high: None },
        Reading::Silence(Silence::NotReceived),
    ];
    let found = bands(&readings, QUINTILES).expect("bands");
    let range = |lowest, highest| Some(Bands { lowest, highest });
    assert_eq!(found, vec![range(1, 1), range(2, 2), range(3, 4), range(3, 4), range(5, 5), None]);
    // Itself counts among those up to it: the second of three is above the middle of two bands, hidden or not.
    let readings = [Reading::Value(1.0), Reading::Interval { low: 1.5, high: Some(2.5) }, Reading::Value(3.0)];
    let halves = std::num::NonZeroUsize::MIN.saturating_add(1);
    let found = bands(&readings, halves).expect("bands");
    assert_eq!(found, vec![range(1, 1), range(2, 2), range(2, 2)]);
    assert_eq!(bands(&readings, QUINTILES), Err(Undefined::TooFew { found: 3, needed: 5 }));
    assert_eq!(bands(&[Reading::Value(f64::NAN)], QUINTILES), Err(Undefined::NotFinite));
}

#[test]
fn inequality_by_hand() {
    // Middles 0.125 to 0.875; slope 7.5 / 0.3125; residual 20 / 2; error √(10 / 0.3125).
    let place = |rank, value| Ranked { rank, value, population: 50.0 };
    let places = [place(4.0, 30.0), place(1.0, 10.0), place(2.0, 20.0), place(3.0, 20.0)];
    let found = slope_index(&places, P95).expect("an index");
    let reach = 1.959_963_984_540_054 * 32.0_f64.sqrt();
    assert_estimate(found.slope, 24.0, 24.0 - reach, 24.0 + reach, 1e-9);
    let relative = found.relative.expect("a mean above zero");
    assert_estimate(relative, 1.2, (24.0 - reach) / 20.0, (24.0 + reach) / 20.0, 1e-9);
    // One rank shared by two is one position at the middle of both.
    let tied = [place(1.0, 10.0), place(2.0, 15.0), place(2.0, 25.0), place(3.0, 30.0)];
    assert_close(slope_index(&tied, P95).expect("an index").slope.value, 7.5 / 0.281_25, 1e-9, "tied");
    assert_eq!(slope_index(&[place(1.0, 2.0); 3], P95), Err(Undefined::NoSpread));

    let member = |group, value| Member { group, value, weight: 2.0 };
    let theil_of = |members: &[Member<&str>]| theil(members).expect("an index");
    let both = 0.5 * (0.5 * 0.5_f64.ln() + 1.5 * 1.5_f64.ln());
    let apart = theil_of(&[member("a", 1.0), member("b", 3.0)]);
    assert_close(apart.total, both, 1e-12, "total");
    assert_close(apart.between, both, 1e-12, "all between");
    assert_close(apart.within, 0.0, 1e-12, "nothing within");
    let alike = theil_of(&[member("a", 1.0), member("a", 3.0), member("b", 1.0), member("b", 3.0)]);
    assert_close(alike.within, both, 1e-12, "all within");
    assert_close(alike.between, 0.0, 1e-12, "nothing between");
    // One has everything of four: ln 4.
    let all = theil_of(&[member("a", 0.0), member("a", 0.0), member("b", 0.0), member("b", 5.0)]);
    assert_close(all.total, 4.0_f64.ln(), 1e-12, "one has everything");

    assert_close(gini(&[(3.0, 1.0), (1.0, 1.0)]).expect("a coefficient"), 0.25, 1e-12, "1 and 3");
    assert_close(gini(&[(0.0, 3.0), (8.0, 1.0)]).expect("a coefficient"), 0.75, 1e-12, "one of four");
    assert_close(gini(&[(2.0, 3.0), (2.0, 1.0)]).expect("a coefficient"), 0.0, 1e-12, "all the same");
}

#[test]
fn trends_by_hand() {
    // p = 0.2, slope 0.1 a year, S = 200: χ² = 0.01 × 200 / 0.16.
    let points = [(2018.0, of(10.0, 100.0)), (2019.0, of(20.0, 100.0)), (2020.0, of(30.0, 100.0))];
    let found = trend_in_proportions(&points).expect("a trend");
    assert_close(found.slope, 0.1, 1e-12, "slope");
    assert_close(found.chi_squared, 12.5, 1e-9, "chi-squared");
    assert_close(found.probability, 0.000_406_952_017_444_959, 1e-9, "erfc 2.5");

    // Newcombe 1998, table II, method 10: 56/70 − 48/80 and 9/10 − 3/10.
    let rounded = |estimate: Estimate| [estimate.value, estimate.limits.lower, estimate.limits.upper];
    for (before, after, printed) in
        [(of(48.0, 80.0), of(56.0, 70.0), [0.2, 0.0524, 0.3339]), (of(3.0, 10.0), of(9.0, 10.0), [0.6, 0.1705, 0.8090])]
    {
        let found = rounded(proportion_change(before, after, P95).expect("a change"));
        for (found, printed) in found.into_iter().zip(printed) {
            assert!((found - printed).abs() <= 0.51e-4, "{found} instead of {printed}");
        }
    }
    let none = of(0.0, 100.0);
    let change = rate_change(none, of(20.0, 100.0), P95).expect("a change");
    let (before, after) = (rate(none, P95).expect("a rate"), rate(of(20.0, 100.0), P95).expect("a rate"));
    let down = (0.2 - after.limits.lower).hypot(before.limits.upper);
    assert_estimate(change, 0.2, 0.2 - down, after.limits.upper, 1e-12);
}

#[test]
fn projections_by_hand() {
    // Slope 3/2 through (1, 7/3), residual 1/6, two years from the mean: error √(1/6 × (1 + 1/3 + 4/2)).
    let points = [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0)];
    let found = project(&points, 3.0, Course::Linear, P95).expect("a projection");
    let reach = 12.706_204_736_174_7 * (5.0_f64 / 9.0).sqrt();
    assert_estimate(found, 16.0 / 3.0, 16.0 / 3.0 - reach, 16.0 / 3.0 + reach, 1e-9);
    let doubling = project(&points, 4.0, Course::LogLinear, P95).expect("a projection");
    assert_estimate(doubling, 16.0, 16.0, 16.0, 1e-9);
}

#[test]
fn cohorts_by_hand() {
    // Four groups, the last open; those of the third have the children.
    let (before, after) = ([100.0, 80.0, 60.0, 40.0], [45.0, 90.0, 88.0, 50.0]);
    let step = cohort_step(&before, &after, 2..3).expect("a step");
    for (found, expected) in step.onward.iter().zip([0.9, 1.1, 0.5]) {
        assert_close(*found, expected, 1e-12, "onward");
    }
    assert_eq!(step.onward.len(), 3);
    assert_close(step.children, 45.0 / 88.0, 1e-12, "children");
    let again = aged(&before, std::slice::from_ref(&step), 2..3, 1).expect("aged");
    for (found, expected) in again.iter().zip(after) {
        assert_close(found.value, expected, 1e-12, "the ratios give back the census they came from");
        assert_eq!(found.limits, None, "one step has no spread");
    }
    let twice = aged(&before, std::slice::from_ref(&step), 2..3, 2).expect("aged");
    // 0.9 × 45; 1.1 × 90; 0.5 × (88 + 50).
    for (found, expected) in twice[1..].iter().zip([40.5, 99.0, 69.0]) {
        assert_close(found.value, expected, 1e-12, "two steps");
    }
    assert_close(twice[0].value, 99.0 * 45.0 / 88.0, 1e-12, "children of two steps");

    let scaled = |factor: f64| CohortStep {
        onward: step.onward.iter().map(|ratio| ratio * factor).collect(),
        children: step.children,
    };
    let history = [step.clone(), scaled(0.9), scaled(1.1)];
    let found = aged(&before, &history, 2..3, 1).expect("aged");
    assert_close(found[1].value, 90.0, 1e-12, "mean of three");
    let limits = found[1].limits.expect("three steps have a spread");
    assert_close(limits.lower, 81.0, 1e-12, "lowest");
    assert_close(limits.upper, 99.0, 1e-12, "highest");
    assert_eq!(aged(&before, &history[..2], 2..3, 1).expect("aged")[1].limits, None);

    assert_eq!(steps_between(2021, 2036, 5), Ok(3));
    assert_eq!(steps_between(2021, 2021, 5), Ok(0));
    for (target, width) in [(2037, 5), (2016, 5), (2030, 0)] {
        assert_eq!(steps_between(2021, target, width), Err(Undefined::BetweenSteps), "{target} by {width}");
    }
    assert_eq!(cohort_step(&before, &after[..3], 2..3), Err(Undefined::LengthMismatch { expected: 4, found: 3 }));
    assert_eq!(cohort_step(&[0.0, 80.0, 60.0, 40.0], &after, 2..3), Err(Undefined::EmptyDenominator));
    assert_eq!(cohort_step(&before, &after, 2..9), Err(Undefined::LengthMismatch { expected: 4, found: 9 }));
    assert_eq!(aged(&before, &[], 2..3, 1), Err(Undefined::TooFew { found: 0, needed: 1 }));
    assert_eq!(aged(&[1.0, 2.0], &[step], 1..2, 1), Err(Undefined::TooFew { found: 2, needed: 3 }));
}

#[test]
fn limits_of_hidden_figures_by_hand() {
    let between = |lo, hi| Interval::between(lo, hi).expect("ordered bounds");
    let limits = |x, n| proportion(of(x, n), P95).expect("a proportion").limits;
    // 8 of {between 5 and 20}: at least 8.
    let found = proportion_within(Interval::known(8), between(5, Some(20)), P95);
    assert_eq!(found, Ok(Limits { lower: limits(8.0, 20.0).lower, upper: 1.0 }));
    // Nobody of {up to 5}: one at least, or there is no proportion.
    let found = proportion_within(Interval::ZERO, between(0, Some(5)), P95);
    assert_eq!(found, Ok(Limits { lower: 0.0, upper: limits(0.0, 1.0).upper }));
    let found = proportion_within(Interval::known(2), between(10, None), P95);
    assert_eq!(found, Ok(Limits { lower: 0.0, upper: limits(2.0, 10.0).upper }));
    let open = between(0, None);
    assert_eq!(proportion_within(open, open, P95), Ok(Limits { lower: 0.0, upper: 1.0 }));

    let count = |x| count_limits(x, P95).expect("a count");
    let found = rate_within(between(1, Some(9)), between(0, Some(4)), P95);
    assert_eq!(found, Ok(Limits { lower: count(1.0).lower / 4.0, upper: count(9.0).upper }));
    let found = rate_within(Interval::known(3), between(2, None), P95);
    assert_eq!(found, Ok(Limits { lower: 0.0, upper: count(3.0).upper / 2.0 }));
    // Far out, Byar's lower limit at ten is below the exact one at nine.
    let extreme = Confidence::new(1.0 - 1e-10).expect("a level");
    let ten = byar(10.0, extreme).expect("a count").lower;
    assert!(ten < exact_poisson(9.0, extreme).expect("a count").lower);
    let found = rate_within(between(9, Some(12)), Interval::known(1), extreme).expect("limits");
    assert_close(found.lower, ten, 1e-12, "the lowest is inside");

    assert_eq!(rate_within(open, Interval::known(5), P95), Err(Undefined::Unbounded));
    for within in [proportion_within, rate_within] {
        assert_eq!(within(Interval::ZERO, Interval::ZERO, P95), Err(Undefined::EmptyDenominator));
        assert_eq!(within(between(-1, Some(3)), Interval::known(5), P95), Err(Undefined::NegativeCount));
    }
    let found = proportion_within(Interval::known(9), Interval::known(5), P95);
    assert_eq!(found, Err(Undefined::NumeratorAboveDenominator));
}
