//! The whole database out as rows, and in again, on every pair of databases.

use futures::TryStreamExt as _;

use super::*;

type Rows = Vec<(TableShape, Vec<Vec<Value>>)>;

async fn rows(location: &crate::Location) -> (Rows, Vec<i64>) {
    let mut snapshot = Snapshot::open(location).await.expect("opens");
    let mut all = Vec::new();
    for shape in snapshot.tables() {
        let rows = snapshot.rows(&shape.name).expect("a table").try_collect().await.expect("reads");
        all.push((shape, rows));
    }
    let schema = snapshot.schema().to_vec();
    snapshot.close().await;
    (all, schema)
}

fn restoration() -> Restoration {
    Restoration { restored_at: at(500), backup_at: at(400), backup_number: 1, next_number: 1_000 }
}

#[tokio::test]
async fn rows_are_the_same_wherever_they_were_and_are_put() {
    on_both(async |from| {
        let store = with_node(&from).await;
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("accepts");
        assert!(store.belongs_to(hash(3), at(7)).await.expect("writes"));
        store.close().await;
        let (before, schema) = rows(&from).await;
        let named = |name: &str| before.iter().position(|(shape, _)| shape.name == name).expect("a table");
        assert!(named("submission") < named("ledger_link"), "what is referred to comes first");
        let before = &before;
        let schema = &schema;
        on_both(async |to| {
            let mut loading = Loading::begin(&to, schema).await.expect("an empty place");
            for (shape, rows) in before {
                for row in rows {
                    loading.insert(shape, row.clone()).await.expect("a row");
                }
            }
            let filled = loading.finish(&restoration()).await.expect("begins again");
            assert_eq!(filled, Filled { invitations_ended: 0, owned_since: Some(at(7)) });
            let store = HubStore::open(&to).await.expect("opens");
            assert_eq!(store.owner().await.expect("reads"), None, "its hub says so, once it stands");
            assert!(store.belongs_to(hash(3), at(7)).await.expect("writes"));
            store.close().await;
            assert!(matches!(Loading::begin(&to, schema).await, Err(StoreError::Occupied)));
            let (after, _) = rows_but_changed(&to).await;
            let (expected, _) = rows_but_changed_of(before);
            assert_eq!(after, expected);
            let store = HubStore::open(&to).await.expect("opens");
            assert_eq!(store.number().await.expect("reads"), 1_000);
            assert_eq!(store.last_restoration().await.expect("reads"), Some(restoration()));
            assert!(store.is_current().await.expect("reads") && store.size().await.expect("reads") > 0);
            store.close().await;
        })
        .await;
    })
    .await;
}

/// Before an upgrade a copy is of the older schema, and so is what it is copied from.
#[tokio::test]
async fn a_copy_of_an_older_schema_is_taken_and_put_back() {
    on_both(async |location| {
        let counter = TableShape { name: "counter".to_owned(), columns: vec!["id".to_owned(), "number".to_owned()] };
        let mut loading = Loading::begin(&location, &[1]).await.expect("an empty place");
        loading.insert(&counter, vec![Value::Integer(1), Value::Integer(7)]).await.expect("a row");
        assert_eq!(loading.finish(&restoration()).await.expect("begins again").owned_since, None);
        let store = HubStore::open(&location).await.expect("opens");
        assert_eq!(store.last_restoration().await.expect("reads"), Some(restoration()));
        assert!(store.is_current().await.expect("reads"));
        store.close().await;
    })
    .await;
    on_both(async |location| {
        crate::migration::open(&location, &STEPS[..1]).await.expect("the first schema").close().await;
        let record = BackupRecord { taken_at: at(1), number: 0, length: 1 };
        let noted = tokio::time::timeout(Duration::from_secs(20), HubStore::note_backup(&location, &record)).await;
        noted.expect("it ends").expect("there is no place to note it, which is no error");
    })
    .await;
}

async fn rows_but_changed(location: &crate::Location) -> (Rows, usize) {
    rows_but_changed_of(&rows(location).await.0)
}

