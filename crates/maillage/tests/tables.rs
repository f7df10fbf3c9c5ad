//! `maillage protect` and `maillage attack` on anybody's tables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

/// A folder with files, and the command run in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            desk.put(name, text);
        }
        desk
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("writes");
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maillage"));
        command.current_dir(self.0.path()).args(line.split(' '));
        command.output().expect("runs")
    }

    /// What it says, and its exit code.
    fn said(&self, line: &str) -> (String, Option<i32>) {
        let output = self.run(line);
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8")).concat();
        (said, output.status.code())
    }

    fn done(&self, line: &str) -> String {
        let (said, code) = self.said(line);
        assert_eq!(code, Some(0), "{line}: {said}");
        said
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect(name)
    }

    /// The keys of hidden rows, by the first `keys` columns.
    fn hidden(&self, name: &str, keys: usize) -> Vec<String> {
        let text = self.file(name);
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|cells| cells.last() == Some(&"1")).map(|cells| cells[..keys].join(" ")).collect()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (fs::read_dir(self.0.path()).expect("a folder"))
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

const K: &str = r#"{"dims": {"k": {"Total": ["A", "B", "C"]}}}"#;
const ABC: &str = "k,value\nA,40\nB,7\nC,53\nTotal,100\n";

#[test]
fn what_is_protected_withstands_the_attack_and_what_is_tampered_with_does_not() {
    let desk = Desk::new(&[("H.json", K), ("T.csv", ABC)]);
    let said =
        desk.done("protect --table T.csv --hierarchy H.json --rule threshold=8 --width 5 -o out.csv --public p.csv");
    assert!(said.contains("4 cellules\u{202f}: 1 cachée par les règles, 1 cachée pour les protéger"), "{said}");
    assert_eq!(desk.file("out.csv"), "k,value,primary,suppressed\nA,40,0,1\nB,7,1,1\nC,53,0,0\nTotal,100,0,0\n");
    assert_eq!(desk.file("p.csv"), "k,value,suppressed\nA,,1\nB,,1\nC,53,0\nTotal,100,0\n");
    let said = desk.done("attack --cells out.csv --hierarchy H.json --width 47 --intervals i.csv");
    assert!(said.contains("0 violation sur 1 cellule"), "{said}");
    assert_eq!(desk.file("i.csv"), "k,primary,low,high,exact\nA,0,0,47,1\nB,1,0,47,1\n");
    let (said, code) = desk.said("attack --cells p.csv --hierarchy H.json --width 48");
    assert_eq!(code, Some(1));
    assert!(said.contains("2 violations sur 2 cellules"), "{said}");
    // The file still has the hidden figures: they are not read.
    desk.put("lie.csv", "k,value,primary,suppressed\nA,4000,0,1\nB,x,1,1\nC,53,0,0\nTotal,100,0,0\n");
    desk.done("attack --cells lie.csv --hierarchy H.json --width 47");
    desk.put("open.csv", "k,value,primary,suppressed\nA,40,0,0\nB,7,1,1\nC,53,0,0\nTotal,100,0,0\n");
    let (said, code) = desk.said("attack --cells open.csv --hierarchy H.json");
    assert_eq!(code, Some(1));
    assert!(said.contains("1 violation") && said.contains("k=B") && said.contains("calculable"), "{said}");
    assert!(!said.contains(" 7"), "no figure is said: {said}");
}

