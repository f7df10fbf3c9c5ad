//! A pack: its files, proven.

use std::collections::BTreeMap;

use model::{Hash, IndicatorCode, PackCode, TableCode};

use crate::error::PackError;
use crate::indicator::Indicator;
use crate::table::Table;

/// A versioned set of tables and indicators.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(crate) code: PackCode,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) hash: Hash,
}

impl Pack {
    /// Reads and proves a pack from its files, keyed by relative path with `/`.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, place, cause and a French sentence.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, PackError> {
        crate::library::unfinished(files)
    }

    /// Its code.
    pub fn code(&self) -> &PackCode {
        &self.code
    }

    /// Its version, `1.0.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// French title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// French description.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its tables, in the order of `pack.toml`.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of this code.
    pub fn table(&self, code: &TableCode) -> Option<&Table> {
        self.tables.iter().find(|table| table.code == *code)
    }

    /// The indicator of this code, with its table. Codes are unique in a pack.
    pub fn indicator(&self, code: &IndicatorCode) -> Option<(&Table, &Indicator)> {
        self.tables.iter().find_map(|table| Some((table, table.indicator(code)?)))
    }

    /// The files it was read from, byte for byte: `Pack::parse(pack.files())` gives the same pack.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// SHA-256 over all files: for each in ascending order of path, length and bytes of the path, then length and
    /// bytes of the content, lengths as eight bytes big-endian.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}
