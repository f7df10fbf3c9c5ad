//! The node's schema on both databases.

use model::{CommuneCode, Hash, SubmissionId, Timestamp};

use super::*;
use crate::suite::on_both;
use crate::{DocumentKind, SealedReceipt};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

fn hash(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

fn outgoing(byte: u8) -> Outgoing {
    Outgoing {
        submission: SubmissionId::from_bytes([byte; 16]),
        kind: DocumentKind::Submission,
        document: vec![byte; 40],
        signature: vec![byte; 64],
        signing_key: vec![9; 32],
        territories: vec![commune("93059"), commune("93066")],
    }
}

fn receipt(byte: u8) -> SealedReceipt {
    SealedReceipt { document: vec![byte, 1, 2], signature: vec![byte; 64], key: hash(99) }
}

fn link(territory: &str, sequence: u64) -> Link {
    let place = |n: u64| hash(u8::try_from(n).expect("a small place"));
    let previous = (sequence > 1).then(|| place(sequence - 1));
    Link { territory: commune(territory), sequence, receipt: place(sequence), previous }
}

fn record(byte: u8, sequence: u64) -> LedgerRecord {
    LedgerRecord {
        submission: SubmissionId::from_bytes([byte; 16]),
        kind: DocumentKind::Check,
        document: Some(vec![byte; 10]),
        signature: vec![byte; 64],
        signing_key: vec![9; 32],
        receipt: Some(receipt(byte)),
        link: Some(link("93066", sequence)),
    }
}

#[tokio::test]
async fn an_identity_reads_back_and_is_replaced_whole() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        assert_eq!(store.identity().await.expect("reads"), None);
        let mut identity = Identity {
            provider: commune("93066"),
            territories: vec![commune("93066"), commune("93059")],
            hub_address: "hub.exemple.fr:8443".into(),
            ca_fingerprint: hash(1),
            hub_keys: vec![vec![1; 32], vec![2; 32]],
            joined_at: at(5),
        };
        store.set_identity(&identity).await.expect("writes");
        identity.territories.pop();
        identity.hub_keys.remove(0);
        store.set_identity(&identity).await.expect("writes");
        assert_eq!(store.identity().await.expect("reads"), Some(identity));
    })
    .await;
}

#[tokio::test]
async fn what_may_be_sent_is_in_the_ledger_before_it_is_sent() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        store.enqueue(&outgoing(1), None, at(10)).await.expect("queues");
        for territory in ["93059", "93066"] {
            let ledger = store.ledger(commune(territory)).await.expect("reads");
            assert_eq!(ledger.len(), 1, "{territory}");
            assert_eq!((&ledger[0].document, &ledger[0].link), (&Some(vec![1; 40]), &None));
        }
        // Twice the same id: neither a second ledger entry nor a second message.
        let again = store.enqueue(&outgoing(1), None, at(11)).await;
        assert!(matches!(again, Err(crate::StoreError::Duplicate(name)) if name == "document_pkey"));
        assert_eq!(store.outbox().await.expect("reads").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_the_oldest_pending_document_goes_and_only_when_due() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        store.enqueue(&outgoing(1), None, at(10)).await.expect("queues");
        store.enqueue(&outgoing(2), None, at(10)).await.expect("queues");
        let first = store.next_due(at(10)).await.expect("reads").expect("due");
        assert_eq!(first.outgoing, outgoing(1));
        let refusal = Refusal { reason: "UNAVAILABLE".into(), message: "le hub ne répond pas".into() };
        store.mark_retry(first.outgoing.submission, &refusal, at(60)).await.expect("notes");
        assert_eq!(store.next_due(at(59)).await.expect("reads"), None, "the second must not overtake the first");
        let first = store.next_due(at(60)).await.expect("reads").expect("due");
        assert_eq!((first.attempts, first.last_error), (1, Some(refusal.clone())));
        store.mark_refused(first.outgoing.submission, &refusal, at(61)).await.expect("notes");
        let second = store.next_due(at(61)).await.expect("reads").expect("due");
        assert_eq!(second.outgoing, outgoing(2));
        // Refused whole: the hub keeps nothing, so the ledger does not either.
        let ledger = store.ledger(commune("93066")).await.expect("reads");
        assert_eq!(ledger.iter().map(|r| r.submission).collect::<Vec<_>>(), vec![outgoing(2).submission]);
        let states: Vec<OutboxState> = store.outbox().await.expect("reads").into_iter().map(|i| i.state).collect();
        assert_eq!(states, vec![OutboxState::Refused(at(61)), OutboxState::Pending]);
        let late = store.mark_refused(first.outgoing.submission, &refusal, at(62)).await;
        assert!(matches!(late, Err(crate::StoreError::Moved("outbox"))));
    })
    .await;
}

