//! The offline route: what a push would have done, done by a file on a stick.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hub::bundle::ItemVerdict;
use model::Failure;
use node::push::{Delivered, Verdict};
use node::{Node, bundle};
use statistics::Reading;
use store::node::{Completeness, OutboxState};

use crate::house::{House, approve, preview, push, put, send, signing_key, word};
use crate::small_pack::{LARGE, numbered, pack, rows, settings};

const COMMUNE: &str = "93008";
const DAY: Duration = Duration::from_hours(24);

async fn commune(house: &House, code: &str) -> Node {
    let rows = rows(LARGE);
    house.commune(code, &settings("2025"), &[("groupes.csv", &rows), ("lieux.csv", &rows)]).await
}

async fn agree(node: &Node) {
    let preview = preview(node).await;
    approve(node, &preview).await;
}

fn file(node: &Node, name: &str) -> PathBuf {
    node.folder().root().join(name)
}

/// Bundle, acceptance, and the answer's file.
async fn carry(house: &House, node: &Node, name: &str) -> (Vec<u8>, PathBuf) {
    let envelope = file(node, name);
    bundle::write(node, &envelope).await.expect("an envelope");
    let envelope = std::fs::read(envelope).expect("a file");
    let answer = file(node, &format!("{name}.reponse"));
    std::fs::write(&answer, house.hub().accept_bundle(&envelope).await.expect("accepted").answer).expect("writes");
    (envelope, answer)
}

async fn take_in(node: &Node, answer: &Path) -> Result<Vec<Delivered>, Failure> {
    bundle::accept_answer(node, answer).await
}

async fn accept(house: &House, envelope: &[u8]) -> Vec<ItemVerdict> {
    let answered = house.hub().accept_bundle(envelope).await.expect("accepted");
    answered.items.into_iter().map(|item| item.verdict).collect()
}

