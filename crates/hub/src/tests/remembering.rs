//! The ledger: what was ever sent is known for ever, can be proven whole, and counts against what comes next.

use std::collections::BTreeSet;

use model::{FailureKind, SubmissionId};
use wire::document::ReceiptKind;
use wire::ledger::Chain;

use super::figures::*;
use super::stage::*;
use crate::board::Holds;

const A_B: &[(&str, &str)] = &[("demandes", "A"), ("demandes", "B")];
const B_C: &[(&str, &str)] = &[("demandes", "B"), ("demandes", "C")];
/// Requests: A = 40, B = 7, C = 53, together 100. No accords, so that only the requests speak.
const HUNDRED: Counts = [(0, 40), (0, 7), (0, 53)];

/// A pack under which seven is a small count.
fn strict() -> methodology::Pack {
    pack_with("1.0.0", 11)
}

async fn strict_stage(database: Option<String>) -> Stage {
    let mut stage = Stage::bare(database).await;
    stage.restart(vec![strict()]).await;
    stage
}

#[tokio::test]
async fn two_patterns_that_are_safe_alone_are_not_safe_together() {
    for database in databases() {
        let stage = strict_stage(database).await;
        let node = stage.join("93066").await;
        let first = received(&strict(), "93066", "2025", HUNDRED, A_B);
        let second = received(&strict(), "93066", "2025", HUNDRED, B_C);
        node.submit(1, std::slice::from_ref(&first)).await.expect("hiding A and B is safe");
        let refused = refusal(node.submit(2, std::slice::from_ref(&second)).await);
        assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Invalid, "DISCLOSURE_CONFLICT"));
        assert!(refused.conflicts.iter().any(|c| c.code == "TOO_NARROW_WITH_EARLIER"), "{:?}", refused.conflicts);
        node.submit(3, &[first]).await.expect("the first pattern again");
        // Elsewhere the second pattern is as safe as the first was here.
        let elsewhere = stage.join("93001").await;
        elsewhere.submit(4, &[received(&strict(), "93001", "2025", HUNDRED, B_C)]).await.expect("safe alone");
    }
}

#[tokio::test]
async fn what_was_only_checked_or_taken_back_still_counts() {
    let stage = strict_stage(None).await;
    let first = |code: &str| [received(&strict(), code, "2025", HUNDRED, A_B)];
    let second = |code: &str| [received(&strict(), code, "2025", HUNDRED, B_C)];
    let checker = stage.join("93066").await;
    checker.check(1, &first("93066")).await.expect("safe");
    assert_eq!(reason(checker.submit(2, &second("93066")).await), "DISCLOSURE_CONFLICT");

    let withdrawer = stage.join("93001").await;
    withdrawer.submit(3, &first("93001")).await.expect("safe");
    withdrawer.withdraw(4, BTreeSet::from([first("93001")[0].slice.clone()])).await.expect("takes back");
    assert_eq!(reason(withdrawer.submit(5, &second("93001")).await), "DISCLOSURE_CONFLICT");

    // Also for a new node of the same commune.
    let newcomer = stage.join("93066").await;
    assert_eq!(reason(newcomer.submit(6, &second("93066")).await), "DISCLOSURE_CONFLICT");
}

