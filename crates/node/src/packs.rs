//! The packs on this machine, each as the hub signed it.

use std::collections::BTreeMap;

use methodology::Pack;
use model::{Failure, FailureKind, PackCode};
use seal::PublicKey;
use wire::document::SignedPack;

use crate::{NodeFolder, failure};

/// Verifies and parses every pack of the folder; an altered or unsigned one is refused by name.
pub fn load(folder: &NodeFolder, hub: &[PublicKey]) -> Result<BTreeMap<PackCode, Pack>, Failure> {
    let mut packs = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder.packs()) else { return Ok(packs) };
    for entry in entries {
        let path = entry.map_err(|error| failure::folder(&folder.packs(), &error))?.path();
        if path.extension().is_none_or(|extension| extension != "pack") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| failure::folder(&path, &error))?;
        let pack = open(&bytes, hub).map_err(|mut failure| {
            failure.detail = format!("{}: {}", path.display(), failure.detail);
            failure
        })?;
        packs.insert(pack.code().clone(), pack);
    }
    Ok(packs)
}

/// Verifies the hub's signature, then reads the pack.
pub fn open(bytes: &[u8], hub: &[PublicKey]) -> Result<Pack, Failure> {
    let signed = SignedPack::from_bytes(bytes).map_err(|error| failure::document(&error))?;
    let files = signed.verify(hub).map_err(|error| {
        Failure::new(
            FailureKind::Invalid,
            "PACK_NOT_SIGNED",
            error.to_string(),
            "Un référentiel d’indicateurs n’est pas signé par le centre, ou a été modifié. Il n’est pas utilisé ; demandez-en un nouveau : maillage node join ou maillage node push le retéléchargent.",
        )
    })?;
    Pack::parse(&files.files).map_err(|error| {
        Failure::new(
            FailureKind::Precondition,
            "PACK_UNREADABLE",
            error.to_string(),
            "Un référentiel d’indicateurs du centre ne peut pas être lu par cette version du logiciel. Installez la version la plus récente.",
        )
    })
}

/// Keeps a pack as received.
pub fn keep(folder: &NodeFolder, signed: &SignedPack, code: &PackCode) -> Result<(), Failure> {
    let path = folder.packs().join(format!("{code}.pack"));
    folder.write(&path, &signed.to_bytes(), false).map_err(|error| failure::folder(&path, &error))
}
