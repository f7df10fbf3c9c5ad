//! Cells that add up: one sparse system of exact integers over everything that is published together.
//!
//! A system knows no indicator, no code and no commune. It is what remains of tables, of linked tables and of earlier
//! publications once each cell has become a number: `Σ coefficient · cell = 0` for every relation, and a range in
//! which anybody knows a cell to lie.

mod grid;
mod sparse;

pub use grid::{Axis, Grid, InvalidAxis};
pub(crate) use sparse::Lines;

use std::collections::BTreeMap;

use thiserror::Error;

/// What may still be decided about a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// May be shown or hidden.
    Open,
    /// Must be hidden, and must stay uncertain.
    Primary,
    /// Shown for good: it was published earlier, or is known from elsewhere.
    Shown,
    /// Hidden for good, without a need of its own: it was hidden earlier, or nobody publishes such a cell.
    Hidden,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The true figure, in units of its measure.
    pub value: i64,
    /// Nothing below is possible, and everybody knows.
    pub low: i64,
    /// Nothing above is possible, and everybody knows.
    pub high: Option<i64>,
    /// What hiding it costs, beyond the cell itself. Ties fall to the later cell.
    pub weight: i64,
    /// What may be decided.
    pub standing: Standing,
    /// The only contributor, if there is one: he knows all his cells together.
    pub owner: Option<u32>,
}

impl Cell {
    /// A count that may be shown or hidden; its weight is its value.
    pub fn open(value: i64) -> Self {
        Self { value, low: 0, high: None, weight: value, standing: Standing::Open, owner: None }
    }

    /// A count that must be hidden.
    pub fn primary(value: i64) -> Self {
        Self { standing: Standing::Primary, ..Self::open(value) }
    }
}

/// How far a hidden figure must vary over the tables that agree with what is shown, in units of its measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// At least so far below the true figure.
    pub below: u32,
    /// At least so far above it.
    pub above: u32,
    /// At least so far in all, wherever the true figure lies in between.
    pub width: u32,
}

impl Need {
    /// So far in all, and nothing more.
    pub fn width(width: u32) -> Self {
        Self { width, ..Self::default() }
    }
}

/// `Σ coefficient · cell = 0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Cell and coefficient, each cell once, no coefficient zero.
    pub terms: Vec<(usize, i64)>,
}

/// What is wrong with a system. Names cells by index, never by value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSystem {
    /// The true figures break a relation.
    #[error("relation {0} does not hold")]
    Broken(usize),
    /// The true figure lies outside the range that everybody knows.
    #[error("cell {0} lies outside its own range")]
    Outside(usize),
    /// A relation names a cell that is not there, or names one twice.
    #[error("relation {0} names an unknown cell, or a cell twice")]
    Malformed(usize),
    /// Figures or coefficients beyond what is computed with.
    #[error("cell or relation {0} is too large")]
    TooLarge(usize),
}

/// Cells and the relations between them; the true figures satisfy all of them.
#[derive(Clone, Debug)]
pub struct System {
    cells: Vec<Cell>,
    relations: Lines,
    uses: Lines,
    needs: BTreeMap<usize, Need>,
    owned: BTreeMap<u32, Vec<usize>>,
}

/// Sums of figures up to this size stay far from the ends of `i64`.
pub(crate) const LARGEST: i64 = 1 << 44;

/// Coefficients are small whole numbers: sums, differences, multiples of a fixed point.
pub(crate) const STEEPEST: i64 = 1 << 14;