#[tokio::test]
async fn a_new_node_rebuilds_the_whole_ledger_and_can_prove_it() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let old = stage.join("93066").await;
        let figures = |period: &str| [received(&pack(), "93066", period, PLAIN, &[])];
        old.submit(1, &figures("2024")).await.expect("accepted");
        old.check(2, &figures("2025")).await.expect("checked");
        old.withdraw(3, BTreeSet::from([figures("2024")[0].slice.clone()])).await.expect("takes back");

        let new = stage.join("93066").await;
        let page = new.client.list(new.commune, 0).await.expect("lists");
        let mut chain = Chain::new(new.commune);
        let mut kinds = Vec::new();
        for entry in &page.entries {
            kinds.push(chain.follow(entry, new.hub_keys()).expect("the next one").kind);
            let (same, document) = new.client.get(entry.submission).await.expect("gives back");
            assert_eq!(&same, entry);
            same.prove(&document, new.hub_keys()).expect("as signed by the old node");
        }
        assert!(chain.is_whole(&page));
        assert_eq!(kinds, [ReceiptKind::Submission, ReceiptKind::Check, ReceiptKind::Withdrawal]);
        let tail = new.client.list(new.commune, 2).await.expect("lists");
        assert_eq!((tail.entries.len(), tail.head_sequence), (1, 3));
    }
}

#[tokio::test]
async fn a_withdrawal_is_whole_once_and_by_its_owner() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let other = stage.join("93001").await;
    let figures = received(&pack(), "93066", "2025", PLAIN, &[]);
    let slices = BTreeSet::from([figures.slice.clone()]);
    assert_eq!(reason(node.withdraw(1, slices.clone()).await), "SLICE_NOT_PRESENT");
    node.submit(2, &[figures]).await.expect("accepted");
    assert_eq!(reason(other.withdraw(3, slices.clone()).await), "TERRITORY_NOT_YOURS");
    let done = node.withdraw(4, slices.clone()).await.expect("takes back");
    let receipt = done.receipt.verify(node.hub_keys()).expect("the hub's");
    assert_eq!((receipt.kind, receipt.outcome.withdrawn), (ReceiptKind::Withdrawal, 9));
    let again = node.withdraw(4, slices.clone()).await.expect("known");
    assert_eq!((again.already_received, again.receipt), (true, done.receipt));
    assert_eq!(reason(node.withdraw(5, slices).await), "SLICE_NOT_PRESENT");
}

#[tokio::test]
async fn a_purge_destroys_the_bytes_and_keeps_the_chain() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
        let id = SubmissionId::from_bytes([1; 16]);
        let hub = &stage.hub;
        let unknown = hub.propose_purge(SubmissionId::from_bytes([9; 16]), "Awa", "erreur").await;
        assert_eq!(unknown.expect_err("no such document").reason, "SUBMISSION_UNKNOWN");
        assert_eq!(hub.propose_purge(id, "Awa", "  ").await.expect_err("why?").reason, "PURGE_REASON");
        let proposal = hub.propose_purge(id, "Awa Élan", "fichier nominatif").await.expect("proposes");
        let alone = hub.confirm_purge(proposal.id, " awa  ÉLAN ").await.expect_err("the same person");
        assert_eq!(alone.reason, "PURGE_SAME_PERSON");
        hub.confirm_purge(proposal.id, "Zoé Brun").await.expect("two persons");
        assert_eq!(hub.confirm_purge(proposal.id, "Zoé Brun").await.expect_err("done").reason, "PURGE_DONE");

        let page = node.client.list(node.commune, 0).await.expect("lists");
        let mut chain = Chain::new(node.commune);
        let receipts: Vec<_> =
            page.entries.iter().map(|entry| chain.follow(entry, node.hub_keys()).expect("the next one")).collect();
        assert!(chain.is_whole(&page));
        assert_eq!(receipts[1].kind, ReceiptKind::Purge);
        assert_eq!(receipts[1].document_hash, receipts[0].document_hash);
        assert_eq!((page.entries[0].length, page.entries[1].length), (0, 0));
        let (_, bytes) = node.client.get(id).await.expect("its entry stays");
        assert!(bytes.is_empty());
        // The id stays spent: the same bytes come back as known, with the receipt they had.
        let document =
            node.document(1, wire::document::Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
        assert!(node.send(&document).await.expect("known").already_received);
        let board = hub.board().await.expect("reads");
        assert!(matches!(board.rows[0].cells[0].holds, Holds::Purged { .. }), "{:?}", board.rows);
    }
}
