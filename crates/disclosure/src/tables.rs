//! Anybody's tables: hierarchies, rules, linked tables and earlier publications as one [`System`](crate::system::System).
//!
//! A table is one row per cell, margins included: one node per dimension, and a figure in fixed point. Tables are linked
//! where they have a cell in common, that is, the same node in every dimension; a table without a dimension stands for
//! the total of it. [`Assembled::of`] makes one system of everything that is or was published together,
//! [`Assembled::suppress`] decides what to hide, and [`Seen::of`] is the same for an intruder, from visible data only.
//!
//! Earlier publications are tables too. A cell whose figure did not change is the same unknown as before and stays as it
//! was, shown or hidden; a figure that changed is another unknown. This grants the intruder that he knows which figures
//! changed, which he can only guess.

mod assemble;
pub mod catalogue;
pub mod criterion;
mod decide;
mod layout;
mod owners;
mod published;
mod seen;

use thiserror::Error;

pub use assemble::{Assembled, Fixed, Request, Singletons};
pub use criterion::{Criterion, Facts, Need, Percent, Strictness};
pub use decide::{Decided, Decision, Refusal};
pub use published::{Source, at_source};
pub use seen::{Attacked, Audience, Finding, Intruder, Played, Step, Violation};

use crate::system::Axis;

/// One axis of tables, by name.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// As the column is called.
    pub name: String,
    /// Its nodes, and what adds up to what.
    pub axis: Axis,
    /// One person may be counted in several parts: a total is at least the largest of them, and at most their sum.
    pub distinct: bool,
    /// Node and node: in every combination of the other dimensions the first is never above the second (numerator and
    /// denominator). Their difference is a figure too, which anybody computes.
    pub within: Vec<(usize, usize)>,
}

impl Dimension {
    /// A dimension in which everything adds up.
    pub fn new(name: impl Into<String>, axis: Axis) -> Self {
        Self { name: name.into(), axis, distinct: false, within: Vec::new() }
    }
}

/// What was decided about a cell before any rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Frozen {
    /// Nothing.
    #[default]
    No,
    /// Shown for good.
    Shown,
    /// Hidden for good.
    Hidden,
}

/// One cell as a file tells it. All figures in units of the last decimal kept. Not for logs: no `Debug`.
#[derive(Clone, Default)]
pub struct Row {
    /// The figure; `None` only where it is hidden and the reader is an intruder.
    pub value: Option<i64>,
    /// How many stand behind it.
    pub contributors: Option<u64>,
    /// The largest contribution.
    pub top1: Option<i64>,
    /// The second largest contribution.
    pub top2: Option<i64>,
    /// The only contributor, as a number of its own.
    pub owner: Option<u32>,
    /// Nothing below is possible, and everybody knows; 0 where nothing is said.
    pub low: Option<i64>,
    /// Nothing above is possible, and everybody knows.
    pub high: Option<i64>,
    /// Protection asked for below the figure.
    pub lpl: Option<i64>,
    /// Protection asked for above the figure.
    pub upl: Option<i64>,
    /// Protection asked for on both sides together.
    pub spl: Option<i64>,
    /// Must be hidden, because the file says so.
    pub primary: bool,
    /// What the file says is decided.
    pub frozen: Frozen,
    /// Whether it was hidden, in a table that was published.
    pub suppressed: Option<bool>,
    /// The figure that the file still holds of a cell that was hidden. Only who knows the cell anyway is told.
    pub inside: Option<i64>,
}

/// All cells of one table.
#[derive(Clone, Default)]
pub struct Table {
    /// Its dimensions, as places in the list of dimensions.
    pub dimensions: Vec<usize>,
    /// Row by row, the node in each of its dimensions, end to end.
    pub nodes: Vec<u32>,
    /// What is known of each cell.
    pub rows: Vec<Row>,
    /// Whether the file says which cells are primary.
    pub says_primary: bool,
}

impl Table {
    pub(crate) fn key(&self, row: usize) -> &[u32] {
        let width = self.dimensions.len();
        &self.nodes[row * width..(row + 1) * width]
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Whether the table was published earlier.
    pub earlier: bool,
    /// Which of the earlier tables, or of the present ones.
    pub table: usize,
    /// Which row, from 0.
    pub row: usize,
}

/// How a cell is asked to vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Below the figure: `lpl`.
    Below,
    /// Above the figure: `upl`, or what a rule for amounts asks.
    Above,
    /// On both sides together: `spl`.
    Sliding,
    /// On both sides together: the width that is asked for all.
    Width,
}

