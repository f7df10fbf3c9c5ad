//! What is hidden: first by the rules, then as much more as it takes, then less again where less will do.

use std::collections::{BTreeMap, BTreeSet};

use model::{Figure, IndicatorCode, Key};

use super::moves::Mover;
use super::truth::Truth;
use super::{ProtectError, names};
use crate::attack::{Cause, Trouble, Visible, alone, check};
use crate::relations::{Entry, Relations, Standing};
use crate::safe::Received;

/// Bounds the attempts to show cells again: attempts × unknowns².
const ATTEMPTS: usize = 60_000_000;

pub(super) struct Pattern<'a> {
    relations: &'a Relations,
    truth: &'a Truth,
    /// Newest first.
    earlier: &'a [Visible],
    /// Primary cells, and derived cells that must stay uncertain because few stand behind them.
    primary: BTreeSet<usize>,
    hidden: BTreeSet<usize>,
    /// Hidden in the last version of the same data: kept, so that the pattern stays the same.
    inherited: BTreeSet<usize>,
    /// Hidden in the last version.
    before: BTreeSet<usize>,
    /// Shown before with the same value.
    frozen: BTreeSet<usize>,
    /// Too certain from the frozen cells alone: nothing that is hidden now could help.
    excused: BTreeSet<usize>,
    costs: Vec<i64>,
}

impl<'a> Pattern<'a> {
    /// The primary pattern.
    pub(super) fn new(relations: &'a Relations, truth: &'a Truth, earlier: &'a [Visible]) -> Self {
        let primary = truth.primaries(relations);
        let hidden =
            primary.iter().copied().filter(|&cell| relations.cells[cell].standing == Standing::Protected).collect();
        let frozen: BTreeSet<usize> = (0..relations.cells.len())
            .filter(|&cell| {
                truth.get(cell).is_some_and(|fact| earlier.iter().any(|then| then[cell] == Some(fact.value)))
            })
            .collect();
        let known: Visible = (0..relations.cells.len())
            .map(|cell| {
                let shown = relations.cells[cell].standing == Standing::Open
                    || (relations.cells[cell].standing == Standing::Protected && frozen.contains(&cell));
                shown.then(|| truth.value(cell))
            })
            .collect();
        let excused = if earlier.is_empty() {
            BTreeSet::new()
        } else {
            alone(relations, &known, &primary).into_iter().map(|trouble| trouble.cell).collect()
        };
        let costs = (0..relations.cells.len()).map(|cell| cost(relations, truth, cell)).collect();
        let (inherited, before) = (BTreeSet::new(), BTreeSet::new());
        Self { relations, truth, earlier, primary, hidden, inherited, before, frozen, excused, costs }
    }

    pub(super) fn hides(&self, cell: usize) -> bool {
        self.hidden.contains(&cell)
    }

    pub(super) fn is_primary(&self, cell: usize) -> bool {
        self.primary.contains(&cell)
    }

    /// Starts from what the last version hid: kept as it is if nothing changed, preferred otherwise.
    pub(super) fn inherit(&mut self, last: &Received, same_rules: bool) {
        let entry = |name: &(IndicatorCode, Key)| match self.relations.entries.get(name) {
            Some(&Entry::Cell(cell)) if self.relations.cells[cell].standing == Standing::Protected => Some(cell),
            _ => None,
        };
        let before: BTreeSet<usize> = last
            .cells
            .iter()
            .filter(|(_, published)| published.figure == Figure::Suppressed)
            .filter_map(|(name, _)| entry(name))
            .collect();
        let unchanged = last.cells.iter().all(|(name, published)| match (entry(name), published.figure) {
            (Some(cell), Figure::Observed(value)) => self.truth.value(cell) == i128::from(value),
            _ => true,
        });
        for &cell in &before {
            self.costs[cell] = self.costs[cell] / 4 + 1;
        }
        if unchanged {
            self.hidden.extend(&before);
        }
        if unchanged && same_rules {
            self.inherited.clone_from(&before);
        }
        self.before = before;
    }

    /// Hides more until the intruder finds nothing. Where cells shown earlier stand in the way, everything hidden in
    /// the last version is hidden again: it was safe then.
    pub(super) fn complete(&mut self) -> Result<(), ProtectError> {
        match self.hide_until_safe() {
            Err(ProtectError::Frozen { .. }) if !self.before.is_subset(&self.hidden) => {
                self.hidden.extend(&self.before);
                self.hide_until_safe()
            }
            outcome => outcome,
        }
    }

    fn hide_until_safe(&mut self) -> Result<(), ProtectError> {
        loop {
            let troubles = self.troubles(&self.hidden);
            if troubles.is_empty() {
                return Ok(());
            }
            let before = self.hidden.len();
            for trouble in &troubles {
                self.answer(*trouble)?;
            }
            if self.hidden.len() == before {
                self.hide_one_more(&troubles)?;
            }
        }
    }

    /// Shows secondary cells again, dearest first, where the intruder still finds nothing.
    pub(super) fn reduce(&mut self) {
        let size = self.relations.cells.len().max(1);
        let mut secondary: Vec<usize> = self
            .hidden
            .iter()
            .copied()
            .filter(|cell| !self.primary.contains(cell) && !self.inherited.contains(cell))
            .collect();
        secondary.sort_by_key(|&cell| (std::cmp::Reverse(self.costs[cell]), cell));
        for cell in secondary.into_iter().take(ATTEMPTS / (size * size)) {
            let mut fewer = self.hidden.clone();
            fewer.remove(&cell);
            if self.troubles(&fewer).is_empty() {
                self.hidden = fewer;
            }
        }
    }

