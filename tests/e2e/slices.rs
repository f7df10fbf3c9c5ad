//! A slice is the whole truth: replaced whole or not at all, answered once, taken back, destroyed, and provable after.

use std::collections::BTreeSet;
use std::fs;

use model::{FailureKind, Slice, SubmissionId};
use node::preview::{Move, Purpose};
use node::push::Verdict;
use node::{Node, sync};
use statistics::{Reading, Silence};
use store::DocumentKind;
use wire::client::{Accepted, ClientError};
use wire::document::{Outcome, ReceiptKind};
use wire::status::Refused;

use crate::house::{House, approve, on_both, preview, push, put, send, signing_key, word};
use crate::small_pack::{CELLS, Forgery, LARGE, pack, rows, settings};

const COMMUNE: &str = "93008";

async fn commune(house: &House, code: &str) -> Node {
    let rows = rows(LARGE);
    house.commune(code, &settings("2025"), &[("groupes.csv", &rows), ("lieux.csv", &rows)]).await
}

fn slice(table: &str) -> Slice {
    slice_of(COMMUNE, table, "2025")
}

fn slice_of(territory: &str, table: &str, period: &str) -> Slice {
    Slice { territory: word(territory), pack: word("essai"), table: word(table), period: word(period) }
}

fn outcome(new: u32, changed: u32, unchanged: u32, withdrawn: u32) -> Outcome {
    Outcome { new, changed, unchanged, withdrawn }
}

fn refused(answer: Result<Accepted, ClientError>) -> Refused {
    match answer {
        Err(ClientError::Refused(refused)) => *refused,
        other => panic!("not refused: {other:?}"),
    }
}

async fn total(house: &House, table: &str) -> Option<Reading> {
    house.reading(&format!("{table}_n"), "2025", "", COMMUNE).await
}

