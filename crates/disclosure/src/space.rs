//! All tables that agree with what is shown: a simplex dictionary `change(dependent) = Σ column(free) · change(free)`
//! around the true table.
//!
//! Columns are sparse and kept in floating point, because they only *propose* tables. What is proposed is rounded,
//! and verified in exact integers by [`crate::witness`]; no bound computed here is ever taken for a proof.

mod basis;
mod travel;

pub(crate) use travel::Travel;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::eliminate::Dictionary;
use crate::system::System;

/// Below, a coefficient is zero.
const TINY: f64 = 1e-7;

/// Steps without progress after which the lowest index enters, against cycles.
const PATIENCE: u32 = 12;

/// What a cell is in the dictionary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Dependent,
    Free(u32),
    Shown,
}

/// A whole table, by local index of its cell.
pub(crate) type Point = Vec<f64>;

/// Which way to push a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    fn sign(self) -> f64 {
        match self {
            Self::Up => 1.0,
            Self::Down => -1.0,
        }
    }
}

type Column = Vec<(u32, f64)>;

#[derive(Clone, Debug)]
pub(crate) struct Space {
    /// Cells of the system, by local index.
    cells: Vec<usize>,
    truth: Point,
    low: Point,
    high: Point,
    place: Vec<Place>,
    /// By column: its cell.
    free: Vec<u32>,
    /// By column: dependent cells and by how much they change with it.
    columns: Vec<Column>,
    /// By dependent cell: columns that may contain it; entries may be stale.
    holders: Vec<Vec<u32>>,
    /// Terms rewritten so far: the engine's clock, the same on every machine.
    work: u64,
}

fn entry(column: &Column, cell: u32) -> f64 {
    column.binary_search_by_key(&cell, |&(at, _)| at).map_or(0.0, |position| column[position].1)
}

/// Each column at most once: what is stale may come true again.
fn note(holders: &mut Vec<u32>, column: u32) {
    if !holders.contains(&column) {
        holders.push(column);
    }
}

/// `into += factor · other`, without the entry at `except`, telling which cells are new in it.
fn combine(into: &Column, factor: f64, other: &Column, except: u32, mut entered: impl FnMut(u32)) -> Column {
    let mut sum = Vec::with_capacity(into.len() + other.len());
    let (mut a, mut b) = (0, 0);
    while a < into.len() || b < other.len() {
        let left = into.get(a).map_or(u32::MAX, |&(at, _)| at);
        let right = other.get(b).map_or(u32::MAX, |&(at, _)| at);
        let at = left.min(right);
        let mut value = 0.0;
        if left == at {
            value += into[a].1;
            a += 1;
        }
        if right == at {
            value += factor * other[b].1;
            b += 1;
        }
        let nearest = whole(value);
        if (value - nearest).abs() < 1e-9 {
            value = nearest;
        }
        if value != 0.0 && at != except {
            if left != at {
                entered(at);
            }
            sum.push((at, value));
        }
    }
    sum
}

impl Space {
    /// All cells of the dictionary that are neither shown nor computable.
    pub(crate) fn new(system: &System, dictionary: &Dictionary) -> Self {
        let cells: Vec<usize> = (0..system.cells().len()).filter(|&cell| !dictionary.computable(cell)).collect();
        let local = |cell: usize| cells.binary_search(&cell).expect("a cell of a row is not computable");
        let mut place = vec![Place::Dependent; cells.len()];
        let mut free = Vec::new();
        for (index, &cell) in cells.iter().enumerate() {
            if dictionary.row(cell).is_none() {
                place[index] = Place::Free(narrow(free.len()));
                free.push(narrow(index));
            }
        }
        let mut columns: Vec<Column> = vec![Vec::new(); free.len()];
        let mut holders = vec![Vec::new(); cells.len()];
        for (index, &cell) in cells.iter().enumerate() {
            for &(at, value) in dictionary.row(cell).unwrap_or_default() {
                let Place::Free(column) = place[local(at as usize)] else { continue };
                columns[column as usize].push((narrow(index), value.fraction()));
                holders[index].push(column);
            }
        }
        let of = |figure: &dyn Fn(usize) -> Option<i64>| -> Point {
            cells.iter().map(|&cell| figure(cell).map_or(f64::INFINITY, float)).collect()
        };
        Self {
            truth: of(&|cell| Some(system.cells()[cell].value)),
            low: of(&|cell| Some(system.cells()[cell].low)),
            high: of(&|cell| system.cells()[cell].high),
            place,
            free,
            columns,
            holders,
            cells,
            work: 0,
        }
    }

    pub(crate) fn cells(&self) -> &[usize] {
        &self.cells
    }

    /// The local index of a cell of the system.
    pub(crate) fn local(&self, cell: usize) -> Option<usize> {
        self.cells.binary_search(&cell).ok()
    }

