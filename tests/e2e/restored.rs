//! A hub that burnt down and was restored from last night's backup: its nodes bring back what it has forgotten.

use std::time::Duration;

use hub::backup::{Key, Lock, backup, new_key};
use model::Clock as _;
use node::push::{Delivered, PushEvent, Verdict, push_due};

use crate::crowd::take_both_places;
use crate::house::{House, approve, on_both, preview, put, send};
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
    let count = |event: &PushEvent| {
        if let PushEvent::Recovered { documents } = event {
            recovered.lock().expect("nobody panicked with it").push(*documents);
        }
    };
    let delivered = node::push::push(&node, &count).await.expect("a push");
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

/// A hub that has no room for what it forgot says when to come back: that is no answer to the document that waits, and no
/// end of the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_busy_while_it_is_given_back_to_is_asked_again() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    burn(&mut house, &node).await;
    put(node.folder().root(), "groupes.csv", &rows([400, 40, 60]));
    approve(&node, &preview(&node).await).await;
    let client = house.client(&node).await;
    let silent = take_both_places(&client).await;
    let delivered = push_due(&node, &|_| {}).await.expect("it waits");
    let [Delivered { verdict: Verdict::Waiting { message }, .. }] = delivered.as_slice() else {
        panic!("{delivered:?}");
    };
    assert!(message.contains("repartira de lui-même"), "{message}");
    let item = node.store().oldest_pending().await.expect("the outbox").expect("it stays");
    assert_eq!(item.last_error.as_ref().map(|error| error.reason.as_str()), Some("COMMUNE_BUSY"));
    let pause = item.next_attempt_at.since(house.clock.now());
    assert!(pause >= Duration::from_secs(5), "as long as the hub asked for, not the second of a first try: {pause:?}");
    for one in silent {
        assert_eq!(one.answer.await.expect("no panic").reason, "UPLOAD_STALLED");
    }
    house.clock.advance(pause);
    let delivered = push_due(&node, &|_| {}).await.expect("a push");
    assert!(matches!(delivered[0].verdict, Verdict::Received { .. }), "{delivered:?}");
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

/// What a destroyed document had replaced is neither shown by the restored hub nor held for current by the node: what the
/// files hold is new again, and a person decides about it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_destroyed_leaves_nothing_older_in_its_place() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let node = commune(&house).await;
        let world = house.node_world();
        let safe = tempfile::tempdir().expect("a folder");
        let key = safe.path().join("key.txt");
        let lock = Lock::recipients(&[new_key(&key).expect("a key")]).expect("our own");
        let file = safe.path().join("night.age");
        send(&node).await;
        backup(&house.hub_folder(), &file, &lock, &world).await.expect("a backup");
        put(node.folder().root(), "groupes.csv", &rows([200, 40, 60]));
        let (_, receipt) = send(&node).await;
        let proposal = house.hub().propose_purge(receipt.submission, "Awa", "fuite").await.expect("proposed");
        house.hub().confirm_purge(proposal.id, "Bea").await.expect("destroyed");
        node::sync::sync(&node).await.expect("learns of it");
        let shown = async |house: &House| {
            let of = async |table: &str| house.reading(&format!("{table}_n"), "2025", "", COMMUNE).await;
            [of("groupes").await, of("lieux").await]
        };
        let before = shown(&house).await;
        // The files are as they were for the first document.
        put(node.folder().root(), "groupes.csv", &rows(LARGE));
        let seen = preview(&node).await;
        let moved: Vec<(String, usize)> =
            seen.slices.iter().map(|slice| (slice.slice.table.to_string(), slice.moves.new)).collect();
        assert!(moved[0].1 > 0 && moved[0].0 == "groupes", "it is no longer there: {moved:?}");
        assert_eq!(moved[1], ("lieux".to_owned(), 0), "nobody destroyed this one");
        assert!(seen.withdrawn, "no rule sends it again by itself");

        house.stop().await;
        house.clock.advance(Duration::from_mins(5));
        std::fs::remove_dir_all(house.hub_folder().root()).expect("fire");
        let key = Key::identities(&key).expect("our own");
        let place = crate::house::database().map(|url| format!("{url}_again"));
        house.move_to(place.clone());
        hub::restore::restore(&house.hub_folder(), &file, &key, place, false, &world).await.expect("restores");
        house.start().await;
        assert_eq!(node::sync::sync(&node).await.expect("gives back").recovered, 2);
        assert_eq!(shown(&house).await, before, "as before the fire");
        send(&node).await;
        node.close().await;
        house.close().await;
    })
    .await;
}

/// Rights that an operator grants reach a node at its next contact, without renewing its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_says_of_a_node_is_noted_at_each_contact() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house).await;
    let mut identity = store::node::Identity::clone(&node.identity());
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
