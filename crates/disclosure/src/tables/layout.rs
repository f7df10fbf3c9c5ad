//! One table as a grid: which row stands where, and which rows add up.

use super::{Dimension, Misfit, Place, Table};

/// How many missing cells are named.
const NAMED: usize = 5;

pub(super) struct Layout {
    /// By dimension of the table: the nodes that have rows, ascending.
    used: Vec<Vec<usize>>,
    /// By place in the grid: its row.
    rows: Vec<u32>,
}

impl Layout {
    /// Finds duplicates and gaps. `at` is any row of the table, to name it by.
    pub(super) fn of(dimensions: &[Dimension], table: &Table, at: Place) -> Result<Self, Misfit> {
        let mut used = Vec::with_capacity(table.dimensions.len());
        for (position, &dimension) in table.dimensions.iter().enumerate() {
            let axis = &dimensions[dimension].axis;
            let mut seen = vec![false; axis.nodes().len()];
            for row in 0..table.rows.len() {
                seen[table.key(row)[position] as usize] = true;
            }
            for (parent, children) in axis.groupings() {
                let there = children.iter().filter(|&&child| seen[child]).count();
                if there > 0 && (there < children.len() || !seen[parent]) {
                    let all = std::iter::once(parent).chain(children.iter().copied());
                    let missing = all.filter(|&node| !seen[node]).collect();
                    return Err(Misfit::Codes { place: at, dimension, parent, missing });
                }
            }
            used.push((0..seen.len()).filter(|&node| seen[node]).collect::<Vec<_>>());
        }
        let cells = used.iter().try_fold(1_usize, |product, nodes| product.checked_mul(nodes.len()));
        let local = Self { used, rows: Vec::new() };
        // Never more places than rows by much: what is not there is counted, not laid out.
        let Some(cells) = cells.filter(|&cells| cells <= table.rows.len().saturating_mul(64).max(4096)) else {
            let count = cells.map_or(usize::MAX, |cells| cells - table.rows.len().min(cells));
            return Err(Misfit::Missing { place: at, count, first: Vec::new() });
        };
        let mut rows = vec![u32::MAX; cells];
        for row in 0..table.rows.len() {
            let place = local.place(table.key(row));
            if rows[place] != u32::MAX {
                return Err(Misfit::Twice { place: Place { row, ..at }, first: rows[place] as usize });
            }
            rows[place] = u32::try_from(row).map_err(|_| Misfit::TooMany)?;
        }
        let layout = Self { rows, ..local };
        let missing: Vec<usize> = (0..cells).filter(|&place| layout.rows[place] == u32::MAX).collect();
        if !missing.is_empty() {
            let first = missing.iter().take(NAMED).map(|&place| layout.key(place)).collect();
            return Err(Misfit::Missing { place: at, count: missing.len(), first });
        }
        Ok(layout)
    }

    fn place(&self, key: &[u32]) -> usize {
        key.iter().zip(&self.used).fold(0, |place, (&node, nodes)| {
            let local = nodes.binary_search(&(node as usize)).expect("every node of a row is used");
            place * nodes.len() + local
        })
    }

    fn key(&self, mut place: usize) -> Vec<usize> {
        let mut key: Vec<usize> = Vec::with_capacity(self.used.len());
        for nodes in self.used.iter().rev() {
            key.push(nodes[place % nodes.len()]);
            place /= nodes.len();
        }
        key.reverse();
        key
    }

    /// Every total with its parts, as rows, and the dimension along which it is divided.
    pub(super) fn sums(&self, dimensions: &[Dimension], table: &Table, mut each: impl FnMut(usize, usize, &[usize])) {
        let mut stride = self.rows.len();
        for (&dimension, nodes) in table.dimensions.iter().zip(&self.used) {
            let block = stride;
            stride /= nodes.len();
            for (parent, children) in dimensions[dimension].axis.groupings() {
                let local = |node: usize| nodes.binary_search(&node).ok();
                let (Some(parent), Some(children)) =
                    (local(parent), children.iter().map(|&child| local(child)).collect::<Option<Vec<_>>>())
                else {
                    continue;
                };
                let mut parts = Vec::with_capacity(children.len());
                for outer in (0..self.rows.len()).step_by(block) {
                    for inner in outer..outer + stride {
                        let row = |node: usize| self.rows[inner + node * stride] as usize;
                        parts.clear();
                        parts.extend(children.iter().map(|&child| row(child)));
                        each(dimension, row(parent), &parts);
                    }
                }
            }
        }
    }
}

impl Layout {
    /// Every pair of rows, whole and part, of which the part is never above the whole.
    pub(super) fn within(&self, dimensions: &[Dimension], table: &Table, mut each: impl FnMut(usize, usize)) {
        let mut stride = self.rows.len();
        for (&dimension, nodes) in table.dimensions.iter().zip(&self.used) {
            let block = stride;
            stride /= nodes.len();
            for &(part, whole) in &dimensions[dimension].within {
                let local = |node: usize| nodes.binary_search(&node).ok();
                let (Some(part), Some(whole)) = (local(part), local(whole)) else { continue };
                for outer in (0..self.rows.len()).step_by(block) {
                    for inner in outer..outer + stride {
                        let row = |node: usize| self.rows[inner + node * stride] as usize;
                        each(row(whole), row(part));
                    }
                }
            }
        }
    }
}

/// A cell by its node in every dimension that any table has: equal keys are the same cell.
pub(super) type Key = Box<[u32]>;

/// Makes keys of rows.
pub(super) struct Keys {
    /// By dimension: the node of tables that do not have it; `None` if no table has it.
    totals: Vec<Option<u32>>,
}

impl Keys {
    /// Dimensions that some of the tables have, and the total of each for those that do not.
    pub(super) fn of<'a>(
        dimensions: &[Dimension],
        tables: &(impl Iterator<Item = (Place, &'a Table)> + Clone),
    ) -> Result<Self, Misfit> {
        let mut totals = Vec::with_capacity(dimensions.len());
        for (dimension, known) in dimensions.iter().enumerate() {
            let has = |table: &Table| table.dimensions.contains(&dimension);
            let without = tables.clone().find(|(_, table)| !has(table));
            totals.push(match (without, known.axis.total()) {
                _ if !tables.clone().any(|(_, table)| has(table)) => None,
                // Every table has it: the total is never looked up.
                (None, total) => Some(total.unwrap_or_default()),
                (Some(_), Some(total)) => Some(total),
                (Some((place, _)), None) => return Err(Misfit::NoTotal { place, dimension }),
            });
        }
        let narrow =
            |total: Option<usize>| total.map(|node| u32::try_from(node).map_err(|_| Misfit::TooMany)).transpose();
        Ok(Self { totals: totals.into_iter().map(narrow).collect::<Result<_, _>>()? })
    }

    /// The key of a row.
    pub(super) fn key(&self, table: &Table, row: usize) -> Key {
        let nodes = table.key(row);
        let node = |(dimension, total): (usize, &Option<u32>)| {
            total.map(|total| table.dimensions.iter().position(|&own| own == dimension).map_or(total, |at| nodes[at]))
        };
        self.totals.iter().enumerate().filter_map(node).collect()
    }

    /// The dimensions that keys are made of.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = usize> {
        self.totals.iter().enumerate().filter_map(|(dimension, total)| total.map(|_| dimension))
    }
}
