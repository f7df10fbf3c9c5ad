//! On real ports, with real TLS.

use std::collections::BTreeMap;

use disclosure::{Published, Received, SliceAttributes};
use model::{Clock, DefinitionHash, Figure, Flags, Key, RuleHash, SubmissionId, Timestamp};
use prost::Message;
use seal::SigningKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::authority::{Authority, Validity};
use crate::client::{ClientError, HubClient, TlsProblem};
use crate::document::{Approval, Header, Purpose};
use crate::identity::{Identity, TlsKey};
use crate::ledger::Chain;
use crate::pb::submission::v1::submission_service_client::SubmissionServiceClient;
use crate::pb::submission::v1::{SubmitRequest, submit_request};
use crate::testing::{Counting, Hub, commune, hub, hub_with, node_of};
use crate::tls::ClientTls;

mod doorkeeper;
mod limits;

const DAY: Duration = Duration::from_hours(24);

/// A document of one cell, about 93066.
fn document(id: u8) -> Vec<u8> {
    let header = Header {
        provider: commune("93066"),
        id: SubmissionId::from_bytes([id; 16]),
        written_at: Timestamp::from_micros(0),
        purpose: Purpose::Submit,
        approval: Approval::Person,
    };
    let indicator: model::IndicatorCode = "dom_personnes".parse().expect("a code");
    let published = Published { figure: Figure::Observed(i64::from(id)), flags: Flags::default() };
    let received = Received {
        slice: "93066/ccas/dom/2025".split('/').collect::<Vec<_>>().try_into().map(slice).expect("four parts"),
        attributes: SliceAttributes {
            pack_version: "1.0.0".into(),
            definition: DefinitionHash::from_bytes([1; 32]),
            rule: RuleHash::from_bytes([2; 32]),
        },
        cells: BTreeMap::from([((indicator.clone(), Key::total()), published)]),
    };
    crate::document::tests::write_claimed(&header, &[(received, [(indicator, model::Decimals::NONE)].into())])
        .expect("a document")
}

fn slice([territory, pack, table, period]: [&str; 4]) -> model::Slice {
    model::Slice {
        territory: territory.parse().expect("a commune"),
        pack: pack.parse().expect("a code"),
        table: table.parse().expect("a code"),
        period: period.parse().expect("a period"),
    }
}

#[tokio::test]
async fn a_node_joins_pushes_and_reads_its_ledger_back() {
    let hub = hub().await;
    let signing = SigningKey::generate();
    let identity = hub.join(&signing).await;
    let node = hub.as_node(&identity).await;
    let hub_keys = [hub.desk.key.public()];

    for id in 1..=3 {
        let bytes = document(id);
        let accepted = node.submit(&bytes, &signing.sign(&bytes)).await.expect("accepted");
        let receipt = accepted.receipt.verify(&hub_keys).expect("signed by the hub");
        assert_eq!(receipt.document_hash, seal::sha256(&bytes));
        assert!(!accepted.already_received);
        let again = node.submit(&bytes, &signing.sign(&bytes)).await.expect("accepted again");
        assert_eq!((again.receipt, again.already_received), (accepted.receipt, true));
    }

    let page = node.list(commune("93066"), 0).await.expect("a ledger");
    let mut chain = Chain::new(commune("93066"));
    for entry in &page.entries {
        chain.follow(entry, &hub_keys).expect("the next link");
        let (same, bytes) = node.get(entry.submission).await.expect("the document");
        assert_eq!(same, *entry);
        entry.prove(&bytes, &hub_keys).expect("what was signed");
    }
    assert!(chain.is_whole(&page));
}

#[tokio::test]
async fn without_a_certificate_the_refusal_is_typed_and_comes_before_the_handler() {
    let hub = hub().await;
    let bytes = document(1);
    // Much larger than any window: the refusal must not wait for the upload.
    let upload = hub.anonymous().await.submit(&vec![0; 24 << 20], &SigningKey::generate().sign(&bytes)).await;
    let ClientError::Refused(refused) = upload.expect_err("refused") else { panic!("not a typed refusal") };
    assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Unauthenticated, "CERTIFICATE_REQUIRED"));
    assert_eq!(refused.message, "Ce poste n’a pas encore rejoint le centre.");
}

