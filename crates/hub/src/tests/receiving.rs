//! Submissions: whole or not at all, once, by whom they belong to, under the hub's definitions.

use std::collections::BTreeSet;

use model::{FailureKind, SubmissionId};
use wire::document::{Approval, Header, Outcome, Purpose, ReceiptKind};

use super::figures::*;
use super::stage::*;

#[tokio::test]
async fn a_submission_is_receipted_and_repeating_it_gives_the_same_receipt() {
    for database in databases() {
        let mut stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let document = node.document(1, Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
        let first = node.send(&document).await.expect("accepted");
        assert!(!first.already_received);
        let receipt = first.receipt.verify(node.hub_keys()).expect("signed by the hub");
        assert_eq!(receipt.document_hash, seal::sha256(&document));
        assert_eq!((receipt.provider, receipt.provider_key), (node.commune, node.signing.public().id()));
        assert_eq!((receipt.number, receipt.kind), (1, ReceiptKind::Submission));
        assert_eq!(receipt.outcome, Outcome { new: 9, ..Outcome::default() });

        let again = node.send(&document).await.expect("known");
        assert_eq!((again.already_received, &again.receipt), (true, &first.receipt));
        stage.restart(vec![pack()]).await;
        let client = Node::connect(&stage, &node.key, &node.membership).await.expect("connects");
        let later = client.submit(&document, &node.signing.sign(&document)).await.expect("known after a restart");
        assert_eq!((later.already_received, later.receipt), (true, first.receipt));

        let other = node.document(1, Purpose::Submit, &[received(&pack(), "93066", "2024", PLAIN, &[])]);
        let reused = refusal(client.submit(&other, &node.signing.sign(&other)).await);
        assert_eq!((reused.kind, reused.reason.as_str()), (FailureKind::Conflict, "SUBMISSION_ID_REUSED"));
    }
}

#[tokio::test]
async fn what_changed_is_counted_and_history_is_kept() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let figures = |counts| [received(&pack(), "93066", "2025", counts, &[])];
    node.submit(1, &figures(PLAIN)).await.expect("accepted");
    let [a, b, (accords, refusals)] = PLAIN;
    let more = [a, b, (accords + 50, refusals)];
    let second = node.submit(2, &figures(more)).await.expect("accepted");
    let outcome = second.receipt.verify(node.hub_keys()).expect("the hub's").outcome;
    // Changed: quarter C of both counts, and all three totals.
    assert_eq!(outcome, Outcome { changed: 5, unchanged: 4, ..Outcome::default() });
    let slice = figures(PLAIN)[0].slice.clone();
    let history = stage.hub.store().history(&slice).await.expect("reads");
    assert_eq!(history.iter().map(|version| version.submission.as_bytes()[0]).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_check_enters_the_ledger_and_moves_nothing() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let figures = [received(&pack(), "93066", "2025", PLAIN, &[])];
    let checked = node.check(1, &figures).await.expect("would be accepted");
    let receipt = checked.receipt.verify(node.hub_keys()).expect("the hub's");
    assert_eq!((receipt.kind, receipt.outcome.new), (ReceiptKind::Check, 9));
    assert_eq!(stage.hub.store().slice(&figures[0].slice).await.expect("reads"), None);
    assert_eq!(node.client.list(node.commune, 0).await.expect("lists").head_sequence, 1);
    // Signed for one operation, sent to the other.
    let document = node.document(2, Purpose::Check, &figures);
    assert_eq!(reason(node.send(&document).await), "PURPOSE_MISMATCH");
    assert!(node.check(1, &figures).await.expect("known").already_received);
    assert_eq!(reason(node.submit(1, &figures).await), "SUBMISSION_ID_REUSED");
}

#[tokio::test]
async fn only_the_communes_own_node_speaks_for_it() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let other = stage.join("93001").await;
    let figures = received(&pack(), "93066", "2025", PLAIN, &[]);

    let stolen = node.document(1, Purpose::Submit, std::slice::from_ref(&figures));
    assert_eq!(reason(other.client.submit(&stolen, &node.signing.sign(&stolen)).await), "SIGNATURE_INVALID");
    assert_eq!(reason(other.client.submit(&stolen, &other.signing.sign(&stolen)).await), "PROVIDER_MISMATCH");
    let foreign = refusal(other.submit(2, &[figures]).await);
    assert_eq!((foreign.kind, foreign.reason.as_str()), (FailureKind::Denied, "TERRITORY_NOT_YOURS"));
    assert_eq!(foreign.conflicts[0].row, "93066/essai/suivi/2025");

    let mut changed = node.document(3, Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
    let signature = node.signing.sign(&changed);
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(reason(node.client.submit(&changed, &signature).await), "SIGNATURE_INVALID");
    assert_eq!(stage.hub.store().number().await.expect("reads"), 0, "nothing was kept");
}

#[tokio::test]
async fn documents_that_do_not_read_are_refused_with_their_reason() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let good = node.document(1, Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
    let unknown_field = [good.as_slice(), &[0xf8, 0x07, 0x01]].concat();
    let next_version = [&[0x08, 0x02], &good[2..]].concat();
    for (document, expected) in [
        (b"\xff\xff\xff".to_vec(), "DOCUMENT_MALFORMED"),
        (unknown_field, "DOCUMENT_NOT_CANONICAL"),
        (next_version, "DOCUMENT_FORMAT_UNKNOWN"),
    ] {
        let refused = refusal(node.send(&document).await);
        assert_eq!(refused.reason, expected);
        assert!(!refused.message.is_empty());
    }
}

#[tokio::test]
async fn definitions_are_those_that_the_hub_compares_by() {
    let mut stage = Stage::new().await;
    let node = stage.join("93066").await;
    let good = received(&pack(), "93066", "2025", PLAIN, &[]);
    let with = |change: fn(&mut disclosure::Received)| {
        let mut figures = good.clone();
        change(&mut figures);
        [figures]
    };
    let code = |answer| {
        let refused = refusal(answer);
        assert_eq!(refused.kind, FailureKind::Precondition);
        refused.conflicts[0].code.clone()
    };
    let other_definition = with(|f| f.attributes.definition = model::DefinitionHash::from_bytes([1; 32]));
    assert_eq!(code(node.submit(1, &other_definition).await), "DEFINITION_MISMATCH");
    let other_version = with(|f| f.attributes.pack_version = "0.9.0".into());
    assert_eq!(code(node.submit(2, &other_version).await), "PACK_VERSION_NOT_CURRENT");
    let other_table = with(|f| f.slice.table = "autre".parse().expect("a code"));
    assert_eq!(code(node.submit(3, &other_table).await), "TABLE_UNKNOWN");
    let future = with(|f| f.slice.period = "2027".parse().expect("a period"));
    assert_eq!(refusal(node.submit(4, &future).await).conflicts[0].code, "PERIOD_IN_FUTURE");

    node.submit(5, std::slice::from_ref(&good)).await.expect("accepted");
    // The hub moves on twice: the version before the former one is no longer taken.
    stage.restart(vec![pack_with("1.1.0", 5)]).await;
    stage.restart(vec![pack_with("1.2.0", 5)]).await;
    let client = Node::connect(&stage, &node.key, &node.membership).await.expect("connects");
    let document = node.document(6, Purpose::Submit, &[good]);
    let former = client.submit(&document, &node.signing.sign(&document)).await;
    assert_eq!(code(former), "PACK_VERSION_NOT_CURRENT");
}

#[tokio::test]
async fn a_submission_with_one_bad_slice_is_refused_whole() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let good = received(&pack(), "93066", "2024", PLAIN, &[]);
    // Three refusals in quarter B: visible by difference, and below the threshold of five.
    let bad = received(&pack(), "93066", "2025", [(40, 10), (20, 3), (30, 20)], &[]);
    let refused = refusal(node.submit(1, &[good.clone(), bad]).await);
    assert_eq!((refused.kind, refused.reason.as_str()), (FailureKind::Invalid, "DISCLOSURE_CONFLICT"));
    assert!(refused.conflicts.iter().all(|conflict| conflict.row.starts_with("93066/essai/suivi/2025 ")));
    assert!(refused.conflicts.iter().all(|conflict| !conflict.cause.is_empty() && !conflict.cure.is_empty()));
    assert_eq!(stage.hub.store().slice(&good.slice).await.expect("reads"), None);
    assert_eq!(node.client.list(node.commune, 0).await.expect("lists").head_sequence, 0);
}

