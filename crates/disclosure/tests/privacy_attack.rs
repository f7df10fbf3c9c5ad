//! Ways around the door, each with numbers: what an outsider can still compute from tables that are let in.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use disclosure::attack::{admit, bounds};
use disclosure::{
    ConfidentialCell, ConfidentialCount, ConfidentialTable, Ledger, MeasureScheme, Protection, Published, Quantity,
    Received, Restriction, Rule, SafeTable, SliceAttributes, TableScheme, Zeros, protect,
};
use model::{Decimals, DefinitionHash, Figure, Flags, IndicatorCode, Key, Period, RuleHash, Slice, Units};

type Codes<'a> = &'a [(&'a str, &'a str)];

fn code<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is a valid code"))
}

fn key(codes: Codes<'_>) -> Key {
    codes.iter().map(|(dimension, c)| (code(dimension), code(c))).collect()
}

fn rows(indicator: &str, breakdowns: &[&[&str]], threshold: u32, width: Units) -> MeasureScheme {
    MeasureScheme {
        indicator: code(indicator),
        quantity: Quantity::Rows,
        restriction: Restriction::default(),
        breakdowns: breakdowns.iter().map(|axes| axes.iter().map(|d| code(d)).collect()).collect(),
        protection: Protection::Here(Rule { threshold, zeros: Zeros::Publish, width }),
        decimals: Decimals::NONE,
    }
}

fn scheme(dimensions: &[(&str, &[&str])], measures: Vec<MeasureScheme>) -> TableScheme {
    let dimensions = dimensions.iter().map(|(d, codes)| (code(d), codes.iter().map(|c| code(c)).collect())).collect();
    TableScheme::new(dimensions, measures).expect("a valid scheme")
}

fn attributes(version: u8) -> SliceAttributes {
    SliceAttributes {
        pack_version: format!("{version}.0.0"),
        definition: DefinitionHash::from_bytes([version; 32]),
        rule: RuleHash::from_bytes([version; 32]),
    }
}

fn slice() -> Slice {
    Slice { territory: code("93066"), pack: code("p"), table: code("t"), period: Period::Year(2025) }
}

