//! A bundle that somebody brought: accepted exactly as if its documents had been pushed, and answered in a file.
//!
//! Same signatures, same rights, same definitions, same attack, same receipts: each document goes through
//! [`Hub::submit`], [`Hub::withdraw`] or [`Hub::share`]. Two things differ. The sender is known by the signature of the envelope, with
//! no certificate ([`Hub::sender`]). And a file may lie in a drawer for months, or be copied: nothing new is accepted
//! from one if the territory's ledger moved on meanwhile by anything that is not in it, so that old figures never
//! replace newer ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use model::{CommuneCode, Failure, FailureKind, SubmissionId, Timestamp};
use seal::OpeningKey;
use store::DocumentKind;
use wire::bundle::{Answer, AnsweredItem, Bundle, Item, ItemKind, MAX_BUNDLE};
use wire::document::{Purpose, Sharing, Withdrawal, decode};
use wire::status::Refusal;
use wire::upload::Upload;

pub use wire::bundle::ItemVerdict;

use crate::auth::Provider;
use crate::submit::{ATTEMPTS, Answer as Accepted, Heads, LEDGER_BUSY, verify};
use crate::{Hub, failure};

/// Entries of a ledger after the bundle's own position that are looked at: more are not all of one bundle.
const LOOKED_AT: u32 = 10_000;

/// The bytes of the file at `path`; never more than an envelope may have, whatever the file is.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BUNDLE as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| failure::file(path, error))?;
    Ok(bytes)
}

/// What became of a bundle.
#[derive(Debug)]
pub struct Answered {
    /// Whose it was.
    pub provider: CommuneCode,
    /// When the node says that it wrote it.
    pub written_at: Timestamp,
    /// Document by document.
    pub items: Vec<AnsweredItem>,
    /// The answer, signed and sealed to the node: to be carried back.
    pub answer: Vec<u8>,
}

/// A document with what must be known of it before it is taken.
struct Known<'a> {
    item: &'a Item,
    id: SubmissionId,
    territories: BTreeSet<CommuneCode>,
}

impl Hub {
    /// Accepts the documents of a bundle, oldest first. Repeating it gives the same receipts.
    ///
    /// # Errors
    /// The envelope is refused as a whole (not for this hub, damaged, not signed by a living node), or something
    /// stopped the hub half-way: repeat it then. What the hub thinks of single documents is in the answer.
    pub async fn accept_bundle(&self, file: &[u8]) -> Result<Answered, Failure> {
        let authority = self.0.authority.fingerprint();
        let (sender, bundle) = Bundle::open(file, &OpeningKey::of(&self.0.signing_key), authority)?;
        let provider = self.sender(&sender).await?;
        let known = bundle.items.iter().map(|item| look_into(&provider, item)).collect::<Result<Vec<_>, _>>()?;
        let ids: BTreeSet<SubmissionId> = known.iter().map(|known| known.id).collect();
        let mut items = Vec::new();
        for known in &known {
            let verdict = match self.take_item(&provider, &bundle, known, &ids).await {
                Ok(Accepted { receipt, already_received }) => {
                    ItemVerdict::Received { receipt, already: already_received }
                }
                Err(refusal) if is_about_the_document(&refusal.failure) => {
                    tracing::info!(id = %known.id, reason = %refusal.failure.reason, "document of a bundle refused");
                    refused(refusal)
                }
                Err(refusal) => return Err(refusal.failure),
            };
            items.push(AnsweredItem { submission: known.id, verdict });
        }
        let answer =
            Answer { bundle: bundle.id, provider: provider.commune(), answered_at: self.now(), items: items.clone() };
        let answer = answer.seal(&self.0.signing_key, &bundle.reply_key, authority, self.entropy())?;
        tracing::info!(bundle = %bundle.id, provider = %provider.commune(), documents = items.len(), "bundle answered");
        Ok(Answered { provider: provider.commune(), written_at: bundle.written_at, items, answer })
    }

    /// Decided on ledgers as they end now, and accepted only while they still end there: a push that comes in between
    /// begins it anew, and then perhaps ends it.
    async fn take_item(
        &self,
        provider: &Provider,
        bundle: &Bundle,
        known: &Known<'_>,
        ids: &BTreeSet<SubmissionId>,
    ) -> Result<Accepted, Refusal> {
        let mut attempt = 1;
        loop {
            let heads = if self.0.store.submission(known.id).await.map_err(failure::storage)?.is_none() {
                Some(self.still_next(provider, bundle, known, ids).await?)
            } else {
                None
            };
            match self.take_at(provider, known.item, heads.as_ref()).await {
                Err(refusal) if refusal.failure.reason == LEDGER_BUSY && attempt < ATTEMPTS => attempt += 1,
                answer => return answer,
            }
        }
    }

