//! Valid and unprotected: figures that must not leave the commune.

use std::collections::BTreeSet;
use std::fmt;

use model::{DimensionCode, IndicatorCode, Key, Units};

/// A number that could uncover somebody.
///
/// It cannot be printed, compared, copied or serialised; whoever needs the number says so with
/// [`ConfidentialCount::expose`], which clippy forbids except where an `#[expect]` argues for it.
pub struct ConfidentialCount(Units);

impl ConfidentialCount {
    /// Marks a number as confidential.
    pub fn new(units: Units) -> Self {
        Self(units)
    }

    /// The number itself.
    pub fn expose(&self) -> Units {
        self.0
    }
}

impl fmt::Debug for ConfidentialCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfidentialCount(…)")
    }
}

/// One unprotected cell.
#[derive(Debug)]
pub struct ConfidentialCell {
    /// Which measure.
    pub indicator: IndicatorCode,
    /// Where in its table.
    pub key: Key,
    /// The figure, in units of the measure.
    pub value: ConfidentialCount,
    /// How many units (persons, households, rows …) stand behind it, unweighted.
    pub contributors: ConfidentialCount,
    /// For amounts, the largest contribution, in units of the measure; otherwise 0.
    pub largest: ConfidentialCount,
    /// For amounts, the second largest contribution; otherwise 0.
    pub second: ConfidentialCount,
}

/// All cells of one slice, unprotected.
#[derive(Debug)]
pub struct ConfidentialTable {
    cells: Vec<ConfidentialCell>,
    rows_of_one: Option<ConfidentialCount>,
    of_totals: bool,
    stand_ins: BTreeSet<(IndicatorCode, BTreeSet<DimensionCode>)>,
}

impl ConfidentialTable {
    /// A table with these cells; `protect` checks them against their scheme.
    pub fn new(cells: Vec<ConfidentialCell>) -> Self {
        Self { cells, rows_of_one: None, of_totals: false, stand_ins: BTreeSet::new() }
    }

    /// The same table, of which no unit has more rows than this: so many rows, whichever they are, are of so many units at
    /// least.
    #[must_use]
    pub fn with_rows_of_one(self, most: ConfidentialCount) -> Self {
        Self { rows_of_one: Some(most), ..self }
    }

    /// The same table, made of totals: units that may be the same count once, so that there may be more of them than it says.
    #[must_use]
    pub fn of_totals(self) -> Self {
        Self { of_totals: true, ..self }
    }

    /// Whether the number of contributors is only the fewest that there may be.
    pub fn is_of_totals(&self) -> bool {
        self.of_totals
    }

    /// The most rows that one unit has, where it is known.
    pub fn rows_of_one(&self) -> Option<&ConfidentialCount> {
        self.rows_of_one.as_ref()
    }

    /// The same table, of which some breakdowns are not known: the commune did not collect them. Their cells are figures of
    /// some rows that agree with all that is known; nobody is shown them, and they show where doubt is possible.
    #[must_use]
    pub fn without(self, stand_ins: BTreeSet<(IndicatorCode, BTreeSet<DimensionCode>)>) -> Self {
        Self { stand_ins, ..self }
    }

    /// Whether the figure of this cell is the commune's own.
    pub fn is_known(&self, cell: &ConfidentialCell) -> bool {
        // Most tables are known whole.
        self.stand_ins.is_empty()
            || !self
                .stand_ins
                .contains(&(cell.indicator.clone(), cell.key.iter().map(|(dimension, _)| dimension.clone()).collect()))
    }

    /// The cells themselves, to be changed by tests.
    #[cfg(test)]
    pub(crate) fn into_cells(self) -> Vec<ConfidentialCell> {
        self.cells
    }

    /// The cells, in the order given.
    pub fn cells(&self) -> &[ConfidentialCell] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(ConfidentialCount: Clone, fmt::Display, PartialEq, PartialOrd, std::hash::Hash, Default);
    assert_not_impl_any!(ConfidentialCell: Clone, fmt::Display, PartialEq);
    assert_not_impl_any!(ConfidentialTable: Clone, fmt::Display, PartialEq);
    // Nothing between the true figures and the protected table may be printed or compared by accident.
    assert_not_impl_any!(crate::SafeTable: From<ConfidentialTable>, From<crate::Received>, Default);

    #[test]
    fn debug_output_holds_no_figure() {
        let count = || ConfidentialCount::new(7_654_321);
        let table = ConfidentialTable::new(vec![ConfidentialCell {
            indicator: "i".parse().expect("a code"),
            key: Key::total(),
            value: count(),
            contributors: count(),
            largest: count(),
            second: count(),
        }]);
        let text = format!("{table:?}");
        assert!(text.contains("ConfidentialCount(…)") && !text.contains("7654321") && !text.contains("7_654_321"));
    }
}
