//! Reading what was accepted.

use std::collections::BTreeSet;

use model::{CommuneCode, Hash, PackCode, Period, Slice, SubmissionId, TableCode, Timestamp};

use super::HubStore;
use super::accept::{SliceAudiences, SliceState};
use crate::db::{Row, integer};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// One accepted document, with or without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionRecord {
    /// Its id.
    pub id: SubmissionId,
    /// The hub's acceptance number.
    pub number: u64,
    /// Whose it is.
    pub provider: CommuneCode,
    /// What it asked for.
    pub kind: DocumentKind,
    /// SHA-256 of its bytes; stays after a purge.
    pub document_hash: Hash,
    /// Length of its bytes; 0 once purged.
    pub length: u64,
    /// The provider's signature of its bytes; for a purge, of the bytes destroyed.
    pub signature: Vec<u8>,
    /// The key that made it, 32 bytes.
    pub signing_key: Vec<u8>,
    /// The hub's receipt.
    pub receipt: SealedReceipt,
    /// When.
    pub accepted_at: Timestamp,
}

/// One place in a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// 1, 2, 3, … without a gap.
    pub sequence: u64,
    /// What stands there.
    pub submission: SubmissionRecord,
}

/// The end of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last sequence number; 0 if the ledger is empty.
    pub sequence: u64,
    /// SHA-256 of the last receipt.
    pub receipt: Option<Hash>,
}

/// Which document fills a slice now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentSlice {
    /// Which slice.
    pub slice: Slice,
    /// The document that moved it last.
    pub submission: SubmissionId,
    /// What it holds.
    pub state: SliceState,
    /// How often it moved.
    pub version: u64,
}

/// One version of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceVersion {
    /// 1, 2, 3, …
    pub version: u64,
    /// The document that made it.
    pub submission: SubmissionId,
    /// What it held.
    pub state: SliceState,
    /// When.
    pub changed_at: Timestamp,
}

impl HubStore {
    /// The document with this id, without its bytes.
    pub async fn submission(&self, id: SubmissionId) -> Result<Option<SubmissionRecord>, StoreError> {
        self.db
            .q("SELECT id, number, provider, kind, document_hash, document_length, signature, signing_key, receipt, \
                receipt_signature, receipt_key, accepted_at FROM submission WHERE id = $1")
            .bind(id.to_string())
            .opt(|row| read_submission(row, 0))
            .await
    }

    /// The bytes of a document as signed; `None` if it is unknown or purged.
    pub async fn document(&self, id: SubmissionId) -> Result<Option<Vec<u8>>, StoreError> {
        let document = self
            .db
            .q("SELECT document FROM submission WHERE id = $1")
            .bind(id.to_string())
            .opt(|row| row.get::<Option<Vec<u8>>>(0))
            .await?;
        Ok(document.flatten())
    }

    /// Territories whose ledgers hold the document, ascending.
    pub async fn territories_of(&self, id: SubmissionId) -> Result<Vec<CommuneCode>, StoreError> {
        self.db
            .q("SELECT territory FROM ledger_link WHERE submission = $1 ORDER BY territory")
            .bind(id.to_string())
            .all(|row| row.parsed(0, "territory"))
            .await
    }

    /// The end of a ledger.
    pub async fn head(&self, territory: CommuneCode) -> Result<Head, StoreError> {
        let head = self
            .db
            .q("SELECT l.sequence, s.receipt_hash FROM ledger_link l JOIN submission s ON s.id = l.submission \
                WHERE l.territory = $1 ORDER BY l.sequence DESC LIMIT 1")
            .bind(territory.as_str())
            .opt(|row| Ok(Head { sequence: row.count(0, "sequence")?, receipt: row.parsed_opt(1, "receipt hash")? }))
            .await?;
        Ok(head.unwrap_or(Head { sequence: 0, receipt: None }))
    }

    /// At most `limit` entries of a ledger after sequence number `after`, oldest first.
    pub async fn ledger(&self, territory: CommuneCode, after: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        self.db
            .q("SELECT l.sequence, s.id, s.number, s.provider, s.kind, s.document_hash, s.document_length, \
                s.signature, s.signing_key, s.receipt, s.receipt_signature, s.receipt_key, s.accepted_at \
                FROM ledger_link l JOIN submission s ON s.id = l.submission \
                WHERE l.territory = $1 AND l.sequence > $2 ORDER BY l.sequence LIMIT $3")
            .bind(territory.as_str())
            .bind(integer(after.min(u64::MAX >> 1))?)
            .bind(i64::from(limit))
            .all(|row| Ok(LedgerEntry { sequence: row.count(0, "sequence")?, submission: read_submission(row, 1)? }))
            .await
    }

    /// The current pointers of one table and period, one per territory that ever sent it, ascending.
    pub async fn current(
        &self,
        pack: &PackCode,
        table: &TableCode,
        period: Period,
    ) -> Result<Vec<CurrentSlice>, StoreError> {
        self.db
            .q("SELECT territory, pack, table_code, period, submission, state, version FROM slice_current \
                WHERE pack = $1 AND table_code = $2 AND period = $3 ORDER BY territory")
            .bind(pack.as_str())
            .bind(table.as_str())
            .bind(period.to_string())
            .all(read_current)
            .await
    }

