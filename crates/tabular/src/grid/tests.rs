use disclosure::tables::{Decided, Frozen};

use super::*;
use crate::fault::FaultCause;

const H: &[u8] = br#"{"dims": {"age": {"Total": ["0-17", "18+"], "18+": ["18-64", "65+"]}, "region": {"Total": [["A", "B"], ["x", "y"]]}}}"#;

const PLAIN: Purpose<'static> = Purpose::Protect { primary: None };

fn dimensions() -> Vec<Dimension> {
    hierarchy_of("H.json", H).expect("a hierarchy")
}

fn file(text: &[u8], purpose: Purpose<'_>) -> Result<GridFile, Faults> {
    GridFile::of("T.csv", text, &dimensions(), purpose)
}

/// The first fault of opening or reading: line, column, cause, message.
fn fault(text: &[u8], purpose: Purpose<'_>) -> (Option<u64>, Option<String>, FaultCause, String) {
    let read = |file: GridFile| file.table(&dimensions(), file.decimals(), &mut Owners::default());
    let faults = file(text, purpose).and_then(read).err().expect("a fault");
    let first = faults.first[0].clone();
    (first.line, first.column, first.cause, first.message)
}

#[test]
fn a_hierarchy_divides_one_parent_in_several_ways() {
    let dimensions = dimensions();
    let axis = &dimensions[1].axis;
    let node = |name| axis.find(name).expect("a node");
    let groupings: Vec<_> = axis.groupings().map(|(parent, children)| (parent, children.to_vec())).collect();
    assert_eq!(groupings, [(node("Total"), vec![node("A"), node("B")]), (node("Total"), vec![node("x"), node("y")])]);
    assert_eq!(dimensions[0].axis.total(), dimensions[0].axis.find("Total"));
}

