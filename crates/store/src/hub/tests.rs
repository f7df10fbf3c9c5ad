//! The hub's schema on both databases.

mod accepting;
mod copying;
mod joining;
mod journal;
mod opening;
mod public;
mod refusing;
mod sharing;

use std::sync::Arc;
use std::time::Duration;

use model::{CommuneCode, Hash, Slice, SubmissionId, Timestamp};

use super::*;
use crate::suite::on_both;
use crate::{DocumentKind, SealedReceipt};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

fn hash(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

fn id(byte: u8) -> SubmissionId {
    SubmissionId::from_bytes([byte; 16])
}

fn slice(territory: &str, period: &str) -> Slice {
    Slice {
        territory: commune(territory),
        pack: "ccas-activite".parse().expect("a pack code"),
        table: "domiciliation".parse().expect("a table code"),
        period: period.parse().expect("a period"),
    }
}

fn new_node(byte: u8, provider: &str) -> NewNode {
    NewNode {
        provider: commune(provider),
        key_fingerprint: hash(byte),
        signing_key: vec![byte; 32],
        certificate_serial: format!("{byte:02x}"),
        certificate_not_after: at(10_000),
    }
}

fn invitation(byte: u8, provider: &str) -> NewInvitation {
    NewInvitation {
        token_hash: hash(byte),
        provider: commune(provider),
        territories: vec![],
        created_at: at(i64::from(byte)),
        expires_at: at(1_000),
    }
}

/// A hub where the node of 93066 (TLS key 1) lives.
async fn with_node(location: &crate::Location) -> HubStore {
    let store = HubStore::open(location).await.expect("opens");
    store.create_invitation(&invitation(1, "93066")).await.expect("invites");
    let spent = store.spend_invitation(hash(1), &new_node(1, "93066"), at(2)).await.expect("spends");
    assert_eq!(spent, Spent::Enrolled);
    store
}

fn acceptance(byte: u8, document: &[u8], head: u64) -> Acceptance<'_> {
    Acceptance {
        submission: id(byte),
        provider: commune("93066"),
        node: hash(1),
        kind: DocumentKind::Submission,
        document,
        document_hash: hash(document[0]),
        signature: &[7; 64],
        signing_key: &[1; 32],
        heads: vec![(commune("93066"), head)],
        slices: vec![SliceChange { slice: slice("93066", "2025"), state: SliceState::Present }],
        shared: vec![],
        accepted_at: at(100),
    }
}

/// A receipt that says its place, so that tests see which place it was made for.
fn seal(place: &Place) -> (SealedReceipt, Hash) {
    let number = u8::try_from(place.number).expect("a small number");
    (SealedReceipt { document: vec![number], signature: vec![8; 64], key: hash(50) }, hash(100 + number))
}
