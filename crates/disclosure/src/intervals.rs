//! What an intruder can work out about each hidden cell: the figures that it takes over all whole tables which agree
//! with what is visible.
//!
//! The attack knows relations, ranges and visible figures. [`View`] has no place for the figure of a hidden cell, and
//! nothing here knows why a cell is hidden. Each end of an interval rests on two things that do not trust each other:
//!
//! * **inside**, whole tables ([`Witnesses`]) that satisfy every relation, every range and every visible figure; anybody
//!   can check them with [`Witnesses::check`];
//! * **outside**, exact integer arithmetic: ranges carried through relations (constraint propagation), then vertices of
//!   the relaxation walked along exact integer moves, then branching on broken figures.
//!
//! Where both meet the end is [`End::Proven`], whatever way was taken to it. Where they do not (the work was used up),
//! the end says both.
//!
//! An intruder who knows some of the hidden figures is the same question with these cells shown
//! ([`View::known`]). Earlier publications are further cells and relations: the old and the new version of a cell are
//! two cells. Inequalities are equations with one more hidden cell that is at least zero.

mod parts;
mod propagate;
mod ratio;
mod search;
mod view;
mod walk;
mod witnesses;

use std::collections::BTreeMap;

use thiserror::Error;

pub use view::{InvalidView, Seen, View};
pub use witnesses::{Extremes, Unsound, Witnesses};

use propagate::Ranges;

/// What is asked about hidden cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Both ends of the interval of each.
    Intervals,
    /// Whether each varies by at least this much. Ends are looked for only as far as the answer needs them.
    Width(u32),
    /// The same with a width for each cell.
    Widths(BTreeMap<usize, i64>),
}

/// What is asked, about which cells, and how long to look.
#[derive(Clone)]
pub struct Asked {
    question: Question,
    cells: Option<Vec<usize>>,
    table: Option<Vec<i64>>,
    work: u64,
}

impl Asked {
    /// As much work as some ten thousand cells need, in terms rewritten.
    const WORK: u64 = 6_000_000_000;

    /// Both ends for every hidden cell.
    pub fn intervals() -> Self {
        Self { question: Question::Intervals, cells: None, table: None, work: Self::WORK }
    }

    /// Whether each hidden cell varies by at least `width`.
    pub fn width(width: u32) -> Self {
        Self { question: Question::Width(width), ..Self::intervals() }
    }

    /// Whether each of these cells varies by at least its own width.
    pub fn widths(widths: BTreeMap<usize, i64>) -> Self {
        let cells = widths.keys().copied().collect();
        Self { question: Question::Widths(widths), cells: Some(cells), ..Self::intervals() }
    }

    /// Only about these cells (those that are hidden among them).
    #[must_use]
    pub fn about(self, cells: impl IntoIterator<Item = usize>) -> Self {
        let mut cells: Vec<usize> = cells.into_iter().collect();
        cells.sort_unstable();
        cells.dedup();
        Self { cells: Some(cells), ..self }
    }

    /// Starts from a whole table that agrees with everything visible, one figure per cell: quicker than finding one.
    /// Ignored if it does not agree. No end that is proven depends on it; the witnesses do, and are then as
    /// confidential as the table.
    #[must_use]
    pub fn from_table(self, table: Vec<i64>) -> Self {
        Self { table: Some(table), ..self }
    }

    /// Bounds the search, in terms rewritten: the same on every machine. What was not settled by then says so.
    #[must_use]
    pub fn within(self, work: u64) -> Self {
        Self { work, ..self }
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Asked({:?} within {}, {} a table)",
            self.question,
            self.work,
            if self.table.is_some() { "with" } else { "without" }
        )
    }
}

/// One end of an interval. "Beyond" is below for a lower end, above for an upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A whole table attains this figure, and no whole table goes beyond it.
    Proven(i64),
    /// Whole tables go beyond every figure.
    Endless,
    /// Not settled, or not asked for.
    Between {
        /// The most extreme figure of the whole tables that were found, if any was.
        attained: Option<i64>,
        /// No whole table goes beyond this; `None` if no bound is known.
        bound: Option<i64>,
    },
}

impl End {
    /// The most extreme figure that a whole table is known to have; `None` if there is none, or no limit.
    pub fn attained(self) -> Option<i64> {
        match self {
            Self::Proven(figure) => Some(figure),
            Self::Endless => None,
            Self::Between { attained, .. } => attained,
        }
    }

    /// What no whole table goes beyond, as far as known.
    pub fn bound(self) -> Option<i64> {
        match self {
            Self::Proven(figure) => Some(figure),
            Self::Endless => None,
            Self::Between { bound, .. } => bound,
        }
    }

    /// Whether nothing is left open about this end.
    pub fn settled(self) -> bool {
        !matches!(self, Self::Between { .. })
    }
}

/// Whether a cell varies by a width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Two whole tables differ by at least the width in this cell.
    Wide,
    /// No two whole tables do.
    Narrow,
    /// The work was used up before.
    Undecided,
}

/// The figures that a hidden cell may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Lower end.
    pub low: End,
    /// Upper end.
    pub high: End,
}

impl Interval {
    /// Whether the cell varies by `width`.
    pub fn varies(self, width: u32) -> Verdict {
        let spread = |low: Option<i64>, high: Option<i64>| Some(i128::from(high?) - i128::from(low?));
        let endless = |end: End| end == End::Endless;
        if endless(self.low) || endless(self.high) {
            return Verdict::Wide;
        }
        if spread(self.low.attained(), self.high.attained()).is_some_and(|spread| spread >= i128::from(width)) {
            return Verdict::Wide;
        }
        match spread(self.low.bound(), self.high.bound()) {
            Some(spread) if spread < i128::from(width) => Verdict::Narrow,
            _ => Verdict::Undecided,
        }
    }

