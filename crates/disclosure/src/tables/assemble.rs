//! From tables to one system: which rows are the same cell, what adds up, what is decided, what is asked.

mod known;
mod rules;
mod system;

use std::collections::{HashMap, HashSet};

use super::layout::{Key, Keys, Layout};
use super::owners::Sum;
use super::published::Source;
use super::{Criterion, Dimension, Facts, Misfit, Need, Place, Table};
use crate::scheme::Zeros;
use crate::system::System;
use known::Known;

/// Whose knowledge of his own figure is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Singletons {
    /// Of contributors whom the tables name.
    Named,
    /// Also of whoever is the only contributor of a cell; the same one in a total and in the part that is all of it.
    Alone,
}

/// Tables, and how to protect them.
pub struct Request<'a> {
    /// All axes.
    pub dimensions: &'a [Dimension],
    /// What was published before, oldest first.
    pub earlier: &'a [Table],
    /// What is to be published.
    pub tables: &'a [Table],
    /// Units that make one: 10 to the power of the decimals.
    pub one: i64,
    /// What producers publish about some of the same cells.
    pub sources: &'a [Source<'a>],
    /// Rules.
    pub criteria: &'a [Criterion],
    /// Whether cells that a table marks as primary are.
    pub marked: bool,
    /// Whether rules hide cells behind which nobody stands.
    pub zeros: Zeros,
    /// How wide every primary must stay at least, in units.
    pub width: i64,
    /// Whose own figures are reckoned with.
    pub singletons: Singletons,
    /// Whether what a rule forbids and was published before stays shown. Otherwise that is refused.
    pub keep_published: bool,
}

/// The system of everything that is, or was, published together. Confidential.
pub struct Assembled {
    pub(super) system: System,
    /// By cell: what is asked for primaries.
    pub(super) needs: Vec<Option<Need>>,
    /// By table, by row: its cell.
    pub(super) present: Vec<Vec<u32>>,
    /// By cell: where it stands; `None` for differences that nobody publishes.
    pub(super) places: Vec<Option<Place>>,
    /// By cell: why it is shown for good.
    pub(super) fixed: Vec<Option<Fixed>>,
    /// What is asked of all primaries, in units.
    pub(super) width: i64,
}

/// Why a cell is shown, whatever that gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fixed {
    /// The file says so.
    Frozen,
    /// It was published earlier.
    Published,
    /// It is a zero, and zeros are shown.
    Zero,
}

impl Assembled {
    /// Checks the tables, applies the rules, and joins everything.
    pub fn of(request: &Request<'_>) -> Result<Self, Misfit> {
        let mut builder = Builder::new(request)?;
        builder.join()?;
        builder.sources()?;
        builder.relate()?;
        builder.contributors()?;
        builder.rules()?;
        builder.finish()
    }

    /// How many cells are to be published: each once, in however many tables.
    pub fn cells(&self) -> usize {
        self.present.iter().flatten().collect::<HashSet<_>>().len()
    }

    /// How many of them must be hidden.
    pub fn primaries(&self) -> usize {
        let cells: HashSet<u32> = self.present.iter().flatten().copied().collect();
        cells.into_iter().filter(|&cell| self.needs[cell as usize].is_some()).count()
    }
}

struct Builder<'a> {
    request: &'a Request<'a>,
    keys: Keys,
    known: Vec<Known>,
    earlier: Vec<Vec<u32>>,
    present: Vec<Vec<u32>>,
    sums: Vec<Sum>,
    /// Present cells.
    now: HashMap<Key, u32>,
    /// Totals of people who may be counted in several parts.
    distinct: Vec<Sum>,
    /// Whole and part: one figure is never above the other.
    within: Vec<(Place, u32, u32)>,
    /// Zeros that stay undecided, by cell.
    undecided: Vec<bool>,
    /// Differences: what they are worth, the least they can be, total, part.
    differences: Vec<(i64, i64, u32, u32)>,
}

impl<'a> Builder<'a> {
    fn new(request: &'a Request<'a>) -> Result<Self, Misfit> {
        let first = request.earlier.len();
        let sources =
            request.sources.iter().enumerate().map(move |(at, source)| (Source::place(first + at), source.table));
        let keys = Keys::of(request.dimensions, &everything(request).chain(sources))?;
        Ok(Self {
            request,
            keys,
            known: Vec::new(),
            earlier: Vec::new(),
            present: Vec::new(),
            sums: Vec::new(),
            now: HashMap::new(),
            distinct: Vec::new(),
            within: Vec::new(),
            undecided: Vec::new(),
            differences: Vec::new(),
        })
    }

    /// Gives every row its cell: same key and same figure are the same unknown, whenever it was published.
    fn join(&mut self) -> Result<(), Misfit> {
        let mut cells: HashMap<(Key, i64), u32> = HashMap::new();
        let mut now: HashMap<Key, Place> = HashMap::new();
        for (at, table) in everything(self.request) {
            let mut of_rows = Vec::with_capacity(table.rows.len());
            for (index, row) in table.rows.iter().enumerate() {
                let place = Place { row: index, ..at };
                let value = row.value.ok_or(Misfit::Empty(place))?;
                let key = self.keys.key(table, index);
                if !place.earlier {
                    let other = *now.entry(key.clone()).or_insert(place);
                    if other.table == place.table && other.row != place.row {
                        return Err(Misfit::Twice { place, first: other.row });
                    }
                    if self.request.tables[other.table].rows[other.row].value != Some(value) {
                        return Err(Misfit::Conflict { place, other });
                    }
                }
                let next = u32::try_from(self.known.len()).map_err(|_| Misfit::TooMany)?;
                let cell = *cells.entry((key, value)).or_insert(next);
                if cell == next {
                    self.known.push(Known::new(value, place, self.request.one));
                }
                self.known[cell as usize].learn(row, place, table.says_primary, self.request)?;
                if !place.earlier {
                    self.now.insert(self.keys.key(table, index), cell);
                }
                of_rows.push(cell);
            }
            if at.earlier { &mut self.earlier } else { &mut self.present }.push(of_rows);
        }
        self.number(cells);
        self.undecided = vec![false; self.known.len()];
        Ok(())
    }

