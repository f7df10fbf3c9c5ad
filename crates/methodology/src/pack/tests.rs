//! What a pack may not be: each refusal names its file and its cause.

use std::collections::BTreeMap;

use disclosure::{Protection, Quantity, Rule, Zeros};
use model::IndicatorCode;

use super::Pack;
use crate::error::{PackCause, PackError};
use crate::indicator::RatioKind;
use crate::table::LooserRule;

type Files = BTreeMap<String, Vec<u8>>;

fn files(code: &str) -> Files {
    let packs = crate::library();
    packs.iter().find(|pack| pack.code().as_str() == code).expect("in the library").files().clone()
}

/// The first pack with one text replaced everywhere in one file.
fn changed(path: &str, from: &str, to: &str) -> Result<Pack, PackError> {
    let mut files = files("ccas-activite");
    let text = String::from_utf8(files[path].clone()).expect("UTF-8");
    assert!(text.contains(from), "the test replaces nothing: {from}");
    files.insert(path.to_owned(), text.replace(from, to).into_bytes());
    Pack::parse(&files)
}

const SCHEMA: &str = "tables/aides_facultatives.schema.json";
const INDICATORS: &str = "tables/aides_facultatives.toml";
const GOLDEN: &str = "golden/aides_facultatives.toml";

#[test]
fn each_mistake_is_refused_with_its_file_and_cause() {
    let cases: [(&str, &str, &str, PackCause); 22] = [
        ("pack.toml", "format = 1", "format = 2", PackCause::Malformed),
        ("pack.toml", "1.2.0", "1.2", PackCause::Malformed),
        ("pack.toml", "title =", "titre =", PackCause::Syntax),
        (SCHEMA, "\"type\": \"number\"", "\"type\": \"array\"", PackCause::Syntax),
        (SCHEMA, "\"decimals\": 2,", "", PackCause::Malformed),
        (SCHEMA, "{ \"minimum\": 0,", "{ \"minLength\": 1, \"minimum\": 0,", PackCause::Syntax),
        (SCHEMA, "\"field\": \"age\"", "\"field\": \"agee\"", PackCause::Unknown),
        (SCHEMA, "\"from\": 25, \"to\": 39", "\"from\": 24, \"to\": 39", PackCause::Inconsistent),
        (SCHEMA, "\"name\": \"aides_facultatives\"", "\"name\": \"autre\"", PackCause::Inconsistent),
        (SCHEMA, "\"title\": \"Composition du ménage\" }", "\"title\": \"Nationalité\" }", PackCause::Forbidden),
        (SCHEMA, "\"unit\": \"id_menage\"", "\"unit\": \"foyer\"", PackCause::Unknown),
        (INDICATORS, "decision = 'accord'", "decision = 'accordé'", PackCause::Unknown),
        (INDICATORS, "decision = 'accord'", "COUNT(*) > 1", PackCause::Filter),
        (INDICATORS, "decision = 'accord'", "montant = 'x'", PackCause::Type),
        (
            INDICATORS,
            "[\"type_aide\", \"decision\"]",
            "[\"type_aide\", \"decision\", \"type_menage\"]",
            PackCause::TooManyDimensions,
        ),
        (INDICATORS, "[\"tranche_age\"]", "[\"quartier\"]", PackCause::Unknown),
        (INDICATORS, "protection = \"euros\"", "protection = \"euro\"", PackCause::Unknown),
        (INDICATORS, "threshold = 5", "threshold = 1", PackCause::Inconsistent),
        (
            INDICATORS,
            "denominator = \"aidfac_menages\"\nper = 1\n",
            "denominator = \"aidfac_menages\"\nper = 100\n",
            PackCause::Inconsistent,
        ),
        (INDICATORS, "numerator = \"aidfac_energie\"", "numerator = \"dom_refus\"", PackCause::Unknown),
        (
            INDICATORS,
            "how_not_to_read = \"C'est une part du nombre d'aides, non des montants.\"",
            "how_not_to_read = \" \"",
            PackCause::Sheet,
        ),
        (
            GOLDEN,
            "\"aidfac_energie_part\" = \"20,0\"\n\"aidfac_energie_part type_menage=monoparental\" = \"33,3\"\n",
            "",
            PackCause::Golden,
        ),
    ];
    for (path, from, to, cause) in cases {
        let error = changed(path, from, to).expect_err(from);
        assert_eq!((error.cause, error.file.as_str()), (cause, path), "{from}: {}", error.message);
        assert!(!error.place.is_empty() && error.message.ends_with(['.', '?']), "{}", error.message);
    }
}

