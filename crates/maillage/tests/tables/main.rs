//! `maillage protect` and `maillage attack` on anybody's tables.

mod input;
mod intruders;
mod output;

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
