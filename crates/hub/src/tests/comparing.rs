//! Comparing: hidden, missing, zero and silent are four things; the order is the alphabet's; sums only where sums are.

use std::collections::BTreeSet;

use disclosure::{Published, Received};
use model::{Figure, Flags, Key, MissingReason};
use statistics::{Reading, Silence};
use wire::pb::comparison::v1 as pb;
use wire::pb::comparison::v1::reading::Content;

use super::figures::*;
use super::importing::{filosofi, line};
use super::stage::*;
use crate::Hub;
use crate::compare::{Comparison, Question, ask as ask_the_hub};
use crate::visibility::Reader;

/// Accords of quarter B: three, hidden, and those of A with them.
const SMALL: Counts = [(40, 10), (3, 10), (30, 20)];
const HIDDEN: &[(&str, &str)] = &[("accords", "A"), ("accords", "B")];
/// Accords of quarter B: none at all.
const NONE: Counts = [(40, 10), (0, 10), (30, 20)];

fn at(quarter: &str) -> Key {
    Key::total().with("quartier".parse().expect("a code"), quarter.parse().expect("a code"))
}

pub(super) async fn ask(hub: &Hub, indicator: &str, key: Key) -> Comparison {
    let indicator = indicator.parse().expect("a code");
    let period = "2025".parse().expect("a period");
    let question = Question { indicator, period, key, pack: None };
    hub.compare(&Reader::coordination(), &question).await.expect("compares")
}

pub(super) fn readings(comparison: &Comparison) -> Vec<(&str, Reading)> {
    comparison.communes.iter().map(|row| (row.name.as_str(), row.value.reading)).collect()
}

fn without_accords(mut figures: Received) -> Received {
    for ((indicator, _), published) in &mut figures.cells {
        if indicator.as_str() == "accords" {
            let figure = Figure::Missing(MissingReason::NotCollected);
            *published = Published { figure, flags: Flags::default() };
        }
    }
    figures
}

/// Plain figures, hidden ones, a zero, missing ones, none sent, some withdrawn.
async fn six_communes() -> Stage {
    let stage = Stage::new().await;
    let figures = |code: &str, counts, hidden| received(&pack(), code, "2025", counts, hidden);
    for (id, table) in [
        (1, figures("93066", PLAIN, &[])),
        (2, figures("93031", SMALL, HIDDEN)),
        (3, figures("93001", NONE, &[])),
        (4, without_accords(figures("93008", PLAIN, &[]))),
    ] {
        let node = stage.join(table.slice.territory.as_str()).await;
        node.submit(id, &[table]).await.expect("accepted");
    }
    stage.join("93070").await;
    let gone = stage.join("93048").await;
    let table = figures("93048", PLAIN, &[]);
    gone.submit(5, std::slice::from_ref(&table)).await.expect("accepted");
    gone.withdraw(6, BTreeSet::from([table.slice])).await.expect("takes back");
    stage
}

#[tokio::test]
async fn zero_hidden_missing_and_silent_are_told_apart_in_alphabetical_order() {
    let stage = six_communes().await;
    let accords = ask(&stage.hub, "accords", at("B")).await;
    let [zero, missing, hidden, gone, plain, silent] = readings(&accords)[..] else {
        panic!("six communes: {accords:?}");
    };
    assert_eq!(zero, ("Aubervilliers", Reading::Value(0.0)));
    assert_eq!(missing, ("Bobigny", Reading::Silence(Silence::NotCollected)));
    assert_eq!(gone, ("Montreuil", Reading::Silence(Silence::Withdrawn)));
    assert_eq!(plain, ("Saint-Denis", Reading::Value(20.0)));
    assert_eq!(silent.1, Reading::Silence(Silence::NotReceived));
    let ("Épinay-sur-Seine", Reading::Interval { low, high: Some(high) }) = hidden else {
        panic!("hidden: {hidden:?}");
    };
    assert!(low <= 3.0 && 3.0 <= high && high - low >= 5.0, "the truth, and doubt about it: {low} to {high}");
    let suppressed: Vec<bool> = accords.communes.iter().map(|row| row.value.suppressed).collect();
    assert_eq!(suppressed, [false, false, true, false, false, false]);

    // Hidden is neither zero nor left out: 0 + 20 + {low to high}.
    assert_eq!((accords.group.name.as_str(), accords.group.communes), ("groupe des 3 communes", 3));
    assert_eq!(accords.group.value.reading, Reading::Interval { low: low + 20.0, high: Some(high + 20.0) });
    assert!(accords.group.value.suppressed);
    assert!(accords.communes.iter().all(|row| row.difference.is_none()), "a count minus a sum says nothing");
}

