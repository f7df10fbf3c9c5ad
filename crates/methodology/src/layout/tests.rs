//! What a layout may say, and what it may not.

use std::collections::BTreeMap;

use model::{CogYear, Figure, MissingReason, Period};

use super::{Layout, layouts, public_layouts};
use crate::error::PackCause;

const SMALL: &str = r#"
format = 1
code = "essai"
source = "essai"
producer = "Un producteur"
title = "Un fichier"
licence = "Licence Ouverte 2.0 (Etalab)"
url = "https://exemple.fr"
file = { separator = ";", decimal = ",", secret = ["s"] }
territory = { column = "CODGEO" }
level = [{ level = "commune" }]
[[vintage]]
name = "2019"
years = { an = 2019, geo = 2020 }
[[group]]
theme = "Essai"
period = "an"
geography = "geo"
blank = "secret"
uncertainty = "none"
aggregation = "additive"
unit = "personnes"
decimals = 0
columns = [
  { name = "A{an}", indicator = "essai_a", title = "A" },
  { name = "B{an:4}", indicator = "essai_b", title = "B", optional = true },
]
[[ratio]]
code = "essai_part"
title = "A sur B"
theme = "Essai"
unit = "%"
numerator = "essai_a"
denominator = "essai_b"
per = 100
decimals = 1
uncertainty = "none"
"#;

