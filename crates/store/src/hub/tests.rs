//! The hub's schema on both databases.

use std::sync::Arc;
use std::time::Duration;

use model::{CommuneCode, Hash, Slice, SubmissionId, Timestamp};

use super::*;
use crate::suite::on_both;
use crate::{DocumentKind, SealedReceipt};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

fn hash(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

fn id(byte: u8) -> SubmissionId {
    SubmissionId::from_bytes([byte; 16])
}

fn slice(territory: &str, period: &str) -> Slice {
    Slice {
        territory: commune(territory),
        pack: "ccas-activite".parse().expect("a pack code"),
        table: "domiciliation".parse().expect("a table code"),
        period: period.parse().expect("a period"),
    }
}

fn new_node(byte: u8, provider: &str) -> NewNode {
    NewNode {
        provider: commune(provider),
        key_fingerprint: hash(byte),
        signing_key: vec![byte; 32],
        certificate_serial: format!("{byte:02x}"),
        certificate_not_after: at(10_000),
    }
}

fn invitation(byte: u8, provider: &str) -> NewInvitation {
    NewInvitation {
        token_hash: hash(byte),
        provider: commune(provider),
        territories: vec![],
        created_at: at(i64::from(byte)),
        expires_at: at(1_000),
    }
}

/// A hub where the node of 93066 (TLS key 1) lives.
async fn with_node(location: &crate::Location) -> HubStore {
    let store = HubStore::open(location).await.expect("opens");
    store.create_invitation(&invitation(1, "93066")).await.expect("invites");
    let spent = store.spend_invitation(hash(1), &new_node(1, "93066"), at(2)).await.expect("spends");
    assert_eq!(spent, Spent::Enrolled);
    store
}

fn acceptance(byte: u8, document: &[u8], head: u64) -> Acceptance<'_> {
    Acceptance {
        submission: id(byte),
        provider: commune("93066"),
        node: hash(1),
        kind: DocumentKind::Submission,
        document,
        document_hash: hash(document[0]),
        signature: &[7; 64],
        signing_key: &[1; 32],
        heads: vec![(commune("93066"), head)],
        slices: vec![SliceChange { slice: slice("93066", "2025"), state: SliceState::Present }],
        accepted_at: at(100),
    }
}

/// A receipt that says its place, so that tests see which place it was made for.
fn seal(place: &Place) -> (SealedReceipt, Hash) {
    let number = u8::try_from(place.number).expect("a small number");
    (SealedReceipt { document: vec![number], signature: vec![8; 64], key: hash(50) }, hash(100 + number))
}

#[tokio::test]
async fn a_database_belongs_to_the_authority_that_opened_it_first() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        assert!(store.belongs_to(hash(1), at(1)).await.expect("writes"));
        assert!(store.belongs_to(hash(1), at(2)).await.expect("reads"));
        assert!(!store.belongs_to(hash(2), at(3)).await.expect("reads"));
        for (byte, since) in [(3, 10), (4, 20), (3, 30)] {
            let key = HubKey { id: hash(byte), public: vec![byte; 32], since: at(since) };
            store.add_hub_key(&key).await.expect("notes");
        }
        let since: Vec<_> = store.hub_keys().await.expect("reads").into_iter().map(|k| (k.id, k.since)).collect();
        assert_eq!(since, vec![(hash(4), at(20)), (hash(3), at(10))]);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_serves_once_and_a_newer_one_ends_everything_older() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let first = store.create_invitation(&invitation(1, "93066")).await.expect("invites");
        assert_eq!(first, Invited { revoked_node: false, revoked_invitations: 0 });
        let second = store.create_invitation(&invitation(2, "93066")).await.expect("invites");
        assert_eq!(second, Invited { revoked_node: false, revoked_invitations: 1 });
        let node = new_node(11, "93066");
        let spend = async |token, node: &NewNode, now| store.spend_invitation(hash(token), node, at(now)).await;
        assert_eq!(spend(1, &node, 5).await.expect("answers"), Spent::Refused, "revoked");
        assert_eq!(spend(9, &node, 5).await.expect("answers"), Spent::Refused, "unknown");
        assert_eq!(spend(2, &node, 1_000).await.expect("answers"), Spent::Refused, "expired");
        assert_eq!(spend(2, &new_node(11, "93001"), 5).await.expect("answers"), Spent::Refused, "other commune");
        assert_eq!(spend(2, &node, 5).await.expect("answers"), Spent::Enrolled);
        assert_eq!(spend(2, &new_node(12, "93066"), 6).await.expect("answers"), Spent::Refused, "spent");

        let third = store.create_invitation(&invitation(3, "93066")).await.expect("invites");
        assert_eq!(third, Invited { revoked_node: true, revoked_invitations: 0 });
        assert_eq!(store.node(hash(11)).await.expect("reads").and_then(|n| n.revoked_at), Some(at(3)));
        assert_eq!(spend(3, &node, 7).await.expect("answers"), Spent::KeyKnown, "a revoked key never comes back");
        let kept = store.invitation(hash(3)).await.expect("reads").expect("there");
        assert_eq!(kept.spent_at, None, "a refused attempt spends nothing");
        assert_eq!(spend(3, &new_node(13, "93066"), 8).await.expect("answers"), Spent::Enrolled);
    })
    .await;
}

