//! What convinces somebody who does not trust the engine.

use thiserror::Error;

use super::{Reach, Table};
use crate::system::{Standing, System};

/// Whole tables that agree with everything shown, as changes against the true one.
///
/// Whoever holds the true table can check it without the engine: [`Proof::check`] uses nothing but the relations.
#[derive(Clone)]
pub struct Proof {
    tables: Vec<Table>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({} tables)", self.tables.len())
    }
}

/// What a proof does not show.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Short {
    /// A table breaks a relation, a range, or a shown figure.
    #[error("table {0} of the proof does not agree with what is shown")]
    Unsound(usize),
    /// These cells must be hidden, whatever the tables show.
    #[error("{} cells that must be hidden are shown", .0.len())]
    Bare(Vec<usize>),
    /// These primaries vary by less than they need.
    #[error("{} cells vary by less than they need", .0.len())]
    Narrow(Vec<usize>),
}

impl Proof {
    pub(super) fn new(tables: Vec<Table>) -> Self {
        Self { tables }
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Whether every primary, and every cell that is hidden for good, is hidden, and every primary varies as it needs (by
    /// `width`, if it has no need of its own) over tables that satisfy every relation, every range and every shown figure,
    /// in exact integers; for anybody, and for the owner of any other hidden cells, who knows all of his. `hidden` in
    /// ascending order.
    pub fn check(&self, system: &System, hidden: &[usize], width: u32) -> Result<(), Short> {
        let bare = |&cell: &usize| {
            matches!(system.cells()[cell].standing, Standing::Primary | Standing::Hidden)
                && hidden.binary_search(&cell).is_err()
        };
        let bare: Vec<usize> = (0..system.cells().len()).filter(bare).collect();
        if !bare.is_empty() {
            return Err(Short::Bare(bare));
        }
        let mut holders: Vec<Vec<(usize, i32)>> = vec![Vec::new(); system.cells().len()];
        let mut sums = vec![0; system.relations()];
        for (index, table) in self.tables.iter().enumerate() {
            let allowed = table.changes.iter().all(|&(cell, by)| {
                let known = &system.cells()[cell as usize];
                let figure = known.value + i64::from(by);
                let kept = known.standing != Standing::Shown && hidden.binary_search(&(cell as usize)).is_ok();
                kept && figure >= known.low && known.high.is_none_or(|high| figure <= high)
            });
            let distinct = table.changes.is_sorted_by(|a, b| a.0 < b.0);
            if !allowed || !distinct || Table::new(system, table.changes.clone(), &mut sums).is_none() {
                return Err(Short::Unsound(index));
            }
            for &(cell, by) in &table.changes {
                holders[cell as usize].push((index, by));
            }
        }
        let owners: Vec<Vec<u32>> = self
            .tables
            .iter()
            .map(|table| {
                let cells = table.changes.iter();
                let mut owners: Vec<u32> = cells.filter_map(|&(cell, _)| system.cells()[cell as usize].owner).collect();
                owners.sort_unstable();
                owners.dedup();
                owners
            })
            .collect();
        let contradicts = |index: usize, owner: u32| owners[index].binary_search(&owner).is_ok();
        let varies = |cell: usize, owner: Option<u32>| {
            let tables =
                holders[cell].iter().filter(|&&(index, _)| owner.is_none_or(|owner| !contradicts(index, owner)));
            tables.fold(Reach::default(), |reach, &(_, by)| reach.with(by)).meets(system.need(cell, width))
        };
        let narrow = |&cell: &usize| {
            let known = &system.cells()[cell];
            // Who contradicts neither of the tables that go furthest cannot rule these out.
            let by = |&&(_, by): &&(usize, i32)| by;
            let far = [holders[cell].iter().min_by_key(by), holders[cell].iter().max_by_key(by)];
            let mut others = far.into_iter().flatten().flat_map(|&(index, _)| &owners[index]);
            known.standing == Standing::Primary
                && !(varies(cell, None) && others.all(|&owner| known.owner == Some(owner) || varies(cell, Some(owner))))
        };
        let narrow: Vec<usize> = (0..system.cells().len()).filter(narrow).collect();
        if narrow.is_empty() { Ok(()) } else { Err(Short::Narrow(narrow)) }
    }
}
