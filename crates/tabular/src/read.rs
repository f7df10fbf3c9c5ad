//! Reading a messy file into checked rows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use methodology::Table;

use crate::fault::{Fault, FaultCause, Faults};
use crate::rows::{Cell, Rows};
use crate::source::SourceSpec;
use crate::tally::{Shape, Tally};
use crate::totals::{self, Unfolding};

mod cells;
mod date;
pub(crate) mod decode;
mod layout;
pub(crate) mod lines;
mod memo;
pub(crate) mod number;
pub(crate) mod parallel;
mod promises;
mod records;
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
    let path = base.join(&spec.file);
    // Devices and pipes cannot be opened twice.
    if spec.totals.is_none()
        && std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() >= WORTH_SHARING)
        && let Some(rows) = parallel::read(spec, &name, table, parallel::BLOCK, || File::open(&path).ok())
    {
        return Ok(rows);
    }
    let bytes = bytes(&path, &name, spec.max_bytes, || too_large(spec))?;
    patiently(spec, &name, &bytes, table)
}

/// Smaller files are read before threads have started.
const WORTH_SHARING: u64 = 1 << 18;

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
    patiently(spec, name, bytes, table)
}

/// Row by row, with every fault in its place.
fn patiently(spec: &SourceSpec, name: &str, bytes: &[u8], table: &Table) -> Result<Rows, Faults> {
    let shape = Shape::new(table);
    let mut tally = Tally::new(&shape);
    let (seen, unknown) = if spec.totals.is_some() {
        let mut unfolding = Unfolding::new(table, &shape);
        let mut unfold = |cells: &[Cell<'_>], line| unfolding.push(&mut tally, cells, line);
        let seen = records::read(spec, name, bytes, table, &mut unfold)?;
        let unknown = totals::unknown(table, &seen.given);
        (seen, unknown)
    } else {
        let seen = records::read(spec, name, bytes, table, &mut |cells, line| tally.push(&shape, cells, line))?;
        (seen, BTreeSet::new())
    };
    Ok(Rows {
        table: table.definition_hash(),
        shape,
        tally,
        unfolded: spec.totals.is_some(),
        unknown,
        height: seen.height,
        set_aside: seen.set_aside,
    })
}
