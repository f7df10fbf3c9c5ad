//! Who sees what: by whom a slice is shared, what the policy shows, how many stand behind a group.

mod intruder;

use std::fs;
use std::time::Duration;

use model::Audience::{Coordinators, Members, Partners};
use model::{Audience, Clock as _, Key, Slice};
use statistics::{Reading, Silence};
use wire::pb::comparison::v1 as pb;

use super::figures::*;
use super::stage::*;
use crate::access::Credentials;
use crate::compare::{Comparison, Question, ask_for_profile, ask_through};
use crate::profile::ProfileQuestion;
use crate::visibility::Showing;

/// Seven communes, so that there are thirds.
const CODES: [&str; 7] = ["93001", "93005", "93006", "93007", "93008", "93010", "93013"];

/// 130 requests and a few more, so that every commune has another figure and none is small.
fn counts(number: usize, version: usize) -> Counts {
    let more = i64::try_from(number * 7 + version * 50).expect("small");
    [(40 + more, 10), (20, 10), (30, 20)]
}

/// The `nth` document of a commune.
fn id(number: usize, nth: u8) -> u8 {
    u8::try_from(number).expect("small") * 30 + nth + 1
}

fn slice(code: &str) -> Slice {
    received(&pack(), code, "2025", PLAIN, &[]).slice
}

async fn ask(node: &Node, indicator: &str) -> Comparison {
    let question = Question {
        indicator: indicator.parse().expect("a code"),
        period: "2025".parse().expect("a period"),
        key: Key::total(),
        pack: None,
    };
    ask_through(&node.client, &question).await.expect("compares")
}

/// Communes that sent their figures; each of `sharing` said that members may see them.
async fn department(stage: &Stage, sharing: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (number, code) in CODES.into_iter().enumerate() {
        let node = stage.join(code).await;
        node.submit(id(number, 0), &[received(&pack(), code, "2025", counts(number, 0), &[])]).await.expect("accepted");
        if number < sharing {
            node.share(id(number, 1), [slice(code)], &[Coordinators, Members]).await.expect("accepted");
        }
        nodes.push(node);
    }
    nodes
}

fn own(comparison: &Comparison) -> Vec<(&str, Reading)> {
    comparison.communes.iter().map(|row| (row.territory.as_str(), row.value.reading)).collect()
}

fn of_group(comparison: &Comparison) -> (u32, Reading, &str) {
    let group = &comparison.group;
    (group.communes, group.value.reading, group.reason.as_deref().unwrap_or_default())
}

fn policy(stage: &Stage, text: &str) {
    fs::write(stage.hub.folder().visibility(), text).expect("written");
}

#[tokio::test]
async fn a_commune_sees_itself_and_nothing_of_the_others_until_they_say_so() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let nodes = department(&stage, 0).await;
        let seen = ask(&nodes[2], "demandes").await;
        assert_eq!(own(&seen), [("93006", Reading::Value(144.0))]);
        assert_eq!(seen.others, Showing::Nothing);
        assert_eq!(seen.spread, None);
        let (communes, value, reason) = of_group(&seen);
        assert_eq!((communes, value), (0, Reading::Silence(Silence::NotShown)));
        assert!(reason.contains("Moins de quatre communes"), "{reason}");
    }
}

#[tokio::test]
async fn a_group_is_shown_to_the_four_or_more_that_make_it_and_to_nobody_else() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 3).await;
    assert!(of_group(&ask(&nodes[0], "demandes").await).2.contains("Moins de quatre"));
    nodes[3].share(id(3, 1), [slice(CODES[3])], &[Coordinators, Members]).await.expect("accepted");
    let seen = ask(&nodes[0], "demandes").await;
    assert_eq!(own(&seen).len(), 1);
    // 130 each, and 0 + 7 + 14 + 21.
    assert_eq!(of_group(&seen), (4, Reading::Value(562.0), ""));
    let reason = ask(&nodes[5], "demandes").await.group.reason.expect("refused");
    assert!(reason.contains("partagez ce tableau"), "{reason}");
    let ratio = ask(&nodes[0], "taux").await;
    assert_eq!(of_group(&ratio).0, 4);
    assert!(ratio.group.numerator.is_some() && ratio.communes[0].difference.is_some());
}

