//! One face over two drivers: the only module that names them.
//!
//! Statements are `&'static str` with `$1..$n`. Values are bool, i64, text and bytes, and options of them: the types
//! that both drivers encode and decode alike. Reads go to `Db::q`, writes through `Db::begin_write`; there is no
//! other way to begin, because only `BEGIN IMMEDIATE` keeps two SQLite writers from failing half-way.

mod query;

use std::fs::OpenOptions;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr, Sqlite, SqliteConnection,
    SqlitePool, Transaction,
};

pub(crate) use query::{Query, Row, integer};

use crate::{Location, StoreError, crash};

/// An open database.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    /// One writer, several readers: waiting in our queue is fairer and faster than SQLite's busy loop.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    /// One pool; concurrent writers meet at row locks and compare-and-swap.
    Postgres(PgPool),
}

const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;
const WAIT: Duration = Duration::from_secs(10);

impl Db {
    /// Opens without migrating. `location` is created where that is ours to do (file, schema).
    pub(crate) async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(path) => open_sqlite(path).await,
            Location::Postgres { url, schema } => open_postgres(url, schema.as_deref()).await,
        }
    }

    /// A statement outside any transaction: reads, and nothing else.
    pub(crate) fn q(&self, sql: &'static str) -> Query<'_> {
        match self {
            Self::Sqlite { readers, .. } => Query::sqlite_pool(readers, sql),
            Self::Postgres(pool) => Query::postgres_pool(pool, sql),
        }
    }

    /// Begins a transaction that writes. Dropped without `commit`, it rolls back.
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        crash::point("BEGIN");
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that reads one state of the whole database, whatever is written meanwhile, and holds up no
    /// writer.
    pub(crate) async fn begin_read(&self) -> Result<Tx, StoreError> {
        const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(match self {
            // In WAL mode the first read fixes what is seen.
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin_with(SNAPSHOT).await?),
        })
    }

    /// Whether this is PostgreSQL.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Makes sure that bytes deleted before this call are no longer in SQLite's log. PostgreSQL frees them at its
    /// next vacuum, which is the operator's to order.
    pub(crate) async fn scrub(&self) -> Result<(), StoreError> {
        crash::point("scrub");
        match self {
            Self::Sqlite { writer, .. } => {
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await?;
            }
            Self::Postgres(_) => {}
        }
        Ok(())
    }

    /// Closes all connections; for SQLite this folds the log back into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction that writes.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// A statement inside the transaction.
    pub(crate) fn q(&mut self, sql: &'static str) -> Query<'_> {
        self.query(sql.into_sql_str())
    }

    /// A statement made of names that the database itself gave: for what copies whole tables, and nothing else.
    pub(crate) fn generated(&mut self, sql: String) -> Query<'_> {
        self.query(AssertSqlSafe(sql).into_sql_str())
    }

    fn query(&mut self, sql: SqlStr) -> Query<'_> {
        match self {
            Self::Sqlite(tx) => Query::sqlite(tx, sql),
            Self::Postgres(tx) => Query::postgres(tx, sql),
        }
    }

    /// Makes it durable. Callers leave by `?` after any failed statement: PostgreSQL answers a commit of an aborted
    /// transaction with success while nothing is written.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        crash::point("COMMIT");
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        crash::point("committed");
        Ok(())
    }
}

async fn open_sqlite(path: &Path) -> Result<Db, StoreError> {
    create_private(path).map_err(|e| StoreError::Unavailable(format!("{}: {}", path.display(), e.kind())))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // A purge must not leave its bytes in free pages.
        .pragma("secure_delete", "ON")
        .busy_timeout(Duration::from_secs(5));
    // A file's connections do not age. And the pool has then nobody who looks after idle ones: that task, caught by the
    // pool's closing, may count below zero and turn for ever (sqlx 0.9, `num_idle`).
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(WAIT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool(1).after_release(move |connection, _| sound(connection)).connect_with(options.clone()).await?;
    let readers = pool(READERS).connect_lazy_with(options.read_only(true));
    Ok(Db::Sqlite { writer, readers })
}

/// SQLite ends the transaction by itself when the disk is full; the driver's rollback then fails, and it would count a
/// transaction as open for ever, and refuse to begin another. Such a connection is not used again.
fn sound(connection: &mut SqliteConnection) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        // Behind the rollback in the driver's queue.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    })
}

/// SQLite gives its log the mode of the file, so the file must be private before it is first opened.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn open_postgres(url: &str, schema: Option<&str>) -> Result<Db, StoreError> {
    let mut options: PgConnectOptions = url.parse()?;
    if let Some(schema) = schema {
        options = options.options([("search_path", schema)]);
    }
    // The pool would knock for the whole of `WAIT` before it says that nobody answers.
    PgConnection::connect_with(&options).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}

/// Tries a whole write again while another writer was faster. `once` must do nothing outside the database.
pub(crate) async fn retry<T, F, Fut>(mut once: F) -> Result<T, StoreError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, StoreError>>,
{
    let mut pause = Duration::from_millis(5);
    for _ in 0..8 {
        match once().await {
            Err(StoreError::Busy) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    Err(StoreError::Busy)
}
