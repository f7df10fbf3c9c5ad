//! Which figures may be shown without making another one computable, by elimination in one joint system.
//!
//! Every cell is a linear function on the space of all moves (integer changes of the whole table that keep each
//! relation). Showing a cell restricts the moves to those that leave it alone; a hidden cell is computable exactly
//! when no move changes it any more. The [`Dictionary`] keeps each dependent cell as a combination of free ones and
//! shrinks as cells are shown.
//!
//! After Langsrud's Gaussian elimination for secondary suppression. Coefficients are kept modulo the prime
//! 2^61 − 1: a combination that only vanishes modulo the prime hides a cell without need, and the reverse
//! takes a coefficient that the prime divides. What is shown in the end rests on the audit, not on this.

mod modular;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::system::System;
pub(crate) use modular::Residue;

type Row = Vec<(u32, Residue)>;

/// Dependent cells as combinations of free ones.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    /// By cell; `None` for free cells and for cells that were shown.
    rows: Vec<Option<Row>>,
    /// By free cell: dependent cells that may contain it. Entries may be stale or double.
    columns: Vec<Vec<u32>>,
    shown: Vec<bool>,
    /// Cells that stay free as long as others can depend on them.
    late: Vec<bool>,
}

fn coefficient(row: &Row, column: u32) -> Option<Residue> {
    row.binary_search_by_key(&column, |&(at, _)| at).ok().map(|position| row[position].1)
}

fn narrow(cell: usize) -> u32 {
    u32::try_from(cell).expect("a system has fewer than 2^32 cells")
}

/// `into += factor · row`, telling which columns are new in `into`.
fn add(into: &mut Row, factor: Residue, row: &Row, mut entered: impl FnMut(u32)) {
    let mut sum = Vec::with_capacity(into.len() + row.len());
    let (mut left, mut right) = (into.iter().peekable(), row.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(&&(a, x)), Some(&&(b, y))) if a == b => {
                let value = x + factor * y;
                if !value.is_zero() {
                    sum.push((a, value));
                }
                left.next();
                right.next();
            }
            (Some(&&(a, x)), Some(&&(b, _))) if a < b => {
                sum.push((a, x));
                left.next();
            }
            (Some(&&(a, x)), None) => {
                sum.push((a, x));
                left.next();
            }
            (_, Some(&&(b, y))) => {
                sum.push((b, factor * y));
                entered(b);
                right.next();
            }
            (None, None) => break,
        }
    }
    *into = sum;
}

impl Dictionary {
    /// Solves the relations for as many cells as they determine; cells in `settled` are shown from the start.
    pub(crate) fn new(system: &System, settled: &[bool]) -> Self {
        Self::within(system, 0..system.relations(), settled)
    }

    /// The same; cells that are `late` stay free as long as others can depend on them, so that what is a combination of
    /// late ones alone has them alone in its row.
    pub(crate) fn after(system: &System, settled: &[bool], late: Vec<bool>) -> Self {
        Self::solve(system, 0..system.relations(), settled, late)
    }

    /// As if only these relations were there: right where all others hold settled cells alone.
    pub(crate) fn within(system: &System, relations: impl Iterator<Item = usize>, settled: &[bool]) -> Self {
        Self::solve(system, relations, settled, vec![false; settled.len()])
    }

    fn solve(system: &System, relations: impl Iterator<Item = usize>, settled: &[bool], late: Vec<bool>) -> Self {
        let cells = system.cells().len();
        let mut lines: Vec<Row> = relations
            .map(|relation| {
                let open = system.relation(relation).filter(|&(cell, _)| !settled[cell]);
                let mut row: Row = open.map(|(cell, value)| (narrow(cell), Residue::from(value))).collect();
                row.sort_unstable_by_key(|&(at, _)| at);
                row
            })
            .collect();
        let mut columns: Vec<Vec<u32>> = vec![Vec::new(); cells];
        for (index, line) in lines.iter().enumerate() {
            for &(cell, _) in line {
                columns[cell as usize].push(narrow(index));
            }
        }
        let mut solved_for: Vec<Option<u32>> = vec![None; lines.len()];
        let mut queue: BinaryHeap<Reverse<(usize, usize)>> =
            lines.iter().enumerate().map(|(index, line)| Reverse((line.len(), index))).collect();
        while let Some(Reverse((length, index))) = queue.pop() {
            if solved_for[index].is_some() || lines[index].is_empty() {
                continue;
            }
            if lines[index].len() != length {
                queue.push(Reverse((lines[index].len(), index)));
                continue;
            }
            // Few other lines to change, and the last cell among equals: the same member of each family, so that
            // families of different axes fill in as one product and not as a tangle.
            let pivot = lines[index].iter().map(|&(cell, _)| cell);
            let unit = |cell: u32| coefficient(&lines[index], cell).is_some_and(|value| value.balanced().abs() == 1);
            let pivot = pivot
                .min_by_key(|&cell| (late[cell as usize], !unit(cell), columns[cell as usize].len(), Reverse(cell)));
            let pivot = pivot.expect("the line is not empty");
            let inverse = coefficient(&lines[index], pivot).expect("the pivot is in its line").inverse();
            solved_for[index] = Some(pivot);
            let line = std::mem::take(&mut lines[index]);
            for other in std::mem::take(&mut columns[pivot as usize]) {
                let Some(value) = coefficient(&lines[other as usize], pivot) else { continue };
                let factor = -(value * inverse);
                add(&mut lines[other as usize], factor, &line, |cell| columns[cell as usize].push(other));
                if solved_for[other as usize].is_none() {
                    queue.push(Reverse((lines[other as usize].len(), other as usize)));
                }
            }
            lines[index] = line;
        }
        let mut dictionary =
            Self { rows: vec![None; cells], columns: vec![Vec::new(); cells], shown: settled.to_vec(), late };
        for (line, solved) in lines.into_iter().zip(solved_for) {
            let Some(cell) = solved else { continue };
            let factor = -coefficient(&line, cell).expect("the pivot is in its line").inverse();
            let row: Row = line.into_iter().filter(|&(at, _)| at != cell).map(|(at, x)| (at, factor * x)).collect();
            for &(at, _) in &row {
                dictionary.columns[at as usize].push(cell);
            }
            dictionary.rows[cell as usize] = Some(row);
        }
        dictionary
    }

