//! What the commune alone knows of each cell: its figure, who is alone in it, what it costs to hide it.

use std::collections::{BTreeMap, HashSet};

use super::super::truth::Truth;
use crate::alone::{alone, spread};
use crate::attack::{Visible, any_table};
use crate::relations::{Relations, Standing};

/// The truth, and where the table does not determine it figures that agree with it, if such are found.
pub(super) fn completed(relations: &Relations, truth: &Truth) -> Vec<Option<i64>> {
    let known: Visible = (0..relations.cells.len()).map(|cell| truth.get(cell).map(|fact| fact.value)).collect();
    let small = |value: Option<i128>| value.and_then(|value| i64::try_from(value).ok());
    if known.contains(&None)
        && let Some(table) = any_table(relations, &known)
    {
        return table.into_iter().map(Some).collect();
    }
    known.into_iter().map(small).collect()
}

/// Cells that somebody knows who is alone there: published ones behind which one contributor stands, and whatever these
/// are divided into. The hub cannot tell which these are, the commune can.
pub(super) fn who_is_alone(relations: &Relations, truth: &Truth) -> Vec<Option<u32>> {
    let single = |cell: usize| {
        let published = relations.cells[cell].standing == Standing::Protected;
        published && truth.known(cell).is_some_and(|fact| fact.contributors == 1)
    };
    let mut known: Vec<bool> = (0..relations.cells.len()).map(single).collect();
    // A part without anybody says nothing about who is alone in the whole.
    let empty = |cell: usize| truth.value(cell) == 0;
    let parts = || relations.equalities.iter().flat_map(|sum| sum.parts.iter().map(|&part| (sum.whole, part)));
    loop {
        let mut more = false;
        for (whole, part) in parts().filter(|&(_, part)| !empty(part)) {
            more |= known[whole] && !std::mem::replace(&mut known[part], true);
        }
        if !more {
            break;
        }
    }
    let pairs = parts().chain(relations.twins.iter().copied()).filter(|&(_, part)| !empty(part));
    let mut alone = alone(relations.cells.len(), pairs, &|cell| known[cell], &HashSet::new());
    spread(&mut alone, &parts(), &empty);
    alone
}

/// What it costs to hide a cell: little for small and detailed ones, most for the total.
pub(super) fn cost(relations: &Relations, truth: &Truth, cell: usize) -> i64 {
    let facts = &relations.cells[cell];
    let value = truth.value(cell);
    let bits = i64::from(128 - value.leading_zeros());
    // Sixteen steps per doubling: of two cells of the same order, the smaller one goes.
    let steps = match bits {
        0 => 0,
        1..=5 => 16 * bits + i64::try_from(value << (5 - bits) & 15).unwrap_or(0),
        _ => 16 * bits + i64::try_from(value >> (bits - 5) & 15).unwrap_or(0),
    };
    let places: BTreeMap<usize, usize> = facts.names.iter().fold(BTreeMap::new(), |mut places, (_, key)| {
        *places.entry(key.len()).or_default() += 1;
        places
    });
    let weight: i64 = places
        .iter()
        .map(|(&dimensions, &names)| {
            let each = match dimensions {
                0 => 12,
                1 => 2,
                _ => 1,
            };
            each * i64::try_from(names).unwrap_or(1)
        })
        .sum();
    (128 + steps) * weight.max(1)
}
