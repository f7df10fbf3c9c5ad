//! What follows for one intruder, or for each of many.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::layout::Keys;
use super::super::{Misfit, Need, Place, Table};
use super::attack::{Finding, Hurt, Intruder, Played, Step, Violation};
use super::join::{Joined, Seen};
use crate::alone::{join, root};
use crate::intervals::{Asked, Contradiction, End, Interval, Verdict, View, reach};

impl Seen {
    /// Cells that stand in a table.
    pub(super) fn tabled(&self) -> impl Iterator<Item = (usize, &Joined)> {
        self.cells.iter().enumerate().filter(|(_, cell)| !cell.untold)
    }

    pub(super) fn contradiction(&self, fault: &Contradiction) -> Misfit {
        let places: BTreeSet<Place> = fault.relations.iter().map(|&index| self.relations[index]).collect();
        Misfit::Contradiction(places.into_iter().collect())
    }

    pub(super) fn report(&self, intruder: Intruder, hurt: &Hurt) -> Played {
        Played { intruder, players: 1, absent: 0, asked: self.asked(), findings: self.findings(hurt) }
    }

    pub(super) fn asked(&self) -> usize {
        self.tabled().filter(|(_, cell)| cell.need.is_some()).count()
    }

    pub(super) fn findings(&self, hurt: &Hurt) -> Vec<Finding> {
        let finding = |(&cell, &violation): (&usize, &Violation)| {
            let Joined { place, untold, .. } = self.cells[cell];
            Finding { place, together: untold, violation }
        };
        hurt.iter().map(finding).collect()
    }

    /// Who does not vary enough in this view, among cells of interest.
    pub(super) fn play(
        &self,
        view: &View,
        table: Option<&[i64]>,
        interest: &dyn Fn(usize) -> bool,
    ) -> Result<Hurt, Contradiction> {
        let needs = || {
            let needs = self.cells.iter().enumerate().filter_map(|(cell, known)| Some((cell, known.need?)));
            needs.filter(|&(cell, _)| interest(cell))
        };
        // Most need the same: whether they vary by it is a smaller question than how far.
        let mut widths: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
        for (cell, need) in needs() {
            let only = (need.below.max(need.above) == 0).then(|| need.units().width);
            widths.entry(only).or_default().push(cell);
        }
        let mut hurt = Hurt::new();
        if widths.is_empty() {
            // Nobody is asked for; that a whole table exists is asked all the same.
            widths.insert(Some(1), Vec::new());
        }
        for (width, cells) in widths {
            let asked = width.map_or_else(Asked::intervals, Asked::width).about(cells.iter().copied());
            let asked = match table {
                Some(table) => asked.from_table(table.to_vec()),
                None => asked,
            };
            let reached = reach(view, &asked)?;
            for cell in cells {
                let known = &self.cells[cell];
                let violation = match (known.figure, reached.interval(cell)) {
                    (Some(_), _) => Some(Violation::Shown),
                    // Somebody knows it.
                    (None, None) => None,
                    (None, Some(interval)) => verdict(interval, known.need.unwrap_or_default(), known.inside),
                };
                hurt.extend(violation.map(|violation| (cell, violation)));
            }
        }
        Ok(hurt)
    }

    /// Every contributor in turn.
    pub(super) fn contributors(&self, hurt: &Hurt, told: &mut dyn FnMut(Step)) -> Result<Option<Played>, Misfit> {
        let mut owned: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (cell, known) in self.tabled() {
            if let (Some(owner), None) = (known.owner, known.figure) {
                owned.entry(owner).or_default().push(cell);
            }
        }
        if owned.is_empty() {
            return Ok(None);
        }
        let parts = self.parts();
        // What files still hold only makes it quicker to begin.
        let whole: Option<Vec<i64>> = self.cells.iter().map(|cell| cell.figure.or(cell.inside)).collect();
        let mut played = Played {
            intruder: Intruder::Contributors,
            players: 0,
            absent: 0,
            asked: self.asked(),
            findings: Vec::new(),
        };
        let mut found = Hurt::new();
        let of = owned.len();
        for (player, (owner, cells)) in owned.into_iter().enumerate() {
            told(Step::Player { player: player + 1, of });
            let Some(figures) =
                cells.iter().map(|&cell| Some((cell, self.cells[cell].inside?))).collect::<Option<Vec<_>>>()
            else {
                played.absent += 1;
                continue;
            };
            played.players += 1;
            let place = self.cells[cells[0]].place;
            let near: HashSet<usize> = cells.iter().map(|&cell| parts[cell]).collect();
            let interest = |cell: usize| {
                let own = self.cells[cell].owner == Some(owner);
                !own && near.contains(&parts[cell]) && !hurt.contains_key(&cell) && !found.contains_key(&cell)
            };
            let concerned = |(cell, known): (usize, &Joined)| known.need.is_some() && interest(cell);
            if !self.cells.iter().enumerate().any(concerned) {
                continue;
            }
            let view = self.view.known(figures).map_err(|_| Misfit::Known(place))?;
            let more = self.play(&view, whole.as_deref(), &interest).map_err(|_| Misfit::Known(place))?;
            found.extend(more);
        }
        played.findings = self.findings(&found);
        Ok(Some(played))
    }

