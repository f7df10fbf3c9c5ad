//! Packs as the hub signed them.

use model::{Hash, PackCode, Timestamp};

use super::HubStore;
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

impl HubStore {
    /// Adds a version of a pack. `false` if that version is there with other bytes: a published version never changes.
    pub async fn add_pack(&self, pack: &PackRecord) -> Result<bool, StoreError> {
        retry(|| self.add_pack_once(pack)).await
    }

    async fn add_pack_once(&self, pack: &PackRecord) -> Result<bool, StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("INSERT INTO pack_document (code, version, hash, document, signature, signing_key, added_at) \
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
        tx.commit().await?;
        Ok(kept == pack.hash)
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
