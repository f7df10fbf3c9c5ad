//! The first thing a stranger does.

use assert_cmd::Command;

const COMMUNES: usize = 14;

fn demo(seed: &str) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_maillage")).args(["demo", "--once", "--seed", seed]).assert().success();
    String::from_utf8(run.get_output().stdout.clone()).expect("UTF-8")
}

/// What stands from the line with `14/14` on: the comparisons, without progress, ports and folders.
fn comparison(output: &str) -> &str {
    let received = format!("{COMMUNES}/{COMMUNES} communes reçues");
    let start = output.find(&received).unwrap_or_else(|| panic!("no « {received} » in:\n{output}"));
    &output[start..]
}

#[test]
fn fourteen_communes_arrive_and_the_same_seed_says_the_same() {
    let first = demo("93");
    assert!(first.starts_with("DONNÉES FICTIVES"), "{first}");
    let shown = comparison(&first);
    // Each comparison says it again: it may be copied without the rest.
    assert!(shown.matches("DONNÉES FICTIVES").count() >= 3, "{shown}");
    assert!(shown.contains("Groupe des 14 communes"), "{shown}");
    assert_eq!(comparison(&demo("93")), shown);
    assert_ne!(comparison(&demo("94")), shown);
}
