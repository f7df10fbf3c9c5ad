//! Each shape that a definition can have, on five cases whose figures were found by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use methodology::Pack;

fn pack() -> Pack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../methodology/tests/shapes");
    let mut files = BTreeMap::new();
    for folder in ["", "tables", "golden"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the pack lies beside the definitions") {
            let path = entry.expect("readable").path();
            if path.is_file() {
                let name = path.file_name().and_then(|name| name.to_str()).expect("plain names");
                let name = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                files.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    Pack::parse(&files).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn every_shape_of_definition_gives_the_figures_found_by_hand() {
    let pack = pack();
    let results = tabular::golden::run(&pack);
    let failed: Vec<&str> = results.iter().filter(|r| !r.passed).map(|r| r.message.as_str()).collect();
    assert!(failed.is_empty(), "{failed:#?}");

    let shapes: Vec<_> = pack.tables().iter().flat_map(methodology::Table::indicators).collect();
    assert!(shapes.len() >= 25, "{}", shapes.len());
    for shape in shapes {
        let cases: BTreeSet<&str> =
            results.iter().filter(|r| r.indicator.as_ref() == Some(&shape.code)).map(|r| r.case.as_str()).collect();
        assert!(cases.len() >= 5, "{} has {} cases", shape.code, cases.len());
    }
}