#[tokio::test]
async fn the_wire_brings_no_small_count_and_no_false_total() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let code = |answer| refusal(answer).conflicts.iter().map(|c| c.code.clone()).collect::<BTreeSet<_>>();
    let small = received(&pack(), "93066", "2025", [(40, 10), (3, 10), (30, 20)], &[]);
    assert!(code(node.submit(1, std::slice::from_ref(&small)).await).contains("BELOW_THRESHOLD"));
    // Hiding it alone leaves the total minus the others.
    let lone = received(&pack(), "93066", "2025", [(40, 10), (3, 10), (30, 20)], &[("accords", "B")]);
    assert!(code(node.submit(2, &[lone]).await).contains("TOO_NARROW"));
    let refused = refusal(node.submit(3, &[small]).await);
    let told = format!("{refused:?}");
    assert!(!told.contains("13") && !told.contains("103"), "no figure in a refusal: {told}");
}

#[tokio::test]
async fn concurrent_submissions_of_one_commune_are_all_chained() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        // As many as one commune may have inside.
        let one = [received(&pack(), "93066", "2024", PLAIN, &[])];
        let two = [received(&pack(), "93066", "2025", PLAIN, &[])];
        let answers = tokio::join!(node.submit(1, &one), node.submit(2, &two));
        let mut places = Vec::new();
        for answer in [answers.0, answers.1] {
            let receipt = answer.expect("accepted").receipt.verify(node.hub_keys()).expect("the hub's");
            places.push(receipt.links[&node.commune].sequence);
        }
        places.sort_unstable();
        assert_eq!(places, [1, 2]);
    }
}

