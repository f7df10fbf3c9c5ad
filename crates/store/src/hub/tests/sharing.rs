//! Who may be shown slices, as their communes said.

use std::collections::BTreeSet;

use model::Audience::{self, Coordinators, Members, Public};

use super::*;

fn sharing<'a>(byte: u8, document: &'a [u8], head: u64, audiences: &[Audience]) -> Acceptance<'a> {
    Acceptance {
        kind: DocumentKind::Sharing,
        slices: vec![],
        shared: vec![SliceAudiences {
            slice: slice("93066", "2025"),
            audiences: audiences.iter().copied().collect::<BTreeSet<_>>(),
        }],
        ..acceptance(byte, document, head)
    }
}

async fn said(store: &HubStore) -> Vec<Vec<Audience>> {
    let Slice { pack, table, period, territory } = slice("93066", "2025");
    let shared = store.shared(&pack, &table, period).await.expect("reads");
    assert_eq!(shared, store.shared_of(territory).await.expect("reads"));
    shared.into_iter().map(|shared| shared.audiences.into_iter().collect()).collect()
}

#[tokio::test]
async fn the_last_word_holds_and_says_who_may_be_shown_a_slice() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        assert!(said(&store).await.is_empty(), "nothing was said");
        let steps: [&[Audience]; 3] = [&[Coordinators, Members, Public], &[], &[Coordinators]];
        for (step, audiences) in (1_u8..).zip(steps) {
            let document = [50 + step];
            let accepted = store.accept(&sharing(30 + step, &document, u64::from(step), audiences), &seal).await;
            assert!(matches!(accepted, Ok(Accepted::New(_))), "{accepted:?}");
            assert_eq!(said(&store).await, [audiences.to_vec()]);
        }
        let current = store.slice(&slice("93066", "2025")).await.expect("reads").expect("there");
        assert_eq!((current.submission, current.version), (id(21), 1), "saying who may see moves no figure");
        let first = store.accept(&sharing(31, &[51], 1, &[Coordinators, Members, Public]), &seal).await;
        assert!(matches!(first, Ok(Accepted::Repeated(_))));
        assert_eq!(said(&store).await, [vec![Coordinators]], "a repetition is no new word");
    })
    .await;
}

#[tokio::test]
async fn figures_that_were_taken_back_must_be_shared_anew() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let mut head = 0;
        let mut accept = async |one: Acceptance<'_>| {
            let accepted = store.accept(&Acceptance { heads: vec![(commune("93066"), head)], ..one }, &seal).await;
            assert!(matches!(accepted, Ok(Accepted::New(_))), "{accepted:?}");
            head += 1;
        };
        for (byte, before, after) in [
            (20, vec![Coordinators, Members, Public], vec![Coordinators]),
            (40, vec![Members], vec![]),
            (60, vec![], vec![]),
        ] {
            accept(acceptance(byte, &[byte], 0)).await;
            accept(sharing(byte + 1, &[byte + 1], 0, &before)).await;
            assert_eq!(said(&store).await, [before]);
            let mut withdrawal = acceptance(byte + 2, &[100], 0);
            let document = [byte + 2];
            withdrawal.document = &document;
            withdrawal.document_hash = hash(byte + 2);
            withdrawal.kind = DocumentKind::Withdrawal;
            withdrawal.slices[0].state = SliceState::Withdrawn;
            accept(withdrawal).await;
            assert_eq!(said(&store).await, [after]);
        }
    })
    .await;
}

/// A database of before this kind of document existed takes it once it is migrated, and still refuses others.
#[tokio::test]
async fn the_kinds_of_documents_are_still_checked() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&sharing(31, &[51], 0, &[Members]), &seal).await.expect("accepts");
        store.close().await;
        let store = HubStore::open(&location).await.expect("opens again");
        assert_eq!(said(&store).await, [[Members]]);
        let mut tx = store.db.begin_write().await.expect("begins");
        let other = tx.q("UPDATE submission SET kind = 'something'").exec().await;
        assert!(matches!(&other, Err(StoreError::Check(name)) if name == "submission_kind"), "{other:?}");
    })
    .await;
}

#[tokio::test]
async fn a_word_on_who_may_see_is_never_destroyed() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&sharing(31, &[51], 0, &[]), &seal).await.expect("accepts");
        let purge = Purge {
            id: id(90),
            submission: id(31),
            document_hash: hash(51),
            reason: "essai".into(),
            proposed_by: "Aïcha".into(),
            proposed_at: at(3),
            confirmed: None,
        };
        assert!(!store.propose_purge(&purge).await.expect("answers"));
    })
    .await;
}

#[tokio::test]
async fn groups_that_were_shown_stay_known_and_two_writers_never_share_a_place() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let Slice { pack, table, period, .. } = slice("93066", "2025");
        let group = |byte: u8| ShownGroup {
            of: [(commune("93001"), id(byte)), (commune("93066"), id(byte + 1))].into(),
            shown_at: at(i64::from(byte)),
        };
        let show = async |byte: u8, shown: usize| {
            store.show_group(Members, &pack, &table, period, &group(byte), shown).await.expect("answers")
        };
        assert!(show(1, 0).await);
        assert!(!show(3, 0).await, "somebody was faster");
        assert!(show(3, 1).await);
        let shown = store.groups_shown(Members, &pack, &table, period).await.expect("reads");
        assert_eq!(shown, [group(1), group(3)]);
        assert_eq!(store.groups_shown(Public, &pack, &table, period).await.expect("reads"), []);
    })
    .await;
}
