//! What this way accepts, the patient way accepts too, with the same figures; and plain files it does accept.

use std::fmt::Write;

use proptest::prelude::*;

use super::read;
use crate::compute::{ComputeError, compute, exposed};
use crate::fixture::{self, table};
use crate::read::patiently;
use crate::source::{Encoding, SourceSpec};

const HEADER: &str = "id;foyer;insee;couleur;n;euros;jour;oui;texte";

fn spec() -> SourceSpec {
    SourceSpec::new("essai.csv")
}

/// Reads in blocks of so many bytes; whether this way took the file. Figures must be those of the patient way.
fn same(spec: &SourceSpec, bytes: &[u8], block: usize) -> bool {
    let pack = fixture::all_quantities();
    let table = table(pack);
    let Some(shared) = read(spec, "essai.csv", table, block, || Some(bytes)) else { return false };
    let patient = patiently(spec, "essai.csv", bytes, table).expect("taken by several, so by one");
    assert_eq!((shared.height(), shared.set_aside()), (patient.height(), patient.set_aside()));
    match (compute(&shared, table), compute(&patient, table)) {
        (Ok(shared), Ok(patient)) => assert_eq!(exposed(&shared), exposed(&patient)),
        (shared, patient) => assert_eq!(shared.err(), patient.err()),
    }
    true
}

/// Many rows; some units have several, of several kinds.
fn export(rows: u32, line_end: &str) -> String {
    let mut text = format!("Édité le 31/12/2024;;;;;;;;{line_end}{HEADER}{line_end}");
    for row in 0..rows {
        let unit = row % 700 / (1 + row % 2);
        let colour = ["bleu", "rouge", ""][unit as usize % 3];
        let _ = write!(
            text,
            "a{row};f{unit};01{:03};{colour};{};{},50;0{}/01/2025;{};\"Aide \"\"{}\"\" ; été\"{line_end}",
            row % 400,
            row % 7,
            row % 91,
            1 + row % 9,
            ["oui", "non", "x"][row as usize % 3],
            row % 4,
        );
    }
    text
}

#[test]
fn plain_exports_are_shared_among_threads_whatever_the_block_and_encoding() {
    for line_end in ["\n", "\r\n"] {
        let text = export(900, line_end);
        for block in [300, 4096, 1 << 20] {
            assert!(same(&spec(), text.as_bytes(), block), "{block}");
        }
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
        assert!(same(&spec(), &latin, 700));
        // The first letter beyond ASCII stands blocks away from the beginning: all is read anew.
        let late = text.replacen("Édité", "Edite", 1).replace(" ; été", ";") + "z;z;01001;;1;1;;;é\n";
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&late);
        assert!(std::str::from_utf8(&latin[..9000]).is_ok() && same(&spec(), &latin, 700));
        let utf8 = SourceSpec { encoding: Encoding::Utf8, ..spec() };
        assert!(!same(&utf8, &latin, 700));
    }
    // A blank line, and no line end at the last.
    assert!(same(&spec(), format!("{HEADER}\n\na;f;01001;;1;1;;;\n ;;;;;;;;\nb;f;01001;;1;1;;;").as_bytes(), 64));
}

