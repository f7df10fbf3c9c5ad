//! Communes say who is shown what they sent, by the same ways as everything else: pushed, in an envelope, given back to a
//! hub that forgot.

use std::collections::BTreeSet;
use std::time::Duration;

use hub::backup::{Key, Lock, backup, new_key};
use hub::compare::{Comparison, Question};
use model::Audience::{self, Coordinators, Members};
use node::Node;
use node::push::Verdict;
use node::share::{Selection, share, standing};
use statistics::{Reading, Silence};

use crate::house::{House, on_both, preview, send, word};
use crate::small_pack::{LARGE, pack, rows, settings};

const CODES: [&str; 5] = ["93001", "93005", "93006", "93007", "93008"];

async fn commune(house: &House, code: &str) -> Node {
    let large = rows(LARGE);
    house.commune(code, &settings("2025"), &[("groupes.csv", &large), ("lieux.csv", &large)]).await
}

/// The whole table of groups of 2025, and nothing else.
fn groups() -> Selection {
    Selection { pack: Some(word("essai")), table: Some(word("groupes")), period: Some(word("2025")), territory: None }
}

async fn says(node: &Node, audiences: &[Audience]) {
    let audiences: BTreeSet<Audience> = audiences.iter().copied().collect();
    share(node, &groups(), &audiences, "Aïcha Martin").await.expect("a decision");
    for delivered in node::push::push(node, &|_| {}).await.expect("a push") {
        assert!(matches!(delivered.verdict, Verdict::Received { .. }), "{delivered:?}");
    }
}

async fn reads(node: &Node) -> Comparison {
    let question =
        Question { indicator: word("groupes_n"), period: word("2025"), key: model::Key::total(), pack: None };
    let client = node::sync::connect(node).await.expect("the hub answers");
    hub::compare::ask_through(&client, &question).await.expect("a comparison")
}

async fn seen_by(node: &Node) -> BTreeSet<Audience> {
    let tables = standing(node, &groups()).await.expect("a ledger");
    let [table] = tables.as_slice() else { panic!("{tables:?}") };
    table.audiences.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_communes_that_share_see_their_group_and_a_fifth_does_not() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let mut nodes = Vec::new();
        for code in CODES {
            let node = commune(&house, code).await;
            send(&node).await;
            assert_eq!(seen_by(&node).await, Audience::unless_said());
            nodes.push(node);
        }
        for node in &nodes[..4] {
            assert!(reads(node).await.group.reason.is_some());
            says(node, &[Coordinators, Members]).await;
            assert_eq!(seen_by(node).await, [Coordinators, Members].into());
            assert_eq!(share(node, &groups(), &seen_by(node).await, "Aïcha").await, Ok(vec![]), "nothing to say");
        }
        let seen = reads(&nodes[0]).await;
        assert_eq!(seen.communes.len(), 1, "itself");
        assert_eq!((seen.group.communes, seen.group.reason.as_deref()), (4, None));
        assert!(matches!(seen.group.value.reading, Reading::Value(_)));
        assert!(reads(&nodes[4]).await.group.reason.expect("none").contains("partagez"));
        let by_coordination = house.compare("groupes_n", "2025", "").await.expect("a comparison");
        assert_eq!(by_coordination.communes.len(), 5);
        house.close().await;
    })
    .await;
}