#[tokio::test]
async fn a_provider_may_own_several_territories() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let mut wide = invitation(1, "93066");
        wide.territories = vec![commune("93059"), commune("93001")];
        store.create_invitation(&wide).await.expect("invites");
        let expected = vec![commune("93066"), commune("93001"), commune("93059")];
        assert_eq!(store.territories(commune("93066")).await.expect("reads"), expected);
        store.create_invitation(&invitation(2, "93066")).await.expect("invites");
        assert_eq!(store.territories(commune("93066")).await.expect("reads"), vec![commune("93066")]);
        assert!(store.territories(commune("93001")).await.expect("reads").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_renewed_unless_the_node_was_revoked() {
    on_both(async |location| {
        let store = with_node(&location).await;
        assert!(store.renew_node(hash(1), "ff", at(20_000)).await.expect("renews"));
        let record = store.node(hash(1)).await.expect("reads").expect("there");
        assert_eq!((record.node.certificate_serial.as_str(), record.last_contact), ("ff", None));
        store.touch_node(&record, at(50)).await.expect("notes");
        let touched = store.node(hash(1)).await.expect("reads").expect("there");
        store.touch_node(&touched, at(109)).await.expect("too soon to note");
        assert_eq!(store.nodes().await.expect("reads")[0].last_contact, Some(at(50)));
        assert!(store.revoke_node(commune("93066"), at(60)).await.expect("revokes"));
        assert!(!store.revoke_node(commune("93066"), at(61)).await.expect("nothing left"));
        assert!(!store.renew_node(hash(1), "fe", at(30_000)).await.expect("refuses"));
    })
    .await;
}

#[tokio::test]
async fn a_coordinator_is_known_by_key_until_revoked() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let name: model::Code = "coordination".parse().expect("a code");
        store.add_coordinator(&name, hash(1), at(1)).await.expect("adds");
        store.add_coordinator(&name, hash(2), at(2)).await.expect("adds");
        assert!(store.add_coordinator(&name, hash(2), at(2)).await.is_err(), "one key, one entry");
        assert_eq!(store.coordinator(hash(9)).await.expect("reads"), None);
        assert_eq!(store.revoke_coordinator(&name, at(3)).await.expect("revokes"), 2);
        assert_eq!(store.coordinator(hash(1)).await.expect("reads").and_then(|c| c.revoked_at), Some(at(3)));
        assert_eq!(store.coordinators().await.expect("reads").len(), 2);
    })
    .await;
}

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

