//! Places in many indicators: data that everybody has, and cases found by hand.

use super::super::*;
use super::assert_close;

const TOLERANCE: f64 = 1e-9;

/// R's `USArrests`: arrests per 100 000 inhabitants for murder, assault and rape in 1973, and percent urban population
/// (third).
pub(super) const ARRESTS: [(&str, [f64; 4]); 50] = [
    ("Alabama", [13.2, 236.0, 58.0, 21.2]),
    ("Alaska", [10.0, 263.0, 48.0, 44.5]),
    ("Arizona", [8.1, 294.0, 80.0, 31.0]),
    ("Arkansas", [8.8, 190.0, 50.0, 19.5]),
    ("California", [9.0, 276.0, 91.0, 40.6]),
    ("Colorado", [7.9, 204.0, 78.0, 38.7]),
    ("Connecticut", [3.3, 110.0, 77.0, 11.1]),
    ("Delaware", [5.9, 238.0, 72.0, 15.8]),
    ("Florida", [15.4, 335.0, 80.0, 31.9]),
    ("Georgia", [17.4, 211.0, 60.0, 25.8]),
    ("Hawaii", [5.3, 46.0, 83.0, 20.2]),
    ("Idaho", [2.6, 120.0, 54.0, 14.2]),
    ("Illinois", [10.4, 249.0, 83.0, 24.0]),
    ("Indiana", [7.2, 113.0, 65.0, 21.0]),
    ("Iowa", [2.2, 56.0, 57.0, 11.3]),
    ("Kansas", [6.0, 115.0, 66.0, 18.0]),
    ("Kentucky", [9.7, 109.0, 52.0, 16.3]),
    ("Louisiana", [15.4, 249.0, 66.0, 22.2]),
    ("Maine", [2.1, 83.0, 51.0, 7.8]),
    ("Maryland", [11.3, 300.0, 67.0, 27.8]),
    ("Massachusetts", [4.4, 149.0, 85.0, 16.3]),
    ("Michigan", [12.1, 255.0, 74.0, 35.1]),
    ("Minnesota", [2.7, 72.0, 66.0, 14.9]),
    ("Mississippi", [16.1, 259.0, 44.0, 17.1]),
    ("Missouri", [9.0, 178.0, 70.0, 28.2]),
    ("Montana", [6.0, 109.0, 53.0, 16.4]),
    ("Nebraska", [4.3, 102.0, 62.0, 16.5]),
    ("Nevada", [12.2, 252.0, 81.0, 46.0]),
    ("New Hampshire", [2.1, 57.0, 56.0, 9.5]),
    ("New Jersey", [7.4, 159.0, 89.0, 18.8]),
    ("New Mexico", [11.4, 285.0, 70.0, 32.1]),
    ("New York", [11.1, 254.0, 86.0, 26.1]),
    ("North Carolina", [13.0, 337.0, 45.0, 16.1]),
    ("North Dakota", [0.8, 45.0, 44.0, 7.3]),
    ("Ohio", [7.3, 120.0, 75.0, 21.4]),
    ("Oklahoma", [6.6, 151.0, 68.0, 20.0]),
    ("Oregon", [4.9, 159.0, 67.0, 29.3]),
    ("Pennsylvania", [6.3, 106.0, 72.0, 14.9]),
    ("Rhode Island", [3.4, 174.0, 87.0, 8.3]),
    ("South Carolina", [14.4, 279.0, 48.0, 22.5]),
    ("South Dakota", [3.8, 86.0, 45.0, 12.8]),
    ("Tennessee", [13.2, 188.0, 59.0, 26.9]),
    ("Texas", [12.7, 201.0, 80.0, 25.5]),
    ("Utah", [3.2, 120.0, 80.0, 22.9]),
    ("Vermont", [2.2, 48.0, 32.0, 11.2]),
    ("Virginia", [8.5, 156.0, 63.0, 20.7]),
    ("Washington", [4.0, 145.0, 73.0, 26.2]),
    ("West Virginia", [5.7, 81.0, 39.0, 9.3]),
    ("Wisconsin", [2.6, 53.0, 66.0, 10.8]),
    ("Wyoming", [6.8, 161.0, 60.0, 15.6]),
];

fn profile<L: Copy>(label: L, values: &[f64]) -> Profile<L> {
    Profile { label, indicators: values.iter().map(|value| Reading::Value(*value)).collect() }
}

fn arrests() -> Vec<Profile<&'static str>> {
    ARRESTS.iter().map(|(state, values)| profile(*state, values)).collect()
}

