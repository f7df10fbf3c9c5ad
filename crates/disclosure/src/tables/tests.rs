//! Small tables whose answer a person can check with a pencil.

mod intruders;
mod relations;
mod rules;
mod stability;

use super::*;
use crate::scheme::Zeros;
use crate::system::Axis;

fn dimension(name: &str, groupings: &[(&str, &[&str])]) -> Dimension {
    let groupings = groupings.iter().map(|(parent, children)| (*parent, children.to_vec()));
    Dimension::new(name, Axis::new(groupings).expect("a hierarchy"))
}

/// A table of rows "code code …", each with a figure.
fn table(dimensions: &[Dimension], used: &[usize], rows: &[(&str, i64)]) -> Table {
    let mut table = Table { dimensions: used.to_vec(), ..Table::default() };
    for (codes, value) in rows {
        for (code, &dimension) in codes.split(' ').zip(used) {
            let node = dimensions[dimension].axis.find(code).expect("a code");
            table.nodes.push(u32::try_from(node).expect("few nodes"));
        }
        table.rows.push(Row { value: Some(*value), ..Row::default() });
    }
    table
}

fn request<'a>(dimensions: &'a [Dimension], tables: &'a [Table], criteria: &'a [Criterion]) -> Request<'a> {
    Request {
        dimensions,
        earlier: &[],
        tables,
        one: 1,
        sources: &[],
        criteria,
        marked: false,
        zeros: Zeros::Publish,
        width: 1,
        singletons: Singletons::Named,
        keep_published: false,
    }
}

fn hidden(decision: &Decision, table: usize) -> Vec<usize> {
    let rows = decision.tables[table].iter().enumerate();
    rows.filter(|(_, decided)| decided.suppressed).map(|(row, _)| row).collect()
}

fn decide(request: &Request<'_>) -> Decision {
    Assembled::of(request).expect("tables that fit").suppress().expect("a pattern")
}

/// Rows by whether they are hidden; hidden figures stay inside.
fn publish(mut table: Table, hidden: &[bool]) -> Table {
    for (row, &hidden) in table.rows.iter_mut().zip(hidden) {
        row.suppressed = Some(hidden);
        if hidden {
            (row.inside, row.value) = (row.value, None);
        }
    }
    table
}

/// By intruder: row, whether it is about several cells together, what is wrong.
type Found = Vec<(Intruder, Vec<(usize, bool, Violation)>)>;

fn found(audience: &Audience<'_>) -> Found {
    let played = audience.attack(&mut |_| ()).expect("no contradiction").played;
    let finding = |finding: &Finding| (finding.place.row, finding.together, finding.violation);
    played.iter().map(|played| (played.intruder, played.findings.iter().map(finding).collect())).collect()
}

const FIVE: &[Criterion] = &[Criterion::Threshold { least: 5 }];

/// A=40, B=7, C=53: the example of the three laws.
fn abc() -> (Vec<Dimension>, Table) {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])])];
    let table = table(&dimensions, &[0], &[("A", 40), ("B", 7), ("C", 53), ("Total", 100)]);
    (dimensions, table)
}

#[test]
fn what_was_hidden_stays_hidden_and_what_was_shown_stays_shown() {
    let (dimensions, mut first) = abc();
    // A run that hid {A, B}.
    for (row, hidden) in [true, true, false, false].into_iter().enumerate() {
        first.rows[row].suppressed = Some(hidden);
    }
    first.says_primary = true;
    first.rows[1].primary = true;
    let (_, now) = abc();
    let tables = [now];
    let eight = [Criterion::Threshold { least: 8 }];
    let alone = Request { width: 8, ..request(&dimensions, &tables, &eight) };
    let after = Request { earlier: std::slice::from_ref(&first), ..alone };
    assert_eq!(hidden(&decide(&after), 0), [0, 1]);
    // A run that hid {B, C} would together with the first give B away: it is made to follow the first.
    let mut other = first.clone();
    other.rows[0].suppressed = Some(false);
    other.rows[2].suppressed = Some(true);
    let both = [first, other];
    let ask = Request { earlier: &both, ..request(&dimensions, &tables, &eight) };
    assert!(matches!(Assembled::of(&ask).expect("fits").suppress(), Err(Refusal { computable: true, .. })));
}

