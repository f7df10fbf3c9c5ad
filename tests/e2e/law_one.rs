//! Nothing unprotected leaves a commune, given everything that already left: with A=40, B=7, C=53 and total 100, a
//! document that hides {A,B} and one that hides {B,C} are each safe, and together give B away.

use std::collections::BTreeSet;
use std::fs;

use model::Figure;
use node::preview::{Preview, PreviewError, Purpose};
use node::{Node, sync};
use statistics::Reading;
use store::node::NodeStore;
use wire::client::ClientError;
use wire::pb::submission::v1 as pb;
use wire::status::Refused;

use crate::house::{House, on_both, preview, put, send, signing_key, word};
use crate::small_pack::{CODES, Forgery, LAW_ONE, pack, rows, settings};

const COMMUNE: &str = "93008";

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![("groupes.csv", rows(LAW_ONE)), ("lieux.csv", rows([40, 20, 53]))]
}

async fn commune(house: &House, code: &str) -> Node {
    let files = files();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
    house.commune(code, &settings("2025"), &files).await
}

/// The codes that the preview hides in `groupes`; the total is the empty text.
fn hidden(preview: &Preview) -> BTreeSet<String> {
    let table = preview.tables.iter().find(|table| table.slice().table == word("groupes")).expect("the table");
    table
        .cells()
        .iter()
        .filter(|(_, cell)| cell.figure == Figure::Suppressed)
        .map(|((_, key), _)| key.get(&word("groupe")).map_or(String::new(), ToString::to_string))
        .collect()
}

/// The other half of the example: B again, with the neighbour that `first` shows.
fn other_half(document: &[u8], first: &BTreeSet<String>, id: u8) -> Forgery {
    let mut forged = Forgery::of(document, [id; 16]);
    for (code, count) in CODES.iter().zip(LAW_ONE) {
        if *code == "B" {
            continue;
        }
        forged = if first.contains(*code) {
            forged.show("groupes", code, i64::from(count))
        } else {
            forged.hide("groupes", code)
        };
    }
    forged
}

async fn last_document(node: &Node) -> Vec<u8> {
    let ledger = node.store().ledger(node.provider()).await.expect("the ledger");
    ledger.into_iter().rev().find_map(|record| record.document).expect("a document")
}

fn refused(answer: Result<wire::client::Accepted, ClientError>) -> Refused {
    match answer {
        Err(ClientError::Refused(refused)) => *refused,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_folder_is_held_to_what_it_sent_before() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let (first, receipt) = send(&node).await;
        let pattern = hidden(&first);
        assert_eq!(pattern.len(), 2, "B and one neighbour: {pattern:?}");
        assert!(pattern.contains("B") && !pattern.contains(""));
        let shown = house.compare("groupes_n", "2025", "groupe=B").await.expect("a comparison");

        // The folder is gone: keys, database, ledger. The agent starts again from the files of the commune.
        let old = house.client(&node).await;
        let folder = node.folder().clone();
        node.close().await;
        fs::remove_dir_all(folder.root()).expect("the folder goes");
        put(folder.root(), "node.toml", settings("2025").as_bytes());
        for (path, bytes) in files() {
            put(folder.root(), path, &bytes);
        }
        let joined = house.join(&folder, COMMUNE).await;
        assert_eq!(joined.ledgers, [(word(COMMUNE), 1)], "the past came back, verified");
        let ended = old.list(word(COMMUNE), 0).await.expect_err("the old keys are revoked");
        assert_eq!(ended.reason(), "NODE_REVOKED");

        // The honest node keeps the pattern: there is nothing to send.
        let node = house.node(&folder).await;
        let again = preview(&node).await;
        assert_eq!((again.hash, again.moved), (None, 0));
        assert_eq!(hidden(&again), pattern);

        // A node that forgets on purpose is refused, whether it submits or only asks.
        let document = last_document(&node).await;
        let client = house.client(&node).await;
        let key = signing_key(&folder);
        let mut forged = other_half(&document, &pattern, 1);
        let (bytes, signature) = forged.sign(&key);
        let submit = refused(client.submit(&bytes, &signature).await);
        forged.0.purpose = pb::Purpose::Check.into();
        let (bytes, signature) = forged.sign(&key);
        let check = refused(client.check(&bytes, &signature).await);
        for refusal in [submit, check] {
            assert_eq!(refusal.reason, "DISCLOSURE_CONFLICT");
            assert!(!refusal.conflicts.is_empty());
            for conflict in &refusal.conflicts {
                assert!(conflict.code.ends_with("_WITH_EARLIER"), "{conflict:?}");
                assert!(conflict.row.starts_with("93008/essai/groupes/2025 groupes_n"), "{conflict:?}");
                assert!(!conflict.cause.is_empty() && !conflict.cure.is_empty());
            }
            assert!(refusal.conflicts.iter().any(|conflict| conflict.row.ends_with("groupe=B")), "{refusal:?}");
        }

        // Nothing came of it.
        let page = client.list(word(COMMUNE), 0).await.expect("the ledger");
        assert_eq!((page.head_sequence, page.entries.len()), (1, 1));
        assert_eq!(page.entries[0].submission, receipt.submission);
        assert_eq!(house.compare("groupes_n", "2025", "groupe=B").await.expect("a comparison"), shown);
        let Reading::Interval { low, high } = shown.communes[0].value.reading else { panic!("an interval") };
        assert!(low <= 7.0 && high.is_some_and(|high| high >= low + 10.0), "{low}–{high:?}");
        house.close().await;
    })
    .await;
}

