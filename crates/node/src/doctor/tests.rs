//! Where nothing else works: the steps that need nobody.

use std::sync::Arc;

use model::SystemClock;
use seal::SystemEntropy;

use super::*;

fn world() -> World {
    World { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy::new()) }
}

fn state(diagnosis: &Diagnosis, code: &str) -> (State, String) {
    let check = diagnosis.check(code).unwrap_or_else(|| panic!("{code} is not looked at"));
    (check.state, check.reason.clone())
}

#[tokio::test]
async fn a_folder_that_is_not_there_and_one_that_never_joined() {
    let root = tempfile::tempdir().expect("a folder");
    let absent = examine(&NodeFolder::at(root.path().join("absent")), world()).await;
    assert_eq!(state(&absent, "folder"), (State::Bad, "FOLDER_ABSENT".to_owned()));
    assert!(!root.path().join("absent").exists(), "looking makes nothing");

    let empty = examine(&NodeFolder::at(root.path()), world()).await;
    assert_eq!(state(&empty, "settings"), (State::Bad, "NODE_CONFIG".to_owned()));
    assert_eq!(state(&empty, "folder").0, State::Good);
    for code in ["certificate", "database", "membership", "proxy", "reach", "admitted", "outbox"] {
        assert_eq!(state(&empty, code).0, State::Skipped, "{code}");
    }
    assert_eq!(std::fs::read_dir(root.path()).expect("reads").count(), 0, "looking leaves nothing behind");
}

#[tokio::test]
async fn what_is_broken_is_named_and_never_quoted() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = NodeFolder::at(root.path());
    std::fs::write(folder.config(), "[network]\nproxy = \"http://awa:s3cret@p\n").expect("writes");
    std::fs::create_dir(root.path().join("keys")).expect("makes");
    std::fs::write(folder.tls_key(), "s3cret").expect("writes");
    std::fs::write(folder.database(), "s3cret, and no database at all, which is longer than its header")
        .expect("writes");
    let diagnosis = examine(&folder, world()).await;
    assert_eq!(state(&diagnosis, "settings").0, State::Bad);
    assert!(diagnosis.check("settings").expect("there").detail.contains("ligne 2"));
    assert_eq!(state(&diagnosis, "folder"), (State::Bad, "KEY_READABLE".to_owned()));
    assert_eq!(state(&diagnosis, "certificate").0, State::Bad);
    assert_eq!(state(&diagnosis, "database").0, State::Bad);
    let shown = diagnosis.lines().join("\n") + &diagnosis.to_json();
    assert!(!shown.contains("s3cret"), "{shown}");
    for check in diagnosis.checks.iter().filter(|check| check.state == State::Bad) {
        assert!(check.cure.ends_with('.'), "{}: {}", check.code, check.cure);
    }
}

#[test]
fn a_length_of_time_reads() {
    use std::time::Duration;
    assert_eq!(lasting(Duration::from_mins(90)), render::number::counted(90, "minute", "minutes"));
    assert_eq!(lasting(Duration::from_hours(5)), render::number::counted(5, "heure", "heures"));
    assert_eq!(lasting(Duration::from_hours(72)), render::number::counted(3, "jour", "jours"));
}
