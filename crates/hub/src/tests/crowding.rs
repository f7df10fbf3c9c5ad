//! A hub that has all the work it can do says so before it reads, and takes the same document later.

use std::time::Duration;

use model::FailureKind;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wire::document::MAX_DOCUMENT;
use wire::pb::submission::v1::submission_service_client::SubmissionServiceClient;
use wire::pb::submission::v1::{SubmitRequest, UploadHeader, submit_request};
use wire::status::Refused;

use super::figures::*;
use super::stage::*;

#[tokio::test]
async fn a_full_hub_says_when_to_come_back_and_forgets_nobody() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let figures = [received(&pack(), "93066", "2025", PLAIN, &[])];
        let mut crowd = Vec::new();
        for others in 10_000.. {
            let Ok(entry) = stage.hub.0.turns.enter(commune(&others.to_string()), stage.hub.entropy()) else { break };
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

/// An upload that announces the largest document and then says nothing.
struct Silent {
    answer: JoinHandle<Refused>,
    _rest: mpsc::Sender<SubmitRequest>,
}

async fn announce(node: &Node) -> Silent {
    let (rest, parts) = mpsc::channel(1);
    let header = UploadHeader { signature: vec![1; 64], length: MAX_DOCUMENT as u64 };
    let part = Some(submit_request::Part::Header(header));
    rest.send(SubmitRequest { part }).await.expect("room for one");
    let mut client = SubmissionServiceClient::new(node.client.channel());
    let parts = futures::stream::unfold(parts, async |mut parts| Some((parts.recv().await?, parts)));
    let answer = tokio::spawn(async move {
        let refused = client.submit(Box::pin(parts)).await.expect_err("nothing was sent");
        wire::status::from_status(&refused)
    });
    Silent { answer, _rest: rest }
}

#[tokio::test]
async fn a_commune_that_announces_much_and_sends_nothing_keeps_nobody_out() {
    let stage = Stage::new().await;
    let (loud, honest) = (stage.join("93001").await, stage.join("93066").await);
    let silent = [announce(&loud).await, announce(&loud).await];
    while stage.hub.0.turns.held().0 < 2 {
        tokio::task::yield_now().await;
    }
    // Its own third is told when to come back, whichever method it tries.
    let figures = [received(&pack(), "93001", "2025", PLAIN, &[])];
    for refused in [refusal(loud.submit(1, &figures).await), refusal(loud.check(2, &figures).await)] {
        assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Exhausted, "COMMUNE_BUSY"));
        assert!(refused.retry_after.is_some() && refused.message.contains("repartira"), "{refused:?}");
    }
    let (inside, kib) = stage.hub.0.turns.held();
    assert!(inside == 2 && kib <= 8 << 10, "{kib} KiB are held for what was only announced");
    honest.submit(3, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("everybody else comes in");

    // Time jumps once everybody waits.
    tokio::time::pause();
    for Silent { answer, .. } in silent {
        let cut = answer.await.expect("no panic");
        assert_eq!((cut.kind, cut.reason.as_str()), (FailureKind::Unavailable, "UPLOAD_STALLED"));
        assert!(cut.retry_after.is_some(), "{cut:?}");
    }
    tokio::time::resume();
    assert_eq!(stage.hub.0.turns.held(), (0, 0), "its places are free again");
    loud.submit(4, &figures).await.expect("room again");
}
