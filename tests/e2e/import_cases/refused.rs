//! What is wrong in one row, one name or one period refuses the whole delivery, and says where.

use std::collections::BTreeSet;

use model::FailureKind;
use statistics::Reading;
use wire::pb::submission::v1 as pb;
use wire::pb::submission::v1::cell::Figure;
use wire::status::Refused;

use super::{COMMUNE, commune, complaint, figure, honest, house, outcome, people, refused, reopened, source, value};
use crate::house::{put, send};
use crate::intruder::forged;

/// R-D9, R-D10, R-D18, R-D19: one bad row among good ones refuses the whole, and says where.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_refuses_the_whole_and_names_itself() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    send(&node).await;
    let number = house.hub().store().number().await.expect("the counter");

    put(node.folder().root(), "trois.csv", b"id;lieu\n1;l01\n2;l02\n1;l03\n");
    let (faults, told) = complaint(&node).await;
    assert_eq!(faults, 1);
    assert!(told.contains("ligne 4") && told.contains("ligne 2"), "both rows: {told}");

    put(node.folder().root(), "trois.csv", b"id;lieu\n1;l01\n2;\n3;\n");
    let (faults, told) = complaint(&node).await;
    assert_eq!(faults, 2);
    assert!(told.contains("ligne 3") && told.contains("ligne 4") && !told.contains("ligne 2"), "{told}");

    put(node.folder().root(), "trois.csv", b"id;lieu\n1;l01\n2;l02\n3;l99\n4;l01\n5;l02\n");
    let (faults, told) = complaint(&node).await;
    assert_eq!(faults, 1);
    assert!(told.contains("ligne 4") && told.contains("l99"), "{told}");

    // The same from a peer who does not run our software: a figure twice, and one that contradicts the others.
    put(node.folder().root(), "trois.csv", &people(&[14, 30, 46]));
    let document = honest(&node).await;
    let twice = forged(&document, |document| {
        let cells = &mut document.slices[0].series[0].cells;
        cells.push(cells[0].clone());
    });
    let told = refused(&house, &node, &twice).await;
    assert_eq!((told.reason.as_str(), told.kind), ("DOCUMENT_FIELD_INVALID", FailureKind::Invalid));
    assert!(told.detail.contains("slices[0].series[0].cells[1]: is the same as the one before it"), "{}", told.detail);
    let larger = forged(&document, |document| *figure(document, "t1") = Some(Figure::Observed(1_000)));
    let told = refused(&house, &node, &larger).await;
    assert_eq!(told.reason, "DISCLOSURE_CONFLICT");
    assert!(told.message.contains("sur 3"), "n of m: {}", told.message);
    assert!(told.message.contains(&told.conflicts[0].cause), "the first is quoted: {}", told.message);
    assert!(!told.message.contains("1000") && !told.detail.contains("1000"), "a value in {told:?}");

    for (indicator, expected) in [("t1", 20.0), ("t2", 30.0), ("t_ensemble", 90.0)] {
        assert_eq!(value(&house, indicator).await, Some(Reading::Value(expected)), "{indicator}");
    }
    assert_eq!(house.hub().store().number().await.expect("the counter"), number, "nothing was kept");
    house.close().await;
}

