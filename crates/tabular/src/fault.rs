//! What is wrong with a file: place, cause, cure.

use std::fmt;

/// Why a file or a cell was refused, closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultCause {
    /// No such file, or not readable.
    Unreadable,
    /// Larger than the source allows.
    TooLarge,
    /// Nothing in it.
    Empty,
    /// A spreadsheet, an archive or another binary file under a text name.
    NotText,
    /// Bytes that are not text in the declared encoding, or text decoded twice.
    Encoding,
    /// No separator gives columns.
    Separator,
    /// No line holds the required column names.
    Header,
    /// A required column is missing.
    MissingColumn,
    /// The same column name twice.
    DuplicateColumn,
    /// A line with more or fewer cells than the header, or an unclosed quote.
    Ragged,
    /// A blank where a value is required.
    Required,
    /// Not a number, a date, yes or no.
    Type,
    /// A number or date that reads two ways.
    Ambiguous,
    /// A code damaged by a spreadsheet: lost zero, added decimals, exponent.
    DamagedCode,
    /// A code outside the list.
    UnknownCode,
    /// Outside minimum, maximum, pattern or enumeration.
    Constraint,
    /// The same primary key on two lines.
    DuplicateKey,
    /// One unit with two values where the pack promises one.
    MultiValued,
    /// The sum of a column does not fit.
    Overflow,
    /// A row of totals among the rows of data.
    TotalRow,
    /// A hierarchy that does not read, or is none: a node that is part of itself.
    Hierarchy,
    /// The source's settings contradict the table.
    Settings,
}

/// One fault. Never holds more of a row than the offending cell, cut to 40 characters; stays in the commune.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as named in the settings.
    pub file: String,
    /// Line in the file, from 1; `None` for the whole file.
    pub line: Option<u64>,
    /// Column name in the file.
    pub column: Option<String>,
    /// Why.
    pub cause: FaultCause,
    /// For the agent, in French: cause and cure. May quote the offending cell.
    pub message: String,
}

impl Fault {
    pub(crate) fn of_file(file: &str, cause: FaultCause, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, cause, message: message.into() }
    }

    pub(crate) fn at_line(mut self, line: impl Into<Option<u64>>) -> Self {
        self.line = line.into();
        self
    }

    pub(crate) fn in_column(mut self, column: &str) -> Self {
        self.column = Some(cut(column));
        self
    }
}

/// A cell or name as faults may quote it: at most 40 characters, no control character.
pub(crate) fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut characters = text.trim().chars();
    let kept: String = characters.by_ref().take(LONGEST).map(plain).collect();
    if characters.next().is_some() { kept + "…" } else { kept }
}

impl fmt::Debug for Fault {
    /// Without the message: it may quote a cell, and `Debug` ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("file", &self.file)
            .field("line", &self.line)
            .field("column", &self.column)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// All faults of a file: the first 50, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the file was refused with {total} faults")]
pub struct Faults {
    /// The first ones, in the order of the file.
    pub first: Vec<Fault>,
    /// All of them.
    pub total: u64,
}

impl Faults {
    /// How many are kept.
    pub const KEPT: usize = 50;

    pub(crate) fn push(&mut self, fault: Fault) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(fault);
        }
    }

    /// The others after these.
    pub(crate) fn append(&mut self, others: Self) {
        self.total += others.total;
        let room = Self::KEPT.saturating_sub(self.first.len());
        self.first.extend(others.first.into_iter().take(room));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { first: vec![fault], total: 1 }
    }
}
