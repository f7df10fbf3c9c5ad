//! The confidential table opened, inside the commune, for the time of its protection.

use std::collections::BTreeSet;

use model::{IndicatorCode, Key};

use super::ProtectError;
use crate::confidential::{ConfidentialCell, ConfidentialTable};
use crate::relations::{Entry, Relations, Standing};

/// What one unknown really is. No `Debug`: these are the numbers that must not leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) value: i128,
    pub(super) contributors: i128,
}

/// What all unknowns really are; `None` for derived cells that the table does not determine.
pub(super) struct Truth {
    facts: Vec<Option<Fact>>,
}

impl Truth {
    /// Opens a table, checking that it is whole and satisfies all relations.
    pub(super) fn open(table: &ConfidentialTable, relations: &Relations) -> Result<Self, ProtectError> {
        let mut facts: Vec<Option<Fact>> = vec![None; relations.cells.len()];
        let mut met: BTreeSet<(IndicatorCode, Key)> = BTreeSet::new();
        for cell in table.cells() {
            let name = (cell.indicator.clone(), cell.key.clone());
            let Some(entry) = relations.entries.get(&name) else {
                return Err(ProtectError::Unknown(name.0, name.1));
            };
            let fact = expose(cell);
            if fact.value < 0 || fact.contributors < 0 {
                return Err(ProtectError::Negative(name.0, name.1));
            }
            match *entry {
                Entry::Empty if fact.value != 0 => return Err(ProtectError::Inconsistent(name.0, name.1)),
                Entry::Empty => {}
                Entry::Cell(id) => match &mut facts[id] {
                    Some(other) if other.value != fact.value => {
                        return Err(ProtectError::Inconsistent(name.0, name.1));
                    }
                    // The same rows counted in two units: the smaller number decides.
                    Some(other) => other.contributors = other.contributors.min(fact.contributors),
                    empty => *empty = Some(fact),
                },
            }
            if !met.insert(name.clone()) {
                return Err(ProtectError::Duplicate(name.0, name.1));
            }
        }
        let needed = relations.entries.iter().filter(|(_, entry)| **entry != Entry::Empty);
        if let Some((name, _)) = needed.into_iter().find(|(name, _)| !met.contains(*name)) {
            return Err(ProtectError::Incomplete(name.0.clone(), name.1.clone()));
        }
        let mut truth = Self { facts };
        truth.derive(relations)?;
        Ok(truth)
    }

    pub(super) fn get(&self, cell: usize) -> Option<Fact> {
        self.facts[cell]
    }

    /// The value, or zero where the table does not determine it.
    pub(super) fn value(&self, cell: usize) -> i128 {
        self.facts[cell].map_or(0, |fact| fact.value)
    }

    /// Cells that the rules hide for themselves, and derived ones that must stay uncertain.
    pub(super) fn primaries(&self, relations: &Relations) -> BTreeSet<usize> {
        (0..self.facts.len()).filter(|&cell| self.is_primary(relations, cell)).collect()
    }

    fn is_primary(&self, relations: &Relations, cell: usize) -> bool {
        let facts = &relations.cells[cell];
        let (Some(need), Some(fact)) = (facts.need, self.facts[cell]) else { return false };
        // An amount or weight without contributors is somebody's all the same.
        let contributors = if fact.value > 0 { fact.contributors.max(1) } else { fact.contributors };
        let few = match contributors {
            0 => facts.zeros_protected,
            n => n < i128::from(facts.threshold),
        };
        // What outsiders would see below the threshold is hidden too: they cannot tell a small weight of many.
        few || (facts.standing == Standing::Protected
            && need.below.is_some()
            && need.meets(fact.value, Some(fact.value)))
    }

    /// Fills in the derived cells that follow, and checks all relations.
    fn derive(&mut self, relations: &Relations) -> Result<(), ProtectError> {
        loop {
            let mut progress = false;
            for equality in &relations.equalities {
                let members =
                    || std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
                let mut open = members().filter(|&(cell, _)| self.facts[cell].is_none());
                let sum = |pick: fn(&Fact) -> i128| -> i128 {
                    members().filter_map(|(cell, sign)| Some(sign * pick(self.facts[cell].as_ref()?))).sum()
                };
                match (open.next(), open.next()) {
                    (None, _) if sum(|fact| fact.value) != 0 => {
                        let (indicator, key) = relations.cells[equality.whole].place.clone();
                        return Err(ProtectError::Inconsistent(indicator, key));
                    }
                    (Some((cell, sign)), None) => {
                        let value = -sign * sum(|fact| fact.value);
                        // Units may stand behind several amounts: their difference is then a lower estimate.
                        let contributors = (-sign * sum(|fact| fact.contributors)).max(0);
                        if value < 0 {
                            let (indicator, key) = relations.cells[cell].place.clone();
                            return Err(ProtectError::Inconsistent(indicator, key));
                        }
                        self.facts[cell] = Some(Fact { value, contributors });
                        progress = true;
                    }
                    _ => {}
                }
            }
            if !progress {
                return Ok(());
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "protection compares the numbers; they stay in this module's `Truth`")]
fn expose(cell: &ConfidentialCell) -> Fact {
    Fact { value: cell.value.expose().into(), contributors: cell.contributors.expose().into() }
}
