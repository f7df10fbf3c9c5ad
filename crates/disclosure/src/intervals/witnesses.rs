//! Whole tables that show how far a cell reaches.

use thiserror::Error;

use super::view::View;

/// Whole tables of one part, by local index: the first, and what others have differently.
#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) first: Vec<i64>,
    pub(super) others: Vec<Vec<(u32, i64)>>,
}

impl Tables {
    pub(super) fn count(&self) -> usize {
        if self.first.is_empty() { 0 } else { self.others.len() + 1 }
    }
}

/// Whole tables that agree with everything visible. Whoever has the view can check them without the engine.
///
/// They are found from visible data alone, unless the search was given a table to start from: then they are as
/// confidential as that table.
#[derive(Clone)]
pub struct Witnesses {
    /// Figures that are the same in all tables, by cell.
    figures: Vec<i64>,
    /// Cells that hang together, and tables of them. Any combination of one table per part is a whole table.
    parts: Vec<(Vec<usize>, Tables)>,
}

impl std::fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witnesses({} tables)", self.tables())
    }
}

/// The least and the greatest figure of each cell over some tables.
#[derive(Clone, PartialEq, Eq)]
pub struct Extremes {
    /// By cell.
    pub least: Vec<i64>,
    /// By cell.
    pub most: Vec<i64>,
}

/// A witness that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("table {0} does not agree with what is visible")]
pub struct Unsound(pub usize);

impl Witnesses {
    pub(super) fn of(figures: Vec<i64>) -> Self {
        Self { figures, parts: Vec::new() }
    }

    /// Tables of one more part.
    pub(super) fn combine(&mut self, cells: &[usize], tables: Tables) {
        self.parts.push((cells.to_vec(), tables));
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        let counts = || self.parts.iter().map(|(_, tables)| tables.count());
        if counts().any(|count| count == 0) { 0 } else { counts().max().unwrap_or(1) }
    }

    /// One of the tables: a figure per cell.
    pub fn table(&self, index: usize) -> Option<Vec<i64>> {
        if index >= self.tables() {
            return None;
        }
        let mut table = self.figures.clone();
        for (cells, tables) in &self.parts {
            for (&cell, &figure) in cells.iter().zip(&tables.first) {
                table[cell] = figure;
            }
            let other = index.min(tables.count() - 1).checked_sub(1);
            for &(cell, figure) in other.map(|other| &tables.others[other]).into_iter().flatten() {
                table[cells[cell as usize]] = figure;
            }
        }
        Some(table)
    }

    /// Checks every table against the view, in exact integers; the least and the greatest figure of each cell over all
    /// of them is the answer (nothing if there are no tables).
    pub fn check(&self, view: &View) -> Result<Option<Extremes>, Unsound> {
        let Some(first) = self.table(0) else { return Ok(None) };
        let mut extremes = Extremes { least: first.clone(), most: first };
        for index in 0..self.tables() {
            let table = self.table(index).filter(|table| view.agrees(table)).ok_or(Unsound(index))?;
            for (cell, &figure) in table.iter().enumerate() {
                extremes.least[cell] = extremes.least[cell].min(figure);
                extremes.most[cell] = extremes.most[cell].max(figure);
            }
        }
        Ok(Some(extremes))
    }
}