    fn troubles(&self, hidden: &BTreeSet<usize>) -> Vec<Trouble> {
        let now: Visible = (0..self.relations.cells.len())
            .map(|cell| {
                let shown = self.relations.cells[cell].standing != Standing::Derived && !hidden.contains(&cell);
                shown.then(|| self.truth.value(cell))
            })
            .collect();
        let troubles = check(self.relations, &now, self.earlier, &self.primary);
        if troubles.is_empty() { self.troubles_if_unchanged_is_known(now) } else { troubles }
    }

    /// Who takes for unchanged what did not change knows every cell that was shown before with the value it has now,
    /// hidden or not. The hub cannot know which these are; the commune does, and protects against the best guess.
    fn troubles_if_unchanged_is_known(&self, now: Visible) -> Vec<Trouble> {
        let mut guessed = now;
        let mut more = false;
        for &cell in &self.frozen {
            if self.relations.cells[cell].standing != Standing::Derived && guessed[cell].is_none() {
                guessed[cell] = Some(self.truth.value(cell));
                more = true;
            }
        }
        if !more {
            return Vec::new();
        }
        alone(self.relations, &guessed, &self.primary)
            .into_iter()
            .filter(|trouble| !self.excused.contains(&trouble.cell))
            .map(|trouble| Trouble {
                cause: match trouble.cause {
                    Cause::TooNarrow => Cause::TooNarrowWithEarlier,
                    Cause::DifferenceTooNarrow => Cause::DifferenceTooNarrowWithEarlier,
                    other => other,
                },
                ..trouble
            })
            .collect()
    }

    fn answer(&mut self, trouble: Trouble) -> Result<(), ProtectError> {
        match trouble.cause {
            Cause::BelowThreshold | Cause::AmountOverHiddenCount => {
                self.hide(trouble.cell);
                Ok(())
            }
            Cause::TooNarrow | Cause::DifferenceTooNarrow | Cause::NotProven => {
                self.widen(trouble.cell, &BTreeSet::new());
                Ok(())
            }
            Cause::TooNarrowWithEarlier | Cause::DifferenceTooNarrowWithEarlier => {
                let frozen = self.frozen.clone();
                self.widen(trouble.cell, &frozen);
                Ok(())
            }
            Cause::Absent
            | Cause::Unknown
            | Cause::Negative
            | Cause::Impossible
            | Cause::NotAdditive
            | Cause::LargerThanWhole
            | Cause::Contradiction
            | Cause::OtherDefinition => {
                let (indicator, key) = self.relations.cells[trouble.cell].place.clone();
                Err(ProtectError::Inconsistent(indicator, key))
            }
        }
    }

    fn widen(&mut self, cell: usize, frozen: &BTreeSet<usize>) {
        let Some(need) = self.relations.cells[cell].need else { return };
        let mover =
            Mover { relations: self.relations, truth: self.truth, hidden: &self.hidden, frozen, costs: &self.costs };
        for cell in mover.support(cell, need.width.into()).unwrap_or_default() {
            self.hide(cell);
        }
    }

    fn hide(&mut self, cell: usize) {
        self.hidden.insert(cell);
        if self.truth.value(cell) == 0 {
            // A visible count of zero would give the zero away.
            for &(count, other) in &self.relations.twins {
                if other == cell && self.relations.cells[count].standing == Standing::Protected {
                    self.hidden.insert(count);
                }
            }
        }
    }

    /// The moves found nothing new: hides the cheapest of the cells nearest to the first trouble.
    fn hide_one_more(&mut self, troubles: &[Trouble]) -> Result<(), ProtectError> {
        let first = troubles[0];
        let beside = matches!(first.cause, Cause::TooNarrowWithEarlier | Cause::DifferenceTooNarrowWithEarlier)
            || (first.cause == Cause::NotProven && !self.earlier.is_empty());
        let candidate = |cell: usize| {
            self.relations.cells[cell].standing == Standing::Protected
                && !self.hidden.contains(&cell)
                && !(beside && self.frozen.contains(&cell))
        };
        let mut reached = BTreeSet::from([first.cell]);
        loop {
            let before = reached.len();
            let next: BTreeSet<usize> = self
                .relations
                .equalities
                .iter()
                .map(|equality| std::iter::once(equality.whole).chain(equality.parts.iter().copied()))
                .filter(|members| members.clone().any(|member| reached.contains(&member)))
                .flatten()
                .collect();
            reached.extend(next);
            let near = reached.iter().copied().filter(|&cell| candidate(cell));
            if let Some(cell) = near.min_by_key(|&cell| (self.costs[cell], cell)) {
                self.hide(cell);
                return Ok(());
            }
            if reached.len() == before {
                break;
            }
        }
        let frozen = reached.iter().copied().filter(|cell| self.frozen.contains(cell));
        if beside {
            Err(ProtectError::Frozen {
                cells: names(self.relations, frozen.filter(|&c| self.relations.cells[c].standing != Standing::Derived)),
            })
        } else {
            Err(ProtectError::Unprotectable {
                cells: names(self.relations, troubles.iter().map(|trouble| trouble.cell)),
            })
        }
    }
}

/// What it costs to hide a cell: little for small and detailed ones, most for the total.
fn cost(relations: &Relations, truth: &Truth, cell: usize) -> i64 {
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
