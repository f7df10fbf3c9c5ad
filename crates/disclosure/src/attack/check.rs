//! Whether a version may be shown: alone, and beside everything shown before.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::Cause;
use super::links::{Joint, join};
use super::search::{Reaches, explore};
use super::world::{Contradiction, Visible, World};
use crate::relations::{Relations, Standing};
use crate::rule::Need;

/// Something that may not be shown as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trouble {
    /// The unknown of the relations that is not safe.
    pub(crate) cell: usize,
    pub(crate) cause: Cause,
}

/// Cells whose need holds whatever their reachable interval: the node knows that few stand behind them.
pub(crate) type Trust = BTreeSet<usize>;

/// All troubles of `now`, given the `earlier` versions, newest first; empty if the version is safe.
pub(crate) fn check(relations: &Relations, now: &Visible, earlier: &[Visible], forced: &Trust) -> Vec<Trouble> {
    let mut troubles = shown_too_small(relations, now);
    troubles.extend(amounts_over_hidden_counts(relations, now));
    if !troubles.is_empty() {
        return troubles;
    }
    troubles = alone(relations, now, forced);
    if !troubles.is_empty() {
        return troubles;
    }
    let mut ledger: Vec<&Visible> = Vec::new();
    for version in earlier {
        if !ledger.contains(&version) {
            ledger.push(version);
        }
    }
    if ledger.contains(&now) {
        // Shown before, figure by figure: nobody learns anything.
        return Vec::new();
    }
    let all: Vec<usize> = (0..ledger.len()).collect();
    let mut rounds = vec![all.clone()];
    if all.len() > 1 {
        rounds.extend(all.iter().map(|&one| vec![one]));
    }
    for round in rounds.iter().filter(|round| !round.is_empty()) {
        troubles = beside(relations, now, &ledger, round, forced);
        if !troubles.is_empty() {
            return troubles;
        }
    }
    Vec::new()
}

/// Visible figures in the forbidden range. An amount does not tell how many stand behind it.
fn shown_too_small(relations: &Relations, now: &Visible) -> Vec<Trouble> {
    let small = |cell: usize| {
        let need = relations.cells[cell].need.filter(|need| need.below.is_some());
        need.zip(now[cell]).is_some_and(|(need, value)| need.meets(value, Some(value)))
    };
    (0..now.len())
        .filter(|&cell| relations.cells[cell].standing == Standing::Protected && small(cell))
        .map(|cell| Trouble { cell, cause: Cause::BelowThreshold })
        .collect()
}

/// An amount shown over rows whose number is hidden would be the amount of a few.
fn amounts_over_hidden_counts(relations: &Relations, now: &Visible) -> Vec<Trouble> {
    let found: BTreeSet<usize> = relations
        .twins
        .iter()
        .filter(|&&(count, amount)| {
            let (count_cell, amount_cell) = (&relations.cells[count], &relations.cells[amount]);
            count_cell.standing == Standing::Protected
                && count_cell.need.is_some()
                && now[count].is_none()
                && amount_cell.is_amount()
                && amount_cell.standing == Standing::Protected
                && now[amount].is_some()
        })
        .map(|&(_, amount)| amount)
        .collect();
    found.into_iter().map(|cell| Trouble { cell, cause: Cause::AmountOverHiddenCount }).collect()
}

/// The version without any memory of others.
fn alone(relations: &Relations, now: &Visible, forced: &Trust) -> Vec<Trouble> {
    let tasks: Vec<Task> =
        (0..now.len()).filter_map(|cell| Task::of(relations, cell, cell, now[cell], forced)).collect();
    match explore(World::of(relations, now), &asked(&tasks)) {
        Ok(reaches) => tasks.iter().filter_map(|task| task.trouble(&reaches, false)).collect(),
        Err(Contradiction(involved)) => vec![contradiction(relations, &involved)],
    }
}

/// Together with the versions of `ledger` (newest first) that `round` picks; what the ledger gives away already is
/// excused, if the new version does not make it worse.
fn beside(relations: &Relations, now: &Visible, ledger: &[&Visible], round: &[usize], forced: &Trust) -> Vec<Trouble> {
    let others: Vec<&Visible> = round.iter().map(|&version| ledger[version]).collect();
    let Ok(mut joint) = join(relations, now, &others) else {
        // Alone it was possible, and `join` leaves contradicting versions out.
        return vec![Trouble { cell: 0, cause: Cause::Contradiction }];
    };
    let world = std::mem::take(&mut joint.world);
    let tasks = joint_tasks(relations, &joint, now, &others, forced);
    let reaches = match explore(world, &asked(&tasks)) {
        Ok(reaches) => reaches,
        Err(Contradiction(involved)) => return vec![contradiction(relations, &involved)],
    };
    let troubled: Vec<(&Task, Trouble)> =
        tasks.iter().filter_map(|task| Some((task, task.trouble(&reaches, true)?))).collect();
    if troubled.is_empty() {
        return Vec::new();
    }
    let before = Before::of(relations, ledger);
    let excused = |task: &Task| {
        let proven = reaches.of.get(&task.id).map_or(-1, |reach| reach.proven);
        // The same unknown as in one of the earlier versions, where it was no less certain.
        joint.ids[1..].iter().zip(round).any(|(ids, &version)| {
            ids.as_ref().is_some_and(|ids| ids[task.cell] == task.id)
                && before.width(version, task.cell).is_some_and(|width| proven >= width)
        })
    };
    let mut left: Vec<Trouble> =
        troubled.into_iter().filter(|(task, _)| !excused(task)).map(|(_, trouble)| trouble).collect();
    left.sort();
    left.dedup();
    left
}

