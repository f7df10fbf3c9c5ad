//! The accepting transaction: the only place where ledgers grow and current pointers move.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::{Audience, CommuneCode, Hash, Slice, SubmissionId, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::db::{Tx, integer, retry};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// What a slice holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SliceState {
    /// The figures of the document it points to.
    Present,
    /// Nothing: its commune took the figures back.
    Withdrawn,
    /// Nothing: the bytes were destroyed after a breach.
    Purged,
}

impl SliceState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Withdrawn => "withdrawn",
            Self::Purged => "purged",
        }
    }
}

impl fmt::Display for SliceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SliceState {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Present, Self::Withdrawn, Self::Purged].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// What happens to one slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceChange {
    /// Which slice.
    pub slice: Slice,
    /// What it holds afterwards.
    pub state: SliceState,
}

/// Who may be shown a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceAudiences {
    /// Which slice.
    pub slice: Slice,
    /// These and no other.
    pub audiences: BTreeSet<Audience>,
}

/// A document that was verified, authorised and attacked, and may now be kept.
#[derive(Clone, Debug)]
pub struct Acceptance<'a> {
    /// Its id.
    pub submission: SubmissionId,
    /// Whose it is.
    pub provider: CommuneCode,
    /// The TLS key of the node that sent it; must still be living.
    pub node: Hash,
    /// What it asks for.
    pub kind: DocumentKind,
    /// Its bytes as signed.
    pub document: &'a [u8],
    /// SHA-256 of these.
    pub document_hash: Hash,
    /// Ed25519 signature of these.
    pub signature: &'a [u8],
    /// The key that made it, 32 bytes.
    pub signing_key: &'a [u8],
    /// Every territory it touches, ascending, with the last sequence number of the ledger it was attacked against.
    pub heads: Vec<(CommuneCode, u64)>,
    /// Slices whose pointer moves; none for a check.
    pub slices: Vec<SliceChange>,
    /// Slices of which it is said who may be shown them.
    pub shared: Vec<SliceAudiences>,
    /// The hub's clock.
    pub accepted_at: Timestamp,
}

/// A document's place, once it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The hub's acceptance number.
    pub number: u64,
    /// One per territory, ascending.
    pub links: Vec<PlaceLink>,
}

/// A document's place in one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceLink {
    /// Whose ledger.
    pub territory: CommuneCode,
    /// 1, 2, 3, … without a gap.
    pub sequence: u64,
    /// SHA-256 of the receipt before; `None` for the first.
    pub previous: Option<Hash>,
}

/// Makes the receipt once the place is known, and hashes its bytes. Runs inside the transaction: it computes, and
/// touches nothing outside.
pub type Seal<'a> = &'a (dyn Fn(&Place) -> (SealedReceipt, Hash) + Sync);

/// What became of an acceptance. Only `New` wrote something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Kept, durably.
    New(SealedReceipt),
    /// The same id with the same bytes is there already.
    Repeated(SealedReceipt),
    /// The id is there with other bytes, or from another provider.
    IdReused,
    /// A ledger grew since it was read: attack again.
    HeadMoved,
    /// The node was revoked meanwhile.
    NodeRevoked,
}

/// What `insert` needs of a document.
pub(super) struct Entry<'a> {
    pub(super) submission: SubmissionId,
    pub(super) provider: CommuneCode,
    pub(super) kind: DocumentKind,
    pub(super) document: Option<&'a [u8]>,
    pub(super) document_hash: Hash,
    pub(super) signature: &'a [u8],
    pub(super) signing_key: &'a [u8],
    pub(super) accepted_at: Timestamp,
}

impl HubStore {
    /// Keeps a document: takes the next number, extends every ledger in `heads`, moves the slices.
    pub async fn accept(&self, acceptance: &Acceptance<'_>, seal: Seal<'_>) -> Result<Accepted, StoreError> {
        retry(|| self.accept_once(acceptance, seal)).await
    }

