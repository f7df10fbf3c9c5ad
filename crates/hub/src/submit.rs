//! A commune submits protected tables, or asks what would happen if it did.
//!
//! Signature, provider, rights, definitions; then the intruder, who knows everything that the territory ever sent;
//! then one transaction. The attack runs outside it, on a ledger whose length the transaction compares: if the
//! ledger grew meanwhile, the attack runs again.

mod conflict;
mod judge;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use disclosure::Ledger;
use model::{CommuneCode, Failure, FailureKind, Hash, Slice, SubmissionId};
use seal::{PublicKey, Signature, sha256};
use store::hub::{Acceptance, Accepted, Place, SliceAudiences, SliceChange, SliceState, SubmissionRecord};
use store::{DocumentKind, SealedReceipt};
use wire::document::{self, Link, Outcome, Purpose, Receipt, ReceiptKind, SignedReceipt, Submission};
use wire::status::Refusal;
use wire::upload::Upload;

use crate::auth::{Provider, revoked};
use crate::packs::Packs;
use crate::refusal::Judged;
use crate::{Hub, failure};

pub(crate) use conflict::{refuse, row};
pub(crate) use judge::slices_allowed;

/// How often an acceptance starts again because the ledger grew under it.
pub(crate) const ATTEMPTS: u32 = 5;
/// The reason of [`busy`].
pub(crate) const LEDGER_BUSY: &str = "LEDGER_BUSY";

/// The hub took a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Signed by the hub.
    pub receipt: SignedReceipt,
    /// This very document had been received before.
    pub already_received: bool,
}

impl Hub {
    /// Takes a document whose header says `purpose`, whole or not at all.
    pub(crate) async fn submit(
        &self,
        provider: &Provider,
        purpose: Purpose,
        upload: Upload,
    ) -> Result<Answer, Refusal> {
        self.submit_at(provider, purpose, upload, None).await
    }

    /// The same, only if no ledger moved on since `heads` were read, where there are any: [`busy`] otherwise.
    pub(crate) async fn submit_at(
        &self,
        provider: &Provider,
        purpose: Purpose,
        upload: Upload,
        heads: Option<&Heads>,
    ) -> Result<Answer, Refusal> {
        let kind = match purpose {
            Purpose::Submit => DocumentKind::Submission,
            Purpose::Check => DocumentKind::Check,
        };
        let mut judged = Judged { kind, document_hash: sha256(&upload.document), slices: BTreeSet::new() };
        let answer = self.take(provider, purpose, upload, heads, &mut judged).await;
        if let Err(refusal) = &answer {
            self.note_refusal(provider, judged, refusal).await;
        }
        answer
    }

    async fn take(
        &self,
        provider: &Provider,
        purpose: Purpose,
        upload: Upload,
        at: Option<&Heads>,
        judged: &mut Judged,
    ) -> Result<Answer, Refusal> {
        verify(provider, &upload.document, &upload.signature)?;
        let Upload { document, signature } = upload;
        let (document, submission) = blocking(move || {
            let submission = document::decode(&document).map_err(Failure::from)?;
            Ok((document, submission))
        })
        .await?;
        authorised(provider, submission.header.provider)?;
        // Not those of others: nobody paints somebody else's row of the board.
        let slices = submission.slices.iter().map(|slice| &slice.received.slice);
        judged.slices = slices.filter(|slice| provider.owns(slice.territory)).cloned().collect();
        if submission.header.purpose != purpose {
            return Err(invalid(
                "PURPOSE_MISMATCH",
                "the document was signed for the other of check and submit",
                "Ce document a été signé pour une autre opération (essai ou envoi) : préparez-en un nouveau.",
            )
            .into());
        }
        let signed = SignedDocument {
            provider,
            id: submission.header.id,
            kind: judged.kind,
            document: &document,
            hash: judged.document_hash,
            signature,
            at,
        };
        if let Some(answer) = self.known(&signed).await? {
            return Ok(answer);
        }
        judge::rights(provider, &submission, self.successions(), self.now())?;
        let packs = self.packs().await?;
        judge::definitions(&submission, &packs, self.now())?;
        judge::periods(&submission, &packs)?;
        self.readable_to_every_holder(provider, &territories(&submission)).await?;
        self.heard_since_restoration(provider, &territories(&submission)).await?;
        let mut submission = submission;
        for _ in 0..ATTEMPTS {
            let (heads, ledger) = self.past(&submission).await?;
            submission = self.attack(submission, ledger, Arc::clone(&packs)).await?;
            let (outcome, slices) = self.outcome(&submission, purpose).await?;
            if let Some(answer) = self.accept(&signed, heads, Effect::Move(slices), outcome).await? {
                return Ok(answer);
            }
            tracing::debug!(id = %signed.id, "a ledger grew during the attack: again");
        }
        Err(busy().into())
    }

