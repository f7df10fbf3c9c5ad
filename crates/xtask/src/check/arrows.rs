//! Which crate may name which: the arrows of `crates/README.md`, and third parties confined to one room.

use super::verdict;
use crate::house::Room;
use crate::{House, Problem};

const DOMAIN: &[&str] = &["methodology", "disclosure", "statistics", "blindsum", "seal"];
const ADAPTERS: &[&str] = &["store", "tabular", "wire", "render", "flight"];

/// A room and the rooms below it. A crate that is not here is refused: a new room is a decision.
const ROOMS: &[(&str, &[&[&str]])] = &[
    ("model", &[]),
    ("disclosure", &[&["model"]]),
    ("seal", &[&["model"]]),
    ("statistics", &[&["model"]]),
    ("blindsum", &[&["model", "disclosure"]]),
    ("methodology", &[&["model", "disclosure", "seal"]]),
    ("store", &[&["model"], DOMAIN]),
    ("tabular", &[&["model"], DOMAIN]),
    ("wire", &[&["model"], DOMAIN]),
    ("render", &[&["model"], DOMAIN]),
    ("flight", &[&["model"], DOMAIN]),
    ("node", &[&["model", "store", "tabular", "wire", "render"], DOMAIN]),
    ("hub", &[&["model"], DOMAIN, ADAPTERS]),
    // Composition only. The words, the domain (`pack`, `protect`, `attack`) and the French of its output need no
    // application; files, network and databases always go through one.
    ("maillage", &[&["hub", "node", "model", "render"], DOMAIN]),
    ("testkit", &[&["model"], DOMAIN]),
    ("xtask", &[]),
    ("tests", &[&["model", "hub", "node", "maillage", "testkit"], DOMAIN, ADAPTERS]),
];

/// Third parties that one room (or two) alone may name, so that replacing one stays a change of one room.
/// A name ending in `*` stands for every crate that begins so.
const CONFINED: &[(&str, &[&str])] = &[
    ("age", &["hub"]),
    ("arrow*", &["flight"]),
    ("argon2", &["hub"]),
    ("askama", &["hub", "node"]),
    ("axum*", &["hub", "node"]),
    ("calamine", &["tabular"]),
    ("cargo_metadata", &["xtask"]),
    ("clap", &["maillage"]),
    ("comfy-table", &["render"]),
    ("datafusion*", &["flight"]),
    ("ed25519-dalek", &["seal"]),
    ("encoding_rs", &["tabular", "maillage"]),
    // Every crash point passes through `store::crash`.
    ("fail", &["store"]),
    ("h2", &["wire"]),
    ("hpke", &["seal"]),
    ("hyper*", &["wire"]),
    ("icu*", &["render"]),
    ("indicatif", &["maillage"]),
    ("jiff", &["render", "tabular"]),
    ("kodama", &["statistics"]),
    ("linfa*", &["statistics"]),
    ("microlp", &["disclosure"]),
    ("nalgebra", &["statistics"]),
    ("object_store", &["store"]),
    ("parquet", &["tabular"]),
    ("polars*", &["tabular"]),
    ("prio", &["blindsum"]),
    ("prometheus-client", &["hub"]),
    ("prost*", &["wire"]),
    ("protox", &["wire"]),
    ("rcgen", &["wire"]),
    ("ring", &["seal", "wire"]),
    ("rust_xlsxwriter", &["render", "tabular"]),
    ("rustix", &["hub", "node"]),
    ("rustls*", &["wire"]),
    ("sqlparser", &["methodology"]),
    ("sqlx*", &["store"]),
    ("statrs", &["statistics"]),
    ("tar", &["hub"]),
    ("terminal_size", &["render"]),
    ("tokio-rustls", &["wire"]),
    ("tonic*", &["wire"]),
    ("tracing-subscriber", &["maillage"]),
    ("typst*", &["render"]),
    ("x509-parser", &["wire"]),
];

/// What the words and the domain never name: they are pure, without input, output or async.
const IMPURE: &[&str] = &["tokio*", "futures*", "async-*", "hyper*", "reqwest", "tempfile", "backon"];

pub fn check(house: &House) -> Result<String, Problem> {
    let arrows = house.rooms.iter().flat_map(|room| &room.needs).filter(|need| need.house).count();
    verdict(&faults(&house.rooms), format!("{} crates, {arrows} arrows", house.rooms.len()))
}

