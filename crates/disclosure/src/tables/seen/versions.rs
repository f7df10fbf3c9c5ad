//! Which rows of several publications are the same unknown.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::layout::{Key, Keys};
use super::super::{Misfit, Need, Place, Row, Table};
use super::attack::Audience;
use super::join::Joined;

/// What makes two rows the same unknown.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Version {
    Present,
    /// The figure is the same in all versions, as far as anybody can see.
    Unchanged,
    Figure(i64),
    Of(usize),
}

/// What the tables say of one key before anything is joined.
#[derive(Default)]
pub(super) struct Told {
    present: Option<i64>,
    shown: bool,
    /// Figures of earlier publications, and the present one.
    figures: BTreeSet<i64>,
    /// Some version has no figure at all.
    pub(super) unknown: bool,
    pub(super) versions: usize,
}

pub(super) struct Joiner<'a> {
    audience: &'a Audience<'a>,
    changed: &'a HashSet<Key>,
    pub(super) told: HashMap<Key, Told>,
    index: HashMap<(Key, Version), u32>,
    pub(super) cells: Vec<Joined>,
    pub(super) versions: HashMap<Key, Vec<u32>>,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(audience: &'a Audience<'a>, changed: &'a HashSet<Key>) -> Self {
        Self {
            audience,
            changed,
            told: HashMap::new(),
            index: HashMap::new(),
            cells: Vec::new(),
            versions: HashMap::new(),
        }
    }

    /// Listens to everything once: which keys have several figures?
    pub(super) fn listen(&mut self, keys: &Keys, all: &[(Place, &Table)]) {
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

    pub(super) fn learn(&mut self, key: Key, place: Place, row: &Row, says_primary: bool) -> Result<u32, Misfit> {
        let hidden = row.suppressed.ok_or(Misfit::Empty(place))?;
        let version = self.version(&key, place, row);
        let next = u32::try_from(self.cells.len()).map_err(|_| Misfit::TooMany)?;
        let cell = *self.index.entry((key.clone(), version)).or_insert(next);
        if cell == next {
            let versions = self.versions.entry(key.clone()).or_default();
            if place.earlier {
                versions.push(cell);
            } else {
                versions.insert(0, cell);
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
