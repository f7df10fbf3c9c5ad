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
    let bytes = bytes(&base.join(&spec.file), &name, spec.max_bytes, || too_large(spec))?;
    read_bytes(spec, &name, &bytes, table)
}

/// A whole file of at most so many bytes; a larger one says what `too_large` says. A pipe is read too, so far.
pub(crate) fn bytes(path: &Path, name: &str, most: u64, too_large: impl FnOnce() -> String) -> Result<Vec<u8>, Fault> {
    let unreadable = || {
        Fault::of_file(
            name,
            FaultCause::Unreadable,
            "Le fichier est introuvable ou illisible : vérifiez son chemin et les droits de lecture.",
        )
    };
    let file = File::open(path).map_err(|_| unreadable())?;
    let metadata = file.metadata().map_err(|_| unreadable())?;
    if metadata.is_dir() {
        return Err(unreadable());
    }
    let mut bytes = Vec::new();
    if metadata.len() <= most {
        // One byte beyond the limit tells a file that grew, or a pipe that does not end.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| unreadable())?;
    }
    if metadata.len() > most || u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(Fault::of_file(name, FaultCause::TooLarge, too_large()));
    }
    Ok(bytes)
}

fn too_large(spec: &SourceSpec) -> String {
    format!(
        "Le fichier dépasse la taille permise ({} Mio) : exportez une seule année, ou relevez max_bytes si c'est voulu.",
        spec.max_bytes / (1024 * 1024)
    )
}

/// The same from bytes in hand; `name` is what faults call the file.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(spec: &SourceSpec, name: &str, bytes: &[u8], table: &Table) -> Result<Rows, Faults> {
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > spec.max_bytes {
        return Err(Fault::of_file(name, FaultCause::TooLarge, too_large(spec)).into());
    }
    let text = decode::text(spec, name, bytes)?;
    let plan = rules::Plan::new(spec, name, table)?;
    let (separator, header) = layout::find(spec, name, &text, &plan)?;
    cells::rows(name, &text, separator, &header, &plan)
}