#[tokio::test]
async fn who_says_no_to_the_coordination_is_not_shown_there_either() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let nodes = department(&stage, 0).await;
        let coordination = stage.coordinator().await;
        let question =
            || pb::CompareRequest { indicator: "demandes".into(), period: "2025".into(), ..Default::default() };
        let before = coordination.compare(question()).await.expect("compares");
        assert_eq!(before.group.expect("a group").communes, 7);
        nodes[6].share(id(6, 2), [slice(CODES[6])], &[Partners]).await.expect("accepted");
        let after = coordination.compare(question()).await.expect("compares");
        let row = after.communes.iter().find(|row| row.territory == CODES[6]).expect("its row");
        let value = row.value.expect("a reading");
        assert_eq!(value.content, Some(pb::reading::Content::Silence(i32::from(pb::Silence::NotShared))));
        assert_eq!(after.group.expect("a group").communes, 6);
        nodes[6].share(id(6, 3), [slice(CODES[6])], &[Coordinators]).await.expect("accepted");
        let again = coordination.compare(question()).await.expect("compares");
        assert_eq!(again.group.expect("a group").communes, 7);
    }
}

#[tokio::test]
async fn a_newcomer_waits_until_others_come_and_the_group_of_before_stays() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 4).await;
    assert_eq!(of_group(&ask(&nodes[0], "demandes").await), (4, Reading::Value(562.0), ""));
    nodes[4].share(id(4, 1), [slice(CODES[4])], &[Coordinators, Members]).await.expect("accepted");
    let seen = ask(&nodes[0], "demandes").await;
    assert_eq!(of_group(&seen), (4, Reading::Value(562.0), ""), "the fifth is not the difference of two groups");
    assert!(seen.group.name.contains("état du"), "{}", seen.group.name);
    let reason = ask(&nodes[4], "demandes").await.group.reason.expect("refused");
    assert!(reason.contains("vient de rejoindre"), "{reason}");
    // A correction is a difference too.
    let corrected = received(&pack(), CODES[1], "2025", counts(1, 1), &[]);
    nodes[1].submit(id(1, 2), &[corrected]).await.expect("accepted");
    assert_eq!(of_group(&ask(&nodes[0], "demandes").await), (4, Reading::Value(562.0), ""));
    assert_eq!(own(&ask(&nodes[1], "demandes").await), [(CODES[1], Reading::Value(187.0))], "its own is of today");
    // With one corrected and three newcomers, four communes differ.
    for number in [5, 6] {
        nodes[number].share(id(number, 1), [slice(CODES[number])], &[Coordinators, Members]).await.expect("accepted");
    }
    let seen = ask(&nodes[4], "demandes").await;
    // 130 each, 7 × (0 + … + 6), and the correction's 50.
    assert_eq!(of_group(&seen), (7, Reading::Value(1107.0), ""));
    assert!(!seen.group.name.contains("état du"));
}

#[tokio::test]
async fn who_leaves_is_not_shown_any_more_nor_found_by_subtraction() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 5).await;
    assert_eq!(of_group(&ask(&nodes[0], "demandes").await).0, 5);
    nodes[4].share(id(4, 2), [slice(CODES[4])], &[Coordinators]).await.expect("accepted");
    let reason = "Trop peu de communes";
    let seen = ask(&nodes[0], "demandes").await;
    assert_eq!((of_group(&seen).0, of_group(&seen).1), (0, Reading::Silence(Silence::NotShown)));
    assert!(of_group(&seen).2.contains(reason), "{:?}", of_group(&seen));
    // It comes back: the group that was shown may be shown again.
    nodes[4].share(id(4, 3), [slice(CODES[4])], &[Coordinators, Members]).await.expect("accepted");
    assert_eq!(of_group(&ask(&nodes[0], "demandes").await).0, 5);
    // Taken back, sent again: who may see it is said anew.
    nodes[4].withdraw(id(4, 4), [slice(CODES[4])].into()).await.expect("accepted");
    nodes[4].submit(id(4, 5), &[received(&pack(), CODES[4], "2025", counts(4, 1), &[])]).await.expect("accepted");
    assert!(of_group(&ask(&nodes[0], "demandes").await).2.contains(reason));
    assert!(ask(&nodes[4], "demandes").await.group.reason.expect("refused").contains("Trop peu"));
}

