//! Versions of packs: what is shown before one is published, and what is taken under the one before it.

use std::time::Duration;

use model::{Key, Timestamp};
use statistics::{Reading, Silence};

use super::comparing::{ask, readings};
use super::figures::{PLAIN, pack, pack_asking, pack_with, received};
use super::stage::{Stage, databases, reason, refusal, world};
use crate::Hub;
use crate::publish::FORMER_TAKEN;

const DAY: Duration = Duration::from_hours(24);

/// Publishes what it must not refuse; gives what a person reads.
async fn publish(hub: &Hub, pack: methodology::Pack, until: Option<Timestamp>) -> String {
    let plan = hub.plan_publication(pack, until).await.expect("an honest number");
    assert!(hub.publish_pack(&plan).await.expect("writes"));
    plan.french()
}

#[tokio::test]
async fn what_a_version_changes_is_told_before_it_is_published() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
        let hub = &stage.hub;
        let plan = hub.plan_publication(pack_asking("2.0.0", "decision = 'refus'"), None).await.expect("honest");
        let told = plan.french();
        for words in ["✗ accords", "2.0.0", "ne se comparent plus", "1 commune", "La version 1.0.0 reste acceptée"] {
            assert!(told.contains(words), "{words} in {told}");
        }
        assert!(!told.contains("✗ demandes"), "{told}");
        // Nothing is written by looking.
        assert_eq!(node.client.packs().await.expect("lists")[0].version, "1.0.0");
        assert!(hub.publish_pack(&plan).await.expect("writes"));
        let listed = node.client.packs().await.expect("lists");
        assert_eq!(listed[0].version, "2.0.0");
        let until = stage.hub.now().plus(FORMER_TAKEN);
        assert_eq!(listed[0].former, Some(("1.0.0".to_owned(), until)));
        // The same again is nothing; the end of the former version may move.
        let same = hub.plan_publication(pack_asking("2.0.0", "decision = 'refus'"), None).await.expect("plans");
        assert!(same.is_there() && !hub.publish_pack(&same).await.expect("writes nothing"));
        let later = stage.hub.now().plus(200 * DAY);
        publish(hub, pack_asking("2.0.0", "decision = 'refus'"), Some(later)).await;
        assert_eq!(node.client.packs().await.expect("lists")[0].former, Some(("1.0.0".to_owned(), later)));
        // Whoever planned before that looks again.
        assert_eq!(hub.publish_pack(&plan).await.expect_err("overtaken").reason, "PACK_MOVED");
    }
}

#[tokio::test]
async fn a_number_that_lies_is_not_published() {
    let stage = Stage::new().await;
    let hub = &stage.hub;
    let refused = async |pack, until| match hub.plan_publication(pack, until).await {
        Ok(plan) => panic!("planned: {}", plan.french()),
        Err(failure) => failure.reason.into_owned(),
    };
    assert_eq!(refused(pack_asking("1.1.0", "decision = 'refus'"), None).await, "PACK_NUMBER");
    assert_eq!(refused(pack_asking("1.0.0", "decision = 'refus'"), None).await, "PACK_CHANGED");
    assert_eq!(refused(pack_with("0.9.0", 7), None).await, "PACK_NUMBER");
    assert_eq!(refused(pack_with("1.1.0", 5), None).await, "PACK_NUMBER");
    assert_eq!(refused(pack(), Some(stage.hub.now().plus(DAY))).await, "PACK_UNTIL");
    let past = Timestamp::from_micros(stage.hub.now().as_micros() - 1);
    assert_eq!(refused(pack_asking("2.0.0", "decision = 'refus'"), Some(past)).await, "PACK_UNTIL");
}

#[tokio::test]
async fn the_former_version_is_taken_until_its_last_instant() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let behind = stage.join("93066").await;
        let ahead = stage.join("93001").await;
        let until = stage.hub.now().plus(10 * DAY);
        let next = pack_asking("2.0.0", "decision = 'refus'");
        publish(&stage.hub, next.clone(), Some(until)).await;
        behind.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("still taken");
        ahead.submit(11, &[received(&next, "93001", "2025", PLAIN, &[])]).await.expect("taken");
        // Never beside each other where they mean something else; beside each other where they do not.
        let accords = ask(&stage.hub, "accords", Key::total()).await;
        let silent = Reading::Silence(Silence::NotAdditive);
        assert_eq!(readings(&accords), [("Aubervilliers", Reading::Value(90.0)), ("Saint-Denis", silent)]);
        let demandes = ask(&stage.hub, "demandes", Key::total()).await;
        let value = Reading::Value(130.0);
        assert_eq!(readings(&demandes), [("Aubervilliers", value), ("Saint-Denis", value)]);

        stage.clock.set(until);
        behind.submit(2, &[received(&pack(), "93066", "2024", PLAIN, &[])]).await.expect("the last instant");
        stage.clock.set(Timestamp::from_micros(until.as_micros() + 1));
        let refused = refusal(behind.submit(3, &[received(&pack(), "93066", "2023", PLAIN, &[])]).await);
        assert_eq!(refused.conflicts[0].code, "PACK_VERSION_ENDED");
        assert!(refused.conflicts[0].cause.contains("2.0.0"), "{}", refused.conflicts[0].cause);
        assert_eq!(behind.client.packs().await.expect("lists")[0].former, None);
        // What was received stays, and any version can be read again.
        let former = behind.client.pack(&"essai".parse().expect("a code"), Some("1.0.0")).await.expect("gives");
        let files = former.verify(behind.hub_keys()).expect("signed by the hub");
        assert_eq!(files.version, "1.0.0");
        let never = behind.client.pack(&"essai".parse().expect("a code"), Some("1.5.0")).await;
        assert_eq!(reason(never), "PACK_UNKNOWN");
    }
}

#[tokio::test]
async fn hubs_on_one_database_know_at_once_what_one_of_them_published() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let (folder, config) = (stage.hub.folder().clone(), stage.hub.config().clone());
        // It brings the former version with its program, and must not go back to it.
        let second = Hub::open_with(folder, config, vec![pack()], world(&stage.clock, 9)).await.expect("opens");
        publish(&second, pack_asking("2.0.0", "decision = 'refus'"), None).await;
        assert_eq!(node.client.packs().await.expect("lists")[0].version, "2.0.0");
        let listed = second.packs().await.expect("reads");
        assert_eq!(listed.all().map(|one| one.pack.version().to_owned()).collect::<Vec<_>>(), ["2.0.0"]);
        second.close().await;
        let (folder, config) = (stage.hub.folder().clone(), stage.hub.config().clone());
        let third = Hub::open_with(folder, config, vec![pack()], world(&stage.clock, 9)).await.expect("opens");
        assert_eq!(node.client.packs().await.expect("lists")[0].version, "2.0.0");
        third.close().await;
    }
}

#[tokio::test]
async fn whoever_listens_is_told_at_once_and_let_go_when_the_hub_closes() {
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    let mut watch = node.client.watch_packs().await.expect("listens");
    let versions = |told: Option<Vec<wire::client::PackSummary>>| -> Vec<String> {
        told.expect("still open").into_iter().map(|pack| pack.version).collect()
    };
    assert_eq!(versions(watch.next().await.expect("told")), ["1.0.0"]);
    publish(&stage.hub, pack_asking("2.0.0", "decision = 'refus'"), None).await;
    assert_eq!(versions(watch.next().await.expect("told")), ["2.0.0"]);
    stage.halt().await;
    // Told in peace, or by the connection that ends.
    assert!(watch.next().await.map_or(true, |told| told.is_none()));
}
