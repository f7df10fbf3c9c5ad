//! Whose territory it is: nobody writes, reads or takes back as another commune, and what is partly another's is kept
//! apart.

use std::collections::{BTreeMap, BTreeSet};

use model::{Clock, FailureKind, SubmissionId};
use node::Node;
use prost::Message;
use wire::document::{Approval, Sharing, Withdrawal};
use wire::pb::submission::v1::recover_request;

use super::contract;
use crate::house::{House, approve, on_both, preview, push, put, send, send_all, signing_key, word};
use crate::intruder::{SUBMIT, call, call_with, forged, refusal, rows, upload};

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
    let sharing = Sharing {
        provider: word("93001"),
        id: SubmissionId::from_bytes([8; 16]),
        written_at: house.clock.now(),
        approval: Approval::Person,
        slices: [(slice_of(&stolen), model::Audience::ALL.into())].into(),
    };
    let sharing = sharing.encode().expect("a sharing");
    let share =
        wire::pb::submission::v1::ShareRequest { signature: key.sign(&sharing).as_bytes().to_vec(), document: sharing };
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
        ("maillage.methodology.v1.MethodologyService/WatchPacks", None),
        ("maillage.methodology.v1.MethodologyService/GetPack", None),
        // What is seen of whom is `visibility`'s: tests/e2e/sharing.rs, and the hub's own tests.
        ("maillage.comparison.v1.ComparisonService/Compare", None),
        ("maillage.comparison.v1.ComparisonService/Profile", None),
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
        ("maillage.submission.v1.SubmissionService/Share", Some((vec![share.encode_to_vec()], "TERRITORY_NOT_YOURS"))),
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

/// The settings of a node that speaks for 93001 and 93005.
fn of_two() -> String {
    [SETTINGS, &SETTINGS.replace("[source.read]", "territory = \"93005\"\n[source.read]")].concat()
}

/// A node of 93001 that may write about 93005 too.
async fn wide(house: &House) -> Node {
    let folder = house.furnish("wide", &of_two(), &[("aides.csv", &file())]);
    let invited = house.hub().invite(word("93001"), &[word("93005")]).await.expect("an invitation");
    node::join::join(&folder, &invited.invitation.to_line(), house.node_world()).await.expect("joins");
    house.node(&folder).await
}

/// One document about both communes, as nodes once made it, with what is previewed of the first.
async fn mixed(node: &Node, id: u8) -> Vec<u8> {
    let seen = preview(node).await;
    let documents = node.store().waiting_previews().await.expect("storage");
    assert_eq!(documents.len(), seen.territories.len());
    let slices = |document: &Vec<u8>| {
        wire::pb::submission::v1::SubmissionDocument::decode(document.as_slice()).expect("our own").slices
    };
    let mut all: Vec<_> = documents.iter().flat_map(|preview| slices(&preview.document)).collect();
    all.sort_by(|one, other| one.territory.cmp(&other.territory));
    forged(&documents[0].document, |document| {
        document.submission_id = vec![id; 16];
        document.slices.clone_from(&all);
    })
}

