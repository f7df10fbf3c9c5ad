//! Equalities along one dimension.
//!
//! A *line* holds the published cells that differ on one dimension only. Their code sets cut the code list into
//! *atoms*: codes that no published set tells apart. Every set is the sum of its atoms; atoms that are not published
//! themselves become derived cells. So a total and its codes, a list of codes against a total, overlapping lists and
//! partitions in three all follow from one construction.

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode};

use super::{Codes, Equality, Group, Relations, Standing};
use crate::rule::stricter;
use crate::scheme::{Restriction, TableScheme};

/// Where a line runs: group of conditions, dimension, and the codes on the other dimensions.
pub(super) type Place = (Group, DimensionCode, Codes);

/// What a line was cut into.
pub(super) struct Line {
    /// Atom → its unknown.
    pub(super) atoms: Vec<(BTreeSet<Code>, usize)>,
}

/// Finds all lines, makes their atoms, adds their equalities.
pub(super) fn derive(relations: &mut Relations, scheme: &TableScheme) -> BTreeMap<Place, Line> {
    let mut families: BTreeMap<Place, BTreeMap<BTreeSet<Code>, usize>> = BTreeMap::new();
    for (id, cell) in relations.cells.iter().enumerate() {
        let Some((group, codes)) = cell.group() else { continue };
        for (dimension, list) in scheme.dimensions() {
            let mut others = codes.clone();
            let set = others.remove(dimension).unwrap_or_else(|| list.iter().cloned().collect());
            families.entry((group.clone(), dimension.clone(), others)).or_default().insert(set, id);
        }
    }
    families
        .into_iter()
        .filter(|(_, family)| family.len() > 1)
        .map(|(place, family)| {
            let line = cut(relations, scheme, &place, &family);
            (place, line)
        })
        .collect()
}

fn cut(
    relations: &mut Relations,
    scheme: &TableScheme,
    place: &Place,
    family: &BTreeMap<BTreeSet<Code>, usize>,
) -> Line {
    let (group, dimension, others) = place;
    let list = &scheme.dimensions()[dimension];
    let mut by_membership: BTreeMap<Vec<bool>, BTreeSet<Code>> = BTreeMap::new();
    for code in list {
        let membership: Vec<bool> = family.keys().map(|set| set.contains(code)).collect();
        if membership.contains(&true) {
            by_membership.entry(membership).or_default().insert(code.clone());
        }
    }
    let atoms: Vec<(BTreeSet<Code>, usize)> = by_membership
        .into_iter()
        .map(|(membership, atom)| {
            let members: Vec<usize> =
                family.values().zip(&membership).filter(|(_, m)| **m).map(|(&id, _)| id).collect();
            let id = family.get(&atom).copied().unwrap_or_else(|| {
                let mut codes = others.clone();
                codes.insert(dimension.clone(), atom.clone());
                derived(relations, group, codes, family.values(), &members)
            });
            (atom, id)
        })
        .collect();
    for (set, &whole) in family {
        let parts: Vec<usize> = atoms.iter().filter(|(atom, _)| atom.is_subset(set)).map(|&(_, id)| id).collect();
        if parts != [whole] {
            relations.equalities.push(Equality { whole, parts });
        }
    }
    Line { atoms }
}

/// An atom nobody publishes: the difference of published cells, protected as strictly as the strictest of them.
fn derived<'a>(
    relations: &mut Relations,
    group: &Group,
    codes: Codes,
    family: impl Iterator<Item = &'a usize>,
    members: &[usize],
) -> usize {
    let place = relations.cells[members[0]].place.clone();
    let rows = Restriction { codes, conditions: group.1.clone() };
    let id = relations.cell(group.0.clone(), rows, &place, Standing::Derived);
    if relations.cells[id].standing == Standing::Derived {
        for &other in family {
            let (need, threshold, zeros) = {
                let cell = &relations.cells[other];
                (cell.need, cell.threshold, cell.zeros_protected)
            };
            let cell = &mut relations.cells[id];
            cell.need = stricter(cell.need, need);
            cell.threshold = cell.threshold.max(threshold);
            cell.zeros_protected |= zeros;
        }
    }
    id
}
