//! Between node and hub nothing can be relied on: not the network, not the clocks, not the disk.

mod disk;
pub mod proxy;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::{Clock, Failure, FailureKind, Timestamp};
use node::push::{PushEvent, Verdict, push_due};
use node::run::open_and_round;
use node::{Node, NodeFolder};
use proxy::{Fault, Proxy};
use store::node::OutboxState;
use testkit::ManualClock;
use wire::identity::Peer;

use crate::house::{House, approve, on_both, preview, put};
use crate::recovery::{BY_RULE, COMMUNE, check_whole};
use crate::small_pack::{pack, rows, settings};

/// `node.toml` that leads to `address`.
pub fn through(address: &str) -> String {
    format!("[hub]\naddress = \"{address}\"\n\n{BY_RULE}{}", settings("2025"))
}

pub fn edit(folder: &NodeFolder, a: u32) {
    for file in ["groupes.csv", "lieux.csv"] {
        put(folder.root(), file, &rows([a, 20, 53]));
    }
}

async fn behind(house: &House, proxy: &Proxy) -> NodeFolder {
    let folder = house.furnish(COMMUNE, &through(proxy.address()), &[]);
    edit(&folder, 40);
    house.join(&folder, COMMUNE).await;
    folder
}

/// Approves one more document and leaves it in the outbox.
async fn queue(house: &House, folder: &NodeFolder, a: u32) -> Node {
    edit(folder, a);
    let node = house.node(folder).await;
    let read = preview(&node).await;
    approve(&node, &read).await;
    node
}

fn sendings(events: &AtomicUsize) -> impl Fn(&PushEvent) + Sync + '_ {
    |event| {
        if matches!(event, PushEvent::Sending { .. }) {
            events.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Cut in the handshake, in the document, in the answer, in either direction: whatever the node was told, a repetition
/// ends well, and the hub keeps each document once. The answers that were cut after the hub had committed show as such.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_may_break_at_any_byte_of_either_direction() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let proxy = Proxy::to(house.address()).await;
        let folder = behind(&house, &proxy).await;
        let node = queue(&house, &folder, 41).await;
        proxy.count();
        assert!(matches!(push_due(&node, &|_| {}).await.expect("a push")[0].verdict, Verdict::Received { .. }));
        let (up, down, connections) = proxy.count();
        assert_eq!(connections, 1);
        node.close().await;

        let (mut documents, mut swallowed) = (1, 0);
        let spread = |total: u64| (0..12_u64).map(move |n| n * (total + 200) / 12);
        let last_bytes = (0..8).map(|n| down.saturating_sub(40 + n * 90));
        let cuts: Vec<Fault> =
            spread(up).map(Fault::CutUp).chain(spread(down).chain(last_bytes).map(Fault::CutDown)).collect();
        for fault in cuts {
            documents += 1;
            let node = queue(&house, &folder, 41 + u32::try_from(documents).expect("few")).await;
            proxy.set(fault);
            // Answered or not: nothing but a receipt may settle it.
            let first = push_due(&node, &|_| {}).await;
            let settled = node.store().outbox().await.expect("the outbox");
            assert!(!settled.iter().any(|item| matches!(item.state, OutboxState::Refused(_))), "{fault:?}: {first:?}");
            proxy.set(Fault::None);
            for one in node::push::push(&node, &|_| {}).await.expect("a push") {
                let Verdict::Received { already, .. } = one.verdict else { panic!("after {fault:?}: {one:?}") };
                swallowed += usize::from(already);
            }
            node.close().await;
            check_whole(&house, &folder, documents).await;
        }
        assert!(swallowed >= 2, "some answers were lost after the hub had kept the document: {swallowed}");
        println!("{documents} documents, {swallowed} answers lost after the commit");
        house.close().await;
    })
    .await;
}