#[tokio::test]
async fn a_ratio_is_the_sum_over_the_sum_and_stays_between_its_limits() {
    let stage = six_communes().await;
    let taux = ask(&stage.hub, "taux", Key::total()).await;
    let aubervilliers = &taux.communes[0];
    assert_eq!(aubervilliers.value.reading, Reading::Value(100.0 * 70.0 / 110.0));
    assert_eq!(aubervilliers.numerator.map(|n| n.reading), Some(Reading::Value(70.0)));
    assert_eq!(aubervilliers.denominator.map(|d| d.reading), Some(Reading::Value(110.0)));
    // 70 + 73 + 90 accords of 110 + 113 + 130 requests: Bobigny, without accords, is in neither.
    let group = 100.0 * 233.0 / 353.0;
    assert_eq!(taux.group.value.reading, Reading::Value(group));
    assert_eq!(taux.group.communes, 3);
    assert_eq!(aubervilliers.difference.map(|d| d.reading), Some(Reading::Value(100.0 * 70.0 / 110.0 - group)));
    assert_eq!(taux.communes[1].difference, None);

    let hidden = ask(&stage.hub, "taux", at("B")).await;
    let row = &hidden.communes[2];
    let Reading::Interval { low, high: Some(high) } = row.value.reading else { panic!("hidden: {row:?}") };
    let truth = 100.0 * 3.0 / 13.0;
    assert!(low <= truth && truth <= high && high <= 100.0, "{low} to {high}");
    assert!(row.value.suppressed);
    let group = 100.0 * (0.0 + 3.0 + 20.0) / (10.0 + 13.0 + 30.0);
    assert!(hidden.group.value.reading.contains(group));
    assert!(row.difference.expect("both are numbers").reading.contains(truth - group));
}

#[tokio::test]
async fn what_does_not_add_up_is_not_added_up() {
    let stage = six_communes().await;
    let households = ask(&stage.hub, "menages", Key::total()).await;
    assert_eq!(households.group.value.reading, Reading::Silence(Silence::NotAdditive));
    assert!(households.group.reason.as_deref().expect("says why").contains("ne s’additionne pas"));
    assert_eq!(households.communes[0].value.reading, Reading::Value(110.0), "each commune's own is shown");
    assert!(households.heading.fictional);
}

#[tokio::test]
async fn a_question_that_has_no_answer_says_what_could_be_asked() {
    let stage = Stage::new().await;
    let client = stage.coordinator().await;
    let question = |indicator: &str, key: &[(&str, &str)], pack: &str| pb::CompareRequest {
        indicator: indicator.into(),
        period: "2025".into(),
        key: key.iter().map(|(d, c)| pb::Coordinate { dimension: (*d).to_owned(), code: (*c).to_owned() }).collect(),
        pack: pack.into(),
    };
    for (question, expected, told) in [
        (question("inconnu", &[], ""), "INDICATOR_UNKNOWN", "demandes"),
        (question("demandes", &[], "autre"), "INDICATOR_UNKNOWN", "aucun indicateur"),
        (question("demandes", &[("decision", "refus")], ""), "BREAKDOWN_UNKNOWN", "quartier"),
        (question("menages", &[("quartier", "A")], ""), "BREAKDOWN_UNKNOWN", "total"),
        (question("demandes", &[("quartier", "Z")], ""), "CODE_UNKNOWN", "A, B, C"),
        (question("demandes", &[("quartier", "A"), ("quartier", "B")], ""), "REQUEST_MALFORMED", ""),
        (question("a b", &[], ""), "REQUEST_MALFORMED", ""),
        (pb::CompareRequest { period: "2025-T1".into(), ..question("demandes", &[], "") }, "REQUEST_MALFORMED", ""),
    ] {
        let refused = refusal(client.compare(question).await);
        assert_eq!(refused.reason, expected);
        assert!(refused.message.contains(told), "{}", refused.message);
    }
    let empty = client.compare(question("demandes", &[], "essai")).await.expect("nobody sent anything");
    let group = empty.group.expect("always there");
    assert_eq!((empty.communes.len(), group.communes, group.name.as_str()), (0, 0, "aucune commune"));
    assert!(!group.reason.is_empty());
}

#[tokio::test]
async fn the_wire_says_the_same_as_the_use_case() {
    let stage = six_communes().await;
    let request = pb::CompareRequest {
        indicator: "accords".into(),
        period: "2025".into(),
        key: vec![pb::Coordinate { dimension: "quartier".into(), code: "B".into() }],
        pack: "essai".into(),
    };
    let answer = stage.coordinator().await.compare(request).await.expect("compares");
    let contents: Vec<_> =
        answer.communes.iter().map(|row| row.value.and_then(|value| value.content).expect("always one")).collect();
    let asked = Question {
        indicator: "accords".parse().expect("a code"),
        period: "2025".parse().expect("a period"),
        key: at("B"),
        pack: None,
    };
    let read = ask_the_hub(&stage.coordinator, &asked, stage.shared_clock()).await.expect("compares");
    assert_eq!(read, ask(&stage.hub, "accords", at("B")).await, "both ends say the same");
    assert_eq!(contents[0], Content::Value(0.0));
    assert_eq!(contents[1], Content::Silence(pb::Silence::NotCollected.into()));
    assert!(matches!(contents[2], Content::Interval(pb::Interval { high: Some(_), .. })));
    assert_eq!(contents[3], Content::Silence(pb::Silence::Withdrawn.into()));
    assert_eq!(contents[5], Content::Silence(pb::Silence::NotReceived.into()));
    let heading = answer.heading.expect("always there");
    assert_eq!((heading.unit.as_str(), heading.fictional, heading.table.as_str()), ("accords", true, "suivi"));
    assert_eq!(heading.definition_hash, table(&pack()).definition_hash().as_bytes());
}

