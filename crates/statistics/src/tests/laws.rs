//! What holds for all inputs.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::super::*;
use super::hidden;

const LEVELS: [Confidence; 2] = [Confidence::P95, Confidence::P998];

/// Room for rounding.
const EPSILON: f64 = 1e-9;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= EPSILON * a.abs().max(b.abs()).max(1e-3)
}

fn between(value: f64, a: f64, b: f64) -> bool {
    let room = EPSILON * a.abs().max(b.abs()).max(1e-12);
    a.min(b) - room <= value && value <= a.max(b) + room
}

/// A share of a whole, of any size, not necessarily whole.
fn share() -> impl Strategy<Value = Counted> {
    (prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0], size()).prop_map(|(share, size)| Counted::new(share * size, size))
}

fn size() -> impl Strategy<Value = f64> {
    prop_oneof![1.0..20.0, 1.0..2_000.0, 1.0..1e7]
}

fn shares() -> impl Strategy<Value = Vec<Counted>> {
    prop::collection::vec(share(), 2..12)
}

/// A true whole number, and an interval that contains it.
fn whole(max: i64) -> impl Strategy<Value = (i64, Interval)> {
    (0..=max)
        .prop_flat_map(|truth| (0..=truth, truth..=truth + 30).prop_map(move |(low, high)| (truth, hidden(low, high))))
}

#[expect(clippy::cast_precision_loss, reason = "test values are small")]
fn real(whole: i64) -> f64 {
    whole as f64
}

/// A reading, and a value that it allows.
fn reading() -> impl Strategy<Value = (f64, Reading)> {
    // Few values, so that many are equal.
    (0_i32..20).prop_map(f64::from).prop_flat_map(|truth| {
        let interval = (0..4_i32, 0..4_i32).prop_map(move |(below, above)| {
            Reading::from_bounds(truth - f64::from(below), Some(truth + f64::from(above)))
        });
        let open = Reading::Interval { low: truth - 1.0, high: None };
        (Just(truth), prop_oneof![3 => Just(Reading::Value(truth)), 2 => interval, 1 => Just(open)])
    })
}

/// A list, and the same in another order.
fn shuffled<T: Clone + std::fmt::Debug>(
    list: impl Strategy<Value = Vec<T>>,
) -> impl Strategy<Value = (Vec<T>, Vec<usize>)> {
    list.prop_flat_map(|list| {
        let order: Vec<usize> = (0..list.len()).collect();
        (Just(list), Just(order).prop_shuffle())
    })
}

fn members() -> impl Strategy<Value = Vec<Member<u8>>> {
    let member = (0..4_u8, prop_oneof![Just(0.0), 0.1..1e5], 0.5..1e4);
    prop::collection::vec(member.prop_map(|(group, value, weight)| Member { group, value, weight }), 1..20)
        .prop_filter("somebody has something", |members| members.iter().any(|member| member.value > 0.0))
}

