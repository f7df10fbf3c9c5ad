//! A process dies at every durable step, one after the other; whoever starts it again finds nothing lost and nothing
//! doubled.
//!
//! No list of crash points is kept here: a child process counts its own steps and ends itself at the n-th, for n = 1,
//! 2, 3, … until it comes through. A write that is added tomorrow is one step more.

mod child;
mod files;
mod operations;
mod wholeness;

use std::collections::BTreeSet;
use std::time::Duration;

use child::{Child, End, Role};
use node::NodeFolder;
use node::run::open_and_round;
pub use wholeness::check_whole;
use wholeness::figures_are;

use crate::house::{House, on_both, put};
use crate::small_pack::{pack, rows, settings};

/// Who sends.
pub const COMMUNE: &str = "93008";
/// The commune's rule agrees to everything: a round is collect, compute, protect, preview, approval and push.
pub const BY_RULE: &str = "[approval]\nmode = \"rule\"\nmax_moved_cells = 1000\n\n";

/// Never small: what is protected is not what is tested here.
fn counts(edit: u32) -> [u32; 3] {
    [40 + edit, 20, 53]
}

fn edit(folder: &NodeFolder, edit: u32) {
    for file in ["groupes.csv", "lieux.csv"] {
        put(folder.root(), file, &rows(counts(edit)));
    }
}

async fn commune(house: &House) -> NodeFolder {
    let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 0);
    house.join(&folder, COMMUNE).await;
    open_and_round(&folder, &house.node_world(), &|_| {}).await.expect("the first round");
    folder
}

/// What a service does when it is started again: one round, when its time has come.
async fn recover(house: &House, folder: &NodeFolder) {
    house.clock.advance(Duration::from_mins(11));
    open_and_round(folder, &house.node_world(), &|_| {}).await.expect("a round after the restart");
}

/// The places at which processes died must be these at least: a test that never reaches the transaction shows nothing.
fn reached(places: &BTreeSet<String>, expected: &[&str]) {
    for place in expected {
        assert!(places.contains(*place), "nothing died at {place:?}, only at {places:?}");
    }
    println!("died at {} places: {places:?}", places.len());
}

/// From the changed file to the receipt: the node dies at each of its steps.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_anywhere_in_a_round_sends_each_figure_once() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let folder = commune(&house).await;
        let mut places = BTreeSet::new();
        for step in 1.. {
            edit(&folder, step);
            let end = Child::of(&house, Role::Round, folder.root()).dies_at(step).run();
            recover(&house, &folder).await;
            check_whole(&house, &folder, step as usize + 1).await;
            figures_are(&house, COMMUNE, counts(step)).await;
            let End::DiedAt(place) = end else { break };
            places.insert(place);
        }
        reached(
            &places,
            &[
                "BEGIN",
                "INSERT INTO preview",
                "UPDATE preview SET",
                "INSERT INTO document",
                "INSERT INTO outbox",
                "UPDATE document SET",
                "INSERT INTO ledger_link",
                "UPDATE outbox SET",
                "COMMIT",
                "committed",
            ],
        );
        house.close().await;
    })
    .await;
}

/// From the upload to the answer: the hub dies at each of its steps, and the node asks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_dies_anywhere_in_a_submission_keeps_it_once() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let folder = commune(&house).await;
        let mut places = BTreeSet::new();
        for step in 1.. {
            edit(&folder, step);
            house.stop().await;
            let serving = Child::of(&house, Role::Serve, house.hub_folder().root()).dies_at(step).start();
            // The answer may be anything, or missing.
            let answered = open_and_round(&folder, &house.node_world(), &|_| {}).await;
            let end = serving.end();
            assert!(answered.is_ok() || matches!(end, End::DiedAt(_)), "{answered:?} of a hub that lived");
            house.start().await;
            recover(&house, &folder).await;
            check_whole(&house, &folder, step as usize + 1).await;
            figures_are(&house, COMMUNE, counts(step)).await;
            let End::DiedAt(place) = end else { break };
            places.insert(place);
        }
        reached(
            &places,
            &[
                "UPDATE counter SET",
                "INSERT INTO submission",
                "INSERT INTO ledger_link",
                "INSERT INTO slice_current",
                "INSERT INTO slice_history",
                "COMMIT",
                "committed",
            ],
        );
        house.close().await;
    })
    .await;
}

/// A withdrawal, approved and pushed by a person, whose node dies at each step: the person repeats the command.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_is_cut_off_happens_once() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let folder = commune(&house).await;
        let mut documents = 1;
        for step in 1.. {
            let end = Child::of(&house, Role::Withdraw, folder.root()).dies_at(step).run();
            child::withdraw_everything(&folder, house.node_world()).await;
            documents += 1;
            check_whole(&house, &folder, documents).await;
            // Put back by a person, so that there is something to withdraw.
            edit(&folder, step);
            let node = house.node(&folder).await;
            crate::house::send(&node).await;
            node.close().await;
            documents += 1;
            if end == End::CameThrough {
                break;
            }
        }
        house.close().await;
    })
    .await;
}

/// Only this many modules may touch files that outlive the process, and each passes a crash point where it does.
#[test]
fn every_durable_write_has_a_crash_point() {
    const WRITES: [&str; 8] = [
        "fs::write",
        "fs::rename",
        "fs::remove",
        "fs::hard_link",
        "fs::copy",
        "File::create",
        "OpenOptions::new",
        "File::options",
    ];
    // Each of these says `crash::point`; the lock files hold nothing, and SQLite makes its own file whole or empty.
    const FUNNELS: [&str; 7] = [
        "node/src/folder.rs",
        "hub/src/folder.rs",
        "hub/src/access.rs",
        "store/src/db.rs",
        "store/src/migration.rs",
        "store/src/crash.rs",
        // Makes an empty file and takes it away again, to see whether it may.
        "node/src/doctor/home.rs",
    ];
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut faults = Vec::new();
    for room in ["store", "node", "hub"] {
        let mut folders = vec![crates.join(room).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&crates).expect("below crates").to_string_lossy().into_owned();
                let rust = std::path::Path::new(&name).extension().is_some_and(|extension| extension == "rs");
                let tests = name.contains("tests") || !rust;
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = code.split("#[cfg(all(test").next().unwrap_or_default();
                if tests || FUNNELS.contains(&name.as_str()) {
                    continue;
                }
                faults.extend(
                    WRITES
                        .iter()
                        .filter(|write| code.contains(**write) && !code.contains("crash::point"))
                        .map(|write| format!("{name} calls {write} without a crash point")),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
