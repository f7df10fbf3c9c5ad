//! More cells for a primary that varies too little.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::draft::Draft;
use crate::eliminate::Dictionary;
use crate::space::Space;
use crate::system::{Standing, System};
use crate::witness::Pool;

/// Sizes of the neighbourhood that is searched for more cells, one after the other: all its cells are counted around a
/// pattern that is tight everywhere, and only those that are shown in a loose one.
const NEIGHBOURS: [usize; 9] = [160, 240, 360, 540, 810, 1_600, 3_200, 6_400, usize::MAX];
const OPENED: [usize; 9] = [40, 80, 160, 320, 640, 1_280, 2_560, 5_120, usize::MAX];

/// In larger ones the cheapest table decides, and cells are not weighed against one another.
const WEIGHED: usize = 160;

/// In a loose draft's still larger ones, the table found first decides.
const BOUGHT: usize = 320;

/// How many hidden cells are looked at, one after the other, before more are hidden.
const HIDDEN: [usize; 4] = [400, 1_000, 2_500, 10_000];

/// What a step to another cell costs, beside its weight.
const STEP: i64 = 10;

/// What hiding one more cell costs, beside its weight.
const CELL: f64 = 10.0;

pub(super) struct Repair<'a> {
    system: &'a System,
    settled: &'a [bool],
    /// What is shown, less what is hidden in here.
    pub(super) draft: Draft,
    pub(super) work: u64,
    /// After so much work, the cheapest table decides what is hidden; none for a loose draft, which needs few repairs.
    thrift: u64,
    /// Whether the draft leaves most targets wide.
    loose: bool,
    /// Targets that were not wide yet, and those for which more cells were hidden.
    pub(super) looks: usize,
    pub(super) repairs: usize,
    /// Targets whose tables a linear program found, for them or for others.
    pub(super) solved: usize,
}

impl<'a> Repair<'a> {
    /// A repair of this draft; without `thrift`, of one that leaves most targets wide.
    pub(super) fn new(system: &'a System, settled: &'a [bool], draft: Draft, thrift: Option<u64>) -> Self {
        Self {
            system,
            settled,
            draft,
            work: 0,
            thrift: thrift.unwrap_or_default(),
            loose: thrift.is_none(),
            looks: 0,
            repairs: 0,
            solved: 0,
        }
    }

    /// Hides more until every target is wide; answers those that are not, although everything that may be hidden is.
    pub(super) fn mend_all(&mut self, pool: &mut Pool) -> Vec<usize> {
        let mut targets = pool.targets();
        targets.sort_by_key(|&cell| (self.system.cells()[cell].value, cell));
        let sizes = if self.loose { OPENED } else { NEIGHBOURS };
        targets.retain(|&target| !self.mend(pool, target, &sizes));
        targets.sort_unstable();
        targets
    }

    /// Hides the cheapest cells near `target` that let it vary as it needs; false if none do
    /// in neighbourhoods of these sizes.
    fn mend(&mut self, pool: &mut Pool, target: usize, sizes: &[usize]) -> bool {
        if pool.lacks(target).is_none() {
            self.solved += usize::from(!pool.stepped(target));
            return true;
        }
        self.looks += 1;
        if self.reuse(pool, target) {
            self.solved += usize::from(!pool.stepped(target));
            return true;
        }
        self.solved += 1;
        self.repairs += 1;
        let mut last = 0;
        for &most in sizes {
            let near = self.near(target, most, true);
            if near.len() == last {
                return false;
            }
            last = near.len();
            let thrifty = if self.loose { most > WEIGHED } else { self.work > self.thrift };
            let met = thrifty && (!self.loose || most <= BOUGHT) && self.buy(pool, target, &near);
            if met || ((!thrifty || self.loose || most >= 1_600) && self.within(pool, target, &near, thrifty)) {
                return true;
            }
        }
        false
    }

    /// Whether the hidden cells around are enough.
    fn reuse(&mut self, pool: &mut Pool, target: usize) -> bool {
        let mut last = 0;
        for most in HIDDEN {
            let near = self.near(target, most, false);
            if near.len() == last {
                break;
            }
            last = near.len();
            let dictionary = self.dictionary(&near);
            if dictionary.computable(target) {
                continue;
            }
            let mut space = Space::new(self.system, &dictionary);
            let mut alone = pool.alone(target).sure();
            let met = alone.widen(&mut space, target);
            self.work += space.work();
            pool.absorb(alone);
            if met {
                return true;
            }
        }
        false
    }

