use std::collections::{BTreeMap, BTreeSet};

use disclosure::{
    Ledger, MeasureScheme, Protection, Published, Quantity, Received, Restriction, Rule, SliceAttributes, TableScheme,
    Zeros,
};
use model::{
    CommuneCode, Decimals, DefinitionHash, DimensionCode, Figure, Flag, Flags, Hash, IndicatorCode, Key, MissingReason,
    RuleHash, Slice, SubmissionId, Timestamp,
};
use seal::{SigningKey, sha256};

use super::submission::{Content, write};
use super::*;
use crate::pb::submission::v1 as pb;

mod golden;
mod property;

/// Writes what a node merely claims: the tests of this crate cannot make a `SafeTable`, and should not.
pub(crate) fn write_claimed(
    header: &Header,
    slices: &[(Received, BTreeMap<IndicatorCode, Decimals>)],
) -> Result<Vec<u8>, DocumentError> {
    let contents = slices
        .iter()
        .map(|(received, decimals)| Content {
            slice: &received.slice,
            attributes: &received.attributes,
            cells: &received.cells,
            decimals: decimals.clone(),
        })
        .collect();
    write(header, contents)
}

fn rewrite(submission: &Submission) -> Result<Vec<u8>, DocumentError> {
    let slices: Vec<_> =
        submission.slices.iter().map(|slice| (slice.received.clone(), slice.decimals.clone())).collect();
    write_claimed(&submission.header, &slices)
}

pub(super) fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune")
}

pub(super) fn slice(table: &str, period: &str) -> Slice {
    Slice {
        territory: commune("93066"),
        pack: "ccas-activite".parse().expect("a pack"),
        table: table.parse().expect("a table"),
        period: period.parse().expect("a period"),
    }
}

fn key(pairs: &[(&str, &str)]) -> Key {
    pairs.iter().map(|(d, c)| (d.parse().expect("a dimension"), c.parse().expect("a code"))).collect()
}

/// Every kind of figure and flag, one and two dimensions, two measures with other decimals.
pub(super) fn sample() -> Submission {
    let cell = |figure| Published { figure, flags: Flags::default() };
    let (count, weight): (IndicatorCode, IndicatorCode) =
        ("dom_personnes".parse().expect("a code"), "log_principales".parse().expect("a code"));
    let counts: BTreeMap<_, _> = [
        (key(&[]), cell(Figure::Observed(100))),
        (key(&[("sexe", "F")]), cell(Figure::Observed(0))),
        (key(&[("sexe", "H")]), cell(Figure::Suppressed)),
        (key(&[("age", "75-84"), ("sexe", "F")]), cell(Figure::Missing(MissingReason::NotCollected))),
        (key(&[("age", "75-84"), ("sexe", "H")]), cell(Figure::Missing(MissingReason::NotYetAvailable))),
        (key(&[("age", "85+"), ("sexe", "F")]), cell(Figure::NotApplicable)),
        (
            key(&[("age", "85+"), ("sexe", "H")]),
            Published {
                figure: Figure::Observed(40),
                flags: Flags::default().with(Flag::Provisional).with(Flag::BreakInSeries),
            },
        ),
    ]
    .into_iter()
    .map(|(key, published)| ((count.clone(), key), published))
    .collect();
    let weights = BTreeMap::from([((weight.clone(), key(&[])), cell(Figure::Observed(17_161_673_000)))]);
    let received = |table, period, cells| Received {
        slice: slice(table, period),
        attributes: SliceAttributes {
            pack_version: "1.0.0".into(),
            definition: DefinitionHash::from_bytes([1; 32]),
            rule: RuleHash::from_bytes([2; 32]),
        },
        cells,
    };
    Submission {
        header: Header {
            provider: commune("93066"),
            id: SubmissionId::from_bytes(*b"0123456789abcdef"),
            written_at: Timestamp::from_micros(1_798_804_800_000_001),
            purpose: Purpose::Submit,
            approval: Approval::Person,
        },
        slices: vec![
            ReceivedSlice {
                received: received("domiciliation", "2025-S1", counts),
                decimals: [(count, Decimals::NONE)].into(),
            },
            ReceivedSlice {
                received: received("logement", "2025", weights),
                decimals: [(weight, Decimals::new(6).expect("six"))].into(),
            },
        ],
    }
}

pub(super) fn withdrawal() -> Withdrawal {
    Withdrawal {
        provider: commune("93066"),
        id: SubmissionId::from_bytes([7; 16]),
        written_at: Timestamp::from_micros(1_798_804_800_000_002),
        approval: Approval::Rule,
        slices: BTreeSet::from([slice("domiciliation", "2025"), slice("domiciliation", "2025-S1")]),
    }
}

