//! What dies while keys, certificates and settings are made: founding, joining, renewing, inviting.

use std::collections::BTreeSet;
use std::time::Duration;

use hub::access::Credentials;
use hub::{Hub, HubConfig, HubFolder};
use model::{Clock, FailureKind};
use node::{Node, NodeFolder};
use testkit::{ManualClock, SeededEntropy};

use super::child::{Child, End, Role};
use super::{BY_RULE, COMMUNE, check_whole, commune, edit, reached};
use crate::house::{House, database, on_both, word};
use crate::small_pack::{pack, settings};

fn world() -> hub::World {
    hub::World {
        clock: std::sync::Arc::new(ManualClock::default()),
        entropy: std::sync::Arc::new(SeededEntropy::new(77)),
    }
}

/// Whoever founded a hub that was cut off gives the same command again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_whose_founding_was_cut_off_is_founded_by_the_same_command() {
    on_both(async || {
        let mut places = BTreeSet::new();
        let first = database();
        for step in 1.. {
            let root = tempfile::tempdir().expect("a folder");
            let folder = HubFolder::at(root.path().join("hub"));
            let database = first.as_ref().map(|url| format!("{url}_{step}"));
            let now = ManualClock::default().now();
            let child = Child::at(Role::Init, folder.root(), now, u64::from(step)).dies_at(step);
            let end = child.with(database.as_deref().unwrap_or_default()).run();

            let config = HubConfig { database, ..HubConfig::default() };
            let name = word("coordination");
            let credentials = match hub::init::init(&folder, &config, &name, &world()).await {
                Ok(made) => made.coordinator,
                // All that was left to do was to say so.
                Err(there) if there.reason == "HUB_EXISTS" => {
                    Credentials::load(&folder.coordinator(&name)).expect("whole credentials")
                }
                Err(failure) => panic!("after {end:?}: {failure:?}"),
            };
            let hub = Hub::open(folder.clone(), world()).await.expect("a whole hub");
            let living = hub.store().coordinators().await.expect("coordinators");
            let key = credentials.identity.certificate().key.hash();
            assert!(living.iter().any(|one| one.key_fingerprint == key), "the hub knows whom it founded for: {end:?}");
            assert_eq!(hub.store().hub_keys().await.expect("keys").len(), 1, "one signing key");
            hub.close().await;
            let End::DiedAt(place) = end else { break };
            places.insert(place);
        }
        reached(
            &places,
            &["migrated", "file authority.key: in place", "file hub.toml: rename", "INSERT INTO coordinator"],
        );
    })
    .await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = HubFolder::at(root.path().join("hub"));
    let database = Some("postgres://nobody@127.0.0.1:1/nothing?schema=hub".to_owned());
    let config = HubConfig { database, ..HubConfig::default() };
    let refused = hub::init::init(&folder, &config, &word("coordination"), &world()).await.expect_err("no database");
    assert_eq!(refused.kind, FailureKind::Unavailable);
    let left: Vec<_> = std::fs::read_dir(folder.root()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    let config = HubConfig::default();
    hub::init::init(&folder, &config, &word("coordination"), &world()).await.expect("the same folder serves");
}

/// A hub that dies while it opens opens the next time, and nothing is noted twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_may_die_while_it_opens() {
    on_both(async || {
        let mut house = House::open_with(Vec::new()).await;
        let mut places = BTreeSet::new();
        house.stop().await;
        for step in 1.. {
            let end = Child::of(&house, Role::Open, house.hub_folder().root()).dies_at(step).run();
            house.start().await;
            assert_eq!(house.hub().store().hub_keys().await.expect("keys").len(), 1);
            house.stop().await;
            let End::DiedAt(place) = end else { break };
            places.insert(place);
        }
        reached(&places, &["migrate", "INSERT INTO authority", "INSERT INTO hub_key", "INSERT INTO pack_document"]);
    })
    .await;
}