    fn dictionary(&self, near: &[usize]) -> Dictionary {
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
    fn near(&self, target: usize, most: usize, open: bool) -> Vec<usize> {
        let mut near = Vec::new();
        let mut opened = 0;
        let mut seen = vec![false; self.draft.shown.len()];
        let mut crossed = vec![false; self.system.relations()];
        let mut queue = BinaryHeap::from([Reverse((0_i64, target))]);
        while let Some(Reverse((far, cell))) = queue.pop() {
            if std::mem::replace(&mut seen[cell], true) {
                continue;
            }
            near.push(cell);
            opened += usize::from(self.draft.shown[cell]);
            if most <= if open && self.loose { opened } else { near.len() } {
                break;
            }
            for (relation, _) in self.system.uses(cell) {
                // The nearest cell of a relation opened all others at the least cost.
                if std::mem::replace(&mut crossed[relation], true) {
                    continue;
                }
                for (other, _) in self.system.relation(relation) {
                    if !seen[other] && !self.settled[other] && (open || !self.draft.shown[other]) {
                        let cost = if self.draft.shown[other] { self.system.cells()[other].weight.max(0) } else { 0 };
                        queue.push(Reverse((far + STEP + cost, other)));
                    }
                }
            }
        }
        near
    }

    /// Hides what the cheapest tables touch.
    fn buy(&mut self, pool: &mut Pool, target: usize, near: &[usize]) -> bool {
        let dictionary = self.dictionary(near);
        if dictionary.computable(target) {
            return false;
        }
        let mut space = Space::new(self.system, &dictionary);
        let price = |&cell: &usize| if self.draft.shown[cell] { self.price(cell) } else { 0.0 };
        let mut prices: Vec<f64> = space.cells().iter().map(price).collect();
        let mut alone = pool.alone(target);
        let bought = alone.buy(&mut space, target, &mut prices);
        self.work += space.work();
        if !bought {
            return false;
        }
        for &cell in near {
            if alone.touches(cell) {
                self.draft.shown[cell] = false;
            }
        }
        pool.absorb(alone);
        true
    }

    fn price(&self, cell: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "weights are below 2^44")]
        let weight = self.system.cells()[cell].weight.max(0) as f64;
        weight + CELL
    }

    fn within(&mut self, pool: &mut Pool, target: usize, near: &[usize], thrifty: bool) -> bool {
        let mut dictionary = self.dictionary(near);
        if dictionary.computable(target) {
            return false;
        }
        let mut space = Space::new(self.system, &dictionary);
        let mut alone = if self.loose { pool.alone(target).sure() } else { pool.alone(target) };
        if !alone.widen(&mut space, target) {
            self.work += space.work();
            return false;
        }
        let mut order: Vec<usize> = near
            .iter()
            .copied()
            .filter(|&cell| self.draft.shown[cell] && self.system.cells()[cell].standing == Standing::Open)
            .collect();
        order.sort_by_key(|&cell| (Reverse(self.system.cells()[cell].weight), cell));
        if thrifty {
            // What no table touches is shown at once: few cells are left to weigh, among few moves, but dearer ones.
            let (idle, touched): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&cell| !alone.touches(cell));
            for cell in idle.into_iter().filter(|&cell| !dictionary.computable(cell)).collect::<Vec<_>>() {
                space.show(space.local(cell).expect("not computable now, so not computable at the start"));
                dictionary.show(cell);
            }
            if self.loose {
                // Too many moves to weigh cells against one another; the clean-up shows what was not needed.
                for cell in touched {
                    self.draft.shown[cell] = false;
                }
                self.work += space.work();
                pool.absorb(alone);
                return true;
            }
            order = touched;
        }
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
            } else {
                many = group.len() / 2;
                group.into_iter().rev().for_each(|cell| queue.push_front(cell));
            }
        }
        self.work += space.work();
        pool.absorb(alone);
        true
    }
}
