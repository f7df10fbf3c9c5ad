//! Two hubs on one PostgreSQL, with the same keys: what one has acknowledged, the other answers at once, and either
//! may be killed.

use node::run::open_and_round;
use node::{Node, NodeFolder};
use statistics::{Reading, Silence};

use crate::house::{House, Replica, on_postgres, put, word};
use crate::recovery::{BY_RULE, COMMUNE, check_whole};
use crate::small_pack::{pack, rows, settings};

/// The node goes to this address from its next command on.
fn point_to(folder: &NodeFolder, address: &str) {
    let text = format!("[hub]\naddress = \"{address}\"\n\n{BY_RULE}{}", settings("2025"));
    put(folder.root(), "node.toml", text.as_bytes());
}

fn edit(folder: &NodeFolder, a: u32) {
    for file in ["groupes.csv", "lieux.csv"] {
        put(folder.root(), file, &rows([a, 20, 53]));
    }
}

async fn round(house: &House, folder: &NodeFolder) {
    open_and_round(folder, &house.node_world(), &|_| {}).await.expect("a round");
}

/// What the coordinator reads from the one and from the other.
async fn both(house: &House, replica: &Replica) -> [Option<Reading>; 2] {
    let at = async |address: &str| {
        let comparison = house.compare_at(address, "groupes_n", "2025", "").await.expect("a comparison");
        comparison.communes.into_iter().find(|row| row.territory == word(COMMUNE)).map(|row| row.value.reading)
    };
    [at(house.address()).await, at(replica.address()).await]
}

