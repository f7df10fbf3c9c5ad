//! What earlier versions pin down, as the commune knows it.
//!
//! The intruder may take any set of cells for unchanged. Where that is wrong it leads him astray; where it is right, and
//! for whatever set, he is answered by the same tables: those that differ from the true one by a change which leaves
//! alone everything an earlier version shows as well. Made in the new version and, on the cells that an earlier one hid,
//! in that one too, such a change keeps every equality between the two that is true. So one set of tables serves every
//! assumption, and all versions at once.
//!
//! The commune keeps no old figures of cells that it hid: a change that lowers one is taken to be possible there if it is
//! possible now.

use std::collections::BTreeSet;

use super::truth::Truth;
use crate::attack::{Visible, settled};
use crate::relations::Relations;

/// A figure of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Figure {
    /// The same in the version of now, as far as anybody may assume.
    Now(usize),
    /// One of some hidden figures of that version (newest first) at least one of which has changed.
    Then(usize, usize),
}

/// Terms of a sum that stays what it is: figure and sign.
pub(super) type Tie = Vec<(Figure, i64)>;

#[derive(Default)]
pub(super) struct History {
    /// Shown before, or computable then, with the value of now: known to whoever takes it for unchanged.
    pub(super) frozen: BTreeSet<usize>,
    /// Sums over cells hidden before, known from an earlier version.
    pub(super) ties: BTreeSet<Tie>,
    /// Hidden before, perhaps below the threshold then, in a sum that changed since: who takes the other cells of the sum
    /// for unchanged learns what it was.
    pub(super) outgrown: BTreeSet<usize>,
}

impl History {
    /// With or without regard for what is outgrown.
    pub(super) fn of(relations: &Relations, truth: &Truth, earlier: &[Visible], outgrown: bool) -> Self {
        let mut history = Self::default();
        for (version, visible) in earlier.iter().enumerate() {
            history.add(relations, truth, version, &settled(relations, visible), outgrown);
        }
        // What is known is no term of a sum.
        let frozen = &history.frozen;
        let known = |&(figure, _): &(Figure, i64)| matches!(figure, Figure::Now(cell) if frozen.contains(&cell));
        let ties = std::mem::take(&mut history.ties).into_iter();
        history.ties = ties
            .map(|tie| tie.into_iter().filter(|term| !known(term)).collect())
            .filter(|tie: &Tie| !tie.is_empty())
            .collect();
        history
    }

    fn add(&mut self, relations: &Relations, truth: &Truth, version: usize, then: &Visible, regard: bool) {
        let same = |cell: &usize| truth.known(*cell).is_some_and(|fact| then[*cell] == Some(fact.value));
        self.frozen.extend((0..then.len()).filter(same));
        let mut sums: Vec<Vec<(usize, i64)>> = Vec::new();
        let mut loose: BTreeSet<usize> = BTreeSet::new();
        let mut outgrown: BTreeSet<usize> = BTreeSet::new();
        for equality in &relations.equalities {
            let members = || std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
            let sum: Vec<(usize, i64)> = members().filter(|&(cell, _)| then[cell].is_none()).collect();
            if sum.is_empty() {
                continue;
            }
            let gap = members().try_fold(0_i128, |gap, (cell, sign)| {
                let value = then[cell].or_else(|| truth.get(cell).map(|fact| fact.value))?;
                Some(gap + i128::from(sign) * value)
            });
            if let Some(gap) = gap.filter(|&gap| gap != 0) {
                let small = |&&(cell, sign): &&(usize, i64)| {
                    let before = truth.value(cell) - gap * i128::from(sign);
                    let need = relations.cells[cell].need;
                    regard && before >= 0 && need.is_some_and(|need| need.meets(before, Some(before)))
                };
                let found: Vec<usize> = sum.iter().filter(small).map(|&(cell, _)| cell).collect();
                if found.is_empty() {
                    loose.extend(sum.iter().map(|&(cell, _)| cell));
                }
                outgrown.extend(found);
            }
            sums.push(sum);
        }
        let figure = |cell: usize| {
            let apart = loose.contains(&cell) && !outgrown.contains(&cell);
            if apart { Figure::Then(version, cell) } else { Figure::Now(cell) }
        };
        let ties = sums.into_iter().map(|sum| sum.into_iter().map(|(cell, sign)| (figure(cell), sign)).collect());
        self.ties.extend(ties);
        self.outgrown.extend(outgrown);
    }
}
