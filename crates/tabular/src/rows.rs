//! Rows that passed their schema: confidential, in memory only, and only as what is counted of them.

use std::collections::BTreeSet;
use std::fmt;

use model::{DefinitionHash, DimensionCode, IndicatorCode};

use crate::tally::{Shape, Tally};

/// A cell that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Blank,
    /// Place of the code in its dimension.
    Code(u32),
    Text(&'a str),
    /// Units of the column, or days since 1970-01-01.
    Number(i64),
    Boolean(bool),
}

impl Cell<'_> {
    /// Units, if it has any.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(units) => Some(*units),
            Self::Blank | Self::Code(_) | Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    /// Bytes that differ where cells of one column differ.
    pub(crate) fn with_bytes<T>(&self, see: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Blank => see(&[]),
            Self::Text(text) => see(text.as_bytes()),
            Self::Number(units) => see(&units.to_le_bytes()),
            Self::Code(code) => see(&code.to_le_bytes()),
            Self::Boolean(yes) => see(&[u8::from(*yes)]),
        }
    }
}

/// The rows of one table, typed, coded, checked and counted. Not printable: they are about persons.
pub struct Rows {
    /// The table they were read for.
    pub(crate) table: DefinitionHash,
    pub(crate) shape: Shape,
    pub(crate) tally: Tally,
    /// Whether rows stand for totals: then nobody knows how much one unit has.
    pub(crate) unfolded: bool,
    /// What the file says nothing about.
    pub(crate) unknown: BTreeSet<(IndicatorCode, BTreeSet<DimensionCode>)>,
    pub(crate) height: usize,
    pub(crate) set_aside: usize,
}

impl Rows {
    /// How many rows, or lines of totals.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The indicators of which the file says nothing at all: it holds totals without what they count.
    pub fn not_collected(&self) -> impl Iterator<Item = &IndicatorCode> {
        self.unknown.iter().filter(|(_, breakdown)| breakdown.is_empty()).map(|(indicator, _)| indicator)
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
