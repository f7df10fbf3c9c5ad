//! Files that do not read, or do not fit.

use super::{ABC, Desk, K};

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
        let output = output.replace(['\u{202f}', '\u{a0}'], " ");
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
fn a_dimension_whose_column_is_misspelt_is_named() {
    let hierarchy = r#"{"dims":{"k":{"Total":["A","B"]},"sexe":{"T":["F","H"]}}}"#;
    let cells = "k,sex,value\nA,F,9\nA,H,9\nA,T,18\nB,F,9\nB,H,9\nB,T,18\nTotal,F,18\nTotal,H,18\nTotal,T,36\n";
    let desk = Desk::new(&[("H.json", hierarchy), ("T.csv", cells)]);
    let (said, code) = desk.said("protect --table T.csv --hierarchy H.json --rule threshold=5 -o out.csv");
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("TABLE_DUPLICATE") && said.contains("sexe") && said.contains("mal écrit"), "{said}");
}
