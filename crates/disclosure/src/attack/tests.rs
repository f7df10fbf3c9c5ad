use std::collections::BTreeMap;

use model::{Figure, IndicatorCode, Key};

use super::*;
use crate::fixture::{code, key, measure, records, rule, scheme, show, tabulate};
use crate::{ConfidentialTable, Ledger};

type Cells = BTreeMap<(IndicatorCode, Key), crate::Published>;

fn abc(counts: [u32; 3], threshold: u32) -> (TableScheme, ConfidentialTable) {
    let scheme = scheme(&[("d", &["A", "B", "C"])], vec![measure("i", &[&["d"]], rule(threshold, 3))]);
    let table = tabulate(
        &scheme,
        &records(&[(&[("d", "A")], counts[0]), (&[("d", "B")], counts[1]), (&[("d", "C")], counts[2])]),
    );
    (scheme, table)
}

fn causes(refusal: &Refusal) -> Vec<Cause> {
    refusal.conflicts.iter().map(|conflict| conflict.cause).collect()
}

fn at(c: &str) -> (&'static str, Key) {
    ("i", key(&[("d", c)]))
}

#[test]
fn law_one_two_safe_runs_give_a_cell_away_together() {
    let (scheme, table) = abc([40, 7, 53], 10);
    let first = show(&table, &[at("A"), at("B")]);
    let second = show(&table, &[at("B"), at("C")]);
    for run in [&first, &second] {
        admit(run.clone(), &scheme, &Ledger::empty()).expect("safe alone");
    }
    let mut ledger = Ledger::empty();
    ledger.record(first.clone());
    let refusal = admit(second.clone(), &scheme, &ledger).expect_err("B follows");
    assert_eq!(causes(&refusal), [Cause::TooNarrowWithEarlier]);
    assert_eq!(refusal.conflicts[0].key, key(&[("d", "B")]));
    admit(first.clone(), &scheme, &ledger).expect("the same again tells nothing new");

    let together = bounds(&scheme, &[&first, &second]).expect("consistent");
    assert_eq!(together.cells[&(code("i"), key(&[("d", "B")]))], Interval { low: 7, high: Some(7) });
    let alone = bounds(&scheme, &[&first]).expect("consistent");
    assert_eq!(alone.cells[&(code("i"), key(&[("d", "B")]))], Interval { low: 0, high: Some(47) });
}

#[test]
fn a_single_hidden_cell_is_computable() {
    let (scheme, table) = abc([40, 2, 53], 5);
    let refusal = admit(show(&table, &[at("B")]), &scheme, &Ledger::empty()).expect_err("total minus the others");
    assert_eq!(causes(&refusal), [Cause::TooNarrow]);
}

#[test]
fn a_visible_figure_below_the_threshold_is_refused() {
    let (scheme, table) = abc([40, 4, 53], 5);
    let refusal = admit(show(&table, &[]), &scheme, &Ledger::empty()).expect_err("four is too few");
    assert_eq!(causes(&refusal), [Cause::BelowThreshold]);
    let (scheme, table) = abc([40, 5, 0], 5);
    admit(show(&table, &[]), &scheme, &Ledger::empty()).expect("five is enough, and zero is nobody");
}

#[test]
fn an_interval_one_too_narrow_is_refused_and_one_as_wide_as_asked_is_not() {
    // The two hidden cells share two: each lies in 0..=2, and a width of three is asked.
    let (scheme, table) = abc([1, 1, 53], 5);
    let refusal = admit(show(&table, &[at("A"), at("B")]), &scheme, &Ledger::empty()).expect_err("too narrow");
    assert_eq!(causes(&refusal), [Cause::TooNarrow, Cause::TooNarrow]);
    let (scheme, table) = abc([2, 1, 53], 5);
    admit(show(&table, &[at("A"), at("B")]), &scheme, &Ledger::empty()).expect("0 to 3");
}