pub(super) fn assert_all(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected, tolerance, what);
    }
}

/// Printed for R's `prcomp(USArrests, scale = TRUE)` in G. James et al., *An Introduction to Statistical Learning*, § 10.4;
/// more digits by numpy's `eigh` of the correlations. Signs are ours.
#[test]
fn components_as_published() {
    let table = standardise(&arrests()).expect("a table");
    let components = principal_components(&table).expect("components");
    let deviations: Vec<f64> = components.iter().map(|component| component.variance.sqrt()).collect();
    assert_all(&deviations, &[1.5749, 0.9949, 0.5971, 0.4164], 2e-4, "published");
    assert_all(&deviations, &[1.574_878_27, 0.994_869_41, 0.597_129_12, 0.416_449_38], 1e-7, "deviations");
    assert_all(&components[0].loadings, &[0.5359, 0.5832, 0.2782, 0.5434], 2e-4, "published");
    for (component, loadings) in components.iter().zip([
        [0.535_899_474_938, 0.583_183_634_910, 0.278_190_874_619, 0.543_432_091_446],
        [-0.418_180_865_421, -0.187_985_604_232, 0.872_806_193_060, 0.167_318_635_402],
        [-0.341_232_727_953, -0.268_148_427_833, -0.378_015_793_087, 0.817_777_907_626],
        [-0.649_227_804_342, 0.743_407_479_937, -0.133_877_730_824, -0.089_024_322_704],
    ]) {
        assert_all(&component.loadings, &loadings, 1e-9, "loadings");
        assert_close(component.correlations[0], loadings[0] * component.variance.sqrt(), 1e-9, "correlation");
    }
    let shares: Vec<f64> = components.iter().map(|component| component.share).collect();
    assert_all(&shares, &[0.620_060_394_787, 0.247_441_288_135, 0.089_140_795_145, 0.043_357_521_932], 1e-9, "shares");
    assert_close(components[1].cumulated, shares[0] + shares[1], TOLERANCE, "cumulated");
    let florida = table.places().iter().position(|state| *state == "Florida").expect("Florida");
    let scores: Vec<f64> = components.iter().map(|component| component.scores[florida]).collect();
    assert_all(&scores, &[3.013_042_27, -0.039_228_51, -0.576_829_49, 0.096_284_75], 1e-7, "scores");
}

/// Expected: scipy's `linkage(…, 'ward')` and `fcluster`, scikit-learn's `silhouette_score` and
/// `calinski_harabasz_score`, of scores with the standard deviation of n.
#[test]
fn trees_and_their_divisions_as_computed_elsewhere() {
    let table = standardise(&arrests()).expect("a table");
    let tree = ward(&table).expect("a tree");
    let heights: Vec<f64> = tree.merges().iter().map(|merge| merge.height).collect();
    assert_all(&heights[..3], &[0.207_943_797_613, 0.353_774_368_131, 0.433_124_290_851], 1e-9, "lowest");
    let highest = [
        3.243_310_374_086,
        3.531_541_898_650,
        3.772_026_252_106,
        6.527_470_828_536,
        7.261_167_758_994,
        13.653_466_603_338,
    ];
    assert_all(&heights[43..], &highest, 1e-9, "highest");
    let divisions = tree.divisions(8).expect("divisions");
    for (division, (silhouette, ratio)) in divisions.iter().zip([
        (0.404_794_450_252, 41.894_858_252_576),
        (0.310_363_581_740, 34.936_527_297_732),
        (0.337_018_718_356, 36.533_996_062_280),
        (0.273_110_944_872, 32.009_981_858_598),
        (0.261_712_675_412, 29.648_747_345_796),
        (0.260_250_354_192, 28.210_572_396_186),
        (0.263_749_589_051, 27.475_667_028_990),
    ]) {
        assert_close(division.silhouette, silhouette, 1e-9, "silhouette");
        assert_close(division.calinski_harabasz.expect("a ratio"), ratio, 1e-9, "ratio");
        assert!(!division.tied);
    }
    assert_eq!(divisions.len(), 7);
    assert_close(divisions[0].lost_by_merging, highest[5].powi(2) / 400.0, 1e-9, "lost");
    assert_close(divisions[0].between, divisions[0].lost_by_merging, 1e-9, "between");
    let chosen = typology(&table, 8, None).expect("a typology");
    assert_eq!(chosen.groups.iter().map(|group| group.members.len()).collect::<Vec<_>>(), [31, 19]);
}

