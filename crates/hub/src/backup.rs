//! One file that holds the whole hub, taken while it runs, closed to everybody but who holds the key.
//!
//! ```text
//! age                                     encrypted and authenticated: a changed or cut file does not open
//! └ tar                                   what any machine can unpack in twenty years, once decrypted
//!   ├ hub.toml, keys/…, communes.csv      the folder, but for the access of coordinators, which is theirs alone
//!   ├ tables/NAME/000001.jsonl …          rows as JSON, whichever database they came from
//!   └ manifest.json                       last: SHA-256 of everything before it
//! ```
//!
//! The rows are one state of the database, read in one transaction; a hub that goes on accepting is not held up. The
//! same archive fills an SQLite file or a PostgreSQL schema: restoring is also how one changes the database.

pub(crate) mod archive;
mod lock;

use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use model::{Failure, FailureKind, Timestamp, World};
use seal::sha256;
use store::hub::{BackupRecord, HubStore, Snapshot};
use tokio::sync::mpsc;

use crate::folder::{HubFolder, read};
use crate::{HubConfig, failure};

pub use archive::{Entry, Manifest, TableEntry};
pub use lock::{Key, Lock, new_key, unlocked};

use archive::{Part, encode_row};

/// Rows are written in parts of about this many bytes, so that no database has to fit into memory.
const PART: usize = 4 << 20;

/// A backup that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where it is.
    pub file: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
    /// Length of the file in bytes.
    pub length: u64,
}

/// Writes everything of the hub in `folder` into `target`, which must not exist; a folder gets a file named by date.
///
/// # Errors
/// No hub there, a file in the way, a disk that is full. What was half written is removed.
pub async fn backup(folder: &HubFolder, target: &Path, lock: &Lock, world: &World) -> Result<Taken, Failure> {
    let config = HubConfig::load(folder)?;
    let location = config.location(folder)?;
    let authority = folder.authority()?.fingerprint();
    let taken_at = world.clock.now();
    let file = if target.is_dir() { target.join(file_name(taken_at)) } else { target.to_owned() };
    if file.exists() {
        return Err(Failure::new(
            FailureKind::Conflict,
            "BACKUP_EXISTS",
            format!("{} exists", file.display()),
            format!(
                "Le fichier {} existe déjà : une sauvegarde n’en remplace jamais une autre. Donnez un autre nom, ou un dossier (le fichier y sera daté).",
                file.display()
            ),
        ));
    }
    let mut snapshot = Snapshot::open(&location).await.map_err(|error| failure::opening(&error, &location))?;
    let (parts, written) = mpsc::channel(4);
    let (path, lock) = (file.clone(), lock.clone());
    let writing = tokio::task::spawn_blocking(move || archive::write(&path, &lock, written));
    let mut manifest = Manifest::new(taken_at, authority, snapshot.number(), snapshot.schema().to_vec());
    let fed = feed(folder, &config, &mut snapshot, &mut manifest, parts).await;
    snapshot.close().await;
    let ended = writing.await.map_err(|_| failure::internal("BACKUP", "writing the archive was interrupted"))?;
    // If the disk is full, both fail: the writer knows why.
    let length = ended?;
    fed?;
    let record = BackupRecord { taken_at, number: manifest.number, length };
    HubStore::note_backup(&location, &record).await.map_err(failure::storage)?;
    tracing::info!(number = manifest.number, length, "backup taken");
    Ok(Taken { file, manifest, length })
}

/// Opens `file`, reads it to its end and compares every hash: what `restore` would find.
pub async fn verify(file: &Path, key: &Key) -> Result<Manifest, Failure> {
    let (file, key) = (file.to_owned(), key.clone());
    tokio::task::spawn_blocking(move || archive::read(&file, &key, |_, _| Ok(())))
        .await
        .map_err(|_| failure::internal("BACKUP", "reading the archive was interrupted"))?
}

/// `maillage-2026-11-22T140500Z.age`.
fn file_name(at: Timestamp) -> String {
    let seconds = Timestamp::from_micros(at.as_seconds() * 1_000_000).to_string();
    format!("maillage-{}.age", seconds.replace(':', ""))
}