#[test]
fn a_second_run_does_not_give_away_the_first() {
    let desk = Desk::new(&[("H.json", K)]);
    // The first run hid {A, B}; in the second, C would be the cheapest beside B.
    desk.put("first.csv", "k,value,primary,suppressed\nA,40,0,1\nB,7,1,1\nC,53,0,0\nTotal,100,0,0\n");
    desk.put("T.csv", "k,value,frozen\nA,40,\nB,7,\nC,53,\nTotal,100,\n");
    desk.done("protect --table T.csv --hierarchy H.json --rule threshold=8 --history first.csv -o out.csv");
    assert_eq!(desk.hidden("out.csv", 1), ["A", "B"]);
    // B changes to 17: it may be shown by itself, and would give A away, and with A the old B.
    desk.put("T.csv", "k,value\nA,40\nB,17\nC,53\nTotal,110\n");
    desk.done("protect --table T.csv --hierarchy H.json --rule threshold=8 --history first.csv -o out.csv --force");
    assert_eq!(desk.hidden("out.csv", 1), ["A", "B"]);
    // What was shown and is now forbidden is refused, or stays.
    desk.put("T.csv", "k,value\nA,40\nB,7\nC,53\nTotal,100\n");
    desk.put("shown.csv", "k,value,suppressed\nA,40,0\nB,7,0\nC,53,0\nTotal,100,0\n");
    let line = "protect --table T.csv --hierarchy H.json --rule threshold=8 --history shown.csv -o other.csv --force";
    let (said, code) = desk.said(line);
    assert_eq!(code, Some(65));
    assert!(said.contains("[TABLE_FROZEN]") && said.contains("k=B") && said.contains("--keep-published"), "{said}");
    assert!(!desk.names().contains(&"other.csv".to_owned()));
    desk.done(&format!("{line} --keep-published"));
    assert!(desk.hidden("other.csv", 1).is_empty());
    // A history that does not add up.
    desk.put("shown.csv", "k,value,suppressed\nA,40,0\nB,7,0\nC,50,0\nTotal,100,0\n");
    let (said, code) = desk.said(line);
    assert_eq!(code, Some(65));
    assert!(said.contains("[TABLE_NOT_ADDITIVE]") && said.contains("shown.csv, ligne 5"), "{said}");
}

#[test]
fn linked_tables_agree_on_their_common_cells() {
    let desk = Desk::new(&[
        (
            "H.json",
            r#"{"dims": {"age": {"Total": ["0-17", "18+"]}, "region": {"Total": [["A", "B"], ["x", "y"]]}, "sexe": {"Total": ["F", "M"]}}}"#,
        ),
        (
            "age.csv",
            "age,region,value\n0-17,A,3\n0-17,B,20\n0-17,Total,23\n18+,A,30\n18+,B,40\n18+,Total,70\nTotal,A,33\nTotal,B,60\nTotal,Total,93\n",
        ),
        (
            "sexe.csv",
            "region,sexe,value\nA,F,13\nA,M,20\nB,F,30\nB,M,30\nTotal,F,43\nTotal,M,50\nA,Total,33\nB,Total,60\nTotal,Total,93\n",
        ),
        ("zone.csv", "region,value\nx,92\ny,1\nTotal,93\n"),
    ]);
    desk.done(
        "protect --table age.csv --table sexe.csv --table zone.csv --hierarchy H.json --rule threshold=5 -o sorties/",
    );
    desk.done(
        "attack --cells sorties/age.csv --cells sorties/sexe.csv --cells sorties/zone.csv --hierarchy H.json --width 1",
    );
    let age: Vec<String> = desk.hidden("sorties/age.csv", 2);
    assert!(age.contains(&"0-17 A".to_owned()) && age.len() >= 4, "{age:?}");
    assert_eq!(desk.hidden("sorties/zone.csv", 1), ["x", "y"]);
    let (said, code) =
        desk.said("protect --table age.csv --table sexe.csv --hierarchy H.json --rule threshold=5 -o one.csv");
    assert_eq!(code, Some(65), "{said}");
}