    async fn accept_once(&self, acceptance: &Acceptance<'_>, seal: Seal<'_>) -> Result<Accepted, StoreError> {
        let mut tx = self.db.begin_write().await?;
        // First of all, so that concurrent acceptances queue here on PostgreSQL and see each other's result.
        let number = next_number(&mut tx).await?;
        if let Some(known) = repeated(&mut tx, acceptance).await? {
            return Ok(known);
        }
        let living = tx
            .q("SELECT provider FROM provider_node \
                WHERE key_fingerprint = $1 AND provider = $2 AND revoked_at IS NULL")
            .bind(acceptance.node.to_string())
            .bind(acceptance.provider.as_str())
            .opt(|row| row.get::<String>(0))
            .await?;
        if living.is_none() {
            return Ok(Accepted::NodeRevoked);
        }
        let mut links = Vec::with_capacity(acceptance.heads.len());
        for (territory, expected) in &acceptance.heads {
            let link = next_link(&mut tx, *territory).await?;
            if link.sequence != expected + 1 {
                return Ok(Accepted::HeadMoved);
            }
            links.push(link);
        }
        let place = Place { number, links };
        let (receipt, receipt_hash) = seal(&place);
        let entry = Entry {
            submission: acceptance.submission,
            provider: acceptance.provider,
            kind: acceptance.kind,
            document: Some(acceptance.document),
            document_hash: acceptance.document_hash,
            signature: acceptance.signature,
            signing_key: acceptance.signing_key,
            accepted_at: acceptance.accepted_at,
        };
        insert(&mut tx, &entry, &place, &receipt, receipt_hash).await?;
        for change in &acceptance.slices {
            move_slice(&mut tx, change, acceptance.submission, acceptance.accepted_at).await?;
        }
        for shared in &acceptance.shared {
            share_slice(&mut tx, shared, acceptance.submission).await?;
        }
        let mut slices: Vec<String> = acceptance.slices.iter().map(|change| change.slice.to_string()).collect();
        slices
            .extend(acceptance.shared.iter().map(|shared| format!("{} [{}]", shared.slice, words(&shared.audiences))));
        let event = Event {
            what: acceptance.kind.as_str(),
            who: Who::Commune(acceptance.provider),
            at: acceptance.accepted_at,
            about: vec![
                ("document", acceptance.submission.to_string()),
                ("hash", acceptance.document_hash.to_string()),
                ("accepted", number.to_string()),
                ("slices", slices.join(", ")),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(Accepted::New(receipt))
    }
}

pub(super) async fn next_number(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.q("UPDATE counter SET number = number + 1 WHERE id = 1 RETURNING number").one(|row| row.count(0, "number")).await
}

async fn repeated(tx: &mut Tx, acceptance: &Acceptance<'_>) -> Result<Option<Accepted>, StoreError> {
    tx.q("SELECT document_hash, provider, kind, receipt, receipt_signature, receipt_key FROM submission WHERE id = $1")
        .bind(acceptance.submission.to_string())
        .opt(|row| {
            let same = row.parsed::<Hash>(0, "document hash")? == acceptance.document_hash
                && row.get::<String>(1)? == acceptance.provider.as_str()
                && row.get::<String>(2)? == acceptance.kind.as_str();
            let receipt =
                SealedReceipt { document: row.get(3)?, signature: row.get(4)?, key: row.parsed(5, "receipt key")? };
            Ok(if same { Accepted::Repeated(receipt) } else { Accepted::IdReused })
        })
        .await
}

pub(super) async fn next_link(tx: &mut Tx, territory: CommuneCode) -> Result<PlaceLink, StoreError> {
    let head = tx
        .q("SELECT l.sequence, s.receipt_hash FROM ledger_link l JOIN submission s ON s.id = l.submission \
            WHERE l.territory = $1 ORDER BY l.sequence DESC LIMIT 1")
        .bind(territory.as_str())
        .opt(|row| Ok((row.count(0, "sequence")?, row.parsed(1, "receipt hash")?)))
        .await?;
    Ok(match head {
        None => PlaceLink { territory, sequence: 1, previous: None },
        Some((sequence, hash)) => PlaceLink { territory, sequence: sequence + 1, previous: Some(hash) },
    })
}

pub(super) async fn insert(
    tx: &mut Tx,
    entry: &Entry<'_>,
    place: &Place,
    receipt: &SealedReceipt,
    receipt_hash: Hash,
) -> Result<(), StoreError> {
    let id = entry.submission.to_string();
    let length = integer(entry.document.map_or(0, <[u8]>::len) as u64)?;
    tx.q("INSERT INTO submission (id, number, provider, kind, document_hash, document, document_length, signature, \
          signing_key, receipt, receipt_hash, receipt_signature, receipt_key, accepted_at) \
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
        .bind(id.as_str())
        .bind(integer(place.number)?)
        .bind(entry.provider.as_str())
        .bind(entry.kind.as_str())
        .bind(entry.document_hash.to_string())
        .bind(entry.document)
        .bind(length)
        .bind(entry.signature)
        .bind(entry.signing_key)
        .bind(receipt.document.as_slice())
        .bind(receipt_hash.to_string())
        .bind(receipt.signature.as_slice())
        .bind(receipt.key.to_string())
        .bind(entry.accepted_at.as_micros())
        .exec()
        .await?;
    for link in &place.links {
        tx.q("INSERT INTO ledger_link (territory, sequence, submission) VALUES ($1, $2, $3)")
            .bind(link.territory.as_str())
            .bind(integer(link.sequence)?)
            .bind(id.as_str())
            .exec()
            .await?;
    }
    Ok(())
}

pub(super) async fn move_slice(
    tx: &mut Tx,
    change: &SliceChange,
    submission: SubmissionId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Slice { territory, pack, table, period } = &change.slice;
    let id = submission.to_string();
    let version: i64 = tx
        .q("INSERT INTO slice_current (territory, pack, table_code, period, submission, state, version) \
            VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (territory, pack, table_code, period) DO UPDATE \
            SET submission = $5, state = $6, version = slice_current.version + 1 RETURNING version")
        .bind(territory.as_str())
        .bind(pack.as_str())
        .bind(table.as_str())
        .bind(period.to_string())
        .bind(id.as_str())
        .bind(change.state.as_str())
        .one(|row| row.get(0))
        .await?;
    tx.q("INSERT INTO slice_history (territory, pack, table_code, period, version, submission, state, changed_at) \
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(territory.as_str())
        .bind(pack.as_str())
        .bind(table.as_str())
        .bind(period.to_string())
        .bind(version)
        .bind(id.as_str())
        .bind(change.state.as_str())
        .bind(at.as_micros())
        .exec()
        .await?;
    if change.state != SliceState::Present {
        // As `Audience::without_figures` says.
        tx.q("UPDATE slice_audience SET audiences = 'coordinators' \
              WHERE territory = $1 AND pack = $2 AND table_code = $3 AND period = $4 AND audiences LIKE 'coordinators%'")
            .bind(territory.as_str())
            .bind(pack.as_str())
            .bind(table.as_str())
            .bind(period.to_string())
            .exec()
            .await?;
        tx.q("UPDATE slice_audience SET audiences = '' WHERE territory = $1 AND pack = $2 AND table_code = $3 \
              AND period = $4 AND audiences NOT LIKE 'coordinators%'")
            .bind(territory.as_str())
            .bind(pack.as_str())
            .bind(table.as_str())
            .bind(period.to_string())
            .exec()
            .await?;
    }
    Ok(())
}

pub(super) async fn share_slice(
    tx: &mut Tx,
    shared: &SliceAudiences,
    submission: SubmissionId,
) -> Result<(), StoreError> {
    let Slice { territory, pack, table, period } = &shared.slice;
    tx.q("INSERT INTO slice_audience (territory, pack, table_code, period, audiences, submission) \
          VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (territory, pack, table_code, period) DO UPDATE \
          SET audiences = $5, submission = $6")
        .bind(territory.as_str())
        .bind(pack.as_str())
        .bind(table.as_str())
        .bind(period.to_string())
        .bind(words(&shared.audiences))
        .bind(submission.to_string())
        .exec()
        .await?;
    Ok(())
}

/// As stored: in their order, the coordination first.
fn words(audiences: &BTreeSet<Audience>) -> String {
    let words: Vec<&str> = audiences.iter().map(|audience| audience.as_str()).collect();
    words.join(" ")
}