#[tokio::test]
async fn a_receipt_gives_the_document_its_places_and_may_come_twice() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        let territories = [commune("93059"), commune("93066")];
        for territory in territories {
            assert_eq!(store.completeness(territory).await.expect("reads"), Completeness::Unknown);
            store.replace_ledger(territory, &[]).await.expect("compares with an empty hub");
            assert_eq!(store.completeness(territory).await.expect("reads"), Completeness::Complete(0));
        }
        store.enqueue(&outgoing(1), None, at(10)).await.expect("queues");
        let links = [link("93059", 1), link("93066", 1)];
        for _ in 0..2 {
            store.mark_sent(outgoing(1).submission, &receipt(1), &links, at(12)).await.expect("settles");
        }
        assert_eq!(store.oldest_pending().await.expect("reads"), None);
        for territory in territories {
            assert_eq!(store.completeness(territory).await.expect("reads"), Completeness::Complete(1));
            let ledger = store.ledger(territory).await.expect("reads");
            assert_eq!(ledger.len(), 1);
            assert_eq!(ledger[0].receipt, Some(receipt(1)));
        }
        let other = store.mark_sent(outgoing(1).submission, &receipt(2), &links, at(13)).await;
        assert!(matches!(other, Err(crate::StoreError::Moved("receipt"))));
        assert_eq!(store.ledger_head(commune("93066")).await.expect("reads"), Some((1, hash(1))));
    })
    .await;
}

#[tokio::test]
async fn a_gap_is_seen_and_closes_when_the_ledger_is_rebuilt() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        let territory = commune("93066");
        store.replace_ledger(territory, &[record(21, 1)]).await.expect("rebuilds");
        store.enqueue(&outgoing(1), None, at(10)).await.expect("queues");
        // Somebody else wrote place 2 while this node was away.
        let place = [link("93066", 3)];
        store.mark_sent(outgoing(1).submission, &receipt(1), &place, at(12)).await.expect("settles");
        let gap = Completeness::Gap { known: 1, seen: 3 };
        assert_eq!(store.completeness(territory).await.expect("reads"), gap);
        let mine = LedgerRecord { submission: outgoing(1).submission, ..record(1, 3) };
        let whole = [record(21, 1), record(22, 2), mine];
        store.replace_ledger(territory, &whole).await.expect("rebuilds");
        assert_eq!(store.completeness(territory).await.expect("reads"), Completeness::Complete(3));
        assert_eq!(store.ledger(territory).await.expect("reads"), whole);
    })
    .await;
}

#[tokio::test]
async fn a_chain_that_does_not_hang_together_is_refused_and_changes_nothing() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        let territory = commune("93066");
        let good = [record(21, 1), record(22, 2)];
        store.replace_ledger(territory, &good).await.expect("rebuilds");
        let forged = Link { previous: Some(hash(77)), ..link("93066", 2) };
        let elsewhere = Link { territory: commune("93059"), ..link("93066", 2) };
        for bad in [
            vec![record(22, 2)],
            vec![record(21, 1), record(22, 3)],
            vec![record(21, 1), LedgerRecord { link: Some(forged), ..record(22, 2) }],
            vec![record(21, 1), LedgerRecord { link: Some(elsewhere), ..record(22, 2) }],
            vec![record(21, 1), LedgerRecord { link: None, ..record(22, 2) }],
            vec![record(21, 1), LedgerRecord { receipt: None, ..record(22, 2) }],
            vec![record(21, 1), record(21, 2)],
        ] {
            let refused = store.replace_ledger(territory, &bad).await;
            assert!(matches!(refused, Err(crate::StoreError::Damaged(_))), "{refused:?}");
        }
        assert_eq!(store.ledger(territory).await.expect("reads"), good);
    })
    .await;
}

