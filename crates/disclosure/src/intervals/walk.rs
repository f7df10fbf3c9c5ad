//! From vertex to vertex of the relaxation, along exact moves: the simplex method where every column is a whole change
//! of the table.
//!
//! Invariants: no move touches the own cell of another; every point satisfies every equation exactly. A cell that is
//! free may stand anywhere in its range, so that any whole table is a place to start from, in any basis.

use super::Halt;
use super::parts::{Move, Solved, coefficient, narrow};
use super::ratio::Ratio;

/// Steps that change nothing after which the lowest index enters and leaves, against cycles.
const PATIENCE: u32 = 30;

/// Moves that have grown by this factor are taken back to the ones at the start.
const GROWTH: usize = 4;

/// What to walk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To the end of a cell's range over the relaxation, or to a figure on the way.
    Push { cell: u32, up: bool, goal: Option<i64> },
    /// Back into all ranges.
    Repair,
}

/// What one step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The point changed, in the cells of this move.
    Moved(usize),
    /// Another basis, the same point.
    Stood,
    /// What was aimed at.
    Arrived,
    /// Nothing leads further: the bound of the push, or no point lies in all ranges.
    Stuck,
    /// The move with this place leads further for ever.
    Endless,
}

pub(super) struct Walk {
    pub(super) low: Vec<i64>,
    pub(super) high: Vec<Option<i64>>,
    at: Vec<Ratio>,
    /// By cell: its move, if it is free.
    place: Vec<Option<u32>>,
    free: Vec<u32>,
    moves: Vec<Move>,
    /// By dependent cell: moves that may touch it. Entries may be stale or double.
    holders: Vec<Vec<u32>>,
    /// Cells with a broken figure.
    broken: usize,
    stalled: u32,
    origin: (Vec<u32>, Vec<Move>),
    terms: usize,
    work: u64,
    limit: u64,
}

impl Walk {
    pub(super) fn new(solved: Solved, low: Vec<i64>, high: Vec<Option<i64>>, limit: u64) -> Self {
        let broken = solved.start.iter().filter(|at| at.whole().is_none()).count();
        let mut walk = Self {
            low,
            high,
            at: solved.start,
            place: Vec::new(),
            free: Vec::new(),
            moves: Vec::new(),
            holders: Vec::new(),
            broken,
            stalled: 0,
            origin: (solved.free, solved.moves),
            terms: 0,
            work: solved.work,
            limit,
        };
        walk.restore();
        walk
    }

    /// Takes the moves from the start again; the point stays.
    pub(super) fn restore(&mut self) {
        self.free.clone_from(&self.origin.0);
        self.moves.clone_from(&self.origin.1);
        self.place = vec![None; self.at.len()];
        self.holders = vec![Vec::new(); self.at.len()];
        for (column, &cell) in self.free.iter().enumerate() {
            self.place[cell as usize] = Some(narrow(column));
        }
        for (column, body) in self.moves.iter().enumerate() {
            for &(cell, _) in &body.terms {
                self.holders[cell as usize].push(narrow(column));
            }
        }
        self.terms = self.moves.iter().map(|body| body.terms.len()).sum();
        self.work += self.terms as u64;
    }

    /// Only at whole points: a cell that is free must have a whole figure, or denominators multiply without end.
    fn refresh(&mut self) {
        let first: usize = self.origin.1.iter().map(|body| body.terms.len()).sum();
        if self.whole() && self.terms > GROWTH * (first + 4 * self.at.len()) {
            self.restore();
        }
    }

    pub(super) fn work(&self) -> u64 {
        self.work
    }

    pub(super) fn spend(&mut self, work: u64) -> Result<(), Halt> {
        self.work += work;
        if self.work > self.limit { Err(Halt) } else { Ok(()) }
    }

    /// Whether every figure is whole.
    pub(super) fn whole(&self) -> bool {
        self.broken == 0
    }

    pub(super) fn at(&self, cell: u32) -> Ratio {
        self.at[cell as usize]
    }

    pub(super) fn figures(&self) -> &[Ratio] {
        &self.at
    }

