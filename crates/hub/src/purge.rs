//! Destroys the bytes of a document after a breach: two persons, and the hash, the date and the reason stay.
//!
//! The hub forgets the figures, and so does every later attack on the same slices: what was breached must be assumed
//! known, which is why a purge is the last resort and not a way to correct.

use model::{Failure, FailureKind, Hash, SubmissionId, Timestamp};
use store::hub::{Place, Purge, PurgeRefusal};
use wire::document::{Outcome, Receipt, ReceiptKind, SignedReceipt};

use crate::submit::{links, unsealed};
use crate::{Hub, failure};

/// A purge that waits for its second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// To be named by the second person.
    pub id: SubmissionId,
    /// The document whose bytes are to go.
    pub submission: SubmissionId,
    /// SHA-256 of these bytes.
    pub document_hash: Hash,
    /// When it was proposed.
    pub proposed_at: Timestamp,
}

impl Hub {
    /// The first person proposes to destroy the bytes of `submission`.
    pub async fn propose_purge(&self, submission: SubmissionId, by: &str, reason: &str) -> Result<Proposal, Failure> {
        let by = person(by)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > 500 {
            return Err(Failure::new(
                FailureKind::Invalid,
                "PURGE_REASON",
                "a purge needs a reason of 1 to 500 characters",
                "Donnez le motif de la purge (500 caractères au plus, sans aucun chiffre du tableau) : il restera au registre.",
            ));
        }
        let gone = || {
            Failure::new(
                FailureKind::NotFound,
                "SUBMISSION_UNKNOWN",
                "no such document, or its bytes are gone",
                "Le centre n’a pas de document sous cet identifiant, ou il a déjà été détruit.",
            )
        };
        let record = self.0.store.submission(submission).await.map_err(failure::storage)?.ok_or_else(gone)?;
        let mut id = [0; 16];
        self.entropy().fill(&mut id);
        let proposal = Proposal {
            id: SubmissionId::from_bytes(id),
            submission,
            document_hash: record.document_hash,
            proposed_at: self.now(),
        };
        let purge = Purge {
            id: proposal.id,
            submission,
            document_hash: proposal.document_hash,
            reason: reason.to_owned(),
            proposed_by: by,
            proposed_at: proposal.proposed_at,
            confirmed: None,
        };
        if !self.0.store.propose_purge(&purge).await.map_err(failure::storage)? {
            return Err(gone());
        }
        Ok(proposal)
    }

    /// The second person confirms: the bytes are destroyed, and the purge enters the ledgers.
    pub async fn confirm_purge(&self, id: SubmissionId, by: &str) -> Result<SignedReceipt, Failure> {
        let by = person(by)?;
        let unknown = || {
            Failure::new(
                FailureKind::NotFound,
                "PURGE_UNKNOWN",
                "no such proposal",
                "Aucune purge n’a été proposée sous cet identifiant.",
            )
        };
        let purge = self.0.store.purge(id).await.map_err(failure::storage)?.ok_or_else(unknown)?;
        let record = self.0.store.submission(purge.submission).await.map_err(failure::storage)?;
        let record = record.ok_or_else(|| failure::damaged("purge"))?;
        let provider_key = seal::PublicKey::from_slice(&record.signing_key)
            .map_err(|_| failure::damaged("signing key of a document"))?
            .id();
        // What the bytes named, the receipt says from now on: a hub restored from an older copy learns it from there.
        let destroyed = self.0.store.moved_by(purge.submission).await.map_err(failure::storage)?;
        let now = self.now();
        let seal = |place: &Place| {
            self.sealed(&Receipt {
                submission: id,
                document_hash: purge.document_hash,
                provider: record.provider,
                provider_key,
                kind: ReceiptKind::Purge,
                accepted_at: now,
                number: place.number,
                links: links(place),
                outcome: Outcome::default(),
                destroyed: destroyed.clone(),
            })
        };
        let done = self.0.store.confirm_purge(id, &by, now, &seal).await.map_err(failure::storage)?;
        // Also after a refusal: whoever else did it may have done it through another process.
        self.0.archive.forget(purge.submission);
        match done {
            Ok(purged) => {
                tracing::warn!(submission = %purge.submission, slices = purged.slices, "document destroyed");
                unsealed(purged.receipt)
            }
            Err(PurgeRefusal::Unknown) => Err(unknown()),
            Err(PurgeRefusal::SamePerson) => Err(Failure::new(
                FailureKind::Denied,
                "PURGE_SAME_PERSON",
                "a purge needs two persons",
                "Une purge se fait à deux : une autre personne que celle qui l’a proposée doit la confirmer.",
            )),
            Err(PurgeRefusal::AlreadyDone) => Err(Failure::new(
                FailureKind::Conflict,
                "PURGE_DONE",
                "the bytes are gone already",
                "Ce document a déjà été détruit.",
            )),
        }
    }

    /// All purges, proposed and done, oldest first.
    pub async fn purges(&self) -> Result<Vec<Purge>, Failure> {
        self.0.store.purges().await.map_err(failure::storage)
    }
}

/// A name as compared: two spellings of one person are one person.
fn person(name: &str) -> Result<String, Failure> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if name.is_empty() || name.chars().count() > 100 || name.contains('\0') {
        return Err(Failure::new(
            FailureKind::Invalid,
            "PERSON_UNNAMED",
            "a person must be named",
            "Indiquez le nom de la personne.",
        ));
    }
    Ok(name)
}