#[test]
fn a_hierarchy_that_is_none_is_refused_with_its_place() {
    for (text, said) in [
        (r#"{"dims": {"a": {"T": ["x", "T"]}}}"#, "« T » fait partie de lui-même"),
        (r#"{"dims": {"a": {"T": ["x"], "x": ["y"], "y": ["x"]}}}"#, "fait partie de lui-même"),
        (r#"{"dims": {"a": {"T": ["x", "x"]}}}"#, "deux fois le même code"),
        (r#"{"dims": {"a": {"T": []}}}"#, "vide"),
        (r#"{"dims": {"a": {"T": ["x"], "T": ["y"]}}}"#, "figure deux fois"),
        (r#"{"dims": {"a": {"T": [1, 2]}}}"#, "entre guillemets"),
        (r#"{"dims": {}}"#, "aucune dimension"),
        (r#"{"dim": {"a": {"T": ["x"]}}}"#, "dims"),
        ("{\"dims\":\n {\"a\" {}}}", "ne se lit pas"),
    ] {
        let fault = hierarchy_of("H.json", text.as_bytes()).expect_err(text);
        assert_eq!(fault.cause, FaultCause::Hierarchy);
        assert!(fault.message.contains(said), "{text}: {}", fault.message);
    }
    assert_eq!(hierarchy_of("H.json", b"{\"dims\":\n {\"a\" {}}}").expect_err("no JSON").line, Some(2));
    // A node of the same name in another dimension is another node.
    let cycle = b"{\"dims\": {\"a\": {\"T\": [\"x\"]},\n\"b\": {\"T\": [\"y\"],\n\"y\": [\"T\"]}}}";
    let fault = hierarchy_of("H.json", cycle).expect_err("a cycle");
    assert!(fault.line == Some(2) || fault.line == Some(3), "{fault:?}");
}

#[test]
fn figures_become_integers_of_the_last_decimal() {
    for text in [
        "region,age,value,lb,contributors,owner,frozen\nA,Total,1.5,-2,3,z,0\nB,Total,12.25,,,,hidden\nTotal,Total,13.75,,,,1\n",
        "\u{feff}region;age;value;lb;contributors;owner;frozen\r\nA;Total;1,5;-2;3;z;\r\n\r\nB;Total;12,25;;;;hidden\r\nTotal;Total;13,75;;;;shown\r\n",
    ] {
        let file = file(text.as_bytes(), PLAIN).expect("reads");
        assert_eq!(file.decimals(), 2);
        let table = file.table(&dimensions(), 3, &mut Owners::default()).expect("reads");
        let values: Vec<_> = table.rows.iter().map(|row| row.value).collect();
        assert_eq!(values, [Some(1_500), Some(12_250), Some(13_750)]);
        let first = &table.rows[0];
        assert_eq!((first.low, first.contributors, first.owner), (Some(-2_000), Some(3), Some(0)));
        let frozen: Vec<_> = table.rows.iter().map(|row| row.frozen).collect();
        assert_eq!(frozen, [Frozen::No, Frozen::Hidden, Frozen::Shown]);
        assert_eq!(table.dimensions, [1, 0]);
    }
}

#[test]
fn what_does_not_read_is_told_with_line_column_and_cure() {
    let header = b"region,age,value\n".as_slice();
    let with = |rows: &str| fault(&[header, rows.as_bytes()].concat(), PLAIN);
    assert_eq!(with("A,Total,1\n\nC,Total,2\n").0, Some(4));
    let (_, column, cause, message) = with("a,Total,1\n");
    assert_eq!((column.as_deref(), cause), (Some("region"), FaultCause::UnknownCode));
    assert!(message.contains("Écrivez « A »"), "{message}");
    for (rows, cause) in [
        ("A,Total,douze\n", FaultCause::Type),
        ("A,Total,\n", FaultCause::Required),
        ("A,Total,1e5\n", FaultCause::Type),
        ("A,Total,1.0000000001\n", FaultCause::Constraint),
        ("A,Total\n", FaultCause::Ragged),
        ("A,Total,1,2\n", FaultCause::Ragged),
        ("", FaultCause::Empty),
    ] {
        assert_eq!(with(rows).2, cause, "{rows:?}");
    }
    assert_eq!(fault(b"region,age,nombre\nA,Total,1\n", PLAIN).2, FaultCause::MissingColumn);
    assert_eq!(fault(b"lieu,value\nA,1\n", PLAIN).2, FaultCause::MissingColumn);
    assert_eq!(fault(b"region,Age,value\nA,Total,1\n", PLAIN).2, FaultCause::Header);
    assert_eq!(fault(b"region,region,value\nA,A,1\n", PLAIN).2, FaultCause::DuplicateColumn);
    assert_eq!(fault(b"region;age;value\nA;Total;1.234\n", PLAIN).2, FaultCause::Ambiguous);
    assert_eq!(fault(b"region,value,contributors\nA,1,-1\n", PLAIN).2, FaultCause::Constraint);
    assert_eq!(fault(b"region,value,contributors\nA,1,1.5\n", PLAIN).2, FaultCause::Constraint);
    let marked = Purpose::Protect { primary: Some("secret") };
    assert_eq!(fault(b"region,value\nA,1\n", marked).2, FaultCause::MissingColumn);
    assert_eq!(fault(b"region,value\nA,1\n", Purpose::Attack).2, FaultCause::MissingColumn);
    assert_eq!(fault(b"region,value,suppressed\nA,1,oui\n", Purpose::Attack).2, FaultCause::Type);
}

#[test]
fn too_many_rows_are_refused_before_they_are_kept() {
    let mut text = b"region,value\n".to_vec();
    for _ in 0..=MOST_ROWS {
        text.extend_from_slice(b"A,1\n");
    }
    assert_eq!(fault(&text, PLAIN).2, FaultCause::TooLarge);
}

#[test]
fn an_intruder_reads_no_hidden_figure() {
    let text = b"region,value,suppressed\nA,1.25,1\nB,secret,1\nTotal,3,0\n";
    let file = file(text, Purpose::Attack).expect("reads");
    assert_eq!(file.decimals(), 0, "not even how many decimals it has");
    let table = file.table(&dimensions(), 0, &mut Owners::default()).expect("reads");
    let values: Vec<_> = table.rows.iter().map(|row| row.value).collect();
    assert_eq!(values, [None, None, Some(3)]);
}

#[test]
fn the_output_is_the_input_and_what_was_decided() {
    let text = "region;label;value\nA;\" a;b \";1,50\nB;é;2\nTotal;t;3,50\n";
    let hidden = Decided { suppressed: true, primary: true };
    let secondary = Decided { suppressed: true, primary: false };
    let decided = [hidden, secondary, Decided::default()];
    let plain = file(text.as_bytes(), PLAIN).expect("reads");
    let out = |file: &GridFile, edition| String::from_utf8(file.decided(&decided, edition)).expect("text");
    assert_eq!(
        out(&plain, Edition::Working),
        "region;label;value;primary;suppressed\nA;\" a;b \";1,50;1;1\nB;é;2;0;1\nTotal;t;3,50;0;0\n"
    );
    assert_eq!(out(&plain, Edition::Public), "region;value;suppressed\nA;;1\nB;;1\nTotal;3,50;0\n");
    // Columns that are there already are rewritten in place.
    let again = file(b"suppressed,region,primary,value\n0,A,0,1\n0,B,1,2\n1,Total,1,3\n", PLAIN).expect("reads");
    assert_eq!(out(&again, Edition::Working), "suppressed,region,primary,value\n1,A,1,1\n1,B,0,2\n0,Total,0,3\n");
}