#[test]
fn amounts_with_contributors_follow_the_rules_for_amounts() {
    let desk = Desk::new(&[
        ("H.json", K),
        (
            "T.csv",
            "k,value,contributors,top1,top2,owner\nA,100.50,3,90,5,\nB,200,9,40,30,\nC,9,1,,,z\nTotal,309.50,13,90,40,\n",
        ),
    ]);
    desk.done("protect --table T.csv --hierarchy H.json --rule insee-entreprises -o out.csv");
    // B too: z, who is alone in C, would know A as what is left of the total.
    assert_eq!(desk.hidden("out.csv", 1), ["A", "B", "C"]);
    let intervals = "attack --cells out.csv --hierarchy H.json --width 1 --intervals i.csv";
    desk.done(intervals);
    assert_eq!(desk.file("i.csv"), "k,primary,low,high,exact\nA,1,0.0,309.5,1\nB,0,0.0,309.5,1\nC,1,0.0,309.5,1\n");
    let (said, code) = desk.said("protect --table T.csv --hierarchy H.json --rule dominance=2,85 -o two.csv");
    assert_eq!(code, Some(0), "{said}");
    desk.put("T.csv", "k,value,contributors\nA,100.50,3\nB,200,9\nC,9,1\nTotal,309.50,13\n");
    let (said, code) = desk.said("protect --table T.csv --hierarchy H.json --rule p=15 -o three.csv");
    assert_eq!(code, Some(65));
    assert!(said.contains("top1") && said.contains("ligne 2"), "{said}");
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
fn whoever_knows_more_is_played_too_and_named() {
    let desk = Desk::new(&[
        ("H.json", K),
        ("owned.csv", "k,value,owner,primary,suppressed\nA,10,Dupont,1,1\nB,7,,1,1\nC,53,,0,0\nTotal,70,,0,0\n"),
        ("alone.csv", "k,value,contributors,primary,suppressed\nA,10,1,1,1\nB,7,3,1,1\nC,53,9,0,0\nTotal,70,13,0,0\n"),
        ("plain.csv", "k,value,primary,suppressed\nA,10,0,1\nB,7,1,1\nC,53,0,0\nTotal,70,0,0\n"),
        ("known.csv", "k,value\nA,10\n"),
        ("wrong.csv", "k,value\nA,18\n"),
    ]);
    for file in ["owned.csv", "alone.csv"] {
        let (said, code) = desk.said(&format!("attack --cells {file} --hierarchy H.json --width 5"));
        assert_eq!(code, Some(1), "{said}");
        let said = said.replace('\u{202f}', " ");
        assert!(said.contains("Lecteur de ce qui est publié maintenant : 0 violation sur 2 cellules"), "{said}");
        assert!(said.contains("en plus : 1 violation") && said.contains("(k=B) : calculable"), "{said}");
        assert!(!said.contains("Dupont"), "{said}");
    }
    desk.done("attack --cells plain.csv --hierarchy H.json --width 5");
    let (said, code) = desk.said("attack --cells plain.csv --hierarchy H.json --width 5 --known known.csv");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Qui connaît known.csv") && said.contains("k=B"), "{said}");
    // A and B are 17 together: nobody knows A to be 18.
    let (said, code) = desk.said("attack --cells plain.csv --hierarchy H.json --width 5 --known wrong.csv");
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("[TABLE_KNOWN]") && said.contains("wrong.csv, ligne 2 (k=A)"), "{said}");
    // Two publications, each safe, that give B away together.
    desk.put("before.csv", "k,value,primary,suppressed\nA,,0,1\nB,,1,1\nC,53,0,0\nTotal,70,0,0\n");
    desk.put("after.csv", "k,value,primary,suppressed\nA,10,0,0\nB,,1,1\nC,,0,1\nTotal,70,0,0\n");
    desk.done("attack --cells after.csv --hierarchy H.json --width 5");
    let (said, code) = desk.said("attack --cells after.csv --hierarchy H.json --width 5 --history before.csv");
    assert_eq!(code, Some(1), "{said}");
    let said = said.replace('\u{202f}', " ");
    assert!(said.contains("seules publications antérieures : 0 violation"), "{said}");
    assert!(said.contains("inchangé : 1 violation") && said.contains("(k=B) : calculable"), "{said}");
}