    /// What was ever said about the slices of `submission`, and the heads of the ledgers it was read from.
    async fn past(&self, submission: &Submission) -> Result<(Vec<(CommuneCode, u64)>, Ledger), Failure> {
        let wanted: BTreeSet<Slice> = submission.slices.iter().map(|slice| slice.received.slice.clone()).collect();
        let territories: BTreeSet<CommuneCode> = wanted.iter().map(|slice| slice.territory).collect();
        let mut ledger = Ledger::empty();
        let mut heads = Vec::with_capacity(territories.len());
        for territory in territories {
            let head = self.0.archive.ledger(territory, &wanted, &mut ledger).await?;
            heads.push((territory, head.sequence));
        }
        Ok((heads, ledger))
    }

    /// Plays the intruder against every slice; gives the submission back if none falls.
    async fn attack(&self, submission: Submission, ledger: Ledger, packs: Arc<Packs>) -> Result<Submission, Refusal> {
        let hub = self.clone();
        let waits = self.0.metrics.attack_waits();
        let turn = self.0.turns.attack().await;
        drop(waits);
        let judged = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, not with the patience of whoever asked.
            let _turn = turn;
            let began = tokio::time::Instant::now();
            let judged = judge::admissible(&submission, &packs, &ledger).map(|()| submission);
            hub.0.metrics.attacked(began.elapsed());
            judged
        });
        judged.await.map_err(|_| Refusal::from(failure::internal("ATTACK", "the attack was interrupted")))?
    }

    async fn outcome(&self, submission: &Submission, purpose: Purpose) -> Result<(Outcome, Vec<SliceChange>), Failure> {
        let mut total = Outcome::default();
        let mut changes = Vec::new();
        for slice in &submission.slices {
            let name = &slice.received.slice;
            let before = self.0.archive.content(name).await?;
            outcome::add(&mut total, &slice.received, before.figures(name));
            if purpose == Purpose::Submit {
                changes.push(SliceChange { slice: name.clone(), state: SliceState::Present });
            }
        }
        Ok((total, changes))
    }

    /// The answer to a document that was accepted before; `Conflict` if its id was used for another.
    pub(crate) async fn known(&self, signed: &SignedDocument<'_>) -> Result<Option<Answer>, Failure> {
        let Some(record) = self.0.store.submission(signed.id).await.map_err(failure::storage)? else {
            return Ok(None);
        };
        let same = record.document_hash == signed.hash
            && record.provider == signed.provider.commune()
            && record.kind == signed.kind;
        if !same {
            return Err(id_reused());
        }
        self.0.metrics.taken(signed.kind, "repeated");
        Ok(Some(Answer { receipt: signed_receipt(record)?, already_received: true }))
    }

    /// Keeps a document; `None` if a ledger grew since it was read.
    pub(crate) async fn accept(
        &self,
        signed: &SignedDocument<'_>,
        heads: Vec<(CommuneCode, u64)>,
        effect: Effect,
        outcome: Outcome,
    ) -> Result<Option<Answer>, Failure> {
        // The transaction compares `heads`: what was decided on others would not be what is accepted.
        if signed.at.is_some_and(|at| heads.iter().any(|(territory, head)| at.get(territory) != Some(head))) {
            return Err(busy());
        }
        let (slices, shared) = match effect {
            Effect::Move(slices) => (slices, Vec::new()),
            Effect::Share(shared) => (Vec::new(), shared),
        };
        let document_hash = signed.hash;
        let signing_key = signed.provider.signing_key();
        let acceptance = Acceptance {
            submission: signed.id,
            provider: signed.provider.commune(),
            node: signed.provider.node(),
            kind: signed.kind,
            document: signed.document,
            document_hash,
            signature: signed.signature.as_bytes(),
            signing_key: signing_key.as_bytes(),
            heads,
            slices,
            shared,
            accepted_at: self.now(),
        };
        let seal = |place: &Place| {
            self.sealed(&Receipt {
                submission: signed.id,
                document_hash,
                provider: signed.provider.commune(),
                provider_key: signing_key.id(),
                kind: receipt_kind(signed.kind),
                accepted_at: acceptance.accepted_at,
                number: place.number,
                links: links(place),
                outcome,
                destroyed: BTreeSet::new(),
            })
        };
        match self.0.store.accept(&acceptance, &seal).await.map_err(failure::storage)? {
            Accepted::New(receipt) => {
                tracing::info!(id = %signed.id, provider = %signed.provider.commune(), kind = %signed.kind, "accepted");
                self.0.metrics.taken(signed.kind, "accepted");
                Ok(Some(Answer { receipt: unsealed(receipt)?, already_received: false }))
            }
            // The same document, sent twice at once.
            Accepted::Repeated(receipt) => {
                self.0.metrics.taken(signed.kind, "repeated");
                Ok(Some(Answer { receipt: unsealed(receipt)?, already_received: true }))
            }
            Accepted::IdReused => Err(id_reused()),
            Accepted::NodeRevoked => Err(revoked()),
            Accepted::HeadMoved => Ok(None),
        }
    }

    pub(crate) fn sealed(&self, receipt: &Receipt) -> (SealedReceipt, model::Hash) {
        let signed = SignedReceipt::sign(receipt, &self.0.signing_key)
            .expect("the transaction numbers from 1, links at least one ledger, and links each to the receipt before");
        let hash = signed.hash();
        let sealed = SealedReceipt {
            document: signed.document,
            signature: signed.signature.as_bytes().to_vec(),
            key: signed.key,
        };
        (sealed, hash)
    }
}

