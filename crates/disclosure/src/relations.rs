//! The system over all cells that a table can publish, derived from their sets of rows.
//!
//! Three kinds of unknowns: cells that are published, under one or several names; cells that are not but follow from
//! those (the rest of a total beside the codes that are shown); and differences between a cell and a smaller one
//! inside it. All relations are equalities `whole = Σ parts` over unknowns that are never negative, so that
//! `A ≤ B` is `B = A + rest`, and the rest is protected like any cell.

mod finest;
mod inclusion;
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode, IndicatorCode, Key};

use crate::rule::{Need, need, stricter};
use crate::scheme::{Protection, Quantity, Reading, Restriction, TableScheme};

/// Codes allowed per dimension; a dimension left out is not restricted.
type Codes = BTreeMap<DimensionCode, BTreeSet<Code>>;
/// Cells among which codes alone make the difference.
type Group = (Quantity, BTreeSet<String>);

/// What an unknown is to those who read the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Published, and protected here.
    Protected,
    /// Published by its producer or not about persons: known to everybody, never hidden.
    Open,
    /// Never published, follows from what is.
    Derived,
}

/// One unknown.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The names under which it is published; empty if it is derived.
    pub(crate) names: Vec<(IndicatorCode, Key)>,
    /// The published cell to name when something is wrong here.
    pub(crate) place: (IndicatorCode, Key),
    pub(crate) standing: Standing,
    /// What protection asks for it.
    pub(crate) need: Option<Need>,
    /// The largest threshold that applies to it, in contributors.
    pub(crate) threshold: u32,
    pub(crate) zeros_protected: bool,
    /// Quantity and rows, unless it is a difference between cells of different conditions, or has rows that meet one
    /// condition and not another.
    pub(crate) rows: Option<(Quantity, Restriction)>,
}

/// `whole = Σ parts`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Equality {
    pub(crate) whole: usize,
    pub(crate) parts: Vec<usize>,
}

/// A published name leads to an unknown, or to a cell that no row can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Cell(usize),
    Empty,
}

/// The whole system of one table.
#[derive(Debug)]
pub(crate) struct Relations {
    pub(crate) cells: Vec<Cell>,
    pub(crate) equalities: Vec<Equality>,
    /// Every published name.
    pub(crate) entries: BTreeMap<(IndicatorCode, Key), Entry>,
    /// Counts of the same rows as another cell: if the first is zero, so is the second, and if the second is not, nor
    /// is the first.
    pub(crate) twins: Vec<(usize, usize)>,
    /// What opaque conditions say of rows.
    readings: BTreeMap<String, Reading>,
    index: BTreeMap<Group, BTreeMap<Codes, usize>>,
    /// By difference: of what it is left, and what was taken away.
    taken: BTreeMap<usize, (usize, usize)>,
    /// Cells of the finest tables that nobody publishes nor computes: they only carry relations.
    finest: BTreeSet<usize>,
}

impl Relations {
    /// Derives everything from the scheme.
    pub(crate) fn of(scheme: &TableScheme) -> Self {
        let mut relations = Self {
            cells: Vec::new(),
            equalities: Vec::new(),
            entries: BTreeMap::new(),
            twins: Vec::new(),
            readings: scheme.readings().clone(),
            index: BTreeMap::new(),
            taken: BTreeMap::new(),
            finest: BTreeSet::new(),
        };
        relations.publish(scheme);
        let lines = lines::derive(&mut relations, scheme);
        finest::derive(&mut relations, scheme);
        inclusion::derive(&mut relations, &lines);
        inclusion::differences(&mut relations, scheme);
        inclusion::units_beside(&mut relations);
        relations.find_twins();
        relations.equalities.sort();
        relations.equalities.dedup();
        relations
    }

    /// Whether `cell` is there only to carry relations of a finest table.
    pub(crate) fn is_finest(&self, cell: usize) -> bool {
        self.finest.contains(&cell)
    }

    fn publish(&mut self, scheme: &TableScheme) {
        for (indicator, key) in scheme.cells() {
            let measure = scheme.measure(&indicator).expect("the cells of a scheme belong to its measures");
            let name = (indicator, key);
            let Some(rows) = scheme.rows_of(measure, &name.1) else {
                self.entries.insert(name, Entry::Empty);
                continue;
            };
            let (standing, need, threshold, zeros_protected) = match measure.protection {
                Protection::Here(rule) => (
                    Standing::Protected,
                    need(&rule, &measure.quantity, measure.decimals),
                    rule.threshold,
                    rule.zeros == crate::scheme::Zeros::Protect,
                ),
                Protection::AtSource | Protection::None => (Standing::Open, None, 0, false),
            };
            let cell = self.cell(measure.quantity.clone(), rows, &name, standing);
            let entry = &mut self.cells[cell];
            // A figure that its producer shows is known, whoever else would hide it.
            if standing == Standing::Open || entry.standing == Standing::Open {
                entry.standing = Standing::Open;
                entry.need = None;
                entry.threshold = 0;
                entry.zeros_protected = false;
            } else {
                entry.need = stricter(entry.need, need);
                entry.threshold = entry.threshold.max(threshold);
                entry.zeros_protected |= zeros_protected;
            }
            entry.names.push(name.clone());
            self.entries.insert(name, Entry::Cell(cell));
        }
    }

