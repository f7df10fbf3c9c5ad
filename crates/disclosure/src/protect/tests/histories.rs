//! Packs of overlapping indicators about thirty people, pushed, corrected and pushed again, tried by exhaustion over all
//! files of people that agree with everything visible.
//!
//! The oracle counts people: an unknown per kind of people and version, a cell is a sum of kinds. It knows neither the
//! relations nor the search of the engine.

use std::collections::{BTreeMap, BTreeSet};

use model::{Figure, IndicatorCode, Key};

use crate::fixture::brute::{Brute, Mask};
use crate::fixture::every::{Every, Reached};
use crate::fixture::grids::{Dice, cases};
use crate::fixture::{Record, attributes, code, measure, sent, slice, tabulate};
use crate::protect::ProtectError;
use crate::system::Relation;
use crate::{Ledger, MeasureScheme, Need, Published, Quantity, Received, Rule, TableScheme, Zeros, need, protect};

/// Three codes, two codes, and conditions that each may or may not hold.
fn kinds(conditions: &[&str]) -> Vec<Record> {
    let mut kinds = Vec::new();
    for d in ["d0", "d1", "d2"] {
        for e in ["e0", "e1"] {
            for held in 0..1_usize << conditions.len() {
                let held = (0..conditions.len()).filter(|at| held >> at & 1 == 1);
                kinds.push(Record {
                    codes: [(code("d"), code(d)), (code("e"), code(e))].into(),
                    conditions: held.map(|at| conditions[at].to_owned()).collect(),
                    ..Record::default()
                });
            }
        }
    }
    kinds
}

/// How many there are at first.
const PEOPLE: u32 = 30;

/// How many versions in a row.
const VERSIONS: usize = 4;

/// Relations looked at before a question about a file is given up.
const PATIENCE: u32 = 100_000;

/// A pack, and people of each kind.
struct Case {
    scheme: TableScheme,
    need: Need,
    kinds: Vec<Record>,
    people: Vec<u32>,
}

impl Case {
    /// `indicators` about the same rows: by no, one or both dimensions, under any of the conditions, of all codes or of
    /// some.
    fn draw(dice: &mut Dice, indicators: u32, conditions: &[&str]) -> Self {
        let zeros = if dice.percent(25) { Zeros::Protect } else { Zeros::Publish };
        let rule = Rule { threshold: dice.between(2, 5), zeros, width: i64::from(dice.between(2, 5)) };
        let mut measures: Vec<MeasureScheme> = Vec::new();
        for index in 0..indicators {
            let breakdowns: &[&[&str]] = match dice.below(4) {
                0 => &[],
                1 => &[&["d"]],
                2 => &[&["e"]],
                _ => &[&["d", "e"]],
            };
            let mut measure = measure(&format!("i{index}"), breakdowns, rule);
            for condition in conditions {
                if dice.percent(35) {
                    measure.restriction.conditions.insert((*condition).to_owned());
                }
            }
            if dice.percent(25) && !breakdowns.iter().any(|dimensions| dimensions.contains(&"d")) {
                let codes = [["d0", "d1"], ["d1", "d2"]][dice.below(2) as usize];
                measure.restriction.codes.insert(code("d"), codes.iter().map(|c| code(c)).collect());
            }
            measures.push(measure);
        }
        let list = |codes: &[&str]| codes.iter().map(|c| code(c)).collect();
        let dimensions = [(code("d"), list(&["d0", "d1", "d2"])), (code("e"), list(&["e0", "e1"]))].into();
        let scheme = TableScheme::new(dimensions, measures).expect("a valid scheme");
        let need = need(&rule, &Quantity::Rows, model::Decimals::NONE).expect("a threshold above one");
        let kinds = kinds(conditions);
        let mut case = Self { scheme, need, people: vec![0; kinds.len()], kinds };
        // Some kinds are rare, so that there is something to hide.
        let common: Vec<u32> = case.people.iter().map(|_| dice.below(5)).collect();
        while case.people.iter().sum::<u32>() < PEOPLE {
            let kind = case.any(dice);
            if dice.below(5) <= common[kind] {
                case.people[kind] += 1;
            }
        }
        case
    }

    fn any(&self, dice: &mut Dice) -> usize {
        dice.below(u32::try_from(self.kinds.len()).expect("few")) as usize
    }

    fn protect(&self, ledger: &Ledger) -> Result<Received, ProtectError> {
        let rows = self.kinds.iter().zip(&self.people);
        let records: Vec<Record> = rows.flat_map(|(kind, &n)| std::iter::repeat_n(kind.clone(), n as usize)).collect();
        let table = tabulate(&self.scheme, &records);
        protect(&table, &self.scheme, slice(), attributes(), ledger).map(|protected| sent(&protected.table))
    }

