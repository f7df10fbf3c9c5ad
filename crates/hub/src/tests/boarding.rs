//! The campaign board: who is late, who is stuck, why; and that nothing of it is a figure.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Timestamp;

use super::figures::*;
use super::stage::*;
use crate::board::{Board, Fixer, Holds, Need, Order, Post, Row};

const DAY: Duration = Duration::from_hours(24);
/// The stage's clock begins on 5 January 2026.
const CAMPAIGN: &str = r#"
title = "Campagne d'essai"
due = 2026-01-15
communes = ["93001", "93008", "93031", "93048", "93055", "93066", "93070"]
[[expected]]
pack = "essai"
periods = ["2025"]
"#;
/// Refusals of quarter B follow from what is visible: three, below the threshold of five.
const REVEALING: Counts = [(40, 10), (20, 3), (30, 20)];

fn declare(stage: &Stage, text: &str) {
    std::fs::write(stage.hub.folder().campaign(), text).expect("writes");
}

fn row<'a>(board: &'a Board, code: &str) -> &'a Row {
    board.rows.iter().find(|row| row.territory == commune(code)).expect("a row")
}

fn needs(board: &Board, code: &str) -> Vec<Need> {
    row(board, code).needs(board.at)
}

#[tokio::test]
async fn every_commune_stands_where_it_is() {
    for database in databases() {
        let stage = Stage::on(database).await;
        declare(&stage, CAMPAIGN);
        let sent = stage.join("93066").await;
        let hidden =
            received(&pack(), "93066", "2025", [(40, 10), (3, 10), (30, 20)], &[("accords", "A"), ("accords", "B")]);
        sent.submit(1, &[hidden]).await.expect("accepted");
        stage.join("93001").await;
        let gone = stage.join("93048").await;
        let taken = received(&pack(), "93048", "2025", PLAIN, &[]);
        gone.submit(2, std::slice::from_ref(&taken)).await.expect("accepted");
        gone.withdraw(3, BTreeSet::from([taken.slice])).await.expect("takes back");
        stage.hub.invite(commune("93031"), &[]).await.expect("invites");
        stage.join("93008").await;
        assert!(stage.hub.revoke_node(commune("93008")).await.expect("revokes"));
        let uncalled = stage.join("93010").await;
        uncalled.submit(4, &[received(&pack(), "93010", "2025", PLAIN, &[])]).await.expect("accepted");

        let before = stage.hub.board().await.expect("a board");
        assert_eq!(before.count(|cell| cell.holds == Holds::Awaited), 5, "nobody is late before the date");
        let names: Vec<&str> = before.rows.iter().map(|row| row.name.as_str()).collect();
        let alphabetical = [
            "Aubervilliers",
            "Bobigny",
            "Bondy",
            "Épinay-sur-Seine",
            "Montreuil",
            "Pantin",
            "Saint-Denis",
            "Saint-Ouen-sur-Seine",
        ];
        assert_eq!(names, alphabetical);

        stage.clock.advance(DAY * 11);
        let board = stage.hub.board().await.expect("a board");
        let Holds::Received { hidden, cells, comparable, ref pack_version, .. } = row(&board, "93066").cells[0].holds
        else {
            panic!("{:?}", row(&board, "93066"));
        };
        assert_eq!((hidden, cells, comparable, pack_version.as_str()), (2, 9, true, "1.0.0"));
        assert_eq!(needs(&board, "93066"), []);
        assert_eq!(needs(&board, "93001"), [Need::Late(1)]);
        assert!(matches!(row(&board, "93048").cells[0].holds, Holds::Withdrawn { .. }));
        assert!(matches!(row(&board, "93031").post, Post::Invited { .. }));
        assert_eq!(needs(&board, "93031"), [Need::Late(1), Need::NotJoined]);
        assert_eq!(needs(&board, "93055"), [Need::Late(1), Need::NeverInvited]);
        assert_eq!(needs(&board, "93008"), [Need::Late(1), Need::Revoked]);
        // Nobody asked Bondy, and what it sent is shown all the same.
        assert!(!row(&board, "93010").expected && needs(&board, "93010").is_empty());
        assert_eq!(row(&board, "93010").received(), 1);

        stage.clock.advance(DAY * 11);
        let later = stage.hub.board().await.expect("a board");
        assert_eq!(needs(&later, "93066"), [Need::CertificateEndsSoon]);
        stage.clock.advance(DAY * 11);
        let later = stage.hub.board().await.expect("a board");
        assert_eq!(needs(&later, "93066"), [Need::CertificateExpired]);
        assert_eq!(needs(&later, "93031"), [Need::Late(1), Need::InvitationExpired]);
    }
}

