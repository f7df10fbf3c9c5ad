//! What a probe and a Prometheus read, on a real port.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::figures::*;
use super::stage::*;
use crate::operations;

async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = format!("GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.split(' ').nth(1).expect("a status").parse().expect("a number"), body.to_owned())
}

async fn port(stage: &Stage) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = operations::router(&stage.hub);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn probes_and_counts_say_what_happened_and_no_figure() {
    let stage = Stage::new().await;
    let address = port(&stage).await;
    assert_eq!(get(address, "/health").await.0, 200);
    assert_eq!(get(address, "/ready").await, (200, "ready\n".to_owned()));
    let node = stage.join("93066").await;
    let document = node.document(1, wire::document::Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
    node.send(&document).await.expect("accepted");
    node.send(&document).await.expect("repeated");
    let foreign = [received(&pack(), "93001", "2025", PLAIN, &[])];
    assert_eq!(reason(node.submit(2, &foreign).await), "TERRITORY_NOT_YOURS");

    let (status, text) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "# TYPE maillage_documents_total counter",
        "maillage_documents_total{kind=\"submission\",outcome=\"accepted\"} 1",
        "maillage_documents_total{kind=\"submission\",outcome=\"repeated\"} 1",
        "maillage_documents_refused_total{method=\"Submit\",reason=\"TERRITORY_NOT_YOURS\"} 1",
        "maillage_calls_total{method=\"/maillage.submission.v1.SubmissionService/Submit\",code=\"Ok\"} 2",
        "maillage_ledger_number 1",
        "maillage_ready 1",
        "maillage_uploads_in_flight 0",
        "maillage_last_backup_timestamp_seconds 0",
        "maillage_attack_duration_seconds_count 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("maillage_node_certificate_end_timestamp_seconds{commune=\"93066\"}"));
    // Every name that a line bears was announced with its kind and its meaning.
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().expect("a name");
        let announced = |kind: &str| {
            ["", "_count", "_sum", "_bucket"]
                .iter()
                .any(|suffix| name.strip_suffix(suffix).is_some_and(|name| text.contains(&format!("# {kind} {name} "))))
        };
        assert!(announced("HELP") && announced("TYPE"), "{line}");
    }
    checked_by_promtool(&text);
}

/// Where `promtool` is installed; said where it is not.
fn checked_by_promtool(text: &str) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("promtool is not installed: the metrics are not checked by it");
        return;
    };
    promtool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let said = promtool.wait_with_output().expect("it ends");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[tokio::test]
async fn a_hub_without_its_database_says_that_it_is_not_ready() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let address = port(&stage).await;
        assert_eq!(get(address, "/ready").await.0, 200);
        stage.hub.store().close().await;
        let (status, body) = get(address, "/ready").await;
        assert_eq!(status, 503);
        assert!(body.starts_with("database: "), "{body}");
        assert_eq!(get(address, "/health").await.0, 200, "alive all the same");
        assert!(get(address, "/metrics").await.1.contains("maillage_ready 0"));
    }
}
