//! Rows that passed their schema: confidential, in memory only.

use std::fmt;

use model::{DefinitionHash, DimensionCode};
use polars::prelude::DataFrame;

/// The rows of one table, typed, coded and checked. Not printable: they are about persons.
pub struct Rows {
    /// The table they were read for.
    pub(crate) table: DefinitionHash,
    /// One column per dimension (place of the code, `u32`) and per other column of the table.
    pub(crate) frame: DataFrame,
    /// Line of each row in its file.
    pub(crate) lines: Vec<u64>,
    pub(crate) set_aside: usize,
}

/// Dimensions and columns may share a name: their columns in the frame do not.
pub(crate) fn dimension_column(code: &DimensionCode) -> String {
    format!("dimension {code}")
}

/// See [`dimension_column`].
pub(crate) fn field_column(name: &str) -> String {
    format!("field {name}")
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
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows(…)")
    }
}
