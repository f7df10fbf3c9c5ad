//! The packs on this machine, each as the hub signed it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use methodology::{Pack, diff, is_later};
use model::{Failure, FailureKind, Hash, PackCode};
use seal::PublicKey;
use wire::client::PackSummary;
use wire::document::SignedPack;

use crate::folder::Held;
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

/// A version that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which pack.
    pub code: PackCode,
    /// French title.
    pub title: String,
    /// `1.1.0`.
    pub version: String,
    /// What it changes against the version that was here, in French lines; empty for a new pack.
    pub changes: String,
}

impl Received {
    /// Title and version.
    pub fn named(&self) -> String {
        format!("{} {}", self.title, self.version)
    }
}

/// What the hub had for this machine.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Taken into use.
    pub received: Vec<Received>,
    /// Not taken, and why: the versions that were here go on to be used.
    pub refused: Vec<Failure>,
}

impl Fetched {
    /// French lines for a person: what came, what it changes, what was not taken.
    pub fn french(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for one in &self.received {
            lines.push(format!("Nouveau référentiel reçu : {}.", one.named()));
            lines.extend(one.changes.lines().map(str::to_owned));
        }
        lines.extend(self.refused.iter().map(|failure| failure.message.clone()));
        lines
    }
}

/// Fetches the packs that the hub has and this machine has not, or not in this version. An open node works on with the
/// packs it read: open it again to use them.
///
/// Each is verified before it is kept; an unsigned, altered or older one is not taken, and the one that is here stays.
///
/// # Errors
/// `NODE_BUSY` if another command works on the folder.
pub async fn refresh(node: &Node) -> Result<Fetched, Failure> {
    let held = node.folder().hold().await?;
    fetch(node, &held).await
}

/// The same, for whoever holds the folder. The node must have heard first with which keys the hub signs now:
/// [`sync::bring_together`].
pub(crate) async fn fetch(node: &Node, _: &Held) -> Result<Fetched, Failure> {
    let client = sync::connect(node).await?;
    let keys = node.hub_keys()?;
    let offer = client.offer().await.map_err(|error| failure::network(&error))?;
    bundle::keep_sealing_key(node.folder(), offer.sealing_key.as_ref(), &keys);
    let mut fetched = Fetched::default();
    for summary in offer.packs {
        let seen = node.store().pack_seen(&summary.code).await.map_err(|error| failure::storage(&error))?;
        let here = Here::read(node.folder(), &summary.code, &keys, seen);
        match here.stands_to(&summary) {
            Stands::Same => {}
            Stands::Later => fetched.refused.push(older(&here, &summary)),
            Stands::Wants => {
                let signed = client.pack(&summary.code, None).await.map_err(|error| failure::network(&error))?;
                match sound(&here, &summary, &signed, &keys) {
                    Ok(received) => {
                        // Noted first: if the file is not written after all, the next contact brings this version again.
                        let noted = node.store().note_pack(&summary.code, &received.version).await;
                        noted.map_err(|error| failure::storage(&error))?;
                        keep(node.folder(), &signed, &summary.code)?;
                        fetched.received.push(received);
                    }
                    Err(failure) => fetched.refused.push(until_then(failure, &here, &summary)),
                }
            }
        }
    }
    Ok(fetched)
}

/// What is on this machine.
struct Here {
    /// If there is one that the hub signed.
    kept: Option<(SignedPack, Pack)>,
    /// The latest version that was ever used here, whatever became of its file.
    seen: Option<String>,
}

/// How it stands to what the hub offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Same,
    /// This machine was further already: figures would silently mean what they meant before.
    Later,
    Wants,
}

impl Here {
    fn read(folder: &NodeFolder, code: &PackCode, keys: &[PublicKey], seen: Option<String>) -> Self {
        let bytes = std::fs::read(path(folder, code)).ok();
        let kept = bytes.and_then(|bytes| Some((SignedPack::from_bytes(&bytes).ok()?, open(&bytes, keys).ok()?)));
        Self { kept, seen }
    }

