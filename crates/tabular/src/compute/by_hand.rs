//! Every cell against the same worked out row by row, unit by unit, as one would by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;

use methodology::Pack;
use proptest::prelude::*;

use super::tests::{Exposed, exposed};
use crate::compute::compute;
use crate::fixture::{self, table};
use crate::read::{parallel, read_bytes};
use crate::source::SourceSpec;

#[derive(Clone, Debug)]
struct Row {
    foyer: u8,
    insee: u8,
    n: i64,
    cents: i64,
    jour: u8,
    reponse: &'static str,
    texte: &'static str,
}

fn row() -> impl Strategy<Value = Row> {
    let answer = prop::sample::select(vec!["oui", "non", ""]);
    let text = prop::sample::select(vec!["", "Aide", "autre"]);
    (0_u8..6, 1_u8..4, 0_i64..8, 0_i64..4, 1_u8..6, answer, text).prop_map(
        |(foyer, insee, n, euros, jour, reponse, texte)| Row {
            foyer,
            insee,
            n,
            cents: euros * 50,
            jour,
            reponse,
            texte,
        },
    )
}

impl Row {
    /// One colour for each unit, as the pack demands.
    fn colour(&self) -> &'static str {
        ["bleu", "rouge", "nr"][usize::from(self.foyer) % 3]
    }

    fn answer(&self) -> &'static str {
        if self.reponse.is_empty() { "nr" } else { self.reponse }
    }
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("id;foyer;insee;couleur;n;euros;jour;oui;texte\n");
    for (id, row) in rows.iter().enumerate() {
        let colour = if row.colour() == "nr" { "" } else { row.colour() };
        let _ = writeln!(
            text,
            "{id};f{};0100{};{colour};{};{},{:02};0{}/01/2025;{};{}",
            row.foyer,
            row.insee,
            row.n,
            row.cents / 100,
            row.cents % 100,
            row.jour,
            row.reponse,
            row.texte
        );
    }
    text
}

/// The pack of all quantities, `petits` being a weight.
fn weighted() -> &'static Pack {
    static PACK: LazyLock<Pack> = LazyLock::new(|| {
        let mut files = fixture::all_quantities().files().clone();
        for (file, from, to) in [
            (
                "tables/t.schema.json",
                r#""constraints": { "minimum": 0, "maximum": 99999 }"#,
                r#""constraints": { "required": true, "minimum": 0, "maximum": 99999 }"#,
            ),
            ("tables/t.toml", "quantity = \"sum\"\ncolumn = \"n\"", "quantity = \"weight\"\ncolumn = \"n\""),
        ] {
            let text = String::from_utf8(files[file].clone()).expect("UTF-8");
            assert!(text.contains(from));
            files.insert(file.to_owned(), text.replace(from, to).into_bytes());
        }
        Pack::parse(&files).expect("the fixture is a pack")
    });
    &PACK
}

type Chosen = (&'static str, fn(&Row) -> bool, What);

#[derive(Clone, Copy)]
enum What {
    Rows,
    Distinct(fn(&Row) -> u8),
    Sum(fn(&Row) -> i64),
    Weight(fn(&Row) -> i64),
}

fn indicators(petits: What) -> [Chosen; 5] {
    [
        ("lignes", |_| true, What::Rows),
        ("foyers", |row| row.n > 2, What::Distinct(|row| row.foyer)),
        ("communes", |row| !row.texte.is_empty(), What::Distinct(|row| row.insee)),
        ("montant", |row| row.jour >= 3, What::Sum(|row| row.cents)),
        ("petits", |row| row.n < 5 && row.answer() != "oui", petits),
    ]
}

/// Value, contributors, the two largest.
fn figures(rows: &[&Row], what: What) -> [i64; 4] {
    let count = |units: BTreeSet<u8>| i64::try_from(units.len()).expect("few");
    let units = |rows: &[&Row]| count(rows.iter().map(|row| row.foyer).collect());
    match what {
        What::Rows => [i64::try_from(rows.len()).expect("few"), units(rows), 0, 0],
        What::Distinct(of) => [count(rows.iter().map(|row| of(row)).collect()), units(rows), 0, 0],
        What::Weight(of) => {
            let weighty: Vec<&Row> = rows.iter().copied().filter(|row| of(row) > 0).collect();
            [weighty.iter().map(|row| of(row)).sum(), units(&weighty), 0, 0]
        }
        What::Sum(of) => {
            let mut sums: BTreeMap<u8, i64> = BTreeMap::new();
            for row in rows {
                *sums.entry(row.foyer).or_default() += of(row);
            }
            let mut sums: Vec<i64> = sums.into_values().filter(|sum| *sum > 0).collect();
            sums.sort_unstable_by(|a, b| b.cmp(a));
            let at = |place: usize| sums.get(place).copied().unwrap_or(0);
            [sums.iter().sum(), i64::try_from(sums.len()).expect("few"), at(0), at(1)]
        }
    }
}

fn by_hand(rows: &[Row], petits: What) -> Exposed {
    let mut cells = Exposed::new();
    let colours = [None, Some("bleu"), Some("rouge"), Some("nr")];
    let answers = [None, Some("oui"), Some("non"), Some("nr")];
    for (indicator, counts, what) in indicators(petits) {
        let distinct = matches!(what, What::Distinct(_));
        for colour in colours {
            for answer in answers {
                if distinct && (colour, answer) != (None, None) {
                    continue;
                }
                let parts: Vec<String> = [("couleur", colour), ("reponse", answer)]
                    .iter()
                    .filter_map(|(by, code)| Some(format!("{by}={}", (*code)?)))
                    .collect();
                let key = if parts.is_empty() { "total".to_owned() } else { parts.join(";") };
                let here = |row: &&Row| {
                    counts(row)
                        && colour.is_none_or(|code| row.colour() == code)
                        && answer.is_none_or(|code| row.answer() == code)
                };
                let rows: Vec<&Row> = rows.iter().filter(here).collect();
                cells.insert((indicator.to_owned(), key), figures(&rows, what));
            }
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_cell_is_the_one_worked_out_by_hand(rows in prop::collection::vec(row(), 1..40), block in 60_usize..600) {
        let text = csv(&rows);
        let spec = SourceSpec::new("f.csv");
        for (pack, petits) in
            [(fixture::all_quantities(), What::Sum(|row| row.n)), (weighted(), What::Weight(|row| row.n))]
        {
            let table = table(pack);
            let expected = by_hand(&rows, petits);
            let patient = read_bytes(&spec, "f.csv", text.as_bytes(), table).expect("readable");
            prop_assert_eq!(&exposed(&compute(&patient, table).expect("computable")), &expected);
            let shared = parallel::read(&spec, "f.csv", table, block, || Some(text.as_bytes())).expect("plain");
            prop_assert_eq!(&exposed(&compute(&shared, table).expect("computable")), &expected);
        }
    }
}
