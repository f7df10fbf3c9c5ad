//! Who gets in, who may do what, and until when.

use std::time::Duration;

use wire::client::{ClientError, HubClient};
use wire::document::Purpose;
use wire::identity::Identity;
use wire::invitation::Invitation;
use wire::pb::comparison::v1::CompareRequest;
use wire::pb::methodology::v1::ListPacksRequest;
use wire::pb::methodology::v1::methodology_service_client::MethodologyServiceClient;
use wire::tls::ClientTls;

use super::figures::*;
use super::stage::*;
use crate::board::Holds;

const DAY: Duration = Duration::from_hours(24);

fn question() -> CompareRequest {
    CompareRequest { indicator: "demandes".into(), period: "2025".into(), key: vec![], pack: String::new() }
}

#[tokio::test]
async fn every_method_is_kept_for_its_callers() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let document = node.document(1, Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
    let signature = node.signing.sign(&document);

    let stranger = stage.stranger().await;
    assert_eq!(reason(stranger.submit(&document, &signature).await), "CERTIFICATE_REQUIRED");
    assert_eq!(reason(stranger.list(node.commune, 0).await), "CERTIFICATE_REQUIRED");
    assert_eq!(reason(stranger.packs().await), "CERTIFICATE_REQUIRED");
    assert_eq!(reason(stranger.compare(question()).await), "CERTIFICATE_REQUIRED");

    let coordinator = stage.coordinator().await;
    assert_eq!(reason(coordinator.submit(&document, &signature).await), "NODES_ONLY");
    assert_eq!(reason(coordinator.list(node.commune, 0).await), "NODES_ONLY");
    coordinator.packs().await.expect("a coordinator may read packs");
    coordinator.compare(question()).await.expect("a coordinator may compare");

    node.client.compare(question()).await.expect("a node may compare, as far as others let it");
    node.client.packs().await.expect("a node may read packs");
    let other = stage.join("93001").await;
    assert_eq!(reason(other.client.list(node.commune, 0).await), "TERRITORY_NOT_YOURS");
}

#[tokio::test]
async fn an_invitation_serves_once_and_a_newer_one_ends_the_node_at_once() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let invited = stage.hub.invite(commune("93066"), &[]).await.expect("invites");
        assert_eq!(invited.notice(), None);
        let first = invited.invitation;
        let node = Node::join(&stage, &first).await.expect("joins");
        assert_eq!(node.membership.provider(), Some(commune("93066")));
        assert_eq!(reason(Node::join(&stage, &first).await.map(drop)), "INVITATION_SPENT");
        node.client.packs().await.expect("is in");

        let invited = stage.hub.invite(commune("93066"), &[]).await.expect("invites again");
        assert!(invited.notice().expect("something ended").contains("révoqué"), "{:?}", invited.notice());
        assert_eq!(reason(node.client.packs().await), "NODE_REVOKED", "on the connection it has");
        assert_eq!(reason(stage.stranger().await.renew(&node.key).await), "NODE_REVOKED");
        let third = stage.hub.invite(commune("93066"), &[]).await.expect("invites again");
        assert!(third.notice().expect("something ended").contains("ne vaut plus"));
        assert_eq!(reason(Node::join(&stage, &invited.invitation).await.map(drop)), "INVITATION_REVOKED");

        stage.clock.advance(DAY * 15);
        assert_eq!(reason(Node::join(&stage, &third.invitation).await.map(drop)), "INVITATION_EXPIRED");
        let invented = Invitation { token: model::InvitationToken::from_bytes([5; 32]), ..third.invitation };
        assert_eq!(reason(Node::join(&stage, &invented).await.map(drop)), "INVITATION_UNKNOWN");
    }
}

#[tokio::test]
async fn two_who_spend_one_invitation_at_once_do_not_both_get_in() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let invited = stage.hub.invite(commune("93066"), &[]).await.expect("invites").invitation;
        let (one, two) = tokio::join!(Node::join(&stage, &invited), Node::join(&stage, &invited));
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        let refused = [one.map(drop), two.map(drop)].into_iter().find(Result::is_err).expect("one of them");
        assert_eq!(reason(refused), "INVITATION_SPENT");
    }
}

