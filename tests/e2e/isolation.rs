//! Who may call what, and write about whom: every method of the contract by every kind of caller.

mod territories;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::{Clock, FailureKind};
use node::Node;
use prost::Message;
use tonic::transport::Channel;
use wire::client::{ClientError, HubClient, TlsProblem};
use wire::identity::{Identity, TlsKey};
use wire::tls::ClientTls;

use crate::house::{House, word};
use crate::intruder::{SUBMIT, call, call_with, refusal, rows, upload};

/// Who a method is for. A method that is not in [`METHODS`] fails the test: somebody must decide first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Anyone,
    Nodes,
    Readers,
}

/// With what the handler says to an empty message: the sign that the call got through. `""` is an answer.
const METHODS: &[(&str, For, &str)] = &[
    ("maillage.enrolment.v1.EnrolmentService/Enrol", For::Anyone, "ENROLMENT_MALFORMED"),
    ("maillage.enrolment.v1.EnrolmentService/Renew", For::Anyone, "CERTIFICATE_REQUEST_INVALID"),
    ("maillage.submission.v1.SubmissionService/Check", For::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Submit", For::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Get", For::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/List", For::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Withdraw", For::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Share", For::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Standing", For::Nodes, ""),
    ("maillage.submission.v1.SubmissionService/Recover", For::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.methodology.v1.MethodologyService/ListPacks", For::Readers, ""),
    ("maillage.methodology.v1.MethodologyService/WatchPacks", For::Readers, ""),
    ("maillage.methodology.v1.MethodologyService/GetPack", For::Readers, "REQUEST_MALFORMED"),
    ("maillage.comparison.v1.ComparisonService/Compare", For::Readers, "REQUEST_MALFORMED"),
    ("maillage.comparison.v1.ComparisonService/Profile", For::Readers, "REQUEST_MALFORMED"),
];

/// Services of the port that are no part of the contract's files.
const INFRASTRUCTURE: &[&str] =
    &["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

#[derive(Clone, Copy, Debug)]
enum Caller {
    Stranger,
    Node,
    OtherNode,
    RevokedNode,
    Coordinator,
    RevokedCoordinator,
    Partner,
    EndedPartner,
}

/// What the gate says; `None` lets the call through.
fn gate(meant: For, caller: Caller) -> Option<(&'static str, FailureKind)> {
    use Caller::{Coordinator, EndedPartner, Node, OtherNode, Partner, RevokedCoordinator, RevokedNode, Stranger};
    let denied = |reason| Some((reason, FailureKind::Denied));
    match (meant, caller) {
        (For::Anyone, _) | (For::Nodes | For::Readers, Node | OtherNode) | (For::Readers, Coordinator | Partner) => {
            None
        }
        (_, Stranger) => Some(("CERTIFICATE_REQUIRED", FailureKind::Unauthenticated)),
        (For::Nodes | For::Readers, RevokedNode) => denied("NODE_REVOKED"),
        (For::Nodes, Coordinator | RevokedCoordinator | Partner | EndedPartner) => denied("NODES_ONLY"),
        (For::Readers, RevokedCoordinator) => denied("COORDINATOR_REVOKED"),
        (For::Readers, EndedPartner) => denied("PARTNER_ENDED"),
    }
}

/// All methods of all services of the contract, from the descriptors that the port itself serves.
fn contract() -> BTreeSet<String> {
    let files = prost_types::FileDescriptorSet::decode(wire::pb::FILE_DESCRIPTOR_SET).expect("the build's own");
    let mut methods = BTreeSet::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!("{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_says_for_whom_it_is_and_tells_everybody_else_why_not() {
    let declared: BTreeSet<String> = METHODS.iter().map(|(method, _, _)| (*method).to_owned()).collect();
    assert_eq!(contract(), declared, "a method of the contract that does not say for whom it is, or the reverse");

    let house = House::open().await;
    let callers = callers(&house).await;
    let before = rows(&house.hub_folder().database()).await;
    let cells = || METHODS.iter().flat_map(|method| callers.iter().map(move |caller| (method, caller)));
    let mut refused = 0;
    for ((method, meant, _), (caller, channel)) in cells() {
        let Some((reason, kind)) = gate(*meant, *caller) else { continue };
        let (answer, read) = long(channel, &format!("/{method}")).await;
        let said = answer.expect_err("somebody who may not");
        assert_eq!((said.reason.as_str(), said.kind), (reason, kind), "{method} by {caller:?}");
        assert!(said.message.ends_with('.'), "a French sentence: {}", said.message);
        // What fits into the windows of the transport is sent unasked; the rest waits for somebody who reads.
        assert!(read < LONG / 2, "{method} by {caller:?}: {read} of {LONG} parts were read");
        refused += 1;
    }
    assert_eq!(refused, 68, "cells of the matrix that say no");
    // Neither a ledger, nor the counter, nor even the last contact.
    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");

    for ((method, meant, handler), (caller, channel)) in cells() {
        if gate(*meant, *caller).is_none() {
            let answer = call(channel, &format!("/{method}"), vec![Vec::new()]).await;
            let reason = answer.map_or_else(|refused| refused.reason, |_| String::new());
            assert_eq!(reason, *handler, "{method} by {caller:?} did not reach its handler");
        }
    }
    // The control: whoever may upload is read to the end.
    let (_, node) = callers.iter().find(|(caller, _)| matches!(caller, Caller::Node)).expect("a living node");
    let (answer, read) = long(node, SUBMIT).await;
    assert_eq!((answer.expect_err("nonsense").reason.as_str(), read), ("SIGNATURE_INVALID", LONG));
}

/// Parts of a long upload, its header included.
const LONG: usize = 33;

/// Calls `method` with an upload of 16 MiB; how many parts of it were asked for.
async fn long(channel: &Channel, method: &str) -> (Result<Vec<Vec<u8>>, Box<wire::status::Refused>>, usize) {
    let chunk = vec![7; 512 << 10];
    let chunks = vec![chunk.as_slice(); LONG - 1];
    let read = Arc::new(AtomicUsize::new(0));
    let messages = futures::stream::iter(upload(&[1; 64], (chunk.len() * chunks.len()) as u64, &chunks));
    let counted = futures::StreamExt::inspect(messages, {
        let read = Arc::clone(&read);
        move |_| {
            read.fetch_add(1, Ordering::SeqCst);
        }
    });
    let answer = call_with(channel, method, counted).await;
    (answer, read.load(Ordering::SeqCst))
}

/// Bytes that are no message of the method: the caller's fault, with its reason.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_by_every_method_with_a_reason() {
    let house = House::open().await;
    let node = house.commune("93066", "", &[]).await;
    let node = house.client(&node).await.channel();
    for (method, _, _) in METHODS {
        let refused = call(&node, &format!("/{method}"), vec![b"\xff\xff\xff".to_vec()]).await.expect_err("nonsense");
        assert_eq!(refused.kind, FailureKind::Invalid, "{method}: {refused:?}");
        assert!(["REQUEST_MALFORMED", "UPLOAD_MALFORMED"].contains(&refused.reason.as_str()), "{method}: {refused:?}");
        assert!(refused.message.ends_with('.'), "a French sentence: {}", refused.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_method_exists_is_said_to_members_only() {
    let house = House::open().await;
    for (caller, channel) in callers(&house).await {
        let expected = match caller {
            Caller::Stranger => "CERTIFICATE_REQUIRED",
            Caller::RevokedNode => "NODE_REVOKED",
            Caller::RevokedCoordinator => "COORDINATOR_REVOKED",
            Caller::EndedPartner => "PARTNER_ENDED",
            Caller::Node | Caller::OtherNode | Caller::Coordinator | Caller::Partner => "METHOD_UNKNOWN",
        };
        for method in ["/maillage.submission.v1.SubmissionService/Destroy", "/maillage.admin.v1.Admin/Read", "/"] {
            let refused = call(&channel, method, vec![Vec::new()]).await.expect_err("no such method");
            assert_eq!(refused.reason, expected, "{method} by {caller:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_serves_the_contract_and_nothing_else() {
    let house = House::open().await;
    let stranger = stranger(&house).await;
    // Field 7 of the request, `list_services`, with any text.
    let list = vec![vec![0x3a, 1, b'*']];
    let method = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer = call(&stranger, method, list).await.expect("reflection is for anyone");
    let listed = Listed::decode(answer[0].as_slice()).expect("a reflection answer").services.expect("a list");
    let served: BTreeSet<String> = listed.service.into_iter().map(|service| service.name).collect();
    let mut expected: BTreeSet<String> =
        contract().iter().filter_map(|m| Some(m.split_once('/')?.0.to_owned())).collect();
    assert!(served.is_superset(&expected), "{served:?}");
    expected.extend(INFRASTRUCTURE.iter().map(|name| (*name).to_owned()));
    assert!(served.is_subset(&expected), "{served:?}");
    let health = call(&stranger, "/grpc.health.v1.Health/Check", vec![Vec::new()]).await.expect("health is for anyone");
    assert_eq!(health, [[8, 1]], "serving");
}

/// `grpc.reflection.v1.ServerReflectionResponse`, as far as it lists services.
#[derive(Clone, PartialEq, Message)]
struct Listed {
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    service: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

async fn callers(house: &House) -> Vec<(Caller, Channel)> {
    let node = house.commune("93066", "", &[]).await;
    let other = house.commune("93001", "", &[]).await;
    let revoked = house.commune("93005", "", &[]).await;
    let former = house.hub().add_coordinator(&word("ancienne")).await.expect("credentials");
    let until = |days: u64| house.clock.now().plus(Duration::from_hours(24 * days));
    let partner = house.hub().add_partner(&word("universite"), "Observatoire", until(20)).await.expect("credentials");
    // Its certificate is still valid: clocks of two machines differ.
    let ended = house.hub().add_partner(&word("departement"), "Observatoire", until(10)).await.expect("credentials");
    let callers = vec![
        (Caller::Stranger, stranger(house).await),
        (Caller::Node, house.client(&node).await.channel()),
        (Caller::OtherNode, house.client(&other).await.channel()),
        (Caller::RevokedNode, house.client(&revoked).await.channel()),
        (Caller::Coordinator, connect(house, Some(&house.coordinator.identity)).await.expect("connects").channel()),
        (Caller::RevokedCoordinator, connect(house, Some(&former.identity)).await.expect("connects").channel()),
        (Caller::Partner, connect(house, Some(&partner.identity)).await.expect("connects").channel()),
        (Caller::EndedPartner, connect(house, Some(&ended.identity)).await.expect("connects").channel()),
    ];
    // After they connected: a right that ends ends on the connection at hand.
    assert!(house.hub().revoke_node(word("93005")).await.expect("revokes"));
    assert!(house.hub().revoke_coordinator(&word("ancienne")).await.expect("revokes"));
    house.clock.advance(Duration::from_hours(24 * 10 + 1));
    callers
}

async fn stranger(house: &House) -> Channel {
    connect(house, None).await.expect("connects").channel()
}

async fn connect(house: &House, identity: Option<&Identity>) -> Result<HubClient, ClientError> {
    let clock: Arc<dyn Clock> = house.clock.clone();
    let tls = ClientTls::new(house.coordinator.authority, identity, clock).expect("TLS settings");
    HubClient::connect(&tls, &house.coordinator.address).await
}

fn identity(node: &Node) -> Identity {
    let text = |path| std::fs::read_to_string(path).expect("a file of the node's folder");
    let key = TlsKey::from_pem(&text(node.folder().tls_key())).expect("a key");
    Identity::from_pem(Arc::new(key), &text(node.folder().chain())).expect("a certificate")
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_expired_certificates_end_in_the_handshake() {
    let house = House::open().await;
    let elsewhere = House::open().await;
    let stranger = elsewhere.commune("93066", "", &[]).await;
    let foreign = connect(&house, Some(&identity(&stranger))).await.expect_err("another authority");
    assert_eq!(foreign, ClientError::Tls(TlsProblem::OurCertificateRefused));

    let node = house.commune("93066", "", &[]).await;
    let identity = identity(&node);
    let open = connect(&house, Some(&identity)).await.expect("in date");
    house.clock.advance(Duration::from_hours(31 * 24));
    let expired = connect(&house, Some(&identity)).await.expect_err("out of date");
    assert_eq!(expired, ClientError::Tls(TlsProblem::OurCertificateExpired));
    // A connection made in time does not outlive its certificate either.
    assert_eq!(refusal(open.packs().await).reason, "CERTIFICATE_EXPIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinators_are_held_to_the_same_handshake() {
    let house = House::open().await;
    let elsewhere = House::open().await;
    let foreign = connect(&house, Some(&elsewhere.coordinator.identity)).await.expect_err("another authority");
    assert_eq!(foreign, ClientError::Tls(TlsProblem::OurCertificateRefused));

    let node = house.commune("93066", "", &[]).await;
    let open = [
        house.client(&node).await.channel(),
        connect(&house, Some(&house.coordinator.identity)).await.expect("in date").channel(),
    ];
    let before = rows(&house.hub_folder().database()).await;
    house.clock.advance(Duration::from_hours(400 * 24));
    for (method, _, _) in METHODS {
        for channel in &open {
            let (answer, read) = long(channel, &format!("/{method}")).await;
            let refused = answer.expect_err("out of date");
            assert_eq!(
                (refused.reason.as_str(), refused.kind),
                ("CERTIFICATE_EXPIRED", FailureKind::Unauthenticated),
                "{method}"
            );
            assert!(read < LONG / 2, "{method}: {read} parts were read");
        }
    }
    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");
}
