//! The simplex method on rows of integers.

use std::ops::ControlFlow;

/// `Σ coefficient · x(column) = rhs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Column and coefficient, each column once.
    pub(crate) terms: Vec<(usize, i64)>,
    /// Right-hand side.
    pub(crate) rhs: i128,
}

/// The computation grew beyond its numbers or its budget; nothing was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overrun;

/// How an optimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// No better vertex exists.
    Optimal,
    /// This column may grow for ever, and improves.
    Unbounded(usize),
    /// The observer had seen enough.
    Stopped,
}

/// Which way to push a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Upwards.
    Max,
    /// Downwards.
    Min,
}

/// A rational number `numerator / denominator`, the denominator positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
}

impl Value {
    pub(crate) fn integer(self) -> Option<i128> {
        (self.numerator % self.denominator == 0).then(|| self.numerator / self.denominator)
    }

    pub(crate) fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    pub(crate) fn ceil(self) -> i128 {
        -(-self.numerator).div_euclid(self.denominator)
    }
}

/// A row without basic variable: its artificial one is still there, or it is redundant.
const NOBODY: usize = usize::MAX;

/// Pivots without progress after which Bland's rule, which cannot cycle, takes over.
const PATIENCE: u32 = 40;

/// A feasible basis of `rows` with `0 ≤ x ≤ upper`.
///
/// Invariants: the basic variable of a row has a positive coefficient there and zero elsewhere; every right-hand side
/// is at least zero; a flipped column stands for `upper − x`.
#[derive(Clone)]
pub(crate) struct Tableau {
    columns: usize,
    body: Vec<Vec<i64>>,
    rhs: Vec<i128>,
    basis: Vec<usize>,
    row_of: Vec<Option<usize>>,
    upper: Vec<Option<i128>>,
    flipped: Vec<bool>,
    budget: u64,
}

impl Tableau {
    /// A first feasible vertex; `Ok(None)` if there is none. `budget` bounds the entries ever rewritten.
    pub(crate) fn feasible(rows: &[Row], upper: Vec<Option<i128>>, budget: u64) -> Result<Option<Self>, Overrun> {
        let columns = upper.len();
        if upper.iter().flatten().any(|&bound| bound < 0) {
            return Ok(None);
        }
        let mut tableau = Self {
            columns,
            body: Vec::with_capacity(rows.len()),
            rhs: Vec::with_capacity(rows.len()),
            basis: vec![NOBODY; rows.len()],
            row_of: vec![None; columns],
            flipped: vec![false; columns],
            upper,
            budget,
        };
        let mut cost = vec![0_i64; columns];
        for row in rows {
            let sign = if row.rhs < 0 { -1 } else { 1 };
            let mut dense = vec![0_i64; columns];
            for &(column, coefficient) in &row.terms {
                dense[column] = sign * coefficient;
                cost[column] = cost[column].checked_add(sign * coefficient).ok_or(Overrun)?;
            }
            tableau.body.push(dense);
            tableau.rhs.push(row.rhs.checked_abs().ok_or(Overrun)?);
        }
        // Phase one: maximising the sum of all rows drives the artificial variables, one per row, to zero.
        tableau.optimise(&mut cost, &mut |_| ControlFlow::Continue(()))?;
        if tableau.basis.iter().zip(&tableau.rhs).any(|(&basic, &rhs)| basic == NOBODY && rhs != 0) {
            return Ok(None);
        }
        tableau.drop_artificial()?;
        Ok(Some(tableau))
    }

    /// How many columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// What is left of the budget.
    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    /// Moves to a vertex where `column` is extreme; `observe` sees every vertex on the way.
    pub(crate) fn push(
        &mut self,
        column: usize,
        sense: Sense,
        observe: &mut dyn FnMut(&Self) -> ControlFlow<()>,
    ) -> Result<End, Overrun> {
        let mut cost = match self.row_of[column] {
            Some(row) => self.body[row].iter().map(|&c| -c).collect(),
            None => vec![0; self.columns],
        };
        cost[column] = i64::from(self.row_of[column].is_none());
        if (sense == Sense::Min) != self.flipped[column] {
            for c in &mut cost {
                *c = -*c;
            }
        }
        self.optimise(&mut cost, observe)
    }

    /// Moves to a vertex of least total cost; the costs are not negative.
    pub(crate) fn minimise(&mut self, costs: &[i64]) -> Result<End, Overrun> {
        let mut cost: Vec<i64> =
            costs.iter().zip(&self.flipped).map(|(&c, &flipped)| if flipped { c } else { -c }).collect();
        for (row, &basic) in self.basis.iter().enumerate() {
            if cost[basic] != 0 {
                eliminate(&mut cost, None, &self.body[row], self.rhs[row], basic)?;
            }
        }
        self.optimise(&mut cost, &mut |_| ControlFlow::Continue(()))
    }