pub(super) fn sharing() -> Sharing {
    use model::Audience::{Coordinators, Members, Public};
    Sharing {
        provider: commune("93066"),
        id: SubmissionId::from_bytes([8; 16]),
        written_at: Timestamp::from_micros(1_798_804_800_000_004),
        approval: Approval::Person,
        slices: BTreeMap::from([
            (slice("domiciliation", "2025"), BTreeSet::from([Coordinators, Members, Public])),
            (slice("domiciliation", "2025-S1"), BTreeSet::new()),
        ]),
    }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        submission: sample().header.id,
        document_hash: sha256(b"document"),
        provider: commune("93066"),
        provider_key: Hash::from_bytes([5; 32]),
        kind: ReceiptKind::Submission,
        accepted_at: Timestamp::from_micros(1_798_804_800_000_003),
        number: 42,
        links: BTreeMap::from([
            (commune("93059"), Link { sequence: 1, previous: None }),
            (commune("93066"), Link { sequence: 12, previous: Some(Hash::from_bytes([6; 32])) }),
        ]),
        outcome: Outcome { new: 1, changed: 2, unchanged: 3, withdrawn: 0 },
        destroyed: BTreeSet::new(),
    }
}

fn purge() -> Receipt {
    let destroyed = BTreeSet::from([slice("domiciliation", "2025"), slice("domiciliation", "2025-S1")]);
    Receipt { kind: ReceiptKind::Purge, outcome: Outcome::default(), destroyed, ..receipt() }
}

pub(super) fn pack() -> PackFiles {
    PackFiles {
        code: "ccas-activite".parse().expect("a pack"),
        version: "1.0.0".into(),
        files: BTreeMap::from([
            ("pack.toml".into(), b"code = \"ccas-activite\"\n".to_vec()),
            ("fiches/domiciliation.md".into(), "# Domiciliés\n".as_bytes().to_vec()),
        ]),
    }
}

fn sample_pb() -> pb::SubmissionDocument {
    pb::SubmissionDocument::decode(rewrite(&sample()).expect("a document").as_slice()).expect("a message")
}

fn refused_at(document: &pb::SubmissionDocument) -> String {
    match decode(&document.encode_to_vec()).expect_err("refused") {
        DocumentError::Field { path, .. } => path,
        other => panic!("{other}"),
    }
}

#[test]
fn documents_read_back_as_written() {
    assert_eq!(decode(&rewrite(&sample()).expect("written")), Ok(sample()));
    assert_eq!(Withdrawal::decode(&withdrawal().encode().expect("written")), Ok(withdrawal()));
    for receipt in [receipt(), purge()] {
        assert_eq!(Receipt::decode(&receipt.encode().expect("written")), Ok(receipt));
    }
    assert_eq!(PackFiles::decode(&pack().encode().expect("written")), Ok(pack()));
}

#[test]
fn a_safe_table_travels_whole_with_its_schemes_decimals() {
    let scheme = |indicator: &str| {
        let sexe: DimensionCode = "sexe".parse().expect("a dimension");
        let measure = MeasureScheme {
            indicator: indicator.parse().expect("a code"),
            quantity: Quantity::Weight { column: "IPONDL".into() },
            restriction: Restriction::default(),
            breakdowns: BTreeSet::from([BTreeSet::from([sexe.clone()])]),
            protection: Protection::Here(Rule { threshold: 5, zeros: Zeros::Publish, width: 1 }),
            decimals: Decimals::new(6).expect("six"),
        };
        let codes = ["F", "H"].map(|code| code.parse().expect("a code")).to_vec();
        TableScheme::new([(sexe, codes)].into(), vec![measure]).expect("a scheme")
    };
    let cell = |units| Published { figure: Figure::Observed(units), flags: Flags::default() };
    let indicator: IndicatorCode = "log_principales".parse().expect("a code");
    let cells = [(key(&[]), 100_000_000), (key(&[("sexe", "F")]), 60_000_000), (key(&[("sexe", "H")]), 40_000_000)];
    let received = Received {
        cells: cells.into_iter().map(|(key, units)| ((indicator.clone(), key), cell(units))).collect(),
        ..sample().slices[1].received.clone()
    };
    let table = disclosure::attack::admit(received.clone(), &scheme("log_principales"), &Ledger::empty());
    let table = table.expect("nothing to hide");

    let header = sample().header;
    let bytes = encode(&header, &[Outgoing { table: &table, scheme: &scheme("log_principales") }]).expect("written");
    let read = decode(&bytes).expect("read");
    assert_eq!(read.header, header);
    let [slice] = read.slices.as_slice() else { panic!("one slice") };
    assert_eq!(slice.received, received);
    assert_eq!(slice.decimals, [(indicator, Decimals::new(6).expect("six"))].into());

    assert!(encode(&header, &[Outgoing { table: &table, scheme: &scheme("something_else") }]).is_err());
    assert!(encode(&header, &[]).is_err());
}

