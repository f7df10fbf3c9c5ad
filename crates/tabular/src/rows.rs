//! Rows that passed their schema: confidential, in memory only.

use std::fmt;

use polars::prelude::DataFrame;

/// The rows of one table, typed, coded and checked. Not printable: they are about persons.
pub struct Rows {
    pub(crate) frame: DataFrame,
    pub(crate) lines: Vec<u64>,
    pub(crate) set_aside: usize,
}

impl Rows {
    /// How many rows.
    pub fn height(&self) -> usize {
        self.lines.len()
    }

    /// How many total rows were set aside.
    pub fn set_aside(&self) -> usize {
        self.set_aside
    }

    pub(crate) fn frame(&self) -> &DataFrame {
        &self.frame
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows(…)")
    }
}