#[tokio::test]
async fn a_group_in_which_one_commune_is_nearly_all_is_not_shown() {
    let stage = Stage::new().await;
    for (number, code) in CODES.into_iter().take(4).enumerate() {
        let node = stage.join(code).await;
        let figures = if number == 0 { [(1700, 900), (20, 10), (30, 20)] } else { counts(number, 0) };
        node.submit(id(number, 0), &[received(&pack(), code, "2025", figures, &[])]).await.expect("accepted");
        node.share(id(number, 1), [slice(code)], &[Members]).await.expect("accepted");
        if number == 3 {
            let seen = ask(&node, "demandes").await;
            assert_eq!(of_group(&seen).1, Reading::Silence(Silence::NotShown));
            assert!(of_group(&seen).2.contains("85 %"), "{:?}", of_group(&seen));
            let ratio = ask(&node, "taux").await;
            assert!(of_group(&ratio).2.contains("85 %"), "either term would say it");
        }
    }
}

#[tokio::test]
async fn the_policy_shows_positions_or_names_where_the_partnership_decided_so() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 6).await;
    policy(&stage, "[[rule]]\naudience = \"members\"\nshows = \"bands\"\n");
    let seen = ask(&nodes[5], "taux").await;
    assert_eq!((own(&seen).len(), seen.others), (1, Showing::Bands));
    let spread = seen.spread.as_ref().expect("thirds");
    assert_eq!((spread.bands, spread.communes, spread.quartiles), (3, 6, None), "the ends are somebody's");
    let bands = seen.communes[0].bands.expect("a band");
    assert_eq!((bands.lowest, bands.highest), (3, 3), "the most accords");
    policy(
        &stage,
        "[[rule]]\naudience = \"members\"\nshows = \"bands\"\n[[rule]]\naudience = \"members\"\nshows = \"named\"\npack = \"essai\"\n[[rule]]\naudience = \"coordinators\"\nshows = \"nothing\"\npack = \"essai\"\n",
    );
    let seen = ask(&nodes[0], "demandes").await;
    assert_eq!((own(&seen).len(), seen.others), (6, Showing::Named), "the seventh does not share");
    assert!(seen.communes.iter().all(|row| row.territory.as_str() != CODES[6]));
    let question = pb::CompareRequest { indicator: "demandes".into(), period: "2025".into(), ..Default::default() };
    let answer = stage.coordinator().await.compare(question).await.expect("compares");
    assert!(answer.communes.is_empty());
    assert_eq!(answer.group.expect("a group").communes, 7);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_shows_nothing_at_all() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 0).await;
    for (text, told) in [
        ("[[rule]]\naudience = \"members\"\nshows = \"everything\"\n", "ligne 3"),
        ("[[rule]]\naudience = \"voisins\"\nshows = \"bands\"\n", "ligne 2"),
        ("[[rule]]\naudience = \"members\"\nshows = \"bands\"\npack = \"autre\"\n", "« autre »"),
        ("[[rule]]\naudience = \"members\"\nshows = \"bands\"\ntable = \"demandes\"\n", "demandent « pack »"),
        (
            "[[rule]]\naudience = \"members\"\nshows = \"bands\"\n[[rule]]\naudience = \"members\"\nshows = \"named\"\n",
            "n° 2",
        ),
    ] {
        policy(&stage, text);
        let question = pb::CompareRequest { indicator: "demandes".into(), period: "2025".into(), ..Default::default() };
        let refused = refusal(nodes[0].client.compare(question).await);
        assert_eq!(refused.reason, "VISIBILITY");
        assert!(refused.message.contains(told), "{text}: {}", refused.message);
    }
}