impl System {
    /// Checks that the figures are what the relations say.
    pub fn new(cells: Vec<Cell>, relations: &[Relation]) -> Result<Self, InvalidSystem> {
        for (index, cell) in cells.iter().enumerate() {
            if cell.value < cell.low || cell.high.is_some_and(|high| cell.value > high) {
                return Err(InvalidSystem::Outside(index));
            }
            if cell.value.abs() > LARGEST || cell.low.abs() > LARGEST || cell.weight.abs() > LARGEST {
                return Err(InvalidSystem::TooLarge(index));
            }
        }
        let mut last = vec![usize::MAX; cells.len()];
        for (index, relation) in relations.iter().enumerate() {
            let mut sum = 0_i128;
            for &(cell, coefficient) in &relation.terms {
                if cell >= cells.len() || last[cell] == index || coefficient == 0 {
                    return Err(InvalidSystem::Malformed(index));
                }
                if coefficient.abs() > STEEPEST {
                    return Err(InvalidSystem::TooLarge(index));
                }
                last[cell] = index;
                sum += i128::from(coefficient) * i128::from(cells[cell].value);
            }
            if sum != 0 {
                return Err(InvalidSystem::Broken(index));
            }
        }
        let relations = Lines::of(relations.iter().map(|relation| relation.terms.as_slice()));
        let uses = relations.transposed(cells.len());
        let mut owned: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, cell) in cells.iter().enumerate() {
            if let Some(owner) = cell.owner {
                owned.entry(owner).or_default().push(index);
            }
        }
        Ok(Self { cells, relations, uses, needs: BTreeMap::new(), owned })
    }

    /// Gives a primary a need of its own, instead of the width that is asked for all.
    #[must_use]
    pub fn needing(mut self, cell: usize, need: Need) -> Self {
        self.needs.insert(cell, need);
        self
    }

    /// The same with these cells open again, and dearer than all others: what would have to be hidden of them?
    pub(crate) fn reopened(&self, cells: &[usize]) -> Self {
        let dear = self.cells.iter().map(|cell| cell.weight).max().unwrap_or_default().saturating_add(1);
        let mut system = self.clone();
        for &cell in cells {
            system.cells[cell].standing = Standing::Open;
            system.cells[cell].weight += dear.saturating_mul(16).min(LARGEST >> 8);
        }
        system
    }

    /// What a primary needs.
    pub fn need(&self, cell: usize, width: u32) -> Need {
        self.needs.get(&cell).copied().unwrap_or_else(|| Need::width(width))
    }

    /// All cells of one owner.
    pub(crate) fn owned(&self, owner: u32) -> &[usize] {
        self.owned.get(&owner).map_or(&[], Vec::as_slice)
    }

    /// All cells, by index.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many relations there are.
    pub fn relations(&self) -> usize {
        self.relations.len()
    }

    pub(crate) fn lines(&self) -> &Lines {
        &self.relations
    }

    pub(crate) fn relation(&self, index: usize) -> impl Iterator<Item = (usize, i64)> {
        self.relations.line(index)
    }

    /// Relations that a cell takes part in, with its coefficient there.
    pub(crate) fn uses(&self, cell: usize) -> impl Iterator<Item = (usize, i64)> {
        self.uses.line(cell)
    }

    /// A cell that can only have one value: nothing is to be decided about it.
    pub(crate) fn settled(&self) -> Vec<bool> {
        let mut settled: Vec<bool> = self.cells.iter().map(|cell| cell.standing == Standing::Shown).collect();
        // A shown zero that is a sum of counts fixes every part.
        let mut queue: Vec<usize> = (0..self.relations()).collect();
        while let Some(relation) = queue.pop() {
            let open = || self.relation(relation).filter(|&(cell, _)| !settled[cell]);
            let one_sided = |sign: i64| {
                open()
                    .all(|(cell, coefficient)| coefficient * sign > 0 && self.cells[cell].value == self.cells[cell].low)
            };
            if open().next().is_none() || !(one_sided(1) || one_sided(-1)) {
                continue;
            }
            let fixed: Vec<usize> = open().map(|(cell, _)| cell).collect();
            for cell in fixed {
                settled[cell] = true;
                queue.extend(self.uses(cell).map(|(other, _)| other));
            }
        }
        settled
    }
}
