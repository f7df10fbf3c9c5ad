//! Somebody who reads every group that it may, after everything that happens, and adds and subtracts.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A commune's figure, by commune and version.
type Figure = (usize, usize);

/// Rows of weights over figures: what the intruder knows.
#[derive(Default)]
struct Known {
    rows: Vec<BTreeMap<Figure, f64>>,
}

impl Known {
    /// Whether something follows about the figures of fewer communes than `least`, the intruder's own aside.
    ///
    /// Written apart from what the hub does: reduced row echelon forms in floating point, one for each set of communes
    /// that might be uncovered, with all other figures to the left.
    fn uncovers(&self, own: &BTreeSet<usize>, least: usize) -> Option<Vec<usize>> {
        let figures: BTreeSet<Figure> = self.rows.iter().flat_map(|row| row.keys().copied()).collect();
        let communes: Vec<usize> =
            figures.iter().map(|figure| figure.0).collect::<BTreeSet<_>>().difference(own).copied().collect();
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        for commune in communes {
            let more = sets.iter().filter(|set| set.len() + 1 < least).map(|set| [set.as_slice(), &[commune]].concat());
            sets.extend(more.collect::<Vec<_>>());
        }
        sets.into_iter().filter(|set| !set.is_empty()).find(|set| self.determines(&figures, own, set))
    }

    /// Whether some combination speaks of figures of `set`, and of nobody else but `own`.
    fn determines(&self, figures: &BTreeSet<Figure>, own: &BTreeSet<usize>, set: &[usize]) -> bool {
        let (inside, outside): (Vec<Figure>, Vec<Figure>) =
            figures.iter().filter(|figure| !own.contains(&figure.0)).partition(|figure| set.contains(&figure.0));
        let columns: Vec<Figure> = outside.iter().chain(&inside).copied().collect();
        let mut matrix: Vec<Vec<f64>> = (self.rows.iter())
            .map(|row| columns.iter().map(|figure| row.get(figure).copied().unwrap_or(0.0)).collect())
            .collect();
        let mut done = 0;
        for column in 0..columns.len() {
            let Some(pivot) = (done..matrix.len()).find(|row| matrix[*row][column].abs() > 1e-9) else { continue };
            // The first pivot among the figures of the set: this row and all below are about the set alone.
            if column >= outside.len() {
                return true;
            }
            matrix.swap(done, pivot);
            let pivot = matrix[done].clone();
            for row in matrix.iter_mut().skip(done + 1) {
                let factor = row[column] / pivot[column];
                for (own, above) in row.iter_mut().zip(&pivot) {
                    *own -= factor * above;
                }
            }
            done += 1;
        }
        false
    }
}

fn requests(number: usize, version: usize) -> i64 {
    // No two sets of figures have the same sum: what is shown says which figures it is made of.
    const FIGURES: [[i64; 3]; 6] = [
        [1_000_003, 1_000_070, 1_000_930],
        [1_003_011, 1_001_901, 1_011_170],
        [1_040_217, 1_007_017, 1_090_071],
        [1_101_803, 1_033_131, 1_200_310],
        [1_290_011, 1_160_070, 1_400_209],
        [1_020_501, 1_350_903, 1_511_777],
    ];
    FIGURES[number][version]
}

fn version_of(number: usize, version: usize) -> disclosure::Received {
    let counts = [(requests(number, version) - 90, 10), (20, 10), (30, 20)];
    received(&pack(), CODES[number], "2025", counts, &[])
}

/// Which figures have this sum: exactly one set has.
fn made_of(sum: f64) -> BTreeSet<Figure> {
    let mut found = Vec::new();
    for choice in 0..4_usize.pow(6) {
        let of: BTreeSet<Figure> = (0..6)
            .filter_map(|number| match choice / 4_usize.pow(number) % 4 {
                0 => None,
                version => Some((number as usize, version - 1)),
            })
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let total = of.iter().map(|(number, version)| requests(*number, *version)).sum::<i64>() as f64;
        if (total - sum).abs() < 0.5 {
            found.push(of);
        }
    }
    assert_eq!(found.len(), 1, "{sum} is the sum of {found:?}");
    found.remove(0)
}

/// Six communes that join, leave, correct and come back in all kinds of orders; after each step every one of them reads.
#[tokio::test]
async fn whoever_reads_every_group_of_a_history_finds_no_commune_but_itself() {
    let mut seed = 20_261_123_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let mut shown = 0;
    for _ in 0..6 {
        let stage = Stage::new().await;
        let mut nodes = Vec::new();
        for (number, code) in CODES.into_iter().take(6).enumerate() {
            let node = stage.join(code).await;
            node.submit(u8::try_from(number).expect("small"), &[version_of(number, 0)]).await.expect("accepted");
            nodes.push(node);
        }
        let mut versions = [0; 6];
        let mut known: Vec<Known> = (0..6).map(|_| Known::default()).collect();
        for step in 0..24_u8 {
            // Several things may happen between two readings.
            for part in 0..=draw(4) {
                let number = draw(6);
                let id = 10 + step * 8 + u8::try_from(part).expect("small");
                match draw(4) {
                    0 if versions[number] < 2 => {
                        versions[number] += 1;
                        nodes[number].submit(id, &[version_of(number, versions[number])]).await.expect("accepted");
                    }
                    1 => drop(nodes[number].share(id, [slice(CODES[number])], &[]).await.expect("accepted")),
                    _ => drop(nodes[number].share(id, [slice(CODES[number])], &[Members]).await.expect("accepted")),
                }
            }
            for (reader, node) in nodes.iter().enumerate() {
                let answer = ask(node, "demandes").await;
                assert_eq!(own(&answer).len(), 1);
                if let Reading::Value(sum) = answer.group.value.reading {
                    shown += 1;
                    let of = made_of(sum);
                    assert!(of.len() >= 4 && of.iter().any(|figure| figure.0 == reader), "{of:?}");
                    known[reader].rows.push(of.into_iter().map(|figure| (figure, 1.0)).collect());
                }
            }
            for (reader, known) in known.iter().enumerate() {
                let found = known.uncovers(&[reader].into(), 3);
                assert_eq!(found, None, "step {step}: {} learnt of {found:?}", CODES[reader]);
            }
        }
        // Two of them put together what they read.
        for one in 0..6 {
            for other in 0..one {
                let rows = known[one].rows.iter().chain(&known[other].rows).cloned().collect();
                let found = Known { rows }.uncovers(&[one, other].into(), 2);
                assert_eq!(found, None, "{one} and {other} learnt of {found:?}");
            }
        }
    }
    assert!(shown > 100, "only {shown} groups were ever shown: nothing was tried");
}

#[test]
fn the_intruder_finds_what_there_is_to_find() {
    let row = |of: &[Figure]| of.iter().map(|figure| (*figure, 1.0)).collect::<BTreeMap<_, _>>();
    let four = [(0, 0), (1, 0), (2, 0), (3, 0)];
    let five = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)];
    let mut known = Known { rows: vec![row(&four)] };
    assert_eq!(known.uncovers(&[0].into(), 3), None);
    assert!(known.uncovers(&[0, 1].into(), 3).is_some(), "two of four leave two");
    known.rows.push(row(&five));
    assert_eq!(known.uncovers(&[0].into(), 3), Some(vec![4]));
}
