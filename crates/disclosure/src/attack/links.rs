//! Several versions of one slice together: which cells may be taken for unchanged.
//!
//! The intruder assumes that a cell did not change unless the visible figures prove it: cells visible in both versions
//! with different values changed; where the visible changes of an equality do not cancel out, any of its other cells
//! may have changed. All cells not excluded in this way are one unknown in both versions. If nothing agrees with all
//! these assumptions at once, those of the unknowns involved are dropped, then all of them, and at last the whole older
//! version.
//! Assuming too much only makes the intruder stronger; the new version is also tested alone.

use std::collections::{BTreeMap, BTreeSet};

use super::search::explore;
use super::world::{Contradiction, Visible, World};
use crate::relations::Relations;

/// Rounds of dropping the assumptions that contradict each other, before all are dropped.
const ROUNDS: usize = 20;

/// Versions seen as one world.
pub(crate) struct Joint {
    pub(crate) world: World,
    /// Per version (the centre first, then those given, in their order): unknown of the relations → unknown of the
    /// world; `None` if the version contradicts the others and was left out.
    pub(crate) ids: Vec<Option<Vec<usize>>>,
}

/// The world of somebody who reads `centre` and `others` (newest first).
pub(crate) fn join(relations: &Relations, centre: &Visible, others: &[&Visible]) -> Result<Joint, Contradiction> {
    let base: Vec<usize> = (0..centre.len()).collect();
    let mut joint = Joint { world: World::of(relations, centre), ids: vec![Some(base)] };
    for older in others {
        let merged = joint.world.known[..centre.len()].to_vec();
        let mut links = linked(relations, &merged, older);
        let mut accepted = None;
        for round in 0..=ROUNDS {
            let (world, ids) = extend(relations, &joint.world, &merged, older, &links);
            match explore(world.clone(), &BTreeMap::new()) {
                Ok(_) => {
                    accepted = Some((world, ids));
                    break;
                }
                Err(Contradiction(involved)) => {
                    let involved: BTreeSet<usize> = involved.into_iter().collect();
                    let mut drop = |of: &dyn Fn(usize) -> bool| {
                        let mut dropped = false;
                        for (cell, link) in links.iter_mut().enumerate() {
                            let visible = merged[cell].is_some() && older[cell].is_some();
                            if *link && !visible && of(ids[cell]) {
                                *link = false;
                                dropped = true;
                            }
                        }
                        dropped
                    };
                    let few = round + 1 < ROUNDS && drop(&|id| involved.contains(&id));
                    if !few && !drop(&|_| true) {
                        break;
                    }
                }
            }
        }
        match accepted {
            Some((world, ids)) => {
                joint.world = world;
                joint.ids.push(Some(ids));
            }
            None => joint.ids.push(None),
        }
    }
    // The centre itself must be possible.
    explore(joint.world.clone(), &BTreeMap::new()).map(|_| joint)
}

/// Which cells may be unchanged between two versions.
fn linked(relations: &Relations, newer: &[Option<i128>], older: &[Option<i128>]) -> Vec<bool> {
    let visible = |cell: usize| newer[cell].zip(older[cell]);
    let mut links: Vec<bool> =
        (0..newer.len()).map(|cell| visible(cell).is_none_or(|(now, then)| now == then)).collect();
    loop {
        let mut changed = false;
        for equality in &relations.equalities {
            let members = || std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
            let mut difference = Some(0_i128);
            for (cell, sign) in members().filter(|&(cell, _)| !links[cell]) {
                difference = difference.zip(visible(cell)).map(|(sum, (now, then))| sum + sign * (now - then));
            }
            if difference.is_some_and(|difference| difference != 0) {
                for (cell, _) in members() {
                    if links[cell] && visible(cell).is_none() {
                        links[cell] = false;
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            return links;
        }
    }
}

fn extend(
    relations: &Relations,
    world: &World,
    merged: &[Option<i128>],
    older: &Visible,
    links: &[bool],
) -> (World, Vec<usize>) {
    let mut world = world.clone();
    let mut ids: Vec<usize> = (0..older.len()).collect();
    for (cell, &link) in links.iter().enumerate() {
        if link {
            world.known[cell] = merged[cell].or(older[cell]);
        } else {
            ids[cell] = world.known.len();
            world.known.push(older[cell]);
            world.floor.push(0);
        }
    }
    world.relate(relations, &ids, |members| members.iter().any(|&member| !links[member]));
    let twins: Vec<(usize, usize)> =
        relations.twins.iter().filter(|&&(a, b)| !links[a] || !links[b]).map(|&(a, b)| (ids[a], ids[b])).collect();
    world.twins.extend(twins);
    (world, ids)
}
