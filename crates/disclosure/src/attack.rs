//! The intruder: what follows from visible figures, and whether that is too much.
//!
//! Everything here depends on the scheme and on visible data only, so that node and hub reach the same answer.

mod admit;
mod cause;
mod check;
mod links;
mod search;
mod world;

use std::collections::BTreeMap;

use model::{IndicatorCode, Key};

pub use admit::{Conflict, Refusal, admit, examine};
pub use cause::Cause;

pub(crate) use admit::remembered;
use admit::visible;
pub(crate) use check::{Trouble, check};
pub(crate) use search::any_table;
pub(crate) use world::{Visible, settled};

use crate::relations::Entry;
use crate::safe::Received;
use crate::scheme::TableScheme;

/// The interval in which a figure must lie, in units of its measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Nothing below is possible.
    pub low: i128,
    /// Nothing above is possible; `None` if no bound follows from what is visible.
    pub high: Option<i128>,
}

/// What follows for each cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// By indicator and key. A visible cell is an interval of one value.
    pub cells: BTreeMap<(IndicatorCode, Key), Interval>,
}

/// What anybody can conclude from `versions` of one slice (oldest first; the last one is the one asked about).
///
/// The intervals are sure to hold the true figure, as far as the earlier versions are taken for unchanged where
/// nothing visible speaks against it.
pub fn bounds(scheme: &TableScheme, versions: &[&Received]) -> Result<Bounds, Refusal> {
    let relations = scheme.relations();
    let Some((last, earlier)) = versions.split_last() else {
        return Ok(Bounds { cells: BTreeMap::new() });
    };
    let now = visible(relations, last)?;
    let before: Vec<Visible> = earlier.iter().rev().map(|version| remembered(relations, version)).collect();
    let before: Vec<&Visible> = before.iter().collect();
    let joint = links::join(relations, &now, &before)
        .map_err(|contradiction| Refusal::contradiction(relations, &contradiction))?;
    let named = relations.entries.values().filter_map(|entry| match *entry {
        Entry::Cell(cell) => Some((cell, None)),
        Entry::Empty => None,
    });
    let asked = named.collect();
    let reaches = search::explore(joint.world, &asked)
        .map_err(|contradiction| Refusal::contradiction(relations, &contradiction))?;
    let cells = relations
        .entries
        .iter()
        .map(|(name, entry)| {
            let interval = match entry {
                Entry::Empty => Interval { low: 0, high: Some(0) },
                // Without a computed end, nothing is claimed.
                Entry::Cell(cell) => reaches
                    .of
                    .get(cell)
                    .map_or(Interval { low: 0, high: None }, |reach| Interval { low: reach.low, high: reach.high }),
            };
            (name.clone(), interval)
        })
        .collect();
    Ok(Bounds { cells })
}

#[cfg(test)]
mod tests;