/// Said before the first push, nothing was ever seen by anybody; and a preview says who will see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_commune_may_say_no_before_anything_leaves() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, CODES[0]).await;
    let waiting = preview(&node).await;
    says(&node, &[]).await;
    assert_eq!(node.store().waiting_previews().await.expect("storage").len(), 1, "the preview goes on waiting");
    let again = preview(&node).await;
    assert_eq!(again.slices.len(), waiting.slices.len());
    for slice in &again.slices {
        let expected = if slice.slice.table == word("groupes") { BTreeSet::new() } else { Audience::unless_said() };
        assert_eq!(slice.audiences, expected, "{}", slice.slice);
    }
    send(&node).await;
    let seen = house.compare("groupes_n", "2025", "").await.expect("a comparison");
    assert_eq!(seen.communes[0].value.reading, Reading::Silence(Silence::NotShared));
    assert_eq!(seen.group.communes, 0);
    let nonsense = Selection { table: Some(word("rien")), ..groups() };
    assert_eq!(standing(&node, &nonsense).await.expect_err("no such table").reason, "SLICE_NOT_SENT");
    let unnamed = share(&node, &groups(), &Audience::unless_said(), " ").await.expect_err("nobody decides");
    assert_eq!(unnamed.reason, "APPROVAL_WITHOUT_NAME");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_goes_in_an_envelope_too() {
    let house = House::open_with(vec![pack()]).await;
    let node = commune(&house, CODES[0]).await;
    send(&node).await;
    share(&node, &groups(), &BTreeSet::new(), "Aïcha Martin").await.expect("a decision");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("enveloppe");
    node::bundle::write(&node, &file).await.expect("written");
    let answered = house.hub().accept_bundle(&std::fs::read(&file).expect("a file")).await.expect("accepted");
    let back = folder.path().join("reponse");
    std::fs::write(&back, &answered.answer).expect("written");
    let delivered = node::bundle::accept_answer(&node, &back).await.expect("an answer");
    assert!(matches!(delivered[0].verdict, Verdict::Received { .. }), "{delivered:?}");
    let seen = house.compare("groupes_n", "2025", "").await.expect("a comparison");
    assert_eq!(seen.communes[0].value.reading, Reading::Silence(Silence::NotShared));
    house.close().await;
}

/// The copy of last night says that a commune shares; this morning it said no; then the hub burnt down.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hub_shows_to_communes_only_what_it_is_sure_of() {
    let mut house = House::open_with(vec![pack()]).await;
    let mut nodes = Vec::new();
    for code in CODES {
        let node = commune(&house, code).await;
        send(&node).await;
        says(&node, &[Coordinators, Members]).await;
        nodes.push(node);
    }
    assert_eq!(reads(&nodes[1]).await.group.communes, 5);
    let safe = tempfile::tempdir().expect("a folder");
    let (key, file) = (safe.path().join("key.txt"), safe.path().join("night.age"));
    let lock = Lock::recipients(&[new_key(&key).expect("a key")]).expect("our own");
    backup(&house.hub_folder(), &file, &lock, &house.node_world()).await.expect("a backup");
    says(&nodes[0], &[]).await;
    assert!(reads(&nodes[1]).await.group.reason.is_some(), "it left");
    house.stop().await;
    house.clock.advance(Duration::from_mins(5));
    std::fs::remove_dir_all(house.hub_folder().root()).expect("fire");
    let key = Key::identities(&key).expect("our own");
    hub::restore::restore(&house.hub_folder(), &file, &key, None, false, &house.node_world()).await.expect("restores");
    house.start().await;
    for node in &nodes[1..] {
        let seen = reads(node).await;
        assert!(seen.group.reason.is_some(), "the others have not all spoken: {:?}", seen.group);
    }
    // The first to leave brings back what it said; until then the coordination reads the copy, as its default is.
    assert_eq!(node::sync::sync(&nodes[0]).await.expect("reaches").recovered, 1);
    let seen = reads(&nodes[1]).await;
    assert!(seen.group.reason.is_some_and(|reason| reason.contains("Trop peu")), "it left again");
    let seen = house.compare("groupes_n", "2025", "").await.expect("a comparison");
    let first = seen.communes.iter().find(|row| row.territory == word(CODES[0])).expect("its row");
    assert_eq!(first.value.reading, Reading::Silence(Silence::NotShared));
    house.close().await;
}

/// What operators copy reads with the packs that this program brings, and says what its comments say.
#[tokio::test(flavor = "multi_thread")]
async fn the_operators_copy_of_the_policy_reads() {
    let house = House::open_with(methodology::library()).await;
    let text = include_str!("../../deploy/visibility.toml");
    std::fs::write(house.hub_folder().visibility(), text).expect("written");
    let node = house.commune(CODES[0], &settings("2025"), &[]).await;
    let client = node::sync::connect(&node).await.expect("the hub answers");
    for (indicator, others) in
        [("dom_demandes", hub::visibility::Showing::Bands), ("aidfac_demandes", hub::visibility::Showing::Nothing)]
    {
        let question =
            Question { indicator: word(indicator), period: word("2025"), key: model::Key::total(), pack: None };
        let seen = hub::compare::ask_through(&client, &question).await.expect("a comparison");
        assert_eq!(seen.others, others, "{indicator}");
    }
    house.close().await;
}
