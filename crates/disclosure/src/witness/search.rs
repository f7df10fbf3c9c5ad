//! Looking for whole tables: by whole steps, by linear programs, by branching; near the target first, then among all moves.

use crate::space::{Space, Travel, Way};
use crate::system::Need;

use super::{Knower, Met, Pool, Table};

/// How hard to look for one table: whole steps, a program's steps, and branches.
const PUSHES: u32 = 60;
const DRIVES: u32 = 300;
const NODES: u32 = 2;

/// How many earlier tables to go on from, and how many branches for each of them.
const CARRIED: usize = 12;
const LEAPS: u32 = 12;

/// How many moves around a target are searched, one after the other; and with how many a search among all begins.
const AROUND: [usize; 3] = [16, 48, 144];
const BEGIN: usize = 48;

/// Further than any need.
const FAR_OFF: i64 = 1 << 40;

/// Ways to look for a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// By whole steps.
    Push,
    /// By whole steps from tables found earlier, those that go furthest first.
    Carry,
    /// Not at all, but by a linear program whether it is worth it.
    Bound,
    /// By linear programs and branching.
    Dive,
    /// The same from tables found earlier: the little that is missing breaks few figures.
    Leap,
}

/// A way, and whether upwards is preferred.
type Search = (Look, bool);

/// Among few moves, where a program costs little, but settles nothing if there is no room.
const NEAR: [Search; 7] = [
    (Look::Push, true),
    (Look::Push, false),
    (Look::Carry, true),
    (Look::Carry, false),
    (Look::Bound, true),
    (Look::Dive, true),
    (Look::Dive, false),
];

/// Among all moves.
const FAR: [Search; 9] = [
    (Look::Push, true),
    (Look::Push, false),
    (Look::Bound, true),
    (Look::Carry, true),
    (Look::Carry, false),
    (Look::Dive, true),
    (Look::Dive, false),
    (Look::Leap, true),
    (Look::Leap, false),
];

/// Among all moves, where most are looked for in vain.
const AGAIN: [Search; 6] = [
    (Look::Push, true),
    (Look::Push, false),
    (Look::Bound, true),
    (Look::Carry, true),
    (Look::Dive, true),
    (Look::Dive, false),
];

/// Which moves, and which ways.
#[derive(Clone, Copy)]
struct Plan<'a> {
    ways: &'a [Search],
    /// The moves to begin with; all if none are named.
    scope: Option<&'a [u32]>,
    /// Whether more are taken in where these are not enough.
    grows: bool,
    /// Whether to tell what is in the way where there is room in fractions, but no whole table was found.
    insists: bool,
}

/// Which figure is to go how far, for whom, and what it needs.
#[derive(Clone, Copy)]
struct Aim {
    target: usize,
    local: usize,
    owner: Option<u32>,
    need: Need,
    way: Way,
    goal: f64,
}

