use super::*;
use crate::fixture::{code, key, measure, rule, scheme};
use crate::scheme::MeasureScheme;

fn cell(relations: &Relations, indicator: &str, pairs: &[(&str, &str)]) -> usize {
    match relations.entries[&(code(indicator), key(pairs))] {
        Entry::Cell(cell) => cell,
        Entry::Empty => panic!("{indicator} is empty there"),
    }
}

/// The parts of all equalities of a whole, by published name; derived parts read `…`.
fn parts(relations: &Relations, whole: usize) -> Vec<String> {
    let mut all: Vec<String> = relations
        .equalities
        .iter()
        .filter(|equality| equality.whole == whole)
        .map(|equality| {
            let mut names: Vec<String> = equality
                .parts
                .iter()
                .map(|&part| {
                    let cell = &relations.cells[part];
                    cell.names.first().map_or("…".to_owned(), |(indicator, key)| format!("{indicator} {key}"))
                })
                .collect();
            names.sort();
            names.join(" + ")
        })
        .collect();
    all.sort();
    all
}

fn listed(indicator: &str, dimension: &str, codes: &[&str]) -> MeasureScheme {
    let mut list = measure(indicator, &[], rule(5, 3));
    list.restriction.codes.insert(code(dimension), codes.iter().map(|c| code(c)).collect());
    list
}

#[test]
fn a_crossed_table_adds_up_both_ways() {
    let scheme = scheme(&[("d", &["A", "B"]), ("e", &["x", "y"])], vec![measure("i", &[&["d", "e"]], rule(5, 3))]);
    let relations = Relations::of(&scheme);
    assert_eq!((relations.cells.len(), relations.equalities.len()), (9, 6));
    assert_eq!(parts(&relations, cell(&relations, "i", &[])), ["i d=A + i d=B", "i e=x + i e=y"]);
    assert_eq!(parts(&relations, cell(&relations, "i", &[("d", "A")])), ["i d=A;e=x + i d=A;e=y"]);
}

#[test]
fn the_same_rows_are_one_unknown_under_two_names() {
    let mut all = listed("tous", "d", &["A", "B"]);
    all.breakdowns.insert([code("d")].into());
    let scheme =
        scheme(&[("d", &["A", "B"])], vec![measure("i", &[&["d"]], rule(5, 3)), all, listed("a", "d", &["A"])]);
    let relations = Relations::of(&scheme);
    assert_eq!(relations.cells.len(), 3);
    assert_eq!(cell(&relations, "tous", &[]), cell(&relations, "i", &[]));
    assert_eq!(cell(&relations, "a", &[]), cell(&relations, "i", &[("d", "A")]));
}

#[test]
fn three_lists_partition_the_total_without_single_codes() {
    let lists = [("jeunes", vec!["1", "2"]), ("adultes", vec!["3"]), ("ages", vec!["4", "5"])];
    let mut measures = vec![measure("tous", &[], rule(5, 3))];
    measures.extend(lists.iter().map(|(name, codes)| listed(name, "age", codes)));
    let relations = Relations::of(&scheme(&[("age", &["1", "2", "3", "4", "5"])], measures));
    let total = parts(&relations, cell(&relations, "tous", &[]));
    assert!(total.contains(&"adultes total + ages total + jeunes total".to_owned()), "{total:?}");
}

#[test]
fn overlapping_lists_are_cut_into_what_they_share() {
    let measures =
        vec![measure("tous", &[], rule(5, 3)), listed("p", "age", &["1", "2"]), listed("q", "age", &["2", "3"])];
    let relations = Relations::of(&scheme(&[("age", &["1", "2", "3", "4"])], measures));
    assert!(parts(&relations, cell(&relations, "p", &[])).contains(&"… + …".to_owned()));
    assert!(parts(&relations, cell(&relations, "tous", &[])).contains(&"… + … + … + …".to_owned()));
    let derived = relations.cells.iter().filter(|cell| cell.standing == Standing::Derived);
    assert!(derived.clone().count() >= 4 && derived.clone().all(|cell| cell.need.is_some()));
}

#[test]
fn a_filtered_cell_lies_in_the_same_cell_without_the_filter() {
    let all = measure("tous", &[&["d"]], rule(5, 3));
    let mut part = MeasureScheme { indicator: code("part"), ..all.clone() };
    part.restriction.conditions.insert("statut = 'refus'".to_owned());
    let relations = Relations::of(&scheme(&[("d", &["A", "B"])], vec![all, part]));
    assert!(parts(&relations, cell(&relations, "tous", &[("d", "A")])).contains(&"part d=A + …".to_owned()));
}

#[test]
fn a_filtered_list_lies_in_the_sum_of_its_codes() {
    let all = measure("tous", &[&["d"]], rule(5, 3));
    let mut part = listed("part", "d", &["A", "B"]);
    part.restriction.conditions.insert("c".to_owned());
    let relations = Relations::of(&scheme(&[("d", &["A", "B", "C"])], vec![all, part]));
    let sum = relations
        .equalities
        .iter()
        .find(|equality| equality.parts.first() == Some(&cell(&relations, "part", &[])))
        .expect("the list lies in something");
    assert_eq!(parts(&relations, sum.whole), ["part total + …", "tous d=A + tous d=B"]);
}

#[test]
fn there_are_no_more_people_than_rows_and_the_difference_is_nobodys() {
    let rows = measure("demandes", &[&["d"]], rule(5, 3));
    let mut people = MeasureScheme { indicator: code("personnes"), ..rows.clone() };
    people.quantity = Quantity::Distinct { column: "id".into() };
    let relations = Relations::of(&scheme(&[("d", &["A", "B"])], vec![rows, people]));
    let whole = cell(&relations, "demandes", &[("d", "A")]);
    let equality = relations
        .equalities
        .iter()
        .find(|e| e.whole == whole && e.parts[0] == cell(&relations, "personnes", &[("d", "A")]))
        .expect("people are at most rows");
    assert_eq!(relations.cells[equality.parts[1]].need, None);
    assert!(relations.twins.contains(&(whole, equality.parts[0])));
}

#[test]
fn what_a_producer_shows_is_open_whoever_else_would_hide_it() {
    let mut source = measure("source", &[&["d"]], rule(5, 3));
    source.protection = Protection::AtSource;
    let relations = Relations::of(&scheme(&[("d", &["A"])], vec![measure("i", &[], rule(5, 3)), source]));
    assert!(relations.cells.iter().all(|cell| cell.standing == Standing::Open && cell.need.is_none()));
}

#[test]
fn schemes_that_cannot_be_are_refused() {
    use crate::InvalidScheme;
    use model::Decimals;

    let new = |measures| TableScheme::new([(code("d"), vec![code("A")])].into(), measures);
    let two = Decimals::new(2).expect("two places");
    let mut fractional = measure("i", &[], rule(5, 3));
    fractional.decimals = two;
    assert_eq!(new(vec![fractional]), Err(InvalidScheme::FractionalCount(code("i"))));
    let mut euros = measure("a", &[], rule(5, 3));
    euros.quantity = Quantity::Sum { column: "m".into() };
    let cents = MeasureScheme { indicator: code("b"), decimals: two, ..euros.clone() };
    assert_eq!(new(vec![euros, cents]), Err(InvalidScheme::DifferentDecimals(code("a"), code("b"))));
    let twice = TableScheme::new([(code("d"), vec![code("A"), code("A")])].into(), vec![]);
    assert_eq!(twice, Err(InvalidScheme::InvalidCodes(code("d"))));
}
