//! Who reads, and what follows for him.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::layout::{Key, Keys};
use super::super::published::Source;
use super::super::{Dimension, Misfit, Place, Singletons, Table};
use super::join::{Joined, Reading, Seen};
use crate::intervals::Interval;

/// What was published, and by what it must withstand whom.
pub struct Audience<'a> {
    /// All axes.
    pub dimensions: &'a [Dimension],
    /// What was published before, oldest first.
    pub earlier: &'a [Table],
    /// What is published.
    pub tables: &'a [Table],
    /// By insider: the cells that he knows. Their rows are places of an earlier table after all earlier ones.
    pub known: &'a [Table],
    /// What producers publish about some of the same cells. Their rows are places after the insiders'.
    pub sources: &'a [Source<'a>],
    /// Units that make one: 10 to the power of the decimals.
    pub one: i64,
    /// How wide every cell that must vary does so at least, in units.
    pub width: i64,
    /// Which contributors know their own figures.
    pub singletons: Singletons,
    /// Whether the interval of every hidden cell is wanted, as a reader of everything finds it.
    pub intervals: bool,
}

/// Who attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intruder {
    /// Reads what is published now, and nothing else.
    Reader,
    /// Reads what was published before, and nothing else.
    Archivist,
    /// Reads everything, and takes a cell for unchanged unless he sees that it changed.
    Collector,
    /// Contributors, one after the other: each reads everything and knows every cell that is his alone.
    Contributors,
    /// Reads everything and knows the cells of this list.
    Insider(usize),
}

/// A cell that must vary, and does not by enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is shown.
    Shown,
    /// Only one figure is possible.
    Computable,
    /// It varies by less than the width.
    Narrow,
    /// It does not reach far enough below its figure.
    Below,
    /// It does not reach far enough above its figure.
    Above,
    /// Not settled within the work: what cannot be proven wide counts as narrow.
    Undecided,
}

/// One violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The cell; the total below which they stand, if it is about several cells of one contributor.
    pub place: Place,
    /// Whether it is the sum of what one contributor has in several cells.
    pub together: bool,
    /// What is wrong.
    pub violation: Violation,
}

/// What one kind of intruder found.
#[derive(Clone, Debug)]
pub struct Played {
    /// Who.
    pub intruder: Intruder,
    /// How many of them were played.
    pub players: usize,
    /// How many could not be, because no file holds what they know.
    pub absent: usize,
    /// How many cells had to vary.
    pub asked: usize,
    /// Which do not. Whoever knows more than a reader: what he finds beyond that.
    pub findings: Vec<Finding>,
}

/// What all of them found.
#[derive(Clone, Debug)]
pub struct Attacked {
    /// Cells in all tables, each version once.
    pub cells: usize,
    /// Of them, hidden wherever they stand.
    pub hidden: usize,
    /// Levels below or above that could only be checked together, because no file holds the figure.
    pub unmeasured: usize,
    /// By intruder.
    pub played: Vec<Played>,
    /// By hidden cell: its key (a node per dimension of [`Audience::axes`]), whether it had to vary, its interval.
    /// Empty if not asked for.
    pub intervals: Vec<(Vec<usize>, bool, Interval)>,
}

/// What goes wrong with a reading, and with whom.
pub(super) type Hurt = BTreeMap<usize, Violation>;

impl<'a> Audience<'a> {
    /// Present tables only, read by anybody.
    pub fn readers(dimensions: &'a [Dimension], tables: &'a [Table], width: i64) -> Self {
        Self {
            dimensions,
            earlier: &[],
            tables,
            known: &[],
            sources: &[],
            one: 1,
            width,
            singletons: Singletons::Named,
            intervals: false,
        }
    }

    pub(super) fn published(&self) -> impl Iterator<Item = (Place, &'a Table)> + Clone {
        let place = |earlier| move |(table, rows)| (Place { earlier, table, row: 0 }, rows);
        // The present first: its rows are those that a person is told about.
        let present = self.tables.iter().enumerate().map(place(false));
        present.chain(self.earlier.iter().enumerate().map(place(true)))
    }

    fn insiders(&self) -> impl Iterator<Item = (Place, &'a Table)> + Clone {
        let first = self.earlier.len();
        let place = move |(table, rows)| (Place { earlier: true, table: first + table, row: 0 }, rows);
        self.known.iter().enumerate().map(place)
    }

    pub(super) fn keys(&self) -> Result<Keys, Misfit> {
        let first = self.earlier.len() + self.known.len();
        let sources =
            self.sources.iter().enumerate().map(move |(at, source)| (Source::place(first + at), source.table));
        Keys::of(self.dimensions, &self.published().chain(self.insiders()).chain(sources))
    }

