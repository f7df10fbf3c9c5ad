//! What holds for all places in many indicators.

use proptest::prelude::*;

use super::super::*;

/// Room for rounding.
const EPSILON: f64 = 1e-9;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= EPSILON * a.abs().max(b.abs()).max(1.0)
}

fn profiles(values: &[Vec<f64>]) -> Vec<Profile<usize>> {
    let of = |(label, row): (usize, &Vec<f64>)| Profile {
        label,
        indicators: row.iter().map(|value| Reading::Value(*value)).collect(),
    };
    values.iter().enumerate().map(of).collect()
}

/// Values by place: any, or few different ones, so that many are tied.
fn values(places: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Vec<f64>>> {
    let places = places.into();
    (1..5_usize, any::<bool>()).prop_flat_map(move |(indicators, few)| {
        let value = if few { (0..4_i32).prop_map(f64::from).boxed() } else { (-1e3..1e3_f64).boxed() };
        prop::collection::vec(prop::collection::vec(value, indicators), places.clone())
    })
}

/// Profiles, some with gaps, and new names and another order for them.
fn renamed() -> impl Strategy<Value = (Vec<Profile<usize>>, Vec<usize>, Vec<usize>)> {
    values(3..20).prop_flat_map(|values| {
        let gaps = prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.05), 5), values.len());
        let order: Vec<usize> = (0..values.len()).collect();
        (Just(values), gaps, Just(order.clone()).prop_shuffle(), Just(order).prop_shuffle()).prop_map(
            |(values, gaps, names, order)| {
                let mut places = profiles(&values);
                for (place, gaps) in places.iter_mut().zip(gaps) {
                    for (reading, _) in place.indicators.iter_mut().zip(gaps).filter(|(_, gap)| *gap) {
                        *reading = Reading::Silence(Silence::NotReceived);
                    }
                }
                (places, names, order)
            },
        )
    })
}

/// The same places in another order.
fn moved(places: &[Profile<usize>], order: &[usize]) -> Vec<Profile<usize>> {
    order.iter().map(|at| places[*at].clone()).collect()
}

/// The same places under other names.
fn named(places: &[Profile<usize>], names: &[usize]) -> Vec<Profile<usize>> {
    places.iter().map(|place| Profile { label: names[place.label], ..place.clone() }).collect()
}

