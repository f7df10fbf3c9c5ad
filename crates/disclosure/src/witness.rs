//! Whole tables that an intruder cannot tell from the true one.
//!
//! One table serves many targets: the range that a target takes over all tables of the pool is a proof of its need.

mod proof;
mod search;

use std::cmp::Reverse;

use crate::space::Space;
use crate::system::{Need, Standing, System};
pub use proof::{Proof, Short};

/// How many moves to bend a table along.
const BENDS: usize = 4;

/// How many tables are kept for each target and way.
const KEPT: usize = 2;

/// So few tables need no pruning.
const PRUNED: usize = 64;

/// How tables were found, and not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Earlier tables that were bent along one move.
    pub moved: u64,
    /// Searches by whole steps along moves.
    pub pushed: u64,
    /// Searches by whole steps from earlier tables.
    pub carried: u64,
    /// Searches by a linear program, to know whether branching is worth it.
    pub driven: u64,
    /// Searches by linear programs and branching.
    pub dived: u64,
    /// Targets that cannot vary enough, even in fractions.
    pub narrow: u64,
    /// Targets that vary enough in fractions, but no whole tables were found.
    pub gaps: u64,
}

/// How far a figure was seen to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Reach {
    fn with(self, change: i32) -> Self {
        Self { low: self.low.min(change.into()), high: self.high.max(change.into()) }
    }

    pub(crate) fn meets(self, need: Need) -> bool {
        self.low <= -i64::from(need.below)
            && self.high >= i64::from(need.above)
            && self.high - self.low >= i64::from(need.width)
    }
}

/// What came of looking for tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// They show the width that is needed.
    Wide,
    /// There are none, not even in fractions: this sum of hidden cells and multiples (the target, and cells that all
    /// stand at an end of their range) follows from what is shown.
    Narrow(Vec<(usize, i64)>),
    /// None were found.
    Unclear,
}

/// Who reads what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knower {
    Anybody,
    /// Who knows all of his own figures.
    Owner(u32),
}

/// A whole table, as changes against the true one.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Cell of the system and its change, never zero, by ascending cell.
    pub(crate) changes: Vec<(u32, i32)>,
    /// Owners of changed cells, ascending: what these know contradicts the table.
    owners: Vec<u32>,
    /// Whether a linear program had a part in finding it.
    linear: bool,
}

impl Table {
    /// `None` if a relation does not hold, in exact integers; `sums` is zero by relation, before and after.
    fn new(system: &System, changes: Vec<(u32, i32)>, sums: &mut [i64]) -> Option<Self> {
        let mut touched = Vec::new();
        for &(cell, change) in &changes {
            for (relation, coefficient) in system.uses(cell as usize) {
                sums[relation] += coefficient * i64::from(change);
                touched.push(relation);
            }
        }
        let holds = touched.iter().all(|&relation| sums[relation] == 0);
        for relation in touched {
            sums[relation] = 0;
        }
        if !holds {
            return None;
        }
        let mut owners: Vec<u32> =
            changes.iter().filter_map(|&(cell, _)| system.cells()[cell as usize].owner).collect();
        owners.sort_unstable();
        owners.dedup();
        Some(Self { changes, owners, linear: false })
    }

    fn change(&self, cell: u32) -> i32 {
        self.changes.binary_search_by_key(&cell, |&(at, _)| at).map_or(0, |position| self.changes[position].1)
    }
}

/// Tables taken away from a pool for the time of a trial.
struct Buried {
    kept: usize,
    tables: Vec<(usize, Table)>,
    /// By table: whether it was bent already.
    bent: Vec<bool>,
}

/// Tables that agree with everything shown, and what they prove.
pub(crate) struct Pool<'a> {
    system: &'a System,
    /// By cell; `None` for those that need nothing.
    needs: Vec<Option<Need>>,
    tables: Vec<Option<Table>>,
    /// By cell: tables that change it, and by how much. Tables may be gone.
    holders: Vec<Vec<(u32, i32)>>,
    alive: usize,
    /// By relation: zero, but while a table is verified.
    sums: Vec<i64>,
    /// How many tables were kept when those that no target needs were forgotten last.
    pruned: usize,
    /// By target: how often nothing replaced the tables that it lost.
    lost: Vec<u32>,
    pub(crate) effort: Effort,
}

impl<'a> Pool<'a> {
    /// A pool for all primaries; those without a need of their own vary by `width`.
    pub(crate) fn new(system: &'a System, width: u32) -> Self {
        let need = |cell: usize| (system.cells()[cell].standing == Standing::Primary).then(|| system.need(cell, width));
        Self {
            needs: (0..system.cells().len()).map(need).collect(),
            system,
            tables: Vec::new(),
            holders: vec![Vec::new(); system.cells().len()],
            alive: 0,
            sums: vec![0; system.relations()],
            pruned: 0,
            lost: vec![0; system.cells().len()],
            effort: Effort::default(),
        }
    }