    /// The unknown for these rows, made if it is new.
    fn cell(
        &mut self,
        quantity: Quantity,
        rows: Restriction,
        place: &(IndicatorCode, Key),
        standing: Standing,
    ) -> usize {
        let group = (quantity.clone(), rows.conditions.clone());
        let known = self.index.entry(group).or_default();
        *known.entry(rows.codes.clone()).or_insert_with(|| {
            self.cells.push(Cell {
                names: Vec::new(),
                place: place.clone(),
                standing,
                need: None,
                threshold: 0,
                zeros_protected: false,
                rows: Some((quantity, rows)),
            });
            self.cells.len() - 1
        })
    }

    /// An unknown that no restriction names, and nobody asks for.
    fn nameless(&mut self, place: &(IndicatorCode, Key)) -> usize {
        self.cells.push(Cell {
            names: Vec::new(),
            place: place.clone(),
            standing: Standing::Derived,
            need: None,
            threshold: 0,
            zeros_protected: false,
            rows: None,
        });
        self.cells.len() - 1
    }

    /// The rest of `whole` beside `part`, with what protection asks for it.
    fn rest(&mut self, whole: usize, part: usize, protected: bool) {
        let (outer, inner) = (&self.cells[whole], &self.cells[part]);
        let cell = Cell {
            names: Vec::new(),
            place: inner.place.clone(),
            standing: Standing::Derived,
            need: if protected { stricter(outer.need, inner.need) } else { None },
            threshold: if protected { outer.threshold.max(inner.threshold) } else { 0 },
            zeros_protected: protected && (outer.zeros_protected || inner.zeros_protected),
            rows: None,
        };
        self.cells.push(cell);
        self.taken.insert(self.cells.len() - 1, (whole, part));
        self.equalities.push(Equality { whole, parts: vec![part, self.cells.len() - 1] });
    }

    /// What a cell sums: of a difference, what the cell sums that it is left of.
    pub(crate) fn quantity(&self, cell: usize) -> Option<&Quantity> {
        match (&self.cells[cell].rows, self.taken.get(&cell)) {
            (Some((quantity, _)), _) => Some(quantity),
            (None, Some(&(whole, _))) => self.quantity(whole),
            (None, None) => None,
        }
    }

    /// Published cells of the same quantity and conditions all of whose rows are rows of `derived`.
    pub(crate) fn cells_inside(&self, derived: usize) -> impl Iterator<Item = usize> {
        // A difference has no rows of its own: its rows are those of the whole that are not in the part.
        let (around, beside) = match self.taken.get(&derived) {
            Some(&(whole, part)) => (whole, Some(part)),
            None => (derived, None),
        };
        let outer = self.cells[around].group();
        let part = beside.map(|part| self.cells[part].group());
        let known = outer.as_ref().and_then(|(group, _)| self.index.get(group));
        let fits = move |codes: &Codes| {
            let within = outer.as_ref().is_some_and(|(_, outer)| inclusion::inside(codes, outer));
            // A part of other conditions cannot be told apart by codes.
            let apart = match &part {
                None => true,
                Some(Some((group, part))) => outer.as_ref().is_some_and(|(g, _)| g == group) && disjoint(codes, part),
                Some(None) => false,
            };
            within && apart
        };
        known
            .into_iter()
            .flatten()
            .filter(move |(codes, id)| !self.cells[**id].names.is_empty() && fits(codes))
            .map(|(_, id)| *id)
    }

    /// The rows that these conditions and codes mean, with the codes that conditions stand for said as codes.
    fn read(&self, conditions: &BTreeSet<String>, codes: &Codes) -> Restriction {
        let mut rows = Restriction { codes: codes.clone(), conditions: BTreeSet::new() };
        for condition in conditions {
            match self.readings.get(condition) {
                Some((dimension, set)) => {
                    let kept = rows.codes.entry(dimension.clone()).or_insert_with(|| set.clone());
                    kept.retain(|code| set.contains(code));
                }
                None => {
                    rows.conditions.insert(condition.clone());
                }
            }
        }
        rows
    }

    fn find_twins(&mut self) {
        let mut same: BTreeMap<Restriction, Vec<usize>> = BTreeMap::new();
        for (id, cell) in self.cells.iter().enumerate() {
            if let Some((_, rows)) = &cell.rows {
                same.entry(self.read(&rows.conditions, &rows.codes)).or_default().push(id);
            }
        }
        self.twins = same
            .values()
            .flat_map(|ids| ids.iter().flat_map(move |&a| ids.iter().map(move |&b| (a, b))))
            .filter(|&(a, b)| a != b && self.cells[a].counts())
            .collect();
    }
}

impl Cell {
    /// Whether it counts rows or distinct units, so that zero means that nobody is there.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.rows, Some((Quantity::Rows | Quantity::Distinct { .. }, _)))
    }

    /// Whether it tells, over rows whose number is hidden, nearly what the number would: an amount or a weight.
    pub(crate) fn is_amount(&self) -> bool {
        matches!(self.rows, Some((Quantity::Sum { .. } | Quantity::Weight { .. }, _)))
    }

    /// Its group of conditions and its codes.
    fn group(&self) -> Option<(Group, &Codes)> {
        self.rows.as_ref().map(|(quantity, rows)| ((quantity.clone(), rows.conditions.clone()), &rows.codes))
    }
}

/// Whether no row can have both: on some dimension the two allow no code together.
fn disjoint(one: &Codes, other: &Codes) -> bool {
    one.iter().any(|(dimension, codes)| other.get(dimension).is_some_and(|others| codes.is_disjoint(others)))
}

#[cfg(test)]
mod tests;