/// Why tables do not make a system. Names rows and nodes, never a figure.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misfit {
    /// Two rows of one table are the same cell.
    #[error("two rows are the same cell")]
    Twice {
        /// The later row.
        place: Place,
        /// The row before.
        first: usize,
    },
    /// Some codes of a grouping have rows, and others have none.
    #[error("a grouping is there in part only")]
    Codes {
        /// A row of the table (the table is meant).
        place: Place,
        /// The dimension.
        dimension: usize,
        /// The node that is divided.
        parent: usize,
        /// Nodes of this grouping without any row, the parent perhaps among them.
        missing: Vec<usize>,
    },
    /// Combinations of codes without a row.
    #[error("{count} cells are missing")]
    Missing {
        /// A row of the table (the table is meant).
        place: Place,
        /// How many.
        count: usize,
        /// The first few: a node per dimension of the table.
        first: Vec<Vec<usize>>,
    },
    /// A total is not the sum of its parts.
    #[error("a total is not the sum of its parts")]
    Broken {
        /// The total.
        place: Place,
        /// The dimension along which it is divided.
        dimension: usize,
        /// The parts, as rows.
        parts: Vec<usize>,
        /// How many totals are not, in all tables.
        count: usize,
    },
    /// A total of people who may be counted in several parts is less than one of them, or more than all.
    #[error("a total of distinct counts does not fit its parts")]
    Distinct {
        /// The total.
        place: Place,
        /// The dimension along which it is divided.
        dimension: usize,
        /// The parts, as rows.
        parts: Vec<usize>,
    },
    /// A part is above its whole.
    #[error("a part is above its whole")]
    Within {
        /// The denominator.
        whole: Place,
        /// The numerator.
        part: Place,
    },
    /// A figure lies outside what its producer's rounding allows.
    #[error("a figure does not fit what its producer published")]
    Rounded {
        /// The figure.
        place: Place,
        /// In the producer's table.
        other: Place,
    },
    /// Two tables give different figures for one cell.
    #[error("two tables give one cell different figures")]
    Conflict {
        /// In the one.
        place: Place,
        /// In the other.
        other: Place,
    },
    /// A figure outside its range: negative, if no range is given.
    #[error("a figure lies outside its range")]
    Outside(Place),
    /// A figure too large to be computed with.
    #[error("a figure is too large")]
    TooLarge(Place),
    /// No figure, where one is needed.
    #[error("a figure is missing")]
    Empty(Place),
    /// What a row says of its contributors cannot be.
    #[error("contributors and contributions contradict the figure")]
    Contributors(Place),
    /// A rule needs to know more of this cell.
    #[error("a rule needs column {column}")]
    Lacking {
        /// The cell.
        place: Place,
        /// The column.
        column: &'static str,
    },
    /// A rule names a dimension that no table has.
    #[error("no dimension {0:?}")]
    Dimension(String),
    /// A table has no such dimension, others do, and nothing is the total of it.
    #[error("a dimension without one total")]
    NoTotal {
        /// A row of the table (the table is meant).
        place: Place,
        /// The dimension.
        dimension: usize,
    },
    /// Cells that must be hidden and must be shown.
    #[error("{} cells are frozen as shown and must be hidden", .0.len())]
    Frozen(Vec<Place>),
    /// Cells asked to vary further than the range in which everybody knows them to lie.
    #[error("{} cells are asked to vary beyond their range", .0.len())]
    Beyond(Vec<(Place, Level)>),
    /// Somebody is said to know a cell that no table has.
    #[error("somebody knows a cell that is not there")]
    Stranger(Place),
    /// What somebody is said to know contradicts what is visible.
    #[error("what is known contradicts what is visible")]
    Known(Place),
    /// Visible figures that no whole table satisfies.
    #[error("visible figures contradict each other")]
    Contradiction(Vec<Place>),
    /// Cells, or their relations, beyond what is computed with.
    #[error("too many cells")]
    TooMany,
}

#[cfg(test)]
mod tests;
