//! What one thread does: blocks in, counts out.

use std::borrow::Cow;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::read::layout::Header;
use crate::read::memo::{Bits, Memo};
use crate::read::promises::{add_up, write_key};
use crate::read::rules::{Plan, Rule};
use crate::read::{decode, typed};
use crate::rows::Cell;
use crate::source::Encoding;
use crate::tally::{Interner, Shape, Tally};

use super::blocks::{Block, Blocks};
use super::ends::Ends;
use super::split::Columns;
use super::{GiveUp, PLACE_BITS};

/// What every thread works with.
pub(super) struct Worker<'a> {
    plan: &'a Plan<'a>,
    shape: &'a Shape,
    columns: Columns,
    /// Cells of columns that the file has not.
    constants: Vec<Option<Cell<'a>>>,
    /// Per column of the table: the word of a kind's key that it brings something to.
    words: Vec<Option<usize>>,
    key: Vec<usize>,
    /// Places of column with one code for each value of the other.
    singles: Vec<(usize, usize)>,
}

/// What one thread counted.
pub(super) struct Part {
    pub(super) tally: Tally,
    keys: Interner,
    /// Per promise: the values of the one column, with their code in the other.
    singles: Vec<(Interner, Vec<u32>)>,
    sums: Vec<Option<i64>>,
    pub(super) height: usize,
    /// Number of each block, with its lines.
    pub(super) lines: Vec<(u64, u64)>,
}

impl Part {
    /// Adds what another thread counted; `None` if a promise does not hold over both.
    pub(super) fn merge(&mut self, other: Self) -> Option<()> {
        for key in other.keys.texts() {
            if !self.keys.number(key).1 {
                return None;
            }
        }
        for ((known, codes), (others, other_codes)) in self.singles.iter_mut().zip(&other.singles) {
            for (unit, code) in others.texts().zip(other_codes) {
                keeps_one(known, codes, unit, *code)?;
            }
        }
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum = Some((*sum)?.checked_add((*other)?)?);
        }
        self.tally.merge(&other.tally);
        self.height += other.height;
        self.lines.extend(other.lines);
        Some(())
    }
}

/// Notes the code of a unit; `None` if it has another one already.
fn keeps_one(known: &mut Interner, codes: &mut Vec<u32>, unit: &[u8], code: u32) -> Option<()> {
    let (number, new) = known.number(unit);
    if new {
        codes.push(code);
    }
    (codes[number as usize] == code).then_some(())
}

