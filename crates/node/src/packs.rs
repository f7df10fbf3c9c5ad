//! The packs on this machine, each as the hub signed it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use methodology::Pack;
use model::{Failure, FailureKind, PackCode};
use seal::PublicKey;
use wire::document::SignedPack;

use crate::{Node, NodeFolder, bundle, failure, sync};

/// Verifies and parses every pack of the folder; an altered or unsigned one is not used.
pub fn load(folder: &NodeFolder, hub: &[PublicKey]) -> Result<BTreeMap<PackCode, Pack>, Failure> {
    let mut packs = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder.packs()) else { return Ok(packs) };
    for entry in entries {
        let path = entry.map_err(|error| failure::folder(&folder.packs(), &error))?.path();
        if path.extension().is_none_or(|extension| extension != "pack") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| failure::folder(&path, &error))?;
        // A damaged or unsigned file must not close the node: `refresh` replaces it.
        match open(&bytes, hub) {
            Ok(pack) => drop(packs.insert(pack.code().clone(), pack)),
            Err(failure) => tracing::warn!(path = %path.display(), reason = %failure.reason, "pack not used"),
        }
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
            "Un référentiel d’indicateurs n’est pas signé par le centre, ou a été modifié. Il n’est pas utilisé ; « maillage node preview » en télécharge un nouveau quand le centre est joignable.",
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

/// Fetches the packs that the hub has and this machine has not, or not in this version; each is verified before it is
/// kept. Gives their titles. An open node works on with the packs it read: open it again to use them.
pub async fn refresh(node: &Node) -> Result<Vec<String>, Failure> {
    let client = sync::connect(node).await?;
    let keys = node.hub_keys()?;
    let mut titles = Vec::new();
    let offer = client.offer().await.map_err(|error| failure::network(&error))?;
    bundle::keep_sealing_key(node.folder(), offer.sealing_key.as_ref(), &keys);
    for summary in offer.packs {
        let kept = std::fs::read(path(node.folder(), &summary.code)).ok();
        let same = kept
            .and_then(|bytes| SignedPack::from_bytes(&bytes).ok())
            .is_some_and(|kept| kept.hash() == summary.hash && kept.verify(&keys).is_ok());
        if same {
            continue;
        }
        let signed = client.pack(&summary.code).await.map_err(|error| failure::network(&error))?;
        let pack = open(&signed.to_bytes(), &keys)?;
        keep(node.folder(), &signed, &summary.code)?;
        titles.push(format!("{} {}", pack.title(), pack.version()));
    }
    Ok(titles)
}

fn path(folder: &NodeFolder, code: &PackCode) -> PathBuf {
    folder.packs().join(format!("{code}.pack"))
}

/// Keeps a pack as received.
fn keep(folder: &NodeFolder, signed: &SignedPack, code: &PackCode) -> Result<(), Failure> {
    let path = path(folder, code);
    folder.write(&path, &signed.to_bytes(), false).map_err(|error| failure::folder(&path, &error))
}