/// Sends everything, the manifest last.
async fn feed(
    folder: &HubFolder,
    config: &HubConfig,
    snapshot: &mut Snapshot,
    manifest: &mut Manifest,
    parts: mpsc::Sender<Part>,
) -> Result<(), Failure> {
    let send = async |manifest: &mut Manifest, name: String, bytes: Vec<u8>| {
        let entry = Entry { sha256: sha256(&bytes), length: bytes.len() as u64, name };
        let part = Part { name: entry.name.clone(), bytes };
        manifest.entries.push(entry);
        parts.send(part).await.map_err(|_| failure::internal("BACKUP", "the archive is no longer written"))
    };
    for (name, path) in kept(folder, config) {
        let bytes = if name == SETTINGS { settings(config, &path)? } else { read(&path)? };
        send(manifest, name, bytes).await?;
    }
    for shape in snapshot.tables() {
        let mut table = TableEntry { name: shape.name.clone(), columns: shape.columns.clone(), rows: 0, parts: 0 };
        let mut rows = snapshot.rows(&shape.name).map_err(failure::storage)?;
        let mut bytes = Vec::new();
        while let Some(row) = rows.next().await {
            encode_row(&mut bytes, &row.map_err(failure::storage)?);
            table.rows += 1;
            if bytes.len() >= PART {
                table.parts += 1;
                send(manifest, table.part(table.parts), std::mem::take(&mut bytes)).await?;
            }
        }
        if !bytes.is_empty() {
            table.parts += 1;
            send(manifest, table.part(table.parts), bytes).await?;
        }
        manifest.tables.push(table);
    }
    let last = Part { name: archive::MANIFEST.to_owned(), bytes: manifest.to_json() };
    parts.send(last).await.map_err(|_| failure::internal("BACKUP", "the archive is no longer written"))
}

/// Files of the folder that a hub cannot begin again without, by their names in it. Not the access folders of
/// coordinators: a private key of a person has no place in a copy; they are made anew.
fn kept(folder: &HubFolder, config: &HubConfig) -> Vec<(String, PathBuf)> {
    let mut kept: Vec<(String, PathBuf)> =
        FILES.iter().map(|name| ((*name).to_owned(), folder.root().join(name))).collect();
    if let Some(communes) = config.communes.as_deref() {
        let name = if is_inside(communes) { communes.to_string_lossy().into_owned() } else { COMMUNES.to_owned() };
        kept.push((name, folder.root().join(communes)));
    }
    for written in [folder.campaign(), folder.visibility(), folder.successions()] {
        if written.is_file() {
            kept.push((folder.relative(&written), written));
        }
    }
    let layouts = std::fs::read_dir(folder.layouts()).into_iter().flatten().flatten();
    let mut layouts: Vec<PathBuf> = layouts.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    layouts.sort();
    kept.extend(layouts.into_iter().map(|path| (folder.relative(&path), path)));
    kept
}

/// The settings as they stand, but for a list of communes that is kept elsewhere: the copy brings it along, and the
/// place from which it came may not be there where the hub begins again.
fn settings(config: &HubConfig, path: &Path) -> Result<Vec<u8>, Failure> {
    if config.communes.as_deref().is_none_or(is_inside) {
        return read(path);
    }
    Ok(HubConfig { communes: Some(COMMUNES.into()), ..config.clone() }.to_toml().into_bytes())
}

const SETTINGS: &str = "hub.toml";
/// The name in the copy of a list of communes from outside the folder.
const COMMUNES: &str = "communes.csv";

/// What every hub has.
pub(crate) const FILES: [&str; 4] = [SETTINGS, "keys/authority.key", "keys/authority.pem", "keys/signing.key"];

/// A path that stays below where it begins.
pub(crate) fn is_inside(path: &Path) -> bool {
    use std::path::Component;
    path.components().all(|part| matches!(part, Component::Normal(_))) && path.components().next().is_some()
}