    /// A pool that cares for one primary only, and begins with what this one knows.
    pub(crate) fn alone(&self, target: usize) -> Self {
        let mut needs = vec![None; self.needs.len()];
        needs[target] = self.needs[target];
        Self {
            system: self.system,
            needs,
            tables: Vec::new(),
            holders: vec![Vec::new(); self.holders.len()],
            alive: 0,
            sums: vec![0; self.system.relations()],
            pruned: 0,
            lost: vec![0; self.lost.len()],
            effort: Effort::default(),
        }
    }

    /// All targets in ascending order.
    pub(crate) fn targets(&self) -> Vec<usize> {
        (0..self.needs.len()).filter(|&cell| self.needs[cell].is_some()).collect()
    }

    /// Takes over the tables of another pool.
    pub(crate) fn absorb(&mut self, other: Self) {
        for table in other.tables.into_iter().flatten() {
            self.admit(table);
        }
        self.effort.moved += other.effort.moved;
        self.effort.pushed += other.effort.pushed;
        self.effort.driven += other.effort.driven;
        self.effort.dived += other.effort.dived;
    }

    /// What the tables show that an owner (or nobody in particular) cannot rule out.
    fn reach(&self, cell: usize, owner: Option<u32>) -> Reach {
        let mut reach = Reach::default();
        for &(index, change) in &self.holders[cell] {
            if let Some(table) = &self.tables[index as usize]
                && owner.is_none_or(|owner| table.owners.binary_search(&owner).is_err())
            {
                reach = reach.with(change);
            }
        }
        reach
    }

    /// Who knows too much about a target for its need.
    pub(crate) fn lacks(&self, target: usize) -> Option<Knower> {
        let need = self.needs[target]?;
        if !self.reach(target, None).meets(need) {
            return Some(Knower::Anybody);
        }
        // Who has no figure in the two tables that go furthest cannot rule these out.
        let alive =
            self.holders[target].iter().filter_map(|&(index, by)| Some((by, self.tables[index as usize].as_ref()?)));
        let far = [alive.clone().min_by_key(|&(by, _)| by), alive.max_by_key(|&(by, _)| by)];
        let mut owners: Vec<u32> = far.iter().flatten().flat_map(|(_, table)| table.owners.iter().copied()).collect();
        owners.sort_unstable();
        owners.dedup();
        let own = self.system.cells()[target].owner;
        let known = |owner: &u32| own != Some(*owner) && !self.reach(target, Some(*owner)).meets(need);
        owners.into_iter().find(known).map(Knower::Owner)
    }

    /// Whether tables that were found by whole steps alone meet the need of a target, for anybody.
    pub(crate) fn stepped(&self, target: usize) -> bool {
        let held = self.holders[target].iter();
        let plain = held.filter(|(index, _)| self.tables[*index as usize].as_ref().is_some_and(|table| !table.linear));
        let reach = plain.fold(Reach::default(), |reach, &(_, change)| reach.with(change));
        self.needs[target].is_none_or(|need| reach.meets(need))
    }

    /// The tables that some target needs.
    pub(crate) fn proof(&self) -> Proof {
        Proof::new(self.tables.iter().flatten().cloned().collect())
    }

    fn admit(&mut self, table: Table) {
        let index = narrow(self.tables.len());
        for &(cell, change) in &table.changes {
            self.holders[cell as usize].push((index, change));
        }
        self.tables.push(Some(table));
        self.alive += 1;
    }

    /// Forgets the tables from `kept` on.
    fn forget(&mut self, kept: usize) {
        for index in (kept..self.tables.len()).rev() {
            let Some(table) = self.tables.pop().expect("counted just before") else { continue };
            self.alive -= 1;
            for &(cell, _) in &table.changes {
                let holders = &mut self.holders[cell as usize];
                while holders.last().is_some_and(|&(at, _)| at as usize >= index) {
                    holders.pop();
                }
            }
        }
    }

