//! The ledger, read back from the hub and proven entry by entry.

mod recover;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use model::{CommuneCode, Failure, FailureKind, Hash, SubmissionId};
use seal::PublicKey;
use store::node::{Completeness, LedgerRecord, Link};
use store::{DocumentKind, SealedReceipt};
use wire::client::{ClientError, HubClient};
use wire::document::{Receipt, ReceiptKind, SignedReceipt};
use wire::ledger::{Chain, LedgerEntry, LedgerError};
use wire::recovery::Standing;
use wire::tls::ClientTls;

use crate::folder::Held;
use crate::{Node, failure, renew};

/// Connects as the node.
/// Connects as the node.
pub async fn connect(node: &Node) -> Result<HubClient, Failure> {
    connect_raw(node).await?.map_err(|error| failure::network(&error))
}

/// Connects as the node; what our own folder lacks and what the way to the hub refuses are told apart.
pub(crate) async fn connect_raw(node: &Node) -> Result<Result<HubClient, ClientError>, Failure> {
    let identity = renew::load_identity(node.folder())?;
    let tls = ClientTls::new(node.identity().ca_fingerprint, Some(&identity), Arc::clone(&node.world.clock))
        .map_err(|error| failure::defect(error.to_string()))?;
    Ok(HubClient::connect_through(&tls, &node.address()?, &node.route()?).await)
}

/// What catching up did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Whether anything was fetched.
    pub fetched: bool,
    /// How many documents a restored hub had forgotten, and was given back.
    pub recovered: u64,
}

/// What stands in the way of catching up: the hub or the way to it, with when to come back; or something here.
#[derive(Debug)]
pub(crate) enum Hindrance {
    Hub(ClientError),
    Here(Failure),
}

impl From<ClientError> for Hindrance {
    fn from(error: ClientError) -> Self {
        Self::Hub(error)
    }
}

impl From<Failure> for Hindrance {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl From<Hindrance> for Failure {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Hub(error) => failure::network(&error),
            Hindrance::Here(failure) => failure,
        }
    }
}

/// Catches up, and gives how many entries the ledger of each territory has.
///
/// # Errors
/// `NODE_BUSY` if another command works on the folder.
pub async fn rebuild(node: &Node) -> Result<Vec<(CommuneCode, u64)>, Failure> {
    let held = node.folder().hold().await?;
    counted(node, &held).await
}

/// The same, for whoever holds the folder.
pub(crate) async fn counted(node: &Node, held: &Held) -> Result<Vec<(CommuneCode, u64)>, Failure> {
    bring_together(node, held).await?;
    let mut counts = Vec::new();
    for territory in &node.identity().territories {
        let last = node.store().ledger_head(*territory).await.map_err(|error| failure::storage(&error))?;
        counts.push((*territory, last.map_or(0, |(sequence, _)| sequence)));
    }
    Ok(counts)
}

/// Brings both sides to the same ledgers: what another node of the same right sent, or an answer that was lost, comes
/// here; what a hub restored from an older copy forgot goes back to it. Rights and keys of the hub are noted on the way.
///
/// # Errors
/// `NODE_BUSY` if another command works on the folder.
pub async fn sync(node: &Node) -> Result<Synced, Failure> {
    let held = node.folder().hold().await?;
    bring_together(node, &held).await
}

/// The same, for whoever holds the folder.
pub(crate) async fn bring_together(node: &Node, _: &Held) -> Result<Synced, Failure> {
    let client = connect(node).await?;
    let standing = client.standing().await.map_err(|error| failure::network(&error))?;
    Ok(catch_up(node, &client, &standing).await?)
}

/// The same, once it is known where the hub stands. Whoever sends does this first: a document sent to a hub that has
/// forgotten earlier ones would take the place of one of them.
pub(crate) async fn catch_up(node: &Node, client: &HubClient, standing: &Standing) -> Result<Synced, Hindrance> {
    let keys = note_standing(node, standing).await?;
    let mut done = Synced::default();
    let mut behind = Vec::new();
    for head in &standing.heads {
        let territory = head.territory;
        let known = node.store().completeness(territory).await.map_err(|error| failure::storage(&error))?;
        let Completeness::Complete(ours) = known else {
            rebuild_one(node, client, territory, &keys).await?;
            done.fetched = true;
            continue;
        };
        let last = node.store().ledger_head(territory).await.map_err(|error| failure::storage(&error))?;
        match head.sequence.cmp(&ours) {
            Ordering::Equal if head.receipt == last.map(|(_, receipt)| receipt) => {}
            Ordering::Equal => return Err(forked(territory, ours).into()),
            Ordering::Greater => {
                extend(node, client, territory, last, &keys).await?;
                done.fetched = true;
            }
            Ordering::Less => behind.push(*head),
        }
    }
    if !behind.is_empty() {
        done.recovered = recover::give_back(node, client, &behind, &keys).await?;
    }
    Ok(done)
}

