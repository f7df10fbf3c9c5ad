//! Cells read before: exports repeat the same few texts a million times.

use std::collections::HashMap;

use crate::rows::Cell;

use super::rules::{Plan, Rule};
use super::typed::{Raw, cell};

/// Short texts are kept by their bytes in one number.
const SHORT: usize = 7;
const SLOTS: usize = 512;
/// Long texts kept of one column.
const LONG: usize = 4096;

/// What a text was.
#[derive(Clone, Copy)]
enum Known {
    Blank,
    Code(u32),
    Number(i64),
    Boolean(bool),
    /// Itself.
    Text,
    /// Itself, without the blanks around.
    Trimmed,
}

/// What a cell of a column brings to the key of its row's kind, if that looks at the column at all.
pub(super) type Bits<'a> = Option<Box<dyn Fn(&Cell<'_>) -> u64 + 'a>>;

/// The cells of one column of the table.
pub(super) struct Memo<'a> {
    plan: &'a Plan<'a>,
    rule: &'a Rule<'a>,
    bits: Bits<'a>,
    short: Vec<(u64, Known, u64)>,
    long: HashMap<Box<str>, (Known, u64)>,
    /// Whether long texts are worth keeping: numbers and identifiers hardly repeat, and are quick to read.
    repeats: bool,
}

impl<'a> Memo<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, rule: &'a Rule<'a>, bits: Bits<'a>) -> Self {
        let repeats = rule.dimension.is_some() || rule.pattern.is_some() || bits.is_some();
        // No text has the key zero: the length is in it, plus one.
        Self { plan, rule, bits, short: vec![(0, Known::Blank, 0); SLOTS], long: HashMap::new(), repeats }
    }

    /// The cell and what it brings to the key; `None` if it does not pass.
    pub(super) fn cell<'t>(&mut self, text: &'t str) -> Option<(Cell<'t>, u64)>
    where
        'a: 't,
    {
        let short = short(text);
        if let Some(key) = short {
            let (known, cell, bits) = self.short[slot(key)];
            if known == key {
                return Some((again(cell, text), bits));
            }
        } else if self.repeats
            && let Some((known, bits)) = self.long.get(text)
        {
            return Some((again(*known, text), *bits));
        }
        let cell = cell(self.plan, self.rule, Raw::text(text)).ok()?;
        let bits = self.bits.as_ref().map_or(0, |bits| bits(&cell));
        let known = match &cell {
            Cell::Blank => Known::Blank,
            Cell::Code(code) => Known::Code(*code),
            Cell::Number(units) => Known::Number(*units),
            Cell::Boolean(yes) => Known::Boolean(*yes),
            Cell::Text(read) if *read == text => Known::Text,
            Cell::Text(read) if *read == text.trim() => Known::Trimmed,
            // The source calls it by another name.
            Cell::Text(_) => return Some((cell, bits)),
        };
        match short {
            Some(key) => self.short[slot(key)] = (key, known, bits),
            None if self.repeats && self.long.len() < LONG => {
                self.long.insert(text.into(), (known, bits));
            }
            None => {}
        }
        Some((cell, bits))
    }
}

fn again(known: Known, text: &str) -> Cell<'_> {
    match known {
        Known::Blank => Cell::Blank,
        Known::Code(code) => Cell::Code(code),
        Known::Number(units) => Cell::Number(units),
        Known::Boolean(yes) => Cell::Boolean(yes),
        Known::Text => Cell::Text(text),
        Known::Trimmed => Cell::Text(text.trim()),
    }
}

/// The bytes and the length of a short text; never zero.
fn short(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() > SHORT {
        return None;
    }
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    all[SHORT] = u8::try_from(bytes.len() + 1).expect("at most eight");
    Some(u64::from_le_bytes(all))
}

fn slot(key: u64) -> usize {
    // Fibonacci hashing: the upper bits of the product depend on all of the key.
    usize::try_from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55).expect("nine bits")
}