/// A slow and crumbling road is a road; a closed one costs a try and no document.
#[tokio::test(flavor = "multi_thread")]
async fn delays_cost_time_and_refusals_cost_a_try() {
    let house = House::open_with(vec![pack()]).await;
    let proxy = Proxy::to(house.address()).await;
    let folder = behind(&house, &proxy).await;
    let node = queue(&house, &folder, 41).await;
    proxy.set(Fault::Slow(2, 61));
    assert!(matches!(push_due(&node, &|_| {}).await.expect("a push")[0].verdict, Verdict::Received { .. }));
    node.close().await;

    let node = queue(&house, &folder, 42).await;
    proxy.set(Fault::Refuse);
    let mut pauses = Vec::new();
    for attempt in 1..=6 {
        let tried = push_due(&node, &|_| {}).await.expect("it waits");
        assert!(matches!(tried[0].verdict, Verdict::Waiting { .. }), "{tried:?}");
        let item = node.store().oldest_pending().await.expect("the outbox").expect("it stays");
        assert_eq!(item.attempts, attempt);
        assert_eq!(item.last_error.as_ref().map(|error| error.reason.as_str()), Some("HUB_UNREACHABLE"));
        // Not before its time.
        assert!(push_due(&node, &|_| {}).await.expect("nothing is due").is_empty());
        let pause = item.next_attempt_at.since(house.clock.now());
        pauses.push(pause);
        house.clock.advance(pause);
    }
    // Doubling from one second, with up to as much again by chance.
    for (n, pause) in (0..).zip(&pauses) {
        let floor = Duration::from_secs(1 << n);
        assert!((floor..floor * 2).contains(pause), "{pauses:?}");
    }
    assert!(pauses.iter().any(|pause| pause.subsec_micros() != 0), "spread by chance: {pauses:?}");
    proxy.set(Fault::None);
    node::push::push(&node, &|_| {}).await.expect("a push");
    node.close().await;
    check_whole(&house, &folder, 2).await;
    house.close().await;
}

/// The same document over eight connections at once, and again later, and by two processes on one folder.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_many_times_at_once_is_one_document() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
        edit(&folder, 40);
        house.join(&folder, COMMUNE).await;
        let node = queue(&house, &folder, 41).await;
        let item = node.store().oldest_pending().await.expect("the outbox").expect("a document").outgoing;
        let signature = seal::Signature::from_slice(&item.signature).expect("a signature");
        let mut sending = Vec::new();
        for _ in 0..8 {
            let (client, document) = (house.client(&node).await, item.document.clone());
            sending.push(tokio::spawn(async move { client.submit(&document, &signature).await }));
        }
        let mut receipts = Vec::new();
        for sent in sending {
            receipts.push(sent.await.expect("a task").expect("accepted"));
        }
        assert_eq!(receipts.iter().filter(|one| !one.already_received).count(), 1, "new once");
        assert!(receipts.iter().all(|one| one.receipt == receipts[0].receipt), "one receipt for all");

        // Two commands on one folder take turns; the second finds nothing left to do, or the same answer.
        let other = house.node(&folder).await;
        let quiet = |_: &PushEvent| {};
        let (first, second) = tokio::join!(node::push::push(&node, &quiet), node::push::push(&other, &quiet));
        let delivered = first.expect("a push").len() + second.expect("a push").len();
        assert_eq!(delivered, 1, "sent by one of them");
        node.close().await;
        other.close().await;
        check_whole(&house, &folder, 1).await;
        house.close().await;
    })
    .await;
}

/// Who works on the folder holds it; others wait for their turn, then say so.
#[tokio::test]
async fn a_folder_in_use_is_said_to_be_in_use() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = NodeFolder::at(root.path());
    let held = folder.hold().await.expect("nobody has it");
    let busy = folder.hold_within(Duration::from_millis(120)).await.expect_err("somebody has it");
    assert_eq!((busy.kind, busy.reason.as_ref()), (FailureKind::Unavailable, "NODE_BUSY"));
    drop(held);
    drop(folder.hold().await.expect("free again"));
}