    fn stands_to(&self, offered: &PackSummary) -> Stands {
        match &self.kept {
            Some((signed, _)) if signed.hash() == offered.hash => Stands::Same,
            Some((_, pack)) if !is_later(&offered.version, pack.version()) => Stands::Later,
            Some(_) | None if self.seen.as_ref().is_some_and(|seen| is_later(seen, &offered.version)) => Stands::Later,
            Some(_) | None => Stands::Wants,
        }
    }

    /// The version that the hub's is compared with.
    fn version(&self) -> &str {
        match (&self.kept, &self.seen) {
            (_, Some(seen)) => seen,
            (Some((_, pack)), None) => pack.version(),
            (None, None) => "",
        }
    }
}

/// Verifies what the hub gave, and compares it with what is here.
fn sound(here: &Here, offered: &PackSummary, signed: &SignedPack, keys: &[PublicKey]) -> Result<Received, Failure> {
    let pack = open(&signed.to_bytes(), keys)?;
    // Between the list and the answer a later version may have come; anything else is another pack under this name.
    if *pack.code() != offered.code
        || (pack.version() != offered.version && !is_later(pack.version(), &offered.version))
    {
        return Err(Failure::new(
            FailureKind::Invalid,
            "PACK_OTHER",
            format!("asked for {} {}, got {} {}", offered.code, offered.version, pack.code(), pack.version()),
            format!(
                "Le centre a répondu par un autre référentiel que « {} {} ». Il n’est pas utilisé ; prévenez l’administrateur du centre.",
                offered.code, offered.version
            ),
        ));
    }
    let changes = here.kept.as_ref().map_or_else(String::new, |(_, before)| {
        diff(before, &pack).changes.iter().map(|change| change.french(before, &pack)).collect::<Vec<_>>().join("\n")
    });
    Ok(Received {
        code: offered.code.clone(),
        title: pack.title().to_owned(),
        version: pack.version().to_owned(),
        changes,
    })
}

fn older(here: &Here, offered: &PackSummary) -> Failure {
    let version = here.version();
    Failure::new(
        FailureKind::Conflict,
        "PACK_OLDER",
        format!("the hub offers {} {}, {version} is here", offered.code, offered.version),
        format!(
            "Le centre propose la version {} du référentiel « {} », qui n’est pas plus récente que celle de ce poste ({version}) et en diffère. Elle n’est pas utilisée ; prévenez l’administrateur du centre : une sauvegarde ancienne a peut-être été restaurée.",
            offered.version, offered.title
        ),
    )
}

/// A version that cannot be used leaves the former one, as long as the hub takes it.
fn until_then(failure: Failure, here: &Here, offered: &PackSummary) -> Failure {
    let version = here.kept.as_ref().map(|(_, pack)| pack.version());
    let until = offered.former.as_ref().filter(|(former, _)| Some(former.as_str()) == version).map(|(_, until)| *until);
    let Some((version, until)) = version.zip(until) else { return failure };
    let message = format!(
        "{} En attendant, ce poste suit la version {version} de « {} », que le centre accepte jusqu’au {}.",
        failure.message,
        offered.title,
        render::date::day(until)
    );
    Failure { message, ..failure }
}

/// What is on this machine, used or not.
pub(crate) fn hashes(folder: &NodeFolder) -> Vec<Hash> {
    let files = std::fs::read_dir(folder.packs()).into_iter().flatten().flatten();
    let packs = files.filter_map(|entry| SignedPack::from_bytes(&std::fs::read(entry.path()).ok()?).ok());
    packs.map(|pack| pack.hash()).collect()
}

fn path(folder: &NodeFolder, code: &PackCode) -> PathBuf {
    folder.packs().join(format!("{code}.pack"))
}

/// Keeps a pack as received.
fn keep(folder: &NodeFolder, signed: &SignedPack, code: &PackCode) -> Result<(), Failure> {
    let path = path(folder, code);
    folder.write(&path, &signed.to_bytes(), false).map_err(|error| failure::folder(&path, &error))
}
