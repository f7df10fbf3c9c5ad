//! The coordinator's pages as a browser shows them: what the board knows, readable by everybody, asking nobody else.

pub mod browser;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use hub::board::{Board, Holds};
use model::Key;
use node::Node;
use node::push::Verdict;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, approve, preview, push, put, send, word};
use browser::Browser;

const SOURCE: &str = r#"
[[source]]
pack = "ccas-activite"
table = "aides_facultatives"
period = "2025"
[source.read]
file = "aides.csv"
"#;

/// Long due on the house's clock, 5 January 2026.
const CAMPAIGN: &str = r#"
title = "Campagne d'analyse des besoins sociaux"
due = "2026-01-02"
communes = ["93001", "93008", "93010", "93031", "93048", "93055", "93066"]
[[expected]]
pack = "ccas-activite"
tables = ["aides_facultatives"]
periods = ["2025"]
"#;

/// A page as it travels: status and body.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("the pages' door is open");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", address.port());
    stream.write_all(request.as_bytes()).await.expect("asks");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answers");
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}

/// The address of one comparison.
pub fn comparison(pack: &str, indicator: &str, period: &str, key: &Key) -> String {
    let pairs: Vec<String> = key.iter().map(|(dimension, code)| format!("{dimension}%3D{code}%3B")).collect();
    let place = pairs.concat();
    format!("/comparer?indicateur={pack}%2F{indicator}&periode={period}&place={}", place.replace('+', "%2B"))
}

/// Forty households of each composition with a grant, and `refused` others alone.
fn requests(refused: usize) -> Vec<u8> {
    let mut text = String::from("id_demande;id_menage;type_aide;decision;montant;type_menage;age\n");
    for (n, composition) in ["seul", "couple", "couple_enfants", "monoparental"].into_iter().enumerate() {
        for household in 0..40 {
            let id = n * 1000 + household;
            writeln!(text, "D{id};M{id};energie;accord;120,50;{composition};44").expect("a string takes everything");
        }
    }
    for extra in 0..refused {
        writeln!(text, "R{extra};N{extra};energie;refus;;seul;44").expect("a string takes everything");
    }
    text.into_bytes()
}

/// A campaign with one of everything: received, hidden, late, refused, withdrawn, invited, never invited.
async fn campaign() -> House {
    let house = House::open().await;
    put(house.hub_folder().root(), "campaign.toml", CAMPAIGN.as_bytes());
    for (commune, refused) in [("93066", 60), ("93001", 3), ("93048", 40)] {
        let node = house.commune(commune, SOURCE, &[("aides.csv", &requests(refused))]).await;
        send(&node).await;
        if commune == "93048" {
            take_back(&node).await;
        }
        node.close().await;
    }
    let wrong_year = SOURCE.replace("2025", "2031");
    let node = house.commune("93010", &wrong_year, &[("aides.csv", &requests(0))]).await;
    let seen = preview(&node).await;
    approve(&node, &seen).await;
    assert!(matches!(push(&node).await, Verdict::Refused { .. }));
    node.close().await;
    house.commune("93008", SOURCE, &[]).await.close().await;
    house.hub().invite(word("93031"), &[]).await.expect("an invitation");
    house
}