#[test]
fn a_changed_figure_is_another_unknown_and_the_old_one_stays_protected() {
    let (dimensions, mut first) = abc();
    for (row, hidden) in [true, true, false, false].into_iter().enumerate() {
        first.rows[row].suppressed = Some(hidden);
    }
    // B rose from 7 to 17 and with it the total; A is as it was and hidden. Were B shown now, so would A be, and the
    // old B with it.
    let now = table(&dimensions, &[0], &[("A", 40), ("B", 17), ("C", 53), ("Total", 110)]);
    let tables = [now];
    let eight = [Criterion::Threshold { least: 8 }];
    let ask = Request { earlier: std::slice::from_ref(&first), ..request(&dimensions, &tables, &eight) };
    let decision = decide(&ask);
    assert_eq!(hidden(&decision, 0), [0, 1]);
    assert_eq!((decision.primary, decision.secondary), (1, 1), "A is asked for by the past, B protects it");
}

#[test]
fn what_is_public_already_is_refused_or_kept_on_demand() {
    let (dimensions, mut first) = abc();
    for row in &mut first.rows {
        row.suppressed = Some(false);
    }
    let (_, now) = abc();
    let tables = [now];
    let eight = [Criterion::Threshold { least: 8 }];
    let ask = Request { earlier: std::slice::from_ref(&first), ..request(&dimensions, &tables, &eight) };
    let place = Place { earlier: false, table: 0, row: 1 };
    assert_eq!(Assembled::of(&ask).err(), Some(Misfit::Frozen(vec![place])));
    assert_eq!(hidden(&decide(&Request { keep_published: true, ..ask }), 0), []);
}

#[test]
fn frozen_cells_are_not_touched() {
    let (dimensions, mut now) = abc();
    now.rows[0].frozen = Frozen::Shown;
    let tables = [now.clone()];
    let eight = [Criterion::Threshold { least: 8 }];
    let ask = request(&dimensions, &tables, &eight);
    assert_eq!(hidden(&decide(&ask), 0), [1, 2], "C instead of the cheaper A");
    now.rows[2].frozen = Frozen::Shown;
    now.rows[3].frozen = Frozen::Shown;
    let tables = [now.clone()];
    let ask = Request { tables: &tables, ..ask };
    let refusal = Assembled::of(&ask).expect("fits").suppress().expect_err("nothing to hide beside B");
    assert_eq!((refusal.computable, refusal.primaries), (true, vec![Some(Place { earlier: false, table: 0, row: 1 })]));
    // A is the cheapest of those that stand in the way; the others need not be touched.
    assert_eq!(refusal.blocking, [(Place { earlier: false, table: 0, row: 0 }, Fixed::Frozen)]);
    now.rows[1].frozen = Frozen::Shown;
    let tables = [now];
    assert!(matches!(Assembled::of(&Request { tables: &tables, ..ask }).err(), Some(Misfit::Frozen(_))));
}

#[test]
fn linked_tables_protect_their_common_cells_together() {
    let dimensions = vec![
        dimension("age", &[("Total", &["0-17", "18+"])]),
        dimension("region", &[("Total", &["A", "B"]), ("A", &["a1", "a2"])]),
        dimension("sexe", &[("Total", &["F", "M"])]),
    ];
    let ages = [
        ("0-17 A", 3),
        ("0-17 B", 20),
        ("0-17 Total", 23),
        ("18+ A", 30),
        ("18+ B", 40),
        ("18+ Total", 70),
        ("Total A", 33),
        ("Total B", 60),
        ("Total Total", 93),
    ];
    let sexes = [
        ("A F", 13),
        ("A M", 20),
        ("B F", 30),
        ("B M", 30),
        ("Total F", 43),
        ("Total M", 50),
        ("A Total", 33),
        ("B Total", 60),
        ("Total Total", 93),
    ];
    let by_age = table(&dimensions, &[0, 1], &ages);
    let by_sex = table(&dimensions, &[1, 2], &sexes);
    let both = [by_age, by_sex];
    let assembled = Assembled::of(&request(&dimensions, &both, FIVE)).expect("linked");
    // (Total, A), (Total, B), (Total, Total) stand in both.
    assert_eq!((assembled.cells(), assembled.primaries()), (15, 1));
    let decision = assembled.suppress().expect("a pattern");
    for (first, second) in [(6, 6), (7, 7), (8, 8)] {
        assert_eq!(decision.tables[0][first], decision.tables[1][second], "one cell, one decision");
    }
    let mut wrong = both.clone();
    wrong[1].rows[0].value = Some(14);
    wrong[1].rows[4].value = Some(44);
    wrong[1].rows[6].value = Some(34);
    wrong[1].rows[8].value = Some(94);
    assert!(matches!(
        Assembled::of(&request(&dimensions, &wrong, FIVE)).err(),
        Some(Misfit::Conflict { place: Place { table: 1, row: 6, .. }, other: Place { table: 0, row: 6, .. } })
    ));
}