#[test]
fn two_tables_that_count_one_fact_are_refused() {
    let row = "\"row\": \"une remise d’aide alimentaire par le CCAS à un ménage, un jour donné\"";
    let path = "tables/aide_alimentaire.schema.json";
    let facts = |text: &str| changed(path, row, &format!("\"row\": \"x\", \"facts\": \"{text}\""));
    // As the rows of another table, but for blanks and capitals.
    let error = facts("Les repas d’une personne  pendant un mois, selon le mode").expect_err("one fact twice");
    assert_eq!(
        (error.cause, error.file.as_str()),
        (PackCause::Duplicate, "tables/repas.schema.json"),
        "{}",
        error.message
    );
    assert!(facts("les remises d’aide alimentaire").is_ok());
}

#[test]
fn conventions_precision_and_references_are_read_and_checked() {
    let packs = crate::library();
    let find = |code: &str| {
        let code = code.parse().expect("a code");
        packs.iter().find_map(|pack| pack.indicator(&code)).expect("in the library").1
    };
    assert_eq!(find("dom_elections_validite").convention_in_french().as_deref(), Some("stock, au 31 décembre"));
    let weighted = find("enq_habitants");
    assert!(weighted.shown().places() == 0 && weighted.decimals().places() > 0, "rounded to show, never to compute");
    for indicator in packs.iter().flat_map(Pack::tables).flat_map(crate::Table::indicators) {
        assert!(indicator.convention.is_some() && !indicator.window.is_empty(), "{}", indicator.code);
    }
    let public = crate::layouts(&crate::public_layouts()).expect("the library is proven");
    let references = packs.iter().flat_map(Pack::tables).flat_map(crate::Table::indicators);
    let mut known = 0;
    for reference in references.filter_map(|indicator| indicator.reference.as_ref()) {
        let of_source = public.iter().filter(|layout| layout.source == reference.source);
        let found =
            of_source.flat_map(|layout| &layout.columns).any(|column| column.indicator.code == reference.indicator);
        assert!(found, "{reference:?}");
        known += 1;
    }
    assert_eq!(known, 2);
    let path = "tables/file_active.toml";
    for (from, to, cause) in [
        ("public:insee-comparateur/pop", "insee-comparateur/pop", PackCause::Malformed),
        ("public:insee-comparateur/pop", "public:pop", PackCause::Malformed),
        ("per = 1000\n", "per = 12\n", PackCause::Malformed),
        ("convention = \"flow\"\n", "", PackCause::Inconsistent),
        ("convention = \"flow\"\n", "convention = \"flux\"\n", PackCause::Syntax),
        ("protection = \"ordinaire\"\n", "protection = \"ordinaire\"\ndecimals = 1\n", PackCause::Inconsistent),
        (
            "[indicator.ratio]\n",
            "[indicator.reference]\ndenominator = \"public:a/b\"\nper = 1\ndecimals = 0\n[indicator.ratio]\n",
            PackCause::Inconsistent,
        ),
    ] {
        assert_eq!(changed(path, from, to).expect_err(from).cause, cause, "{from} → {to}");
    }
}

#[test]
fn what_is_only_shown_changes_no_hash() {
    let before = &crate::library()[0];
    let after =
        changed("tables/file_active.toml", "window = \"au moins une fois pendant l’année\"", "window = \"autre\"")
            .expect("sound");
    for (old, new) in before.tables().iter().zip(after.tables()) {
        assert_eq!((old.definition_hash(), old.rule_hash()), (new.definition_hash(), new.rule_hash()));
    }
}

#[test]
fn a_schema_that_no_longer_carries_its_indicators_is_refused_where_they_stand() {
    for (from, to, cause) in [
        ("\"minimum\": 0, \"maximum\": 100000", "\"maximum\": 100000", PackCause::Type),
        ("\"single_valued_for\": [\"id_menage\"],", "", PackCause::MultiValued),
    ] {
        let error = changed(SCHEMA, from, to).expect_err(from);
        assert_eq!((error.cause, error.file.as_str()), (cause, INDICATORS), "{}", error.message);
    }
}

