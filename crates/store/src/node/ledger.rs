//! What the intruder already knows: everything this commune ever sent, per territory, in the hub's order.

use std::collections::BTreeSet;

use model::{CommuneCode, Hash, SubmissionId};

use super::NodeStore;
use crate::db::{Row, Tx, integer, retry};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// A document's place in one territory's ledger, as its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose ledger.
    pub territory: CommuneCode,
    /// 1, 2, 3, … without a gap.
    pub sequence: u64,
    /// SHA-256 of the receipt's bytes.
    pub receipt: Hash,
    /// The same of the receipt before; `None` for the first.
    pub previous: Option<Hash>,
}

/// One document of a territory's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRecord {
    /// Its id.
    pub submission: SubmissionId,
    /// What it asked for.
    pub kind: DocumentKind,
    /// Its bytes as signed; `None` once purged.
    pub document: Option<Vec<u8>>,
    /// The commune's signature of these bytes.
    pub signature: Vec<u8>,
    /// The key that made it, 32 bytes.
    pub signing_key: Vec<u8>,
    /// The hub's receipt; `None` while none came back.
    pub receipt: Option<SealedReceipt>,
    /// Its place; `None` while no receipt came back.
    pub link: Option<Link>,
}

/// Whether a ledger may be trusted to hold everything that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Never compared with the hub: the node is new, or its folder was lost.
    Unknown,
    /// Without a gap up to this sequence number; 0 if nothing was ever sent.
    Complete(u64),
    /// Receipts beyond a gap are known.
    Gap {
        /// Without a gap up to here.
        known: u64,
        /// The highest place seen.
        seen: u64,
    },
}

const SELECT_LINKED: &str = "SELECT d.submission, d.kind, d.document, d.signature, d.signing_key, d.receipt, \
     d.receipt_signature, d.receipt_key, l.sequence, l.receipt_hash, l.previous_receipt \
     FROM ledger_link l JOIN document d ON d.submission = l.submission WHERE l.territory = $1 ORDER BY l.sequence";
const SELECT_PENDING: &str = "SELECT d.submission, d.kind, d.document, d.signature, d.signing_key, d.receipt, \
     d.receipt_signature, d.receipt_key FROM outbox o \
     JOIN document d ON d.submission = o.submission \
     JOIN document_territory t ON t.submission = o.submission \
     WHERE t.territory = $1 AND o.state = 'pending' \
     AND NOT EXISTS (SELECT 1 FROM ledger_link l WHERE l.territory = $1 AND l.submission = o.submission) \
     ORDER BY o.position";

impl NodeStore {
    /// Everything sent about `territory`, oldest first; then what may have been sent without an answer.
    pub async fn ledger(&self, territory: CommuneCode) -> Result<Vec<LedgerRecord>, StoreError> {
        // Pending first: what is answered between the two reads is then in both, and never in neither.
        let pending = self.db.q(SELECT_PENDING).bind(territory.as_str()).all(|row| read_record(row, None)).await?;
        let mut records = self
            .db
            .q(SELECT_LINKED)
            .bind(territory.as_str())
            .all(|row| {
                let link = Link {
                    territory,
                    sequence: row.count(8, "sequence")?,
                    receipt: row.parsed(9, "receipt hash")?,
                    previous: row.parsed_opt(10, "receipt hash")?,
                };
                read_record(row, Some(link))
            })
            .await?;
        let answered: BTreeSet<SubmissionId> = records.iter().map(|record| record.submission).collect();
        records.extend(pending.into_iter().filter(|record| !answered.contains(&record.submission)));
        Ok(records)
    }

    /// Every receipt that came back, whatever ledger it stands in.
    pub async fn receipts(&self) -> Result<Vec<SealedReceipt>, StoreError> {
        self.db
            .q("SELECT receipt, receipt_signature, receipt_key FROM document \
                WHERE receipt IS NOT NULL AND receipt_signature IS NOT NULL AND receipt_key IS NOT NULL")
            .all(|row| {
                Ok(SealedReceipt { document: row.get(0)?, signature: row.get(1)?, key: row.parsed(2, "receipt key")? })
            })
            .await
    }