proptest! {
    #[test]
    fn order_changes_nothing((places, _, order) in renamed()) {
        let other = moved(&places, &order);
        let weights = vec![1.0; places[0].indicators.len()];
        prop_assert_eq!(look_alikes(&places, &0, &weights, 4), look_alikes(&other, &0, &weights, 4));
        let (one, other) = (standardise(&places), standardise(&other));
        prop_assert_eq!(&one, &other);
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert_eq!(principal_components(&one), principal_components(&other));
            prop_assert_eq!(typology(&one, 6, None), typology(&other, 6, None));
        }
    }

    #[test]
    fn names_change_nothing((places, names, order) in renamed()) {
        let other = moved(&named(&places, &names), &order);
        let weights = vec![2.0; places[0].indicators.len()];
        if let Ok(one) = look_alikes(&places, &0, &weights, 4) {
            let other = look_alikes(&other, &names[0], &weights, 4).expect("look-alikes");
            let set = |found: &LookAlikes<usize>, name: &dyn Fn(usize) -> usize| {
                let mut set: Vec<(u64, usize)> = found.nearest.iter().map(|of| (of.distance.to_bits(), name(of.label))).collect();
                set.sort_unstable();
                set
            };
            prop_assert_eq!(set(&one, &|label| names[label]), set(&other, &|label| label));
        }
        let (Ok(one), Ok(other)) = (standardise(&places), standardise(&other)) else { return Ok(()) };
        // To the last digit: rows stand in order of value, whatever they are called.
        prop_assert_eq!(one.scores(), other.scores());
        prop_assert_eq!(principal_components(&one), principal_components(&other));
        let kept = one.indicators().to_vec();
        if let (Ok(one), Ok(other)) = (typology(&one, 6, None), typology(&other, 6, None)) {
            prop_assert_eq!(one.divisions, other.divisions);
            // Places with the same values in all that is compared may change places.
            let what = |label: usize, names: &dyn Fn(usize) -> usize| {
                let kept = kept.iter().map(|(at, _)| &places[names(label)].indicators[*at]);
                format!("{:?}", kept.collect::<Vec<_>>())
            };
            let back = |label: usize| names.iter().position(|name| *name == label).expect("a name");
            for (one, other) in one.groups.iter().zip(&other.groups) {
                prop_assert_eq!(&one.traits, &other.traits);
                prop_assert_eq!(what(one.paragon, &|label| label), what(other.paragon, &back));
                let all = |group: &Group<usize>, names: &dyn Fn(usize) -> usize| {
                    let mut all: Vec<String> = group.members.iter().map(|label| what(*label, names)).collect();
                    all.sort();
                    all
                };
                prop_assert_eq!(all(one, &|label| label), all(other, &back));
            }
        }
    }

    #[test]
    fn distances_are_the_same_both_ways_and_obey_the_triangle(values in values(3..12)) {
        let places = profiles(&values);
        let weights = [1.0, 0.5, 3.0, 2.0];
        let weights = &weights[..values[0].len()];
        let distance = |from: usize, to: usize| {
            let found = look_alikes(&places, &from, weights, places.len()).ok()?;
            found.nearest.into_iter().find(|place| place.label == to).map(|place| place.distance)
        };
        for a in 0..3 {
            for b in (0..3).filter(|b| *b != a) {
                prop_assert_eq!(distance(a, b).map(f64::to_bits), distance(b, a).map(f64::to_bits));
                let c = 3 - a - b;
                if let (Some(direct), Some(first), Some(second)) = (distance(a, b), distance(a, c), distance(c, b)) {
                    prop_assert!(direct <= first + second + EPSILON);
                }
            }
        }
    }

    #[test]
    fn contributions_sum_to_one_and_units_do_not_matter(values in values(5..12), factor in 0.001..1e4_f64, shift in -100.0..100.0_f64) {
        let scaled: Vec<Vec<f64>> = values.iter().map(|row| row.iter().map(|value| value * factor + shift).collect()).collect();
        let weights = vec![1.0; values[0].len()];
        let (one, other) = (look_alikes(&profiles(&values), &0, &weights, 99), look_alikes(&profiles(&scaled), &0, &weights, 99));
        let (Ok(one), Ok(other)) = (one, other) else { return Ok(()) };
        for place in &one.nearest {
            let shares: f64 = place.comparisons.iter().map(|of| of.share).sum();
            prop_assert!(near(shares, f64::from(u8::from(place.distance > 0.0))));
            let same = other.nearest.iter().find(|of| of.label == place.label).expect("the same places");
            prop_assert!((same.distance - place.distance).abs() < 1e-6);
            prop_assert_eq!(place.alike().len() + place.apart().len(), place.comparisons.len());
        }
        prop_assert!(one.nearest.is_sorted_by(|a, b| a.distance <= b.distance));
    }

    #[test]
    fn scores_have_mean_zero_and_deviation_one_and_variances_sum_to_the_indicators(values in values(3..25)) {
        let Ok(table) = standardise(&profiles(&values)) else { return Ok(()) };
        let n = f64::from(u32::try_from(table.places().len()).expect("few"));
        for column in 0..table.indicators().len() {
            let of = |power: i32| table.scores().iter().map(|row| row[column].powi(power)).sum::<f64>() / n;
            prop_assert!(near(of(1), 0.0) && near(of(2), 1.0));
        }
        let components = principal_components(&table).expect("components");
        let indicators = f64::from(u32::try_from(table.indicators().len()).expect("few"));
        prop_assert!(near(components.iter().map(|of| of.variance).sum(), indicators));
        prop_assert!(near(components.last().expect("one").cumulated, 1.0));
        prop_assert!(components.is_sorted_by(|a, b| a.variance >= b.variance));
        for (at, one) in components.iter().enumerate() {
            for (other_at, other) in components.iter().enumerate() {
                let product: f64 = one.loadings.iter().zip(&other.loadings).map(|(a, b)| a * b).sum();
                prop_assert!(near(product, f64::from(u8::from(at == other_at))));
                let product = one.scores.iter().zip(&other.scores).map(|(a, b)| a * b).sum::<f64>() / n;
                prop_assert!(near(product, one.variance * f64::from(u8::from(at == other_at))));
            }
            let largest = one.loadings.iter().copied().fold(0.0_f64, |a, b| if b.abs() > a.abs() + EPSILON { b } else { a });
            prop_assert!(largest > 0.0);
        }
    }

    #[test]
    fn trees_lose_all_inertia_step_by_step_and_never_fall(values in values(3..25)) {
        let Ok(table) = standardise(&profiles(&values)) else { return Ok(()) };
        let tree = ward(&table).expect("a tree");
        let heights: Vec<f64> = tree.merges().iter().map(|merge| merge.height).collect();
        prop_assert!(heights.is_sorted(), "{heights:?}");
        let cells: f64 = table.scores().iter().flatten().map(|_| 1.0).sum();
        prop_assert!(near(heights.iter().map(|height| height * height / 2.0).sum(), cells));
        let Ok(divisions) = tree.divisions(99) else { return Ok(()) };
        for division in &divisions {
            prop_assert!((-1.0 - EPSILON..=1.0 + EPSILON).contains(&division.silhouette));
            prop_assert!((0.0..=1.0 + EPSILON).contains(&division.between));
            // The share between groups again, from the groups themselves.
            let group_of = tree.cut(division.groups).expect("groups");
            let mut between = 0.0;
            for number in 0..division.groups {
                let rows: Vec<&Vec<f64>> = table.scores().iter().zip(&group_of).filter(|(_, of)| **of == number).map(|(row, _)| row).collect();
                prop_assert!(!rows.is_empty());
                let size = f64::from(u32::try_from(rows.len()).expect("few"));
                between += (0..table.indicators().len()).map(|at| rows.iter().map(|row| row[at]).sum::<f64>().powi(2) / size).sum::<f64>();
            }
            prop_assert!(near(between / cells, division.between), "{between} of {cells}: {division:?}");
        }
        prop_assert!(divisions.is_sorted_by(|a, b| a.between <= b.between + EPSILON));
    }

    #[test]
    fn groups_hold_every_place_once_the_largest_first_and_their_means_make_the_whole(values in values(3..20)) {
        let Ok(table) = standardise(&profiles(&values)) else { return Ok(()) };
        let Ok(found) = typology(&table, 6, None) else { return Ok(()) };
        let mut all: Vec<usize> = found.groups.iter().flat_map(|group| group.members.clone()).collect();
        all.sort_unstable();
        prop_assert!(all.into_iter().eq(0..values.len()));
        prop_assert!(found.groups.is_sorted_by(|a, b| a.members.len() >= b.members.len()));
        for at in 0..table.indicators().len() {
            let weighted = |of: fn(&Trait) -> f64| found.groups.iter().map(|group| of(&group.traits[at]) * f64::from(u32::try_from(group.members.len()).expect("few"))).sum::<f64>();
            prop_assert!(near(weighted(|of| of.score), 0.0));
            let n = f64::from(u32::try_from(values.len()).expect("few"));
            prop_assert!(near(weighted(|of| of.mean) / n, found.groups[0].traits[at].overall));
        }
        prop_assert!(found.groups.iter().all(|group| group.members.contains(&group.paragon)));
    }
}