#[test]
fn protection_levels_are_checked_and_asked_for_no_further_than_they_can_go() {
    let levels = |lpl: u32, upl: u32, spl: u32| {
        format!(
            "k,value,primary,suppressed,lpl,upl,spl\nA,40,0,1,,,\nB,7,1,1,{lpl},{upl},{spl}\nC,53,0,0,,,\nTotal,100,0,0,,,\n"
        )
    };
    let desk = Desk::new(&[("H.json", K)]);
    for (lpl, upl, spl, says) in
        [(7, 40, 47, None), (8, 0, 0, Some("lpl")), (0, 41, 0, Some("upl")), (0, 0, 48, Some("trop étroite"))]
    {
        desk.put("out.csv", &levels(lpl, upl, spl));
        let (said, code) = desk.said("attack --cells out.csv --hierarchy H.json");
        assert_eq!(code, Some(i32::from(says.is_some())), "{said}");
        assert!(says.is_none_or(|says| said.contains(says)), "{said}");
    }
    let protect = "protect --table T.csv --hierarchy H.json --primary-column primary -o p.csv --force";
    desk.put(
        "T.csv",
        "k,value,primary,lb,ub,lpl,upl,spl\nA,40,0,,,,,\nB,7,1,0,60,7,41,0\nC,53,0,,,,,\nTotal,100,0,,,,,\n",
    );
    let said = desk.done(protect);
    assert!(said.contains("pour 1 cellule, ce que demandent leurs colonnes lpl, upl et spl"), "{said}");
    assert_eq!(desk.hidden("p.csv", 1), ["B", "C"], "beside A only 40 are left above B");
    desk.put(
        "T.csv",
        "k,value,primary,lb,ub,lpl,upl,spl\nA,40,0,,,,,\nB,7,1,0,60,8,41,61\nC,53,0,,,,,\nTotal,100,0,,,,,\n",
    );
    let (said, code) = desk.said(protect);
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("[TABLE_LEVELS]") && said.contains("ligne 3 (k=B)") && said.contains("lb"), "{said}");
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
fn bad_input_is_refused_with_place_cause_and_cure() {
    let desk = Desk::new(&[
        ("H.json", K),
        ("T.csv", ABC),
        ("cycle.json", r#"{"dims": {"k": {"Total": ["A"], "A": ["Total"]}}}"#),
    ]);
    let protect = "protect --table bad.csv --hierarchy H.json --rule threshold=5 -o out.csv";
    for (text, reason, said) in [
        ("k,value\nA,40\nB,7\nC,50\nTotal,100\n", "TABLE_NOT_ADDITIVE", "bad.csv, ligne 5 (k=Total)"),
        ("k,value\nA,-40\nB,7\nC,53\nTotal,20\n", "TABLE_RANGE", "ligne 2"),
        ("k,value\nA,40\nC,53\nTotal,93\n", "TABLE_MISSING", "« B »"),
        ("k,value\nA,40\nB,7\nC,53\nC,53\nTotal,100\n", "TABLE_DUPLICATE", "ligne 5 (k=C)"),
        ("k,value\nA,40\nB,7\nD,53\nTotal,100\n", "TABLE_FILE", "ligne 4, colonne « k »"),
        ("k,value\nA,40\nB,sept\nC,53\nTotal,100\n", "TABLE_FILE", "ligne 3, colonne « value »"),
        ("k,nombre\nA,40\n", "TABLE_FILE", "« value »"),
        ("k,value\nA,40\nB,NaN\nC,53\nTotal,100\n", "TABLE_FILE", "ligne 3, colonne « value »"),
        ("k,value\nA,40\nB,\nC,53\nTotal,100\n", "TABLE_FILE", "La valeur manque"),
        ("k,value\nA,40\nB,7,5\nC,53\nTotal,100\n", "TABLE_FILE", "La ligne a 3 cases"),
        ("k,value\nA,40\nB,\"7,250\"\nC,53\nTotal,100\n", "TABLE_FILE", "avec un point"),
        ("k;value\nA;40\nB;7.250\nC;53\nTotal;100\n", "TABLE_FILE", "se lit de deux façons"),
        ("k,value\nA,40\nB,7\nC,\"53\nTotal,100\n", "TABLE_FILE", "ligne 4"),
        ("k,value,value\nA,40,1\n", "TABLE_FILE", "deux fois"),
        ("k,Value\nA,40\n", "TABLE_FILE", "« value »"),
        ("k,value,contributors\nA,40,9\nB,7,-1\nC,53,9\nTotal,100,19\n", "TABLE_FILE", "négatif"),
        ("k,value\nA,99999999999999999999\nB,7\nC,53\nTotal,100\n", "TABLE_FILE", "trop grand"),
        ("k,value,lb,ub\nA,40,,\nB,7,9,20\nC,53,,\nTotal,100,,\n", "TABLE_RANGE", "ligne 3 (k=B)"),
        ("PK\u{3}\u{4}classeur", "TABLE_FILE", "classeur"),
        ("k,value\n", "TABLE_FILE", "en-tête"),
        ("", "TABLE_FILE", "vide"),
    ] {
        desk.put("bad.csv", text);
        let (output, code) = desk.said(protect);
        let output = output.replace('\u{202f}', " ");
        assert_eq!(code, Some(65), "{output}");
        assert!(output.contains(reason) && output.contains(said), "{reason}: {output}");
        assert!(!desk.names().contains(&"out.csv".to_owned()));
    }
    for (line, code) in [
        ("protect --table T.csv --hierarchy cycle.json --rule threshold=5 -o out.csv", 65),
        ("protect --table T.csv --hierarchy none.json --rule threshold=5 -o out.csv", 66),
        ("protect --table none.csv --hierarchy H.json --rule threshold=5 -o out.csv", 66),
        ("protect --table T.csv --hierarchy H.json -o out.csv", 65),
        ("protect --table T.csv --hierarchy H.json --rule threshold=5 -o T.csv", 65),
        ("protect --table T.csv --hierarchy H.json --rule threshold=5 --width 0 -o out.csv", 65),
        ("protect --table T.csv --hierarchy H.json --primary-column primary -o out.csv", 65),
        ("protect --table T.csv --hierarchy H.json --rule seuil=5 -o out.csv", 2),
        ("attack --cells T.csv --hierarchy H.json", 65),
    ] {
        assert_eq!(desk.said(line).1, Some(code), "{line}: {}", desk.said(line).0);
    }
    assert_eq!(desk.file("T.csv"), ABC);
    assert_eq!(desk.names(), ["H.json", "T.csv", "bad.csv", "cycle.json"]);
}

#[test]
fn a_hierarchy_that_does_not_read_says_where_in_french() {
    let desk = Desk::new(&[("T.csv", ABC)]);
    for (text, said) in [
        ("{\"dims\": {\"k\": {\"Total\": [\"A\",\n \"B\",]}}}", "ligne 2"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\", \"B\"}}}", "crochet"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\"]", "n’est pas fermé"),
        ("{\"dims\": {\"k\" [\"A\"]}}", "deux-points"),
        ("{dims: {}}", "guillemets droits"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\"]}}} fin", "après la fin"),
        ("{\"dimensions\": {}}", "seuls « dims »"),
        ("{}", "il manque « dims »"),
        ("[]", "attendu"),
        ("{\"dims\": [\"k\"]}", "un objet"),
        ("{\"dims\": {\"k\": {\"Total\": 3}}}", "une liste de codes"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\"]}}, \"distinct\": [\"z\"]}", "« z »"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\"]}}, \"within\": {\"k\": [[\"A\"]]}}", "attendu"),
        ("{\"dims\": {\"k\": {\"Total\": [\"A\"]}}, \"within\": {\"k\": [[\"A\", \"A\"]]}}", "deux codes différents"),
        ("", "vide"),
    ] {
        desk.put("H.json", text);
        let (output, code) = desk.said("protect --table T.csv --hierarchy H.json --rule threshold=5 -o out.csv");
        let output = output.replace('\u{202f}', " ").replace('\u{a0}', " ");
        assert_eq!(code, Some(65), "{output}");
        assert!(output.contains(said) && output.contains("H.json"), "{text}: {output}");
        for english in ["expected", "invalid", "missing", "EOF", "unknown", "trailing"] {
            assert!(!output.contains(english), "{text}: {output}");
        }
    }
}

#[test]
fn a_history_that_contradicts_itself_is_refused_with_its_place() {
    let desk = Desk::new(&[("H.json", K), ("T.csv", ABC)]);
    let line = "protect --table T.csv --hierarchy H.json --rule threshold=8 --history h.csv -o out.csv";
    for (text, reason, said) in [
        ("k,value,suppressed\nA,40,1\nB,7,1\nC,50,0\nTotal,100,0\n", "TABLE_NOT_ADDITIVE", "h.csv, ligne 5"),
        ("k,value,suppressed\nA,40,1\nA,40,0\nB,7,1\nC,53,0\nTotal,100,0\n", "TABLE_DUPLICATE", "h.csv, ligne 3"),
        ("k,value,suppressed\nA,40,1\nB,,1\nC,53,0\nTotal,100,0\n", "TABLE_FILE", "non celui de --public"),
        ("k,value,suppressed\nA,40,1\nB,7,2\nC,53,0\nTotal,100,0\n", "TABLE_FILE", "colonne « suppressed »"),
        ("k,value,suppressed\nA,40,1\nB,7,\nC,53,0\nTotal,100,0\n", "TABLE_FILE", "0 (montrée)"),
        ("k,value\nA,40\nB,7\nC,53\nTotal,100\n", "TABLE_FILE", "« suppressed »"),
    ] {
        desk.put("h.csv", text);
        let (output, code) = desk.said(line);
        let output = output.replace('\u{202f}', " ");
        assert_eq!(code, Some(65), "{output}");
        assert!(output.contains(reason) && output.contains(said), "{reason}: {output}");
    }
    // What is visible cannot be: 60 and 53 are more than 100.
    desk.put("p.csv", "k,value,suppressed\nA,60,0\nB,,1\nC,53,0\nTotal,100,0\n");
    let (output, code) = desk.said("attack --cells p.csv --hierarchy H.json");
    assert_eq!(code, Some(65), "{output}");
    assert!(output.contains("[TABLE_CONTRADICTION]") && output.contains("p.csv, ligne 5"), "{output}");
}

#[test]
fn a_file_too_large_says_so_before_it_is_kept() {
    let desk = Desk::new(&[("H.json", K)]);
    let rows: String = std::iter::once("k,value\n").chain(std::iter::repeat_n("A,1\n", 600_000)).collect();
    desk.put("T.csv", &rows);
    let (said, code) = desk.said("protect --table T.csv --hierarchy H.json --rule threshold=5 -o out.csv");
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("[TABLE_TOO_LARGE]") && said.contains("500000"), "{said}");
}