    /// Whether the ledger of `territory` holds everything.
    pub async fn completeness(&self, territory: CommuneCode) -> Result<Completeness, StoreError> {
        let known = self
            .db
            .q("SELECT h.sequence, CAST(COALESCE((SELECT MAX(l.sequence) FROM ledger_link l \
                WHERE l.territory = h.territory), 0) AS BIGINT) FROM ledger_head h WHERE h.territory = $1")
            .bind(territory.as_str())
            .opt(|row| Ok((row.count(0, "sequence")?, row.count(1, "sequence")?)))
            .await?;
        Ok(match known {
            None => Completeness::Unknown,
            Some((known, seen)) if seen > known => Completeness::Gap { known, seen },
            Some((known, _)) => Completeness::Complete(known),
        })
    }

    /// The last receipt of the gapless part of `territory`'s ledger; `None` if it is empty or unknown.
    pub async fn ledger_head(&self, territory: CommuneCode) -> Result<Option<(u64, Hash)>, StoreError> {
        let head = self
            .db
            .q("SELECT sequence, receipt_hash FROM ledger_head WHERE territory = $1")
            .bind(territory.as_str())
            .opt(|row| Ok((row.count(0, "sequence")?, row.parsed_opt(1, "receipt hash")?)))
            .await?;
        Ok(head.and_then(|(sequence, hash)| hash.map(|hash| (sequence, hash))))
    }

    /// Replaces the whole ledger of `territory` by what the hub holds, oldest first, each with receipt and link.
    ///
    /// The caller has verified signatures and hashes. A chain with a gap, or that does not hang together, is
    /// [`StoreError::Damaged`] and changes nothing. Documents that wait in the outbox stay.
    pub async fn replace_ledger(&self, territory: CommuneCode, records: &[LedgerRecord]) -> Result<(), StoreError> {
        retry(|| self.replace_ledger_once(territory, records)).await
    }

    async fn replace_ledger_once(&self, territory: CommuneCode, records: &[LedgerRecord]) -> Result<(), StoreError> {
        check_chain(territory, records)?;
        let mut tx = self.db.begin_write().await?;
        tx.q("DELETE FROM ledger_link WHERE territory = $1").bind(territory.as_str()).exec().await?;
        tx.q("DELETE FROM ledger_head WHERE territory = $1").bind(territory.as_str()).exec().await?;
        for record in records {
            upsert_document(&mut tx, territory, record).await?;
            if let Some(link) = &record.link {
                insert_link(&mut tx, record.submission, link).await?;
            }
        }
        let head = records.last().and_then(|record| record.link);
        tx.q("INSERT INTO ledger_head (territory, sequence, receipt_hash) VALUES ($1, $2, $3)")
            .bind(territory.as_str())
            .bind(integer(head.map_or(0, |link| link.sequence))?)
            .bind(head.map(|link| link.receipt.to_string()))
            .exec()
            .await?;
        tx.commit().await
    }
}

impl NodeStore {
    /// Adds to a gapless ledger what follows place `after`, oldest first, each with receipt and link.
    ///
    /// The caller has verified signatures and hashes. [`StoreError::Moved`] if the ledger does not end at `after`,
    /// [`StoreError::Damaged`] if the records do not follow it; either changes nothing.
    pub async fn extend_ledger(
        &self,
        territory: CommuneCode,
        after: u64,
        records: &[LedgerRecord],
    ) -> Result<(), StoreError> {
        retry(|| self.extend_ledger_once(territory, after, records)).await
    }

    async fn extend_ledger_once(
        &self,
        territory: CommuneCode,
        after: u64,
        records: &[LedgerRecord],
    ) -> Result<(), StoreError> {
        const HEAD: &str = "SELECT sequence FROM ledger_head WHERE territory = $1";
        let mut tx = self.db.begin_write().await?;
        let head = tx.q(HEAD).bind(territory.as_str()).opt(|row| row.count(0, "sequence")).await?;
        if head != Some(after) {
            return Err(StoreError::Moved("ledger"));
        }
        for record in records {
            upsert_document(&mut tx, territory, record).await?;
            let Some(link) = &record.link else { return Err(StoreError::Damaged("chain of receipts")) };
            insert_link(&mut tx, record.submission, link).await?;
        }
        advance_head(&mut tx, territory).await?;
        let reached = tx.q(HEAD).bind(territory.as_str()).one(|row| row.count(0, "sequence")).await?;
        if reached != after + records.len() as u64 {
            return Err(StoreError::Damaged("chain of receipts"));
        }
        tx.commit().await
    }
}

