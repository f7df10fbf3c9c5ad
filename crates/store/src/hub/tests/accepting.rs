//! The accepting transaction, and the one that destroys.

use super::*;

#[tokio::test]
async fn accepting_takes_a_number_extends_the_ledger_and_moves_the_slice() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let first = store.accept(&acceptance(21, &[41, 0], 0), &seal).await.expect("accepts");
        assert_eq!(first, Accepted::New(seal(&Place { number: 1, links: vec![] }).0));
        let mut check = acceptance(22, &[42, 0], 1);
        check.kind = DocumentKind::Check;
        check.slices.clear();
        let place = std::sync::Mutex::new(None);
        let spy = |p: &Place| {
            *place.lock().expect("no panic while held") = Some(p.clone());
            seal(p)
        };
        assert!(matches!(store.accept(&check, &spy).await.expect("accepts"), Accepted::New(_)));
        let link = PlaceLink { territory: commune("93066"), sequence: 2, previous: Some(hash(101)) };
        assert_eq!(place.into_inner().expect("no panic"), Some(Place { number: 2, links: vec![link] }));

        let current = store.slice(&slice("93066", "2025")).await.expect("reads").expect("there");
        assert_eq!((current.submission, current.version), (id(21), 1), "a check moves nothing");
        let third = store.accept(&acceptance(23, &[43, 0], 2), &seal).await.expect("accepts");
        assert!(matches!(third, Accepted::New(_)));
        let current = store.slice(&slice("93066", "2025")).await.expect("reads").expect("there");
        assert_eq!((current.submission, current.version, current.state), (id(23), 2, SliceState::Present));
        let history = store.history(&slice("93066", "2025")).await.expect("reads");
        assert_eq!(history.iter().map(|v| v.submission).collect::<Vec<_>>(), vec![id(21), id(23)]);

        let ledger = store.ledger(commune("93066"), 0, 10).await.expect("reads");
        assert_eq!(
            ledger.iter().map(|e| (e.sequence, e.submission.id)).collect::<Vec<_>>(),
            vec![(1, id(21)), (2, id(22)), (3, id(23))]
        );
        assert_eq!(store.ledger(commune("93066"), 1, 1).await.expect("reads")[0], ledger[1]);
        let head = store.head(commune("93066")).await.expect("reads");
        assert_eq!(head, Head { sequence: 3, receipt: Some(hash(103)) });
        assert_eq!(store.document(id(21)).await.expect("reads"), Some(vec![41, 0]));
        assert_eq!(store.territories_of(id(21)).await.expect("reads"), vec![commune("93066")]);
        assert_eq!(store.number().await.expect("reads"), 3);
        let pack = slice("93066", "2025").pack;
        let table = slice("93066", "2025").table;
        let period = slice("93066", "2025").period;
        assert_eq!(store.current(&pack, &table, period).await.expect("reads").len(), 1);
        assert_eq!(store.current_of(commune("93066")).await.expect("reads").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_document_gets_the_same_receipt_and_another_is_refused_under_its_id() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let Accepted::New(receipt) = store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts") else {
            panic!("the first is new");
        };
        // Even though the head moved since: a repetition is answered before anything else is looked at.
        let again = store.accept(&acceptance(21, &[41], 0), &seal).await.expect("answers");
        assert_eq!(again, Accepted::Repeated(receipt));
        let other = store.accept(&acceptance(21, &[42], 1), &seal).await.expect("answers");
        assert_eq!(other, Accepted::IdReused);
        let mut as_check = acceptance(21, &[41], 1);
        as_check.kind = DocumentKind::Check;
        assert_eq!(store.accept(&as_check, &seal).await.expect("answers"), Accepted::IdReused);
        assert_eq!(store.number().await.expect("reads"), 1, "refusals take no number");
        assert_eq!(store.head(commune("93066")).await.expect("reads").sequence, 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_kept_against_a_ledger_that_has_grown_or_from_a_revoked_node() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        for stale in [0, 2] {
            let moved = store.accept(&acceptance(22, &[42], stale), &seal).await.expect("answers");
            assert_eq!(moved, Accepted::HeadMoved);
        }
        store.revoke_node(commune("93066"), at(60)).await.expect("revokes");
        let late = store.accept(&acceptance(22, &[42], 1), &seal).await.expect("answers");
        assert_eq!(late, Accepted::NodeRevoked);
        assert_eq!(store.document(id(22)).await.expect("reads"), None);
        assert_eq!(store.number().await.expect("reads"), 1);
    })
    .await;
}

