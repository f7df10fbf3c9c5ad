//! Programs that we did not write, against a hub on a real port: what they understand of its refusals, and what they
//! are refused. They are brought by `cargo xtask clients`; without it these tests are listed as ignored.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use model::{Clock as _, SystemClock};
use node::Node;
use node::preview::Purpose;
use serde_json::{Value, json};
use testkit::ManualClock;

use crate::house::{House, approve, put, signing_key, word};
use crate::intruder::rows;
use crate::small_pack::{LARGE, pack, rows as people, settings};

const COMMUNE: &str = "93008";
const LIST: &str = "maillage.submission.v1.SubmissionService/List";

/// What `cargo xtask clients` says where a program is.
fn program(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run cargo xtask clients")).into()
}

struct Stage {
    house: House,
    node: Node,
    folder: tempfile::TempDir,
}

impl Stage {
    /// A hub at today's date, which the clock of other programs shows too, and a node whose files they may use.
    async fn set() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let house = House::open_at(vec![pack()], clock).await;
        let people = people(LARGE);
        let files: [(&str, &[u8]); 2] = [("groupes.csv", &people), ("lieux.csv", &people)];
        let node = house.commune(COMMUNE, &settings("2025"), &files).await;
        let stage = Self { house, node, folder: tempfile::tempdir().expect("a folder") };
        let authority = fs::read(stage.house.hub_folder().authority_certificate()).expect("a certificate");
        put(stage.folder.path(), "ca.pem", &authority);
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the program show the certificate of `node`.
    fn identify(&self, node: &Node) {
        for (name, from) in [("cert.pem", node.folder().chain()), ("key.pem", node.folder().tls_key())] {
            put(self.folder.path(), name, &fs::read(from).expect("a file of the node"));
        }
    }

    fn address(&self) -> String {
        self.house.coordinator.address.to_string()
    }