#[test]
fn whatever_is_not_plain_is_left_to_the_patient_way() {
    let good = export(50, "\n");
    assert!(same(&spec(), good.as_bytes(), 400));
    for (bad, what) in [
        ("a1;f;01001;;1;1;;;\n", "a key from before"),
        ("z;f;01001;;1;1;;;\nz;f;01001;;1;1;;;\n", "a key twice"),
        ("z;f1;01001;bleu;1;1;;;\ny;f1;01001;rouge;1;1;;;\n", "a unit with two codes"),
        ("z;f;01001;;1;1;;\n", "a line cut short"),
        ("z;f;01001;;1;1;;;;;x\n", "a line too long"),
        ("z;f;01001;;1;1;;;\"deux\nlignes\"\n", "a cell of two lines"),
        ("z;f;01001;;1;1;;;\"ouvert\n", "an open quote"),
        ("z;f;01001;;1;1;;;\"fermé\"trop tôt\n", "text after a quote"),
        ("z;f;01001;;1;1;;;a\rb\n", "a carriage return"),
        ("Total ;;;;50;;;;\n", "a total"),
        ("z;f;01001;;1;1;;;sous-total\n", "a total in a text"),
        ("z;f;01001;vert;1;1;;;\n", "a code that nobody knows"),
        ("z;;01001;;1;1;;;\n", "a required blank"),
        ("z;f;01001;;1;90000000000000000;;;\ny;f;01001;;1;90000000000000000;;;\n", "a sum that does not fit"),
        ("z;f;01001;;1;1;;;\0\n", "a nul"),
        ("z;f;01001;;1;1;;;dÃ©jÃ \n", "text decoded twice"),
    ] {
        for block in [80, 1 << 20] {
            let text = format!("{good}{bad}");
            let single = SourceSpec { max_bytes: u64::MAX, ..spec() };
            assert!(!same(&single, text.as_bytes(), block), "{what}");
        }
    }
    assert!(!same(&SourceSpec { max_bytes: 1000, ..spec() }, good.as_bytes(), 100), "too large");
    assert!(!same(&spec(), format!("{HEADER}\n").as_bytes(), 100), "no row");
    assert!(same(&SourceSpec { may_be_empty: true, ..spec() }, format!("{HEADER}\n").as_bytes(), 100));
}

#[test]
fn a_missing_amount_is_named_with_its_line_blocks_away() {
    let pack = fixture::all_quantities();
    let table = table(pack);
    let text = export(300, "\n");
    let at = text.lines().nth(203).expect("a line").to_owned();
    let cells: Vec<&str> = at.split(';').collect();
    let text = text.replace(&at, &at.replace(cells[5], ""));
    let rows = read(&spec(), "essai.csv", table, 500, || Some(text.as_bytes())).expect("plain");
    match compute(&rows, table).expect_err("an amount is missing") {
        ComputeError::MissingAmount { line, column, .. } => assert_eq!((line, column.as_str()), (204, "euros")),
        other => panic!("{other}"),
    }
}

/// Lines that are nearly right.
fn line() -> impl Strategy<Value = String> {
    let cell = |some: &[&'static str]| prop::sample::select(some.to_vec());
    (
        cell(&["a", "b", "c", "d", "e1", "f", "g", " h", "\"i\"", "total", "j;", ""]),
        cell(&["f1", "f2", "f3", "\"f;4\"", " f1 ", "f1"]),
        cell(&["bleu", "rouge", "01", "nd", "\"bleu\"", "", " "]),
        cell(&["1", "007", "+3", "", "nd", "99999", "2,0"]),
        cell(&["1", "1,5", "1.234", "1\u{a0}000,25", "0", "", "12 €"]),
        cell(&["01/02/2025", "", "2025-03-01 10:00"]),
        cell(&["oui", "N", "", "X"]),
        cell(&["", "texte", "\"a \"\"b\"\"\"", "été", "\"\"", "é\u{a0}"]),
        cell(&["\n", "\n", "\n", "\n", "\r\n", ";\n", ";x\n", "\n\n", " \n"]),
    )
        .prop_map(|(id, unit, colour, n, euros, day, yes, text, end)| {
            format!("{id};{unit};01001;{colour};{n};{euros};{day};{yes};{text}{end}")
        })
}

proptest! {
    #[test]
    fn both_ways_agree_on_lines_that_are_nearly_right(lines in prop::collection::vec(line(), 1..8), block in 8_usize..200) {
        let text = format!("{HEADER}\n{}", lines.concat());
        same(&spec(), text.as_bytes(), block.max(HEADER.len() + 1));
    }
}
