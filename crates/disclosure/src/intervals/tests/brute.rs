//! All whole tables, one after the other.

use crate::intervals::{Seen, View};

/// Steps before giving up.
const STEPS: u32 = 60_000;

/// What trying all tables found.
pub(super) struct Brute {
    /// Least and greatest figure by cell; `None` if there is no table.
    pub(super) ranges: Vec<Option<(i64, i64)>>,
    /// Whether figures were left out because they are far from those of `around`.
    pub(super) cut: bool,
}

struct Search<'a> {
    view: &'a View,
    hidden: Vec<usize>,
    figure: Vec<i64>,
    around: &'a [i64],
    slack: i64,
    /// Per relation: what the cells decided so far add up to, and how many hidden ones are left.
    sums: Vec<(i64, usize)>,
    steps: u32,
    found: Brute,
}

impl Brute {
    /// `None` if there are too many tables. Relations without hidden cells count too.
    pub(super) fn all(view: &View, around: &[i64], slack: i64) -> Option<Self> {
        let hidden: Vec<usize> = (0..around.len()).filter(|&cell| view.figure(cell).is_none()).collect();
        let figure: Vec<i64> = (0..around.len()).map(|cell| view.figure(cell).unwrap_or_default()).collect();
        let sums: Vec<(i64, usize)> = (0..view.relations())
            .map(|relation| {
                let left = view.relation(relation).filter(|&(cell, _)| view.figure(cell).is_none()).count();
                (view.relation(relation).map(|(cell, coefficient)| coefficient * figure[cell]).sum(), left)
            })
            .collect();
        let found = Self { ranges: vec![None; around.len()], cut: false };
        if sums.iter().any(|&(sum, left)| left == 0 && sum != 0) {
            return Some(found);
        }
        let mut search = Search { view, hidden, figure, around, slack, sums, steps: 0, found };
        search.decide(0).then_some(search.found)
    }
}

impl Search<'_> {
    fn decide(&mut self, next: usize) -> bool {
        self.steps += 1;
        if self.steps > STEPS {
            return false;
        }
        let Some(&cell) = self.hidden.get(next) else {
            for (range, &figure) in self.found.ranges.iter_mut().zip(&self.figure) {
                let (low, high) = range.unwrap_or((figure, figure));
                *range = Some((low.min(figure), high.max(figure)));
            }
            return true;
        };
        let Seen::Hidden { low, high } = self.view.cells()[cell] else { return false };
        let (mut least, mut most) = (low, high.unwrap_or(i64::MAX));
        // The last hidden cell of a relation is what is left of it.
        for (relation, coefficient) in self.view.uses(cell) {
            let (sum, left) = self.sums[relation];
            if left == 1 {
                if sum % coefficient != 0 {
                    return true;
                }
                least = least.max(-sum / coefficient);
                most = most.min(-sum / coefficient);
            }
        }
        for (end, kept) in
            [(least, least.max(self.around[cell] - self.slack)), (most, most.min(self.around[cell] + self.slack))]
        {
            self.found.cut |= least <= most && end != kept;
        }
        let (least, most) = (least.max(self.around[cell] - self.slack), most.min(self.around[cell] + self.slack));
        for figure in least..=most {
            self.set(cell, figure, 1);
            let complete = self.decide(next + 1);
            self.set(cell, figure, -1);
            if !complete {
                return false;
            }
        }
        true
    }

    fn set(&mut self, cell: usize, figure: i64, way: i64) {
        self.figure[cell] = if way > 0 { figure } else { 0 };
        for (relation, coefficient) in self.view.uses(cell) {
            let (sum, left) = &mut self.sums[relation];
            *sum += way * coefficient * figure;
            *left = if way > 0 { *left - 1 } else { *left + 1 };
        }
    }
}