#[test]
fn a_distinct_count_over_a_multi_valued_dimension_is_explained_in_french() {
    let error = changed(INDICATORS, "by = [[\"type_menage\"], [\"tranche_age\"]]", "by = [[\"type_aide\"]]")
        .expect_err("refused");
    assert_eq!(error.cause, PackCause::MultiValued);
    assert_eq!(error.place, "indicateur aidfac_menages");
    assert!(error.message.contains("doubles comptes"));
}

#[test]
fn sheets_and_files_may_not_be_missing_and_strange_files_not_present() {
    let mut missing = files("ccas-activite");
    missing.remove(GOLDEN);
    assert_eq!(Pack::parse(&missing).expect_err("refused").cause, PackCause::File);
    let mut strange = files("ccas-activite");
    strange.insert("tables/extra.csv".to_owned(), Vec::new());
    let error = Pack::parse(&strange).expect_err("refused");
    assert_eq!((error.cause, error.file.as_str()), (PackCause::File, "tables/extra.csv"));
    let mut latin = files("ccas-activite");
    latin.insert("pack.toml".to_owned(), b"title = \"\xe9\"".to_vec());
    assert_eq!(Pack::parse(&latin).expect_err("refused").cause, PackCause::Syntax);
    assert_eq!(Pack::parse(&Files::new()).expect_err("refused").cause, PackCause::File);
}

#[test]
fn a_codes_owner_is_one_table() {
    let mut files = files("ccas-activite");
    for path in ["tables/domiciliation.toml", "golden/domiciliation.toml"] {
        let text = String::from_utf8(files[path].clone()).expect("UTF-8");
        files.insert(path.to_owned(), text.replace("dom_refus", "aidfac_accords").into_bytes());
    }
    assert_eq!(Pack::parse(&files).expect_err("refused").cause, PackCause::Duplicate);
}

#[test]
fn meaning_and_protection_have_hashes_of_their_own() {
    let code = "aides_facultatives".parse().expect("a code");
    let hashes = |pack: &Pack| {
        let table = pack.table(&code).expect("in the pack");
        (table.definition_hash(), table.rule_hash())
    };
    let original = Pack::parse(&files("ccas-activite")).expect("proven");
    let (definition, rule) = hashes(&original);
    let stricter = changed(
        INDICATORS,
        "threshold = 5\nzeros = \"publish\"\nwidth = 5\n",
        "threshold = 11\nzeros = \"publish\"\nwidth = 11\n",
    )
    .expect("proven");
    assert_eq!(hashes(&stricter).0, definition);
    assert_ne!(hashes(&stricter).1, rule);
    assert_ne!(stricter.hash(), original.hash());
    let narrower = changed(INDICATORS, "AND type_aide = 'energie'", "AND type_aide IN ('energie', 'logement')");
    assert_ne!(hashes(&narrower.expect("proven")).0, definition);
    let folded = changed(
        SCHEMA,
        "\"code\": \"autre\", \"title\": \"Autre aide\"",
        "\"code\": \"autre\", \"title\": \"Autre aide\", \"values\": [\"autre\", \"vacances\"]",
    );
    assert_ne!(hashes(&folded.expect("proven")).0, definition);
    // A better title or another writing of the same filter asks the same question.
    for (from, to) in [
        ("Taux d'accord des aides", "Taux d’accord des aides"),
        ("filter = \"decision = 'accord'\"", "filter = \"'accord' = decision\""),
    ] {
        let same = changed(INDICATORS, from, to).expect("proven");
        assert_eq!(hashes(&same), (definition, rule));
    }
}

#[test]
fn what_other_rooms_read_from_a_pack() {
    let pack = Pack::parse(&files("ccas-activite")).expect("proven");
    let (table, part) = pack.indicator(&"aidfac_energie_part".parse().expect("a code")).expect("in the pack");
    assert_eq!(part.ratio().expect("a ratio").kind, RatioKind::Share);
    assert_eq!(table.unit(), Some("id_menage"));
    let mean = table.indicator(&"aidfac_montant_moyen".parse().expect("a code")).expect("in the table");
    assert_eq!(mean.ratio().expect("a ratio").kind, RatioKind::Plain);
    // Both terms have the total and the composition of the household; only one has the age.
    assert_eq!(mean.breakdowns().len(), 2);
    let households = table.scheme().measure(&"aidfac_menages".parse().expect("a code")).expect("in the scheme");
    assert_eq!(households.quantity, Quantity::Distinct { column: "id_menage".to_owned() });
    // One household may have both an agreement and a refusal: its codes are no partition.
    assert!(households.restriction.codes.is_empty());
    assert_eq!(households.restriction.conditions.iter().collect::<Vec<_>>(), ["decision IN ('accord')"]);
    let euros = table.scheme().measure(&"aidfac_montant_total".parse().expect("a code")).expect("in the scheme");
    let Protection::Here(rule) = euros.protection else { panic!("protected here") };
    assert_eq!((rule.threshold, rule.width), (5, 50_000));
    assert_eq!(euros.restriction.codes.len(), 1);
}

