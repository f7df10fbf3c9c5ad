//! Many nodes at once: everybody is acknowledged exactly once, and nobody is sent away without being told when to come
//! back. `cargo xtask bench crowd` is the same with two hundred, and measures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::FailureKind;
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinHandle;
use wire::client::{Accepted, ClientError, HubClient};
use wire::document::MAX_DOCUMENT;
use wire::pb::submission::v1::submission_service_client::SubmissionServiceClient;
use wire::pb::submission::v1::{SubmitRequest, UploadHeader, submit_request};
use wire::status::{Refused, from_status};

use crate::house::{House, preview, send, signing_key, word};
use crate::small_pack::{LARGE, pack, rows as people, settings};

const NODES: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn forty_nodes_push_at_once_each_on_two_connections() {
    let house = House::open_with(vec![pack()]).await;
    let people = people(LARGE);
    let files: [(&str, &[u8]); 2] = [("groupes.csv", &people), ("lieux.csv", &people)];
    let start = Arc::new(Barrier::new(2 * NODES));
    let mut pushing = BTreeMap::new();
    let mut keys = Vec::new();
    for number in 1..=NODES {
        let commune = format!("93{number:03}");
        let node = house.commune(&commune, &settings("2025"), &files).await;
        preview(&node).await;
        let document = node.store().latest_preview().await.expect("storage").expect("a preview").document;
        let signature = signing_key(node.folder()).sign(&document);
        keys = node.hub_keys().expect("keys");
        let mut twice = Vec::new();
        for _ in 0..2 {
            let (client, start) = (house.client(&node).await, Arc::clone(&start));
            let (document, signature) = (document.clone(), signature);
            twice.push(tokio::spawn(async move {
                start.wait().await;
                insist(&client, &document, &signature).await
            }));
        }
        node.close().await;
        pushing.insert(commune, twice);
    }

    let mut numbers = BTreeSet::new();
    for (commune, twice) in pushing {
        let mut answers = Vec::new();
        for one in twice {
            answers.push(one.await.expect("no panic"));
        }
        let [first, second] = answers.as_slice() else { panic!("two answers") };
        assert_eq!(first.receipt, second.receipt, "{commune}: one receipt, however often it was sent");
        assert_ne!(first.already_received, second.already_received, "{commune}: one of two was the first");
        let receipt = first.receipt.verify(&keys).expect("signed by the hub");
        let links: Vec<(&str, u64)> = receipt.links.iter().map(|(one, link)| (one.as_str(), link.sequence)).collect();
        assert_eq!(links, [(commune.as_str(), 1)]);
        numbers.insert(receipt.number);
        let ledger = house.hub().store().ledger(word(&commune), 0, 10).await.expect("the ledger");
        assert_eq!(ledger.len(), 1, "{commune}");
    }
    let all: BTreeSet<u64> = (1..=NODES as u64).collect();
    assert_eq!(numbers, all, "a number each, without a gap");
    assert_eq!(house.hub().store().number().await.expect("the counter"), NODES as u64);
    house.close().await;
}

/// Again for as long as the hub asks for it.
pub async fn insist(client: &HubClient, document: &[u8], signature: &seal::Signature) -> Accepted {
    loop {
        match client.submit(document, signature).await {
            Ok(accepted) => return accepted,
            Err(ClientError::Refused(refused)) if refused.kind.is_transient() => {
                tokio::time::sleep(refused.retry_after.expect("a time to come back")).await;
            }
            Err(error) => panic!("left without a word, or refused for good: {error}"),
        }
    }
}

/// An upload that announces the largest document and then says nothing, for as long as it is held.
pub struct Silent {
    /// What the hub says in the end.
    pub answer: JoinHandle<Refused>,
    _rest: mpsc::Sender<SubmitRequest>,
}

/// Begins one.
pub async fn announce(client: &HubClient) -> Silent {
    let (rest, parts) = mpsc::channel(1);
    let header = UploadHeader { signature: vec![1; 64], length: MAX_DOCUMENT as u64 };
    let part = Some(submit_request::Part::Header(header));
    rest.send(SubmitRequest { part }).await.expect("room for one");
    let mut client = SubmissionServiceClient::new(client.channel());
    let parts = futures::stream::unfold(parts, async |mut parts| Some((parts.recv().await?, parts)));
    let answer =
        tokio::spawn(async move { from_status(&client.submit(Box::pin(parts)).await.expect_err("nothing was sent")) });
    Silent { answer, _rest: rest }
}

/// Both places of the commune of `client` are taken by uploads that say nothing.
pub async fn take_both_places(client: &HubClient) -> Vec<Silent> {
    let mut all = vec![announce(client).await, announce(client).await, announce(client).await];
    // One of three has none, and is told so at once; the others are with the hub by then.
    while !all.iter().any(|one| one.answer.is_finished()) {
        tokio::task::yield_now().await;
    }
    all.retain(|one| !one.answer.is_finished());
    assert_eq!(all.len(), 2);
    all
}

/// One commune does its worst, on as many connections as it is given: it gets its share, an honest one gets its receipt,
/// and silence ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_commune_that_floods_the_door_keeps_nobody_out() {
    let house = House::open_with(vec![pack()]).await;
    let people = people(LARGE);
    let files: [(&str, &[u8]); 2] = [("groupes.csv", &people), ("lieux.csv", &people)];
    let loud = house.commune("93001", &settings("2025"), &files).await;
    let honest = house.commune("93066", &settings("2025"), &files).await;

    let mut flood = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = house.client(&loud).await;
        for _ in 0..5 {
            flood.push(announce(&client).await);
        }
        clients.push(client);
    }
    let (mut busy, mut inside) = (0, Vec::new());
    // All of them are with the hub once it answered those without a place.
    while busy < flood.len() - 2 {
        busy = flood.iter().filter(|one| one.answer.is_finished()).count();
        tokio::task::yield_now().await;
    }
    let (_, receipt) = send(&honest).await;
    assert_eq!(receipt.number, 1, "while the flood goes on");
    for one in flood {
        if !one.answer.is_finished() {
            inside.push(one);
            continue;
        }
        let refused = one.answer.await.expect("no panic");
        assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Exhausted, "COMMUNE_BUSY"));
        assert!(refused.retry_after.is_some() && refused.message.contains("repartira de lui-même"), "{refused:?}");
    }
    assert_eq!(inside.len(), 2);
    for one in inside {
        let cut = one.answer.await.expect("no panic");
        assert_eq!((cut.kind, cut.reason.as_str()), (FailureKind::Unavailable, "UPLOAD_STALLED"));
        assert!(cut.retry_after.is_some(), "{cut:?}");
    }
    assert_eq!(send(&loud).await.1.number, 2, "its own document comes through, once it stopped");
    house.close().await;
}
