//! Inequalities: a cell inside another one, with the difference as a cell of its own.

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode};

use super::lines::{Line, Place};
use super::{Codes, Entry, Equality, Group, Relations, Standing};
use crate::scheme::{Quantity, Restriction, TableScheme};

/// Adds `larger = smaller + rest` wherever one published or derived cell lies inside another and no line says so.
pub(super) fn derive(relations: &mut Relations, lines: &BTreeMap<Place, Line>) {
    let groups: Vec<Group> = relations.index.keys().cloned().collect();
    let cells: Vec<(usize, Group, Codes)> = groups
        .iter()
        .flat_map(|group| relations.index[group].iter().map(|(codes, &id)| (id, group.clone(), codes.clone())))
        .collect();
    for (id, group, codes) in &cells {
        for outer in &groups {
            if outer.0 == Quantity::Rows && matches!(group.0, Quantity::Distinct { .. }) {
                // No more different units than rows; the difference is nobody's number. For rows, a condition may be codes.
                let rows = relations.read(&group.1, codes);
                if outer.1.is_subset(&rows.conditions) {
                    for whole in around(relations, lines, outer, &rows.codes) {
                        relations.rest(whole, *id, false);
                    }
                }
                continue;
            }
            if !outer.1.is_subset(&group.1) {
                continue;
            }
            let carrier = relations.finest.contains(id);
            if outer == group {
                if !carrier && !has_parent_on_a_line(relations, lines, group, codes) {
                    for whole in smallest_around(relations, group, codes) {
                        relations.rest(whole, *id, true);
                    }
                }
            } else if outer.0 == group.0 {
                for whole in around(relations, lines, outer, codes) {
                    // A difference with a cell that nobody can compute is not computable.
                    let computable = !carrier && !relations.finest.contains(&whole);
                    relations.rest(whole, *id, computable);
                }
            }
        }
    }
}

/// The difference of two indicators one of which counts a list of the other's codes, key by key: numerator and
/// denominator of a ratio. Where the difference is not a cell already, it is a sum of cells, and protected as a whole.
pub(super) fn differences(relations: &mut Relations, scheme: &TableScheme) {
    for part in scheme.measures() {
        for whole in scheme.measures() {
            let comparable = part.quantity == whole.quantity
                && part.restriction.conditions == whole.restriction.conditions
                && part.restriction.codes != whole.restriction.codes
                && inside(&part.restriction.codes, &whole.restriction.codes);
            if !comparable {
                continue;
            }
            for (name, entry) in relations.entries.clone() {
                let other = relations.entries.get(&(whole.indicator.clone(), name.1.clone())).copied();
                if let (true, Entry::Cell(inner), Some(Entry::Cell(outer))) = (name.0 == part.indicator, entry, other)
                    && inner != outer
                    && !difference_is_a_cell(relations, scheme, inner, outer)
                {
                    relations.rest(outer, inner, true);
                }
            }
        }
    }
}

/// Units of the whole that are not in the part have at least one row each outside the part: where rows are counted both
/// with and without a filter, and units too, the difference of the units is not larger than that of the rows.
pub(super) fn units_beside(relations: &mut Relations) {
    let rows_of = |relations: &Relations, cell: usize| {
        let (quantity, rows) = relations.cells[cell].rows.as_ref()?;
        let counted =
            matches!(quantity, Quantity::Distinct { .. }).then(|| relations.read(&rows.conditions, &rows.codes))?;
        relations.index.get(&(Quantity::Rows, counted.conditions))?.get(&counted.codes).copied()
    };
    let found: Vec<(usize, usize, usize)> = relations
        .equalities
        .iter()
        .filter_map(|equality| match equality.parts[..] {
            [part, rest] if relations.cells[rest].rows.is_none() => {
                Some((rows_of(relations, equality.whole)?, rows_of(relations, part)?, rest))
            }
            _ => None,
        })
        .filter(|(whole, part, _)| whole != part)
        .collect();
    for (whole, part, units) in found {
        relations.rest(whole, part, true);
        let rows = relations.cells.len() - 1;
        relations.rest(rows, units, false);
    }
}

fn difference_is_a_cell(relations: &Relations, scheme: &TableScheme, inner: usize, outer: usize) -> bool {
    let (Some((group, inner)), Some((_, outer))) = (relations.cells[inner].group(), relations.cells[outer].group())
    else {
        return false;
    };
    let mut different = inner.iter().filter(|(dimension, set)| outer.get(*dimension) != Some(set));
    let (Some((dimension, set)), None) = (different.next(), different.next()) else { return false };
    let all = || scheme.dimensions()[dimension].iter().cloned().collect();
    let rest: BTreeSet<Code> = outer.get(dimension).cloned().unwrap_or_else(all).difference(set).cloned().collect();
    let mut codes = inner.clone();
    codes.insert(dimension.clone(), rest);
    relations.index[&group].contains_key(&codes)
}

/// The smallest cells of `group` that hold all rows with `codes`: that very cell, published, derived or put together
/// from atoms; otherwise the smallest ones around it.
fn around(relations: &mut Relations, lines: &BTreeMap<Place, Line>, group: &Group, codes: &Codes) -> Vec<usize> {
    let mut found = Vec::new();
    if let Some(&id) = relations.index[group].get(codes) {
        found.push(id);
        if !relations.finest.contains(&id) {
            return found;
        }
    }
    for (dimension, set) in codes {
        let mut others = codes.clone();
        others.remove(dimension);
        let Some(line) = lines.get(&(group.clone(), dimension.clone(), others)) else { continue };
        let parts: Vec<usize> = line.atoms.iter().filter(|(atom, _)| atom.is_subset(set)).map(|&(_, id)| id).collect();
        let covered: BTreeSet<&Code> =
            line.atoms.iter().filter(|(atom, _)| atom.is_subset(set)).flat_map(|(atom, _)| atom).collect();
        if covered.len() == set.len() {
            found.push(union(relations, group, codes, parts));
            found.dedup();
            return found;
        }
    }
    found.extend(smallest_around(relations, group, codes));
    found
}

/// A sum of cells that are protected each: it only carries the inequality, and asks nothing for itself.
fn union(relations: &mut Relations, group: &Group, codes: &Codes, parts: Vec<usize>) -> usize {
    let place = relations.cells[parts[0]].place.clone();
    let rows = Restriction { codes: codes.clone(), conditions: group.1.clone() };
    let whole = relations.cell(group.0.clone(), rows, &place, Standing::Derived);
    relations.equalities.push(Equality { whole, parts });
    whole
}

/// Whether all rows with the `inner` codes have the `outer` ones too.
pub(super) fn inside(inner: &Codes, outer: &Codes) -> bool {
    outer.iter().all(|(dimension, set)| inner.get(dimension).is_some_and(|codes| codes.is_subset(set)))
}

fn smallest_around(relations: &Relations, group: &Group, codes: &Codes) -> Vec<usize> {
    let around: Vec<(&Codes, usize)> = relations.index[group]
        .iter()
        .filter(|(outer, id)| *outer != codes && inside(codes, outer) && !relations.finest.contains(id))
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
