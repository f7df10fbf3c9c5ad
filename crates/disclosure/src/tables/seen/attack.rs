//! Who reads, and what follows for him.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::layout::{Key, Keys};
use super::super::published::Source;
use super::super::{Dimension, Misfit, Need, Place, Singletons, Table};
use super::join::{Joined, Reading, Seen};
use crate::intervals::{Asked, Contradiction, End, Interval, Verdict, reach};

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
type Hurt = BTreeMap<usize, Violation>;

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

impl Seen {
    /// Cells that stand in a table.
    fn tabled(&self) -> impl Iterator<Item = (usize, &Joined)> {
        self.cells.iter().enumerate().filter(|(_, cell)| !cell.untold)
    }

    fn contradiction(&self, fault: &Contradiction) -> Misfit {
        let places: BTreeSet<Place> = fault.relations.iter().map(|&index| self.relations[index]).collect();
        Misfit::Contradiction(places.into_iter().collect())
    }

    fn report(&self, intruder: Intruder, hurt: &Hurt) -> Played {
        Played { intruder, players: 1, absent: 0, asked: self.asked(), findings: self.findings(hurt) }
    }

    fn asked(&self) -> usize {
        self.tabled().filter(|(_, cell)| cell.need.is_some()).count()
    }

    fn findings(&self, hurt: &Hurt) -> Vec<Finding> {
        let finding = |(&cell, &violation): (&usize, &Violation)| {
            let Joined { place, untold, .. } = self.cells[cell];
            Finding { place, together: untold, violation }
        };
        hurt.iter().map(finding).collect()
    }

    /// Who does not vary enough in this view, among cells of interest.
    fn play(
        &self,
        view: &crate::intervals::View,
        table: Option<&[i64]>,
        interest: &dyn Fn(usize) -> bool,
    ) -> Result<Hurt, Contradiction> {
        let needs = || {
            let needs = self.cells.iter().enumerate().filter_map(|(cell, known)| Some((cell, known.need?)));
            needs.filter(|&(cell, _)| interest(cell))
        };
        // Most need the same: whether they vary by it is a smaller question than how far.
        let mut widths: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
        for (cell, need) in needs() {
            let only = (need.below.max(need.above) == 0).then(|| need.units().width);
            widths.entry(only).or_default().push(cell);
        }
        let mut hurt = Hurt::new();
        if widths.is_empty() {
            // Nobody is asked for; that a whole table exists is asked all the same.
            widths.insert(Some(1), Vec::new());
        }
        for (width, cells) in widths {
            let asked = width.map_or_else(Asked::intervals, Asked::width).about(cells.iter().copied());
            let asked = match table {
                Some(table) => asked.from_table(table.to_vec()),
                None => asked,
            };
            let reached = reach(view, &asked)?;
            for cell in cells {
                let known = &self.cells[cell];
                let violation = match (known.figure, reached.interval(cell)) {
                    (Some(_), _) => Some(Violation::Shown),
                    // Somebody knows it.
                    (None, None) => None,
                    (None, Some(interval)) => verdict(interval, known.need.unwrap_or_default(), known.inside),
                };
                hurt.extend(violation.map(|violation| (cell, violation)));
            }
        }
        Ok(hurt)
    }

    /// Every contributor in turn.
    fn contributors(&self, hurt: &Hurt, told: &mut dyn FnMut(Step)) -> Result<Option<Played>, Misfit> {
        let mut owned: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (cell, known) in self.tabled() {
            if let (Some(owner), None) = (known.owner, known.figure) {
                owned.entry(owner).or_default().push(cell);
            }
        }
        if owned.is_empty() {
            return Ok(None);
        }
        let parts = self.parts();
        // What files still hold only makes it quicker to begin.
        let whole: Option<Vec<i64>> = self.cells.iter().map(|cell| cell.figure.or(cell.inside)).collect();
        let mut played = Played {
            intruder: Intruder::Contributors,
            players: 0,
            absent: 0,
            asked: self.asked(),
            findings: Vec::new(),
        };
        let mut found = Hurt::new();
        let of = owned.len();
        for (player, (owner, cells)) in owned.into_iter().enumerate() {
            told(Step::Player { player: player + 1, of });
            let Some(figures) =
                cells.iter().map(|&cell| Some((cell, self.cells[cell].inside?))).collect::<Option<Vec<_>>>()
            else {
                played.absent += 1;
                continue;
            };
            played.players += 1;
            let place = self.cells[cells[0]].place;
            let near: HashSet<usize> = cells.iter().map(|&cell| parts[cell]).collect();
            let interest = |cell: usize| {
                let own = self.cells[cell].owner == Some(owner);
                !own && near.contains(&parts[cell]) && !hurt.contains_key(&cell) && !found.contains_key(&cell)
            };
            let view = self.view.known(figures).map_err(|_| Misfit::Known(place))?;
            let more = self.play(&view, whole.as_deref(), &interest).map_err(|_| Misfit::Known(place))?;
            found.extend(more);
        }
        played.findings = self.findings(&found);
        Ok(Some(played))
    }

