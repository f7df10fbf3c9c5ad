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

/// Terms of a sum that stays what it is: unknown and sign.
pub(super) type Tie = Vec<(usize, i64)>;

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
    pub(super) fn of(relations: &Relations, truth: &Truth, earlier: &[Visible]) -> Self {
        let mut history = Self::default();
        for version in earlier {
            history.add(relations, truth, &settled(relations, version));
        }
        // What is known is no term of a sum; what is left of sums may be known then.
        let frozen = &history.frozen;
        let ties = std::mem::take(&mut history.ties).into_iter();
        history.ties = ties
            .map(|tie| tie.into_iter().filter(|(cell, _)| !frozen.contains(cell)).collect())
            .filter(|tie: &Tie| !tie.is_empty())
            .collect();
        history
    }

    fn add(&mut self, relations: &Relations, truth: &Truth, then: &Visible) {
        let same = |cell: &usize| truth.get(*cell).is_some_and(|fact| then[*cell] == Some(fact.value));
        self.frozen.extend((0..then.len()).filter(same));
        for equality in &relations.equalities {
            let members = || std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
            let tie: Tie = members().filter(|&(cell, _)| then[cell].is_none()).collect();
            if tie.is_empty() || tie.len() == equality.parts.len() + 1 {
                continue;
            }
            let gap = members().try_fold(0_i128, |gap, (cell, sign)| {
                let value = then[cell].or_else(|| truth.get(cell).map(|fact| fact.value))?;
                Some(gap + i128::from(sign) * value)
            });
            if let Some(gap) = gap.filter(|&gap| gap != 0) {
                for &(cell, sign) in &tie {
                    let before = truth.value(cell) - gap * i128::from(sign);
                    let need = relations.cells[cell].need;
                    if before >= 0 && need.is_some_and(|need| need.meets(before, Some(before))) {
                        self.outgrown.insert(cell);
                    }
                }
            }
            self.ties.insert(tie);
        }
    }
}
