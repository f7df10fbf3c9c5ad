//! Whole tables that an intruder cannot tell from the true one.
//!
//! One table serves many targets: the range that a target takes over all tables of the pool is a proof of its width.

use crate::space::{Space, Way};
use crate::system::System;

/// How hard to look for one table.
const PUSHES: u32 = 60;
const NODES: u32 = 24;
const DRIVES: u32 = 300;

/// A cell that must stay uncertain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Local index.
    pub(crate) cell: usize,
    pub(crate) width: i32,
}

/// Changes against the true table, by local index.
pub(crate) type Table = Vec<i32>;

#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    low: i32,
    high: i32,
    low_by: Option<usize>,
    high_by: Option<usize>,
}

/// How the tables were found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    pub moved: u64,
    pub pushed: u64,
    pub dived: u64,
    pub probed: u64,
    pub failed_narrow: u64,
    pub failed_gap: u64,
}

pub(crate) struct Pool {
    pub(crate) targets: Vec<Target>,
    tables: Vec<Option<Table>>,
    reaches: Vec<Reach>,
    scratch: Vec<i64>,
    /// Targets that failed last, tried first.
    suspects: Vec<usize>,
    pub(crate) effort: Effort,
}

impl Pool {
    pub(crate) fn new(system: &System, targets: Vec<Target>) -> Self {
        Self {
            reaches: vec![Reach::default(); targets.len()],
            targets,
            tables: Vec::new(),
            scratch: vec![0; system.cells().len()],
            suspects: Vec::new(),
            effort: Effort::default(),
        }
    }

    pub(crate) fn tables(&self) -> usize {
        self.tables.iter().flatten().count()
    }

    /// Whether the changes keep every relation, in exact integers.
    fn holds(&mut self, system: &System, space: &Space, table: &Table) -> bool {
        for (&cell, &change) in space.cells().iter().zip(table) {
            self.scratch[cell] = i64::from(change);
        }
        let sound = (0..system.relations()).all(|relation| {
            system.relation(relation).map(|(cell, coefficient)| coefficient * self.scratch[cell]).sum::<i64>() == 0
        });
        for &cell in space.cells() {
            self.scratch[cell] = 0;
        }
        sound
    }

    fn admit(&mut self, system: &System, space: &Space, table: Table) {
        if !self.holds(system, space, &table) {
            return;
        }
        let index = self.tables.len();
        for (target, reach) in self.targets.iter().zip(&mut self.reaches) {
            let change = table[target.cell];
            if change < reach.low {
                (reach.low, reach.low_by) = (change, Some(index));
            }
            if change > reach.high {
                (reach.high, reach.high_by) = (change, Some(index));
            }
        }
        self.tables.push(Some(table));
    }

    fn measure(&mut self, target: usize) {
        let cell = self.targets[target].cell;
        let mut reach = Reach::default();
        for (index, table) in self.tables.iter().enumerate() {
            let Some(table) = table else { continue };
            if table[cell] < reach.low {
                (reach.low, reach.low_by) = (table[cell], Some(index));
            }
            if table[cell] > reach.high {
                (reach.high, reach.high_by) = (table[cell], Some(index));
            }
        }
        self.reaches[target] = reach;
    }

    /// Tries to show `cell`: true if every target still has its width, with tables that prove it; otherwise nothing
    /// changed.
    pub(crate) fn without(&mut self, system: &System, space: &mut Space, cell: usize) -> bool {
        let range = space.hold(cell);
        let dead: Vec<usize> = (0..self.tables.len())
            .filter(|&index| self.tables[index].as_ref().is_some_and(|table| table[cell] != 0))
            .collect();
        let kept = (self.tables.len(), self.reaches.clone());
        let mut buried = Vec::with_capacity(dead.len());
        for &index in &dead {
            buried.push((index, self.tables[index].take()));
        }
        for target in 0..self.targets.len() {
            let reach = self.reaches[target];
            let lost = |by: Option<usize>| by.is_some_and(|index| self.tables[index].is_none());
            if lost(reach.low_by) || lost(reach.high_by) {
                self.measure(target);
            }
        }
        for (_, table) in &buried {
            let table = table.as_ref().expect("taken from a living place");
            let useful = self.targets.iter().zip(&self.reaches).any(|(target, reach)| {
                reach.high - reach.low < target.width
                    && (table[target.cell] < reach.low || table[target.cell] > reach.high)
            });
            if useful && let Some(moved) = space.returned(table, cell) {
                self.effort.moved += 1;
                self.admit(system, space, moved);
            }
        }
        if self.satisfy(system, space) {
            self.compact();
            return true;
        }
        space.loosen(cell, range);
        self.tables.truncate(kept.0);
        self.reaches = kept.1;
        for (index, table) in buried {
            self.tables[index] = table;
        }
        false
    }

