//! Reading a messy file into checked rows.

use std::path::Path;

use methodology::Table;

use crate::fault::{Fault, FaultCause, Faults};
use crate::rows::Rows;
use crate::source::SourceSpec;

/// Reads the file of `spec` (relative to `base`) as rows of `table`.
pub fn read(spec: &SourceSpec, base: &Path, table: &Table) -> Result<Rows, Faults> {
    let path = base.join(&spec.file);
    let name = spec.file.display().to_string();
    let bytes = std::fs::read(path).map_err(|_| {
        Faults::from(Fault {
            file: name.clone(),
            line: None,
            column: None,
            cause: FaultCause::Unreadable,
            message: "fichier illisible".to_owned(),
        })
    })?;
    read_bytes(spec, &name, &bytes, table)
}

/// The same from bytes in hand; `name` is what faults call the file.
pub fn read_bytes(_spec: &SourceSpec, name: &str, _bytes: &[u8], _table: &Table) -> Result<Rows, Faults> {
    Err(Faults::from(Fault {
        file: name.to_owned(),
        line: None,
        column: None,
        cause: FaultCause::Unreadable,
        message: "lecture en cours d'écriture".to_owned(),
    }))
}
