//! Sums over groups of contributors: what several of them, shown one after the other, say together.
//!
//! The sum of five communes and, a month later, the sum of these five and a sixth are each a sum of many; their
//! difference is the sixth alone. So a group is judged beside all groups ever shown about the same figures: whatever
//! anybody may add and subtract, what comes out must still be about enough contributors.

use std::collections::{BTreeMap, BTreeSet};

/// Contributors to a sum that is shown, each with which of its figures entered it: a corrected figure is another one.
pub type Group<C, V> = BTreeMap<C, V>;

/// More groups than this are not judged: too many were shown already.
const MOST: usize = 32;

/// Whether some combination of the sums over `groups` is about at least one and fewer than `least` contributors.
///
/// A combination is a vector of the row space of the matrix groups × figures; it is about the contributors of its
/// non-zero figures. Exact: ranks of integer matrices, by elimination without fractions (Bareiss, *Sylvester's identity
/// and multistep integer-preserving Gaussian elimination*, 1968). More than 32 groups count as saying too much.
pub fn says_of_fewer<C: Ord, V: Ord>(groups: &[Group<C, V>], least: usize) -> bool {
    if groups.len() > MOST {
        return true;
    }
    let classes = classes(groups);
    let columns: Vec<&BTreeSet<usize>> = classes.iter().flat_map(|class| &class.figures).collect();
    let whole = rank(groups.len(), &columns);
    // Contributors of one class enter every sum together, and every combination with equal weight: all or none of it.
    let mut open = vec![(0, 0, BTreeSet::new())];
    while let Some((next, contributors, without)) = open.pop() {
        for (index, class) in classes.iter().enumerate().skip(next) {
            let contributors = contributors + class.contributors;
            if contributors >= least {
                continue;
            }
            let mut without: BTreeSet<usize> = without.clone();
            without.insert(index);
            let rest: Vec<&BTreeSet<usize>> = (classes.iter().enumerate())
                .filter(|(index, _)| !without.contains(index))
                .flat_map(|(_, class)| &class.figures)
                .collect();
            if rank(groups.len(), &rest) < whole {
                return true;
            }
            open.push((index + 1, contributors, without));
        }
    }
    false
}

/// Contributors that nothing shown tells apart.
struct Class {
    contributors: usize,
    /// Each figure of one of them: the groups that it entered.
    figures: Vec<BTreeSet<usize>>,
}

fn classes<C: Ord, V: Ord>(groups: &[Group<C, V>]) -> Vec<Class> {
    let mut entered: BTreeMap<&C, BTreeMap<&V, BTreeSet<usize>>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        for (contributor, figure) in group {
            entered.entry(contributor).or_default().entry(figure).or_default().insert(index);
        }
    }
    let mut counted: BTreeMap<Vec<BTreeSet<usize>>, usize> = BTreeMap::new();
    for figures in entered.into_values() {
        let mut figures: Vec<BTreeSet<usize>> = figures.into_values().collect();
        figures.sort_unstable();
        *counted.entry(figures).or_default() += 1;
    }
    counted.into_iter().map(|(figures, contributors)| Class { contributors, figures }).collect()
}

