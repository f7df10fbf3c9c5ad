use std::collections::BTreeSet;

use model::{Decimals, Figure, Key};

use super::*;
use crate::fixture::{
    Record, attributes, code, confidential, key, measure, records, rule, scheme, sent, show, slice, tabulate,
};
use crate::{ConfidentialCell, ConfidentialCount, MeasureScheme, Quantity, Zeros};

mod histories;
mod random;

fn run(scheme: &TableScheme, table: &ConfidentialTable, ledger: &Ledger) -> Result<Protected, ProtectError> {
    protect(table, scheme, slice(), attributes(), ledger)
}

fn hidden(protected: &Protected) -> BTreeSet<String> {
    let cells = protected.table.cells().iter().filter(|(_, published)| published.figure == Figure::Suppressed);
    cells.map(|((indicator, key), _)| format!("{indicator} {key}")).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn abc(counts: [u32; 3], threshold: u32) -> (TableScheme, ConfidentialTable) {
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![measure("i", &[&["d"]], rule(threshold, 3))]);
    let table = tabulate(
        &scheme,
        &records(&[(&[("d", "A")], counts[0]), (&[("d", "B")], counts[1]), (&[("d", "C")], counts[2])]),
    );
    (scheme, table)
}

#[test]
fn a_small_cell_takes_the_cheapest_neighbour_with_it() {
    let (scheme, table) = abc([40, 2, 53], 5);
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert_eq!(hidden(&protected), set(&["i d=A", "i d=B"]));
    assert_eq!((protected.report.count(Reason::Primary), protected.report.count(Reason::Secondary)), (1, 1));
    assert_eq!(protected.report.visible, 2);
    let b = &protected.report.hidden[&(code("i"), key(&[("d", "B")]))];
    assert_eq!((b.reason, b.interval), (Reason::Primary, Interval { low: 0, high: Some(42) }));
}

#[test]
fn the_ledger_keeps_the_pattern() {
    let (scheme, table) = abc([40, 7, 53], 10);
    // An odd pattern, that a fresh run would not choose.
    let mut ledger = Ledger::empty();
    ledger.record(show(&table, &[("i", key(&[("d", "B")])), ("i", key(&[("d", "C")]))]));
    let again = run(&scheme, &table, &ledger).expect("protected");
    assert_eq!(hidden(&again), set(&["i d=B", "i d=C"]));
}

#[test]
fn figures_shown_before_cannot_protect_what_is_small_now() {
    // Under a lower threshold everything but B was shown: A, C and the total.
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![measure("i", &[&["d"]], rule(5, 3))]);
    let table = |b| tabulate(&scheme, &records(&[(&[("d", "A")], 40), (&[("d", "B")], b), (&[("d", "C")], 53)]));
    let mut ledger = Ledger::empty();
    // B was hidden with A; then the correction shows A and C, and hides the total, so nothing is left for B.
    ledger.record(show(&table(2), &[("i", key(&[("d", "B")])), ("i", key(&[("d", "A")]))]));
    ledger.record(show(&table(2), &[("i", key(&[("d", "B")])), ("i", Key::total())]));
    // Together those two already give B away; a further version must not be blamed for it.
    run(&scheme, &table(2), &ledger).expect("nothing new is learnt");
}

#[test]
fn a_stricter_rule_hides_what_was_shown_and_is_not_blamed_for_the_past() {
    let (loose, table) = abc([40, 7, 53], 5);
    let mut ledger = Ledger::empty();
    ledger.record(sent(&run(&loose, &table, &Ledger::empty()).expect("nothing small").table));
    let (strict, table) = abc([40, 7, 53], 10);
    let protected = run(&strict, &table, &ledger).expect("B was shown before");
    assert!(hidden(&protected).contains("i d=B") && hidden(&protected).len() >= 2);
}

#[test]
fn figures_at_source_leave_no_room() {
    let mut open = measure("source", &[&["d"]], rule(5, 3));
    open.protection = Protection::AtSource;
    let scheme = scheme(&[("d", &["A", "B"])], vec![open, measure("i", &[], rule(5, 3))]);
    // The producer shows the total of the same rows.
    let table = tabulate(&scheme, &records(&[(&[("d", "A")], 2), (&[("d", "B")], 1)]));
    let protected = run(&scheme, &table, &Ledger::empty()).expect("already public");
    assert!(hidden(&protected).is_empty(), "what the producer shows is not a secret");
}