#[test]
fn one_parent_may_be_divided_in_several_ways() {
    let dimensions = vec![dimension("region", &[("Total", &["A", "B"]), ("Total", &["x", "y", "z"])])];
    let rows = [("A", 3), ("B", 97), ("x", 30), ("y", 40), ("z", 30), ("Total", 100)];
    let tables = [table(&dimensions, &[0], &rows)];
    let decision = decide(&request(&dimensions, &tables, FIVE));
    assert_eq!(hidden(&decision, 0), [0, 1], "the total stays, it is dear");
    // With B frozen the total must go, and then something of the other division with it.
    let mut frozen = tables.clone();
    frozen[0].rows[1].frozen = Frozen::Shown;
    let decision = decide(&request(&dimensions, &frozen, FIVE));
    let hidden = hidden(&decision, 0);
    assert!(hidden.contains(&0) && hidden.contains(&5) && hidden.len() >= 3, "{hidden:?}");
}

#[test]
fn protection_levels_of_the_file_are_kept() {
    let (dimensions, now) = abc();
    let marked = |level: fn(&mut Row)| {
        let mut tables = [now.clone()];
        tables[0].rows[1].primary = true;
        level(&mut tables[0].rows[1]);
        decide(&Request { marked: true, ..request(&dimensions, &tables, &[]) })
    };
    // B beside A: from 0 to 47. Beside C: from 0 to 60. Beside the total: without end.
    for (upl, expected) in [(40, vec![0, 1]), (41, vec![1, 2]), (53, vec![1, 2])] {
        let mut tables = [now.clone()];
        (tables[0].rows[1].primary, tables[0].rows[1].upl) = (true, Some(upl));
        let decision = decide(&Request { marked: true, ..request(&dimensions, &tables, &[]) });
        assert_eq!(hidden(&decision, 0), expected, "{upl}");
    }
    assert_eq!(hidden(&marked(|row| row.spl = Some(47)), 0), [0, 1]);
    assert_eq!(hidden(&marked(|row| row.spl = Some(48)), 0), [1, 2]);
    assert_eq!(hidden(&marked(|row| row.lpl = Some(7)), 0), [0, 1]);
}

#[test]
fn what_lies_beyond_the_range_that_everybody_knows_is_refused() {
    let (dimensions, now) = abc();
    let beyond = |level: fn(&mut Row), width| {
        let mut tables = [now.clone()];
        tables[0].rows[1].primary = true;
        (tables[0].rows[1].low, tables[0].rows[1].high) = (Some(2), Some(20));
        level(&mut tables[0].rows[1]);
        match Assembled::of(&Request { marked: true, width, ..request(&dimensions, &tables, &[]) }) {
            Err(Misfit::Beyond(levels)) => Some(levels),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    let place = Place { earlier: false, table: 0, row: 1 };
    // 7, between 2 and 20.
    assert_eq!(beyond(|row| row.lpl = Some(5), 1), None);
    assert_eq!(beyond(|row| row.lpl = Some(6), 1), Some(vec![(place, Level::Below)]));
    assert_eq!(beyond(|row| row.upl = Some(13), 1), None);
    assert_eq!(beyond(|row| row.upl = Some(14), 1), Some(vec![(place, Level::Above)]));
    assert_eq!(beyond(|row| row.spl = Some(18), 1), None);
    assert_eq!(beyond(|row| row.spl = Some(19), 1), Some(vec![(place, Level::Sliding)]));
    assert_eq!(beyond(|_| (), 18), None);
    assert_eq!(beyond(|_| (), 19), Some(vec![(place, Level::Width)]));
}

#[test]
fn a_contributor_does_not_uncover_another_by_his_own_figure() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C", "D"])])];
    let mut counts = table(&dimensions, &[0], &[("A", 1), ("B", 2), ("C", 30), ("D", 60), ("Total", 93)]);
    for (row, contributors) in counts.rows.iter_mut().zip([1, 2, 30, 60, 93]) {
        row.contributors = Some(contributors);
    }
    let tables = [counts];
    let named = request(&dimensions, &tables, FIVE);
    assert_eq!(hidden(&decide(&named), 0), [0, 1]);
    // Who is alone in A knows B = 93 − 30 − 60 − 1.
    assert_eq!(hidden(&decide(&Request { singletons: Singletons::Alone, ..named }), 0), [0, 1, 2]);
    let mut owned = tables.clone();
    owned[0].rows[0].owner = Some(7);
    assert_eq!(hidden(&decide(&Request { tables: &owned, ..request(&dimensions, &owned, FIVE) }), 0), [0, 1, 2]);
}

#[test]
fn whoever_is_alone_in_a_total_may_know_that_its_other_parts_are_empty() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])]), dimension("r", &[("T", &["n", "s"])])];
    let figures = [
        ("Total T", 61),
        ("Total n", 31),
        ("Total s", 30),
        ("A T", 1),
        ("A n", 1),
        ("A s", 0),
        ("B T", 30),
        ("B n", 10),
        ("B s", 20),
        ("C T", 30),
        ("C n", 20),
        ("C s", 10),
    ];
    let mut counts = table(&dimensions, &[0, 1], &figures);
    for row in &mut counts.rows {
        row.contributors = row.value.and_then(|value| value.try_into().ok());
    }
    let tables = [counts];
    let ask = Request {
        singletons: Singletons::Alone,
        width: 2,
        zeros: Zeros::Protect,
        ..request(&dimensions, &tables, FIVE)
    };
    let hidden = hidden(&decide(&ask), 0);
    assert!([3, 4, 5].iter().all(|row| hidden.contains(row)) && hidden.len() < 12, "{hidden:?}");
}