    pub(crate) fn truth(&self) -> &Point {
        &self.truth
    }

    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// Counts work that a clone did.
    pub(crate) fn spend(&mut self, work: u64) {
        self.work += work;
    }

    fn pivot(&mut self, row: u32, column: usize) {
        let entering = std::mem::take(&mut self.columns[column]);
        let value = entry(&entering, row);
        let name = self.free[column];
        let mut touched = 0;
        let mut kept = vec![narrow(column)];
        let held = std::mem::take(&mut self.holders[row as usize]);
        for &other in &held {
            let index = other as usize;
            let across = match self.columns.get(index) {
                Some(body) if index != column => entry(body, row),
                _ => 0.0,
            };
            if across == 0.0 {
                continue;
            }
            let factor = -(across / value);
            let holders = &mut self.holders;
            let mut sum = combine(&self.columns[index], factor, &entering, row, |cell| {
                note(&mut holders[cell as usize], other);
            });
            // The cell that was free depends on this column now.
            let position = sum.partition_point(|&(at, _)| at < name);
            sum.insert(position, (name, factor));
            touched += sum.len();
            kept.push(other);
            self.columns[index] = sum;
        }
        self.holders[name as usize] = kept;
        let mut leaving: Column =
            entering.iter().filter(|&&(at, _)| at != row).map(|&(at, x)| (at, x / value)).collect();
        let position = leaving.partition_point(|&(at, _)| at < name);
        leaving.insert(position, (name, 1.0 / value));
        self.work += (touched + leaving.len() + held.len()) as u64;
        self.columns[column] = leaving;
        self.free[column] = row;
        self.place[name as usize] = Place::Dependent;
        self.place[row as usize] = Place::Free(narrow(column));
    }

    /// Columns that contain a dependent cell, with its coefficient there.
    fn held(&self, cell: u32) -> impl Iterator<Item = (usize, f64)> {
        let columns = self.holders[cell as usize].iter().map(|&column| column as usize);
        columns.filter_map(move |column| self.columns.get(column).map(|body| (column, entry(body, cell))))
    }

    /// Makes a cell free, if it is not; its column afterwards.
    fn release(&mut self, cell: usize) -> Option<usize> {
        match self.place[cell] {
            Place::Shown => None,
            Place::Free(column) => Some(column as usize),
            Place::Dependent => {
                let row = narrow(cell);
                let candidates = self.held(row).filter_map(|(column, value)| {
                    let body = &self.columns[column];
                    (value.abs() > TINY).then_some(((value.abs() - 1.0).abs() > 1e-9, body.len(), column))
                });
                let (_, _, column) = candidates.min()?;
                self.pivot(row, column);
                Some(column)
            }
        }
    }

    /// The columns that are nearest to a cell, as many as wanted; `None` if these are all.
    pub(crate) fn around(&self, cell: usize, many: usize) -> Option<Vec<u32>> {
        if many >= self.columns.len() {
            return None;
        }
        let mut near = Vec::with_capacity(many);
        let mut taken = vec![false; self.columns.len()];
        let mut seen = vec![false; self.cells.len()];
        let mut queue: BinaryHeap<Reverse<(usize, usize, u32)>> = BinaryHeap::new();
        let mut visit = |cell: usize, far: usize, queue: &mut BinaryHeap<Reverse<(usize, usize, u32)>>| {
            if std::mem::replace(&mut seen[cell], true) {
                return;
            }
            let own = match self.place[cell] {
                Place::Free(column) => Some(column),
                Place::Dependent | Place::Shown => None,
            };
            for &column in own.iter().chain(self.holders[cell].iter()) {
                if let Some(body) = self.columns.get(column as usize) {
                    queue.push(Reverse((far + body.len(), body.len(), column)));
                }
            }
        };
        visit(cell, 0, &mut queue);
        while near.len() < many
            && let Some(Reverse((far, _, column))) = queue.pop()
        {
            if std::mem::replace(&mut taken[column as usize], true) {
                continue;
            }
            near.push(column);
            visit(self.free[column as usize] as usize, far, &mut queue);
            for &(at, _) in &self.columns[column as usize] {
                visit(at as usize, far, &mut queue);
            }
        }
        Some(near)
    }

    /// Holds a cell at its true figure until it is shown or loosened. What it was is the answer.
    pub(crate) fn hold(&mut self, cell: usize) -> (f64, f64) {
        let range = (self.low[cell], self.high[cell]);
        self.low[cell] = self.truth[cell];
        self.high[cell] = self.truth[cell];
        range
    }

    pub(crate) fn loosen(&mut self, cell: usize, range: (f64, f64)) {
        (self.low[cell], self.high[cell]) = range;
    }

    /// From now on this cell keeps its true figure.
    pub(crate) fn show(&mut self, cell: usize) {
        let Some(column) = self.release(cell) else {
            self.place[cell] = Place::Shown;
            return;
        };
        self.place[cell] = Place::Shown;
        self.columns.swap_remove(column);
        self.free.swap_remove(column);
        if let Some(&moved) = self.free.get(column) {
            self.place[moved as usize] = Place::Free(narrow(column));
            for &(at, _) in &self.columns[column] {
                note(&mut self.holders[at as usize], narrow(column));
            }
        }
    }