#[tokio::test]
async fn the_same_document_sent_twice_at_once_is_kept_once() {
    for database in databases() {
        let stage = Stage::on(database).await;
        let node = stage.join("93066").await;
        let document = node.document(1, Purpose::Submit, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
        let (one, two) = tokio::join!(node.send(&document), node.send(&document));
        let (one, two) = (one.expect("accepted"), two.expect("accepted"));
        assert_eq!(one.receipt, two.receipt);
        assert!(one.already_received != two.already_received);
        assert_eq!(stage.hub.store().number().await.expect("reads"), 1);
    }
}

#[tokio::test]
async fn another_commune_cannot_take_an_id_or_read_it() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    let other = stage.join("93001").await;
    node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
    let same_id = other.submit(1, &[received(&pack(), "93001", "2025", PLAIN, &[])]).await;
    assert_eq!(reason(same_id), "SUBMISSION_ID_REUSED");
    let id = SubmissionId::from_bytes([1; 16]);
    let theirs = refusal(other.client.get(id).await);
    let nobodys = refusal(other.client.get(SubmissionId::from_bytes([7; 16])).await);
    assert_eq!(theirs, nobodys, "what exists elsewhere cannot be told from what does not");
    let header = Header {
        provider: node.commune,
        id,
        written_at: model::Timestamp::from_micros(0),
        purpose: Purpose::Submit,
        approval: Approval::Rule,
    };
    let impostor = encode(&header, &[received(&pack(), "93066", "2025", PLAIN, &[])]);
    assert_eq!(reason(other.client.submit(&impostor, &other.signing.sign(&impostor)).await), "PROVIDER_MISMATCH");
}
