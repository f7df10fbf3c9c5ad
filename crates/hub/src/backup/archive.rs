//! The file itself: a tar within age, written whole or not at all, read to its last byte.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use model::{Failure, FailureKind, Hash, Timestamp};
use seal::sha256;
use serde::{Deserialize, Serialize};
use store::hub::Value;
use tokio::sync::mpsc;

use super::lock::{Key, Lock};
use crate::failure;

/// The last entry.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The number of this form; a reader refuses those that it does not know.
const FORMAT: u32 = 1;
/// The largest row holds a document of 32 MiB in base64; a part ends at the first row beyond 4 MiB.
const LARGEST: u64 = 64 << 20;

/// What an archive holds, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// When the copy was taken.
    pub taken_at: Timestamp,
    /// SHA-256 of the authority's certificate: what invitations carry.
    pub authority: Hash,
    /// The last acceptance number.
    pub number: u64,
    /// The program that took it.
    pub program: String,
    /// The migrations of the database.
    pub schema: Vec<i64>,
    /// Everything in the archive but the manifest, in order.
    pub entries: Vec<Entry>,
    /// The tables, each after those that it refers to.
    pub tables: Vec<TableEntry>,
}

/// One file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// How many these are.
    pub length: u64,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// Its columns, in the order in which rows hold them.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// In how many parts.
    pub parts: u32,
}

impl TableEntry {
    pub(super) fn part(&self, number: u32) -> String {
        format!("tables/{}/{number:06}.jsonl", self.name)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    program: String,
    taken_at: String,
    taken_at_micros: i64,
    authority: String,
    number: u64,
    schema: Vec<i64>,
    entries: Vec<WrittenEntry>,
    tables: Vec<TableEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    name: String,
    sha256: String,
    length: u64,
}

impl Manifest {
    pub(super) fn new(taken_at: Timestamp, authority: Hash, number: u64, schema: Vec<i64>) -> Self {
        let program = concat!("maillage ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { taken_at, authority, number, program, schema, entries: Vec::new(), tables: Vec::new() }
    }

    /// How many rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let entry = |entry: &Entry| WrittenEntry {
            name: entry.name.clone(),
            sha256: entry.sha256.to_string(),
            length: entry.length,
        };
        let written = Written {
            format: FORMAT,
            program: self.program.clone(),
            taken_at: self.taken_at.to_string(),
            taken_at_micros: self.taken_at.as_micros(),
            authority: self.authority.to_string(),
            number: self.number,
            schema: self.schema.clone(),
            entries: self.entries.iter().map(entry).collect(),
            tables: self.tables.clone(),
        };
        serde_json::to_vec_pretty(&written).expect("texts and numbers always become JSON")
    }

    fn from_json(bytes: &[u8]) -> Result<Self, Failure> {
        let written: Written = serde_json::from_slice(bytes).map_err(|_| damaged("the manifest does not read"))?;
        if written.format != FORMAT {
            return Err(Failure::new(
                FailureKind::Precondition,
                "BACKUP_FORMAT",
                format!("archive format {}", written.format),
                "Cette sauvegarde a été faite par une version plus récente : installez-la pour restaurer.",
            ));
        }
        let hash = |text: &str| text.parse::<Hash>().map_err(|_| damaged("a hash of the manifest does not read"));
        let entry =
            |entry: WrittenEntry| Ok(Entry { sha256: hash(&entry.sha256)?, name: entry.name, length: entry.length });
        Ok(Self {
            taken_at: Timestamp::from_micros(written.taken_at_micros),
            authority: hash(&written.authority)?,
            number: written.number,
            program: written.program,
            schema: written.schema,
            entries: written.entries.into_iter().map(entry).collect::<Result<_, Failure>>()?,
            tables: written.tables,
        })
    }
}

