//! What waits to be sent, in order, and what became of it.

use model::{CommuneCode, Hash, SubmissionId, Timestamp};

use super::NodeStore;
use super::ledger::{Link, advance_head};
use crate::db::{Row, Tx, retry};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// A signed document on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id, drawn by the node.
    pub submission: SubmissionId,
    /// What it asks for.
    pub kind: DocumentKind,
    /// Its canonical bytes.
    pub document: Vec<u8>,
    /// Ed25519 signature of these bytes.
    pub signature: Vec<u8>,
    /// The public key that made it, 32 bytes.
    pub signing_key: Vec<u8>,
    /// Territories it speaks of.
    pub territories: Vec<CommuneCode>,
}

/// Where an outgoing document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// To be sent, or sent without an answer yet: the hub may know it.
    Pending,
    /// The hub's receipt is here.
    Sent(Timestamp),
    /// The hub refused it whole, and keeps nothing of it.
    Refused(Timestamp),
}

/// What the hub, or the way to it, answered last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable reason, for example `RULE_TOO_WEAK`.
    pub reason: String,
    /// French sentences. Never a cell value.
    pub message: String,
}

/// One document in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// What is sent. `territories` in ascending order.
    pub outgoing: Outgoing,
    /// Where it stands.
    pub state: OutboxState,
    /// How many attempts failed.
    pub attempts: u32,
    /// When it entered.
    pub queued_at: Timestamp,
    /// Not to be tried before.
    pub next_attempt_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<Refusal>,
}

const SELECT_ITEM: &str = "SELECT o.submission, d.kind, d.document, d.signature, d.signing_key, o.state, o.attempts, \
     o.queued_at, o.next_attempt_at, o.settled_at, o.error_reason, o.error_message \
     FROM outbox o JOIN document d ON d.submission = o.submission ORDER BY o.position";
// Only the oldest pending document may go: a later one may replace the same slices, and the hub's order is the truth.
const SELECT_OLDEST: &str = "SELECT o.submission, d.kind, d.document, d.signature, d.signing_key, o.state, o.attempts, \
     o.queued_at, o.next_attempt_at, o.settled_at, o.error_reason, o.error_message \
     FROM outbox o JOIN document d ON d.submission = o.submission \
     WHERE o.state = 'pending' ORDER BY o.position LIMIT 1";

impl NodeStore {
    /// Puts one document alone into the outbox: see [`NodeStore::enqueue_all`].
    pub async fn enqueue(&self, item: &Outgoing, preview: Option<Hash>, now: Timestamp) -> Result<(), StoreError> {
        self.enqueue_all(&[(item, preview)], now).await
    }

    /// Writes the documents into the ledgers of their territories and, in this order, into the outbox: all of them or
    /// none. With a hash, that preview is spent in the same transaction: [`StoreError::Moved`] if it is gone, was not
    /// approved, or was already queued.
    pub async fn enqueue_all(&self, items: &[(&Outgoing, Option<Hash>)], now: Timestamp) -> Result<(), StoreError> {
        retry(|| self.enqueue_once(items, now)).await
    }

    async fn enqueue_once(&self, items: &[(&Outgoing, Option<Hash>)], now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        for (item, preview) in items {
            let id = item.submission.to_string();
            insert_document(&mut tx, item).await?;
            let position: i64 =
                tx.q("SELECT CAST(COALESCE(MAX(position), 0) + 1 AS BIGINT) FROM outbox").one(|row| row.get(0)).await?;
            tx.q("INSERT INTO outbox (position, submission, state, attempts, queued_at, next_attempt_at) \
                  VALUES ($1, $2, 'pending', 0, $3, $3)")
                .bind(position)
                .bind(id.as_str())
                .bind(now.as_micros())
                .exec()
                .await?;
            if let Some(preview) = preview {
                tx.q("UPDATE preview SET queued_as = $1 \
                      WHERE hash = $2 AND queued_as IS NULL AND approved_by IS NOT NULL RETURNING hash")
                    .bind(id.as_str())
                    .bind(preview.to_string())
                    .opt(|row| row.get::<String>(0))
                    .await?
                    .ok_or(StoreError::Moved("preview"))?;
            }
        }
        tx.commit().await
    }

