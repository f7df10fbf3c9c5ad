//! The journal of refusals: who was told no, when, why. Never what the document said.

use std::collections::BTreeSet;

use model::{CommuneCode, Hash, Slice, Timestamp};

use super::HubStore;
use crate::db::{Row, retry};
use crate::{DocumentKind, StoreError};

/// Rows kept per provider: a node that is refused for ever fills this and no more.
pub const REFUSALS_KEPT: usize = 50;
/// Slices and codes kept of one refusal.
const NAMES: usize = 200;
/// Characters of a sentence.
const SENTENCE: usize = 1_000;

/// A document that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefusal {
    /// Who sent it, by its certificate.
    pub provider: CommuneCode,
    /// SHA-256 of its bytes, which are not kept.
    pub document_hash: Hash,
    /// What it asked for.
    pub kind: DocumentKind,
    /// Stable reason.
    pub reason: String,
    /// Stable codes of what is to be changed.
    pub codes: BTreeSet<String>,
    /// Slices that it names; none where it does not read.
    pub slices: BTreeSet<Slice>,
    /// What the commune was told, in French, without a figure.
    pub message: String,
    /// Now.
    pub refused_at: Timestamp,
}

/// A refusal as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalRecord {
    /// What was refused, and when last.
    pub refusal: NewRefusal,
    /// When it was refused first.
    pub first_refused_at: Timestamp,
    /// How often.
    pub times: u64,
    /// The hub's acceptance number when it was refused last.
    pub after_number: u64,
}

impl HubStore {
    /// Notes a refusal; one of the same document for the same reason counts again.
    pub async fn note_refusal(&self, refusal: &NewRefusal) -> Result<(), StoreError> {
        retry(|| self.note_refusal_once(refusal)).await
    }

    async fn note_refusal_once(&self, refusal: &NewRefusal) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("INSERT INTO refusal (provider, document_hash, kind, reason, codes, slices, message, first_refused_at, \
              refused_at, times, after_number) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, (SELECT number FROM counter WHERE id = 1)) \
              ON CONFLICT (provider, document_hash, kind, reason) DO UPDATE SET codes = $5, slices = $6, message = $7, \
              refused_at = $8, times = refusal.times + 1, after_number = (SELECT number FROM counter WHERE id = 1)")
            .bind(refusal.provider.as_str())
            .bind(refusal.document_hash.to_string())
            .bind(refusal.kind.as_str())
            .bind(refusal.reason.as_str())
            .bind(lines(refusal.codes.iter()))
            .bind(lines(refusal.slices.iter()))
            .bind(sentence(&refusal.message))
            .bind(refusal.refused_at.as_micros())
            .exec()
            .await?;
        tx.q("DELETE FROM refusal WHERE provider = $1 AND (document_hash, kind, reason) NOT IN \
              (SELECT document_hash, kind, reason FROM refusal WHERE provider = $1 \
               ORDER BY refused_at DESC, document_hash, kind, reason LIMIT $2)")
            .bind(refusal.provider.as_str())
            .bind(i64::try_from(REFUSALS_KEPT).unwrap_or(i64::MAX))
            .exec()
            .await?;
        tx.commit().await
    }

    /// The journal: by provider, newest first.
    pub async fn refusals(&self) -> Result<Vec<RefusalRecord>, StoreError> {
        self.db
            .q("SELECT provider, document_hash, kind, reason, codes, slices, message, first_refused_at, refused_at, \
                times, after_number FROM refusal ORDER BY provider, refused_at DESC, document_hash, kind, reason")
            .all(read_refusal)
            .await
    }
}

fn read_refusal(row: &Row) -> Result<RefusalRecord, StoreError> {
    let slices: String = row.get(5)?;
    let slices: Option<BTreeSet<Slice>> = slices.lines().map(|line| line.parse().ok()).collect();
    Ok(RefusalRecord {
        refusal: NewRefusal {
            provider: row.parsed(0, "provider")?,
            document_hash: row.parsed(1, "document hash")?,
            kind: row.parsed(2, "document kind")?,
            reason: row.get(3)?,
            codes: row.get::<String>(4)?.lines().map(str::to_owned).collect(),
            slices: slices.ok_or(StoreError::Damaged("slices of a refusal"))?,
            message: row.get(6)?,
            refused_at: row.time(8)?,
        },
        first_refused_at: row.time(7)?,
        times: row.count(9, "times")?,
        after_number: row.count(10, "acceptance number")?,
    })
}

fn lines<T: ToString>(names: impl Iterator<Item = T>) -> String {
    names.take(NAMES).map(|name| name.to_string()).collect::<Vec<_>>().join("\n")
}

/// A sentence may quote words that a peer wrote: of bounded length, and without characters that one of the databases
/// refuses.
fn sentence(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SENTENCE).collect()
}