    /// Newcomers, departures, corrections of one record.
    fn change(&mut self, dice: &mut Dice) {
        let (from, to) = (self.any(dice), self.any(dice));
        let how = dice.below(4);
        if how > 0 {
            self.people[to] += 1;
        }
        if how != 1 {
            self.people[from] = self.people[from].saturating_sub(1);
        }
    }

    fn count(&self, mask: &Mask) -> i64 {
        mask.iter().zip(&self.people).filter(|(counted, _)| **counted).map(|(_, &people)| i64::from(people)).sum()
    }
}

type Name = (IndicatorCode, Key);

/// All files of people, version by version, as one system: kinds first, then asked sums.
struct People<'a> {
    masks: &'a BTreeMap<Name, Mask>,
    kinds: usize,
    relations: Vec<Relation>,
    ranges: Vec<(i64, Option<i64>)>,
    /// Files found so far, whatever was asked: most sums vary enough over them.
    found: Vec<Vec<i64>>,
}

impl<'a> People<'a> {
    fn of(masks: &'a BTreeMap<Name, Mask>, versions: &[&Received]) -> Self {
        let kinds = masks.values().next().map_or(0, Vec::len);
        let ranges = vec![(0, None); kinds * versions.len()];
        let mut people = Self { masks, kinds, relations: Vec::new(), ranges, found: Vec::new() };
        for (place, version) in versions.iter().enumerate() {
            let figure = |(name, published): (&Name, &Published)| Some((&masks[name], published.figure.observed()?));
            let shown: BTreeSet<(&Mask, i64)> = version.cells.iter().filter_map(figure).collect();
            for (mask, value) in shown {
                people.sum(place, mask, (value, Some(value)));
            }
        }
        people
    }

    /// A sum over kinds of one version, and the range in which it lies.
    fn sum(&mut self, version: usize, mask: &Mask, range: (i64, Option<i64>)) -> usize {
        let place = self.ranges.len();
        self.ranges.push(range);
        let kinds = (0..self.kinds).filter(|&kind| mask[kind]).map(|kind| (version * self.kinds + kind, 1));
        self.relations.push(Relation { terms: kinds.chain([(place, -1)]).collect() });
        place
    }

    /// Somebody who takes what is not visibly changed for unchanged: all of `unchanged` in each pair of versions.
    fn link(&mut self, earlier: usize, later: usize, unchanged: &BTreeSet<Mask>) {
        let all = self.kinds;
        for mask in unchanged {
            let kinds = |version: usize, by: i64| {
                (0..all).filter(|&kind| mask[kind]).map(move |kind| (version * all + kind, by))
            };
            self.relations.push(Relation { terms: kinds(earlier, 1).chain(kinds(later, -1)).collect() });
        }
    }

    /// How far a sum varies; no further than `width` if that is seen at once.
    fn reach(&mut self, version: usize, mask: &Mask, width: i64) -> Option<Reached> {
        let kinds = (0..self.kinds).filter(|&kind| mask[kind]).map(|kind| version * self.kinds + kind);
        let sums = || self.found.iter().map(|file| kinds.clone().map(|kind| file[kind]).sum::<i64>());
        if let (Some(low), Some(high)) = (sums().min(), sums().max())
            && high - low >= width
        {
            return Some(Reached { low, high, proven: (false, false) });
        }
        let (ranges, relations) = (self.ranges.len(), self.relations.len());
        let place = self.sum(version, mask, (0, None));
        let mut every = Every::new(self.ranges.clone(), &self.relations).within(PATIENCE);
        let reached = every.reach(place);
        self.ranges.truncate(ranges);
        self.relations.truncate(relations);
        self.found.append(&mut every.tables);
        reached
    }
}

/// What must stay uncertain: hidden cells, and what one indicator leaves of another with the same key.
fn secrets(case: &Case, masks: &BTreeMap<Name, Mask>, shown: &Received) -> BTreeSet<Mask> {
    let mut secrets: BTreeSet<Mask> = BTreeSet::new();
    for (name, published) in &shown.cells {
        if published.figure == Figure::Suppressed {
            secrets.insert(masks[name].clone());
        }
    }
    let measure = |name: &Name| case.scheme.measure(&name.0).expect("its own");
    for (part, inner) in masks {
        for (whole, outer) in masks.iter().filter(|(whole, _)| whole.1 == part.1) {
            let (a, b) = (&measure(part).restriction, &measure(whole).restriction);
            let inside = inner.iter().zip(outer).all(|(inner, outer)| !inner || *outer);
            let comparable = a.conditions == b.conditions || a.codes == b.codes;
            if inside && inner != outer && comparable {
                secrets.insert(inner.iter().zip(outer).map(|(inner, outer)| *outer && !inner).collect());
            }
        }
    }
    secrets.retain(|mask| mask.contains(&true));
    secrets
}

