//! The engine against an intruder who tries every table, and a refusal against one who hides everything.
//!
//! `MAILLAGE_CASES=10000` takes more worlds than the usual; `MAILLAGE_SEED=n` replays one.

use std::fmt::Write;

use super::worlds::{SHAPES, World};
use super::{Ask, Unprotectable, suppress};
use crate::eliminate::Dictionary;
use crate::fixture::every::{Every, Reached};
use crate::fixture::grids::cases;
use crate::intervals::{self, Asked, View};
use crate::space::{Space, Travel, Way};
use crate::suppress::Pattern;
use crate::system::{Need, Standing, System};

/// What happened to the worlds of one shape.
#[derive(Clone, Copy, Default, Debug)]
struct Tally {
    protected: u32,
    refused: u32,
    /// Primaries and knowers for which all tables were tried as far as the need asks.
    decided: u32,
    /// Those that exhaustion gave up.
    open: u32,
    /// Among the decided: somebody who knows his own cells.
    knowers: u32,
    /// Refusals that exhaustion confirmed, and those where it gave up.
    confirmed: u32,
    unclear: u32,
    /// Refusals although everything hidden is enough.
    wrong: u32,
}

/// Whether all tables, as far as they were tried, vary a figure by its need; `None` if not all were tried.
fn meets(value: i64, reached: Reached, need: Need) -> Option<bool> {
    let enough = value - reached.low >= i64::from(need.below)
        && reached.high - value >= i64::from(need.above)
        && reached.high - reached.low >= i64::from(need.width);
    (enough || reached.proven == (true, true)).then_some(enough)
}