/// What an accepted document does besides standing in the ledgers.
pub(crate) enum Effect {
    /// These slices hold something else.
    Move(Vec<SliceChange>),
    /// These may be shown to others than before.
    Share(Vec<SliceAudiences>),
}

/// A document whose signature holds.
pub(crate) struct SignedDocument<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) id: SubmissionId,
    pub(crate) kind: DocumentKind,
    pub(crate) document: &'a [u8],
    /// SHA-256 of the document.
    pub(crate) hash: Hash,
    pub(crate) signature: Signature,
    /// Where the ledgers must still end.
    pub(crate) at: Option<&'a Heads>,
}

/// Where ledgers end: the last sequence number of each.
pub(crate) type Heads = BTreeMap<CommuneCode, u64>;

/// The signature is of the key that this very node registered.
pub(crate) fn verify(provider: &Provider, document: &[u8], signature: &Signature) -> Result<(), Failure> {
    let key: PublicKey = provider.signing_key();
    key.verify(document, signature).map_err(|_| Failure::from(document::DocumentError::Signature))
}

/// The provider that the document names is the one of the certificate.
pub(crate) fn authorised(provider: &Provider, named: CommuneCode) -> Result<(), Failure> {
    if named == provider.commune() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Denied,
        "PROVIDER_MISMATCH",
        "the document names another provider than the certificate",
        "Ce document est au nom d’une autre commune que celle de ce poste.",
    ))
}

pub(crate) fn busy() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        LEDGER_BUSY,
        "the ledger kept growing during the attack",
        "D’autres envois de la même commune arrivent en même temps : celui-ci sera retenté.",
    )
}

pub(crate) fn invalid(reason: &'static str, detail: &str, message: &str) -> Failure {
    Failure::new(FailureKind::Invalid, reason, detail, message)
}

pub(crate) fn links(place: &Place) -> BTreeMap<CommuneCode, Link> {
    let link = |link: &store::hub::PlaceLink| Link { sequence: link.sequence, previous: link.previous };
    place.links.iter().map(|place| (place.territory, link(place))).collect()
}

pub(crate) fn unsealed(receipt: SealedReceipt) -> Result<SignedReceipt, Failure> {
    let signature = Signature::from_slice(&receipt.signature).map_err(|_| failure::damaged("receipt"))?;
    Ok(SignedReceipt { document: receipt.document, signature, key: receipt.key })
}

fn signed_receipt(record: SubmissionRecord) -> Result<SignedReceipt, Failure> {
    unsealed(record.receipt)
}

fn receipt_kind(kind: DocumentKind) -> ReceiptKind {
    match kind {
        DocumentKind::Submission => ReceiptKind::Submission,
        DocumentKind::Check => ReceiptKind::Check,
        DocumentKind::Withdrawal => ReceiptKind::Withdrawal,
        DocumentKind::Purge => ReceiptKind::Purge,
        DocumentKind::Sharing => ReceiptKind::Sharing,
    }
}

fn id_reused() -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "SUBMISSION_ID_REUSED",
        "another document was accepted under this id",
        "Un autre document a déjà été reçu sous cet identifiant : préparez un nouvel envoi.",
    )
}

fn territories(submission: &Submission) -> BTreeSet<CommuneCode> {
    submission.slices.iter().map(|slice| slice.received.slice.territory).collect()
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| failure::internal("INTERRUPTED", "a computation was interrupted"))?
}