#[tokio::test]
async fn concurrent_writers_leave_neither_gap_nor_duplicate() {
    on_both(async |location| {
        let store = Arc::new(with_node(&location).await);
        let tasks: Vec<_> = (0..4_u8)
            .map(|task| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for i in 0..5_u8 {
                        let byte = 10 + task * 5 + i;
                        loop {
                            let head = store.head(commune("93066")).await.expect("reads").sequence;
                            let done = store.accept(&acceptance(byte, &[byte], head), &seal).await.expect("answers");
                            match done {
                                Accepted::New(_) => break,
                                Accepted::HeadMoved => {}
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no writer panics");
        }
        let ledger = store.ledger(commune("93066"), 0, 100).await.expect("reads");
        let places: Vec<u64> = ledger.iter().map(|e| e.sequence).collect();
        let numbers: Vec<u64> = ledger.iter().map(|e| e.submission.number).collect();
        assert_eq!(places, (1..=20).collect::<Vec<u64>>());
        assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
    })
    .await;
}

#[tokio::test]
async fn a_purge_needs_two_persons_and_leaves_hash_date_and_reason() {
    on_both(async |location| {
        let store = with_node(&location).await;
        // Long enough to lie on pages of its own, and found nowhere else.
        let canary = b"1234567-canary-".repeat(2_000);
        store.accept(&acceptance(21, &canary, 0), &seal).await.expect("accepts");
        let mut purge = Purge {
            id: id(90),
            submission: id(21),
            document_hash: hash(1),
            reason: "fichier nominatif envoyé par erreur".into(),
            proposed_by: "Awa".into(),
            proposed_at: at(200),
            confirmed: None,
        };
        assert!(!store.propose_purge(&purge).await.expect("answers"), "the hash must name these bytes");
        purge.document_hash = hash(canary[0]);
        assert!(store.propose_purge(&purge).await.expect("proposes"));
        let confirm = async |by, now| store.confirm_purge(id(90), by, at(now), &seal).await.expect("answers");
        assert_eq!(confirm("Awa", 201).await, Err(PurgeRefusal::SamePerson));
        assert!(store.document(id(21)).await.expect("reads").is_some());
        assert_eq!(confirm("Zoé", 202).await.map(|p| p.slices), Ok(1));
        assert_eq!(confirm("Zoé", 203).await, Err(PurgeRefusal::AlreadyDone));
        assert_eq!(
            store.confirm_purge(id(91), "Zoé", at(204), &seal).await.expect("answers"),
            Err(PurgeRefusal::Unknown)
        );

        let kept = store.purge(id(90)).await.expect("reads").expect("there");
        assert_eq!(kept, Purge { confirmed: Some(("Zoé".into(), at(202))), ..purge });
        let emptied = store.submission(id(21)).await.expect("reads").expect("its row stays");
        assert_eq!((emptied.document_hash, emptied.length), (hash(canary[0]), 0));
        assert_eq!(store.document(id(21)).await.expect("reads"), None);
        let ledger = store.ledger(commune("93066"), 0, 10).await.expect("reads");
        assert_eq!(
            ledger.iter().map(|e| e.submission.kind).collect::<Vec<_>>(),
            vec![DocumentKind::Submission, DocumentKind::Purge]
        );
        assert_eq!((&ledger[1].submission.signature, &ledger[1].submission.signing_key), (&vec![7; 64], &vec![1; 32]));
        let current = store.slice(&slice("93066", "2025")).await.expect("reads").expect("there");
        assert_eq!((current.state, current.submission), (SliceState::Purged, id(90)));
        if let crate::Location::Sqlite(path) = &location {
            for file in [path.clone(), path.with_extension("db-wal")] {
                let bytes = std::fs::read(&file).unwrap_or_default();
                assert!(!bytes.windows(14).any(|w| w == b"1234567-canary"), "{} still holds it", file.display());
            }
        }
    })
    .await;
}
