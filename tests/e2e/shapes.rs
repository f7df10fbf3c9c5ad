//! Every shape of definition, from a commune's rows to a comparison: the figures of the node are those of the hub.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use methodology::Pack;
use statistics::Reading;

use crate::house::{House, on_both, send};

const SETTINGS: &str = r#"
[[source]]
pack = "formes"
table = "demandes"
period = "2025"
[source.read]
file = "demandes.csv"
"#;

/// The pack whose worked examples were found by hand.
fn pack() -> Pack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/methodology/tests/shapes");
    let names = [
        "pack.toml",
        "tables/demandes.toml",
        "tables/demandes.schema.json",
        "tables/conditions.toml",
        "tables/conditions.schema.json",
        "golden/demandes.toml",
        "golden/conditions.toml",
    ];
    let files: BTreeMap<String, Vec<u8>> = names
        .iter()
        .map(|name| ((*name).to_owned(), std::fs::read(root.join(name)).expect("part of the pack")))
        .collect();
    Pack::parse(&files).expect("a pack")
}

struct Request {
    household: u32,
    aid: &'static str,
    granted: bool,
    urgent: bool,
    cents: Option<u32>,
    month: u32,
    age: u32,
    agent: u32,
}

/// So many requests, two of each household; `ages` in turn.
fn requests(number: u32, ages: &[u32]) -> Vec<Request> {
    let age = |household: u32| ages[usize::try_from(household).expect("few") % ages.len()];
    let household = |i: u32| i / 2;
    let request = |i: u32| Request {
        household: household(i),
        aid: ["A", "B", "C"][usize::try_from(i % 3).expect("below three")],
        granted: !i.is_multiple_of(4),
        urgent: i % 5 < 2,
        cents: (!i.is_multiple_of(4)).then_some(6_000 + 500 * (i % 7)),
        month: 1 + i % 12,
        age: age(household(i)),
        agent: i % 12,
    };
    (0..number).map(request).collect()
}

fn file(requests: &[Request]) -> Vec<u8> {
    let mut text = "id;menage;aide;decision;urgent;montant;poids;jour;age;agent\n".to_owned();
    for (i, one) in requests.iter().enumerate() {
        let Request { household, aid, granted, urgent, cents, month, age, agent } = one;
        let decision = if *granted { "accord" } else { "refus" };
        let amount = cents.map_or_else(String::new, |cents| format!("{},{:02}", cents / 100, cents % 100));
        let urgent = if *urgent { "oui" } else { "non" };
        let _ = writeln!(
            text,
            "d{i};m{household};{aid};{decision};{urgent};{amount};1,25;15/{month:02}/2025;{age};a{agent}"
        );
    }
    text.into_bytes()
}

fn count(requests: &[Request], of: impl Fn(&Request) -> bool) -> f64 {
    f64::from(u32::try_from(requests.iter().filter(|one| of(one)).count()).expect("few"))
}

fn different(requests: &[Request], of: impl Fn(&Request) -> Option<u32>) -> f64 {
    f64::from(u32::try_from(requests.iter().filter_map(of).collect::<BTreeSet<_>>().len()).expect("few"))
}

/// By the textbook, over the four classes of the pack; the last is never the middle one here.
fn median(requests: &[Request]) -> f64 {
    let classes = [(0.0, 18.0), (18.0, 60.0), (60.0, 75.0)];
    let half = count(requests, |_| true) / 2.0;
    let mut below = 0.0;
    for (from, to) in classes {
        let inside = count(requests, |one| from <= f64::from(one.age) && f64::from(one.age) < to);
        if below + inside > half {
            return from + (half - below) / inside * (to - from);
        }
        below += inside;
    }
    panic!("the middle is in the last class")
}

/// What a person would find who has the rows.
fn by_hand(all: &[Request]) -> Vec<(&'static str, &'static str, f64)> {
    let lines = count(all, |_| true);
    let granted = count(all, |one| one.granted);
    let cents: f64 = all.iter().filter_map(|one| one.cents).map(f64::from).sum();
    let households = different(all, |one| Some(one.household));
    vec![
        ("lignes", "", lines),
        ("lignes", "aide=A;decision=accord", count(all, |one| one.aid == "A" && one.granted)),
        ("lignes", "tranche=t1", count(all, |one| (18..60).contains(&one.age))),
        ("code", "", count(all, |one| one.aid == "A")),
        ("liste", "", count(all, |one| one.aid != "B")),
        ("sauf", "", count(all, |one| one.aid != "C")),
        ("oui", "", count(all, |one| one.urgent)),
        ("nombre", "", count(all, |one| one.cents.is_some_and(|cents| cents > 7_500))),
        ("dates", "", count(all, |one| one.month <= 6)),
        ("vide", "", count(all, |one| one.cents.is_none())),
        ("accords", "", granted),
        ("menages", "", households),
        ("menages_accord", "", different(all, |one| one.granted.then_some(one.household))),
        ("agents", "", different(all, |one| Some(one.agent))),
        ("montant", "", cents / 100.0),
        ("poids", "", lines * 1.25),
        ("poids_accord", "", granted * 1.25),
        ("part", "", 100.0 * granted / lines),
        ("moyenne", "", cents / 100.0 / granted),
        ("part_ponderee", "", 100.0 * granted / lines),
        ("pour_mille", "", 1000.0 * households / lines),
        ("mediane", "", median(all)),
    ]
}

/// One commune with as many of each kind as one likes, another with other ages, a third with few in a class.
#[tokio::test]
async fn what_the_node_counted_is_what_the_hub_compares() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let communes = [
            ("93066", requests(240, &[10, 30, 65, 80])),
            ("93001", requests(360, &[10, 30, 40, 65, 80])),
            (
                "93008",
                [requests(240, &[10, 30, 65]), requests(242, &[80]).split_off(240)].into_iter().flatten().collect(),
            ),
        ];
        for (commune, requests) in &communes {
            let node = house.commune(commune, SETTINGS, &[("demandes.csv", &file(requests))]).await;
            send(&node).await;
            node.close().await;
        }
        for (commune, requests) in &communes[..2] {
            for (indicator, place, expected) in by_hand(requests) {
                let read = house.reading(indicator, "2025", place, commune).await;
                if indicator.contains("poids_") || indicator.contains("ponderee") {
                    // Nobody says how much of a weight one household has: what is refused might be of few, and is hidden.
                    assert!(read.is_some_and(|read| read.contains(expected)), "{indicator} of {commune}: {read:?}");
                    continue;
                }
                let Some(Reading::Value(value)) = read else { panic!("{indicator} {place} of {commune}: {read:?}") };
                assert!(
                    (value - expected).abs() <= 1e-9 * expected.abs(),
                    "{indicator} {place} of {commune}: {value}, {expected}"
                );
            }
        }
        // Two requests of people of 75 and more are hidden, and others with them; the median is in doubt, and in it.
        let few = &communes[2].1;
        let read = house.reading("mediane", "2025", "", "93008").await.expect("it sent something");
        assert!(matches!(read, Reading::Interval { .. }), "{read:?}");
        assert!(read.contains(median(few)), "{read:?} holds not {}", median(few));

        let group = house.compare("mediane", "2025", "").await.expect("compares").group;
        let all: Vec<Request> = communes.into_iter().flat_map(|(_, requests)| requests).collect();
        assert!(group.value.reading.contains(median(&all)) && group.value.suppressed, "{:?}", group.value);
        assert_eq!(group.communes, 3);
        house.close().await;
    })
    .await;
}
