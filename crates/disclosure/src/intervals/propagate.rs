//! Ranges carried from relation to relation: what each cell can be at most, given what the others of one relation can
//! be at least. Exact, cheap, and the first thing anybody with a pencil would try.

use std::collections::VecDeque;

use super::Contradiction;
use super::view::{Seen, View};

/// Visits of a relation before ranges that keep creeping are left as they are.
const VISITS: u32 = 40;

/// Beyond, a bound is as good as none: sums of bounds stay far from the ends of `i128`.
const FAR: i128 = 1 << 60;

/// Contradictory sets up to this size are made as small as possible.
const SHRUNK: usize = 80;

/// A range of whole figures for every cell that holds in all whole tables.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    low: Vec<i64>,
    high: Vec<Option<i64>>,
}

/// Sums of a relation's terms over all ranges; infinite parts are counted apart.
#[derive(Clone, Copy, Default)]
struct Sums {
    least: i128,
    most: i128,
    /// How many terms have no least part, no greatest part.
    bottomless: u32,
    topless: u32,
}

impl Sums {
    fn add(&mut self, (least, most): (Option<i128>, Option<i128>)) {
        self.least += least.unwrap_or_default();
        self.most += most.unwrap_or_default();
        self.bottomless += u32::from(least.is_none());
        self.topless += u32::from(most.is_none());
    }

    /// What the terms beside this one add up to, at least and at most.
    fn beside(self, (least, most): (Option<i128>, Option<i128>)) -> (Option<i128>, Option<i128>) {
        let bottom = (self.bottomless == u32::from(least.is_none())).then(|| self.least - least.unwrap_or_default());
        let top = (self.topless == u32::from(most.is_none())).then(|| self.most - most.unwrap_or_default());
        (bottom, top)
    }
}

/// A relation that no figures in the ranges satisfy.
struct Impossible(usize);

impl Ranges {
    /// What follows from carrying ranges through all relations until nothing changes.
    pub(super) fn carried(view: &View) -> Result<Self, Contradiction> {
        let mut ranges = Self::visible(view);
        let all: Vec<usize> = (0..view.relations()).collect();
        let mut tightened = vec![Vec::new(); view.cells().len()];
        match ranges.carry(view, &all, &mut tightened) {
            Ok(()) => Ok(ranges),
            Err(Impossible(relation)) => Err(Contradiction { relations: blamed(view, relation, &tightened) }),
        }
    }

    /// What is visible of each cell, before any relation is looked at.
    fn visible(view: &View) -> Self {
        let ends = |&cell: &Seen| match cell {
            Seen::Shown(figure) => (figure, Some(figure)),
            Seen::Hidden { low, high } => (low, high),
        };
        let (low, high) = view.cells().iter().map(ends).unzip();
        Self { low, high }
    }

    /// The range of a cell.
    pub(super) fn of(&self, cell: usize) -> (i64, Option<i64>) {
        (self.low[cell], self.high[cell])
    }

    /// The only figure left for a cell.
    pub(super) fn fixed(&self, cell: usize) -> Option<i64> {
        self.high[cell].filter(|&high| high == self.low[cell])
    }

    fn part(&self, cell: usize, coefficient: i64) -> (Option<i128>, Option<i128>) {
        let by_low = Some(i128::from(coefficient) * i128::from(self.low[cell]));
        let by_high = self.high[cell].map(|high| i128::from(coefficient) * i128::from(high));
        if coefficient > 0 { (by_low, by_high) } else { (by_high, by_low) }
    }

    /// Carries ranges through `relations`; `tightened` notes by cell which of them did something to it.
    fn carry(&mut self, view: &View, relations: &[usize], tightened: &mut [Vec<usize>]) -> Result<(), Impossible> {
        let mut waiting = vec![false; view.relations()];
        let mut visits = vec![VISITS; view.relations()];
        let mut taking_part = vec![false; view.relations()];
        let mut queue: VecDeque<usize> = relations.iter().copied().collect();
        for &relation in relations {
            waiting[relation] = true;
            taking_part[relation] = true;
        }
        while let Some(relation) = queue.pop_front() {
            waiting[relation] = false;
            if visits[relation] == 0 {
                continue;
            }
            visits[relation] -= 1;
            let mut sums = Sums::default();
            for (cell, coefficient) in view.relation(relation) {
                sums.add(self.part(cell, coefficient));
            }
            if (sums.bottomless == 0 && sums.least > 0) || (sums.topless == 0 && sums.most < 0) {
                return Err(Impossible(relation));
            }
            for (cell, coefficient) in view.relation(relation) {
                // coefficient · cell = −(all others)
                let (others_least, others_most) = sums.beside(self.part(cell, coefficient));
                let (most, least) = (others_least.map(|sum| -sum), others_most.map(|sum| -sum));
                let (least, most) = if coefficient > 0 { (least, most) } else { (most, least) };
                let by = i128::from(coefficient);
                let least = least.map(|sum| ceiling(sum, by)).filter(|bound| bound.abs() < FAR);
                let most = most.map(|sum| floor(sum, by)).filter(|bound| bound.abs() < FAR);
                if !self.tighten(cell, least, most).ok_or(Impossible(relation))? {
                    continue;
                }
                if tightened[cell].last() != Some(&relation) {
                    tightened[cell].push(relation);
                }
                for (other, _) in view.uses(cell) {
                    if taking_part[other] && !std::mem::replace(&mut waiting[other], true) {
                        queue.push_back(other);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the range of a cell became smaller; `None` if it became empty.
    fn tighten(&mut self, cell: usize, least: Option<i128>, most: Option<i128>) -> Option<bool> {
        let (low, high) = (self.low[cell], self.high[cell]);
        let least = least.and_then(|least| i64::try_from(least).ok()).filter(|&least| least > low);
        let most = most.and_then(|most| i64::try_from(most).ok()).filter(|&most| high.is_none_or(|high| most < high));
        self.low[cell] = least.unwrap_or(low);
        self.high[cell] = most.or(high);
        let possible = self.high[cell].is_none_or(|high| self.low[cell] <= high);
        possible.then_some(least.is_some() || most.is_some())
    }
}

fn floor(sum: i128, by: i128) -> i128 {
    let (sum, by) = if by < 0 { (-sum, -by) } else { (sum, by) };
    sum.div_euclid(by)
}

fn ceiling(sum: i128, by: i128) -> i128 {
    -floor(-sum, by)
}

/// Relations that make `relation` impossible: all that ever tightened a cell on the way to it, then without those that
/// are not needed.
fn blamed(view: &View, relation: usize, tightened: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; view.relations()];
    seen[relation] = true;
    let mut blamed = vec![relation];
    let mut next = 0;
    while let Some(&relation) = blamed.get(next) {
        next += 1;
        for (cell, _) in view.relation(relation) {
            for &earlier in &tightened[cell] {
                if !std::mem::replace(&mut seen[earlier], true) {
                    blamed.push(earlier);
                }
            }
        }
    }
    blamed.sort_unstable();
    let impossible = |relations: &[usize]| {
        Ranges::visible(view).carry(view, relations, &mut vec![Vec::new(); view.cells().len()]).is_err()
    };
    if blamed.len() <= SHRUNK {
        for candidate in blamed.clone() {
            let without: Vec<usize> = blamed.iter().copied().filter(|&kept| kept != candidate).collect();
            if impossible(&without) {
                blamed = without;
            }
        }
    }
    blamed
}
