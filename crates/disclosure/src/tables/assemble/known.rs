//! What all tables together tell about one cell.

use super::super::{Facts, Frozen, Level, Misfit, Need, Place, Row};
use super::Request;

/// A cell as all tables together tell it.
pub(super) struct Known {
    pub(super) value: i64,
    pub(super) low: i64,
    pub(super) high: Option<i64>,
    pub(super) place: Place,
    pub(super) facts: Facts,
    pub(super) owner: Option<u32>,
    /// Shown by a publication, frozen as shown by a file.
    pub(super) published: bool,
    pub(super) frozen: bool,
    pub(super) hidden: bool,
    pub(super) need: Option<Need>,
    pub(super) level: Need,
}

impl Known {
    pub(super) fn new(value: i64, place: Place, one: i64) -> Self {
        Self {
            value,
            low: 0,
            high: None,
            place,
            facts: Facts { value, one, ..Facts::default() },
            owner: None,
            published: false,
            frozen: false,
            hidden: false,
            need: None,
            level: Need::default(),
        }
    }

    /// What one row adds.
    pub(super) fn learn(
        &mut self,
        row: &Row,
        place: Place,
        says_primary: bool,
        request: &Request<'_>,
    ) -> Result<(), Misfit> {
        if self.place.earlier && !place.earlier {
            self.place = place;
        }
        if let Some(low) = row.low {
            // A range that everybody knows: the narrowest of those that files give.
            self.low = if self.low == 0 { low } else { self.low.max(low) };
        }
        self.high = match (self.high, row.high) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.value < self.low || self.high.is_some_and(|high| self.value > high) {
            return Err(Misfit::Outside(place));
        }
        if !place.earlier {
            // Where linked tables differ, what asks for more protection counts.
            let facts = &mut self.facts;
            facts.contributors = [facts.contributors, row.contributors].into_iter().flatten().min();
            facts.top1 = facts.top1.max(row.top1);
            facts.top2 = facts.top2.max(row.top2);
        }
        self.owner = self.owner.or(row.owner);
        match row.frozen {
            Frozen::No => {}
            Frozen::Shown => self.frozen = true,
            Frozen::Hidden => self.hidden = true,
        }
        let level = |level: Option<i64>| level.unwrap_or_default();
        self.level = self.level.and(Need { below: level(row.lpl), above: level(row.upl), width: level(row.spl) });
        if place.earlier {
            let hidden = row.suppressed.ok_or(Misfit::Empty(place))?;
            self.published |= !hidden;
            self.hidden |= hidden;
            if hidden && row.primary {
                self.ask(Need::width(request.width));
            } else if hidden && !says_primary {
                // Nobody says which cells mattered: none may become computable.
                self.ask(Need::width(1));
            }
        } else if request.marked && row.primary {
            self.ask(Need::width(request.width));
        }
        Ok(())
    }

    pub(super) fn ask(&mut self, need: Need) {
        self.need = Some(self.need.unwrap_or_default().and(need));
    }

    /// With the protection levels of the files, if its range leaves room for them. What rules for amounts ask below is
    /// only by symmetry, and ends where the range does.
    pub(super) fn levelled(&self, need: Need) -> Result<Need, Level> {
        let (below, above) = (self.value - self.low, self.high.map(|high| high - self.value));
        let all = need.and(self.level);
        if self.level.below > below {
            return Err(Level::Below);
        }
        if above.is_some_and(|above| all.above > above) {
            return Err(Level::Above);
        }
        if above.is_some_and(|above| all.width > below + above) {
            return Err(if self.level.width > need.width { Level::Sliding } else { Level::Width });
        }
        Ok(Need { below: all.below.min(below), ..all })
    }
}
