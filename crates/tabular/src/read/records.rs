//! Records of a file, whatever its format: which it is, where its header stands, each row with its line.

use methodology::Table;

use super::cells::{self, Records, Seen, Sink};
use super::layout::{self, Header, reader};
use super::rules::Plan;
use super::typed::{Kind, Raw};
use super::{decode, lines};
use crate::fault::Faults;
use crate::source::SourceSpec;

mod parquet;
#[cfg(test)]
mod tests;
mod workbook;

/// Reads every row of a file into `sink`.
pub(super) fn read(
    spec: &SourceSpec,
    name: &str,
    bytes: &[u8],
    table: &Table,
    sink: &mut Sink<'_>,
) -> Result<Seen, Faults> {
    let plan = Plan::new(spec, name, table)?;
    match bytes {
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => workbook::read(spec, name, bytes, &plan, sink),
        [b'P', b'A', b'R', b'1', ..] => parquet::read(name, bytes, &plan, sink),
        _ => {
            let text = decode::text(spec, name, bytes)?;
            let header = layout::find(spec, name, &text, &plan)?;
            cells::rows(name, &mut Lines::new(&text, &header), &header, &plan, sink)
        }
    }
}

/// Records of a text with separators.
struct Lines<'a> {
    records: csv::Reader<&'a [u8]>,
    record: csv::StringRecord,
    place: lines::Lines<'a>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, header: &Header) -> Self {
        let separator = header.separator.unwrap_or(b';');
        Self { records: reader(text, separator), record: csv::StringRecord::new(), place: lines::Lines::new(text) }
    }
}

impl Records for Lines<'_> {
    fn next(&mut self) -> Option<(u64, Vec<Raw<'_>>)> {
        if !matches!(self.records.read_record(&mut self.record), Ok(true)) {
            return None;
        }
        let line = self.place.advance(self.record.position().map_or(0, csv::Position::byte));
        Some((line, self.record.iter().map(Raw::text).collect()))
    }
}

/// A binary number as text: the shortest that is no other.
fn number(number: f64) -> (String, Kind) {
    if number.is_finite() { (number.to_string(), Kind::Number) } else { (String::new(), Kind::Error) }
}