async fn figure(house: &House) -> Option<Reading> {
    house.reading("groupes_n", "2025", "", COMMUNE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_does_what_a_push_does() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    agree(&node).await;
    let (envelope, answer) = carry(&house, &node, "un.maillage").await;
    assert!(matches!(figure(&house).await, Some(Reading::Value(_))), "the hub shows it");
    let pending = node.store().outbox().await.expect("the outbox").remove(0);
    assert_eq!((pending.state, pending.last_error.expect("a note").reason.as_str()), (OutboxState::Pending, "BUNDLED"));
    let before = house.hub().store().number().await.expect("the counter");
    assert_eq!(before, 1);

    let delivered = take_in(&node, &answer).await.expect("an answer");
    let [Delivered { verdict: Verdict::Received { receipt, already: false, file }, .. }] = delivered.as_slice() else {
        panic!("{delivered:?}");
    };
    let kept = std::fs::read(file).expect("a receipt file");
    assert_eq!(node::verify::verify(&kept, &node.hub_keys().expect("keys")).expect("authentic"), **receipt);
    assert!(matches!(node.store().outbox().await.expect("the outbox")[0].state, OutboxState::Sent(_)));
    assert_eq!(node.store().completeness(word(COMMUNE)).await.expect("the ledger"), Completeness::Complete(1));
    assert!(!preview(&node).await.leaves, "the node knows that the hub has these figures");

    // The same file again, and the same answer again: nothing happens twice.
    let again = accept(&house, &envelope).await;
    assert!(matches!(again.as_slice(), [ItemVerdict::Received { already: true, .. }]), "{again:?}");
    take_in(&node, &answer).await.expect("the same answer");
    assert_eq!(house.hub().store().number().await.expect("the counter"), 1);
    let nothing = bundle::write(&node, &file_of(&node)).await.expect_err("nothing waits");
    assert_eq!(nothing.reason, "NOTHING_WAITS");
    // The next push follows as if the first had been one.
    put(node.folder().root(), "groupes.csv", &rows([60, 20, 53]));
    let (_, receipt) = send(&node).await;
    assert_eq!(receipt.number, 2);
    house.close().await;
}

fn file_of(node: &Node) -> PathBuf {
    file(node, "rien.maillage")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_may_come_back_while_the_envelope_travels() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    agree(&node).await;
    let envelope = file(&node, "un.maillage");
    bundle::write(&node, &envelope).await.expect("an envelope");
    let taken = bundle::write(&node, &envelope).await.expect_err("a file is there");
    assert_eq!(taken.reason, "FILE_EXISTS");
    let Verdict::Received { receipt, .. } = push(&node).await else { panic!("not received") };
    let verdicts = accept(&house, &std::fs::read(&envelope).expect("a file")).await;
    let [ItemVerdict::Received { receipt: same, already: true }] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert_eq!(same.verify(&node.hub_keys().expect("keys")).expect("the hub's"), *receipt);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_envelope_never_replaces_newer_figures() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    agree(&node).await;
    let forgotten = file(&node, "tiroir.maillage");
    bundle::write(&node, &forgotten).await.expect("an envelope");
    // What it holds was given up here: the hub refused it (so says an answer that is played by the store), and newer
    // figures were sent since.
    let item = node.store().outbox().await.expect("the outbox").remove(0);
    let refusal = store::node::Refusal { reason: "X".into(), message: "Y".into() };
    node.store().mark_refused(item.outgoing.submission, &refusal, item.queued_at).await.expect("noted");
    put(node.folder().root(), "groupes.csv", &rows([90, 40, 53]));
    send(&node).await;
    let newer = figure(&house).await;
    let verdicts = accept(&house, &std::fs::read(&forgotten).expect("a file")).await;
    let [ItemVerdict::Refused { reason, message, .. }] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert_eq!(reason, "BUNDLE_OUTDATED");
    assert!(message.contains("maillage node preview"), "{message}");
    assert_eq!(figure(&house).await, newer);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_not_needed_but_a_living_node_is() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    // Two years without network: the certificate has ended long ago, and can no longer be renewed.
    house.stop().await;
    house.clock.advance(DAY * 730);
    house.start().await;
    agree(&node).await;
    let (envelope, answer) = carry(&house, &node, "un.maillage").await;
    assert_eq!(take_in(&node, &answer).await.expect("an answer").len(), 1);
    assert_eq!(house.hub().store().number().await.expect("the counter"), 1);

    assert!(house.hub().revoke_node(word(COMMUNE)).await.expect("revokes"));
    let refused = house.hub().accept_bundle(&envelope).await.expect_err("revoked, even for what was received before");
    assert_eq!(refused.reason, "NODE_REVOKED");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_as_another_commune_or_to_another_hub() {
    let house = House::open_with(vec![pack()]).await;
    let elsewhere = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    let neighbour = commune(&house, "93001").await;
    let stranger = commune(&elsewhere, COMMUNE).await;
    agree(&node).await;
    let (envelope, answer) = carry(&house, &node, "un.maillage").await;

    assert_eq!(elsewhere.hub().accept_bundle(&envelope).await.expect_err("not its own").reason, "BUNDLE_OTHER_HUB");
    // An answer opens for the node that asked, and for no other.
    assert_eq!(take_in(&neighbour, &answer).await.expect_err("not theirs").reason, "BUNDLE_NOT_FOR_US");
    assert_eq!(take_in(&stranger, &answer).await.expect_err("another hub").reason, "BUNDLE_OTHER_HUB");
    let turned = take_in(&node, &file(&node, "un.maillage")).await.expect_err("not an answer");
    assert_eq!(turned.reason, "BUNDLE_WRONG_DIRECTION");

    // The neighbour puts the commune's own signed document, and its name, into an envelope of its own.
    let sent = node.store().outbox().await.expect("the outbox").remove(0).outgoing;
    let key = signing_key(neighbour.folder());
    let item = wire::bundle::Item {
        kind: wire::bundle::ItemKind::Submit,
        document: sent.document.clone(),
        signature: seal::Signature::from_slice(&sent.signature).expect("a signature"),
    };
    let signed = std::fs::read(node.folder().hub_sealing_key()).expect("the hub's key");
    let hub_key = wire::bundle::SignedSealingKey::from_bytes(&signed).expect("a key");
    let hub_key = hub_key.verify(&node.hub_keys().expect("keys")).expect("the hub's");
    let forge = |provider: &str| wire::bundle::Bundle {
        id: wire::bundle::BundleId::draw(&testkit::SeededEntropy::new(5)),
        provider: word(provider),
        written_at: model::Timestamp::from_micros(0),
        reply_key: seal::OpeningKey::of(&key).sealing_key(),
        positions: [(word(COMMUNE), 0), (word("93001"), 0)].into_iter().rev().collect(),
        items: vec![item.clone()],
    };
    let seal = |bundle: wire::bundle::Bundle| {
        let authority = node.identity().ca_fingerprint;
        bundle.seal(&key, &hub_key, authority, &testkit::SeededEntropy::new(6)).expect("seals")
    };
    let as_victim = house.hub().accept_bundle(&seal(forge(COMMUNE))).await.expect_err("another's name");
    assert_eq!(as_victim.reason, "NODE_UNKNOWN");
    let as_itself = house.hub().accept_bundle(&seal(forge("93001"))).await.expect_err("another's document");
    assert_eq!(as_itself.reason, "SIGNATURE_INVALID");

    // Damage of every kind, and a file of two gigabytes that is no envelope.
    for length in [0, 10, 60, 200, envelope.len() - 1] {
        house.hub().accept_bundle(&envelope[..length]).await.expect_err("cut off");
    }
    let large = file(&node, "grand.maillage");
    std::fs::File::create(&large).and_then(|file| file.set_len(2 << 30)).expect("a sparse file");
    let bytes = hub::bundle::read(&large).expect("as much as is looked at");
    assert_eq!(house.hub().accept_bundle(&bytes).await.expect_err("large").reason, "BUNDLE_TOO_LARGE");
    assert_eq!(take_in(&node, &large).await.expect_err("large").reason, "BUNDLE_TOO_LARGE");
    assert_eq!(house.hub().store().number().await.expect("the counter"), 1);
    elsewhere.close().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_comes_back_with_its_reason_and_the_rest_is_accepted() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    send(&node).await;
    agree_to_withdraw(&node).await;
    // The hub loses the right to remember nothing: a second withdrawal of the same table cannot be right.
    put(node.folder().root(), "lieux.csv", &rows([70, 30, 53]));
    agree(&node).await;
    let waiting = node.store().outbox().await.expect("the outbox");
    assert_eq!(waiting.iter().filter(|item| item.state == OutboxState::Pending).count(), 2);
    let (_, answer) = carry(&house, &node, "deux.maillage").await;
    let delivered = take_in(&node, &answer).await.expect("an answer");
    assert!(delivered.iter().all(|one| matches!(one.verdict, Verdict::Received { .. })), "{delivered:?}");
    assert_eq!(house.hub().store().number().await.expect("the counter"), 3);

    // A hub that moved on by two versions refuses the document itself: the node hears it and may go on.
    put(node.folder().root(), "lieux.csv", &rows([71, 31, 53]));
    agree(&node).await;
    let envelope = file(&node, "trois.maillage");
    bundle::write(&node, &envelope).await.expect("an envelope");
    let envelope = std::fs::read(envelope).expect("a file");
    let ahead = async |version: &str, seed: u64| {
        let entropy = std::sync::Arc::new(testkit::SeededEntropy::new(seed));
        let world = hub::World { clock: house.clock.clone(), entropy };
        let config = house.hub().config().clone();
        hub::Hub::open_with(house.hub_folder(), config, vec![numbered(version)], world).await.expect("opens")
    };
    ahead("1.1.0", 77).await.close().await;
    let ahead = ahead("1.2.0", 78).await;
    let answered = ahead.accept_bundle(&envelope).await.expect("answered");
    ahead.close().await;
    let path = file(&node, "trois.reponse");
    std::fs::write(&path, answered.answer).expect("writes");
    let delivered = take_in(&node, &path).await.expect("an answer");
    let [Delivered { verdict: Verdict::Refused { message, .. }, .. }] = delivered.as_slice() else {
        panic!("{delivered:?}");
    };
    assert!(message.ends_with('.'), "{message}");
    let last = node.store().outbox().await.expect("the outbox").pop().expect("three");
    assert!(matches!(last.state, OutboxState::Refused(_)));
    house.close().await;
}

async fn agree_to_withdraw(node: &Node) {
    let slice =
        model::Slice { territory: word(COMMUNE), pack: word("essai"), table: word("groupes"), period: word("2025") };
    node::withdraw::withdraw(node, [slice].into(), "Awa Diallo").await.expect("a withdrawal");
}