#[tokio::test]
async fn only_its_commune_may_say_who_sees_a_slice() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 0).await;
    assert_eq!(reason(nodes[0].share(id(0, 9), [slice(CODES[1])], &[]).await), "TERRITORY_NOT_YOURS");
    let everybody: Vec<Audience> = Audience::ALL.to_vec();
    let accepted = nodes[0].share(id(0, 10), [slice(CODES[0])], &everybody).await.expect("accepted");
    let receipt = accepted.receipt.verify(nodes[0].hub_keys()).expect("the hub's");
    assert_eq!(receipt.kind, wire::document::ReceiptKind::Sharing);
    assert_eq!(receipt.links[&nodes[0].commune].sequence, 2);
    let again = nodes[0].share(id(0, 10), [slice(CODES[0])], &everybody).await.expect("repeated");
    assert!(again.already_received);
    let stranger = stage.stranger().await;
    let question = pb::CompareRequest { indicator: "demandes".into(), period: "2025".into(), ..Default::default() };
    assert_eq!(reason(stranger.compare(question).await), "CERTIFICATE_REQUIRED");
}

async fn as_partner(stage: &Stage, credentials: &Credentials) -> wire::client::HubClient {
    credentials.connect(stage.shared_clock()).await.expect("connects")
}

#[tokio::test]
async fn a_partner_sees_what_is_shared_with_partners_until_its_day() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let nodes = department(&stage, 7).await;
        let until = stage.clock.now().plus(Duration::from_hours(24 * 30));
        let name = "universite".parse().expect("a code");
        let credentials = stage.hub.add_partner(&name, "Observatoire social", until).await.expect("an access");
        let partner = as_partner(&stage, &credentials).await;
        let question =
            || pb::CompareRequest { indicator: "demandes".into(), period: "2025".into(), ..Default::default() };
        let seen = partner.compare(question()).await.expect("compares");
        assert!(seen.communes.is_empty());
        assert!(seen.group.expect("a group").reason.contains("les partenaires"), "members are not partners");
        for (number, node) in nodes.iter().enumerate().take(5) {
            node.share(id(number, 6), [slice(CODES[number])], &[Coordinators, Partners]).await.expect("accepted");
        }
        let seen = partner.compare(question()).await.expect("compares");
        assert!(seen.communes.is_empty(), "named by no rule");
        assert_eq!(seen.group.expect("a group").communes, 5);
        policy(&stage, "[[rule]]\naudience = \"partners\"\nshows = \"named\"\n");
        assert_eq!(partner.compare(question()).await.expect("compares").communes.len(), 5);
        assert_eq!(reason(partner.list(nodes[0].commune, 0).await), "NODES_ONLY");

        stage.clock.advance(Duration::from_hours(24 * 30 + 1));
        assert_eq!(stage.hub.partners().await.expect("reads").len(), 1);
        assert_eq!(reason(partner.compare(question()).await), "PARTNER_ENDED", "on the connection at hand too");
    }
}

#[tokio::test]
async fn an_access_of_a_partner_has_a_purpose_and_an_end_and_is_taken_away_at_once() {
    let stage = Stage::new().await;
    let name = "universite".parse().expect("a code");
    let now = stage.clock.now();
    let day = |days: u64| now.plus(Duration::from_hours(24 * days));
    for (purpose, until, refused) in [
        (" ", day(30), "PARTNER_PURPOSE"),
        ("deux\nlignes", day(30), "PARTNER_PURPOSE"),
        ("Observatoire", now, "PARTNER_END"),
        ("Observatoire", day(6 * 366), "PARTNER_END"),
    ] {
        let answer = stage.hub.add_partner(&name, purpose, until).await;
        assert_eq!(answer.expect_err("refused").reason, refused);
    }
    let credentials = stage.hub.add_partner(&name, "Observatoire", day(30)).await.expect("an access");
    let again = stage.hub.add_partner(&name, "Observatoire", day(30)).await.expect_err("its folder waits");
    assert_eq!(again.reason, "ACCESS_EXISTS");
    let partner = as_partner(&stage, &credentials).await;
    partner.packs().await.expect("definitions are everybody's");
    assert!(stage.hub.revoke_partner(&name).await.expect("revokes"));
    assert_eq!(reason(partner.packs().await), "PARTNER_REVOKED");
    assert!(!stage.hub.revoke_partner(&name).await.expect("answers"), "once");
    let told = stage.hub.journal(100).await.expect("reads");
    let french: Vec<&str> =
        told.iter().map(|line| line.what.as_str()).filter(|what| what.contains("partenaire")).collect();
    assert_eq!(french.len(), 2, "{french:?}");
    assert!(french[0].contains("ouvert") && french[1].contains("retiré"), "{french:?}");
}