/// Rank of the 0-1 matrix whose columns say in which rows they have a one. Minors of at most 32 rows of zeros and ones are
/// below 2^60 (Hadamard), so that products of two of them fit.
fn rank(rows: usize, columns: &[&BTreeSet<usize>]) -> usize {
    let entry = |row: usize, column: &BTreeSet<usize>| i128::from(column.contains(&row));
    let mut matrix: Vec<Vec<i128>> =
        (0..rows).map(|row| columns.iter().map(|column| entry(row, column)).collect()).collect();
    let (mut rank, mut before) = (0, 1);
    for column in 0..columns.len() {
        let Some(pivot) = (rank..rows).find(|row| matrix[*row][column] != 0) else { continue };
        matrix.swap(rank, pivot);
        let (done, rest) = matrix.split_at_mut(rank + 1);
        let pivot = &done[rank];
        for row in rest {
            let factor = row[column];
            for (own, above) in row.iter_mut().zip(pivot) {
                *own = (pivot[column] * *own - factor * above) / before;
            }
        }
        before = done[rank][column];
        rank += 1;
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contributors by number, each with the version of its figure.
    fn group(of: impl IntoIterator<Item = (u8, u8)>) -> Group<u8, u8> {
        of.into_iter().collect()
    }

    fn first(of: impl IntoIterator<Item = u8>) -> Group<u8, u8> {
        group(of.into_iter().map(|one| (one, 0)))
    }

    #[test]
    fn one_group_is_about_its_contributors() {
        assert!(!says_of_fewer(&[first(1..=4)], 4));
        assert!(says_of_fewer(&[first(1..=3)], 4));
        assert!(!says_of_fewer::<u8, u8>(&[], 4));
        assert!(!says_of_fewer(&[first(1..=5), first(1..=5)], 4), "the same sum twice says nothing more");
    }

    #[test]
    fn a_newcomer_a_leaver_and_a_correction_are_differences() {
        assert!(says_of_fewer(&[first(1..=5), first(1..=6)], 4), "the sixth");
        assert!(says_of_fewer(&[first(1..=8), first(1..=5)], 4), "three that left");
        assert!(!says_of_fewer(&[first(1..=5), first(1..=9)], 4), "four newcomers");
        let corrected = |how_many: u8| group((1..=8).map(|one| (one, u8::from(one <= how_many))));
        assert!(says_of_fewer(&[first(1..=8), corrected(1)], 4), "how far one figure moved");
        assert!(says_of_fewer(&[first(1..=8), corrected(3)], 4));
        assert!(!says_of_fewer(&[first(1..=8), corrected(4)], 4));
    }

    #[test]
    fn three_groups_may_say_what_no_two_do() {
        // Differences of two are about four; the first, less the second, plus the third, less … leaves number 9.
        let sets = [first(1..=8), first([1, 2, 3, 4, 9, 10, 11, 12]), first([5, 6, 7, 8, 10, 11, 12])];
        for pair in [[0, 1], [0, 2], [1, 2]] {
            assert!(!says_of_fewer(&pair.map(|index| sets[index].clone()), 4), "{pair:?}");
        }
        // 1–8 minus the second minus the third is −9 −2·(10, 11, 12): about four. With 10–12 apart, it is about one.
        assert!(!says_of_fewer(&sets, 4));
        let with = [sets.as_slice(), &[first([10, 11, 12, 13, 14, 15]), first([13, 14, 15, 16])]].concat();
        assert!(says_of_fewer(&with, 4));
    }

    /// Against every combination with small integer weights of every small set of groups.
    #[test]
    fn what_small_weights_find_is_found() {
        const LEAST: usize = 3;
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut open, mut closed) = (0, 0);
        for _ in 0..2_000 {
            let groups: Vec<Group<u8, u8>> = (0..3)
                .map(|_| {
                    let mut group = Group::new();
                    for one in 0..6 {
                        if draw(3) > 0 {
                            group.insert(one, u8::from(draw(4) == 0));
                        }
                    }
                    group
                })
                .collect();
            let mut found = false;
            for number in 0..7_i32.pow(3) {
                let weights = [number % 7 - 3, number / 7 % 7 - 3, number / 49 - 3];
                let mut sum: BTreeMap<(u8, u8), i32> = BTreeMap::new();
                for (weight, group) in weights.iter().zip(&groups) {
                    for (contributor, figure) in group {
                        *sum.entry((*contributor, *figure)).or_default() += weight;
                    }
                }
                let about: BTreeSet<u8> = sum.iter().filter(|(_, w)| **w != 0).map(|((one, _), _)| *one).collect();
                found |= !about.is_empty() && about.len() < LEAST;
            }
            // Three rows of zeros and ones: whatever cancels, cancels with weights of two at most.
            assert_eq!(says_of_fewer(&groups, LEAST), found, "{groups:?}");
            if found { open += 1 } else { closed += 1 }
        }
        assert!(open > 200 && closed > 200, "{open} open, {closed} closed");
    }
}
