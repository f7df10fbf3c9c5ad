//! What follows from filters, what must be said, and what disclosure control is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use disclosure::Restriction;
use model::IndicatorCode;

use super::{Basis, Known, Relation};
use crate::error::{PackCause, PackError};
use crate::pack::Pack;

/// A table of requests whose indicators are given as (code, quantity, filter, breakdowns), and more text behind them.
fn pack(indicators: &[(&str, &str, &str, &str)], more: &str) -> Result<Pack, Vec<PackError>> {
    let schema = r#"{
  "name": "t", "title": "Demandes",
  "fields": [
    { "name": "id", "type": "string", "title": "Identifiant", "constraints": { "required": true } },
    { "name": "menage", "type": "string", "title": "Ménage", "constraints": { "required": true } },
    { "name": "aide", "type": "string", "title": "Aide", "constraints": { "required": true } },
    { "name": "age", "type": "integer", "title": "Âge", "constraints": { "minimum": 0, "maximum": 120 } },
    { "name": "montant", "type": "number", "decimals": 2, "title": "Montant", "constraints": { "minimum": 0 } },
    { "name": "ville", "type": "string", "title": "Ville" },
    { "name": "nom_rue", "type": "string", "title": "Rue", "constraints": { "enum": ["rue A", "rue B", "quai C"] } }
  ],
  "primaryKey": "id",
  "maillage": { "row": "une demande", "unit": "menage", "dimensions": [
    { "code": "aide", "title": "Aide", "codes": [
      { "code": "eau", "title": "Eau" }, { "code": "bois", "title": "Bois" }, { "code": "bus", "title": "Bus" } ] } ] }
}"#;
    let mut measures = "[rules.r]\nthreshold = 5\nzeros = \"publish\"\nwidth = 5\n".to_owned();
    let mut golden = "[[case]]\nname = \"rien\"\nrows = \"\"\n[case.expected]\n".to_owned();
    for (code, quantity, filter, by) in indicators {
        let quantity = match quantity.split_once(' ') {
            Some((quantity, column)) => format!("quantity = \"{quantity}\"\ncolumn = \"{column}\""),
            None => format!("quantity = \"{quantity}\""),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            measures,
            "[[indicator]]\ncode = \"{code}\"\ntitle = \"T\"\ntheme = \"T\"\nunit = \"u\"\naggregation = \"additive\"\n\
             uncertainty = \"none\"\npolarity = \"neutral\"\n[indicator.measure]\n{quantity}\nfilter = \"{filter}\"\n\
             by = {by}\nprotection = \"r\"\n[indicator.sheet]\nsource = \"s\"\npopulation = \"p\"\nperiodicity = \"p\"\n\
             limits = [\"l\"]\nhow_to_read = \"h\"\nhow_not_to_read = \"h\"\n"
        );
        let _ = writeln!(golden, "{code} = 0");
    }
    measures.push_str(more);
    let front = "format = 1\ncode = \"p\"\nversion = \"1.0.0\"\ntitle = \"P\"\ndescription = \"\"\ntables = [\"t\"]\n";
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front),
        ("tables/t.schema.json", schema),
        ("tables/t.toml", &measures),
        ("golden/t.toml", &golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    Pack::check(&files)
}

fn known(pack: &Pack) -> Vec<String> {
    let said = |known: &Known| {
        let basis = if known.basis == Basis::Proven { "" } else { "!" };
        match &known.relation {
            Relation::Same(a, b) => format!("{basis}{a}={b}"),
            Relation::Within(a, b) => format!("{basis}{a}<{b}"),
            Relation::Apart(a, b) => format!("{basis}{a}|{b}"),
            Relation::Overlap(a, b) => format!("{basis}{a}?{b}"),
            Relation::Bound(a, b) => format!("{basis}{a}/{b}"),
            Relation::Partition { whole, parts } => {
                let parts: Vec<&str> = parts.iter().map(IndicatorCode::as_str).collect();
                format!("{basis}{whole}={}", parts.join("+"))
            }
        }
    };
    pack.tables()[0].relations().iter().map(said).collect()
}

