//! Destruction of a document's bytes after a breach, by two persons.

use model::{Hash, SubmissionId, Timestamp};

use super::HubStore;
use super::accept::{Entry, Place, Seal, SliceChange, SliceState, insert, move_slice, next_link, next_number};
use super::journal::{self, Event, Who};
use super::read::read_slice;
use crate::db::{Row, Tx, retry};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// A purge, proposed or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Its id; the id of its receipt too.
    pub id: SubmissionId,
    /// The document whose bytes go.
    pub submission: SubmissionId,
    /// SHA-256 of these bytes.
    pub document_hash: Hash,
    /// Why. Never a cell value.
    pub reason: String,
    /// The first person.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// The second person, and when.
    pub confirmed: Option<(String, Timestamp)>,
}

/// Why a purge was not done. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeRefusal {
    /// No such proposal.
    Unknown,
    /// Both persons are the same.
    SamePerson,
    /// The bytes are gone already.
    AlreadyDone,
}

/// A purge that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The receipt that takes the purge into the ledgers.
    pub receipt: SealedReceipt,
    /// Slices that hold nothing any more.
    pub slices: u64,
}

impl HubStore {
    /// Proposes to destroy the bytes of a document; `false` if there is no such document or its bytes are gone. One that
    /// says who may be shown slices holds no figure, and forgetting it could open what it closed: never destroyed.
    pub async fn propose_purge(&self, purge: &Purge) -> Result<bool, StoreError> {
        retry(|| self.propose_purge_once(purge)).await
    }

    async fn propose_purge_once(&self, purge: &Purge) -> Result<bool, StoreError> {
        if purge.reason.contains('\0') || purge.proposed_by.contains('\0') {
            return Err(StoreError::Unstorable("a text with a NUL"));
        }
        let mut tx = self.db.begin_write().await?;
        let proposed = tx
            .q("INSERT INTO purge (id, submission, document_hash, reason, proposed_by, proposed_at) \
                SELECT $1, s.id, s.document_hash, $2, $3, $4 FROM submission s \
                WHERE s.id = $5 AND s.document_hash = $6 AND s.document IS NOT NULL AND s.kind <> 'sharing'")
            .bind(purge.id.to_string())
            .bind(purge.reason.as_str())
            .bind(purge.proposed_by.as_str())
            .bind(purge.proposed_at.as_micros())
            .bind(purge.submission.to_string())
            .bind(purge.document_hash.to_string())
            .exec()
            .await?;
        if proposed > 0 {
            let event = Event {
                what: "purge_proposed",
                who: Who::Person(&purge.proposed_by),
                at: purge.proposed_at,
                about: vec![("purge", purge.id.to_string()), ("document", purge.submission.to_string())],
            };
            journal::note(&mut tx, &event).await?;
        }
        tx.commit().await?;
        Ok(proposed > 0)
    }

    /// All purges, proposed and done, oldest first.
    pub async fn purges(&self) -> Result<Vec<Purge>, StoreError> {
        self.db
            .q("SELECT id, submission, document_hash, reason, proposed_by, proposed_at, confirmed_by, confirmed_at \
                FROM purge ORDER BY proposed_at, id")
            .all(read_purge)
            .await
    }

    /// One purge.
    pub async fn purge(&self, id: SubmissionId) -> Result<Option<Purge>, StoreError> {
        self.db
            .q("SELECT id, submission, document_hash, reason, proposed_by, proposed_at, confirmed_by, confirmed_at \
                FROM purge WHERE id = $1")
            .bind(id.to_string())
            .opt(read_purge)
            .await
    }

    /// The second person agrees: the bytes are destroyed, slices that held them hold nothing, and the purge takes its
    /// place in every ledger that holds the document. `seal` gets the place and makes the receipt.
    pub async fn confirm_purge(
        &self,
        id: SubmissionId,
        by: &str,
        now: Timestamp,
        seal: Seal<'_>,
    ) -> Result<Result<Purged, PurgeRefusal>, StoreError> {
        if by.contains('\0') {
            return Err(StoreError::Unstorable("a name with a NUL"));
        }
        let done = retry(|| self.confirm_purge_once(id, by, now, seal)).await?;
        if done.is_ok() {
            self.db.scrub().await?;
        }
        Ok(done)
    }

