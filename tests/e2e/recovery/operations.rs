//! What dies while an operator destroys, copies or restores: the same command, given again, does it once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hub::backup::{Key, Lock, backup, new_key, verify};
use hub::restore::restore;
use hub::{Hub, HubFolder};
use model::{Clock, SubmissionId};
use node::Node;
use store::hub::SliceState;

use super::child::{Child, End, Role};
use super::{COMMUNE, commune, edit, reached};
use crate::house::{House, database, on_both, send, word};
use crate::small_pack::pack;

/// What two persons do who were told to destroy a document, after a power cut too.
async fn destroy(house: &House, document: SubmissionId) {
    match house.hub().propose_purge(document, "Awa Diallo", "fuite").await {
        Ok(proposal) => drop(house.hub().confirm_purge(proposal.id, "Bea Roux").await.expect("destroys")),
        Err(gone) => assert_eq!(gone.reason, "SUBMISSION_UNKNOWN", "{gone:?}"),
    }
}

/// The bytes are nowhere, and the purge stands once in the ledger, at both ends.
async fn is_destroyed(house: &House, node: &Node, document: SubmissionId, entries: usize) {
    node::sync::sync(node).await.expect("catches up");
    let store = house.hub().store();
    assert_eq!(store.document(document).await.expect("reads"), None);
    assert_eq!(store.ledger(word(COMMUNE), 0, 10_000).await.expect("reads").len(), entries);
    let current = store.current_of(word(COMMUNE)).await.expect("reads");
    assert!(!current.is_empty() && current.iter().all(|slice| slice.state == SliceState::Purged), "{current:?}");
    let ledger = node.store().ledger(word(COMMUNE)).await.expect("reads");
    assert_eq!(ledger.len(), entries);
    let kept = ledger.iter().find(|record| record.submission == document).expect("its place");
    assert_eq!(kept.document, None, "at the node neither");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_is_cut_off_happens_once() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let folder = commune(&house).await;
        let node = house.node(&folder).await;
        let mut entries = 1;
        let mut places = BTreeSet::new();
        for step in 1.. {
            edit(&folder, step);
            let document = send(&node).await.1.submission;
            let child = Child::of(&house, Role::Purge, house.hub_folder().root()).dies_at(step);
            let end = child.with(&document.to_string()).run();
            destroy(&house, document).await;
            entries += 2;
            is_destroyed(&house, &node, document, entries).await;
            let End::DiedAt(place) = end else { break };
            places.insert(place);
        }
        reached(
            &places,
            &["INSERT INTO purge", "UPDATE submission SET", "UPDATE purge SET", "INSERT INTO submission", "scrub"],
        );
        node.close().await;
        house.close().await;
    })
    .await;
}

/// A key, and the file that is to be made.
struct Safe {
    folder: tempfile::TempDir,
    public: String,
}

impl Safe {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let public = new_key(&folder.path().join("key.txt")).expect("a key");
        Self { folder, public }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key_file(&self) -> PathBuf {
        self.file("key.txt")
    }

    fn key(&self) -> Key {
        Key::identities(&self.key_file()).expect("our own")
    }

    async fn backup(&self, house: &House, file: &Path) -> Result<hub::backup::Taken, model::Failure> {
        let lock = Lock::recipients(std::slice::from_ref(&self.public)).expect("our own");
        backup(&house.hub_folder(), file, &lock, &house.node_world()).await
    }
}

/// A file under its name is a whole copy, however often it was begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_cut_off_leaves_no_half_file_under_its_name() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        commune(&house).await;
        let safe = Safe::new();
        let child = |name: &Path| {
            let argument = format!("{}\n{}", name.display(), safe.public);
            Child::of(&house, Role::Backup, house.hub_folder().root()).with(&argument)
        };
        let mut places = BTreeSet::new();
        for step in child(&safe.file("all.age")).steps() {
            // The note of a backup is under its second.
            house.clock.advance(std::time::Duration::from_secs(1));
            let file = safe.file(&format!("{step}.age"));
            let end = child(&file).dies_at(step).run();
            if file.exists() {
                verify(&file, &safe.key())
                    .await
                    .unwrap_or_else(|failure| panic!("half a file after {end:?}: {failure:?}"));
            } else {
                safe.backup(&house, &file).await.unwrap_or_else(|failure| panic!("again after {end:?}: {failure:?}"));
            }
            assert_eq!(verify(&file, &safe.key()).await.expect("whole").number, 1);
            let End::DiedAt(place) = end else { panic!("step {step} was not reached") };
            places.insert(place);
        }
        reached(&places, &["BEGIN", "COMMIT", "committed"]);
        assert!(places.iter().any(|place| place.contains("backup") || place.contains("archive")), "{places:?}");
        house.close().await;
    })
    .await;
}

/// Whatever a restoration left, in the folder or in the database, the same command begins anew and comes to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_restoration_that_is_cut_off_is_done_by_the_same_command() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        commune(&house).await;
        let safe = Safe::new();
        let file = safe.file("night.age");
        safe.backup(&house, &file).await.expect("a backup");
        let kept = house.hub().store().ledger(word(COMMUNE), 0, 100).await.expect("reads");
        let current = house.hub().store().current_of(word(COMMUNE)).await.expect("reads");
        let owner = house.hub().store().owner().await.expect("reads");
        let first = database();
        let place = |step: u32| first.as_ref().map(|url| format!("{url}_r{step}"));
        let child = |folder: &HubFolder, step: u32| {
            let mut lines = vec![file.display().to_string(), safe.key_file().display().to_string()];
            lines.extend(place(step));
            Child::at(Role::Restore, folder.root(), house.clock.now(), u64::from(step)).with(&lines.join("\n"))
        };
        let below = tempfile::tempdir().expect("a folder");
        let folder = |step: u32| HubFolder::at(below.path().join(format!("hub-{step}")));
        let mut places = BTreeSet::new();
        for step in child(&folder(0), 0).steps() {
            let folder = folder(step);
            let end = child(&folder, step).dies_at(step).run();
            match restore(&folder, &file, &safe.key(), place(step), false, &house.node_world()).await {
                Ok(_) => {}
                // All that was left to do was to say so.
                Err(there) if there.reason == "HUB_EXISTS" && folder.config().exists() => {}
                Err(failure) => panic!("again after {end:?}: {failure:?}"),
            }
            let hub =
                Hub::open(folder, house.node_world()).await.unwrap_or_else(|failure| panic!("{end:?}: {failure:?}"));
            assert_eq!(hub.store().ledger(word(COMMUNE), 0, 100).await.expect("reads"), kept, "{end:?}");
            assert_eq!(hub.store().current_of(word(COMMUNE)).await.expect("reads"), current, "{end:?}");
            assert_eq!(hub.store().owner().await.expect("reads"), owner, "{end:?}");
            assert!(hub.store().last_restoration().await.expect("reads").is_some(), "{end:?}");
            hub.close().await;
            let End::DiedAt(died) = end else { panic!("step {step} was not reached") };
            places.insert(died);
        }
        reached(&places, &["migrate", "migrated", "COMMIT", "committed", "restore", "INSERT INTO authority"]);
        house.close().await;
    })
    .await;
}
