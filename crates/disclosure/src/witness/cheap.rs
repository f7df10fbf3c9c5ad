//! Tables that touch little of what is dear: what must be hidden besides, if all that they change is hidden.

use super::{PUSHES, Pool, Table, float};
use crate::space::{Costs, Point, Space, Way};

/// How often slopes are scaled, and how much branching rounds what comes out.
const ROUNDS: usize = 2;
const BRANCHES: u32 = 12;

/// A table that was looked for: by local index, and as changes by cell of the system.
type Found = (Point, Vec<(u32, i32)>);

impl Pool<'_> {
    /// Meets a need by tables that touch little of what is dear; `prices` by local index, zero for what is hidden.
    pub(crate) fn buy(&mut self, space: &mut Space, target: usize, prices: &mut [f64]) -> bool {
        self.meet(space, target, |pool, space, local, owner| {
            let need = pool.needs[target].expect("only targets lack something");
            let reach = pool.reach(target, owner);
            let room = space.room(local, Way::Down);
            let least = i64::from(need.below).max(-reach.low);
            let most = i64::from(need.below).max(i64::from(need.width) - i64::from(need.above).max(reach.high));
            let most = if room < float(most) { small(room) } else { most };
            let mut best: Option<(f64, Vec<Found>)> = None;
            let mut falls = vec![least, most];
            falls.retain(|&fall| float(fall) <= room && fall >= least);
            falls.dedup();
            for fall in falls {
                let rise = i64::from(need.above).max(i64::from(need.width) - fall).max(reach.high);
                let (mut spent, mut tables, mut left) = (0.0, Vec::new(), prices.to_vec());
                for (way, by, known) in [(Way::Down, fall, -reach.low), (Way::Up, rise, reach.high)] {
                    if by <= known {
                        continue;
                    }
                    pool.effort.bought += 1;
                    let Some((point, changes)) = cheap(space, local, way, by, &left) else {
                        spent = f64::INFINITY;
                        break;
                    };
                    for (at, price) in left.iter_mut().enumerate() {
                        if (point[at] - space.truth()[at]).abs() > 1e-6 {
                            spent += std::mem::take(price);
                        }
                    }
                    tables.push((point, changes));
                }
                if spent.is_finite() && best.as_ref().is_none_or(|(least, _)| spent < *least) {
                    best = Some((spent, tables));
                }
            }
            let Some((_, tables)) = best else { return false };
            for (point, changes) in tables {
                for (at, price) in prices.iter_mut().enumerate() {
                    if (point[at] - space.truth()[at]).abs() > 1e-6 {
                        *price = 0.0;
                    }
                }
                if let Some(table) = Table::new(pool.system, changes) {
                    pool.admit(Table { linear: true, ..table });
                }
            }
            pool.reach(target, owner).meets(need)
        })
    }
}

/// The cheapest table found in which the cell moves by so much, as a point and as changes.
fn cheap(space: &mut Space, local: usize, way: Way, by: i64, prices: &[f64]) -> Option<Found> {
    let truth = space.truth()[local];
    let goal = if way == Way::Up { truth + float(by) } else { truth - float(by) };
    let moved = |space: &Space, point: &Point, at: usize| (point[at] - space.truth()[at]).abs();
    let paid = |space: &Space, point: &Point| -> f64 {
        prices.iter().enumerate().filter(|&(at, _)| moved(space, point, at) > 1e-6).map(|(_, &price)| price).sum()
    };
    let mut trial = space.truth().clone();
    let mut costs = Costs::reaching(space, local, goal, prices.iter().map(|price| price / float(by)).collect());
    let reached = |point: &Point| (point[local] - goal).abs() < 1e-6;
    if !space.cheapest(&mut trial, &costs, PUSHES) || !reached(&trial) {
        return None;
    }
    let mut point = trial.clone();
    let mut least = paid(space, &point);
    // Hidden is hidden, however far a figure moves: slopes are scaled until a unit costs what the cell costs.
    for _ in 0..ROUNDS {
        for (at, slope) in costs.slopes.iter_mut().enumerate() {
            let far = moved(space, &trial, at);
            if far > 1e-6 && at != local {
                *slope = prices[at] / far;
            }
        }
        if !space.cheapest(&mut trial, &costs, PUSHES) || !reached(&trial) {
            break;
        }
        let cost = paid(space, &trial);
        if cost < least {
            least = cost;
            point.clone_from(&trial);
        }
    }
    if let Some(changes) = space.changes(&point) {
        return Some((point, changes));
    }
    let mut probe = space.clone();
    for (at, &price) in prices.iter().enumerate() {
        if price > 0.0 && (point[at] - space.truth()[at]).abs() < 1e-6 {
            probe.hold(at);
        }
    }
    let mut point = space.truth().clone();
    let found = probe.dive(&mut point, local, way, goal, &mut BRANCHES.clone());
    space.spend(probe.work() - space.work());
    let changes = if found { space.changes(&point) } else { None };
    changes.map(|changes| (point, changes))
}

#[expect(clippy::cast_possible_truncation, reason = "below a need, which is below 2^32")]
fn small(room: f64) -> i64 {
    room as i64
}
