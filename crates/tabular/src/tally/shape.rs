//! What a table asks of a row: the kinds it can be of, its amounts, its identities.

use std::collections::{BTreeMap, BTreeSet};

use model::IndicatorCode;

use crate::rows::Cell;

mod axis;
mod build;

use axis::{Axis, Node};

/// What one measure sums.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Rows,
    /// Place among the identities.
    Distinct(usize),
    /// Places among the amounts.
    Sum(usize),
    Weight(usize),
}

/// One measure of the scheme.
pub(crate) struct Counted {
    pub(crate) indicator: IndicatorCode,
    pub(crate) what: What,
    /// Name of the column that is summed.
    pub(crate) column: String,
    /// The conditions that must hold, as [`Shape::held`] notes them.
    pub(crate) needs: Vec<u64>,
    /// Each breakdown's axes with how many codes they have.
    pub(crate) breakdowns: Vec<Vec<(usize, usize)>>,
}

/// Compiled from a table.
pub(crate) struct Shape {
    axes: Vec<Axis>,
    conditions: Vec<Node>,
    pub(crate) measures: Vec<Counted>,
    /// Places, among the table's columns, of amounts and weights.
    pub(crate) amounts: Vec<usize>,
    /// Of each, whether some measure sums it.
    pub(crate) summed: Vec<bool>,
    /// The same of columns that name units.
    pub(crate) identities: Vec<usize>,
    /// Among the identities: the table's unit.
    pub(crate) unit: Option<usize>,
    /// Words of a key.
    pub(crate) width: usize,
}

impl Shape {
    /// Gives one class to all numbers that no condition tells apart, on axes along which nothing is broken down.
    fn merge_classes(&mut self) {
        let broken_down: BTreeSet<usize> = self
            .measures
            .iter()
            .flat_map(|measure| measure.breakdowns.iter().flatten())
            .map(|(axis, _)| *axis)
            .collect();
        for (place, axis) in self.axes.iter_mut().enumerate().filter(|(place, _)| !broken_down.contains(place)) {
            let mut asked: Vec<Vec<Option<bool>>> = vec![Vec::new(); axis.size as usize];
            self.conditions.iter().for_each(|node| {
                node.of_axis(place, &mut |truth| asked.iter_mut().zip(truth).for_each(|(all, one)| all.push(*one)));
            });
            let classes: BTreeMap<&Vec<Option<bool>>, u32> =
                asked.iter().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
            axis.classes = asked.iter().map(|truth| classes[truth]).collect();
            axis.width = u32::try_from(classes.len()).expect("no more classes than numbers");
            let of_class: Vec<usize> = (0..axis.width)
                .map(|class| axis.classes.iter().position(|other| *other == class).expect("each class has a number"))
                .collect();
            for node in &mut self.conditions {
                node.keep(place, &of_class);
            }
        }
    }

    /// Gives each axis its bits; none straddles two words, and the axes of one column share a word where they can.
    fn place_axes(&mut self) {
        let (mut word, mut shift) = (0, 0);
        for first in 0..self.axes.len() {
            let field = self.axes[first].field;
            if self.axes[..first].iter().any(|axis| axis.field == field) {
                continue;
            }
            let bits: u32 = self.axes.iter().filter(|axis| axis.field == field).map(Axis::bits).sum();
            if shift + bits > u64::BITS {
                (word, shift) = (word + 1, 0);
            }
            for axis in self.axes.iter_mut().filter(|axis| axis.field == field) {
                if shift + axis.bits() > u64::BITS {
                    (word, shift) = (word + 1, 0);
                }
                (axis.word, axis.shift) = (word, shift);
                shift += axis.bits();
            }
        }
        self.width = word + 1;
    }

    /// The key of a row's kind.
    pub(crate) fn pack(&self, cells: &[Cell<'_>], key: &mut [u64]) {
        key.fill(0);
        for axis in &self.axes {
            key[axis.word] |= u64::from(axis.class(&cells[axis.field])) << axis.shift;
        }
    }

    /// The code that a key holds for an axis of some breakdown.
    pub(crate) fn number(&self, axis: usize, key: &[u64]) -> u32 {
        self.axes[axis].in_key(key)
    }

    /// How many words [`Self::held`] fills.
    pub(crate) fn held_words(&self) -> usize {
        self.conditions.len().div_ceil(64).max(1)
    }

    /// Notes which conditions surely hold for a kind: one bit each.
    pub(crate) fn held(&self, key: &[u64], held: &mut [u64]) {
        held.fill(0);
        for (place, condition) in self.conditions.iter().enumerate() {
            held[place / 64] |= u64::from(condition.holds(&self.axes, key) == Some(true)) << (place % 64);
        }
    }

    /// Of each column of the table that kinds look at: its place, and the word of the key that all of it stands in.
    /// `None` if some column needs more than one.
    pub(crate) fn words(&self) -> Option<Vec<Option<usize>>> {
        let last = self.axes.iter().map(|axis| axis.field).max().map_or(0, |field| field + 1);
        let mut words: Vec<Option<usize>> = vec![None; last];
        for axis in &self.axes {
            match words[axis.field] {
                Some(other) if other != axis.word => return None,
                _ => words[axis.field] = Some(axis.word),
            }
        }
        Some(words)
    }

    /// What a cell of this column brings to its word of the key.
    pub(crate) fn bits(&self, field: usize, cell: &Cell<'_>) -> u64 {
        let axes = self.axes.iter().filter(|axis| axis.field == field);
        axes.fold(0, |bits, axis| bits | u64::from(axis.class(cell)) << axis.shift)
    }
}
