//! Which other figures must be hidden so that each primary stays uncertain by its width.
//!
//! Everything that may be hidden is hidden at first; then cells are shown again, dearest first, each only if
//!
//! 1. it would make no primary computable (elimination: quick, and decides most), and
//! 2. every primary still has two whole tables, both agreeing with everything shown, between which it varies by its
//!    width. The tables that proved it before the cell was shown are bent to agree with it, or others are looked for.
//!
//! A cell that fails stays hidden. Cells fall in the order of their weights, so what is hidden in the end is needed by
//! something at the moment it was decided, and the dearest cells had the best chances. Nothing depends on a solver's
//! bound: what was not found counts as not there, and the engine rather hides a cell too many.

use std::cmp::Reverse;

use thiserror::Error;

use crate::eliminate::Dictionary;
use crate::space::Space;
use crate::system::{Standing, System};
pub use crate::witness::{Effort, Proof, Short};
use crate::witness::{Pool, Target};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// By how much every primary must vary over the tables that agree with what is shown.
    pub width: u32,
    /// Bounds the search, in terms rewritten: the same on every machine. What was not decided by then stays hidden.
    pub work: u64,
}

impl Ask {
    /// A width, with as much work as some ten thousand cells need.
    pub fn width(width: u32) -> Self {
        Self { width, work: 4_000_000_000 }
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
    /// Shown after every primary was proven wide without them.
    pub shown: usize,
    /// Hidden because they would make a primary computable.
    pub computable: usize,
    /// Hidden because a primary would be too narrow, or was not proven wide in time.
    pub narrow: usize,
    /// Hidden because the work was used up.
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
    let mut dictionary = Dictionary::new(system, &settled);
    let computable: Vec<usize> = all.clone().filter(|&cell| primary[cell] && dictionary.computable(cell)).collect();
    if !computable.is_empty() {
        return Err(Unprotectable::Computable(computable));
    }
    let mut order: Vec<usize> =
        all.clone().filter(|&cell| !settled[cell] && standing(cell) == Standing::Open).collect();
    order.sort_by_key(|&cell| (Reverse(system.cells()[cell].weight), cell));

    let mut space = Space::new(system, &dictionary);
    let targets = all.clone().filter(|&cell| primary[cell]).map(|cell| Target {
        cell: space.local(cell).expect("no primary is computable"),
        width: i32::try_from(ask.width).unwrap_or(i32::MAX / 2),
    });
    let mut pool = Pool::new(system, targets.collect());
    let narrow = pool.narrow(system, &mut space);
    if !narrow.is_empty() {
        return Err(Unprotectable::Narrow(narrow.into_iter().map(|local| space.cells()[local]).collect()));
    }
    let mut account = Account::default();
    let mut secondary = Vec::new();
    for cell in order {
        if dictionary.computable(cell) {
            dictionary.show(cell);
            account.implied += 1;
        } else if dictionary.gives_away(cell, &primary) {
            secondary.push(cell);
            account.computable += 1;
        } else if space.work() > ask.work {
            secondary.push(cell);
            account.undecided += 1;
        } else {
            let local = space.local(cell).expect("not computable now, so not computable at the start");
            if pool.without(system, &mut space, local) {
                space.show(local);
                dictionary.show(cell);
                account.shown += 1;
            } else {
                secondary.push(cell);
                account.narrow += 1;
            }
        }
    }
    secondary.sort_unstable();
    account.effort = pool.effort;
    account.work = space.work();
    let kept = |cell: usize| matches!(standing(cell), Standing::Primary | Standing::Hidden);
    let mut hidden: Vec<usize> = all.filter(|&cell| kept(cell)).chain(secondary.iter().copied()).collect();
    hidden.sort_unstable();
    Ok(Pattern { hidden, secondary, proof: pool.proof(&space), account })
}

#[cfg(test)]
mod tests;
