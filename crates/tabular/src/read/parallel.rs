//! Clean text, block by block, by all processors at once, in bounded memory.
//!
//! This way knows no fault. Whatever is not plain (a cell that does not pass, a total, a quote over several lines, a key
//! seen twice) makes it give up, and the patient way reads the file from its beginning and says what is wrong and where.
//! So it may refuse too much, never too little: each check below is at least as strict as its counterpart there.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use methodology::Table;

use crate::rows::Rows;
use crate::source::{Encoding, SourceSpec};
use crate::tally::Shape;

use super::decode;
use super::layout::{self, Header, reader};
use super::rules::Plan;

mod blocks;
mod ends;
mod split;
#[cfg(test)]
mod tests;

mod worker;

use blocks::Blocks;
use worker::{Part, Worker};

/// How much of a file one thread holds at a time.
pub(super) const BLOCK: usize = 1 << 20;

/// A place is the number of a block above the number of a line in it.
const PLACE_BITS: u32 = 40;

/// Why a file is not read this way.
enum GiveUp {
    /// It is not in UTF-8 after all.
    NotUtf8,
    /// Anything else.
    NotPlain,
}

/// Reads a text file of this table; `None` if the patient way must. `open` gives the file from its beginning.
pub(crate) fn read<R: Read + Send>(
    spec: &SourceSpec,
    name: &str,
    table: &Table,
    block: usize,
    open: impl Fn() -> Option<R>,
) -> Option<Rows> {
    let read = |encoding| {
        let spec = SourceSpec { encoding, ..spec.clone() };
        attempt(&spec, name, table, Blocks::new(open().ok_or(GiveUp::NotPlain)?, block, spec.max_bytes))
    };
    let first = if spec.encoding == Encoding::Auto { Encoding::Utf8 } else { spec.encoding };
    match read(first) {
        Ok(rows) => Some(rows),
        Err(GiveUp::NotUtf8) if spec.encoding == Encoding::Auto => read(Encoding::Windows1252).ok(),
        Err(GiveUp::NotUtf8 | GiveUp::NotPlain) => None,
    }
}

fn attempt<R: Read + Send>(
    spec: &SourceSpec,
    name: &str,
    table: &Table,
    mut blocks: Blocks<R>,
) -> Result<Rows, GiveUp> {
    let plan = Plan::new(spec, name, table).map_err(|_| GiveUp::NotPlain)?;
    let shape = Shape::new(table);
    let first = blocks.next().ok_or(GiveUp::NotPlain)?;
    if spec.encoding == Encoding::Utf8 && std::str::from_utf8(&first.bytes).is_err() {
        return Err(GiveUp::NotUtf8);
    }
    let text = decode::text(spec, name, &first.bytes).map_err(|_| GiveUp::NotPlain)?;
    let header = layout::find(spec, name, &text, &plan).map_err(|_| GiveUp::NotPlain)?;
    let (start, line) = after_header(&text, &header).ok_or(GiveUp::NotPlain)?;

    let worker = Worker::new(&plan, &header, &shape).ok_or(GiveUp::NotPlain)?;
    let (rest, stop) = (Mutex::new(blocks), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let (rest, stop, own) = (&rest, &stop, (number == 0).then_some(&text[start..]));
                let worker = &worker;
                scope.spawn(move || {
                    let part = worker.work(own, rest, stop, spec.encoding);
                    if part.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    part
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Vec<Result<Part, GiveUp>>>()
    });
    if parts.iter().any(|part| matches!(part, Err(GiveUp::NotUtf8))) {
        return Err(GiveUp::NotUtf8);
    }
    let mut parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut all = parts.next().ok_or(GiveUp::NotPlain)?;
    for part in parts {
        all.merge(part).ok_or(GiveUp::NotPlain)?;
    }
    if rest.into_inner().map_or(true, |blocks| blocks.failed()) || (all.height == 0 && !spec.may_be_empty) {
        return Err(GiveUp::NotPlain);
    }
    let Part { mut tally, height, mut lines, .. } = all;
    lines.sort_unstable();
    let starts: Vec<u64> = lines
        .iter()
        .scan(line, |line, (_, count)| {
            let start = *line;
            *line += count;
            Some(start)
        })
        .collect();
    tally.locate(|place| {
        let block = usize::try_from(place >> PLACE_BITS).unwrap_or(usize::MAX);
        starts.get(block).map_or(0, |start| start + (place & ((1 << PLACE_BITS) - 1)))
    });
    Ok(Rows {
        table: table.definition_hash(),
        shape,
        tally,
        unfolded: false,
        unknown: BTreeSet::new(),
        height,
        set_aside: 0,
    })
}

/// Where the rows begin: byte, and line from 1.
fn after_header(text: &str, header: &Header) -> Option<(usize, u64)> {
    let mut records = reader(text, header.separator?);
    let mut record = csv::StringRecord::new();
    for _ in 0..header.skip {
        records.read_record(&mut record).ok()?;
    }
    let byte = usize::try_from(records.position().byte()).ok()?;
    let lines = text.get(..byte)?.bytes().filter(|b| *b == b'\n').count();
    Some((byte, u64::try_from(lines).ok()? + 1))
}
