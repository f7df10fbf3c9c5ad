//! Tables that are computed already: one row per cell, margins included, as anybody has them.
//!
//! A file has a header of one line. Columns that are named like a dimension of the hierarchy hold codes; `value` holds
//! the figure; `primary`, `contributors`, `top1`, `top2`, `owner`, `lb`, `ub`, `lpl`, `upl`, `spl`, `frozen` and
//! `suppressed` say more and may be absent. Other columns are kept and not read.
//!
//! Figures become integers of the last decimal that any file uses, so that sums are exact.

mod columns;
mod hierarchy;
mod output;
mod rows;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::Path;

use disclosure::tables::Dimension;

use columns::Columns;

pub use hierarchy::{hierarchy, hierarchy_of};
pub use output::Edition;
use output::Style;
pub use rows::Owners;

use crate::fault::{Fault, Faults, cut};
use crate::read::decode;
use crate::source::DecimalMark;

/// A larger file is not read: no table of cells that can be protected comes near.
const MOST_BYTES: u64 = 128 * 1024 * 1024;

/// More rows are refused before they are kept.
pub const MOST_ROWS: usize = 500_000;

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// To be protected; this column, if any is named, says which cells must be hidden.
    Protect {
        /// Its name.
        primary: Option<&'a str>,
    },
    /// It was published, and our own figures are in it: `suppressed` says what was hidden.
    Remember,
    /// It was published, and an intruder reads it: figures of rows with `suppressed` = 1 are kept apart, for those only
    /// who know them anyway.
    Attack,
    /// Somebody knows these cells.
    Know,
}

/// A file of cells, as text, with its columns found.
pub struct GridFile {
    name: String,
    text: String,
    separator: u8,
    style: Style,
    header: Vec<String>,
    columns: Columns,
    mark: DecimalMark,
    decimals: u8,
    rows: usize,
    attacked: bool,
    remembered: bool,
}

impl GridFile {
    /// Opens a file and finds its columns. Faults name it as `path` is written.
    ///
    /// # Errors
    /// No such file, too large, not text, no header, more than [`MOST_ROWS`] rows.
    pub fn open(path: &Path, dimensions: &[Dimension], purpose: Purpose<'_>) -> Result<Self, Faults> {
        let name = path.display().to_string();
        let bytes = bytes(path, &name)?;
        // Before the text is decoded, kept, and looked at cell by cell.
        if lines(&bytes) > MOST_ROWS + 1 {
            return Err(rows::too_many(&name).into());
        }
        Self::of(&name, &bytes, dimensions, purpose)
    }

    /// The same from bytes in hand.
    ///
    /// # Errors
    /// As [`GridFile::open`].
    pub fn of(name: &str, bytes: &[u8], dimensions: &[Dimension], purpose: Purpose<'_>) -> Result<Self, Faults> {
        let text = decode::strictly(name, bytes)?;
        // UTF-8 is read as it stands; anything else was decoded.
        let style = Style::of(bytes, &text, matches!(text, Cow::Owned(_)));
        let text = text.into_owned();
        let (separator, header) = columns::header(name, &text)?;
        let columns = Columns::find(name, &header, dimensions, purpose)?;
        // In a file whose cells are separated by commas a point can only be the decimal mark.
        let mark = if separator == b';' { DecimalMark::Auto } else { DecimalMark::Point };
        let (attacked, remembered) = (purpose == Purpose::Attack, purpose == Purpose::Remember);
        let mut file = Self {
            name: name.to_owned(),
            text,
            separator,
            style,
            header,
            columns,
            mark,
            decimals: 0,
            rows: 0,
            attacked,
            remembered,
        };
        (file.rows, file.decimals) = file.measure()?;
        Ok(file)
    }

    /// What faults call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many decimals its figures use.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Columns that are kept and not read.
    pub fn other_columns(&self) -> impl Iterator<Item = &str> {
        self.columns.other.iter().map(|&column| self.header[column].as_str())
    }

    /// Whether it has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }
}

fn bytes(path: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    crate::read::bytes(path, name, MOST_BYTES, || {
        format!(
            "Le fichier dépasse {} Mio. Un tableau de cellules a au plus {MOST_ROWS} lignes : regroupez des modalités, \
             ou protégez territoire par territoire.",
            MOST_BYTES / (1024 * 1024)
        )
    })
}

/// How many lines there are that are not blank; one that goes on within quotes counts once.
fn lines(bytes: &[u8]) -> usize {
    let (mut lines, mut quoted, mut blank) = (0, false, true);
    for byte in bytes {
        match byte {
            b'\n' if !quoted => {
                lines += usize::from(!blank);
                blank = true;
            }
            b'"' => (quoted, blank) = (!quoted, false),
            // A line of nothing but separators is blank too.
            b'\r' | b' ' | b',' | b';' | b'\t' | b'|' => {}
            _ => blank = false,
        }
    }
    lines + usize::from(!blank)
}

/// Columns and codes as faults list them.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<Cow<'_, str>> = names.map(|name| Cow::Owned(format!("« {} »", cut(name)))).collect();
    names.join(", ")
}
