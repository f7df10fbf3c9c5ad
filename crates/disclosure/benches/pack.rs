//! A commune's own path at the size of a whole pack: `protect` from confidential figures, `admit` from visible ones.
//!
//! Invented people of a town, forty indicators about them with two or three breakdowns each, some 5 000 cells. A second
//! push of corrected figures follows, with the first one in the ledger. Prints processor seconds and, where the system
//! tells, the most memory that was held.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use disclosure::attack::admit;
use disclosure::{
    ConfidentialCell, ConfidentialCount, ConfidentialTable, Ledger, MeasureScheme, Protection, Quantity, Reason,
    Received, Restriction, Rule, SafeTable, SliceAttributes, TableScheme, Zeros, protect,
};
use model::{Code, Decimals, DefinitionHash, DimensionCode, IndicatorCode, Key, Period, RuleHash, Slice, Units};

fn code<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is a valid code"))
}

/// Numbers that look drawn, the same every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % n
    }
}

const AGES: usize = 18;
const AREAS: usize = 20;
const HELPS: usize = 12;
const TENURES: usize = 6;

fn dimensions() -> BTreeMap<DimensionCode, Vec<Code>> {
    let list = |prefix: &str, n: usize| (0..n).map(|i| code(&format!("{prefix}{i:02}"))).collect();
    [
        (code("age"), list("a", AGES)),
        (code("sexe"), vec![code("F"), code("H")]),
        (code("zone"), list("z", AREAS)),
        (code("aide"), list("h", HELPS)),
        (code("logement"), list("t", TENURES)),
    ]
    .into()
}

fn breakdowns(sets: &[&[&str]]) -> BTreeSet<BTreeSet<DimensionCode>> {
    sets.iter().map(|set| set.iter().map(|d| code(d)).collect()).collect()
}

fn measure(indicator: &str, conditions: &[&str], sets: &[&[&str]]) -> MeasureScheme {
    MeasureScheme {
        indicator: code(indicator),
        quantity: Quantity::Rows,
        restriction: Restriction {
            codes: BTreeMap::new(),
            conditions: conditions.iter().map(|&condition| condition.to_owned()).collect(),
        },
        breakdowns: breakdowns(sets),
        protection: Protection::Here(Rule { threshold: 5, zeros: Zeros::Publish, width: 5 }),
        decimals: Decimals::NONE,
    }
}

/// Forty indicators: everybody, ten filters, filters within these, and how many different households.
fn pack(filters: usize) -> Vec<MeasureScheme> {
    const SETS: [&[&[&str]]; 4] = [
        &[&["age", "sexe"], &["zone"], &["aide"]],
        &[&["zone", "logement"], &["age"]],
        &[&["aide", "sexe"], &["zone"], &["age"]],
        &[&["zone", "sexe"], &["aide"], &["logement"]],
    ];
    let all: &[&[&str]] =
        &[&["age", "sexe"], &["zone", "logement"], &["aide", "sexe"], &["zone", "sexe"], &["age", "logement"]];
    let mut measures = vec![measure("p", &[], all)];
    for filter in 0..filters {
        let c = format!("c{filter}");
        let sets = SETS[filter % 4];
        measures.push(measure(&format!("p_{filter:02}"), &[&c], sets));
        if filter > 0 {
            let inner = format!("c{}", filter - 1);
            measures.push(measure(&format!("p_{filter:02}_b"), &[&c, &inner], sets));
        }
        let mut households = measure(&format!("m_{filter:02}"), &[&c], SETS[(filter + 1) % 4]);
        households.quantity = Quantity::Distinct { column: "menage".into() };
        measures.push(households);
    }
    measures
}

struct Person {
    codes: BTreeMap<DimensionCode, Code>,
    conditions: BTreeSet<String>,
    household: usize,
}

fn town(people: usize, filters: usize, seed: u64) -> Vec<Person> {
    let mut draw = Draw(seed);
    let lists = dimensions();
    let sizes: BTreeMap<&DimensionCode, usize> = lists.iter().map(|(d, list)| (d, list.len())).collect();
    let mut codes = BTreeMap::new();
    (0..people)
        .map(|person| {
            if person % 2 == 0 {
                // The smaller of two draws: few have the last codes. A household is counted where it is, as a whole.
                let drawn = lists
                    .iter()
                    .map(|(d, list)| (d.clone(), list[draw.below(sizes[d]).min(draw.below(sizes[d]))].clone()));
                codes = drawn.collect();
            }
            let conditions =
                (0..filters).filter(|&filter| draw.below(2 + filter) == 0).map(|filter| format!("c{filter}")).collect();
            Person { codes: codes.clone(), conditions, household: person / 2 }
        })
        .collect()
}