async fn take_back(node: &Node) {
    node::withdraw::withdraw(node, BTreeSet::from([word("93048/ccas-activite/aides_facultatives/2025")]), "Awa Diallo")
        .await
        .expect("a withdrawal");
    push(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_by_everybody_and_asks_nobody_else() {
    let Some(browser) = Browser::open().await else { return };
    let house = campaign().await;
    let home = format!("http://localhost:{}", house.pages().port());
    let pages = [
        "/",
        "/?tri=urgence&voir=relancer",
        "/comparer",
        "/comparer?indicateur=ccas-activite%2Faidfac_accords_part&periode=2025&place=type_menage%3Dseul",
        "/comparer?indicateur=ccas-activite%2Faidfac_accords_part&periode=2025",
        "/nulle-part",
    ];
    for page in pages {
        browser.screen(1280, 1000, 1).await;
        browser.goto(&format!("{home}{page}")).await;
        let (wrong, passed) = browser.axe().await;
        assert!(wrong.is_empty(), "{page}: {wrong:#?}");
        assert!(passed > 15, "{page}: only {passed} rules found something to look at");
        keyboard(&browser, page).await;
        // A telephone, and a zoom of 200 % and 400 % on a desk.
        for (width, height, density) in [(320, 640, 1), (640, 500, 2), (320, 256, 4)] {
            browser.screen(width, height, density).await;
            let wide =
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
            assert_eq!(wide, 0, "{page} at {width} pixels scrolls sideways");
        }
        let (narrow, _) = browser.axe().await;
        assert!(narrow.is_empty(), "{page} at 320 pixels: {narrow:#?}");
        let said: Vec<String> = browser
            .console()
            .await
            .into_iter()
            .filter(|line| !(page == "/nulle-part" && line.contains("404")))
            .collect();
        assert!(said.is_empty(), "{page}: {said:#?}");
        let asked = browser.requests().await;
        assert!(asked.iter().any(|address| address.ends_with("/style.css")), "{page}: {asked:?}");
        let foreign: Vec<&String> = asked.iter().filter(|address| !address.starts_with(&home)).collect();
        assert!(foreign.is_empty(), "{page}: {foreign:?}");
    }

    // The same looks find what is wrong where something is.
    browser.goto(&home).await;
    browser
        .run("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/favicon.svg\"><a href=\"#x\"></a>')")
        .await;
    let (wrong, _) = browser.axe().await;
    assert!(wrong.iter().any(|one| one.starts_with("image-alt")), "{wrong:?}");
    assert!(wrong.iter().any(|one| one.starts_with("link-name")), "{wrong:?}");
    house.close().await;
}

/// Everything that can be used is reached by the tab key, in the order of the page, and shows that it is.
async fn keyboard(browser: &Browser, page: &str) {
    const ALL: &str =
        "const all = [...document.querySelectorAll('a[href], button, select, summary, [tabindex=\"0\"]')];";
    let count = browser.run(&format!("{ALL} document.activeElement.blur(); return all.length")).await;
    let count = count.as_u64().expect("a number");
    for expected in 0..count {
        browser.press("\u{e004}").await;
        let script = format!(
            "{ALL} const now = document.activeElement; const style = getComputedStyle(now);
             return [all.indexOf(now), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, now.outerHTML.slice(0, 90)]"
        );
        let found = browser.run(&script).await;
        assert_eq!((&found[0], &found[1]), (&expected.into(), &true.into()), "{page}: {found}");
    }
}

/// Words that stand in each cell, as the use-case says.
fn expected(board: &Board) -> Vec<(String, Vec<&'static str>)> {
    let word = |holds: &Holds, refused: bool| match holds {
        Holds::Received { .. } => "Reçu",
        _ if refused => "Refusé",
        Holds::Late => "En retard",
        Holds::Awaited => "Attendu",
        Holds::Withdrawn { .. } => "Retiré",
        Holds::Purged { .. } => "Détruit",
        Holds::NotExpected => "Non attendu",
    };
    let row = |row: &hub::board::Row| {
        let cells = row.cells.iter().map(|cell| word(&cell.holds, cell.refused.is_some())).collect();
        (row.name.clone(), cells)
    };
    board.rows.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_what_the_board_knows() {
    let house = campaign().await;
    let board = house.hub().board().await.expect("a board");
    let (status, body) = get(house.pages(), "/").await;
    assert_eq!(status, 200);
    let table = &body[body.find("<tbody>").expect("a table")..body.find("</tbody>").expect("its end")];
    let rows: Vec<&str> = table.split("<tr>").skip(1).collect();
    let expected = expected(&board);
    assert_eq!((rows.len(), expected.len()), (7, 7));
    let mut seen = BTreeSet::new();
    for (row, (name, words)) in rows.iter().zip(&expected) {
        assert!(row.contains(&format!("<th scope=\"row\">{name} <")), "{name} in {row}");
        let cells: Vec<&str> = row.split("<td>").skip(1).collect();
        for (cell, word) in cells.iter().zip(words) {
            assert!(cell.contains(&format!("</svg>{word}<")), "{name}: {word} in {cell}");
            seen.insert(*word);
        }
    }
    assert_eq!(seen, BTreeSet::from(["En retard", "Reçu", "Retiré"]));
    // Bondy is late and stuck: the year is wrong, it can mend it itself.
    for told in ["Jamais invitée", "Invitée", "n’a pas encore commencé", "Peut agir : la commune.", "1 envoi refusé"]
    {
        assert!(body.contains(told), "« {told} »");
    }
    let hidden = board.rows[0].cells.iter().find_map(|cell| match cell.holds {
        Holds::Received { hidden, .. } => Some(hidden),
        _ => None,
    });
    let hidden = hidden.expect("Aubervilliers sent a table");
    assert!(hidden > 0 && body.contains(&render_hidden(hidden)), "{hidden}");

    let (_, stuck) = get(house.pages(), "/?voir=relancer").await;
    assert!(!stuck.contains("<th scope=\"row\">Saint-Denis <") && stuck.contains("<th scope=\"row\">Bondy <"));
    house.close().await;
}

fn render_hidden(hidden: usize) -> String {
    let words = if hidden < 2 { "masquée" } else { "masquées" };
    format!("{hidden}\u{a0}{words}\u{a0}·\u{a0}v\u{a0}1.2.0")
}
