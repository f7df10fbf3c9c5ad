//! Groups of like places, and what makes each of them.

use crate::Undefined;
use crate::profile::Standardised;
use crate::special::length;
use crate::ward::{Division, best, squared, ward};

/// A test value beyond this would be rare in a group drawn by lot: less than once in twenty.
pub const CHARACTERISTIC: f64 = 1.96;
/// Distances closer than this share are equal.
const EQUAL: f64 = 1e-9;

/// One indicator of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trait {
    /// The indicator, by its position in the profiles.
    pub indicator: usize,
    /// The mean of the group's places, each counted once, in units of the indicator.
    pub mean: f64,
    /// The mean of all places, each counted once, in the same units.
    pub overall: f64,
    /// The group's mean in standard deviations from that of all.
    pub score: f64,
    /// The test value: how unusual that mean would be in a group of this size drawn by lot. No units.
    pub test_value: f64,
}

/// Places that are like each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<L> {
    /// Its places, in order of label.
    pub members: Vec<L>,
    /// The place nearest to its centre.
    pub paragon: L,
    /// All indicators, in the order of the profiles.
    pub traits: Vec<Trait>,
}

impl<L> Group<L> {
    /// The indicators that make the group ([`CHARACTERISTIC`]), the strongest first: high where the test value is above
    /// zero, low where it is below.
    pub fn characteristic(&self) -> Vec<Trait> {
        let mut found: Vec<_> = self.traits.iter().copied().filter(|t| t.test_value.abs() >= CHARACTERISTIC).collect();
        // A sort that keeps the order of what is equal.
        found.sort_by(|a, b| b.test_value.abs().total_cmp(&a.test_value.abs()));
        found
    }
}

/// Places in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Typology<L> {
    /// The groups, the largest first; of two as large, the one with the place of lowest value.
    pub groups: Vec<Group<L>>,
    /// What speaks for each number of groups, from 2 on.
    pub divisions: Vec<Division>,
}

/// Groups of like places: Ward's tree ([`ward`](ward())) cut into `groups`, or, without a wish, into 2 to `most` groups
/// with the highest mean silhouette; where that is a tie, into fewer.
///
/// Test value of an indicator with mean ȳ in a group of m of n places: (ȳ − x̄) / √((n − m)/(n − 1) × s²/m), with the mean x̄
/// and variance s² (with n) of all places. It follows a normal distribution if the group was drawn by lot without regard to
/// the indicator. Here the indicators made the groups: test values put them in order, they prove nothing.
///
/// Source: L. Lebart, A. Morineau & M. Piron, 1995, *Statistique exploratoire multidimensionnelle*, § 2.3. Domain: at least
/// three places, not all alike.
///
/// # Errors
/// [`NoSuchDivision`](Undefined::NoSuchDivision) if there cannot be as many groups, or `most` is below 2;
/// [`TooMany`](Undefined::TooMany).
pub fn typology<L: Ord + Clone>(
    table: &Standardised<L>,
    most: usize,
    groups: Option<usize>,
) -> Result<Typology<L>, Undefined> {
    let tree = ward(table)?;
    let divisions = tree.divisions(most)?;
    let wished = groups.or_else(|| best(&divisions).map(|division| division.groups));
    let count = wished.ok_or(Undefined::NoSuchDivision { most: tree.most_groups() })?;
    let group_of = tree.cut(count)?;
    let groups = (0..count).map(|number| {
        let members: Vec<usize> = (0..group_of.len()).filter(|place| group_of[*place] == number).collect();
        group(table, &members)
    });
    Ok(Typology { groups: groups.collect(), divisions })
}

/// The group of `members`, not empty and not all places.
fn group<L: Ord + Clone>(table: &Standardised<L>, members: &[usize]) -> Group<L> {
    let (n, size) = (length(table.places.len()), length(members.len()));
    let mean = |rows: &[Vec<f64>], column: usize| members.iter().map(|place| rows[*place][column]).sum::<f64>() / size;
    let error = ((n - size) / (n - 1.0) / size).sqrt();
    let traits = table.indicators.iter().enumerate().map(|(column, (indicator, standard))| {
        let score = mean(&table.scores, column);
        Trait {
            indicator: *indicator,
            mean: mean(&table.values, column),
            overall: standard.mean,
            score,
            test_value: score / error,
        }
    });
    let centre: Vec<f64> = (0..table.indicators.len()).map(|column| mean(&table.scores, column)).collect();
    let away = |place: &usize| squared(&table.scores[*place], &centre);
    let nearest = members.iter().map(away).fold(f64::INFINITY, f64::min);
    // The first of those as near: of two places both are.
    let paragon = members.iter().find(|place| away(place) <= nearest * (1.0 + EQUAL)).unwrap_or(&members[0]);
    let mut labels: Vec<L> = members.iter().map(|place| table.places[*place].clone()).collect();
    labels.sort();
    Group { members: labels, paragon: table.places[*paragon].clone(), traits: traits.collect() }
}
