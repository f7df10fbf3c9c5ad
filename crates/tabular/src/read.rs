//! Reading a messy file into checked rows.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use methodology::Table;

use crate::fault::{Fault, FaultCause, Faults};
use crate::rows::Rows;
use crate::source::SourceSpec;

mod cells;
mod date;
pub(crate) mod decode;
mod layout;
pub(crate) mod lines;
pub(crate) mod number;
mod rules;
#[cfg(test)]
mod tests;
mod typed;

pub(crate) use layout::reader;

/// Reads the file of `spec` (relative to `base`) as rows of `table`.
///
/// # Errors
/// Every fault of the file, in the order of its lines: the first [`Faults::KEPT`] and how many there are.
pub fn read(spec: &SourceSpec, base: &Path, table: &Table) -> Result<Rows, Faults> {
    let name = spec.file.display().to_string();
    let bytes = bytes(spec, &name, &base.join(&spec.file))?;
    read_bytes(spec, &name, &bytes, table)
}

fn bytes(spec: &SourceSpec, name: &str, path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = || {
        Fault::of_file(
            name,
            FaultCause::Unreadable,
            "Le fichier est introuvable ou illisible : vérifiez son chemin et les droits de lecture.",
        )
    };
    let file = File::open(path).map_err(|_| unreadable())?;
    let metadata = file.metadata().map_err(|_| unreadable())?;
    if !metadata.is_file() {
        return Err(unreadable());
    }
    if metadata.len() > spec.max_bytes {
        return Err(too_large(spec, name));
    }
    let mut bytes = Vec::new();
    // One byte beyond the limit tells a file that grew since its size was asked.
    file.take(spec.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| unreadable())?;
    Ok(bytes)
}

fn too_large(spec: &SourceSpec, name: &str) -> Fault {
    Fault::of_file(
        name,
        FaultCause::TooLarge,
        format!(
            "Le fichier dépasse la taille permise ({} Mio) : exportez une seule année, ou relevez max_bytes si c'est voulu.",
            spec.max_bytes / (1024 * 1024)
        ),
    )
}

/// The same from bytes in hand; `name` is what faults call the file.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(spec: &SourceSpec, name: &str, bytes: &[u8], table: &Table) -> Result<Rows, Faults> {
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > spec.max_bytes {
        return Err(too_large(spec, name).into());
    }
    let text = decode::text(spec, name, bytes)?;
    let plan = rules::Plan::new(spec, name, table)?;
    let (separator, header) = layout::find(spec, name, &text, &plan)?;
    cells::rows(name, &text, separator, &header, &plan)
}