#[test]
fn a_public_total_too_small_to_hide_behind_is_an_error_with_the_place() {
    let mut open = measure("source", &[], rule(5, 5));
    open.protection = Protection::AtSource;
    let scheme = scheme(&[("d", &["A", "B"])], vec![open, measure("i", &[&["d"]], rule(5, 5))]);
    let table = tabulate(&scheme, &records(&[(&[("d", "A")], 2), (&[("d", "B")], 1)]));
    let error = run(&scheme, &table, &Ledger::empty()).expect_err("three are too few for a width of five");
    let cells = vec![(code("i"), key(&[("d", "A")])), (code("i"), key(&[("d", "B")]))];
    assert_eq!(error, ProtectError::Unprotectable { cells });
}

fn part_of(indicator: &str, of: &MeasureScheme, condition: &str) -> MeasureScheme {
    let mut part = of.clone();
    part.indicator = code(indicator);
    part.restriction.conditions.insert(condition.to_owned());
    part
}

fn refused(counts: &[(&str, u32, u32)]) -> Vec<Record> {
    // (code, accepted, refused)
    let mut all = Vec::new();
    for &(c, accepted, refused) in counts {
        all.extend(records(&[(&[("d", c)], accepted)]));
        let mut part = records(&[(&[("d", c)], refused)]);
        for record in &mut part {
            record.conditions.insert("refused".to_owned());
        }
        all.extend(part);
    }
    for (unit, record) in (0..).zip(&mut all) {
        record.unit = unit;
    }
    all
}

#[test]
fn a_small_difference_of_numerator_and_denominator_is_protected() {
    let denominator = measure("demandes", &[&["d"]], rule(5, 3));
    let numerator = part_of("refus", &denominator, "refused");
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![denominator, numerator]);
    // In A only two of thirty were accepted: 30 − 28 must not be readable.
    let table = tabulate(&scheme, &refused(&[("A", 2, 28), ("B", 20, 30), ("C", 40, 20)]));
    let naive = admit(show(&table, &[]), &scheme, &Ledger::empty()).expect_err("30 − 28 is two");
    assert_eq!(naive.conflicts[0].cause, crate::attack::Cause::DifferenceTooNarrow);
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert!(hidden(&protected).len() >= 2);
}

#[test]
fn a_list_of_codes_is_the_sum_of_its_codes() {
    let all = measure("tous", &[&["age"]], rule(5, 3));
    let mut old = measure("ages", &[], rule(5, 3));
    old.restriction.codes.insert(code("age"), [code("75-84"), code("85+")].into());
    let scheme = scheme(&[("age", &["0-74", "75-84", "85+"])], vec![all, old]);
    let people = records(&[(&[("age", "0-74")], 60), (&[("age", "75-84")], 20), (&[("age", "85+")], 3)]);
    let table = tabulate(&scheme, &people);
    // 23 − 20 = 3: the list gives the small code away, even if the small code's line hides two.
    let naive = show(&table, &[("tous", key(&[("age", "85+")])), ("tous", key(&[("age", "0-74")]))]);
    admit(naive, &scheme, &Ledger::empty()).expect_err("23 − 20");
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert!(hidden(&protected).contains("tous age=85+"));
}

#[test]
fn a_list_against_the_total_has_a_complement() {
    let all = measure("tous", &[], rule(5, 3));
    let mut old = measure("ages", &[], rule(5, 3));
    old.restriction.codes.insert(code("age"), [code("75-84"), code("85+")].into());
    let scheme = scheme(&[("age", &["0-74", "75-84", "85+"])], vec![all, old]);
    let table = tabulate(&scheme, &records(&[(&[("age", "0-74")], 2), (&[("age", "75-84")], 20)]));
    admit(show(&table, &[]), &scheme, &Ledger::empty()).expect_err("two are younger");
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert_eq!(hidden(&protected), set(&["ages total"]));
}