#[tokio::test]
async fn a_document_the_hub_already_took_is_known_once_after_a_rebuild() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        // The hub accepted, the receipt was lost on the way, then the node rebuilt its ledger.
        store.enqueue(&outgoing(1), None, at(10)).await.expect("queues");
        let accepted =
            LedgerRecord { kind: DocumentKind::Submission, document: Some(outgoing(1).document), ..record(1, 1) };
        store.replace_ledger(commune("93066"), std::slice::from_ref(&accepted)).await.expect("rebuilds");
        assert_eq!(store.ledger(commune("93066")).await.expect("reads").len(), 1);
        let pending = store.oldest_pending().await.expect("reads").expect("still to be settled");
        let links = [link("93059", 1), link("93066", 1)];
        store.mark_sent(pending.outgoing.submission, &receipt(1), &links, at(20)).await.expect("settles");
        assert_eq!(store.completeness(commune("93066")).await.expect("reads"), Completeness::Complete(1));
    })
    .await;
}

#[tokio::test]
async fn a_preview_leaves_once_and_only_after_somebody_agreed() {
    on_both(async |location| {
        let store = NodeStore::open(&location).await.expect("opens");
        let preview = Preview {
            hash: hash(5),
            kind: DocumentKind::Submission,
            document: vec![5; 20],
            created_at: at(1),
            approved: None,
            queued: false,
        };
        store.save_preview(&preview).await.expect("keeps");
        assert_eq!(store.latest_preview().await.expect("reads"), Some(preview.clone()));
        let early = store.enqueue(&outgoing(1), Some(preview.hash), at(2)).await;
        assert!(matches!(early, Err(crate::StoreError::Moved("preview"))));
        assert!(store.outbox().await.expect("reads").is_empty(), "neither ledger nor outbox was written");
        assert!(store.ledger(commune("93066")).await.expect("reads").is_empty());

        store.approve_preview(preview.hash, "Awa Élan", at(3)).await.expect("agrees");
        store.save_preview(&Preview { created_at: at(4), ..preview.clone() }).await.expect("computes the same again");
        let agreed = store.preview(preview.hash).await.expect("reads").expect("there");
        assert_eq!(agreed.approved, Some(Approved { by: "Awa Élan".into(), at: at(3) }));
        store.enqueue(&outgoing(1), Some(preview.hash), at(5)).await.expect("queues");
        assert!(store.preview(preview.hash).await.expect("reads").expect("there").queued);
        let twice = store.enqueue(&outgoing(2), Some(preview.hash), at(6)).await;
        assert!(matches!(twice, Err(crate::StoreError::Moved("preview"))));

        // Other figures: the old preview was queued and stays, an unqueued one would be forgotten.
        store.save_preview(&Preview { hash: hash(6), created_at: at(7), ..preview.clone() }).await.expect("keeps");
        store.save_preview(&Preview { hash: hash(7), created_at: at(8), ..preview.clone() }).await.expect("keeps");
        assert_eq!(store.preview(hash(6)).await.expect("reads"), None);
        assert!(matches!(
            store.approve_preview(hash(6), "Awa Élan", at(9)).await,
            Err(crate::StoreError::Moved("preview"))
        ));
        // The machine's clock was set back: what waits is the newest all the same.
        let later = Preview { hash: hash(8), created_at: at(0), ..preview };
        store.save_preview(&later).await.expect("keeps");
        assert_eq!(store.latest_preview().await.expect("reads"), Some(later));
    })
    .await;
}
