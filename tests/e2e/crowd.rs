//! Many nodes at once: everybody is acknowledged exactly once, and nobody is sent away without being told when to come
//! back. `cargo xtask bench crowd` is the same with two hundred, and measures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Barrier;
use wire::client::{Accepted, ClientError, HubClient};

use crate::house::{House, preview, signing_key, word};
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
async fn insist(client: &HubClient, document: &[u8], signature: &seal::Signature) -> Accepted {
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