#[tokio::test]
async fn a_published_pack_version_never_changes() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let pack = PackRecord {
            code: "logement-rp".parse().expect("a pack code"),
            version: "1.0.0".into(),
            hash: hash(1),
            document: vec![1, 2, 3],
            signature: vec![4; 64],
            signing_key: hash(5),
            added_at: at(1),
        };
        assert!(store.add_pack(&pack).await.expect("adds"));
        assert!(store.add_pack(&PackRecord { added_at: at(2), ..pack.clone() }).await.expect("is the same"));
        assert!(!store.add_pack(&PackRecord { hash: hash(2), ..pack.clone() }).await.expect("answers"));
        assert_eq!(store.pack(&pack.code, "1.0.0").await.expect("reads"), Some(pack.clone()));
        assert_eq!(store.pack(&pack.code, "2.0.0").await.expect("reads"), None);
    })
    .await;
}

#[tokio::test]
async fn constraints_have_the_same_names_on_both_databases() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let twice = store.create_invitation(&invitation(1, "93001")).await;
        assert!(matches!(twice, Err(StoreError::Duplicate(n)) if n == "invitation_pkey"));
        let mut tx = store.db.begin_write().await.expect("begins");
        let dangling =
            tx.q("INSERT INTO ledger_link (territory, sequence, submission) VALUES ('93066', 1, 'x')").exec().await;
        assert!(matches!(dangling, Err(StoreError::Reference)), "{dangling:?}");
        drop(tx);
        let mut tx = store.db.begin_write().await.expect("begins");
        let check = tx.q("INSERT INTO counter (id, number) VALUES (2, 0)").exec().await;
        assert!(matches!(check, Err(StoreError::Check(n)) if n == "counter_single"));
        drop(tx);
        let mut tx = store.db.begin_write().await.expect("begins");
        let second = insert_two_living_nodes(&mut tx).await;
        assert!(matches!(&second, Err(StoreError::Duplicate(_))), "{second:?}");
    })
    .await;
}

async fn insert_two_living_nodes(tx: &mut crate::db::Tx) -> Result<(), StoreError> {
    super::node::insert_node(tx, &new_node(77, "93066"), at(1)).await
}

#[tokio::test]
async fn an_unknown_schema_is_refused_and_left_alone() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let change = async |sql: &'static str| {
            let mut tx = store.db.begin_write().await.expect("begins");
            tx.q(sql).exec().await.expect("changes");
            tx.commit().await.expect("commits");
        };
        let node = crate::node::NodeStore::open(&location).await;
        assert!(matches!(node, Err(StoreError::SchemaAltered(1))), "a hub's database is not a node's");
        change("UPDATE _sqlx_migrations SET version = 99 WHERE version = 1").await;
        assert!(matches!(HubStore::open(&location).await, Err(StoreError::SchemaNewer(99))));
        change("UPDATE _sqlx_migrations SET version = 1 WHERE version = 99").await;
        HubStore::open(&location).await.expect("opens again").close().await;
        change("DROP TABLE _sqlx_migrations").await;
        assert!(matches!(HubStore::open(&location).await, Err(StoreError::SchemaForeign)));
    })
    .await;
}

#[tokio::test]
async fn many_may_start_at_once_on_one_new_database() {
    on_both(async |location| {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let location = location.clone();
                tokio::spawn(async move { HubStore::open(&location).await.map(drop) })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic").expect("opens");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart_and_the_file_is_private() {
    on_both(async |location| {
        let store = with_node(&location).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        store.close().await;
        let store = tokio::time::timeout(Duration::from_secs(30), HubStore::open(&location))
            .await
            .expect("in time")
            .expect("opens");
        assert_eq!(store.document(id(21)).await.expect("reads"), Some(vec![41]));
        #[cfg(unix)]
        if let crate::Location::Sqlite(path) = &location {
            use std::os::unix::fs::PermissionsExt;
            for entry in std::fs::read_dir(path.parent().expect("a folder")).expect("lists") {
                let path = entry.expect("lists").path();
                let mode = std::fs::metadata(&path).expect("is there").permissions().mode() & 0o777;
                let lock = path.extension().is_some_and(|e| e == "lock");
                assert!(lock || mode == 0o600, "{} has mode {mode:o}", path.display());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_database_says_so_without_its_url() {
    let location = "postgres://user:secret@127.0.0.1:1/none".parse().expect("a URL");
    let error = HubStore::open(&location).await.expect_err("nobody listens on port 1");
    assert!(error.is_transient(), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"));
}
