//! Proven relations, without those that follow from the others.

use std::collections::{BTreeMap, BTreeSet};

use model::IndicatorCode;

use super::{Measures, Relation, Verdict, by_row};

/// Most parts of a partition that are looked for, and most candidates that are tried: this only informs people.
const PARTS: usize = 4;
const CANDIDATES: usize = 500;

pub(super) fn proven(measures: &Measures<'_>) -> Vec<Relation> {
    let mut found = Vec::new();
    let mut inside: BTreeMap<&IndicatorCode, BTreeSet<&IndicatorCode>> = BTreeMap::new();
    let mut apart: BTreeSet<(&IndicatorCode, &IndicatorCode)> = BTreeSet::new();
    for (a, b) in measures.comparable() {
        match measures.verdict(a, b) {
            Verdict::Same => found.push(Relation::Same(a.clone(), b.clone())),
            Verdict::Within => drop(inside.entry(b).or_default().insert(a)),
            Verdict::Around => drop(inside.entry(a).or_default().insert(b)),
            // Different households may be the same: units are not apart where rows are.
            Verdict::Apart if by_row(&measures.list[a].quantity) => drop(apart.insert((a, b))),
            Verdict::Apart | Verdict::Overlap | Verdict::Undecided => {}
        }
    }
    for (whole, parts) in &inside {
        for part in parts {
            let between = parts.iter().any(|other| inside.get(other).is_some_and(|inner| inner.contains(part)));
            if !between {
                found.push(Relation::Within((*part).clone(), (*whole).clone()));
            }
        }
    }
    let separate = |a: &IndicatorCode, b: &IndicatorCode| apart.contains(&(a, b)) || apart.contains(&(b, a));
    for (whole, parts) in &inside {
        let parts: Vec<&IndicatorCode> = parts.iter().copied().collect();
        let mut chosen: Vec<Vec<usize>> = (0..parts.len()).map(|at| vec![at]).collect();
        for _ in 1..PARTS {
            chosen = chosen.iter().flat_map(|some| grown(some, &parts, &separate)).take(CANDIDATES).collect();
            for some in &chosen {
                let named: Vec<&IndicatorCode> = some.iter().map(|&at| parts[at]).collect();
                if measures.covered(whole, &named) == Some(true) {
                    let parts = named.into_iter().cloned().collect();
                    found.push(Relation::Partition { whole: (*whole).clone(), parts });
                }
            }
        }
    }
    found.extend(apart.into_iter().map(|(a, b)| Relation::Apart(a.clone(), b.clone())));
    found.sort();
    found
}

/// `some` and one more, further on, that is apart from each of them.
fn grown(
    some: &[usize],
    parts: &[&IndicatorCode],
    separate: &dyn Fn(&IndicatorCode, &IndicatorCode) -> bool,
) -> Vec<Vec<usize>> {
    let after = some.last().map_or(0, |last| last + 1);
    let free = (after..parts.len()).filter(|&at| some.iter().all(|&other| separate(parts[other], parts[at])));
    free.map(|at| some.iter().copied().chain([at]).collect()).collect()
}