#[test]
fn slices_may_be_given_in_any_order_but_only_once() {
    let mut turned = sample();
    turned.slices.reverse();
    assert_eq!(rewrite(&turned), rewrite(&sample()));
    turned.slices.push(turned.slices[0].clone());
    assert!(rewrite(&turned).is_err());
}

/// Each change alone makes a document that says another thing or nothing; none is repaired, each is named.
#[test]
fn every_wrong_field_is_refused_where_it_stands() {
    type Change = fn(&mut pb::SubmissionDocument);
    let cases: [(Change, &str); 26] = [
        (|d| d.submission_id = vec![0; 15], "submission_id"),
        (|d| d.provider = "9306".into(), "provider"),
        (|d| d.purpose = 0, "purpose"),
        (|d| d.purpose = 3, "purpose"),
        (|d| d.approval = 0, "approval"),
        (|d| d.approval = 99, "approval"),
        (|d| d.slices.clear(), "slices"),
        (|d| d.slices.reverse(), "slices[1]"),
        (|d| d.slices[1] = d.slices[0].clone(), "slices[1]"),
        (|d| d.slices[0].territory = String::new(), "slices[0].territory"),
        (|d| d.slices[0].pack = "a b".into(), "slices[0].pack"),
        (|d| d.slices[0].pack_version = String::new(), "slices[0].pack_version"),
        (|d| d.slices[0].period = "2025-13".into(), "slices[0].period"),
        (|d| d.slices[0].definition_hash.push(0), "slices[0].definition_hash"),
        (|d| d.slices[0].rule_hash.clear(), "slices[0].rule_hash"),
        (|d| d.slices[0].series.clear(), "slices[0].series"),
        (|d| d.slices[0].series.swap(0, 1), "slices[0].series[1]"),
        (|d| d.slices[0].series[0].decimals = 10, "slices[0].series[0].decimals"),
        (|d| d.slices[0].series[1].decimals = 2, "slices[0].series[1].decimals"),
        (|d| d.slices[0].series[1].dimensions.reverse(), "slices[0].series[1].dimensions[1]"),
        (|d| d.slices[0].series[0].cells.clear(), "slices[0].series[0].cells"),
        (|d| d.slices[0].series[1].cells.swap(0, 1), "slices[0].series[1].cells[1]"),
        (|d| d.slices[0].series[0].cells[0].codes.push("x".into()), "slices[0].series[0].cells[0].codes"),
        (|d| d.slices[0].series[0].cells[0].figure = None, "slices[0].series[0].cells[0]"),
        (|d| d.slices[0].series[0].cells[0].flags = 8, "slices[0].series[0].cells[0].flags"),
        (
            |d| d.slices[0].series[0].cells[0].figure = Some(pb::cell::Figure::Missing(0)),
            "slices[0].series[0].cells[0].missing",
        ),
    ];
    for (change, path) in cases {
        let mut document = sample_pb();
        change(&mut document);
        assert_eq!(refused_at(&document), path);
    }
}

/// The values in a document must not come out in the reasons for refusing it.
#[test]
fn a_refusal_names_the_place_and_never_the_content() {
    let mut document = sample_pb();
    for series in &mut document.slices[0].series {
        for cell in &mut series.cells {
            cell.figure = Some(pb::cell::Figure::Observed(8_374_651));
        }
    }
    document.slices[0].series[1].cells[3].codes[0] = "secret 8374651".into();
    let error = decode(&document.encode_to_vec()).expect_err("refused");
    let failure = Failure::from(&error);
    let told = format!("{error} {error:?} {failure} {failure:?}");
    assert!(!told.contains("8374651") && !told.contains("8_374_651") && !told.contains("secret"), "{told}");
}

#[test]
fn another_encoding_of_the_same_content_is_refused() {
    let bytes = rewrite(&sample()).expect("written");
    // A field said twice: protobuf takes the last one, so the content is the same.
    let twice = [&bytes[..2], &bytes].concat();
    // A varint of two bytes where one is enough.
    let padded = [&[0x08, 0x81, 0x00][..], &bytes[2..]].concat();
    // A field that this version does not know.
    let unknown = [&bytes[..], &[0xf8, 0x07, 0x01]].concat();
    for (what, other) in [("twice", twice), ("padded", padded), ("unknown field", unknown)] {
        assert_eq!(decode(&other), Err(DocumentError::NotCanonical), "{what}");
    }
}