#[test]
fn a_total_shared_by_two_indicators_links_them() {
    let by_age = measure("par_age", &[&["age"]], rule(5, 3));
    let by_sex = measure("par_sexe", &[&["sexe"]], rule(5, 3));
    let scheme = scheme(&[("age", &["j", "v"]), ("sexe", &["F", "H"])], vec![by_age, by_sex]);
    let people = records(&[
        (&[("age", "j"), ("sexe", "F")], 30),
        (&[("age", "v"), ("sexe", "F")], 2),
        (&[("age", "j"), ("sexe", "H")], 30),
    ]);
    let table = tabulate(&scheme, &people);
    // Hiding the total of one indicator while the other shows it does not help.
    let naive = show(&table, &[("par_age", key(&[("age", "v")])), ("par_age", Key::total())]);
    admit(naive, &scheme, &Ledger::empty()).expect_err("the other indicator shows the total");
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert_eq!(hidden(&protected), set(&["par_age age=j", "par_age age=v"]));
}

#[test]
fn an_amount_falls_with_its_count() {
    let count = measure("n", &[&["d"]], rule(5, 3));
    let mut amount = measure("euros", &[&["d"]], rule(5, 30));
    amount.quantity = Quantity::Sum { column: "montant".into() };
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![count, amount]);
    let table = tabulate(&scheme, &records(&[(&[("d", "A")], 40), (&[("d", "B")], 2), (&[("d", "C")], 53)]));
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    let hidden = hidden(&protected);
    assert!(hidden.is_superset(&set(&["n d=B", "euros d=B"])), "{hidden:?}");
    for (code, there) in [("A", true), ("C", false)] {
        assert_eq!(hidden.contains(&format!("n d={code}")), there);
        assert_eq!(hidden.contains(&format!("euros d={code}")), there);
    }
}

#[test]
fn protected_zeros_hide_and_published_zeros_show() {
    let people = records(&[(&[("d", "A")], 40), (&[("d", "C")], 53)]);
    for (zeros, expected) in [(Zeros::Publish, 0), (Zeros::Protect, 2)] {
        let scheme =
            scheme(&[("d", &["A", "B", "C"])], vec![measure("i", &[&["d"]], Rule { threshold: 5, zeros, width: 5 })]);
        let protected = run(&scheme, &tabulate(&scheme, &people), &Ledger::empty()).expect("protected");
        assert_eq!(hidden(&protected).len(), expected);
    }
}

#[test]
fn everything_is_hidden_under_a_threshold_nobody_reaches() {
    let scheme = scheme(
        &[("d", &["A", "B", "C"]), ("e", &["x", "y"])],
        vec![measure("i", &[&["d", "e"]], rule(1_000_000_000, 100))],
    );
    let people = records(&[(&[("d", "A"), ("e", "x")], 40), (&[("d", "B"), ("e", "x")], 12)]);
    let protected = run(&scheme, &tabulate(&scheme, &people), &Ledger::empty()).expect("protected");
    let shown: Vec<_> = protected.table.cells().values().filter_map(|p| p.figure.observed()).collect();
    assert!(shown.iter().all(|&value| value == 0), "only zeros may be shown");
}

#[test]
fn a_key_against_the_restriction_is_not_applicable() {
    let mut old = measure("ages", &[&["age"]], rule(5, 3));
    old.restriction.codes.insert(code("age"), [code("v")].into());
    let scheme = scheme(&[("age", &["j", "v"])], vec![old]);
    let table = tabulate(&scheme, &records(&[(&[("age", "v")], 9)]));
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    let cell = &protected.table.cells()[&(code("ages"), key(&[("age", "j")]))];
    assert_eq!(cell.figure, Figure::NotApplicable);
    assert!(scheme.is_empty_by_definition(&code("ages"), &key(&[("age", "j")])));
}

#[test]
fn tables_that_are_not_whole_are_refused() {
    let (scheme, _) = abc([1, 1, 1], 5);
    let cell = |c: Option<&str>, value| {
        let key = c.map_or(Key::total(), |c| key(&[("d", c)]));
        confidential(code("i"), key, value, value)
    };
    let try_cells = |cells: Vec<ConfidentialCell>| {
        run(&scheme, &ConfidentialTable::new(cells), &Ledger::empty()).expect_err("not whole")
    };
    let whole = || vec![cell(Some("A"), 10), cell(Some("B"), 10), cell(Some("C"), 10), cell(None, 30)];
    let total = || (code("i"), Key::total());
    let mut cells = whole();
    cells.pop();
    assert_eq!(try_cells(cells), ProtectError::Incomplete(total().0, total().1));
    let mut cells = whole();
    cells.push(cell(None, 30));
    assert_eq!(try_cells(cells), ProtectError::Duplicate(total().0, total().1));
    let mut cells = whole();
    cells[3] = cell(None, 31);
    assert_eq!(try_cells(cells), ProtectError::Inconsistent(total().0, total().1));
    let mut cells = whole();
    cells[0] = cell(Some("A"), -10);
    assert!(matches!(try_cells(cells), ProtectError::Negative(..)));
    let mut cells = whole();
    cells[0] = cell(Some("Z"), 10);
    assert!(matches!(try_cells(cells), ProtectError::Unknown(..)));
}