#[test]
fn a_commune_may_be_stricter_and_never_looser() {
    let pack = Pack::parse(&files("ccas-activite")).expect("proven");
    let table = pack.table(&"aides_facultatives".parse().expect("a code")).expect("in the pack");
    let code = |text: &str| text.parse::<IndicatorCode>().expect("a code");
    let with = |indicator: &str, threshold, zeros, width| {
        table.stricter(&BTreeMap::from([(code(indicator), Rule { threshold, zeros, width })]))
    };
    let stricter = with("aidfac_demandes", 11, Zeros::Protect, 11).expect("stricter");
    assert_eq!(stricter.definition_hash(), table.definition_hash());
    assert_ne!(stricter.rule_hash(), table.rule_hash());
    let protection = stricter.scheme().measure(&code("aidfac_demandes")).expect("in the scheme").protection;
    assert_eq!(protection, Protection::Here(Rule { threshold: 11, zeros: Zeros::Protect, width: 11 }));
    let own = stricter.indicator(&code("aidfac_demandes")).and_then(|i| i.measure()).expect("a measure");
    assert_eq!(own.protection, protection);
    let loosened = stricter.stricter(&BTreeMap::from([(
        code("aidfac_demandes"),
        Rule { threshold: 11, zeros: Zeros::Publish, width: 11 },
    )]));
    assert_eq!(loosened.map(|_| ()), Err(LooserRule::Looser(code("aidfac_demandes"))));
    for (threshold, width) in [(4, 5), (5, 4)] {
        let error = with("aidfac_demandes", threshold, Zeros::Publish, width).map(|_| ());
        assert_eq!(error, Err(LooserRule::Looser(code("aidfac_demandes"))));
    }
    let ratio = with("aidfac_energie_part", 11, Zeros::Publish, 11).map(|_| ());
    assert_eq!(ratio, Err(LooserRule::NotAMeasure(code("aidfac_energie_part"))));
}

#[test]
fn several_faults_are_told_at_once_with_their_lines() {
    let mut files = files("ccas-activite");
    let mut change = |path: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[path].clone()).expect("UTF-8");
        assert!(text.contains(from), "the test replaces nothing: {from}");
        files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
    };
    change(INDICATORS, "filter = \"decision = 'accord'\"", "filter = \"decision = 'oui'\"");
    change(INDICATORS, "quantity = \"distinct\"\ncolumn = \"id_menage\"", "quantity = \"distinct\"\ncolumn = \"rien\"");
    change("tables/domiciliation.schema.json", "\"primaryKey\"", "\"clef\"");
    let faults = Pack::check(&files).expect_err("three faults");
    assert_eq!(faults.len(), 3, "{faults:#?}");
    for fault in &faults {
        let at = fault.position.expect("placed");
        let text = String::from_utf8_lossy(&files[&fault.file]).into_owned();
        let line = text.lines().nth(at.line - 1).expect("a line of the file");
        let named = ["'oui'", "code = ", "clef"].into_iter().any(|word| line.contains(word));
        assert!(named, "{fault:?} names « {line} »");
    }
    assert_eq!(Pack::parse(&files).expect_err("the first"), faults[0]);
}

#[test]
fn free_text_and_breakdowns_of_the_heat_wave_register_are_refused() {
    let free = changed(SCHEMA, "\"name\": \"montant\"", "\"name\": \"observations\"");
    // An amount under that name is a number, not a text.
    assert!(free.is_err_and(|error| error.cause != PackCause::Forbidden));
    let free = changed(
        SCHEMA,
        "\"fields\": [",
        "\"fields\": [{\"name\": \"commentaire\", \"type\": \"string\", \"title\": \"Suite\"},",
    );
    assert_eq!(free.expect_err("free text").cause, PackCause::Forbidden);
    let named = changed(INDICATORS, "title = \"Demandes", "title = \"Registre canicule : demandes");
    assert_eq!(named.expect_err("broken down").cause, PackCause::Forbidden);
}