    /// Leaves a broken point for a whole one that satisfies all equations but perhaps not all ranges: in the moves from
    /// the start, which mostly are whole by single steps, every free cell is rounded. `turn` says which way some are.
    pub(super) fn round(&mut self, turn: usize) -> Result<(), Halt> {
        self.restore();
        for column in 0..self.moves.len() {
            let at = self.at(self.free[column]);
            if at.whole().is_some() {
                continue;
            }
            let below = at.nearest_is_below() != (turn > 0 && (column + turn).is_multiple_of(3 + turn % 4));
            let step = at.below(if below { at.floor() } else { at.ceiling() })?;
            self.make(column, step.divided(self.moves[column].stride)?)?;
        }
        Ok(())
    }

    /// Stands on a whole table that satisfies the equations.
    pub(super) fn stand(&mut self, table: &[i64]) {
        for (at, &figure) in self.at.iter_mut().zip(table) {
            *at = Ratio::from(figure);
        }
        self.broken = 0;
    }

    pub(super) fn moves(&self) -> usize {
        self.moves.len()
    }

    /// The free cell of a move, and what else the move changes.
    pub(super) fn body(&self, column: usize) -> (u32, &[(u32, i64)]) {
        (self.free[column], &self.moves[column].terms)
    }

    /// Whether no move changes the cell.
    pub(super) fn fixed(&self, cell: u32) -> bool {
        self.place[cell as usize].is_none()
            && self.holders[cell as usize]
                .iter()
                .all(|&column| coefficient(&self.moves[column as usize].terms, cell) == 0)
    }

    fn room(&self, cell: usize, up: bool) -> Result<Option<Ratio>, Halt> {
        let at = self.at[cell];
        let (low, high) = (Ratio::from(self.low[cell]), self.high[cell]);
        if up {
            if at < low {
                return at.below(self.low[cell]).map(Some);
            }
            match high {
                Some(high) if at <= Ratio::from(high) => at.below(high).map(Some),
                // A figure that is too high already stops nobody: the sum of all faults decides.
                _ => Ok(None),
            }
        } else {
            match high {
                Some(high) if at > Ratio::from(high) => at.below(high).map(|room| Some(room.negated())),
                _ if at < low => Ok(None),
                _ => at.below(self.low[cell]).map(|room| Some(room.negated())),
            }
        }
    }

    fn movable(&self, cell: usize, up: bool) -> bool {
        let at = self.at[cell];
        if up {
            self.high[cell].is_none_or(|high| at < Ratio::from(high) || at > Ratio::from(high))
        } else {
            at != Ratio::from(self.low[cell])
        }
    }

    /// Moves that touch a dependent cell, with its coefficient there.
    fn held(&mut self, cell: u32) -> Vec<(usize, i64)> {
        let mut columns = std::mem::take(&mut self.holders[cell as usize]);
        columns.sort_unstable();
        columns.dedup();
        self.work += columns.len() as u64;
        let entry = |&column: &u32| (column as usize, coefficient(&self.moves[column as usize].terms, cell));
        let held: Vec<(usize, i64)> = columns.iter().map(entry).filter(|&(_, value)| value != 0).collect();
        self.holders[cell as usize] = held.iter().map(|&(column, _)| narrow(column)).collect();
        held
    }

    /// By move: what it does for the aim per unit of its own cell, over its stride.
    fn gains(&mut self, aim: Aim) -> Result<Vec<(usize, i64)>, Halt> {
        match aim {
            Aim::Push { cell, up, .. } => {
                let sign = if up { 1 } else { -1 };
                Ok(match self.place[cell as usize] {
                    Some(column) => vec![(column as usize, sign * self.moves[column as usize].stride)],
                    None => self.held(cell).into_iter().map(|(column, value)| (column, sign * value)).collect(),
                })
            }
            Aim::Repair => {
                let mut gains = vec![0_i64; self.moves.len()];
                for cell in 0..self.at.len() {
                    let sign = if self.at[cell] < Ratio::from(self.low[cell]) {
                        1
                    } else if self.high[cell].is_some_and(|high| self.at[cell] > Ratio::from(high)) {
                        -1
                    } else {
                        continue;
                    };
                    if let Some(column) = self.place[cell] {
                        let column = column as usize;
                        gains[column] = gains[column].checked_add(sign * self.moves[column].stride).ok_or(Halt)?;
                    } else {
                        for (column, value) in self.held(narrow(cell)) {
                            gains[column] = gains[column].checked_add(sign * value).ok_or(Halt)?;
                        }
                    }
                }
                self.work += self.at.len() as u64;
                Ok(gains.into_iter().enumerate().filter(|&(_, gain)| gain != 0).collect())
            }
        }
    }

