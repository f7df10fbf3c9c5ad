//! What is visible, and nothing else.

use thiserror::Error;

use crate::system::{LARGEST, Lines, Relation, STEEPEST, Standing, System};

/// What anybody sees of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The figure.
    Shown(i64),
    /// Only that it is a whole number in this range.
    Hidden {
        /// Nothing below is possible.
        low: i64,
        /// Nothing above is possible.
        high: Option<i64>,
    },
}

impl Seen {
    /// A hidden count: zero or more.
    pub const COUNT: Self = Self::Hidden { low: 0, high: None };
}

/// What is wrong with a view. Names cells and relations by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidView {
    /// No figure lies in the range of this cell.
    #[error("the range of cell {0} is empty")]
    Empty(usize),
    /// A relation names a cell that is not there, names one twice, or has a coefficient of zero.
    #[error("relation {0} names an unknown cell, a cell twice, or a coefficient of zero")]
    Malformed(usize),
    /// A figure beyond what is computed with.
    #[error("the figure or range of cell {0} is too large")]
    LargeCell(usize),
    /// A coefficient beyond what is computed with.
    #[error("a coefficient of relation {0} is too large")]
    LargeRelation(usize),
    /// A cell that somebody is said to know is not there, or the figure is outside its range or not the visible one.
    #[error("cell {0} cannot have the figure that is said to be known")]
    Known(usize),
}

/// Cells as anybody sees them, and the relations between them.
#[derive(Clone, Debug)]
pub struct View {
    cells: Vec<Seen>,
    relations: Lines,
    uses: Lines,
}

impl View {
    /// Cells and `Σ coefficient · cell = 0`. Whether any whole table agrees is found out by the attack.
    pub fn new(cells: Vec<Seen>, relations: &[Relation]) -> Result<Self, InvalidView> {
        for (index, cell) in cells.iter().enumerate() {
            let (low, high) = match *cell {
                Seen::Shown(figure) => (figure, Some(figure)),
                Seen::Hidden { low, high } => (low, high),
            };
            if low.unsigned_abs() > LARGEST.unsigned_abs()
                || high.is_some_and(|high| high.unsigned_abs() > LARGEST.unsigned_abs())
            {
                return Err(InvalidView::LargeCell(index));
            }
            if high.is_some_and(|high| high < low) {
                return Err(InvalidView::Empty(index));
            }
        }
        let mut last = vec![usize::MAX; cells.len()];
        for (index, relation) in relations.iter().enumerate() {
            for &(cell, coefficient) in &relation.terms {
                if cell >= cells.len() || last[cell] == index || coefficient == 0 {
                    return Err(InvalidView::Malformed(index));
                }
                if coefficient.unsigned_abs() > STEEPEST.unsigned_abs() {
                    return Err(InvalidView::LargeRelation(index));
                }
                last[cell] = index;
            }
        }
        let relations = Lines::of(relations.iter().map(|relation| relation.terms.as_slice()));
        let uses = relations.transposed(cells.len());
        Ok(Self { cells, relations, uses })
    }

    /// What is left of a system once `hidden` (ascending) and the cells that nobody publishes are hidden. The figures
    /// of hidden cells are not looked at.
    pub fn of(system: &System, hidden: &[usize]) -> Self {
        let seen = system.cells().iter().enumerate().map(|(index, cell)| {
            if cell.standing != Standing::Shown && hidden.binary_search(&index).is_ok() {
                Seen::Hidden { low: cell.low, high: cell.high }
            } else {
                Seen::Shown(cell.value)
            }
        });
        let relations = system.lines().clone();
        let uses = relations.transposed(system.cells().len());
        Self { cells: seen.collect(), relations, uses }
    }

    /// The same, as somebody sees it who knows these figures besides.
    pub fn known(&self, figures: impl IntoIterator<Item = (usize, i64)>) -> Result<Self, InvalidView> {
        let mut view = self.clone();
        for (cell, figure) in figures {
            let possible = match view.cells.get(cell) {
                Some(&Seen::Shown(shown)) => shown == figure,
                Some(&Seen::Hidden { low, high }) => low <= figure && high.is_none_or(|high| figure <= high),
                None => false,
            };
            if !possible {
                return Err(InvalidView::Known(cell));
            }
            view.cells[cell] = Seen::Shown(figure);
        }
        Ok(view)
    }

    /// All cells, by index.
    pub fn cells(&self) -> &[Seen] {
        &self.cells
    }

    /// How many relations there are.
    pub fn relations(&self) -> usize {
        self.relations.len()
    }

    /// Whether a whole table, one figure per cell, agrees with everything visible.
    pub fn agrees(&self, table: &[i64]) -> bool {
        let possible = |(cell, &figure): (&Seen, &i64)| match *cell {
            Seen::Shown(shown) => figure == shown,
            Seen::Hidden { low, high } => figure >= low && high.is_none_or(|high| figure <= high),
        };
        let product = |(cell, coefficient): (usize, i64)| i128::from(coefficient) * i128::from(table[cell]);
        table.len() == self.cells.len()
            && self.cells.iter().zip(table).all(possible)
            && (0..self.relations()).all(|index| self.relation(index).map(product).sum::<i128>() == 0)
    }

    pub(super) fn figure(&self, cell: usize) -> Option<i64> {
        match self.cells[cell] {
            Seen::Shown(figure) => Some(figure),
            Seen::Hidden { .. } => None,
        }
    }

    pub(super) fn relation(&self, index: usize) -> impl Iterator<Item = (usize, i64)> {
        self.relations.line(index)
    }

    pub(super) fn uses(&self, cell: usize) -> impl Iterator<Item = (usize, i64)> {
        self.uses.line(cell)
    }
}