#[tokio::test]
async fn a_former_commune_is_not_invited_but_its_successor_may_correct_it() {
    let stage = Stage::new().await;
    let refused = stage.hub.invite(commune("93059"), &[]).await.expect_err("no longer there");
    assert_eq!(refused.reason, "TERRITORY_CEASED");
    assert!(refused.message.contains("93066"), "{}", refused.message);
    let node = stage.join("93066").await;
    assert_eq!(node.membership.territories, [commune("93066"), commune("93059")]);
    node.submit(1, &[received(&pack(), "93059", "2024", PLAIN, &[])]).await.expect("as of 2024");
    let late = refusal(node.submit(2, &[received(&pack(), "93059", "2025", PLAIN, &[])]).await);
    assert_eq!((late.reason.as_str(), late.conflicts[0].code.as_str()), ("PERIOD_NOT_POSSIBLE", "TERRITORY_CEASED"));
}

#[tokio::test]
async fn a_provider_may_own_several_territories() {
    let stage = Stage::new().await;
    let node = stage.join_with("93066", &["93001"]).await;
    let both = [received(&pack(), "93001", "2025", PLAIN, &[]), received(&pack(), "93066", "2025", PLAIN, &[])];
    let accepted = node.submit(1, &both).await.expect("both are its own");
    let receipt = accepted.receipt.verify(node.hub_keys()).expect("the hub's");
    assert_eq!(receipt.links.keys().copied().collect::<Vec<_>>(), [commune("93001"), commune("93066")]);
}

/// Until 2026 the two are communes of their own; the file of the hub's folder says what follows, to everybody who asks.
#[tokio::test]
async fn a_merger_of_the_hubs_own_file_counts_for_rights_periods_invitations_and_the_board() {
    let mut stage = Stage::new().await;
    let folder = stage.hub.folder().clone();
    std::fs::write(folder.successions(), "ancienne;nouvelle;depuis\n93001;93005;2026\n93006;93005;2030\n")
        .expect("writes");
    stage.restart(vec![pack()]).await;
    let node = stage.join("93005").await;
    assert_eq!(node.membership.territories, [commune("93005"), commune("93001")], "and nothing of 2030 yet");
    let of = |period: &str| [received(&pack(), "93001", period, PLAIN, &[])];
    node.submit(1, &of("2025")).await.expect("the last year of the former commune");
    let late = refusal(node.submit(2, &of("2026")).await);
    assert_eq!((late.reason.as_str(), late.conflicts[0].code.as_str()), ("PERIOD_NOT_POSSIBLE", "TERRITORY_CEASED"));
    assert!(late.conflicts[0].cure.contains("93005"), "{:?}", late.conflicts);
    let ceased = stage.hub.invite(commune("93001"), &[]).await.expect_err("no commune any more");
    assert_eq!(ceased.reason, "TERRITORY_CEASED");
    stage.hub.invite(commune("93006"), &[]).await.expect("still one");

    let campaign =
        "title = \"ABS\"\ncommunes = [\"93001\"]\n[[expected]]\npack = \"essai\"\nperiods = [\"2025\", \"2026\"]\n";
    std::fs::write(folder.campaign(), campaign).expect("writes");
    let board = stage.hub.board().await.expect("a board");
    let row = board.rows.iter().find(|row| row.territory == commune("93001")).expect("it is expected");
    let of_year = |holds: &dyn Fn(&Holds) -> bool| row.cells.iter().filter(|cell| holds(&cell.holds)).count();
    assert_eq!(of_year(&|holds| matches!(holds, Holds::Received { .. })), 1, "2025: {row:?}");
    assert_eq!(of_year(&|holds| *holds == Holds::NotExpected), 1, "2026 is asked of nobody: {row:?}");
}