/// A week without a hub: the outbox keeps its order, nothing is doubled, and the certificate is renewed on the way back.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_may_be_away_for_weeks() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
        edit(&folder, 40);
        house.join(&folder, COMMUNE).await;
        open_and_round(&folder, &house.node_world(), &|_| {}).await.expect("a round");
        house.stop().await;
        for day in 1..=40 {
            house.clock.advance(Duration::from_hours(24));
            if day % 10 == 0 {
                // A person goes on working: three documents wait, one after the other.
                let node = queue(&house, &folder, 40 + day).await;
                node.close().await;
            }
            open_and_round(&folder, &house.node_world(), &|_| {}).await.expect_err("nobody is there");
        }
        let ended = node::renew::certificate_end(&folder).expect("a certificate");
        assert!(ended < house.clock.now(), "meanwhile the certificate has ended");
        house.start().await;
        let world = house.node_world();
        open_and_round(&folder, &world, &|_| {}).await.expect("renewed, caught up, sent");
        check_whole(&house, &folder, 5).await;
        house.close().await;
    })
    .await;
}

/// A clock that is wrong by hours: certificates are dated back by an hour at most, so that a node far behind is told
/// that its clock is wrong, and sends everything once it is right.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_delays_and_loses_nothing() {
    let house = House::open_with(vec![pack()]).await;
    let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 40);
    house.join(&folder, COMMUNE).await;
    let mut documents = 0;
    let hours = |hours: i64| Timestamp::from_micros(house.clock.now().as_micros() + hours * 3_600_000_000);
    for (wrong, works) in [(5, true), (-5, false), (72, true), (-48, false), (24 * 400, false)] {
        edit(&folder, 50 + documents);
        let world = node::World { clock: std::sync::Arc::new(ManualClock::at(hours(wrong))), ..house.node_world() };
        let done = open_and_round(&folder, &world, &|_| {}).await;
        match (&done, works) {
            (Ok(()), true) => {}
            (Err(failure), false) => {
                assert_eq!(failure.reason, "TLS_SERVER_EXPIRED", "{wrong} h: {failure:?}");
                assert!(failure.message.contains("horloge"), "{}", failure.message);
            }
            other => panic!("a clock wrong by {wrong} h: {other:?}"),
        }
        // The clock is put right; what was noted under the wrong one must not be in the way for long.
        open_and_round(&folder, &house.node_world(), &|_| {}).await.expect("a round");
        documents += 1;
        check_whole(&house, &folder, documents as usize).await;
    }
    house.close().await;
}

/// The hub's own clock is wrong: its receipts carry a wrong date, and the chain holds all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_with_a_wrong_clock_keeps_a_right_chain() {
    let mut house = House::open_with(vec![pack()]).await;
    let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 40);
    house.join(&folder, COMMUNE).await;
    let right = house.clock.now();
    let mut documents = 0;
    for hours in [6, 0, 30, 3] {
        house.stop().await;
        house.clock.set(right.plus(Duration::from_hours(hours)));
        house.start().await;
        edit(&folder, 50 + documents);
        let world = node::World {
            clock: std::sync::Arc::new(ManualClock::at(right.plus(Duration::from_hours(5)))),
            ..house.node_world()
        };
        drop(open_and_round(&folder, &world, &|_| {}).await);
        house.stop().await;
        house.clock.set(right.plus(Duration::from_hours(5)));
        house.start().await;
        house.clock.advance(Duration::from_mins(11));
        open_and_round(&folder, &house.node_world(), &|_| {}).await.expect("a round");
        documents += 1;
        check_whole(&house, &folder, documents as usize).await;
    }
    house.close().await;
}

/// Answers every call with the same refusal.
struct Refuses(Failure);

impl wire::server::Authorise for Refuses {
    async fn authorise(&self, _: &Peer, _: &str) -> Result<(), Failure> {
        Err(self.0.clone())
    }
}

