//! The whole database, copied out as rows and put back, between SQLite and PostgreSQL in either direction.
//!
//! Nothing here knows what a table means: names, columns and their kinds are those that the database gives, so a
//! table that a later migration adds is in the copy without anybody thinking of it. Rows come in the order of their
//! primary key, compared byte by byte: the same content gives the same copy on both databases.

mod loading;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use model::Timestamp;

use super::journal::{self, Event, Who};
use super::{HubStore, STEPS};
use crate::db::{Db, Row, Tx, integer};
use crate::{Location, StoreError};

pub use loading::{Filled, Loading};

/// One stored value, the same whichever database it came from. A truth value is 0 or 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Absent.
    Null,
    /// An integer, an instant or a truth value.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A table by name, with its columns in the order in which rows hold them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
}

/// One state of a whole database, readable while the hub goes on writing.
pub struct Snapshot {
    db: Db,
    tx: Tx,
    tables: Vec<Table>,
    schema: Vec<i64>,
    number: u64,
}

/// What a database that begins again must know of its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restoration {
    /// Now.
    pub restored_at: Timestamp,
    /// When the copy was taken.
    pub backup_at: Timestamp,
    /// The acceptance number that the copy holds.
    pub backup_number: u64,
    /// The acceptance number to go on after.
    pub next_number: u64,
}

/// A copy that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupRecord {
    /// When.
    pub taken_at: Timestamp,
    /// The acceptance number that it holds.
    pub number: u64,
    /// Length of the archive in bytes.
    pub length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Truth,
    Text,
    Bytes,
}

#[derive(Clone, Debug)]
struct Table {
    shape: TableShape,
    kinds: Vec<Kind>,
    /// Indices of the primary key's columns, in its order; all columns where there is none.
    key: Vec<usize>,
}

impl Snapshot {
    /// Opens the database at `location` as it is: nothing is created, nothing migrated, so that a copy can be taken
    /// with a newer program before the upgrade.
    ///
    /// # Errors
    /// No database there, one that is not ours, or of a version that this program does not know.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        if let Location::Sqlite(path) = location
            && !path.is_file()
        {
            return Err(StoreError::Unavailable(format!("{}: no such file", path.display())));
        }
        let db = Db::open(location).await?;
        let mut tx = db.begin_read().await?;
        let schema = schema(&mut tx, db.is_postgres()).await?;
        let tables = tables(&mut tx, db.is_postgres()).await?;
        let number = tx.q("SELECT number FROM counter WHERE id = 1").one(|row| row.count(0, "number")).await?;
        Ok(Self { db, tx, tables, schema, number })
    }

    /// Its tables, each after those that it refers to.
    pub fn tables(&self) -> Vec<TableShape> {
        self.tables.iter().map(|table| table.shape.clone()).collect()
    }

    /// The migrations that made it.
    pub fn schema(&self) -> &[i64] {
        &self.schema
    }

    /// Its last acceptance number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The rows of one table. A name that is not of [`Snapshot::tables`] has none.
    pub fn rows<'a>(&'a mut self, name: &str) -> Result<BoxStream<'a, Result<Vec<Value>, StoreError>>, StoreError> {
        let Some(table) = self.tables.iter().find(|table| table.shape.name == name) else {
            return Ok(futures::stream::empty().boxed());
        };
        let kinds = table.kinds.clone();
        let sql = table.select(self.db.is_postgres());
        let rows = self.tx.generated(sql).rows()?;
        Ok(rows.map(move |row| read(&row?, &kinds)).boxed())
    }

    /// Ends the reading and closes all connections.
    pub async fn close(self) {
        drop(self.tx);
        self.db.close().await;
    }
}

async fn note(tx: &mut Tx, restoration: &Restoration) -> Result<(), StoreError> {
    tx.q("INSERT INTO restoration (restored_at, backup_at, backup_number, next_number) VALUES ($1, $2, $3, $4)")
        .bind(restoration.restored_at.as_micros())
        .bind(restoration.backup_at.as_micros())
        .bind(integer(restoration.backup_number)?)
        .bind(integer(restoration.next_number)?)
        .exec()
        .await?;
    let event = Event {
        what: "restored",
        who: Who::Operator,
        at: restoration.restored_at,
        about: vec![
            ("backup_at", restoration.backup_at.to_string()),
            ("backup_number", restoration.backup_number.to_string()),
            ("next_number", restoration.next_number.to_string()),
        ],
    };
    journal::note(tx, &event).await
}