#[test]
fn figures_of_producers_distinct_counts_and_ratios_are_said_on_the_command_line() {
    let desk =
        Desk::new(&[("H.json", K), ("T.csv", ABC), ("cnaf.csv", "k,value\nB,5\n"), ("insee.csv", "k,value\nA,40\n")]);
    let protect = "protect --table T.csv --hierarchy H.json --rule threshold=8 -o out.csv --force";
    desk.done(&format!("{protect} --width 6 --at-source cnaf-arrondi=cnaf.csv"));
    assert_eq!(desk.hidden("out.csv", 1), ["A", "B"]);
    let attack = "attack --cells out.csv --hierarchy H.json --at-source cnaf-arrondi=cnaf.csv";
    desk.done(&format!("{attack} --width 6"));
    assert_eq!(desk.said(&format!("{attack} --width 7")).1, Some(1));
    let (said, code) = desk.said(&format!("{protect} --width 7 --at-source cnaf-arrondi=cnaf.csv"));
    assert!(code == Some(65) && said.contains("[TABLE_LEVELS]") && said.contains("(k=B)"), "{said}");
    desk.done(&format!("{protect} --at-source exact=insee.csv"));
    assert_eq!(desk.hidden("out.csv", 1), ["B", "C"]);
    assert_eq!(desk.said(&format!("{protect} --at-source inconnu=insee.csv")).1, Some(2));
    desk.put(
        "D.json",
        r#"{"dims": {"motif": {"Total": ["x", "y"]}, "mesure": {}}, "distinct": ["motif"], "within": {"mesure": [["aides", "demandes"]]}}"#,
    );
    let rows = |aided: u32| {
        format!(
            "motif,mesure,value\nx,aides,{aided}\ny,aides,30\nTotal,aides,40\nx,demandes,22\ny,demandes,40\nTotal,demandes,60\n"
        )
    };
    desk.put("D.csv", &rows(12));
    desk.done("protect --table D.csv --hierarchy D.json --rule threshold=5 -o d.csv");
    assert!(desk.hidden("d.csv", 2).is_empty());
    // 22 − 20: two were not helped.
    desk.put("D.csv", &rows(20));
    desk.done("protect --table D.csv --hierarchy D.json --rule threshold=5 --width 5 -o d.csv --force");
    let hidden = desk.hidden("d.csv", 2);
    assert!(hidden.iter().any(|cell| cell.starts_with("x ")), "{hidden:?}");
    desk.done("attack --cells d.csv --hierarchy D.json --width 5");
    desk.put("D.csv", &rows(23));
    let (said, code) = desk.said("protect --table D.csv --hierarchy D.json --rule threshold=5 -o e.csv");
    assert!(code == Some(65) && said.contains("dépasse son tout"), "{said}");
}

