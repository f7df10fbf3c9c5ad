//! Totals of a file against the rows that they sum.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use methodology::{Pack, Table};

use crate::compute::exposed;
use crate::fault::FaultCause;
use crate::source::{Names, SourceSpec, Totals};
use crate::{Rows, compute, read_bytes};

fn pack() -> Pack {
    methodology::library().into_iter().find(|pack| pack.code().as_str() == "ccas-activite").expect("in the library")
}

fn aids(pack: &Pack) -> &Table {
    pack.table(&"aides_facultatives".parse().expect("a code")).expect("in the pack")
}

/// Requests of households: household, kind of aid, decision, cents, kind of household.
fn requests(seed: u64) -> Vec<(u64, &'static str, &'static str, u64, &'static str)> {
    let mut state = seed;
    let mut below = |n: u64| {
        // Knuth's linear congruential generator; its upper bits.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let kinds = ["seul", "couple", "monoparental"];
    (0..300)
        .map(|_| {
            let household = below(90);
            let kind = kinds[usize::try_from(household % 3).expect("below three")];
            let aid = ["energie", "alimentaire"][usize::try_from(below(2)).expect("below two")];
            let decision = if below(4) == 0 { "refus" } else { "accord" };
            // Half of it in kind.
            let cents = if below(2) == 0 { 0 } else { 500 + below(20_000) };
            (household, aid, decision, cents, kind)
        })
        .collect()
}

fn euros(cents: u64) -> String {
    format!("{},{:02}", cents / 100, cents % 100)
}

fn by_rows(table: &Table, seed: u64) -> Rows {
    let mut text = "id_demande;id_menage;type_aide;decision;montant;type_menage;age\n".to_owned();
    for (number, (household, aid, decision, cents, kind)) in requests(seed).into_iter().enumerate() {
        let _ = writeln!(text, "d{number};m{household};{aid};{decision};{};{kind};{}", euros(cents), 20 + household);
    }
    read_bytes(&SourceSpec::new("f.csv"), "f.csv", text.as_bytes(), table).expect("readable")
}

fn spec() -> SourceSpec {
    let totals = Totals { count: Names::One("Demandes".to_owned()), units: Some(Names::One("Ménages".to_owned())) };
    SourceSpec { totals: Some(totals), ..SourceSpec::new("t.csv") }
}

/// The same as totals, with or without the kind of aid.
fn by_totals(table: &Table, seed: u64, with_aid: bool) -> Rows {
    let mut lines: BTreeMap<[&str; 3], (u64, BTreeSet<u64>, u64)> = BTreeMap::new();
    for (household, aid, decision, cents, kind) in requests(seed) {
        let line = lines.entry([if with_aid { aid } else { "" }, decision, kind]).or_default();
        line.0 += 1;
        line.1.insert(household);
        line.2 += cents;
    }
    let mut text = if with_aid { "Type d'aide;" } else { "" }.to_owned();
    text += "Décision;Composition du ménage;Demandes;Ménages;montant\n";
    for ([aid, decision, kind], (count, households, cents)) in lines {
        let aid = if with_aid { format!("{aid};") } else { String::new() };
        let _ = writeln!(text, "{aid}{decision};{kind};{count};{};{}", households.len(), euros(cents));
    }
    read_bytes(&spec(), "t.csv", text.as_bytes(), table).expect("readable")
}

#[test]
fn totals_give_the_figures_of_the_rows_that_they_sum_and_no_other() {
    let pack = pack();
    let table = aids(&pack);
    for (seed, with_aid) in [(1, true), (2, true), (3, false), (4, false)] {
        let rows = exposed(&compute(&by_rows(table, seed), table).expect("computable"));
        let from_totals = compute(&by_totals(table, seed, with_aid), table).expect("computable");
        let totals = exposed(&from_totals);
        // Rows that nobody saw say nothing of how much one household has.
        assert!(
            from_totals.rows_of_one().is_none() && totals.values().all(|[.., largest, second]| largest + second == 0)
        );
        let mut known = BTreeSet::new();
        for cell in from_totals.cells().iter().filter(|cell| from_totals.is_known(cell)) {
            let name = (cell.indicator.to_string(), cell.key.to_string());
            let ([value, contributors, ..], [truth, households, ..]) = (totals[&name], rows[&name]);
            assert_eq!(value, truth, "{name:?}");
            // Nobody may be taken for more people than there are.
            assert!(contributors <= households, "{name:?}: {contributors} of {households}");
            known.insert(name);
        }
        let follows = |indicator: &str, key: &str| known.contains(&(indicator.to_owned(), key.to_owned()));
        for (indicator, key) in [
            ("aidfac_demandes", "total"),
            ("aidfac_demandes", "type_menage=seul"),
            ("aidfac_accords", "type_menage=couple"),
            ("aidfac_montant_total", "type_menage=monoparental"),
        ] {
            assert!(follows(indicator, key), "{indicator} {key}");
        }
        assert_eq!(follows("aidfac_accords", "type_aide=energie"), with_aid);
        // One household may have had both aids: their numbers do not add up.
        assert_eq!(follows("aidfac_menages", "total"), !with_aid);
        assert_eq!(follows("aidfac_menages", "type_menage=seul"), !with_aid);
        assert!(!known.iter().any(|(_, key)| key.contains("tranche_age")), "the file says nothing of ages");
    }
}

#[test]
fn units_of_lines_that_may_be_the_same_are_counted_once() {
    let pack = pack();
    let table = aids(&pack);
    // Four households asked for energy, four for food: perhaps the same four.
    let text = "type_aide;decision;Demandes;Ménages\nenergie;accord;6;4\nalimentaire;accord;9;4\n";
    let cells = exposed(
        &compute(&read_bytes(&spec(), "t.csv", text.as_bytes(), table).expect("readable"), table).expect("computable"),
    );
    let of = |key: &str| cells[&("aidfac_accords".to_owned(), key.to_owned())];
    assert_eq!((of("total")[0], of("total")[1]), (15, 4));
    assert_eq!((of("type_aide=energie")[0], of("type_aide=energie")[1]), (6, 4));
}

/// Eleven food parcels and one household that got 350 euros: the amount has one contributor, not twelve.
#[test]
fn an_amount_is_of_one_of_those_in_its_line_as_far_as_anybody_knows() {
    let pack = pack();
    let table = aids(&pack);
    let text = "type_aide;decision;Demandes;Ménages;montant\nalimentaire;accord;12;12;350,00\n";
    let cells = exposed(
        &compute(&read_bytes(&spec(), "t.csv", text.as_bytes(), table).expect("readable"), table).expect("computable"),
    );
    let [value, contributors, ..] = cells[&("aidfac_montant_total".to_owned(), "type_aide=alimentaire".to_owned())];
    assert_eq!((value, contributors), (35_000, 1));
    let [value, contributors, ..] = cells[&("aidfac_accords".to_owned(), "type_aide=alimentaire".to_owned())];
    assert_eq!((value, contributors), (12, 12));
}

#[test]
fn codes_titles_and_bands_are_read_and_what_contradicts_itself_is_refused() {
    let pack = pack();
    let table = aids(&pack);
    let read = |text: &str| read_bytes(&spec(), "t.csv", text.as_bytes(), table);
    let band = &table.dimension_of("age").expect("bands").items[0];
    let by_title = read(&format!("Demandes;Ménages;age\n7;5;{}\n3;3;{}\n", band.title.to_uppercase(), band.code));
    assert_eq!(by_title.expect_err("one band twice").first[0].cause, FaultCause::DuplicateKey);
    for (text, cause) in [
        ("Demandes;Ménages;decision\n7;5;accord\n5;7;refus\n", FaultCause::Constraint),
        ("Demandes;Ménages;decision\n7;0;accord\n", FaultCause::Constraint),
        ("Demandes;Ménages;decision\n7;5;octroi\n", FaultCause::UnknownCode),
        ("Demandes;Ménages;decision\n-7;5;accord\n", FaultCause::Constraint),
        ("Demandes;Ménages;decision\n7;5;accord\n12;9;Total\n", FaultCause::TotalRow),
        ("Demandes;decision\n7;accord\n", FaultCause::MissingColumn),
        // A subtotal, as pivot tables write it, or not recorded?
        ("type_aide;decision;Demandes;Ménages\nenergie;accord;6;4\n;accord;15;4\n", FaultCause::Required),
        ("decision;Demandes;Ménages;montant\naccord;0;0;1500,00\n", FaultCause::Constraint),
    ] {
        let faults = read(text).expect_err(text);
        assert_eq!(faults.first[0].cause, cause, "{text}: {}", faults.first[0].message);
    }
    // Nobody has refused aids of nobody.
    assert_eq!(read("Demandes;Ménages;decision\n0;0;refus\n7;5;accord\n").expect("readable").height(), 2);
    let unsaid = SourceSpec {
        totals: Some(Totals { count: Names::One("Demandes".to_owned()), units: None }),
        ..SourceSpec::new("t.csv")
    };
    let faults = read_bytes(&unsaid, "t.csv", b"Demandes\n7\n", table).expect_err("nobody says how many households");
    assert_eq!(faults.first[0].cause, FaultCause::Settings);
    let mut named = spec();
    named.columns.insert("id_menage".to_owned(), Names::One("Foyer".to_owned()));
    let faults =
        read_bytes(&named, "t.csv", b"Demandes;M\xc3\xa9nages;Foyer\n7;5;x\n", table).expect_err("no identities");
    assert_eq!(faults.first[0].cause, FaultCause::Settings);
}