    /// By cell: which hidden cells hang together.
    fn parts(&self) -> Vec<usize> {
        let mut part: Vec<usize> = (0..self.cells.len()).collect();
        fn root(part: &mut [usize], mut cell: usize) -> usize {
            while part[cell] != cell {
                part[cell] = part[part[cell]];
                cell = part[cell];
            }
            cell
        }
        for relation in &self.terms {
            let mut hidden =
                relation.terms.iter().map(|&(cell, _)| cell).filter(|&cell| self.cells[cell].figure.is_none());
            let Some(first) = hidden.next() else { continue };
            for cell in hidden {
                let (a, b) = (root(&mut part, first), root(&mut part, cell));
                part[a.max(b)] = a.min(b);
            }
        }
        (0..part.len()).map(|cell| root(&mut part, cell)).collect()
    }

    /// The cells of a list of known figures.
    fn insider(&self, keys: &Keys, at: Place, table: &Table) -> Result<Vec<(usize, i64)>, Misfit> {
        let mut figures = Vec::new();
        for (row, known) in table.rows.iter().enumerate() {
            let place = Place { row, ..at };
            let figure = known.value.ok_or(Misfit::Empty(place))?;
            let versions = self.versions.get(&keys.key(table, row)).ok_or(Misfit::Stranger(place))?;
            let cell = versions[0] as usize;
            if self.cells[cell].figure.is_some_and(|shown| shown != figure) {
                return Err(Misfit::Known(place));
            }
            figures.push((cell, figure));
        }
        Ok(figures)
    }

    fn intervals(&self) -> Result<Vec<(Vec<usize>, bool, Interval)>, Misfit> {
        let hidden = self.tabled().filter(|(_, cell)| cell.figure.is_none()).map(|(cell, _)| cell);
        let reached =
            reach(&self.view, &Asked::intervals().about(hidden)).map_err(|fault| self.contradiction(&fault))?;
        let interval = |&(cell, interval): &(usize, Interval)| {
            let Joined { key, need, .. } = &self.cells[cell];
            (key.iter().map(|&node| node as usize).collect(), need.is_some(), interval)
        };
        Ok(reached.intervals().iter().map(interval).collect())
    }
}

/// What is wrong with an interval, if anything. Without the figure only what lies below and above it together is known.
fn verdict(interval: Interval, need: Need, figure: Option<i64>) -> Option<Violation> {
    let (below, above) = (need.below, need.above);
    let width = if figure.is_some() { need.width } else { need.width.max(below.saturating_add(above)) };
    match interval.varies(Need::width(width).units().width) {
        _ if interval.computable().is_some() && width.max(below).max(above) > 0 => return Some(Violation::Computable),
        Verdict::Narrow => return Some(Violation::Narrow),
        Verdict::Undecided => return Some(Violation::Undecided),
        Verdict::Wide => {}
    }
    let figure = figure?;
    let far = |end: End, sign: i64, level: i64, violation: Violation| {
        let reaches = |to: i64| i128::from(sign) * (i128::from(to) - i128::from(figure)) >= i128::from(level);
        match end {
            _ if level == 0 => None,
            End::Endless => None,
            End::Proven(to) => (!reaches(to)).then_some(violation),
            End::Between { attained: Some(to), .. } if reaches(to) => None,
            End::Between { bound: Some(to), .. } if !reaches(to) => Some(violation),
            End::Between { .. } => Some(Violation::Undecided),
        }
    };
    far(interval.low, -1, below, Violation::Below).or_else(|| far(interval.high, 1, above, Violation::Above))
}
