//! A hub that burnt down begins again from its backup, on either database, and its nodes bring back the rest.

mod purging;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wire::document::ReceiptKind;
use wire::ledger::LedgerEntry;
use wire::recovery::Recovery;

use super::figures::*;
use super::stage::*;
use crate::backup::{Entry, Key, Lock, Manifest, backup, new_key, verify};
use crate::restore::{Restored, restore};
use crate::{Hub, HubFolder};

/// A key, and what it closes.
struct Safe {
    folder: tempfile::TempDir,
    lock: Lock,
    key: Key,
}

impl Safe {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.txt");
        let public = new_key(&path).expect("a key");
        let lock = Lock::recipients(&[public]).expect("our own");
        Self { lock, key: Key::identities(&path).expect("our own"), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn take(&self, stage: &Stage, name: &str) -> Manifest {
        // The stage's settings were given by hand: what a backup reads is the file.
        let file = self.path(name);
        backup(stage.hub.folder(), &file, &self.lock, &world(&stage.clock, 5)).await.expect("a backup").manifest
    }

    async fn put(&self, stage: &Stage, name: &str, folder: &HubFolder, database: Option<String>) -> Restored {
        let world = world(&stage.clock, 6);
        // The copy's settings may name a PostgreSQL that is still full.
        let database = database.or_else(|| Some("sqlite:hub.sqlite".to_owned()));
        restore(folder, &self.path(name), &self.key, database, false, &world).await.expect("restores")
    }
}

fn figures(period: &str) -> [disclosure::Received; 1] {
    [received(&pack(), "93066", period, PLAIN, &[])]
}

/// Hashes of tables and keys; not of the tables that a restoration itself changes, and not of the settings.
fn content(manifest: &Manifest) -> Vec<&Entry> {
    let changed = [
        "hub.toml",
        "tables/counter",
        "tables/invitation",
        "tables/restoration",
        "tables/backup_taken",
        // Goes on from where the copy stood.
        "tables/journal",
    ];
    let stays = |entry: &&Entry| changed.iter().all(|name| !entry.name.starts_with(name));
    manifest.entries.iter().filter(stays).collect()
}

#[tokio::test]
async fn everything_comes_back_on_either_database_from_either() {
    let safe = Safe::new();
    for (from, database) in databases().into_iter().enumerate() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        node.submit(1, &figures("2024")).await.expect("accepted");
        node.check(2, &figures("2025")).await.expect("checked");
        node.withdraw(3, BTreeSet::from([figures("2024")[0].slice.clone()])).await.expect("takes back");
        stage.hub.invite(commune("93001"), &[]).await.expect("waits");
        let before = safe.take(&stage, &format!("{from}.age")).await;
        assert_eq!(before.number, 3);
        let told = stage.hub.journal(100).await.expect("reads");
        assert!(before.tables.iter().any(|table| table.name == "ledger_link" && table.rows == 3), "{before:?}");
        for (to, database) in databases().into_iter().enumerate() {
            let root = tempfile::tempdir().expect("a folder");
            let folder = HubFolder::at(root.path().join("hub"));
            let restored = safe.put(&stage, &format!("{from}.age"), &folder, database).await;
            assert_eq!(restored.invitations_ended, 1);
            assert_eq!(restored.nodes.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["93066"]);
            assert_eq!(restored.coordinators.len(), 1);
            let again = safe.path(&format!("{from}-{to}.age"));
            let after = backup(&folder, &again, &safe.lock, &world(&stage.clock, 7)).await.expect("again").manifest;
            assert_eq!(content(&before), content(&after));
            assert_eq!(after.number, before.number + 100_000, "far above what may have been given out");
            let hub = Hub::open(folder, world(&stage.clock, 8)).await.expect("opens");
            assert_eq!(hub.store().last_backup().await.expect("reads").map(|b| b.number), Some(after.number));
            assert_eq!(hub.verify_journal().await.expect("reads").map(|_| ()), Ok(()));
            let goes_on = hub.journal(100).await.expect("reads");
            // The copy was taken before it was told that it was.
            assert_eq!(goes_on[..told.len() - 1], told[..told.len() - 1]);
            let since: Vec<&str> = goes_on[told.len() - 1..].iter().map(|entry| entry.what.as_str()).collect();
            assert_eq!(since[..2], ["restauration", "sauvegarde"]);
            hub.close().await;
        }
    }
}