#[derive(Default, Debug)]
struct Tally {
    packs: u32,
    hidden: usize,
    wide: u32,
    /// Narrow where nothing in reach is forbidden.
    harmless: u32,
    given_up: u32,
}

/// Every secret of a version varies by its need over all files, or nothing forbidden is in reach.
fn wide(case: &Case, people: &mut People, version: usize, secrets: &BTreeSet<Mask>, tally: &mut Tally) -> Vec<String> {
    let mut faults = Vec::new();
    for mask in secrets {
        let Some(reached) = people.reach(version, mask, case.need.width) else {
            tally.given_up += 1;
            continue;
        };
        if reached.high - reached.low >= case.need.width {
            tally.wide += 1;
        } else if reached.ends().is_none() {
            tally.given_up += 1;
        } else if !case.need.meets(reached.low.into(), Some(reached.high.into())) {
            tally.harmless += 1;
        } else {
            let cell =
                people.masks.iter().find(|(_, own)| *own == mask).map(|(name, _)| format!("{} {}", name.0, name.1));
            let truth = case.count(mask);
            let cell = cell.unwrap_or_else(|| "a difference".to_owned());
            faults.push(format!("{cell} ({truth}) lies from {} to {}, {:?}", reached.low, reached.high, case.need));
        }
    }
    faults
}

