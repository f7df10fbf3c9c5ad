//! More cells for a primary that varies too little.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::eliminate::Dictionary;
use crate::space::Space;
use crate::system::{Standing, System};
use crate::witness::Pool;

/// Sizes of the neighbourhood that is searched, one after the other.
const NEIGHBOURS: [usize; 4] = [300, 1_200, 4_800, usize::MAX];

/// What a step to another cell costs, beside its weight.
const STEP: i64 = 10;

pub(super) struct Repair<'a> {
    pub(super) system: &'a System,
    pub(super) settled: &'a [bool],
    /// What is shown, less what is hidden in here.
    pub(super) shown: &'a mut [bool],
    pub(super) work: u64,
}

impl Repair<'_> {
    /// Hides the cheapest cells near `target` that let it vary as it needs; false if none do.
    pub(super) fn mend(&mut self, pool: &mut Pool, target: usize) -> bool {
        let mut last = 0;
        for most in NEIGHBOURS {
            let near = self.near(target, most);
            if near.len() == last {
                return false;
            }
            last = near.len();
            if self.within(pool, target, &near) {
                return true;
            }
        }
        false
    }

    /// Cells around the target, the cheapest ways first.
    fn near(&self, target: usize, most: usize) -> Vec<usize> {
        let mut near = Vec::new();
        let mut seen = vec![false; self.shown.len()];
        let mut crossed = vec![false; self.system.relations()];
        let mut queue = BinaryHeap::from([Reverse((0_i64, target))]);
        while let Some(Reverse((far, cell))) = queue.pop() {
            if std::mem::replace(&mut seen[cell], true) {
                continue;
            }
            near.push(cell);
            if near.len() >= most {
                break;
            }
            for (relation, _) in self.system.uses(cell) {
                // The nearest cell of a relation opened all others at the least cost.
                if std::mem::replace(&mut crossed[relation], true) {
                    continue;
                }
                for (other, _) in self.system.relation(relation) {
                    if !seen[other] && !self.settled[other] {
                        let cost = if self.shown[other] { self.system.cells()[other].weight.max(0) } else { 0 };
                        queue.push(Reverse((far + STEP + cost, other)));
                    }
                }
            }
        }
        near
    }

    fn within(&mut self, pool: &mut Pool, target: usize, near: &[usize]) -> bool {
        let mut fixed = vec![true; self.shown.len()];
        for &cell in near {
            fixed[cell] = false;
        }
        let mut relations: Vec<usize> =
            near.iter().flat_map(|&cell| self.system.uses(cell)).map(|(relation, _)| relation).collect();
        relations.sort_unstable();
        relations.dedup();
        let mut dictionary = Dictionary::within(self.system, relations.into_iter(), &fixed);
        if dictionary.computable(target) {
            return false;
        }
        let mut space = Space::new(self.system, &dictionary);
        let mut alone = pool.alone(target);
        if !alone.widen(&mut space, target) {
            self.work += space.work();
            return false;
        }
        let mut order: Vec<usize> = near
            .iter()
            .copied()
            .filter(|&cell| self.shown[cell] && self.system.cells()[cell].standing == Standing::Open)
            .collect();
        order.sort_by_key(|&cell| (Reverse(self.system.cells()[cell].weight), cell));
        for cell in order {
            if dictionary.computable(cell) {
                continue;
            }
            let local = space.local(cell).expect("not computable now, so not computable at the start");
            if alone.without(&mut space, local) {
                space.show(local);
                dictionary.show(cell);
            } else {
                self.shown[cell] = false;
            }
        }
        self.work += space.work();
        pool.absorb(alone);
        true
    }
}
