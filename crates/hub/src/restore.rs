//! A hub begins again from a backup, in an empty place.
//!
//! What a copy cannot know is what happened after it, so beginning again does four things besides copying.
//! Acceptance numbers go on far above what may have been given out: a receipt that only a node still holds keeps its
//! number. Invitations that nobody had spent are ended: one may have been spent since, and would serve a second time.
//! Whose access was taken away since cannot be known: the living ones are listed, for a person to look through. And
//! what was accepted since comes back from the nodes by themselves (`recover`).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use model::{Code, CommuneCode, Failure, FailureKind, Timestamp, World};
use store::Location;
use store::hub::{Filled, HubStore, Loading, Restoration, TableShape};
use tokio::sync::mpsc;
use wire::authority::Authority;

use crate::backup::archive::{self, Manifest, TableEntry, damaged, decode_row};
use crate::backup::{FILES, Key, is_inside};
use crate::folder::{HubFolder, write_new};
use crate::{HubConfig, failure};

/// Acceptances that a hub may have made after a copy was taken: at once, and for each second since. A département
/// makes some thousands a year. As they grow with the clock, restoring the same old copy twice does not come back to
/// the same numbers either: nothing but the clock is sure not to have been rolled back.
const AT_ONCE: u64 = 100_000;
const EACH_SECOND: u64 = 10;

/// What was, or would be, restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the archive says of itself.
    pub manifest: Manifest,
    /// Where the database is; without a password.
    pub database: String,
    /// Acceptances go on after this number.
    pub next_number: u64,
    /// How many unspent invitations were ended.
    pub invitations_ended: u64,
    /// Communes whose nodes are living in the copy, with their last contact.
    pub nodes: Vec<(CommuneCode, Option<Timestamp>)>,
    /// Coordinators whose access is living in the copy.
    pub coordinators: Vec<Code>,
    /// Partners whose access is living in the copy.
    pub partners: Vec<Code>,
}

/// Verifies `file` to its end, then makes the hub of it in `folder`, which must be empty, as must be its database:
/// `database` instead of the one of its settings, if given.
///
/// With `dry_run` nothing is written, and the lists of who lives are empty.
pub async fn restore(
    folder: &HubFolder,
    file: &Path,
    key: &Key,
    database: Option<String>,
    dry_run: bool,
    world: &World,
) -> Result<Restored, Failure> {
    let (manifest, files) = contents(file, key).await?;
    let mut config = settings(&files)?;
    let changed = database.is_some();
    if changed {
        config.database = database;
    }
    let final_place = config.location(folder)?;
    let copied = of_the_copy(folder, &files, &final_place);
    empty(folder, &copied)?;
    Loading::refuse_occupied(&final_place).await.map_err(|error| failure::opening(&error, &final_place))?;
    let now = world.clock.now();
    let next_number = next_number(&manifest, now);
    let mut restored = Restored {
        database: final_place.to_string(),
        next_number,
        invitations_ended: 0,
        nodes: Vec::new(),
        coordinators: Vec::new(),
        partners: Vec::new(),
        manifest,
    };
    if dry_run {
        return Ok(restored);
    }
    clear_interrupted(folder, &copied)?;
    // Beside its place until all is there: a folder that holds `hub.toml` is a whole hub.
    let staging = staging(folder);
    let restoration = Restoration {
        restored_at: now,
        backup_at: restored.manifest.taken_at,
        backup_number: restored.manifest.number,
        next_number,
    };
    let location = config.location(&staging)?;
    let done = async {
        for (name, bytes) in &files {
            let bytes = if name == "hub.toml" && changed { config.to_toml().into_bytes() } else { bytes.clone() };
            let secret = Path::new(name).extension().is_some_and(|kind| kind == "key") || name == "hub.toml";
            write_new(&staging.root().join(name), &bytes, secret)?;
        }
        let filled = load(file, key, &location, &restored.manifest, &restoration).await?;
        if let Err(failure) = unveil(&staging, folder) {
            // Nobody may find a full database without its hub.
            if let Err(error) = HubStore::discard(&location).await {
                tracing::error!(%error, "the database that was filled could not be emptied");
            }
            return Err(failure);
        }
        Ok(filled)
    };
    let filled = match done.await {
        Ok(filled) => filled,
        Err(failure) => {
            // Ours alone: the folder was empty.
            clear_interrupted(folder, &copied)?;
            return Err(failure);
        }
    };
    restored.invitations_ended = filled.invitations_ended;
    let store = HubStore::open(&final_place).await.map_err(|error| failure::opening(&error, &final_place))?;
    // Last of all: until here, whoever gives the command again begins anew.
    let since = filled.owned_since.unwrap_or(now);
    if !store.belongs_to(restored.manifest.authority, since).await.map_err(failure::storage)? {
        return Err(failure::foreign_database(&final_place));
    }
    let living = async {
        let nodes = store.nodes().await?.into_iter().filter(|record| record.revoked_at.is_none());
        let coordinators = store.coordinators().await?.into_iter().filter(|record| record.revoked_at.is_none());
        let partners = store.partners().await?.into_iter();
        let partners = partners.filter(|record| record.revoked_at.is_none() && record.ends_at >= now);
        Ok((
            nodes.map(|record| (record.node.provider, record.last_contact)).collect(),
            coordinators.map(|record| record.name).collect(),
            partners.map(|record| record.name).collect(),
        ))
    };
    (restored.nodes, restored.coordinators, restored.partners) = living.await.map_err(failure::storage)?;
    store.close().await;
    tracing::warn!(number = restored.manifest.number, next_number, "restored");
    Ok(restored)
}

