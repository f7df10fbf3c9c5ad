//! A hub restored from an older copy takes back what it had accepted since: its own receipts prove it.
//!
//! Nothing is judged anew. The receipt says that this very hub attacked the document and took it, at this place of
//! these ledgers; the bytes are kept under that receipt, so that the chains are again what every node knows, and a
//! document that came back counts against what comes next exactly as if it had never been gone. What is checked is
//! that nothing was invented or left out: our signature, the document's, and that it is the next of each ledger.

use std::collections::BTreeSet;

use disclosure::Received;
use model::{CommuneCode, Failure, FailureKind, Slice};
use store::hub::{Place, PlaceLink, Recovered, Recovery, SliceAudiences, SliceChange, SliceState};
use store::{DocumentKind, SealedReceipt};
use wire::document::{Purpose, Receipt, ReceiptKind, Sharing, Withdrawal, decode};
use wire::recovery::{self, Standing, TerritoryHead};

use crate::auth::Provider;
use crate::submit::blocking;
use crate::{Hub, failure, share};

impl Hub {
    /// Where the provider stands: what opens every contact.
    pub(crate) async fn standing(&self, provider: &Provider) -> Result<Standing, Failure> {
        let mut heads = Vec::new();
        for territory in provider.territories() {
            let head = self.0.store.head(*territory).await.map_err(failure::storage)?;
            heads.push(TerritoryHead { territory: *territory, sequence: head.sequence, receipt: head.receipt });
        }
        Ok(Standing { heads, hub_keys: self.keys().await? })
    }

    /// Takes back one document; `true` if it was held already.
    pub(crate) async fn recover(&self, provider: &Provider, given: wire::recovery::Recovery) -> Result<bool, Failure> {
        let keys = self.keys().await?;
        let (given, receipt, mut slices, shared) = blocking(move || {
            let receipt = given.prove(&keys).map_err(|error| recovery::refused(&error))?;
            let (slices, shared) = match (&given.purge, given.document.is_empty()) {
                (Some(purge), _) => {
                    let purge = purge.verify(&keys).map_err(|error| recovery::refused(&error.into()))?;
                    (emptied(&receipt, &purge)?, Vec::new())
                }
                // A purge's own slices are those that its target fills; the database knows them.
                (None, true) => (Vec::new(), Vec::new()),
                (None, false) if receipt.kind == ReceiptKind::Sharing => (Vec::new(), said(&receipt, &given.document)?),
                (None, false) => (changes(&receipt, &given.document)?, Vec::new()),
            };
            Ok((given, receipt, slices, shared))
        })
        .await?;
        if let Some(foreign) = receipt.links.keys().find(|territory| !provider.owns(**territory)) {
            return Err(Failure::new(
                FailureKind::Denied,
                "TERRITORY_NOT_YOURS",
                "the receipt stands in a ledger that is not of this provider",
                format!(
                    "Cet ancien envoi concerne aussi la commune {foreign}, que ce poste ne peut pas renseigner : c’est à son poste de le rendre au centre."
                ),
            ));
        }
        if given.purge.is_some() && receipt.kind == ReceiptKind::Submission && slices.is_empty() {
            slices = self.all_present(&receipt).await?;
        }
        let wire::ledger::LedgerEntry { receipt: signed, signature, signing_key, .. } = &given.entry;
        let sealed = SealedReceipt {
            document: signed.document.clone(),
            signature: signed.signature.as_bytes().to_vec(),
            key: signed.key,
        };
        let link = |(territory, link): (&CommuneCode, &wire::document::Link)| PlaceLink {
            territory: *territory,
            sequence: link.sequence,
            previous: link.previous,
        };
        let recovered = Recovered {
            submission: receipt.submission,
            provider: receipt.provider,
            kind: kind(receipt.kind),
            document: (!given.document.is_empty()).then_some(given.document.as_slice()),
            document_hash: receipt.document_hash,
            signature: signature.as_bytes(),
            signing_key: signing_key.as_bytes(),
            receipt: &sealed,
            receipt_hash: signed.hash(),
            place: Place { number: receipt.number, links: receipt.links.iter().map(link).collect() },
            slices,
            shared,
            accepted_at: receipt.accepted_at,
            taken_at: self.now(),
        };
        let done = self.0.store.recover(&recovered).await.map_err(failure::storage)?;
        if receipt.kind == ReceiptKind::Purge {
            self.0.archive.forget_all();
        }
        match done {
            Recovery::Taken => {
                tracing::warn!(
                    id = %receipt.submission,
                    provider = %receipt.provider,
                    kind = %recovered.kind,
                    number = receipt.number,
                    brought_by = %provider.commune(),
                    "recovered"
                );
                self.0.metrics.taken(recovered.kind, "recovered");
                Ok(false)
            }
            Recovery::Held => Ok(true),
            Recovery::Forked { territory, sequence } => Err(forked(territory, sequence)),
            Recovery::Gap { territory, held } => Err(Failure::new(
                FailureKind::Precondition,
                "RECOVERY_GAP",
                format!("the ledger of {territory} ends at {held}: what follows it must come first"),
                "Un envoi plus ancien doit être rendu au centre avant celui-ci : relancez l’opération.",
            )),
            Recovery::NumberTaken => Err(Failure::new(
                FailureKind::Conflict,
                "RECOVERY_NUMBER_TAKEN",
                format!("acceptance number {} was given to something else", receipt.number),
                "Le centre a donné ce numéro de récépissé à un autre envoi : sa base a été remise en arrière sans « maillage hub restore ». Prévenez l’union départementale, qui doit restaurer sa sauvegarde la plus récente par cette commande.",
            )),
        }
    }
}