/// Every cell of `scheme` from the figures of its finest cells, `per_row` units each.
fn cells(scheme: &TableScheme, finest: &[(Codes<'_>, Units)]) -> BTreeMap<(IndicatorCode, Key), (Units, Units)> {
    let inside = |cell: &Key, outer: &Key| outer.iter().all(|pair| cell.iter().any(|own| own == pair));
    scheme
        .cells()
        .map(|name| {
            let measure = scheme.measure(&name.0).expect("its own measure");
            let count: Units =
                finest.iter().filter(|(codes, _)| inside(&key(codes), &name.1)).map(|(_, count)| count).sum();
            let value = match measure.quantity {
                Quantity::Weight { .. } => count * measure.decimals.one() * 5 / 4,
                Quantity::Rows | Quantity::Distinct { .. } | Quantity::Sum { .. } => count,
            };
            (name, (value, count))
        })
        .collect()
}

fn shown(scheme: &TableScheme, version: u8, finest: &[(Codes<'_>, Units)], hidden: &[(&str, Codes<'_>)]) -> Received {
    let hidden: BTreeSet<(IndicatorCode, Key)> = hidden.iter().map(|(i, codes)| (code(i), key(codes))).collect();
    let figure = |name: &(IndicatorCode, Key), value| {
        if hidden.contains(name) { Figure::Suppressed } else { Figure::Observed(value) }
    };
    let cells = cells(scheme, finest)
        .into_iter()
        .map(|(name, (value, _))| {
            let figure = figure(&name, value);
            (name, Published { figure, flags: Flags::default() })
        })
        .collect();
    Received { slice: slice(), attributes: attributes(version), cells }
}

fn confidential(scheme: &TableScheme, finest: &[(Codes<'_>, Units)]) -> ConfidentialTable {
    let cell = |((indicator, key), (value, count))| ConfidentialCell {
        indicator,
        key,
        value: ConfidentialCount::new(value),
        contributors: ConfidentialCount::new(count),
        largest: ConfidentialCount::new(0),
        second: ConfidentialCount::new(0),
    };
    ConfidentialTable::new(cells(scheme, finest).into_iter().map(cell).collect())
}

fn received(table: &SafeTable) -> Received {
    Received { slice: table.slice().clone(), attributes: table.attributes().clone(), cells: table.cells().clone() }
}

fn remembering(versions: &[&Received]) -> Ledger {
    let mut ledger = Ledger::empty();
    for version in versions {
        ledger.record((*version).clone());
    }
    ledger
}

/// Whether somebody who takes hidden cells for unchanged finds `cell` to less than `width`.
fn narrow(scheme: &TableScheme, versions: &[&Received], cell: (&str, Codes<'_>), width: i128) -> bool {
    let bounds = bounds(scheme, versions).expect("consistent");
    let interval = bounds.cells[&(code(cell.0), key(cell.1))];
    interval.high.is_some_and(|high| high - interval.low < width)
}

const GRID: [(Codes<'_>, Units); 9] = [
    (&[("d", "A"), ("e", "X")], 40),
    (&[("d", "B"), ("e", "X")], 40),
    (&[("d", "C"), ("e", "X")], 53),
    (&[("d", "A"), ("e", "Y")], 60),
    (&[("d", "B"), ("e", "Y")], 70),
    (&[("d", "C"), ("e", "Y")], 80),
    (&[("d", "A"), ("e", "Z")], 90),
    (&[("d", "B"), ("e", "Z")], 95),
    (&[("d", "C"), ("e", "Z")], 99),
];

/// B×X was 40 and shown; it is 3 now, hidden with a loop of four. Whoever takes A×X for unchanged reads
/// 96 − 53 − 40 = 3. The intruder finds it too, but his finding is excused, because "B×X was known before": the old 40
/// was, the new 3 was not.
#[test]
fn what_was_known_of_the_old_value_does_not_excuse_the_new_one() {
    let scheme = scheme(&[("d", &["A", "B", "C"]), ("e", &["X", "Y", "Z"])], vec![rows("i", &[&["d", "e"]], 5, 5)]);
    let first = shown(&scheme, 1, &GRID, &[]);
    let mut corrected = GRID;
    corrected[1].1 = 3;
    let ledger = remembering(&[&first]);
    let loop_of_four = [0, 1, 3, 4].map(|cell| ("i", GRID[cell].0));
    let second = shown(&scheme, 1, &corrected, &loop_of_four);
    assert!(narrow(&scheme, &[&first, &second], ("i", GRID[1].0), 5), "the intruder's own bounds give B×X away");
    assert!(admit(second, &scheme, &ledger).is_err(), "the hub lets it in");
}

#[test]
fn protect_does_not_let_an_excused_cell_go_either() {
    let scheme = scheme(&[("d", &["A", "B", "C"]), ("e", &["X", "Y", "Z"])], vec![rows("i", &[&["d", "e"]], 5, 5)]);
    let first = shown(&scheme, 1, &GRID, &[]);
    let mut corrected = GRID;
    corrected[1].1 = 3;
    let ledger = remembering(&[&first]);
    if let Ok(protected) = protect(&confidential(&scheme, &corrected), &scheme, slice(), attributes(1), &ledger) {
        let second = received(&protected.table);
        // Taking B×X itself for unchanged is narrow too, and wrong: what counts is whether the truth is found.
        let found = bounds(&scheme, &[&first, &second]).expect("consistent").cells[&(code("i"), key(GRID[1].0))];
        let right = found.low <= 3 && found.high.is_none_or(|high| high >= 3);
        let close = narrow(&scheme, &[&first, &second], ("i", GRID[1].0), 5);
        assert!(!(right && close), "B×X follows from the two versions: {found:?}");
    }
}

/// Law one across two versions of a pack: the same rows under a new code are the same cells.
/// {A, B} hidden under `i`, then {B, C} hidden under `j`: 93 − 40 − 43 … B = 7.
#[test]
fn a_renamed_indicator_does_not_make_the_ledger_forget() {
    let before = scheme(&[("d", &["A", "B", "C"])], vec![rows("i", &[&["d"]], 10, 10)]);
    let after = scheme(&[("d", &["A", "B", "C"])], vec![rows("j", &[&["d"]], 10, 10)]);
    let finest: [(Codes<'_>, Units); 3] = [(&[("d", "A")], 40), (&[("d", "B")], 7), (&[("d", "C")], 53)];
    let first = shown(&before, 1, &finest, &[("i", &[("d", "A")]), ("i", &[("d", "B")])]);
    let second = shown(&after, 2, &finest, &[("j", &[("d", "B")]), ("j", &[("d", "C")])]);
    // `first` shows C = 53 and the total 100, `second` shows A = 40: B = 100 − 40 − 53.
    let ledger = remembering(&[&first]);
    assert!(admit(second, &after, &ledger).is_err(), "B = 7 follows from the two versions");
}

/// The same when a version of the pack drops a breakdown: d × e was shown, only d remains.
#[test]
fn a_dropped_breakdown_does_not_make_the_ledger_forget() {
    let axes: &[(&str, &[&str])] = &[("d", &["A", "B", "C"]), ("e", &["X", "Y"])];
    let before = scheme(axes, vec![rows("i", &[&["d", "e"]], 10, 10)]);
    let after = scheme(axes, vec![rows("i", &[&["d"], &["e"]], 10, 10)]);
    let finest: [(Codes<'_>, Units); 6] = [
        (&[("d", "A"), ("e", "X")], 20),
        (&[("d", "A"), ("e", "Y")], 20),
        (&[("d", "B"), ("e", "X")], 4),
        (&[("d", "B"), ("e", "Y")], 3),
        (&[("d", "C"), ("e", "X")], 30),
        (&[("d", "C"), ("e", "Y")], 23),
    ];
    // First: rows A and B hidden, C×X = 30 and C×Y = 23 shown, C itself not. Total 100.
    let hidden_before: Vec<(&str, Codes<'_>)> = vec![
        ("i", &[("d", "A")]),
        ("i", &[("d", "B")]),
        ("i", &[("d", "C")]),
        ("i", finest[0].0),
        ("i", finest[1].0),
        ("i", finest[2].0),
        ("i", finest[3].0),
    ];
    let first = shown(&before, 1, &finest, &hidden_before);
    // Second, by the pack without the crossing: B and C hidden, A = 40 shown. B = 100 − 40 − (30 + 23).
    let second = shown(&after, 2, &finest, &[("i", &[("d", "B")]), ("i", &[("d", "C")])]);
    let ledger = remembering(&[&first]);
    admit(first.clone(), &before, &Ledger::empty()).expect("the first was safe");
    assert!(admit(second, &after, &ledger).is_err(), "B = 7 follows from the two versions");
}

/// 0 becomes 3 in a provisional table that is sent again: A and B hidden now, everything was shown before. "One of the
/// two changed": 43 = 40 + 3.
#[test]
fn one_new_small_cell_is_not_the_visible_change_of_a_total() {
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![rows("i", &[&["d"]], 5, 5)]);
    let first = shown(&scheme, 1, &[(&[("d", "A")], 40), (&[("d", "C")], 53)], &[]);
    let now: [(Codes<'_>, Units); 3] = [(&[("d", "A")], 40), (&[("d", "B")], 3), (&[("d", "C")], 53)];
    let ledger = remembering(&[&first]);
    if let Ok(protected) = protect(&confidential(&scheme, &now), &scheme, slice(), attributes(1), &ledger) {
        let total = (code("i"), Key::total());
        let total = protected.table.cells()[&total].figure;
        assert_eq!(total, Figure::Suppressed, "the total moved by exactly the new cell, all others were shown before");
    }
}

/// A weight is nearly a count: over a hidden count it must be hidden as an amount must.
/// Weights of 1.25: 120 / 96 rows = 1.25, 50 / 1.25 = 40 = A, 96 − 53 − 40 = 3 = B.
#[test]
fn a_weight_over_a_hidden_count_is_refused() {
    let count = rows("i", &[&["d"]], 5, 5);
    let weight = MeasureScheme {
        indicator: code("w"),
        quantity: Quantity::Weight { column: "w".into() },
        decimals: Decimals::new(6).expect("six places"),
        protection: Protection::Here(Rule { threshold: 5, zeros: Zeros::Publish, width: 5_000_000 }),
        ..count.clone()
    };
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![count, weight]);
    let finest: [(Codes<'_>, Units); 3] = [(&[("d", "A")], 40), (&[("d", "B")], 3), (&[("d", "C")], 53)];
    let hidden: [(&str, Codes<'_>); 4] =
        [("i", &[("d", "A")]), ("i", &[("d", "B")]), ("w", &[("d", "B")]), ("w", &[("d", "C")])];
    assert!(admit(shown(&scheme, 1, &finest, &hidden), &scheme, &Ledger::empty()).is_err());
}

/// A list inside a list inside the whole: 100 ⊃ {A, B} = 98 (hidden) ⊃ {A} = 96. Exactly four are not in A, below the
/// threshold of five, and nobody asks for it, because both parts of the four may vary by four. A width of the threshold
/// or more leaves no room for this.
#[test]
fn a_difference_over_a_hidden_cell_between_is_asked_for_too() {
    let list = |indicator: &str, codes: &[&str]| {
        let mut measure = rows(indicator, &[], 5, 3);
        measure.restriction.codes = [(code("d"), codes.iter().map(|c| code(c)).collect())].into();
        measure
    };
    let scheme =
        scheme(&[("d", &["A", "B", "C"])], vec![rows("a", &[], 5, 3), list("b", &["A", "B"]), list("c", &["A"])]);
    let figure = |value: Option<Units>| Published {
        figure: value.map_or(Figure::Suppressed, Figure::Observed),
        flags: Flags::default(),
    };
    let cells = [("a", Some(100)), ("b", None), ("c", Some(96))];
    let cells = cells.into_iter().map(|(i, value)| ((code(i), Key::total()), figure(value))).collect();
    let claim = Received { slice: slice(), attributes: attributes(1), cells };
    assert!(admit(claim, &scheme, &Ledger::empty()).is_err(), "exactly four rows are not in A");
}

/// Households with a granted request (`hc`) beside all households (`h`), requests (`r`) and granted requests (`rc`), by
/// d. All 40 requests of A were granted, so all its 12 households count: hc(A) = 12, hc(B) = 39 − 25 − 12 = 2. Nothing
/// relates the two differences: h − hc ≤ r − rc.
#[test]
fn households_outside_a_filter_need_rows_outside_it() {
    let measure = |indicator: &str, distinct: bool, granted: bool| {
        let mut measure = rows(indicator, &[&["d"]], 5, 5);
        if distinct {
            measure.quantity = Quantity::Distinct { column: "household".into() };
        }
        if granted {
            measure.restriction.conditions.insert("granted".into());
        }
        measure
    };
    let measures = vec![
        measure("r", false, false),
        measure("rc", false, true),
        measure("h", true, false),
        measure("hc", true, true),
    ];
    let scheme = scheme(&[("d", &["A", "B", "C"])], measures);
    let figures: [(&str, [Option<Units>; 4]); 4] = [
        ("r", [Some(140), Some(40), Some(30), Some(70)]),
        ("rc", [Some(110), Some(40), None, None]),
        ("h", [Some(51), Some(12), Some(9), Some(30)]),
        ("hc", [Some(39), None, None, Some(25)]),
    ];
    let keys = [key(&[]), key(&[("d", "A")]), key(&[("d", "B")]), key(&[("d", "C")])];
    let cells = figures
        .iter()
        .flat_map(|(indicator, values)| {
            keys.iter().zip(values).map(|(key, value)| ((code(indicator), key.clone()), *value))
        })
        .map(|(name, value)| {
            let figure = value.map_or(Figure::Suppressed, Figure::Observed);
            (name, Published { figure, flags: Flags::default() })
        })
        .collect();
    let claim = Received { slice: slice(), attributes: attributes(1), cells };
    assert!(admit(claim, &scheme, &Ledger::empty()).is_err(), "exactly two households of B had a request granted");
}
