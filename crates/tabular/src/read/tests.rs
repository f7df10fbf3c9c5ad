//! Messy files in small: each quirk seen in the field, read right or refused with place, cause and cure.

use std::collections::BTreeMap;
use std::io::Write;

use proptest::prelude::*;

use super::cells::Seen;
use super::{read, read_bytes, records};
use crate::fault::{FaultCause, Faults};
use crate::fixture::{pack, table};
use crate::rows::Cell;
use crate::source::{DecimalMark, Encoding, Names, Separator, SourceSpec};

const HEADER: &str = "id;foyer;insee;couleur;n;euros;jour;oui;texte\n";

fn spec() -> SourceSpec {
    SourceSpec::new("essai.csv")
}

/// Rows as they were, which only tests keep: with the line of each, by the name of the column.
struct Kept {
    lines: Vec<u64>,
    cells: Vec<BTreeMap<String, Cell<'static>>>,
    seen: Seen,
}

impl Kept {
    fn height(&self) -> usize {
        self.seen.height
    }
}

fn attempt(spec: &SourceSpec, bytes: &[u8]) -> Result<Kept, Faults> {
    let pack = pack("");
    let table = table(&pack);
    let (mut lines, mut cells) = (Vec::new(), Vec::new());
    let seen = records::read(spec, "essai.csv", bytes, table, &mut |row, line| {
        let names = table.schema().fields.iter().map(|field| field.name.clone());
        lines.push(line);
        cells.push(names.zip(row.iter().map(leaked)).collect());
    })?;
    let counted = read_bytes(spec, "essai.csv", bytes, table).expect("read once already");
    assert_eq!((counted.height(), counted.set_aside()), (seen.height, seen.set_aside));
    Ok(Kept { lines, cells, seen })
}

fn leaked(cell: &Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::Text(text.to_string().leak()),
        Cell::Number(units) => Cell::Number(*units),
        Cell::Code(code) => Cell::Code(*code),
        Cell::Boolean(yes) => Cell::Boolean(*yes),
        Cell::Blank => Cell::Blank,
    }
}

fn accepted(spec: &SourceSpec, bytes: &[u8]) -> Kept {
    match attempt(spec, bytes) {
        Ok(rows) => rows,
        Err(faults) => panic!("{:?}", faults.first.iter().map(|f| (f.line, f.cause, &f.message)).collect::<Vec<_>>()),
    }
}

fn refused(spec: &SourceSpec, bytes: &[u8]) -> Faults {
    attempt(spec, bytes).map(|_| ()).expect_err("to be refused")
}

/// Cause, line and column of each fault.
fn places(faults: &Faults) -> Vec<(FaultCause, Option<u64>, Option<&str>)> {
    faults.first.iter().map(|f| (f.cause, f.line, f.column.as_deref())).collect()
}

fn row_faults(rows: &str) -> Faults {
    refused(&spec(), format!("{HEADER}{rows}").as_bytes())
}

fn numbers(rows: &Kept, column: &str) -> Vec<Option<i64>> {
    rows.cells.iter().map(|row| row[column].number()).collect()
}

fn texts(rows: &Kept, column: &str) -> Vec<Option<String>> {
    let text = |cell: &Cell<'_>| if let Cell::Text(text) = cell { Some((*text).to_owned()) } else { None };
    rows.cells.iter().map(|row| text(&row[column])).collect()
}

fn codes(rows: &Kept) -> Vec<Option<u32>> {
    let code = |cell: &Cell<'_>| if let Cell::Code(code) = cell { Some(*code) } else { None };
    rows.cells.iter().map(|row| code(&row["couleur"])).collect()
}

