//! Documents as this and every later version must read them.
//!
//! `golden/NAME.hex` holds the bytes; `golden/NAME.textproto` says the same in protobuf text format. The two are
//! compared by another implementation of protobuf than the one under test. A golden file is never changed: a new
//! format gets new ones. (`MAILLAGE_WRITE_GOLDEN=1` writes those that are missing.)

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use prost_reflect::{DescriptorPool, DynamicMessage};
use seal::PublicKey;

use super::*;

fn path(name: &str, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.{extension}"))
}

fn golden(name: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let file = path(name, "hex");
    if !file.exists() && std::env::var_os("MAILLAGE_WRITE_GOLDEN").is_some() {
        let hex = HEXLOWER.encode(&make());
        let lines: Vec<&str> = (0..hex.len()).step_by(64).map(|at| &hex[at..hex.len().min(at + 64)]).collect();
        std::fs::write(&file, lines.join("\n") + "\n").expect("a golden file");
    }
    let text: String = std::fs::read_to_string(&file).expect("a golden file").split_whitespace().collect();
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

/// Reads the twin and encodes it, without prost's derived code.
fn twin(name: &str, message: &str, bytes: &[u8]) -> Vec<u8> {
    let pool = DescriptorPool::decode(crate::pb::FILE_DESCRIPTOR_SET).expect("descriptors");
    let descriptor = pool.get_message_by_name(message).expect("a message of the contract");
    let file = path(name, "textproto");
    if !file.exists() && std::env::var_os("MAILLAGE_WRITE_GOLDEN").is_some() {
        let read = DynamicMessage::decode(descriptor.clone(), bytes).expect("a message");
        let options = prost_reflect::text_format::FormatOptions::new().pretty(true);
        std::fs::write(&file, read.to_text_format_with_options(&options) + "\n").expect("a twin");
    }
    let text = std::fs::read_to_string(&file).expect("a twin");
    DynamicMessage::parse_text_format(descriptor, &text).expect("text format").encode_to_vec()
}

#[test]
fn submissions_of_format_1() {
    let bytes = golden("submission-1", || rewrite(&sample()).expect("written"));
    assert_eq!(decode(&bytes), Ok(sample()));
    assert_eq!(rewrite(&sample()), Ok(bytes.clone()));
    assert_eq!(twin("submission-1", "maillage.submission.v1.SubmissionDocument", &bytes), bytes);
}

#[test]
fn withdrawals_of_format_1() {
    let bytes = golden("withdrawal-1", || withdrawal().encode().expect("written"));
    assert_eq!(Withdrawal::decode(&bytes), Ok(withdrawal()));
    assert_eq!(withdrawal().encode(), Ok(bytes.clone()));
    assert_eq!(twin("withdrawal-1", "maillage.submission.v1.WithdrawalDocument", &bytes), bytes);
}

#[test]
fn sharings_of_format_1() {
    let bytes = golden("sharing-1", || sharing().encode().expect("written"));
    assert_eq!(Sharing::decode(&bytes), Ok(sharing()));
    assert_eq!(sharing().encode(), Ok(bytes.clone()));
    assert_eq!(twin("sharing-1", "maillage.submission.v1.SharingDocument", &bytes), bytes);
}

#[test]
fn receipts_of_format_1() {
    let bytes = golden("receipt-1", || receipt().encode().expect("written"));
    assert_eq!(Receipt::decode(&bytes), Ok(receipt()));
    assert_eq!(receipt().encode(), Ok(bytes.clone()));
    assert_eq!(twin("receipt-1", "maillage.submission.v1.ReceiptDocument", &bytes), bytes);
}

#[test]
fn packs_of_format_1() {
    let bytes = golden("pack-1", || pack().encode().expect("written"));
    assert_eq!(PackFiles::decode(&bytes), Ok(pack()));
    assert_eq!(pack().encode(), Ok(bytes.clone()));
    assert_eq!(twin("pack-1", "maillage.methodology.v1.PackDocument", &bytes), bytes);
}

/// A key was drawn once, signed once and was thrown away; its public half stayed.
#[test]
fn a_receipt_signed_long_ago_still_verifies() {
    let mut drawn = None;
    let receipt_file = golden("signed-receipt-1", || {
        let key = SigningKey::generate();
        drawn = Some(key.public().as_bytes().to_vec());
        SignedReceipt::sign(&receipt(), &key).expect("signed").to_bytes()
    });
    let public = golden("signed-receipt-1-key", || drawn.expect("drawn with the receipt"));
    let public = PublicKey::from_slice(&public).expect("a key");
    let signed = SignedReceipt::from_bytes(&receipt_file).expect("a file");
    assert_eq!(signed.verify(&[public]), Ok(receipt()));
}

#[test]
fn documents_of_a_next_version_are_refused_as_expected() {
    // Format 2, with a field that format 1 does not have.
    let next = golden("submission-2", || {
        let mut document = sample_pb();
        document.format = 2;
        [document.encode_to_vec(), vec![0x9a, 0x06, 0x03, b'n', b'e', b'w']].concat()
    });
    assert_eq!(decode(&next), Err(DocumentError::UnknownFormat(2)));

    // Claims format 1 with the same field: prost would drop it silently.
    let unknown = golden("submission-1-unknown-field", || {
        [rewrite(&sample()).expect("written"), vec![0x9a, 0x06, 0x03, b'n', b'e', b'w']].concat()
    });
    assert_eq!(decode(&unknown), Err(DocumentError::NotCanonical));

    // Claims format 1 with a field unknown deep inside a cell.
    let deep = golden("submission-1-unknown-field-in-a-cell", || {
        let name = "maillage.submission.v1.SubmissionDocument";
        let pool = DescriptorPool::decode(crate::pb::FILE_DESCRIPTOR_SET).expect("descriptors");
        let descriptor = pool.get_message_by_name(name).expect("the document");
        let mut document = sample_pb();
        document.slices.truncate(1);
        document.slices[0].series.truncate(1);
        let cell = document.slices[0].series[0].cells[0].encode_to_vec();
        document.slices[0].series[0].cells.clear();
        // Built from inside out, because no message type has the field.
        let wrap = |mut outer: Vec<u8>, tag: u32, inner: &[u8]| {
            prost::encoding::bytes::encode(tag, &inner.to_vec(), &mut outer);
            outer
        };
        let cell = [cell, vec![0x9a, 0x06, 0x01, b'x']].concat();
        let series = wrap(document.slices[0].series[0].encode_to_vec(), 4, &cell);
        document.slices[0].series.clear();
        let slice = wrap(document.slices[0].encode_to_vec(), 8, &series);
        document.slices.clear();
        let bytes = wrap(document.encode_to_vec(), 7, &slice[..]);
        DynamicMessage::decode(descriptor, bytes.as_slice()).expect("well-formed protobuf");
        bytes
    });
    assert_eq!(decode(&deep), Err(DocumentError::NotCanonical));

    let enumerated = golden("submission-1-unknown-enum", || {
        let mut document = sample_pb();
        document.purpose = 3;
        document.encode_to_vec()
    });
    let refused = decode(&enumerated).expect_err("refused");
    assert_eq!(refused, DocumentError::Field { path: "purpose".into(), problem: "is absent or unknown" });
}
