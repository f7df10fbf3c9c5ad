//! The ledger, read back from the hub and proven entry by entry.

use std::sync::Arc;

use model::{CommuneCode, Failure, FailureKind};
use seal::PublicKey;
use store::node::{Completeness, LedgerRecord, Link};
use store::{DocumentKind, SealedReceipt};
use wire::client::{ClientError, HubClient};
use wire::document::{Receipt, ReceiptKind, SignedReceipt};
use wire::ledger::{Chain, LedgerEntry, LedgerError};
use wire::tls::ClientTls;

use crate::{Node, failure, renew};

/// Connects as the node.
pub(crate) async fn connect(node: &Node) -> Result<HubClient, Failure> {
    connect_raw(node).await?.map_err(|error| failure::network(&error))
}

/// Connects as the node; what our own folder lacks and what the way to the hub refuses are told apart.
pub(crate) async fn connect_raw(node: &Node) -> Result<Result<HubClient, ClientError>, Failure> {
    let identity = renew::load_identity(node.folder())?;
    let tls = ClientTls::new(node.identity().ca_fingerprint, Some(&identity), Arc::clone(&node.world.clock))
        .map_err(|error| failure::defect(error.to_string()))?;
    Ok(HubClient::connect(&tls, &node.address()?).await)
}

/// Rebuilds the ledger of every territory of the node. Gives how many entries each has.
pub async fn rebuild(node: &Node) -> Result<Vec<(CommuneCode, u64)>, Failure> {
    let client = connect(node).await?;
    let mut counts = Vec::new();
    for territory in &node.identity().territories {
        counts.push((*territory, rebuild_one(node, &client, *territory).await?));
    }
    Ok(counts)
}

/// Brings the ledger up to what the hub holds, where the two differ: another node of the same right may have sent
/// something, or an answer may have been lost. Gives whether anything was fetched.
pub async fn sync(node: &Node) -> Result<bool, Failure> {
    let client = connect(node).await?;
    let mut fetched = false;
    for territory in &node.identity().territories {
        let known = node.store().completeness(*territory).await.map_err(|error| failure::storage(&error))?;
        let head = node.store().ledger_head(*territory).await.map_err(|error| failure::storage(&error))?;
        let after = head.map_or(0, |(sequence, _)| sequence);
        let page = client.list(*territory, after).await.map_err(|error| failure::network(&error))?;
        let same = matches!(known, Completeness::Complete(_))
            && page.head_sequence == after
            && page.head_receipt == head.map(|(_, receipt)| receipt);
        if !same {
            rebuild_one(node, &client, *territory).await?;
            fetched = true;
        }
    }
    Ok(fetched)
}

async fn rebuild_one(node: &Node, client: &HubClient, territory: CommuneCode) -> Result<u64, Failure> {
    let keys = node.hub_keys()?;
    let mut chain = Chain::new(territory);
    let mut records = Vec::new();
    loop {
        let page = client.list(territory, chain.sequence()).await.map_err(|error| failure::network(&error))?;
        for entry in &page.entries {
            let receipt = chain.follow(entry, &keys).map_err(|error| untrusted(territory, &error))?;
            records.push(record(client, entry, &receipt, territory, &keys).await?);
        }
        if chain.is_whole(&page) {
            break;
        }
        if page.entries.is_empty() {
            return Err(untrusted(territory, &LedgerError::Broken { territory, after: chain.sequence() }));
        }
    }
    node.store().replace_ledger(territory, &records).await.map_err(|error| failure::storage(&error))?;
    Ok(chain.sequence())
}

async fn record(
    client: &HubClient,
    entry: &LedgerEntry,
    receipt: &Receipt,
    territory: CommuneCode,
    keys: &[PublicKey],
) -> Result<LedgerRecord, Failure> {
    let document = if entry.length == 0 {
        None
    } else {
        let (again, document) = client.get(entry.submission).await.map_err(|error| failure::network(&error))?;
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
    }
}

fn untrusted(territory: CommuneCode, error: &LedgerError) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "LEDGER_UNTRUSTED",
        error.to_string(),
        format!(
            "Le registre des envois de {territory} rendu par le centre ne se vérifie pas (chaîne rompue, signature ou document altéré). Rien ne sera protégé ni envoyé ; prévenez l’union départementale."
        ),
    )
}
