//! Contributors who know their own figures: who they are, what is theirs together, what they know of totals.

use std::collections::{BTreeMap, HashSet};

use super::{Builder, Known, Need};

impl Builder<'_> {
    /// Several parts of one total that are all one contributor's: their sum tells as much about him as each of them, and
    /// nobody publishes it. Where all parts are his, the total is that sum and is asked for itself.
    pub(super) fn shares(&self, needs: &[Option<Need>]) -> Vec<(u32, Vec<u32>)> {
        let mut shares = Vec::new();
        let mut seen = HashSet::new();
        for sum in &self.sums {
            let mut by_owner: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for &part in &sum.parts {
                if let Some(owner) = self.known[part as usize].owner {
                    by_owner.entry(owner).or_default().push(part);
                }
            }
            for (owner, mut parts) in by_owner {
                parts.sort_unstable();
                let several = parts.len() > 1 && parts.len() < sum.parts.len();
                if several && parts.iter().any(|&part| needs[part as usize].is_some()) && seen.insert(parts.clone()) {
                    shares.push((owner, parts));
                }
            }
        }
        shares
    }

    /// Who contributes a whole cell knows that every total above holds at least that: protection below a total cannot
    /// reach further down, and asking for more would refuse ordinary tables. Protection above is what the rules for
    /// amounts are about; below they only ask for the same by symmetry.
    pub(super) fn bound_below(&mut self) {
        let mut above = vec![Vec::new(); self.known.len()];
        for sum in &self.sums {
            for &part in &sum.parts {
                above[part as usize].push(sum.total as usize);
            }
        }
        for cell in 0..self.known.len() {
            let Known { value: own, owner: Some(_), .. } = self.known[cell] else { continue };
            let mut reached = HashSet::new();
            let mut next = above[cell].clone();
            while let Some(total) = next.pop() {
                if !reached.insert(total) {
                    continue;
                }
                next.extend(&above[total]);
                let known = &mut self.known[total];
                let most = (known.value - own).max(self.request.one);
                if let Some(need) = &mut known.need {
                    need.below = need.below.min(most);
                }
            }
        }
    }

    /// Who is alone in a cell is the same one in every total and part that he is alone in.
    pub(super) fn alone(&mut self) {
        let single = |known: &Known| match known.facts.contributors {
            Some(contributors) => contributors == 1,
            None => known.facts.one == 1 && known.value == 1,
        };
        let named: HashSet<u32> = self.known.iter().filter_map(|known| known.owner).collect();
        let mut nameless = (0..=u32::MAX).filter(|owner| !named.contains(owner));
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        let mut group: Vec<usize> = (0..self.known.len()).collect();
        for sum in &self.sums {
            if single(&self.known[sum.total as usize]) {
                for &part in sum.parts.iter().filter(|&&part| single(&self.known[part as usize])) {
                    let (a, b) = (root(&mut group, sum.total as usize), root(&mut group, part as usize));
                    group[a.max(b)] = a.min(b);
                }
            }
        }
        for cell in 0..self.known.len() {
            if self.known[cell].owner.is_none() && single(&self.known[cell]) {
                let number = numbers.entry(root(&mut group, cell));
                let number = number
                    .or_insert_with(|| nameless.next().expect("fewer contributors than cells, fewer cells than 2^32"));
                self.known[cell].owner = Some(*number);
            }
        }
    }
}

/// Who stands for the group of a cell; the way there becomes shorter for the next.
fn root(group: &mut [usize], mut cell: usize) -> usize {
    while group[cell] != cell {
        group[cell] = group[group[cell]];
        cell = group[cell];
    }
    cell
}
