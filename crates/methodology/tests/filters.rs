//! What a filter may say and may not, in a whole pack: a refusal names the line and the column of what is wrong.

use std::collections::BTreeMap;

use methodology::{Pack, PackCause, PackError};

const SCHEMA: &str = r#"{
  "name": "t", "title": "Table",
  "fields": [
    { "name": "id", "type": "string", "title": "Identifiant", "constraints": { "required": true } },
    { "name": "age", "type": "integer", "title": "Âge", "constraints": { "minimum": 0, "maximum": 120 } },
    { "name": "seul", "type": "boolean", "title": "Vit seul" },
    { "name": "type_aide", "type": "string", "title": "Aide", "constraints": { "required": true } },
    { "name": "montant", "type": "number", "decimals": 2, "title": "Montant", "constraints": { "minimum": 0 } },
    { "name": "jour", "type": "date", "title": "Jour" },
    { "name": "ville", "type": "string", "title": "Ville" }
  ],
  "maillage": { "row": "une demande", "dimensions": [
    { "code": "type_aide", "title": "Aide", "codes": [ { "code": "eau", "title": "Eau" }, { "code": "bois", "title": "Bois" } ] } ] }
}"#;

fn pack(filter: &str) -> (String, Result<Pack, Vec<PackError>>) {
    let measures = format!(
        "[rules.r]\nthreshold = 5\nzeros = \"publish\"\nwidth = 5\n[[indicator]]\ncode = \"a\"\ntitle = \"T\"\ntheme = \"T\"\nunit = \"u\"\n\
         aggregation = \"additive\"\nuncertainty = \"none\"\npolarity = \"neutral\"\n[indicator.measure]\nquantity = \"rows\"\n\
         filter = \"\"\"{filter}\"\"\"\nprotection = \"r\"\n[indicator.sheet]\nsource = \"s\"\npopulation = \"p\"\nperiodicity = \"p\"\n\
         limits = [\"l\"]\nhow_to_read = \"h\"\nhow_not_to_read = \"h\"\n"
    );
    let front = "format = 1\ncode = \"p\"\nversion = \"1.0.0\"\ntitle = \"P\"\ndescription = \"\"\ntables = [\"t\"]\n";
    let golden = "[[case]]\nname = \"rien\"\nrows = \"\"\n[case.expected]\na = 0\n";
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front),
        ("tables/t.schema.json", SCHEMA),
        ("tables/t.toml", measures.as_str()),
        ("golden/t.toml", golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    (measures, Pack::check(&files))
}

#[test]
fn what_the_issue_asks_for_is_accepted() {
    for filter in [
        "age >= 75 AND seul",
        "type_aide IN ('eau', 'bois')",
        "type_aide IN ('eau') AND NOT seul",
        "CASE WHEN age >= 75 THEN seul ELSE FALSE END",
        "CASE WHEN age < 18 THEN 'mineur' WHEN age < 75 THEN 'adulte' ELSE 'grand' END IN ('mineur', 'grand')",
        "age BETWEEN 60 AND 74",
        "age NOT BETWEEN 60 AND 74",
        "ville LIKE 'Saint-%'",
        "ville NOT LIKE '%sur-Mer' OR jour >= '2025-07-01'",
        "montant > 12.5 AND ville IS NOT NULL",
        "\n  age >= 75\n  AND seul\n",
    ] {
        assert!(pack(filter).1.is_ok(), "{filter}: {:?}", pack(filter).1.err());
    }
}

/// Each with its cause and what stands at the place that is named.
#[test]
fn everything_else_is_refused_where_it_stands() {
    let deep = format!("seul AND {}age > 1{}", "(".repeat(60), ")".repeat(60));
    let denied = format!("seul AND {}seul", "NOT ".repeat(60));
    let cases = [
        ("seul AND\n  age > (SELECT 1)", PackCause::Type, "age > (SELECT"),
        ("seul AND EXISTS (SELECT 1)", PackCause::Filter, "SELECT 1)"),
        ("age IN (SELECT 1)", PackCause::Filter, "age IN"),
        ("seul AND COUNT(*) > 1", PackCause::Filter, "COUNT"),
        ("SUM(montant) > 3", PackCause::Filter, "SUM"),
        ("seul AND ROW_NUMBER() OVER () = 1", PackCause::Filter, "ROW_NUMBER"),
        ("seul OR UNNEST(age) = 1", PackCause::Filter, "UNNEST"),
        ("COLUMNS('a') = 1", PackCause::Filter, "COLUMNS"),
        ("seul AND read_csv('/etc/passwd') = 'x'", PackCause::Filter, "read_csv"),
        ("seul AND\n\n   taille > 3", PackCause::Unknown, "taille"),
        ("type_aide = 'gaz'", PackCause::Unknown, "type_aide = 'gaz'"),
        ("seul AND age = 'vieux'", PackCause::Type, "age = 'vieux'"),
        ("ville > 'a'", PackCause::Type, "ville"),
        ("seul AND montant LIKE '1%'", PackCause::Type, "montant"),
        (deep.as_str(), PackCause::Filter, "seul AND ((("),
        (denied.as_str(), PackCause::Filter, "NOT NOT"),
    ];
    for (filter, cause, found) in cases {
        let (file, read) = pack(filter);
        let faults = read.expect_err(filter);
        let fault = &faults[0];
        let at = fault.position.expect("a place");
        let line = file.lines().nth(at.line - 1).expect("a line of the file");
        let rest: String = line.chars().skip(at.column - 1).collect();
        assert_eq!((fault.cause, fault.file.as_str()), (cause, "tables/t.toml"), "{filter}: {}", fault.message);
        assert!(rest.starts_with(found), "{filter}: {}:{} is {rest:?}", at.line, at.column);
        assert!(at.line >= 15 && fault.message.ends_with('.'), "{}", fault.message);
    }
}