#[tokio::test]
async fn the_archive_is_private_and_nothing_is_overwritten() {
    let safe = Safe::new();
    let stage = Stage::new().await;
    safe.take(&stage, "a.age").await;
    let bytes = std::fs::read(safe.path("a.age")).expect("written");
    assert!(bytes.starts_with(b"age-encryption.org/v1"));
    let secret = std::fs::read(stage.hub.folder().signing_key_file()).expect("a key");
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    #[cfg(unix)]
    for file in ["a.age", "key.txt"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(safe.path(file)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let world = world(&stage.clock, 5);
    let twice = backup(stage.hub.folder(), &safe.path("a.age"), &safe.lock, &world).await.expect_err("in the way");
    assert_eq!(twice.reason, "BACKUP_EXISTS");
    let full = restore(stage.hub.folder(), &safe.path("a.age"), &safe.key, None, false, &world).await;
    assert_eq!(full.expect_err("a hub is there").reason, "HUB_EXISTS");
    let root = tempfile::tempdir().expect("a folder");
    let folder = HubFolder::at(root.path().join("new"));
    let taken = Some(format!("sqlite:{}", stage.hub.folder().database().display()));
    let full = restore(&folder, &safe.path("a.age"), &safe.key, taken, false, &world).await;
    assert_eq!(full.expect_err("a database is there").reason, "HUB_EXISTS");
    // A folder takes a dated file, so that a timer needs no name.
    let dated = backup(stage.hub.folder(), safe.folder.path(), &safe.lock, &world).await.expect("a backup");
    assert_eq!(dated.file.file_name().and_then(|name| name.to_str()), Some("maillage-2026-01-05T080000Z.age"));
    // Looking changes nothing.
    restore(&folder, &safe.path("a.age"), &safe.key, None, true, &world).await.expect("could be restored");
    assert!(!folder.root().exists());
}

#[tokio::test]
async fn a_changed_cut_or_foreign_archive_is_refused_and_leaves_nothing() {
    let safe = Safe::new();
    let stage = Stage::new().await;
    stage.join("93066").await.submit(1, &figures("2024")).await.expect("accepted");
    safe.take(&stage, "a.age").await;
    let bytes = std::fs::read(safe.path("a.age")).expect("written");
    let root = tempfile::tempdir().expect("a folder");
    let folder = HubFolder::at(root.path().join("new"));
    let attempt = async |name: &str, bytes: &[u8]| {
        std::fs::write(safe.path(name), bytes).expect("writes");
        let refused = verify(&safe.path(name), &safe.key).await.expect_err(name).reason;
        let world = world(&stage.clock, 5);
        let again = restore(&folder, &safe.path(name), &safe.key, None, false, &world).await.expect_err(name).reason;
        assert_eq!(refused, again);
        assert!(!folder.root().exists(), "{name}");
        refused
    };
    for (n, length) in [0, 10, 200, bytes.len() / 2, bytes.len() - 16, bytes.len() - 1].into_iter().enumerate() {
        assert_eq!(attempt(&format!("cut-{n}"), &bytes[..length]).await, "BACKUP_DAMAGED", "{length} bytes");
    }
    for place in [bytes.len() / 3, bytes.len() - 40] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert_eq!(attempt("changed", &changed).await, "BACKUP_DAMAGED", "byte {place}");
    }
    let wrong = verify(&safe.path("a.age"), &Safe::new().key).await.expect_err("another key");
    assert_eq!(wrong.reason, "BACKUP_KEY_WRONG");
}

#[tokio::test]
async fn a_passphrase_closes_and_opens_too() {
    let safe = Safe::new();
    let stage = Stage::new().await;
    let write = |name: &str, text: &str| {
        std::fs::write(safe.path(name), text).expect("writes");
        safe.path(name)
    };
    assert_eq!(
        Lock::passphrase(&write("short", "azerty\n")).err().map(|f| f.reason).as_deref(),
        Some("BACKUP_PASSPHRASE")
    );
    let right = write("right", "cinq mots tirés au hasard\n");
    let world = world(&stage.clock, 5);
    let lock = Lock::passphrase(&right).expect("long enough");
    backup(stage.hub.folder(), &safe.path("p.age"), &lock, &world).await.expect("a backup");
    verify(&safe.path("p.age"), &Key::passphrase(&right).expect("reads")).await.expect("opens");
    let wrong = Key::passphrase(&write("wrong", "cinq mots tirés au sort\n")).expect("reads");
    assert_eq!(verify(&safe.path("p.age"), &wrong).await.expect_err("another").reason, "BACKUP_KEY_WRONG");
}

/// What the node holds of its own chain, as it would give it back: what was purged with the receipt that says so.
async fn memory(node: &Node) -> Vec<Recovery> {
    let page = node.client.list(node.commune, 0).await.expect("lists");
    let receipt = |entry: &LedgerEntry| entry.receipt.verify(node.hub_keys()).expect("the hub's");
    let purges: Vec<_> = page.entries.iter().filter(|entry| receipt(entry).kind == ReceiptKind::Purge).collect();
    let mut all = Vec::new();
    for entry in &page.entries {
        let (entry, document) = node.client.get(entry.submission).await.expect("gives");
        let hash = receipt(&entry).document_hash;
        let of_it = |purge: &&&LedgerEntry| entry.length == 0 && receipt(purge).document_hash == hash;
        let purge = purges.iter().find(of_it).filter(|purge| purge.submission != entry.submission);
        all.push(Recovery { purge: purge.map(|purge| purge.receipt.clone()), entry, document });
    }
    all
}

/// Puts the hub back to what `file` holds, on the same port and a database of its own.
async fn roll_back(stage: &mut Stage, safe: &Safe, file: &str, root: &Path, database: Option<String>) {
    roll_back_with(stage, safe, file, root, (database, pack())).await;
}

async fn roll_back_with(
    stage: &mut Stage,
    safe: &Safe,
    file: &str,
    root: &Path,
    (database, pack): (Option<String>, methodology::Pack),
) {
    let config = stage.hub.config().clone();
    stage.halt().await;
    let folder = HubFolder::at(root.join("hub"));
    safe.put(stage, file, &folder, database.clone()).await;
    let config = crate::HubConfig { database, ..config };
    stage.resume(folder, config, vec![pack]).await;
}

#[tokio::test]
async fn what_was_lost_comes_back_under_its_own_receipts_and_counts_again() {
    let fresh: Vec<Option<String>> = databases();
    for (database, second) in databases().into_iter().zip(fresh) {
        let safe = Safe::new();
        let mut stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let neighbour = stage.join("93001").await;
        node.submit(1, &figures("2023")).await.expect("before the backup");
        safe.take(&stage, "old.age").await;
        node.submit(2, &figures("2024")).await.expect("lost");
        node.check(3, &figures("2025")).await.expect("lost");
        node.withdraw(4, BTreeSet::from([figures("2023")[0].slice.clone()])).await.expect("lost");
        let expected = safe.take(&stage, "new.age").await;
        let known = memory(&node).await;
        stage.clock.advance(Duration::from_mins(10));

        let root = tempfile::tempdir().expect("a folder");
        roll_back(&mut stage, &safe, "old.age", root.path(), second).await;
        let node = node.again(&stage).await;
        let neighbour = neighbour.again(&stage).await;
        assert_eq!(node.client.standing().await.expect("stands").heads[0].sequence, 1);
        // Out of order, by somebody else, altered: refused, and nothing is written.
        assert_eq!(reason(node.client.recover(&known[2]).await), "RECOVERY_GAP");
        assert_eq!(reason(neighbour.client.recover(&known[1]).await), "TERRITORY_NOT_YOURS");
        let mut altered = known[1].clone();
        altered.document[10] ^= 1;
        assert_eq!(reason(node.client.recover(&altered).await), "RECOVERY_NOT_PROVEN");
        let mut emptied = known[1].clone();
        emptied.document.clear();
        emptied.entry.length = 0;
        assert_eq!(reason(node.client.recover(&emptied).await), "RECOVERY_NOT_PROVEN");
        // Meanwhile somebody else goes on: numbers do not meet.
        let elsewhere = [received(&pack(), "93001", "2024", PLAIN, &[])];
        neighbour.submit(9, &elsewhere).await.expect("accepted");
        for lost in &known[1..] {
            assert!(!node.client.recover(lost).await.expect("taken back"));
            assert!(node.client.recover(lost).await.expect("a repetition"), "held already");
        }
        let mut after = safe.take(&stage, "after.age").await;
        let of = |manifest: &Manifest, name: &str| {
            let part = format!("tables/{name}/");
            manifest.entries.iter().filter(|e| e.name.starts_with(&part)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(memory(&node).await, known, "the chain is what it was, byte by byte");
        // Without what the neighbour sent since, the tables would be the same: its rows are the only difference.
        let rows = |manifest: &Manifest, name: &str| {
            manifest.tables.iter().find(|table| table.name == name).map_or(0, |table| table.rows)
        };
        for table in ["submission", "ledger_link", "slice_current", "slice_history"] {
            assert_eq!(rows(&after, table), rows(&expected, table) + 1, "{table}");
        }
        assert_eq!(of(&after, "provider_territory"), of(&expected, "provider_territory"));
        after.entries.clear();
        // The next acceptance follows the recovered head.
        let next = node.submit(5, &figures("2025")).await.expect("accepted");
        let receipt = next.receipt.verify(node.hub_keys()).expect("signed");
        assert_eq!(receipt.links[&node.commune].sequence, 5);
        assert!(receipt.number > 100_000);
    }
}

#[tokio::test]
async fn a_ledger_that_went_another_way_is_refused_by_its_place() {
    let safe = Safe::new();
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    safe.take(&stage, "old.age").await;
    node.submit(1, &figures("2024")).await.expect("lost");
    node.submit(2, &figures("2023")).await.expect("lost");
    let known = memory(&node).await;
    let root = tempfile::tempdir().expect("a folder");
    roll_back(&mut stage, &safe, "old.age", root.path(), None).await;
    let node = node.again(&stage).await;
    node.submit(3, &figures("2025")).await.expect("another first");
    let forked = refusal(node.client.recover(&known[0]).await);
    assert_eq!(forked.reason, "LEDGER_FORKED");
    assert!(forked.message.contains("rang 1"), "{}", forked.message);
    assert_eq!(reason(node.client.recover(&known[1]).await), "LEDGER_FORKED");
    assert_eq!(node.client.standing().await.expect("stands").heads[0].sequence, 1);
}

#[tokio::test]
async fn what_was_recovered_is_played_against_what_comes_next() {
    // A = 40, B = 7, C = 53: hiding {A, B} and later {B, C} gives B away.
    const HUNDRED: Counts = [(0, 40), (0, 7), (0, 53)];
    let strict = || pack_with("1.0.0", 11);
    let safe = Safe::new();
    let mut stage = Stage::bare(None).await;
    stage.restart(vec![strict()]).await;
    let node = stage.join("93066").await;
    safe.take(&stage, "old.age").await;
    let first = received(&strict(), "93066", "2025", HUNDRED, &[("demandes", "A"), ("demandes", "B")]);
    let second = received(&strict(), "93066", "2025", HUNDRED, &[("demandes", "B"), ("demandes", "C")]);
    node.submit(1, &[first]).await.expect("safe alone, then lost");
    let known = memory(&node).await;
    let root = tempfile::tempdir().expect("a folder");
    roll_back_with(&mut stage, &safe, "old.age", root.path(), (None, strict())).await;
    let node = node.again(&stage).await;
    node.client.recover(&known[0]).await.expect("taken back");
    assert_eq!(reason(node.submit(2, &[second]).await), "DISCLOSURE_CONFLICT");
}

/// A rollback must not make a spent invitation serve again, or a waiting one that somebody may have spent.
#[tokio::test]
async fn no_invitation_survives_a_restoration() {
    let safe = Safe::new();
    let mut stage = Stage::new().await;
    let invited = stage.hub.invite(commune("93066"), &[]).await.expect("invites").invitation;
    safe.take(&stage, "old.age").await;
    let invitation = invited.to_line().parse().expect("an invitation");
    Node::join(&stage, &invitation).await.expect("spent after the backup");
    let root = tempfile::tempdir().expect("a folder");
    roll_back(&mut stage, &safe, "old.age", root.path(), None).await;
    let again = Node::join(&stage, &invitation).await;
    assert_eq!(again.err().map(|error| error.reason().to_owned()).as_deref(), Some("INVITATION_REVOKED"));
}
