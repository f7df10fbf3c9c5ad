//! Which rows are the same cell, and what is visible of it.

use std::collections::{HashMap, HashSet};

use super::super::layout::{Key, Layout};
use super::super::owners::{self, Share, Sum};
use super::super::{Misfit, Need, Place, Row, Singletons, Table};
use super::attack::Audience;
use super::versions::Joiner;
use crate::alone::{alone, spread};
use crate::intervals::{self, InvalidView, View};
use crate::system::Relation;

/// What somebody sees who reads all of these tables.
pub(super) struct Seen {
    pub(super) view: View,
    /// By cell: those of tables, then those that no table shows.
    pub(super) cells: Vec<Joined>,
    /// By relation: the total.
    pub(super) relations: Vec<Place>,
    /// By key: every version of the cell, the present one first.
    pub(super) versions: HashMap<Key, Vec<u32>>,
    /// By relation: its cells.
    pub(super) terms: Vec<Relation>,
    /// By cell: taken for the same in several versions, without being seen in all of them.
    pub(super) doubtful: Vec<bool>,
}

/// A cell as all tables together tell it.
#[derive(Clone)]
pub(super) struct Joined {
    pub(super) key: Key,
    pub(super) place: Place,
    pub(super) figure: Option<i64>,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    /// What it must vary by; `None` if it may be known.
    pub(super) need: Option<Need>,
    pub(super) owner: Option<u32>,
    pub(super) contributors: Option<u64>,
    /// What the files still hold, for those who know it anyway.
    pub(super) inside: Option<i64>,
    /// No table shows it: a sum of what one contributor has, or what is left of an inequality.
    pub(super) untold: bool,
}

/// Which publications are read together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Present,
    Past,
    Everything,
}

impl Seen {
    /// Joins the tables. A cell that one table shows and another hides is shown. `changed`: cells whose versions are
    /// told apart, because visible figures prove that they cannot all be one.
    pub(super) fn of(audience: &Audience<'_>, reading: Reading, changed: &HashSet<Key>) -> Result<Self, Misfit> {
        let keys = audience.keys()?;
        let read = |&(at, _): &(Place, &Table)| match reading {
            Reading::Everything => true,
            Reading::Present => !at.earlier,
            Reading::Past => at.earlier,
        };
        let all: Vec<(Place, &Table)> = audience.published().filter(read).collect();
        let mut joiner = Joiner::new(audience, changed);
        joiner.listen(&keys, &all);
        let mut of_tables = Vec::with_capacity(all.len());
        for &(at, table) in &all {
            let mut of_rows = Vec::with_capacity(table.rows.len());
            for (number, row) in table.rows.iter().enumerate() {
                let place = Place { row: number, ..at };
                of_rows.push(joiner.learn(keys.key(table, number), place, row, table.says_primary)?);
            }
            of_tables.push(of_rows);
        }
        let Joiner { mut cells, versions, told, .. } = joiner;
        let doubtful = |key: &Key| told.get(key).is_some_and(|told| told.unknown && told.versions > 1);
        let doubtful = cells.iter().map(|cell| doubtful(&cell.key) && !changed.contains(&cell.key)).collect();
        if reading != Reading::Past {
            audience.narrow(&keys, &mut cells, &versions)?;
        }
        let told = Told::of(audience, &all, &of_tables)?;
        contributors(&mut cells, &told.sums, audience);
        let mut parts = Parts { cells, relations: Vec::new(), terms: Vec::new() };
        parts.add_up(&told.sums);
        parts.share(&told.sums);
        parts.compare(&told);
        let Parts { cells, relations, terms } = parts;
        let seen = cells.iter().map(|cell| match cell.figure {
            Some(figure) => intervals::Seen::Shown(figure),
            None => intervals::Seen::Hidden { low: cell.low.unwrap_or_default(), high: cell.high },
        });
        let view = View::new(seen.collect(), &terms).map_err(|fault| match fault {
            InvalidView::Empty(cell) | InvalidView::Known(cell) => Misfit::Outside(cells[cell].place),
            InvalidView::LargeCell(cell) => Misfit::TooLarge(cells[cell].place),
            InvalidView::Malformed(_) | InvalidView::LargeRelation(_) => Misfit::TooMany,
        })?;
        Ok(Self { view, cells, relations, versions, terms, doubtful })
    }
}

/// What the hierarchies say of the cells.
struct Told {
    sums: Vec<Sum>,
    distinct: Vec<Sum>,
    /// Where the whole stands, whole, part.
    within: Vec<(Place, u32, u32)>,
}

