//! The confidential table opened, inside the commune, for the time of its protection.

use std::collections::BTreeSet;

use model::{IndicatorCode, Key};

use super::ProtectError;
use crate::confidential::{ConfidentialCell, ConfidentialTable};
use crate::relations::{Entry, Equality, Relations, Standing};
use crate::scheme::Quantity;
use crate::system::LARGEST;

/// What one unknown really is. No `Debug`: these are the numbers that must not leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) value: i128,
    /// At least so many units stand behind it.
    pub(super) contributors: i128,
    /// At most so many; `None` where nobody says.
    at_most: Option<i128>,
    /// Most of it that one unit has; `None` where nobody says.
    most: Option<i128>,
}

/// What all unknowns really are; `None` for derived cells that the table does not determine.
pub(super) struct Truth {
    facts: Vec<Option<Fact>>,
    /// The most rows of one unit; `None` where nobody says.
    rows_of_one: Option<i128>,
    /// The commune does not know them itself: the fact is only one that agrees with the others.
    stand_ins: Vec<bool>,
}

impl Truth {
    /// Opens a table, checking that it is whole and satisfies all relations.
    pub(super) fn open(table: &ConfidentialTable, relations: &Relations) -> Result<Self, ProtectError> {
        let mut facts: Vec<Option<Fact>> = vec![None; relations.cells.len()];
        let mut known = vec![false; relations.cells.len()];
        let mut met: BTreeSet<(IndicatorCode, Key)> = BTreeSet::new();
        let counted = !table.is_of_totals();
        for cell in table.cells() {
            let name = (cell.indicator.clone(), cell.key.clone());
            let Some(entry) = relations.entries.get(&name) else {
                return Err(ProtectError::Unknown(name.0, name.1));
            };
            let mut fact = expose(cell);
            if !counted {
                // Of totals, units that may be the same are taken for the same: there may be more of them.
                fact.at_most = None;
            }
            if fact.value < 0 || fact.contributors < 0 {
                return Err(ProtectError::Negative(name.0, name.1));
            }
            if fact.value > LARGEST.into() {
                return Err(ProtectError::TooLarge(name.0, name.1));
            }
            match *entry {
                Entry::Empty if fact.value != 0 => return Err(ProtectError::Inconsistent(name.0, name.1)),
                Entry::Empty => {}
                Entry::Cell(id) => {
                    known[id] |= table.is_known(cell);
                    match &mut facts[id] {
                        Some(other) if other.value != fact.value => {
                            return Err(ProtectError::Inconsistent(name.0, name.1));
                        }
                        // The same rows counted in two units: the smaller number decides.
                        Some(other) => {
                            other.contributors = other.contributors.min(fact.contributors);
                            other.at_most = other.at_most.zip(fact.at_most).map(|(one, two)| one.max(two));
                        }
                        empty => *empty = Some(fact),
                    }
                }
            }
            if !met.insert(name.clone()) {
                return Err(ProtectError::Duplicate(name.0, name.1));
            }
        }
        let needed = relations.entries.iter().filter(|(_, entry)| **entry != Entry::Empty);
        if let Some((name, _)) = needed.into_iter().find(|(name, _)| !met.contains(*name)) {
            return Err(ProtectError::Incomplete(name.0.clone(), name.1.clone()));
        }
        let stand_ins = facts.iter().zip(known).map(|(fact, known)| fact.is_some() && !known).collect();
        let mut truth = Self { facts, rows_of_one: rows_of_one(table), stand_ins };
        truth.derive(relations)?;
        Ok(truth)
    }

    pub(super) fn get(&self, cell: usize) -> Option<Fact> {
        self.facts[cell]
    }

    /// The same, if it is the commune's own figure.
    pub(super) fn known(&self, cell: usize) -> Option<Fact> {
        self.facts[cell].filter(|_| !self.stand_ins[cell])
    }

    /// Whether the commune itself does not know it.
    pub(super) fn is_stand_in(&self, cell: usize) -> bool {
        self.stand_ins[cell]
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
        let Some(need) = facts.need else { return false };
        if self.facts[cell].is_none() {
            // Rows that no single equality leaves over: several together may, and nobody has counted who stands behind.
            return facts.rows.is_some() && !relations.is_finest(cell);
        }
        let Some(fact) = self.known(cell) else { return false };
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
        // What follows from the commune's own figures is its own, whatever else it would follow from.
        self.derive_from(relations, false)?;
        self.derive_from(relations, true)?;
        self.raise(relations);
        Ok(())
    }

