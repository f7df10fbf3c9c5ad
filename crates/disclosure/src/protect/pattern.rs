//! What is hidden: by the rules, and as much more as it takes.
//!
//! [`suppress`] chooses, over exact systems that the commune alone can write because they hold its true figures; the
//! check that the hub applies too has the last word. What it still finds (a secondary cell that might be small, as far as
//! an outsider can tell; a wrong guess about what changed) becomes a need of its own, and the choice is made again.

mod known;

use std::collections::{BTreeMap, BTreeSet};

use model::{IndicatorCode, Key};

use super::history::{Figure, History};
use super::truth::Truth;
use super::{ProtectError, names};
use crate::attack::{Cause, Trouble, Visible, check};
use crate::intervals::{Asked, Seen, View, reach};
use crate::relations::{Entry, Equality, Relations, Standing};
use crate::safe::Received;
use crate::suppress::{Ask, Short, Unprotectable, suppress};
use crate::system::{self, Cell, Relation, System};
use known::{completed, cost, who_is_alone};

/// Choices made anew; after that, what was once hidden stays hidden.
const FRESH: usize = 3;

pub(super) struct Pattern<'a> {
    relations: &'a Relations,
    truth: &'a Truth,
    /// True figures; where the table does not determine them, figures that agree with it, if such were found.
    values: Vec<Option<i64>>,
    /// Newest first.
    earlier: &'a [Visible],
    history: History,
    /// Primary cells, and derived cells that must stay uncertain because few stand behind them.
    primary: BTreeSet<usize>,
    /// All that must stay uncertain.
    asked: BTreeSet<usize>,
    /// Too certain from earlier versions alone: nothing that is hidden now could help.
    excused: BTreeSet<usize>,
    /// To be hidden in any case; among them what the commune itself does not know.
    forced: BTreeSet<usize>,
    hidden: BTreeSet<usize>,
    /// Hidden in the last version.
    before: BTreeSet<usize>,
    /// Nothing changed since, neither figures nor rules.
    same: bool,
    costs: Vec<i64>,
    /// By cell: who is alone in it, and knows it.
    alone: Vec<Option<u32>>,
}

impl<'a> Pattern<'a> {
    pub(super) fn new(relations: &'a Relations, truth: &'a Truth, earlier: &'a [Visible]) -> Self {
        let primary = truth.primaries(relations);
        let history = History::of(relations, truth, earlier, true);
        let asked = primary.union(&history.outgrown).copied().collect();
        let costs = (0..relations.cells.len()).map(|cell| cost(relations, truth, cell)).collect();
        Self {
            relations,
            truth,
            values: completed(relations, truth),
            earlier,
            history,
            primary,
            asked,
            excused: BTreeSet::new(),
            forced: (0..relations.cells.len()).filter(|&cell| truth.is_stand_in(cell)).collect(),
            hidden: BTreeSet::new(),
            before: BTreeSet::new(),
            same: false,
            costs,
            alone: who_is_alone(relations, truth),
        }
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
            .filter(|(_, published)| published.figure == model::Figure::Suppressed)
            .filter_map(|(name, _)| entry(name))
            .collect();
        let unchanged = last.cells.iter().all(|(name, published)| match (entry(name), published.figure) {
            (Some(cell), model::Figure::Observed(value)) => {
                self.truth.known(cell).is_some_and(|fact| fact.value == i128::from(value))
            }
            // What has become known may be what somebody alone in a cell was waiting for.
            (Some(cell), model::Figure::Missing(_)) => self.truth.known(cell).is_none(),
            _ => true,
        });
        for &cell in &before {
            self.costs[cell] = self.costs[cell] / 4 + 1;
        }
        self.same = unchanged && same_rules;
        if self.same {
            self.forced.extend(&before);
        }
        self.before = before;
    }