#[test]
fn a_windows_export_with_preamble_blanks_and_total_is_read() {
    let text = "CCAS de Bourg-en-Bresse;;;;;;;;\r\nÉdité le 31/12/2024 à 17:42;;;;;;;;\r\n;;;;;;;;\r\n\
        N°;Foyer;Code INSEE;Couleur;Nombre;Montant total (€);Date d'arrêté;Réponse;Nature de l’aide\r\n\
        a1;f1;01053;bleu;1\u{a0}284;36\u{a0}412,50 €;31/12/2024;oui;Aide \"énergie\"\r\n\
        a2;f2;01053;;42;nd;01/07/2024;NON;\"Secours d’urgence ; œuvre \"\"locale\"\"\"\r\n\
        ;;TOTAL;;1\u{a0}326;36\u{a0}412,50;;;\r\n";
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!unmappable && std::str::from_utf8(&bytes).is_err(), "the test file is really Windows-1252");
    let mut spec = spec();
    spec.columns.insert("id".to_owned(), Names::Several(vec!["Numéro".to_owned(), "n°".to_owned()]));
    spec.columns.insert("texte".to_owned(), Names::One("Nature de l’aide".to_owned()));
    assert_eq!(places(&refused(&spec, &bytes)), [(FaultCause::TotalRow, Some(7), None)]);
    spec.skip_total_rows = true;
    let rows = accepted(&spec, &bytes);
    assert_eq!((rows.seen.height, rows.seen.set_aside), (2, 1));
    assert_eq!(rows.lines, [5, 6]);
    assert_eq!(numbers(&rows, "n"), [Some(1284), Some(42)]);
    assert_eq!(numbers(&rows, "euros"), [Some(3_641_250), None]);
    assert_eq!(numbers(&rows, "jour"), [Some(20_088), Some(19_905)]);
    assert_eq!(texts(&rows, "texte")[1].as_deref(), Some("Secours d’urgence ; œuvre \"locale\""));
    assert_eq!(codes(&rows), [Some(0), Some(2)]);
}

#[test]
fn byte_order_mark_tabs_commas_and_pipes_are_found() {
    let row = "a1;f1;2A004;rouge;14\u{202f}204;1.234,5;29/02/2024;x;t\n";
    for separator in [";", "\t", "|"] {
        let text = format!("\u{feff}{HEADER}{row}").replace(';', separator);
        let rows = accepted(&spec(), text.as_bytes());
        assert_eq!(numbers(&rows, "n"), [Some(14_204)]);
        assert_eq!(numbers(&rows, "euros"), [Some(123_450)]);
    }
    let quoted = "\"id\",\"foyer\",\"insee\",\"couleur\",\"n\",\"euros\",\"jour\",\"oui\",\"texte\"\n\
        \"1\",\"f\",\"01004\",\"bleu\",\"3\",\"6,4\",\"\",\"1\",\"Accès au médecin ;\ndélai, trop long\"\n\n\
        \"2\",\"f\",\"01004\",\"bleu\",\"\",\"\",\"\",\"peut-être\",\"\"\n";
    // The record on lines 2 and 3 is one row, and the blank line counts.
    assert_eq!(places(&refused(&spec(), quoted.as_bytes())), [(FaultCause::Type, Some(5), Some("oui"))]);
    assert_eq!(accepted(&spec(), quoted.replace("peut-être", "").as_bytes()).lines, [2, 5]);
}

#[test]
fn settings_win_over_detection() {
    let mut spec = spec();
    spec.separator = Separator::Comma;
    assert_eq!(places(&refused(&spec, format!("{HEADER}a;f;01004;;;;;;\n").as_bytes()))[0].0, FaultCause::Header);
    spec.separator = Separator::Auto;
    spec.encoding = Encoding::Utf8;
    let latin = [HEADER.as_bytes(), b"a;f;01004;;;;;;\xe9t\xe9\n"].concat();
    assert_eq!(places(&refused(&spec, &latin)), [(FaultCause::Encoding, Some(2), None)]);
    spec.encoding = Encoding::Windows1252;
    assert_eq!(texts(&accepted(&spec, &latin), "texte"), [Some("été".to_owned())]);
    spec.encoding = Encoding::Auto;
    spec.decimal = DecimalMark::Point;
    let point = format!("{HEADER}a;f;01004;;;1.234;;;\n");
    assert_eq!(numbers(&accepted(&spec, point.as_bytes()), "euros"), [Some(123)]);
    spec.decimal = DecimalMark::Comma;
    assert_eq!(numbers(&accepted(&spec, point.as_bytes()), "euros"), [Some(123_400)]);
    spec.columns.insert("age".to_owned(), Names::One("Âge".to_owned()));
    assert_eq!(places(&refused(&spec, point.as_bytes()))[0].0, FaultCause::Settings);
}