impl Pool<'_> {
    /// Meets a need, or tells what is in the way: among the moves around the target, then among all.
    pub(crate) fn search(&mut self, space: &mut Space, target: usize) -> Met {
        let Some(local) = space.local(target) else {
            return if self.lacks(target).is_none() { Met::Wide } else { Met::Unclear };
        };
        for many in AROUND {
            if self.lacks(target).is_none() {
                return Met::Wide;
            }
            let Some(scope) = space.around(local, many) else { break };
            let plan = Plan { ways: &NEAR, scope: Some(&scope), grows: false, insists: false };
            if self.meet(space, target, plan) == Met::Wide {
                return Met::Wide;
            }
        }
        let scope = space.around(local, BEGIN);
        self.meet(space, target, Plan { ways: &FAR, scope: scope.as_deref(), grows: true, insists: true })
    }

    /// Whether tables are found that replace those taken away.
    pub(super) fn again(&mut self, space: &mut Space, target: usize) -> bool {
        let scope = space.local(target).and_then(|local| space.around(local, BEGIN));
        let plan = Plan { ways: &AGAIN, scope: scope.as_deref(), grows: true, insists: false };
        self.meet(space, target, plan) == Met::Wide
    }

    /// Looks for tables for whoever knows too much, one after the other.
    fn meet(&mut self, space: &mut Space, target: usize, plan: Plan) -> Met {
        let mut met_before = Vec::new();
        while let Some(knower) = self.lacks(target) {
            // Tables do not go away in here, so that who is met stays met.
            if met_before.contains(&knower) {
                return Met::Unclear;
            }
            met_before.push(knower);
            let owner = match knower {
                Knower::Anybody => None,
                Knower::Owner(owner) => Some(owner),
            };
            let Some(local) = space.local(target) else { return Met::Unclear };
            let known = owner.map(|owner| self.system.owned(owner)).unwrap_or_default();
            let known: Vec<usize> = known.iter().filter_map(|&cell| space.local(cell)).collect();
            let held: Vec<(usize, (f64, f64))> = known.into_iter().map(|local| (local, space.hold(local))).collect();
            let met = self.attempt(space, target, local, owner, plan);
            for (local, range) in held {
                space.loosen(local, range);
            }
            match met {
                Met::Wide => {}
                // What an owner knows besides is in the way too, and cannot be hidden from him.
                Met::Narrow(_) if owner.is_some() => return Met::Unclear,
                Met::Narrow(_) | Met::Unclear => return met,
            }
        }
        Met::Wide
    }

    /// The tables in which the target goes furthest this way.
    fn furthest(&self, target: usize, way: Way, owner: Option<u32>) -> Vec<usize> {
        let mut far: Vec<(i32, usize)> = self.holders[target]
            .iter()
            .map(|&(index, by)| (if way == Way::Up { -by } else { by }, index as usize))
            .filter(|&(by, index)| {
                by < 0
                    && self.tables[index]
                        .as_ref()
                        .is_some_and(|table| owner.is_none_or(|owner| table.owners.binary_search(&owner).is_err()))
            })
            .collect();
        far.sort_unstable();
        far.truncate(CARRIED);
        far.into_iter().map(|(_, index)| index).collect()
    }

    /// Goes on from tables found earlier, by whole steps or by leaps; what that took is the answer.
    fn carry(&mut self, space: &Space, aim: Aim, plan: Plan, leap: bool) -> u64 {
        let Aim { target, local, owner, need, way, goal } = aim;
        let mut point = space.truth().clone();
        let mut work = 0;
        for begin in self.furthest(target, way, owner) {
            *(if leap { &mut self.effort.dived } else { &mut self.effort.carried }) += 1;
            let begin = &self.tables[begin].as_ref().expect("alive").changes;
            let Some(elsewhere) = space.carry(&mut point, begin) else { continue };
            let before = point[local];
            let mut travel = Travel::new(space, plan.scope, plan.grows);
            let further = if leap {
                travel.dive(&mut point, local, way, goal, &mut LEAPS.clone())
            } else {
                travel.push(&mut point, local, way, goal, PUSHES);
                (point[local] - before).abs() > 0.5
            };
            work += travel.work();
            if further {
                self.find(space, &point, elsewhere, leap);
            }
            if self.reach(target, owner).meets(need) {
                break;
            }
        }
        work
    }

    fn attempt(&mut self, space: &mut Space, target: usize, local: usize, owner: Option<u32>, plan: Plan) -> Met {
        let Some(need) = self.needs[target] else { return Met::Wide };
        let truth = space.truth()[local];
        let Plan { ways, scope, grows, insists } = plan;
        // Broken columns stay in here: pushes need whole ones.
        let mut probe: Option<Travel> = None;
        let mut narrow = None;
        let mut work = 0;
        for &(search, rise) in ways {
            let reach = self.reach(target, owner);
            if reach.meets(need) {
                break;
            }
            let up = i64::from(need.above).max(i64::from(need.width) + reach.low);
            let down = i64::from(need.below).max(i64::from(need.width) - reach.high);
            let rising = if rise { up > reach.high } else { down <= -reach.low };
            let (way, goal) = if rising { (Way::Up, truth + float(up)) } else { (Way::Down, truth - float(down)) };
            let mut point = space.truth().clone();
            match search {
                Look::Push => {
                    self.effort.pushed += 1;
                    let mut travel = Travel::new(space, scope, grows);
                    travel.push(&mut point, local, way, goal, PUSHES);
                    work += travel.work();
                    self.find(space, &point, Vec::new(), false);
                }
                Look::Carry | Look::Leap => {
                    let aim = Aim { target, local, owner, need, way, goal };
                    work += self.carry(space, aim, plan, search == Look::Leap);
                }
                Look::Bound => {
                    self.effort.driven += 1;
                    let travel = probe.insert(Travel::new(space, scope, grows));
                    let deep = truth - f64::from(need.below.max(need.width));
                    let mut bottom = point.clone();
                    travel.drive(&mut bottom, local, Way::Down, deep, DRIVES);
                    let lowest = bottom[local].ceil().min(truth + float(reach.low));
                    let high = (lowest + f64::from(need.width)).max(truth + f64::from(need.above));
                    narrow = if lowest > truth - f64::from(need.below) {
                        Some(travel.binding(&bottom, local, Way::Down))
                    } else if travel.drive(&mut point, local, Way::Up, high, DRIVES) {
                        None
                    } else {
                        Some(travel.binding(&point, local, Way::Up))
                    };
                    if narrow.is_some() {
                        self.effort.narrow += 1;
                        break;
                    }
                }
                Look::Dive => {
                    self.effort.dived += 1;
                    let travel = probe.get_or_insert_with(|| Travel::new(space, scope, grows));
                    if travel.dive(&mut point, local, way, goal, &mut NODES.clone()) {
                        self.find(space, &point, Vec::new(), true);
                    }
                }
            }
        }
        let met = self.reach(target, owner).meets(need);
        if let Some(mut travel) = probe {
            if !met && narrow.is_none() && insists {
                // No whole table was found where there is room in fractions: what ends that room is in the way.
                self.effort.gaps += 1;
                let mut point = space.truth().clone();
                if !travel.drive(&mut point, local, Way::Up, truth + float(FAR_OFF), DRIVES) {
                    narrow = Some(travel.binding(&point, local, Way::Up));
                }
            }
            work += travel.work();
        }
        space.spend(work);
        match narrow.flatten() {
            _ if met => Met::Wide,
            Some(terms) => Met::Narrow(terms),
            None => Met::Unclear,
        }
    }

    /// Keeps a point as a table, if it is one; `elsewhere`: what it changes outside of the space.
    fn find(&mut self, space: &Space, point: &[f64], elsewhere: Vec<(u32, i32)>, linear: bool) {
        let Some(mut changes) = space.changes(point) else { return };
        if !elsewhere.is_empty() {
            changes.extend(elsewhere);
            changes.sort_unstable_by_key(|&(cell, _)| cell);
        }
        if let Some(table) = Table::new(self.system, changes, &mut self.sums) {
            self.admit(Table { linear, ..table });
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "needs and reaches are below 2^33, which a double holds exactly")]
fn float(figure: i64) -> f64 {
    figure as f64
}