fn twice(reading: Reading) -> [Option<Reading>; 2] {
    [Some(reading), Some(reading)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_acknowledged_the_other_answers_at_once() {
    on_postgres(async || {
        let house = House::open_with(vec![pack()]).await;
        let replica = house.replica().await;
        let folder = house.furnish(COMMUNE, "", &[]);
        point_to(&folder, house.address());
        edit(&folder, 40);
        // Invited at the one, joined at the other: the invitation names the house.
        house.join(&folder, COMMUNE).await;
        round(&house, &folder).await;
        assert_eq!(both(&house, &replica).await, twice(Reading::Value(113.0)));

        // To and fro: each has answered before, and must not answer from memory.
        for (n, address) in [replica.address(), house.address(), replica.address()].into_iter().enumerate() {
            let a = 50 + u32::try_from(n).expect("few");
            point_to(&folder, address);
            edit(&folder, a);
            round(&house, &folder).await;
            assert_eq!(both(&house, &replica).await, twice(Reading::Value(f64::from(a) + 73.0)));
            let heads = [house.hub(), replica.hub()].map(|hub| hub.store().head(word(COMMUNE)));
            let heads = futures::future::try_join_all(heads).await.expect("heads");
            assert_eq!((heads[0].sequence, heads[0].receipt), (heads[1].sequence, heads[1].receipt));
            assert_eq!(heads[0].sequence, n as u64 + 2);
        }
        check_whole(&house, &folder, 4).await;

        // A withdrawal at the one is a silence at the other; a document destroyed at the one is gone from the other.
        let node = house.node(&folder).await;
        let sent = node::ledger::read(node.store(), &[node.provider()]).await.expect("the ledger");
        let slices = sent.current.into_keys().collect();
        node::withdraw::withdraw(&node, slices, "Awa Diallo").await.expect("a withdrawal");
        crate::house::push(&node).await;
        node.close().await;
        assert_eq!(both(&house, &replica).await, twice(Reading::Silence(Silence::Withdrawn)));
        replica.stop().await;
        house.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_at_one_replica_is_a_silence_at_the_other() {
    on_postgres(async || {
        let house = House::open_with(vec![pack()]).await;
        let replica = house.replica().await;
        let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
        edit(&folder, 40);
        house.join(&folder, COMMUNE).await;
        round(&house, &folder).await;
        assert_eq!(both(&house, &replica).await, twice(Reading::Value(113.0)), "both have read it by now");
        let entry = house.hub().store().ledger(word(COMMUNE), 0, 1).await.expect("the ledger").remove(0).submission;
        let proposal = house.hub().propose_purge(entry.id, "Awa", "essai").await.expect("a proposal");
        house.hub().confirm_purge(proposal.id, "Zoé").await.expect("a purge");
        let [first, second] = both(&house, &replica).await;
        assert_eq!(first, second);
        assert!(matches!(first, Some(Reading::Silence(_))), "{first:?}");
        // Its bytes are gone from the other's memory too: the ledger gives the entry back without them.
        point_to(&folder, replica.address());
        let node = house.node(&folder).await;
        node::sync::rebuild(&node).await.expect("the chain holds");
        let ledger = node.store().ledger(word(COMMUNE)).await.expect("the ledger");
        assert!(ledger.iter().all(|record| record.document.is_none()));
        node.close().await;
        replica.stop().await;
        house.close().await;
    })
    .await;
}

/// Revoked at the one, refused by the other at the very next call, also over a connection that was open before.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_at_one_replica_is_one_at_the_other() {
    on_postgres(async || {
        let house = House::open_with(vec![pack()]).await;
        let replica = house.replica().await;
        let folder = house.furnish(COMMUNE, &format!("{BY_RULE}{}", settings("2025")), &[]);
        edit(&folder, 40);
        house.join(&folder, COMMUNE).await;
        point_to(&folder, replica.address());
        let node = house.node(&folder).await;
        let client = house.client(&node).await;
        client.list(node.provider(), 0).await.expect("a member");
        assert!(house.hub().revoke_node(node.provider()).await.expect("revokes"));
        let refused = client.list(node.provider(), 0).await.expect_err("over the same connection");
        assert_eq!(refused.reason(), "NODE_REVOKED");

        let name = word("zoe");
        let made = house.hub().add_coordinator(&name).await.expect("adds");
        let at_replica = hub::access::Credentials { address: word(replica.address()), ..made };
        let client = at_replica.connect(house.clock.clone()).await.expect("known at once");
        client.packs().await.expect("may read packs");
        assert!(house.hub().revoke_coordinator(&name).await.expect("revokes"));
        assert_eq!(client.packs().await.expect_err("over the same connection").reason(), "COORDINATOR_REVOKED");
        node.close().await;
        replica.stop().await;
        house.close().await;
    })
    .await;
}

/// Documents of one commune arrive at both at once: each ledger number is given once, and the same document twice is
/// one document.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_number_one_ledger() {
    on_postgres(async || {
        let house = House::open_with(vec![pack()]).await;
        let replica = house.replica().await;
        let mut nodes = Vec::new();
        for commune in ["93008", "93010", "93014", "93027"] {
            let folder = house.furnish(commune, &settings("2025"), &[]);
            edit(&folder, 40);
            house.join(&folder, commune).await;
            let node = house.node(&folder).await;
            let preview = crate::house::preview(&node).await;
            crate::house::approve(&node, &preview).await;
            nodes.push(node);
        }
        let mut sending = Vec::new();
        for node in &nodes {
            let item = node.store().oldest_pending().await.expect("the outbox").expect("a document").outgoing;
            let signature = seal::Signature::from_slice(&item.signature).expect("a signature");
            for address in [house.address(), replica.address(), house.address(), replica.address()] {
                let client = house.client_at(node, address).await;
                let document = item.document.clone();
                sending.push(tokio::spawn(async move { client.submit(&document, &signature).await }));
            }
        }
        let mut fresh = 0;
        for sent in sending {
            fresh += usize::from(!sent.await.expect("a task").expect("accepted").already_received);
        }
        assert_eq!(fresh, nodes.len(), "each was new once");
        for node in nodes {
            let kept = replica.hub().store().ledger(node.provider(), 0, 100).await.expect("the ledger");
            assert_eq!(kept.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1]);
            node::push::push(&node, &|_| {}).await.expect("its own answer");
            let folder = node.folder().clone();
            node.close().await;
            check_whole(&house, &folder, 1).await;
        }
        replica.stop().await;
        house.close().await;
    })
    .await;
}

/// Killed in the midst of it; the node is told the other address and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_on_with_the_replica_that_lives() {
    on_postgres(async || {
        let mut house = House::open_with(vec![pack()]).await;
        let folder = house.furnish(COMMUNE, "", &[]);
        point_to(&folder, house.address());
        edit(&folder, 40);
        house.join(&folder, COMMUNE).await;
        let mut documents = 0;
        for n in 0..6_u32 {
            let replica = house.replica().await;
            let address = replica.address().to_owned();
            edit(&folder, 50 + n);
            // Killed after so many looks at its future: before, during or after the submission.
            point_to(&folder, &address);
            let world = house.node_world();
            let sending = open_and_round(&folder, &world, &|_| {});
            let killing = async {
                for _ in 0..n * 40 {
                    tokio::task::yield_now().await;
                }
                replica.kill().await;
            };
            let (_, ()) = tokio::join!(sending, killing);
            point_to(&folder, house.address());
            house.clock.advance(std::time::Duration::from_mins(11));
            round(&house, &folder).await;
            documents += 1;
            check_whole(&house, &folder, documents).await;
        }
        // And the one of the house, with the other living.
        let replica = house.replica().await;
        house.kill().await;
        edit(&folder, 90);
        point_to(&folder, replica.address());
        let world = house.node_world();
        open_and_round(&folder, &world, &|_| {}).await.expect("a round at the other");
        house.start().await;
        check_whole(&house, &folder, documents + 1).await;
        Node::open(folder, house.node_world()).await.expect("opens").close().await;
        replica.stop().await;
        house.close().await;
    })
    .await;
}