#[test]
fn whoever_is_alone_is_nobody_who_has_a_name() {
    // Whatever number the named one has, the others who are alone have others: A knows B = 92 − 30 − 60 − 1.
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C", "D"])])];
    for name in [0, 1, u32::MAX] {
        let mut counts = table(&dimensions, &[0], &[("A", 1), ("B", 1), ("C", 30), ("D", 60), ("Total", 92)]);
        counts.rows[0].owner = Some(name);
        let tables = [counts];
        let ask = Request { singletons: Singletons::Alone, ..request(&dimensions, &tables, FIVE) };
        assert_eq!(hidden(&decide(&ask), 0), [0, 1, 2], "{name}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (dimensions, good) = abc();
    let fault = |change: &dyn Fn(&mut Table)| {
        let mut tables = [good.clone()];
        change(&mut tables[0]);
        Assembled::of(&request(&dimensions, &tables, FIVE)).err()
    };
    let place = |row| Place { earlier: false, table: 0, row };
    assert_eq!(fault(&|_| ()), None);
    assert_eq!(
        fault(&|table| table.rows[1].value = Some(8)),
        Some(Misfit::Broken { place: place(3), dimension: 0, parts: vec![0, 1, 2], count: 1 })
    );
    assert_eq!(fault(&|table| table.rows[1].value = Some(-7)), Some(Misfit::Outside(place(1))));
    assert_eq!(fault(&|table| table.rows[2].high = Some(50)), Some(Misfit::Outside(place(2))));
    let without = |table: &mut Table| {
        table.nodes.remove(1);
        table.rows.remove(1);
    };
    assert_eq!(fault(&without), Some(Misfit::Codes { place: place(0), dimension: 0, parent: 0, missing: vec![2] }));
    assert_eq!(
        fault(&|table| {
            table.nodes.push(table.nodes[0]);
            table.rows.push(table.rows[0].clone());
        }),
        Some(Misfit::Twice { place: place(4), first: 0 })
    );
    assert_eq!(fault(&|table| table.rows[1].contributors = Some(0)), Some(Misfit::Contributors(place(1))));
    assert_eq!(fault(&|table| table.rows[1].top1 = Some(8)), Some(Misfit::Contributors(place(1))));
    let two = vec![dimension("a", &[("Total", &["x", "y"])]), dimension("b", &[("Total", &["u", "v"])])];
    let rows = [
        ("x u", 1),
        ("x v", 1),
        ("x Total", 2),
        ("y u", 1),
        ("y v", 1),
        ("y Total", 2),
        ("Total u", 2),
        ("Total Total", 4),
    ];
    let tables = [table(&two, &[0, 1], &rows)];
    assert_eq!(
        Assembled::of(&request(&two, &tables, FIVE)).err(),
        Some(Misfit::Missing { place: place(0), count: 1, first: vec![vec![0, 2]] })
    );
}

#[test]
fn figures_rounded_at_source_fit_as_intervals() {
    let (dimensions, _) = abc();
    let rounded = |total| [table(&dimensions, &[0], &[("A", 40), ("B", 5), ("C", 50), ("Total", total)])];
    // 95, from 89 to 107; a total of t from t − 2 to t + 4.
    for (total, fits) in [(84, false), (85, true), (109, true), (110, false)] {
        assert_eq!(at_source(&dimensions, &rounded(total), 2, 4).is_ok(), fits, "{total}");
    }
}

#[test]
fn the_intruder_reads_no_hidden_figure() {
    let (dimensions, mut published) = abc();
    for (row, hidden) in published.rows.iter_mut().zip([true, true, false, false]) {
        row.suppressed = Some(hidden);
    }
    let attack = |table: &Table, width| {
        let found = Audience::readers(&dimensions, std::slice::from_ref(table), width).attack(&mut |_| ());
        let reader = found.expect("no contradiction").played.remove(0);
        assert_eq!(reader.intruder, Intruder::Reader);
        reader.findings.into_iter().map(|finding| (finding.place, finding.violation)).collect::<Vec<_>>()
    };
    // A + B = 47, each from 0 to 47.
    assert_eq!(attack(&published, 47), []);
    assert_eq!(attack(&published, 48).len(), 2);
    // The same, whatever the file holds where it is hidden.
    published.rows[0].value = None;
    published.rows[1].value = Some(4000);
    assert_eq!(attack(&published, 47), []);
    published.rows[0].suppressed = Some(false);
    published.rows[0].value = Some(40);
    let place = Place { earlier: false, table: 0, row: 1 };
    assert_eq!(attack(&published, 1), [(place, Violation::Computable)]);
    // What is marked and shown is a violation by itself.
    published.says_primary = true;
    published.rows[2].primary = true;
    assert_eq!(attack(&published, 1), [(Place { row: 2, ..place }, Violation::Shown)]);
}

#[test]
fn what_one_contributor_has_in_several_cells_is_protected_together() {
    let dimensions = vec![dimension("a", &[("T", &["x", "y", "z"])])];
    let mut counts = table(&dimensions, &[0], &[("x", 10), ("y", 12), ("z", 38), ("T", 60)]);
    for (row, (contributors, owner)) in counts.rows.iter_mut().zip([(1, Some(0)), (1, Some(0)), (7, None), (9, None)]) {
        (row.contributors, row.owner) = (Some(contributors), owner);
    }
    let tables = [counts];
    let two = [Criterion::Contributors { least: 2 }];
    // x + y = T − z is all that this contributor has.
    let decision = decide(&request(&dimensions, &tables, &two));
    let hidden = hidden(&decision, 0);
    assert!(hidden.len() == 3 && hidden.starts_with(&[0, 1]), "{hidden:?}");
}

#[test]
fn a_total_is_not_refused_because_its_contributor_knows_a_part_of_it() {
    let dimensions = vec![dimension("a", &[("T", &["P", "z"]), ("P", &["x", "y"])])];
    let mut amounts = table(&dimensions, &[0], &[("T", 135), ("P", 35), ("x", 3), ("y", 32), ("z", 100)]);
    let facts = [(9, 40, 32, None), (2, 32, 3, None), (1, 3, 0, Some(0)), (1, 32, 0, Some(1)), (7, 40, 30, None)];
    for (row, (contributors, top1, top2, owner)) in amounts.rows.iter_mut().zip(facts) {
        (row.contributors, row.top1, row.top2, row.owner) = (Some(contributors), Some(top1), Some(top2), owner);
    }
    let tables = [amounts];
    let precise = [Criterion::Precision { p: Percent::new(15) }];
    assert!(hidden(&decide(&request(&dimensions, &tables, &precise)), 0).contains(&1));
}

#[test]
fn zeros_and_earlier_publications_that_stand_in_the_way_are_named() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B"])])];
    let tables = [table(&dimensions, &[0], &[("A", 3), ("B", 60), ("Total", 63)])];
    let mut before = tables[0].clone();
    for (row, hidden) in before.rows.iter_mut().zip([true, false, false]) {
        row.suppressed = Some(hidden);
    }
    let ask = Request { earlier: std::slice::from_ref(&before), ..request(&dimensions, &tables, FIVE) };
    let refusal = Assembled::of(&ask).expect("fits").suppress().expect_err("B and the total were shown");
    assert_eq!(refusal.blocking, [(Place { earlier: false, table: 0, row: 1 }, Fixed::Published)]);
    // The total cannot be anything else: nothing but the zero could vary with A.
    let mut tables = [table(&dimensions, &[0], &[("A", 30), ("B", 0), ("Total", 30)])];
    tables[0].rows[0].primary = true;
    (tables[0].rows[2].low, tables[0].rows[2].high) = (Some(30), Some(30));
    let ask = Request { marked: true, ..request(&dimensions, &tables, &[]) };
    let refusal = Assembled::of(&ask).expect("fits").suppress().expect_err("the zero is shown");
    assert_eq!(refusal.blocking, [(Place { earlier: false, table: 0, row: 1 }, Fixed::Zero)]);
}
