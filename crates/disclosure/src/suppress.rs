//! Which other figures must be hidden so that each primary stays uncertain by its need.
//!
//! 1. **Eliminate** ([`eliminate`](crate::eliminate), [`draft`]). Cells are shown, dearest first, each unless it makes a
//!    primary computable, or a small sum of primaries of one. Almost every cell that stays hidden is needed for that.
//! 2. **Witness** ([`witness`](crate::witness)). Every primary looks for whole tables among the *hidden* cells, both
//!    agreeing with everything shown, between which it varies by its need: in its neighbourhood first, by whole steps
//!    first. One table serves many.
//! 3. **Repair** ([`repair`]). Where there are none, a linear program tells which sum of hidden cells is in the way: it
//!    follows from what is shown. The least of what it follows from is hidden, and tables are looked for again. Hiding
//!    more never spoils what was proven.
//! 4. **Clean up**. Secondary cells are shown again, dearest first, where the tables survive, can be bent to agree with
//!    the cell, or can be replaced.
//!
//! Elimination is after Langsrud's, with sums of ones as in its anySum (`GaussSuppression`, Statistics Norway); to hide
//! what a bound follows from is after its interval protection, and after Fischetti and Salazar, *Solving the cell
//! suppression problem on tabular data with linear constraints* (Management Science 47, 2001).
//!
//! What is hidden in the end is proven wide by whole tables in exact integers. Nothing depends on a solver's bound:
//! what was not found counts as not there, and the engine rather hides a cell too many.

mod draft;
mod repair;

use std::cmp::Reverse;

use thiserror::Error;

use crate::eliminate::Dictionary;
use crate::system::{Standing, System};
use crate::witness::Pool;
pub use crate::witness::{Effort, Proof, Short};
use draft::Draft;
use repair::Repair;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// By how much every primary must vary over the tables that agree with what is shown.
    pub width: u32,
    /// Bounds how long cells are tried to be shown again, in terms rewritten per cell: the same on every machine. What
    /// was not decided by then stays hidden.
    pub work: u64,
}

impl Ask {
    /// A width, with as much work as pays off.
    pub fn width(width: u32) -> Self {
        Self { width, work: 80_000 }
    }

    /// The work for all cells; small systems cost little anyway.
    fn budget(self, system: &System) -> u64 {
        self.work.saturating_mul(u64::try_from(system.cells().len()).unwrap_or(u64::MAX).max(4_000))
    }
}

/// What to hide, and why that is enough.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// All hidden cells in ascending order: primaries, those frozen as hidden, and the secondary ones.
    pub hidden: Vec<usize>,
    /// Hidden without a need of their own.
    pub secondary: Vec<usize>,
    /// Whole tables that show the width of every primary. Confidential: each is about as telling as the true one.
    pub proof: Proof,
    /// How cells were decided and tables found.
    pub account: Account,
}

/// How the pattern came about; nothing in it depends on a single figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Shown because they follow from what is shown already.
    pub implied: usize,
    /// Hidden because they would make a primary computable.
    pub computable: usize,
    /// Primaries for which tables were looked for: all others were wide by the tables of these.
    pub looked: usize,
    /// Cells hidden because some primary varied too little.
    pub repaired: usize,
    /// Primaries for which tables found by whole steps alone did not do, among what elimination had hidden.
    pub solved: usize,
    /// Cells shown again in the end.
    pub returned: usize,
    /// Not tried to be shown again, because the work was used up.
    pub undecided: usize,
    /// How the tables were found.
    pub effort: Effort,
    /// Terms rewritten.
    pub work: u64,
}

/// Why no pattern protects the primaries.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unprotectable {
    /// These primaries follow from cells that are shown for good.
    #[error("{} cells follow from what is shown for good", .0.len())]
    Computable(Vec<usize>),
    /// These primaries were not found to vary enough, although everything that may be hidden is.
    #[error("{} cells vary too little beside what is shown for good", .0.len())]
    Narrow(Vec<usize>),
}