    /// The value of a column at this vertex.
    pub(crate) fn value(&self, column: usize) -> Result<Value, Overrun> {
        let (numerator, denominator) = match self.row_of[column] {
            Some(row) => (self.rhs[row], i128::from(self.body[row][column])),
            None => (0, 1),
        };
        if !self.flipped[column] {
            return Ok(Value { numerator, denominator });
        }
        let upper = self.upper[column].ok_or(Overrun)?;
        let numerator = upper.checked_mul(denominator).and_then(|u| u.checked_sub(numerator)).ok_or(Overrun)?;
        Ok(Value { numerator, denominator })
    }

    /// This vertex, if all its values are whole.
    pub(crate) fn integral_point(&self) -> Option<Vec<i128>> {
        (0..self.columns).map(|column| self.value(column).ok()?.integer()).collect()
    }

    /// A direction of whole numbers in which one can walk for ever, entered by `column` (see [`End::Unbounded`]).
    pub(crate) fn ray(&self, column: usize) -> Result<Vec<i128>, Overrun> {
        let touched = || self.basis.iter().enumerate().filter(|&(row, _)| self.body[row][column] != 0);
        let mut step = 1_i128;
        for (row, &basic) in touched() {
            let scale = i128::from(self.body[row][basic]);
            step = step.checked_mul(scale / gcd(step, scale)).ok_or(Overrun)?;
        }
        let signed = |column: usize, amount: i128| if self.flipped[column] { -amount } else { amount };
        let mut ray = vec![0; self.columns];
        ray[column] = signed(column, step);
        for (row, &basic) in touched() {
            let scale = i128::from(self.body[row][basic]);
            let change = (step / scale).checked_mul(i128::from(self.body[row][column])).ok_or(Overrun)?;
            ray[basic] = signed(basic, -change);
        }
        Ok(ray)
    }

    fn optimise(
        &mut self,
        cost: &mut Vec<i64>,
        observe: &mut dyn FnMut(&Self) -> ControlFlow<()>,
    ) -> Result<End, Overrun> {
        let mut stalled = 0_u32;
        loop {
            let bland = stalled >= PATIENCE;
            let Some(entering) = self.entering(cost, bland) else { return Ok(End::Optimal) };
            let leaving = self.leaving(entering)?;
            let own = self.upper[entering];
            let moved = match leaving {
                None => {
                    let Some(bound) = own else { return Ok(End::Unbounded(entering)) };
                    self.flip_nonbasic(entering, bound, cost)?;
                    true
                }
                Some(Leaving { row, numerator, denominator, at_upper }) => {
                    // The entering variable's own bound comes first if it is strictly nearer.
                    let nearer = match own {
                        Some(bound) => bound.checked_mul(denominator).ok_or(Overrun)? < numerator,
                        None => false,
                    };
                    if let (true, Some(bound)) = (nearer, own) {
                        self.flip_nonbasic(entering, bound, cost)?;
                    } else {
                        if at_upper {
                            self.flip_basic(row)?;
                        }
                        self.pivot(row, entering, Some(cost))?;
                    }
                    nearer || numerator > 0
                }
            };
            stalled = if moved { 0 } else { stalled + 1 };
            if moved && observe(self).is_break() {
                return Ok(End::Stopped);
            }
        }
    }

    fn entering(&self, cost: &[i64], bland: bool) -> Option<usize> {
        let mut candidates = (0..self.columns).filter(|&c| cost[c] > 0 && self.upper[c] != Some(0));
        if bland {
            return candidates.next();
        }
        let first = candidates.next()?;
        Some(candidates.fold(first, |best, c| if cost[c] > cost[best] { c } else { best }))
    }

    /// The row that stops the entering column first; among equals the one of the lowest basic column.
    fn leaving(&self, entering: usize) -> Result<Option<Leaving>, Overrun> {
        let mut best: Option<Leaving> = None;
        for (row, body) in self.body.iter().enumerate() {
            let coefficient = body[entering];
            if coefficient == 0 {
                continue;
            }
            let basic = self.basis[row];
            let limit = if coefficient > 0 {
                Some((self.rhs[row], false))
            } else if basic != NOBODY
                && let Some(upper) = self.upper[basic]
            {
                let top = upper.checked_mul(i128::from(body[basic])).ok_or(Overrun)?;
                Some((top.checked_sub(self.rhs[row]).ok_or(Overrun)?, true))
            } else {
                None
            };
            let Some((numerator, at_upper)) = limit else { continue };
            let candidate = Leaving { row, numerator, denominator: i128::from(coefficient).abs(), at_upper };
            let better = match &best {
                None => true,
                Some(best) => {
                    let ours = numerator.checked_mul(best.denominator).ok_or(Overrun)?;
                    let theirs = best.numerator.checked_mul(candidate.denominator).ok_or(Overrun)?;
                    // Artificial variables leave first.
                    let rank = |row: usize| if self.basis[row] == NOBODY { 0 } else { self.basis[row] + 1 };
                    ours < theirs || (ours == theirs && rank(row) < rank(best.row))
                }
            };
            if better {
                best = Some(candidate);
            }
        }
        Ok(best)
    }

