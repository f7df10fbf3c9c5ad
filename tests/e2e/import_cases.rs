//! What imports elsewhere were found to get wrong, replayed in our words: a delivery of a dozen figures, corrected,
//! repeated, tried, taken back, misaddressed. Each says what is to be seen at the node, at the hub and in between.

mod refused;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use methodology::Pack;
use model::{FailureKind, Slice};
use node::Node;
use node::collect::CollectError;
use node::preview::{Preview, PreviewError, Purpose};
use node::push::Verdict;
use prost::Message;
use statistics::{Reading, Silence};
use store::DocumentKind;
use wire::document::{Outcome, Receipt};
use wire::pb::submission::v1 as pb;
use wire::pb::submission::v1::cell::Figure;
use wire::status::Refused;

use crate::house::{House, approve, preview, push, put, send, signing_key, word};
use crate::intruder::{forged, refusal};

const COMMUNE: &str = "93008";
const PLACES: usize = 14;

/// `douzaine`: one figure for each of fourteen places, and nothing that adds them up. `trois`: three of them, with a
/// share. `mensuel`: for months only.
fn pack() -> Pack {
    let count = |code: &str, filter: &str| {
        let filter = if filter.is_empty() { String::new() } else { format!("filter = \"{filter}\"\n") };
        indicator(
            code,
            "personnes",
            "additive",
            &format!("[indicator.measure]\nquantity = \"rows\"\n{filter}protection = \"cinq\"\n"),
        )
    };
    let of = |code: &str, place: usize| count(code, &format!("lieu = 'l{place:02}'"));
    let share = "[indicator.ratio]\nnumerator = \"t1\"\ndenominator = \"t_ensemble\"\nper = 100\ndecimals = 1\n";
    let tables = [
        ("douzaine", (1..=PLACES).map(|place| of(&format!("v{place:02}"), place)).collect::<String>(), ""),
        (
            "trois",
            [of("t1", 1), of("t2", 2), count("t_ensemble", ""), indicator("t_part", "%", "ratio", share)].concat(),
            "",
        ),
        ("mensuel", of("m1", 1), "\"periods\": [\"month\"],"),
    ];
    let mut files = BTreeMap::from([(
        "pack.toml".to_owned(),
        b"format = 1\ncode = \"cas\"\nversion = \"1.0.0\"\ntitle = \"Cas\"\ndescription = \"Pour les essais.\"\n\
          tables = [\"douzaine\", \"trois\", \"mensuel\"]\n"
            .to_vec(),
    )]);
    for (table, indicators, periods) in tables {
        let codes: Vec<String> =
            (1..=PLACES).map(|place| format!("{{ \"code\": \"l{place:02}\", \"title\": \"L{place}\" }}")).collect();
        let schema = format!(
            r#"{{ "name": "{table}", "title": "Table {table}", "primaryKey": "id",
  "fields": [
    {{ "name": "id", "type": "string", "title": "Numéro", "constraints": {{ "required": true }} }},
    {{ "name": "lieu", "type": "string", "title": "Lieu", "constraints": {{ "required": true }} }}
  ],
  "maillage": {{ "row": "une personne", "facts": "{table}", {periods}
    "dimensions": [{{ "code": "lieu", "title": "Lieu", "codes": [{}] }}] }} }}"#,
            codes.join(", ")
        );
        let rules = "[rules.cinq]\nthreshold = 5\nzeros = \"publish\"\nwidth = 5\n\n";
        files.insert(format!("tables/{table}.schema.json"), schema.into_bytes());
        files.insert(format!("tables/{table}.toml"), format!("{rules}{indicators}").into_bytes());
        files.insert(format!("golden/{table}.toml"), golden(table).into_bytes());
    }
    Pack::parse(&files).expect("a pack")
}

fn indicator(code: &str, unit: &str, aggregation: &str, body: &str) -> String {
    format!(
        "[[indicator]]\ncode = \"{code}\"\ntitle = \"Personnes {code}\"\ntheme = \"Cas\"\nunit = \"{unit}\"\n\
         aggregation = \"{aggregation}\"\nuncertainty = \"none\"\npolarity = \"neutral\"\n{body}[indicator.sheet]\n\
         source = \"s\"\npopulation = \"p\"\nperiodicity = \"a\"\nlimits = [\"l\"]\nhow_to_read = \"h\"\n\
         how_not_to_read = \"n\"\n\n"
    )
}

