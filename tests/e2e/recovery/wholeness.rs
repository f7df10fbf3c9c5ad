//! Nothing lost, nothing doubled: node and hub hold the same, and each of it once.

use std::collections::BTreeSet;

use node::NodeFolder;
use statistics::Reading;
use store::hub::SliceState;
use store::node::{Completeness, OutboxState};

use crate::house::House;

/// Node and hub agree on `documents` documents: ids, places, receipts; nothing waits, nothing was refused, and every
/// receipt is there as a file that verifies.
pub async fn check_whole(house: &House, folder: &NodeFolder, documents: usize) {
    let node = house.node(folder).await;
    let territory = node.provider();

    let kept = house.hub().store().ledger(territory, 0, 10_000).await.expect("the hub's ledger");
    assert_eq!(kept.len(), documents, "documents at the hub");
    let ids: BTreeSet<_> = kept.iter().map(|entry| entry.submission.id).collect();
    assert_eq!(ids.len(), documents, "each once");
    let hashes: BTreeSet<_> = kept.iter().map(|entry| entry.submission.document_hash).collect();
    assert_eq!(hashes.len(), documents, "and none under two ids");

    let ledger = node.store().ledger(territory).await.expect("the node's ledger");
    let links: Vec<_> =
        ledger.iter().map(|record| (record.link.map(|link| link.sequence), record.submission)).collect();
    let expected: Vec<_> = kept.iter().map(|entry| (Some(entry.sequence), entry.submission.id)).collect();
    assert_eq!(links, expected, "the node's ledger is the hub's");
    let known = node.store().completeness(territory).await.expect("completeness");
    assert_eq!(known, Completeness::Complete(documents as u64));
    // The chain of receipts, verified from its beginning.
    node::sync::rebuild(&node).await.expect("the chain holds");
    for (record, entry) in ledger.iter().zip(&kept) {
        assert_eq!(record.receipt.as_ref(), Some(&entry.submission.receipt), "the same receipt at both ends");
    }

    let outbox = node.store().outbox().await.expect("the outbox");
    for item in &outbox {
        assert!(matches!(item.state, OutboxState::Sent(_)), "{:?}: {:?}", item.state, item.last_error);
        assert!(ids.contains(&item.outgoing.submission), "what was sent is at the hub");
    }
    assert_eq!(outbox.len(), documents, "nothing was sent that did not pass through the outbox");

    let keys = node.hub_keys().expect("keys");
    let mut files = 0;
    for entry in std::fs::read_dir(folder.receipts()).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "recepisse") {
            let receipt = node::verify::verify(&std::fs::read(&path).expect("a receipt"), &keys).expect("authentic");
            assert!(ids.contains(&receipt.submission));
            files += 1;
        }
    }
    assert_eq!(files, documents, "receipts as files");

    // Every slice points to the last document that named it, and its history has no step twice.
    for current in house.hub().store().current_of(territory).await.expect("slices") {
        let history = house.hub().store().history(&current.slice).await.expect("history");
        let last = history.last().expect("a history");
        assert_eq!((last.submission, last.state), (current.submission, current.state));
        let steps: BTreeSet<_> = history.iter().map(|version| version.submission).collect();
        assert_eq!(steps.len(), history.len(), "each document moved the slice once");
    }
    node.close().await;
}

/// Both tables of the small pack show these counts to the coordinator.
pub async fn figures_are(house: &House, commune: &str, counts: [u32; 3]) {
    let total = f64::from(counts.iter().sum::<u32>());
    for table in crate::small_pack::TABLES {
        let read = house.reading(&format!("{table}_n"), "2025", "", commune).await;
        assert_eq!(read, Some(Reading::Value(total)), "{table}");
    }
    let current = house.hub().store().current_of(crate::house::word(commune)).await.expect("slices");
    assert!(current.iter().all(|slice| slice.state == SliceState::Present));
}