/// Keeps the hub's keys and the node's rights as the hub says them now. Gives all keys.
async fn note_standing(node: &Node, standing: &Standing) -> Result<Vec<PublicKey>, Failure> {
    let territories: Vec<CommuneCode> = standing.heads.iter().map(|head| head.territory).collect();
    if territories.first() != Some(&node.provider()) {
        return Err(failure::defect("the hub answered for another commune"));
    }
    node.note(territories, &standing.hub_keys).await
}

/// Fetches what follows the last entry that is known here.
async fn extend(
    node: &Node,
    client: &HubClient,
    territory: CommuneCode,
    last: Option<(u64, Hash)>,
    keys: &[PublicKey],
) -> Result<(), Hindrance> {
    let Some((after, hash)) = last else { return rebuild_one(node, client, territory, keys).await.map(drop) };
    let mut chain = Chain::resume(territory, after, hash);
    let mut records = Vec::new();
    loop {
        let page = client.list(territory, chain.sequence()).await?;
        for entry in &page.entries {
            let receipt = match chain.follow(entry, keys) {
                Err(LedgerError::Broken { after, .. }) if records.is_empty() => {
                    return Err(forked(territory, after).into());
                }
                followed => followed.map_err(|error| untrusted(territory, &error))?,
            };
            // A purge, or bytes that one must explain, concerns entries that are here already: all is read anew.
            if receipt.kind == ReceiptKind::Purge || entry.length == 0 {
                return rebuild_one(node, client, territory, keys).await.map(drop);
            }
            records.push(record(client, entry, &receipt, territory, keys).await?);
        }
        if chain.is_whole(&page) {
            break;
        }
        if page.entries.is_empty() {
            return Err(untrusted(territory, &LedgerError::Broken { territory, after: chain.sequence() }).into());
        }
    }
    Ok(node.store().extend_ledger(territory, after, &records).await.map_err(|error| failure::storage(&error))?)
}

async fn rebuild_one(
    node: &Node,
    client: &HubClient,
    territory: CommuneCode,
    keys: &[PublicKey],
) -> Result<u64, Hindrance> {
    let mut chain = Chain::new(territory);
    let mut records = Vec::new();
    let mut gone = Gone::default();
    loop {
        let page = client.list(territory, chain.sequence()).await?;
        for entry in &page.entries {
            let receipt = chain.follow(entry, keys).map_err(|error| untrusted(territory, &error))?;
            gone.note(&receipt, entry.length == 0);
            records.push(record(client, entry, &receipt, territory, keys).await?);
        }
        if chain.is_whole(&page) {
            break;
        }
        if page.entries.is_empty() {
            return Err(untrusted(territory, &LedgerError::Broken { territory, after: chain.sequence() }).into());
        }
    }
    gone.is_purged().map_err(|error| untrusted(territory, &error))?;
    let known = node.store().ledger(territory).await.map_err(|error| failure::storage(&error))?;
    continues(territory, &known, &records).map_err(|error| untrusted(territory, &error))?;
    node.store().replace_ledger(territory, &records).await.map_err(|error| failure::storage(&error))?;
    Ok(chain.sequence())
}

/// Documents that the hub gives back without bytes. Only a purge, signed and in the same chain, explains that:
/// otherwise a hub could make a node forget what it sent, and protect as if nothing were known.
#[derive(Default)]
struct Gone {
    missing: Vec<(SubmissionId, Hash)>,
    purged: BTreeSet<Hash>,
}

impl Gone {
    fn note(&mut self, receipt: &Receipt, empty: bool) {
        if receipt.kind == ReceiptKind::Purge {
            self.purged.insert(receipt.document_hash);
        } else if empty {
            self.missing.push((receipt.submission, receipt.document_hash));
        }
    }

    fn is_purged(&self) -> Result<(), LedgerError> {
        match self.missing.iter().find(|(_, hash)| !self.purged.contains(hash)) {
            Some((submission, _)) => Err(LedgerError::Mismatch(*submission)),
            None => Ok(()),
        }
    }
}

/// Whether every receipt that the node holds is still in its place. A hub restored from an old copy, or one that lies,
/// would otherwise replace the node's memory by a shorter one.
fn continues(territory: CommuneCode, known: &[LedgerRecord], given: &[LedgerRecord]) -> Result<(), LedgerError> {
    let given: BTreeSet<(u64, Hash)> = given.iter().filter_map(place).collect();
    match known.iter().filter_map(place).find(|place| !given.contains(place)) {
        Some((sequence, _)) => Err(LedgerError::Broken { territory, after: sequence.saturating_sub(1) }),
        None => Ok(()),
    }
}

fn place(record: &LedgerRecord) -> Option<(u64, Hash)> {
    record.link.map(|link| (link.sequence, link.receipt))
}