fn next_number(manifest: &Manifest, now: Timestamp) -> u64 {
    let since = now.since(manifest.taken_at).as_secs();
    manifest.number.saturating_add(AT_ONCE).saturating_add(since.saturating_mul(EACH_SECOND))
}

/// The manifest, and the files that are not tables.
async fn contents(file: &Path, key: &Key) -> Result<(Manifest, Vec<(String, Vec<u8>)>), Failure> {
    let (file, key) = (file.to_owned(), key.clone());
    let read = move || {
        let mut files = Vec::new();
        let manifest = archive::read(&file, &key, |name, bytes| {
            if !name.starts_with("tables/") {
                files.push((name.to_owned(), bytes.to_vec()));
            }
            Ok(())
        })?;
        if let Some(absent) = FILES.iter().find(|name| files.iter().all(|(known, _)| known != *name)) {
            return Err(damaged(&format!("{absent} is not in it")));
        }
        let text = |name: &str| {
            let found = files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone());
            found.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| damaged("a key does not read"))
        };
        let authority = Authority::from_pem(&text("keys/authority.key")?, &text("keys/authority.pem")?)
            .map_err(|_| damaged("the authority does not read"))?;
        if authority.fingerprint() != manifest.authority {
            return Err(damaged("the authority is not the one of the manifest"));
        }
        Ok((manifest, files))
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| failure::internal("RESTORE", "reading the archive was interrupted"))?
}

fn settings(files: &[(String, Vec<u8>)]) -> Result<HubConfig, Failure> {
    let text = files.iter().find(|(name, _)| name == "hub.toml").and_then(|(_, bytes)| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| damaged("the settings do not read"))?;
    HubConfig::parse(text, Path::new("hub.toml"))
}

fn staging(folder: &HubFolder) -> HubFolder {
    HubFolder::at(folder.root().join(".restoring"))
}