/// R-D11, R-D12, R-D20: whose, what and when are told apart, each with the row it is about.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_unit_indicator_or_time_each_has_its_code_and_its_row() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    let node = reopened(&house, node, &source("trois", "2025")).await;
    let document = honest(&node).await;
    let mut codes = BTreeSet::new();
    let mut first = |told: Refused| {
        let conflict = told.conflicts.first().expect("a conflict").clone();
        assert!(!conflict.cause.is_empty() && !conflict.cure.is_empty());
        assert!(codes.insert(conflict.code.clone()), "{} was said of something else", conflict.code);
        (conflict.code, conflict.row)
    };
    let said = |code: &str, row: &str| (code.to_owned(), row.to_owned());

    let foreign = forged(&document, |document| document.slices[0].territory = "93010".to_owned());
    let told = first(refused(&house, &node, &foreign).await);
    assert_eq!(told, said("TERRITORY_NOT_YOURS", "93010/cas/trois/2025"));

    let nameless = forged(&document, |document| document.slices[0].table = "quatre".to_owned());
    let told = first(refused(&house, &node, &nameless).await);
    assert_eq!(told, said("TABLE_UNKNOWN", "93008/cas/quatre/2025"));

    let unknown = forged(&document, |document| {
        let mut extra = document.slices[0].series[0].clone();
        extra.indicator = "zz_inconnu".to_owned();
        document.slices[0].series.push(extra);
    });
    let (code, row) = first(refused(&house, &node, &unknown).await);
    assert_eq!(code, "CELL_UNKNOWN");
    assert!(row.starts_with("93008/cas/trois/2025 zz_inconnu"), "{row}");

    let missing = forged(&document, |document| {
        document.slices[0].series.pop();
    });
    let (code, row) = first(refused(&house, &node, &missing).await);
    assert_eq!(code, "CELL_ABSENT");
    assert!(row.starts_with("93008/cas/trois/2025 t_ensemble"), "{row}");

    let early = forged(&document, |document| document.slices[0].period = "2027".to_owned());
    let told = first(refused(&house, &node, &early).await);
    assert_eq!(told, said("PERIOD_IN_FUTURE", "93008/cas/trois/2027"));

    let successor = commune(&house, "93066").await;
    let settings = source("trois", "2024").replace("[source.read]", "territory = \"93059\"\n[source.read]");
    let successor = reopened(&house, successor, &settings).await;
    let late = forged(&honest(&successor).await, |document| document.slices[0].period = "2025".to_owned());
    let told = first(refused(&house, &successor, &late).await);
    assert_eq!(told, said("TERRITORY_CEASED", "93059/cas/trois/2025"));
    house.close().await;
}

/// R-D13: a quarter and a year for a table of months are both named, at the node and at the hub.
#[tokio::test(flavor = "multi_thread")]
async fn periods_of_another_kind_are_all_named() {
    let house = house().await;
    let node = commune(&house, COMMUNE).await;
    put(node.folder().root(), "mensuel.csv", &people(&[20]));
    let wrong = [source("mensuel", "2012-Q2"), source("mensuel", "2012"), source("mensuel", "2012-06")].concat();
    let node = reopened(&house, node, &wrong).await;
    let (faults, told) = complaint(&node).await;
    assert_eq!(faults, 2);
    for part in ["« Table mensuel »", "période 2012-Q2", "période 2012 ", "mois (2025-06)"] {
        assert!(told.contains(part), "« {part} » is not in: {told}");
    }

    let node = reopened(&house, node, &source("mensuel", "2012-06")).await;
    let document = honest(&node).await;
    let wrong = forged(&document, |document| {
        let month = document.slices.remove(0);
        for period in ["2012", "2012-06", "2012-Q2"] {
            document.slices.push(pb::SliceContent { period: period.to_owned(), ..month.clone() });
        }
    });
    let told = refused(&house, &node, &wrong).await;
    assert_eq!((told.reason.as_str(), told.kind), ("PERIOD_NOT_POSSIBLE", FailureKind::Invalid));
    let named: Vec<(&str, &str)> =
        told.conflicts.iter().map(|conflict| (conflict.code.as_str(), conflict.row.as_str())).collect();
    let kind = "PERIOD_OF_ANOTHER_KIND";
    assert_eq!(named, [(kind, "93008/cas/mensuel/2012"), (kind, "93008/cas/mensuel/2012-Q2")]);

    // The control: the month itself.
    assert_eq!(send(&node).await.1.outcome, outcome(1, 0, 0, 0));
    house.close().await;
}