impl<'a> Worker<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, header: &Header, shape: &'a Shape) -> Option<Self> {
        let mut owners = vec![None; header.names.len()];
        let mut constants = Vec::new();
        for (number, (rule, place)) in plan.rules.iter().zip(&header.places).enumerate() {
            constants.push(match place {
                Some(place) => {
                    owners[*place] = Some(number);
                    None
                }
                None => Some(typed::cell(plan, rule, typed::Raw::text(rule.constant?)).ok()?),
            });
        }
        Some(Self {
            plan,
            shape,
            columns: Columns::new(header.separator?, owners),
            constants,
            words: {
                let mut words = shape.words()?;
                words.resize(plan.rules.len(), None);
                words
            },
            key: plan.key(),
            singles: plan.singles().map(|(_, coded, unit)| (coded, unit)).collect(),
        })
    }

    pub(super) fn work<R: Read>(
        &self,
        first: Option<&str>,
        rest: &Mutex<Blocks<R>>,
        stop: &AtomicBool,
        encoding: Encoding,
    ) -> Result<Part, GiveUp> {
        let mut part = Part {
            tally: Tally::new(self.shape),
            keys: Interner::default(),
            singles: self.singles.iter().map(|_| (Interner::default(), Vec::new())).collect(),
            sums: vec![Some(0); self.plan.rules.len()],
            height: 0,
            lines: Vec::new(),
        };
        let memo = |(field, (rule, word)): (usize, (&'a Rule<'a>, &Option<usize>))| {
            let shape = self.shape;
            let bits: Bits<'_> = word
                .map(|_| -> Box<dyn Fn(&Cell<'_>) -> u64> { Box::new(move |cell: &Cell<'_>| shape.bits(field, cell)) });
            Memo::new(self.plan, rule, bits)
        };
        let mut memos: Vec<Memo<'_>> = self.plan.rules.iter().zip(&self.words).enumerate().map(memo).collect();
        if let Some(text) = first {
            self.block(&mut part, &mut memos, 0, text).ok_or(GiveUp::NotPlain)?;
        }
        loop {
            let next = rest.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(Block { number, bytes }) = next.filter(|_| !stop.load(Ordering::Relaxed)) else { return Ok(part) };
            let text = match encoding {
                Encoding::Windows1252 => decode::windows("", &bytes).map_err(|_| GiveUp::NotPlain)?,
                Encoding::Auto | Encoding::Utf8 => {
                    Cow::Borrowed(std::str::from_utf8(&bytes).map_err(|_| GiveUp::NotUtf8)?)
                }
            };
            if memchr::memchr(0, &bytes).is_some() || decode::refuse_mojibake("", &text).is_err() {
                return Err(GiveUp::NotPlain);
            }
            self.block(&mut part, &mut memos, number, &text).ok_or(GiveUp::NotPlain)?;
        }
    }

    /// Reads all rows of a block, which ends where a line ends.
    fn block(&self, part: &mut Part, memos: &mut [Memo<'_>], number: u64, text: &str) -> Option<()> {
        let bytes = text.as_bytes();
        // A carriage return alone ends a record too; rare enough for the patient way.
        if memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n')) {
            return None;
        }
        let quotes = memchr::memchr(b'"', bytes).is_some();
        let mut ends = Ends::new(bytes, self.columns.separator);
        let mut own = Vec::with_capacity(self.columns.width);
        let mut row = Row::new(self);
        let (mut at, mut line) = (0, 0);
        while at < bytes.len() {
            let (end, blank) = if quotes {
                self.columns.quoted(text, at, &mut row.texts)?
            } else {
                ends.line(&mut own);
                self.columns.plain(text, at, &own, &mut row.texts)?
            };
            if !blank {
                self.row(part, memos, &mut row, (number << PLACE_BITS) + line)?;
            }
            (at, line) = (end + 1, line + 1);
        }
        part.lines.push((number, line));
        Some(())
    }

    fn row(&self, part: &mut Part, memos: &mut [Memo<'_>], row: &mut Row<'_>, place: u64) -> Option<()> {
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(row.texts.len());
        row.kind.copy_from_slice(&row.of_constants);
        for (field, (memo, text)) in memos.iter_mut().zip(&row.texts).enumerate() {
            let cell = if let Some(cell) = &self.constants[field] {
                cell.clone()
            } else {
                let (cell, bits) = memo.cell(text)?;
                if let Some(word) = self.words[field] {
                    row.kind[word] |= bits;
                }
                cell
            };
            cells.push(cell);
        }
        if !self.key.is_empty() {
            write_key(&self.key, &cells, &mut row.key);
            if !part.keys.number(&row.key).1 {
                return None;
            }
        }
        for ((coded, unit), (known, codes)) in self.singles.iter().zip(&mut part.singles) {
            let Cell::Code(code) = cells[*coded] else { return None };
            cells[*unit].with_bytes(|unit| keeps_one(known, codes, unit, code))?;
        }
        if !add_up(&mut part.sums, &cells) {
            return None;
        }
        part.tally.push_as(self.shape, &row.kind, &cells, place);
        part.height += 1;
        Some(())
    }
}

/// What is written anew for each row.
struct Row<'t> {
    /// Per column of the table.
    texts: Vec<Cow<'t, str>>,
    /// The key of the row's kind.
    kind: Vec<u64>,
    /// What columns that the file has not bring to it.
    of_constants: Vec<u64>,
    /// The primary key.
    key: Vec<u8>,
}

impl Row<'_> {
    fn new(worker: &Worker<'_>) -> Self {
        let mut of_constants = vec![0; worker.shape.width];
        for (field, (constant, word)) in worker.constants.iter().zip(&worker.words).enumerate() {
            if let (Some(cell), Some(word)) = (constant, word) {
                of_constants[*word] |= worker.shape.bits(field, cell);
            }
        }
        let texts = vec![Cow::Borrowed(""); worker.constants.len()];
        Self { texts, kind: of_constants.clone(), of_constants, key: Vec::new() }
    }
}
