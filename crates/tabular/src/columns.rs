//! Figures in columns, as files that analysts open: what is hidden or missing is null, never zero and never empty text.

use std::io;

use polars::io::parquet::write::{KeyValueMetadata, ParquetWriter};
use polars::prelude::{AnyValue, Column, DataFrame, PolarsError};
use thiserror::Error;

/// The values of one column, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Words and codes: `01004` keeps its zero.
    Texts(Vec<Option<String>>),
    /// Numbers.
    Numbers(Vec<Option<f64>>),
    /// Yes or no.
    Flags(Vec<Option<bool>>),
}

/// Why there is no file.
#[derive(Debug, Error)]
pub enum ColumnsError {
    /// Columns differ in length, or two have one name.
    #[error("columns do not make a table: {0}")]
    Uneven(#[source] PolarsError),
    /// It could not be written.
    #[error("a file could not be written: {0}")]
    Written(#[source] PolarsError),
    /// It could not be written.
    #[error("a text could not be written: {0}")]
    Text(#[from] csv::Error),
    /// It could not be written.
    #[error("an object could not be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// How a text shows numbers and where it cuts columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// RFC 4180: commas between columns, a point in numbers.
    International,
    /// What a French spreadsheet opens: semicolons, a comma in numbers, a mark that says UTF-8.
    French,
}

/// A table of figures, and what its file says of them beside.
#[derive(Clone, Debug)]
pub struct Columns {
    frame: DataFrame,
    notes: Vec<(String, String)>,
}

impl Columns {
    /// Columns by name, all of one length.
    pub fn new(columns: impl IntoIterator<Item = (String, Values)>) -> Result<Self, ColumnsError> {
        let column = |(name, values): (String, Values)| match values {
            Values::Texts(texts) => Column::new(name.into(), texts),
            Values::Numbers(numbers) => Column::new(name.into(), numbers),
            Values::Flags(flags) => Column::new(name.into(), flags),
        };
        let frame =
            DataFrame::new_infer_height(columns.into_iter().map(column).collect()).map_err(ColumnsError::Uneven)?;
        Ok(Self { frame, notes: Vec::new() })
    }

    /// Says something of all figures, under a name.
    #[must_use]
    pub fn note(mut self, name: &str, text: impl Into<String>) -> Self {
        self.notes.push((name.to_owned(), text.into()));
        self
    }

    /// As Parquet; the notes are its key-value metadata.
    pub fn parquet(&self, out: impl io::Write) -> Result<(), ColumnsError> {
        let notes = KeyValueMetadata::from_static(self.notes.clone());
        let mut frame = self.frame.clone();
        let writer = ParquetWriter::new(out).with_key_value_metadata(Some(notes));
        writer.finish(&mut frame).map(|_| ()).map_err(ColumnsError::Written)
    }

    /// As JSON: `about` holds the notes, `rows` an object per row.
    pub fn json(&self, out: impl io::Write) -> Result<(), ColumnsError> {
        let about: serde_json::Map<String, serde_json::Value> =
            self.notes.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        let row = |row: usize| -> serde_json::Map<String, serde_json::Value> {
            let item = |column: &Column| (column.name().to_string(), item(&value(column, row)));
            self.frame.columns().iter().map(item).collect()
        };
        let rows: Vec<_> = (0..self.frame.height()).map(row).collect();
        serde_json::to_writer_pretty(out, &serde_json::json!({ "about": about, "rows": rows }))?;
        Ok(())
    }

    /// As text; the notes do not fit.
    pub fn text(&self, mut out: impl io::Write, habit: Habit) -> Result<(), ColumnsError> {
        let (separator, end) = match habit {
            Habit::International => (b',', csv::Terminator::CRLF),
            Habit::French => {
                out.write_all("\u{feff}".as_bytes()).map_err(csv::Error::from)?;
                (b';', csv::Terminator::CRLF)
            }
        };
        let mut out = csv::WriterBuilder::new().delimiter(separator).terminator(end).from_writer(out);
        out.write_record(self.frame.columns().iter().map(|column| column.name().as_str()))?;
        for row in 0..self.frame.height() {
            let cell = |column: &Column| self::cell(column, row, habit);
            out.write_record(self.frame.columns().iter().map(cell))?;
        }
        out.flush().map_err(csv::Error::from)?;
        Ok(())
    }
}

/// Every column has every row.
fn value(column: &Column, row: usize) -> AnyValue<'_> {
    column.get(row).unwrap_or(AnyValue::Null)
}

fn cell(column: &Column, row: usize, habit: Habit) -> String {
    match value(column, row) {
        AnyValue::Float64(number) if habit == Habit::French => number.to_string().replace('.', ","),
        AnyValue::Float64(number) => number.to_string(),
        AnyValue::Boolean(yes) => yes.to_string(),
        other => other.get_str().unwrap_or_default().to_owned(),
    }
}

fn item(value: &AnyValue<'_>) -> serde_json::Value {
    match value {
        AnyValue::Float64(number) => (*number).into(),
        AnyValue::Boolean(yes) => (*yes).into(),
        other => other.get_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let texts = |texts: [Option<&str>; 3]| Values::Texts(texts.map(|text| text.map(str::to_owned)).into());
        Columns::new([
            ("territory".to_owned(), texts([Some("01004"), Some("2A004"), None])),
            ("name".to_owned(), texts([Some("L’Île; \"Saint\", Denis"), Some("été"), Some("")])),
            ("value".to_owned(), Values::Numbers(vec![Some(0.0), None, Some(12.5)])),
            ("suppressed".to_owned(), Values::Flags(vec![Some(false), Some(true), None])),
        ])
        .expect("a table")
        .note("definition", "abc")
    }

    #[test]
    fn parquet_keeps_zeros_nulls_and_notes_for_a_reader_that_is_not_its_writer() {
        use parquet::file::reader::{FileReader, SerializedFileReader};
        use parquet::record::RowAccessor;
        let mut bytes = Vec::new();
        columns().parquet(&mut bytes).expect("written");
        let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a file");
        let notes = file.metadata().file_metadata().key_value_metadata().expect("notes").clone();
        assert!(notes.iter().any(|note| note.key == "definition" && note.value.as_deref() == Some("abc")));
        let rows: Vec<_> = file.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].get_string(0).expect("a text"), "01004");
        assert_eq!((rows[0].get_double(2).expect("a number"), rows[2].get_double(2).expect("a number")), (0.0, 12.5));
        assert!(rows[1].get_double(2).is_err() && rows[2].get_string(0).is_err() && rows[2].get_bool(3).is_err());
        assert!(rows[1].get_bool(3).expect("a flag"));
    }

