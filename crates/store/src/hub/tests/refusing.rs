//! The journal of refusals, and what the board asks.

use std::collections::BTreeSet;

use super::*;

fn refusal(byte: u8, seconds: i64) -> NewRefusal {
    NewRefusal {
        provider: commune("93066"),
        document_hash: hash(byte),
        kind: DocumentKind::Submission,
        reason: "PERIOD_NOT_POSSIBLE".to_owned(),
        codes: BTreeSet::from(["PERIOD_IN_FUTURE".to_owned(), "TERRITORY_CEASED".to_owned()]),
        slices: BTreeSet::from([slice("93066", "2031"), slice("93059", "2025-Q4")]),
        message: "La période 2031 n’a pas encore commencé.".to_owned(),
        refused_at: at(seconds),
    }
}

#[tokio::test]
async fn a_refusal_is_kept_without_its_document_and_counted_when_it_comes_again() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.note_refusal(&refusal(1, 10)).await.expect("notes");
        store.accept(&acceptance(21, &[41, 0], 0), &seal).await.expect("accepts");
        let mut quoting = refusal(1, 20);
        quoting.message = format!("nul \0 {}", "x".repeat(5_000));
        store.note_refusal(&quoting).await.expect("notes what a peer quoted");
        store.note_refusal(&refusal(2, 15)).await.expect("notes");

        let kept = store.refusals().await.expect("reads");
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].times, kept[0].after_number, kept[0].first_refused_at), (2, 1, at(10)));
        assert_eq!(kept[0].refusal.refused_at, at(20));
        assert_eq!(kept[0].refusal.message.chars().count(), 1_000);
        assert!(kept[0].refusal.message.starts_with("nul  x"));
        assert_eq!(kept[1].refusal, refusal(2, 15));
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_refused_for_ever_fills_a_bounded_journal_of_its_own() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let mut other = refusal(200, 1);
        other.provider = commune("93001");
        store.note_refusal(&other).await.expect("notes");
        for byte in 0..60 {
            store.note_refusal(&refusal(byte, 100 + i64::from(byte))).await.expect("notes");
        }
        let kept = store.refusals().await.expect("reads");
        assert_eq!(kept[0].refusal.provider, commune("93001"), "another commune's refusals stay");
        assert_eq!(kept.len(), 1 + REFUSALS_KEPT);
        assert_eq!(kept[1].refusal.document_hash, hash(59), "the newest comes first");
        assert_eq!(kept[REFUSALS_KEPT].refusal.document_hash, hash(10), "the oldest went");
    })
    .await;
}

#[tokio::test]
async fn the_board_reads_slices_later_documents_and_newest_invitations() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41, 0], 0), &seal).await.expect("accepts");
        let mut check = acceptance(22, &[42, 0], 1);
        check.kind = DocumentKind::Check;
        check.slices.clear();
        store.accept(&check, &seal).await.expect("accepts");
        let filled = store.filled().await.expect("reads");
        assert_eq!(filled.len(), 1);
        assert_eq!((filled[0].submission, filled[0].number, filled[0].changed_at), (id(21), 1, at(100)));
        let later = store.accepted_after(commune("93066"), 1).await.expect("reads");
        assert_eq!(later, [(2, id(22), DocumentKind::Check)]);
        assert_eq!(store.accepted_after(commune("93001"), 0).await.expect("reads"), []);

        store.create_invitation(&invitation(7, "93001")).await.expect("invites");
        store.create_invitation(&invitation(9, "93001")).await.expect("invites");
        let last = store.last_invitations().await.expect("reads");
        assert_eq!(last.iter().map(|one| one.provider).collect::<Vec<_>>(), [commune("93001"), commune("93066")]);
        assert_eq!((last[0].spent_at, last[1].spent_at), (None, Some(at(2))));
    })
    .await;
}
