//! Forward migrations from templated text, and refusal of a schema that is not ours.

use std::fs::File;
use std::path::PathBuf;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::db::Db;
use crate::{Location, StoreError, crash};

/// One step of a schema: version, name, templated text.
pub(crate) type Step = (i64, &'static str, &'static str);

/// Tokens of the templates, for SQLite and for PostgreSQL. Rendered before the checksum is taken.
const TOKENS: [(&str, &str, &str); 6] = [
    ("{i64}", "INTEGER", "BIGINT"),
    ("{bool}", "INTEGER", "BOOLEAN"),
    ("{bytes}", "BLOB", "BYTEA"),
    ("{strict}", "STRICT", ""),
    // Before a statement that only PostgreSQL has a word for.
    ("{postgres}", "--", ""),
    // The other way round.
    ("{sqlite}", "", "--"),
];

/// Opens the database at `location` and brings it to the last of `steps`.
pub(crate) async fn open(location: &Location, steps: &[Step]) -> Result<Db, StoreError> {
    let db = Db::open(location).await?;
    let migrator = migrator(&db, location, steps);
    // PostgreSQL takes an advisory lock while migrating; SQLite's is a no-op.
    let _lock = match location {
        Location::Sqlite(path) => Some(lock(path.with_extension("lock")).await?),
        Location::Postgres { .. } => None,
    };
    refuse_foreign(&db).await?;
    crash::point("migrate");
    let done = match &db {
        Db::Sqlite { writer, .. } => migrator.run(writer).await,
        Db::Postgres(pool) => migrator.run(pool).await,
    };
    crash::point("migrated");
    match done {
        Ok(()) => Ok(db),
        Err(error) => {
            db.close().await;
            Err(refusal(error))
        }
    }
}

fn migrator(db: &Db, location: &Location, steps: &[Step]) -> Migrator {
    let migrations = steps
        .iter()
        .map(|(version, name, text)| {
            let sql = TOKENS.iter().fold((*text).to_owned(), |sql, (token, sqlite, postgres)| {
                sql.replace(token, if matches!(db, Db::Sqlite { .. }) { sqlite } else { postgres })
            });
            let sql = sqlx::AssertSqlSafe(sql).into_sql_str();
            Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    if let Location::Postgres { schema: Some(schema), .. } = location {
        migrator.create_schema(schema.clone());
    }
    migrator
}

async fn lock(path: PathBuf) -> Result<File, StoreError> {
    let unavailable = |what: &str| StoreError::Unavailable(format!("lock file: {what}"));
    tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    })
    .await
    .map_err(|_| unavailable("interrupted"))?
    .map_err(|error| unavailable(&error.kind().to_string()))
}

/// Tables without our journal of migrations are somebody else's.
async fn refuse_foreign(db: &Db) -> Result<(), StoreError> {
    const SQLITE: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                            WHERE table_schema = current_schema() ORDER BY table_name";
    // Through the writer: a reader may not open a file that is still empty.
    let mut tx = db.begin_write().await?;
    let sql = if matches!(db, Db::Sqlite { .. }) { SQLITE } else { POSTGRES };
    let tables = tx.q(sql).all(|row| row.get::<String>(0)).await?;
    if tables.is_empty() || tables.iter().any(|name| name == "_sqlx_migrations") {
        Ok(())
    } else {
        Err(StoreError::SchemaForeign)
    }
}

fn refusal(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version)
        | MigrateError::VersionTooNew(version, _)
        | MigrateError::VersionNotPresent(version) => StoreError::SchemaNewer(version),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => StoreError::SchemaAltered(version),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        _ => StoreError::Statement("migration".to_owned()),
    }
}