fn files(texts: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn refused(texts: &[(&str, &str)]) -> PackCause {
    layouts(&files(texts)).expect_err("a fault").cause
}

#[test]
fn the_library_is_proven_and_reads_back_from_what_is_kept() {
    let all = layouts(&public_layouts()).expect("the library's layouts");
    assert!(all.len() >= 2);
    for layout in &all {
        let again = layouts(&files(&[("kept.toml", &layout.text)])).expect("what is kept reads");
        assert_eq!(again.first().map(|one| one.hash), Some(layout.hash), "{}", layout.code);
    }
    // The public indicators: each says how to read it, and how not to.
    let measured = all.iter().flat_map(|layout| &layout.columns).map(|column| &column.indicator);
    let made = all.iter().flat_map(|layout| &layout.ratios).map(|ratio| &ratio.indicator);
    let mut codes = std::collections::BTreeSet::new();
    for indicator in measured.chain(made) {
        codes.insert(&indicator.code);
        let sheet = indicator.sheet.as_ref().unwrap_or_else(|| panic!("{} has no sheet", indicator.code));
        for text in [&indicator.title, &sheet.population, &sheet.how_to_read, &sheet.how_not_to_read] {
            assert!(!text.contains('\'') && !text.is_empty(), "{}: {text}", indicator.code);
        }
    }
    assert!(codes.len() >= 80, "{} indicators", codes.len());
}

#[test]
fn names_and_years_follow_the_vintage() {
    let all = layouts(&files(&[("a.toml", SMALL)])).expect("reads");
    let [layout] = all.as_slice() else { panic!("one layout") };
    let vintage = &layout.vintages[0];
    assert_eq!(Layout::column_name(&layout.columns[0], vintage), "A19");
    assert_eq!(Layout::column_name(&layout.columns[1], vintage), "B2019");
    let dated = Layout::dated(&layout.columns[0], vintage, None);
    assert_eq!((dated.period, dated.geography), (Period::Year(2019), CogYear(2020)));
    assert_eq!(layout.silence("S"), Some(Figure::Suppressed));
    assert_eq!(layout.silence("12"), None);
    assert_eq!(layout.columns[0].blank, Figure::Suppressed);
}

#[test]
fn a_new_vintage_is_a_file_of_four_lines() {
    let more = "format = 1\nextends = \"essai\"\n[[vintage]]\nname = \"2020\"\nyears = { an = 2020, geo = 2021 }\n";
    let all = layouts(&files(&[("a.toml", SMALL), ("b.toml", more)])).expect("reads");
    let names: Vec<&str> = all[0].vintages.iter().map(|vintage| vintage.name.as_str()).collect();
    assert_eq!(names, ["2019", "2020"]);
    let kept = layouts(&files(&[("kept.toml", &all[0].text)])).expect("what is kept holds both");
    assert_eq!(kept[0].vintages, all[0].vintages);
    assert_eq!(refused(&[("b.toml", more)]), PackCause::Unknown);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let with = |from: &str, to: &str| {
        let changed = SMALL.replacen(from, to, 1);
        assert_ne!(changed, SMALL, "{from}");
        changed
    };
    for (from, to, cause) in [
        ("format = 1", "format = 2", PackCause::Malformed),
        ("geo = 2020", "sol = 2020", PackCause::Unknown),
        ("blank = \"secret\"", "blank = \"zéro\"", PackCause::Unknown),
        ("level = \"commune\"", "level = \"canton\"", PackCause::Unknown),
        ("indicator = \"essai_b\"", "indicator = \"essai_a\"", PackCause::Duplicate),
        ("B{an:4}", "A{an}", PackCause::Duplicate),
        ("denominator = \"essai_b\"", "denominator = \"essai_c\"", PackCause::Unknown),
        ("aggregation = \"additive\"", "aggregation = \"non_additive\"", PackCause::Inconsistent),
        ("aggregation = \"additive\"", "aggregation = \"ratio\"", PackCause::Inconsistent),
        ("decimals = 0", "decimals = 10", PackCause::Malformed),
        ("title = \"A\"", "titre = \"A\"", PackCause::Syntax),
        ("decimal = \",\"", "decimal = \"'\"", PackCause::Malformed),
        ("separator = \";\"", "separator = \"\"", PackCause::Malformed),
        // Rows: a year that no column gives, half of the columns folded, a filter on nothing.
        ("period = \"an\"", "period = \"row\"", PackCause::Inconsistent),
        ("territory = {", "rows = { year = \"an\" }\nterritory = {", PackCause::Inconsistent),
        ("title = \"A\"", "title = \"A\", fold = \"sum\"", PackCause::Inconsistent),
        ("title = \"A\"", "title = \"A\", only = { B = [\"1\"] }", PackCause::Inconsistent),
        ("unit = \"personnes\"", "unit = \"personnes\"\nfold = \"median\"", PackCause::Inconsistent),
        // Names: a file without a header is told by its name, which takes years that all vintages have.
        ("secret = [\"s\"]", "header = [\"CODGEO\", \"A19\", \"B2019\"]", PackCause::Inconsistent),
        ("secret = [\"s\"]", "above = 9000000000000000000", PackCause::Malformed),
        ("secret = [\"s\"]", "name = \"f{annee}\"", PackCause::Unknown),
        ("secret = [\"s\"]", "name = \"f\", header = [\"CODGEO\", \"A19\"]", PackCause::Unknown),
        ("secret = [\"s\"]", "name = \"f\", header = [\"A19\", \"B2019\"]", PackCause::Unknown),
        ("secret = [\"s\"]", "name = \"f\", header = [\"A\", \"A\"]", PackCause::Duplicate),
        // Sheets: one that is not there, or to read it without one.
        ("title = \"A\"", "title = \"A\", sheet = \"x\"", PackCause::Sheet),
        ("title = \"A\"", "title = \"A\", how_to_read = \"x\"", PackCause::Sheet),
    ] {
        assert_eq!(refused(&[("a.toml", &with(from, to))]), cause, "{to}");
    }
    assert_eq!(refused(&[("a.toml", SMALL), ("b.toml", SMALL)]), PackCause::Duplicate);
    // One source, one producer; one code, one meaning.
    let usurper = with("code = \"essai\"", "code = \"autre\"").replacen("Un producteur", "Quelqu’un", 1);
    assert_eq!(refused(&[("a.toml", SMALL), ("b.toml", &usurper)]), PackCause::Inconsistent);
    let terms = with("code = \"essai\"", "code = \"autre\"").replacen("per = 100", "per = 1000", 1);
    assert_eq!(refused(&[("a.toml", SMALL), ("b.toml", &terms)]), PackCause::Inconsistent);
    let other = with("code = \"essai\"", "code = \"autre\"").replacen("unit = \"personnes\"", "unit = \"euros\"", 1);
    assert_eq!(refused(&[("a.toml", SMALL), ("b.toml", &other)]), PackCause::Inconsistent);
    assert_eq!(super::silence("later"), Some(Figure::Missing(MissingReason::NotYetAvailable)));
}
