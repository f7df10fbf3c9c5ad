//! Worked examples: a few rows, and the figures a person found by hand.

use model::{IndicatorCode, Key, Units};

/// One example. `tabular::golden` runs it through the real reader and the real computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenCase {
    /// What it shows, in French.
    pub name: String,
    /// A small CSV text with `;` and a header of field names.
    pub rows: String,
    /// Figures of measures, in units of the measure.
    pub measures: Vec<(IndicatorCode, Key, Units)>,
    /// Figures of ratios, in units of the ratio's decimals, rounded half away from zero.
    pub ratios: Vec<(IndicatorCode, Key, Units)>,
}
