//! The engine must choose the same rows as the pack's own evaluation of a filter.

use std::fmt::Write;

use methodology::{ColumnRef, Value};
use proptest::prelude::*;

use super::tests::{at, exposed};
use crate::compute::compute;
use crate::fixture::{pack, table};
use crate::read::read_bytes;
use crate::source::SourceSpec;

#[derive(Clone, Debug)]
struct Row {
    n: Option<i64>,
    euros: Option<i64>,
    jour: Option<u8>,
    oui: Option<bool>,
    texte: Option<&'static str>,
    couleur: &'static str,
}

fn row() -> impl Strategy<Value = Row> {
    (
        proptest::option::of(0_i64..5),
        proptest::option::of(0_i64..500),
        proptest::option::of(1_u8..5),
        proptest::option::of(any::<bool>()),
        proptest::option::of(prop::sample::select(vec!["a", "ab", "b.", "%"])),
        prop::sample::select(vec!["bleu", "rouge", "nr"]),
    )
        .prop_map(|(n, euros, jour, oui, texte, couleur)| Row { n, euros, jour, oui, texte, couleur })
}

fn leaf() -> impl Strategy<Value = String> {
    let order = prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    prop_oneof![
        (order.clone(), 0..5).prop_map(|(op, n)| format!("n {op} {n}")),
        (order.clone(), 0..5).prop_map(|(op, n)| format!("euros {op} {n}.5")),
        (order, 1..5).prop_map(|(op, d)| format!("jour {op} '2025-01-0{d}'")),
        (0..5, 0..5).prop_map(|(a, b)| format!("n NOT BETWEEN {a} AND {b}")),
        prop::sample::select(vec![
            "oui",
            "oui = FALSE",
            "n IS NULL",
            "texte IS NOT NULL",
            "texte IN ('a', 'b.')",
            "texte NOT IN ('ab', '%')",
            "texte LIKE 'a%'",
            "texte NOT LIKE '_.'",
            "couleur <> 'nr'",
            "couleur IN ('bleu', 'nr')",
            "couleur LIKE '%u%'",
        ])
        .prop_map(str::to_owned),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("id;foyer;insee;couleur;n;euros;jour;oui;texte\n");
    for (i, row) in rows.iter().enumerate() {
        let show = |value: Option<String>| value.unwrap_or_default();
        let colour = if row.couleur == "nr" { "" } else { row.couleur };
        let _ = writeln!(
            text,
            "{i};f{i};01004;{colour};{};{};{};{};{}",
            show(row.n.map(|n| n.to_string())),
            show(row.euros.map(|e| format!("{},{:02}", e / 100, e % 100))),
            show(row.jour.map(|d| format!("0{d}/01/2025"))),
            show(row.oui.map(|yes| if yes { "oui" } else { "non" }.to_owned())),
            row.texte.unwrap_or_default()
        );
    }
    text
}

fn value(row: &Row, column: &ColumnRef) -> Option<Value> {
    match column {
        ColumnRef::Dimension(_) => Some(Value::Text(row.couleur.to_owned())),
        ColumnRef::Field(name) => match name.as_str() {
            "n" => row.n.map(Value::Number),
            "euros" => row.euros.map(Value::Number),
            "jour" => row.jour.map(|d| Value::Date(20_088 + i64::from(d))),
            "oui" => row.oui.map(Value::Boolean),
            _ => row.texte.map(|t| Value::Text(t.to_owned())),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_engine_and_the_pack_choose_the_same_rows(text in filter(), rows in prop::collection::vec(row(), 0..12)) {
        let mut files = pack("").files().clone();
        let indicators = String::from_utf8(files["tables/t.toml"].clone()).expect("UTF-8");
        let indicators = indicators.replace("filter = \"\"\"\"\"\"", &format!("filter = \"\"\"{text}\"\"\""));
        files.insert("tables/t.toml".to_owned(), indicators.into_bytes());
        // A filter that no code can meet is refused by the pack: nothing to compare.
        let Ok(pack) = methodology::Pack::parse(&files) else { return Ok(()) };
        let table = table(&pack);
        let mut spec = SourceSpec::new("f.csv");
        spec.may_be_empty = true;
        let read = read_bytes(&spec, "f.csv", csv(&rows).as_bytes(), table).expect("readable");
        let cells = exposed(&compute(&read, table).expect("computable"));
        let measure = table.indicators()[0].measure().expect("a measure");
        let counts = |row: &&Row| {
            measure.restriction.codes.values().all(|codes| codes.iter().any(|code| code.as_str() == row.couleur))
                && measure.conditions.values().all(|c| c.holds(&|column| value(row, column)) == Some(true))
        };
        let expected = i64::try_from(rows.iter().filter(counts).count()).expect("few");
        prop_assert_eq!(at(&cells, "lignes", "total")[0], expected);
        for colour in ["bleu", "rouge", "nr"] {
            let expected = i64::try_from(rows.iter().filter(counts).filter(|r| r.couleur == colour).count()).expect("few");
            prop_assert_eq!(at(&cells, "lignes", &format!("couleur={colour}"))[0], expected);
        }
    }
}
