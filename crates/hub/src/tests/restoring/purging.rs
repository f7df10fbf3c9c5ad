//! Bytes that two persons destroyed stay destroyed, and what they had replaced does not come back in their place.

use store::hub::{SliceState, SliceVersion};
use wire::document::{Receipt, SignedReceipt};

use super::*;

fn id(first: u8) -> model::SubmissionId {
    model::SubmissionId::from_bytes([first; 16])
}

async fn destroy(stage: &Stage, submission: u8) {
    let proposal = stage.hub.propose_purge(id(submission), "Awa", "fuite").await.expect("proposed");
    stage.hub.confirm_purge(proposal.id, "Bea").await.expect("destroyed");
}

/// What the slice of this period holds, and since which document.
async fn state(stage: &Stage, period: &str) -> Option<(SliceState, model::SubmissionId)> {
    let current = stage.hub.store().slice(&figures(period)[0].slice).await.expect("reads")?;
    Some((current.state, current.submission))
}

async fn history(stage: &Stage, period: &str) -> Vec<SliceVersion> {
    stage.hub.store().history(&figures(period)[0].slice).await.expect("reads")
}

#[tokio::test]
async fn a_purge_that_was_lost_destroys_again() {
    for (database, second) in databases().into_iter().zip(databases()) {
        let safe = Safe::new();
        let mut stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        node.submit(1, &figures("2024")).await.expect("accepted");
        let id = model::SubmissionId::from_bytes([1; 16]);
        safe.take(&stage, "old.age").await;
        let proposal = stage.hub.propose_purge(id, "Awa", "fuite").await.expect("proposed");
        stage.hub.confirm_purge(proposal.id, "Bea").await.expect("destroyed");
        let known = memory(&node).await;
        let root = tempfile::tempdir().expect("a folder");
        roll_back(&mut stage, &safe, "old.age", root.path(), second).await;
        assert!(stage.hub.store().document(id).await.expect("reads").is_some(), "the copy brought the bytes back");
        let node = node.again(&stage).await;
        assert!(!node.client.recover(&known[1]).await.expect("the purge"));
        assert_eq!(stage.hub.store().document(id).await.expect("reads"), None);
        let current = stage.hub.store().slice(&figures("2024")[0].slice).await.expect("reads").expect("a pointer");
        assert_eq!(current.state, store::hub::SliceState::Purged);
        assert_eq!(memory(&node).await, known);
        assert_eq!(stage.hub.purges().await.expect("reads").len(), 1);
    }
}

/// The copy holds older figures of the slice; the node gives back a document whose bytes are gone.
#[tokio::test]
async fn a_slice_whose_last_figures_were_destroyed_does_not_show_the_older_ones_again() {
    for (database, second) in databases().into_iter().zip(databases()) {
        let safe = Safe::new();
        let mut stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        for (first, period) in [(1, "2024"), (2, "2023"), (3, "2022")] {
            node.submit(first, &figures(period)).await.expect("accepted");
        }
        safe.take(&stage, "old.age").await;
        let [of_2024, of_2023, of_2021] = ["2024", "2023", "2021"].map(|period| figures(period)[0].clone());
        node.submit(4, &[of_2021, of_2023, of_2024]).await.expect("replaces two of three");
        // Before the purge: what came after it is not emptied by it.
        node.submit(5, &figures("2023")).await.expect("accepted");
        node.withdraw(6, BTreeSet::from([figures("2021")[0].slice.clone()])).await.expect("takes back");
        destroy(&stage, 4).await;
        let known = memory(&node).await;
        let before = [state(&stage, "2024").await, state(&stage, "2023").await, state(&stage, "2021").await];
        let steps = history(&stage, "2024").await.len();

        let root = tempfile::tempdir().expect("a folder");
        roll_back(&mut stage, &safe, "old.age", root.path(), second).await;
        assert_eq!(state(&stage, "2024").await, Some((SliceState::Present, id(1))), "the copy holds the older figures");
        let node = node.again(&stage).await;
        assert!(!node.client.recover(&known[3]).await.expect("the document without its bytes"));
        // A connection that is cut here must not leave them to be read either.
        for period in ["2024", "2023", "2021"] {
            assert_eq!(state(&stage, period).await, Some((SliceState::Purged, id(4))), "{period}");
        }
        assert_eq!(state(&stage, "2022").await, Some((SliceState::Present, id(3))), "not one of its slices");
        for lost in &known[4..] {
            assert!(!node.client.recover(lost).await.expect("what follows"));
        }
        let after = [state(&stage, "2024").await, state(&stage, "2023").await, state(&stage, "2021").await];
        assert_eq!(after, before);
        assert_eq!(history(&stage, "2024").await.len(), steps);
        assert_eq!(memory(&node).await, known);
        node.submit(7, &figures("2024")).await.expect("the slice may be filled again");
    }
}

/// A purge of a hub that did not yet say what it destroyed: nothing of before may pass for the last figures.
#[tokio::test]
async fn a_purge_that_does_not_name_its_slices_empties_all_of_the_territory() {
    let safe = Safe::new();
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    node.submit(1, &figures("2024")).await.expect("accepted");
    node.submit(2, &figures("2023")).await.expect("accepted");
    safe.take(&stage, "old.age").await;
    node.submit(3, &figures("2024")).await.expect("accepted");
    destroy(&stage, 3).await;
    let mut known = memory(&node).await;
    let purge = known[3].entry.receipt.verify(node.hub_keys()).expect("the hub's");
    assert_eq!(purge.destroyed, BTreeSet::from([figures("2024")[0].slice.clone()]));
    let older = Receipt { destroyed: BTreeSet::new(), ..purge };
    let older = SignedReceipt::sign(&older, &stage.hub.0.signing_key).expect("as it once was");
    known[2].purge = Some(older.clone());
    known[3].entry.receipt = older;
    let root = tempfile::tempdir().expect("a folder");
    roll_back(&mut stage, &safe, "old.age", root.path(), None).await;
    let node = node.again(&stage).await;
    for lost in &known[2..] {
        assert!(!node.client.recover(lost).await.expect("taken back"));
    }
    for period in ["2024", "2023"] {
        assert_eq!(state(&stage, period).await.map(|(state, _)| state), Some(SliceState::Purged), "{period}");
    }
}

/// A purge vouches for missing bytes, not for slices of somebody else.
#[tokio::test]
async fn a_purge_of_another_document_vouches_for_nothing() {
    let safe = Safe::new();
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    safe.take(&stage, "old.age").await;
    node.submit(1, &figures("2024")).await.expect("accepted");
    node.submit(2, &figures("2023")).await.expect("accepted");
    destroy(&stage, 2).await;
    let mut known = memory(&node).await;
    known[0].purge = known[1].purge.clone();
    known[0].document = Vec::new();
    known[0].entry.length = 0;
    let root = tempfile::tempdir().expect("a folder");
    roll_back(&mut stage, &safe, "old.age", root.path(), None).await;
    let node = node.again(&stage).await;
    assert_eq!(reason(node.client.recover(&known[0]).await), "RECOVERY_NOT_PROVEN");
}
