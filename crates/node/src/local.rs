//! What a commune counts for itself: with packs that it wrote, on its own machine.
//!
//! Nothing here can leave: what is sent is made of [`Collected`](crate::collect::Collected) tables, which come of packs
//! that the hub signed; a [`LocalTable`] is another type, that only the internal edition takes.

use std::collections::BTreeMap;
use std::path::Path;

use disclosure::ConfidentialTable;
use methodology::Table;
use model::{CommuneCode, Period};

use crate::author;
use crate::collect::{CollectError, collect_one};
use crate::config::{LocalSource, NodeConfig, Source};

/// A table of the commune's own, exact.
#[derive(Debug)]
pub struct LocalTable {
    /// Its definition.
    pub table: Table,
    /// Title and version of its pack.
    pub pack: String,
    /// The period that it speaks of.
    pub period: Period,
    /// The file, as the settings name it.
    pub file: String,
    /// How many rows the file holds.
    pub rows: usize,
    pub(crate) confidential: ConfidentialTable,
}

/// Reads and computes one of them; `yours` are the territories of the node, its own first.
pub fn read(
    local: &LocalSource,
    config: &NodeConfig,
    yours: &[CommuneCode],
    base: &Path,
) -> Result<LocalTable, CollectError> {
    let folder = base.join(&local.folder);
    let broken = |message: String| CollectError::LocalPack { folder: local.folder.display().to_string(), message };
    let pack = author::check(&folder).map_err(|failure| broken(failure.message))?.map_err(|faults| {
        broken(faults.first().map_or_else(String::new, |fault| format!("{} : {}", fault.file, fault.message)))
    })?;
    let (code, named) = (pack.code().clone(), format!("{} {}", pack.title(), pack.version()));
    let source = Source {
        pack: code.clone(),
        table: local.table.clone(),
        period: local.period,
        territory: None,
        read: local.read.clone(),
    };
    let packs = BTreeMap::from([(code, pack)]);
    let one = collect_one(&source, config, yours, &packs, base)?;
    Ok(LocalTable {
        table: one.table.into_owned(),
        pack: named,
        period: local.period,
        file: local.read.file.display().to_string(),
        rows: one.rows,
        confidential: one.confidential,
    })
}

/// All of them, or all that is wrong.
pub(crate) fn read_all(
    config: &NodeConfig,
    yours: &[CommuneCode],
    base: &Path,
) -> Result<Vec<LocalTable>, Vec<CollectError>> {
    let (mut tables, mut errors) = (Vec::new(), Vec::new());
    for local in &config.locals {
        match read(local, config, yours, base) {
            Ok(table) => tables.push(table),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(tables) } else { Err(errors) }
}