fn golden(table: &str) -> String {
    let expected: String = match table {
        "douzaine" => {
            let each = |place| format!("v{place:02} = {}\n", u8::from(place == 1));
            (1..=PLACES).map(each).collect::<Vec<_>>().concat()
        }
        "trois" => "t1 = 1\nt2 = 0\nt_ensemble = 1\nt_part = \"100,0\"\n".to_owned(),
        _ => "m1 = 1\n".to_owned(),
    };
    format!("[[case]]\nname = \"un\"\nrows = \"\"\"\nid;lieu\n1;l01\n\"\"\"\n[case.expected]\n{expected}")
}

/// So many people in each place, from the first on.
fn people(counts: &[usize]) -> Vec<u8> {
    let mut text = "id;lieu\n".to_owned();
    for (index, count) in counts.iter().enumerate() {
        for number in 0..*count {
            writeln!(text, "p{index}-{number};l{:02}", index + 1).expect("a string takes everything");
        }
    }
    text.into_bytes()
}

fn source(table: &str, period: &str) -> String {
    format!(
        "[[source]]\npack = \"cas\"\ntable = \"{table}\"\nperiod = \"{period}\"\n[source.read]\nfile = \"{table}.csv\"\n\n"
    )
}

/// Twelve places with people, two without.
const DOZEN: [usize; PLACES] = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 0, 0];

async fn house() -> House {
    House::open_with(vec![pack()]).await
}

/// A commune that has the dozen and the three.
async fn commune(house: &House, code: &str) -> Node {
    let settings = [source("douzaine", "2025"), source("trois", "2025")].concat();
    let files = [("douzaine.csv", people(&DOZEN)), ("trois.csv", people(&[20, 30, 40]))];
    let files = files.each_ref().map(|(path, bytes)| (*path, bytes.as_slice()));
    house.commune(code, &settings, &files).await
}

fn slice(table: &str, period: &str) -> Slice {
    Slice { territory: word(COMMUNE), pack: word("cas"), table: word(table), period: word(period) }
}

fn outcome(new: u32, changed: u32, unchanged: u32, withdrawn: u32) -> Outcome {
    Outcome { new, changed, unchanged, withdrawn }
}

async fn value(house: &House, indicator: &str) -> Option<Reading> {
    house.reading(indicator, "2025", "", COMMUNE).await
}

/// One figure of the dozen at the hub.
async fn at(house: &House, place: usize) -> Option<Reading> {
    value(house, &format!("v{place:02}")).await
}

async fn deliver(node: &Node, preview: &Preview) -> Receipt {
    approve(node, preview).await;
    match push(node).await {
        Verdict::Received { receipt, .. } => *receipt,
        other => panic!("not received: {other:?}"),
    }
}

/// The document that waits, for a peer who does not run our software to change.
async fn honest(node: &Node) -> Vec<u8> {
    preview(node).await;
    node.store().latest_preview().await.expect("storage").expect("a preview").document
}

async fn refused(house: &House, node: &Node, document: &[u8]) -> Refused {
    let refused = refusal(house.client(node).await.submit(document, &signing_key(node.folder()).sign(document)).await);
    assert!(refused.message.ends_with(['.', ')']), "a French sentence: {}", refused.message);
    refused
}

/// What the agent reads when a file or the settings are wrong.
async fn complaint(node: &Node) -> (usize, String) {
    match node::preview::preview(node, Purpose::Submit).await {
        Err(PreviewError::Sources(errors)) => {
            let lines: Vec<String> = errors.iter().flat_map(CollectError::french).collect();
            let faults = errors.iter().map(|error| match error {
                CollectError::File { faults, .. } => usize::try_from(faults.total).expect("a few"),
                _ => 1,
            });
            (faults.sum(), lines.join("\n"))
        }
        other => panic!("not refused for its sources: {:?}", other.map(|preview| preview.moved)),
    }
}

async fn reopened(house: &House, node: Node, settings: &str) -> Node {
    let folder = node.folder().clone();
    node.close().await;
    put(folder.root(), "node.toml", settings.as_bytes());
    house.node(&folder).await
}

fn figure<'a>(document: &'a mut pb::SubmissionDocument, indicator: &str) -> &'a mut Option<Figure> {
    let mut series = document.slices.iter_mut().flat_map(|slice| &mut slice.series);
    &mut series.find(|one| one.indicator == indicator).expect("an indicator").cells[0].figure
}

