//! What an author of packs asks: read a folder, try its worked examples, make the one file that a hub publishes.
//!
//! Needs neither hub nor joined node: nothing here reads a commune's data.

use std::collections::BTreeMap;
use std::path::Path;

use methodology::{Pack, PackError};
use model::{Failure, FailureKind};
pub use tabular::golden::{GoldenResult, run as examples};
use wire::document::PackFiles;

use crate::failure;

/// Most bytes of one file that are read; a pack's own limit is lower and says so.
const MAX_FILE: u64 = 4 << 20;
/// Most files read, and deepest folder.
const MAX_FILES: usize = 1000;
const MAX_DEPTH: usize = 4;

/// The files of a pack: a folder, or the file that [`archive`] made. Hidden files, such as those of an editor, are left out.
///
/// # Errors
/// A place that is not there or not readable, too large, or a file that is no pack.
pub fn files(place: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let refused = |error: &std::io::Error| failure::folder(place, error);
    if std::fs::metadata(place).map_err(|error| refused(&error))?.is_dir() {
        let mut files = BTreeMap::new();
        gather(place, "", 0, &mut files)?;
        return Ok(files);
    }
    let bytes = std::fs::read(place).map_err(|error| refused(&error))?;
    let read = PackFiles::decode(&bytes).map_err(|error| {
        let message = format!(
            "{} n’est ni un dossier de référentiel ni un fichier fait par « maillage pack build ».",
            place.display()
        );
        Failure::new(FailureKind::Invalid, "PACK_UNREADABLE", error.to_string(), message)
    })?;
    Ok(read.files)
}

fn gather(folder: &Path, prefix: &str, depth: usize, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder).map_err(|error| failure::folder(folder, &error))? {
        let entry = entry.map_err(|error| failure::folder(folder, &error))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let facts = std::fs::metadata(&path).map_err(|error| failure::folder(&path, &error))?;
        let inside = format!("{prefix}{name}");
        if depth >= MAX_DEPTH || files.len() >= MAX_FILES || facts.len() > MAX_FILE {
            let message = format!(
                "{} : ce dossier contient trop de fichiers, de sous-dossiers ou un fichier trop grand pour être un référentiel.",
                path.display()
            );
            return Err(Failure::new(FailureKind::Invalid, "PACK_TOO_LARGE", "folder is no pack", message));
        }
        if facts.is_dir() {
            gather(&path, &format!("{inside}/"), depth + 1, files)?;
        } else {
            files.insert(inside, std::fs::read(&path).map_err(|error| failure::folder(&path, &error))?);
        }
    }
    Ok(())
}

/// Proves the pack at `place`.
///
/// # Errors
/// Outside: the files cannot be read. Inside: everything that is wrong with the pack.
pub fn check(place: &Path) -> Result<Result<Pack, Vec<PackError>>, Failure> {
    Ok(Pack::check(&files(place)?))
}

/// The document that a hub signs when it publishes this version: the same bytes for the same files.
///
/// # Errors
/// A worked example that does not hold; too large for the wire.
pub fn archive(pack: &Pack) -> Result<Vec<u8>, Failure> {
    let failed = examples(pack).iter().filter(|result| !result.passed).count();
    if failed > 0 {
        return Err(Failure::new(
            FailureKind::Invalid,
            "PACK_EXAMPLES",
            format!("{failed} golden figures do not hold"),
            format!(
                "{failed} chiffre(s) des cas d’épreuve ne sont pas ceux attendus : « maillage pack test » les montre."
            ),
        ));
    }
    let files =
        PackFiles { code: pack.code().clone(), version: pack.version().to_owned(), files: pack.files().clone() };
    files.encode().map_err(|error| failure::document(&error))
}
