//! A hub that burnt down and was restored from last night's backup: its nodes bring back what it has forgotten.

use std::time::Duration;

use hub::backup::{Key, Lock, backup, new_key};
use node::push::{PushEvent, Verdict};

use crate::house::{House, approve, preview, put, send};
use crate::small_pack::{LARGE, pack, rows, settings};

const COMMUNE: &str = "93008";

/// Backup, two more submissions, fire, restoration in the same place; gives what the ledger was before the fire.
async fn burn(house: &mut House, node: &node::Node) -> Vec<store::node::LedgerRecord> {
    let world = house.node_world();
    let safe = tempfile::tempdir().expect("a folder");
    let key = safe.path().join("key.txt");
    let lock = Lock::recipients(&[new_key(&key).expect("a key")]).expect("our own");
    let file = safe.path().join("night.age");
    send(node).await;
    backup(&house.hub_folder(), &file, &lock, &world).await.expect("a backup");
    for first in [200, 300] {
        put(node.folder().root(), "groupes.csv", &rows([first, 40, 60]));
        send(node).await;
    }
    let known = node.store().ledger(COMMUNE.parse().expect("a commune")).await.expect("reads");
    assert_eq!(known.len(), 3);
    house.stop().await;
    house.clock.advance(Duration::from_mins(5));
    std::fs::remove_dir_all(house.hub_folder().root()).expect("fire");
    let key = Key::identities(&key).expect("our own");
    let restored = hub::restore::restore(&house.hub_folder(), &file, &key, None, false, &world).await;
    assert_eq!(restored.expect("restores").manifest.number, 1);
    house.start().await;
    known
}

async fn commune(house: &House) -> node::Node {
    let large = rows(LARGE);
    house.commune(COMMUNE, &settings("2025"), &[("groupes.csv", &large), ("lieux.csv", &large)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_hub_forgot_goes_back_before_anything_else_is_sent() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    let known = burn(&mut house, &node).await;
    put(node.folder().root(), "groupes.csv", &rows([400, 40, 60]));
    let waiting = preview(&node).await;
    approve(&node, &waiting).await;
    let recovered = std::sync::Mutex::new(Vec::new());
    let note = |event: &PushEvent| {
        if let PushEvent::Recovered { documents } = event {
            recovered.lock().expect("nobody panicked with it").push(*documents);
        }
    };
    let delivered = node::push::push(&node, &note).await.expect("a push");
    let Verdict::Received { receipt, .. } = &delivered[0].verdict else { panic!("{delivered:?}") };
    assert_eq!(recovered.into_inner().expect("nobody panicked with it"), [2]);
    assert_eq!(receipt.links[&node.provider()].sequence, 4, "behind what came back");
    assert!(receipt.number > 100_000, "no number is given twice");

    // What the hub now holds, read by somebody who knows nothing: the very chain of before, and the new entry.
    let ledger = node.store().ledger(node.provider()).await.expect("reads");
    assert_eq!(ledger[..3], known[..]);
    let folder = house.furnish("neuf", &settings("2025"), &[]);
    house.join(&folder, COMMUNE).await;
    let newcomer = house.node(&folder).await;
    assert_eq!(newcomer.store().ledger(node.provider()).await.expect("reads"), ledger);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_gives_back_too_and_a_node_that_joins_again_keeps_its_memory() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    let known = burn(&mut house, &node).await;
    let folder = node.folder().clone();
    node.close().await;
    // The operator looked through the list of living nodes and invites this one anew.
    let joined = house.join(&folder, COMMUNE).await;
    assert_eq!(joined.ledgers[0].1, 3);
    let node = house.node(&folder).await;
    assert_eq!(node.store().ledger(node.provider()).await.expect("reads"), known);
    assert_eq!(node::sync::sync(&node).await.expect("reaches").recovered, 0, "once");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_went_another_way_is_told_apart_and_gets_nothing() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    burn(&mut house, &node).await;
    // Somebody joined for the commune before its own node was there again.
    let large = rows([500, 40, 60]);
    let folder = house.furnish("autre", &settings("2025"), &[("groupes.csv", &large), ("lieux.csv", &large)]);
    house.join(&folder, COMMUNE).await;
    let other = house.node(&folder).await;
    send(&other).await;
    let old = node.folder().clone();
    node.close().await;
    let refused = house.try_join(&old, COMMUNE).await.expect_err("two ways");
    assert_eq!(refused.reason, "LEDGER_FORKED");
    let node = house.node(&old).await;
    put(node.folder().root(), "groupes.csv", &rows([600, 40, 60]));
    approve(&node, &preview(&node).await).await;
    assert_eq!(node::push::push(&node, &|_| {}).await.expect_err("two ways").reason, "LEDGER_FORKED");
    assert_eq!(house.hub().store().head(node.provider()).await.expect("reads").sequence, 2);
    house.close().await;
}

/// Rights that an operator grants reach a node at its next contact, without renewing its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_says_of_a_node_is_noted_at_each_contact() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    let mut identity = node.identity().clone();
    identity.hub_keys.insert(0, vec![7; 32]);
    identity.territories.push("93001".parse().expect("a commune"));
    node.store().set_identity(&identity).await.expect("writes");
    let folder = node.folder().clone();
    node.close().await;
    let node = house.node(&folder).await;
    node::sync::sync(&node).await.expect("reaches");
    node.close().await;
    let node = house.node(&folder).await;
    assert_eq!(node.identity().territories, [node.provider()]);
    assert_eq!(node.identity().hub_keys.len(), 2, "a key that was known stays known");
    assert_ne!(node.identity().hub_keys[0], vec![7; 32], "what signs now comes first");
    send(&node).await;
    house.close().await;
}