fn restriction<'a>(pack: &'a Pack, code: &str) -> &'a Restriction {
    let code = code.parse().expect("a code");
    &pack.tables()[0].scheme().measure(&code).expect("a measure").restriction
}

fn refusals(indicators: &[(&str, &str, &str, &str)], more: &str) -> Vec<PackCause> {
    pack(indicators, more).err().unwrap_or_default().iter().map(|fault| fault.cause).collect()
}

#[test]
fn one_filter_inside_another_is_seen_by_secrecy_whatever_its_writing() {
    let pack = pack(
        &[("tous", "rows", "", "[]"), ("ages", "rows", "age >= 60", "[]"), ("vieux", "rows", "age > 74", "[]")],
        "",
    )
    .expect("sound");
    assert_eq!(known(&pack), ["ages<tous", "vieux<ages"]);
    let (outer, inner) = (restriction(&pack, "ages"), restriction(&pack, "vieux"));
    assert!(outer.conditions.is_subset(&inner.conditions), "{inner:?}");
    // What is asked is still what was written.
    let code = "vieux".parse().expect("a code");
    let asked = pack.tables()[0].indicator(&code).and_then(|i| i.measure()).expect("a measure");
    assert_eq!(asked.restriction.conditions.len(), 1);
}

#[test]
fn overlapping_conditions_on_one_column_become_codes_of_an_axis() {
    let pack = pack(
        &[
            ("tous", "rows", "", "[]"),
            ("bas", "rows", "age <= 65", "[]"),
            ("haut", "rows", "age >= 60", "[]"),
            ("sans", "rows", "age IS NULL", "[]"),
        ],
        "",
    )
    .expect("sound");
    let codes = |code: &str| restriction(&pack, code).codes.values().next().expect("an axis").clone();
    let (low, high, blank) = (codes("bas"), codes("haut"), codes("sans"));
    assert_eq!((low.len(), high.len(), low.intersection(&high).count()), (2, 2, 1), "{low:?} {high:?}");
    assert!(blank.is_disjoint(&low) && blank.is_disjoint(&high));
    assert!(["bas", "haut", "sans"].iter().all(|code| restriction(&pack, code).conditions.is_empty()));
}

#[test]
fn partitions_and_exclusions_are_found() {
    let pack = pack(
        &[
            ("tous", "rows", "age IS NOT NULL", "[]"),
            ("jeunes", "rows", "age < 26", "[]"),
            ("moyens", "rows", "age BETWEEN 26 AND 59", "[]"),
            ("grands", "rows", "age >= 60", "[]"),
        ],
        "",
    )
    .expect("sound");
    let all = known(&pack);
    assert!(all.contains(&"tous=grands+jeunes+moyens".to_owned()), "{all:?}");
    assert!(all.contains(&"grands|jeunes".to_owned()), "{all:?}");
}

#[test]
fn what_cannot_be_told_fails_until_it_is_declared() {
    // Two patterns of one open text: no list of texts is known to hold all that both admit.
    let two = [("a", "rows", "ville LIKE 'Saint%'", "[]"), ("b", "rows", "ville LIKE '%sur-Mer'", "[]")];
    assert_eq!(refusals(&two, ""), [PackCause::Undecided]);
    let told = "[[relation]]\noverlaps = [\"a\", \"b\"]\nreason = \"des communes sont les deux\"\n";
    assert_eq!(known(&pack(&two, told).expect("declared")), ["!a?b"]);
    // A pattern of a closed list is decided.
    let closed = [("a", "rows", "nom_rue LIKE 'rue%'", "[]"), ("b", "rows", "nom_rue LIKE '%C'", "[]")];
    assert_eq!(known(&pack(&closed, "").expect("decided")), ["a|b"]);
    // OR between a dimension and a column, beside a breakdown by that dimension.
    let mixed = [("a", "rows", "aide = 'eau' OR montant > 100", "[]"), ("b", "rows", "", "[[\"aide\"]]")];
    assert_eq!(refusals(&mixed, ""), [PackCause::Undecided]);
    let apart = [("a", "rows", "aide = 'eau' OR montant > 100", "[]"), ("b", "rows", "", "[]")];
    assert_eq!(known(&pack(&apart, "").expect("no breakdown")), ["a<b"]);
}

