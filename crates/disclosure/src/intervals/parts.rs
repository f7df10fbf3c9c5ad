//! Cells that hang together, and the moves that whole tables differ by.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::propagate::Ranges;
use super::ratio::{Ratio, gcd, sized};
use super::view::View;
use super::{Contradiction, Halt};

/// Hidden cells whose figure ranges alone do not fix and that relations tie together.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// By local index: the cell.
    pub(super) cells: Vec<usize>,
    /// Relations that tie them, by index.
    pub(super) relations: Vec<usize>,
    /// `Σ coefficient · local cell = right-hand side`, one per relation.
    pub(super) equations: Vec<Equation>,
    /// A right-hand side beyond what is computed with: nothing is looked for here.
    pub(super) large: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Equation {
    pub(super) terms: Vec<(u32, i64)>,
    pub(super) sum: i64,
}

/// A whole change of a table that keeps every equation: its own cell by `stride`, others as in `terms`. No smaller
/// whole multiple of it exists.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub(super) stride: i64,
    pub(super) terms: Vec<(u32, i64)>,
}

/// All solutions of the equations: one of them, and a basis of moves.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    /// By move: its own cell, which no other move touches.
    pub(super) free: Vec<u32>,
    pub(super) moves: Vec<Move>,
    /// A solution that heeds no range.
    pub(super) start: Vec<Ratio>,
    /// Terms rewritten.
    pub(super) work: u64,
}

/// Why there is no solution to start from.
pub(super) enum Unsolved {
    /// Equations with these positions contradict each other, whatever the ranges.
    Inconsistent(Vec<usize>),
    Halt,
}

impl From<Halt> for Unsolved {
    fn from(Halt: Halt) -> Self {
        Self::Halt
    }
}

pub(super) fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("a view has fewer than 2^32 cells")
}

/// The parts of a view; cells with one figure left are in none.
pub(super) fn parts(view: &View, ranges: &Ranges) -> Result<Vec<Part>, Contradiction> {
    let count = view.cells().len();
    let open: Vec<bool> = (0..count).map(|cell| ranges.fixed(cell).is_none()).collect();
    let mut part_of = vec![usize::MAX; count];
    let mut local = vec![0_u32; count];
    let mut found: Vec<Part> = Vec::new();
    for first in (0..count).filter(|&cell| open[cell]) {
        if part_of[first] != usize::MAX {
            continue;
        }
        part_of[first] = found.len();
        let mut cells = vec![first];
        let mut next = 0;
        while let Some(&cell) = cells.get(next) {
            next += 1;
            for (relation, _) in view.uses(cell) {
                for (other, _) in view.relation(relation) {
                    if open[other] && part_of[other] == usize::MAX {
                        part_of[other] = found.len();
                        cells.push(other);
                    }
                }
            }
        }
        cells.sort_unstable();
        for (index, &cell) in cells.iter().enumerate() {
            local[cell] = narrow(index);
        }
        found.push(Part { cells, relations: Vec::new(), equations: Vec::new(), large: false });
    }
    for relation in 0..view.relations() {
        let mut equation = Equation::default();
        let mut sum = 0_i128;
        let mut part = None;
        for (cell, coefficient) in view.relation(relation) {
            if let Some(figure) = ranges.fixed(cell) {
                sum -= i128::from(coefficient) * i128::from(figure);
            } else {
                equation.terms.push((local[cell], coefficient));
                part = Some(part_of[cell]);
            }
        }
        let Some(part) = part else {
            if sum != 0 {
                return Err(Contradiction { relations: vec![relation] });
            }
            continue;
        };
        equation.terms.sort_unstable_by_key(|&(at, _)| at);
        match sized(i64::try_from(sum).ok()) {
            Ok(sum) => equation.sum = sum,
            Err(Halt) => found[part].large = true,
        }
        found[part].relations.push(relation);
        found[part].equations.push(equation);
    }
    Ok(found)
}