/// Whoever holds several territories sends a document for each; whoever holds one of them reads what concerns it.
#[tokio::test(flavor = "multi_thread")]
async fn each_territory_has_its_document_and_each_holder_can_read_its_own() {
    on_both(async || {
        let house = House::open().await;
        let wide = wide(&house).await;
        let narrow = house.commune("93005", SETTINGS, &[("aides.csv", &file())]).await;
        let (client, key) = (house.client(&wide).await, signing_key(wide.folder()));
        let document = mixed(&wide, 9).await;
        let refused = refusal(client.submit(&document, &key.sign(&document)).await);
        assert_eq!((refused.reason.as_str(), refused.kind), ("DOCUMENT_OVER_TERRITORIES", FailureKind::Precondition));
        assert_eq!(refused.conflicts[0].row, "93005");
        assert!(refused.message.contains("un envoi par commune"), "{}", refused.message);

        let (seen, receipts) = send_all(&wide).await;
        assert_eq!(seen.slices.len(), 2, "one preview lists both");
        let ledgers: Vec<Vec<String>> =
            receipts.iter().map(|receipt| receipt.links.keys().map(ToString::to_string).collect()).collect();
        assert_eq!(ledgers, [["93001"], ["93005"]]);
        node::sync::sync(&narrow).await.expect("its own ledger is whole");
        let ledger = narrow.store().ledger(word("93005")).await.expect("storage");
        assert_eq!(ledger.iter().map(|record| record.submission).collect::<Vec<_>>(), [receipts[1].submission]);
        assert!(ledger[0].document.is_some());
        assert!(!preview(&narrow).await.leaves, "it knows what was sent about it");

        // Taking back: the same, whoever writes the document.
        let slices: BTreeSet<_> = seen.slices.iter().map(|slice| slice.slice.clone()).collect();
        let whole = Withdrawal {
            provider: word("93001"),
            id: SubmissionId::from_bytes([8; 16]),
            written_at: house.clock.now(),
            approval: Approval::Person,
            slices: slices.clone(),
        };
        let whole = whole.encode().expect("a withdrawal");
        assert_eq!(refusal(client.withdraw(&whole, &key.sign(&whole)).await).reason, "DOCUMENT_OVER_TERRITORIES");
        let taken = node::withdraw::withdraw(&wide, slices, "Awa Diallo").await.expect("two documents");
        assert_eq!(taken.len(), 2);
        assert_eq!(node::push::push(&wide, &|_| {}).await.expect("a push").len(), 2);
        node::sync::sync(&narrow).await.expect("still whole");
        for node in [wide, narrow] {
            node.close().await;
        }
        house.close().await;
    })
    .await;
}

/// What older nodes sent about two communes at once stays readable to whoever holds both, and is given to nobody who
/// holds one.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_document_about_two_communes_is_read_by_who_holds_both() {
    let house = House::open().await;
    let wide = wide(&house).await;
    let (client, key) = (house.client(&wide).await, signing_key(wide.folder()));
    let document = mixed(&wide, 9).await;
    let accepted = client.submit(&document, &key.sign(&document)).await.expect("nobody else holds either");
    let receipt = accepted.receipt.verify(&wide.hub_keys().expect("keys")).expect("the hub's");
    assert_eq!(receipt.links.len(), 2, "both ledgers know");
    node::sync::sync(&wide).await.expect("comes back");
    assert!(!preview(&wide).await.leaves, "it is in its memory, under both");
    // What a later document replaced does not come back through the other's ledger.
    put(wide.folder().root(), "aides.csv", &file_of(25));
    send_all(&wide).await;
    assert!(!preview(&wide).await.leaves);

    // From the invitation on, nobody may add another one.
    let line = house.hub().invite(word("93005"), &[]).await.expect("an invitation").invitation.to_line();
    put(wide.folder().root(), "aides.csv", &file_of(26));
    let document = mixed(&wide, 10).await;
    assert_eq!(refusal(client.submit(&document, &key.sign(&document)).await).reason, "DOCUMENT_OVER_TERRITORIES");

    let folder = house.furnish("narrow", SETTINGS, &[("aides.csv", &file())]);
    // It cannot know what was said about its commune: it does not go on as if it did.
    let stuck = node::join::join(&folder, &line, house.node_world()).await.expect_err("the ledger is not whole");
    assert_eq!((stuck.reason.as_ref(), stuck.kind), ("DOCUMENT_NOT_WHOLLY_YOURS", FailureKind::Denied));
    assert!(stuck.message.contains("93001") && stuck.message.ends_with('.'), "{}", stuck.message);
    let (_, document) = client.get(receipt.submission).await.expect("all its own");
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
    file_of(24)
}

fn file_of(requests: usize) -> Vec<u8> {
    let header = "id_demande;id_menage;type_aide;decision;montant;type_menage;age".to_owned();
    let rows = (0..requests).map(|n| format!("a{n};m{n};energie;accord;150,50;seul;34"));
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