#[test]
fn the_catalogue_is_shown_with_its_sources() {
    let desk = Desk::new(&[]);
    let said = desk.done("protect --rules");
    for name in
        ["ccas-ordinaire", "insee-entreprises", "cnaf-arrondi", "https://inseefrlab.github.io", "8 janvier 1993"]
    {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[test]
fn the_smallest_reference_table_is_protected_and_withstands_the_attack() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/sdc/S0");
    let Ok(table) = fs::read_to_string(folder.join("table.csv")) else {
        eprintln!("{} is not here: nothing was tried", folder.display());
        return;
    };
    let desk = Desk::new(&[
        ("T.csv", &table),
        ("H.json", &fs::read_to_string(folder.join("hierarchy.json")).expect("beside it")),
    ]);
    desk.done("protect --table T.csv --hierarchy H.json --primary-column primary --width 5 -o out.csv");
    let hidden = desk.hidden("out.csv", 4).len();
    // 66 primaries; the guaranteed pattern of the reference hides 163 more.
    assert!((66 + 1..=66 + 163).contains(&hidden), "{hidden}");
    desk.done("attack --cells out.csv --hierarchy H.json --width 5");
    // The rule finds the same primaries as the column.
    desk.done("protect --table T.csv --hierarchy H.json --rule threshold=5 --width 5 -o rule.csv");
    assert_eq!(desk.file("rule.csv"), desk.file("out.csv"));
}

#[test]
fn an_unnamed_contributor_alone_in_its_cell_is_reckoned_with_beside_named_ones() {
    let rows = "x,1,1,\ny,4,4,\nz,30,30,\nw,40,40,\nTotal,75,75,\n";
    let hidden = |header: &str, rows: &str| {
        let desk = Desk::new(&[
            ("t.csv", &format!("{header}\n{rows}")),
            ("h.json", r#"{"dims":{"k":{"Total":["x","y","z","w"]}}}"#),
        ]);
        desk.done("protect --table t.csv --hierarchy h.json --rule threshold=5 --width 5 -o o.csv");
        desk.hidden("o.csv", 1)
    };
    // Who is alone in x knows y = 75 − 30 − 40 − 1, whether or not a column could name somebody.
    assert_eq!(hidden("k,value,contributors,owner", rows), ["x", "y", "z"]);
    assert_eq!(hidden("k,value,contributors", &rows.replace(",\n", "\n")), ["x", "y", "z"]);
}

#[test]
fn what_does_not_read_is_not_repeated() {
    for figure in ["3.000000000001", "« 3 pers. »", "7 12", "1e3"] {
        let table = format!("k,value\nA,{figure}\nTotal,3\n");
        let desk = Desk::new(&[("t.csv", &table), ("h.json", r#"{"dims":{"k":{"Total":["A"]}}}"#)]);
        let (said, code) = desk.said("protect --table t.csv --hierarchy h.json --rule threshold=5 -o o.csv");
        assert_eq!(code, Some(65), "{said}");
        assert!(!said.contains(figure) && said.contains("ligne 2") && said.contains("value"), "{said}");
    }
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