#[tokio::test]
async fn a_refusal_stays_on_the_board_until_something_newer_is_accepted() {
    for database in databases() {
        let stage = Stage::on(database).await;
        declare(&stage, CAMPAIGN);
        let node = stage.join("93066").await;
        let bad = received(&pack(), "93066", "2025", REVEALING, &[]);
        assert_eq!(reason(node.submit(1, std::slice::from_ref(&bad)).await), "DISCLOSURE_CONFLICT");
        assert_eq!(reason(node.submit(1, &[bad]).await), "DISCLOSURE_CONFLICT");
        let future = received(&pack(), "93066", "2031", PLAIN, &[]);
        assert_eq!(reason(node.submit(2, &[future]).await), "PERIOD_NOT_POSSIBLE");
        assert_eq!(reason(node.send(b"nothing").await), "DOCUMENT_MALFORMED");

        let board = stage.hub.board().await.expect("a board");
        let saint_denis = row(&board, "93066");
        let refused = saint_denis.cells[0].refused.as_ref().expect("refused");
        assert_eq!(
            (refused.times, refused.fixer, refused.why.as_str()),
            (2, Fixer::Support, "protection insuffisante")
        );
        assert!(refused.message.starts_with("Envoi refusé en entier"), "{}", refused.message);
        let elsewhere: Vec<(&str, usize)> =
            saint_denis.refused_elsewhere.iter().map(|one| (one.why.as_str(), one.slices.len())).collect();
        assert_eq!(elsewhere.len(), 2);
        assert!(elsewhere.contains(&("période qui n’a pas commencé", 1)));
        assert!(elsewhere.contains(&("document illisible ou inattendu", 0)));
        assert_eq!(needs(&board, "93066"), [Need::Refused(3)]);

        // An accepted dry run of the same slice: the commune is no longer stuck, although nothing was received yet. The
        // clock went back meanwhile, which changes nothing.
        stage.clock.set(Timestamp::from_micros(1_767_599_000_000_000));
        let good = received(&pack(), "93066", "2025", PLAIN, &[]);
        node.check(3, std::slice::from_ref(&good)).await.expect("accepted");
        let board = stage.hub.board().await.expect("a board");
        let cell = &row(&board, "93066").cells[0];
        assert_eq!((cell.refused.as_ref(), &cell.holds), (None, &Holds::Awaited));
        // What could not be read is settled by whatever was read since; the wrong year is not.
        assert_eq!(needs(&board, "93066"), [Need::Refused(1)]);

        node.submit(4, &[good]).await.expect("accepted");
        assert_eq!(
            reason(node.submit(5, &[received(&pack(), "93066", "2025", REVEALING, &[])]).await),
            "DISCLOSURE_CONFLICT"
        );
        let board = stage.hub.board().await.expect("a board");
        let cell = &row(&board, "93066").cells[0];
        assert!(cell.refused.is_some() && matches!(cell.holds, Holds::Received { .. }), "a correction was refused");
        let journal = stage.hub.store().refusals().await.expect("reads");
        assert_eq!(journal.len(), 4, "the journal forgets nothing");
    }
}

#[tokio::test]
async fn a_refused_withdrawal_of_nothing_asks_nothing_and_one_of_figures_does() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let other = stage.join("93001").await;
    let figures = received(&pack(), "93066", "2025", PLAIN, &[]);
    let slices = BTreeSet::from([figures.slice.clone()]);
    assert_eq!(reason(node.withdraw(1, slices.clone()).await), "SLICE_NOT_PRESENT");
    let board = stage.hub.board().await.expect("a board");
    assert_eq!(needs(&board, "93066"), []);
    node.submit(2, &[figures]).await.expect("accepted");
    assert_eq!(reason(other.withdraw(3, slices).await), "TERRITORY_NOT_YOURS");
    let board = stage.hub.board().await.expect("a board");
    // It is in the row of whoever tried, not of the commune whose figures they are.
    assert_eq!(needs(&board, "93066"), []);
    assert!(row(&board, "93066").cells[0].refused.is_none());
    assert_ne!(needs(&board, "93001"), []);
}

#[tokio::test]
async fn without_a_campaign_what_somebody_sent_is_expected_of_whoever_was_invited() {
    let stage = Stage::new().await;
    let board = stage.hub.board().await.expect("a board");
    assert_eq!((board.rows.len(), board.declared, board.columns.len()), (0, false, 0));
    let node = stage.join("93066").await;
    stage.join("93001").await;
    node.submit(1, &[received(&pack(), "93066", "2024-Q4", PLAIN, &[])]).await.expect("accepted");
    let board = stage.hub.board().await.expect("a board");
    assert_eq!(board.columns[0].period.to_string(), "2024-Q4");
    assert_eq!(board.due, None);
    assert_eq!(row(&board, "93001").cells[0].holds, Holds::Awaited);
}

#[tokio::test]
async fn a_campaign_that_does_not_read_is_named_with_its_cause() {
    let stage = Stage::new().await;
    for (text, cause) in [
        ("titre = 'x'", "titre"),
        ("title = 'x'\ndue = '15/01/2026'\n[[expected]]\npack = 'essai'\nperiods = ['2025']", "2026-12-15"),
        ("title = 'x'\n[[expected]]\npack = 'autre'\nperiods = ['2025']", "autre"),
        ("title = 'x'\n[[expected]]\npack = 'essai'\ntables = ['rien']\nperiods = ['2025']", "rien"),
        ("title = 'x'\n[[expected]]\npack = 'essai'\nperiods = ['25']", "25"),
    ] {
        declare(&stage, text);
        let refused = stage.hub.board().await.expect_err("refused");
        assert_eq!(refused.reason, "CAMPAIGN");
        assert!(refused.message.contains(cause) && refused.message.contains("campaign.toml"), "{}", refused.message);
    }
}

#[tokio::test]
async fn orders_put_those_first_whom_somebody_must_call() {
    let stage = Stage::new().await;
    declare(&stage, CAMPAIGN);
    stage.join("93001").await;
    stage.clock.advance(DAY * 5);
    let stuck = stage.join("93066").await;
    stage.clock.advance(DAY * 5);
    assert_eq!(reason(stuck.submit(1, &[received(&pack(), "93066", "2031", PLAIN, &[])]).await), "PERIOD_NOT_POSSIBLE");
    let mut board = stage.hub.board().await.expect("a board");
    let mut first = |order: Order| {
        board.sort(order);
        board.rows.iter().map(|row| row.territory.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(first(Order::Urgency)[0], "93066");
    assert_eq!(first(Order::Certificate)[..2], ["93001", "93066"]);
    assert_eq!(first(Order::Contact).last().map(String::as_str), Some("93066"));
    assert_eq!(first(Order::Name)[0], "93001");
}
