//! What a hub restored from an older copy has forgotten is given back to it, oldest first.
//!
//! Only documents that this very hub has signed a receipt for leave here: it read them once, so nothing new is told.

use std::collections::BTreeMap;

use model::{CommuneCode, Failure};
use seal::{PublicKey, Signature};
use store::DocumentKind;
use store::node::LedgerRecord;
use wire::client::HubClient;
use wire::document::{Receipt, ReceiptKind, SignedReceipt};
use wire::ledger::{LedgerEntry, LedgerError};
use wire::recovery::{Recovery, TerritoryHead};

use super::{forked, untrusted};
use crate::{Node, failure};

/// Gives back everything beyond `behind`, where the hub's ledgers end; how many documents it took.
pub(super) async fn give_back(
    node: &Node,
    client: &HubClient,
    behind: &[TerritoryHead],
    keys: &[PublicKey],
) -> Result<u64, Failure> {
    let mut lost = BTreeMap::new();
    for head in behind {
        let territory = head.territory;
        let records = node.store().ledger(territory).await.map_err(|error| failure::storage(&error))?;
        let here = records.iter().find_map(|record| record.link.filter(|link| link.sequence == head.sequence));
        if here.map(|link| link.receipt) != head.receipt {
            return Err(forked(territory, head.sequence));
        }
        let purges = purges(territory, &records, keys)?;
        for record in &records {
            if record.link.is_some_and(|link| link.sequence > head.sequence)
                && let Some((receipt, recovery)) = recovery(territory, record, &purges, keys)?
            {
                // A document of two territories is in both ledgers, under one number.
                lost.insert(receipt.number, recovery);
            }
        }
    }
    let mut taken = 0;
    for (number, recovery) in &lost {
        let held = client.recover(recovery).await.map_err(|error| failure::network(&error))?;
        tracing::warn!(number, held, "given back to the hub");
        taken += u64::from(!held);
    }
    let now = client.standing().await.map_err(|error| failure::network(&error))?;
    for head in now.heads {
        let ours = node.store().ledger_head(head.territory).await.map_err(|error| failure::storage(&error))?;
        if behind.iter().any(|known| known.territory == head.territory)
            && ours != head.receipt.map(|receipt| (head.sequence, receipt))
        {
            return Err(untrusted(
                head.territory,
                &LedgerError::Broken { territory: head.territory, after: head.sequence },
            ));
        }
    }
    Ok(taken)
}

/// The receipts of purges, by the hash of what they destroyed.
fn purges(
    territory: CommuneCode,
    records: &[LedgerRecord],
    keys: &[PublicKey],
) -> Result<Vec<(Receipt, SignedReceipt)>, Failure> {
    let of = records.iter().filter(|record| record.kind == DocumentKind::Purge);
    of.filter_map(|record| signed(record).transpose())
        .map(|signed| {
            let signed = signed?;
            let receipt = signed.verify(keys).map_err(|error| untrusted(territory, &error.into()))?;
            Ok((receipt, signed))
        })
        .collect()
}

fn recovery(
    territory: CommuneCode,
    record: &LedgerRecord,
    purges: &[(Receipt, SignedReceipt)],
    keys: &[PublicKey],
) -> Result<Option<(Receipt, Recovery)>, Failure> {
    let Some(signed) = signed(record)? else { return Ok(None) };
    let receipt = signed.verify(keys).map_err(|error| untrusted(territory, &error.into()))?;
    let document = record.document.clone().unwrap_or_default();
    let purge = if document.is_empty() && receipt.kind != ReceiptKind::Purge {
        purges.iter().find(|(purge, _)| purge.document_hash == receipt.document_hash).map(|(_, signed)| signed.clone())
    } else {
        None
    };
    let entry = LedgerEntry {
        submission: record.submission,
        receipt: signed,
        signature: Signature::from_slice(&record.signature)
            .map_err(|_| failure::defect("stored signature is not a signature"))?,
        signing_key: PublicKey::from_slice(&record.signing_key)
            .map_err(|_| failure::defect("stored signing key is not a public key"))?,
        length: document.len() as u64,
    };
    Ok(Some((receipt, Recovery { entry, purge, document })))
}

/// The receipt of a record; none while none came back.
fn signed(record: &LedgerRecord) -> Result<Option<SignedReceipt>, Failure> {
    let Some(sealed) = &record.receipt else { return Ok(None) };
    let signature = Signature::from_slice(&sealed.signature)
        .map_err(|_| failure::defect("stored signature of a receipt is not a signature"))?;
    Ok(Some(SignedReceipt { document: sealed.document.clone(), signature, key: sealed.key }))
}