async fn record(
    client: &HubClient,
    entry: &LedgerEntry,
    receipt: &Receipt,
    territory: CommuneCode,
    keys: &[PublicKey],
) -> Result<LedgerRecord, Hindrance> {
    let document = if entry.length == 0 {
        None
    } else {
        let (again, document) = client.get(entry.submission).await?;
        again.prove(&document, keys).map_err(|error| untrusted(territory, &error))?;
        Some(document)
    };
    Ok(LedgerRecord {
        submission: entry.submission,
        kind: kind(receipt.kind),
        document,
        signature: entry.signature.as_bytes().to_vec(),
        signing_key: entry.signing_key.as_bytes().to_vec(),
        receipt: Some(sealed(&entry.receipt)),
        link: links(&entry.receipt, receipt).into_iter().find(|link| link.territory == territory),
    })
}

/// The receipt as it is stored.
pub(crate) fn sealed(receipt: &SignedReceipt) -> SealedReceipt {
    SealedReceipt {
        document: receipt.document.clone(),
        signature: receipt.signature.as_bytes().to_vec(),
        key: receipt.key,
    }
}

/// The places that a receipt gives its document.
pub(crate) fn links(signed: &SignedReceipt, receipt: &Receipt) -> Vec<Link> {
    receipt
        .links
        .iter()
        .map(|(territory, link)| Link {
            territory: *territory,
            sequence: link.sequence,
            receipt: signed.hash(),
            previous: link.previous,
        })
        .collect()
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

/// The hub's ledger was continued in another way than the one that this node holds receipts of.
pub(crate) fn forked(territory: CommuneCode, sequence: u64) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "LEDGER_FORKED",
        format!("the ledger of {territory} at the hub differs from place {sequence}"),
        format!(
            "Le registre des envois de {territory} au centre ne continue pas celui de ce poste : ils diffèrent au rang {sequence}. Le centre a sans doute été restauré d’une sauvegarde, puis a enregistré autre chose. Rien n’a été perdu sur ce poste, et rien n’en partira. L’union départementale doit restaurer à nouveau sa sauvegarde la plus récente et laisser ce poste se reconnecter avant tout autre envoi pour cette commune."
        ),
    )
}

pub(crate) fn untrusted(territory: CommuneCode, error: &LedgerError) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "LEDGER_UNTRUSTED",
        error.to_string(),
        format!(
            "Le registre des envois de {territory} rendu par le centre ne se vérifie pas (chaîne rompue, signature ou document altéré). Rien ne sera protégé ni envoyé ; prévenez l’union départementale."
        ),
    )
}

#[cfg(test)]
mod tests {
    use wire::document::Outcome;

    use super::*;

    fn territory() -> CommuneCode {
        "93066".parse().expect("a commune")
    }

    fn record_at(sequence: u64, receipt: u8) -> LedgerRecord {
        LedgerRecord {
            submission: SubmissionId::from_bytes([receipt; 16]),
            kind: DocumentKind::Submission,
            document: None,
            signature: Vec::new(),
            signing_key: Vec::new(),
            receipt: None,
            link: Some(Link {
                territory: territory(),
                sequence,
                receipt: Hash::from_bytes([receipt; 32]),
                previous: None,
            }),
        }
    }

    #[test]
    fn a_ledger_that_forgets_or_exchanges_a_receipt_does_not_replace_ours() {
        let known = [record_at(1, 1), record_at(2, 2)];
        let longer = [record_at(1, 1), record_at(2, 2), record_at(3, 3)];
        assert_eq!(continues(territory(), &known, &longer), Ok(()));
        assert_eq!(continues(territory(), &[], &longer), Ok(()));
        let broken = |after| Err(LedgerError::Broken { territory: territory(), after });
        assert_eq!(continues(territory(), &known, &[]), broken(0));
        assert_eq!(continues(territory(), &known, &longer[..1]), broken(1));
        assert_eq!(continues(territory(), &known, &[record_at(1, 1), record_at(2, 9)]), broken(1));
        // What waits in the outbox has no place yet.
        let waiting = LedgerRecord { link: None, ..record_at(3, 3) };
        assert_eq!(continues(territory(), &[waiting], &[]), Ok(()));
    }

    #[test]
    fn only_a_purge_explains_missing_bytes() {
        let receipt = |kind, submission: u8| Receipt {
            submission: SubmissionId::from_bytes([submission; 16]),
            document_hash: Hash::from_bytes([7; 32]),
            provider: territory(),
            provider_key: Hash::from_bytes([8; 32]),
            kind,
            accepted_at: model::Timestamp::from_micros(0),
            number: 1,
            links: std::collections::BTreeMap::new(),
            outcome: Outcome::default(),
            destroyed: std::collections::BTreeSet::new(),
        };
        let mut gone = Gone::default();
        gone.note(&receipt(ReceiptKind::Submission, 1), false);
        assert_eq!(gone.is_purged(), Ok(()));
        gone.note(&receipt(ReceiptKind::Submission, 1), true);
        assert_eq!(gone.is_purged(), Err(LedgerError::Mismatch(SubmissionId::from_bytes([1; 16]))));
        gone.note(&receipt(ReceiptKind::Purge, 2), true);
        assert_eq!(gone.is_purged(), Ok(()));
    }
}
