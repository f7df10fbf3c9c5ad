//! More cells for primaries that vary too little.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Account;
use super::draft::Draft;
use crate::eliminate::Dictionary;
use crate::space::Space;
use crate::system::{Standing, System};
use crate::witness::{Met, Pool};

/// How often cells may be hidden because of what is in the way of primaries, before these are looked at one by one.
const ROUNDS: usize = 40;

/// Sizes of the neighbourhood that is searched for more cells, one after the other.
const NEIGHBOURS: [usize; 9] = [160, 240, 360, 540, 810, 1_600, 3_200, 6_400, usize::MAX];

/// What a step to another cell costs, beside its weight.
const STEP: i64 = 10;

pub(super) struct Repair<'a> {
    system: &'a System,
    settled: &'a [bool],
    /// All moves, whatever is shown.
    whole: &'a Dictionary,
    /// What may be shown, dearest first.
    order: &'a [usize],
    draft: Draft,
}

impl<'a> Repair<'a> {
    pub(super) fn new(
        system: &'a System,
        settled: &'a [bool],
        whole: &'a Dictionary,
        order: &'a [usize],
        draft: Draft,
    ) -> Self {
        Self { system, settled, whole, order, draft }
    }

    /// What is shown, less what was hidden in here.
    pub(super) fn done(self) -> Draft {
        self.draft
    }

    /// All moves that leave what is shown alone. Solved anew: what elimination leaves is not sparse.
    pub(super) fn space(&self) -> Space {
        let hidden: Vec<usize> = (0..self.draft.shown.len()).filter(|&cell| !self.draft.shown[cell]).collect();
        Space::new(self.system, &self.within(&hidden))
    }

    /// Hides more until every target is wide; answers those that are not, although everything that may be hidden is.
    pub(super) fn widen_all(&mut self, pool: &mut Pool, account: &mut Account) -> Vec<usize> {
        let mut left = pool.targets();
        left.sort_by_key(|&cell| (self.system.cells()[cell].value, cell));
        let mut unclear = Vec::new();
        for round in 0..ROUNDS {
            let mut space = self.space();
            let mut narrow = Vec::new();
            for target in std::mem::take(&mut left) {
                let looked = pool.lacks(target).is_some();
                let met = pool.search(&mut space, target);
                if round == 0 {
                    account.looked += usize::from(looked);
                    account.solved += usize::from(met != Met::Wide || !pool.stepped(target));
                }
                match met {
                    Met::Wide => {}
                    Met::Narrow(sum) => narrow.push((target, sum)),
                    Met::Unclear => unclear.push(target),
                }
            }
            account.work += space.work();
            left.extend(narrow.iter().map(|&(target, _)| target));
            let opened = self.open(narrow.into_iter().map(|(_, sum)| sum).collect());
            account.repaired += opened;
            if opened == 0 {
                // To weigh cells for each takes long, and hides more.
                let opened = self.open(self.tightest(&unclear));
                if opened == 0 {
                    break;
                }
                account.repaired += opened;
                left.append(&mut unclear);
            }
        }
        unclear.append(&mut left);
        if unclear.is_empty() { unclear } else { self.weigh_each(unclear, pool, account) }
    }

    /// The same, weighing cells for one target after the other: hides least, and takes long.
    pub(super) fn weigh_all(&mut self, pool: &mut Pool, account: &mut Account) -> Vec<usize> {
        let mut targets = pool.targets();
        targets.sort_by_key(|&cell| (self.system.cells()[cell].value, cell));
        account.looked += targets.len();
        self.weigh_each(targets, pool, account)
    }

    fn weigh_each(&mut self, mut targets: Vec<usize>, pool: &mut Pool, account: &mut Account) -> Vec<usize> {
        targets.retain(|&target| !self.mend(pool, target, account));
        targets.sort_unstable();
        self.draft.open(self.whole, self.order, &[]);
        targets
    }

    /// Of each target, the relation that leaves it the least room: the sum of its hidden cells.
    fn tightest(&self, targets: &[usize]) -> Vec<Vec<(usize, i64)>> {
        let hidden = |relation: usize| {
            self.system.relation(relation).filter(|&(cell, _)| !self.draft.shown[cell] && !self.settled[cell])
        };
        let room = |&relation: &usize| {
            let room = |(cell, by): (usize, i64)| {
                let known = &self.system.cells()[cell];
                by.abs().saturating_mul(known.value - known.low)
            };
            hidden(relation).map(room).sum::<i64>()
        };
        // What is settled cannot be hidden.
        let open = |&relation: &usize| {
            self.system.relation(relation).any(|(cell, _)| self.draft.shown[cell] && !self.settled[cell])
        };
        let tightest = |&target: &usize| {
            let relations = self.system.uses(target).map(|(relation, _)| relation);
            relations.filter(open).min_by_key(room).map(|relation| hidden(relation).collect())
        };
        targets.iter().filter_map(tightest).collect()
    }

