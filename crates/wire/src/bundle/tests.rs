//! Every way in which a file on a stick can be another one than it says.

use std::path::PathBuf;

use model::{Hash, SubmissionId};
use rcgen::PublicKeyData;
use seal::sha256;

use super::*;
use crate::document::{Link, Outcome, Receipt, ReceiptKind, SignedReceipt};
use crate::status::Conflict;
use crate::testing::{Counting, commune};

const AUTHORITY: [u8; 32] = [5; 32];

fn authority() -> Hash {
    Hash::from_bytes(AUTHORITY)
}

/// A key that stays, for golden files. `rcgen` computes the public half, without which PKCS#8 does not read.
fn fixed_key(seed: u8) -> SigningKey {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
    let first = [hex("302e020100300506032b657004220420"), vec![seed; 32]].concat();
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from(first);
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519).expect("a key");
    let public = pair.der_bytes().to_vec();
    let whole = [hex("3053020101300506032b657004220420"), vec![seed; 32], hex("a123032100"), public].concat();
    SigningKey::from_pkcs8(&whole).expect("a key")
}

fn bundle(signing: &SigningKey, content: &[u8]) -> Bundle {
    Bundle {
        id: BundleId([9; 16]),
        provider: commune("93066"),
        written_at: Timestamp::from_micros(1_798_804_800_000_000),
        reply_key: OpeningKey::of(signing).sealing_key(),
        positions: BTreeMap::from([(commune("93059"), 0), (commune("93066"), 7)]),
        items: vec![
            Item { kind: ItemKind::Submit, document: content.to_vec(), signature: signing.sign(content) },
            Item { kind: ItemKind::Withdraw, document: b"later".to_vec(), signature: signing.sign(b"later") },
        ],
    }
}

fn answer(hub: &SigningKey) -> Answer {
    let receipt = Receipt {
        submission: SubmissionId::from_bytes([1; 16]),
        document_hash: sha256(b"document"),
        provider: commune("93066"),
        provider_key: fixed_key(1).public().id(),
        kind: ReceiptKind::Submission,
        accepted_at: Timestamp::from_micros(1),
        number: 1,
        links: [(commune("93066"), Link { sequence: 1, previous: None })].into(),
        outcome: Outcome::default(),
    };
    let refused = ItemVerdict::Refused {
        reason: "RULE_TOO_WEAK".into(),
        message: "Règle trop faible.".into(),
        conflicts: vec![Conflict { code: "C".into(), row: "93066/a".into(), cause: "é".into(), cure: "f".into() }],
        total: 3,
    };
    Answer {
        bundle: BundleId([9; 16]),
        provider: commune("93066"),
        answered_at: Timestamp::from_micros(2),
        items: vec![
            AnsweredItem {
                submission: receipt.submission,
                verdict: ItemVerdict::Received {
                    receipt: SignedReceipt::sign(&receipt, hub).expect("a receipt"),
                    already: true,
                },
            },
            AnsweredItem { submission: SubmissionId::from_bytes([2; 16]), verdict: refused },
        ],
    }
}

#[test]
fn what_a_node_seals_is_what_its_hub_reads_and_nobody_else_does() {
    let (node, hub) = (SigningKey::generate(), SigningKey::generate());
    let opening = OpeningKey::of(&hub);
    let bundle = bundle(&node, b"protected figures");
    let file = bundle.seal(&node, &opening.sealing_key(), authority(), &Counting::new()).expect("seals");
    assert!(!file.windows(9).any(|window| window == b"protected"), "figures travel in the clear");
    assert!(!file.windows(5).any(|window| window == b"93066"), "so does the commune's name");
    let (sender, read) = Bundle::open(&file, &opening, authority()).expect("opens");
    assert_eq!((read, sender.commune(), sender.signing_key()), (bundle, commune("93066"), node.public()));

    let other = OpeningKey::of(&SigningKey::generate());
    assert_eq!(Bundle::open(&file, &other, authority()).expect_err("sealed to another"), BundleError::NotForUs);
    let elsewhere = Hash::from_bytes([6; 32]);
    assert_eq!(Bundle::open(&file, &opening, elsewhere).expect_err("another mesh"), BundleError::OtherHub);
    let keys = [hub.public()];
    let turned = Answer::open(&file, &opening, authority(), &keys).expect_err("turned round");
    assert_eq!(turned, BundleError::WrongDirection);
}

#[test]
fn an_answer_is_the_hubs_and_for_this_node() {
    let (node, hub) = (SigningKey::generate(), SigningKey::generate());
    let opening = OpeningKey::of(&node);
    let answer = answer(&hub);
    let seal = |by: &SigningKey| answer.seal(by, &opening.sealing_key(), authority(), &Counting::new()).expect("seals");
    let keys = [SigningKey::generate().public(), hub.public()];
    assert_eq!(Answer::open(&seal(&hub), &opening, authority(), &keys), Ok(answer.clone()));
    // Whoever knows the node's reply key may seal to it: only the hub's signature makes it an answer.
    let forged = Answer::open(&seal(&SigningKey::generate()), &opening, authority(), &keys);
    assert_eq!(forged, Err(BundleError::Signature));
}