impl Hub {
    /// The purge does not say what it destroyed: any figure of these territories may be older than what was destroyed,
    /// and none may be shown as if it were the last.
    async fn all_present(&self, receipt: &Receipt) -> Result<Vec<SliceChange>, Failure> {
        let mut changes = Vec::new();
        for territory in receipt.links.keys() {
            let current = self.0.store.current_of(*territory).await.map_err(failure::storage)?;
            let present = current.into_iter().filter(|current| current.state == SliceState::Present);
            changes.extend(present.map(|current| SliceChange { slice: current.slice, state: SliceState::Purged }));
        }
        Ok(changes)
    }
}

/// What a document whose bytes are gone had done to the slices that its purge names.
fn emptied(receipt: &Receipt, purge: &Receipt) -> Result<Vec<SliceChange>, Failure> {
    let state = match receipt.kind {
        ReceiptKind::Submission => SliceState::Purged,
        ReceiptKind::Withdrawal => SliceState::Withdrawn,
        ReceiptKind::Check | ReceiptKind::Purge | ReceiptKind::Sharing => return Ok(Vec::new()),
    };
    if purge.destroyed.iter().any(|slice| !receipt.links.contains_key(&slice.territory)) {
        return Err(foreign());
    }
    Ok(purge.destroyed.iter().map(|slice| SliceChange { slice: slice.clone(), state }).collect())
}

/// The same ledger was continued in two ways.
fn forked(territory: CommuneCode, sequence: u64) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "LEDGER_FORKED",
        format!("the ledger of {territory} was continued in another way from place {sequence}"),
        format!(
            "Depuis sa restauration, le centre a enregistré autre chose que cet envoi au rang {sequence} du registre de {territory} : les deux suites ne peuvent pas être réunies. Rien n’a été perdu sur ce poste, et rien n’en partira. L’union départementale doit restaurer à nouveau sa sauvegarde la plus récente et laisser ce poste se reconnecter avant tout autre envoi ou toute destruction pour cette commune."
        ),
    )
}

fn foreign() -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "RECOVERY_NOT_PROVEN",
        "document and receipt speak of different things",
        "Cet ancien envoi ne correspond pas à son récépissé : rien n’a été repris.",
    )
}

/// What the document does to the slices, read from its own bytes, which the receipt vouches for.
fn changes(receipt: &Receipt, document: &[u8]) -> Result<Vec<SliceChange>, Failure> {
    let (id, provider, slices, state): (_, _, Vec<Slice>, _) = match receipt.kind {
        ReceiptKind::Submission | ReceiptKind::Check => {
            let submission = decode(document).map_err(Failure::from)?;
            let purpose = submission.header.purpose;
            if (purpose == Purpose::Check) != (receipt.kind == ReceiptKind::Check) {
                return Err(foreign());
            }
            let name = |received: Received| received.slice;
            let slices = submission.slices.into_iter().map(|slice| name(slice.received)).collect();
            (submission.header.id, submission.header.provider, slices, SliceState::Present)
        }
        ReceiptKind::Withdrawal => {
            let withdrawal = Withdrawal::decode(document).map_err(Failure::from)?;
            let slices = withdrawal.slices.into_iter().collect();
            (withdrawal.id, withdrawal.provider, slices, SliceState::Withdrawn)
        }
        ReceiptKind::Purge | ReceiptKind::Sharing => return Err(foreign()),
    };
    let touched: BTreeSet<CommuneCode> = slices.iter().map(|slice| slice.territory).collect();
    if id != receipt.submission || provider != receipt.provider || !touched.iter().eq(receipt.links.keys()) {
        return Err(foreign());
    }
    if receipt.kind == ReceiptKind::Check {
        return Ok(Vec::new());
    }
    Ok(slices.into_iter().map(|slice| SliceChange { slice, state }).collect())
}

/// Who may be shown slices, read from the document's own bytes.
fn said(receipt: &Receipt, document: &[u8]) -> Result<Vec<SliceAudiences>, Failure> {
    let sharing = Sharing::decode(document).map_err(Failure::from)?;
    let touched: BTreeSet<CommuneCode> = sharing.slices.keys().map(|slice| slice.territory).collect();
    if sharing.id != receipt.submission
        || sharing.provider != receipt.provider
        || !touched.iter().eq(receipt.links.keys())
    {
        return Err(foreign());
    }
    Ok(share::audiences(sharing))
}

fn kind(kind: ReceiptKind) -> DocumentKind {
    match kind {
        ReceiptKind::Submission => DocumentKind::Submission,
        ReceiptKind::Check => DocumentKind::Check,
        ReceiptKind::Withdrawal => DocumentKind::Withdrawal,
        ReceiptKind::Purge => DocumentKind::Purge,
        ReceiptKind::Sharing => DocumentKind::Sharing,
    }
}
