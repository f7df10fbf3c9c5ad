//! Inequalities: a cell inside another one, with the difference as a cell of its own.

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode};

use super::lines::{Line, Place};
use super::{Codes, Equality, Group, Relations, Standing};
use crate::scheme::{Quantity, Restriction};

/// Adds `larger = smaller + rest` wherever one published or derived cell lies inside another and no line says so.
pub(super) fn derive(relations: &mut Relations, lines: &BTreeMap<Place, Line>) {
    let groups: Vec<Group> = relations.index.keys().cloned().collect();
    let cells: Vec<(usize, Group, Codes)> = groups
        .iter()
        .flat_map(|group| relations.index[group].iter().map(|(codes, &id)| (id, group.clone(), codes.clone())))
        .collect();
    for (id, group, codes) in &cells {
        for outer in &groups {
            if !outer.1.is_subset(&group.1) {
                continue;
            }
            if outer == group {
                if !has_parent_on_a_line(relations, lines, group, codes) {
                    for whole in smallest_around(&relations.index[group], codes, true) {
                        relations.rest(whole, *id, true);
                    }
                }
            } else if outer.0 == group.0 {
                for whole in around(relations, lines, outer, codes) {
                    relations.rest(whole, *id, true);
                }
            } else if outer.0 == Quantity::Rows && matches!(group.0, Quantity::Distinct { .. }) {
                // No more different units than rows; the difference is nobody's number.
                for whole in around(relations, lines, outer, codes) {
                    relations.rest(whole, *id, false);
                }
            }
        }
    }
}

/// The smallest cells of `group` that hold all rows with `codes`: that very cell, published, derived or put together
/// from atoms; otherwise the smallest ones around it.
fn around(relations: &mut Relations, lines: &BTreeMap<Place, Line>, group: &Group, codes: &Codes) -> Vec<usize> {
    if let Some(&id) = relations.index[group].get(codes) {
        return vec![id];
    }
    for (dimension, set) in codes {
        let mut others = codes.clone();
        others.remove(dimension);
        let Some(line) = lines.get(&(group.clone(), dimension.clone(), others)) else { continue };
        let parts: Vec<usize> =
            line.atoms.iter().filter(|(atom, _)| atom.is_subset(set)).map(|&(_, id)| id).collect();
        let covered: BTreeSet<&Code> =
            line.atoms.iter().filter(|(atom, _)| atom.is_subset(set)).flat_map(|(atom, _)| atom).collect();
        if covered.len() == set.len() {
            return vec![union(relations, group, codes, parts)];
        }
    }
    smallest_around(&relations.index[group], codes, false)
}

/// A sum of cells that are protected each: it only carries the inequality, and asks nothing for itself.
fn union(relations: &mut Relations, group: &Group, codes: &Codes, parts: Vec<usize>) -> usize {
    let place = relations.cells[parts[0]].place.clone();
    let rows = Restriction { codes: codes.clone(), conditions: group.1.clone() };
    let whole = relations.cell(group.0.clone(), rows, &place, Standing::Derived);
    relations.equalities.push(Equality { whole, parts });
    whole
}

fn inside(inner: &Codes, outer: &Codes) -> bool {
    outer.iter().all(|(dimension, set)| inner.get(dimension).is_some_and(|codes| codes.is_subset(set)))
}

fn smallest_around(cells: &BTreeMap<Codes, usize>, codes: &Codes, strictly: bool) -> Vec<usize> {
    let around: Vec<(&Codes, usize)> = cells
        .iter()
        .filter(|(outer, _)| inside(codes, outer) && !(strictly && *outer == codes))
        .map(|(outer, &id)| (outer, id))
        .collect();
    around
        .iter()
        .filter(|(outer, id)| !around.iter().any(|(other, o)| o != id && inside(other, outer)))
        .map(|&(_, id)| id)
        .collect()
}

fn has_parent_on_a_line(relations: &Relations, lines: &BTreeMap<Place, Line>, group: &Group, codes: &Codes) -> bool {
    let cells = &relations.index[group];
    codes.iter().any(|(dimension, _): (&DimensionCode, _)| {
        let mut wider = codes.clone();
        wider.remove(dimension);
        cells.contains_key(&wider) && lines.contains_key(&(group.clone(), dimension.clone(), wider))
    })
}
