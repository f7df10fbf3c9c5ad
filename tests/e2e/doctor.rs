//! What the doctor finds, one fault at a time, with a real hub; and that its report may be mailed.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use model::{Clock, SystemClock};
use node::doctor::{Diagnosis, State, examine};
use node::{Node, NodeFolder};
use testkit::{ManualClock, SeededEntropy};

use crate::house::{House, approve, preview, put, send, word};
use crate::proxy::{Manner, Proxy, firewall, through};
use crate::small_pack::{LARGE, pack, rows, settings};

const COMMUNE: &str = "93008";
const DAY: Duration = Duration::from_hours(24);

/// A house that lives now: the date that a hub answers with is the machine's.
async fn house() -> House {
    House::open_at(vec![pack()], Arc::new(ManualClock::at(SystemClock.now()))).await
}

async fn commune(house: &House) -> Node {
    let rows = rows(LARGE);
    house.commune(COMMUNE, &settings("2025"), &[("groupes.csv", &rows), ("lieux.csv", &rows)]).await
}

async fn look(house: &House, folder: &NodeFolder) -> Diagnosis {
    examine(folder, house.node_world()).await
}

/// The steps that are bad, with their reasons; each has a cure.
fn bad(diagnosis: &Diagnosis) -> Vec<(&str, &str)> {
    let bad: Vec<_> = diagnosis.checks.iter().filter(|check| check.state == State::Bad).collect();
    for check in &bad {
        assert!(check.cure.ends_with('.'), "{}: {:?}", check.code, check.cure);
    }
    assert_eq!(bad.len(), diagnosis.faults());
    bad.into_iter().map(|check| (check.code, check.reason.as_str())).collect()
}