    /// Tries to show cells (local indices): true if every target still meets its need, with tables that prove it;
    /// otherwise nothing changed.
    pub(crate) fn without(&mut self, space: &mut Space, locals: &[usize]) -> bool {
        let held: Vec<(usize, (f64, f64))> = locals.iter().map(|&local| (local, space.hold(local))).collect();
        let mut buried = self.bury(locals.iter().map(|&local| space.cells()[local]));
        let moves = if let &[local] = locals { space.returns(local, BENDS) } else { Vec::new() };
        let lost = self.touched(&buried).into_iter().find(|&target| {
            let lacks = self.lacks(target).is_some();
            lacks && !self.bend(space, target, locals[0], &moves, &mut buried) && !self.again(space, target)
        });
        if let Some(lost) = lost {
            self.lost[lost] += 1;
            for (local, range) in held {
                space.loosen(local, range);
            }
            self.dig_up(buried);
            return false;
        }
        if self.alive > PRUNED.max(2 * self.pruned) {
            self.prune();
        } else {
            self.compact();
        }
        true
    }

    /// Takes the tables that change one of these cells away.
    fn bury(&mut self, cells: impl Iterator<Item = usize>) -> Buried {
        let mut buried = Buried { kept: self.tables.len(), tables: Vec::new(), bent: Vec::new() };
        for cell in cells {
            for &(index, _) in &self.holders[cell] {
                if let Some(table) = self.tables[index as usize].take() {
                    self.alive -= 1;
                    buried.tables.push((index as usize, table));
                }
            }
        }
        buried.bent = vec![false; buried.tables.len()];
        buried
    }

    /// Targets that lost a table, those first for which most was tried in vain: most trials fail, and end there.
    fn touched(&self, buried: &Buried) -> Vec<usize> {
        let changes = buried.tables.iter().flat_map(|(_, table)| &table.changes);
        let mut touched: Vec<usize> =
            changes.map(|&(cell, _)| cell as usize).filter(|&cell| self.needs[cell].is_some()).collect();
        touched.sort_unstable();
        touched.dedup();
        touched.sort_by_key(|&target| Reverse(self.lost[target]));
        touched
    }

    /// Bends what was taken away along moves of the cell at `local`, until a target meets its need again.
    fn bend(
        &mut self,
        space: &mut Space,
        target: usize,
        local: usize,
        moves: &[Vec<(u32, f64)>],
        buried: &mut Buried,
    ) -> bool {
        let mut reach = self.reach(target, None);
        for ((_, table), bent) in buried.tables.iter().zip(&mut buried.bent) {
            let useful = reach.with(table.change(narrow(target))) != reach;
            if !useful || std::mem::replace(bent, true) {
                continue;
            }
            for along in moves {
                self.effort.moved += 1;
                space.spend((table.changes.len() + along.len()) as u64);
                if let Some(changes) = space.returned(&table.changes, local, along)
                    && let Some(bent) = Table::new(self.system, changes, &mut self.sums)
                {
                    reach = reach.with(bent.change(narrow(target)));
                    self.admit(Table { linear: table.linear, ..bent });
                    break;
                }
            }
            if self.needs[target].is_some_and(|need| reach.meets(need)) && self.lacks(target).is_none() {
                return true;
            }
        }
        false
    }

    /// Brings them back, and forgets all that came since.
    fn dig_up(&mut self, buried: Buried) {
        self.forget(buried.kept);
        for (index, table) in buried.tables {
            self.tables[index] = Some(table);
            self.alive += 1;
        }
    }

    /// Forgets tables in which no target goes furthest, or next to that.
    pub(crate) fn prune(&mut self) {
        let mut kept = vec![false; self.tables.len()];
        for target in self.targets() {
            let mut far: Vec<(i32, u32)> = self.holders[target]
                .iter()
                .filter(|&&(index, _)| self.tables[index as usize].is_some())
                .map(|&(index, by)| (by, index))
                .collect();
            far.sort_unstable();
            far.iter()
                .take(KEPT)
                .chain(far.iter().rev().take(KEPT))
                .for_each(|&(_, index)| kept[index as usize] = true);
        }
        let mut spare: Vec<Option<Table>> =
            self.tables.iter_mut().zip(kept).map(|(table, kept)| if kept { None } else { table.take() }).collect();
        // An owner may contradict those that go furthest.
        for target in self.targets() {
            if self.lacks(target).is_some() {
                for &(index, _) in &self.holders[target] {
                    if let Some(table) = spare[index as usize].take() {
                        self.tables[index as usize] = Some(table);
                    }
                }
            }
        }
        self.alive = self.tables.iter().flatten().count();
        self.pruned = self.alive;
        self.compact();
    }

    fn compact(&mut self) {
        if self.alive * 2 > self.tables.len() || self.tables.len() < 64 {
            return;
        }
        let tables = std::mem::take(&mut self.tables);
        self.holders.iter_mut().for_each(Vec::clear);
        self.alive = 0;
        for table in tables.into_iter().flatten() {
            self.admit(table);
        }
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("a system has fewer than 2^32 cells")
}