    /// Runs to its end with nothing to read.
    async fn run(&self, program: &Path, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).current_dir(self.folder.path());
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the program starts");
        let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        (status.code().expect("an exit code"), text)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs buf: cargo xtask clients"]
async fn buf_finds_its_way_by_reflection_and_ends_with_the_code_of_the_refusal() {
    let stage = Stage::set().await;
    stage.identify(&stage.node);
    let buf = program("MAILLAGE_CLIENTS_BUF");
    let url = format!("https://{}", stage.address());
    let curl = async |path: &str, data: &str, certificate: bool| {
        let url = format!("{url}/{path}");
        let mut arguments = vec!["curl", "--protocol", "grpc", "--cacert", "ca.pem"];
        if certificate {
            arguments.extend(["--cert", "cert.pem", "--key", "key.pem"]);
        }
        arguments.extend(["-d", data, &url]);
        stage.run(&buf, &arguments).await
    };
    let base = ["curl", "--protocol", "grpc", "--cacert", "ca.pem", "--list-services", url.as_str()];
    let (code, listed) = stage.run(&buf, &base).await;
    assert_eq!(code, 0, "{listed}");
    for service in ["enrolment.v1.Enrolment", "submission.v1.Submission", "comparison.v1.Comparison"] {
        assert!(listed.contains(&format!("maillage.{service}Service")), "{listed}");
    }
    let (code, said) = curl("grpc.health.v1.Health/Check", "{}", false).await;
    assert!(code == 0 && said.contains("SERVING"), "{code}: {said}");
    let (code, said) = curl(LIST, &format!("{{\"territory\":\"{COMMUNE}\"}}"), true).await;
    assert_eq!((code, said.contains("error")), (0, false), "an empty ledger: {said}");

    // Eight times the gRPC code.
    for (path, data, certificate, expected, reason) in [
        (LIST, "{\"territory\":\"93001\"}", true, 7 * 8, "permission_denied"),
        (LIST, "{\"territory\":\"nulle part\"}", true, 3 * 8, "invalid_argument"),
        (LIST, "{\"territory\":\"93008\"}", false, 16 * 8, "unauthenticated"),
        ("maillage.comparison.v1.ComparisonService/Compare", "{}", true, 7 * 8, "permission_denied"),
        ("maillage.methodology.v1.MethodologyService/GetPack", "{\"code\":\"rien\"}", true, 5 * 8, "not_found"),
    ] {
        let (code, said) = curl(path, data, certificate).await;
        assert_eq!(code, expected, "{path}: {said}");
        assert!(said.contains(&format!("\"code\": \"{reason}\"")), "{path}: {said}");
    }

    // On the very next call, without a restart.
    assert!(stage.house.hub().revoke_node(word(COMMUNE)).await.expect("revokes"));
    let (code, said) = curl(LIST, &format!("{{\"territory\":\"{COMMUNE}\"}}"), true).await;
    assert_eq!(code, 7 * 8, "{said}");
    assert!(said.contains("revoked"), "{said}");
    stage.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs grpcio: cargo xtask clients"]
async fn grpcio_reads_the_contract_the_receipts_and_every_detail_of_a_refusal() {
    let stage = Stage::set().await;
    stage.identify(&stage.node);
    let preview = node::preview::preview(&stage.node, Purpose::Submit).await.expect("a preview");
    approve(&stage.node, &preview).await;
    let document = stage.node.store().outbox().await.expect("storage").remove(0).outgoing.document;
    let key = signing_key(stage.node.folder());
    put(stage.folder.path(), "document", &document);
    put(stage.folder.path(), "signature", key.sign(&document).as_bytes());
    let shown = crate::small_pack::Forgery::of(&document, [9; 16]).show("lieux", "A", 1_000);
    let (contradictory, signature) = shown.sign(&key);
    put(stage.folder.path(), "contradictory", &contradictory);
    put(stage.folder.path(), "contradictory.signature", signature.as_bytes());
    let upload = |name: &str, signature: &str, length: usize| {
        json!({"method": "maillage.submission.v1.SubmissionService/Submit", "messages": [
            {"header": {"signature": {"file": signature}, "length": length}},
            {"chunk": {"file": name}},
        ]})
    };
    let calls = json!([
        {"method": LIST, "messages": [{"territory": "93001"}]},
        {"method": LIST, "messages": [], "raw": "ffffff"},
        upload("document", "contradictory.signature", document.len()),
        upload("contradictory", "contradictory.signature", contradictory.len()),
        upload("document", "signature", document.len()),
        upload("document", "signature", document.len()),
        {"method": LIST, "messages": [{"territory": COMMUNE}]},
        {"method": "maillage.comparison.v1.ComparisonService/Compare", "messages": [{"indicator": "rien", "period": "2025"}]},
    ]);
    put(stage.folder.path(), "calls.json", calls.to_string().as_bytes());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/generic.py");
    let python = program("MAILLAGE_CLIENTS_PYTHON");
    let folder = stage.folder.path().display().to_string();
    let arguments = [script.to_str().expect("a path"), &stage.address(), &folder];
    let (code, said) = stage.run(&python, &arguments).await;
    assert_eq!(code, 0, "{said}");
    let answers: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [health, services, foreign, garbage, stolen, wrong, first, again, ledger, compared] = answers.as_slice() else {
        panic!("ten answers: {said}")
    };
    assert_eq!(health["health"], "SERVING");
    assert!(
        services["services"].as_array().expect("a list").contains(&json!("maillage.submission.v1.SubmissionService"))
    );
    for (answer, code, reason) in [
        (foreign, "PERMISSION_DENIED", "TERRITORY_NOT_YOURS"),
        (garbage, "INVALID_ARGUMENT", "REQUEST_MALFORMED"),
        (stolen, "INVALID_ARGUMENT", "SIGNATURE_INVALID"),
        (wrong, "INVALID_ARGUMENT", "DISCLOSURE_CONFLICT"),
        (compared, "NOT_FOUND", "INDICATOR_UNKNOWN"),
    ] {
        assert_eq!(answer["code"], code, "{answer}");
        assert_eq!(
            (&answer["ErrorInfo"]["reason"], &answer["ErrorInfo"]["domain"]),
            (&json!(reason), &json!("maillage"))
        );
        let french = &answer["LocalizedMessage"];
        assert_eq!(french["locale"], "fr-FR");
        assert!(french["message"].as_str().is_some_and(|text| text.ends_with(['.', ')'])), "{answer}");
        assert!(answer.get("RetryInfo").is_none(), "nothing to come back for: {answer}");
    }
    let violation = &wrong["BadRequest"]["fieldViolations"][0];
    assert_eq!(violation["reason"], "NOT_ADDITIVE", "{wrong}");
    assert!(violation["field"].as_str().is_some_and(|row| row.starts_with("93008/essai/lieux/2025")), "{wrong}");
    assert!(!said.contains("1000"), "a value in an answer: {said}");

    assert!(first["answer"][0].get("alreadyReceived").is_none(), "{first}");
    assert_eq!(again["answer"][0]["alreadyReceived"], true);
    assert_eq!(first["answer"][0]["receipt"], again["answer"][0]["receipt"]);
    assert_eq!(ledger["answer"][0]["headSequence"], "1", "{ledger}");
    let kept = rows(&stage.house.hub_folder().database()).await;
    assert_eq!(kept["submission"].len(), 1, "one document, whatever was tried");
    stage.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs grpcio: cargo xtask clients"]
async fn a_probe_ends_with_the_codes_that_operators_expect() {
    let mut stage = Stage::set().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/health.py");
    let script = script.to_str().expect("a path").to_owned();
    let python = program("MAILLAGE_CLIENTS_PYTHON");
    let address = stage.address();
    let probe = async |stage: &Stage, more: &[&str]| {
        let arguments = [&[script.as_str(), address.as_str(), "ca.pem"], more].concat();
        stage.run(&python, &arguments).await
    };
    assert_eq!(probe(&stage, &[]).await.0, 0, "serving, without a certificate");
    let (code, said) = probe(&stage, &["maillage.rien.v1.RienService"]).await;
    assert_eq!((code, said.trim()), (3, "NOT_FOUND"));
    let elsewhere = House::open().await;
    let authority = fs::read(elsewhere.hub_folder().authority_certificate()).expect("a certificate");
    put(stage.folder.path(), "ca.pem", &authority);
    assert_eq!(probe(&stage, &[]).await.0, 2, "another authority");
    stage.house.stop().await;
    assert_eq!(probe(&stage, &[]).await.0, 2, "nobody there");
}

/// The client that programs in Rust use, without a certificate, on the communes' own port.
#[tokio::test(flavor = "multi_thread")]
async fn the_health_service_follows_readiness_for_whoever_asks_or_watches() {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let house = House::open().await;
    let tls = wire::tls::ClientTls::new(house.coordinator.authority, None, house.clock.clone()).expect("TLS settings");
    let stranger = wire::client::HubClient::connect(&tls, &word(house.address())).await.expect("the hub answers");
    let mut client = HealthClient::new(stranger.channel());
    let about = |service: &str| HealthCheckRequest { service: service.to_owned() };
    let answer = client.check(about("")).await.expect("an answer").into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    let unknown = client.check(about("maillage.rien.v1.RienService")).await.expect_err("no such service");
    assert_eq!(unknown.code(), tonic::Code::NotFound);
    let mut watched = client.watch(about("")).await.expect("an open stream").into_inner();
    let mut next = async || watched.message().await.expect("it goes on").expect("a state").status();
    assert_eq!(next().await, ServingStatus::Serving);
    house.hub().store().close().await;
    assert_eq!(next().await, ServingStatus::NotServing, "its database is gone");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs openssl: cargo xtask clients"]
async fn openssl_is_told_in_the_handshake_why_it_is_refused() {
    let stage = Stage::set().await;
    let elsewhere = House::open_at(vec![pack()], stage.house.clock.clone()).await;
    let foreign = elsewhere.commune(COMMUNE, "", &[]).await;
    let address = stage.address();
    let openssl = Path::new("openssl");
    // `-ign_eof`: a refusal of TLS 1.3 comes after the client believes that all is well.
    let shake = async |more: &[&str]| {
        let base = ["s_client", "-connect", &address, "-CAfile", "ca.pem", "-verify_return_error", "-alpn", "h2"];
        stage.run(openssl, &[&base, more].concat()).await
    };
    let certificate = ["-cert", "cert.pem", "-key", "key.pem", "-ign_eof"];

    let (code, said) = shake(&[]).await;
    assert_eq!(code, 0, "{said}");
    for part in ["Verify return code: 0 (ok)", "ALPN protocol: h2", "TLSv1.3"] {
        assert!(said.contains(part), "« {part} » is not in: {said}");
    }
    let (code, said) = shake(&["-tls1_2"]).await;
    assert!(code != 0 && said.contains("alert protocol version"), "{code}: {said}");

    stage.identify(&foreign);
    let (code, said) = shake(&certificate).await;
    // Two authorities may bear the same name: then it is the signature that does not hold.
    let told = ["alert unknown ca", "alert decrypt error"].iter().any(|alert| said.contains(alert));
    assert!(code != 0 && told, "{code}: {said}");

    put(stage.folder.path(), "ours.pem", &fs::read(stage.path("ca.pem")).expect("a file"));
    put(stage.folder.path(), "ca.pem", &fs::read(elsewhere.hub_folder().authority_certificate()).expect("a file"));
    let (code, said) = shake(&[]).await;
    assert!(code != 0 && said.contains("certificate verify failed"), "not the hub of this authority: {said}");
    put(stage.folder.path(), "ca.pem", &fs::read(stage.path("ours.pem")).expect("a file"));

    // Thirty-one days later, by the hub's clock.
    stage.identify(&stage.node);
    stage.house.clock.advance(std::time::Duration::from_hours(31 * 24));
    let (code, said) = shake(&certificate).await;
    assert!(code != 0 && said.contains("alert certificate expired"), "{code}: {said}");
    stage.house.close().await;
}
