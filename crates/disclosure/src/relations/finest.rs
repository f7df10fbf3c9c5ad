//! The finest table behind the published ones, where it is small.
//!
//! Breakdowns that cross different dimensions are margins of one table crossed on all of them, and so are counts under
//! conditions that overlap. That this table exists bounds its margins more tightly than their common totals do
//! (Fréchet). Its cells are unknowns without a need of their own; every published cell is a sum of them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Code, DimensionCode};

use super::{Codes, Equality, Group, Relations, Standing};
use crate::scheme::{Quantity, Restriction, TableScheme};

/// Cells that the finest tables of all groups may have together; beyond, only common totals relate the breakdowns. With
/// 720 cells in one group a check takes a fifth of a second, but half a minute beside an earlier version; with as many in
/// a dozen groups that lie inside each other, or with 8 640 (age × sexe × zone × aide), minutes.
const LIMIT: usize = 300;

/// Rows that have these codes, and these conditions and no others of their family.
struct Atom {
    codes: Codes,
    held: BTreeSet<String>,
}

/// Groups that are margins of one table.
struct Family {
    groups: Vec<Group>,
    /// Conditions that rows may or may not meet.
    open: BTreeSet<String>,
    atoms: Vec<Atom>,
}

/// Adds the finest tables, if they are small enough together: where conditions overlap (neither inside the other), one
/// crossed on conditions as well, because nobody is outside both and inside fewer than none; else one for each group.
pub(super) fn derive(relations: &mut Relations, scheme: &TableScheme) {
    let mut found = families(relations, scheme, &overlapping(relations));
    if found.as_ref().is_none_or(|families| families.iter().map(|family| family.atoms.len()).sum::<usize>() > LIMIT) {
        found = families(relations, scheme, &BTreeSet::new());
    }
    let Some(families) = found else { return };
    if families.iter().map(|family| family.atoms.len()).sum::<usize>() > LIMIT {
        return;
    }
    for family in families {
        add(relations, &family);
    }
}

/// Quantities of rows two of whose groups have rows in common and each some of its own. Units may have rows in both
/// without a row that is in both, so that numbers of units are not sums over conditions.
fn overlapping(relations: &Relations) -> BTreeSet<Quantity> {
    let groups = || relations.index.keys().filter(|(quantity, _)| !matches!(quantity, Quantity::Distinct { .. }));
    let apart = |one: &BTreeSet<String>, other: &BTreeSet<String>| !one.is_subset(other) && !other.is_subset(one);
    groups()
        .filter(|group| groups().any(|other| other.0 == group.0 && apart(&other.1, &group.1)))
        .map(|(quantity, _)| quantity.clone())
        .collect()
}

/// One family for each of the `joined` quantities, and one for each other group; `None` if one of them is too large.
fn families(relations: &Relations, scheme: &TableScheme, joined: &BTreeSet<Quantity>) -> Option<Vec<Family>> {
    let atoms = atoms(relations, scheme);
    let of = |groups: Vec<Group>, open: BTreeSet<String>| {
        let cells = groups.iter().flat_map(|group| relations.index[group].keys());
        let dimensions: BTreeSet<&DimensionCode> = cells.flat_map(BTreeMap::keys).collect();
        let patterns = 1_usize.checked_shl(u32::try_from(open.len()).ok()?)?;
        let size = dimensions.iter().try_fold(patterns, |size, d| size.checked_mul(atoms[*d].len()))?;
        if size > LIMIT {
            return None;
        }
        let patterns = open.iter().fold(vec![groups[0].1.difference(&open).cloned().collect()], |all, condition| {
            let with = |held: &BTreeSet<String>| held.iter().chain([condition]).cloned().collect();
            all.iter().cloned().chain(all.iter().map(with)).collect::<Vec<BTreeSet<String>>>()
        });
        let codes = cross(&dimensions, &atoms, scheme);
        let atoms = patterns
            .iter()
            .flat_map(|held| codes.iter().map(|codes| Atom { codes: codes.clone(), held: held.clone() }))
            .collect();
        Some(Family { groups, open, atoms })
    };
    let together = joined.iter().map(|quantity| {
        let groups: Vec<Group> = relations.index.keys().filter(|group| group.0 == *quantity).cloned().collect();
        let open = groups.iter().flat_map(|(_, conditions)| conditions).cloned().collect();
        of(groups, open)
    });
    let alone = relations.index.keys().filter(|group| !joined.contains(&group.0));
    let alone = alone.map(|group| of(vec![group.clone()], BTreeSet::new()));
    let mut families = together.chain(alone).collect::<Option<Vec<Family>>>()?;
    families.retain(|family| {
        let published = &relations.index[&family.groups[0]];
        !family.open.is_empty() || family.atoms.iter().any(|atom| !published.contains_key(&atom.codes))
    });
    Some(families)
}

fn add(relations: &mut Relations, family: &Family) {
    let published: Vec<(BTreeSet<String>, Codes, usize)> = family
        .groups
        .iter()
        .flat_map(|group| relations.index[group].iter().map(|(codes, &id)| (group.1.clone(), codes.clone(), id)))
        .collect();
    let place = relations.cells[published[0].2].place.clone();
    let counted = |atom: &Atom, conditions: &BTreeSet<String>, codes: &Codes| {
        conditions.is_subset(&atom.held) && super::inclusion::inside(&atom.codes, codes)
    };
    let mut finest: Vec<(&Atom, usize)> = Vec::new();
    for atom in &family.atoms {
        if !published.iter().any(|(conditions, codes, _)| counted(atom, conditions, codes)) {
            continue;
        }
        let known = relations.cells.len();
        let id = if family.open.is_empty() {
            let rows = Restriction { codes: atom.codes.clone(), conditions: atom.held.clone() };
            relations.cell(family.groups[0].0.clone(), rows, &place, Standing::Derived)
        } else {
            // Rows that do *not* meet a condition have no name as a restriction.
            relations.nameless(&place)
        };
        if id == known {
            relations.finest.insert(id);
        }
        finest.push((atom, id));
    }
    for (conditions, codes, whole) in &published {
        let inside = finest.iter().filter(|(atom, _)| counted(atom, conditions, codes));
        let parts: Vec<usize> = inside.map(|&(_, id)| id).collect();
        if parts != [*whole] {
            relations.equalities.push(Equality { whole: *whole, parts });
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