#[tokio::test]
async fn figures_of_a_former_definition_are_not_put_beside_new_ones() {
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
    stage.restart(vec![pack_asking("1.1.0", "decision = 'refus'")]).await;
    let accords = ask(&stage.hub, "accords", Key::total()).await;
    assert_eq!(readings(&accords), [("Saint-Denis", Reading::Silence(Silence::NotAdditive))]);
    assert_eq!(accords.group.communes, 0);
    // Another threshold asks the same question.
    stage.restart(vec![pack_with("1.2.0", 7)]).await;
    let accords = ask(&stage.hub, "accords", Key::total()).await;
    assert_eq!(readings(&accords), [("Saint-Denis", Reading::Value(90.0))]);
}

/// `demandes` read beside the households that a producer publishes.
fn beside_households() -> methodology::Pack {
    let mut files = pack().files().clone();
    let path = "tables/suivi.toml";
    let text = String::from_utf8(files[path].clone()).expect("UTF-8");
    let reference = "[indicator.reference]\ndenominator = \"public:insee-filosofi/menages_fiscaux\"\nper = 1000\ndecimals = 1\n[indicator.measure]";
    files.insert(path.to_owned(), text.replacen("[indicator.measure]", reference, 1).into_bytes());
    let front = String::from_utf8(files["pack.toml"].clone()).expect("UTF-8").replace("1.0.0", "1.0.1");
    files.insert("pack.toml".to_owned(), front.into_bytes());
    methodology::Pack::parse(&files).expect("a pack")
}

#[tokio::test]
async fn a_measure_is_read_beside_the_public_figure_that_its_definition_names() {
    let mut stage = six_communes().await;
    stage.restart(vec![beside_households()]).await;
    let without = ask(&stage.hub, "demandes", Key::total()).await;
    assert!(without.reference.is_none() && without.communes.iter().all(|row| row.rate.is_none()), "no file yet");

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("filosofi.csv");
    let lines =
        [line("93066", "1300", "1"), line("93031", "500", "1"), line("93001", "2000", "1"), line("93008", "0", "s")];
    std::fs::write(&path, filosofi(&lines)).expect("writes");
    let plan = stage.hub.plan_import(&path, false, std::sync::Arc::new(|_, _| ())).await.expect("reads");
    stage.hub.import_public(plan, "Awa Diallo", false).await.expect("imports");

    let found = ask(&stage.hub, "demandes", Key::total()).await;
    let reference = found.reference.as_ref().expect("the hub has the file now");
    assert_eq!((reference.per, reference.period.to_string().as_str()), (1000, "2019"));
    assert!(
        reference.column().starts_with("Pour 1\u{202f}000 (") && reference.sentence().contains("2019"),
        "{}",
        reference.sentence()
    );
    let rate = |code: &str| {
        let row = found.communes.iter().find(|row| row.territory.as_str() == code).expect("asked");
        row.rate.map(|rate| rate.reading)
    };
    // 130 requests of 1 300 households, 113 of 500, 110 of 2 000; none by the producer where it says nothing.
    assert_eq!(rate("93066"), Some(Reading::Value(100.0)));
    assert_eq!(rate("93031"), Some(Reading::Value(226.0)));
    assert_eq!(rate("93001"), Some(Reading::Value(55.0)));
    assert_eq!(rate("93048"), None, "withdrawn");
    // Bobigny sent figures and has no household of the producer's: a sum over the others would be of other communes.
    assert_eq!(rate("93008"), Some(Reading::Silence(Silence::ZeroDenominator)));
    let place = ask(&stage.hub, "demandes", at("B")).await;
    assert!(place.reference.is_none(), "a public figure of the whole commune says nothing of a part");
    let asked = Question {
        indicator: "demandes".parse().expect("a code"),
        period: "2025".parse().expect("a period"),
        key: Key::total(),
        pack: None,
    };
    let read = ask_the_hub(&stage.coordinator, &asked, stage.shared_clock()).await.expect("compares");
    assert_eq!(read, found, "both ends say the same");
}
