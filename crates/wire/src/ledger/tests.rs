use std::collections::BTreeMap;

use model::Timestamp;
use seal::SigningKey;

use super::*;
use crate::document::{Link, Outcome, ReceiptKind};

struct Past {
    hub: SigningKey,
    node: SigningKey,
    entries: Vec<(LedgerEntry, Vec<u8>)>,
}

fn territory() -> CommuneCode {
    "93066".parse().expect("a commune")
}

fn past(length: u64) -> Past {
    let (hub, node) = (SigningKey::generate(), SigningKey::generate());
    let mut entries: Vec<(LedgerEntry, Vec<u8>)> = Vec::new();
    for sequence in 1..=length {
        let document = format!("document {sequence}").into_bytes();
        let receipt = Receipt {
            submission: SubmissionId::from_bytes([u8::try_from(sequence).expect("small"); 16]),
            document_hash: sha256(&document),
            provider: territory(),
            provider_key: node.public().id(),
            kind: ReceiptKind::Submission,
            accepted_at: Timestamp::from_micros(0),
            number: sequence * 10,
            links: BTreeMap::from([(
                territory(),
                Link { sequence, previous: entries.last().map(|(entry, _)| entry.receipt.hash()) },
            )]),
            outcome: Outcome::default(),
            destroyed: std::collections::BTreeSet::new(),
        };
        let entry = LedgerEntry {
            submission: receipt.submission,
            receipt: SignedReceipt::sign(&receipt, &hub).expect("signed"),
            signature: node.sign(&document),
            signing_key: node.public(),
            length: document.len() as u64,
        };
        entries.push((entry, document));
    }
    Past { hub, node, entries }
}

fn page(past: &Past) -> LedgerPage {
    LedgerPage {
        entries: past.entries.iter().map(|(entry, _)| entry.clone()).collect(),
        head_sequence: past.entries.len() as u64,
        head_receipt: past.entries.last().map(|(entry, _)| entry.receipt.hash()),
    }
}

fn follow(entries: &[LedgerEntry], past: &Past) -> Result<Chain, LedgerError> {
    let mut chain = Chain::new(territory());
    for entry in entries {
        chain.follow(entry, &[past.hub.public()])?;
    }
    Ok(chain)
}

#[test]
fn pages_and_entries_read_back_as_sent() {
    let page = page(&past(3));
    assert_eq!(LedgerPage::try_from(pb::ListResponse::from(&page)), Ok(page));
    let empty = LedgerPage { entries: vec![], head_sequence: 0, head_receipt: None };
    assert_eq!(LedgerPage::try_from(pb::ListResponse::from(&empty)), Ok(empty));
    let headless = pb::ListResponse { entries: vec![], head_sequence: 3, head_receipt: vec![] };
    assert_eq!(LedgerPage::try_from(headless), Err(LedgerError::Malformed));
}

#[test]
fn a_whole_ledger_holds_and_a_cut_one_is_noticed() {
    let past = past(4);
    let page = page(&past);
    assert!(follow(&page.entries, &past).expect("holds").is_whole(&page));
    // The newest left out: every link holds, but this is not where the ledger ends.
    assert!(!follow(&page.entries[..3], &past).expect("holds").is_whole(&page));
    assert!(!follow(&[], &past).expect("holds").is_whole(&page));
}

#[test]
fn left_out_turned_round_repeated_or_foreign_entries_break_the_chain() {
    let past = past(4);
    let entries = page(&past).entries;
    let broken = |after| LedgerError::Broken { territory: territory(), after };
    let pick = |order: &[usize]| order.iter().map(|i| entries[*i].clone()).collect::<Vec<_>>();
    for (order, after) in [(vec![1], 0), (vec![0, 2], 1), (vec![0, 1, 1], 2), (vec![0, 1, 3, 2], 2)] {
        assert_eq!(follow(&pick(&order), &past).err(), Some(broken(after)), "{order:?}");
    }
    // The same sequence number from another past: the hash of the one before does not fit.
    let other = self::past(4);
    let mut mixed = pick(&[0]);
    mixed.push(other.entries[1].0.clone());
    let keys = [past.hub.public(), other.hub.public()];
    let mut chain = Chain::new(territory());
    chain.follow(&mixed[0], &keys).expect("the first");
    assert_eq!(chain.follow(&mixed[1], &keys), Err(broken(1)));

    let resumed = Chain::resume(territory(), 2, entries[1].receipt.hash());
    assert!(resumed.clone().follow(&entries[2], &keys).is_ok());
    assert_eq!(resumed.clone().follow(&entries[3], &keys), Err(broken(2)));
    let elsewhere = Chain::new("93001".parse().expect("a commune"));
    assert!(elsewhere.clone().follow(&entries[0], &keys).is_err());
}

#[test]
fn an_entry_proves_its_document_and_no_other() {
    let past = past(2);
    let keys = [past.hub.public()];
    let (entry, document) = &past.entries[0];
    assert!(entry.prove(document, &keys).is_ok());
    let mismatch = Err(LedgerError::Mismatch(entry.submission));
    assert_eq!(entry.prove(&past.entries[1].1, &keys), mismatch);
    assert_eq!(entry.prove(b"", &keys), mismatch);
    let other_id = LedgerEntry { submission: SubmissionId::from_bytes([99; 16]), ..entry.clone() };
    assert!(other_id.prove(document, &keys).is_err());
    // The hub vouches for a document that the commune never signed.
    let unsigned = LedgerEntry { signature: past.node.sign(b"another document"), ..entry.clone() };
    assert_eq!(unsigned.prove(document, &keys), mismatch);
    let resigned = SigningKey::generate();
    let other_key = LedgerEntry { signature: resigned.sign(document), signing_key: resigned.public(), ..entry.clone() };
    assert_eq!(other_key.prove(document, &keys), mismatch);
    assert_eq!(entry.prove(document, &[past.node.public()]), Err(DocumentError::UnknownKey.into()));
}