    fn derive_from(&mut self, relations: &Relations, with_stand_ins: bool) -> Result<(), ProtectError> {
        loop {
            let mut progress = false;
            for equality in &relations.equalities {
                let members =
                    || std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
                if !with_stand_ins && members().any(|(cell, _)| self.stand_ins[cell]) {
                    continue;
                }
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
                        if value < 0 {
                            let (indicator, key) = relations.cells[cell].place.clone();
                            return Err(ProtectError::Inconsistent(indicator, key));
                        }
                        let most = if cell == equality.whole { None } else { self.most(relations, equality.whole) };
                        // Whoever they are, each has no more of it than that.
                        let by_size = most.filter(|most| *most > 0).map_or(0, |most| (value + most - 1) / most);
                        let contributors = self.at_least(equality, cell).max(by_size);
                        self.stand_ins[cell] = members().any(|(member, _)| self.stand_ins[member]);
                        // Each unit behind rows has one of them; behind an amount anybody of the whole may stand.
                        let at_most = match relations.quantity(cell) {
                            Some(Quantity::Rows | Quantity::Distinct { .. }) => Some(value),
                            _ if cell == equality.whole => None,
                            _ => self.facts[equality.whole].and_then(|whole| whole.at_most),
                        };
                        self.facts[cell] = Some(Fact { value, contributors, at_most, most });
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

    /// The most that one unit has of a cell, and so of any part of it.
    fn most(&self, relations: &Relations, cell: usize) -> Option<i128> {
        match relations.quantity(cell)? {
            Quantity::Rows => self.rows_of_one,
            Quantity::Sum { .. } => self.facts[cell].and_then(|fact| fact.most),
            Quantity::Distinct { .. } | Quantity::Weight { .. } => None,
        }
    }

    /// How many units stand at least behind `cell`, the one open member of `equality`. One unit may stand behind several
    /// parts: a whole has at least as many as its largest part, a part at least what the others, at their most, leave of
    /// the whole.
    fn at_least(&self, equality: &Equality, cell: usize) -> i128 {
        let of = |id: &usize| self.facts[*id].map_or(0, |fact| fact.contributors);
        if cell == equality.whole {
            equality.parts.iter().map(of).max().unwrap_or(0)
        } else {
            let at_most = |part: &usize| self.facts[*part].and_then(|fact| fact.at_most);
            let others: Option<i128> = equality.parts.iter().filter(|part| **part != cell).map(at_most).sum();
            others.map_or(0, |others| (of(&equality.whole) - others).max(0))
        }
    }

    /// Cells shown inside a derived one vouch for it: whoever stands behind them stands behind it too. Without this, six
    /// requests of six households that also had others granted would look like requests of nobody.
    fn raise(&mut self, relations: &Relations) {
        for id in 0..relations.cells.len() {
            let cell = &relations.cells[id];
            let few = |fact: &Fact| fact.contributors < i128::from(cell.threshold);
            // Of others it does not matter.
            let asked = cell.standing == Standing::Derived && cell.need.is_some();
            let Some(fact) = self.facts[id].filter(|fact| asked && few(fact)) else { continue };
            let inside = relations.cells_inside(id).filter_map(|inner| self.facts[inner]);
            let contributors = inside.map(|inner| inner.contributors).max().unwrap_or(0).max(fact.contributors);
            self.facts[id] = Some(Fact { contributors, ..fact });
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "protection compares the numbers; they stay in this module's `Truth`")]
fn expose(cell: &ConfidentialCell) -> Fact {
    // Zero where a table says nothing of it.
    let largest = i128::from(cell.largest.expose());
    Fact {
        value: cell.value.expose().into(),
        contributors: cell.contributors.expose().into(),
        at_most: Some(cell.contributors.expose().into()),
        most: (largest > 0).then_some(largest),
    }
}

#[expect(clippy::disallowed_methods, reason = "a bound on contributors of this module's `Truth`")]
fn rows_of_one(table: &ConfidentialTable) -> Option<i128> {
    table.rows_of_one().map(|most| most.expose().into())
}
