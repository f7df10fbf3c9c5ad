//! Rows of a Parquet file: its columns are the header, a row's line is its number.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::basic::{LogicalType, Repetition, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::TypePtr;

use crate::fault::{Fault, FaultCause, Faults};
use crate::read::cells::{self, Records, Seen, Sink};
use crate::read::layout;
use crate::read::rules::Plan;
use crate::read::typed::{Kind, Raw};

pub(super) fn read(name: &str, bytes: &[u8], plan: &Plan<'_>, sink: &mut Sink<'_>) -> Result<Seen, Faults> {
    let unreadable = || {
        Fault::of_file(
            name,
            FaultCause::NotText,
            "Ce fichier Parquet ne se lit pas : il est abîmé, chiffré ou coupé. Refaites l’export, ou choisissez le CSV.",
        )
    };
    let file = unharmed(|| SerializedFileReader::new(Bytes::copy_from_slice(bytes))).ok_or_else(unreadable)?;
    let fields = file.metadata().file_metadata().schema_descr().root_schema().get_fields();
    let flat = |field: &TypePtr| field.is_primitive() && field.get_basic_info().repetition() != Repetition::REPEATED;
    if !fields.iter().all(flat) {
        return Err(Fault::of_file(
            name,
            FaultCause::Header,
            "Une colonne de ce fichier Parquet contient des listes ou des structures : exportez un tableau simple, une valeur par \
             case.",
        )
        .into());
    }
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let mut header = layout::find_in(name, vec![(None, names)], plan)?;
    header.skip = 0;
    let clocks = fields.iter().map(Clock::of).collect();
    let rows = unharmed(|| file.get_row_iter(None)).ok_or_else(unreadable)?;
    let mut rows = Rows { all: rows, clocks, line: 0, texts: Vec::new(), broken: false };
    let seen = cells::rows(name, &mut rows, &header, plan, sink);
    // What came before the break is not the file.
    if rows.broken { Err(unreadable().into()) } else { seen }
}

/// What the reader answers, nothing where it fails: on some damages it panics, and a file must not end the program.
fn unharmed<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().and_then(Result::ok)
}

struct Rows<'a> {
    all: RowIter<'a>,
    /// By column, if it has moments.
    clocks: Vec<Option<Clock>>,
    line: u64,
    texts: Vec<(String, Kind)>,
    broken: bool,
}

impl Records for Rows<'_> {
    fn next(&mut self) -> Option<(u64, Vec<Raw<'_>>)> {
        let all = &mut self.all;
        let Some(row) = unharmed(|| all.next().transpose()) else {
            self.broken = true;
            return None;
        };
        let row = row?;
        self.texts.clear();
        self.texts.extend(row.get_column_iter().zip(&self.clocks).map(|((_, field), clock)| text(field, *clock)));
        self.line += 1;
        Some((self.line, self.texts.iter().map(|(text, kind)| Raw { text, kind: *kind }).collect()))
    }
}

/// What the whole numbers of a column of moments mean.
#[derive(Clone, Copy)]
struct Clock {
    units_per_second: i64,
    zone: &'static str,
}

impl Clock {
    fn of(field: &TypePtr) -> Option<Self> {
        let Some(LogicalType::Timestamp(moment)) = field.get_basic_info().logical_type_ref() else { return None };
        let units_per_second = match moment.unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        // An instant is shown as clocks of a town hall did: midnight in Paris is the day before in Greenwich.
        let zone = if moment.is_adjusted_to_u_t_c { "Europe/Paris" } else { "UTC" };
        Some(Self { units_per_second, zone })
    }

    fn show(self, units: i64) -> (String, Kind) {
        moment(units.div_euclid(self.units_per_second), self.zone)
    }
}

fn text(field: &Field, clock: Option<Clock>) -> (String, Kind) {
    if let (Some(clock), Field::Long(units) | Field::TimestampMillis(units) | Field::TimestampMicros(units)) =
        (clock, field)
    {
        return clock.show(*units);
    }
    let whole = |number: String| (number, Kind::Number);
    match field {
        Field::Null => (String::new(), Kind::Text),
        Field::Bool(yes) => (if *yes { "true" } else { "false" }.to_owned(), Kind::Text),
        Field::Byte(number) => whole(number.to_string()),
        Field::Short(number) => whole(number.to_string()),
        Field::Int(number) => whole(number.to_string()),
        Field::Long(number) => whole(number.to_string()),
        Field::UByte(number) => whole(number.to_string()),
        Field::UShort(number) => whole(number.to_string()),
        Field::UInt(number) => whole(number.to_string()),
        Field::ULong(number) => whole(number.to_string()),
        // The shortest text of 32 bits: widened first, 0.1 would be 0.10000000149011612.
        Field::Float(number) if number.is_finite() => whole(number.to_string()),
        Field::Double(number) => super::number(*number),
        Field::Decimal(_) => whole(field.to_string()),
        Field::Str(text) => (text.clone(), Kind::Text),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => (text.to_owned(), Kind::Text),
            Err(_) => (String::new(), Kind::Error),
        },
        Field::Date(days) => moment(i64::from(*days) * 86_400, "UTC"),
        // Of 96 bits: without a time zone by convention.
        Field::TimestampMillis(millis) => moment(millis.div_euclid(1_000), "UTC"),
        Field::TimestampMicros(micros) => moment(micros.div_euclid(1_000_000), "UTC"),
        Field::Float(_)
        | Field::Float16(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::Group(_)
        | Field::ListInternal(_)
        | Field::MapInternal(_) => (String::new(), Kind::Error),
    }
}

/// Seconds since 1970 as a date, with its time if it has one.
fn moment(seconds: i64, zone: &str) -> (String, Kind) {
    let shown = jiff::Timestamp::from_second(seconds).and_then(|moment| moment.in_tz(zone));
    let Ok(moment) = shown.map(|moment| moment.datetime()) else { return (String::new(), Kind::Error) };
    let (date, time) = (moment.date(), moment.time());
    let text = if time == jiff::civil::Time::midnight() { date.to_string() } else { format!("{date} {time}") };
    (text, Kind::Text)
}