#[test]
fn codes_and_constants_are_mapped_by_data() {
    let mut spec = spec();
    spec.codes.insert("couleur".to_owned(), BTreeMap::from([("Azur".to_owned(), "bleu".to_owned())]));
    spec.constants.insert("insee".to_owned(), "93066".to_owned());
    spec.constants.insert("texte".to_owned(), String::new());
    spec.missing.insert("?".to_owned());
    let csv = "id;foyer;couleur;n;euros;jour;oui\na;f1;Azur;?;;;\nb;f2;02;1;;;\nc;f3;Non réponse;2;;;\n";
    let rows = accepted(&spec, csv.as_bytes());
    assert_eq!(codes(&rows), [Some(0), Some(1), Some(2)]);
    assert_eq!(texts(&rows, "insee")[2].as_deref(), Some("93066"));
    assert_eq!(numbers(&rows, "n"), [None, Some(1), Some(2)]);
}

#[test]
fn damaged_codes_are_named_with_a_proposal_and_never_mended() {
    let faults = row_faults(
        "a;f1;1004;;;;;;\nb;f2;1053.0;;;;;;\n2,00072E+08;f3;01004;;;;;;\nd;f4;1;;;;;;\ne;f5;01004;1;;;;;\nf;f6;01004;blue;;;;;\n",
    );
    assert_eq!(
        places(&faults),
        [
            (FaultCause::DamagedCode, Some(2), Some("insee")),
            (FaultCause::DamagedCode, Some(3), Some("insee")),
            (FaultCause::DamagedCode, Some(4), Some("id")),
            (FaultCause::Constraint, Some(5), Some("insee")),
            (FaultCause::DamagedCode, Some(6), Some("couleur")),
            (FaultCause::UnknownCode, Some(7), Some("couleur")),
        ]
    );
    assert!(faults.first[0].message.contains("« 01004 »"));
    assert!(faults.first[1].message.contains("« 01053 »"));
    assert!(faults.first[4].message.contains("« 01 »"));
    assert!(faults.first[5].message.contains("bleu"), "{}", faults.first[5].message);
}

#[test]
fn doubtful_cells_are_refused_one_by_one() {
    let faults =
        row_faults("a;f1;01004;;x;1.234;31/12/24;oui;\nb;f2;01004;;-1;abc;45657;si;\nc;;01004;;1,5;1e5;1999-12-31;;\n");
    assert_eq!(
        places(&faults),
        [
            (FaultCause::Type, Some(2), Some("n")),
            (FaultCause::Ambiguous, Some(2), Some("euros")),
            (FaultCause::Ambiguous, Some(2), Some("jour")),
            (FaultCause::Constraint, Some(3), Some("n")),
            (FaultCause::Type, Some(3), Some("euros")),
            (FaultCause::Ambiguous, Some(3), Some("jour")),
            (FaultCause::Type, Some(3), Some("oui")),
            (FaultCause::Required, Some(4), Some("foyer")),
            (FaultCause::Type, Some(4), Some("n")),
            (FaultCause::Type, Some(4), Some("euros")),
            (FaultCause::Constraint, Some(4), Some("jour")),
        ]
    );
    assert!(faults.first[5].message.contains("2024-12-31"));
}