#[test]
fn every_changed_byte_and_every_cut_is_refused() {
    let (node, hub) = (SigningKey::generate(), OpeningKey::of(&SigningKey::generate()));
    let file = bundle(&node, b"x").seal(&node, &hub.sealing_key(), authority(), &Counting::new()).expect("seals");
    let head = b"maillage-bundle\n".len() + 2 + 72;
    // The sealed part fails as one: a byte in five of it is enough, all of the head are needed.
    for index in (0..head).chain((head..file.len()).step_by(5)) {
        let mut changed = file.clone();
        changed[index] ^= 1;
        assert!(Bundle::open(&changed, &hub, authority()).is_err(), "byte {index}");
        assert!(Bundle::open(&file[..index], &hub, authority()).is_err(), "cut at {index}");
    }
    let longer = [file.as_slice(), b"\0"].concat();
    assert_eq!(Bundle::open(&longer, &hub, authority()).expect_err("longer"), BundleError::Damaged);
    assert_eq!(Bundle::open(b"PK\x03\x04", &hub, authority()).expect_err("a zip"), BundleError::NotABundle);
    let large = vec![0; MAX_BUNDLE + 1];
    assert_eq!(Bundle::open(&large, &hub, authority()).expect_err("large"), BundleError::TooLarge);
}

#[test]
fn an_envelope_of_a_later_version_is_told_as_such() {
    let header = pb::EnvelopeHeader { format: 2, contents: 1, authority: vec![0; 32], recipient: vec![0; 32] };
    // With a field that this version does not know.
    let header = [header.encode_to_vec(), vec![0x28, 1]].concat();
    let length = u16::try_from(header.len()).expect("short").to_be_bytes();
    let file = [b"maillage-bundle\n".as_slice(), &length, &header, &[0; 64]].concat();
    let hub = OpeningKey::of(&SigningKey::generate());
    assert_eq!(Bundle::open(&file, &hub, authority()).expect_err("later"), BundleError::UnknownFormat(2));
}

#[test]
fn the_addressee_cannot_seal_it_again_to_somebody_else() {
    // A hub that opened a bundle passes it on, under the node's signature, to another hub of the same authority's name.
    let (node, hub, other) = (SigningKey::generate(), SigningKey::generate(), SigningKey::generate());
    let bundle = bundle(&node, b"x");
    let file = bundle.seal(&node, &OpeningKey::of(&hub).sealing_key(), authority(), &Counting::new()).expect("seals");
    let head = b"maillage-bundle\n".len() + 2 + 72;
    let content = OpeningKey::of(&hub).open(b"maillage-bundle-v1", &file[..head], &file[head..]).expect("its own");
    let reader = OpeningKey::of(&other).sealing_key();
    let mut resealed = file[..head].to_vec();
    let recipient = head - 32..head;
    resealed[recipient].copy_from_slice(reader.id().as_bytes());
    let sealed = reader.seal(b"maillage-bundle-v1", &resealed, &content, &Counting::new()).expect("seals");
    resealed.extend(sealed);
    let passed_on = Bundle::open(&resealed, &OpeningKey::of(&other), authority());
    assert_eq!(passed_on.expect_err("not signed for this reader"), BundleError::Signature);
}

#[test]
fn a_bundle_that_would_fill_the_memory_is_refused() {
    let (node, hub) = (SigningKey::generate(), OpeningKey::of(&SigningKey::generate()));
    let whole = bundle(&node, b"x");
    let document = pb::BundleDocument {
        format: FORMAT,
        items: vec![pb::BundleItem::default(); 4 << 20],
        ..pb::BundleDocument::default()
    }
    .encode_to_vec();
    let file =
        envelope::seal(pb::Contents::Bundle, authority(), &hub.sealing_key(), &node, &document, &Counting::new())
            .expect("seals");
    let refused = Bundle::open(&file, &hub, authority()).expect_err("four million empty items");
    assert_eq!(refused, BundleError::Document(DocumentError::TooLarge));
    let empty = Bundle { items: Vec::new(), ..whole };
    assert!(empty.seal(&node, &hub.sealing_key(), authority(), &Counting::new()).is_err());
}

#[test]
fn a_sealing_key_needs_the_word_of_the_hub() {
    let (hub, other) = (SigningKey::generate(), SigningKey::generate());
    let signed = SignedSealingKey::of(&hub);
    assert_eq!(signed.verify(&[other.public(), hub.public()]), Ok(OpeningKey::of(&hub).sealing_key()));
    assert_eq!(signed.verify(&[other.public()]), Err(DocumentError::UnknownKey));
    let forged = SignedSealingKey { key: OpeningKey::of(&other).sealing_key(), ..signed };
    assert_eq!(forged.verify(&[hub.public()]), Err(DocumentError::Signature));
    assert_eq!(SignedSealingKey::from_bytes(&signed.to_bytes()), Ok(signed));
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// Envelopes written by the first version open for ever. Made once with `GOLDEN=write`; never changed.
#[test]
fn golden_envelopes_open() {
    let (node, hub) = (fixed_key(1), fixed_key(2));
    let sent = bundle(&node, b"document");
    let answered = answer(&hub);
    let (there, back) = (golden("bundle-1.maillage"), golden("bundle-1.reponse"));
    if std::env::var("GOLDEN").is_ok_and(|what| what == "write") && !there.exists() {
        let to_hub = OpeningKey::of(&hub).sealing_key();
        let file = sent.seal(&node, &to_hub, authority(), &Counting::new()).expect("seals");
        std::fs::write(&there, file).expect("writes");
        let to_node = OpeningKey::of(&node).sealing_key();
        let file = answered.seal(&hub, &to_node, authority(), &Counting::new()).expect("seals");
        std::fs::write(&back, file).expect("writes");
    }
    let (there, back) = (std::fs::read(there).expect("golden"), std::fs::read(back).expect("golden"));
    let (sender, read) = Bundle::open(&there, &OpeningKey::of(&hub), authority()).expect("opens");
    assert_eq!((read, sender.signing_key()), (sent, node.public()));
    assert_eq!(Answer::open(&back, &OpeningKey::of(&node), authority(), &[hub.public()]), Ok(answered));
}
