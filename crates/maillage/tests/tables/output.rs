//! What is written, and what is not.

use std::fs;

use super::{ABC, Desk, K};

#[test]
fn nothing_that_exists_is_replaced_unless_that_is_asked_for() {
    let desk = Desk::new(&[("H.json", K), ("T.csv", ABC), ("out.csv", "mine"), ("i.csv", "mine")]);
    let protect = "protect --table T.csv --hierarchy H.json --rule threshold=8 -o out.csv";
    let (said, code) = desk.said(protect);
    assert_eq!((code, desk.file("out.csv")), (Some(73), "mine".to_owned()));
    assert!(said.contains("out.csv existe déjà") && said.contains("--force"), "{said}");
    desk.done(&format!("{protect} --force"));
    assert_eq!(desk.hidden("out.csv", 1), ["A", "B"]);
    let attack = "attack --cells out.csv --hierarchy H.json --intervals i.csv";
    assert_eq!((desk.said(attack).1, desk.file("i.csv")), (Some(73), "mine".to_owned()));
    desk.done(&format!("{attack} --force"));
    assert_ne!(desk.file("i.csv"), "mine");
    assert_eq!(
        desk.said("protect --table T.csv --hierarchy H.json --rule threshold=8 -o /dev/null --force").1,
        Some(73)
    );
    assert_eq!(desk.names(), ["H.json", "T.csv", "i.csv", "out.csv"], "nothing is left beside");
}

#[test]
fn what_comes_out_is_written_as_what_went_in() {
    let desk = Desk::new(&[("H.json", K)]);
    desk.put(
        "T.csv",
        "\u{feff}\"k\";\"value\";\"remarque\"\r\n\"A\";\"40\";\"un \"\"mot\"\"; deux\"\r\n\"B\";\"7\";\"\"\r\n\r\n\"C\";\"53\";\"sur\r\ndeux lignes\"\r\n\"Total\";\"100\";\"\"\r\n",
    );
    desk.done("protect --table T.csv --hierarchy H.json --rule threshold=8 -o out.csv --public p.csv");
    assert_eq!(
        desk.file("out.csv"),
        "\u{feff}\"k\";\"value\";\"remarque\";\"primary\";\"suppressed\"\r\n\"A\";\"40\";\"un \"\"mot\"\"; deux\";\"0\";\"1\"\r\n\"B\";\"7\";\"\";\"1\";\"1\"\r\n\"C\";\"53\";\"sur\r\ndeux lignes\";\"0\";\"0\"\r\n\"Total\";\"100\";\"\";\"0\";\"0\"\r\n"
    );
    assert_eq!(
        desk.file("p.csv"),
        "\u{feff}\"k\";\"value\";\"suppressed\"\r\n\"A\";\"\";\"1\"\r\n\"B\";\"\";\"1\"\r\n\"C\";\"53\";\"0\"\r\n\"Total\";\"100\";\"0\"\r\n"
    );
    // Windows-1252 stays Windows-1252.
    let place = desk.0.path().join("W.csv");
    fs::write(&place, b"k;value;note\nA;40;\xe9t\xe9\nB;7;\nC;53;\nTotal;100;\n").expect("writes");
    desk.done("protect --table W.csv --hierarchy H.json --rule threshold=8 -o w.csv");
    let written = fs::read(desk.0.path().join("w.csv")).expect("written");
    assert!(written.starts_with(b"k;value;note;primary;suppressed\nA;40;\xe9t\xe9;0;1\n"), "{written:?}");
}

#[test]
fn where_something_else_than_a_file_stands_nothing_is_written() {
    let text = "k,value\nA,30\nB,40\nTotal,70\n";
    let desk = Desk::new(&[("a.csv", text), ("b.csv", text), ("h.json", r#"{"dims":{"k":{"Total":["A","B"]}}}"#)]);
    fs::create_dir(desk.0.path().join("taken.csv")).expect("a folder");
    let (said, code) =
        desk.said("protect --table a.csv --table b.csv --hierarchy h.json --rule threshold=5 -o free.csv -o taken.csv");
    assert!(code != Some(0) && said.contains("taken.csv"), "{code:?} {said}");
    assert!(!desk.names().contains(&"free.csv".to_owned()), "{:?}", desk.names());
}
#[test]
fn nothing_is_enough_is_said_and_nothing_is_written() {
    let desk = Desk::new(&[("H.json", K), ("T.csv", "k,value,frozen\nA,40,1\nB,3,0\nC,53,1\nTotal,96,1\n")]);
    let (said, code) = desk.said("protect --table T.csv --hierarchy H.json --rule threshold=5 -o out.csv");
    assert_eq!(code, Some(1));
    assert!(said.contains("1 cellule ne peut pas être protégée") && said.contains("k=B"), "{said}");
    // What stands in the way is named by its codes, and no figure of it is said.
    let blocking = said.split("colonne frozen").nth(1).expect("what is frozen is named");
    assert!(blocking.contains("T.csv, ligne 2 (k=A)") && !blocking.contains("k=C"), "{said}");
    assert!(said.contains("retrait") && !said.contains("40") && !said.contains("96"), "{said}");
    assert_eq!(desk.names(), ["H.json", "T.csv"]);
}

/// The table adds up to nothing: whoever is told of the folder was told before it was read.
#[test]
fn a_folder_that_takes_no_file_is_told_before_the_search() {
    let desk = Desk::new(&[("H.json", K), ("T.csv", "k,value\nA,1\nB,1\nC,1\nTotal,999\n")]);
    let protect = "protect --table T.csv --hierarchy H.json --rule threshold=8 -o";
    let (said, code) = desk.said(&format!("{protect} H.json/out.csv"));
    assert!(
        code != Some(0) && said.contains("H.json/out.csv") && !said.contains("TABLE_NOT_ADDITIVE"),
        "{code:?} {said}"
    );
    let (said, _) = desk.said(&format!("{protect} out.csv"));
    assert!(said.contains("TABLE_NOT_ADDITIVE"), "{said}");
    assert_eq!(desk.names(), ["H.json", "T.csv"], "nothing is left beside");
}