    async fn take_at(&self, provider: &Provider, item: &Item, heads: Option<&Heads>) -> Result<Accepted, Refusal> {
        let Item { kind, document, signature } = item;
        let upload = || Upload { document: document.clone(), signature: *signature };
        match kind {
            ItemKind::Submit => self.submit_at(provider, Purpose::Submit, upload(), heads).await,
            ItemKind::Check => self.submit_at(provider, Purpose::Check, upload(), heads).await,
            ItemKind::Withdraw => self.withdraw_at(provider, document, *signature, heads).await,
            ItemKind::Share => self.share_at(provider, document, *signature, heads).await,
        }
    }

    /// Refuses a document whose ledgers moved on since the bundle was written. Gives where they end.
    async fn still_next(
        &self,
        provider: &Provider,
        bundle: &Bundle,
        known: &Known<'_>,
        ids: &BTreeSet<SubmissionId>,
    ) -> Result<Heads, Failure> {
        let mut heads = Heads::new();
        // Of a territory that is not theirs nothing is told: that refusal comes later.
        for territory in known.territories.iter().filter(|territory| provider.owns(**territory)) {
            let position = bundle.positions.get(territory).copied().ok_or_else(|| outdated(*territory))?;
            let head = self.0.store.head(*territory).await.map_err(failure::storage)?;
            if head.sequence < position {
                return Err(behind(*territory));
            }
            let since = self.0.store.ledger(*territory, position, LOOKED_AT).await.map_err(failure::storage)?;
            let foreign = |entry: &store::hub::LedgerEntry| {
                entry.submission.kind != DocumentKind::Purge && !ids.contains(&entry.submission.id)
            };
            if since.iter().any(foreign) || head.sequence - position > u64::from(LOOKED_AT) {
                return Err(outdated(*territory));
            }
            heads.insert(*territory, head.sequence);
        }
        Ok(heads)
    }
}

/// Its id and whose ledgers it touches. A document that does not even read was not put there by our software.
fn look_into<'a>(provider: &Provider, item: &'a Item) -> Result<Known<'a>, Failure> {
    verify(provider, &item.document, &item.signature)?;
    let (id, territories) = match item.kind {
        ItemKind::Submit | ItemKind::Check => {
            let submission = decode(&item.document)?;
            let territories = submission.slices.iter().map(|slice| slice.received.slice.territory).collect();
            (submission.header.id, territories)
        }
        ItemKind::Withdraw => {
            let withdrawal = Withdrawal::decode(&item.document)?;
            (withdrawal.id, withdrawal.slices.iter().map(|slice| slice.territory).collect())
        }
        ItemKind::Share => {
            let sharing = Sharing::decode(&item.document)?;
            (sharing.id, sharing.slices.keys().map(|slice| slice.territory).collect())
        }
    };
    Ok(Known { item, id, territories })
}

/// As the node sees it when it pushes: a refusal about who sends, or a hub in trouble, is no answer to the document.
fn is_about_the_document(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Invalid | FailureKind::NotFound | FailureKind::Conflict => true,
        FailureKind::Precondition => failure.reason != "HUB_LEDGER_BEHIND",
        FailureKind::Denied => !matches!(failure.reason.as_ref(), "NODE_REVOKED" | "NODE_UNKNOWN"),
        FailureKind::Unauthenticated | FailureKind::Exhausted | FailureKind::Unavailable | FailureKind::Internal => {
            false
        }
    }
}

fn refused(refusal: Refusal) -> ItemVerdict {
    ItemVerdict::Refused {
        reason: refusal.failure.reason.to_string(),
        message: refusal.failure.message,
        total: refusal.conflicts.len(),
        conflicts: refusal.conflicts,
    }
}

fn outdated(territory: CommuneCode) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "BUNDLE_OUTDATED",
        format!("the ledger of {territory} moved on since the bundle was written"),
        format!(
            "Depuis que cette enveloppe a été faite, le centre a reçu d’autres envois pour {territory} : ses chiffres ne remplacent pas de plus récents. Refaites l’aperçu (maillage node preview), donnez votre accord et faites une nouvelle enveloppe."
        ),
    )
}

fn behind(territory: CommuneCode) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "HUB_LEDGER_BEHIND",
        format!("the bundle follows entries of {territory} that this hub does not hold"),
        format!(
            "Ce centre ne connaît plus des envois de {territory} dont la commune a le récépissé : il a sans doute été restauré d’une copie plus ancienne. Retrouvez-les d’abord auprès du poste de la commune, puis recommencez."
        ),
    )
}