/// R-D1, R-D4: a try of a dozen says what the delivery will say, and stores nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_dozen_is_tried_then_delivered() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    let node = reopened(&house, node, &source("douzaine", "2025")).await;
    let all = u32::try_from(PLACES).expect("a few");
    let tried = node::preview::preview(&node, Purpose::Check).await.expect("a preview");
    assert_eq!(tried.moved, PLACES);
    assert_eq!(deliver(&node, &tried).await.outcome, outcome(all, 0, 0, 0));
    assert_eq!(at(&house, 1).await, Some(Reading::Silence(Silence::NotReceived)));
    assert!(house.hub().store().current_of(word(COMMUNE)).await.expect("pointers").is_empty());

    let (_, receipt) = send(&node).await;
    assert_eq!(receipt.outcome, outcome(all, 0, 0, 0), "as the try said");
    for (place, count) in (1..).zip(DOZEN) {
        let count = u32::try_from(count).expect("a few");
        assert_eq!(at(&house, place).await, Some(Reading::Value(f64::from(count))), "place {place}");
    }
    house.close().await;
}

/// R-D2, R-D22: what a later delivery leaves out does not keep its earlier value.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_gone() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    send(&node).await;
    // Six places: four that were there, of which two changed, and two that were not.
    let six = [20, 21, 40, 41, 0, 0, 0, 0, 0, 0, 0, 0, 50, 51];
    put(node.folder().root(), "douzaine.csv", &people(&six));
    let (_, receipt) = send(&node).await;
    assert_eq!(receipt.outcome, outcome(0, 2 + 8 + 2, 2, 0));
    for (place, count) in (1..).zip(six) {
        let count = u32::try_from(count).expect("a few");
        assert_eq!(at(&house, place).await, Some(Reading::Value(f64::from(count))), "place {place}");
    }

    // A grows 0, 30, 100 while B falls 100, 70, nothing at all.
    for (a, b) in [(0, 100), (30, 70), (100, 0)] {
        put(node.folder().root(), "douzaine.csv", &people(&[a, b]));
        send(&node).await;
    }
    assert_eq!(at(&house, 1).await, Some(Reading::Value(100.0)));
    assert_eq!(at(&house, 2).await, Some(Reading::Value(0.0)));
    house.close().await;
}

/// R-D3: one changed among three says « 1 modifiée, 2 inchangées », at the node and in the receipt.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_changed_is_said_as_such() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    send(&node).await;
    // One person moves from the first place to a third one: two of the three figures are as they were.
    put(node.folder().root(), "trois.csv", &people(&[14, 30, 46]));
    let shown = preview(&node).await;
    let three = shown.slices.iter().find(|one| one.slice == slice("trois", "2025")).expect("the table");
    assert_eq!((three.moves.new, three.moves.changed, three.moves.unchanged, three.moves.withdrawn), (0, 1, 2, 0));
    assert_eq!(shown.moved, 1, "the dozen does not leave");
    let receipt = deliver(&node, &shown).await;
    assert_eq!(receipt.outcome, outcome(0, 1, 2, 0));
    let told = node::verify::describe(&receipt).join("\n");
    assert!(told.contains("0 nouvelles, 1 modifiées, 2 inchangées, 0 retirées"), "{told}");
    // And all the same again: nothing leaves.
    assert_eq!(preview(&node).await.hash, None);
    house.close().await;
}

/// R-D5, R-D6, R-D7, R-D17: taking back is by name and not by value; zero is a figure; what was taken back may return.
#[tokio::test(flavor = "multi_thread")]
async fn taking_back_is_said_and_zero_is_not_taking_back() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    let neighbour = commune(&house, "93010").await;
    send(&neighbour).await;
    send(&node).await;

    put(node.folder().root(), "trois.csv", &people(&[0, 30, 40]));
    let (_, receipt) = send(&node).await;
    assert_eq!(receipt.outcome, outcome(0, 2, 1, 0), "the first figure and the whole changed, none went");
    assert_eq!(value(&house, "t1").await, Some(Reading::Value(0.0)));

    // One unit, one period, one table.
    let scope = BTreeSet::from([slice("trois", "2025")]);
    node::withdraw::withdraw(&node, scope.clone(), "Awa Diallo").await.expect("a withdrawal");
    let Verdict::Received { receipt, .. } = push(&node).await else { panic!("received") };
    assert_eq!(receipt.outcome, outcome(0, 0, 0, 3));
    for indicator in ["t1", "t2", "t_ensemble", "t_part"] {
        assert_eq!(value(&house, indicator).await, Some(Reading::Silence(Silence::Withdrawn)), "{indicator}");
    }
    assert_eq!(at(&house, 1).await, Some(Reading::Value(20.0)), "another table");
    assert_eq!(house.reading("t1", "2025", "", "93010").await, Some(Reading::Value(20.0)), "another unit");
    let twice = node::withdraw::withdraw(&node, scope, "Awa Diallo").await.expect_err("nothing is there");
    assert_eq!((twice.reason.as_ref(), twice.kind), ("SLICE_NOT_SENT", FailureKind::NotFound));
    let never = node::withdraw::withdraw(&node, [slice("trois", "2024")].into(), "Awa Diallo").await;
    assert_eq!(never.expect_err("it never was").reason, "SLICE_NOT_SENT");

    // Sent again, it is all there again.
    let (_, receipt) = send(&node).await;
    assert_eq!(receipt.outcome, outcome(3, 0, 0, 0));
    assert_eq!(value(&house, "t2").await, Some(Reading::Value(30.0)));
    house.close().await;
}

