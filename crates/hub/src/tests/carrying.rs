//! Envelopes against pushes that come at the same time.

use std::collections::BTreeMap;

use disclosure::Received;
use model::{FailureKind, SubmissionId, Timestamp};
use seal::{OpeningKey, SealingKey};
use testkit::SeededEntropy;
use wire::bundle::{Bundle, BundleId, Item, ItemKind, ItemVerdict, SignedSealingKey};
use wire::document::Purpose;
use wire::upload::Upload;

use super::figures::*;
use super::stage::*;
use crate::submit::Heads;

/// What was put into a drawer when the ledger ended at `position`.
fn envelope(stage: &Stage, node: &Node, position: u64, document: &[u8]) -> Vec<u8> {
    let authority = stage.coordinator.authority;
    let hub: SealingKey = SignedSealingKey::of(&stage.hub.0.signing_key).verify(node.hub_keys()).expect("the hub's");
    let bundle = Bundle {
        id: BundleId::draw(&SeededEntropy::new(5)),
        provider: node.commune,
        written_at: Timestamp::from_micros(0),
        reply_key: OpeningKey::of(&node.signing).sealing_key(),
        positions: BTreeMap::from([(node.commune, position)]),
        items: vec![Item {
            kind: ItemKind::Submit,
            document: document.to_vec(),
            signature: node.signing.sign(document),
        }],
    };
    bundle.seal(&node.signing, &hub, authority, &SeededEntropy::new(6)).expect("seals")
}

fn figures(period: &str) -> [Received; 1] {
    [received(&pack(), "93066", period, PLAIN, &[])]
}

/// The look at the ledger and the acceptance are two moments: what comes in between makes the look void.
#[tokio::test]
async fn what_was_decided_on_a_ledger_is_accepted_on_that_ledger_only() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let document = node.document(1, Purpose::Submit, &figures("2024"));
        let file = envelope(&stage, &node, 0, &document);
        let opening = OpeningKey::of(&stage.hub.0.signing_key);
        let (sender, _) = Bundle::open(&file, &opening, stage.coordinator.authority).expect("ours");
        let provider = stage.hub.sender(&sender).await.expect("a living node");
        let looked_at = Heads::from([(node.commune, 0)]);

        node.submit(2, &figures("2025")).await.expect("a push in between");
        let upload = || Upload { document: document.clone(), signature: node.signing.sign(&document) };
        let late = stage.hub.submit_at(&provider, Purpose::Submit, upload(), Some(&looked_at)).await;
        let late = late.expect_err("the ledger moved on").failure;
        assert_eq!((late.kind, late.reason.as_ref()), (FailureKind::Unavailable, "LEDGER_BUSY"));
        assert_eq!(stage.hub.store().number().await.expect("reads"), 1);
        let answered = stage.hub.accept_bundle(&file).await.expect("answered");
        let ItemVerdict::Refused { reason, .. } = &answered.items[0].verdict else { panic!("{answered:?}") };
        assert_eq!(reason, "BUNDLE_OUTDATED");

        let looked_at = Heads::from([(node.commune, 1)]);
        let taken = stage.hub.submit_at(&provider, Purpose::Submit, upload(), Some(&looked_at)).await;
        assert!(!taken.expect("where it was looked at").already_received);
    }
}

/// Whichever comes first: an envelope is never behind a push that its writer did not know of.
#[tokio::test]
async fn an_envelope_and_a_push_at_once_end_in_an_order_that_both_allow() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let mut outdated = 0;
    for round in 0..12_u8 {
        let position = stage.hub.store().head(node.commune).await.expect("reads").sequence;
        let (carried, pushed) = (100 + round, 200 + round);
        let file = envelope(&stage, &node, position, &node.document(carried, Purpose::Submit, &figures("2024")));
        let pushing = async {
            for _ in 0..u32::from(round) * 40 {
                tokio::task::yield_now().await;
            }
            node.submit(pushed, &figures("2025")).await.expect("a push")
        };
        let (answered, receipt) = tokio::join!(stage.hub.accept_bundle(&file), pushing);
        let pushed = receipt.receipt.verify(node.hub_keys()).expect("the hub's").links[&node.commune].sequence;
        match &answered.expect("answered").items[0].verdict {
            ItemVerdict::Received { receipt, .. } => {
                let carried = receipt.verify(node.hub_keys()).expect("the hub's").links[&node.commune].sequence;
                assert!(carried < pushed, "round {round}: an old file followed a newer push");
            }
            ItemVerdict::Refused { reason, .. } => {
                assert_eq!(reason, "BUNDLE_OUTDATED");
                outdated += 1;
                let id = SubmissionId::from_bytes([carried; 16]);
                assert!(stage.hub.store().submission(id).await.expect("reads").is_none());
            }
        }
    }
    println!("{outdated} of 12 came too late");
}
