//! Which number is due for which change, on the library's own pack.

use super::*;

fn pack() -> Pack {
    crate::library().into_iter().find(|pack| pack.code().as_str() == "ccas-activite").expect("in the library")
}

/// The pack with one text replaced everywhere in one file, under another number.
fn changed(version: &str, path: &str, from: &str, to: &str) -> Pack {
    let old = pack();
    let mut files = old.files().clone();
    let mut put = |path: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[path].clone()).expect("UTF-8");
        assert!(text.contains(from), "the test replaces nothing: {from}");
        files.insert(path.to_owned(), text.replace(from, to).into_bytes());
    };
    put(path, from, to);
    put("pack.toml", &format!("version = \"{}\"", old.version()), &format!("version = \"{version}\""));
    Pack::parse(&files).expect("still a pack")
}

/// The number of [`pack`] with a part raised.
fn raised(bump: Bump) -> String {
    let [major, minor, patch] = numbers(pack().version());
    match bump {
        Bump::Patch => format!("{major}.{minor}.{}", patch + 1),
        Bump::Minor => format!("{major}.{}.0", minor + 1),
        Bump::Major => format!("{}.0.0", major + 1),
    }
}

const INDICATORS: &str = "tables/aides_facultatives.toml";

#[test]
fn a_number_says_no_less_than_what_changed_and_announces_no_break_that_is_none() {
    let cases = [
        ("title = \"Demandes", "title = \"Les demandes", Bump::Patch),
        ("threshold = 5", "threshold = 4", Bump::Minor),
        ("decision = 'accord'", "decision = 'refus'", Bump::Major),
    ];
    for (from, to, due) in cases {
        for said in [Bump::Patch, Bump::Minor, Bump::Major] {
            let found = diff(&pack(), &changed(&raised(said), INDICATORS, from, to));
            assert_eq!(found.due, Some(due), "{from}: {:?}", found.changes);
            assert_eq!(found.version, raised(due));
            let lie = if said < due {
                Some(Lie::TooSmall)
            } else if said == Bump::Major && due != Bump::Major {
                Some(Lie::NothingBreaks)
            } else {
                None
            };
            assert_eq!(found.lie, lie, "{from} under {said:?}");
        }
        let same = changed(pack().version(), INDICATORS, from, to);
        assert_eq!(diff(&pack(), &same).lie, Some(Lie::NotHigher));
    }
}

#[test]
fn only_what_asks_otherwise_stops_being_comparable_ratios_with_their_terms() {
    let new = changed("9.0.0", INDICATORS, "decision = 'accord'", "decision <> 'accord'");
    let broken: Vec<String> = (diff(&pack(), &new).changes.iter())
        .filter_map(|change| match change {
            Change::Breaks { indicator, breach: Breach::Definition, .. } => Some(indicator.to_string()),
            _ => None,
        })
        .collect();
    assert!(broken.contains(&"aidfac_accords".to_owned()), "{broken:?}");
    assert!(broken.contains(&"aidfac_accords_part".to_owned()), "{broken:?}");
    assert!(!broken.contains(&"aidfac_demandes".to_owned()), "{broken:?}");
}

#[test]
fn a_breakdown_more_breaks_nothing_and_one_less_breaks_itself() {
    let find = "by = [[\"type_menage\"], [\"tranche_age\"]]";
    let more = changed("9.0.0", INDICATORS, find, "by = [[\"type_menage\", \"tranche_age\"]]");
    let found = diff(&pack(), &more);
    assert_eq!((found.due, found.lie), (Some(Bump::Minor), Some(Lie::NothingBreaks)), "{:?}", found.changes);
    let back = diff(&more, &pack());
    assert_eq!(back.due, Some(Bump::Major));
    assert!(back.changes.iter().any(
        |change| matches!(change, Change::Breaks { breach: Breach::BreakdownRemoved(axes), .. } if axes.len() == 2)
    ));
}

#[test]
fn a_pack_against_itself_is_no_change() {
    let found = diff(&pack(), &pack());
    assert_eq!((found.changes, found.due, found.lie), (Vec::new(), None, None));
}
