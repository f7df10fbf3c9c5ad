//! Who knows more than a reader, and what is known besides.

use super::{ABC, Desk, K};

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
