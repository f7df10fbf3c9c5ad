//! The intervals of one part: whole tables from inside, exact bounds from outside, until they meet.

mod begin;
mod ends;
mod keep;

use super::parts::{Part, Solved, Unsolved};
use super::propagate::Ranges;
use super::walk::{Aim, Step, Walk};
use super::witnesses::Tables;
use super::{Account, End, Halt, Interval, Question};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Low,
    High,
}

impl Side {
    fn up(self) -> bool {
        self == Self::High
    }
}

/// Whether no whole table agrees with what is visible of the part: positions of equations that suffice.
pub(super) struct Impossible(pub(super) Vec<usize>);

#[derive(Clone, Copy)]
struct Reach {
    attained: i64,
    by: usize,
}

pub(super) struct Search<'a> {
    part: &'a Part,
    walk: Walk,
    /// Certain ranges of whole tables, by local index.
    low: Vec<i64>,
    high: Vec<Option<i64>>,
    least: Vec<Reach>,
    most: Vec<Reach>,
    endless: Vec<bool>,
    tables: Tables,
    /// The table of this moment, once it is kept.
    kept: Option<usize>,
    asked: Vec<bool>,
    pub(super) account: Account,
}

/// What was found about a part.
pub(super) struct Found {
    /// By asked local cell, ascending; without attained figures if there is no whole table.
    pub(super) intervals: Vec<(u32, Interval)>,
    pub(super) tables: Tables,
    pub(super) account: Account,
}

/// Everything about one part.
pub(super) fn search(
    part: &Part,
    ranges: &Ranges,
    question: &Question,
    asked: &[u32],
    table: Option<&[i64]>,
    limit: u64,
) -> Result<Found, Impossible> {
    let (low, high): (Vec<i64>, Vec<Option<i64>>) = part.cells.iter().map(|&cell| ranges.of(cell)).unzip();
    if part.large {
        return Ok(bounds_only(&low, &high, asked));
    }
    let solved = match Solved::new(part, &low, false, limit) {
        Ok(solved) => solved,
        Err(Unsolved::Halt) => return Ok(bounds_only(&low, &high, asked)),
        Err(Unsolved::Inconsistent(_)) => {
            let traced = Solved::new(part, &low, true, u64::MAX);
            let Err(Unsolved::Inconsistent(equations)) = traced else {
                return Err(Impossible((0..part.equations.len()).collect()));
            };
            return Err(Impossible(equations));
        }
    };
    let walk = Walk::new(solved, low.clone(), high.clone(), limit);
    let mut marked = vec![false; part.cells.len()];
    for &cell in asked {
        marked[cell as usize] = true;
    }
    let none = Reach { attained: 0, by: 0 };
    let mut search = Search {
        part,
        walk,
        least: vec![none; low.len()],
        most: vec![none; low.len()],
        endless: vec![false; low.len()],
        low,
        high,
        tables: Tables::default(),
        kept: None,
        asked: marked,
        account: Account::default(),
    };
    // A halt leaves everything found so far true; only what is missing is missing.
    match search.run(question, asked, table) {
        Ok(Some(impossible)) => Err(impossible),
        Ok(None) | Err(Halt) => Ok(search.found(asked)),
    }
}

fn bounds_only(low: &[i64], high: &[Option<i64>], asked: &[u32]) -> Found {
    let between = |bound| End::Between { attained: None, bound };
    let interval = |&cell: &u32| {
        let index = cell as usize;
        (cell, Interval { low: between(Some(low[index])), high: between(high[index]) })
    };
    Found { intervals: asked.iter().map(interval).collect(), tables: Tables::default(), account: Account::default() }
}

impl Search<'_> {
    fn run(&mut self, question: &Question, asked: &[u32], table: Option<&[i64]>) -> Result<Option<Impossible>, Halt> {
        if let Some(impossible) = self.begin(table)? {
            return Ok(Some(impossible));
        }
        self.poke()?;
        for &cell in asked {
            let looked = match question {
                Question::Intervals => {
                    let low = self.settle(cell, Side::Low, &|_| false);
                    low.and_then(|()| self.settle(cell, Side::High, &|_| false))
                }
                Question::Width(width) => self.widen(cell, i64::from(*width)),
                Question::Widths(widths) => match widths.get(&self.part.cells[cell as usize]) {
                    Some(&width) => self.widen(cell, width),
                    None => Ok(()),
                },
            };
            if looked.is_err() {
                self.recover()?;
            }
        }
        Ok(None)
    }

    /// After numbers grew too large: back to a table and moves that are sound. Nothing helps where the work is used up.
    fn recover(&mut self) -> Result<(), Halt> {
        if self.tables.first.is_empty() {
            return Err(Halt);
        }
        self.walk.stand(&self.tables.first);
        self.walk.restore();
        self.kept = None;
        self.walk.spend(0)
    }

    /// Walks until the aim is reached, or nothing leads further; notes every whole table on the way.
    fn aim(&mut self, aim: Aim) -> Result<Step, Halt> {
        if matches!(aim, Aim::Push { .. }) {
            self.account.programs += 1;
        }
        self.walk.refresh();
        if self.kept.is_none() {
            self.note(None)?;
        }
        loop {
            let step = self.walk.step(aim)?;
            match step {
                Step::Moved(column) => {
                    self.account.vertices += 1;
                    let known = self.kept.take().is_some();
                    self.note(known.then_some(column))?;
                }
                Step::Stood => {}
                Step::Arrived | Step::Stuck | Step::Endless => return Ok(step),
            }
        }
    }

    fn attained(&self, cell: u32, side: Side) -> Option<i64> {
        let reach = if side == Side::Low { self.least[cell as usize] } else { self.most[cell as usize] };
        (!self.tables.first.is_empty()).then_some(reach.attained)
    }

    fn bound(&self, cell: u32, side: Side) -> Option<i64> {
        if side == Side::Low { Some(self.low[cell as usize]) } else { self.high[cell as usize] }
    }

    /// From now on no whole table goes beyond this.
    fn tighten(&mut self, cell: u32, side: Side, bound: i64) {
        let index = cell as usize;
        match side {
            Side::Low => {
                self.low[index] = self.low[index].max(bound);
                self.walk.low[index] = self.low[index];
            }
            Side::High => {
                self.high[index] = Some(self.high[index].map_or(bound, |high| high.min(bound)));
                self.walk.high[index] = self.high[index];
            }
        }
    }

    fn settled(&self, cell: u32, side: Side) -> bool {
        (side == Side::High && self.endless[cell as usize])
            || self.bound(cell, side).zip(self.attained(cell, side)).is_some_and(|(bound, attained)| match side {
                Side::Low => bound >= attained,
                Side::High => bound <= attained,
            })
    }

    fn found(mut self, asked: &[u32]) -> Found {
        self.forget();
        self.account.work = self.walk.work();
        let end = |cell: u32, side: Side| match (self.attained(cell, side), self.bound(cell, side)) {
            _ if side == Side::High && self.endless[cell as usize] => End::Endless,
            (Some(attained), Some(bound)) if attained == bound => End::Proven(bound),
            (attained, bound) => End::Between { attained, bound },
        };
        let interval = |&cell: &u32| (cell, Interval { low: end(cell, Side::Low), high: end(cell, Side::High) });
        let intervals = asked.iter().map(interval).collect();
        Found { intervals, tables: self.tables, account: self.account }
    }
}