/// The control: the refused pattern is refused for the past alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_half_alone_is_taken_and_then_binds_the_honest_node() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let first = preview(&node).await;
        let document = node.store().latest_preview().await.expect("the store").expect("a preview").document;
        let other = other_half(&document, &hidden(&first), 2);
        let (bytes, signature) = other.sign(&signing_key(node.folder()));
        house.client(&node).await.submit(&bytes, &signature).await.expect("safe alone");

        // Sent behind the node's back: it learns of it, and would not have chosen this pattern, but keeps it.
        assert!(sync::sync(&node).await.expect("the hub answers").fetched);
        // What was previewed before can no longer be approved.
        let agreement = node::approve::Agreement::Person("Awa Diallo".to_owned());
        let outdated = node::approve::approve(&node, &agreement, first.hash).await.expect_err("it gives B away");
        assert_eq!(outdated.reason, "PREVIEW_OUTDATED");
        let again = preview(&node).await;
        assert_eq!(again.hash, None);
        assert_ne!(hidden(&again), hidden(&first));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_discloses_and_binds_like_a_submission() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let asked = node::preview::preview(&node, Purpose::Check).await.expect("a preview");
        crate::house::approve(&node, &asked).await;
        crate::house::push(&node).await;
        let document = last_document(&node).await;
        let mut forged = other_half(&document, &hidden(&asked), 3);
        forged.0.purpose = pb::Purpose::Submit.into();
        let (bytes, signature) = forged.sign(&signing_key(node.folder()));
        let refusal = refused(house.client(&node).await.submit(&bytes, &signature).await);
        assert_eq!(refusal.reason, "DISCLOSURE_CONFLICT");
        assert!(refusal.conflicts.iter().all(|conflict| conflict.code.ends_with("_WITH_EARLIER")), "{refusal:?}");
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_know_its_past_protects_nothing() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let (first, _) = send(&node).await;
        let (folder, identity) = (node.folder().clone(), node.identity().clone());
        node.close().await;
        house.stop().await;

        // The database was damaged and made anew: the node still has its keys, but remembers nothing.
        for name in ["node.sqlite", "node.sqlite-wal", "node.sqlite-shm"] {
            drop(fs::remove_file(folder.root().join(name)));
        }
        let store = NodeStore::open(&store::Location::Sqlite(folder.database())).await.expect("a new database");
        store.set_identity(&identity).await.expect("an identity");
        store.close().await;

        let node = house.node(&folder).await;
        assert_eq!(sync::sync(&node).await.expect_err("the hub is down").kind, model::FailureKind::Unavailable);
        for purpose in [Purpose::Submit, Purpose::Check] {
            match node::preview::preview(&node, purpose).await {
                Err(PreviewError::Failed(failure)) => assert_eq!(failure.reason, "LEDGER_INCOMPLETE"),
                other => panic!("protected without knowing the past: {other:?}"),
            }
        }
        assert!(node.store().latest_preview().await.expect("the store").is_none(), "nothing waits to be approved");

        house.start().await;
        assert!(sync::sync(&node).await.expect("the hub is back").fetched);
        let again = preview(&node).await;
        assert_eq!((again.hash, hidden(&again)), (None, hidden(&first)));
        house.close().await;
    })
    .await;
}
