//! The pages' door, byte by byte: who may ask, and how every answer may be used.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::figures::*;
use super::stage::*;
use crate::pages;

/// Answers pages of `stage` until the test ends.
async fn open(stage: &Stage) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = pages::router(&stage.hub, address);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Status, head and body.
async fn ask(address: SocketAddr, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = request.replace("PORT", &address.port().to_string());
    stream.write_all(request.as_bytes()).await.expect("asks");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answers");
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, head.to_lowercase(), body.to_owned())
}

async fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost:PORT\r\nConnection: close\r\n\r\n")).await
}

async fn with(address: SocketAddr, head: &str) -> u16 {
    ask(address, &format!("GET / HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n")).await.0
}

#[tokio::test]
async fn only_this_machines_own_window_is_answered() {
    let stage = Stage::new().await;
    let door = open(&stage).await;
    for ours in ["localhost:PORT", "127.0.0.1:PORT", "[::1]:PORT", "LOCALHOST:PORT"] {
        assert_eq!(with(door, &format!("Host: {ours}")).await, 200, "{ours}");
    }
    for other in [
        "evil.example:PORT",
        "localhost",
        "localhost:1",
        "localhost.evil.example:PORT",
        "127.0.0.1.nip.io:PORT",
        "@localhost:PORT",
        "x:localhost:PORT",
    ] {
        assert_eq!(with(door, &format!("Host: {other}")).await, 421, "{other}");
    }
    assert_eq!(with(door, "Host: localhost:PORT\r\nHost: evil.example").await, 421);
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nHost: localhost:PORT\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(door, absolute).await.0, 421);

    let from = |site: &str, mode: &str, dest: &str| {
        format!("Host: localhost:PORT\r\nSec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}")
    };
    assert_eq!(with(door, &from("same-origin", "no-cors", "style")).await, 200);
    assert_eq!(with(door, &from("none", "navigate", "document")).await, 200);
    assert_eq!(with(door, &from("cross-site", "navigate", "document")).await, 200, "somebody followed a link");
    for (mode, dest) in [("no-cors", "image"), ("cors", "empty"), ("no-cors", "script"), ("navigate", "iframe")] {
        assert_eq!(with(door, &from("cross-site", mode, dest)).await, 403, "{mode} {dest}");
        assert_eq!(with(door, &from("same-site", mode, dest)).await, 403, "{mode} {dest}, another port");
    }
}

#[tokio::test]
async fn every_answer_says_how_it_may_be_used_and_every_problem_says_its_cure() {
    let stage = Stage::new().await;
    let door = open(&stage).await;
    let post = "POST / HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let foreign = "GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n";
    let mut answers = vec![(405, ask(door, post).await), (421, ask(door, foreign).await)];
    for (status, path) in [
        (200, "/"),
        (200, "/?tri=%FF&voir=relancer"),
        (200, "/comparer"),
        (200, "/comparer?indicateur=essai%2Ftaux&periode=2025&place=quartier%3DA"),
        (200, "/comparer?indicateur=essai%2Fmenages&place=quartier%3DA"),
        (200, "/style.css"),
        (404, "/ailleurs"),
        (404, "/comparer?indicateur=essai%2Frien"),
        (400, "/comparer?indicateur=essai"),
        (400, "/comparer?periode=25"),
        (400, "/comparer?place=sans%20signe"),
    ] {
        answers.push((status, get(door, path).await));
    }
    for (expected, (status, head, body)) in &answers {
        assert_eq!(status, expected, "{head}\n{body}");
        for line in [
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(line), "{line} in {head}");
        }
        assert!(!body.contains("<script") && !body.contains(" style=") && !body.contains("javascript:"));
        assert!(head.contains("text/css") || body.contains("<html lang=\"fr\">"), "{head}");
        assert!(*status == 200 || body.contains("role=\"alert\""), "{body}");
    }
    let (.., body) = &answers[answers.len() - 9].1;
    assert!(body.contains("Comparer les communes"));

    std::fs::write(stage.hub.folder().campaign(), "title = 1").expect("writes");
    let (status, _, body) = get(door, "/").await;
    assert!(status == 412 && body.contains("campaign.toml"), "{status} {body}");
    stage.hub.store().close().await;
    let (status, _, body) = get(door, "/").await;
    assert!(matches!(status, 500 | 503) && body.contains("role=\"alert\""), "{status} {body}");
}