    /// Hides until neither the commune nor the hub finds anything.
    pub(super) fn complete(&mut self) -> Result<(), ProtectError> {
        let must = |&cell: &usize| self.relations.cells[cell].standing == Standing::Protected;
        self.hidden = self.primary.iter().copied().filter(must).chain(self.forced.iter().copied()).collect();
        if self.same && !self.before.is_empty() && self.troubles().is_empty() {
            // The same figures under the same rules: the same pattern.
            return Ok(());
        }
        for round in 0.. {
            match self.choose() {
                Err(ProtectError::Frozen { .. }) if !self.before.is_subset(&self.forced) => {
                    // It was safe then.
                    self.forced.extend(&self.before);
                    continue;
                }
                outcome => outcome?,
            }
            let troubles = self.troubles();
            if troubles.is_empty() {
                return Ok(());
            }
            if round >= FRESH {
                self.forced.extend(&self.hidden);
            }
            let mut progress = false;
            for trouble in &troubles {
                progress |= self.answer(*trouble)?;
            }
            if !progress {
                if self.before.is_subset(&self.forced) {
                    self.hide_one_more(&troubles)?;
                } else {
                    self.forced.extend(&self.before);
                }
            }
        }
        Ok(())
    }

    /// What the hub would find.
    fn troubles(&self) -> Vec<Trouble> {
        let now: Visible = (0..self.relations.cells.len())
            .map(|cell| {
                let shown = self.relations.cells[cell].standing != Standing::Derived && !self.hidden.contains(&cell);
                shown.then(|| self.truth.value(cell))
            })
            .collect();
        check(self.relations, &now, self.earlier, &self.primary)
    }

    /// Whether anything is asked now that was not asked before.
    fn answer(&mut self, trouble: Trouble) -> Result<bool, ProtectError> {
        let cell = trouble.cell;
        match trouble.cause {
            Cause::BelowThreshold | Cause::AmountOverHiddenCount => Ok(self.forced.insert(cell)),
            Cause::TooNarrow
            | Cause::DifferenceTooNarrow
            | Cause::NotProven
            | Cause::TooNarrowWithEarlier
            | Cause::DifferenceTooNarrowWithEarlier => {
                let mut progress = self.asked.insert(cell);
                if self.truth.value(cell) == 0 {
                    // A visible count of zero would give the zero away.
                    for &(count, other) in &self.relations.twins {
                        if other == cell && self.relations.cells[count].standing == Standing::Protected {
                            progress |= self.forced.insert(count);
                        }
                    }
                }
                Ok(progress)
            }
            Cause::Absent
            | Cause::Unknown
            | Cause::Negative
            | Cause::Impossible
            | Cause::NotAdditive
            | Cause::LargerThanWhole
            | Cause::Contradiction
            | Cause::OtherDefinition => {
                let (indicator, key) = self.relations.cells[cell].place.clone();
                Err(ProtectError::Inconsistent(indicator, key))
            }
        }
    }

    /// The cheapest pattern that keeps what is asked: first beside everything earlier, then, with no less hidden, alone
    /// as well: what earlier versions gave away already is a secret of this one all the same.
    fn choose(&mut self) -> Result<(), ProtectError> {
        let mut hidden = self.forced.clone();
        if !self.earlier.is_empty() {
            hidden = loop {
                match self.defend(&hidden, true) {
                    Ok(found) => break found,
                    Err(narrow) => self.excuse(narrow)?,
                }
            };
        }
        self.hidden = self
            .defend(&hidden, false)
            .map_err(|narrow| ProtectError::Unprotectable { cells: names(self.relations, narrow) })?;
        self.hidden.extend(&hidden);
        Ok(())
    }

    /// What to hide, so that those who are alone in a cell learn nothing from knowing it: all of them if that can be done,
    /// else those who are not next to what cannot be kept from them (two who are alone in totals that cross in a zero).
    fn defend(&self, hidden: &BTreeSet<usize>, beside: bool) -> Result<BTreeSet<usize>, Vec<usize>> {
        let mut alone = self.alone.clone();
        while alone.iter().any(Option::is_some) {
            let narrow = match self.solve(hidden, beside, &alone) {
                Ok(found) => return Ok(found),
                Err(narrow) => narrow,
            };
            let members =
                |equality: &Equality| equality.parts.iter().copied().chain([equality.whole]).collect::<Vec<_>>();
            let near: BTreeSet<u32> = self
                .relations
                .equalities
                .iter()
                .map(members)
                .filter(|members| members.iter().any(|cell| narrow.contains(cell)))
                .flatten()
                .filter_map(|cell| alone[cell])
                .collect();
            for owner in &mut alone {
                *owner = owner.filter(|owner| !near.is_empty() && !near.contains(owner));
            }
        }
        self.solve(hidden, beside, &alone)
    }