fn faults(rooms: &[Room]) -> Vec<String> {
    rooms.iter().flat_map(faults_of).collect()
}

fn faults_of(room: &Room) -> Vec<String> {
    let name = room.name.as_str();
    let Some((_, below)) = ROOMS.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name} is no room of the house: decide its arrows in xtask's check/arrows.rs first")];
    };
    let pure = name == "model" || DOMAIN.contains(&name);
    let mut faults = Vec::new();
    for need in &room.needs {
        let on = need.on.as_str();
        if need.house {
            // testkit serves every room's tests, and no room's work.
            let allowed = below.iter().any(|group| group.contains(&on)) || (on == "testkit" && need.tests_only);
            if !allowed {
                faults.push(format!("{name} → {on} is not an arrow of the house"));
            }
            continue;
        }
        // `tests/` plays every part, the intruder's too.
        if name == "tests" {
            continue;
        }
        // A room's own tests may listen to its logs; what the product logs to is the binary's choice.
        if need.tests_only && on == "tracing-subscriber" {
            continue;
        }
        if let Some((_, owners)) = CONFINED.iter().find(|(pattern, _)| matches(pattern, on))
            && !owners.contains(&name)
        {
            faults.push(format!("{name} names {on}, which belongs to {} alone", owners.join(" and ")));
        }
        if pure && !need.tests_only && IMPURE.iter().any(|pattern| matches(pattern, on)) {
            faults.push(format!("{name} names {on}, but the domain is pure: no input, no output, no async"));
        }
    }
    faults
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Need;

    fn room(name: &str, needs: &[(&str, bool, bool)]) -> Room {
        let need = |&(on, house, tests_only): &(&str, bool, bool)| Need { on: on.into(), house, tests_only };
        Room { name: name.into(), needs: needs.iter().map(need).collect() }
    }

    #[test]
    fn arrows_run_downward_only() {
        assert!(faults_of(&room("hub", &[("store", true, false), ("model", true, false)])).is_empty());
        assert_eq!(faults_of(&room("store", &[("wire", true, false)])).len(), 1);
        assert_eq!(faults_of(&room("disclosure", &[("methodology", true, false)])).len(), 1);
        assert_eq!(faults_of(&room("node", &[("hub", true, false)])).len(), 1);
        assert_eq!(faults_of(&room("maillage", &[("store", true, false)])).len(), 1);
    }

    #[test]
    fn tests_may_use_the_kit_and_nothing_else_more() {
        assert!(faults_of(&room("store", &[("testkit", true, true)])).is_empty());
        assert_eq!(faults_of(&room("store", &[("testkit", true, false)])).len(), 1);
        assert_eq!(faults_of(&room("store", &[("hub", true, true)])).len(), 1);
        assert!(faults_of(&room("tests", &[("hub", true, true), ("sqlx", false, true)])).is_empty());
    }

    #[test]
    fn third_parties_stay_in_their_room() {
        assert!(faults_of(&room("wire", &[("tonic-health", false, false), ("ring", false, false)])).is_empty());
        assert_eq!(faults_of(&room("hub", &[("tonic", false, false)])).len(), 1);
        assert_eq!(faults_of(&room("hub", &[("sqlx", false, true)])).len(), 1);
        assert_eq!(faults_of(&room("methodology", &[("polars-sql", false, false)])).len(), 1);
        assert_eq!(faults_of(&room("disclosure", &[("tokio-stream", false, false)])).len(), 1);
    }

    #[test]
    fn a_new_room_is_a_decision() {
        assert_eq!(faults_of(&room("cache", &[])).len(), 1);
    }

    #[test]
    fn every_arrow_of_the_table_points_to_a_room_of_the_table() {
        for (name, below) in ROOMS {
            for on in below.iter().copied().flatten() {
                assert!(ROOMS.iter().any(|(known, _)| known == on), "{name} → {on}");
                // No crate reaches itself: the table has no cycle.
                let position = |wanted: &str| ROOMS.iter().position(|(known, _)| *known == wanted);
                assert!(on != name && (position(on) < position(name) || *on == "testkit"), "{name} → {on}");
            }
        }
    }
}