fn check_chain(territory: CommuneCode, records: &[LedgerRecord]) -> Result<(), StoreError> {
    let damaged = Err(StoreError::Damaged("chain of receipts"));
    let mut previous = None;
    let mut seen = BTreeSet::new();
    for (expected, record) in (1_u64..).zip(records) {
        let Some(link) = record.link else { return damaged };
        let fits = link.territory == territory && link.sequence == expected && link.previous == previous;
        if !fits || record.receipt.is_none() || !seen.insert(record.submission) {
            return damaged;
        }
        previous = Some(link.receipt);
    }
    Ok(())
}

async fn upsert_document(tx: &mut Tx, territory: CommuneCode, record: &LedgerRecord) -> Result<(), StoreError> {
    let id = record.submission.to_string();
    let receipt = record.receipt.as_ref();
    // The hub's copy wins: it was verified against its receipt, and ours may be damaged.
    tx.q("INSERT INTO document (submission, kind, document, signature, signing_key, receipt, receipt_signature, \
          receipt_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (submission) DO UPDATE SET \
          kind = $2, document = $3, signature = $4, signing_key = $5, receipt = $6, receipt_signature = $7, \
          receipt_key = $8")
        .bind(id.as_str())
        .bind(record.kind.as_str())
        .bind(record.document.as_deref())
        .bind(record.signature.as_slice())
        .bind(record.signing_key.as_slice())
        .bind(receipt.map(|r| r.document.as_slice()))
        .bind(receipt.map(|r| r.signature.as_slice()))
        .bind(receipt.map(|r| r.key.to_string()))
        .exec()
        .await?;
    tx.q("INSERT INTO document_territory (submission, territory) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id.as_str())
        .bind(territory.as_str())
        .exec()
        .await?;
    Ok(())
}

/// A repetition of a known link changes nothing; another document in a taken place is refused.
pub(super) async fn insert_link(tx: &mut Tx, submission: SubmissionId, link: &Link) -> Result<(), StoreError> {
    let id = submission.to_string();
    tx.q("INSERT INTO ledger_link (territory, sequence, submission, receipt_hash, previous_receipt) \
          VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(link.territory.as_str())
        .bind(integer(link.sequence)?)
        .bind(id.as_str())
        .bind(link.receipt.to_string())
        .bind(link.previous.map(|hash| hash.to_string()))
        .exec()
        .await?;
    tx.q("SELECT submission FROM ledger_link WHERE territory = $1 AND sequence = $2 AND submission = $3 \
          AND receipt_hash = $4")
        .bind(link.territory.as_str())
        .bind(integer(link.sequence)?)
        .bind(id.as_str())
        .bind(link.receipt.to_string())
        .opt(|row| row.get::<String>(0))
        .await?
        .ok_or(StoreError::Damaged("chain of receipts"))?;
    Ok(())
}

/// Moves the head over every link that now follows without a gap. Without a head the ledger stays unknown.
pub(super) async fn advance_head(tx: &mut Tx, territory: CommuneCode) -> Result<(), StoreError> {
    while tx
        .q("UPDATE ledger_head SET sequence = sequence + 1, receipt_hash = (SELECT l.receipt_hash FROM ledger_link l \
            WHERE l.territory = $1 AND l.sequence = ledger_head.sequence + 1) \
            WHERE territory = $1 AND EXISTS (SELECT 1 FROM ledger_link l WHERE l.territory = $1 \
            AND l.sequence = ledger_head.sequence + 1 \
            AND l.previous_receipt IS NOT DISTINCT FROM ledger_head.receipt_hash)")
        .bind(territory.as_str())
        .exec()
        .await?
        > 0
    {}
    Ok(())
}

fn read_record(row: &Row, link: Option<Link>) -> Result<LedgerRecord, StoreError> {
    let receipt = match (row.get(5)?, row.get(6)?, row.parsed_opt(7, "receipt key")?) {
        (Some(document), Some(signature), Some(key)) => Some(SealedReceipt { document, signature, key }),
        _ => None,
    };
    Ok(LedgerRecord {
        submission: row.parsed(0, "submission id")?,
        kind: row.parsed(1, "document kind")?,
        document: row.get(2)?,
        signature: row.get(3)?,
        signing_key: row.get(4)?,
        receipt,
        link,
    })
}