/// A server with the hub's own keys that answers everything with `failure`.
async fn refusing(house: &House, failure: Failure) -> (String, tokio::task::JoinHandle<()>) {
    let text = |path| std::fs::read_to_string(path).expect("a key of the hub");
    let folder = house.hub_folder();
    let (key, certificate) = (text(folder.authority_key()), text(folder.authority_certificate()));
    let authority = wire::authority::Authority::from_pem(&key, &certificate).expect("an authority");
    let validity = wire::authority::Validity { now: house.clock.now(), lifetime: wire::authority::SERVER_LIFETIME };
    let entropy = testkit::SeededEntropy::new(house.fresh_seed());
    let certificate = authority.sign_server(&["127.0.0.1"], validity, &entropy).expect("a certificate");
    let clock: std::sync::Arc<dyn Clock> = house.clock.clone();
    let tls = wire::tls::ServerTls::new(&authority, &certificate, clock).expect("TLS");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let serving = tokio::spawn(async move {
        let (routes, _health) = wire::server::routes();
        let gate = std::sync::Arc::new(Refuses(failure));
        wire::server::serve(listener, &tls, routes, gate, wire::server::Limits::default(), std::future::pending())
            .await;
    });
    (address, serving)
}

/// `RetryInfo` is honoured, by the service and by the person's command; what is permanent is not asked twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_asks_to_wait_is_waited_and_what_is_final_is_not_repeated() {
    let house = House::open_with(vec![pack()]).await;
    let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 40);
    house.join(&folder, COMMUNE).await;
    let node = queue(&house, &folder, 41).await;
    node.close().await;
    let failure = |kind, reason: &'static str| Failure::new(kind, reason, "for a test", "Pour un essai.");

    // The hub asks for five seconds where the node's own pause would be shorter.
    let (address, serving) = refusing(&house, failure(FailureKind::Exhausted, "BUSY")).await;
    put(folder.root(), "node.toml", through(&address).as_bytes());
    let node = house.node(&folder).await;
    let events = AtomicUsize::new(0);
    let tried = push_due(&node, &sendings(&events)).await.expect("it waits");
    assert!(matches!(tried[0].verdict, Verdict::Waiting { .. }), "{tried:?}");
    let item = node.store().oldest_pending().await.expect("the outbox").expect("it stays");
    let wait = item.next_attempt_at.since(house.clock.now());
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
    house.clock.advance(Duration::from_millis(4_900));
    assert!(push_due(&node, &sendings(&events)).await.expect("nothing is due").is_empty());
    assert_eq!(events.load(Ordering::SeqCst), 1, "not before");
    // The person's command waits as long before its second try.
    let (told, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |event: &PushEvent| {
        if let PushEvent::Retrying { after, .. } = event {
            told.send(*after).expect("the test listens");
        }
    };
    let pushing = node::push::push(&node, &tell);
    tokio::select! {
        _ = pushing => panic!("it did not wait"),
        pause = asked.recv() => assert!(pause.expect("a pause") >= Duration::from_secs(5)),
    }
    node.close().await;
    serving.abort();

    // A defect of the hub, and an answer of somebody who is not ours to judge: the document stays.
    for (kind, reason, fails) in [
        (FailureKind::Internal, "HUB_DEFECT", false),
        (FailureKind::Denied, "NODE_REVOKED", true),
        (FailureKind::Unauthenticated, "CERTIFICATE_REQUIRED", true),
    ] {
        let (address, serving) = refusing(&house, failure(kind, reason)).await;
        put(folder.root(), "node.toml", through(&address).as_bytes());
        let node = house.node(&folder).await;
        house.clock.advance(Duration::from_mins(11));
        assert_eq!(push_due(&node, &|_| {}).await.is_err(), fails, "{reason}");
        let item = node.store().oldest_pending().await.expect("the outbox").expect("it stays");
        assert_eq!(item.last_error.map(|error| error.reason).as_deref(), Some(reason));
        node.close().await;
        serving.abort();
    }

    // Final: no second try of its own.
    let (address, serving) = refusing(&house, failure(FailureKind::Invalid, "RULE_TOO_WEAK")).await;
    put(folder.root(), "node.toml", through(&address).as_bytes());
    let node = house.node(&folder).await;
    let events = AtomicUsize::new(0);
    let refused = node::push::push(&node, &sendings(&events)).await.expect_err("a final answer");
    assert_eq!(refused.reason, "RULE_TOO_WEAK");
    assert_eq!(events.load(Ordering::SeqCst), 1, "asked once");
    node.close().await;
    serving.abort();
    house.close().await;
}