impl Told {
    fn of(audience: &Audience<'_>, all: &[(Place, &Table)], of_tables: &[Vec<u32>]) -> Result<Self, Misfit> {
        let (mut sums, mut distinct, mut within) = (Vec::new(), Vec::new(), Vec::new());
        let (mut broken, mut count) = (None, 0);
        for (&(at, table), of_rows) in all.iter().zip(of_tables) {
            let layout = Layout::of(audience.dimensions, table, at)?;
            layout.sums(audience.dimensions, table, |dimension, total, parts| {
                // By what this table says itself: what others say may be of another version.
                let shown = |row: &&Row| row.suppressed == Some(false);
                let figure = |row: usize| table.rows.get(row).filter(shown)?.value.map(i128::from);
                let place = Place { row: total, ..at };
                let sum: Option<i128> = parts.iter().map(|&part| figure(part)).sum();
                let cells = parts.iter().map(|&part| of_rows[part]).collect();
                let relation = Sum { place, dimension, total: of_rows[total], parts: cells };
                if audience.dimensions[dimension].distinct {
                    distinct.push(relation);
                    return;
                }
                if let (Some(total), Some(sum)) = (figure(total), sum)
                    && total != sum
                {
                    count += 1;
                    broken.get_or_insert_with(|| (place, dimension, parts.to_vec()));
                }
                sums.push(relation);
            });
            layout.within(audience.dimensions, table, |whole, part| {
                within.push((Place { row: whole, ..at }, of_rows[whole], of_rows[part]));
            });
        }
        match broken {
            Some((place, dimension, parts)) => Err(Misfit::Broken { place, dimension, parts, count }),
            None => Ok(Self { sums, distinct, within }),
        }
    }
}

/// The view as it grows: cells of tables first, then those that no table shows.
struct Parts {
    cells: Vec<Joined>,
    relations: Vec<Place>,
    terms: Vec<Relation>,
}

impl Parts {
    fn add_up(&mut self, sums: &[Sum]) {
        for sum in sums {
            let parts = sum.parts.iter().map(|&part| (part as usize, -1));
            self.terms.push(Relation { terms: std::iter::once((sum.total as usize, 1)).chain(parts).collect() });
            self.relations.push(sum.place);
        }
    }

    /// A figure that no table shows: what the terms add up to.
    fn derive(&mut self, mut terms: Vec<(usize, i64)>, cell: Joined) {
        let value = |&(cell, sign): &(usize, i64)| {
            let Joined { figure, inside, .. } = &self.cells[cell];
            Some(sign * figure.or(*inside)?)
        };
        let inside = terms.iter().map(value).sum();
        self.relations.push(cell.place);
        terms.push((self.cells.len(), -1));
        self.cells.push(Joined { inside, untold: true, ..cell });
        self.terms.push(Relation { terms });
    }

    /// What one contributor has in several cells.
    fn share(&mut self, sums: &[Sum]) {
        let owner = |cell: u32| self.cells[cell as usize].owner;
        for Share { owner, parts, total } in owners::shares(self.cells.len(), sums, &owner) {
            let known = || parts.iter().map(|&part| &self.cells[part as usize]);
            // Levels are each cell's own: of their sum only what every reading of them asks is left.
            let Some(need) = known().filter_map(|part| part.need).reduce(Need::and) else { continue };
            let low = known().map(|part| part.low.unwrap_or_default()).fold(0, i64::saturating_add);
            let Joined { key, place, .. } = self.cells[total as usize].clone();
            let cell = Joined {
                low: Some(low),
                need: Some(Need::width(need.width)),
                owner: Some(owner),
                ..Joined::new(key, place)
            };
            self.derive(parts.iter().map(|&part| (part as usize, 1)).collect(), cell);
        }
    }

    /// What is left of an inequality is a figure of its own, at least zero.
    fn compare(&mut self, told: &Told) {
        let mut slack = |place: Place, terms: Vec<(usize, i64)>| {
            let key = self.cells[terms[0].0].key.clone();
            self.derive(terms, Joined::new(key, place));
        };
        for sum in &told.distinct {
            let total = sum.total as usize;
            slack(sum.place, sum.parts.iter().map(|&part| (part as usize, 1)).chain([(total, -1)]).collect());
            for &part in &sum.parts {
                slack(sum.place, vec![(total, 1), (part as usize, -1)]);
            }
        }
        for &(place, whole, part) in &told.within {
            slack(place, vec![(whole as usize, 1), (part as usize, -1)]);
        }
    }
}

/// Gives every cell its only contributor, named or not.
fn contributors(cells: &mut [Joined], sums: &[Sum], audience: &Audience<'_>) {
    if audience.singletons != Singletons::Alone {
        return;
    }
    let single = |cell: usize| {
        let Joined { contributors, figure, inside, .. } = cells[cell];
        contributors.map_or(audience.one == 1 && figure.or(inside) == Some(1), |contributors| contributors == 1)
    };
    let taken: HashSet<u32> = cells.iter().filter_map(|cell| cell.owner).collect();
    let mut numbers = alone(cells.len(), owners::parts(sums), &single, &taken);
    for (number, cell) in numbers.iter_mut().zip(&*cells) {
        *number = cell.owner.filter(|_| number.is_some()).or(*number);
    }
    let empty = |cell: usize| cells[cell].figure.or(cells[cell].inside) == Some(0);
    spread(&mut numbers, &owners::parts(sums), &empty);
    for (cell, number) in cells.iter_mut().zip(numbers) {
        cell.owner = cell.owner.or(number);
    }
}

impl Joined {
    pub(super) fn new(key: Key, place: Place) -> Self {
        Self {
            key,
            place,
            figure: None,
            low: None,
            high: None,
            need: None,
            owner: None,
            contributors: None,
            inside: None,
            untold: false,
        }
    }
}