/// A document is read whole or not at all: nobody may put into somebody's ledger what they cannot read.
#[tokio::test]
async fn a_document_over_territories_is_refused_while_another_holds_one_of_them() {
    let stage = Stage::new().await;
    let node = stage.join_with("93066", &["93001"]).await;
    let both = [received(&pack(), "93001", "2025", PLAIN, &[]), received(&pack(), "93066", "2025", PLAIN, &[])];
    node.submit(1, &both).await.expect("nobody else holds either");
    let other = stage.hub.invite(commune("93001"), &[]).await.expect("invites").invitation;
    let refused = refusal(node.check(2, &both).await);
    assert_eq!((refused.reason.as_str(), refused.conflicts[0].row.as_str()), ("DOCUMENT_OVER_TERRITORIES", "93001"));
    Node::join(&stage, &other).await.expect("joins");
    assert_eq!(reason(node.submit(3, &both).await), "DOCUMENT_OVER_TERRITORIES");
    let slices = both.iter().map(|received| received.slice.clone()).collect();
    assert_eq!(reason(node.withdraw(4, slices).await), "DOCUMENT_OVER_TERRITORIES");
    node.submit(1, &both).await.expect("what was accepted once is answered for ever");
    for (id, one) in (5..).zip(&both) {
        node.submit(id, std::slice::from_ref(one)).await.expect("one by one");
    }
    assert!(stage.hub.revoke_node(commune("93001")).await.expect("revokes"));
    node.submit(7, &both).await.expect("nobody holds it any more");
    // Whoever holds all of it reads all of it.
    stage.join_with("93010", &["93001", "93066"]).await;
    node.submit(8, &both).await.expect("readable to everybody");
}

#[tokio::test]
async fn a_certificate_ends_and_is_renewed_by_its_key_for_twelve_months() {
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    stage.clock.advance(DAY * 31);
    // On the connection that it has, and on a new one.
    assert_eq!(reason(node.client.packs().await), "CERTIFICATE_EXPIRED");
    let again = Node::connect(&stage, &node.key, &node.membership).await;
    let refused = match again {
        Ok(client) => client.packs().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(matches!(refused, Err(ClientError::Tls(_))), "{refused:?}");

    let renewed = stage.stranger().await.renew(&node.key).await.expect("the key is proven");
    assert_eq!(renewed.territories, node.membership.territories);
    Node::connect(&stage, &node.key, &renewed).await.expect("connects").packs().await.expect("is in again");
    let unknown = stage.stranger().await.renew(&wire::identity::TlsKey::generate()).await;
    assert_eq!(reason(unknown), "NODE_UNKNOWN");

    stage.clock.advance(DAY * (30 + 364));
    let renewed = stage.stranger_at_any_time().await.renew(&node.key).await.expect("within twelve months");
    assert!(renewed.chain.len() > 1);
    stage.clock.advance(DAY * (30 + 367));
    assert_eq!(reason(stage.stranger_at_any_time().await.renew(&node.key).await), "RENEWAL_TOO_LATE");
}

#[tokio::test]
async fn a_method_that_is_for_nobody_is_refused_to_everybody() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let call = async |client: &HubClient| {
        let elsewhere = "https://hub/elsewhere".parse().expect("an address");
        let mut client = MethodologyServiceClient::with_origin(client.channel(), elsewhere);
        let status = client.list_packs(ListPacksRequest {}).await.expect_err("no such method");
        wire::status::from_status(&status).reason
    };
    assert_eq!(call(&node.client).await, "METHOD_UNKNOWN");
    assert_eq!(call(&stage.coordinator().await).await, "METHOD_UNKNOWN");
    // Whoever may ask for nothing is not told what there is.
    assert_eq!(call(&stage.stranger().await).await, "CERTIFICATE_REQUIRED");
}

#[tokio::test]
async fn a_certificate_of_another_authority_opens_nothing() {
    let stage = Stage::new().await;
    let elsewhere = Stage::new().await;
    let node = elsewhere.join("93066").await;
    let identity = Identity::new(std::sync::Arc::clone(&node.key), &node.membership.chain).expect("its own");
    let tls = ClientTls::new(stage.coordinator.authority, Some(&identity), stage.shared_clock()).expect("settings");
    let refused = match HubClient::connect(&tls, &stage.coordinator.address).await {
        Ok(client) => client.packs().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(matches!(refused, Err(ClientError::Tls(_))), "{refused:?}");
}