/// Expected: as above; test values by their formula in numpy.
#[test]
fn groups_are_described_by_what_sets_them_apart() {
    let table = standardise(&arrests()).expect("a table");
    let found = typology(&table, 8, Some(4)).expect("a typology");
    // Both groups of twelve: the one with the state of lowest murder rate comes first.
    let expected = [
        ("Oklahoma", 19, [-2.004_952_495_188, -1.906_922_452_914, 2.188_795_614_087, -1.210_303_470_122]),
        ("Iowa", 12, [-4.284_535_539_797, -4.518_222_069_963, -3.694_110_209_195, -3.987_292_451_635]),
        ("Michigan", 12, [2.899_945_411_847, 4.445_747_422_999, 3.008_727_859_260, 5.250_538_425_194]),
        ("Alabama", 7, [4.508_848_187_035, 2.756_722_645_870, -2.218_228_379_242, 0.138_200_706_949]),
    ];
    assert_eq!(found.groups.len(), expected.len());
    for (group, (paragon, size, test_values)) in found.groups.iter().zip(expected) {
        assert_eq!((group.paragon, group.members.len()), (paragon, size));
        let values: Vec<f64> = group.traits.iter().map(|of| of.test_value).collect();
        assert_all(&values, &test_values, 1e-9, paragon);
        assert!(group.members.is_sorted());
    }
    let characteristic: Vec<usize> = found.groups[0].characteristic().iter().map(|of| of.indicator).collect();
    assert_eq!(characteristic, [2, 0]);
    let murder = found.groups[3].traits[0];
    assert_close(murder.mean, 14.671_428_571_429, 1e-9, "mean");
    assert_close(murder.overall, 7.788, 1e-9, "overall");
}

/// Expected: numpy.
#[test]
fn look_alikes_as_computed_elsewhere() {
    let found = look_alikes(&arrests(), &"Ohio", &[1.0, 2.0, 0.5, 1.0], 4).expect("look-alikes");
    let nearest: Vec<&str> = found.nearest.iter().map(|place| place.label).collect();
    assert_eq!(nearest, ["Indiana", "Kansas", "Oklahoma", "Pennsylvania"]);
    let distances: Vec<f64> = found.nearest.iter().map(|place| place.distance).collect();
    assert_all(
        &distances,
        &[0.240_513_227_634, 0.309_103_886_152, 0.316_530_582_270, 0.372_595_635_332],
        1e-9,
        "distance",
    );
    let shares: Vec<f64> = found.nearest[0].comparisons.iter().map(|c| c.share).collect();
    assert_all(&shares, &[0.002_066_357_659, 0.055_312_965_199, 0.935_471_443_453, 0.007_149_233_689], 1e-9, "shares");
    assert_eq!(found.nearest[0].apart().iter().map(|c| c.indicator).collect::<Vec<_>>(), [2]);
    // Assault is where both stand farthest from the mean.
    assert_eq!(found.nearest[0].alike().iter().map(|c| c.indicator).collect::<Vec<_>>(), [1, 0, 3]);
    assert_eq!((found.needed, found.not_compared.len()), (3, 0));
}

#[test]
fn what_is_hidden_missing_constant_or_weightless_is_left_out_and_named() {
    let gap = Reading::Silence(Silence::NotReceived);
    let veiled = Reading::Interval { low: 1.0, high: Some(9.0) };
    let mut places: Vec<Profile<u8>> = (0..8_u8)
        .map(|at| {
            let x = f64::from(at);
            profile(at, &[x, 7.0 - x, x * x, 5.0, x % 3.0, (x * 7.0) % 5.0, x % 2.0])
        })
        .collect();
    places[1].indicators[0] = gap;
    places[2].indicators[..4].copy_from_slice(&[gap, veiled, gap, gap]);
    let weights = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
    let found = look_alikes(&places, &0, &weights, 3).expect("look-alikes");
    assert_eq!(
        (found.constant.as_slice(), found.weightless.as_slice(), found.needed),
        ([3].as_slice(), [6].as_slice(), 3)
    );
    assert_eq!(found.not_compared, [(2, 2)]);
    assert_eq!(
        found.indicators.iter().map(|(at, standard)| (*at, standard.count)).collect::<Vec<_>>(),
        [(0, 6), (1, 7), (2, 7), (4, 8), (5, 8)]
    );
    let one = found.nearest.iter().find(|place| place.label == 1).expect("one of the nearest");
    assert_eq!(one.comparisons.iter().map(|c| c.indicator).collect::<Vec<_>>(), [1, 2, 4, 5]);
    assert_eq!(look_alikes(&places, &2, &weights, 3), Err(Undefined::TooFewIndicators { found: 2, needed: 3 }));
    assert_eq!(look_alikes(&places, &99, &weights, 3), Err(Undefined::UnknownPlace));
    assert_eq!(look_alikes(&places, &0, &[1.0], 3), Err(Undefined::LengthMismatch { expected: 7, found: 1 }));
    assert_eq!(look_alikes(&places, &0, &[0.0; 7], 3), Err(Undefined::EmptyDenominator));
    assert!(look_alikes(&places, &0, &weights, 0).expect("none asked for").nearest.is_empty());

    let table = standardise(&places).expect("a table");
    assert_eq!(table.constant(), [3]);
    let incomplete: Vec<(u8, &[usize])> =
        table.incomplete().iter().map(|of| (of.label, of.missing.as_slice())).collect();
    assert_eq!(incomplete, [(1, [0].as_slice()), (2, [0, 1, 2].as_slice())]);
    assert_eq!(table.places(), [0, 3, 4, 5, 6, 7]);
    places[3].label = 4;
    assert_eq!(standardise(&places), Err(Undefined::RepeatedPlace));
}