/// R-D15, R-D16: the node's clock says nothing, and each version is in the history.
#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_clock_alone_dates_what_happened() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    let (client, key) = (house.client(&node).await, signing_key(node.folder()));
    let keys = node.hub_keys().expect("keys");
    let first = honest(&node).await;
    // In the year 2200, then in 1970.
    let claimed = [7_258_118_400_000_000, 0];
    let mut documents = vec![forged(&first, |document| document.written_at_micros = claimed[0])];
    documents.push(forged(&first, |document| {
        document.written_at_micros = claimed[1];
        document.submission_id = vec![9; 16];
    }));
    let mut dates = Vec::new();
    for document in &documents {
        house.clock.advance(std::time::Duration::from_mins(7));
        let accepted = client.submit(document, &key.sign(document)).await.expect("taken");
        let receipt = accepted.receipt.verify(&keys).expect("authentic");
        assert_eq!(receipt.accepted_at, model::Clock::now(house.clock.as_ref()));
        dates.push(receipt.accepted_at);
    }
    let history = house.hub().store().history(&slice("trois", "2025")).await.expect("history");
    assert_eq!(history.iter().map(|version| version.changed_at).collect::<Vec<_>>(), dates);
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    let ids: Vec<Vec<u8>> = history.iter().map(|version| version.submission.as_bytes().to_vec()).collect();
    let sent = |document: &Vec<u8>| pb::SubmissionDocument::decode(document.as_slice()).expect("ours").submission_id;
    assert_eq!(ids, documents.iter().map(sent).collect::<Vec<_>>());
    let ledger = client.list(word(COMMUNE), 0).await.expect("the ledger");
    assert_eq!(ledger.head_sequence, 2);
    assert!(node::sync::sync(&node).await.expect("the chain holds").fetched);
    let kinds: Vec<DocumentKind> =
        node.store().ledger(word(COMMUNE)).await.expect("the ledger").iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [DocumentKind::Submission, DocumentKind::Submission]);
    house.close().await;
}

/// R-D21: seven, fewer than five, and not there: three states through a figure, a share and a sum.
#[tokio::test(flavor = "multi_thread")]
async fn shown_hidden_and_missing_stay_three_things() {
    let house = house().await;
    for (code, counts) in [("93001", [7, 40, 0]), ("93008", [3, 40, 0]), ("93010", [9, 40, 0])] {
        let node = commune(&house, code).await;
        put(node.folder().root(), "trois.csv", &people(&counts));
        let node = reopened(&house, node, &source("trois", "2025")).await;
        let document = honest(&node).await;
        let document = if code == "93010" {
            forged(&document, |document| {
                *figure(document, "t1") = Some(Figure::Missing(pb::MissingReason::NotYetAvailable.into()));
            })
        } else {
            document
        };
        house.client(&node).await.submit(&document, &signing_key(node.folder()).sign(&document)).await.expect("taken");
    }
    for indicator in ["t1", "t_part"] {
        let compared = house.compare(indicator, "2025", "").await.expect("a comparison");
        let of = |code: &str| {
            let row = compared.communes.iter().find(|row| row.territory == word(code)).expect("a row");
            (row.value.reading, row.value.suppressed)
        };
        let (seven, part) = (7.0, 100.0 * 7.0 / 47.0);
        let shown = if indicator == "t1" { seven } else { part };
        assert_eq!(of("93001"), (Reading::Value(shown), false), "{indicator}");
        let (Reading::Interval { low, high }, _) = of("93008") else { panic!("{indicator}: {:?}", of("93008")) };
        assert!(low <= 3.0 && high.is_some_and(|high| high - low >= 5.0), "{indicator}: {low}–{high:?}");
        assert_eq!(of("93010").0, Reading::Silence(Silence::NotYetAvailable), "{indicator}");
    }
    let group = house.compare("t1", "2025", "").await.expect("a comparison").group;
    assert_eq!(group.communes, 2, "who has no figure is no part of the sum");
    if let Reading::Value(value) = group.value.reading {
        panic!("a sum over something hidden reads {value}");
    }
    house.close().await;
}
