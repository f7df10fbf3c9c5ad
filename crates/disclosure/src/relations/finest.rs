//! The finest table behind the published ones, where it is small.
//!
//! Breakdowns that cross different dimensions are margins of one table crossed on all of them. That this table exists
//! bounds its margins more tightly than their common totals do (Fréchet). Its cells are unknowns without a need of
//! their own; every published cell is a sum of them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode};

use super::{Codes, Equality, Group, Relations, Standing};
use crate::scheme::{Restriction, TableScheme};

/// Cells that the finest tables of all groups may have together; beyond, only common totals relate the breakdowns. With
/// 720 cells in one group a check takes a fifth of a second, but half a minute beside an earlier version; with as many in
/// a dozen groups that lie inside each other, or with 8 640 (age × sexe × zone × aide), minutes.
const LIMIT: usize = 300;

/// Adds the finest table of each group of conditions, if they are small enough together.
pub(super) fn derive(relations: &mut Relations, scheme: &TableScheme) {
    let atoms = atoms(relations, scheme);
    let tables: Vec<(Group, Vec<Codes>)> = relations
        .index
        .iter()
        .filter_map(|(group, cells)| {
            let dimensions: BTreeSet<&DimensionCode> = cells.keys().flat_map(BTreeMap::keys).collect();
            let size = dimensions.iter().try_fold(1_usize, |size, d| size.checked_mul(atoms[*d].len()))?;
            if size > LIMIT {
                return Some((group.clone(), None));
            }
            let table = cross(&dimensions, &atoms, scheme);
            let new = table.iter().any(|codes| !cells.contains_key(codes));
            new.then_some((group.clone(), Some(table)))
        })
        .map(|(group, table)| table.map(|table| (group, table)))
        .collect::<Option<_>>()
        .unwrap_or_default();
    if tables.iter().map(|(_, table)| table.len()).sum::<usize>() > LIMIT {
        return;
    }
    for (group, table) in tables {
        let published: Vec<(Codes, usize)> =
            relations.index[&group].iter().map(|(codes, &id)| (codes.clone(), id)).collect();
        let place = relations.cells[published[0].1].place.clone();
        let finest: Vec<(Codes, usize)> = table
            .into_iter()
            .map(|codes| {
                let rows = Restriction { codes: codes.clone(), conditions: group.1.clone() };
                let known = relations.cells.len();
                let id = relations.cell(group.0.clone(), rows, &place, Standing::Derived);
                if id == known {
                    relations.finest.insert(id);
                }
                (codes, id)
            })
            .collect();
        for (codes, whole) in published {
            let parts: Vec<usize> =
                finest.iter().filter(|(atom, _)| super::inclusion::inside(atom, &codes)).map(|&(_, id)| id).collect();
            if parts != [whole] {
                relations.equalities.push(Equality { whole, parts });
            }
        }
    }
}

/// Per dimension, the codes that no published cell tells apart, together.
fn atoms(relations: &Relations, scheme: &TableScheme) -> BTreeMap<DimensionCode, Vec<BTreeSet<Code>>> {
    let mut sets: BTreeMap<&DimensionCode, BTreeSet<&BTreeSet<Code>>> = BTreeMap::new();
    for (dimension, set) in relations.index.values().flat_map(BTreeMap::keys).flatten() {
        sets.entry(dimension).or_default().insert(set);
    }
    sets.into_iter()
        .map(|(dimension, sets)| {
            let mut by_membership: BTreeMap<Vec<bool>, BTreeSet<Code>> = BTreeMap::new();
            for code in &scheme.dimensions()[dimension] {
                let membership = sets.iter().map(|set| set.contains(code)).collect();
                by_membership.entry(membership).or_default().insert(code.clone());
            }
            (dimension.clone(), by_membership.into_values().collect())
        })
        .collect()
}

/// All combinations, written like the cells they may already be: a dimension with one atom restricts nothing.
fn cross(
    dimensions: &BTreeSet<&DimensionCode>,
    atoms: &BTreeMap<DimensionCode, Vec<BTreeSet<Code>>>,
    scheme: &TableScheme,
) -> Vec<Codes> {
    dimensions.iter().fold(vec![Codes::new()], |table, &dimension| {
        table
            .iter()
            .flat_map(|codes| {
                atoms[dimension].iter().map(|atom| {
                    let mut codes = codes.clone();
                    if atom.len() < scheme.dimensions()[dimension].len() {
                        codes.insert(dimension.clone(), atom.clone());
                    }
                    codes
                })
            })
            .collect()
    })
}