    fn compact(&mut self) {
        if self.tables() * 2 > self.tables.len() {
            return;
        }
        self.tables.retain(Option::is_some);
        for target in 0..self.targets.len() {
            self.measure(target);
        }
    }

    /// Finds tables until every target has its width; false at the first that has not.
    pub(crate) fn satisfy(&mut self, system: &System, space: &mut Space) -> bool {
        let suspects: Vec<usize> = self.suspects.iter().rev().copied().collect();
        for target in suspects.into_iter().chain(0..self.targets.len()) {
            if !self.widen(system, space, target) {
                self.suspects.retain(|&known| known != target);
                self.suspects.push(target);
                if self.suspects.len() > 16 {
                    self.suspects.remove(0);
                }
                return false;
            }
        }
        true
    }

    /// Targets that have not their width, after looking for each.
    pub(crate) fn narrow(&mut self, system: &System, space: &mut Space) -> Vec<usize> {
        (0..self.targets.len()).filter(|&target| !self.widen(system, space, target)).collect()
    }

    fn wide(&self, target: usize) -> bool {
        self.reaches[target].high - self.reaches[target].low >= self.targets[target].width
    }

    fn widen(&mut self, system: &System, space: &mut Space, target: usize) -> bool {
        let Target { cell, width } = self.targets[target];
        let truth = space.truth()[cell];
        // Broken columns stay in here: pushes need whole ones.
        let mut probe: Option<Space> = None;
        let attempts = std::env::var("ATT").ok().and_then(|a| a.parse().ok()).unwrap_or(6);
        for attempt in 0..attempts {
            if self.wide(target) {
                return true;
            }
            let Reach { low, high, high_by, .. } = self.reaches[target];
            let (way, goal) = if attempt % 2 == 0 {
                (Way::Up, truth + f64::from(width + low))
            } else {
                (Way::Down, truth + f64::from(high - width))
            };
            let mut point = space.truth().clone();
            match attempt {
                0 | 1 => {
                    self.effort.pushed += 1;
                    let mut scratch = space.clone();
                    scratch.push(&mut point, cell, way, goal, PUSHES);
                    space.spend(scratch.work() - space.work());
                }
                2 => {
                    let Some(best) = high_by.and_then(|index| self.tables[index].as_ref()) else { continue };
                    for (figure, &change) in point.iter_mut().zip(best) {
                        *figure += f64::from(change);
                    }
                    self.effort.pushed += 1;
                    let mut scratch = space.clone();
                    scratch.push(&mut point, cell, way, goal, PUSHES);
                    space.spend(scratch.work() - space.work());
                }
                3 => {
                    // Is it worth more?
                    let mut bottom = point.clone();
                    let scratch = probe.insert(space.clone());
                    scratch.drive(&mut bottom, cell, Way::Down, truth - f64::from(width), DRIVES);
                    let bottom = bottom[cell].ceil().min(truth + f64::from(low));
                    let mut top = point;
                    if !scratch.drive(&mut top, cell, Way::Up, bottom + f64::from(width), DRIVES) {
                        space.spend(scratch.work() - space.work());
                        self.effort.failed_narrow += 1;
                        return false;
                    }
                    continue;
                }
                _ => {
                    self.effort.dived += 1;
                    let goal = if attempt == 4 { goal } else { truth + f64::from(low - 1) };
                    let scratch = probe.get_or_insert_with(|| space.clone());
                    if !scratch.dive(&mut point, cell, way, goal, &mut NODES.clone()) {
                        continue;
                    }
                }
            }
            if let Some(table) = space.changes(&point) {
                self.admit(system, space, table);
            }
        }
        if let Some(probe) = probe { self.effort.probed += probe.work() - space.work(); space.spend(probe.work() - space.work()); }
        if !self.wide(target) {
            self.effort.failed_gap += 1;
        }
        self.wide(target)
    }
}
