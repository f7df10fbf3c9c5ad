//! A first whole table, or why there is none.

use super::ends::Branched;
use super::{Aim, Halt, Impossible, Search, Solved, Step, Walk};
use crate::intervals::parts::narrow;

/// Nodes of the search for a first whole table.
const FIRST: u32 = 2_000;

/// How often a broken point is rounded and repaired before that.
const ROUNDS: usize = 60;

impl Search<'_> {
    /// The first whole table, and the cells that have the same figure in all of them.
    pub(super) fn begin(&mut self, table: Option<&[i64]>) -> Result<Option<Impossible>, Halt> {
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
}