/// One file on its way into the archive.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Writes the parts as they come into a private file beside `path`, which takes its name once everything is on the
/// disk. Gives the length. If the parts end before the manifest, nothing stays.
pub(super) fn write(path: &Path, lock: &Lock, parts: mpsc::Receiver<Part>) -> Result<u64, Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = fill(&beside, lock, parts).and_then(|length| {
        store::crash::point("backup");
        std::fs::rename(&beside, path).and_then(|()| sync_parent(path)).map_err(|error| failure::file(path, error))?;
        Ok(length)
    });
    if written.is_err() {
        // It may not be there at all.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn fill(beside: &Path, lock: &Lock, mut parts: mpsc::Receiver<Part>) -> Result<u64, Failure> {
    let wrong = |error: io::Error| failure::file(beside, error);
    match std::fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(beside).map_err(wrong)?;
    let closed = lock.encryptor()?.wrap_output(BufWriter::new(file)).map_err(wrong)?;
    let mut tar = tar::Builder::new(closed);
    let mut whole = false;
    while let Some(part) = parts.blocking_recv() {
        let mut header = tar::Header::new_gnu();
        header.set_size(part.bytes.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, &part.name, part.bytes.as_slice()).map_err(wrong)?;
        whole = part.name == MANIFEST;
    }
    if !whole {
        return Err(failure::internal("BACKUP", "the archive ended before its manifest"));
    }
    let mut file = tar.into_inner().and_then(age::stream::StreamWriter::finish).map_err(wrong)?;
    file.flush().map_err(wrong)?;
    let file = file.into_inner().map_err(|error| wrong(error.into_error()))?;
    file.sync_all().map_err(wrong)?;
    file.metadata().map(|metadata| metadata.len()).map_err(wrong)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Reads the whole archive; `visit` gets each entry but the manifest, in order. Nothing it was given is proven before
/// this returns: what cannot be undone waits until then.
pub(crate) fn read(
    path: &Path,
    key: &Key,
    mut visit: impl FnMut(&str, &[u8]) -> Result<(), Failure>,
) -> Result<Manifest, Failure> {
    let file = File::open(path).map_err(|error| failure::file(path, error))?;
    let open = key.open(BufReader::new(file)).map_err(|error| not_opened(&error))?;
    let mut tar = tar::Archive::new(open);
    let mut seen: Vec<Entry> = Vec::new();
    let mut manifest = None;
    let broken = |_: io::Error| damaged("it is cut off or changed");
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let length = entry.size();
        if manifest.is_some() || length > LARGEST {
            return Err(damaged("an entry is larger than any may be, or follows the manifest"));
        }
        let name = entry.path().ok().and_then(|name| name.to_str().map(str::to_owned));
        let name = name
            .filter(|name| super::is_inside(Path::new(name)))
            .ok_or_else(|| damaged("an entry has no proper name"))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if name == MANIFEST {
            manifest = Some(Manifest::from_json(&bytes)?);
        } else {
            seen.push(Entry { sha256: sha256(&bytes), length, name });
            visit(&seen[seen.len() - 1].name, &bytes)?;
        }
    }
    // To the last byte: only there does age say that nothing was cut off.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(broken)?;
    let manifest = manifest.ok_or_else(|| damaged("it has no manifest"))?;
    if manifest.entries != seen {
        return Err(damaged("an entry is not what the manifest says"));
    }
    Ok(manifest)
}

fn not_opened(error: &age::DecryptError) -> Failure {
    use age::DecryptError as E;
    match error {
        E::NoMatchingKeys | E::DecryptionFailed | E::KeyDecryptionFailed => Failure::new(
            FailureKind::Denied,
            "BACKUP_KEY_WRONG",
            "this key or passphrase does not open the archive",
            "Cette clé ou cette phrase secrète n’ouvre pas la sauvegarde. Vérifiez que c’est celle de ce centre.",
        ),
        E::ExcessiveWork { .. } => Failure::new(
            FailureKind::Invalid,
            "BACKUP_KEY_WORK",
            "the archive asks for more work than this program does for a passphrase",
            "Cette sauvegarde n’a pas été faite par Maillage : l’ouvrir demanderait un calcul démesuré.",
        ),
        // A foreign enum that grows; whatever else there is, nothing was opened.
        _ => damaged("its head does not read"),
    }
}

pub(crate) fn damaged(detail: &str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "BACKUP_DAMAGED",
        format!("archive: {detail}"),
        "Ce fichier de sauvegarde est abîmé, incomplet, ou n’en est pas un : rien n’a été restauré. Prenez-en une autre copie.",
    )
}

/// Adds one row as a line of JSON. Bytes become `{"b64": …}`.
pub(super) fn encode_row(line: &mut Vec<u8>, row: &[Value]) {
    let value = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => {
            let text = serde_json::Value::String(BASE64.encode(bytes));
            serde_json::Value::Object([("b64".to_owned(), text)].into_iter().collect())
        }
    };
    let values: Vec<serde_json::Value> = row.iter().map(value).collect();
    serde_json::to_writer(&mut *line, &values).expect("values in memory always become JSON");
    line.push(b'\n');
}

/// Reads such a line.
pub(crate) fn decode_row(line: &str) -> Result<Vec<Value>, Failure> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Cell {
        Null(()),
        Integer(i64),
        Text(String),
        Bytes(BTreeMap<String, String>),
    }
    let wrong = || damaged("a row does not read");
    let cells: Vec<Cell> = serde_json::from_str(line).map_err(|_| wrong())?;
    cells
        .into_iter()
        .map(|cell| {
            Ok(match cell {
                Cell::Null(()) => Value::Null,
                Cell::Integer(number) => Value::Integer(number),
                Cell::Text(text) => Value::Text(text),
                Cell::Bytes(map) => {
                    let text = map.get("b64").ok_or_else(wrong)?;
                    Value::Bytes(BASE64.decode(text.as_bytes()).map_err(|_| wrong())?)
                }
            })
        })
        .collect()
}
