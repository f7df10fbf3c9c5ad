//! A first pattern: what elimination leaves hidden.

use crate::eliminate::Dictionary;
use crate::system::{Standing, System};

/// A pattern, and how it came about.
pub(super) struct Draft {
    pub(super) shown: Vec<bool>,
    /// All moves that leave what is shown alone.
    pub(super) dictionary: Dictionary,
    /// Shown because they follow from what is shown already.
    pub(super) implied: usize,
    /// Hidden because they would make a primary computable.
    pub(super) computable: usize,
}

/// Primaries that can fall by one at most: sums of few of them are too narrow for any of them.
pub(super) fn slight(system: &System, settled: &[bool]) -> Vec<bool> {
    let slight = |cell: usize| {
        let known = &system.cells()[cell];
        known.standing == Standing::Primary && !settled[cell] && known.value - known.low <= 1
    };
    (0..system.cells().len()).map(slight).collect()
}

impl Draft {
    /// Shows cells in this order, each unless a primary would become computable, or a small sum of slight ones; `whole`
    /// keeps the `slight` ones free.
    ///
    /// That sums of ones alone stay hidden is what anySum asks in Langsrud's elimination. Here, a sum that reaches
    /// `width` may be shown, and one with differences too, unless another overlaps it: it leaves each of them room.
    pub(super) fn new(
        system: &System,
        whole: &Dictionary,
        order: &[usize],
        settled: &[bool],
        slight: &[bool],
        width: u32,
    ) -> Self {
        let primary: Vec<bool> = system.cells().iter().map(|cell| cell.standing == Standing::Primary).collect();
        let mut draft = Self { shown: settled.to_vec(), dictionary: whole.clone(), implied: 0, computable: 0 };
        let mut summed = vec![false; settled.len()];
        for &cell in order {
            let dictionary = &mut draft.dictionary;
            if dictionary.computable(cell) {
                draft.implied += 1;
            } else if dictionary.gives_away(cell, &primary) {
                draft.computable += 1;
                continue;
            } else if let Some(row) = dictionary.row(cell)
                && row.iter().all(|&(at, _)| slight[at as usize])
            {
                let room = |at: u32| system.cells()[at as usize].value - system.cells()[at as usize].low;
                let sum: i64 = row.iter().map(|&(at, by)| by.balanced().saturating_mul(room(at))).sum();
                let one_sided =
                    row.iter().all(|(_, by)| by.balanced() > 0) || row.iter().all(|(_, by)| by.balanced() < 0);
                if one_sided && sum.abs() < i64::from(width) || row.iter().any(|&(at, _)| summed[at as usize]) {
                    draft.computable += 1;
                    continue;
                }
                for &(at, _) in row {
                    summed[at as usize] = true;
                }
            }
            dictionary.show(cell);
            draft.shown[cell] = true;
        }
        draft
    }

    /// Hides of what is shown, last in the order first, as little as keeps each of these sums from being computable; how
    /// many cells that are is the answer.
    pub(super) fn open(&mut self, whole: &Dictionary, order: &[usize], sums: &[Vec<(usize, i64)>]) -> usize {
        let cells = self.shown.len();
        let mut dictionary = whole.clone();
        let mut targets = vec![false; cells];
        for sum in sums {
            dictionary.define(sum);
            targets.push(true);
        }
        let mut opened = 0;
        for &cell in order {
            if !self.shown[cell] {
                continue;
            }
            if !dictionary.computable(cell) && dictionary.gives_away(cell, &targets) {
                self.shown[cell] = false;
                opened += 1;
                continue;
            }
            dictionary.show(cell);
        }
        self.dictionary = dictionary;
        opened
    }
}
