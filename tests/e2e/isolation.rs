//! Who may call what, and write about whom: every method of the contract by every kind of caller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::{Clock, FailureKind, SubmissionId};
use node::Node;
use prost::Message;
use tonic::transport::Channel;
use wire::client::{ClientError, HubClient, TlsProblem};
use wire::document::{Approval, Withdrawal};
use wire::identity::{Identity, TlsKey};
use wire::pb::submission::v1::recover_request;
use wire::tls::ClientTls;

use crate::house::{House, approve, preview, push, send, signing_key, word};
use crate::intruder::{SUBMIT, call, call_with, forged, refusal, rows, upload};

/// Who a method is for. A method that is not in [`AUDIENCES`] fails the test: somebody must decide first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Anyone,
    Nodes,
    Members,
    Coordinators,
}

/// With what the handler says to an empty message: the sign that the call got through. `""` is an answer.
const AUDIENCES: &[(&str, Audience, &str)] = &[
    ("maillage.enrolment.v1.EnrolmentService/Enrol", Audience::Anyone, "ENROLMENT_MALFORMED"),
    ("maillage.enrolment.v1.EnrolmentService/Renew", Audience::Anyone, "CERTIFICATE_REQUEST_INVALID"),
    ("maillage.submission.v1.SubmissionService/Check", Audience::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Submit", Audience::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Get", Audience::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/List", Audience::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Withdraw", Audience::Nodes, "REQUEST_MALFORMED"),
    ("maillage.submission.v1.SubmissionService/Standing", Audience::Nodes, ""),
    ("maillage.submission.v1.SubmissionService/Recover", Audience::Nodes, "UPLOAD_MALFORMED"),
    ("maillage.methodology.v1.MethodologyService/ListPacks", Audience::Members, ""),
    ("maillage.methodology.v1.MethodologyService/GetPack", Audience::Members, "REQUEST_MALFORMED"),
    ("maillage.comparison.v1.ComparisonService/Compare", Audience::Coordinators, "REQUEST_MALFORMED"),
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
}

