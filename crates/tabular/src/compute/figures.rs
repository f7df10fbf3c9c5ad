//! From kinds of rows to cells: additive figures once per kind, units once per unit.

use std::collections::BTreeMap;

use model::Units;

use crate::tally::{Counted, Identity, Mixed, Shape, Tally, What};

use super::threads;

/// What one cell holds. No `Debug`: it would print it.
#[derive(Clone, Copy, Default)]
pub(super) struct Fact {
    pub(super) value: Units,
    pub(super) contributors: Units,
    pub(super) largest: Units,
    pub(super) second: Units,
}

impl Fact {
    /// The same where nobody knows how much of it one contributor has.
    pub(super) fn of_unknown_shares(self) -> Self {
        Self { largest: 0, second: 0, ..self }
    }

    /// Adds one contributor of an amount.
    fn contribute(&mut self, sum: Units) {
        self.value += sum;
        self.contributors += i64::from(sum > 0);
        self.second = self.second.max(sum.min(self.largest));
        self.largest = self.largest.max(sum);
    }

    /// Adds contributors of whom none is in here already.
    fn merge(&mut self, other: &Self) {
        self.value += other.value;
        self.contributors += other.contributors;
        self.second = self.second.max(other.second).max(self.largest.min(other.largest));
        self.largest = self.largest.max(other.largest);
    }
}

/// The units of one column, apart by whether their rows are all of one kind.
struct Standing<'a> {
    /// Per kind: units whose rows are all of it.
    alone: Vec<i64>,
    /// Per kind and amount column: what those contribute.
    sums: Vec<Fact>,
    columns: usize,
    /// The others, one by one.
    mixed: Vec<Mixed<'a>>,
    /// The same as sets of kinds, each with how many units have exactly these.
    sets: Vec<(Vec<u32>, i64)>,
}

impl<'a> Standing<'a> {
    fn new(identity: &'a Identity, kinds: usize) -> Self {
        let columns = identity.columns;
        let mixed = identity.mixed();
        let mut alone = vec![0; kinds];
        let mut sums = vec![Fact::default(); kinds * columns];
        let mut next = mixed.iter().map(|unit| unit.unit).peekable();
        for (unit, kind) in (0_u32..).zip(&identity.first) {
            if next.next_if_eq(&unit).is_some() {
                continue;
            }
            let (at, kind) = (unit as usize, *kind as usize);
            alone[kind] += 1;
            for column in 0..columns {
                sums[kind * columns + column].contribute(identity.sums[at * columns + column]);
            }
        }
        let mut sets: BTreeMap<Vec<u32>, i64> = BTreeMap::new();
        for unit in &mixed {
            let mut set: Vec<u32> = unit.kinds.iter().map(|(kind, _)| *kind).collect();
            set.sort_unstable();
            *sets.entry(set).or_default() += 1;
        }
        Self { alone, sums, columns, mixed, sets: sets.into_iter().collect() }
    }
}

/// The axes of a breakdown, each with how many codes it has.
type Axes = [(usize, usize)];

