//! Opening, refusing to open, and constraints that have one name on both databases.

use super::*;

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
        let refused = matches!(node, Err(StoreError::SchemaAltered(_) | StoreError::SchemaNewer(_)));
        assert!(refused, "a hub's database is not a node's");
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

#[tokio::test]
async fn a_damaged_file_is_told_apart_from_a_busy_one_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.db");
    let garbage = vec![b'x'; 8_192];
    std::fs::write(&path, &garbage).expect("writes");
    let error = HubStore::open(&crate::Location::file(&path)).await.expect_err("not a database");
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    assert_eq!(std::fs::read(&path).expect("still there"), garbage);
}
