//! The journal: each line bound to the one before, in the transaction of what it tells; names apart.

use super::*;

async fn chain(store: &HubStore) -> Vec<String> {
    let lines = store.journal(0).await.expect("reads");
    let mut before = before_the_first();
    for (number, line) in (1..).zip(&lines) {
        before = link(before, &line.line);
        assert_eq!((line.number, line.hash), (number, before));
    }
    assert_eq!(store.journal_head().await.expect("reads"), (lines.len() as u64, before));
    lines.into_iter().map(|line| line.line).collect()
}

fn told(line: &str, key: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    line[key].as_str().unwrap_or_default().to_owned()
}

fn purge(byte: u8, by: &str) -> Purge {
    Purge {
        id: id(byte),
        submission: id(21),
        document_hash: hash(41),
        reason: "fichier nominatif".to_owned(),
        proposed_by: by.to_owned(),
        proposed_at: at(200),
        confirmed: None,
    }
}

#[tokio::test]
async fn what_is_done_is_told_once_by_whom_and_in_one_chain() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        // The same bytes again change nothing and are not told again.
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("repeats");
        store.accept(&acceptance(22, &[42], 0), &seal).await.expect("a head that moved");
        store.propose_purge(&purge(31, "Awa Diallo")).await.expect("proposes");
        store
            .confirm_purge(id(31), "Awa Diallo", at(201), &seal)
            .await
            .expect("the same person may not")
            .expect_err("same");
        store.confirm_purge(id(31), "Bao Tran", at(202), &seal).await.expect("confirms").expect("two persons");
        store.revoke_node(commune("93066"), at(203)).await.expect("revokes");
        store.revoke_node(commune("93066"), at(204)).await.expect("nothing to revoke");

        let lines = chain(&store).await;
        let said: Vec<_> = lines.iter().map(|line| (told(line, "what"), told(line, "who"))).collect();
        let said: Vec<_> = said.iter().map(|(what, who)| (what.as_str(), who.as_str())).collect();
        assert_eq!(
            said,
            [
                ("invited", "operator"),
                ("joined", "93066"),
                ("submission", "93066"),
                ("purge_proposed", "person 1"),
                ("purged", "person 2"),
                ("revoked", "operator"),
            ]
        );
        assert_eq!(told(&lines[2], "document"), id(21).to_string());
        assert!(told(&lines[2], "slices").contains("domiciliation"), "{}", lines[2]);
        let all = lines.concat();
        assert!(!all.contains("Awa") && !all.contains("Tran") && !all.contains("nominatif"), "{all}");
    })
    .await;
}

#[tokio::test]
async fn names_are_erased_and_the_chain_still_holds() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        store.propose_purge(&purge(31, "Awa Diallo")).await.expect("proposes");
        store.propose_purge(&Purge { proposed_at: at(900), ..purge(32, "Bao Tran") }).await.expect("proposes");
        let before = chain(&store).await;
        assert_eq!(store.forget_persons(at(200)).await.expect("erases"), 0, "kept to the last instant");
        assert_eq!(store.forget_persons(at(201)).await.expect("erases"), 1);
        let names: Vec<_> =
            store.journal_persons().await.expect("reads").into_iter().map(|p| (p.number, p.name)).collect();
        assert_eq!(names, [(1, None), (2, Some("Bao Tran".to_owned()))]);
        assert_eq!(chain(&store).await, before);
        // Who comes back is somebody new: an erased number is nobody's again.
        store.propose_purge(&Purge { proposed_at: at(901), ..purge(33, "Awa Diallo") }).await.expect("proposes");
        let last = chain(&store).await.pop().expect("a line");
        assert_eq!(told(&last, "who"), "person 3");
    })
    .await;
}

#[tokio::test]
async fn many_who_write_at_once_make_one_chain() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let other = HubStore::open(&location).await.expect("opens");
        let tasks: Vec<_> = (1..=12_u8)
            .map(|byte| {
                let store = if byte % 2 == 0 { store.clone() } else { other.clone() };
                let commune = ["93001", "93005", "93006"][usize::from(byte % 3)];
                tokio::spawn(async move { store.create_invitation(&invitation(byte, commune)).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic").expect("invites");
        }
        assert_eq!(chain(&store).await.len(), 12);
    })
    .await;
}
