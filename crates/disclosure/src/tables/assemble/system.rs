//! Cells, relations and needs, once the rules have spoken.

use std::collections::HashSet;

use super::super::{Misfit, Need, Place, owners};
use super::{Assembled, Builder, Fixed, Known, Singletons};
use crate::scheme::Zeros;
use crate::system::{Cell, InvalidSystem, Relation, Standing, System};

/// The system as it grows: cells of tables first, then those that no table shows.
struct Parts {
    cells: Vec<Cell>,
    needs: Vec<Option<Need>>,
    places: Vec<Option<Place>>,
    relations: Vec<Relation>,
}

impl Parts {
    /// A figure that nobody publishes: what the terms add up to.
    fn derive(&mut self, mut terms: Vec<(usize, i64)>, mut cell: Cell, need: Option<Need>) {
        terms.push((self.cells.len(), -1));
        cell.weight = 0;
        self.cells.push(cell);
        self.needs.push(need);
        self.places.push(None);
        self.relations.push(Relation { terms });
    }
}

impl Builder<'_> {
    pub(super) fn finish(mut self) -> Result<Assembled, Misfit> {
        if self.request.singletons == Singletons::Alone {
            self.alone();
        }
        self.add_lows();
        self.bound_below();
        let (mut parts, mut fixed) = self.cells()?;
        self.add_up(&mut parts);
        self.differ(&mut parts);
        self.share(&mut parts);
        self.compare(&mut parts);
        let Parts { cells, needs, places, relations } = parts;
        let mut system = System::new(cells, &relations).map_err(|fault| match fault {
            InvalidSystem::Outside(cell) | InvalidSystem::TooLarge(cell) => {
                let place = places.get(cell).copied().flatten();
                place.map_or(Misfit::TooMany, Misfit::TooLarge)
            }
            InvalidSystem::Broken(_) | InvalidSystem::Malformed(_) => Misfit::TooMany,
        })?;
        for (cell, need) in needs.iter().enumerate() {
            if let Some(need) = need {
                system = system.needing(cell, need.units());
            }
        }
        fixed.resize(places.len(), None);
        Ok(Assembled { system, needs, present: self.present, places, fixed, width: self.request.width })
    }

    /// Cells of tables: what is decided about each, and why.
    fn cells(&self) -> Result<(Parts, Vec<Option<Fixed>>), Misfit> {
        let (mut refused, mut beyond) = (Vec::new(), Vec::new());
        let mut fixed = Vec::with_capacity(self.known.len());
        let mut cells = Vec::with_capacity(self.known.len());
        let mut needs = Vec::with_capacity(self.known.len());
        for (known, undecided) in self.known.iter().zip(&self.undecided) {
            let forbidden = known.need.is_some() || (known.hidden && known.frozen);
            let public = (known.frozen || known.published) && !known.place.earlier;
            if forbidden && public && !self.request.keep_published {
                refused.push(known.place);
            }
            let shown = known.published || known.frozen;
            let zero = self.request.zeros == Zeros::Publish && known.facts.nobody() && !undecided;
            let need = match known.need.filter(|_| !shown).map(|need| known.levelled(need)).transpose() {
                Ok(need) => need,
                Err(level) => {
                    beyond.push((known.place, level));
                    None
                }
            };
            let (standing, why) = match need {
                Some(_) => (Standing::Primary, None),
                None if known.published => (Standing::Shown, Some(Fixed::Published)),
                None if known.frozen => (Standing::Shown, Some(Fixed::Frozen)),
                None if known.hidden => (Standing::Hidden, None),
                None if zero => (Standing::Shown, Some(Fixed::Zero)),
                None => (Standing::Open, None),
            };
            fixed.push(why);
            let Known { value, low, high, owner, .. } = *known;
            cells.push(Cell { value, low, high, weight: value.abs(), standing, owner });
            needs.push(need);
        }
        if !refused.is_empty() {
            return Err(Misfit::Frozen(refused));
        }
        if !beyond.is_empty() {
            return Err(Misfit::Beyond(beyond));
        }
        let places = self.known.iter().map(|known| Some(known.place)).collect();
        Ok((Parts { cells, needs, places, relations: Vec::with_capacity(self.sums.len()) }, fixed))
    }

    fn add_up(&self, parts: &mut Parts) {
        // Linked tables and earlier publications repeat relations; twice is no more than once.
        let mut seen = HashSet::with_capacity(self.sums.len());
        for sum in &self.sums {
            let own = sum.parts.iter().map(|&part| (part as usize, -1));
            let mut terms: Vec<(usize, i64)> = std::iter::once((sum.total as usize, 1)).chain(own).collect();
            terms[1..].sort_unstable();
            if seen.insert(terms.clone()) {
                parts.relations.push(Relation { terms });
            }
        }
    }

    /// Differences that a rule protects.
    fn differ(&self, parts: &mut Parts) {
        for &(value, low, total, part) in &self.differences {
            let cell = Cell { low, standing: Standing::Primary, ..Cell::open(value) };
            let need = Some(Need::width(self.request.width));
            parts.derive(vec![(total as usize, 1), (part as usize, -1)], cell, need);
        }
    }

    /// What one contributor has in several cells.
    fn share(&self, parts: &mut Parts) {
        let owner = |cell: u32| self.known[cell as usize].owner;
        for owners::Share { owner, parts: own, .. } in owners::shares(self.known.len(), &self.sums, &owner) {
            let asked = own.iter().filter_map(|&part| parts.needs[part as usize]).reduce(Need::and);
            let Some(need) = asked else { continue };
            let known = || own.iter().map(|&part| &self.known[part as usize]);
            let value = known().map(|known| known.value).fold(0, i64::saturating_add);
            let low = known().map(|known| known.low).fold(0, i64::saturating_add);
            // Levels below are each cell's own; together they cannot reach below what all of them can.
            let need = Need { below: need.below.min(value - low), ..need };
            let cell = Cell { low, standing: Standing::Primary, owner: Some(owner), ..Cell::open(value) };
            parts.derive(own.iter().map(|&part| (part as usize, 1)).collect(), cell, Some(need));
        }
    }

    /// What is left of an inequality is a figure of its own, at least zero.
    fn compare(&self, parts: &mut Parts) {
        let value = |cell: u32| self.known[cell as usize].value;
        let mut slack = |terms: Vec<(usize, i64)>, left: i64| {
            parts.derive(terms, Cell { standing: Standing::Hidden, ..Cell::open(left) }, None);
        };
        for sum in &self.distinct {
            let total = value(sum.total);
            let all = sum.parts.iter().map(|&part| value(part)).fold(0, i64::saturating_add);
            let terms = sum.parts.iter().map(|&part| (part as usize, 1)).chain([(sum.total as usize, -1)]);
            slack(terms.collect(), all - total);
            for &part in &sum.parts {
                slack(vec![(sum.total as usize, 1), (part as usize, -1)], total - value(part));
            }
        }
        for &(_, whole, part) in &self.within {
            slack(vec![(whole as usize, 1), (part as usize, -1)], value(whole) - value(part));
        }
    }
}