#[test]
fn missing_unknown_negative_and_wrong_totals_are_named() {
    let (scheme, table) = abc([40, 7, 53], 5);
    let whole = show(&table, &[]);
    let with = |change: &dyn Fn(&mut Cells)| {
        let mut changed = whole.clone();
        change(&mut changed.cells);
        causes(&admit(changed, &scheme, &Ledger::empty()).expect_err("changed"))
    };
    let a = (code("i"), key(&[("d", "A")]));
    let set = |figure: Figure| {
        let a = a.clone();
        move |cells: &mut Cells| {
            cells.get_mut(&a).expect("A is there").figure = figure;
        }
    };
    assert_eq!(with(&|cells| assert!(cells.remove(&a).is_some())), [Cause::Absent]);
    let strange = (code("j"), Key::total());
    assert_eq!(with(&|cells| assert!(cells.insert(strange.clone(), cells[&a]).is_none())), [Cause::Unknown]);
    assert_eq!(with(&set(Figure::Observed(-1))), [Cause::Negative]);
    assert_eq!(with(&set(Figure::Observed(41))), [Cause::NotAdditive]);
    assert_eq!(with(&set(Figure::NotApplicable)), [Cause::Impossible]);
    assert_eq!(with(&|cells| cells.clear()).len(), 4);
}

#[test]
fn missing_figures_are_as_unknown_as_hidden_ones() {
    let (scheme, table) = abc([40, 2, 53], 5);
    let mut received = show(&table, &[at("B")]);
    let b = (code("i"), key(&[("d", "B")]));
    received.cells.get_mut(&b).expect("B").figure = Figure::Missing(model::MissingReason::NotYetAvailable);
    assert_eq!(causes(&admit(received, &scheme, &Ledger::empty()).expect_err("computable")), [Cause::TooNarrow]);
}

#[test]
fn hidden_parts_larger_than_their_whole_contradict() {
    // Parts shown: 40 + 53; the total says 90, so B would be below zero.
    let (scheme, table) = abc([40, 7, 53], 5);
    let mut received = show(&table, &[at("B")]);
    received.cells.get_mut(&(code("i"), Key::total())).expect("total").figure = Figure::Observed(90);
    assert_eq!(causes(&admit(received, &scheme, &Ledger::empty()).expect_err("impossible")), [Cause::NotAdditive]);
}

#[test]
fn a_correction_is_two_unknowns_where_the_figures_prove_it() {
    let (scheme, before) = abc([40, 7, 53], 10);
    let (_, after) = abc([41, 7, 53], 10);
    let mut ledger = Ledger::empty();
    ledger.record(show(&before, &[at("A"), at("B")]));
    // The total went from 100 to 101 while C stayed: A or B changed, so nothing links them.
    admit(show(&after, &[at("A"), at("B")]), &scheme, &ledger).expect("same pattern");
    // A and C visible now: B is the difference, whatever happened before.
    let refusal = admit(show(&after, &[at("B")]), &scheme, &ledger).expect_err("computable alone");
    assert_eq!(causes(&refusal), [Cause::TooNarrow]);
}

#[test]
fn a_reverted_correction_does_not_hide_the_first_version() {
    let (scheme, first) = abc([40, 7, 53], 10);
    let (_, second) = abc([40, 7, 54], 10);
    let mut ledger = Ledger::empty();
    ledger.record(show(&first, &[at("A"), at("B")]));
    ledger.record(show(&second, &[at("A"), at("B")]));
    let refusal = admit(show(&first, &[at("B"), at("C")]), &scheme, &ledger).expect_err("the first version tells");
    assert!(causes(&refusal).contains(&Cause::TooNarrowWithEarlier), "{refusal}");
}

#[test]
fn an_earlier_version_of_another_world_is_left_aside() {
    let (scheme, now) = abc([40, 7, 53], 10);
    let mut odd = show(&now, &[at("A"), at("B")]);
    odd.cells.get_mut(&(code("i"), Key::total())).expect("total").figure = Figure::Observed(1);
    let mut ledger = Ledger::empty();
    ledger.record(odd);
    admit(show(&now, &[at("A"), at("B")]), &scheme, &ledger).expect("the ledger contradicts itself");
}

#[test]
fn a_table_without_measures_is_safe() {
    let scheme = scheme(&[], vec![]);
    let received =
        Received { slice: crate::fixture::slice(), attributes: crate::fixture::attributes(), cells: BTreeMap::new() };
    admit(received.clone(), &scheme, &Ledger::empty()).expect("nothing is shown");
    assert!(bounds(&scheme, &[&received]).expect("empty").cells.is_empty());
    assert!(bounds(&scheme, &[]).expect("empty").cells.is_empty());
}