/// Without the tables that beginning again changes.
fn rows_but_changed_of(rows: &Rows) -> (Rows, usize) {
    let changed = ["counter", "restoration", "journal", "journal_head"];
    let stays = |(shape, _): &&(TableShape, Vec<Vec<Value>>)| !changed.contains(&shape.name.as_str());
    (rows.iter().filter(stays).cloned().collect(), rows.len())
}

#[tokio::test]
async fn a_copy_is_one_state_while_others_write() {
    on_both(async |location| {
        let store = with_node(&location).await;
        let mut snapshot = Snapshot::open(&location).await.expect("opens");
        store.accept(&acceptance(21, &[41], 0), &seal).await.expect("nobody is held up");
        let seen: Vec<_> = snapshot.rows("submission").expect("a table").try_collect().await.expect("reads");
        assert!(seen.is_empty() && snapshot.number() == 0);
        snapshot.close().await;
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_taken_away_again() {
    on_both(async |location| {
        assert!(matches!(Loading::begin(&location, &[1, 999]).await, Err(StoreError::SchemaNewer(999))));
        let mut loading = Loading::begin(&location, &[1, 4]).await.expect("an empty place");
        let shape = |name: &str, columns: &[&str]| TableShape {
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        let row = || vec![Value::Integer(1), Value::Integer(0)];
        for wrong in [
            loading.insert(&shape("nothing", &["id", "number"]), row()).await,
            loading.insert(&shape("counter", &["id", "number\" = 1; --"]), row()).await,
            loading.insert(&shape("counter", &["id"]), row()).await,
            loading
                .insert(&shape("counter", &["id", "number"]), vec![Value::Integer(1), Value::Text("a".into())])
                .await,
        ] {
            assert!(matches!(wrong, Err(StoreError::Damaged(_))), "{wrong:?}");
        }
        loading.abandon().await.expect("emptied");
        if let crate::Location::Sqlite(path) = &location {
            std::fs::remove_file(path).expect("the file itself is the caller's to remove");
        }
        Loading::begin(&location, &[1, 4]).await.expect("empty again").abandon().await.expect("emptied");
    })
    .await;
}

/// Whatever the place was when the process died, the next one begins in it; what belongs to somebody is left alone.
#[tokio::test]
async fn what_an_interrupted_loading_left_is_taken_away_and_nothing_else() {
    on_both(async |location| {
        let counter = TableShape { name: "counter".to_owned(), columns: vec!["id".to_owned(), "number".to_owned()] };
        let begin = async || Loading::begin(&location, &[1, 4]).await;
        // Nothing filled; filled and not ended; ended, and nobody says whose it is.
        drop(begin().await.expect("an empty place"));
        let mut loading = begin().await.expect("as it was left");
        loading.insert(&counter, vec![Value::Integer(1), Value::Integer(7)]).await.expect("a row");
        drop(loading);
        begin().await.expect("as it was left").finish(&restoration()).await.expect("ends");
        // An end that fails leaves nothing by itself.
        let impossible = Restoration { next_number: u64::MAX, ..restoration() };
        begin().await.expect("as it was left").finish(&impossible).await.expect_err("no such number");
        let db = crate::db::Db::open(&location).await.expect("opens");
        let mut tx = db.begin_write().await.expect("begins");
        tx.q("CREATE TABLE somebody (id BIGINT PRIMARY KEY)").exec().await.expect("nothing of ours is there");
        tx.commit().await.expect("commits");
        db.close().await;
        assert!(matches!(begin().await, Err(StoreError::Occupied)), "somebody else's");
        HubStore::discard(&location).await.expect("nothing to do");
        assert!(matches!(begin().await, Err(StoreError::Occupied)), "and it stays");
    })
    .await;
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        assert!(store.belongs_to(hash(3), at(7)).await.expect("writes"));
        store.close().await;
        HubStore::discard(&location).await.expect("nothing to do");
        assert!(matches!(Loading::begin(&location, &[1]).await, Err(StoreError::Occupied)));
    })
    .await;
}

#[tokio::test]
async fn there_is_no_copy_of_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("absent.db");
    assert!(Snapshot::open(&crate::Location::file(&path)).await.is_err());
    assert!(!path.exists(), "looking made nothing");
}
