//! From rows to territories: one row each, one for each year, or several that become one figure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use methodology::{Fold, Layout, Vintage};
use model::{Area, Figure};

use super::{Place, Places, PublicColumn, PublicRow, label};
use crate::fault::FaultCause;

/// What a row says in one column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    /// This.
    Figure(Figure),
    /// Nothing: the column is about other rows.
    Other,
    /// Nothing: the territory does not exist in the column's geography.
    Nowhere,
}

/// A row that was read.
pub(super) struct ReadRow {
    pub(super) area: Area,
    pub(super) line: u64,
    pub(super) year: Option<u16>,
    /// One for each column of figures.
    pub(super) cells: Vec<Cell>,
}

/// Rows by territory and year.
pub(super) struct Gathered<'a> {
    places: &'a Places<'a>,
    folds: bool,
    found: HashMap<Area, Territory>,
    /// Whether some row of the file, kept or not, is about the column.
    seen: Vec<bool>,
}

struct Territory {
    line: u64,
    years: BTreeMap<Option<u16>, Year>,
}

enum Year {
    One { line: u64, cells: Vec<Cell> },
    Several(Vec<Tally>),
}

/// Several rows of one column on their way to one figure.
#[derive(Default)]
struct Tally {
    sum: i64,
    /// For what is no sum.
    values: Vec<i64>,
    rows: u64,
    nowhere: bool,
    silence: Option<Figure>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(places: &'a Places<'a>, folds: bool) -> Self {
        Self { places, folds, found: HashMap::new(), seen: vec![!folds; places.columns.len()] }
    }

    /// A row that is not kept still says which kinds of rows the file knows.
    pub(super) fn saw(&mut self, counts: impl Fn(&Place<'_>) -> bool) {
        for (seen, place) in self.seen.iter_mut().zip(&self.places.columns) {
            *seen = *seen || counts(place);
        }
    }

    /// # Errors
    /// Cause and French sentence: a second row where a territory has one, or a sum that does not fit.
    pub(super) fn add(&mut self, read: ReadRow) -> Result<(), (FaultCause, String)> {
        let ReadRow { area, line, year, cells } = read;
        let columns = &self.places.columns;
        if cells.len() < columns.len() {
            return Ok(());
        }
        let code = area.code().to_owned();
        let territory = self.found.entry(area).or_insert_with(|| Territory { line, years: BTreeMap::new() });
        if !self.folds {
            let Some(Year::One { line: first, .. }) = territory.years.get(&year) else {
                territory.years.insert(year, Year::One { line, cells });
                return Ok(());
            };
            let of = year.map(|year| format!(" pour {year}")).unwrap_or_default();
            return Err((
                FaultCause::DuplicateKey,
                format!(
                    "Le territoire {code} est déjà à la ligne {first}{of} : retirez la ligne de trop, ou reprenez le fichier du producteur."
                ),
            ));
        }
        let several = territory
            .years
            .entry(year)
            .or_insert_with(|| Year::Several(columns.iter().map(|_| Tally::default()).collect()));
        if let Year::Several(tallies) = several {
            for (((tally, cell), place), seen) in tallies.iter_mut().zip(cells).zip(columns).zip(&mut self.seen) {
                *seen = *seen || matches!(cell, Cell::Figure(_));
                tally.add(cell, place.column.fold).ok_or_else(|| {
                    let message = "La somme des lignes de ce territoire dépasse ce que le logiciel sait compter : vérifiez la colonne.";
                    (FaultCause::Overflow, message.to_owned())
                })?;
            }
        }
        Ok(())
    }

    /// Columns by year, rows in ascending order of territory, and columns that the file has no row of.
    pub(super) fn table(self, vintage: &Vintage) -> (Vec<PublicColumn>, Vec<PublicRow>, Vec<String>) {
        let years: BTreeSet<Option<u16>> =
            self.found.values().flat_map(|territory| territory.years.keys().copied()).collect();
        let known = || self.places.columns.iter().enumerate().filter(|(index, _)| self.seen[*index]);
        let places: Vec<(Option<u16>, usize)> =
            years.iter().flat_map(|year| known().map(|(index, _)| (*year, index))).collect();
        let columns = places.iter().map(|(year, index)| self.described(*index, vintage, *year)).collect();
        let unknown = self.places.columns.iter().enumerate().filter(|(index, _)| !self.seen[*index]);
        let unknown = unknown.map(|(_, place)| label(place.column, vintage)).collect();
        let figure = |territory: &Territory, (year, index): (Option<u16>, usize)| match territory.years.get(&year)? {
            Year::One { cells, .. } => match cells[index] {
                Cell::Figure(figure) => Some(figure),
                Cell::Other | Cell::Nowhere => None,
            },
            Year::Several(tallies) => tallies[index].figure(self.places.columns[index].column.fold),
        };
        let mut rows: Vec<PublicRow> = self
            .found
            .iter()
            .map(|(area, territory)| PublicRow {
                area: area.clone(),
                line: territory.line,
                figures: places.iter().map(|place| figure(territory, *place)).collect(),
            })
            .collect();
        rows.sort_by(|left, right| left.area.cmp(&right.area));
        (columns, rows, unknown)
    }

    fn described(&self, index: usize, vintage: &Vintage, year: Option<u16>) -> PublicColumn {
        let column = self.places.columns[index].column;
        PublicColumn {
            name: label(column, vintage),
            indicator: column.indicator.code.clone(),
            decimals: column.indicator.decimals,
            dated: Layout::dated(column, vintage, year),
        }
    }
}

impl Tally {
    /// `None` if the sum does not fit.
    fn add(&mut self, cell: Cell, fold: Option<Fold>) -> Option<()> {
        match cell {
            Cell::Other => {}
            Cell::Nowhere => self.nowhere = true,
            Cell::Figure(figure) => {
                self.rows += 1;
                match (figure, fold) {
                    (Figure::Observed(units), Some(Fold::Lowest | Fold::Highest | Fold::Median)) => {
                        self.values.push(units);
                    }
                    (Figure::Observed(units), _) => self.sum = self.sum.checked_add(units)?,
                    // Of several silences, the one that hides something.
                    (silence, _) if self.silence != Some(Figure::Suppressed) => self.silence = Some(silence),
                    _ => {}
                }
            }
        }
        Some(())
    }

    fn figure(&self, fold: Option<Fold>) -> Option<Figure> {
        if self.nowhere {
            return None;
        }
        let fold = fold?;
        if self.rows == 0 {
            return Some(fold.of_none());
        }
        let middle = || {
            let mut values = self.values.clone();
            values.sort_unstable();
            let half = values.len() / 2;
            let upper = *values.get(half)?;
            if values.len() % 2 == 1 {
                return Some(upper);
            }
            let between = i128::from(values[half - 1]) + i128::from(upper);
            i64::try_from((between + 1).div_euclid(2)).ok()
        };
        let value = match fold {
            // One hidden row hides the sum.
            Fold::Sum | Fold::Count => self.silence.is_none().then_some(self.sum),
            Fold::Lowest => self.values.iter().min().copied(),
            Fold::Highest => self.values.iter().max().copied(),
            Fold::Median => middle(),
        };
        value.map(Figure::Observed).or(self.silence)
    }
}
