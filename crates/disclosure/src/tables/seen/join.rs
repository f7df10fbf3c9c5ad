//! Which rows are the same cell, and what is visible of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::layout::{Key, Keys, Layout};
use super::super::owners::{self, Share, Sum};
use super::super::{Misfit, Need, Place, Row, Singletons, Table};
use super::attack::Audience;
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
    contributors: Option<u64>,
    /// What the files still hold, for those who know it anyway.
    pub(super) inside: Option<i64>,
    /// No table shows it: a sum of what one contributor has, or what is left of an inequality.
    pub(super) untold: bool,
}

/// What makes two rows the same unknown.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Version {
    Present,
    /// The figure is the same in all versions, as far as anybody can see.
    Unchanged,
    Figure(i64),
    Of(usize),
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
        let mut joiner = Joiner {
            audience,
            changed,
            told: HashMap::new(),
            index: HashMap::new(),
            cells: Vec::new(),
            versions: HashMap::new(),
        };
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
        let (mut sums, mut distinct, mut within) = (Vec::new(), Vec::new(), Vec::new());
        let (mut broken, mut count) = (None, 0);
        for (&(at, table), of_rows) in all.iter().zip(&of_tables) {
            let layout = Layout::of(audience.dimensions, table, at)?;
            layout.sums(audience.dimensions, table, |dimension, total, parts| {
                // By what this table says itself: what others say may be of another version.
                let shown = |row: &&Row| row.suppressed == Some(false);
                let figure = |row: usize| table.rows.get(row).filter(shown)?.value.map(i128::from);
                let place = Place { row: total, ..at };
                let sum: Option<i128> = parts.iter().map(|&part| figure(part)).sum();
                if audience.dimensions[dimension].distinct {
                    let parts = parts.iter().map(|&part| of_rows[part]).collect();
                    distinct.push(Sum { place, dimension, total: of_rows[total], parts });
                    return;
                }
                if let (Some(total), Some(sum)) = (figure(total), sum)
                    && total != sum
                {
                    count += 1;
                    broken.get_or_insert_with(|| (place, dimension, parts.to_vec()));
                }
                let parts = parts.iter().map(|&part| of_rows[part]).collect();
                sums.push(Sum { place, dimension, total: of_rows[total], parts });
            });
            layout.within(audience.dimensions, table, |whole, part| {
                within.push((Place { row: whole, ..at }, of_rows[whole], of_rows[part]));
            });
        }
        if let Some((place, dimension, parts)) = broken {
            return Err(Misfit::Broken { place, dimension, parts, count });
        }
        contributors(&mut cells, &sums, audience);
        let (mut relations, mut terms) = (Vec::new(), Vec::new());
        for sum in &sums {
            let parts = sum.parts.iter().map(|&part| (part as usize, -1));
            terms.push(Relation { terms: std::iter::once((sum.total as usize, 1)).chain(parts).collect() });
            relations.push(sum.place);
        }
        let owner = |cell: u32| cells[cell as usize].owner;
        for Share { owner, parts, total } in owners::shares(cells.len(), &sums, &owner) {
            let known = || parts.iter().map(|&part| &cells[part as usize]);
            let Some(need) = known().filter_map(|part| part.need).reduce(Need::and) else { continue };
            let low = known().map(|part| part.low.unwrap_or_default()).fold(0, i64::saturating_add);
            let inside = known().map(|part| part.figure.or(part.inside)).sum();
            // Levels are each cell's own: of their sum only what every reading of them asks is left.
            let need = Need::width(need.width);
            let Joined { key, place, .. } = cells[total as usize].clone();
            cells.push(Joined {
                low: Some(low),
                need: Some(need),
                owner: Some(owner),
                inside,
                untold: true,
                ..Joined::new(key, place)
            });
            relations.push(place);
            let own = std::iter::once((cells.len() - 1, -1));
            terms.push(Relation { terms: parts.iter().map(|&part| (part as usize, 1)).chain(own).collect() });
        }
        // What is left of an inequality is a figure of its own, at least zero, that nobody publishes.
        let mut slack = |place: Place, left: Vec<(usize, i64)>| {
            let value = |&(cell, sign): &(usize, i64)| {
                let Joined { figure, inside, .. } = &cells[cell];
                Some(sign * figure.or(*inside)?)
            };
            let inside = left.iter().map(value).sum();
            let key = cells[left[0].0].key.clone();
            cells.push(Joined { inside, untold: true, ..Joined::new(key, place) });
            relations.push(place);
            let own = std::iter::once((cells.len() - 1, -1));
            terms.push(Relation { terms: left.into_iter().chain(own).collect() });
        };
        for sum in distinct {
            let total = sum.total as usize;
            slack(sum.place, sum.parts.iter().map(|&part| (part as usize, 1)).chain([(total, -1)]).collect());
            for &part in &sum.parts {
                slack(sum.place, vec![(total, 1), (part as usize, -1)]);
            }
        }
        for (place, whole, part) in within {
            slack(place, vec![(whole as usize, 1), (part as usize, -1)]);
        }
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
    let numbers = owners::alone(cells.len(), sums, &single, &taken);
    for (cell, number) in cells.iter_mut().zip(numbers) {
        cell.owner = cell.owner.or(number);
    }
}