/// What the gate says; `None` lets the call through.
fn gate(audience: Audience, caller: Caller) -> Option<(&'static str, FailureKind)> {
    use Caller::{Coordinator, Node, OtherNode, RevokedCoordinator, RevokedNode, Stranger};
    let denied = |reason| Some((reason, FailureKind::Denied));
    match (audience, caller) {
        (Audience::Anyone, _)
        | (Audience::Nodes | Audience::Members, Node | OtherNode)
        | (Audience::Members | Audience::Coordinators, Coordinator) => None,
        (_, Stranger) => Some(("CERTIFICATE_REQUIRED", FailureKind::Unauthenticated)),
        (Audience::Nodes | Audience::Members, RevokedNode) => denied("NODE_REVOKED"),
        (Audience::Nodes, Coordinator | RevokedCoordinator) => denied("NODES_ONLY"),
        (Audience::Members | Audience::Coordinators, RevokedCoordinator) => denied("COORDINATOR_REVOKED"),
        (Audience::Coordinators, Node | OtherNode | RevokedNode) => denied("COORDINATORS_ONLY"),
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
async fn every_method_has_one_audience_and_tells_everybody_else_why_not() {
    let declared: BTreeSet<String> = AUDIENCES.iter().map(|(method, _, _)| (*method).to_owned()).collect();
    assert_eq!(contract(), declared, "a method of the contract without a declared audience, or the reverse");

    let house = House::open().await;
    let callers = callers(&house).await;
    let before = rows(&house.hub_folder().database()).await;
    let cells = || AUDIENCES.iter().flat_map(|method| callers.iter().map(move |caller| (method, caller)));
    let mut refused = 0;
    for ((method, audience, _), (caller, channel)) in cells() {
        let Some((reason, kind)) = gate(*audience, *caller) else { continue };
        let (answer, read) = long(channel, &format!("/{method}")).await;
        let said = answer.expect_err("somebody who may not");
        assert_eq!((said.reason.as_str(), said.kind), (reason, kind), "{method} by {caller:?}");
        assert!(said.message.ends_with('.'), "a French sentence: {}", said.message);
        // What fits into the windows of the transport is sent unasked; the rest waits for somebody who reads.
        assert!(read < LONG / 2, "{method} by {caller:?}: {read} of {LONG} parts were read");
        refused += 1;
    }
    assert_eq!(refused, 39, "cells of the matrix that say no");
    // Neither a ledger, nor the counter, nor even the last contact.
    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");

    for ((method, audience, handler), (caller, channel)) in cells() {
        if gate(*audience, *caller).is_none() {
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

/// The messages of a call, and the reason for which it is refused.
type Intrusion = (Vec<Vec<u8>>, &'static str);

/// Every method again, about a territory of somebody else. A method that is not here fails the test.
#[tokio::test(flavor = "multi_thread")]
async fn no_method_reaches_another_communes_territory() {
    let house = House::open().await;
    let file = file();
    let victim = house.commune("93005", SETTINGS, &[("aides.csv", &file)]).await;
    let (_, receipt) = send(&victim).await;
    let stolen = victim.store().ledger(word("93005")).await.expect("storage").remove(0).document.expect("a document");
    let node = house.commune("93001", "", &[]).await;
    let (channel, key) = (house.client(&node).await.channel(), signing_key(node.folder()));
    let signed = |change: &dyn Fn(&mut wire::pb::submission::v1::SubmissionDocument)| {
        let document = forged(&stolen, |document| {
            document.provider = "93001".to_owned();
            document.submission_id = vec![5; 16];
            change(document);
        });
        upload(key.sign(&document).as_bytes(), document.len() as u64, &[&document])
    };
    let withdrawal = Withdrawal {
        provider: word("93001"),
        id: SubmissionId::from_bytes([7; 16]),
        written_at: house.clock.now(),
        approval: Approval::Person,
        slices: [slice_of(&stolen)].into(),
    };
    let withdrawal = withdrawal.encode().expect("a withdrawal");
    let withdraw = wire::pb::submission::v1::WithdrawRequest {
        signature: key.sign(&withdrawal).as_bytes().to_vec(),
        document: withdrawal,
    };
    let list = wire::pb::submission::v1::ListRequest { territory: "93005".to_owned(), ..Default::default() };
    let get = wire::pb::submission::v1::GetRequest { submission_id: receipt.submission.as_bytes().to_vec() };
    // Everything about it is authentic: only its place in a ledger of somebody else speaks against it.
    let (entry, bytes) = house.client(&victim).await.get(receipt.submission).await.expect("the victim's own");
    let parts = [recover_request::Part::Entry((&entry).into()), recover_request::Part::Chunk(bytes)];
    let recover = parts.map(|part| wire::pb::submission::v1::RecoverRequest { part: Some(part) }.encode_to_vec());
    // `None`: the method names no territory; why is said beside it.
    let foreign: BTreeMap<&str, Option<Intrusion>> = BTreeMap::from([
        // The commune is the invitation's, which only its secret finds.
        ("maillage.enrolment.v1.EnrolmentService/Enrol", None),
        // The commune is the one of the key that proves itself.
        ("maillage.enrolment.v1.EnrolmentService/Renew", None),
        // Definitions are everybody's.
        ("maillage.methodology.v1.MethodologyService/ListPacks", None),
        ("maillage.methodology.v1.MethodologyService/GetPack", None),
        // For coordinators, who see all communes.
        ("maillage.comparison.v1.ComparisonService/Compare", None),
        (
            "maillage.submission.v1.SubmissionService/Check",
            Some((signed(&|document| document.purpose = 2), "TERRITORY_NOT_YOURS")),
        ),
        ("maillage.submission.v1.SubmissionService/Submit", Some((signed(&|_| ()), "TERRITORY_NOT_YOURS"))),
        // Rights and heads are those of whoever asks.
        ("maillage.submission.v1.SubmissionService/Standing", None),
        ("maillage.submission.v1.SubmissionService/Recover", Some((recover.into(), "TERRITORY_NOT_YOURS"))),
        ("maillage.submission.v1.SubmissionService/Get", Some((vec![get.encode_to_vec()], "SUBMISSION_UNKNOWN"))),
        ("maillage.submission.v1.SubmissionService/List", Some((vec![list.encode_to_vec()], "TERRITORY_NOT_YOURS"))),
        (
            "maillage.submission.v1.SubmissionService/Withdraw",
            Some((vec![withdraw.encode_to_vec()], "TERRITORY_NOT_YOURS")),
        ),
    ]);
    assert_eq!(foreign.keys().map(|method| (*method).to_owned()).collect::<BTreeSet<_>>(), contract());

    call(&channel, "/maillage.methodology.v1.MethodologyService/ListPacks", vec![Vec::new()])
        .await
        .expect("a first contact");
    let before = rows(&house.hub_folder().database()).await;
    for (method, asked) in &foreign {
        let Some((messages, reason)) = asked else { continue };
        let refused = call(&channel, &format!("/{method}"), messages.clone()).await.expect_err("another's territory");
        assert_eq!(refused.reason, *reason, "{method}");
        assert!(refused.message.ends_with('.'), "a French sentence: {}", refused.message);
    }
    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");
}

/// Bytes that are no message of the method: the caller's fault, with its reason.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_by_every_method_with_a_reason() {
    let house = House::open().await;
    let node = house.commune("93066", "", &[]).await;
    let node = house.client(&node).await.channel();
    let coordinator = connect(&house, Some(&house.coordinator.identity)).await.expect("connects").channel();
    for (method, audience, _) in AUDIENCES {
        let channel = if *audience == Audience::Coordinators { &coordinator } else { &node };
        let refused = call(channel, &format!("/{method}"), vec![b"\xff\xff\xff".to_vec()]).await.expect_err("nonsense");
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
            Caller::Node | Caller::OtherNode | Caller::Coordinator => "METHOD_UNKNOWN",
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
    let callers = vec![
        (Caller::Stranger, stranger(house).await),
        (Caller::Node, house.client(&node).await.channel()),
        (Caller::OtherNode, house.client(&other).await.channel()),
        (Caller::RevokedNode, house.client(&revoked).await.channel()),
        (Caller::Coordinator, connect(house, Some(&house.coordinator.identity)).await.expect("connects").channel()),
        (Caller::RevokedCoordinator, connect(house, Some(&former.identity)).await.expect("connects").channel()),
    ];
    // After they connected: a right that ends ends on the connection at hand.
    assert!(house.hub().revoke_node(word("93005")).await.expect("revokes"));
    assert!(house.hub().revoke_coordinator(&word("ancienne")).await.expect("revokes"));
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
    for (method, _, _) in AUDIENCES {
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

/// An upload that began before the right to it ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_revoked_in_the_middle_of_its_upload_leaves_nothing() {
    let house = House::open().await;
    let file = file();
    let node = house.commune("93001", SETTINGS, &[("aides.csv", &file)]).await;
    preview(&node).await;
    let document = node.store().latest_preview().await.expect("storage").expect("a preview").document;
    let client = house.client(&node).await;
    let signature = signing_key(node.folder()).sign(&document);
    let (first, rest) = document.split_at(document.len() / 2);
    let mut parts = upload(signature.as_bytes(), document.len() as u64, &[first, rest]);
    let last = parts.pop().expect("a second half");
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, wait) = tokio::sync::oneshot::channel();
    let messages = futures::StreamExt::chain(
        futures::stream::iter(parts),
        futures::stream::once(async move {
            begun.send(()).expect("the test waits for this");
            wait.await.expect("told to go on");
            last
        }),
    );
    let channel = client.channel();
    let uploading = tokio::spawn(async move { call_with(&channel, SUBMIT, messages).await });
    has_begun.await.expect("half of it is on its way");
    // A second answer on the connection says that the hub has begun with the first.
    client.packs().await.expect("a living node");
    assert!(house.hub().revoke_node(word("93001")).await.expect("revokes"));
    let before = rows(&house.hub_folder().database()).await;
    go_on.send(()).expect("the upload waits");
    let refused = uploading.await.expect("no panic").expect_err("revoked");
    assert_eq!((refused.reason.as_str(), refused.kind), ("NODE_REVOKED", FailureKind::Denied));
    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");
}

/// A document about two communes is given to nobody who has a right to one of them only.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_partly_somebody_elses_is_not_given_back() {
    let house = House::open().await;
    let file = file();
    let both = [SETTINGS, &SETTINGS.replace("[source.read]", "territory = \"93005\"\n[source.read]")].concat();
    let folder = house.furnish("93001", &both, &[("aides.csv", &file)]);
    let invited = house.hub().invite(word("93001"), &[word("93005")]).await.expect("an invitation");
    node::join::join(&folder, &invited.invitation.to_line(), house.node_world()).await.expect("joins");
    let wide = house.node(&folder).await;
    let narrow = house.commune("93005", SETTINGS, &[("aides.csv", &file)]).await;
    let (_, receipt) = send(&wide).await;
    assert_eq!(receipt.links.len(), 2, "both ledgers know");

    let client = house.client(&narrow).await;
    let page = client.list(word("93005"), 0).await.expect("its own ledger");
    assert_eq!(page.entries.iter().map(|entry| entry.submission).collect::<Vec<_>>(), [receipt.submission]);
    let refused = refusal(client.get(receipt.submission).await);
    assert_eq!((refused.reason.as_str(), refused.kind), ("DOCUMENT_NOT_WHOLLY_YOURS", FailureKind::Denied));
    assert!(refused.message.contains("93001") && refused.message.ends_with('.'), "{}", refused.message);
    // It cannot know what was said about its commune: it does not go on as if it did.
    let stuck = node::sync::sync(&narrow).await.expect_err("the ledger is not whole");
    assert_eq!(stuck.reason, "DOCUMENT_NOT_WHOLLY_YOURS");
    let (_, document) = house.client(&wide).await.get(receipt.submission).await.expect("all its own");
    assert!(!document.is_empty());
}

/// Requests of the first pack's simplest table.
const SETTINGS: &str = "
[[source]]
pack = \"ccas-activite\"
table = \"aides_facultatives\"
period = \"2025\"
[source.read]
file = \"aides.csv\"
";

fn file() -> Vec<u8> {
    let header = "id_demande;id_menage;type_aide;decision;montant;type_menage;age".to_owned();
    let rows = (0..24).map(|n| format!("a{n};m{n};energie;accord;150,50;seul;34"));
    let lines: Vec<String> = std::iter::once(header).chain(rows).collect();
    lines.join("\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_or_reads_as_another_commune() {
    let house = House::open().await;
    let file = file();
    let node = house.commune("93001", SETTINGS, &[("aides.csv", &file)]).await;
    let victim = house.commune("93005", SETTINGS, &[("aides.csv", &file)]).await;
    let (_, receipt) = send(&victim).await;
    let (client, key) = (house.client(&node).await, signing_key(node.folder()));
    preview(&node).await;
    let honest = node.store().latest_preview().await.expect("storage").expect("a preview").document;
    let stolen = victim.store().outbox().await.expect("storage").remove(0).outgoing;
    let before = rows(&house.hub_folder().database()).await;

    // Another commune's name, on the document or on its slice.
    let named = forged(&honest, |document| document.provider = "93005".to_owned());
    let refused = refusal(client.submit(&named, &key.sign(&named)).await);
    assert_eq!((refused.reason.as_str(), refused.kind), ("PROVIDER_MISMATCH", FailureKind::Denied));
    let about = forged(&honest, |document| document.slices[0].territory = "93005".to_owned());
    let refused = refusal(client.submit(&about, &key.sign(&about)).await);
    assert_eq!((refused.reason.as_str(), refused.kind), ("TERRITORY_NOT_YOURS", FailureKind::Denied));
    assert!(refused.conflicts[0].row.starts_with("93005/ccas-activite/"), "{:?}", refused.conflicts);

    // Another key, even one that the hub knows; and a stolen document with the signature of its author.
    let theirs = signing_key(victim.folder());
    assert_eq!(refusal(client.submit(&honest, &theirs.sign(&honest)).await).reason, "SIGNATURE_INVALID");
    let replayed = upload(&stolen.signature, stolen.document.len() as u64, &[&stolen.document]);
    let refused = call(&client.channel(), SUBMIT, replayed).await.expect_err("stolen");
    assert_eq!(refused.reason, "SIGNATURE_INVALID");

    // Taking back what is not ours, and looking at it.
    let withdrawal = |provider| {
        let slice = slice_of(&stolen.document);
        Withdrawal {
            provider,
            id: SubmissionId::from_bytes([7; 16]),
            written_at: house.clock.now(),
            approval: Approval::Person,
            slices: [slice].into(),
        }
        .encode()
        .expect("a withdrawal")
    };
    let (ours, forged) = (withdrawal(word("93001")), withdrawal(word("93005")));
    assert_eq!(refusal(client.withdraw(&ours, &key.sign(&ours)).await).reason, "TERRITORY_NOT_YOURS");
    assert_eq!(refusal(client.withdraw(&forged, &key.sign(&forged)).await).reason, "PROVIDER_MISMATCH");
    assert_eq!(refusal(client.list(word("93005"), 0).await).reason, "TERRITORY_NOT_YOURS");
    let theirs = refusal(client.get(receipt.submission).await);
    let nobodys = refusal(client.get(SubmissionId::from_bytes([9; 16])).await);
    assert_eq!((theirs.reason.as_str(), &theirs), ("SUBMISSION_UNKNOWN", &nobodys), "existence is not told");

    // An id that another commune used: nothing of theirs moves, and what is said is the same whatever they sent.
    let same_id = forged_id(&honest, receipt.submission);
    assert_eq!(refusal(client.submit(&same_id, &key.sign(&same_id)).await).reason, "SUBMISSION_ID_REUSED");

    assert_eq!(rows(&house.hub_folder().database()).await, before, "a refusal wrote something");
    let preview = preview(&node).await;
    approve(&node, &preview).await;
    push(&node).await;
    assert_ne!(rows(&house.hub_folder().database()).await, before, "what is ours is taken");
}

fn forged_id(document: &[u8], id: SubmissionId) -> Vec<u8> {
    forged(document, |document| document.submission_id = id.as_bytes().to_vec())
}

fn slice_of(document: &[u8]) -> model::Slice {
    wire::document::decode(document).expect("a document").slices[0].received.slice.clone()
}

/// Two communes' data never meet in one answer: a node's ledger lists its own documents only.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_lists_its_own_commune_only() {
    let house = House::open().await;
    let file = file();
    let mut sent = BTreeMap::new();
    for commune in ["93001", "93005", "93066"] {
        let node = house.commune(commune, SETTINGS, &[("aides.csv", &file)]).await;
        let (_, receipt) = send(&node).await;
        sent.insert(commune, (node, receipt));
    }
    for (commune, (node, receipt)) in &sent {
        let page = house.client(node).await.list(word(commune), 0).await.expect("its own");
        let ids: Vec<SubmissionId> = page.entries.iter().map(|entry| entry.submission).collect();
        assert_eq!(ids, [receipt.submission]);
    }
}