proptest! {
    #[test]
    fn limits_contain_the_value_and_a_higher_level_is_wider(counted in share(), events in 0.0..1e6_f64) {
        let [narrow, wide] = LEVELS.map(|level| proportion(counted, level).expect("a proportion"));
        prop_assert!(narrow.limits.contain(narrow.value));
        prop_assert!(wide.limits.lower <= narrow.limits.lower && narrow.limits.upper <= wide.limits.upper);
        prop_assert!(0.0 <= wide.limits.lower && wide.limits.upper <= 1.0);
        for limits in [byar, exact_poisson, count_limits] {
            for count in [events, events / 1e5] {
                let [narrow, wide] = LEVELS.map(|level| limits(count, level).expect("a count"));
                prop_assert!(narrow.contain(count));
                prop_assert!(0.0 <= wide.lower && wide.lower <= narrow.lower && narrow.upper <= wide.upper);
            }
        }
        let events = Counted::new(events, counted.denominator);
        let rate = rate(events, LEVELS[0]).expect("a rate");
        prop_assert!(rate.limits.contain(rate.value));
    }

    #[test]
    fn byar_is_close_to_exact_from_ten_on(count in 10.0..5_000.0_f64) {
        for level in LEVELS {
            let (byar, exact) = (byar(count, level).expect("a count"), exact_poisson(count, level).expect("a count"));
            prop_assert!((byar.lower - exact.lower).abs() < 0.1 && (byar.upper - exact.upper).abs() < 0.1);
        }
    }

    #[test]
    fn means_contain_themselves_and_ignore_order((values, order) in shuffled(prop::collection::vec(-1e4..1e4_f64, 2..30))) {
        let found = mean(&values, LEVELS[0]).expect("a mean").estimate;
        prop_assert!(found.limits.contain(found.value));
        let values: Vec<f64> = order.into_iter().map(|at| values[at]).collect();
        let again = mean(&values, LEVELS[0]).expect("a mean").estimate;
        prop_assert!((found.limits.upper - again.limits.upper).abs() < 1e-6);
    }

    #[test]
    fn a_directly_standardised_rate_lies_among_its_groups(strata in prop::collection::vec((10.0..1e3_f64, 1.0..1e5_f64, 0.1..1e4_f64), 1..20)) {
        let counted: Vec<Counted> = strata.iter().map(|(x, n, _)| Counted::new(*x, *n)).collect();
        let weights: Vec<f64> = strata.iter().map(|(_, _, weight)| *weight).collect();
        let found = directly_standardised(&counted, &weights, LEVELS[0]).expect("a rate");
        prop_assert!(found.limits.contain(found.value));
        let rates = counted.iter().map(|stratum| stratum.numerator / stratum.denominator);
        let (least, most) = rates.fold((f64::INFINITY, 0.0_f64), |(a, b), rate| (a.min(rate), b.max(rate)));
        prop_assert!(between(found.value, least, most));
        let doubled: Vec<f64> = weights.iter().map(|weight| weight * 2.0).collect();
        prop_assert!(near(directly_standardised(&counted, &doubled, LEVELS[0]).expect("a rate").limits.lower, found.limits.lower));
    }

    #[test]
    fn a_place_like_the_reference_has_a_ratio_of_one(reference in prop::collection::vec((1.0..1e3_f64, 1.0..1e5_f64), 1..20)) {
        let reference: Vec<Counted> = reference.into_iter().map(|(x, n)| Counted::new(x, n)).collect();
        let populations: Vec<f64> = reference.iter().map(|group| group.denominator).collect();
        let events: f64 = reference.iter().map(|group| group.numerator).sum();
        let expected = expected_events(&populations, &reference).expect("expected");
        prop_assert!(near(indirectly_standardised_ratio(events, expected, LEVELS[0]).expect("a ratio").value, 1.0));
        let rate = indirectly_standardised_rate(events, &populations, &reference, LEVELS[0]).expect("a rate");
        prop_assert!(near(rate.value, events / populations.iter().sum::<f64>()));
    }

    #[test]
    fn funnels_narrow_as_places_grow(theta in 0.0..=1.0_f64, n in 1.0..1e6_f64, factor in 1.1..20.0_f64) {
        let inside = |inner: Limits, outer: Limits| outer.lower <= inner.lower && inner.upper <= outer.upper;
        let (small, large) = (proportion_control(theta, n).expect("limits"), proportion_control(theta, n * factor).expect("limits"));
        prop_assert!(inside(large.two, small.two) && inside(large.three, small.three) && inside(small.two, small.three));
        prop_assert!(small.two.contain(theta));
        let expected = n / 100.0;
        let (small, large) = (ratio_control(expected).expect("limits"), ratio_control(expected * factor).expect("limits"));
        prop_assert!(inside(large.two, small.two) && inside(large.three, small.three) && inside(small.two, small.three));
        prop_assert!(small.two.contain(1.0));
    }

    #[test]
    fn control_limits_and_significance_agree(expected in 0.1..500.0_f64, observed in 0..1_000_i32) {
        let observed = f64::from(observed);
        let limits = ratio_control(expected).expect("limits");
        let value = observed / expected;
        let close = [limits.two.lower, limits.two.upper, limits.three.lower, limits.three.upper]
            .into_iter()
            .any(|limit| (limit - value).abs() < EPSILON * value.max(1.0));
        if !close {
            prop_assert_eq!(ratio_significance(observed, expected), Ok(limits.significance(value)));
        }
    }

    #[test]
    fn relabelling_places_changes_nothing((places, order) in shuffled(shares())) {
        let moved: Vec<Counted> = order.iter().map(|at| places[*at]).collect();
        let (significances, again) = (proportion_significances(&places), proportion_significances(&moved));
        let back: Result<Vec<Significance>, _> = significances.map(|found| order.iter().map(|at| found[*at]).collect());
        prop_assert_eq!(back, again);
        let rates = rate_significances(&places);
        if let Ok(rates) = rates {
            let back: Vec<Significance> = order.iter().map(|at| rates[*at]).collect();
            prop_assert_eq!(Ok(back), rate_significances(&moved));
        }
        for prior in [proportion_prior, rate_prior] {
            let (one, other) = (prior(&places).expect("a prior"), prior(&moved).expect("a prior"));
            prop_assert!(near(one.overall(), other.overall()));
            match (one.between(), other.between()) {
                (Between::Beyond { half: one, .. }, Between::Beyond { half: other, .. }) => {
                    prop_assert!((one - other).abs() <= 1e-6 * one);
                }
                (one, other) => prop_assert_eq!(one, other),
            }
        }
        let ranked = |places: &[Counted]| -> Vec<Ranked> {
            places.iter().map(|place| Ranked { rank: place.denominator, value: place.numerator, population: 7.0 }).collect()
        };
        if let (Ok(one), Ok(other)) = (slope_index(&ranked(&places), LEVELS[0]), slope_index(&ranked(&moved), LEVELS[0])) {
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_shrunk_value_lies_between_its_own_and_that_of_all(places in shares()) {
        for (prior, own) in [
            (proportion_prior(&places).expect("a prior"), true),
            (rate_prior(&places).expect("a prior"), false),
        ] {
            for place in &places {
                let shrunk = prior.shrunk(*place, LEVELS[0]).expect("shrunk");
                let value = place.numerator / place.denominator;
                prop_assert!(between(shrunk.estimate.value, value, prior.overall()), "{place:?} {shrunk:?}");
                prop_assert!((0.0..=1.0).contains(&shrunk.weight));
                let Limits { lower, upper } = shrunk.estimate.limits;
                prop_assert!(0.0 <= lower && lower <= upper && (!own || upper <= 1.0));
                let wide = prior.shrunk(*place, LEVELS[1]).expect("shrunk").estimate.limits;
                prop_assert!(wide.lower <= lower + EPSILON && upper <= wide.upper + EPSILON);
                // Distributions of several people's weight are not too skewed for their mean.
                if place.numerator > 1.0 && place.denominator - place.numerator > 1.0 {
                    prop_assert!(shrunk.estimate.limits.contain(shrunk.estimate.value), "{place:?} {shrunk:?}");
                }
            }
        }
    }

    #[test]
    fn larger_places_keep_more_of_their_own(places in shares(), factor in 1.5..50.0_f64) {
        let prior = rate_prior(&places).expect("a prior");
        let larger = Counted::new(places[0].numerator * factor, places[0].denominator * factor);
        let [small, large] = [places[0], larger].map(|place| prior.shrunk(place, LEVELS[0]).expect("shrunk"));
        match prior.between() {
            Between::Beyond { .. } => prop_assert!(small.weight < large.weight),
            Between::Chance => prop_assert_eq!(small, large),
        }
    }

    #[test]
    fn limits_of_hidden_figures_contain_those_of_the_truth((n, numerator) in whole(60), (rest, _) in whole(60), slack in 0..30_i64) {
        let d = n + rest;
        let denominator = hidden((d - slack).max(0), d + slack);
        for level in LEVELS {
            if d > 0 {
                let widest = proportion_within(numerator, denominator, level).expect("limits");
                let truth = proportion(Counted::new(real(n), real(d)), level).expect("a proportion").limits;
                prop_assert!(widest.lower <= truth.lower && truth.upper <= widest.upper, "{widest:?} without {n}/{d}");
                let widest = rate_within(numerator, denominator, level).expect("limits");
                let truth = rate(Counted::new(real(n), real(d)), level).expect("a rate").limits;
                prop_assert!(widest.lower <= truth.lower && truth.upper <= widest.upper, "{widest:?} without {n}/{d}");
            }
        }
    }

    #[test]
    fn limits_of_hidden_figures_are_no_wider_than_needed((n, numerator) in whole(25), (rest, _) in whole(10), slack in 0..6_i64) {
        let denominator = hidden((n + rest - slack).max(1), (n + rest + slack).max(1));
        let (lo, hi) = (numerator.lo(), numerator.hi().expect("a limit"));
        let all = (lo..=hi).flat_map(|n| (denominator.lo()..=denominator.hi().expect("a limit")).map(move |d| (n, d)));
        let whole = |at: i128| real(i64::try_from(at).expect("small"));
        let possible: Vec<Limits> = all
            .filter(|(n, d)| n <= d)
            .map(|(n, d)| proportion(Counted::new(whole(n), whole(d)), LEVELS[0]).expect("a proportion").limits)
            .collect();
        let widest = proportion_within(numerator, denominator, LEVELS[0]).expect("limits");
        let lower = possible.iter().map(|limits| limits.lower).fold(f64::INFINITY, f64::min);
        let upper = possible.iter().map(|limits| limits.upper).fold(0.0, f64::max);
        prop_assert_eq!(Limits { lower, upper }, widest);
    }

    #[test]
    fn equal_values_share_a_band_and_higher_ones_are_not_below(values in prop::collection::vec(0..15_i32, 5..40), count in 1..5_usize) {
        let readings: Vec<Reading> = values.iter().map(|value| Reading::Value((*value).into())).collect();
        let found = bands(&readings, NonZeroUsize::new(count).expect("one or more")).expect("bands");
        let found: Vec<usize> = found.into_iter().map(|bands| bands.and_then(Bands::band).expect("known")).collect();
        for (a, band_a) in values.iter().zip(&found) {
            prop_assert!((1..=count).contains(band_a));
            for (b, band_b) in values.iter().zip(&found) {
                prop_assert!(a != b || band_a == band_b);
                prop_assert!(a >= b || band_a <= band_b);
            }
        }
    }

    #[test]
    fn bands_of_different_values_are_of_equal_number(n in 5..200_usize, count in 1..6_usize) {
        let readings: Vec<Reading> = (0..n).map(|value| Reading::Value(real(i64::try_from(value).expect("small")))).collect();
        let mut sizes = vec![0_usize; count];
        for bands in bands(&readings, NonZeroUsize::new(count).expect("one or more")).expect("bands").into_iter().flatten() {
            sizes[bands.lowest - 1] += 1;
        }
        prop_assert!(sizes.iter().all(|size| size.abs_diff(n / count) <= 1), "{sizes:?}");
    }

    #[test]
    fn bands_of_hidden_values_contain_the_true_one(places in prop::collection::vec(reading(), 5..25)) {
        let truths: Vec<Reading> = places.iter().map(|(truth, _)| Reading::Value(*truth)).collect();
        let known: Vec<Reading> = places.iter().map(|(_, reading)| *reading).collect();
        let (truths, found) = (bands(&truths, QUINTILES).expect("bands"), bands(&known, QUINTILES).expect("bands"));
        for (truth, found) in truths.into_iter().zip(found) {
            let (truth, found) = (truth.and_then(Bands::band).expect("known"), found.expect("a number"));
            prop_assert!(found.contain(truth), "{truth} not in {found:?}");
            prop_assert!(1 <= found.lowest && found.highest <= 5);
        }
    }

    #[test]
    fn theil_between_and_within_make_the_total((members, order) in shuffled(members())) {
        let found = theil(&members).expect("an index");
        prop_assert!(near(found.between + found.within, found.total), "{found:?}");
        prop_assert!(found.between >= -EPSILON && found.within >= -EPSILON);
        let moved: Vec<Member<u8>> = order.into_iter().map(|at| members[at]).collect();
        prop_assert_eq!(theil(&moved), Ok(found));
        let richer: Vec<Member<u8>> = members.iter().map(|member| Member { value: member.value * 3.0, ..*member }).collect();
        prop_assert!(near(theil(&richer).expect("an index").total, found.total), "units do not matter");
    }

    #[test]
    fn gini_lies_from_zero_to_below_one((members, order) in shuffled(members())) {
        let values: Vec<(f64, f64)> = members.iter().map(|member| (member.value, member.weight)).collect();
        let found = gini(&values).expect("a coefficient");
        prop_assert!((0.0..1.0).contains(&found), "{found}");
        let moved: Vec<(f64, f64)> = order.into_iter().map(|at| values[at]).collect();
        prop_assert_eq!(gini(&moved), Ok(found));
        // Ten people with a value are ten people, one by one.
        let split: Vec<(f64, f64)> = values.iter().flat_map(|(value, weight)| [(*value, weight / 2.0); 2]).collect();
        prop_assert!(near(gini(&split).expect("a coefficient"), found));
    }

    #[test]
    fn a_value_that_follows_the_ranking_has_its_slope(populations in prop::collection::vec(1.0..1e4_f64, 3..15), slope in -50.0..50.0_f64) {
        let total: f64 = populations.iter().sum();
        let mut below = 0.0;
        let mut places = Vec::new();
        for population in populations {
            let middle = (below + population / 2.0) / total;
            places.push(Ranked { rank: below, value: 100.0 + slope * middle, population });
            below += population;
        }
        let found = slope_index(&places, LEVELS[0]).expect("an index").slope;
        prop_assert!((found.value - slope).abs() < 1e-6 && found.limits.contain(found.value), "{found:?}");
        for place in &mut places {
            place.rank = -place.rank;
        }
        prop_assert!((slope_index(&places, LEVELS[0]).expect("an index").slope.value + slope).abs() < 1e-6);
    }

    #[test]
    fn a_change_contains_itself_and_turns_with_time(before in share(), after in share()) {
        for change in [proportion_change, rate_change] {
            let there = change(before, after, LEVELS[0]).expect("a change");
            let back = change(after, before, LEVELS[0]).expect("a change");
            prop_assert!(there.limits.contain(there.value));
            prop_assert!(near(there.limits.lower, -back.limits.upper) && near(there.limits.upper, -back.limits.lower));
        }
        let change = proportion_change(before, after, LEVELS[1]).expect("a change");
        prop_assert!(-1.0 - EPSILON <= change.limits.lower && change.limits.upper <= 1.0 + EPSILON);
    }

    #[test]
    fn a_trend_test_does_not_depend_on_where_time_starts(points in prop::collection::vec((1.0..100.0_f64, 0.05..0.95_f64), 2..10), start in -2_000.0..2_000.0_f64) {
        let at = |start: f64| -> Vec<(f64, Counted)> {
            points.iter().zip(0_u8..).map(|((n, p), year)| (start + f64::from(year), Counted::new(n * p, *n))).collect()
        };
        let (here, there) = (trend_in_proportions(&at(0.0)).expect("a trend"), trend_in_proportions(&at(start)).expect("a trend"));
        prop_assert!((here.chi_squared - there.chi_squared).abs() <= 1e-6 * here.chi_squared.max(1e-3));
        prop_assert!((0.0..=1.0).contains(&here.probability));
    }

    #[test]
    fn a_projection_is_surest_in_the_middle(values in prop::collection::vec(1.0..100.0_f64, 3..12), away in 0.0..20.0_f64) {
        let points: Vec<(f64, f64)> = values.iter().zip(0_u8..).map(|(value, year)| (year.into(), *value)).collect();
        let middle = points.iter().map(|(year, _)| year).sum::<f64>() / real(i64::try_from(points.len()).expect("small"));
        for course in [Course::Linear, Course::LogLinear] {
            let at = |target| project(&points, target, course, LEVELS[0]);
            let (Ok(here), Ok(there)) = (at(middle), at(middle + away)) else { continue };
            prop_assert!(here.limits.contain(here.value) && there.limits.contain(there.value));
            if course == Course::Linear {
                let width = |estimate: Estimate| estimate.limits.upper - estimate.limits.lower;
                prop_assert!(width(here) <= width(there) + EPSILON);
            }
        }
    }

    #[test]
    fn ageing_scales_with_the_population_and_stays_within_its_limits(
        population in prop::collection::vec(0.0..1e4_f64, 5),
        ratios in prop::collection::vec((prop::collection::vec(0.0..1.5_f64, 4), 0.0..1.5_f64), 1..6),
        steps in 0..5_u32,
    ) {
        let history: Vec<CohortStep> =
            ratios.into_iter().map(|(onward, children)| CohortStep { onward, children }).collect();
        let found = aged(&population, &history, 2..4, steps).expect("aged");
        let doubled: Vec<f64> = population.iter().map(|people| people * 2.0).collect();
        let twice = aged(&doubled, &history, 2..4, steps).expect("aged");
        for (one, two) in found.iter().zip(&twice) {
            prop_assert!(near(2.0 * one.value, two.value));
            prop_assert_eq!(one.limits.is_some(), history.len() > 2);
            if let Some(limits) = one.limits {
                prop_assert!(between(one.value, limits.lower, limits.upper), "{one:?}");
            }
        }
    }
}