impl Joined {
    fn new(key: Key, place: Place) -> Self {
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

/// What the tables say of one key before anything is joined.
#[derive(Default)]
struct Told {
    present: Option<i64>,
    shown: bool,
    /// Figures of earlier publications, and the present one.
    figures: BTreeSet<i64>,
    /// Some version has no figure at all.
    unknown: bool,
    versions: usize,
}

struct Joiner<'a> {
    audience: &'a Audience<'a>,
    changed: &'a HashSet<Key>,
    told: HashMap<Key, Told>,
    index: HashMap<(Key, Version), u32>,
    cells: Vec<Joined>,
    versions: HashMap<Key, Vec<u32>>,
}

impl Joiner<'_> {
    /// Listens to everything once: which keys have several figures?
    fn listen(&mut self, keys: &Keys, all: &[(Place, &Table)]) {
        for &(at, table) in all {
            for (number, row) in table.rows.iter().enumerate() {
                let told = self.told.entry(keys.key(table, number)).or_default();
                let figure = if row.suppressed == Some(false) { row.value } else { row.inside };
                if at.earlier {
                    told.figures.extend(figure);
                    told.unknown |= figure.is_none();
                    told.versions += 1;
                } else if let (Some(figure), false) = (figure, told.shown) {
                    told.present = Some(figure);
                    told.shown |= row.suppressed == Some(false);
                }
            }
        }
        for told in self.told.values_mut() {
            told.figures.extend(told.present);
            told.unknown |= told.present.is_none();
            told.versions += 1;
        }
    }

    /// Equal figures are one unknown, different ones are several. A figure that neither is visible nor stands in a file
    /// is taken for the same in all versions, unless it is known to have changed.
    fn version(&self, key: &Key, place: Place, row: &Row) -> Version {
        let Some(told) = self.told.get(key) else { return Version::Present };
        let own = match (place.earlier, row.suppressed) {
            (false, _) => told.present,
            (true, Some(false)) => row.value,
            (true, _) => row.inside,
        };
        match (own, told.figures.first(), told.figures.len()) {
            (Some(figure), ..) => Version::Figure(figure),
            (None, Some(&only), 1) if !self.changed.contains(key) => Version::Figure(only),
            (None, None, _) if !self.changed.contains(key) => Version::Unchanged,
            (None, ..) if place.earlier => Version::Of(place.table),
            (None, ..) => Version::Present,
        }
    }

    fn learn(&mut self, key: Key, place: Place, row: &Row, says_primary: bool) -> Result<u32, Misfit> {
        let hidden = row.suppressed.ok_or(Misfit::Empty(place))?;
        let version = self.version(&key, place, row);
        let next = u32::try_from(self.cells.len()).map_err(|_| Misfit::TooMany)?;
        let cell = *self.index.entry((key.clone(), version)).or_insert(next);
        if cell == next {
            let versions = self.versions.entry(key.clone()).or_default();
            if place.earlier {
                versions.push(cell)
            } else {
                versions.insert(0, cell)
            }
            self.cells.push(Joined::new(key, place));
        }
        let joined = &mut self.cells[cell as usize];
        if hidden {
            if joined.place.earlier && !place.earlier && joined.figure.is_none() {
                joined.place = place;
            }
            joined.inside = joined.inside.or(row.inside);
        } else {
            let figure = row.value.ok_or(Misfit::Empty(place))?;
            if joined.figure.is_some_and(|known| known != figure) {
                return Err(Misfit::Conflict { place, other: joined.place });
            }
            if joined.figure.is_none() || (joined.place.earlier && !place.earlier) {
                joined.place = place;
            }
            joined.figure = Some(figure);
        }
        joined.low = joined.low.max(row.low);
        joined.high = [joined.high, row.high].into_iter().flatten().min();
        joined.owner = joined.owner.or(row.owner);
        joined.contributors = [joined.contributors, row.contributors].into_iter().flatten().min();
        if if says_primary { row.primary } else { hidden } {
            let level = |level: Option<i64>| level.unwrap_or_default();
            let levels = Need { below: level(row.lpl), above: level(row.upl), width: level(row.spl) };
            let need = Need::width(self.audience.width).and(levels);
            joined.need = Some(joined.need.unwrap_or_default().and(need));
        }
        Ok(cell)
    }
}