    /// Cells beyond their ranges.
    pub(super) fn faulty(&self) -> bool {
        self.at.iter().enumerate().any(|(cell, &at)| {
            at < Ratio::from(self.low[cell]) || self.high[cell].is_some_and(|high| at > Ratio::from(high))
        })
    }

    /// Free cells that a repair that is stuck would have to change: where its proof comes from.
    pub(super) fn blocking(&mut self) -> Result<Vec<u32>, Halt> {
        let gains = self.gains(Aim::Repair)?;
        Ok(gains.into_iter().map(|(column, _)| self.free[column]).collect())
    }

    #[expect(clippy::cast_precision_loss, reason = "orders candidates, decides nothing")]
    fn entering(&mut self, aim: Aim) -> Result<Option<(usize, bool, i64)>, Halt> {
        let bland = self.stalled > PATIENCE;
        let mut best: Option<(f64, usize, bool, i64)> = None;
        for (column, gain) in self.gains(aim)? {
            let cell = self.free[column];
            let up = gain > 0;
            if !self.movable(cell as usize, up) {
                continue;
            }
            let steep = gain.abs() as f64 / self.moves[column].stride as f64;
            let better = best.is_none_or(|(most, known, ..)| {
                let earlier = cell < self.free[known];
                if bland { earlier } else { steep > most || (steep >= most && earlier) }
            });
            if better {
                best = Some((steep, column, up, gain.abs()));
            }
        }
        Ok(best.map(|(_, column, up, gain)| (column, up, gain)))
    }

    /// How often a move may be made, and the dependent cell that stops it (none: its own cell, or nothing).
    fn ratio(&self, column: usize, up: bool) -> Result<(Option<Ratio>, Option<u32>), Halt> {
        let bland = self.stalled > PATIENCE;
        let body = &self.moves[column];
        let own = self.room(self.free[column] as usize, up)?;
        let mut far = own.map(|room| room.divided(body.stride)).transpose()?;
        let mut block: Option<(u32, i64)> = None;
        for &(cell, value) in &body.terms {
            let Some(room) = self.room(cell as usize, (value > 0) == up)? else { continue };
            let steps = room.divided(value.abs())?;
            let nearer = match far {
                None => true,
                Some(far) if steps == far => {
                    block.is_some_and(|(known, steep)| if bland { cell < known } else { value.abs() < steep })
                }
                Some(far) => steps < far,
            };
            if nearer {
                far = Some(steps);
                block = Some((cell, value.abs()));
            }
        }
        Ok((far, block.map(|(cell, _)| cell)))
    }

    fn change(&mut self, cell: u32, steps: Ratio, by: i64) -> Result<(), Halt> {
        let at = &mut self.at[cell as usize];
        let before = at.whole().is_none();
        *at = at.plus(steps, by)?;
        let after = at.whole().is_none();
        self.broken = self.broken + usize::from(after) - usize::from(before);
        Ok(())
    }

    /// Makes a move so many times.
    fn make(&mut self, column: usize, steps: Ratio) -> Result<(), Halt> {
        self.change(self.free[column], steps, self.moves[column].stride)?;
        for position in 0..self.moves[column].terms.len() {
            let (cell, by) = self.moves[column].terms[position];
            self.change(cell, steps, by)?;
        }
        self.spend(self.moves[column].terms.len() as u64)
    }

    /// As often as a move can be made in one direction as a whole; at most `most`.
    pub(super) fn poke(&mut self, column: usize, up: bool, most: i64) -> Result<i64, Halt> {
        let steps = self.ratio(column, up)?.0.map_or(most, |far| far.floor().min(most));
        let steps = if up { steps } else { -steps };
        if steps != 0 {
            self.make(column, Ratio::from(steps))?;
        }
        Ok(steps)
    }

