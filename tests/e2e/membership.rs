//! Who may speak for a commune: certificates that end and come back, invitations that replace, communes that merge.

use std::sync::Arc;
use std::time::Duration;

use model::{FailureKind, Timestamp};
use node::push::Verdict;
use node::{Node, renew};
use statistics::{Reading, Silence};
use store::node::OutboxState;
use testkit::ManualClock;
use wire::client::ClientError;

use crate::house::{House, approve, preview, push, put, send, send_all, signing_key, word};
use crate::small_pack::{CELLS, Forgery, LARGE, pack, rows, settings, source};

const COMMUNE: &str = "93008";
const DAY: Duration = Duration::from_hours(24);
/// 1 June 2024, noon: Pierrefitte-sur-Seine was still a commune.
const BEFORE_THE_MERGER: i64 = 1_717_243_200_000_000;
/// 1 March 2026, noon.
const AFTER_THE_MERGER: i64 = 1_772_366_400_000_000;

async fn commune(house: &House, code: &str) -> Node {
    let rows = rows(LARGE);
    house.commune(code, &settings("2025"), &[("groupes.csv", &rows), ("lieux.csv", &rows)]).await
}

/// A hub that was restarted since, as one is in three months: its own certificate is fresh.
async fn later(house: &mut House, days: u32) {
    house.stop().await;
    house.clock.advance(DAY * days);
    house.start().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_before_it_ends_and_after() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    let end = || renew::certificate_end(node.folder()).expect("a certificate");
    let first = end();
    house.clock.advance(DAY * 19);
    assert!(!renew::renew_if_due(&node).await.expect("not due"), "eleven of thirty days are left");
    house.clock.advance(DAY * 2);
    assert!(renew::renew_if_due(&node).await.expect("renewed"), "nine are left");
    assert_eq!(end().since(first), DAY * 21);

    // The node sleeps for a hundred days. What it wants to send waits; its key alone brings it back.
    later(&mut house, 100).await;
    let waiting = preview(&node).await;
    approve(&node, &waiting).await;
    let refused = node::push::push(&node, &|_| {}).await.expect_err("the certificate has ended");
    assert_eq!(refused.reason, "CERTIFICATE_EXPIRED");
    assert_eq!(node.store().outbox().await.expect("the outbox")[0].state, OutboxState::Pending);
    assert!(renew::renew_if_due(&node).await.expect("renewed"));
    assert!(matches!(push(&node).await, Verdict::Received { already: false, .. }));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_months_after_its_end_a_certificate_needs_a_new_invitation() {
    let mut house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    // Thirty days of life and 365 of grace: the last day, and the one after.
    later(&mut house, 394).await;
    assert!(renew::renew_if_due(&node).await.expect("the last day"));
    later(&mut house, 396).await;
    let late = renew::renew_if_due(&node).await.expect_err("too late");
    assert_eq!((late.kind, late.reason.as_ref()), (FailureKind::Denied, "RENEWAL_TOO_LATE"));

    let folder = node.folder().clone();
    node.close().await;
    std::fs::remove_dir_all(folder.root().join("keys")).expect("the old keys go");
    house.join(&folder, COMMUNE).await;
    let node = house.node(&folder).await;
    assert!(matches!(send(&node).await.1.number, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_invitation_ends_the_older_node_at_once() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, COMMUNE).await;
    let open = house.client(&node).await;
    open.list(word(COMMUNE), 0).await.expect("a living node");
    let waiting = preview(&node).await;
    approve(&node, &waiting).await;
    let document = node.store().latest_preview().await.expect("the store").expect("a preview").document;

    let invited = house.hub().invite(word(COMMUNE), &[]).await.expect("an invitation");
    assert!(invited.revoked_node, "not when it is spent: now");
    // On the connection that was open before, too.
    let signature = signing_key(node.folder()).sign(&document);
    let ended = open.submit(&document, &signature).await.expect_err("revoked");
    assert!(matches!(ended, ClientError::Refused(_)));
    assert_eq!(ended.reason(), "NODE_REVOKED");
    assert_eq!(node::push::push(&node, &|_| {}).await.expect_err("revoked").reason, "NODE_REVOKED");
    assert_eq!(node.store().outbox().await.expect("the outbox")[0].state, OutboxState::Pending);
    house.clock.advance(DAY * 25);
    assert_eq!(renew::renew_if_due(&node).await.expect_err("revoked").reason, "NODE_REVOKED");
    assert_eq!(house.hub().store().number().await.expect("the counter"), 0);

    // The older invitation is worth nothing either, once there is a newer one; the newest serves once.
    let newest = house.hub().invite(word(COMMUNE), &[]).await.expect("an invitation");
    let rows = rows(LARGE);
    let files: [(&str, &[u8]); 2] = [("groupes.csv", &rows), ("lieux.csv", &rows)];
    let folder = house.furnish("nouveau", &settings("2025"), &files);
    let join = async |line: String| node::join::join(&folder, &line, house.node_world()).await;
    assert_eq!(join(invited.invitation.to_line()).await.expect_err("replaced").reason, "INVITATION_REVOKED");
    join(newest.invitation.to_line()).await.expect("the newest");
    // The folder that spent it may repeat it, should the answer have been lost; another one may not.
    join(newest.invitation.to_line()).await.expect("the same key");
    let elsewhere = house.furnish("ailleurs", &settings("2025"), &files);
    let refused = node::join::join(&elsewhere, &newest.invitation.to_line(), house.node_world()).await;
    assert_eq!(refused.expect_err("spent").reason, "INVITATION_SPENT");
    send(&house.node(&folder).await).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saint_denis_corrects_what_pierrefitte_sent_and_nobody_else_does() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(BEFORE_THE_MERGER)));
    let mut house = House::open_at(vec![pack()], clock).await;
    let rows_then = rows(LARGE);
    let files: [(&str, &[u8]); 2] = [("groupes.csv", &rows_then), ("lieux.csv", &rows_then)];
    let former = house.commune("93059", &settings("2023"), &files).await;
    send(&former).await;
    let of_former = async |house: &House| house.reading("groupes_n", "2023", "", "93059").await;
    assert_eq!(of_former(&house).await, Some(Reading::Value(113.0)));

    house.stop().await;
    house.clock.set(Timestamp::from_micros(AFTER_THE_MERGER));
    house.start().await;
    // Coordinators get a new access by hand, once a year.
    house.coordinator = house.hub().add_coordinator(&word("apres")).await.expect("an access");
    let ceased = house.hub().invite(word("93059"), &[]).await.expect_err("it is no commune any more");
    assert_eq!(ceased.reason, "TERRITORY_CEASED");

    // Both tables of the former commune, and one of the new one, in one folder.
    let territory = "territory = \"93059\"";
    let own = source("groupes", "2025", "");
    let then: String = ["groupes", "lieux"].map(|table| source(table, "2023", territory)).concat();
    let successor = house.commune("93066", &[own.clone(), then.clone()].concat(), &files).await;
    let unchanged = preview(&successor).await;
    assert_eq!(unchanged.moved, 4, "only the new commune's table is new");

    put(successor.folder().root(), "groupes.csv", &rows([41, 20, 53]));
    let (seen, receipts) = send_all(&successor).await;
    assert_eq!(seen.territories.iter().map(ToString::to_string).collect::<Vec<_>>(), ["93059", "93066"]);
    let told = receipts.iter().map(|receipt| {
        let touched: Vec<String> = receipt.links.keys().map(ToString::to_string).collect();
        (touched.join(" "), receipt.outcome.new, receipt.outcome.changed)
    });
    let expected = [("93059".to_owned(), 0, 2), ("93066".to_owned(), CELLS, 0)];
    assert_eq!(told.collect::<Vec<_>>(), expected, "one agreement, a document and a receipt for each commune");
    assert_eq!(of_former(&house).await, Some(Reading::Value(114.0)));

    // A later document of the former commune alone.
    put(successor.folder().root(), "groupes.csv", &rows([42, 20, 53]));
    put(successor.folder().root(), "node.toml", then.as_bytes());
    let successor = reopen(&house, successor).await;
    send(&successor).await;
    put(successor.folder().root(), "node.toml", [own, then].concat().as_bytes());
    let successor = reopen(&house, successor).await;
    let after = preview(&successor).await;
    for slice in after.slices.iter().filter(|slice| slice.slice.territory == word("93059")) {
        assert_eq!(slice.moves.moved(), 0, "{}: {:?}", slice.slice, slice.moves);
    }

    // After the merger the former commune has no figures of its own, whoever sends them.
    let document = last_document(&successor, "93059").await;
    let key = signing_key(successor.folder());
    let mut misdated = Forgery::of(&document, [1; 16]);
    misdated.0.slices.iter_mut().for_each(|slice| slice.period = "2025".to_owned());
    let (bytes, signature) = misdated.sign(&key);
    let refusal = house.client(&successor).await.submit(&bytes, &signature).await.expect_err("misdated");
    assert_eq!(refusal.reason(), "PERIOD_NOT_POSSIBLE");

    // A neighbour who is no successor has no right to either, and the ledger is not theirs to read.
    let neighbour = commune(&house, COMMUNE).await;
    let client = house.client(&neighbour).await;
    assert_eq!(client.list(word("93059"), 0).await.expect_err("not theirs").reason(), "TERRITORY_NOT_YOURS");
    let mut foreign = Forgery::of(&document, [2; 16]);
    foreign.0.provider = COMMUNE.to_owned();
    let (bytes, signature) = foreign.sign(&signing_key(neighbour.folder()));
    let refusal = client.submit(&bytes, &signature).await.expect_err("not theirs");
    assert_eq!(refusal.reason(), "TERRITORY_NOT_YOURS");
    assert_eq!(of_former(&house).await, Some(Reading::Value(115.0)));
    assert_eq!(house.reading("groupes_n", "2025", "", COMMUNE).await, Some(Reading::Silence(Silence::NotReceived)));
    house.close().await;
}

async fn reopen(house: &House, node: Node) -> Node {
    let folder = node.folder().clone();
    node.close().await;
    house.node(&folder).await
}

async fn last_document(node: &Node, territory: &str) -> Vec<u8> {
    let ledger = node.store().ledger(word(territory)).await.expect("the ledger");
    ledger.into_iter().rev().find_map(|record| record.document).expect("a document")
}