#[test]
fn units_of_two_conditions_tell_of_each_other_only_where_together_they_are_all() {
    let some = [
        ("a", "distinct menage", "aide = 'eau'", "[]"),
        ("b", "distinct menage", "aide = 'bois'", "[]"),
        ("c", "distinct menage", "", "[]"),
    ];
    assert!(refusals(&some, "").is_empty());
    let all = [
        ("a", "distinct menage", "aide = 'eau'", "[]"),
        ("b", "distinct menage", "aide <> 'eau'", "[]"),
        ("c", "distinct menage", "", "[]"),
    ];
    assert_eq!(refusals(&all, ""), [PackCause::Undecided]);
}

#[test]
fn a_declared_relation_is_proven_trusted_or_refused() {
    let two = [("a", "rows", "age > 60", "[]"), ("b", "rows", "montant > 10", "[]"), ("c", "rows", "age > 70", "[]")];
    let said = |kind: &str| format!("[[relation]]\n{kind}\nreason = \"parce que\"\n");
    let of = |kind: &str| pack(&two, &said(kind)).map(|pack| known(&pack).join(" "));
    assert!(of("implies = [\"a\", \"b\"]").expect("trusted").contains("!a<b"));
    let proven = of("implies = [\"c\", \"a\"]").expect("proven");
    assert!(proven.contains("c<a") && !proven.contains('!'), "{proven}");
    for (kind, cause) in [
        ("excludes = [\"a\", \"c\"]", PackCause::Inconsistent),
        ("implies = [\"a\", \"d\"]", PackCause::Unknown),
        ("implies = [\"a\", \"a\"]", PackCause::Malformed),
        ("partition = { whole = \"a\", parts = [\"c\"] }", PackCause::Malformed),
        ("implies = [\"a\", \"b\"]\nexcludes = [\"a\", \"b\"]", PackCause::Malformed),
    ] {
        let faults = of(kind).expect_err(kind);
        assert_eq!(faults.iter().map(|fault| fault.cause).collect::<Vec<_>>(), [cause], "{kind}");
        assert!(faults[0].position.is_some_and(|at| at.line > 60), "{:?}", faults[0].position);
    }
}

#[test]
fn declared_relations_are_hashed_with_the_rules_and_nothing_else_changes_a_hash() {
    let two = [("a", "rows", "age > 60", "[]"), ("b", "rows", "montant > 10", "[]")];
    let bare = pack(&two, "").expect("sound");
    let told = pack(&two, "[[relation]]\nimplies = [\"a\", \"b\"]\nreason = \"r\"\n").expect("trusted");
    assert_eq!(bare.tables()[0].definition_hash(), told.tables()[0].definition_hash());
    assert_ne!(bare.tables()[0].rule_hash(), told.tables()[0].rule_hash());
}

#[test]
fn the_library_declares_what_no_filter_says_and_nothing_else() {
    let packs = crate::library();
    let tables = packs.iter().flat_map(Pack::tables);
    let claims: Vec<String> = tables.flat_map(|table| table.claims().map(Relation::in_french)).collect();
    assert_eq!(claims, ["dom_elections_validite et dom_radiations s'excluent"]);
    let aids = packs[0].table(&"aides_facultatives".parse().expect("a code")).expect("a table");
    let all: Vec<String> = aids.relations().iter().map(|known| known.relation.in_french()).collect();
    assert!(all.contains(&"aidfac_energie ⊂ aidfac_accords".to_owned()), "{all:?}");
    assert!(all.contains(&"aidfac_energie ≤ aidfac_accords".to_owned()), "{all:?}");
    assert!(!all.contains(&"aidfac_energie ⊂ aidfac_demandes".to_owned()), "follows from two others: {all:?}");
}
