//! What is hidden in the end, row by row.

use std::collections::HashSet;

use super::{Assembled, Fixed, Place};
use crate::suppress::{Ask, Short, Unprotectable, suppress};

/// What was decided about a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decided {
    /// Not to be shown.
    pub suppressed: bool,
    /// Because a rule or the file says so; otherwise because it would give such a cell away.
    pub primary: bool,
}

impl Decided {
    /// What a row is as long as nothing was decided.
    pub const HIDDEN: Self = Self { suppressed: true, primary: true };
}

/// What to hide, and what that costs. Each cell counts once, in however many tables it stands.
#[derive(Clone, Default)]
pub struct Decision {
    /// By table, by row.
    pub tables: Vec<Vec<Decided>>,
    /// Cells to be published.
    pub cells: usize,
    /// Hidden by a rule.
    pub primary: usize,
    /// Hidden so that those stay hidden.
    pub secondary: usize,
    /// Shown, out of the sum of all figures by size: both in units. Confidential.
    pub kept: (i128, i128),
    /// Primaries that must reach some way below or above their figure, or further in all than the width asked for.
    pub levels: usize,
    /// Sums of what one contributor has in several cells, each protected like a cell.
    pub shares: usize,
    /// Contributors who know their own figures, and from whom the others are protected.
    pub contributors: usize,
    /// Whole tables that prove it, checked against every relation in exact integers.
    pub proof: usize,
}

impl std::fmt::Debug for Decision {
    /// Without what is shown of all figures: it is a figure itself.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decision({} of {} cells hidden)", self.primary + self.secondary, self.cells)
    }
}

/// Nothing that may be hidden is enough. Names rows, never figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cells cannot be protected beside what is shown for good", .primaries.len())]
pub struct Refusal {
    /// Whether they follow from what is shown for good to the last unit; otherwise they vary too little.
    pub computable: bool,
    /// Cells that cannot be protected; a difference that nobody publishes has no place.
    pub primaries: Vec<Option<Place>>,
    /// Cells shown for good that would have to be hidden: as few and as cheap as the engine finds. Empty if nothing
    /// that could be hidden is enough.
    pub blocking: Vec<(Place, Fixed)>,
}

impl Assembled {
    /// What is shown for good and would have to be hidden: first what files say, then zeros too.
    fn blocking(&self, ask: Ask) -> Vec<(Place, Fixed)> {
        for zeros in [false, true] {
            let free = |cell: usize| self.fixed[cell].filter(|&why| zeros || why != Fixed::Zero);
            let reopened: Vec<usize> = (0..self.fixed.len()).filter(|&cell| free(cell).is_some()).collect();
            if let Ok(pattern) = suppress(&self.system.reopened(&reopened), ask) {
                let named = |cell: &usize| Some((self.places[*cell]?, free(*cell)?));
                return pattern.hidden.iter().filter_map(named).collect();
            }
        }
        Vec::new()
    }

    /// Chooses what to hide, and checks the proof.
    pub fn suppress(&self) -> Result<Decision, Refusal> {
        let ask = Ask::width(1);
        let cells = self.system.cells();
        let refuse = |computable, primaries: Vec<usize>| Refusal {
            computable,
            primaries: primaries.into_iter().map(|cell| self.places[cell]).collect(),
            blocking: self.blocking(ask),
        };
        let pattern = suppress(&self.system, ask).map_err(|fault| match fault {
            Unprotectable::Computable(primaries) => refuse(true, primaries),
            Unprotectable::Narrow(primaries) => refuse(false, primaries),
        })?;
        if let Err(fault) = pattern.proof.check(&self.system, &pattern.hidden, ask.width) {
            return Err(match fault {
                Short::Narrow(cells) | Short::Bare(cells) => refuse(false, cells),
                Short::Unsound(_) => {
                    refuse(false, (0..cells.len()).filter(|&cell| self.needs[cell].is_some()).collect())
                }
            });
        }
        let decided = |&cell: &u32| Decided {
            suppressed: pattern.hidden.binary_search(&(cell as usize)).is_ok(),
            primary: self.needs[cell as usize].is_some(),
        };
        let tables = self.present.iter().map(|rows| rows.iter().map(decided).collect()).collect();
        let unique: HashSet<u32> = self.present.iter().flatten().copied().collect();
        let (mut primary, mut secondary, mut kept) = (0, 0, (0, 0));
        for cell in &unique {
            let size = i128::from(cells[*cell as usize].value.abs());
            let Decided { suppressed, primary: by_rule } = decided(cell);
            kept.1 += size;
            if suppressed {
                *(if by_rule { &mut primary } else { &mut secondary }) += 1;
            } else {
                kept.0 += size;
            }
        }
        let owned = |&&cell: &&usize| cells[cell].owner.is_some() && self.places[cell].is_some();
        let owners: HashSet<Option<u32>> = pattern.hidden.iter().filter(owned).map(|&cell| cells[cell].owner).collect();
        let needs = || unique.iter().filter_map(|&cell| self.needs[cell as usize]);
        Ok(Decision {
            tables,
            cells: unique.len(),
            primary,
            secondary,
            kept,
            levels: needs().filter(|need| need.below.max(need.above) > 0 || need.width > self.width).count(),
            shares: (0..cells.len()).filter(|&cell| self.places[cell].is_none() && cells[cell].owner.is_some()).count(),
            contributors: owners.len(),
            proof: pattern.proof.tables(),
        })
    }
}
