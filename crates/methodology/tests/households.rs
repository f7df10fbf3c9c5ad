//! The starter library's own aid table: households beside the rows that they are counted from.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{ConfidentialCell, ConfidentialCount, ConfidentialTable, Ledger, Quantity, SliceAttributes, protect};
use methodology::{ColumnRef, Table, Value, library};
use model::{Figure, IndicatorCode, Key, Period, Slice, Units};

/// One request: household, decision, kind of aid, composition, age, cents.
#[derive(Clone)]
struct Request {
    household: usize,
    codes: BTreeMap<&'static str, &'static str>,
    cents: Units,
}

fn count(table: &Table, requests: &[Request]) -> ConfidentialTable {
    let cells = table.scheme().cells().map(|(indicator, key)| {
        let measure = table.indicator(&indicator).and_then(|i| i.measure()).expect("a measure");
        let inside: Vec<&Request> = requests
            .iter()
            .filter(|request| {
                let code = |dimension: &str| request.codes[dimension];
                key.iter().all(|(d, c)| code(d.as_str()) == c.as_str())
                    && measure
                        .restriction
                        .codes
                        .iter()
                        .all(|(d, codes)| codes.iter().any(|c| c.as_str() == code(d.as_str())))
                    && measure.conditions.values().all(|condition| {
                        condition.holds(&|column| match column {
                            ColumnRef::Dimension(d) => Some(Value::Text(code(d.as_str()).to_owned())),
                            ColumnRef::Field(_) => None,
                        }) == Some(true)
                    })
            })
            .collect();
        let households = inside.iter().map(|r| r.household).collect::<BTreeSet<_>>().len();
        let paid = inside.iter().filter(|r| r.cents > 0).map(|r| r.household).collect::<BTreeSet<_>>().len();
        let units = |n: usize| Units::try_from(n).expect("few");
        let (value, contributors) = match measure.quantity {
            Quantity::Rows | Quantity::Weight { .. } => (units(inside.len()), households),
            Quantity::Distinct { .. } => (units(households), households),
            Quantity::Sum { .. } => (inside.iter().map(|r| r.cents).sum(), paid),
        };
        ConfidentialCell {
            indicator,
            key,
            value: ConfidentialCount::new(value),
            contributors: ConfidentialCount::new(units(contributors)),
            largest: ConfidentialCount::new(0),
            second: ConfidentialCount::new(0),
        }
    });
    ConfidentialTable::new(cells.collect())
}

/// What an intruder knows who reads two lines and adds: households ≤ requests, one where there is the other.
fn propagate(lines: &mut [Vec<(i64, i64)>; 2]) {
    for _ in 0..200 {
        for line in lines.iter_mut() {
            // Place 0 is the total of the others.
            let low: i64 = line[1..].iter().map(|i| i.0).sum();
            let high: i64 = line[1..].iter().map(|i| i.1).fold(0, i64::saturating_add);
            line[0] = (line[0].0.max(low), line[0].1.min(high));
            for k in 1..line.len() {
                let others_low = low - line[k].0;
                let others_high: i64 =
                    (1..line.len()).filter(|&o| o != k).map(|o| line[o].1).fold(0, i64::saturating_add);
                let low_k = line[0].0.saturating_sub(others_high);
                line[k] = (line[k].0.max(low_k), line[k].1.min(line[0].1 - others_low));
            }
        }
        let [households, requests] = lines;
        for (h, r) in households.iter_mut().zip(requests.iter_mut()) {
            h.1 = h.1.min(r.1);
            r.0 = r.0.max(h.0);
            if r.0 > 0 {
                h.0 = h.0.max(1);
            }
        }
    }
}

const KINDS: [&str; 6] = ["seul", "couple", "couple_enfants", "monoparental", "autre", "nr"];
/// No bound yet.
const HIDDEN: (i64, i64) = (0, i64::MAX / 8);

/// What follows for the aided households of each kind, from the protected table of a commune with so many of them and
/// so many granted requests; hidden ones only.
fn concluded(households: [usize; 6], requests: [usize; 6]) -> Vec<(&'static str, i64, i64)> {
    let packs = library();
    let (pack, table) = packs
        .iter()
        .find_map(|pack| Some((pack, pack.table(&"aides_facultatives".parse().ok()?)?)))
        .expect("the library has it");
    let mut all = Vec::new();
    let mut household = 0;
    for (k, kind) in KINDS.iter().enumerate() {
        for n in 0..requests[k] {
            let codes = [
                ("type_aide", "alimentaire"),
                ("decision", "accord"),
                ("type_menage", *kind),
                ("tranche_age", "25-39"),
            ];
            all.push(Request { household: household + n % households[k].max(1), codes: codes.into(), cents: 5_000 });
        }
        household += households[k];
        for _ in 0..20 {
            let codes =
                [("type_aide", "alimentaire"), ("decision", "refus"), ("type_menage", *kind), ("tranche_age", "25-39")];
            all.push(Request { household: 10_000 + all.len(), codes: codes.into(), cents: 0 });
        }
    }
    let slice = Slice {
        territory: "93066".parse().expect("a code"),
        pack: pack.code().clone(),
        table: table.code().clone(),
        period: Period::Year(2025),
    };
    let attributes = SliceAttributes {
        pack_version: pack.version().to_owned(),
        definition: table.definition_hash(),
        rule: table.rule_hash(),
    };
    let protected =
        protect(&count(table, &all), table.scheme(), slice, attributes, &Ledger::empty()).expect("protects");
    let figure = |indicator: &str, key: &Key| {
        let name: (IndicatorCode, Key) = (indicator.parse().expect("a code"), key.clone());
        match protected.table.cells()[&name].figure {
            Figure::Observed(value) => (value, value),
            _ => HIDDEN,
        }
    };
    let mut keys = vec![Key::total()];
    keys.extend(
        KINDS.iter().map(|kind| Key::total().with("type_menage".parse().expect("d"), kind.parse().expect("c"))),
    );
    let line = |indicator: &str| keys.iter().map(|key| figure(indicator, key)).collect::<Vec<_>>();
    let mut lines = [line("aidfac_menages"), line("aidfac_accords")];
    let shown = lines[0].clone();
    propagate(&mut lines);
    let hidden = (1..keys.len()).filter(|&k| shown[k] == HIDDEN);
    hidden.map(|k| (KINDS[k - 1], lines[0][k].0, lines[0][k].1)).collect()
}

/// One household of kind `autre`, with one request. Hidden with it: among households the 7 of `couple_enfants`, among
/// granted requests the 8 of `monoparental`, whose 8 households are shown. Totals leave 9 requests for `monoparental`
/// and `autre`, at least 8 of them of the former's households: at most one for `autre`. The pack's rule asks for a
/// width of five.
#[test]
fn households_stay_uncertain_beside_the_requests_they_are_counted_from() {
    for (kind, low, high) in concluded([60, 40, 7, 8, 1, 50], [60, 40, 20, 8, 1, 50]) {
        assert!(low >= 5 || high - low >= 5, "{kind}: anybody finds {low} to {high} households");
    }
}