/// The agent repeats the command with the same line, whichever side died.
#[tokio::test(flavor = "multi_thread")]
async fn joining_may_be_cut_off_at_either_end_and_repeated() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        for dying in [Role::Join, Role::Serve] {
            let mut places = BTreeSet::new();
            for step in 1.. {
                let name = format!("{dying:?}-{step}");
                let folder = house.furnish(&name, &format!("{BY_RULE}{}", settings("2025")), &[]);
                edit(&folder, step);
                let line = house.hub().invite(word(COMMUNE), &[]).await.expect("an invitation").invitation.to_line();
                let end = if dying == Role::Join {
                    Child::of(&house, dying, folder.root()).dies_at(step).with(&line).run()
                } else {
                    house.stop().await;
                    let serving = Child::of(&house, dying, house.hub_folder().root()).dies_at(step).start();
                    let answer = node::join::join(&folder, &line, house.node_world()).await;
                    let end = serving.end();
                    assert!(answer.is_ok() || end != End::CameThrough, "{answer:?}");
                    house.start().await;
                    end
                };
                let joined = node::join::join(&folder, &line, house.node_world()).await;
                let joined = joined.unwrap_or_else(|failure| panic!("again after {end:?}: {failure:?}"));
                assert_eq!(joined.provider, word(COMMUNE));
                let node = house.node(&folder).await;
                assert_eq!(node.packs().len(), 1);
                node::sync::sync(&node).await.expect("a member");
                node.close().await;
                let End::DiedAt(place) = end else { break };
                places.insert(place);
            }
            reached(&places, &["BEGIN", "COMMIT", "committed"]);
        }
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_may_be_cut_off_at_either_end() {
    on_both(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let folder = commune(&house).await;
        for dying in [Role::Renew, Role::Serve] {
            for step in 1.. {
                house.stop().await;
                house.clock.advance(Duration::from_hours(25 * 24));
                let end = if dying == Role::Renew {
                    house.start().await;
                    Child::of(&house, dying, folder.root()).dies_at(step).run()
                } else {
                    let serving = Child::of(&house, dying, house.hub_folder().root()).dies_at(step).start();
                    let node = house.node(&folder).await;
                    let answer = node::renew::renew_if_due(&node).await;
                    node.close().await;
                    let end = serving.end();
                    assert!(answer.is_ok() || end != End::CameThrough, "{answer:?}");
                    house.start().await;
                    end
                };
                super::recover(&house, &folder).await;
                let ends = node::renew::certificate_end(&folder).expect("a certificate");
                assert!(ends > house.clock.now().plus(Duration::from_hours(24 * 24)), "renewed after {end:?}");
                check_whole(&house, &folder, 1).await;
                if end == End::CameThrough {
                    break;
                }
            }
        }
        house.close().await;
    })
    .await;
}

/// What an operator types is either done or to be typed again.
#[tokio::test(flavor = "multi_thread")]
async fn an_operators_command_may_be_cut_off_and_repeated() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        for step in 1.. {
            let name = format!("zoe-{step}");
            let child = Child::of(&house, Role::Coordinator, house.hub_folder().root()).dies_at(step);
            let end = child.with(&name).run();
            let credentials = match house.hub().add_coordinator(&word(&name)).await {
                Ok(made) => made,
                Err(there) if there.reason == "ACCESS_EXISTS" => {
                    Credentials::load(&house.hub_folder().coordinator(&word(&name))).expect("whole credentials")
                }
                Err(failure) => panic!("after {end:?}: {failure:?}"),
            };
            let client = credentials.connect(house.clock.clone()).await.expect("connects");
            client.packs().await.unwrap_or_else(|error| panic!("a coordinator made after {end:?}: {error}"));
            if end == End::CameThrough {
                break;
            }
        }
        for step in 1.. {
            let child = Child::of(&house, Role::Invite, house.hub_folder().root()).dies_at(step);
            let end = child.with(COMMUNE).run();
            let folder = NodeFolder::at(house.hub_folder().root().join(format!("invited-{step}")));
            // A line that nobody read is worth nothing; the next one is.
            house.join(&folder, COMMUNE).await;
            Node::open(folder, house.node_world()).await.expect("opens").close().await;
            if end == End::CameThrough {
                break;
            }
        }
        house.close().await;
    })
    .await;
}
