//! What kinds of rows are made of: small numbers per column, and conditions over them.

use std::collections::BTreeMap;

use regex::Regex;

use crate::rows::Cell;

/// How the cell of a column becomes a small number.
pub(super) enum Reading {
    /// The place of its code.
    Code,
    /// Below, at, between and above these constants, or blank.
    Number(Vec<i64>),
    /// No, yes, blank.
    Boolean,
    /// One of these texts, another, or blank.
    Exact(BTreeMap<String, u32>),
    /// One bit per pattern, or blank.
    Patterns(Vec<Regex>),
}

/// One axis of the kinds.
pub(super) struct Axis {
    /// Place of its column in the table.
    pub(super) field: usize,
    pub(super) reading: Reading,
    /// How many numbers its reading gives.
    pub(super) size: u32,
    /// Of each of these the class, once it is known what is asked: numbers that nothing tells apart share one.
    pub(super) classes: Vec<u32>,
    /// How many classes there are.
    pub(super) width: u32,
    /// Where the number stands in a key.
    pub(super) word: usize,
    pub(super) shift: u32,
}

impl Axis {
    pub(super) fn class(&self, cell: &Cell<'_>) -> u32 {
        self.classes[self.number(cell) as usize]
    }

    fn number(&self, cell: &Cell<'_>) -> u32 {
        let place = |at: usize| u32::try_from(at).expect("a pack has fewer than two billion constants");
        match (&self.reading, cell) {
            (Reading::Code, Cell::Code(code)) => *code,
            (Reading::Number(cuts), Cell::Number(units)) => match cuts.binary_search(units) {
                Ok(at) => place(2 * at + 1),
                Err(at) => place(2 * at),
            },
            (Reading::Boolean, Cell::Boolean(yes)) => u32::from(*yes),
            (Reading::Exact(texts), Cell::Text(text)) => texts.get(*text).copied().unwrap_or(self.size - 2),
            (Reading::Patterns(patterns), Cell::Text(text)) => {
                patterns.iter().rev().fold(0, |bits, pattern| bits << 1 | u32::from(pattern.is_match(text)))
            }
            _ => self.size - 1,
        }
    }

    /// The class that a key holds.
    pub(super) fn in_key(&self, key: &[u64]) -> u32 {
        let mask = (1_u64 << self.bits()) - 1;
        u32::try_from(key[self.word] >> self.shift & mask).expect("an axis has at most 32 bits")
    }

    pub(super) fn bits(&self) -> u32 {
        (u32::BITS - (self.width - 1).leading_zeros()).max(1)
    }
}

/// A condition over the axes, three-valued as SQL is.
pub(super) enum Node {
    /// Of each class of an axis: no, yes, unknown.
    Leaf(usize, Vec<Option<bool>>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Node {
    pub(super) fn holds(&self, axes: &[Axis], key: &[u64]) -> Option<bool> {
        match self {
            Self::Leaf(place, truth) => truth[axes[*place].in_key(key) as usize],
            Self::Not(inner) => inner.holds(axes, key).map(|held| !held),
            Self::All(parts) => joined(parts, axes, key, false),
            Self::Any(parts) => joined(parts, axes, key, true),
        }
    }
}

impl Node {
    /// Shows what each leaf over this axis says.
    pub(super) fn of_axis(&self, place: usize, see: &mut dyn FnMut(&[Option<bool>])) {
        match self {
            Self::Leaf(of, truth) if *of == place => see(truth),
            Self::Leaf(..) => {}
            Self::Not(inner) => inner.of_axis(place, see),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.of_axis(place, see)),
        }
    }

    /// Keeps what leaves over this axis say of these numbers.
    pub(super) fn keep(&mut self, place: usize, numbers: &[usize]) {
        match self {
            Self::Leaf(of, truth) if *of == place => *truth = numbers.iter().map(|number| truth[*number]).collect(),
            Self::Leaf(..) => {}
            Self::Not(inner) => inner.keep(place, numbers),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.keep(place, numbers)),
        }
    }
}

/// `AND` is decided by a no, `OR` by a yes; without one, an unknown part leaves all unknown.
fn joined(parts: &[Node], axes: &[Axis], key: &[u64], decides: bool) -> Option<bool> {
    let mut all = Some(!decides);
    for part in parts {
        match part.holds(axes, key) {
            Some(held) if held == decides => return Some(decides),
            Some(_) => {}
            None => all = None,
        }
    }
    all
}
