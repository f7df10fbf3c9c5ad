//! A hub that has all the work it can do says so before it reads, and takes the same document later.

use std::time::Duration;

use model::FailureKind;

use super::figures::*;
use super::stage::*;

#[tokio::test]
async fn a_full_hub_says_when_to_come_back_and_forgets_nobody() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let figures = [received(&pack(), "93066", "2025", PLAIN, &[])];
        let mut crowd = Vec::new();
        while let Ok(entry) = stage.hub.0.turns.enter(stage.hub.entropy()) {
            crowd.push(entry);
        }
        for _ in 0..3 {
            let refused = refusal(node.submit(1, &figures).await);
            assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Exhausted, "HUB_BUSY"));
            assert!(refused.retry_after.is_some_and(|after| after >= Duration::from_secs(1)), "{refused:?}");
            assert!(refused.message.contains("repartira de lui-même"), "{}", refused.message);
        }
        assert_eq!(stage.hub.store().number().await.expect("reads"), 0);
        // What needs no attack is answered all the same.
        assert_eq!(node.client.list(node.commune, 0).await.expect("lists").head_sequence, 0);
        drop(crowd);
        let accepted = node.submit(1, &figures).await.expect("room again");
        assert!(!accepted.already_received);
        assert!(node.submit(1, &figures).await.expect("known").already_received);
        assert_eq!(stage.hub.store().number().await.expect("reads"), 1);
    }
}

/// Refusals, broken uploads and answers alike give back what they took.
#[tokio::test]
async fn nothing_is_kept_of_whoever_left() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    for id in 1..=20 {
        let figures = [received(&pack(), "93066", "2025", PLAIN, &[])];
        node.submit(id, &figures).await.expect("accepted");
        assert_eq!(reason(node.send(b"no document").await), "DOCUMENT_MALFORMED");
    }
    assert_eq!(stage.hub.0.turns.held(), (0, 0), "documents inside, and KiB held for them");
}