/// Names of what stands directly in the folder of the hub that `files` make, its database included.
fn of_the_copy(folder: &HubFolder, files: &[(String, Vec<u8>)], database: &Location) -> BTreeSet<OsString> {
    let first = |path: &Path| path.iter().next().map(OsString::from);
    let mut all: BTreeSet<OsString> = files.iter().filter_map(|(name, _)| first(Path::new(name))).collect();
    if let Location::Sqlite(path) = database
        && let Ok(inside) = path.strip_prefix(folder.root())
    {
        let with = |end: &str| {
            let mut name = inside.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let forms = [inside.to_owned(), with("-wal"), with("-shm"), inside.with_extension("lock")];
        all.extend(forms.iter().filter_map(|path| first(path)));
    }
    all
}

/// Takes away what an interrupted restoration left. It began in an empty folder and did not come to its end, so nothing
/// of it was ever a hub; what is not of the copy is somebody's, and stays.
fn clear_interrupted(folder: &HubFolder, copied: &BTreeSet<OsString>) -> Result<(), Failure> {
    let staging = staging(folder);
    if !staging.root().exists() || folder.config().exists() {
        return Ok(());
    }
    store::crash::point("restore: clear");
    // The sign that all this is ours goes last.
    for name in copied {
        let path = folder.root().join(name);
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match gone {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failure::file(&path, error)),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::remove_dir_all(staging.root()).map_err(|error| failure::file(staging.root(), error))
}

/// Nothing is ever overwritten.
fn empty(folder: &HubFolder, copied: &BTreeSet<OsString>) -> Result<(), Failure> {
    let root = folder.root();
    let interrupted = staging(folder).root().exists() && !folder.config().exists();
    let ours = |name: OsString| interrupted && (name == ".restoring" || copied.contains(&name));
    let full = match std::fs::read_dir(root) {
        Ok(entries) => entries.flatten().any(|entry| !ours(entry.file_name())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(failure::file(root, error)),
    };
    if full {
        return Err(Failure::new(
            FailureKind::Conflict,
            "HUB_EXISTS",
            format!("{} is not empty", root.display()),
            format!(
                "Le dossier {} n’est pas vide : une restauration n’écrit que dans un dossier vide. Choisissez-en un autre avec --folder ; ne supprimez l’ancien qu’une fois le nouveau centre vérifié.",
                root.display()
            ),
        ));
    }
    Ok(())
}

/// Fills the database in one transaction.
async fn load(
    file: &Path,
    key: &Key,
    location: &Location,
    manifest: &Manifest,
    restoration: &Restoration,
) -> Result<Filled, Failure> {
    let opening = |error| failure::opening(&error, location);
    let mut loading = Loading::begin(location, &manifest.schema).await.map_err(opening)?;
    let (lines, mut read) = mpsc::channel::<(String, String)>(4);
    let (path, key) = (PathBuf::from(file), key.clone());
    let reading = tokio::task::spawn_blocking(move || {
        archive::read(&path, &key, |name, bytes| {
            let Some(part) = name.strip_prefix("tables/") else { return Ok(()) };
            let table = part.split('/').next().unwrap_or_default().to_owned();
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| damaged("a row does not read"))?;
            lines.blocking_send((table, text)).map_err(|_| failure::internal("RESTORE", "the rows are no longer taken"))
        })
    });
    let mut counted: Vec<u64> = vec![0; manifest.tables.len()];
    let mut filled = Ok(());
    'parts: while let Some((name, text)) = read.recv().await {
        let Some(index) = manifest.tables.iter().position(|table| table.name == name) else {
            filled = Err(damaged("a table is not in the manifest"));
            break;
        };
        let TableEntry { name, columns, .. } = manifest.tables[index].clone();
        let shape = TableShape { name, columns };
        for line in text.lines() {
            let inserted = match decode_row(line) {
                Ok(row) => loading.insert(&shape, row).await.map_err(opening),
                Err(failure) => Err(failure),
            };
            if let Err(failure) = inserted {
                filled = Err(failure);
                break 'parts;
            }
            counted[index] += 1;
        }
    }
    drop(read);
    let again = reading.await.map_err(|_| failure::internal("RESTORE", "reading the archive was interrupted"));
    // The file was read twice: nobody may have exchanged it in between.
    let expected: Vec<u64> = manifest.tables.iter().map(|table| table.rows).collect();
    let same = |again: &Manifest| again == manifest && counted == expected;
    let proven = filled
        .and_then(|()| again?)
        .and_then(|again| if same(&again) { Ok(()) } else { Err(damaged("it changed while it was read")) });
    match proven {
        Ok(()) => loading.finish(restoration).await.map_err(opening),
        Err(failure) => {
            if let Err(error) = loading.abandon().await {
                tracing::error!(%error, "the database that was being filled could not be emptied");
            }
            Err(failure)
        }
    }
}

/// Moves everything to its place, the settings last: they make a folder a hub.
fn unveil(staging: &HubFolder, folder: &HubFolder) -> Result<(), Failure> {
    let wrong = |error| failure::file(staging.root(), error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(staging.root()).map_err(wrong)? {
        names.push(entry.map_err(wrong)?.file_name());
    }
    names.sort_by_key(|name| name == "hub.toml");
    for name in names {
        debug_assert!(is_inside(Path::new(&name)), "a name of a folder's listing");
        store::crash::point("restore");
        std::fs::rename(staging.root().join(&name), folder.root().join(&name)).map_err(wrong)?;
    }
    // The hub stands: an empty folder beside it is no reason to say otherwise.
    let _ = std::fs::remove_dir(staging.root());
    Ok(())
}