/// Twenty IRIS by six tenures, weighted with six decimals: the size of a commune's census table.
#[test]
fn a_weighted_census_table_is_protected_in_good_time() {
    let iris: Vec<String> = (1..=20).map(|i| format!("{i:04}")).collect();
    let iris: Vec<&str> = iris.iter().map(String::as_str).collect();
    let tenures = ["10", "21", "22", "23", "30", "40"];
    let mut weighted = measure("logements", &[&["iris", "tenure"]], rule(11, 5_000_000));
    weighted.quantity = Quantity::Weight { column: "poids".into() };
    weighted.decimals = Decimals::new(6).expect("six places");
    let scheme = scheme(&[("iris", &iris), ("tenure", &tenures)], vec![weighted]);
    let mut cells = Vec::new();
    let mut totals: BTreeMap<Key, (i64, i64)> = BTreeMap::new();
    let mut state = 42_u64;
    for i in &iris {
        for t in &tenures {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = i64::try_from(state >> 40).expect("24 bits");
            let people = if draw % 3 == 0 { draw % 12 } else { 15 + draw % 120 };
            let value = people * 1_250_000 + (draw % 1000) * people;
            for key in [key(&[("iris", i), ("tenure", t)]), key(&[("iris", i)]), key(&[("tenure", t)]), Key::total()] {
                let total = totals.entry(key).or_default();
                total.0 += value;
                total.1 += people;
            }
        }
    }
    for (key, (value, people)) in totals {
        cells.push(confidential(code("logements"), key, value, people));
    }
    let protected = run(&scheme, &ConfidentialTable::new(cells), &Ledger::empty()).expect("protected");
    let (primary, secondary) = (protected.report.count(Reason::Primary), protected.report.count(Reason::Secondary));
    assert!(primary > 20 && secondary > 0 && secondary < 2 * primary, "{primary} primary, {secondary} secondary");
    assert!(protected.report.visible > 40, "{} visible", protected.report.visible);
}

/// A CCAS activity pack: indicators inside others, on the same people.
fn activity(filters: usize, rule: Rule) -> (TableScheme, ConfidentialTable) {
    let ages = ["00-17", "18-24", "25-39", "40-54", "55-64", "65-74", "75-84", "85+"];
    let motives = ["logement", "sante", "emploi", "famille", "autre"];
    let all = measure("demandes", &[&["age", "sexe"], &["motif"]], rule);
    let mut measures = vec![all.clone()];
    for n in 0..filters {
        measures.push(part_of(&format!("demandes_{n}"), &all, &format!("c{n}")));
        if n > 0 {
            let mut people = part_of(&format!("personnes_{n}"), &all, &format!("c{n}"));
            people.quantity = Quantity::Distinct { column: "personne".into() };
            measures.push(people);
        }
    }
    let mut amounts = part_of("montant", &all, "c0");
    amounts.quantity = Quantity::Sum { column: "montant".into() };
    measures.push(amounts);
    for (name, codes) in [("jeunes", &ages[..2]), ("ages", &ages[6..]), ("actifs", &ages[1..5])] {
        let mut list = measure(name, &[&["sexe"]], rule);
        list.restriction.codes.insert(code("age"), codes.iter().map(|c| code(c)).collect());
        measures.push(list);
    }
    let scheme = scheme(&[("age", &ages), ("sexe", &["F", "H"]), ("motif", &motives)], measures);
    let mut people = Vec::new();
    let mut state = 7_u64;
    let mut draw = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for unit in 0..600 {
        let age = ages[usize::try_from(draw(8).min(draw(8))).expect("small")];
        let motive = motives[usize::try_from(draw(5).min(draw(7))).expect("small")];
        let sex = if draw(2) == 0 { "F" } else { "H" };
        let conditions = (0..5).filter(|&n| draw(3 + n) == 0).map(|n| format!("c{n}")).collect();
        let codes = [(code("age"), code(age)), (code("sexe"), code(sex)), (code("motif"), code(motive))].into();
        people.push(Record { codes, conditions, unit, amount: 100 });
    }
    let table = tabulate(&scheme, &people);
    (scheme, table)
}

