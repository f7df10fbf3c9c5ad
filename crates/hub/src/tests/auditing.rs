//! The audit journal as a file: what proves it, and what a forger can do to it.

use super::figures::*;
use super::stage::*;
use crate::journal::{JournalFault, verify};

async fn exported(stage: &Stage) -> String {
    let mut bytes = Vec::new();
    stage.hub.export_journal(&mut bytes).await.expect("exports");
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn an_export_is_verified_without_the_hub_and_forged_ones_are_not() {
    let stage = Stage::new().await;
    let empty = exported(&stage).await;
    let lines = verify(empty.as_bytes(), None).expect("holds").lines;
    let node = stage.join("93066").await;
    node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
    assert_eq!(stage.hub.verify_journal().await.expect("reads"), Ok(lines + 3), "invited, joined, accepted");

    let export = exported(&stage).await;
    let key = stage.hub.signing_key();
    let verified = verify(export.as_bytes(), Some(key)).expect("holds");
    assert_eq!((verified.lines, verified.key), (lines + 3, key));
    assert!(export.starts_with(&empty[..empty.rfind("{\"journal\"").expect("a head")]), "a later export only adds");

    let all: Vec<&str> = export.lines().collect();
    let forged = |lines: Vec<String>| verify((lines.join("\n") + "\n").as_bytes(), None);
    let whole = || all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let last = all.len() - 1;
    for at in 0..last {
        let mut removed = whole();
        removed.remove(at);
        assert!(forged(removed).is_err(), "without line {at}");
        let mut changed = whole();
        changed[at] = changed[at].replace("\"at\":\"20", "\"at\":\"19");
        assert_ne!(changed[at], all[at]);
        assert!(forged(changed).is_err(), "another line {at}");
    }
    // A forger who cuts the end, or adds to it, and computes the hashes anew has no key to sign with.
    let mut cut = whole();
    cut.remove(last - 1);
    let before = verify(empty.as_bytes(), None).expect("holds").hash;
    let hash = cut[usize::try_from(lines).expect("few")..cut.len() - 1]
        .iter()
        .fold(before, |hash, line| store::hub::link(hash, line));
    let head = cut.pop().expect("a head");
    let head = head
        .replace(&verified.hash.to_string(), &hash.to_string())
        .replace(&format!("\"journal\":{}", verified.lines), &format!("\"journal\":{}", verified.lines - 1));
    cut.push(head);
    assert_eq!(forged(cut), Err(JournalFault::Unsigned));
    assert_eq!(
        forged(all[..last].iter().map(|line| (*line).to_owned()).collect()),
        Err(JournalFault::Unreadable(verified.lines + 1))
    );
    let other = Stage::new().await;
    assert_ne!(other.hub.signing_key(), key, "keys are drawn");
    assert_eq!(verify(export.as_bytes(), Some(other.hub.signing_key())), Err(JournalFault::OtherKey));
}

#[tokio::test]
async fn lines_are_told_in_french_with_names_as_long_as_they_are_kept() {
    let stage = Stage::new().await;
    let node = stage.join("93066").await;
    node.submit(1, &[received(&pack(), "93066", "2025", PLAIN, &[])]).await.expect("accepted");
    let submission = model::SubmissionId::from_bytes([1; 16]);
    stage.hub.propose_purge(submission, "Awa Diallo", "fichier nominatif").await.expect("proposes");
    let last = stage.hub.journal(1).await.expect("reads").pop().expect("a line");
    assert_eq!((last.what.as_str(), last.who.as_str()), ("destruction proposée", "awa diallo"));
    stage
        .hub
        .store()
        .forget_persons(stage.shared_clock().now().plus(std::time::Duration::from_secs(1)))
        .await
        .expect("erases");
    let last = stage.hub.journal(1).await.expect("reads").pop().expect("a line");
    assert_eq!(last.who, "personne n° 1");
    assert_eq!(stage.hub.verify_journal().await.expect("reads").map(drop), Ok(()));
}

#[tokio::test]
async fn opening_a_hub_again_tells_nothing() {
    let mut stage = Stage::new().await;
    let before = stage.hub.journal(100).await.expect("reads");
    stage.restart(vec![pack()]).await;
    assert_eq!(stage.hub.journal(100).await.expect("reads"), before);
    stage.restart(vec![pack_with("1.1.0", 7)]).await;
    let after = stage.hub.journal(100).await.expect("reads");
    assert_eq!(
        after[before.len()..].iter().map(|entry| entry.what.as_str()).collect::<Vec<_>>(),
        ["référentiel publié"]
    );
}
