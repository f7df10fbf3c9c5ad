//! Packs as the hub signed them.

use model::{Hash, PackCode, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::StoreError;
use crate::db::{Row, retry};

/// One version of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRecord {
    /// Its code.
    pub code: PackCode,
    /// `1.0.0`.
    pub version: String,
    /// SHA-256 of its canonical bytes.
    pub hash: Hash,
    /// These bytes.
    pub document: Vec<u8>,
    /// The hub's signature of these bytes.
    pub signature: Vec<u8>,
    /// SHA-256 of the hub's public key.
    pub signing_key: Hash,
    /// When it was added.
    pub added_at: Timestamp,
}

/// The versions of a pack that figures are taken under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackLine {
    /// Which pack.
    pub code: PackCode,
    /// The version to compute with.
    pub version: String,
    /// The one before it, while it is still taken.
    pub former: Option<FormerVersion>,
}

/// A version that another one followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerVersion {
    /// `1.0.0`.
    pub version: String,
    /// The last instant at which figures are taken under it.
    pub until: Timestamp,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackPublication {
    /// Version and line are as asked for.
    Done,
    /// That version is there with other bytes: a published version never changes.
    OtherBytes,
    /// Another publication came first: the line is not the expected one.
    Overtaken,
}

impl HubStore {
    /// Adds a version of a pack and moves the pack's line to it, if the line is still `expected`; both or none.
    pub async fn publish_pack(
        &self,
        pack: &PackRecord,
        line: &PackLine,
        expected: Option<&PackLine>,
    ) -> Result<PackPublication, StoreError> {
        retry(|| self.publish_pack_once(pack, line, expected)).await
    }

    async fn publish_pack_once(
        &self,
        pack: &PackRecord,
        line: &PackLine,
        expected: Option<&PackLine>,
    ) -> Result<PackPublication, StoreError> {
        let mut tx = self.db.begin_write().await?;
        let added = tx
            .q("INSERT INTO pack_document (code, version, hash, document, signature, signing_key, added_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code, version) DO NOTHING")
            .bind(pack.code.as_str())
            .bind(pack.version.as_str())
            .bind(pack.hash.to_string())
            .bind(pack.document.as_slice())
            .bind(pack.signature.as_slice())
            .bind(pack.signing_key.to_string())
            .bind(pack.added_at.as_micros())
            .exec()
            .await?;
        let kept: Hash = tx
            .q("SELECT hash FROM pack_document WHERE code = $1 AND version = $2")
            .bind(pack.code.as_str())
            .bind(pack.version.as_str())
            .one(|row| row.parsed(0, "pack hash"))
            .await?;
        if kept != pack.hash {
            return Ok(PackPublication::OtherBytes);
        }
        let known = tx
            .q("SELECT code, version, former, former_until FROM pack_line WHERE code = $1")
            .bind(line.code.as_str())
            .opt(read_line)
            .await?;
        if known.as_ref() != expected {
            return Ok(PackPublication::Overtaken);
        }
        if added == 0 && known.as_ref() == Some(line) {
            // Every opening asks for what the program brings: nothing is done, and nothing told.
            return Ok(PackPublication::Done);
        }
        tx.q("INSERT INTO pack_line (code, version, former, former_until, changed_at) VALUES ($1, $2, $3, $4, $5) \
              ON CONFLICT (code) DO UPDATE SET version = excluded.version, former = excluded.former, \
              former_until = excluded.former_until, changed_at = excluded.changed_at")
            .bind(line.code.as_str())
            .bind(line.version.as_str())
            .bind(line.former.as_ref().map(|former| former.version.as_str()))
            .bind(line.former.as_ref().map(|former| former.until.as_micros()))
            .bind(pack.added_at.as_micros())
            .exec()
            .await?;
        let event = Event {
            what: "pack_published",
            who: Who::Operator,
            at: pack.added_at,
            about: vec![
                ("pack", pack.code.to_string()),
                ("version", pack.version.clone()),
                ("hash", pack.hash.to_string()),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(PackPublication::Done)
    }

    /// Every pack's line, by code.
    pub async fn pack_lines(&self) -> Result<Vec<PackLine>, StoreError> {
        self.db.q("SELECT code, version, former, former_until FROM pack_line ORDER BY code").all(read_line).await
    }

    /// Every version of a pack that was ever published here, in no order of meaning.
    pub async fn pack_versions(&self, code: &PackCode) -> Result<Vec<String>, StoreError> {
        self.db
            .q("SELECT version FROM pack_document WHERE code = $1 ORDER BY version")
            .bind(code.as_str())
            .all(|row| row.get(0))
            .await
    }

    /// One version of a pack.
    pub async fn pack(&self, code: &PackCode, version: &str) -> Result<Option<PackRecord>, StoreError> {
        self.db
            .q("SELECT code, version, hash, document, signature, signing_key, added_at FROM pack_document \
                WHERE code = $1 AND version = $2")
            .bind(code.as_str())
            .bind(version)
            .opt(read_pack)
            .await
    }
}

fn read_pack(row: &Row) -> Result<PackRecord, StoreError> {
    Ok(PackRecord {
        code: row.parsed(0, "pack")?,
        version: row.get(1)?,
        hash: row.parsed(2, "pack hash")?,
        document: row.get(3)?,
        signature: row.get(4)?,
        signing_key: row.parsed(5, "key id")?,
        added_at: row.time(6)?,
    })
}

fn read_line(row: &Row) -> Result<PackLine, StoreError> {
    let former: Option<String> = row.get(2)?;
    let until = row.time_opt(3)?;
    let former = former.zip(until).map(|(version, until)| FormerVersion { version, until });
    Ok(PackLine { code: row.parsed(0, "pack")?, version: row.get(1)?, former })
}