fn state(diagnosis: &Diagnosis, code: &str) -> State {
    diagnosis.check(code).unwrap_or_else(|| panic!("{code} is not looked at")).state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_node_has_nothing_to_mend_and_nothing_to_hide() {
    let house = house().await;
    let node = commune(&house).await;
    send(&node).await;
    put(node.folder().root(), "groupes.csv", &rows([7_654_321 % 97, 31, 53]));
    let preview = preview(&node).await;
    approve(&node, &preview).await;
    let well = look(&house, node.folder()).await;
    assert_eq!(bad(&well), []);
    let codes: Vec<&str> = well.checks.iter().map(|check| check.code).collect();
    assert_eq!(
        codes,
        [
            "settings",
            "folder",
            "disk",
            "certificate",
            "database",
            "membership",
            "authority",
            "packs",
            "source",
            "source",
            "proxy",
            "name",
            "reach",
            "server",
            "clock",
            "serves",
            "admitted",
            "ledger",
            "versions",
            "outbox"
        ]
    );
    assert!(well.checks.iter().all(|check| check.state == State::Good), "{:#?}", well.checks);
    let shown = well.lines().join("\n");
    assert!(shown.contains("✓ Horloge"), "{shown}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_certificate_is_told_from_the_others() {
    let mut house = house().await;
    let elsewhere = self::house().await;
    let node = commune(&house).await;

    // Expired: the hub refuses it in the handshake, and says so in an alert.
    house.clock.advance(DAY * 31);
    let expired = look(&house, node.folder()).await;
    let found = bad(&expired);
    assert!(found.contains(&("certificate", "CERTIFICATE_EXPIRED")), "{found:?}");
    assert!(found.contains(&("admitted", "CERTIFICATE_EXPIRED")), "{found:?}");
    assert_eq!(state(&expired, "server"), State::Good, "the way itself is open");
    assert_eq!(state(&expired, "ledger"), State::Skipped);

    // Not valid yet, for a hub whose clock is behind; here it is in date.
    let right = SystemClock.now();
    house.stop().await;
    house.clock.set(right);
    house.start().await;
    let ahead = Arc::new(ManualClock::at(right));
    let later = house.furnish("plus-tard", &settings("2025"), &[]);
    house.clock.advance(DAY * 3);
    house.join(&later, "93001").await;
    house.stop().await;
    house.clock.set(right);
    house.start().await;
    ahead.advance(DAY * 3);
    let world = node::World { clock: ahead, entropy: Arc::new(SeededEntropy::new(41)) };
    let early = examine(&later, world).await;
    let found = bad(&early);
    assert!(found.contains(&("admitted", "CERTIFICATE_EXPIRED")), "{found:?}");
    assert!(found.contains(&("clock", "CLOCK_WRONG")), "{found:?}");
    let cure = &early.check("admitted").expect("there").cure;
    assert!(cure.contains("horloges"), "{cure}");
    assert_eq!(state(&early, "certificate"), State::Good);
    // And seen from a node whose own clock is behind.
    let behind = examine(&later, house.node_world()).await;
    let found = bad(&behind);
    assert!(found.contains(&("certificate", "CERTIFICATE_NOT_YET_VALID")), "{found:?}");

    // Of another hub: somebody copied the keys of another folder.
    let stranger = commune(&elsewhere).await;
    let node = house.furnish("copie", &settings("2025"), &[]);
    house.join(&node, "93005").await;
    for path in [NodeFolder::tls_key, NodeFolder::chain] {
        std::fs::copy(path(stranger.folder()), path(&node)).expect("copies");
    }
    let foreign = look(&house, &node).await;
    let found = bad(&foreign);
    assert!(found.contains(&("authority", "CERTIFICATE_FOREIGN")), "{found:?}");
    assert!(found.contains(&("admitted", "CERTIFICATE_REFUSED")), "{found:?}");
    assert!(foreign.check("admitted").expect("there").detail.contains("d’un autre centre"));
    elsewhere.close().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_thinks_of_the_node_is_told() {
    let mut house = house().await;
    let node = commune(&house).await;
    send(&node).await;

    // A document was received whose answer never came: the ledger here is behind.
    put(node.folder().root(), "groupes.csv", &rows([61, 31, 53]));
    let waiting = preview(&node).await;
    approve(&node, &waiting).await;
    let item = node.store().outbox().await.expect("the outbox").pop().expect("one").outgoing;
    let signature = seal::Signature::from_slice(&item.signature).expect("a signature");
    house.client(&node).await.submit(&item.document, &signature).await.expect("received");
    assert_eq!(bad(&look(&house, node.folder()).await), [("ledger", "LEDGER_BEHIND")]);

    assert!(house.hub().revoke_node(word(COMMUNE)).await.expect("revokes"));
    let revoked = look(&house, node.folder()).await;
    assert_eq!(bad(&revoked), [("admitted", "NODE_REVOKED")]);

    house.stop().await;
    let stopped = look(&house, node.folder()).await;
    assert_eq!(bad(&stopped), [("reach", "HUB_UNREACHABLE")]);
    assert_eq!(state(&stopped, "name"), State::Good);
    assert_eq!(state(&stopped, "clock"), State::Skipped);

    // Approved two days ago, and still here.
    let clock = Arc::new(ManualClock::at(house.clock.now().plus(DAY * 2)));
    let world = node::World { clock, entropy: Arc::new(SeededEntropy::new(42)) };
    let stuck = examine(node.folder(), world).await;
    assert_eq!(bad(&stuck), [("reach", "HUB_UNREACHABLE"), ("outbox", "OUTBOX_STUCK")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_does_is_told() {
    let house = house().await;
    let proxy = Proxy::open(Manner::Passes).await;
    let rows = rows(LARGE);
    let files: [(&str, &[u8]); 2] = [("groupes.csv", &rows), ("lieux.csv", &rows)];
    let node = house.commune(COMMUNE, &through(proxy.port, ""), &files).await;
    let open = look(&house, node.folder()).await;
    assert_eq!(bad(&open), []);
    assert!(open.check("proxy").expect("there").detail.contains(&proxy.port.to_string()));
    for (manner, code, reason) in [
        (Manner::Asks("a:b"), "proxy", "PROXY_PASSWORD"),
        (Manner::Says(StatusCode::FORBIDDEN), "proxy", "PROXY_FORBIDS"),
        (Manner::Inspects(firewall()), "server", "TLS_INTERCEPTED"),
    ] {
        proxy.becomes(manner);
        let found = look(&house, node.folder()).await;
        assert_eq!(bad(&found), [(code, reason)]);
        assert_eq!(state(&found, "admitted"), State::Skipped);
    }
    put(node.folder().root(), "node.toml", b"[hub]\naddress = \"hub.maillage.invalid:7443\"\n");
    let found = look(&house, node.folder()).await;
    assert_eq!(bad(&found), [("source", "NO_SOURCE"), ("name", "HUB_NAME_UNKNOWN")]);
    house.close().await;
}

/// Files whose every cell, name of column and number of lines would be a leak; a password; an approver's name.
#[tokio::test(flavor = "multi_thread")]
async fn the_report_holds_nothing_confidential() {
    let house = house().await;
    let node = commune(&house).await;
    let waiting = preview(&node).await;
    approve(&node, &waiting).await;
    let secret = "http://canari:s3rin7654321@127.0.0.1:1";
    put(node.folder().root(), "node.toml", format!("[network]\nproxy = \"{secret}\"\n{}", settings("2025")).as_bytes());
    // No header: the first line is somebody's data. And a fault far down.
    put(node.folder().root(), "groupes.csv", "Ségolène7654321;1944-canari\n".repeat(3).as_bytes());
    let mut text = "id;groupe\n".to_owned();
    text.extend((0..4321).map(|n| format!("c{n};A\n")));
    put(node.folder().root(), "lieux.csv", (text + "x7654321;Secret7654321\n").as_bytes());
    let found = look(&house, node.folder()).await;
    assert_eq!(bad(&found), [("source", "Header"), ("source", "UnknownCode"), ("proxy", "PROXY_UNREACHABLE")]);
    let shown = found.lines().join("\n") + &found.to_json();
    for canary in ["7654321", "canari", "s3rin", "Ségolène", "1944", "4321", "4322", "4323", "Awa Diallo", "LARGE"] {
        assert!(!shown.contains(canary), "{canary} in\n{shown}");
    }
    // As a number of its own: free space on the disk has any digits.
    assert!(!shown.split(|c: char| !c.is_alphanumeric()).any(|word| word == "113"), "113 in\n{shown}");
    house.close().await;
}
