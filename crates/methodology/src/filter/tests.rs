//! What the small language takes, what it refuses, and what disclosure control sees of it.

use std::collections::BTreeSet;

use model::{Code, Decimals, DimensionCode};

use super::*;
use crate::error::PackCause;
use crate::schema::{Field, FieldType, TableSchema};
use crate::table::{CodeItem, Dimension};

fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        kind,
        required: true,
        allowed: BTreeSet::new(),
        pattern: None,
        minimum: None,
        maximum: None,
    }
}

fn schema() -> TableSchema {
    TableSchema {
        fields: vec![
            field("id", FieldType::String),
            field("texte", FieldType::String),
            field("n", FieldType::Integer),
            field("euros", FieldType::Number(Decimals::new(2).expect("two"))),
            field("jour", FieldType::Date),
            field("oui", FieldType::Boolean),
            field("couleur", FieldType::String),
            field("age", FieldType::Integer),
            Field { required: false, ..field("k", FieldType::Integer) },
            Field { required: false, ..field("t", FieldType::String) },
        ],
        primary_key: Vec::new(),
        missing_values: BTreeSet::new(),
    }
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

fn dimension(name: &str, field: &str, codes: &[&str]) -> Dimension {
    let item = |text: &&str| CodeItem {
        code: code(text),
        title: (*text).to_owned(),
        values: BTreeSet::from([(*text).to_owned()]),
        band: None,
    };
    Dimension {
        code: name.parse().expect("a dimension"),
        title: name.to_owned(),
        field: field.to_owned(),
        items: codes.iter().map(item).collect(),
        blank: None,
        single_valued_for: BTreeSet::new(),
    }
}

fn dimensions() -> Vec<Dimension> {
    vec![dimension("couleur", "couleur", &["bleu", "rouge", "vert"]), dimension("tranche", "age", &["0-24", "25+"])]
}

fn read(text: &str) -> Result<Option<Filter>, PackCause> {
    let (schema, dimensions) = (schema(), dimensions());
    parse(text, &Names { schema: &schema, dimensions: &dimensions }).map_err(|refusal| refusal.cause)
}

fn canonical(text: &str) -> String {
    read(text).expect("accepted").expect("not empty").to_string()
}

#[test]
fn different_writings_of_one_condition_have_one_canonical_text() {
    for (left, right) in [
        ("n BETWEEN 2 AND 5", "5 >= n AND n >= 2"),
        ("NOT (n < 3 OR texte = 'a')", "texte <> 'a' AND 3 <= n"),
        ("couleur IN ('rouge', 'bleu')", "couleur in ('bleu','rouge','bleu')"),
        ("NOT couleur <> 'bleu'", "(couleur = 'bleu')"),
        ("oui", "oui = TRUE"),
        ("jour >= DATE '2025-01-01'", "jour >= '2025-01-01'"),
        ("euros > 12.5", "12.50 < euros"),
        ("NOT (n IS NULL)", "n IS NOT NULL"),
        ("n = 1 OR (n = 2 OR texte LIKE 'a%')", "texte LIKE 'a%' OR n = 2 OR n = 1 OR n = 2"),
    ] {
        assert_eq!(canonical(left), canonical(right), "{left} / {right}");
    }
    assert_eq!(canonical("euros > 12.5"), "euros > 1250");
    assert_eq!(canonical("texte = 'l''an'"), "texte IN ('l''an')");
}

#[test]
fn whatever_is_not_a_row_wise_comparison_is_refused() {
    for text in [
        "SUM(n) > 3",
        "COUNT(*) > 1",
        "n > (SELECT 1)",
        "n IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "ROW_NUMBER() OVER () = 1",
        "n + 1 > 3",
        "n > euros",
        "1 = 1",
        "TRUE",
        "n = 1; DROP TABLE x",
        "n = 1 FROM read_csv('/etc/passwd')",
        "read_csv('/etc/passwd') = 'x'",
        "CASE WHEN n = 1 THEN TRUE END",
        "CASE WHEN n = 1 THEN NULL ELSE TRUE END",
        "CASE WHEN n = 1 THEN FALSE ELSE FALSE END",
        "CASE WHEN n = 1 THEN 'a' ELSE 'b' END",
        "CASE WHEN n = 1 THEN 'a' ELSE 2 END = 'a'",
        "CASE WHEN n = 1 THEN texte ELSE 'b' END = 'a'",
        "CASE WHEN SUM(n) = 1 THEN TRUE ELSE FALSE END",
        "CASE WHEN n = 1 THEN TRUE ELSE EXISTS (SELECT 1) END",
        "CASE WHEN CASE WHEN CASE WHEN n=1 THEN oui ELSE oui END THEN oui ELSE oui END THEN oui ELSE oui END",
        "UNNEST(n) = 1",
        "COLUMNS('n') = 1",
        "CAST(n AS TEXT) = '1'",
        "RANDOM() < 1",
        "texte ILIKE 'a'",
        "texte LIKE 'a' ESCAPE '\\'",
        "texte ~ 'a'",
        "texte SIMILAR TO 'a'",
        "n IN ()",
        "n = ANY(1)",
        "table1.n = 1",
        "n",
        "(n = 1",
        "n = 1)",
        "n = 'x",
        "*",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn names_and_types_are_checked() {
    for (text, cause) in [
        ("inconnu = 1", PackCause::Unknown),
        ("couleur = 'jaune'", PackCause::Unknown),
        ("couleur = 3", PackCause::Type),
        ("couleur < 'rouge'", PackCause::Type),
        ("couleur IS NULL", PackCause::Type),
        ("age >= 18", PackCause::Inconsistent),
        ("n = 'x'", PackCause::Type),
        ("n = 1.5", PackCause::Type),
        ("euros > 1.234", PackCause::Type),
        ("n > 99999999999999999999", PackCause::Type),
        ("texte = 3", PackCause::Type),
        ("texte < 'b'", PackCause::Type),
        ("n LIKE '1%'", PackCause::Type),
        ("oui = 'oui'", PackCause::Type),
        ("jour > '31/12/2025'", PackCause::Type),
        ("jour > '2025-02-30'", PackCause::Type),
    ] {
        assert_eq!(read(text), Err(cause), "{text}");
    }
}

#[test]
fn hostile_lengths_are_refused_before_anything_recurses() {
    let long = format!("texte = '{}'", "a".repeat(1000));
    let wide = vec!["n=1"; 100].join(" OR ");
    let deep = format!("{}n = 1{}", "(".repeat(90), ")".repeat(90));
    let not = format!("{}oui", "NOT ".repeat(150));
    for text in [long, wide, deep] {
        assert_eq!(read(&text), Err(PackCause::Filter));
    }
    // Either bound may stop it; the stack must hold.
    let _ = read(&not);
}

#[test]
fn conditions_on_codes_become_code_sets_and_the_rest_stays_opaque() {
    let dimensions = dimensions();
    let filter =
        read("couleur <> 'vert' AND NOT (couleur = 'rouge' OR n > 3) AND (tranche = '25+' OR couleur = 'bleu')");
    let split = split(filter.expect("accepted"), &dimensions, &|_| true).expect("codes are left");
    let couleur: DimensionCode = "couleur".parse().expect("a code");
    assert_eq!(split.codes.keys().collect::<Vec<_>>(), [&couleur]);
    assert_eq!(split.codes[&couleur], BTreeSet::from([code("bleu")]));
    let conditions: Vec<&String> = split.conditions.keys().collect();
    assert_eq!(conditions, ["(couleur IN ('bleu')) OR (tranche IN ('25+'))", "n <= 3"]);
}

#[test]
fn a_condition_that_every_code_meets_is_none_and_one_that_no_code_meets_is_refused() {
    let dimensions = dimensions();
    let all = read("couleur IN ('bleu', 'rouge', 'vert')").expect("accepted");
    assert_eq!(split(all, &dimensions, &|_| true), Ok(Split::default()));
    let none = read("couleur = 'bleu' AND couleur = 'rouge'").expect("accepted");
    assert_eq!(split(none, &dimensions, &|_| true), Err("couleur".parse().expect("a code")));
}

#[test]
fn codes_that_may_share_a_unit_stay_opaque() {
    let dimensions = dimensions();
    let filter = read("couleur = 'bleu'").expect("accepted");
    let split = split(filter, &dimensions, &|_| false).expect("accepted");
    assert!(split.codes.is_empty());
    assert_eq!(split.conditions.keys().collect::<Vec<_>>(), ["couleur IN ('bleu')"]);
}

#[test]
fn unknown_is_not_false() {
    let filter = read("NOT (n > 3) OR texte LIKE 'a_c%'").expect("accepted").expect("not empty");
    let with = |n: Option<i64>, t: Option<&str>| {
        filter.holds(&|column| match column {
            ColumnRef::Field(name) if name == "n" => n.map(Value::Number),
            _ => t.map(|t| Value::Text(t.to_owned())),
        })
    };
    assert_eq!(with(Some(3), None), Some(true));
    assert_eq!(with(Some(4), None), None);
    assert_eq!(with(None, Some("abc.")), Some(true));
    assert_eq!(with(Some(4), Some("bc")), Some(false));
}

/// Against SQL's own table of truth, blanks included, and under `NOT`.
#[test]
fn case_unfolds_to_what_sql_means_with_blanks() {
    type Truth = fn(Option<i64>, Option<&str>) -> Option<bool>;
    let cases: [(&str, Truth); 5] = [
        ("CASE WHEN k > 1 THEN t = 'a' ELSE TRUE END", |k, t| match k {
            Some(2) => t.map(|t| t == "a"),
            _ => Some(true),
        }),
        ("NOT CASE WHEN k > 1 THEN TRUE WHEN t = 'a' THEN FALSE ELSE TRUE END", |k, t| {
            Some(k != Some(2) && t == Some("a"))
        }),
        ("NOT (CASE k WHEN 1 THEN t = 'b' ELSE FALSE END)", |k, t| match k {
            Some(1) => t.map(|t| t != "b"),
            _ => Some(true),
        }),
        ("CASE WHEN k = 1 AND t = 'a' THEN 'x' WHEN NOT (k = 1 OR t = 'a') THEN 'y' ELSE 'z' END <> 'z'", |k, t| {
            let x = k == Some(1) && t == Some("a");
            let y = k.is_some_and(|k| k != 1) && t.is_some_and(|t| t != "a");
            Some(x || y)
        }),
        ("(CASE WHEN t IS NULL THEN 1 WHEN t LIKE 'a%' THEN 2 ELSE 3 END) IN (1, 3)", |_, t| Some(t != Some("a"))),
    ];
    for (text, truth) in cases {
        let filter = read(text).expect("accepted").expect("not empty");
        for k in [None, Some(1), Some(2)] {
            for t in [None, Some("a"), Some("b")] {
                let held = filter.holds(&|column| match column {
                    ColumnRef::Field(name) if name == "k" => k.map(Value::Number),
                    _ => t.map(|t| Value::Text(t.to_owned())),
                });
                assert_eq!(held, truth(k, t), "{text} with {k:?}, {t:?}: {filter}");
            }
        }
    }
    // Required columns need no word about blanks, so both writings are one definition.
    assert_eq!(canonical("CASE WHEN n > 3 THEN oui ELSE FALSE END"), canonical("oui AND n > 3"));
}

#[test]
fn a_refusal_names_its_place_in_the_file() {
    let (schema, dimensions) = (schema(), dimensions());
    let at = |file: &str, value: &str| {
        let start = file.find('=').map_or(0, |sign| sign + 2);
        let refusal = parse(value, &Names { schema: &schema, dimensions: &dimensions }).expect_err("refused");
        let place = refusal.position(file, start..file.len(), value);
        (place.line, place.column)
    };
    assert_eq!(at("filter = \"n = 1 AND rien = 1\"", "n = 1 AND rien = 1"), (1, 21));
    assert_eq!(at("filter = \"\"\"\nn = 1\n  AND rien = 1\"\"\"", "n = 1\n  AND rien = 1"), (3, 7));
    assert_eq!(at("filter = \"n = 1 AND\"", "n = 1 AND").0, 1);
    // Behind an escape the filter's own columns mean nothing: its beginning is named.
    assert_eq!(at("filter = \"texte = '\\u0061' AND rien = 1\"", "texte = 'a' AND rien = 1"), (1, 10));
}
