//! A document that this database once held comes back, under the receipt that it had.

use model::{CommuneCode, Hash, SubmissionId};

use super::HubStore;
use super::accept::{
    Entry, Place, SliceAudiences, SliceChange, insert, move_slice, next_link, next_number, share_slice,
};
use super::journal::{self, Event, Who};
use super::purge::empty;
use crate::db::{Tx, integer, retry};
use crate::{DocumentKind, SealedReceipt, StoreError};

/// A document with the receipt of old. Whoever hands it over has verified both.
#[derive(Clone, Debug)]
pub struct Recovered<'a> {
    /// Its id.
    pub submission: SubmissionId,
    /// Whose it is.
    pub provider: CommuneCode,
    /// What it asked for.
    pub kind: DocumentKind,
    /// Its bytes as signed; `None` once purged.
    pub document: Option<&'a [u8]>,
    /// SHA-256 of these, as the receipt says.
    pub document_hash: Hash,
    /// Ed25519 signature of these.
    pub signature: &'a [u8],
    /// The key that made it, 32 bytes.
    pub signing_key: &'a [u8],
    /// The receipt, byte by byte.
    pub receipt: &'a SealedReceipt,
    /// SHA-256 of the receipt's bytes.
    pub receipt_hash: Hash,
    /// The place that the receipt gives.
    pub place: Place,
    /// Slices whose pointer moves; those that a purge empties are found here.
    pub slices: Vec<SliceChange>,
    /// Slices of which it says who may be shown them.
    pub shared: Vec<SliceAudiences>,
    /// The hub's clock of then.
    pub accepted_at: model::Timestamp,
    /// The hub's clock of now.
    pub taken_at: model::Timestamp,
}

/// What became of it. Only `Taken` wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Held again, durably.
    Taken,
    /// Held already, under this very receipt.
    Held,
    /// Something else was accepted in this place of this territory's ledger.
    Forked {
        /// Whose ledger.
        territory: CommuneCode,
        /// The first place that differs.
        sequence: u64,
    },
    /// Something before it is missing.
    Gap {
        /// Whose ledger.
        territory: CommuneCode,
        /// The last place that is held.
        held: u64,
    },
    /// Its acceptance number was given to something else since.
    NumberTaken,
}

impl HubStore {
    /// Takes a document back, if its receipt is the next of every ledger that it names.
    pub async fn recover(&self, recovered: &Recovered<'_>) -> Result<Recovery, StoreError> {
        let done = retry(|| self.recover_once(recovered)).await?;
        if done == Recovery::Taken && recovered.kind == DocumentKind::Purge {
            self.db.scrub().await?;
        }
        Ok(done)
    }

    async fn recover_once(&self, recovered: &Recovered<'_>) -> Result<Recovery, StoreError> {
        let mut tx = self.db.begin_write().await?;
        // A number that no receipt will bear: it puts recoveries and acceptances in one order, and lets replicas notice.
        let now = next_number(&mut tx).await?;
        for link in &recovered.place.links {
            let next = next_link(&mut tx, link.territory).await?;
            if link.sequence < next.sequence {
                let same = receipt_at(&mut tx, link.territory, link.sequence).await? == Some(recovered.receipt_hash);
                let (territory, sequence) = (link.territory, link.sequence);
                return Ok(if same { Recovery::Held } else { Recovery::Forked { territory, sequence } });
            }
            if link.sequence > next.sequence {
                return Ok(Recovery::Gap { territory: link.territory, held: next.sequence - 1 });
            }
            if link.previous != next.previous {
                return Ok(Recovery::Forked { territory: link.territory, sequence: next.sequence - 1 });
            }
        }
        let taken = tx
            .q("SELECT id FROM submission WHERE number = $1 OR id = $2")
            .bind(integer(recovered.place.number)?)
            .bind(recovered.submission.to_string())
            .all(|row| row.get::<String>(0))
            .await?;
        if !taken.is_empty() {
            return Ok(Recovery::NumberTaken);
        }
        if recovered.place.number >= now {
            // A database that was rolled back without being told: what comes next must not take this number again.
            tx.q("UPDATE counter SET number = $1 WHERE id = 1").bind(integer(recovered.place.number)?).exec().await?;
        }
        let entry = Entry {
            submission: recovered.submission,
            provider: recovered.provider,
            kind: recovered.kind,
            document: recovered.document,
            document_hash: recovered.document_hash,
            signature: recovered.signature,
            signing_key: recovered.signing_key,
            accepted_at: recovered.accepted_at,
        };
        insert(&mut tx, &entry, &recovered.place, recovered.receipt, recovered.receipt_hash).await?;
        for change in &recovered.slices {
            move_slice(&mut tx, change, recovered.submission, recovered.accepted_at).await?;
        }
        for shared in &recovered.shared {
            share_slice(&mut tx, shared, recovered.submission).await?;
        }
        if recovered.kind == DocumentKind::Purge {
            destroy_again(&mut tx, recovered).await?;
        }
        let event = Event {
            what: "recovered",
            who: Who::Commune(recovered.provider),
            at: recovered.taken_at,
            about: vec![
                ("document", recovered.submission.to_string()),
                ("hash", recovered.document_hash.to_string()),
                ("accepted", recovered.place.number.to_string()),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(Recovery::Taken)
    }
}

async fn receipt_at(tx: &mut Tx, territory: CommuneCode, sequence: u64) -> Result<Option<Hash>, StoreError> {
    tx.q("SELECT s.receipt_hash FROM ledger_link l JOIN submission s ON s.id = l.submission \
          WHERE l.territory = $1 AND l.sequence = $2")
        .bind(territory.as_str())
        .bind(integer(sequence)?)
        .opt(|row| row.parsed(0, "receipt hash"))
        .await
}

/// The copy brought back bytes that two persons had destroyed since: they go again. Who the two were is forgotten.
async fn destroy_again(tx: &mut Tx, purge: &Recovered<'_>) -> Result<(), StoreError> {
    let id = purge.submission.to_string();
    let target = tx
        .q("SELECT id FROM submission WHERE document_hash = $1 AND kind <> 'purge'")
        .bind(purge.document_hash.to_string())
        .opt(|row| row.get::<String>(0))
        .await?;
    let Some(target) = target else { return Ok(()) };
    tx.q("UPDATE submission SET document = NULL, document_length = 0 WHERE id = $1")
        .bind(target.as_str())
        .exec()
        .await?;
    empty(tx, target.as_str(), purge.submission, purge.accepted_at).await?;
    // A proposal that the copy holds is confirmed; one made later comes back without its persons and its reason.
    tx.q("INSERT INTO purge (id, submission, document_hash, reason, proposed_by, proposed_at, confirmed_by, \
          confirmed_at) VALUES ($1, $2, $3, 'motif perdu : purge reprise de son récépissé après restauration', \
          'première personne (nom perdu)', $4, 'seconde personne (nom perdu)', $4) \
          ON CONFLICT (id) DO UPDATE SET confirmed_by = 'seconde personne (nom perdu)', confirmed_at = $4")
        .bind(id.as_str())
        .bind(target.as_str())
        .bind(purge.document_hash.to_string())
        .bind(purge.accepted_at.as_micros())
        .exec()
        .await?;
    Ok(())
}