#[tokio::test]
async fn what_a_file_or_a_peer_writes_is_text_on_the_page() {
    let stage = Stage::new().await;
    let campaign = "title = '<script>alert(1)</script> & \"co\"'\n[[expected]]\npack = 'essai'\nperiods = ['2025']";
    std::fs::write(stage.hub.folder().campaign(), campaign).expect("writes");
    let door = open(&stage).await;
    stage.join("93066").await.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
    let (status, _, body) = get(door, "/").await;
    assert_eq!(status, 200);
    assert!(!body.contains("<script") && body.contains("&#60;script&#62;alert(1)"), "{body}");
    let (.., body) = get(door, "/comparer?place=x%3D%3Cscript%3E").await;
    assert!(!body.contains("<script"), "{body}");
}

#[tokio::test]
async fn one_comparison_says_hidden_missing_and_zero_each_in_its_way() {
    let stage = Stage::new().await;
    let hidden =
        received(&pack(), "93031", "2025", [(40, 10), (3, 10), (30, 20)], &[("accords", "A"), ("accords", "B")]);
    stage.join("93031").await.submit(1, &[hidden]).await.expect("accepted");
    let zero = received(&pack(), "93001", "2025", [(40, 10), (0, 10), (30, 20)], &[]);
    stage.join("93001").await.submit(2, &[zero]).await.expect("accepted");
    stage.join("93070").await;
    let door = open(&stage).await;
    let (status, _, body) = get(door, "/comparer?indicateur=essai%2Ftaux&periode=2025&place=quartier%3DB").await;
    assert_eq!(status, 200);
    let count = |what: &str| body.matches(what).count();
    // A dot for the zero, a hatched bar for the hidden one, nothing for who sent nothing, and the group's band.
    assert_eq!((count("class=\"dot\""), count("class=\"range\"")), (1, 1), "{body}");
    assert!(body.contains("pas reçu") && body.contains(">secret<") && body.contains("groupe des 2 communes"));
    assert!(body.contains("Ce n’est pas un total départemental"));
    let (a, e, s) = (body.find(">Aubervilliers"), body.find(">Épinay-sur-Seine"), body.find(">Saint-Ouen"));
    assert!(a < e && e < s && a.is_some(), "alphabetical");
    assert!(body.contains("<option value=\"quartier=B\" selected>"), "the address can be kept");

    let (.., counts) = get(door, "/comparer?indicateur=essai%2Faccords&periode=2025").await;
    assert!(!counts.contains("stroke-dasharray=\"7 4\""), "a sum is no yardstick for one commune");
}

#[tokio::test]
async fn pages_are_refused_on_an_address_that_other_machines_reach() {
    for (address, local) in [
        ("127.0.0.1:7480", true),
        ("[::1]:7480", true),
        ("0.0.0.0:7480", false),
        ("10.0.0.1:80", false),
        ("[::]:80", false),
    ] {
        let answer = pages::local_only(address.parse().expect("an address"));
        assert_eq!(answer.is_ok(), local, "{address}");
    }
    let stage = Stage::new().await;
    let listeners = crate::Listeners {
        nodes: TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
        pages: Some(TcpListener::bind("0.0.0.0:0").await.expect("a free port")),
        operations: None,
    };
    let serving = stage.hub.serve(listeners, std::future::pending());
    let answer = tokio::time::timeout(std::time::Duration::from_secs(30), serving).await.expect("does not serve");
    let refused = answer.expect_err("refused at start");
    assert_eq!(refused.reason, "PAGES_NOT_LOCAL");
    assert!(refused.message.contains("hub.toml") && refused.message.contains("ssh -L"));
}