    async fn confirm_purge_once(
        &self,
        id: SubmissionId,
        by: &str,
        now: Timestamp,
        seal: Seal<'_>,
    ) -> Result<Result<Purged, PurgeRefusal>, StoreError> {
        let mut tx = self.db.begin_write().await?;
        let number = next_number(&mut tx).await?;
        let purge = tx
            .q("SELECT id, submission, document_hash, reason, proposed_by, proposed_at, confirmed_by, confirmed_at \
                FROM purge WHERE id = $1")
            .bind(id.to_string())
            .opt(read_purge)
            .await?;
        let Some(purge) = purge else { return Ok(Err(PurgeRefusal::Unknown)) };
        if purge.proposed_by == by {
            return Ok(Err(PurgeRefusal::SamePerson));
        }
        let target = purge.submission.to_string();
        let destroyed = tx
            .q("UPDATE submission SET document = NULL, document_length = 0 \
                WHERE id = $1 AND document IS NOT NULL RETURNING provider, signature, signing_key")
            .bind(target.as_str())
            .opt(|row| Ok((row.parsed(0, "provider")?, row.get::<Vec<u8>>(1)?, row.get::<Vec<u8>>(2)?)))
            .await?;
        let Some((provider, signature, signing_key)) = destroyed else { return Ok(Err(PurgeRefusal::AlreadyDone)) };
        tx.q("UPDATE purge SET confirmed_by = $1, confirmed_at = $2 WHERE id = $3")
            .bind(by)
            .bind(now.as_micros())
            .bind(id.to_string())
            .exec()
            .await?;
        let territories = tx
            .q("SELECT territory FROM ledger_link WHERE submission = $1 ORDER BY territory")
            .bind(target.as_str())
            .all(|row| row.parsed(0, "territory"))
            .await?;
        let mut links = Vec::with_capacity(territories.len());
        for territory in territories {
            links.push(next_link(&mut tx, territory).await?);
        }
        let place = Place { number, links };
        let (receipt, receipt_hash) = seal(&place);
        let entry = Entry {
            submission: id,
            provider,
            kind: DocumentKind::Purge,
            document: None,
            document_hash: purge.document_hash,
            // The entry speaks of the destroyed document: whose it was stays provable.
            signature: &signature,
            signing_key: &signing_key,
            accepted_at: now,
        };
        insert(&mut tx, &entry, &place, &receipt, receipt_hash).await?;
        let slices = empty(&mut tx, target.as_str(), id, now).await?;
        let event = Event {
            what: "purged",
            who: Who::Person(by),
            at: now,
            about: vec![
                ("purge", id.to_string()),
                ("document", target),
                ("hash", purge.document_hash.to_string()),
                ("accepted", number.to_string()),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(Ok(Purged { receipt, slices }))
    }
}

/// Slices that `target` still fills hold nothing any more, by order of the purge `id`; gives how many. One whose bytes
/// had gone before they came here is emptied already, and the purge takes its place all the same.
pub(super) async fn empty(tx: &mut Tx, target: &str, id: SubmissionId, at: Timestamp) -> Result<u64, StoreError> {
    let filled = tx
        .q("SELECT territory, pack, table_code, period FROM slice_current \
            WHERE submission = $1 AND state <> 'withdrawn' ORDER BY territory, pack, table_code, period")
        .bind(target)
        .all(|row| read_slice(row, 0))
        .await?;
    let slices = filled.len() as u64;
    for slice in filled {
        move_slice(tx, &SliceChange { slice, state: SliceState::Purged }, id, at).await?;
    }
    Ok(slices)
}

fn read_purge(row: &Row) -> Result<Purge, StoreError> {
    let confirmed = match (row.get(6)?, row.time_opt(7)?) {
        (Some(by), Some(at)) => Some((by, at)),
        _ => None,
    };
    Ok(Purge {
        id: row.parsed(0, "purge id")?,
        submission: row.parsed(1, "submission id")?,
        document_hash: row.parsed(2, "document hash")?,
        reason: row.get(3)?,
        proposed_by: row.get(4)?,
        proposed_at: row.time(5)?,
        confirmed,
    })
}