#[test]
fn half_of_what_is_compared_must_be_shared() {
    let gap = Reading::Silence(Silence::NotCollected);
    let mut places: Vec<Profile<u8>> =
        (0..6_u8).map(|at| Profile { label: at, indicators: vec![Reading::Value(at.into()); 9] }).collect();
    places[5].indicators[..4].fill(gap);
    places[4].indicators[..5].fill(gap);
    let found = look_alikes(&places, &0, &[1.0; 9], 9).expect("look-alikes");
    assert_eq!((found.needed, found.not_compared), (5, vec![(4, 4)]));
}

#[test]
fn as_near_as_the_last_is_in_too() {
    let places = [("c", 1.0), ("a", -1.0), ("o", 0.0), ("b", 2.0), ("d", -1.0)];
    let places: Vec<Profile<&str>> = places.map(|(label, x)| profile(label, &[x, 2.0 * x, -x])).to_vec();
    let found = look_alikes(&places, &"o", &[1.0; 3], 1).expect("look-alikes");
    assert_eq!(found.nearest.iter().map(|place| place.label).collect::<Vec<_>>(), ["a", "c", "d"]);
}

#[test]
fn a_tree_that_could_be_cut_otherwise_says_so() {
    // The corners of a square: no pair is nearer than its neighbour.
    let square: Vec<Profile<u8>> = [(0, 0.0, 0.0), (1, 0.0, 1.0), (2, 1.0, 0.0), (3, 1.0, 1.0)]
        .map(|(label, x, y)| profile(label, &[x, y]))
        .to_vec();
    let tree = ward(&standardise(&square).expect("a table")).expect("a tree");
    assert_eq!(
        tree.divisions(9).expect("divisions").iter().map(|of| (of.groups, of.tied)).collect::<Vec<_>>(),
        [(2, false), (3, true)]
    );
    assert_eq!(tree.cut(3), Ok(vec![0, 0, 1, 2]));
    assert_eq!(tree.cut(4), Err(Undefined::NoSuchDivision { most: 3 }));
    assert_eq!(tree.cut(1), Err(Undefined::NoSuchDivision { most: 3 }));
    // Two kinds of places only: no third group.
    let twins: Vec<Profile<u8>> = (0..6_u8).map(|at| profile(at, &[f64::from(at % 2)])).collect();
    let table = standardise(&twins).expect("a table");
    let found = typology(&table, 9, None).expect("two groups");
    assert_eq!(
        found.groups.iter().map(|group| (group.members.as_slice(), group.paragon)).collect::<Vec<_>>(),
        [([0, 2, 4].as_slice(), 0), ([1, 3, 5].as_slice(), 1)]
    );
    let division = found.divisions[0];
    assert_close(division.silhouette, 1.0, TOLERANCE, "silhouette");
    assert_eq!((division.calinski_harabasz, found.divisions.len()), (None, 1));
    assert_eq!(typology(&table, 1, None), Err(Undefined::NoSuchDivision { most: 2 }));
    assert_eq!(standardise(&twins[..2]), Err(Undefined::TooFew { found: 2, needed: 3 }));
    assert_eq!(standardise(&[profile(1, &[2.0]), profile(2, &[2.0]), profile(3, &[2.0])]), Err(Undefined::NoSpread));
    assert_eq!(standardise::<u8>(&[]), Err(Undefined::TooFew { found: 0, needed: 3 }));
}
