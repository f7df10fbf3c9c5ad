//! Where a confidential number or the machine's clock is read: a committed list, so that a new place is a decision
//! that a reviewer sees.

use std::collections::BTreeMap;
use std::path::Path;

use super::verdict;
use crate::{House, Problem};

/// The expectation that lets one item through `disallowed-methods` (spelled apart so as not to count itself).
const LINT: &str = concat!("clippy::", "disallowed_methods");

/// File, number of expectations, and what they are for. Test files (`tests.rs`, `tests/`) are not listed.
const LIST: &[(&str, usize, &str)] = &[
    ("crates/disclosure/src/fixture.rs", 1, "tests only: invented figures"),
    ("crates/disclosure/src/protect/truth.rs", 2, "protection compares the numbers; they stay in its `Truth`"),
    ("crates/model/src/clock.rs", 1, "the machine's clock"),
    ("crates/node/src/report.rs", 1, "the internal edition shows a commune its own exact figures"),
    (
        "crates/tabular/benches/compute.rs",
        2,
        "the clock, and figures of a published file beside those of other engines",
    ),
    ("crates/tabular/src/golden.rs", 1, "golden rows are invented and public"),
    ("crates/xtask/src/test.rs", 1, "how long the tests took"),
];

pub fn check(house: &House) -> Result<String, Problem> {
    let mut found = BTreeMap::new();
    let mut faults = Vec::new();
    for source in house.sources()? {
        if only_tests(&source) {
            continue;
        }
        let text = house.read(&source)?;
        let (count, whole_file) = expectations(&text);
        let name = source.to_string_lossy().replace('\\', "/");
        if whole_file {
            faults.push(format!("{name}: expect {LINT} on the narrowest item, not on the whole file"));
        }
        if count > 0 {
            found.insert(name, count);
        }
    }
    faults.extend(differences(&found, LIST));
    verdict(&faults, format!("{} in {} files, as listed", found.values().sum::<usize>(), found.len()))
}

fn only_tests(source: &Path) -> bool {
    source.starts_with("tests") || source.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// How often the text expects the lint, and whether it does so for a whole file or module.
fn expectations(text: &str) -> (usize, bool) {
    let code: String = text
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect::<Vec<_>>()
        .join("\n");
    let whole_file = code
        .match_indices("#![")
        .any(|(start, _)| code[start..].split(']').next().is_some_and(|attribute| attribute.contains(LINT)));
    (code.matches(LINT).count(), whole_file)
}

fn differences(found: &BTreeMap<String, usize>, listed: &[(&str, usize, &str)]) -> Vec<String> {
    let edit = "argue for it in review, then edit LIST in xtask's check/exposures.rs";
    let mut faults = Vec::new();
    for (file, count) in found {
        let known = listed.iter().find(|(name, ..)| name == file).map_or(0, |(_, known, _)| *known);
        if *count != known {
            faults.push(format!("{file}: {count} expectations of {LINT}, the list says {known}; {edit}"));
        }
    }
    for (name, known, _) in listed {
        if !found.contains_key(*name) {
            faults.push(format!("{name}: the list says {known} expectations of {LINT}, there is none; {edit}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_counted_in_code_not_in_comments() {
        let text = format!(
            "// {LINT}\n#[expect({LINT}, reason = \"a\")]\nfn a() {{}}\n#[expect(\n    {LINT},\n)]\nfn b() {{}}"
        );
        assert_eq!(expectations(&text), (2, false));
        assert_eq!(expectations(&format!("#![expect({LINT}, reason = \"all\")]")), (1, true));
        assert_eq!(expectations("#![expect(dead_code)]\nfn a() {}"), (0, false));
    }

    #[test]
    fn the_list_must_say_what_is_there() {
        let found = BTreeMap::from([("a.rs".to_owned(), 1), ("b.rs".to_owned(), 2)]);
        assert!(differences(&found, &[("a.rs", 1, ""), ("b.rs", 2, "")]).is_empty());
        assert_eq!(differences(&found, &[("a.rs", 1, ""), ("b.rs", 1, "")]).len(), 1);
        assert_eq!(differences(&found, &[("a.rs", 1, "")]).len(), 1);
        assert_eq!(differences(&found, &[("a.rs", 1, ""), ("b.rs", 2, ""), ("c.rs", 1, "")]).len(), 1);
    }

    #[test]
    fn test_files_are_free() {
        assert!(only_tests(Path::new("crates/node/src/protect/tests.rs")));
        assert!(only_tests(Path::new("tests/e2e/canary.rs")));
        assert!(!only_tests(Path::new("crates/testkit/src/lib.rs")));
    }
}