    /// Whether no move changes the cell.
    pub(crate) fn computable(&self, cell: usize) -> bool {
        self.shown[cell] || self.rows[cell].as_ref().is_some_and(Vec::is_empty)
    }

    /// The combination of free cells that a hidden dependent cell is; `None` if it is free (or shown).
    pub(crate) fn row(&self, cell: usize) -> Option<&[(u32, Residue)]> {
        self.rows[cell].as_deref()
    }

    /// Whether showing `cell` would make one of `targets` computable.
    pub(crate) fn gives_away(&self, cell: usize, targets: &[bool]) -> bool {
        let targets = |cell: u32| targets.get(cell as usize).is_some_and(|&target| target);
        let Some(row) = &self.rows[cell] else {
            // A free cell gives away what is a multiple of it.
            return self.columns[cell].iter().any(|&other| {
                targets(other)
                    && self.rows[other as usize].as_ref().is_some_and(|row| row.len() == 1 && row[0].0 as usize == cell)
            });
        };
        if row.len() == 1 && targets(row[0].0) {
            return true;
        }
        let Some(&(rare, _)) = row.iter().min_by_key(|&&(at, _)| self.columns[at as usize].len()) else {
            return false;
        };
        self.columns[rare as usize].iter().any(|&other| {
            other as usize != cell
                && targets(other)
                && self.rows[other as usize].as_ref().is_some_and(|target| proportional(row, target))
        })
    }

    /// Adds a figure that is this combination of cells; what is the answer stands for it, like a cell.
    pub(crate) fn define(&mut self, terms: &[(usize, i64)]) -> usize {
        let mut row: Row = Vec::new();
        for &(cell, by) in terms.iter().filter(|&&(cell, _)| !self.shown[cell]) {
            let free = vec![(narrow(cell), Residue::from(1))];
            add(&mut row, Residue::from(by), self.rows[cell].as_ref().unwrap_or(&free), |_| {});
        }
        let index = self.rows.len();
        for &(at, _) in &row {
            self.columns[at as usize].push(narrow(index));
        }
        self.rows.push(Some(row));
        self.columns.push(Vec::new());
        self.shown.push(false);
        self.late.push(false);
        index
    }

    fn pivot(&self, row: &Row) -> Option<(u32, Residue)> {
        let key = |&&(at, value): &&(u32, Residue)| {
            (self.late[at as usize], value.balanced().abs() != 1, self.columns[at as usize].len())
        };
        row.iter().min_by_key(key).copied()
    }

    /// Shows a cell: from now on no move changes it.
    pub(crate) fn show(&mut self, cell: usize) {
        if std::mem::replace(&mut self.shown[cell], true) {
            return;
        }
        let Some(row) = self.rows[cell].take() else {
            let gone = narrow(cell);
            for other in std::mem::take(&mut self.columns[cell]) {
                if let Some(row) = &mut self.rows[other as usize]
                    && let Ok(position) = row.binary_search_by_key(&gone, |&(at, _)| at)
                {
                    row.remove(position);
                }
            }
            return;
        };
        let Some((pivot, value)) = self.pivot(&row) else { return };
        // 0 = Σ row: the pivot becomes dependent on the others.
        let inverse = value.inverse();
        for other in std::mem::take(&mut self.columns[pivot as usize]) {
            let columns = &mut self.columns;
            let Some(target) = &mut self.rows[other as usize] else { continue };
            let Some(value) = coefficient(target, pivot) else { continue };
            add(target, -(value * inverse), &row, |at| columns[at as usize].push(other));
        }
        let solved: Row = row.iter().filter(|&&(at, _)| at != pivot).map(|&(at, x)| (at, -(x * inverse))).collect();
        for &(at, _) in &solved {
            self.columns[at as usize].push(pivot);
        }
        self.rows[pivot as usize] = Some(solved);
    }
}

fn proportional(left: &Row, right: &Row) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.0 == b.0 && a.1 * right[0].1 == b.1 * left[0].1)
}
