//! Small nasty files.

use std::collections::BTreeMap;

use methodology::Layout;
use model::{Area, Figure, MissingReason};

use super::*;

mod shapes;

const LAYOUT: &str = r#"
format = 1
code = "essai"
source = "essai"
producer = "Un producteur"
title = "Un fichier"
licence = "Licence Ouverte 2.0 (Etalab)"
url = "https://exemple.fr"
file = { separator = ";", decimal = ",.", secret = ["s"], missing = ["nd"], not_applicable = ["so"] }
territory = { column = "CODGEO", label = "LIBGEO" }
level = [
  { level = "commune" },
  { level = "departement", file = "_DEP", anchors = [["93", "Seine-Saint-Denis"]] },
  { level = "region", file = "_REG", anchors = [["11", "Île-de-France"]] },
  { level = "metropole", code = "1" },
]
[[vintage]]
name = "2019"
years = { an = 2019, geo = 2020, apres = 2025 }
[[vintage]]
name = "2020"
years = { an = 2020, geo = 2021, apres = 2025 }
[[group]]
theme = "Essai"
period = "an"
geography = "geo"
blank = "secret"
uncertainty = "none"
aggregation = "additive"
unit = "personnes"
decimals = 1
columns = [
  { name = "A{an}", indicator = "a", title = "A" },
  { name = "B{an}", indicator = "b", title = "B", optional = true, signed = true },
]
[[group]]
theme = "Essai"
period = "an"
geography = "apres"
blank = "missing"
uncertainty = "none"
aggregation = "additive"
unit = "personnes"
decimals = 0
columns = [{ name = "C{an}", indicator = "c", title = "C" }]
"#;

fn layouts(texts: &[&str]) -> Vec<Layout> {
    let files: BTreeMap<String, Vec<u8>> =
        texts.iter().enumerate().map(|(i, text)| (format!("{i}.toml"), text.as_bytes().to_vec())).collect();
    methodology::layouts(&files).expect("a layout")
}

/// Everything of Seine-Saint-Denis and above; 93059 ends in 2025.
fn read_as(name: &str, bytes: &[u8]) -> Result<PublicTable, Refusal> {
    let scope = Scope {
        keep: &|area| area.departement().is_none_or(|departement| departement == "93"),
        exists: &|area, year| !(area.code() == "93059" && year.0 >= 2025),
        progress: &|_, _| (),
    };
    read(&layouts(&[LAYOUT]), name, bytes, &scope)
}

fn read_text(text: &str) -> Result<PublicTable, Refusal> {
    read_as("essai.csv", text.as_bytes())
}

fn of(table: &PublicTable, code: &str) -> Vec<Option<Figure>> {
    table.rows.iter().find(|row| row.area.code() == code).expect(code).figures.clone()
}

fn faults(text: &str) -> Vec<(FaultCause, Option<u64>, Option<String>)> {
    let Err(Refusal::Faults(faults)) = read_text(text) else { panic!("faults expected") };
    for fault in &faults.first {
        assert!(fault.message.chars().count() > 20, "cause and cure");
    }
    faults.first.into_iter().map(|fault| (fault.cause, fault.line, fault.column)).collect()
}

const HEAD: &str = "CODGEO;LIBGEO;A19;B19;C19\r\n";

#[test]
fn commas_points_quotes_blank_lines_and_a_byte_order_mark_are_one_file() {
    let text = format!(
        "\u{feff}{HEAD}93001;\"Ville; la grande\";1234,5;-2.25;7\r\n\r\n93066;Autre\u{fffd};36.0;0;8;;;\r\n01001;Ailleurs;1;1;1"
    );
    let table = read_text(&text).expect("reads");
    assert_eq!(table.level, Level::Commune);
    let value = |units| Some(Figure::Observed(units));
    assert_eq!(of(&table, "93001"), [value(12_345), value(-23), value(7)]);
    assert_eq!(of(&table, "93066"), [value(360), value(0), value(8)]);
    assert_eq!((table.rows.len(), table.aside, table.ignored), (2, 1, 0));
    assert!(table.damaged_names);
    assert_eq!(table.rows[1].line, 4);
    // The same bytes as Windows-1252 write them.
    let mut windows = format!("{HEAD}93001;Pr").into_bytes();
    windows.extend(b"\xe9;1;1;1");
    assert_eq!(of(&read_as("x.csv", &windows).expect("reads"), "93001")[2], value(1));
}

#[test]
fn zero_secret_missing_and_not_applicable_stay_four_things() {
    let table = read_text(&format!("{HEAD}93001;X;0;;\n93005;X;s;S;nd\n93006;X;so;0,0;0\n")).expect("reads");
    let (zero, secret) = (Some(Figure::Observed(0)), Some(Figure::Suppressed));
    let missing = Some(Figure::Missing(MissingReason::NotCollected));
    assert_eq!(of(&table, "93001"), [zero, secret, missing]);
    assert_eq!(of(&table, "93005"), [secret, secret, missing]);
    assert_eq!(of(&table, "93006"), [Some(Figure::NotApplicable), zero, zero]);
}

#[test]
fn a_commune_that_was_absorbed_has_nothing_in_the_later_geography() {
    let table = read_text(&format!("{HEAD}93059;X;5;6;\n93066;X;7;8;9\n")).expect("reads");
    assert_eq!(of(&table, "93059")[2], None);
    assert_eq!(of(&table, "93066")[2], Some(Figure::Observed(9)));
    let wrong = faults(&format!("{HEAD}93059;X;5;6;7\n"));
    assert_eq!(wrong, [(FaultCause::Constraint, Some(2), Some("C19".to_owned()))]);
}

