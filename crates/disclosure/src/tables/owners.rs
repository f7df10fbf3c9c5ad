//! Contributors who know their own figures: who they are, and what is theirs together.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use super::Place;

/// A total and its parts, as cells, along a dimension.
pub(super) struct Sum {
    pub(super) place: Place,
    pub(super) dimension: usize,
    pub(super) total: u32,
    pub(super) parts: Vec<u32>,
}

/// Each total with each of its parts.
pub(super) fn parts(sums: &[Sum]) -> impl Iterator<Item = (usize, usize)> + Clone {
    sums.iter().flat_map(|sum| sum.parts.iter().map(|&part| (sum.total as usize, part as usize)))
}

/// Cells below one total that are all one contributor's.
pub(super) struct Share {
    pub(super) owner: u32,
    pub(super) parts: Vec<u32>,
    /// The total that they are found below first.
    pub(super) total: u32,
}

/// By owner: his cells, none of them part of another.
type Family = BTreeMap<u32, Vec<u32>>;

/// What each contributor has below each total, in however many parts and at whatever depth: such a sum tells as much
/// about him as any of the parts, and nobody publishes it. A total that is his as a whole is asked for itself.
pub(super) fn shares(cells: usize, sums: &[Sum], owner: &dyn Fn(u32) -> Option<u32>) -> Vec<Share> {
    let owners: Vec<Option<u32>> = (0..cells).map(|cell| u32::try_from(cell).ok().and_then(owner)).collect();
    if owners.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut families = Families { sums, first: vec![None; cells], owners: &owners, known: vec![None; cells] };
    for (index, sum) in sums.iter().enumerate() {
        families.first[sum.total as usize].get_or_insert(index);
    }
    let mut shares = Vec::new();
    let mut seen = HashSet::new();
    for (index, sum) in sums.iter().enumerate() {
        for (owner, mut parts) in families.below(index) {
            parts.sort_unstable();
            let whole = owners[sum.total as usize] == Some(owner)
                || sum.parts.iter().all(|part| parts.binary_search(part).is_ok());
            if parts.len() > 1 && !whole && seen.insert(parts.clone()) {
                shares.push(Share { owner, parts, total: sum.total });
            }
        }
    }
    shares
}

struct Families<'a> {
    sums: &'a [Sum],
    /// By cell: the first way in which it is divided. Any way down leads to all of its finest parts.
    first: Vec<Option<usize>>,
    owners: &'a [Option<u32>],
    known: Vec<Option<Rc<Family>>>,
}

impl Families<'_> {
    fn below(&mut self, sum: usize) -> Family {
        let mut all = Family::new();
        for &part in &self.sums[sum].parts {
            for (&owner, cells) in self.of(part).iter() {
                all.entry(owner).or_default().extend(cells);
            }
        }
        all
    }

    /// As deep as the hierarchies are together, and no deeper: what adds up has no cycles.
    fn of(&mut self, cell: u32) -> Rc<Family> {
        let at = cell as usize;
        if let Some(known) = &self.known[at] {
            return Rc::clone(known);
        }
        let family = match (self.owners[at], self.first[at]) {
            (Some(owner), _) => Family::from([(owner, vec![cell])]),
            (None, Some(sum)) => self.below(sum),
            (None, None) => Family::new(),
        };
        let family = Rc::new(family);
        self.known[at] = Some(Rc::clone(&family));
        family
    }
}