async fn profile(node: &Node, territory: &str) -> Result<crate::profile::Profile, model::Failure> {
    let wanted = ProfileQuestion {
        territory: territory.parse().expect("a code"),
        pack: "essai".parse().expect("a code"),
        period: "2025".parse().expect("a period"),
    };
    ask_for_profile(&node.client, &wanted).await
}

#[tokio::test]
async fn a_profile_says_of_each_indicator_what_its_comparison_says_and_of_nobody_else() {
    let stage = Stage::new().await;
    let nodes = department(&stage, 6).await;
    let of_itself = profile(&nodes[0], CODES[0]).await.expect("its own");
    let indicators: Vec<&str> = of_itself.comparisons.iter().map(|one| one.heading.indicator.as_str()).collect();
    assert_eq!(indicators, ["demandes", "accords", "taux", "menages"], "the pack's order");
    for comparison in &of_itself.comparisons {
        assert_eq!(*comparison, ask(&nodes[0], comparison.heading.indicator.as_str()).await);
    }
    let refused = profile(&nodes[0], CODES[1]).await.expect_err("not shown by name");
    assert!(refused.message.contains("ne les partage pas"), "{refused:?}");
    let absent = profile(&nodes[0], "93066").await.expect_err("never sent");
    assert_eq!(refused.reason, absent.reason, "which of the two is not said");
    policy(&stage, "[[rule]]\naudience = \"members\"\nshows = \"named\"\n");
    let of_another = profile(&nodes[0], CODES[1]).await.expect("shown by name");
    for comparison in &of_another.comparisons {
        assert_eq!(own(comparison).len(), 1);
        assert_eq!(own(comparison)[0].0, CODES[1]);
    }
    assert!(of_another.comparisons[2].spread.as_ref().is_some_and(|spread| spread.quartiles.is_some()));
    profile(&nodes[0], CODES[6]).await.expect_err("it shares with nobody");
}

/// Whoever holds two of four communes would read the other two together.
#[tokio::test]
async fn communes_of_one_node_count_once() {
    let stage = Stage::new().await;
    let both = stage.join_with(CODES[0], &[CODES[1]]).await;
    for (number, code) in CODES.into_iter().take(2).enumerate() {
        both.submit(id(number, 0), &[received(&pack(), code, "2025", counts(number, 0), &[])]).await.expect("accepted");
        both.share(id(number, 1), [slice(code)], &[Members]).await.expect("accepted");
    }
    let mut last = None;
    for (number, code) in CODES.into_iter().enumerate().take(5).skip(2) {
        if number == 4 {
            assert_eq!(
                of_group(&ask(&both, "demandes").await).1,
                Reading::Silence(Silence::NotShown),
                "four, but three"
            );
        }
        let node = stage.join(code).await;
        node.submit(id(number, 0), &[received(&pack(), code, "2025", counts(number, 0), &[])]).await.expect("accepted");
        node.share(id(number, 1), [slice(code)], &[Members]).await.expect("accepted");
        last = Some(node);
    }
    let node = last.expect("three more");
    assert_eq!(of_group(&ask(&node, "demandes").await).0, 5);
    assert_eq!(own(&ask(&both, "demandes").await).len(), 2, "both are its own");
}