#[test]
fn what_is_damaged_is_named_with_its_line_and_column() {
    let geo = || Some("CODGEO".to_owned());
    let column = |name: &str| Some(name.to_owned());
    for (lines, expected) in [
        // A tableur dropped the zero, in a département that is not even kept.
        (
            "93001;X;1;1;1\n93005;X;1;1;1\n93006;X;1;1;1\n93007;X;1;1;1\n1004;X;1;1;1",
            (FaultCause::DamagedCode, Some(6), geo()),
        ),
        (
            "93001;X;1;1;1\n93005;X;1;1;1\n93006;X;1;1;1\n93007;X;1;1;1\nTotal;X;1;1;1",
            (FaultCause::UnknownCode, Some(6), geo()),
        ),
        ("93001;X;1;1;1\n93001;X;1;1;1", (FaultCause::DuplicateKey, Some(3), geo())),
        ("93001;X;1;1;1\n93005;X;1", (FaultCause::Ragged, Some(3), None)),
        ("93001;X;1;1;1;2", (FaultCause::Ragged, Some(2), None)),
        ("93001;X;un;1;1", (FaultCause::Type, Some(2), column("A19"))),
        ("93001;X;12,;1;1", (FaultCause::Type, Some(2), column("A19"))),
        ("93001;X;1 234;1;1", (FaultCause::Type, Some(2), column("A19"))),
        ("93001;X;1e5;1;1", (FaultCause::Type, Some(2), column("A19"))),
        ("93001;X;1.234,5;1;1", (FaultCause::Ambiguous, Some(2), column("A19"))),
        ("93001;X;-1;1;1", (FaultCause::Constraint, Some(2), column("A19"))),
    ] {
        assert_eq!(faults(&format!("{HEAD}{lines}\n")), [expected], "{lines}");
    }
    let glued =
        format!("{HEAD}93001;X;1;1;1\n93005;X;1;1;1\n93006;X;1;1;1\n93007;X;1;1;1\n\u{feff}{HEAD}93066;X;1;1;1\n");
    assert_eq!(faults(&glued), [(FaultCause::Header, Some(6), geo())]);
    assert_eq!(faults("CODGEO;LIBGEO;A19;A19;C19\n93001;X;1;1;1\n")[0].0, FaultCause::DuplicateColumn);
}

#[test]
fn a_file_that_no_layout_fits_is_told_what_lacks() {
    let Err(Refusal::Unknown(near)) = read_text("CODGEO;LIBGEO;A20;X\n93001;Y;1;1\n") else { panic!("unknown") };
    assert_eq!((near[0].layout.as_str(), near[0].vintage.as_str()), ("essai", "2020"));
    assert_eq!(near[0].missing, ["C20"]);
    assert_eq!(near[0].known, 3);
    assert!(matches!(read_text(&HEAD.replace(';', ",")), Err(Refusal::Unknown(_))));
    // A code that every producer writes, and nothing else: naming a layout would send the reader the wrong way.
    for foreign in ["CODGEO;Y\n93001;Y\n", "Siret;Effectif\n1;2\n", "x\n1\n"] {
        let Err(Refusal::Unknown(near)) = read_text(foreign) else { panic!("unknown") };
        assert_eq!(near, [], "{foreign}");
    }
    assert!(matches!(read_as("x.csv", b"PK\x03\x04zip"), Err(Refusal::Faults(_))));
    assert!(matches!(read_as("x.csv", b"\xef\xbb\xbf \r\n"), Err(Refusal::Faults(_))));
    assert_eq!(faults("CODGEO;LIBGEO;A19;C19\n").len(), 1);
}

#[test]
fn two_layouts_that_fit_are_never_chosen_between() {
    let twin = LAYOUT.replacen("code = \"essai\"", "code = \"jumeau\"", 1);
    let all = layouts(&[LAYOUT, &twin]);
    let scope = Scope { keep: &|_| true, exists: &|_, _| true, progress: &|_, _| () };
    let Err(Refusal::Ambiguous(found)) = read(&all, "x.csv", format!("{HEAD}93001;X;1;1;1").as_bytes(), &scope) else {
        panic!("ambiguous")
    };
    assert_eq!(found, ["essai, 2019, commune", "jumeau, 2019, commune"]);
}

#[test]
fn a_known_row_or_the_name_of_the_file_tells_a_region_from_a_departement() {
    let level = |name: &str, rows: &str| read_as(name, format!("{HEAD}{rows}").as_bytes()).map(|table| table.level);
    assert_eq!(level("x.csv", "11;Île-de-France;1;1;1\n93;Sud;1;1;1\n"), Ok(Level::Region));
    assert_eq!(level("x.csv", "11;Aude;1;1;1\n93;Seine-Saint-Denis;1;1;1\n"), Ok(Level::Departement));
    assert_eq!(level("FILO_DEP.csv", "11;Aude;1;1;1\n"), Ok(Level::Departement));
    assert!(matches!(level("x.csv", "11;Aude;1;1;1\n"), Err(Refusal::Level { .. })));
    let table = read_as("x.csv", format!("{HEAD}1;France métropolitaine;1;1;1").as_bytes()).expect("reads");
    assert_eq!((table.level, table.rows[0].area.code()), (Level::Metropole, Area::METROPOLE));
}

#[test]
fn a_file_of_two_gigabytes_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("FD_LOGEMT.csv");
    let file = std::fs::File::create(&path).expect("creates");
    file.set_len(2 << 30).expect("a sparse file");
    assert_eq!(bytes(&path, "FD_LOGEMT.csv").expect_err("too large").cause, FaultCause::TooLarge);
    assert_eq!(bytes(folder.path(), "x").expect_err("a folder").cause, FaultCause::Unreadable);
}