    /// The one figure the cell can have, if there is only one.
    pub fn computable(self) -> Option<i64> {
        let (low, high) = (self.low.bound()?, self.high.bound()?);
        (low == high).then_some(low)
    }
}

/// Visible figures, relations and ranges that no whole table satisfies.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no whole table satisfies relations {relations:?} and what is visible of their cells")]
pub struct Contradiction {
    /// Relations by index: they suffice for the contradiction. Few where it is found by carrying ranges from relation
    /// to relation or by a combination of relations; all that hang together where only trying out whole tables showed it.
    pub relations: Vec<usize>,
}

/// How intervals were found; nothing in it depends on a single figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Hidden cells that one relation after the other fixes.
    pub carried: usize,
    /// Further hidden cells that the relations together fix.
    pub combined: usize,
    /// Linear programs walked.
    pub programs: u64,
    /// Vertices seen on the way.
    pub vertices: u64,
    /// Searches for whole tables by branching.
    pub branched: u64,
    /// Terms rewritten.
    pub work: u64,
}

impl Account {
    fn add(&mut self, part: Self) {
        self.combined += part.combined;
        self.programs += part.programs;
        self.vertices += part.vertices;
        self.branched += part.branched;
        self.work += part.work;
    }
}

/// What an intruder knows about the asked cells.
#[derive(Clone)]
pub struct Reached {
    intervals: Vec<(usize, Interval)>,
    witnesses: Witnesses,
    account: Account,
}

impl std::fmt::Debug for Reached {
    /// Without the intervals: some of them are the very figures that were to be hidden.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reached({} cells, {:?}, {:?})", self.intervals.len(), self.witnesses, self.account)
    }
}

impl Reached {
    /// By asked hidden cell, in ascending order.
    pub fn intervals(&self) -> &[(usize, Interval)] {
        &self.intervals
    }

    /// The interval of one asked hidden cell.
    pub fn interval(&self, cell: usize) -> Option<Interval> {
        let position = self.intervals.binary_search_by_key(&cell, |&(at, _)| at).ok()?;
        Some(self.intervals[position].1)
    }

    /// Asked cells with this verdict.
    pub fn varying(&self, width: u32, verdict: Verdict) -> Vec<usize> {
        self.intervals.iter().filter(|(_, interval)| interval.varies(width) == verdict).map(|&(cell, _)| cell).collect()
    }

    /// The whole tables behind every attained figure.
    pub fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// How it was found.
    pub fn account(&self) -> Account {
        self.account
    }
}

/// Numbers or work beyond what is computed with: what was found so far stands, and nothing more is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Halt;

/// What can be worked out about each asked hidden cell.
///
/// # Panics
/// Never: what is expected here follows from how parts are made.
pub fn reach(view: &View, asked: &Asked) -> Result<Reached, Contradiction> {
    let ranges = Ranges::carried(view)?;
    let hidden: Vec<usize> = (0..view.cells().len()).filter(|&cell| view.figure(cell).is_none()).collect();
    let mut wanted = vec![asked.cells.is_none(); view.cells().len()];
    for &cell in asked.cells.iter().flatten() {
        if let Some(wanted) = wanted.get_mut(cell) {
            *wanted = true;
        }
    }
    let table = asked.table.as_ref().filter(|table| view.agrees(table));
    let mut account = Account::default();
    let mut intervals = Vec::new();
    for &cell in &hidden {
        if let Some(figure) = ranges.fixed(cell) {
            account.carried += 1;
            if wanted[cell] {
                intervals.push((cell, Interval { low: End::Proven(figure), high: End::Proven(figure) }));
            }
        }
    }
    let figures = (0..view.cells().len()).map(|cell| ranges.fixed(cell).unwrap_or_default()).collect();
    let mut witnesses = Witnesses::of(figures);
    for part in parts::parts(view, &ranges)? {
        let local = |&cell: &usize| part.cells.binary_search(&cell).expect("a cell of this part");
        let asked_here: Vec<u32> =
            part.cells.iter().filter(|&&cell| wanted[cell]).map(|cell| parts::narrow(local(cell))).collect();
        let table: Option<Vec<i64>> = table.map(|table| part.cells.iter().map(|&cell| table[cell]).collect());
        let limit = asked.work.saturating_sub(account.work);
        let found = search::search(&part, &ranges, &asked.question, &asked_here, table.as_deref(), limit).map_err(
            |search::Impossible(equations)| {
                let mut relations: Vec<usize> = equations.into_iter().map(|at| part.relations[at]).collect();
                relations.sort_unstable();
                Contradiction { relations }
            },
        )?;
        account.add(found.account);
        intervals.extend(found.intervals.into_iter().map(|(cell, interval)| (part.cells[cell as usize], interval)));
        witnesses.combine(&part.cells, found.tables);
    }
    intervals.sort_unstable_by_key(|&(cell, _)| cell);
    if witnesses.tables() == 0 {
        // One part without a whole table leaves none of the whole.
        for (_, interval) in &mut intervals {
            let unattained = |end: End| End::Between { attained: None, bound: end.bound() };
            *interval = Interval { low: unattained(interval.low), high: unattained(interval.high) };
        }
    }
    Ok(Reached { intervals, witnesses, account })
}

#[cfg(test)]
mod tests;