    /// What producers publish narrows the range of present cells.
    pub(super) fn narrow(
        &self,
        keys: &Keys,
        cells: &mut [Joined],
        versions: &HashMap<Key, Vec<u32>>,
    ) -> Result<(), Misfit> {
        for (index, source) in self.sources.iter().enumerate() {
            let at = Source::place(self.earlier.len() + self.known.len() + index);
            for (row, (low, high)) in source.ranges(self.dimensions, at)?.into_iter().enumerate() {
                let Some(versions) = versions.get(&keys.key(source.table, row)) else { continue };
                let cell = &mut cells[versions[0] as usize];
                if cell.figure.is_some_and(|figure| figure < low || figure > high) {
                    return Err(Misfit::Rounded { place: cell.place, other: Place { row, ..at } });
                }
                if low == high {
                    cell.figure = Some(low);
                }
                cell.low = Some(cell.low.unwrap_or_default().max(low));
                cell.high = Some(cell.high.map_or(high, |own| own.min(high)));
            }
        }
        Ok(())
    }

    /// The dimensions of keys.
    pub fn axes(&self) -> Result<Vec<usize>, Misfit> {
        Ok(self.keys()?.dimensions().collect())
    }

    /// Lets everybody try. `told` hears how many cells there are and how many of them are hidden, then of each player
    /// (which, out of how many).
    pub fn attack(&self, told: &mut dyn FnMut(Step)) -> Result<Attacked, Misfit> {
        let unchanged = HashSet::new();
        let present = Seen::of(self, Reading::Present, &unchanged)?;
        let mut played = Vec::new();
        let hidden = |seen: &Seen| seen.tabled().filter(|(_, cell)| cell.figure.is_none()).count();
        told(Step::Cells { cells: present.tabled().count(), hidden: hidden(&present) });
        let reader = present.play(&present.view, None, &|_| true).map_err(|fault| present.contradiction(&fault))?;
        played.push(present.report(Intruder::Reader, &reader));
        let mut everything = present;
        let mut hurt = reader;
        if !self.earlier.is_empty() {
            let (past, found) = self.joined(Reading::Past)?;
            played.push(past.report(Intruder::Archivist, &found));
            (everything, hurt) = self.joined(Reading::Everything)?;
            played.push(everything.report(Intruder::Collector, &hurt));
        }
        if let Some(contributors) = everything.contributors(&hurt, told)? {
            played.push(contributors);
        }
        let keys = self.keys()?;
        for (index, (at, table)) in self.insiders().enumerate() {
            told(Step::Player { player: index + 1, of: self.known.len() });
            let figures = everything.insider(&keys, at, table)?;
            let known: HashSet<usize> = figures.iter().map(|&(cell, _)| cell).collect();
            let view = everything.view.known(figures).map_err(|_| Misfit::Known(at))?;
            let found = everything
                .play(&view, None, &|cell| !known.contains(&cell) && !hurt.contains_key(&cell))
                .map_err(|_| Misfit::Known(at))?;
            played.push(everything.report(Intruder::Insider(index), &found));
        }
        let intervals = if self.intervals { everything.intervals()? } else { Vec::new() };
        let needs = || everything.tabled().filter_map(|(_, cell)| Some((cell, cell.need?)));
        let measured = |cell: &Joined| cell.figure.or(cell.inside).is_some();
        Ok(Attacked {
            cells: everything.tabled().count(),
            hidden: hidden(&everything),
            unmeasured: needs().filter(|(cell, need)| need.below.max(need.above) > 0 && !measured(cell)).count(),
            played,
            intervals,
        })
    }

    /// Reads several publications together. Cells are taken for unchanged; where that cannot be, those that it hangs on
    /// are told apart, and it is tried again.
    fn joined(&self, reading: Reading) -> Result<(Seen, Hurt), Misfit> {
        let mut changed = HashSet::new();
        loop {
            let seen = Seen::of(self, reading, &changed)?;
            let fault = match seen.play(&seen.view, None, &|_| true) {
                Ok(found) => return Ok((seen, found)),
                Err(fault) => fault,
            };
            let before = changed.len();
            for &relation in &fault.relations {
                for &(cell, _) in &seen.terms[relation].terms {
                    if seen.doubtful.get(cell).copied().unwrap_or_default() {
                        changed.insert(seen.cells[cell].key.clone());
                    }
                }
            }
            if changed.len() == before {
                return Err(seen.contradiction(&fault));
            }
        }
    }
}

/// How far an attack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What is attacked.
    Cells {
        /// Of all tables.
        cells: usize,
        /// Of them, hidden.
        hidden: usize,
    },
    /// Somebody who knows more than others.
    Player {
        /// Which, from 1.
        player: usize,
        /// How many there are of the kind.
        of: usize,
    },
}