/// All that cells of any measure follow from.
pub(super) struct Figures<'a> {
    shape: &'a Shape,
    tally: &'a Tally,
    /// Per kind: which conditions hold, in so many words.
    held: Vec<u64>,
    words: usize,
    standing: Vec<Standing<'a>>,
    /// Per breakdown that some measure has: the cell of each kind.
    places: BTreeMap<&'a Axes, Vec<u32>>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(shape: &'a Shape, tally: &'a Tally) -> Self {
        let words = shape.held_words();
        let mut held = vec![0; tally.kinds() * words];
        let part_size = tally.kinds().div_ceil(threads()).max(1);
        std::thread::scope(|scope| {
            for (part, held) in held.chunks_mut(part_size * words).enumerate() {
                scope.spawn(move || {
                    for (kind, held) in held.chunks_mut(words).enumerate() {
                        shape.held(tally.key(part * part_size + kind), held);
                    }
                });
            }
        });
        let standing: Vec<_> = tally.identities.iter().map(|identity| Standing::new(identity, tally.kinds())).collect();
        let mixed = standing.iter().any(|standing| !standing.mixed.is_empty());
        let mut breakdowns: Vec<&Axes> = Vec::new();
        for measure in &shape.measures {
            let finest = |axes: &&Vec<(usize, usize)>| mixed || source(measure, axes).is_none();
            breakdowns.extend(measure.breakdowns.iter().filter(finest).map(Vec::as_slice));
        }
        breakdowns.sort_unstable();
        breakdowns.dedup();
        let places = super::each(&breakdowns, |axes| {
            let place = |kind| {
                let key = tally.key(kind);
                axes.iter().fold(0, |at, (axis, codes)| at * codes + shape.number(*axis, key) as usize)
            };
            let places = (0..tally.kinds()).map(|kind| u32::try_from(place(kind)).expect("at most 200 × 200 cells"));
            places.collect::<Vec<u32>>()
        });
        Self { shape, tally, held, words, standing, places: breakdowns.into_iter().zip(places).collect() }
    }

    /// The place of the first row that counts for a sum and has no amount.
    pub(super) fn first_blank(&self, measure: &Counted) -> Option<u64> {
        let What::Sum(column) = measure.what else { return None };
        let columns = self.shape.amounts.len();
        let blank = |kind: usize| self.tally.extremes[kind * columns + column].blank;
        self.kinds_of(measure).map(blank).min().filter(|place| *place != Tally::NOWHERE)
    }

    /// How many kinds of rows there are.
    pub(super) fn kinds(&self) -> usize {
        self.tally.kinds()
    }

    /// The measures of the table.
    pub(super) fn measures(&self) -> &'a [Counted] {
        &self.shape.measures
    }

    /// The kinds that count for a measure.
    pub(super) fn kinds_of(&self, measure: &Counted) -> impl Iterator<Item = usize> {
        let kinds = self.held.chunks_exact(self.words).enumerate();
        kinds.filter(|(_, held)| held.iter().zip(&measure.needs).all(|(h, n)| h & n == *n)).map(|(kind, _)| kind)
    }

    /// Every cell of a measure: per breakdown, then per key, the last dimension turning fastest.
    pub(super) fn of(&self, measure: &Counted) -> Vec<Vec<Fact>> {
        let mut all: Vec<Vec<Fact>> = measure.breakdowns.iter().map(|axes| vec![Fact::default(); size(axes)]).collect();
        let finest = |at: &usize| source(measure, &measure.breakdowns[*at]).is_none();
        for at in (0..all.len()).filter(finest) {
            let places = &self.places[measure.breakdowns[at].as_slice()];
            for kind in self.kinds_of(measure) {
                all[at][places[kind] as usize].merge(&self.of_kind(measure.what, kind));
            }
        }
        for at in (0..all.len()).filter(|at| !finest(at)) {
            let axes = &measure.breakdowns[at];
            let from = source(measure, axes).expect("not finest");
            all[at] = margin(&all[from], &measure.breakdowns[from], axes);
        }
        if self.standing.iter().any(|standing| !standing.mixed.is_empty()) {
            let mut counts = vec![false; self.tally.kinds()];
            self.kinds_of(measure).for_each(|kind| counts[kind] = true);
            for (facts, axes) in all.iter_mut().zip(&measure.breakdowns) {
                let place = &self.places[axes.as_slice()];
                self.add_mixed(measure.what, &mut Cells { facts, place, counts: &counts, slots: Vec::new() });
            }
        }
        all
    }

    /// What rows of one kind bring, without units that have rows of several.
    fn of_kind(&self, what: What, kind: usize) -> Fact {
        let unit = self.shape.unit.map(|unit| &self.standing[unit]);
        let count = |value, contributors| Fact { value, contributors, ..Fact::default() };
        let amount = |column: usize| &self.tally.amounts[kind * self.shape.amounts.len() + column];
        match what {
            What::Rows => {
                let rows = self.tally.rows[kind];
                count(rows, unit.map_or(rows, |unit| unit.alone[kind]))
            }
            What::Distinct(column) => {
                let value = self.standing[column].alone[kind];
                count(value, unit.map_or(value, |unit| unit.alone[kind]))
            }
            What::Weight(column) => {
                let (amount, unit) = (amount(column), unit.map(|unit| &unit.sums[kind * unit.columns + column]));
                count(amount.sum, unit.map_or(amount.positive, |unit| unit.contributors))
            }
            What::Sum(column) => {
                if let Some(unit) = unit {
                    return unit.sums[kind * unit.columns + column];
                }
                let (amount, extremes) =
                    (amount(column), &self.tally.extremes[kind * self.shape.amounts.len() + column]);
                Fact {
                    value: amount.sum,
                    contributors: amount.positive,
                    largest: extremes.largest,
                    second: extremes.second,
                }
            }
        }
    }

    fn add_mixed(&self, what: What, cells: &mut Cells<'_>) {
        let unit = self.shape.unit.map(|unit| &self.standing[unit]);
        let sets = |standing: &Standing<'_>, cells: &mut Cells<'_>, add: fn(&mut Fact, i64)| {
            for (set, units) in &standing.sets {
                cells.each(set.iter().map(|kind| (*kind, 0)), |fact, _| add(fact, *units));
            }
        };
        let one_by_one = |column: usize, cells: &mut Cells<'_>, add: fn(&mut Fact, i64)| {
            for unit in unit.iter().flat_map(|unit| &unit.mixed) {
                cells.each(unit.kinds.iter().map(|(kind, sums)| (*kind, sums[column])), add);
            }
        };
        match what {
            What::Sum(column) => one_by_one(column, cells, Fact::contribute),
            // The value is in the rows already.
            What::Weight(column) => one_by_one(column, cells, |fact, sum| fact.contributors += i64::from(sum > 0)),
            What::Rows | What::Distinct(_) => {
                if let What::Distinct(column) = what {
                    sets(&self.standing[column], cells, |fact, units| fact.value += units);
                    if unit.is_none() {
                        sets(&self.standing[column], cells, |fact, units| fact.contributors += units);
                    }
                }
                if let Some(unit) = unit {
                    sets(unit, cells, |fact, units| fact.contributors += units);
                }
            }
        }
    }
}

