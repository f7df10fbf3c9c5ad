//! From a confidential table to a safe one.

mod history;
mod pattern;
mod truth;

use std::collections::BTreeMap;

use model::{Figure, Flags, IndicatorCode, Key, MissingReason, Slice};

use crate::attack::{Interval, Refusal, admit, bounds, remembered};
use crate::confidential::ConfidentialTable;
use crate::ledger::Ledger;
use crate::relations::{Entry, Relations, Standing};
use crate::safe::{Published, Received, SafeTable, SliceAttributes};
use crate::scheme::{Protection, Rule, TableScheme};
use pattern::Pattern;
use truth::Truth;

/// Why a cell is hidden. Stays in the commune.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// By its own rule.
    Primary,
    /// So that others cannot be computed.
    Secondary,
}

/// A hidden cell, as the commune may read about it. Stays in the commune: it tells a primary cell from a secondary one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Why.
    pub reason: Reason,
    /// Its indicator's rule.
    pub rule: Rule,
    /// What everybody can conclude about it.
    pub interval: Interval,
}

/// What was hidden and why. Stays in the commune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// By indicator and key.
    pub hidden: BTreeMap<(IndicatorCode, Key), Hidden>,
    /// Cells that show a value.
    pub visible: usize,
}

impl Report {
    /// How many cells are hidden for this reason.
    pub fn count(&self, reason: Reason) -> usize {
        self.hidden.values().filter(|hidden| hidden.reason == reason).count()
    }
}

/// A protected table, and why it looks as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// What may leave.
    pub table: SafeTable,
    /// What must not.
    pub report: Report,
}

/// Why a table could not be protected. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtectError {
    /// The table lacks a cell of its scheme.
    #[error("{0} ({1}): the cell is missing")]
    Incomplete(IndicatorCode, Key),
    /// The table has a cell that its scheme does not have.
    #[error("{0} ({1}): the pack has no such cell")]
    Unknown(IndicatorCode, Key),
    /// The table has a cell twice.
    #[error("{0} ({1}): the cell appears twice")]
    Duplicate(IndicatorCode, Key),
    /// A figure or a number of contributors below zero.
    #[error("{0} ({1}): the figure is negative")]
    Negative(IndicatorCode, Key),
    /// A figure beyond what is computed with: some 17 million millions of units.
    #[error("{0} ({1}): the figure is too large")]
    TooLarge(IndicatorCode, Key),
    /// The true figures break a relation: rows counted twice, or a part larger than its whole.
    #[error("{0} ({1}): the figures do not add up")]
    Inconsistent(IndicatorCode, Key),
    /// Hiding more cells does not help, because these were shown before and have not changed.
    #[error("{} cells shown earlier give away what must be hidden now", .cells.len())]
    Frozen {
        /// The cells shown earlier.
        cells: Vec<(IndicatorCode, Key)>,
    },
    /// Hiding everything that may be hidden does not help: figures shown by their producer give it away.
    #[error("{} cells cannot be protected", .cells.len())]
    Unprotectable {
        /// The cells that stay too certain.
        cells: Vec<(IndicatorCode, Key)>,
    },
    /// The proof at the end failed.
    #[error("the protected table could not be proven safe: {0}")]
    Unproven(Refusal),
}

/// Protects a whole table: hides what the rules hide and as much more as it takes for the intruder, who also knows
/// what `ledger` holds about the slice, to stay in doubt; and proves it with the hub's own check.
pub fn protect(
    table: &ConfidentialTable,
    scheme: &TableScheme,
    slice: Slice,
    attributes: SliceAttributes,
    ledger: &Ledger,
) -> Result<Protected, ProtectError> {
    let relations = scheme.relations();
    let truth = Truth::open(table, relations)?;
    let earlier = ledger.versions(&slice);
    let remembered: Vec<_> = earlier.iter().rev().map(|version| remembered(relations, version)).collect();
    let mut pattern = Pattern::new(relations, &truth, &remembered);
    if let Some(last) = earlier.last() {
        pattern.inherit(last, last.attributes == attributes);
    }
    pattern.complete()?;
    let received = Received { slice, attributes, cells: publish(relations, &truth, &pattern) };
    let report = report(&truth, scheme, &pattern, &received, earlier)?;
    let table = admit(received, scheme, ledger).map_err(ProtectError::Unproven)?;
    Ok(Protected { table, report })
}

fn publish(relations: &Relations, truth: &Truth, pattern: &Pattern<'_>) -> BTreeMap<(IndicatorCode, Key), Published> {
    relations
        .entries
        .iter()
        .map(|(name, entry)| {
            let figure = match *entry {
                Entry::Empty => Figure::NotApplicable,
                Entry::Cell(cell) if truth.is_stand_in(cell) => Figure::Missing(MissingReason::NotCollected),
                Entry::Cell(cell) if pattern.hides(cell) => Figure::Suppressed,
                Entry::Cell(cell) => Figure::Observed(
                    i64::try_from(truth.value(cell)).expect("published figures were opened from 64-bit units"),
                ),
            };
            (name.clone(), Published { figure, flags: Flags::default() })
        })
        .collect()
}

fn report(
    truth: &Truth,
    scheme: &TableScheme,
    pattern: &Pattern<'_>,
    received: &Received,
    earlier: &[Received],
) -> Result<Report, ProtectError> {
    let relations = scheme.relations();
    let versions: Vec<&Received> = earlier.iter().chain([received]).collect();
    let bounds = bounds(scheme, &versions).map_err(ProtectError::Unproven)?;
    let mut report = Report { hidden: BTreeMap::new(), visible: 0 };
    for (name, entry) in &relations.entries {
        let Entry::Cell(cell) = *entry else { continue };
        if truth.is_stand_in(cell) {
            continue;
        }
        if !pattern.hides(cell) {
            report.visible += 1;
            continue;
        }
        let protection = scheme.measure(&name.0).map(|measure| measure.protection);
        if let (Some(Protection::Here(rule)), Some(&interval)) = (protection, bounds.cells.get(name)) {
            let reason = if pattern.is_primary(cell) { Reason::Primary } else { Reason::Secondary };
            report.hidden.insert(name.clone(), Hidden { reason, rule, interval });
        }
    }
    Ok(report)
}

/// The published names of some unknowns; of a derived one, the cell it is reported under.
fn names(relations: &Relations, cells: impl IntoIterator<Item = usize>) -> Vec<(IndicatorCode, Key)> {
    let mut names: Vec<_> = cells
        .into_iter()
        .flat_map(|cell| {
            let facts = &relations.cells[cell];
            if facts.standing == Standing::Derived { vec![facts.place.clone()] } else { facts.names.clone() }
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
