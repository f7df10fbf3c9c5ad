//! What is kept of rows: how many there are of each *kind*, never the rows themselves.
//!
//! Two rows are of one kind if no indicator of the table can tell them apart, amounts and identities aside: same codes,
//! same truth of every condition. A [`Tally`] counts kinds, sums amounts per kind, and notes which kinds each unit has;
//! every cell of the table follows from it. All figures are integers, so the order of rows, and which thread saw them,
//! leave no trace.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use crate::rows::Cell;

mod identity;
mod shape;

pub(crate) use identity::{Identity, Interner, Mixed};
pub(crate) use shape::{Counted, Shape, What};

/// One amount column over rows of one kind: what every measure of it reads.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) sum: i64,
    /// Rows above zero.
    pub(crate) positive: i64,
}

/// The same: what only sums read.
#[derive(Clone, Copy)]
pub(crate) struct Extremes {
    /// Of one row.
    pub(crate) largest: i64,
    pub(crate) second: i64,
    /// Place of the first row without a value; [`Tally::NOWHERE`] if each has one.
    pub(crate) blank: u64,
}

impl Amount {
    const NONE: Self = Self { sum: 0, positive: 0 };

    fn merge(&mut self, other: Self) {
        // The reader refuses a column whose absolute values do not fit together.
        self.sum = self.sum.saturating_add(other.sum);
        self.positive += other.positive;
    }
}

impl Extremes {
    const NONE: Self = Self { largest: 0, second: 0, blank: Tally::NOWHERE };

    fn merge(&mut self, other: Self) {
        self.second = self.second.max(other.second).max(self.largest.min(other.largest));
        self.largest = self.largest.max(other.largest);
        self.blank = self.blank.min(other.blank);
    }
}

/// Rows by kind.
pub(crate) struct Tally {
    /// Words of one key, see [`Shape::pack`].
    width: usize,
    /// `width` words per kind.
    keys: Vec<u64>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Per kind.
    pub(crate) rows: Vec<i64>,
    /// Per kind and amount column.
    pub(crate) amounts: Vec<Amount>,
    /// The same, for amounts of which there are sums; weights have none.
    pub(crate) extremes: Vec<Extremes>,
    pub(crate) identities: Vec<Identity>,
    /// The key under construction.
    scratch: Vec<u64>,
    values: Vec<Option<i64>>,
}

impl Tally {
    /// The place of no row.
    pub(crate) const NOWHERE: u64 = u64::MAX;

    pub(crate) fn new(shape: &Shape) -> Self {
        let identities = (0..shape.identities.len())
            .map(|i| Identity::new(if shape.unit == Some(i) { shape.amounts.len() } else { 0 }))
            .collect();
        Self {
            width: shape.width,
            keys: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            rows: Vec::new(),
            amounts: Vec::new(),
            extremes: Vec::new(),
            identities,
            scratch: vec![0; shape.width],
            values: vec![None; shape.amounts.len()],
        }
    }

    /// Kinds seen so far.
    pub(crate) fn kinds(&self) -> usize {
        self.rows.len()
    }

    /// The key of a kind.
    pub(crate) fn key(&self, kind: usize) -> &[u64] {
        &self.keys[kind * self.width..(kind + 1) * self.width]
    }

    /// Counts one row; `cells` in the order of the table's columns, `place` grows with the rows of one file.
    pub(crate) fn push(&mut self, shape: &Shape, cells: &[Cell<'_>], place: u64) {
        let mut key = std::mem::take(&mut self.scratch);
        shape.pack(cells, &mut key);
        self.push_as(shape, &key, cells, place);
        self.scratch = key;
    }

    /// The same when the key of its kind is known.
    pub(crate) fn push_as(&mut self, shape: &Shape, key: &[u64], cells: &[Cell<'_>], place: u64) {
        let kind = self.kind(key);
        let at = kind as usize;
        self.rows[at] += 1;
        let columns = shape.amounts.len();
        for (i, field) in shape.amounts.iter().enumerate() {
            let units = cells[*field].number();
            self.values[i] = units;
            let of_row = Amount { sum: units.unwrap_or(0), positive: i64::from(units > Some(0)) };
            self.amounts[at * columns + i].merge(of_row);
            let blank = if units.is_none() { place } else { Self::NOWHERE };
            if shape.summed[i] {
                let of_row = Extremes { largest: units.unwrap_or(0), second: 0, blank };
                self.extremes[at * columns + i].merge(of_row);
            }
        }
        for (identity, field) in self.identities.iter_mut().zip(&shape.identities) {
            identity.push(&cells[*field], kind, &self.values);
        }
    }

    fn kind(&mut self, key: &[u64]) -> u32 {
        let (keys, width, hasher) = (&self.keys, self.width, &self.hasher);
        let of = |kind: u32| &keys[kind as usize * width..(kind as usize + 1) * width];
        let hash = hasher.hash_one(key);
        if let Some(kind) = self.table.find(hash, |kind| of(*kind) == key) {
            return *kind;
        }
        let kind = u32::try_from(self.rows.len()).expect("as many kinds as rows, which are fewer than four billion");
        self.table.insert_unique(hash, kind, |kind| hasher.hash_one(of(*kind)));
        self.keys.extend_from_slice(key);
        self.rows.push(0);
        self.amounts.extend(std::iter::repeat_n(Amount::NONE, self.values.len()));
        self.extremes.extend(std::iter::repeat_n(Extremes::NONE, self.values.len()));
        kind
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        let columns = self.values.len();
        let kinds: Vec<u32> = (0..other.kinds())
            .map(|kind| {
                let mine = self.kind(other.key(kind));
                let at = mine as usize;
                self.rows[at] += other.rows[kind];
                for i in 0..columns {
                    self.amounts[at * columns + i].merge(other.amounts[kind * columns + i]);
                    self.extremes[at * columns + i].merge(other.extremes[kind * columns + i]);
                }
                mine
            })
            .collect();
        for (mine, theirs) in self.identities.iter_mut().zip(&other.identities) {
            mine.merge(theirs, &kinds);
        }
    }

    /// Says where in the file the places are that were noted.
    pub(crate) fn locate(&mut self, line: impl Fn(u64) -> u64) {
        for extremes in self.extremes.iter_mut().filter(|extremes| extremes.blank != Self::NOWHERE) {
            extremes.blank = line(extremes.blank);
        }
    }
}
