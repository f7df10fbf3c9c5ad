//! A hundred indicators over the census file of dwellings: 25 conditions, each counted in four ways. The same by hand:
//! `benches/compute/compute.py`.

use std::collections::BTreeMap;
use std::fmt::Write;

use methodology::Pack;
use tabular::{DecimalMark, Names, SourceSpec};

/// Name and condition; all of them among main residences, whose households have a number of persons.
const FILTERS: [(&str, &str); 25] = [
    ("proprietaires", "statut = '10'"),
    ("prives", "statut IN ('21', '23')"),
    ("hlm", "statut = '22'"),
    ("gratuits", "statut = '30'"),
    ("seuls", "personnes = 1"),
    ("grands", "personnes >= 5"),
    ("ages_seuls", "age IN ('65', '80') AND personnes = 1"),
    ("tres_ages", "age = '80'"),
    ("jeunes", "age IN ('15', '20')"),
    ("sans_voiture", "voitures = '0'"),
    ("deux_voitures", "voitures IN ('2', '3')"),
    ("petits", "surface IN ('1', '2')"),
    ("serres", "(surface = '1' AND personnes >= 3) OR (surface = '2' AND personnes >= 4)"),
    ("recents", "arrivee >= 2016"),
    ("anciens", "arrivee < 1990"),
    ("decennie", "arrivee BETWEEN 2000 AND 2010"),
    ("electriques", "chauffage = '3'"),
    ("ages_a_pied", "age IN ('65', '80') AND voitures = '0'"),
    ("bati_ancien", "achevement LIKE 'A%'"),
    ("bati_recent", "achevement LIKE 'C1%'"),
    ("chomage", "activite = '12'"),
    ("retraites_seuls_hlm", "activite = '21' AND personnes = 1 AND statut = '22'"),
    ("femmes_seules", "genre = '2' AND personnes = 1"),
    ("appartements_anciens", "type = '2' AND achevement LIKE 'B1%'"),
    ("proprietaires_au_large", "statut = '10' AND surface IN ('6', '7') AND personnes <= 2"),
];