fn tabulate(scheme: &TableScheme, people: &[Person]) -> ConfidentialTable {
    let mut sums: BTreeMap<(IndicatorCode, Key), (Units, BTreeSet<usize>)> =
        scheme.cells().map(|name| (name, (0, BTreeSet::new()))).collect();
    for person in people {
        for measure in scheme.measures().iter().filter(|m| m.restriction.conditions.is_subset(&person.conditions)) {
            for breakdown in &measure.breakdowns {
                let key: Key = breakdown.iter().map(|d| (d.clone(), person.codes[d].clone())).collect();
                if let Some((rows, households)) = sums.get_mut(&(measure.indicator.clone(), key)) {
                    *rows += 1;
                    households.insert(person.household);
                }
            }
        }
    }
    let cells = sums.into_iter().map(|((indicator, key), (rows, households))| {
        let distinct = scheme.measure(&indicator).is_some_and(|m| matches!(m.quantity, Quantity::Distinct { .. }));
        let units = Units::try_from(households.len()).unwrap_or(Units::MAX);
        ConfidentialCell {
            indicator,
            key,
            value: ConfidentialCount::new(if distinct { units } else { rows }),
            contributors: ConfidentialCount::new(units),
            largest: ConfidentialCount::new(0),
            second: ConfidentialCount::new(0),
        }
    });
    ConfidentialTable::new(cells.collect())
}

fn attributes() -> SliceAttributes {
    SliceAttributes {
        pack_version: "1.0.0".into(),
        definition: DefinitionHash::from_bytes([1; 32]),
        rule: RuleHash::from_bytes([1; 32]),
    }
}

fn slice() -> Slice {
    Slice { territory: code("93066"), pack: code("p"), table: code("t"), period: Period::Year(2025) }
}

fn received(table: &SafeTable) -> Received {
    Received { slice: table.slice().clone(), attributes: table.attributes().clone(), cells: table.cells().clone() }
}

/// Processor seconds of this process; no number where the system does not tell.
fn seconds() -> f64 {
    let spent = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| {
        let after = stat.rsplit_once(')')?.1.to_owned();
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    });
    spent.unwrap_or(f64::NAN)
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| {
        let kilobytes: u64 = rest.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(format!("{} MB", kilobytes / 1024))
    });
    peak.unwrap_or_else(|| "?".to_owned())
}

fn one(name: &str, measures: Vec<MeasureScheme>, people: usize, filters: usize) {
    let scheme = TableScheme::new(dimensions(), measures).expect("a valid scheme");
    let table = tabulate(&scheme, &town(people, filters, 11));
    let corrected = tabulate(&scheme, &town(people + people / 200, filters, 11));
    let mut last = seconds();
    let mut lap = || {
        let now = seconds();
        let spent = now - last;
        last = now;
        spent
    };
    let empty =
        admit(Received { slice: slice(), attributes: attributes(), cells: BTreeMap::new() }, &scheme, &Ledger::empty());
    assert!(empty.is_err());
    let relations = lap();
    let first = match protect(&table, &scheme, slice(), attributes(), &Ledger::empty()) {
        Ok(first) => first,
        Err(error) => {
            println!("| {name} | {} cells | {error} after {:.2} s", scheme.cells().count(), lap());
            return;
        }
    };
    let protected = lap();
    let sent = received(&first.table);
    admit(sent.clone(), &scheme, &Ledger::empty()).expect("what is protected is admitted");
    let admitted = lap();
    let mut ledger = Ledger::empty();
    ledger.record(sent);
    let second = protect(&corrected, &scheme, slice(), attributes(), &ledger);
    let again = lap();
    let second = second.map_or_else(
        |error| error.to_string(),
        |p| format!("{} + {}", p.report.count(Reason::Primary), p.report.count(Reason::Secondary)),
    );
    println!(
        "| {name} | {} | {} + {} | {relations:.2} | {protected:.2} | {admitted:.2} | {again:.2} ({second}) | {} |",
        scheme.cells().count(),
        first.report.count(Reason::Primary),
        first.report.count(Reason::Secondary),
        memory(),
    );
}

fn main() {
    println!("| pack | cells | primary + secondary | relations s | protect s | admit s | correction s | memory |");
    println!("|---|---|---|---|---|---|---|---|");
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|one| name.contains(one.as_str()));
    for (name, filters, people) in [("small", 3, 8_000), ("half", 7, 20_000), ("town", 14, 40_000)] {
        if wanted(name) {
            one(name, pack(filters), people, filters);
        }
    }
    // Every pair of four dimensions: margins of one table of 8 640 cells.
    let pairs: &[&[&str]] = &[
        &["age", "sexe"],
        &["age", "zone"],
        &["age", "aide"],
        &["sexe", "zone"],
        &["sexe", "aide"],
        &["zone", "aide"],
    ];
    if wanted("crossed") {
        one("crossed", vec![measure("p", &[], pairs)], 40_000, 0);
    }
    let three: &[&[&str]] = &[&["age", "sexe"], &["age", "zone"], &["sexe", "zone"]];
    if wanted("three") {
        one("three", vec![measure("p", &[], three)], 8_000, 0);
    }
}
