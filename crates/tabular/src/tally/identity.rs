//! Who stands behind rows: each different value of a column once, with the kinds of its rows.

use std::collections::HashMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::rows::Cell;

/// Different texts, numbered as they come. Compared in full: two units never become one.
#[derive(Default)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The number of `text`, and whether it is new.
    pub(crate) fn number(&mut self, text: &[u8]) -> (u32, bool) {
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let of = |number: u32| text_of(bytes, ends, number);
        let hash = hasher.hash_one(text);
        if let Some(number) = self.table.find(hash, |number| of(*number) == text) {
            return (*number, false);
        }
        let number = u32::try_from(ends.len()).expect("as many units as rows, which are fewer than four billion");
        self.table.insert_unique(hash, number, |number| hasher.hash_one(of(*number)));
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        (number, true)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The texts, in the order of their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        (0_u32..).take(self.len()).map(|number| text_of(&self.bytes, &self.ends, number))
    }
}

fn text_of<'a>(bytes: &'a [u8], ends: &[usize], number: u32) -> &'a [u8] {
    let at = number as usize;
    let from = at.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[from..ends[at]]
}

/// The units of one column. Most have rows of one kind only, which takes no more than a number.
pub(crate) struct Identity {
    known: Interner,
    /// Amount columns that are summed per unit and kind.
    pub(crate) columns: usize,
    /// Per unit: the kind of its first row.
    pub(crate) first: Vec<u32>,
    /// Per unit: how many rows it has.
    rows: Vec<u32>,
    /// Per unit and amount column: the sum over rows of that kind.
    pub(crate) sums: Vec<i64>,
    /// Other kinds of a unit's rows, with the place of their sums.
    more: HashMap<(u32, u32), u32, DefaultHashBuilder>,
    more_sums: Vec<i64>,
}

/// A unit whose rows are of several kinds: each with the sums of its amounts.
pub(crate) struct Mixed<'a> {
    pub(crate) unit: u32,
    pub(crate) kinds: Vec<(u32, &'a [i64])>,
}

impl Identity {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            known: Interner::default(),
            columns,
            first: Vec::new(),
            rows: Vec::new(),
            sums: Vec::new(),
            more: HashMap::default(),
            more_sums: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, cell: &Cell<'_>, kind: u32, values: &[Option<i64>]) {
        let values = &values[..self.columns];
        let sums = cell.with_bytes(|text| self.sums_of(text, kind, 1));
        for (sum, value) in sums.iter_mut().zip(values) {
            // The reader refuses a column whose absolute values do not fit together.
            *sum = sum.saturating_add(value.unwrap_or(0));
        }
    }

    /// Notes that the unit has so many more rows, and some of this kind; gives the sums of both, to be added to.
    fn sums_of(&mut self, text: &[u8], kind: u32, rows: u32) -> &mut [i64] {
        let (unit, new) = self.known.number(text);
        let at = unit as usize;
        if new {
            self.rows.push(0);
            self.first.push(kind);
            self.sums.resize(self.sums.len() + self.columns, 0);
        }
        self.rows[at] = self.rows[at].saturating_add(rows);
        if self.first[at] == kind {
            return &mut self.sums[at * self.columns..(at + 1) * self.columns];
        }
        let next = u32::try_from(self.more.len()).expect("at most one for each row");
        let place = *self.more.entry((unit, kind)).or_insert(next);
        if place == next {
            self.more_sums.resize(self.more_sums.len() + self.columns, 0);
        }
        let from = place as usize * self.columns;
        &mut self.more_sums[from..from + self.columns]
    }

    pub(super) fn merge(&mut self, other: &Self, kinds: &[u32]) {
        let texts: Vec<&[u8]> = other.known.texts().collect();
        let firsts =
            other.first.iter().enumerate().map(|(unit, kind)| (unit, *kind, other.rows[unit], &other.sums, unit));
        let others = other
            .more
            .iter()
            .map(|((unit, kind), place)| (*unit as usize, *kind, 0, &other.more_sums, *place as usize));
        for (unit, kind, rows, theirs, place) in firsts.chain(others) {
            let sums = self.sums_of(texts[unit], kinds[kind as usize], rows);
            for (sum, add) in sums.iter_mut().zip(&theirs[place * other.columns..(place + 1) * other.columns]) {
                *sum = sum.saturating_add(*add);
            }
        }
    }

    /// The most rows that one unit has.
    pub(crate) fn most_rows(&self) -> i64 {
        self.rows.iter().copied().max().unwrap_or(0).into()
    }

    /// Units whose rows are of several kinds, in the order of their numbers.
    pub(crate) fn mixed(&self) -> Vec<Mixed<'_>> {
        let mut more: Vec<((u32, u32), usize)> = self.more.iter().map(|(key, place)| (*key, *place as usize)).collect();
        more.sort_unstable();
        let part = |sums: &'_ [i64], at: usize| at * self.columns..((at + 1) * self.columns).min(sums.len());
        more.chunk_by(|a, b| a.0.0 == b.0.0)
            .map(|group| {
                let unit = group[0].0.0;
                let at = unit as usize;
                let first = (self.first[at], &self.sums[part(&self.sums, at)]);
                let rest =
                    group.iter().map(|((_, kind), place)| (*kind, &self.more_sums[part(&self.more_sums, *place)]));
                Mixed { unit, kinds: std::iter::once(first).chain(rest).collect() }
            })
            .collect()
    }
}