#[tokio::test]
async fn authorisation_comes_before_existence() {
    let hub = hub().await;
    let mut grpc = tonic::client::Grpc::new(hub.anonymous().await.channel());
    grpc.ready().await.expect("ready");
    let path = http::uri::PathAndQuery::from_static("/maillage.secret.v1.NoSuchService/NoSuchMethod");
    let codec = tonic_prost::ProstCodec::<crate::pb::submission::v1::ListRequest, SubmitRequest>::default();
    let status = grpc
        .unary(tonic::Request::new(crate::pb::submission::v1::ListRequest::default()), path, codec)
        .await
        .expect_err("refused");
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
}

async fn first_call(hub: &Hub, identity: &Identity) -> Result<(), ClientError> {
    let client = HubClient::connect(&hub.client_tls(Some(identity)), &hub.address).await?;
    client.list(commune("93066"), 0).await.map(|_| ())
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_in_the_handshake() {
    let hub = hub().await;
    // The same name: only the key tells the two authorities apart.
    let foreign = Authority::create("Maillage d’essai", &Counting::new(), hub.clock.now()).expect("an authority");
    let identity = node_of(&foreign, hub.clock.now(), DAY);
    assert_eq!(first_call(&hub, &identity).await, Err(ClientError::Tls(TlsProblem::OurCertificateRefused)));
}

#[tokio::test]
async fn an_expired_certificate_is_refused_in_the_handshake_and_renewed_without_it() {
    let hub = hub().await;
    let signing = SigningKey::generate();
    let identity = hub.join(&signing).await;
    assert_eq!(first_call(&hub, &identity).await, Ok(()));
    hub.clock.advance(31 * DAY);
    assert_eq!(first_call(&hub, &identity).await, Err(ClientError::Tls(TlsProblem::OurCertificateExpired)));

    let renewed = hub.anonymous().await.renew(identity.key()).await.expect("renewed by proof of possession");
    let renewed = Identity::new(identity.key().clone(), &renewed.chain).expect("of the same key");
    assert_eq!(renewed.certificate().key, identity.certificate().key);
    assert_eq!(first_call(&hub, &renewed).await, Ok(()));
}

#[tokio::test]
async fn a_certificate_that_expires_on_an_open_connection_is_refused_at_the_next_call() {
    let hub = hub().await;
    let node = hub.as_node(&node_of(&hub.authority, hub.clock.now(), DAY)).await;
    assert!(node.list(commune("93066"), 0).await.is_ok());
    hub.clock.advance(2 * DAY);
    let error = node.list(commune("93066"), 0).await.expect_err("expired");
    assert_eq!((error.kind(), error.reason()), (FailureKind::Unauthenticated, "CERTIFICATE_EXPIRED"));
}

#[tokio::test]
async fn the_hubs_own_server_certificate_is_not_a_client() {
    let hub = hub().await;
    let validity = Validity { now: hub.clock.now(), lifetime: DAY };
    let server = hub.authority.sign_server(&["127.0.0.1"], validity, &Counting::new()).expect("a certificate");
    let mut config = rustls::ClientConfig::clone(&hub.client_tls(None).config);
    let provider = rustls::crypto::ring::default_provider();
    let key = rustls::sign::CertifiedKey::from_der(server.chain.clone(), server.key.to_der(), &provider);
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(key.expect("a key")));
    let client = HubClient::connect(&ClientTls { config: Arc::new(config) }, &hub.address).await;
    let refused = match client {
        Ok(client) => client.list(commune("93066"), 0).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(matches!(refused, Err(ClientError::Tls(_))), "{refused:?}");
}

#[tokio::test]
async fn a_coordinator_is_somebody_else_than_a_node() {
    let hub = hub().await;
    let key = Arc::new(TlsKey::generate());
    let validity = Validity { now: hub.clock.now(), lifetime: DAY };
    let name = "paule.martin".parse().expect("a name");
    let issued = hub.authority.sign_coordinator(&key.request(), &name, validity, &Counting::new()).expect("signed");
    let identity = Identity::new(key, &issued.chain).expect("an identity");
    let error = first_call(&hub, &identity).await.expect_err("not a node");
    assert_eq!(error.reason(), "NODES_ONLY");
}

#[tokio::test]
async fn a_server_that_is_not_the_hub_of_the_invitation_gets_nothing() {
    let (hub, other) = (hub().await, hub().await);
    let connect = HubClient::connect(&hub.client_tls(None), &other.address).await;
    assert_eq!(connect.err(), Some(ClientError::Tls(TlsProblem::WrongServer)));

    let port = hub.address.port();
    let under_another_name = format!("127.0.0.2:{port}").parse().expect("an address");
    let listening = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.expect("the same port elsewhere");
    let target = hub.address.port();
    tokio::spawn(async move {
        let (mut here, _) = listening.accept().await.expect("a client");
        let mut there = TcpStream::connect(("127.0.0.1", target)).await.expect("the hub");
        let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
    });
    let connect = HubClient::connect(&hub.client_tls(None), &under_another_name).await;
    assert_eq!(connect.err(), Some(ClientError::Tls(TlsProblem::WrongServer)));

    hub.clock.advance(366 * DAY);
    let connect = HubClient::connect(&hub.client_tls(None), &hub.address).await;
    assert_eq!(connect.err(), Some(ClientError::Tls(TlsProblem::ServerExpired)));
}

#[tokio::test]
async fn the_servers_certificate_is_replaced_while_it_serves() {
    let hub = hub().await;
    hub.clock.advance(366 * DAY);
    let validity = Validity { now: hub.clock.now(), lifetime: DAY };
    let fresh = hub.authority.sign_server(&["127.0.0.1"], validity, &Counting::new()).expect("a certificate");
    hub.tls.replace(&fresh).expect("replaced");
    assert!(HubClient::connect(&hub.client_tls(None), &hub.address).await.is_ok());
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    let hub = hub().await;
    hub.stop.send(()).expect("running");
    hub.running.await.expect("stopped");
    let tls = ClientTls::new(hub.authority.fingerprint(), None, hub.clock.clone()).expect("TLS");
    let error = HubClient::connect(&tls, &hub.address).await.expect_err("nobody there");
    assert!(matches!(error, ClientError::Unreachable(_)) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn plain_text_is_no_way_in() {
    let hub = hub().await;
    let mut stream = TcpStream::connect(("127.0.0.1", hub.address.port())).await.expect("TCP");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    // A TLS alert record at most, never HTTP.
    assert!(answer.len() < 16 && !answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn http_2_is_agreed_in_the_handshake() {
    let hub = hub().await;
    let tls = hub.client_tls(None);
    for (offered, agreed) in [(vec![crate::tls::ALPN.to_vec()], true), (vec![b"http/1.1".to_vec()], false)] {
        let mut config = rustls::ClientConfig::clone(&tls.config);
        config.alpn_protocols = offered;
        let stream = TcpStream::connect(("127.0.0.1", hub.address.port())).await.expect("TCP");
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").expect("a name");
        let shaken = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        assert_eq!(shaken.is_ok_and(|stream| stream.get_ref().1.alpn_protocol() == Some(b"h2")), agreed);
    }
}

#[tokio::test]
async fn a_message_of_100_megabytes_is_refused_with_a_reason() {
    let hub = hub().await;
    let identity = hub.join(&SigningKey::generate()).await;
    let channel = hub.as_node(&identity).await.channel();
    let chunk = submit_request::Part::Chunk(vec![0; 100 << 20]);
    let messages = futures::stream::iter([SubmitRequest { part: Some(chunk) }]);
    let status = SubmissionServiceClient::new(channel.clone()).submit(messages).await.expect_err("too large");
    let error = ClientError::from(status);
    assert_eq!((error.kind(), error.reason()), (FailureKind::Invalid, "MESSAGE_TOO_LARGE"));

    let request = crate::pb::submission::v1::WithdrawRequest { document: vec![0; 100 << 20], signature: vec![] };
    let status = SubmissionServiceClient::new(channel).withdraw(request).await.expect_err("too large");
    assert_eq!(ClientError::from(status).reason(), "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_refused_document_says_why_in_french() {
    let hub = hub().await;
    let signing = SigningKey::generate();
    let identity = hub.join(&signing).await;
    let node = hub.as_node(&identity).await;
    let error = node.submit(b"\x08\x02", &signing.sign(b"\x08\x02")).await.expect_err("format 2");
    assert_eq!(error.reason(), "DOCUMENT_FORMAT_UNKNOWN");
    assert!(error.message().contains("mettez à jour"));
    let error = node.withdraw(b"", &signing.sign(b"")).await.expect_err("conflicts");
    let ClientError::Refused(refused) = error else { panic!("not typed: {error}") };
    assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Conflict, "SECRET_RECOVERABLE"));
    assert!(refused.conflicts.len() > 10 && refused.conflicts_total == 5000, "{}", refused.conflicts.len());
    assert!(refused.conflicts[0].cure.starts_with("La commune"));
}

#[tokio::test]
async fn reflection_lists_the_contract_in_both_versions() {
    use tonic_reflection::pb::{v1, v1alpha};
    let hub = hub().await;
    let channel = hub.anonymous().await.channel();

    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let mut answers =
        client.server_reflection_info(futures::stream::iter([ask])).await.expect("reflection").into_inner();
    let answer = answers.message().await.expect("an answer").expect("one");
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer.message_response
    else {
        panic!("not a list")
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["enrolment.v1.Enrolment", "submission.v1.Submission", "methodology.v1.Methodology"] {
        assert!(names.contains(&format!("maillage.{name}Service")), "{names:?}");
    }
    assert!(names.contains(&"grpc.health.v1.Health".to_owned()), "{names:?}");

    let symbol = "maillage.submission.v1.SubmissionDocument".to_owned();
    let ask = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(symbol)),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let mut answers =
        client.server_reflection_info(futures::stream::iter([ask])).await.expect("reflection").into_inner();
    let answer = answers.message().await.expect("an answer").expect("one");
    let Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(files)) =
        answer.message_response
    else {
        panic!("not a file")
    };
    assert!(!files.file_descriptor_proto.is_empty());
}

#[tokio::test]
async fn health_is_told_to_anybody_who_may_ask() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let hub = hub().await;
    let mut client = HealthClient::new(hub.anonymous().await.channel());
    let answer = client.check(HealthCheckRequest { service: String::new() }).await.expect("healthy");
    assert_eq!(answer.into_inner().encode_to_vec(), [8, 1]);
}

/// What the port logs, as text.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a test's lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refused_handshake_is_logged_with_its_reason() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let hub = hub().await;
    let identity = node_of(&hub.authority, hub.clock.now(), DAY);
    hub.clock.advance(2 * DAY);
    assert!(first_call(&hub, &identity).await.is_err());
    let foreign = Authority::create("Maillage d’essai", &Counting::new(), hub.clock.now()).expect("an authority");
    assert!(first_call(&hub, &node_of(&foreign, hub.clock.now(), DAY)).await.is_err());
    assert!(hub.anonymous().await.submit(b"x", &SigningKey::generate().sign(b"x")).await.is_err());
    let log = String::from_utf8(log.0.lock().expect("a test's lock").clone()).expect("text");
    for part in ["handshake refused", "expired", "127.0.0.1", "call refused", "CERTIFICATE_REQUIRED"] {
        assert!(log.contains(part), "{part} is not in:\n{log}");
    }
    assert_eq!(log.matches("handshake refused").count(), 2, "{log}");
}
