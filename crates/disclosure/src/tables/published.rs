//! Tables that their producer protected: nothing to hide in them, but everybody knows them.

use std::collections::HashMap;

use super::layout::Layout;
use super::{Dimension, Misfit, Place, Table};
use crate::intervals::{Asked, InvalidView, Seen, View, reach};
use crate::system::Relation;

/// A table as its producer published it: every figure `v` stands for anything from `v − below` to `v + above`, in units.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Its cells.
    pub table: &'a Table,
    /// 0 if it is exact.
    pub below: i64,
    /// 0 if it is exact.
    pub above: i64,
}

impl Source<'_> {
    /// As much work as some thousand cells need.
    const WORK: u64 = 300_000_000;

    /// Sources count on after the earlier tables.
    pub(super) fn place(table: usize) -> Place {
        Place { earlier: true, table, row: 0 }
    }

    /// Row by row, what everybody knows the true figure to lie between: the declared rounding, and what totals and parts
    /// say about each other. Several rows of one source are bounded each by itself afterwards, which is a little less
    /// than an intruder knows who also reckons with all of them at once.
    pub(super) fn ranges(&self, dimensions: &[Dimension], at: Place) -> Result<Vec<(i64, i64)>, Misfit> {
        let mut cells = Vec::with_capacity(self.table.rows.len());
        for (row, known) in self.table.rows.iter().enumerate() {
            let figure = known.value.ok_or(Misfit::Empty(Place { row, ..at }))?;
            // What is counted is not below zero, however it was rounded.
            let least = if figure >= 0 { 0 } else { i64::MIN };
            let (low, high) = (figure.saturating_sub(self.below).max(least), figure.saturating_add(self.above));
            cells.push((low, high));
        }
        if self.below == 0 && self.above == 0 {
            return Ok(cells);
        }
        let relations = self.sums(dimensions, at)?;
        let seen = cells.iter().map(|&(low, high)| Seen::Hidden { low, high: Some(high) }).collect();
        let view = View::new(seen, &relations).map_err(|fault| match fault {
            InvalidView::Empty(row) | InvalidView::Known(row) => Misfit::Outside(Place { row, ..at }),
            InvalidView::LargeCell(row) => Misfit::TooLarge(Place { row, ..at }),
            InvalidView::Malformed(_) | InvalidView::LargeRelation(_) => Misfit::TooMany,
        })?;
        let reached = reach(&view, &Asked::intervals().within(Self::WORK)).map_err(|contradiction| {
            let total = |&index: &usize| relations[index].terms.first().map(|&(row, _)| Place { row, ..at });
            Misfit::Contradiction(contradiction.relations.iter().filter_map(total).collect())
        })?;
        for &(row, interval) in reached.intervals() {
            let (low, high) = &mut cells[row];
            *low = interval.low.bound().map_or(*low, |bound| bound.max(*low));
            *high = interval.high.bound().map_or(*high, |bound| bound.min(*high));
        }
        Ok(cells)
    }

    /// Totals that are there with all of their parts: a producer need not publish everything that we have.
    fn sums(&self, dimensions: &[Dimension], at: Place) -> Result<Vec<Relation>, Misfit> {
        let mut rows: HashMap<&[u32], usize> = HashMap::new();
        for row in 0..self.table.rows.len() {
            if let Some(first) = rows.insert(self.table.key(row), row) {
                return Err(Misfit::Twice { place: Place { row, ..at }, first });
            }
        }
        let mut relations = Vec::new();
        for total in 0..self.table.rows.len() {
            let key = self.table.key(total);
            for (position, &dimension) in self.table.dimensions.iter().enumerate() {
                let Dimension { axis, distinct: false, .. } = &dimensions[dimension] else { continue };
                for (_, parts) in axis.groupings().filter(|&(parent, _)| parent == key[position] as usize) {
                    let part = |&node: &usize| {
                        let mut part = key.to_vec();
                        part[position] = u32::try_from(node).ok()?;
                        Some((*rows.get(part.as_slice())?, -1))
                    };
                    if let Some(parts) = parts.iter().map(part).collect::<Option<Vec<_>>>() {
                        relations.push(Relation { terms: std::iter::once((total, 1)).chain(parts).collect() });
                    }
                }
            }
        }
        Ok(relations)
    }
}

/// Whether totals and parts fit together if every figure `v` stands for anything from `v − below` to `v + above`
/// (in units).
pub fn at_source(dimensions: &[Dimension], tables: &[Table], below: i64, above: i64) -> Result<(), Misfit> {
    let (mut broken, mut count) = (None, 0);
    for (index, table) in tables.iter().enumerate() {
        let at = Place { earlier: false, table: index, row: 0 };
        let figures: Vec<i128> = (table.rows.iter().enumerate())
            .map(|(row, known)| known.value.map(i128::from).ok_or(Misfit::Empty(Place { row, ..at })))
            .collect::<Result<_, _>>()?;
        let layout = Layout::of(dimensions, table, at)?;
        layout.sums(dimensions, table, |dimension, total, parts| {
            if dimensions[dimension].distinct {
                return;
            }
            let sum: i128 = parts.iter().map(|&part| figures[part]).sum();
            let each = i128::try_from(parts.len()).unwrap_or(i128::MAX);
            let (below, above) = (i128::from(below), i128::from(above));
            let apart = sum - each * below > figures[total] + above || sum + each * above < figures[total] - below;
            if apart {
                count += 1;
                broken.get_or_insert_with(|| Misfit::Broken {
                    place: Place { row: total, ..at },
                    dimension,
                    parts: parts.to_vec(),
                    count: 0,
                });
            }
        });
    }
    match broken {
        Some(Misfit::Broken { place, dimension, parts, .. }) => Err(Misfit::Broken { place, dimension, parts, count }),
        _ => Ok(()),
    }
}