    /// Replaces `x` by `upper − x` for a nonbasic column.
    fn flip_nonbasic(&mut self, column: usize, bound: i128, cost: &mut [i64]) -> Result<(), Overrun> {
        for (body, rhs) in self.body.iter_mut().zip(&mut self.rhs) {
            if body[column] != 0 {
                let shift = bound.checked_mul(i128::from(body[column])).ok_or(Overrun)?;
                *rhs = rhs.checked_sub(shift).ok_or(Overrun)?;
                body[column] = -body[column];
            }
        }
        cost[column] = -cost[column];
        self.flipped[column] = !self.flipped[column];
        Ok(())
    }

    /// Replaces `x` by `upper − x` for the basic column of `row`, which has a bound.
    fn flip_basic(&mut self, row: usize) -> Result<(), Overrun> {
        let basic = self.basis[row];
        let upper = self.upper[basic].ok_or(Overrun)?;
        let top = upper.checked_mul(i128::from(self.body[row][basic])).ok_or(Overrun)?;
        self.rhs[row] = top.checked_sub(self.rhs[row]).ok_or(Overrun)?;
        for (column, entry) in self.body[row].iter_mut().enumerate() {
            if column != basic {
                *entry = -*entry;
            }
        }
        self.flipped[basic] = !self.flipped[basic];
        Ok(())
    }

    fn pivot(&mut self, row: usize, entering: usize, cost: Option<&mut Vec<i64>>) -> Result<(), Overrun> {
        let pivot_row = std::mem::take(&mut self.body[row]);
        let pivot_rhs = self.rhs[row];
        let mut written = 0_u64;
        for (other, body) in self.body.iter_mut().enumerate() {
            if other != row && body[entering] != 0 {
                eliminate(body, Some(&mut self.rhs[other]), &pivot_row, pivot_rhs, entering)?;
                written += 1;
            }
        }
        if let Some(cost) = cost {
            eliminate(cost, None, &pivot_row, pivot_rhs, entering)?;
        }
        self.body[row] = pivot_row;
        let old = std::mem::replace(&mut self.basis[row], entering);
        if old != NOBODY {
            self.row_of[old] = None;
        }
        self.row_of[entering] = Some(row);
        let columns = u64::try_from(self.columns).unwrap_or(u64::MAX);
        let rows = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        self.budget = self.budget.checked_sub(written * columns + rows + columns).ok_or(Overrun)?;
        Ok(())
    }

    /// After phase one: artificial variables are zero; each leaves for any column of its row, or its row says nothing.
    fn drop_artificial(&mut self) -> Result<(), Overrun> {
        let mut row = 0;
        while row < self.body.len() {
            if self.basis[row] != NOBODY {
                row += 1;
                continue;
            }
            if let Some(column) = self.body[row].iter().position(|&c| c != 0) {
                if self.body[row][column] < 0 {
                    for c in &mut self.body[row] {
                        *c = -*c;
                    }
                }
                self.pivot(row, column, None)?;
                row += 1;
            } else {
                self.body.swap_remove(row);
                self.rhs.swap_remove(row);
                self.basis.swap_remove(row);
                if let Some(&moved) = self.basis.get(row)
                    && moved != NOBODY
                {
                    self.row_of[moved] = Some(row);
                }
            }
        }
        Ok(())
    }
}

struct Leaving {
    row: usize,
    numerator: i128,
    denominator: i128,
    at_upper: bool,
}

/// Makes `target[column]` zero by adding a multiple of the pivot row, whose entry there is positive.
fn eliminate(
    target: &mut [i64],
    rhs: Option<&mut i128>,
    pivot: &[i64],
    pivot_rhs: i128,
    column: usize,
) -> Result<(), Overrun> {
    let (a, c) = (pivot[column], target[column]);
    if c == 0 {
        return Ok(());
    }
    let divisor = gcd(i128::from(a), i128::from(c));
    let divisor = i64::try_from(divisor).map_err(|_| Overrun)?;
    let (own, other) = (a / divisor, c / divisor);
    if own == 1 {
        for (t, &p) in target.iter_mut().zip(pivot) {
            if p != 0 {
                *t = p.checked_mul(other).and_then(|shift| t.checked_sub(shift)).ok_or(Overrun)?;
            }
        }
    } else {
        for (t, &p) in target.iter_mut().zip(pivot) {
            *t = t.checked_mul(own).and_then(|scaled| scaled.checked_sub(p.checked_mul(other)?)).ok_or(Overrun)?;
        }
    }
    let mut common = target.iter().fold(0_i128, |common, &t| if common == 1 { 1 } else { gcd(common, i128::from(t)) });
    if let Some(rhs) = rhs {
        *rhs = rhs
            .checked_mul(i128::from(own))
            .and_then(|scaled| scaled.checked_sub(pivot_rhs.checked_mul(i128::from(other))?))
            .ok_or(Overrun)?;
        common = gcd(common, *rhs);
        if common > 1 {
            *rhs /= common;
        }
    }
    if common > 1 {
        let common = i64::try_from(common).map_err(|_| Overrun)?;
        for entry in target {
            *entry /= common;
        }
    }
    Ok(())
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(i128::MAX)
}