/// Chooses what to hide.
///
/// # Panics
/// Never: what is expected here follows from how the space is made.
pub fn suppress(system: &System, ask: Ask) -> Result<Pattern, Unprotectable> {
    let settled = system.settled();
    let standing = |cell: usize| system.cells()[cell].standing;
    let all = 0..system.cells().len();
    let primary: Vec<bool> = all.clone().map(|cell| standing(cell) == Standing::Primary).collect();
    let whole = Dictionary::new(system, &settled);
    let computable: Vec<usize> = all.clone().filter(|&cell| primary[cell] && whole.computable(cell)).collect();
    if !computable.is_empty() {
        return Err(Unprotectable::Computable(computable));
    }
    let pattern = choose(system, ask, &settled, Start::Sums)?;
    if system.cells().len() > FEW {
        return Ok(pattern);
    }
    let other = choose(system, ask, &settled, Start::Bare)?;
    let weight = |pattern: &Pattern| -> i64 {
        pattern.secondary.iter().map(|&cell| system.cells()[cell].weight.saturating_add(1)).sum()
    };
    Ok(if weight(&other) < weight(&pattern) { other } else { pattern })
}

/// So small a system is solved both ways, and the cheaper pattern is taken.
const FEW: usize = 600;

/// Where to start from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// From a pattern in which most primaries are wide: small sums of ones are hidden from the start.
    Sums,
    /// From one in which none is computable; for each primary that is not wide, cells are weighed against one another.
    Bare,
}

fn choose(system: &System, ask: Ask, settled: &[bool], start: Start) -> Result<Pattern, Unprotectable> {
    let standing = |cell: usize| system.cells()[cell].standing;
    let all = 0..system.cells().len();
    let primary: Vec<bool> = all.clone().map(|cell| standing(cell) == Standing::Primary).collect();
    let mut order: Vec<usize> =
        all.clone().filter(|&cell| !settled[cell] && standing(cell) == Standing::Open).collect();
    order.sort_by_key(|&cell| (Reverse(system.cells()[cell].weight), cell));
    let slight = match start {
        Start::Sums => draft::slight(system, settled),
        Start::Bare => vec![false; settled.len()],
    };
    let whole = Dictionary::after(system, settled, slight.clone());
    let draft = Draft::new(system, &whole, &order, settled, &slight, ask.width);
    let spared = draft.shown.clone();
    let mut account = Account { implied: draft.implied, computable: draft.computable, ..Account::default() };
    let mut pool = Pool::new(system, ask.width);
    let mut repair = Repair::new(system, settled, &whole, &order, draft);
    let narrow = match start {
        Start::Sums => repair.widen_all(&mut pool, &mut account),
        Start::Bare => repair.weigh_all(&mut pool, &mut account),
    };
    if !narrow.is_empty() {
        return Err(Unprotectable::Narrow(narrow));
    }
    pool.prune();
    let mut space = repair.space();
    let Draft { mut shown, mut dictionary, .. } = repair.done();
    let limit = account.work + ask.budget(system);
    let mut returned = None;
    // Elimination hides hardly anything without need; what was hidden since goes first.
    order.sort_by_key(|&cell| !spared[cell]);
    // What was returned makes room for others to be returned, now and then.
    while returned != Some(account.returned) {
        returned = Some(account.returned);
        account.undecided = 0;
        for &cell in &order {
            if shown[cell] {
                continue;
            }
            if dictionary.computable(cell) {
                shown[cell] = true;
                continue;
            }
            if dictionary.gives_away(cell, &primary) {
                continue;
            }
            if account.work + space.work() >= limit {
                account.undecided += 1;
            } else {
                let local = space.local(cell).expect("not computable now, so not computable at the start");
                if pool.without(&mut space, &[local]) {
                    space.show(local);
                    dictionary.show(cell);
                    shown[cell] = true;
                    account.returned += 1;
                }
            }
        }
    }
    account.work += space.work();
    account.effort = pool.effort;
    pool.prune();
    let kept = |&cell: &usize| matches!(standing(cell), Standing::Primary | Standing::Hidden) || !shown[cell];
    let hidden: Vec<usize> = all.filter(kept).collect();
    let secondary = hidden.iter().copied().filter(|&cell| standing(cell) == Standing::Open).collect();
    Ok(Pattern { hidden, secondary, proof: pool.proof(), account })
}

#[cfg(test)]
mod tests;
