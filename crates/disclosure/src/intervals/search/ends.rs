//! From one whole table to the ends of an interval: walks, single moves, and branching where walks end broken.

use super::{Aim, Halt, Search, Side, Step};

/// Nodes of a search for one more extreme whole table.
const NODES: u32 = 300;

/// Nodes of a first quick try.
const FEW: u32 = 12;

/// How often a move is made at most when moves are tried one by one.
const POKE: i64 = 1 << 20;

pub(super) enum Branched {
    Found,
    Nothing,
    GaveUp,
}

impl Search<'_> {
    /// Tries every move by itself, both ways.
    pub(super) fn poke(&mut self) -> Result<(), Halt> {
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

    /// Looks for the end of an interval until both sides of it meet, or `enough`.
    pub(super) fn settle(&mut self, cell: u32, side: Side, enough: &dyn Fn(&Self) -> bool) -> Result<(), Halt> {
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
    pub(super) fn branch(&mut self, nodes: &mut u32) -> Result<Branched, Halt> {
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
    pub(super) fn widen(&mut self, cell: u32, width: i64) -> Result<(), Halt> {
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
}