/// Name, quantity, breakdown.
const KINDS: [(&str, &str, [&str; 2]); 4] = [
    ("lignes", r#"quantity = "rows""#, ["type", "age"]),
    ("poids", "quantity = \"weight\"\ncolumn = \"poids\"", ["type", "statut"]),
    ("poids_age", "quantity = \"weight\"\ncolumn = \"poids\"", ["age", "pieces"]),
    ("personnes", "quantity = \"sum\"\ncolumn = \"personnes\"", ["statut", "age"]),
];

/// Column of the pack, of the file.
const COLUMNS: [(&str, &str); 14] = [
    ("poids", "IPONDL"),
    ("categorie", "CATL"),
    ("type", "TYPL"),
    ("statut", "STOCD"),
    ("personnes", "INPER"),
    ("age", "AGEMEN8"),
    ("pieces", "NBPI"),
    ("voitures", "VOIT"),
    ("surface", "SURF"),
    ("arrivee", "AEMM"),
    ("chauffage", "CHFL"),
    ("achevement", "ACHL"),
    ("activite", "TACTM"),
    ("genre", "SEXEM"),
];

/// The breakdown of an indicator, in the order that `compute.py` writes it.
pub fn breakdown(indicator: &str) -> [&'static str; 2] {
    let of = |(kind, _, by): &(&str, &str, [&'static str; 2])| indicator.ends_with(&format!("_{kind}")).then_some(*by);
    // A longer name first: `poids_age` also ends some name of `poids`.
    let mut kinds = KINDS;
    kinds.sort_by_key(|(kind, ..)| std::cmp::Reverse(kind.len()));
    kinds.iter().find_map(of).expect("every indicator is of one kind")
}

pub fn spec(file: &str) -> SourceSpec {
    let mut spec = SourceSpec::new(file);
    spec.decimal = DecimalMark::Point;
    spec.max_bytes = u64::MAX;
    for (column, name) in COLUMNS {
        spec.columns.insert(column.to_owned(), Names::One(name.to_owned()));
    }
    spec
}

pub fn pack() -> Pack {
    let mut toml = "[rules.r]\nthreshold = 5\nzeros = \"publish\"\nwidth = 5\n".to_owned();
    for (name, filter) in FILTERS {
        for (kind, quantity, by) in KINDS {
            let _ = writeln!(
                toml,
                r#"[[indicator]]
code = "{name}_{kind}"
title = "{name} {kind}"
theme = "Mesure"
unit = "u"
aggregation = "additive"
uncertainty = "none"
polarity = "neutral"
[indicator.measure]
{quantity}
filter = """categorie = '1' AND ({filter})"""
by = [{by:?}]
protection = "r"
[indicator.sheet]
source = "s"
population = "p"
periodicity = "p"
limits = ["l"]
how_to_read = "h"
how_not_to_read = "h""#
            );
        }
    }
    let front = "format = 1\ncode = \"mesure\"\nversion = \"1.0.0\"\ntitle = \"Mesure\"\ndescription = \"\"\ntables = [\"t\"]\n";
    let mut golden = "[[case]]\nname = \"vide\"\nrows = \"\"\n[case.expected]\n".to_owned();
    for (name, _) in FILTERS {
        for (kind, ..) in KINDS {
            let _ = writeln!(golden, "{name}_{kind} = 0");
        }
    }
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front.to_owned()),
        ("tables/t.schema.json", schema()),
        ("tables/t.toml", toml),
        ("golden/t.toml", golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect();
    Pack::parse(&files).expect("the bench's own pack")
}

fn schema() -> String {
    let field = |name: &str| match name {
        "poids" => r#"{ "name": "poids", "type": "number", "title": "Poids", "decimals": 6,
            "constraints": { "required": true, "minimum": 0, "maximum": 1000 } }"#
            .to_owned(),
        "personnes" | "pieces" | "arrivee" => {
            format!(
                r#"{{ "name": "{name}", "type": "integer", "title": "{name}", "constraints": {{ "minimum": 0 }} }}"#
            )
        }
        "categorie" | "type" | "statut" => format!(
            r#"{{ "name": "{name}", "type": "string", "title": "{name}", "constraints": {{ "required": true }} }}"#
        ),
        _ => format!(r#"{{ "name": "{name}", "type": "string", "title": "{name}" }}"#),
    };
    let fields: Vec<String> = COLUMNS.iter().map(|(name, _)| field(name)).collect();
    let codes = |codes: &[&str]| {
        let list: Vec<String> =
            codes.iter().map(|code| format!(r#"{{ "code": "{code}", "title": "{code}" }}"#)).collect();
        list.join(", ")
    };
    let rooms: Vec<String> =
        (1..5).map(|n| format!(r#"{{ "code": "{n}", "title": "{n}", "from": {n}, "to": {n} }}"#)).collect();
    format!(
        r#"{{ "name": "t", "title": "Logements", "fields": [{}], "missingValues": ["", "Y", "YY"],
  "maillage": {{ "row": "un logement", "dimensions": [
    {{ "code": "categorie", "title": "Catégorie", "codes": [{}] }},
    {{ "code": "type", "title": "Type", "codes": [{}] }},
    {{ "code": "statut", "title": "Statut", "codes": [{}] }},
    {{ "code": "age", "title": "Âge", "blank": "YY", "codes": [{}] }},
    {{ "code": "pieces", "title": "Pièces", "blank": "so", "codes": [{}, {{ "code": "5", "title": "5 et plus", "from": 5 }},
      {{ "code": "so", "title": "Sans objet" }}] }}
  ] }} }}"#,
        fields.join(", "),
        codes(&["1", "2", "3", "4"]),
        codes(&["1", "2", "3", "4", "5", "6"]),
        codes(&["00", "10", "21", "22", "23", "30"]),
        codes(&["00", "15", "20", "25", "40", "55", "65", "80", "YY"]),
        rooms.join(", "),
    )
}
