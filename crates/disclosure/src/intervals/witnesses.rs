//! Whole tables that show how far a cell reaches.

use thiserror::Error;

use super::view::View;

/// Whole tables that agree with everything visible. Whoever has the view can check them without the engine.
///
/// They are found from visible data alone, unless the search was given a table to start from: then they are as
/// confidential as that table.
#[derive(Clone, Default)]
pub struct Witnesses {
    tables: Vec<Vec<i64>>,
}

impl std::fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witnesses({} tables)", self.tables.len())
    }
}

/// A witness that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("table {0} does not agree with what is visible")]
pub struct Unsound(pub usize);

impl Witnesses {
    pub(super) fn new(_view: &View) -> Self {
        Self::default()
    }

    pub(super) fn admit(&mut self, table: Vec<i64>) {
        self.tables.push(table);
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    pub(super) fn extremes(&self) -> Option<(Vec<i64>, Vec<i64>)> {
        let first = self.tables.first()?;
        let mut extremes = (first.clone(), first.clone());
        for table in &self.tables {
            for (cell, &figure) in table.iter().enumerate() {
                extremes.0[cell] = extremes.0[cell].min(figure);
                extremes.1[cell] = extremes.1[cell].max(figure);
            }
        }
        Some(extremes)
    }

    /// Checks every table against the view, in exact integers; the least and the greatest figure of each cell over all
    /// of them is the answer (nothing if there are no tables).
    pub fn check(&self, view: &View) -> Result<Option<(Vec<i64>, Vec<i64>)>, Unsound> {
        match self.tables.iter().position(|table| !view.agrees(table)) {
            Some(index) => Err(Unsound(index)),
            None => Ok(self.extremes()),
        }
    }
}