    #[test]
    fn texts_have_the_habits_of_their_readers() {
        let text = |habit| {
            let mut bytes = Vec::new();
            columns().text(&mut bytes, habit).expect("written");
            String::from_utf8(bytes).expect("UTF-8")
        };
        assert_eq!(
            text(Habit::International),
            "territory,name,value,suppressed\r\n01004,\"L’Île; \"\"Saint\"\", Denis\",0,false\r\n2A004,été,,true\r\n,,12.5,\r\n"
        );
        assert_eq!(
            text(Habit::French),
            "\u{feff}territory;name;value;suppressed\r\n01004;\"L’Île; \"\"Saint\"\", Denis\";0;false\r\n2A004;été;;true\r\n;;12,5;\r\n"
        );
    }

    #[test]
    fn objects_have_nulls_and_notes() {
        let mut bytes = Vec::new();
        columns().json(&mut bytes).expect("written");
        let read: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let rows = serde_json::json!([
            { "territory": "01004", "name": "L’Île; \"Saint\", Denis", "value": 0.0, "suppressed": false },
            { "territory": "2A004", "name": "été", "value": null, "suppressed": true },
            { "territory": null, "name": "", "value": 12.5, "suppressed": null },
        ]);
        assert_eq!(read, serde_json::json!({ "about": { "definition": "abc" }, "rows": rows }));
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let short = ("a".to_owned(), Values::Flags(vec![None]));
        let long = ("b".to_owned(), Values::Flags(vec![None, None]));
        assert!(matches!(Columns::new([short, long]), Err(ColumnsError::Uneven(_))));
    }
}