/// Anybody, and everybody who is the only contributor of a cell that is not the target's own.
fn knowers(system: &System, target: usize) -> Vec<Option<u32>> {
    let mut owners: Vec<u32> = system.cells().iter().filter_map(|cell| cell.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    owners.retain(|&owner| system.cells()[target].owner != Some(owner));
    std::iter::once(None).chain(owners.into_iter().map(Some)).collect()
}

/// What somebody finds out about a target by trying every table.
fn finds(system: &System, every: &mut Every, target: usize, knower: Option<u32>) -> Reached {
    let known = system.cells().iter().enumerate().filter(|(_, cell)| cell.owner.is_some() && cell.owner == knower);
    let known: Vec<(usize, i64)> = known.map(|(cell, known)| (cell, known.value)).collect();
    let reached = if known.is_empty() { every.reach(target) } else { every.knowing(known).reach(target) };
    reached.unwrap_or_else(|| {
        let value = system.cells()[target].value;
        Reached { low: value, high: value, proven: (false, false) }
    })
}

fn protected(world: &World, pattern: &Pattern, tally: &mut Tally) -> Result<(), String> {
    let World { system, width, .. } = world;
    pattern.proof.check(system, &pattern.hidden, *width).map_err(|short| short.to_string())?;
    for (cell, known) in system.cells().iter().enumerate() {
        let hidden = pattern.hidden.binary_search(&cell).is_ok();
        let as_decided = match known.standing {
            Standing::Shown => !hidden,
            Standing::Hidden | Standing::Primary => hidden,
            Standing::Open => hidden == pattern.secondary.contains(&cell),
        };
        if !as_decided {
            return Err(format!("cell {cell} stands as {:?}", known.standing));
        }
    }
    let mut every = Every::of(system, &pattern.hidden);
    let primaries = || (0..system.cells().len()).filter(|&cell| system.cells()[cell].standing == Standing::Primary);
    for target in primaries() {
        let need = system.need(target, *width);
        for knower in knowers(system, target) {
            let reached = finds(system, &mut every, target, knower);
            match meets(system.cells()[target].value, reached, need) {
                Some(true) => {
                    tally.decided += 1;
                    tally.knowers += u32::from(knower.is_some());
                }
                Some(false) => return Err(format!("cell {target} reaches {reached:?}, {need:?}, for {knower:?}")),
                None => tally.open += 1,
            }
        }
    }
    agreed(system, pattern, &mut every)
}

/// The attack of this crate and exhaustion see the same in what was let through.
fn agreed(system: &System, pattern: &Pattern, every: &mut Every) -> Result<(), String> {
    let asked = Asked::intervals().about(pattern.hidden.iter().copied().step_by(5));
    let attack = intervals::reach(&View::of(system, &pattern.hidden), &asked).map_err(|fault| fault.to_string())?;
    for &(cell, interval) in attack.intervals() {
        let Some(reached) = every.reach(cell) else { continue };
        let inside = interval.low.bound().is_none_or(|bound| bound <= reached.low)
            && interval.high.bound().is_none_or(|bound| bound >= reached.high);
        let ends = (interval.low.bound(), interval.high.bound());
        let same = reached.ends().is_none_or(|(low, high)| ends == (Some(low), Some(high)));
        if !inside || !same {
            return Err(format!("the attack sees {interval:?} in cell {cell}, exhaustion {reached:?}"));
        }
    }
    Ok(())
}

/// Hiding more only makes figures vary more: a refusal is right if, with everything hidden, some need is not met.
fn refused(world: &World, fault: &Unprotectable, tally: &mut Tally) -> Result<(), String> {
    let World { system, width, .. } = world;
    let all: Vec<usize> = (0..system.cells().len()).collect();
    let mut every = Every::of(system, &all);
    let (named, computable) = match fault {
        Unprotectable::Computable(cells) => (cells, true),
        Unprotectable::Narrow(cells) => (cells, false),
    };
    let (mut short, mut unclear) = (false, false);
    for &target in named {
        let known = &system.cells()[target];
        if known.standing != Standing::Primary {
            return Err(format!("cell {target} is named, and needs nothing"));
        }
        for knower in knowers(system, target) {
            let reached = finds(system, &mut every, target, knower);
            if computable && knower.is_none() && reached.low != reached.high {
                return Err(format!("cell {target} is said to be computable, and reaches {reached:?}"));
            }
            match meets(known.value, reached, system.need(target, *width)) {
                Some(met) => short |= !met,
                None => unclear = true,
            }
        }
    }
    if short || computable {
        tally.confirmed += 1;
    } else if unclear {
        tally.unclear += 1;
    } else {
        tally.wrong += 1;
    }
    Ok(())
}

fn run(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let world = World::draw(seed);
    match suppress(&world.system, Ask::width(world.width)) {
        Ok(pattern) => {
            tally.protected += 1;
            protected(&world, &pattern, tally)
        }
        Err(fault) => {
            tally.refused += 1;
            let before = tally.wrong;
            let outcome = refused(&world, &fault, tally);
            if tally.wrong > before {
                println!("seed {seed} ({:?}) is refused, and need not be: {fault:?}", world.shape);
            }
            outcome
        }
    }
}

#[test]
fn no_interval_is_narrower_than_proven_and_no_refusal_is_wrong() {
    let one = std::env::var("MAILLAGE_SEED").ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = one.map_or(0..cases(2_000), |one| one..one + 1);
    let whole = seeds.end - seeds.start;
    let mut tallies = [Tally::default(); SHAPES.len()];
    let mut faults = String::new();
    for seed in seeds {
        let shape = usize::try_from(seed % SHAPES.len() as u64).expect("few shapes");
        if let Err(fault) = run(seed, &mut tallies[shape]) {
            writeln!(faults, "seed {seed} ({:?}): {fault}", SHAPES[shape]).expect("a string");
        }
    }
    for (shape, tally) in SHAPES.iter().zip(&tallies) {
        println!("{shape:?}: {tally:?}");
    }
    assert!(faults.is_empty(), "{faults}");
    if whole == 1 {
        return;
    }
    for (shape, tally) in SHAPES.iter().zip(&tallies) {
        let (decided, worlds) = (u64::from(tally.decided), whole / SHAPES.len() as u64);
        assert!(decided > worlds && u64::from(tally.protected) * 4 > worlds, "{shape:?}: {tally:?}");
        assert!(tally.open * 50 <= tally.decided, "{shape:?}: exhaustion gave up too often, {tally:?}");
        assert_eq!(tally.wrong, 0, "{shape:?} was refused although everything hidden is enough: {tally:?}");
    }
}

#[test]
fn without_work_everything_undecided_stays_hidden_and_safe() {
    let (mut hidden, mut more, mut undecided, mut returned) = (0, 0, 0, 0);
    for seed in 0..200 {
        let world = World::draw(seed);
        let ask = Ask { work: 0, ..Ask::width(world.width) };
        let (Ok(idle), Ok(busy)) = (suppress(&world.system, ask), suppress(&world.system, Ask::width(world.width)))
        else {
            continue;
        };
        protected(&world, &idle, &mut Tally::default()).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        assert_eq!(idle.account.returned, 0, "seed {seed}");
        assert!(idle.account.undecided <= idle.secondary.len(), "seed {seed}: an undecided cell is shown");
        assert_eq!(busy.account.undecided, 0, "seed {seed}");
        hidden += busy.secondary.len();
        more += idle.secondary.len();
        undecided += idle.account.undecided;
        returned += busy.account.returned;
    }
    assert!(undecided >= returned && returned > 20, "{undecided} undecided, {returned} shown again with more work");
    assert!(more > hidden, "{more} hidden without work, {hidden} with it");
}

#[test]
fn a_search_that_takes_moves_in_goes_as_far_as_one_that_has_them_all() {
    let mut grown = 0;
    for seed in 0..300 {
        let world = World::draw(seed);
        let system = &world.system;
        let dictionary = Dictionary::new(system, &system.settled());
        let space = Space::new(system, &dictionary);
        for cell in (0..system.cells().len()).filter(|&cell| system.cells()[cell].standing == Standing::Primary) {
            let Some(local) = space.local(cell) else { continue };
            for way in [Way::Up, Way::Down] {
                let goal = space.truth()[local] + if way == Way::Up { 50.0 } else { -50.0 };
                let far = |space: &Space, scope: Option<&[u32]>| {
                    let mut point = space.truth().clone();
                    let reached = Travel::new(space, scope, true).drive(&mut point, local, way, goal, 5_000);
                    (reached, point[local])
                };
                let all = far(&space, None);
                let few = space.around(local, 1);
                grown += usize::from(few.is_some());
                let some = far(&space, few.as_deref());
                assert_eq!(all.0, some.0, "seed {seed}, cell {cell}");
                assert!(all.0 || (all.1 - some.1).abs() < 1e-5, "seed {seed}, cell {cell}: {} and {}", all.1, some.1);
            }
        }
    }
    assert!(grown > 1_000, "{grown} searches began with one move of several");
}