    /// By cell: which hidden cells hang together.
    pub(super) fn parts(&self) -> Vec<usize> {
        let mut part: Vec<usize> = (0..self.cells.len()).collect();
        for relation in &self.terms {
            let hidden = |cell: &usize| self.cells[*cell].figure.is_none();
            let mut hidden = relation.terms.iter().map(|&(cell, _)| cell).filter(hidden);
            let Some(first) = hidden.next() else { continue };
            for cell in hidden {
                join(&mut part, first, cell);
            }
        }
        (0..part.len()).map(|cell| root(&mut part, cell)).collect()
    }

    /// The cells of a list of known figures.
    pub(super) fn insider(&self, keys: &Keys, at: Place, table: &Table) -> Result<Vec<(usize, i64)>, Misfit> {
        let mut figures = Vec::new();
        for (row, known) in table.rows.iter().enumerate() {
            let place = Place { row, ..at };
            let figure = known.value.ok_or(Misfit::Empty(place))?;
            let versions = self.versions.get(&keys.key(table, row)).ok_or(Misfit::Stranger(place))?;
            let cell = versions[0] as usize;
            if self.cells[cell].figure.is_some_and(|shown| shown != figure) {
                return Err(Misfit::Known(place));
            }
            figures.push((cell, figure));
        }
        Ok(figures)
    }

    pub(super) fn intervals(&self) -> Result<Vec<(Vec<usize>, bool, Interval)>, Misfit> {
        let hidden = self.tabled().filter(|(_, cell)| cell.figure.is_none()).map(|(cell, _)| cell);
        let reached =
            reach(&self.view, &Asked::intervals().about(hidden)).map_err(|fault| self.contradiction(&fault))?;
        let interval = |&(cell, interval): &(usize, Interval)| {
            let Joined { key, need, .. } = &self.cells[cell];
            (key.iter().map(|&node| node as usize).collect(), need.is_some(), interval)
        };
        Ok(reached.intervals().iter().map(interval).collect())
    }
}

/// What is wrong with an interval, if anything. Without the figure only what lies below and above it together is known.
fn verdict(interval: Interval, need: Need, figure: Option<i64>) -> Option<Violation> {
    let (below, above) = (need.below, need.above);
    let width = if figure.is_some() { need.width } else { need.width.max(below.saturating_add(above)) };
    match interval.varies(Need::width(width).units().width) {
        _ if interval.computable().is_some() && width.max(below).max(above) > 0 => return Some(Violation::Computable),
        Verdict::Narrow => return Some(Violation::Narrow),
        Verdict::Undecided => return Some(Violation::Undecided),
        Verdict::Wide => {}
    }
    let figure = figure?;
    let far = |end: End, sign: i64, level: i64, violation: Violation| {
        let reaches = |to: i64| i128::from(sign) * (i128::from(to) - i128::from(figure)) >= i128::from(level);
        match end {
            _ if level == 0 => None,
            End::Endless => None,
            End::Proven(to) => (!reaches(to)).then_some(violation),
            End::Between { attained: Some(to), .. } if reaches(to) => None,
            End::Between { bound: Some(to), .. } if !reaches(to) => Some(violation),
            End::Between { .. } => Some(Violation::Undecided),
        }
    };
    far(interval.low, -1, below, Violation::Below).or_else(|| far(interval.high, 1, above, Violation::Above))
}