/// `keep · into − take · other`.
fn combine(
    into: &[(u32, i64)],
    keep: i64,
    other: &[(u32, i64)],
    take: i64,
    mut entered: impl FnMut(u32),
) -> Result<Vec<(u32, i64)>, Halt> {
    let mut sum = Vec::with_capacity(into.len() + other.len());
    let (mut a, mut b) = (0, 0);
    while a < into.len() || b < other.len() {
        let left = into.get(a).map_or(u32::MAX, |&(at, _)| at);
        let right = other.get(b).map_or(u32::MAX, |&(at, _)| at);
        let at = left.min(right);
        let mut value = 0_i64;
        if left == at {
            value = sized(into[a].1.checked_mul(keep))?;
            a += 1;
        }
        if right == at {
            let change = sized(other[b].1.checked_mul(take))?;
            value = sized(Some(value - change))?;
            b += 1;
        }
        if value != 0 {
            if left != at {
                entered(at);
            }
            sum.push((at, value));
        }
    }
    Ok(sum)
}

/// The coefficient of a cell in sorted terms; zero if it is not there.
pub(super) fn coefficient(terms: &[(u32, i64)], cell: u32) -> i64 {
    terms.binary_search_by_key(&cell, |&(at, _)| at).map_or(0, |position| terms[position].1)
}

impl Move {
    /// The move of another free cell, bent until it leaves the dependent cell `row` of `through` alone. `name` is the
    /// free cell of `through`.
    pub(super) fn bent(
        &self,
        row: u32,
        through: &Self,
        name: u32,
        mut entered: impl FnMut(u32),
    ) -> Result<Option<Self>, Halt> {
        let own = coefficient(&self.terms, row);
        if own == 0 {
            return Ok(None);
        }
        let pivot = coefficient(&through.terms, row);
        let common = gcd(own, pivot);
        let (keep, take) = (pivot / common, own / common);
        let (keep, take) = if keep < 0 { (-keep, -take) } else { (keep, take) };
        let mut terms = combine(&self.terms, keep, &through.terms, take, &mut entered)?;
        let stride = sized(self.stride.checked_mul(keep))?;
        let position = terms.partition_point(|&(at, _)| at < name);
        terms.insert(position, (name, sized(through.stride.checked_mul(-take))?));
        Ok(Some(Self { stride, terms }.reduced()))
    }

    fn reduced(mut self) -> Self {
        let mut common = self.stride;
        for &(_, value) in &self.terms {
            if common == 1 {
                return self;
            }
            common = gcd(common, value);
        }
        self.stride /= common;
        for (_, value) in &mut self.terms {
            *value /= common;
        }
        self
    }
}