    /// Moves that change a cell by one, in whole steps: what else changes, by ascending cell.
    pub(crate) fn returns(&mut self, local: usize, most: usize) -> Vec<Vec<(u32, f64)>> {
        let own = narrow(local);
        let mut columns: Vec<(usize, usize, f64)> = match self.place[local] {
            Place::Shown => Vec::new(),
            Place::Free(column) => vec![(0, column as usize, 1.0)],
            Place::Dependent => {
                let held = self.held(own).filter(|(_, value)| (value.abs() - 1.0).abs() < 1e-9);
                held.map(|(column, value)| (self.columns[column].len(), column, value)).collect()
            }
        };
        columns.sort_unstable_by_key(|&(length, column, _)| (length, column));
        columns.dedup_by_key(|&mut (_, column, _)| column);
        columns.truncate(most);
        let mut moves = Vec::with_capacity(columns.len());
        for (length, column, value) in columns {
            self.work += length as u64;
            let mut terms: Vec<(u32, f64)> = self.columns[column].iter().map(|&(at, x)| (at, x / value)).collect();
            let position = terms.partition_point(|&(at, _)| at < self.free[column]);
            terms.insert(position, (self.free[column], 1.0 / value));
            terms.retain(|&(at, _)| at != own);
            moves.push(terms);
        }
        moves
    }

    /// A table (changes by cell of the system) moved along a move of the cell at `local` until this one has its true
    /// figure again, if it stays possible.
    pub(crate) fn returned(&self, table: &[(u32, i32)], local: usize, along: &[(u32, f64)]) -> Option<Vec<(u32, i32)>> {
        let cell = narrow(self.cells[local]);
        let back = -table.iter().find(|&&(at, _)| at == cell).map_or(0.0, |&(_, change)| f64::from(change));
        let mut moved: Vec<(u32, i32)> = Vec::with_capacity(table.len() + along.len());
        // Both ascend, because local indices ascend with the system's.
        let mut rest = table.iter().filter(|&&(at, _)| at != cell).copied().peekable();
        for &(at, value) in along {
            let (local, name) = (at as usize, narrow(self.cells[at as usize]));
            while let Some(term) = rest.next_if(|&(other, _)| other < name) {
                moved.push(term);
            }
            let before = rest.next_if(|&(other, _)| other == name).map_or(0.0, |(_, change)| f64::from(change));
            let change = before + back * value;
            let figure = self.truth[local] + change;
            if (change - whole(change)).abs() > TINY
                || figure < self.low[local] - TINY
                || figure > self.high[local] + TINY
            {
                return None;
            }
            let change = small(change)?;
            if change != 0 {
                moved.push((name, change));
            }
        }
        moved.extend(rest);
        Some(moved)
    }

    /// Puts a point where a table (changes by cell of the system) is; what it changes elsewhere is the answer, `None` if
    /// a figure would be out of its range in here.
    pub(crate) fn carry(&self, point: &mut Point, table: &[(u32, i32)]) -> Option<Vec<(u32, i32)>> {
        point.clone_from(&self.truth);
        let mut elsewhere = Vec::new();
        for &(cell, by) in table {
            let Some(local) = self.local(cell as usize) else {
                elsewhere.push((cell, by));
                continue;
            };
            point[local] += f64::from(by);
            if point[local] < self.low[local] || point[local] > self.high[local] {
                return None;
            }
        }
        Some(elsewhere)
    }

    /// The changes of a point against the truth, by cell of the system, if all its figures are whole and possible.
    pub(crate) fn changes(&self, point: &[f64]) -> Option<Vec<(u32, i32)>> {
        let mut changes = Vec::new();
        for (local, &figure) in point.iter().enumerate() {
            let nearest = whole(figure);
            if (figure - nearest).abs() >= 1e-6 || nearest < self.low[local] || nearest > self.high[local] {
                return None;
            }
            let change = small(nearest - self.truth[local])?;
            if change != 0 {
                changes.push((narrow(self.cells[local]), change));
            }
        }
        Some(changes)
    }
}

/// The nearest whole number, ties to even: adding 1.5 · 2^52 leaves no room for a fraction. Without a call into the
/// mathematics library, this is a tenth of the engine's time.
fn whole(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    if x.abs() < 1e15 { (x + SHIFT) - SHIFT } else { x }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("a system has fewer than 2^32 cells")
}

#[expect(clippy::cast_precision_loss, reason = "figures are below 2^44, which a double holds exactly")]
fn float(figure: i64) -> f64 {
    figure as f64
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be in range just before")]
fn small(change: f64) -> Option<i32> {
    (change.abs() <= f64::from(i32::MAX)).then_some(whole(change) as i32)
}