    /// What to hide, at least `hidden`; or what cannot be protected. With `alone`, from those too who are alone in a
    /// cell and know its figure.
    fn solve(
        &self,
        hidden: &BTreeSet<usize>,
        beside: bool,
        alone: &[Option<u32>],
    ) -> Result<BTreeSet<usize>, Vec<usize>> {
        let free_zero = self.free_zeros(hidden);
        let frozen = |cell: usize| beside && self.history.frozen.contains(&cell);
        let excused = |cell: usize| beside && self.excused.contains(&cell);
        let standing = |cell: usize| {
            let facts = &self.relations.cells[cell];
            if self.truth.is_stand_in(cell) && !self.asked.contains(&cell) {
                system::Standing::Hidden
            } else if self.values[cell].is_none() || facts.standing == Standing::Open || frozen(cell) || free_zero[cell]
            {
                system::Standing::Shown
            } else if self.asked.contains(&cell) && facts.need.is_some() && !excused(cell) {
                system::Standing::Primary
            } else if facts.standing == Standing::Derived || hidden.contains(&cell) || self.primary.contains(&cell) {
                system::Standing::Hidden
            } else {
                system::Standing::Open
            }
        };
        let (mut system, _) = self.system(standing, beside, alone);
        for &cell in &self.asked {
            if system.cells()[cell].standing == system::Standing::Primary
                && let Some(need) = self.relations.cells[cell].need
            {
                let width = u32::try_from(need.width).unwrap_or(u32::MAX);
                system = system.needing(cell, system::Need::width(width));
            }
        }
        let ask = Ask::width(1);
        let pattern = suppress(&system, ask).map_err(|fault| match fault {
            Unprotectable::Computable(cells) | Unprotectable::Narrow(cells) => cells,
        })?;
        match pattern.proof.check(&system, &pattern.hidden, ask.width) {
            Ok(()) => {}
            Err(Short::Narrow(cells) | Short::Bare(cells)) => return Err(cells),
            Err(Short::Unsound(_)) => return Err(self.asked.iter().copied().collect()),
        }
        let published = |cell: usize| self.relations.cells.get(cell).is_some_and(|c| c.standing == Standing::Protected);
        let mut hidden: BTreeSet<usize> = pattern.hidden.into_iter().filter(|&cell| published(cell)).collect();
        hidden.extend(self.primary.iter().copied().filter(|&cell| published(cell)));
        Ok(hidden)
    }

    /// Zeros over rows whose number is shown to be zero: nobody takes them for anything else.
    fn free_zeros(&self, hidden: &BTreeSet<usize>) -> Vec<bool> {
        let mut free = vec![false; self.values.len()];
        for &(count, other) in &self.relations.twins {
            let shown = !self.primary.contains(&count) && !hidden.contains(&count) && !self.asked.contains(&count);
            if self.values[count] == Some(0) && self.values[other] == Some(0) && shown {
                free[other] = !self.asked.contains(&other);
            }
        }
        free
    }

    /// The cells with this standing and all their relations; beside earlier versions, also the sums known from these, by
    /// one more cell each that everybody knows: the last relations, so many.
    fn system(
        &self,
        standing: impl Fn(usize) -> system::Standing,
        beside: bool,
        alone: &[Option<u32>],
    ) -> (System, usize) {
        let cell = |cell: usize| Cell {
            value: self.values[cell].unwrap_or(0),
            low: 0,
            high: None,
            weight: self.costs[cell],
            standing: standing(cell),
            owner: alone[cell],
        };
        let mut cells: Vec<Cell> = (0..self.values.len()).map(cell).collect();
        let mut relations: Vec<Relation> = Vec::new();
        for equality in &self.relations.equalities {
            let parts = equality.parts.iter().map(|&part| (part, -1));
            let terms: Vec<(usize, i64)> = std::iter::once((equality.whole, 1)).chain(parts).collect();
            if terms.iter().all(|&(cell, _)| self.values[cell].is_some()) {
                relations.push(Relation { terms });
            }
        }
        let known = relations.len();
        let mut then: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for tie in self.history.ties.iter().filter(|_| beside) {
            let of = |figure: Figure| match figure {
                Figure::Now(cell) | Figure::Then(_, cell) => cell,
            };
            let values: Option<i64> = tie.iter().map(|&(figure, sign)| Some(self.values[of(figure)]? * sign)).sum();
            let Some(sum) = values else { continue };
            let mut terms = Vec::new();
            for &(figure, sign) in tie {
                let at = match figure {
                    Figure::Now(cell) => cell,
                    Figure::Then(version, cell) => *then.entry((version, cell)).or_insert_with(|| {
                        let value = self.values[cell].unwrap_or(0);
                        cells.push(Cell { standing: system::Standing::Hidden, ..Cell::open(value) });
                        cells.len() - 1
                    }),
                };
                terms.push((at, sign));
            }
            terms.push((cells.len(), -1));
            cells.push(Cell { low: sum, standing: system::Standing::Shown, ..Cell::open(sum) });
            relations.push(Relation { terms });
        }
        let ties = relations.len() - known;
        let system = System::new(cells, &relations)
            .expect("the truth was checked against all relations, and its figures and their number against limits");
        (system, ties)
    }