    /// Hides what these sums follow from, as far as they share no cell: what helps one may do for others, which will tell.
    fn open(&mut self, mut sums: Vec<Vec<(usize, i64)>>) -> usize {
        let mut summed = vec![false; self.draft.shown.len()];
        sums.retain(|sum| {
            let apart = sum.iter().all(|&(cell, _)| !summed[cell]);
            if apart {
                for &(cell, _) in sum {
                    summed[cell] = true;
                }
            }
            apart
        });
        if sums.is_empty() { 0 } else { self.draft.open(self.whole, self.order, &sums) }
    }

    /// Hides the cheapest cells near `target` that let it vary as it needs; false if none do.
    fn mend(&mut self, pool: &mut Pool, target: usize, account: &mut Account) -> bool {
        if pool.lacks(target).is_none() {
            return true;
        }
        let mut last = 0;
        for most in NEIGHBOURS {
            let near = self.near(target, most);
            if near.len() == last {
                return false;
            }
            last = near.len();
            if self.weigh(pool, target, &near, account) {
                return true;
            }
        }
        false
    }

    /// All moves that change these cells alone.
    fn within(&self, near: &[usize]) -> Dictionary {
        let mut fixed = vec![true; self.draft.shown.len()];
        for &cell in near {
            fixed[cell] = false;
        }
        let mut relations: Vec<usize> =
            near.iter().flat_map(|&cell| self.system.uses(cell)).map(|(relation, _)| relation).collect();
        relations.sort_unstable();
        relations.dedup();
        Dictionary::within(self.system, relations.into_iter(), &fixed)
    }

    /// Cells around the target, the cheapest ways first.
    fn near(&self, target: usize, most: usize) -> Vec<usize> {
        let mut near = Vec::new();
        let mut seen = vec![false; self.draft.shown.len()];
        let mut crossed = vec![false; self.system.relations()];
        let mut queue = BinaryHeap::from([Reverse((0_i64, target))]);
        while let Some(Reverse((far, cell))) = queue.pop() {
            if std::mem::replace(&mut seen[cell], true) {
                continue;
            }
            near.push(cell);
            if most <= near.len() {
                break;
            }
            for (relation, _) in self.system.uses(cell) {
                // The nearest cell of a relation opened all others at the least cost.
                if std::mem::replace(&mut crossed[relation], true) {
                    continue;
                }
                for (other, _) in self.system.relation(relation) {
                    if !seen[other] && !self.settled[other] {
                        let cost = if self.draft.shown[other] { self.system.cells()[other].weight.max(0) } else { 0 };
                        queue.push(Reverse((far + STEP + cost, other)));
                    }
                }
            }
        }
        near
    }

    /// Shows near cells, dearest first, as long as the target stays wide, and hides the others; false if it is not wide
    /// to begin with.
    fn weigh(&mut self, pool: &mut Pool, target: usize, near: &[usize], account: &mut Account) -> bool {
        let mut dictionary = self.within(near);
        if dictionary.computable(target) {
            return false;
        }
        let mut space = Space::new(self.system, &dictionary);
        let mut alone = pool.alone(target);
        if alone.search(&mut space, target) != Met::Wide {
            account.work += space.work();
            return false;
        }
        let mut order: Vec<usize> = near
            .iter()
            .copied()
            .filter(|&cell| self.draft.shown[cell] && self.system.cells()[cell].standing == Standing::Open)
            .collect();
        order.sort_by_key(|&cell| (Reverse(self.system.cells()[cell].weight), cell));
        let mut queue = VecDeque::from(order);
        let mut many = 8;
        while !queue.is_empty() {
            let mut group: Vec<usize> = Vec::new();
            while group.len() < many
                && let Some(cell) = queue.pop_front()
            {
                if !dictionary.computable(cell) {
                    group.push(cell);
                }
            }
            let locals: Vec<usize> = group.iter().filter_map(|&cell| space.local(cell)).collect();
            if alone.without(&mut space, &locals) {
                for (&cell, &local) in group.iter().zip(&locals) {
                    space.show(local);
                    dictionary.show(cell);
                }
                many *= 2;
            } else if let &[cell] = group.as_slice() {
                self.draft.shown[cell] = false;
                account.repaired += 1;
            } else {
                many = group.len() / 2;
                group.into_iter().rev().for_each(|cell| queue.push_front(cell));
            }
        }
        account.work += space.work();
        pool.absorb(alone);
        true
    }
}