    /// Takes back what [`Self::poke`] did.
    pub(super) fn back(&mut self, column: usize, steps: i64) -> Result<(), Halt> {
        self.make(column, Ratio::from(-steps))
    }

    /// One step towards the aim.
    pub(super) fn step(&mut self, aim: Aim) -> Result<Step, Halt> {
        self.spend(8)?;
        let mut rest = None;
        match aim {
            Aim::Push { cell, up, goal: Some(goal) } => {
                let left = self.at[cell as usize].below(goal)?;
                let left = if up { left } else { left.negated() };
                if left <= Ratio::from(0) {
                    return Ok(Step::Arrived);
                }
                rest = Some(left);
            }
            Aim::Push { .. } => {}
            Aim::Repair => {
                if !self.faulty() {
                    return Ok(Step::Arrived);
                }
            }
        }
        self.refresh();
        let Some((column, up, gain)) = self.entering(aim)? else { return Ok(Step::Stuck) };
        let (far, block) = self.ratio(column, up)?;
        let signed = |steps: Ratio| if up { steps } else { steps.negated() };
        if let Some(rest) = rest
            && self.whole()
        {
            let wanted = Ratio::from(rest.divided(gain)?.ceiling());
            if far.is_none_or(|far| wanted <= far) {
                self.make(column, signed(wanted))?;
                self.stalled = 0;
                return Ok(Step::Moved(column));
            }
        }
        let Some(far) = far else { return Ok(Step::Endless) };
        if self.whole() && far.whole().is_none() && far.floor() > 0 {
            // As far as whole tables go first: the next step breaks them.
            self.make(column, signed(Ratio::from(far.floor())))?;
            self.stalled = 0;
            return Ok(Step::Moved(column));
        }
        if !far.is_zero() {
            self.make(column, signed(far))?;
        }
        if let Some(row) = block {
            self.pivot(row, column)?;
        }
        if far.is_zero() {
            self.stalled += 1;
            Ok(Step::Stood)
        } else {
            self.stalled = 0;
            Ok(Step::Moved(column))
        }
    }

    /// The dependent cell `row` becomes free in place of the own cell of a move.
    fn pivot(&mut self, row: u32, column: usize) -> Result<(), Halt> {
        let entering = std::mem::replace(&mut self.moves[column], Move { stride: 1, terms: Vec::new() });
        let name = self.free[column];
        let mut kept = vec![narrow(column)];
        let mut touched = entering.terms.len();
        let mut fault = false;
        for other in std::mem::take(&mut self.holders[row as usize]) {
            let index = other as usize;
            if index == column {
                continue;
            }
            let holders = &mut self.holders;
            let bent = self.moves[index].bent(row, &entering, name, |cell| holders[cell as usize].push(other));
            match bent {
                Ok(None) => {}
                Ok(Some(bent)) => {
                    touched += bent.terms.len() + entering.terms.len();
                    self.terms = self.terms + bent.terms.len() - self.moves[index].terms.len();
                    self.moves[index] = bent;
                    kept.push(other);
                }
                Err(Halt) => {
                    fault = true;
                    break;
                }
            }
        }
        if fault {
            // Half of the moves are bent: the ones from the start are sound.
            self.restore();
            return Err(Halt);
        }
        let value = coefficient(&entering.terms, row);
        let sign = value.signum();
        let others = entering.terms.into_iter().filter(|&(cell, _)| cell != row);
        let mut terms: Vec<(u32, i64)> = others.map(|(cell, by)| (cell, sign * by)).collect();
        let position = terms.partition_point(|&(cell, _)| cell < name);
        terms.insert(position, (name, sign * entering.stride));
        self.moves[column] = Move { stride: value.abs(), terms };
        self.holders[name as usize] = kept;
        self.free[column] = row;
        self.place[name as usize] = None;
        self.place[row as usize] = Some(narrow(column));
        self.spend(touched as u64)
    }
}
