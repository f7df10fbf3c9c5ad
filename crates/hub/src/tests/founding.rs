//! Creating a hub, opening it again, and what must not be opened.

use model::FailureKind;
use testkit::ManualClock;

use super::figures::*;
use super::stage::*;
use crate::access::Credentials;
use crate::{Hub, HubConfig, HubFolder, init};

#[tokio::test]
async fn a_hub_is_created_once_and_its_secrets_are_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = HubFolder::at(folder.path().join("centre"));
    let clock = std::sync::Arc::new(ManualClock::default());
    let name = "coordination".parse().expect("a code");
    let config = HubConfig::default();
    init::init(&root, &config, &name, &world(&clock, 1)).await.expect("creates");
    let key = std::fs::read(root.authority_key()).expect("written");

    let again = init::init(&root, &config, &name, &world(&clock, 1)).await.expect_err("there already");
    assert_eq!((again.kind, again.reason.as_ref()), (FailureKind::Conflict, "HUB_EXISTS"));
    assert_eq!(std::fs::read(root.authority_key()).expect("still there"), key);

    #[cfg(unix)]
    for secret in [
        root.authority_key(),
        root.signing_key_file(),
        root.config(),
        root.database(),
        root.coordinator(&name).join("tls.key"),
    ] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&secret).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", secret.display());
    }
    // What was written is what is read.
    let hub = Hub::open(root.clone(), world(&clock, 2)).await.expect("opens with its own settings");
    assert_eq!(hub.config().to_toml(), config.to_toml());
}

#[tokio::test]
async fn a_database_of_another_hub_is_refused() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let other = tempfile::tempdir().expect("a folder");
        let root = HubFolder::at(other.path().join("hub"));
        let database = match &stage.hub.config().database {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", stage.hub.folder().database().display()),
        };
        let config = HubConfig { database: Some(database), ..stage.hub.config().clone() };
        let name = "coordination".parse().expect("a code");
        let refused = init::init(&root, &config, &name, &world(&stage.clock, 1)).await.expect_err("not its own");
        assert_eq!(refused.reason, "HUB_DATABASE_FOREIGN");
    }
}

#[tokio::test]
async fn a_pack_changes_with_its_version_only() {
    let mut stage = Stage::new().await;
    stage.halt().await;
    let (folder, config) = (stage.hub.folder().clone(), stage.hub.config().clone());
    let open = async |pack| Hub::open_with(folder.clone(), config.clone(), vec![pack], world(&stage.clock, 4)).await;
    assert_eq!(open(pack_with("1.0.0", 7)).await.err().map(|f| f.reason).as_deref(), Some("PACK_CHANGED"));
    open(pack_with("1.1.0", 7)).await.expect("another version").close().await;
    open(pack()).await.expect("the first again").close().await;
}

#[tokio::test]
async fn packs_are_shared_with_the_hubs_signature_and_read_back() {
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    let list = node.client.packs().await.expect("lists");
    assert_eq!(list.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["essai"]);
    let signed = node.client.pack(&list[0].code, None).await.expect("gives");
    assert_eq!(signed.hash(), list[0].hash);
    let files = signed.verify(node.hub_keys()).expect("signed by the hub");
    assert_eq!(methodology::Pack::parse(&files.files).expect("sound").hash(), pack().hash());
    assert_eq!(reason(node.client.pack(&"autre".parse().expect("a code"), None).await), "PACK_UNKNOWN");
    // The signature made at publication stays: nodes keep it.
    stage.restart(vec![pack()]).await;
    let coordinator = stage.coordinator().await;
    assert_eq!(coordinator.pack(&list[0].code, None).await.expect("gives"), signed);
}

#[tokio::test]
async fn a_second_coordinator_can_be_added_and_taken_away() {
    let stage = Stage::new().await;
    let name = "zoe".parse().expect("a code");
    let made = stage.hub.add_coordinator(&name).await.expect("adds");
    let twice = stage.hub.add_coordinator(&name).await.expect_err("credentials wait there");
    assert_eq!(twice.reason, "ACCESS_EXISTS");
    let client = Credentials::load(&made.folder).expect("reads").connect(stage.shared_clock()).await.expect("connects");
    client.packs().await.expect("may read packs");
    assert!(stage.hub.revoke_coordinator(&name).await.expect("revokes"));
    assert!(!stage.hub.revoke_coordinator(&name).await.expect("nothing left"));
    // The connection is still open: what it may do is not.
    assert_eq!(reason(client.packs().await), "COORDINATOR_REVOKED");
}