/// The newest document of the commune, as it was signed.
async fn last_document(node: &Node) -> Vec<u8> {
    let ledger = node.store().ledger(node.provider()).await.expect("the ledger");
    ledger.into_iter().rev().find_map(|record| record.document).expect("a document")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_replaces_the_slices_it_names_and_no_other() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let (_, receipt) = send(&node).await;
        assert_eq!((receipt.kind, receipt.outcome), (ReceiptKind::Submission, outcome(2 * CELLS, 0, 0, 0)));
        assert_eq!(receipt.number, 1);

        // One more in A of one table: A and the total change, and the other table does not leave at all.
        put(node.folder().root(), "lieux.csv", &rows([41, 20, 53]));
        let moved = preview(&node).await;
        assert_eq!(moved.moved, 2);
        let changed = moved.slices.iter().flat_map(|slice| &slice.cells).filter(|cell| cell.moves == Move::Changed);
        assert_eq!(changed.count(), 2);
        approve(&node, &moved).await;
        let Verdict::Received { receipt, already: false, .. } = push(&node).await else { panic!("received") };
        assert_eq!(receipt.outcome, outcome(0, 2, CELLS - 2, 0));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Value(114.0)));
        assert_eq!(total(&house, "groupes").await, Some(Reading::Value(113.0)));
        let current = house.hub().store().current_of(word(COMMUNE)).await.expect("pointers");
        let bearer = |table| current.iter().find(|one| one.slice == slice(table)).expect("a slice").submission;
        assert_eq!(bearer("lieux"), receipt.submission);
        assert_ne!(bearer("groupes"), receipt.submission, "a slice that was not named stays with its document");
        assert_eq!(house.hub().store().history(&slice("lieux")).await.expect("history").len(), 2, "history is kept");

        // The commune takes one table back; the other stays.
        let lieux = BTreeSet::from([slice("lieux")]);
        node::withdraw::withdraw(&node, lieux.clone(), "Awa Diallo").await.expect("a withdrawal");
        let Verdict::Received { receipt, .. } = push(&node).await else { panic!("received") };
        assert_eq!((receipt.kind, receipt.outcome), (ReceiptKind::Withdrawal, outcome(0, 0, 0, CELLS)));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Silence(Silence::Withdrawn)));
        assert_eq!(total(&house, "groupes").await, Some(Reading::Value(113.0)));
        let twice = node::withdraw::withdraw(&node, lieux, "Awa Diallo").await.expect_err("it is not there");
        assert_eq!(twice.reason, "SLICE_NOT_SENT");

        // And sends it again: four new cells.
        let (again, receipt) = send(&node).await;
        assert_eq!(again.moved, 4);
        assert_eq!((receipt.number, receipt.outcome), (4, outcome(CELLS, 0, 0, 0)));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Value(114.0)));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_gets_the_same_receipt_and_another_under_its_id_is_refused() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let (_, receipt) = send(&node).await;
        let (document, key) = (last_document(&node).await, signing_key(node.folder()));
        let client = house.client(&node).await;
        let again = client.submit(&document, &key.sign(&document)).await.expect("the same document");
        assert!(again.already_received);
        assert_eq!(again.receipt.verify(&node.hub_keys().expect("keys")).expect("authentic"), receipt);

        let mut other = Forgery::of(&document, *receipt.submission.as_bytes());
        other = other.show("lieux", "A", 41).show("lieux", "", 114);
        let (bytes, signature) = other.sign(&key);
        let refusal = refused(client.submit(&bytes, &signature).await);
        assert_eq!((refusal.kind, refusal.reason.as_str()), (FailureKind::Conflict, "SUBMISSION_ID_REUSED"));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Value(113.0)));

        // Nor may another commune take the id: it learns no more than that.
        let neighbour = commune(&house, "93010").await;
        other.0.provider = "93010".to_owned();
        other.0.slices.iter_mut().for_each(|slice| slice.territory = "93010".to_owned());
        let (bytes, signature) = other.sign(&signing_key(neighbour.folder()));
        let refusal = refused(house.client(&neighbour).await.submit(&bytes, &signature).await);
        assert_eq!(refusal.reason, "SUBMISSION_ID_REUSED");
        assert_eq!(house.hub().store().number().await.expect("the counter"), 1);
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_slice_among_two_changes_nothing() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        send(&node).await;
        let document = last_document(&node).await;
        // `groupes` is a fair correction; the total of `lieux` is not the sum of its parts.
        let forged = Forgery::of(&document, [9; 16]).show("groupes", "A", 41).show("groupes", "", 114);
        let forged = forged.show("lieux", "A", 41);
        let client = house.client(&node).await;
        let (bytes, signature) = forged.sign(&signing_key(node.folder()));
        let refusal = refused(client.submit(&bytes, &signature).await);
        assert_eq!(refusal.reason, "DISCLOSURE_CONFLICT");
        assert!(!refusal.conflicts.is_empty());
        for conflict in &refusal.conflicts {
            assert_eq!(conflict.code, "NOT_ADDITIVE");
            assert!(conflict.row.starts_with("93008/essai/lieux/2025 lieux_n"), "{}", conflict.row);
        }
        for table in ["groupes", "lieux"] {
            assert_eq!(total(&house, table).await, Some(Reading::Value(113.0)), "{table}");
        }
        assert_eq!(client.list(word(COMMUNE), 0).await.expect("the ledger").head_sequence, 1);

        // The control: with the sum put right, the very same document is taken.
        let (bytes, signature) = forged.show("lieux", "", 114).sign(&signing_key(node.folder()));
        client.submit(&bytes, &signature).await.expect("a fair correction of both");
        assert_eq!(total(&house, "groupes").await, Some(Reading::Value(114.0)));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_enters_the_ledger_and_moves_nothing() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let asked = node::preview::preview(&node, Purpose::Check).await.expect("a preview");
        approve(&node, &asked).await;
        let Verdict::Received { receipt, .. } = push(&node).await else { panic!("received") };
        assert_eq!((receipt.kind, receipt.outcome), (ReceiptKind::Check, outcome(2 * CELLS, 0, 0, 0)));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Silence(Silence::NotReceived)));
        assert!(house.hub().store().current_of(word(COMMUNE)).await.expect("pointers").is_empty());
        let ledger = node.store().ledger(word(COMMUNE)).await.expect("the ledger");
        assert_eq!(ledger.iter().map(|record| record.kind).collect::<Vec<_>>(), [DocumentKind::Check]);

        // The submission after it is all new, and follows it in the chain.
        let (_, after) = send(&node).await;
        assert_eq!(after.outcome, outcome(2 * CELLS, 0, 0, 0));
        let link = after.links.get(&word(COMMUNE)).expect("a link");
        assert_eq!((link.sequence, link.previous.is_some()), (2, true));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_destroy_a_document_and_the_chain_still_holds() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let (_, receipt) = send(&node).await;
        put(node.folder().root(), "lieux.csv", &rows([41, 20, 53]));
        send(&node).await;
        let hub = house.hub();
        let unknown = hub.propose_purge(SubmissionId::from_bytes([7; 16]), "Awa Diallo", "fuite").await;
        assert_eq!(unknown.expect_err("no such document").reason, "SUBMISSION_UNKNOWN");
        let proposal =
            hub.propose_purge(receipt.submission, "Awa Diallo", "fichier nominatif").await.expect("a proposal");
        assert_eq!(proposal.document_hash, receipt.document_hash);
        let alone = hub.confirm_purge(proposal.id, "  AWA  diallo ").await.expect_err("one person");
        assert_eq!((alone.kind, alone.reason.as_ref()), (FailureKind::Denied, "PURGE_SAME_PERSON"));
        assert_eq!(total(&house, "groupes").await, Some(Reading::Value(113.0)), "a proposal destroys nothing");

        let sealed = hub.confirm_purge(proposal.id, "Jean Petit").await.expect("two persons");
        let purge = sealed.verify(&node.hub_keys().expect("keys")).expect("authentic");
        assert_eq!((purge.kind, purge.document_hash), (ReceiptKind::Purge, receipt.document_hash));
        assert_eq!(hub.confirm_purge(proposal.id, "Jean Petit").await.expect_err("once").reason, "PURGE_DONE");
        // `groupes` still stood on the destroyed document; `lieux` had been replaced since.
        assert_eq!(total(&house, "groupes").await, Some(Reading::Silence(Silence::Withdrawn)));
        assert_eq!(total(&house, "lieux").await, Some(Reading::Value(114.0)));
        let (entry, bytes) = house.client(&node).await.get(receipt.submission).await.expect("the entry stays");
        assert!(bytes.is_empty() && entry.length == 0);

        // The living node follows, and so does one that starts from nothing.
        assert!(sync::sync(&node).await.expect("the chain verifies").fetched);
        let kinds = [DocumentKind::Submission, DocumentKind::Submission, DocumentKind::Purge];
        let ledger = node.store().ledger(word(COMMUNE)).await.expect("the ledger");
        assert_eq!(ledger.iter().map(|record| record.kind).collect::<Vec<_>>(), kinds);
        assert!(ledger[0].document.is_none(), "destroyed here too");
        let folder = node.folder().clone();
        node.close().await;
        fs::remove_dir_all(folder.root()).expect("the folder goes");
        put(folder.root(), "node.toml", settings("2025").as_bytes());
        put(folder.root(), "groupes.csv", &rows(LARGE));
        put(folder.root(), "lieux.csv", &rows([41, 20, 53]));
        assert_eq!(house.join(&folder, COMMUNE).await.ledgers, [(word(COMMUNE), 3)]);
        let node = house.node(&folder).await;
        let (again, receipt) = send(&node).await;
        assert_eq!((again.moved, receipt.outcome), (4, outcome(CELLS, 0, 0, 0)), "the empty slice is filled again");
        assert_eq!(total(&house, "groupes").await, Some(Reading::Value(113.0)));
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_proves_itself_when_the_hub_is_gone() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let node = commune(&house, COMMUNE).await;
        let preview = preview(&node).await;
        approve(&node, &preview).await;
        let Verdict::Received { receipt, file, .. } = push(&node).await else { panic!("received") };
        let keys = node.hub_keys().expect("keys");
        house.stop().await;
        fs::remove_dir_all(house.hub_folder().root()).expect("the hub goes");

        let bytes = fs::read(&file).expect("the receipt's file");
        let read = node::verify::verify(&bytes, &keys).expect("authentic");
        assert_eq!(read, *receipt);
        assert_eq!(read.document_hash, seal::sha256(&last_document(&node).await), "it is about what was signed");
        let text = node::verify::describe(&read).join("\n");
        assert!(text.contains("Récépissé n° 1") && text.contains("93008") && text.contains("8 nouvelles"), "{text}");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(node::verify::verify(&changed, &keys).is_err(), "byte {index}");
        }
        let stranger = seal::SigningKey::generate().public();
        let foreign = node::verify::verify(&bytes, &[stranger]).expect_err("another hub's keys");
        assert_eq!(foreign.reason, "RECEIPT_NOT_AUTHENTIC");
    })
    .await;
}