impl HubStore {
    /// Notes that a copy was taken. An older schema, copied before its upgrade, has no place for that: not noted.
    pub async fn note_backup(location: &Location, record: &BackupRecord) -> Result<(), StoreError> {
        let db = Db::open(location).await?;
        let mut tx = db.begin_write().await?;
        let tables = tables(&mut tx, db.is_postgres()).await?;
        let has = |name: &str| tables.iter().any(|table| table.shape.name == name);
        if has("backup_taken") {
            tx.q("INSERT INTO backup_taken (taken_at, number, length) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(record.taken_at.as_micros())
                .bind(integer(record.number)?)
                .bind(integer(record.length)?)
                .exec()
                .await?;
            if has("journal") {
                let about = vec![("accepted", record.number.to_string()), ("bytes", record.length.to_string())];
                let event = Event { what: "backed_up", who: Who::Operator, at: record.taken_at, about };
                journal::note(&mut tx, &event).await?;
            }
            tx.commit().await?;
        } else {
            // Closing waits for every connection that is lent.
            drop(tx);
        }
        db.close().await;
        Ok(())
    }

    /// The newest copy, if one was ever taken.
    pub async fn last_backup(&self) -> Result<Option<BackupRecord>, StoreError> {
        self.db
            .q("SELECT taken_at, number, length FROM backup_taken ORDER BY taken_at DESC LIMIT 1")
            .opt(|row| {
                Ok(BackupRecord {
                    taken_at: row.time(0)?,
                    number: row.count(1, "number")?,
                    length: row.count(2, "length")?,
                })
            })
            .await
    }

    /// How often this database began again from a copy, and when last.
    pub async fn last_restoration(&self) -> Result<Option<Restoration>, StoreError> {
        self.db
            .q("SELECT restored_at, backup_at, backup_number, next_number FROM restoration \
                ORDER BY restored_at DESC LIMIT 1")
            .opt(|row| {
                Ok(Restoration {
                    restored_at: row.time(0)?,
                    backup_at: row.time(1)?,
                    backup_number: row.count(2, "number")?,
                    next_number: row.count(3, "number")?,
                })
            })
            .await
    }

    /// How many bytes the database takes on its disk.
    pub async fn size(&self) -> Result<u64, StoreError> {
        const SQLITE: &str = "SELECT c.page_count * s.page_size FROM pragma_page_count() c, pragma_page_size() s";
        const POSTGRES: &str = "SELECT CAST(COALESCE(SUM(pg_total_relation_size(c.oid)), 0) AS BIGINT) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind = 'r'";
        let sql = if self.db.is_postgres() { POSTGRES } else { SQLITE };
        self.db.q(sql).one(|row| row.count(0, "size")).await
    }

    /// Whether the schema is the one of this program: another replica, started from a newer one, may have moved it on.
    pub async fn is_current(&self) -> Result<bool, StoreError> {
        let done: BTreeSet<i64> =
            self.db.q("SELECT version FROM _sqlx_migrations").all(|row| row.get(0)).await?.into_iter().collect();
        Ok(done == STEPS.iter().map(|step| step.0).collect())
    }
}

impl Table {
    fn select(&self, postgres: bool) -> String {
        let columns: Vec<String> = self.shape.columns.iter().map(|name| quoted(name)).collect();
        let order: Vec<String> = self
            .key
            .iter()
            .map(|index| match self.kinds[*index] {
                // The order of a server's locale would make two copies of the same content differ.
                Kind::Text if postgres => format!("{} COLLATE \"C\"", columns[*index]),
                Kind::Integer | Kind::Truth | Kind::Text | Kind::Bytes => columns[*index].clone(),
            })
            .collect();
        format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), quoted(&self.shape.name), order.join(", "))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn read(row: &Row, kinds: &[Kind]) -> Result<Vec<Value>, StoreError> {
    let value = |(index, kind): (usize, &Kind)| {
        Ok(match kind {
            Kind::Integer => row.get::<Option<i64>>(index)?.map_or(Value::Null, Value::Integer),
            Kind::Truth => row.get::<Option<bool>>(index)?.map_or(Value::Null, |b| Value::Integer(i64::from(b))),
            Kind::Text => row.get::<Option<String>>(index)?.map_or(Value::Null, Value::Text),
            Kind::Bytes => row.get::<Option<Vec<u8>>>(index)?.map_or(Value::Null, Value::Bytes),
        })
    };
    kinds.iter().enumerate().map(value).collect()
}

async fn schema(tx: &mut Tx, postgres: bool) -> Result<Vec<i64>, StoreError> {
    if !tables_named(tx, postgres).await?.contains("_sqlx_migrations") {
        return Err(StoreError::SchemaForeign);
    }
    let done = tx.q("SELECT version FROM _sqlx_migrations ORDER BY version").all(|row| row.get(0)).await?;
    match done.iter().find(|version| STEPS.iter().all(|step| step.0 != **version)) {
        Some(newer) => Err(StoreError::SchemaNewer(*newer)),
        None => Ok(done),
    }
}

async fn tables_named(tx: &mut Tx, postgres: bool) -> Result<BTreeSet<String>, StoreError> {
    const SQLITE: &str = "SELECT name FROM sqlite_master WHERE type = 'table'";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                            WHERE table_schema = current_schema()";
    let sql = if postgres { POSTGRES } else { SQLITE };
    Ok(tx.q(sql).all(|row| row.get::<String>(0)).await?.into_iter().collect())
}

/// Every table of ours, each after those that it refers to, then by name.
async fn tables(tx: &mut Tx, postgres: bool) -> Result<Vec<Table>, StoreError> {
    const SQLITE: &str = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND m.name <> '_sqlx_migrations' \
         ORDER BY m.name, c.cid";
    const POSTGRES: &str = "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT), \
         CAST(c.data_type AS TEXT), CAST(COALESCE(k.ordinal_position, 0) AS BIGINT) \
         FROM information_schema.columns c \
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
              AND t.table_type = 'BASE TABLE' \
         LEFT JOIN (information_schema.key_column_usage k JOIN information_schema.table_constraints p \
              ON p.constraint_schema = k.constraint_schema AND p.constraint_name = k.constraint_name \
              AND p.table_name = k.table_name AND p.constraint_type = 'PRIMARY KEY') \
              ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name \
         WHERE c.table_schema = current_schema() AND c.table_name <> '_sqlx_migrations' \
         ORDER BY CAST(c.table_name AS TEXT) COLLATE \"C\", c.ordinal_position";
    let sql = if postgres { POSTGRES } else { SQLITE };
    let columns = tx
        .q(sql)
        .all(|row| {
            let kind = match row.get::<String>(2)?.to_ascii_lowercase().as_str() {
                "integer" | "bigint" => Kind::Integer,
                "boolean" => Kind::Truth,
                "text" => Kind::Text,
                "blob" | "bytea" => Kind::Bytes,
                _ => return Err(StoreError::Unstorable("a column of another kind")),
            };
            Ok((row.get::<String>(0)?, row.get::<String>(1)?, kind, row.count(3, "key")?))
        })
        .await?;
    let mut found: BTreeMap<String, (Table, Vec<(u64, usize)>)> = BTreeMap::new();
    for (name, column, kind, place) in columns {
        let (table, key) = found.entry(name.clone()).or_insert_with(|| {
            let shape = TableShape { name, columns: Vec::new() };
            (Table { shape, kinds: Vec::new(), key: Vec::new() }, Vec::new())
        });
        if place > 0 {
            key.push((place, table.kinds.len()));
        }
        table.shape.columns.push(column);
        table.kinds.push(kind);
    }
    let after = references(tx, postgres).await?;
    let mut ordered: Vec<Table> = Vec::with_capacity(found.len());
    while !found.is_empty() {
        let free = |name: &String| {
            let waits = |(from, to): &(String, String)| from == name && to != name && found.contains_key(to);
            !after.iter().any(waits)
        };
        let name = found.keys().find(|name| free(name)).cloned().ok_or(StoreError::Damaged("order of tables"))?;
        if let Some((mut table, mut key)) = found.remove(&name) {
            key.sort_unstable();
            table.key = key.into_iter().map(|(_, index)| index).collect();
            if table.key.is_empty() {
                table.key = (0..table.kinds.len()).collect();
            }
            ordered.push(table);
        }
    }
    Ok(ordered)
}

/// Which table refers to which.
async fn references(tx: &mut Tx, postgres: bool) -> Result<Vec<(String, String)>, StoreError> {
    const SQLITE: &str = "SELECT m.name, f.\"table\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
                          WHERE m.type = 'table'";
    const POSTGRES: &str = "SELECT CAST(c.relname AS TEXT), CAST(p.relname AS TEXT) FROM pg_constraint k \
         JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND n.nspname = current_schema()";
    let sql = if postgres { POSTGRES } else { SQLITE };
    tx.q(sql).all(|row| Ok((row.get::<String>(0)?, row.get::<String>(1)?))).await
}