#[test]
fn missing_and_repeated_columns_are_named_with_the_nearest_name() {
    let faults = refused(&spec(), b"id;foyer;code_insee;couleurs;n;euros;jour;oui;texte\n");
    assert_eq!(
        places(&faults),
        [(FaultCause::MissingColumn, Some(1), Some("insee")), (FaultCause::MissingColumn, Some(1), Some("couleur"))]
    );
    assert!(faults.first[1].message.contains("« couleurs »") && faults.first[1].message.contains("code_insee"));
    let twice = refused(&spec(), b"id;foyer;insee;couleur;n;euros;jour;oui;texte;Texte\n");
    assert_eq!(places(&twice), [(FaultCause::DuplicateColumn, Some(1), Some("texte"))]);
    let mut spec = spec();
    spec.columns.insert("texte".to_owned(), Names::One("foyer".to_owned()));
    assert_eq!(places(&refused(&spec, HEADER.as_bytes()))[0].0, FaultCause::DuplicateColumn);
    // Unnamed and repeated columns that nobody reads do not matter.
    accepted(&super::tests::spec(), b"id;foyer;insee;couleur;n;euros;jour;oui;texte;;;\na;f;01004;;;;;;;;;\n");
}

#[test]
fn keys_and_promises_are_checked_with_both_lines() {
    let faults = row_faults("a;f1;01004;bleu;;;;;\nb;f2;01004;rouge;;;;;\na;f1;01004;rouge;;;;;\n");
    assert_eq!(
        places(&faults),
        [(FaultCause::DuplicateKey, Some(4), Some("id")), (FaultCause::MultiValued, Some(4), Some("couleur"))]
    );
    for fault in &faults.first {
        assert!(fault.message.contains("ligne 2"), "{}", fault.message);
        assert!(!fault.message.contains("f1"), "a fault quotes no more of a person than the offending cell");
    }
}

#[test]
fn ragged_lines_and_open_quotes_are_found() {
    let faults = row_faults("a;f1;01004;;;;\nb;f2;01004;;;;;;x;y\nc;f3;01004;;;;;;;;\n");
    assert_eq!(places(&faults), [(FaultCause::Ragged, Some(2), None), (FaultCause::Ragged, Some(3), None)]);
    let open = row_faults("a;f1;01004;;;;;;\"ouvert\nb;f2;01004;;;;;;\nc;f3;01004;;;;;;\n");
    assert_eq!(places(&open), [(FaultCause::Ragged, Some(2), None)]);
    assert!(open.first[0].message.contains("guillemet"));
    let closed_late =
        row_faults("a;f1;01004;;;;;;\"ouvert\nb;f2;01004;;;;;;\nc;f3;01004;;;;;;\"fin\"\nd;f4;01004;;;;;;\n");
    assert_eq!(places(&closed_late), [(FaultCause::Ragged, Some(2), None)]);
}

#[test]
fn what_is_not_a_text_file_is_told_by_its_first_bytes() {
    for (bytes, word) in [
        (b"PK\x03\x04aaaaaaa".as_slice(), "XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xff\xfei\0d\0", "UTF-16"),
        (b"\n<HTML><table>", "HTML"),
        (b"id;foyer\na\0;b\n", "nuls"),
    ] {
        let faults = refused(&spec(), bytes);
        assert_eq!(faults.first[0].cause, FaultCause::NotText, "{word}");
        assert!(faults.first[0].message.contains(word), "{}", faults.first[0].message);
    }
    for empty in [b"".as_slice(), b" \r\n\n", b"\xef\xbb\xbf"] {
        assert_eq!(refused(&spec(), empty).first[0].cause, FaultCause::Empty);
    }
    assert_eq!(refused(&spec(), HEADER.as_bytes()).first[0].cause, FaultCause::Empty);
    assert_eq!(refused(&spec(), b"bonjour\n").first[0].cause, FaultCause::Separator);
    assert_eq!(refused(&spec(), b"bonjour;monde\n").first[0].cause, FaultCause::Header);
    let twice = "id;foyer;insee;couleur;n;euros;jour;oui;texte\na;f;01004;;;;;;dÃ©jÃ  vu\n";
    assert_eq!(places(&refused(&spec(), twice.as_bytes())), [(FaultCause::Encoding, Some(2), None)]);
}