impl Solved {
    /// Solves the equations for as many cells as they determine; `traced` adds one more cell to each equation, with
    /// the index `cells + position`, which is nobody's figure and tells in the end where a combination comes from.
    pub(super) fn new(part: &Part, low: &[i64], traced: bool, limit: u64) -> Result<Self, Unsolved> {
        let real = narrow(part.cells.len());
        let tracers = if traced { part.equations.len() } else { 0 };
        let mut work = 0_u64;
        let mut lines: Vec<Equation> = part.equations.clone();
        if traced {
            for (index, line) in lines.iter_mut().enumerate() {
                line.terms.push((real + narrow(index), 1));
            }
        }
        let length = |line: &Equation| line.terms.partition_point(|&(at, _)| at < real);
        let mut columns: Vec<Vec<u32>> = vec![Vec::new(); part.cells.len() + tracers];
        for (index, line) in lines.iter().enumerate() {
            for &(cell, _) in &line.terms {
                columns[cell as usize].push(narrow(index));
            }
        }
        let mut solved_for: Vec<Option<u32>> = vec![None; lines.len()];
        let mut queue: BinaryHeap<Reverse<(usize, usize)>> =
            lines.iter().enumerate().map(|(index, line)| Reverse((length(line), index))).collect();
        while let Some(Reverse((known, index))) = queue.pop() {
            if solved_for[index].is_some() {
                continue;
            }
            let now = length(&lines[index]);
            if now != known {
                queue.push(Reverse((now, index)));
                continue;
            }
            if now == 0 {
                if lines[index].sum != 0 {
                    let from = lines[index].terms.iter().map(|&(at, _)| (at - real) as usize);
                    return Err(Unsolved::Inconsistent(from.collect()));
                }
                continue;
            }
            // Few other lines to change, and the last cell among equals: the same member of each family, so that
            // families of different axes fill in as one product.
            let candidates = lines[index].terms[..now].iter();
            let pivot = candidates
                .min_by_key(|&&(cell, value)| (value.unsigned_abs() != 1, columns[cell as usize].len(), Reverse(cell)));
            let &(cell, value) = pivot.expect("the line is not empty");
            solved_for[index] = Some(cell);
            if work > limit {
                return Err(Unsolved::Halt);
            }
            let line = std::mem::take(&mut lines[index]);
            for other in std::mem::take(&mut columns[cell as usize]) {
                let target = &mut lines[other as usize];
                let own = coefficient(&target.terms, cell);
                if own == 0 {
                    continue;
                }
                let common = gcd(own, value);
                let (keep, take) = (value / common, own / common);
                work += (target.terms.len() + line.terms.len()) as u64;
                target.terms =
                    combine(&target.terms, keep, &line.terms, take, |cell| columns[cell as usize].push(other))?;
                let sum = target.sum.checked_mul(keep);
                let change = line.sum.checked_mul(take);
                target.sum = sized(Some(sized(sum)? - sized(change)?))?;
                if keep.unsigned_abs() != 1 {
                    let common = target.terms.iter().fold(target.sum, |common, &(_, value)| gcd(common, value)).max(1);
                    target.sum /= common;
                    target.terms.iter_mut().for_each(|(_, value)| *value /= common);
                }
                if solved_for[other as usize].is_none() {
                    queue.push(Reverse((length(&lines[other as usize]), other as usize)));
                }
            }
            lines[index] = line;
        }
        Self::read(&lines, &solved_for, low, part.cells.len() + tracers, work)
    }

    /// Moves out of solved lines.
    fn read(
        lines: &[Equation],
        solved_for: &[Option<u32>],
        low: &[i64],
        cells: usize,
        work: u64,
    ) -> Result<Self, Unsolved> {
        let mut dependent = vec![false; cells];
        for cell in solved_for.iter().flatten() {
            dependent[*cell as usize] = true;
        }
        let free: Vec<u32> = (0..cells).filter(|&cell| !dependent[cell]).map(narrow).collect();
        let mut column_of = vec![0; cells];
        for (column, &cell) in free.iter().enumerate() {
            column_of[cell as usize] = column;
        }
        let mut start: Vec<Ratio> =
            (0..cells).map(|cell| Ratio::from(low.get(cell).copied().unwrap_or_default())).collect();
        let mut moves = vec![Move { stride: 1, terms: Vec::new() }; free.len()];
        let solved: Vec<(u32, i64, &Equation)> = lines
            .iter()
            .zip(solved_for)
            .filter_map(|(line, solved)| solved.map(|cell| (cell, coefficient(&line.terms, cell), line)))
            .collect();
        for &(cell, own, line) in &solved {
            for &(at, value) in line.terms.iter().filter(|&&(at, _)| at != cell) {
                // own · cell = … − value · at: whole when `at` goes by own / gcd.
                let step = own.abs() / gcd(own, value);
                let stride = &mut moves[column_of[at as usize]].stride;
                *stride = sized((*stride / gcd(*stride, step)).checked_mul(step))?;
            }
        }
        for &(cell, own, line) in &solved {
            let mut figure = Ratio::new(line.sum, own)?;
            for &(at, value) in line.terms.iter().filter(|&&(at, _)| at != cell) {
                let column = &mut moves[column_of[at as usize]];
                let change = sized(value.checked_mul(column.stride))? / own;
                column.terms.push((cell, -change));
                figure = figure.plus(Ratio::new(value, own)?, -start[at as usize].whole().ok_or(Halt)?)?;
            }
            start[cell as usize] = figure;
        }
        for column in &mut moves {
            column.terms.sort_unstable_by_key(|&(at, _)| at);
        }
        let moves = moves.into_iter().map(Move::reduced).collect();
        Ok(Self { free, moves, start, work })
    }
}