    /// Numbers cells by what they are: where two serve equally, neither the order of rows nor of tables decides.
    fn number(&mut self, cells: HashMap<(Key, i64), u32>) {
        let mut order: Vec<((Key, i64), u32)> = cells.into_iter().collect();
        order.sort_unstable();
        let mut numbers = vec![0; order.len()];
        for (number, &(_, before)) in (0_u32..).zip(&order) {
            numbers[before as usize] = number;
        }
        let mut known: Vec<(u32, Known)> = numbers.iter().copied().zip(std::mem::take(&mut self.known)).collect();
        known.sort_unstable_by_key(|&(number, _)| number);
        self.known = known.into_iter().map(|(_, known)| known).collect();
        for cell in self.earlier.iter_mut().chain(&mut self.present).flatten() {
            *cell = numbers[*cell as usize];
        }
        for cell in self.now.values_mut() {
            *cell = numbers[*cell as usize];
        }
    }

    /// What a producer publishes about a cell is known to everybody, and narrows its range.
    fn sources(&mut self) -> Result<(), Misfit> {
        for (index, source) in self.request.sources.iter().enumerate() {
            let at = Source::place(self.request.earlier.len() + index);
            for (row, (low, high)) in source.ranges(self.request.dimensions, at)?.into_iter().enumerate() {
                let Some(&cell) = self.now.get(&self.keys.key(source.table, row)) else { continue };
                let known = &mut self.known[cell as usize];
                if known.value < low || known.value > high {
                    return Err(Misfit::Rounded { place: known.place, other: Place { row, ..at } });
                }
                known.low = known.low.max(low);
                known.high = Some(known.high.map_or(high, |own| own.min(high)));
                known.published |= low == high;
            }
        }
        Ok(())
    }

    fn relate(&mut self) -> Result<(), Misfit> {
        let (mut broken, mut count) = (None, 0);
        let mut wrong = None;
        for (at, table) in everything(self.request) {
            let layout = Layout::of(self.request.dimensions, table, at)?;
            let of_rows = if at.earlier { &self.earlier[at.table] } else { &self.present[at.table] };
            layout.sums(self.request.dimensions, table, |dimension, total, parts| {
                let value = |row: usize| i128::from(self.known[of_rows[row] as usize].value);
                let place = Place { row: total, ..at };
                if self.request.dimensions[dimension].distinct {
                    let values = || parts.iter().map(|&part| value(part));
                    if value(total) > values().sum() || values().any(|part| part > value(total)) {
                        wrong.get_or_insert_with(|| Misfit::Distinct { place, dimension, parts: parts.to_vec() });
                        return;
                    }
                    let parts = parts.iter().map(|&part| of_rows[part]).collect();
                    self.distinct.push(Sum { place, dimension, total: of_rows[total], parts });
                    return;
                }
                if value(total) != parts.iter().map(|&part| value(part)).sum::<i128>() {
                    count += 1;
                    broken.get_or_insert_with(|| (place, dimension, parts.to_vec()));
                    return;
                }
                let parts = parts.iter().map(|&part| of_rows[part]).collect();
                self.sums.push(Sum { place, dimension, total: of_rows[total], parts });
            });
            layout.within(self.request.dimensions, table, |whole, part| {
                let (whole_at, part_at) = (Place { row: whole, ..at }, Place { row: part, ..at });
                let value = |row: usize| self.known[of_rows[row] as usize].value;
                if value(part) > value(whole) {
                    wrong.get_or_insert(Misfit::Within { whole: whole_at, part: part_at });
                }
                self.within.push((whole_at, of_rows[whole], of_rows[part]));
            });
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        for sums in [&mut self.sums, &mut self.distinct] {
            sums.sort_by(|a, b| (a.total, &a.parts).cmp(&(b.total, &b.parts)));
        }
        self.within.sort_by_key(|&(_, whole, part)| (whole, part));
        broken.map_or(Ok(()), |(place, dimension, parts)| Err(Misfit::Broken { place, dimension, parts, count }))
    }

    /// What is said about contributors must fit the figure.
    fn contributors(&mut self) -> Result<(), Misfit> {
        for known in &self.known {
            let Facts { value, contributors, top1, top2, .. } = known.facts;
            let none = contributors == Some(0) && value != 0;
            // Where contributions may be negative, nothing follows from their size.
            let tops = known.low >= 0
                && (top1.is_some_and(|top| top < 0 || top > value)
                    || top2.is_some_and(|top| {
                        top < 0 || top1.is_some_and(|first| top > first || first.saturating_add(top) > value)
                    })
                    || (contributors == Some(1) && top1.is_some_and(|top| top != value)));
            if none || tops {
                return Err(Misfit::Contributors(known.place));
            }
        }
        Ok(())
    }
}

/// Earlier tables, then present ones, each with the place of its first row.
fn everything<'a>(request: &'a Request<'_>) -> impl Iterator<Item = (Place, &'a Table)> + Clone {
    let place = |earlier| move |(table, rows)| (Place { earlier, table, row: 0 }, rows);
    let earlier = request.earlier.iter().enumerate().map(place(true));
    earlier.chain(request.tables.iter().enumerate().map(place(false)))
}