    /// All current pointers of one territory.
    pub async fn current_of(&self, territory: CommuneCode) -> Result<Vec<CurrentSlice>, StoreError> {
        self.db
            .q("SELECT territory, pack, table_code, period, submission, state, version FROM slice_current \
                WHERE territory = $1 ORDER BY pack, table_code, period")
            .bind(territory.as_str())
            .all(read_current)
            .await
    }

    /// The current pointer of one slice.
    pub async fn slice(&self, slice: &Slice) -> Result<Option<CurrentSlice>, StoreError> {
        self.db
            .q("SELECT territory, pack, table_code, period, submission, state, version FROM slice_current \
                WHERE territory = $1 AND pack = $2 AND table_code = $3 AND period = $4")
            .bind(slice.territory.as_str())
            .bind(slice.pack.as_str())
            .bind(slice.table.as_str())
            .bind(slice.period.to_string())
            .opt(read_current)
            .await
    }

    /// What communes said of who may be shown one table and period, ascending by territory. Who said nothing is not in it.
    pub async fn shared(
        &self,
        pack: &PackCode,
        table: &TableCode,
        period: Period,
    ) -> Result<Vec<SliceAudiences>, StoreError> {
        self.db
            .q("SELECT territory, pack, table_code, period, audiences FROM slice_audience \
                WHERE pack = $1 AND table_code = $2 AND period = $3 ORDER BY territory")
            .bind(pack.as_str())
            .bind(table.as_str())
            .bind(period.to_string())
            .all(read_shared)
            .await
    }

    /// What was said of one territory's slices.
    pub async fn shared_of(&self, territory: CommuneCode) -> Result<Vec<SliceAudiences>, StoreError> {
        self.db
            .q("SELECT territory, pack, table_code, period, audiences FROM slice_audience \
                WHERE territory = $1 ORDER BY pack, table_code, period")
            .bind(territory.as_str())
            .all(read_shared)
            .await
    }

    /// Every version a slice ever had, oldest first.
    pub async fn history(&self, slice: &Slice) -> Result<Vec<SliceVersion>, StoreError> {
        self.db
            .q("SELECT version, submission, state, changed_at FROM slice_history \
                WHERE territory = $1 AND pack = $2 AND table_code = $3 AND period = $4 ORDER BY version")
            .bind(slice.territory.as_str())
            .bind(slice.pack.as_str())
            .bind(slice.table.as_str())
            .bind(slice.period.to_string())
            .all(|row| {
                Ok(SliceVersion {
                    version: row.count(0, "version")?,
                    submission: row.parsed(1, "submission id")?,
                    state: row.parsed(2, "slice state")?,
                    changed_at: row.time(3)?,
                })
            })
            .await
    }

    /// Every slice that a document ever moved. It stays known when the bytes are destroyed.
    pub async fn moved_by(&self, id: SubmissionId) -> Result<BTreeSet<Slice>, StoreError> {
        let moved = self
            .db
            .q("SELECT territory, pack, table_code, period FROM slice_history WHERE submission = $1")
            .bind(id.to_string())
            .all(|row| read_slice(row, 0))
            .await?;
        Ok(moved.into_iter().collect())
    }

    /// The last acceptance number: replicas that read the same number know the same.
    pub async fn number(&self) -> Result<u64, StoreError> {
        self.db.q("SELECT number FROM counter WHERE id = 1").one(|row| row.count(0, "number")).await
    }
}

fn read_submission(row: &Row, first: usize) -> Result<SubmissionRecord, StoreError> {
    Ok(SubmissionRecord {
        id: row.parsed(first, "submission id")?,
        number: row.count(first + 1, "number")?,
        provider: row.parsed(first + 2, "provider")?,
        kind: row.parsed(first + 3, "document kind")?,
        document_hash: row.parsed(first + 4, "document hash")?,
        length: row.count(first + 5, "length")?,
        signature: row.get(first + 6)?,
        signing_key: row.get(first + 7)?,
        receipt: SealedReceipt {
            document: row.get(first + 8)?,
            signature: row.get(first + 9)?,
            key: row.parsed(first + 10, "receipt key")?,
        },
        accepted_at: row.time(first + 11)?,
    })
}

fn read_current(row: &Row) -> Result<CurrentSlice, StoreError> {
    Ok(CurrentSlice {
        slice: read_slice(row, 0)?,
        submission: row.parsed(4, "submission id")?,
        state: row.parsed(5, "slice state")?,
        version: row.count(6, "version")?,
    })
}

fn read_shared(row: &Row) -> Result<SliceAudiences, StoreError> {
    let words: String = row.get(4)?;
    let audiences = words.split_whitespace().map(str::parse).collect::<Result<_, _>>();
    let audiences = audiences.map_err(|_| StoreError::Damaged("audience"))?;
    Ok(SliceAudiences { slice: read_slice(row, 0)?, audiences })
}

/// The four columns that name a slice, from column `first` on.
pub(super) fn read_slice(row: &Row, first: usize) -> Result<Slice, StoreError> {
    Ok(Slice {
        territory: row.parsed(first, "territory")?,
        pack: row.parsed(first + 1, "pack")?,
        table: row.parsed(first + 2, "table")?,
        period: row.parsed(first + 3, "period")?,
    })
}