#[test]
fn a_large_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::create(folder.path().join("essai.csv")).expect("a file");
    // Two gibibytes that take no room on the disk.
    file.set_len(2 << 30).expect("a sparse file");
    let pack = pack("");
    let faults = read(&spec(), folder.path(), table(&pack)).expect_err("too large");
    assert_eq!(faults.first[0].cause, FaultCause::TooLarge);
    for name in ["absent.csv", "."] {
        let faults = read(&SourceSpec::new(name), folder.path(), table(&pack)).expect_err("unreadable");
        assert_eq!(faults.first[0].cause, FaultCause::Unreadable);
    }
    let mut file = std::fs::File::create(folder.path().join("essai.csv")).expect("a file");
    file.write_all(format!("{HEADER}a;f;01004;;;;;;\n").as_bytes()).expect("written");
    assert_eq!(read(&spec(), folder.path(), table(&pack)).expect("readable").height(), 1);
}

#[test]
fn faults_are_capped_cut_and_silent_in_debug() {
    let row = format!("a;f;01004;{};;;;;\n", "secret".repeat(20));
    let faults = row_faults(&row.repeat(200));
    assert_eq!((faults.first.len(), faults.total), (Faults::KEPT, 200));
    assert!(faults.first[0].message.contains(&format!("{}…", &"secret".repeat(20)[..40])));
    assert!(!faults.first[0].message.contains(&"secret".repeat(7)));
    assert!(!format!("{faults:?} {faults}").contains("secret"));
}

#[test]
fn sums_that_would_not_fit_are_refused_at_the_door() {
    let row = |id: u8| format!("a{id};f;01004;;;90000000000000000,00;;;\n");
    let faults = row_faults(&(row(1) + &row(2)));
    assert_eq!(places(&faults), [(FaultCause::Overflow, None, Some("euros"))]);
}

/// Texts made of what upsets readers.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "id;foyer;insee;couleur;n;euros;jour;oui;texte",
        "\n",
        "\r",
        ";",
        ",",
        "\"",
        "a",
        "01004",
        "1.234",
        "é",
        "\u{a0}",
        "Total",
        "-",
        "€",
        "1E+8",
        "31/12/24",
        "99999999999999999999",
        "\u{202f}",
        "'",
        "\t",
        "|",
        "bleu",
        " ",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_or_lose_a_row(text in hostile(), with_header in any::<bool>()) {
        let text = if with_header { format!("{HEADER}{text}") } else { text };
        if let Ok(rows) = attempt(&spec(), text.as_bytes()) {
            prop_assert!(rows.height() > 0 && rows.lines.is_sorted());
            prop_assert!(rows.height() < text.lines().count());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = attempt(&spec(), &bytes);
        let _ = attempt(&spec(), &[HEADER.as_bytes(), &bytes].concat());
    }
}

#[test]
fn a_source_reads_from_settings() {
    let spec: SourceSpec = toml::from_str(
        r#"
        file = "exports/aides.csv"
        separator = ";"
        decimal = ","
        encoding = "windows1252"
        skip_total_rows = true
        [columns]
        id = "N° dossier"
        texte = ["Nature", "Nature de l'aide"]
        [codes.couleur]
        "Azur" = "bleu"
        "#,
    )
    .expect("settings");
    assert_eq!((spec.separator, spec.decimal), (Separator::Semicolon, DecimalMark::Comma));
    assert_eq!(spec.max_bytes, 512 << 20);
    assert_eq!(spec.columns["texte"].as_slice().len(), 2);
    assert!(toml::from_str::<SourceSpec>("file = \"a\"\nseparateur = \";\"").is_err());
}
