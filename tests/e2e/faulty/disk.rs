//! A disk that is really full: a small file system in memory, mounted for the test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use node::run::open_and_round;
use testkit::ManualClock;

use super::edit;
use crate::house::House;
use crate::recovery::{BY_RULE, COMMUNE, check_whole};
use crate::small_pack::{pack, settings};

/// A file system of its own size; gone with the value.
struct Disk(PathBuf);

impl Disk {
    /// `None`, said on stderr, where this process may not mount.
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        let options = format!("size={megabytes}m,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "maillage-test"]).arg(at).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("this process may not mount a file system: what a full disk does is not tested here");
        None
    }

    /// Writes until nothing more fits, then gives `spare` KiB back.
    fn fill(&self, spare: usize) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.0.join("filler")).expect("a file");
        let page = [0x5a_u8; 4096];
        let mut pages = 0;
        while filler.write_all(&page).is_ok() {
            pages += 1;
        }
        let left = u64::try_from(4096 * pages - 1024 * spare).expect("a size");
        filler.set_len(left).expect("shorter");
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("the filler");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a database that a failed test left open must not keep it.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Hub and node on one disk that fills up more or less: some rounds fail here, some there, none loses or doubles.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_delays_and_loses_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(place.path(), 12) else { return };
    let root = tempfile::tempdir_in(place.path()).expect("a folder on the small disk");
    let house = House::open_below(root, vec![pack()], Arc::new(ManualClock::default())).await;
    let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 40);
    house.join(&folder, COMMUNE).await;
    let (mut documents, mut failed) = (0, 0);
    for spare in [0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192] {
        edit(&folder, 41 + documents);
        disk.fill(spare);
        let tried = open_and_round(&folder, &house.node_world(), &|_| {}).await;
        if let Err(failure) = &tried {
            failed += 1;
            let known = ["NODE_STORE_UNAVAILABLE", "NODE_FOLDER", "HUB_STORE_UNAVAILABLE"];
            assert!(known.contains(&failure.reason.as_ref()), "{spare} KiB: {failure:?}");
        }
        disk.free();
        house.clock.advance(Duration::from_mins(11));
        open_and_round(&folder, &house.node_world(), &|_| {}).await.expect("a round with room");
        documents += 1;
        check_whole(&house, &folder, documents as usize).await;
    }
    assert!(failed > 0, "some rounds met the full disk");
    println!("{failed} of {documents} rounds met a full disk");
    house.close().await;
    drop(disk);
}
