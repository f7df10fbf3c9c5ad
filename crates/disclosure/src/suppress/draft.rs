//! A first pattern: what elimination leaves hidden.

use crate::eliminate::Dictionary;
use crate::system::{Standing, System};

/// A first pattern, and how it came about.
pub(super) struct Draft {
    pub(super) shown: Vec<bool>,
    /// Shown because they follow from what is shown already.
    pub(super) implied: usize,
    /// Hidden because they would make a primary computable.
    pub(super) computable: usize,
}

/// More cells than this, and a tight draft takes too long to mend.
const MANY: usize = 10_000;

/// Fewer, and mending costs little whatever the draft.
const FEW: usize = 4_000;

/// Whether to start from the loose draft. Mended, a tight one is the cheaper of the two where few primaries stand close
/// together; where ones are everywhere, mending it costs more than the loose one has too much. What tells them apart is
/// how much more the loose one weighs: 1.3 to 1.5 times as much there, and 1.6 to 1.8 times here, on the reference tables.
pub(super) fn prefers(system: &System, settled: &[bool], tight: &Draft, loose: &Draft) -> bool {
    let (tight, loose) = (tight.weight(system, settled), loose.weight(system, settled));
    let cells = system.cells().len();
    cells > MANY || (cells > FEW && i128::from(loose) * 20 > i128::from(tight) * 31)
}

impl Draft {
    /// What is hidden weighs.
    pub(super) fn weight(&self, system: &System, settled: &[bool]) -> i64 {
        let hidden = (0..self.shown.len()).filter(|&cell| !self.shown[cell] && !settled[cell]);
        hidden.map(|cell| system.cells()[cell].weight.max(0)).sum()
    }
}

/// Primaries that can fall by one at most: sums of few of them are too narrow for any of them, and differences against
/// them give the others away within one.
pub(super) fn slight(system: &System, settled: &[bool]) -> Vec<usize> {
    let slight = |&cell: &usize| {
        let known = &system.cells()[cell];
        known.standing == Standing::Primary && !settled[cell] && known.value - known.low <= 1
    };
    (0..system.cells().len()).filter(slight).collect()
}

/// Shows cells in this order, each unless a primary would become computable; also for somebody who knows the primaries
/// that are `slight`, if any are given; and then no figure is shown that follows from the slight ones alone.
pub(super) fn draft(system: &System, whole: &Dictionary, order: &[usize], settled: &[bool], slight: &[usize]) -> Draft {
    let primary: Vec<bool> = system.cells().iter().map(|cell| cell.standing == Standing::Primary).collect();
    let mut dictionary = whole.clone();
    let mut insider = (!slight.is_empty()).then(|| {
        let mut insider = whole.clone();
        for &cell in slight {
            insider.show(cell);
        }
        insider
    });
    let unknown: Vec<bool> = insider.as_ref().map_or_else(Vec::new, |insider| {
        primary.iter().enumerate().map(|(cell, &primary)| primary && !insider.computable(cell)).collect()
    });
    let mut draft = Draft { shown: settled.to_vec(), implied: 0, computable: 0 };
    for &cell in order {
        if dictionary.computable(cell) {
            draft.implied += 1;
        } else if dictionary.gives_away(cell, &primary)
            || insider.as_ref().is_some_and(|insider| insider.computable(cell) || insider.gives_away(cell, &unknown))
        {
            draft.computable += 1;
            continue;
        }
        dictionary.show(cell);
        if let Some(insider) = &mut insider {
            insider.show(cell);
        }
        draft.shown[cell] = true;
    }
    draft
}