/// The unknowns of all versions in a joint world that need protection.
fn joint_tasks(relations: &Relations, joint: &Joint, now: &Visible, others: &[&Visible], forced: &Trust) -> Vec<Task> {
    let mut tasks: BTreeMap<usize, Task> = BTreeMap::new();
    let versions = std::iter::once(now).chain(others.iter().copied());
    for (ids, version) in joint.ids.iter().zip(versions) {
        let Some(ids) = ids else { continue };
        for (cell, &id) in ids.iter().enumerate() {
            // What a version shows by itself was its own business.
            if version[cell].is_none()
                && (id >= now.len() || now[cell].is_none())
                && let Some(task) = Task::of(relations, cell, id, None, forced)
            {
                tasks.entry(id).or_insert(task);
            }
        }
    }
    tasks.into_values().collect()
}

/// How uncertain the cells of the earlier versions were before the new one.
struct Before {
    ids: Vec<Option<Vec<usize>>>,
    reaches: Reaches,
}

impl Before {
    fn of(relations: &Relations, ledger: &[&Visible]) -> Self {
        let nothing = Self { ids: Vec::new(), reaches: Reaches::default() };
        let Some((last, older)) = ledger.split_first() else { return nothing };
        let Ok(joint) = join(relations, last, older) else { return nothing };
        let asked = (0..joint.world.known.len()).map(|id| (id, None)).collect();
        match explore(joint.world, &asked) {
            Ok(reaches) => Self { ids: joint.ids, reaches },
            Err(Contradiction(_)) => nothing,
        }
    }

    /// The outer width, the sure side for an excuse; `None` if there was no end, or if it is not known.
    fn width(&self, version: usize, cell: usize) -> Option<i128> {
        let reach = self.reaches.of.get(&self.ids.get(version)?.as_ref()?[cell])?;
        reach.high.map(|high| high - reach.low)
    }
}

fn contradiction(relations: &Relations, involved: &[usize]) -> Trouble {
    let cell = involved.iter().copied().filter(|&id| id < relations.cells.len());
    let named = cell.clone().find(|&id| !relations.cells[id].names.is_empty());
    Trouble { cell: named.or_else(|| cell.min()).unwrap_or(0), cause: Cause::Contradiction }
}

fn asked(tasks: &[Task]) -> BTreeMap<usize, Option<i128>> {
    tasks.iter().map(|task| (task.id, Some(i128::from(task.need.width)))).collect()
}

/// One unknown to protect.
#[derive(Clone, Copy)]
struct Task {
    cell: usize,
    /// The unknown in the world at hand.
    id: usize,
    need: Need,
    forced: bool,
    derived: bool,
}

impl Task {
    fn of(relations: &Relations, cell: usize, id: usize, shown: Option<i128>, forced: &Trust) -> Option<Self> {
        let facts = &relations.cells[cell];
        let need = facts.need?;
        let forced = forced.contains(&cell);
        let derived = facts.standing == Standing::Derived;
        let wanted = match facts.standing {
            Standing::Protected => shown.is_none(),
            // From a difference of amounts nobody outside can tell how many stand behind it; the node can.
            Standing::Derived => forced || need.below.is_some(),
            Standing::Open => false,
        };
        wanted.then_some(Self { cell, id, need, forced, derived })
    }

    fn trouble(&self, reaches: &Reaches, beside: bool) -> Option<Trouble> {
        let unproven = Trouble { cell: self.cell, cause: Cause::NotProven };
        let Some(reach) = reaches.of.get(&self.id) else { return Some(unproven) };
        let width = i128::from(self.need.width);
        if reach.proven >= width || !(self.forced || self.need.meets(reach.low, reach.high)) {
            return None;
        }
        if reach.high.is_none_or(|high| high - reach.low >= width) {
            return Some(unproven);
        }
        let cause = match (beside, self.derived) {
            (false, false) => Cause::TooNarrow,
            (false, true) => Cause::DifferenceTooNarrow,
            (true, false) => Cause::TooNarrowWithEarlier,
            (true, true) => Cause::DifferenceTooNarrowWithEarlier,
        };
        Some(Trouble { cell: self.cell, cause })
    }
}
