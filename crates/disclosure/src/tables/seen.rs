//! Published tables as an intruder sees them: hidden figures are not read, even where a file still has them.

use std::collections::{BTreeSet, HashMap};

use super::layout::{Key, Keys, Layout};
use super::{Dimension, Misfit, Place, Table};
use crate::intervals::{self, Asked, Interval, View, reach};
use crate::system::Relation;

/// What anybody sees of published tables, joined.
pub struct Seen {
    view: View,
    /// By cell.
    cells: Vec<Joined>,
    relations: Vec<Place>,
    keys: Keys,
}

#[derive(Clone)]
struct Joined {
    key: Key,
    place: Place,
    figure: Option<i64>,
    low: i64,
    high: Option<i64>,
    asked: bool,
}

/// A cell that must vary, and does not by enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is shown.
    Shown,
    /// Only one figure is possible.
    Computable,
    /// It varies by less than the width.
    Narrow,
    /// Not settled within the work: what cannot be proven wide counts as narrow.
    Undecided,
}

/// What the intruder found.
#[derive(Clone, Debug)]
pub struct Attacked {
    /// How many cells had to vary.
    pub asked: usize,
    /// Which do not, where they stand first.
    pub violations: Vec<(Place, Violation)>,
    /// By hidden cell: its key (a node per dimension of [`Seen::dimensions`]), whether it had to vary, its interval.
    /// Empty if not asked for.
    pub intervals: Vec<(Vec<usize>, bool, Interval)>,
}

impl Seen {
    /// Joins the tables. A cell that one table shows and another hides is shown.
    ///
    /// Which cells must vary: those that a table marks as primary; in a table that marks none, all that it hides.
    pub fn of(dimensions: &[Dimension], tables: &[Table]) -> Result<Self, Misfit> {
        let all = tables.iter().enumerate().map(|(table, rows)| (Place { earlier: false, table, row: 0 }, rows));
        let keys = Keys::of(dimensions, &all)?;
        let mut index: HashMap<Key, u32> = HashMap::new();
        let mut cells: Vec<Joined> = Vec::new();
        let mut of_tables = Vec::with_capacity(tables.len());
        for (at, table) in all.clone() {
            let mut of_rows = Vec::with_capacity(table.rows.len());
            for (number, row) in table.rows.iter().enumerate() {
                let place = Place { row: number, ..at };
                let key = keys.key(table, number);
                let next = u32::try_from(cells.len()).map_err(|_| Misfit::TooMany)?;
                let cell = *index.entry(key.clone()).or_insert(next);
                if cell == next {
                    cells.push(Joined { key, place, figure: None, low: 0, high: None, asked: false });
                }
                let joined = &mut cells[cell as usize];
                let hidden = row.suppressed.ok_or(Misfit::Empty(place))?;
                if !hidden {
                    let figure = row.value.ok_or(Misfit::Empty(place))?;
                    if joined.figure.is_some_and(|known| known != figure) {
                        return Err(Misfit::Conflict { place, other: joined.place });
                    }
                    if joined.figure.is_none() {
                        joined.place = place;
                    }
                    joined.figure = Some(figure);
                }
                if let Some(low) = row.low {
                    joined.low = if joined.low == 0 { low } else { joined.low.max(low) };
                }
                joined.high = match (joined.high, row.high) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                joined.asked |= if table.says_primary { row.primary } else { hidden };
                of_rows.push(cell);
            }
            of_tables.push(of_rows);
        }
        let mut relations = Vec::new();
        let mut places = Vec::new();
        let (mut broken, mut count) = (None, 0);
        for (at, table) in all {
            let layout = Layout::of(dimensions, table, at)?;
            let of_rows = &of_tables[at.table];
            layout.sums(dimensions, table, |dimension, total, parts| {
                let figure = |row: usize| cells[of_rows[row] as usize].figure.map(i128::from);
                let place = Place { row: total, ..at };
                let sum: Option<i128> = parts.iter().map(|&part| figure(part)).sum();
                if let (Some(total), Some(sum)) = (figure(total), sum)
                    && total != sum
                {
                    count += 1;
                    broken.get_or_insert_with(|| (place, dimension, parts.to_vec()));
                }
                let parts = parts.iter().map(|&part| (of_rows[part] as usize, -1));
                relations
                    .push(Relation { terms: std::iter::once((of_rows[total] as usize, 1)).chain(parts).collect() });
                places.push(place);
            });
        }
        if let Some((place, dimension, parts)) = broken {
            return Err(Misfit::Broken { place, dimension, parts, count });
        }
        let seen = cells.iter().map(|cell| match cell.figure {
            Some(figure) => intervals::Seen::Shown(figure),
            None => intervals::Seen::Hidden { low: cell.low, high: cell.high },
        });
        let view = View::new(seen.collect(), &relations).map_err(|fault| match fault {
            intervals::InvalidView::Empty(cell) | intervals::InvalidView::Known(cell) => {
                Misfit::Outside(cells[cell].place)
            }
            intervals::InvalidView::LargeCell(cell) => Misfit::TooLarge(cells[cell].place),
            intervals::InvalidView::Malformed(_) | intervals::InvalidView::LargeRelation(_) => Misfit::TooMany,
        })?;
        Ok(Self { view, cells, relations: places, keys })
    }

    /// The dimensions of keys.
    pub fn dimensions(&self) -> impl Iterator<Item = usize> {
        self.keys.dimensions()
    }

    /// How many cells there are, and how many of them are hidden.
    pub fn cells(&self) -> (usize, usize) {
        (self.cells.len(), self.cells.iter().filter(|cell| cell.figure.is_none()).count())
    }

    /// Whether every cell that must vary does so by `width` units; on request, the interval of every hidden cell.
    pub fn attack(&self, width: u32, with_intervals: bool) -> Result<Attacked, Misfit> {
        let asked = || (0..self.cells.len()).filter(|&cell| self.cells[cell].asked);
        let question = if with_intervals { Asked::intervals() } else { Asked::width(width).about(asked()) };
        let reached = reach(&self.view, &question).map_err(|contradiction| {
            let places: BTreeSet<Place> = contradiction.relations.iter().map(|&index| self.relations[index]).collect();
            Misfit::Contradiction(places.into_iter().collect())
        })?;
        let mut violations = Vec::new();
        for cell in asked() {
            let violation = match reached.interval(cell) {
                None => Some(Violation::Shown),
                Some(interval) => match interval.varies(width) {
                    intervals::Verdict::Wide => None,
                    _ if interval.computable().is_some() => Some(Violation::Computable),
                    intervals::Verdict::Narrow => Some(Violation::Narrow),
                    intervals::Verdict::Undecided => Some(Violation::Undecided),
                },
            };
            violations.extend(violation.map(|violation| (self.cells[cell].place, violation)));
        }
        let intervals = reached.intervals().iter().filter(|_| with_intervals).map(|&(cell, interval)| {
            let Joined { key, asked, .. } = &self.cells[cell];
            (key.iter().map(|&node| node as usize).collect(), *asked, interval)
        });
        Ok(Attacked { asked: asked().count(), violations, intervals: intervals.collect() })
    }
}