/// Packs of twenty indicators, and what exhaustion finds too narrow in them.
fn packs(usual: u64, conditions: &[&str]) -> (Tally, Vec<String>) {
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for seed in 0..cases(usual) {
        let case = Case::draw(&mut Dice::new(seed), 20, conditions);
        let shown = case.protect(&Ledger::empty()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let brute = Brute::new(&case.scheme, &case.kinds);
        tally.packs += 1;
        tally.hidden += shown.cells.values().filter(|published| published.figure == Figure::Suppressed).count();
        let mut people = People::of(&brute.masks, &[&shown]);
        let found = wide(&case, &mut people, 0, &secrets(&case, &brute.masks, &shown), &mut tally);
        faults.extend(found.into_iter().map(|fault| format!("seed {seed}: {fault}")));
    }
    println!("{conditions:?}: {tally:?}, {} narrow", faults.len());
    (tally, faults)
}

/// Whoever is alone in a hidden cell and knows of what kind he is sees no other hidden figure closer than its need.
#[test]
fn who_is_alone_in_a_cell_learns_nothing_about_the_others() {
    let (mut tally, mut faults, mut zeros, mut knowers) = (Tally::default(), Vec::new(), Vec::new(), 0);
    for seed in 0..cases(200) {
        let case = Case::draw(&mut Dice::new(seed ^ 0xA10E), 8, &["x"]);
        let shown = case.protect(&Ledger::empty()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let brute = Brute::new(&case.scheme, &case.kinds);
        let secrets = secrets(&case, &brute.masks, &shown);
        tally.packs += 1;
        for mask in brute.masks.values().filter(|mask| case.count(mask) == 1).collect::<BTreeSet<_>>() {
            let mut people = People::of(&brute.masks, &[&shown]);
            for kind in (0..case.kinds.len()).filter(|&kind| mask[kind]) {
                let only = (0..case.kinds.len()).map(|other| other == kind).collect();
                let own = i64::from(case.people[kind]);
                people.sum(0, &only, (own, Some(own)));
            }
            knowers += 1;
            // That nobody else is in his own cells he may learn, and what is hidden only for the sake of others.
            let others = |secret: &&Mask| {
                let count = i128::from(case.count(secret));
                case.count(&secret.iter().zip(mask).map(|(secret, own)| *secret && !own).collect()) > 0
                    && case.need.meets(count, Some(count))
            };
            let secrets = secrets.iter().filter(others).cloned().collect();
            let found = wide(&case, &mut people, 0, &secrets, &mut tally);
            let into = if case.need.from == 0 { &mut zeros } else { &mut faults };
            into.extend(found.into_iter().map(|fault| format!("seed {seed}: {fault}")));
        }
    }
    println!("{knowers} alone: {tally:?}, {} narrow, {} with hidden zeros", faults.len(), zeros.len());
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    // Of a hidden zero that two of them know, one can be kept from what it tells.
    assert!(zeros.len() * 100 < tally.wide as usize, "{} faults\n{}", zeros.len(), zeros.join("\n"));
    assert!(knowers > tally.packs && tally.wide > 4 * knowers && tally.given_up * 30 < tally.wide, "{tally:?}");
}

#[test]
fn twenty_overlapping_indicators_about_thirty_people_keep_every_need() {
    let (tally, faults) = packs(80, &["x"]);
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(tally.wide > 10 * tally.packs && tally.given_up * 30 < tally.wide, "{tally:?}");
}

/// Nobody is outside both conditions and inside fewer than none.
#[test]
fn conditions_that_overlap_keep_every_need() {
    let (tally, faults) = packs(16, &["x", "y"]);
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(tally.wide > 20 * tally.packs && tally.given_up * 3 < tally.wide, "{tally:?}");
}

/// Sums that are the same in two versions as far as anybody sees: not shown with two figures, and not part of a sum
/// whose visible change the others do not make up for. The very assumption is the engine's; the sums here are all
/// published cells and their differences, and no relation is taken from the engine.
fn unchanged(masks: &BTreeMap<Name, Mask>, older: &Received, newer: &Received) -> BTreeSet<Mask> {
    let mut figures: BTreeMap<&Mask, [Option<i64>; 2]> = BTreeMap::new();
    for (name, mask) in masks {
        let seen = figures.entry(mask).or_default();
        for (seen, version) in seen.iter_mut().zip([older, newer]) {
            *seen = seen.or(version.cells[name].figure.observed());
        }
    }
    let moved: Vec<(&Mask, i64)> = figures
        .iter()
        .filter_map(|(mask, seen)| Some((*mask, seen[1]? - seen[0]?)))
        .filter(|&(_, by)| by != 0)
        .collect();
    let inside = |inner: &Mask, outer: &Mask| inner.iter().zip(outer).all(|(inner, outer)| !inner || *outer);
    let crosses = |a: &Mask, b: &Mask| a.iter().zip(b).any(|(a, b)| *a && *b);
    figures
        .iter()
        .filter(|(mask, seen)| match seen {
            [Some(then), Some(now)] => then == now,
            // Whatever has people in common with something that moved may have moved.
            _ => moved.iter().all(|(other, _)| !crosses(mask, other) && !inside(mask, other)),
        })
        .map(|(mask, _)| (*mask).clone())
        .collect()
}

#[test]
fn a_sequence_of_corrections_and_newcomers_gives_nothing_away() {
    let mut tally = Tally::default();
    let (mut faults, mut refused, mut misled, mut joint) = (Vec::new(), 0, 0, 0_u64);
    for seed in 0..cases(24) {
        let mut dice = Dice::new(seed ^ 0xFEED);
        let mut case = Case::draw(&mut dice, 6, &["x"]);
        let brute = Brute::new(&case.scheme, &case.kinds);
        let mut ledger = Ledger::empty();
        let mut versions: Vec<Received> = Vec::new();
        for _ in 0..VERSIONS {
            let Ok(shown) = case.protect(&ledger) else {
                refused += 1;
                case.change(&mut dice);
                continue;
            };
            ledger.record(shown.clone());
            versions.push(shown);
            let last = versions.len() - 1;
            let mut secret = secrets(&case, &brute.masks, &versions[last]);
            // Alone.
            let mut people = People::of(&brute.masks, &[&versions[last]]);
            let found = wide(&case, &mut people, 0, &secret, &mut tally);
            faults.extend(found.into_iter().map(|fault| format!("seed {seed}, version {last} alone: {fault}")));
            // What an earlier version showed, and is not seen to have changed, is no secret any more.
            let before: Vec<BTreeSet<Mask>> =
                (0..last).map(|earlier| unchanged(&brute.masks, &versions[earlier], &versions[last])).collect();
            for (earlier, same) in before.iter().enumerate() {
                let shown = |mask: &Mask| {
                    let cells = versions[earlier].cells.iter();
                    same.contains(mask)
                        && cells
                            .into_iter()
                            .any(|(name, p)| brute.masks[name] == *mask && p.figure.observed().is_some())
                };
                secret.retain(|mask| !shown(mask));
            }
            if last > 0 {
                let mut people = People::of(&brute.masks, &versions.iter().collect::<Vec<_>>());
                for (earlier, same) in before.iter().enumerate() {
                    people.link(earlier, last, same);
                }
                joint += 1;
                // Assumptions that no files satisfy mislead whoever makes them.
                let whole = vec![true; case.kinds.len()];
                if people.reach(last, &whole, 0).is_none() {
                    misled += 1;
                } else {
                    let found = wide(&case, &mut people, last, &secret, &mut tally);
                    faults
                        .extend(found.into_iter().map(|fault| format!("seed {seed}, version {last} beside: {fault}")));
                }
            }
            case.change(&mut dice);
        }
    }
    println!("{tally:?}, {refused} refused, {joint} beside earlier ones, {misled} misled");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(
        joint >= 2 * cases(24) && misled * 4 < joint && 4 * tally.given_up < tally.wide,
        "{joint}, {misled}, {tally:?}"
    );
}
