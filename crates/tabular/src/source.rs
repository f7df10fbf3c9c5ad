//! How a local file maps to a table of a pack: data in the node's settings, never code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

/// How bytes become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Byte order mark, then strict UTF-8, then Windows-1252, then a check for text decoded twice.
    #[default]
    Auto,
    /// UTF-8.
    Utf8,
    /// Windows-1252, the encoding of French spreadsheets.
    Windows1252,
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Separator {
    /// The one that gives a header with the required names.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// `;`
    #[serde(rename = ";")]
    Semicolon,
    /// Tabulation.
    #[serde(rename = "tab")]
    Tab,
    /// `,`
    #[serde(rename = ",")]
    Comma,
    /// `|`
    #[serde(rename = "|")]
    Pipe,
}

/// What stands before the decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum DecimalMark {
    /// A comma, or a point where it cannot be a thousands mark.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// `,`
    #[serde(rename = ",")]
    Comma,
    /// `.`
    #[serde(rename = ".")]
    Point,
}

/// One column name, or several of which the file must hold exactly one (names change between vintages).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Alternatives.
    Several(Vec<String>),
}

impl Names {
    /// The names, in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// Where a file holds totals: each line stands for several rows of the table, and has its codes instead of its columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// The column that says how many rows.
    pub count: Names,
    /// The column that says of how many units, if the table names whom it protects.
    #[serde(default)]
    pub units: Option<Names>,
}

fn default_max_bytes() -> u64 {
    512 * 1024 * 1024
}

/// One source of `node.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Path of the file, relative to the folder of the settings.
    pub file: PathBuf,
    /// Of a workbook: the sheet to read. Left out, the only one that has the columns.
    #[serde(default)]
    pub sheet: Option<String>,
    /// How bytes become text.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands between two cells.
    #[serde(default)]
    pub separator: Separator,
    /// What stands before the decimals.
    #[serde(default)]
    pub decimal: DecimalMark,
    /// Name in the pack → name or names in the file. A field left out has the same name in both.
    #[serde(default)]
    pub columns: BTreeMap<String, Names>,
    /// Per field: text in the file → text that the pack knows.
    #[serde(default)]
    pub codes: BTreeMap<String, BTreeMap<String, String>>,
    /// Per field: a value for every row, instead of a column; the empty text means "not given".
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// More texts that mean "no value", besides those of the pack.
    #[serde(default)]
    pub missing: BTreeSet<String>,
    /// Left out, each line is one row.
    #[serde(default)]
    pub totals: Option<Totals>,
    /// Whether rows with a cell that reads "total" are set aside; otherwise they are faults.
    #[serde(default)]
    pub skip_total_rows: bool,
    /// Whether a file without any row means "nothing happened". Otherwise it is refused: an export cut short looks
    /// the same, and would send zeros.
    #[serde(default)]
    pub may_be_empty: bool,
    /// A larger file is refused before it is read.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
}

impl SourceSpec {
    /// A source with this file and nothing else said.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            sheet: None,
            encoding: Encoding::Auto,
            separator: Separator::Auto,
            decimal: DecimalMark::Auto,
            columns: BTreeMap::new(),
            codes: BTreeMap::new(),
            constants: BTreeMap::new(),
            missing: BTreeSet::new(),
            totals: None,
            skip_total_rows: false,
            may_be_empty: false,
            max_bytes: default_max_bytes(),
        }
    }
}
