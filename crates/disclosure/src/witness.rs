//! Whole tables that an intruder cannot tell from the true one.
//!
//! One table serves many targets: the range that a target takes over all tables of the pool is a proof of its width.

use thiserror::Error;

use crate::space::{Space, Way};
use crate::system::{Standing, System};

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

/// How tables were found, and not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Earlier tables that were bent along one move.
    pub moved: u64,
    /// Searches by whole steps along moves.
    pub pushed: u64,
    /// Searches by linear programs and branching.
    pub dived: u64,
    /// Targets that cannot vary enough, even in fractions.
    pub narrow: u64,
    /// Targets that vary enough in fractions, but no whole tables were found.
    pub gaps: u64,
}

/// Whole tables that agree with everything shown, as changes against the true one.
///
/// Whoever holds the true table can check it without the engine: [`Proof::check`] uses nothing but the relations.
#[derive(Clone)]
pub struct Proof {
    cells: Vec<usize>,
    tables: Vec<Table>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({} tables)", self.tables.len())
    }
}

/// What a proof does not show.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Short {
    /// A table breaks a relation, a range, or a shown figure.
    #[error("table {0} of the proof does not agree with what is shown")]
    Unsound(usize),
    /// These primaries vary by less than the width.
    #[error("{} cells vary by less than the width", .0.len())]
    Narrow(Vec<usize>),
}

impl Proof {
    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Whether every primary varies by `width` over tables that satisfy every relation, every range and every shown
    /// figure, in exact integers. `hidden` in ascending order.
    pub fn check(&self, system: &System, hidden: &[usize], width: u32) -> Result<(), Short> {
        let mut least = vec![0_i64; system.cells().len()];
        let mut most = least.clone();
        let mut change = least.clone();
        for (index, table) in self.tables.iter().enumerate() {
            change.fill(0);
            for (&cell, &by) in self.cells.iter().zip(table) {
                change[cell] = i64::from(by);
            }
            let allowed = change.iter().zip(system.cells()).enumerate().all(|(cell, (&by, known))| {
                let figure = known.value + by;
                let kept = by == 0 || (known.standing != Standing::Shown && hidden.binary_search(&cell).is_ok());
                kept && figure >= known.low && known.high.is_none_or(|high| figure <= high)
            });
            if !allowed || !system.keeps(&change) {
                return Err(Short::Unsound(index));
            }
            for (cell, &by) in change.iter().enumerate() {
                least[cell] = least[cell].min(by);
                most[cell] = most[cell].max(by);
            }
        }
        let narrow = |&cell: &usize| {
            system.cells()[cell].standing == Standing::Primary && most[cell] - least[cell] < i64::from(width)
        };
        let narrow: Vec<usize> = (0..system.cells().len()).filter(narrow).collect();
        if narrow.is_empty() { Ok(()) } else { Err(Short::Narrow(narrow)) }
    }
}

pub(crate) struct Pool {
    pub(crate) targets: Vec<Target>,
    tables: Vec<Option<Table>>,
    reaches: Vec<Reach>,
    scratch: Vec<i64>,
    /// How much harder than usual to look.
    patience: u32,
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
            patience: 1,
            suspects: Vec::new(),
            effort: Effort::default(),
        }
    }

    fn alive(&self) -> usize {
        self.tables.iter().flatten().count()
    }

    /// The tables that some target needs.
    pub(crate) fn proof(&self, space: &Space) -> Proof {
        let mut used = vec![false; self.tables.len()];
        for reach in &self.reaches {
            for index in [reach.low_by, reach.high_by].into_iter().flatten() {
                used[index] = true;
            }
        }
        let tables = self.tables.iter().zip(used).filter(|(_, used)| *used).filter_map(|(table, _)| table.clone());
        Proof { cells: space.cells().to_vec(), tables: tables.collect() }
    }

    /// Whether the changes keep every relation, in exact integers.
    fn holds(&mut self, system: &System, space: &Space, table: &Table) -> bool {
        for (&cell, &change) in space.cells().iter().zip(table) {
            self.scratch[cell] = i64::from(change);
        }
        let sound = system.keeps(&self.scratch);
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
        if self.alive() * 2 > self.tables.len() {
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

    /// Local cells of targets that have not their width, after looking for each.
    pub(crate) fn narrow(&mut self, system: &System, space: &mut Space) -> Vec<usize> {
        let targets = 0..self.targets.len();
        let mut narrow: Vec<usize> = targets.filter(|&target| !self.widen(system, space, target)).collect();
        // What the others' tables left narrow deserves a longer look, from more places: nothing is gained by refusing.
        self.patience = 16;
        narrow.retain(|&target| !self.widen(system, space, target));
        self.patience = 1;
        narrow.into_iter().map(|target| self.targets[target].cell).collect()
    }

    fn wide(&self, target: usize) -> bool {
        self.reaches[target].high - self.reaches[target].low >= self.targets[target].width
    }

    fn widen(&mut self, system: &System, space: &mut Space, target: usize) -> bool {
        let Target { cell, width } = self.targets[target];
        let truth = space.truth()[cell];
        // Broken columns stay in here: pushes need whole ones.
        let mut probe: Option<Space> = None;
        for attempt in 0..6 {
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
                    scratch.push(&mut point, cell, way, goal, PUSHES * self.patience);
                    space.spend(scratch.work() - space.work());
                }
                2 => {
                    let Some(best) = high_by.and_then(|index| self.tables[index].as_ref()) else { continue };
                    for (figure, &change) in point.iter_mut().zip(best) {
                        *figure += f64::from(change);
                    }
                    self.effort.pushed += 1;
                    let mut scratch = space.clone();
                    scratch.push(&mut point, cell, way, goal, PUSHES * self.patience);
                    space.spend(scratch.work() - space.work());
                }
                3 => {
                    // Is it worth more?
                    let mut bottom = point.clone();
                    let scratch = probe.insert(space.clone());
                    scratch.drive(&mut bottom, cell, Way::Down, truth - f64::from(width), DRIVES * self.patience);
                    let bottom = bottom[cell].ceil().min(truth + f64::from(low));
                    let mut top = point;
                    if !scratch.drive(&mut top, cell, Way::Up, bottom + f64::from(width), DRIVES * self.patience) {
                        space.spend(scratch.work() - space.work());
                        self.effort.narrow += 1;
                        return false;
                    }
                    continue;
                }
                _ => {
                    self.effort.dived += 1;
                    let goal = if attempt == 4 { goal } else { truth + f64::from(low - 1) };
                    let scratch = probe.get_or_insert_with(|| space.clone());
                    if !scratch.dive(&mut point, cell, way, goal, &mut (NODES * self.patience)) {
                        continue;
                    }
                }
            }
            if let Some(table) = space.changes(&point) {
                self.admit(system, space, table);
            }
        }
        if let Some(probe) = probe {
            space.spend(probe.work() - space.work());
        }
        if !self.wide(target) {
            self.effort.gaps += 1;
        }
        self.wide(target)
    }
}