    /// Nothing that may be hidden now helps these beside earlier versions: no fault of this one where the earlier ones
    /// alone leave no more doubt.
    fn excuse(&mut self, narrow: Vec<usize>) -> Result<(), ProtectError> {
        let mut widths = BTreeMap::new();
        for &cell in &narrow {
            if let Some(need) = self.relations.cells[cell].need {
                widths.insert(cell, need.width);
            }
        }
        let all = |_| system::Standing::Hidden;
        let (everything, ties) = self.system(all, true, &vec![None; self.values.len()]);
        let known = |cell: usize| {
            everything.cells()[cell].standing == system::Standing::Shown || self.history.frozen.contains(&cell)
        };
        let seen = everything.cells().iter().enumerate().map(|(index, cell)| {
            if known(index) { Seen::Shown(cell.value) } else { Seen::Hidden { low: cell.low, high: None } }
        });
        let relations: Vec<Relation> = (everything.relations() - ties..everything.relations())
            .map(|relation| Relation { terms: everything.relation(relation).collect() })
            .collect();
        let truth = everything.cells().iter().map(|cell| cell.value).collect();
        let before = View::new(seen.collect(), &relations)
            .ok()
            .and_then(|view| reach(&view, &Asked::widths(widths.clone()).from_table(truth)).ok());
        let free = |cell: &usize| {
            let varies = |interval: crate::intervals::Interval| {
                u32::try_from(widths[cell]).is_ok_and(|width| interval.varies(width) == crate::intervals::Verdict::Wide)
            };
            !self.history.frozen.contains(cell)
                && before.as_ref().is_some_and(|reached| reached.interval(*cell).is_some_and(varies))
        };
        let new: Vec<usize> = narrow.iter().copied().filter(|cell| widths.contains_key(cell) && free(cell)).collect();
        if new.is_empty() && narrow.iter().any(|cell| !self.excused.contains(cell)) {
            self.excused.extend(narrow);
            return Ok(());
        }
        if !self.history.outgrown.is_empty() {
            // What is no secret any more protects itself only as far as it is in nobody's way.
            self.asked.retain(|cell| self.primary.contains(cell) || !self.history.outgrown.contains(cell));
            self.history = History::of(self.relations, self.truth, self.earlier, false);
            self.excused.clear();
            return Ok(());
        }
        let published = |cell: &usize| self.relations.cells[*cell].standing == Standing::Protected;
        let cells = names(self.relations, self.history.frozen.iter().copied().filter(published));
        Err(ProtectError::Frozen { cells })
    }

    /// No need of its own helps: hides the cheapest of the cells nearest to the first trouble.
    fn hide_one_more(&mut self, troubles: &[Trouble]) -> Result<(), ProtectError> {
        let first = troubles[0];
        let beside = matches!(first.cause, Cause::TooNarrowWithEarlier | Cause::DifferenceTooNarrowWithEarlier)
            || (first.cause == Cause::NotProven && !self.earlier.is_empty());
        let candidate = |cell: usize| {
            self.relations.cells[cell].standing == Standing::Protected
                && !self.hidden.contains(&cell)
                && !(beside && self.history.frozen.contains(&cell))
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
                self.forced.insert(cell);
                return Ok(());
            }
            if reached.len() == before {
                break;
            }
        }
        let frozen = reached.iter().copied().filter(|cell| self.history.frozen.contains(cell));
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