#[test]
fn packs_of_overlapping_indicators_are_protected_in_good_time() {
    // With one filter the finest tables are part of the system, with five they are too large for it.
    for filters in [1, 5] {
        let (scheme, table) = activity(filters, rule(5, 5));
        let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
        let (primary, secondary) = (protected.report.count(Reason::Primary), protected.report.count(Reason::Secondary));
        assert!(primary > 5 && secondary > 0, "{primary} primary, {secondary} secondary");
        let visible = protected.report.visible;
        assert!(visible > 30 * filters, "{primary} {secondary} {visible} visible");
        let mut ledger = Ledger::empty();
        ledger.record(sent(&protected.table));
        let again = run(&scheme, &table, &ledger).expect("protected");
        assert_eq!(again.table, protected.table, "same data, same pattern");
    }
}

#[test]
fn a_pack_hidden_as_a_whole_is_admitted_in_good_time() {
    let (scheme, table) = activity(5, Rule { threshold: 1_000_000_000, zeros: Zeros::Protect, width: 1000 });
    let protected = run(&scheme, &table, &Ledger::empty()).expect("protected");
    assert_eq!(protected.report.visible, 0);
}

/// The same table with as many contributors as there are units, and the most rows of one.
fn by_units(scheme: &TableScheme, records: &[Record]) -> ConfidentialTable {
    let cells = tabulate(scheme, records).into_cells().into_iter().map(|cell| {
        let measure = scheme.measure(&cell.indicator).expect("a measure");
        let inside = records.iter().filter(|record| crate::fixture::counts(measure, &cell.key, record));
        let units: BTreeSet<u32> = inside.map(|record| record.unit).collect();
        let contributors = ConfidentialCount::new(i64::try_from(units.len()).expect("few"));
        ConfidentialCell { contributors, ..cell }
    });
    let mut rows: std::collections::BTreeMap<u32, i64> = std::collections::BTreeMap::new();
    for record in records {
        *rows.entry(record.unit).or_default() += 1;
    }
    let most = rows.into_values().max().unwrap_or(1);
    ConfidentialTable::new(cells.collect()).with_rows_of_one(ConfidentialCount::new(most))
}

fn record(codes: &[(&str, &str)], unit: u32, amount: i64) -> Record {
    let codes = codes.iter().map(|(dimension, one)| (code(dimension), code(one))).collect();
    Record { codes, conditions: BTreeSet::new(), unit, amount }
}

/// The total less the first two codes is what one household got, and no single equality says so.
#[test]
fn what_follows_from_several_sums_together_is_somebodys_too() {
    let sum = |name: &str, codes: &[&str]| {
        let mut amount = measure(name, &[], rule(5, 5));
        amount.quantity = Quantity::Sum { column: "montant".into() };
        if !codes.is_empty() {
            amount.restriction.codes.insert(code("d"), codes.iter().map(|one| code(one)).collect());
        }
        amount
    };
    let measures = vec![sum("tot", &[]), sum("m1", &["j", "m"]), sum("m2", &["m", "s"])];
    let scheme = scheme(&[("d", &["j", "m", "s"])], measures);
    let mut people: Vec<Record> = (0..10).map(|unit| record(&[("d", "j")], unit, 100)).collect();
    people.extend((10..20).map(|unit| record(&[("d", "m")], unit, 200)));
    let safe = run(&scheme, &by_units(&scheme, &people), &Ledger::empty()).expect("protected");
    people.push(record(&[("d", "s")], 20, 700));
    let protected = run(&scheme, &by_units(&scheme, &people), &Ledger::empty()).expect("protected");
    let hidden = hidden(&protected);
    assert!(hidden.contains("tot total") || hidden.contains("m1 total"), "{hidden:?}");
    assert!(safe.report.visible + hidden.len() >= 3);
}
