//! The intervals of one part: whole tables from inside, exact bounds from outside, until they meet.

use super::parts::{Part, Solved, Unsolved, narrow};
use super::propagate::Ranges;
use super::walk::{Aim, Step, Walk};
use super::witnesses::Tables;
use super::{Account, End, Halt, Interval, Question};

/// Nodes of the search for a first whole table.
const FIRST: u32 = 2_000;

/// How often a broken point is rounded and repaired before that.
const ROUNDS: usize = 60;

/// Nodes of a search for one more extreme whole table.
const NODES: u32 = 300;

/// Nodes of a first quick try.
const FEW: u32 = 12;

/// How often a move is made at most when moves are tried one by one.
const POKE: i64 = 1 << 20;

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

enum Branched {
    Found,
    Nothing,
    GaveUp,
}

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

    /// The first whole table, and the cells that have the same figure in all of them.
    fn begin(&mut self, table: Option<&[i64]>) -> Result<Option<Impossible>, Halt> {
        if let Some(table) = table {
            self.walk.stand(table);
        }
        if self.aim(Aim::Repair)? == Step::Stuck {
            return Ok(Some(self.blame()));
        }
        let fixed: Vec<u32> = (0..narrow(self.low.len())).filter(|&cell| self.walk.fixed(cell)).collect();
        for cell in fixed {
            let Some(figure) = self.walk.at(cell).whole() else {
                return Ok(Some(Impossible((0..self.part.equations.len()).collect())));
            };
            self.account.combined += 1;
            self.low[cell as usize] = figure;
            self.high[cell as usize] = Some(figure);
        }
        for turn in 0..ROUNDS {
            if self.walk.whole() {
                break;
            }
            self.walk.round(turn)?;
            if self.aim(Aim::Repair)? == Step::Stuck {
                return Err(Halt);
            }
        }
        if !self.walk.whole() {
            self.account.branched += 1;
            if let Branched::Nothing = self.branch(&mut FIRST.clone())? {
                return Ok(Some(Impossible((0..self.part.equations.len()).collect())));
            }
        }
        Ok(None)
    }

    /// Equations whose combination leaves no point in all ranges.
    fn blame(&self) -> Impossible {
        let all = || Impossible((0..self.part.equations.len()).collect());
        let (mut low, mut high) = (self.low.clone(), self.high.clone());
        let Ok(solved) = Solved::new(self.part, &low, true, u64::MAX) else { return all() };
        low.resize(solved.start.len(), 0);
        high.resize(solved.start.len(), Some(0));
        let mut walk = Walk::new(solved, low, high, u64::MAX);
        let real = narrow(self.part.cells.len());
        loop {
            match walk.step(Aim::Repair) {
                Ok(Step::Moved(_) | Step::Stood) => {}
                Ok(Step::Stuck) => {
                    let Ok(blocking) = walk.blocking() else { return all() };
                    return Impossible(
                        blocking.into_iter().filter_map(|cell| cell.checked_sub(real)).map(|at| at as usize).collect(),
                    );
                }
                _ => return all(),
            }
        }
    }

    /// From a broken point back to the whole table that goes furthest: whole steps lead on from there, and moves that
    /// became dense on the way can be taken back.
    fn return_to(&mut self, cell: u32, side: Side) {
        if self.walk.whole() || self.tables.first.is_empty() {
            return;
        }
        let reach = if side == Side::Low { self.least[cell as usize] } else { self.most[cell as usize] };
        self.walk.stand(&self.tables.whole(reach.by));
        self.kept = Some(usize::MAX);
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

    /// Keeps the table of this moment if it is whole, allowed and goes beyond what is known; only in the cells of
    /// `column` if the table before was looked at.
    fn note(&mut self, column: Option<usize>) -> Result<(), Halt> {
        if !self.walk.whole() || self.walk.faulty() {
            return Ok(());
        }
        if self.tables.first.is_empty() {
            let figures = self.walk.figures().iter();
            let table: Option<Vec<i64>> = figures.map(|at| at.whole()).collect();
            let table = table.filter(|table| self.agrees(table)).ok_or(Halt)?;
            for (cell, &attained) in table.iter().enumerate() {
                self.least[cell] = Reach { attained, by: 0 };
                self.most[cell] = Reach { attained, by: 0 };
            }
            self.tables.first = table;
        }
        self.kept = None;
        if let Some(column) = column {
            let (free, terms) = self.walk.body(column);
            let changed: Vec<u32> = std::iter::once(free).chain(terms.iter().map(|&(cell, _)| cell)).collect();
            for cell in changed {
                self.compare(cell)?;
            }
        } else {
            self.walk.spend(self.low.len() as u64 / 4)?;
            for cell in 0..narrow(self.low.len()) {
                self.compare(cell)?;
            }
        }
        // Looked at, even if it was not worth keeping.
        self.kept.get_or_insert(usize::MAX);
        Ok(())
    }

    fn compare(&mut self, cell: u32) -> Result<(), Halt> {
        let index = cell as usize;
        if !self.asked[index] {
            return Ok(());
        }
        let figure = self.walk.at(cell).whole().ok_or(Halt)?;
        if figure < self.least[index].attained {
            let by = self.keep()?;
            self.least[index] = Reach { attained: figure, by };
        }
        if figure > self.most[index].attained {
            let by = self.keep()?;
            self.most[index] = Reach { attained: figure, by };
        }
        Ok(())
    }

    /// The place of this moment's table among those kept.
    fn keep(&mut self) -> Result<usize, Halt> {
        if let Some(place) = self.kept.filter(|&place| place != usize::MAX) {
            return Ok(place);
        }
        if self.tables.others.len() > 4 * self.low.len() + 64 {
            self.forget();
        }
        let figures: Option<Vec<i64>> = self.walk.figures().iter().map(|at| at.whole()).collect();
        // What is kept is a proof: looked at once more, from the equations alone.
        let table = figures.filter(|table| self.agrees(table)).ok_or(Halt)?;
        let differs = table.iter().zip(&self.tables.first).enumerate().filter(|(_, (now, first))| now != first);
        let other: Vec<(u32, i64)> = differs.map(|(cell, (&now, _))| (narrow(cell), now)).collect();
        self.walk.spend(self.low.len() as u64)?;
        self.tables.others.push(other);
        let place = self.tables.others.len();
        self.kept = Some(place);
        Ok(place)
    }

    fn agrees(&self, table: &[i64]) -> bool {
        let allowed = table
            .iter()
            .enumerate()
            .all(|(cell, &figure)| figure >= self.low[cell] && self.high[cell].is_none_or(|high| figure <= high));
        let product = |&(cell, value): &(u32, i64)| i128::from(value) * i128::from(table[cell as usize]);
        allowed
            && self
                .part
                .equations
                .iter()
                .all(|equation| equation.terms.iter().map(product).sum::<i128>() == i128::from(equation.sum))
    }

    /// Drops tables that nothing rests on.
    fn forget(&mut self) {
        let mut used = vec![false; self.tables.others.len() + 1];
        for (cell, &asked) in self.asked.iter().enumerate() {
            if asked {
                used[self.least[cell].by] = true;
                used[self.most[cell].by] = true;
            }
        }
        used[0] = true;
        let mut place = vec![0; used.len()];
        let mut kept = 0;
        for (index, &used) in used.iter().enumerate() {
            place[index] = kept;
            kept += usize::from(used);
        }
        let mut index = 0;
        self.tables.others.retain(|_| {
            index += 1;
            used[index]
        });
        for reach in self.least.iter_mut().chain(&mut self.most) {
            // Cells that were not asked about rest on nothing.
            reach.by = place[reach.by];
        }
        self.kept = None;
    }

    /// Tries every move by itself, both ways.
    fn poke(&mut self) -> Result<(), Halt> {
        if !self.walk.whole() || self.tables.first.is_empty() {
            return Ok(());
        }
        for column in 0..self.walk.moves() {
            for up in [true, false] {
                let steps = self.walk.poke(column, up, POKE)?;
                if steps != 0 {
                    self.kept = None;
                    self.note(Some(column))?;
                    self.walk.back(column, steps)?;
                    self.kept = None;
                }
            }
        }
        Ok(())
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

    /// Looks for the end of an interval until both sides of it meet, or `enough`.
    fn settle(&mut self, cell: u32, side: Side, enough: &dyn Fn(&Self) -> bool) -> Result<(), Halt> {
        if self.settled(cell, side) || enough(self) {
            return Ok(());
        }
        self.return_to(cell, side);
        if self.aim(Aim::Repair)? == Step::Stuck {
            return Err(Halt);
        }
        match self.aim(Aim::Push { cell, up: side.up(), goal: None })? {
            Step::Endless => {
                // One whole table, and a whole move that can be made for ever.
                self.endless[cell as usize] = !self.tables.first.is_empty();
                return Ok(());
            }
            Step::Stuck => {
                let at = self.walk.at(cell);
                self.tighten(cell, side, if side.up() { at.floor() } else { at.ceiling() });
            }
            _ => return Ok(()),
        }
        while !self.settled(cell, side) && !enough(self) {
            let Some(bound) = self.bound(cell, side) else { return Ok(()) };
            match self.beyond(cell, side, bound, NODES)? {
                Branched::Found => {}
                Branched::Nothing => self.tighten(cell, side, if side.up() { bound - 1 } else { bound + 1 }),
                Branched::GaveUp => return Ok(()),
            }
        }
        Ok(())
    }

    /// Looks for a whole table in which a cell is at least as extreme as `figure`.
    fn beyond(&mut self, cell: u32, side: Side, figure: i64, mut nodes: u32) -> Result<Branched, Halt> {
        self.account.branched += 1;
        let index = cell as usize;
        let before = (self.walk.low[index], self.walk.high[index]);
        match side {
            Side::Low => self.walk.high[index] = Some(before.1.map_or(figure, |high| high.min(figure))),
            Side::High => self.walk.low[index] = before.0.max(figure),
        }
        let found = self.branch(&mut nodes);
        (self.walk.low[index], self.walk.high[index]) = before;
        found
    }

    /// Looks for a whole table by branching on broken figures: found, certainly not there, or given up.
    fn branch(&mut self, nodes: &mut u32) -> Result<Branched, Halt> {
        if *nodes == 0 {
            return Ok(Branched::GaveUp);
        }
        *nodes -= 1;
        if self.aim(Aim::Repair)? == Step::Stuck {
            return Ok(Branched::Nothing);
        }
        if self.walk.whole() {
            return Ok(Branched::Found);
        }
        let broken = self.walk.figures().iter().enumerate().map(|(cell, at)| (cell, at.brokenness()));
        let Some((cell, _)) = broken.fold(None, |best: Option<(usize, f64)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        }) else {
            return Ok(Branched::GaveUp);
        };
        self.walk.spend(self.low.len() as u64 / 4)?;
        let at = self.walk.figures()[cell];
        let floor = at.floor();
        let before = (self.walk.low[cell], self.walk.high[cell]);
        let first = at.nearest_is_below();
        let mut answer = Branched::Nothing;
        for below in [first, !first] {
            if below {
                self.walk.high[cell] = Some(floor);
            } else {
                self.walk.low[cell] = floor + 1;
            }
            let found = self.branch(nodes);
            (self.walk.low[cell], self.walk.high[cell]) = before;
            match found? {
                Branched::Found => return Ok(Branched::Found),
                Branched::GaveUp => answer = Branched::GaveUp,
                Branched::Nothing => {}
            }
        }
        Ok(answer)
    }

    fn wide(&self, cell: u32, width: i64) -> bool {
        let index = cell as usize;
        let attained = !self.tables.first.is_empty();
        attained && (self.endless[index] || self.most[index].attained - self.least[index].attained >= width)
    }

    fn narrow(&self, cell: u32, width: i64) -> bool {
        let index = cell as usize;
        !self.endless[index] && self.high[index].is_some_and(|high| high - self.low[index] < width)
    }

    /// Looks until a cell varies by a width, or certainly does not.
    fn widen(&mut self, cell: u32, width: i64) -> Result<(), Halt> {
        let enough = |search: &Self| search.wide(cell, width) || search.narrow(cell, width);
        for side in [Side::High, Side::Low] {
            if enough(self) {
                return Ok(());
            }
            let index = cell as usize;
            let goal = match side {
                Side::High => self.least[index].attained + width,
                Side::Low => self.most[index].attained - width,
            };
            if self.tables.first.is_empty()
                || self.bound(cell, side).is_some_and(|bound| match side {
                    Side::High => bound < goal,
                    Side::Low => bound > goal,
                })
            {
                continue;
            }
            self.return_to(cell, side);
            if self.aim(Aim::Repair)? == Step::Stuck {
                return Err(Halt);
            }
            match self.aim(Aim::Push { cell, up: side.up(), goal: Some(goal) })? {
                Step::Arrived if !self.walk.whole() => {
                    self.beyond(cell, side, goal, FEW)?;
                }
                Step::Endless => self.endless[index] = true,
                Step::Stuck => {
                    let at = self.walk.at(cell);
                    self.tighten(cell, side, if side.up() { at.floor() } else { at.ceiling() });
                }
                _ => {}
            }
        }
        self.settle(cell, Side::High, &enough)?;
        self.settle(cell, Side::Low, &enough)
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
