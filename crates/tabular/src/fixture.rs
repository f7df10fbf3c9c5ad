//! A small pack with one column of every kind, for tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use methodology::{Pack, Table};

const SCHEMA: &str = r#"{
  "name": "t",
  "title": "Table d'essai",
  "fields": [
    { "name": "id", "type": "string", "title": "Identifiant", "constraints": { "required": true } },
    { "name": "foyer", "type": "string", "title": "Foyer", "constraints": { "required": true } },
    { "name": "insee", "type": "string", "title": "Code INSEE",
      "constraints": { "required": true, "pattern": "([013-9]\\d|2[AB1-9])\\d{3}" } },
    { "name": "couleur", "type": "string", "title": "Couleur" },
    { "name": "n", "type": "integer", "title": "Nombre", "constraints": { "minimum": 0, "maximum": 99999 } },
    { "name": "euros", "type": "number", "title": "Montant total (€)", "decimals": 2, "constraints": { "minimum": 0 } },
    { "name": "jour", "type": "date", "title": "Date d'arrêté", "constraints": { "minimum": "2000-01-01" } },
    { "name": "oui", "type": "boolean", "title": "Réponse" },
    { "name": "texte", "type": "string", "title": "Texte" }
  ],
  "primaryKey": "id",
  "missingValues": ["", "nd", "Non réponse"],
  "maillage": {
    "row": "une ligne d'essai",
    "unit": "foyer",
    "dimensions": [
      { "code": "couleur", "title": "Couleur", "blank": "nr", "single_valued_for": ["foyer"],
        "codes": [
          { "code": "bleu", "title": "Bleu", "values": ["bleu", "01"] },
          { "code": "rouge", "title": "Rouge", "values": ["rouge", "02"] },
          { "code": "nr", "title": "Non renseigné" }
        ] }
    ]
  }
}"#;

/// The pack whose one indicator, `lignes`, counts the rows that meet `filter`, by colour.
pub(crate) fn pack(filter: &str) -> Pack {
    let indicators = format!(
        r#"
[rules.r]
threshold = 5
zeros = "publish"
width = 5
[[indicator]]
code = "lignes"
title = "Lignes"
theme = "Essai"
unit = "lignes"
aggregation = "additive"
uncertainty = "none"
polarity = "neutral"
[indicator.measure]
quantity = "rows"
filter = """{filter}"""
by = [["couleur"]]
protection = "r"
[indicator.sheet]
source = "s"
population = "p"
periodicity = "p"
limits = ["l"]
how_to_read = "h"
how_not_to_read = "h"
"#
    );
    let front =
        "format = 1\ncode = \"essai\"\nversion = \"1.0.0\"\ntitle = \"Essai\"\ndescription = \"\"\ntables = [\"t\"]\n";
    let golden = "[[case]]\nname = \"vide\"\nrows = \"\"\n[case.expected]\nlignes = 0\n";
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front),
        ("tables/t.schema.json", SCHEMA),
        ("tables/t.toml", indicators.as_str()),
        ("golden/t.toml", golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    Pack::parse(&files).expect("the fixture is a pack")
}

pub(crate) fn table(pack: &Pack) -> &Table {
    &pack.tables()[0]
}

/// A pack with every quantity, by colour and by answer.
pub(crate) fn all_quantities() -> &'static Pack {
    static PACK: LazyLock<Pack> = LazyLock::new(parsed);
    &PACK
}

fn parsed() -> Pack {
    let mut files = pack("").files().clone();
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("UTF-8");
    let schema = text(&files["tables/t.schema.json"]);
    let second = r#""dimensions": [
      { "code": "reponse", "title": "Réponse", "field": "oui", "blank": "nr", "codes": [
          { "code": "oui", "title": "Oui", "values": ["true"] },
          { "code": "non", "title": "Non", "values": ["false"] },
          { "code": "nr", "title": "Non renseigné" } ] },"#;
    files.insert("tables/t.schema.json".to_owned(), schema.replace(r#""dimensions": ["#, second).into_bytes());
    let one = text(&files["tables/t.toml"]);
    let by = |list: &str| format!("by = [[{list}]]");
    let both = by(r#""couleur", "reponse""#);
    let colour = by(r#""couleur""#);
    let mut all = one.replace(&colour, &both);
    let indicator = &one[one.find("[[indicator]]").expect("one")..];
    for (code, quantity, column, filter) in [
        ("foyers", "distinct", "foyer", "n > 2"),
        ("communes", "distinct", "insee", "texte IS NOT NULL OR texte LIKE 'A%'"),
        ("montant", "sum", "euros", "jour >= '2025-01-03'"),
        ("petits", "sum", "n", "n < 5 AND reponse <> 'oui'"),
    ] {
        let next = indicator
            .replace(r#"code = "lignes""#, &format!(r#"code = "{code}""#))
            .replace(r#"quantity = "rows""#, &format!("quantity = \"{quantity}\"\ncolumn = \"{column}\""))
            .replace(r#"filter = """""""#, &format!(r#"filter = """{filter}""""#))
            .replace(&colour, if quantity == "distinct" { "" } else { &both });
        all += &next;
    }
    files.insert("tables/t.toml".to_owned(), all.into_bytes());
    let mut golden = "[[case]]\nname = \"vide\"\nrows = \"\"\n[case.expected]\n".to_owned();
    for code in ["lignes", "foyers", "communes", "montant", "petits"] {
        let _ = writeln!(golden, "{code} = 0");
    }
    files.insert("golden/t.toml".to_owned(), golden.into_bytes());
    Pack::parse(&files).expect("the fixture is a pack")
}