    /// The oldest pending document, if its time has come.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<OutboxItem>, StoreError> {
        Ok(self.oldest_pending().await?.filter(|item| item.next_attempt_at <= now))
    }

    /// The oldest pending document, due or not.
    pub async fn oldest_pending(&self) -> Result<Option<OutboxItem>, StoreError> {
        let item = self.db.q(SELECT_OLDEST).opt(read_item).await?;
        match item {
            Some(item) => Ok(Some(self.with_territories(item).await?)),
            None => Ok(None),
        }
    }

    /// Everything that ever entered the outbox, oldest first.
    pub async fn outbox(&self) -> Result<Vec<OutboxItem>, StoreError> {
        let mut items = Vec::new();
        for item in self.db.q(SELECT_ITEM).all(read_item).await? {
            items.push(self.with_territories(item).await?);
        }
        Ok(items)
    }

    async fn with_territories(&self, mut item: OutboxItem) -> Result<OutboxItem, StoreError> {
        item.outgoing.territories = self
            .db
            .q("SELECT territory FROM document_territory WHERE submission = $1 ORDER BY territory")
            .bind(item.outgoing.submission.to_string())
            .all(|row| row.parsed(0, "territory"))
            .await?;
        Ok(item)
    }

    /// The hub's receipt is here: keeps it, gives the document its places in the ledgers, settles the outbox.
    /// Repeating it with the same receipt changes nothing.
    pub async fn mark_sent(
        &self,
        submission: SubmissionId,
        receipt: &SealedReceipt,
        links: &[Link],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retry(|| self.mark_sent_once(submission, receipt, links, now)).await
    }

    async fn mark_sent_once(
        &self,
        submission: SubmissionId,
        receipt: &SealedReceipt,
        links: &[Link],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        let id = submission.to_string();
        tx.q("UPDATE document SET receipt = $1, receipt_signature = $2, receipt_key = $3 \
              WHERE submission = $4 AND (receipt IS NULL OR receipt = $1) RETURNING submission")
            .bind(receipt.document.as_slice())
            .bind(receipt.signature.as_slice())
            .bind(receipt.key.to_string())
            .bind(id.as_str())
            .opt(|row| row.get::<String>(0))
            .await?
            .ok_or(StoreError::Moved("receipt"))?;
        for link in links {
            super::ledger::insert_link(&mut tx, submission, link).await?;
            advance_head(&mut tx, link.territory).await?;
        }
        tx.q("UPDATE outbox SET state = 'sent', settled_at = $1, error_reason = NULL, error_message = NULL \
              WHERE submission = $2 AND state = 'pending'")
            .bind(now.as_micros())
            .bind(id.as_str())
            .exec()
            .await?;
        tx.commit().await
    }

    /// The hub refused the document whole. It leaves the ledger, because the hub keeps nothing of it.
    pub async fn mark_refused(
        &self,
        submission: SubmissionId,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retry(|| self.mark_refused_once(submission, refusal, now)).await
    }

    async fn mark_refused_once(
        &self,
        submission: SubmissionId,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("UPDATE outbox SET state = 'refused', settled_at = $1, attempts = attempts + 1, error_reason = $2, \
              error_message = $3 WHERE submission = $4 AND state = 'pending' RETURNING submission")
            .bind(now.as_micros())
            .bind(refusal.reason.as_str())
            .bind(refusal.message.as_str())
            .bind(submission.to_string())
            .opt(|row| row.get::<String>(0))
            .await?
            .ok_or(StoreError::Moved("outbox"))?;
        tx.commit().await
    }

    /// The attempt failed for now: to be tried again at `next_attempt_at`.
    pub async fn mark_retry(
        &self,
        submission: SubmissionId,
        refusal: &Refusal,
        next_attempt_at: Timestamp,
    ) -> Result<(), StoreError> {
        retry(|| self.mark_retry_once(submission, refusal, next_attempt_at)).await
    }

    async fn mark_retry_once(
        &self,
        submission: SubmissionId,
        refusal: &Refusal,
        next_attempt_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $1, error_reason = $2, error_message = $3 \
              WHERE submission = $4 AND state = 'pending' RETURNING submission")
            .bind(next_attempt_at.as_micros())
            .bind(refusal.reason.as_str())
            .bind(refusal.message.as_str())
            .bind(submission.to_string())
            .opt(|row| row.get::<String>(0))
            .await?
            .ok_or(StoreError::Moved("outbox"))?;
        tx.commit().await
    }
}

async fn insert_document(tx: &mut Tx, item: &Outgoing) -> Result<(), StoreError> {
    let id = item.submission.to_string();
    tx.q("INSERT INTO document (submission, kind, document, signature, signing_key) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.as_str())
        .bind(item.kind.as_str())
        .bind(item.document.as_slice())
        .bind(item.signature.as_slice())
        .bind(item.signing_key.as_slice())
        .exec()
        .await?;
    for territory in &item.territories {
        tx.q("INSERT INTO document_territory (submission, territory) VALUES ($1, $2)")
            .bind(id.as_str())
            .bind(territory.as_str())
            .exec()
            .await?;
    }
    Ok(())
}

fn read_item(row: &Row) -> Result<OutboxItem, StoreError> {
    let settled = row.time_opt(9)?.ok_or(StoreError::Damaged("outbox state"));
    let state = match row.get::<String>(5)?.as_str() {
        "pending" => OutboxState::Pending,
        "sent" => OutboxState::Sent(settled?),
        "refused" => OutboxState::Refused(settled?),
        _ => return Err(StoreError::Damaged("outbox state")),
    };
    let last_error = match (row.get::<Option<String>>(10)?, row.get::<Option<String>>(11)?) {
        (Some(reason), Some(message)) => Some(Refusal { reason, message }),
        _ => None,
    };
    Ok(OutboxItem {
        outgoing: Outgoing {
            submission: row.parsed(0, "submission id")?,
            kind: row.parsed(1, "document kind")?,
            document: row.get::<Option<Vec<u8>>>(2)?.unwrap_or_default(),
            signature: row.get(3)?,
            signing_key: row.get(4)?,
            territories: Vec::new(),
        },
        state,
        attempts: u32::try_from(row.count(6, "attempts")?).map_err(|_| StoreError::Damaged("attempts"))?,
        queued_at: row.time(7)?,
        next_attempt_at: row.time(8)?,
        last_error,
    })
}