#[test]
fn no_kind_of_document_passes_for_another() {
    let documents = [
        ("submission", rewrite(&sample()).expect("written")),
        ("withdrawal", withdrawal().encode().expect("written")),
        ("sharing", sharing().encode().expect("written")),
        ("receipt", receipt().encode().expect("written")),
        ("pack", pack().encode().expect("written")),
    ];
    for (kind, bytes) in &documents {
        let read = [
            ("submission", decode(bytes).is_ok()),
            ("withdrawal", Withdrawal::decode(bytes).is_ok()),
            ("sharing", Sharing::decode(bytes).is_ok()),
            ("receipt", Receipt::decode(bytes).is_ok()),
            ("pack", PackFiles::decode(bytes).is_ok()),
        ];
        for (reader, taken) in read {
            assert_eq!(taken, reader == *kind, "{kind} read as {reader}");
        }
    }
}

/// Every flipped bit, every cut and every byte added: refused, or another content under another hash.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let key = SigningKey::generate();
    let bytes = rewrite(&sample()).expect("written");
    let signature = key.sign(&bytes);
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            assert_ne!(decode(&changed), Ok(sample()), "byte {index}, bit {bit}");
        }
        assert_ne!(decode(&bytes[..index]), Ok(sample()), "cut at {index}");
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        assert!(key.public().verify(&changed, &signature).is_err());
    }
    for byte in 0..=u8::MAX {
        assert!(decode(&[&bytes[..], &[byte]].concat()).is_err(), "added {byte}");
    }
}

#[test]
fn receipts_form_a_chain_or_are_refused() {
    type Change = fn(&mut Receipt);
    let cases: [(Change, &str); 5] = [
        (|r| r.number = 0, "number"),
        (|r| r.links.clear(), "links"),
        (|r| r.links.values_mut().for_each(|link| link.sequence = 0), "links[0].sequence"),
        (|r| r.links.values_mut().for_each(|link| link.sequence = 2), "links[0].sequence"),
        (|r| r.links.values_mut().for_each(|link| link.previous = None), "links[1].sequence"),
    ];
    for (change, expected) in cases {
        let mut receipt = receipt();
        change(&mut receipt);
        let Err(DocumentError::Field { path, .. }) = receipt.encode() else { panic!("{expected} accepted") };
        assert_eq!(path, expected);
    }
}

#[test]
fn a_signed_receipt_verifies_offline_with_the_right_key_only() {
    let (key, other) = (SigningKey::generate(), SigningKey::generate());
    let signed = SignedReceipt::sign(&receipt(), &key).expect("signed");
    let read = SignedReceipt::from_bytes(&signed.to_bytes()).expect("a file");
    assert_eq!(read, signed);
    assert_eq!(read.verify(&[other.public(), key.public()]), Ok(receipt()));
    assert_eq!(read.verify(&[other.public()]), Err(DocumentError::UnknownKey));
    let claims_another = SignedReceipt { key: other.public().id(), ..signed.clone() };
    assert_eq!(claims_another.verify(&[other.public(), key.public()]), Err(DocumentError::Signature));
    let mut changed = signed.clone();
    *changed.document.last_mut().expect("bytes") ^= 1;
    assert_eq!(changed.verify(&[key.public()]), Err(DocumentError::Signature));
    let cut = signed.to_bytes();
    assert!(SignedReceipt::from_bytes(&cut[..cut.len() - 1]).is_err());
}

#[test]
fn a_pack_cannot_write_outside_its_folder() {
    for path in ["../x", "/etc/x", "a/../x", "a//x", "", ".hidden", "a/.git", "C:\\x", "a\\..\\x", "x.", "a/b /c."] {
        let hostile = PackFiles { files: [(path.to_owned(), vec![])].into(), ..pack() };
        assert!(hostile.encode().is_err(), "{path:?}");
    }
    let key = SigningKey::generate();
    let signed = SignedPack::sign(&pack(), &key).expect("signed");
    assert_eq!(signed.verify(&[key.public()]), Ok(pack()));
    assert_eq!(signed.verify(&[SigningKey::generate().public()]), Err(DocumentError::UnknownKey));
}

#[test]
fn a_small_document_cannot_make_the_reader_allocate_without_limit() {
    let header = &rewrite(&sample()).expect("written")[..2];
    // 15 million empty slices, each two bytes here and 200 in memory.
    let slices = [header, &[0x3a, 0x00].repeat(15 << 20)].concat();
    assert_eq!(decode(&slices), Err(DocumentError::TooLarge));
    assert_eq!(decode(&vec![0; MAX_DOCUMENT + 1]), Err(DocumentError::TooLarge));
}