/// The cells of one breakdown, while units with rows of several kinds enter them.
struct Cells<'a> {
    facts: &'a mut [Fact],
    /// Per kind.
    place: &'a [u32],
    counts: &'a [bool],
    /// Per cell: where it stands among those of the unit at hand.
    slots: Vec<u32>,
}

impl Cells<'_> {
    /// Adds one unit to each cell where it has rows, once, with its sum there.
    fn each(&mut self, kinds: impl Iterator<Item = (u32, i64)>, add: impl Fn(&mut Fact, i64)) {
        const NOT_YET: u32 = u32::MAX;
        self.slots.resize(self.facts.len(), NOT_YET);
        let mut own: Vec<(usize, i64)> = Vec::new();
        for (kind, sum) in kinds.filter(|(kind, _)| self.counts[*kind as usize]) {
            let cell = self.place[kind as usize] as usize;
            match self.slots[cell] {
                NOT_YET => {
                    self.slots[cell] = u32::try_from(own.len()).expect("a measure has fewer cells than that");
                    own.push((cell, sum));
                }
                slot => own[slot as usize].1 += sum,
            }
        }
        for (cell, sum) in own {
            self.slots[cell] = NOT_YET;
            add(&mut self.facts[cell], sum);
        }
    }
}

fn size(axes: &Axes) -> usize {
    axes.iter().map(|(_, codes)| codes).product()
}

/// The largest breakdown of the measure that has these axes and more.
fn source(measure: &Counted, axes: &Axes) -> Option<usize> {
    let more = |other: &Axes| other.len() > axes.len() && axes.iter().all(|axis| other.contains(axis));
    let wider = measure.breakdowns.iter().enumerate().filter(|(_, other)| more(other));
    wider.max_by_key(|(_, other)| other.len()).map(|(at, _)| at)
}

/// Adds up the cells of a finer breakdown. Only before units of several kinds are in: such a unit may stand in two of
/// them, and is one.
fn margin(facts: &[Fact], finer: &Axes, axes: &Axes) -> Vec<Fact> {
    let mut sums = vec![Fact::default(); size(axes)];
    for (cell, fact) in facts.iter().enumerate() {
        let (mut rest, mut at, mut step) = (cell, 0, 1);
        for axis in finer.iter().rev() {
            if axes.contains(axis) {
                at += rest % axis.1 * step;
                step *= axis.1;
            }
            rest /= axis.1;
        }
        sums[at].merge(fact);
    }
    sums
}
