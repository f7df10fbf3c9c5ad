//! A copy put back into an empty place.
//!
//! Tables cannot be made in the transaction that fills them, so a process that dies leaves some behind. Which authority
//! the database belongs to is therefore written last, by [`HubStore::belongs_to`], once the folder of the hub stands: a
//! database that belongs to nobody is what an interrupted loading left, and the next one takes it away first.

use model::Timestamp;

use super::{HubStore, Kind, Restoration, Table, TableShape, Value, note, quoted, tables, tables_named};
use crate::db::{Db, Tx, integer, retry};
use crate::hub::STEPS;
use crate::migration::{self, Step};
use crate::{Location, StoreError};

/// The table that says to whom the database belongs.
const OWNER: &str = "authority";
const JOURNAL: &str = "_sqlx_migrations";

/// A new database that is being filled: to be ended by [`Loading::finish`] or [`Loading::abandon`].
pub struct Loading {
    location: Location,
    db: Db,
    tx: Tx,
    tables: Vec<Table>,
    owned_since: Option<Timestamp>,
}

/// A database that was filled, and belongs to nobody yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// How many waiting invitations were ended.
    pub invitations_ended: u64,
    /// Since when the copied one belonged to its authority: for [`HubStore::belongs_to`].
    pub owned_since: Option<Timestamp>,
}

/// What stands in a place.
enum Place {
    /// Nothing.
    Empty,
    /// What an interrupted loading left there.
    Unfinished,
    /// Something of somebody.
    Occupied,
}

impl Loading {
    /// Makes a database at `location` with the migrations `schema`, and nothing in it.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] if something is there, [`StoreError::SchemaNewer`] for a migration that this program
    /// does not know.
    pub async fn begin(location: &Location, schema: &[i64]) -> Result<Self, StoreError> {
        if let Some(unknown) = schema.iter().find(|version| STEPS.iter().all(|step| step.0 != **version)) {
            return Err(StoreError::SchemaNewer(*unknown));
        }
        match place(location).await? {
            Place::Empty => {}
            Place::Unfinished => clear(location).await?,
            Place::Occupied => return Err(StoreError::Occupied),
        }
        // As the copy was: what came later is migrated by the next ordinary opening.
        let steps: Vec<Step> = STEPS.iter().copied().filter(|step| schema.contains(&step.0)).collect();
        let db = migration::open(location, &steps).await?;
        let mut tx = db.begin_write().await?;
        let tables = tables(&mut tx, db.is_postgres()).await?;
        // Migrations may bring first rows of their own; those of the copy take their place.
        for table in tables.iter().rev() {
            tx.generated(format!("DELETE FROM {}", quoted(&table.shape.name))).exec().await?;
        }
        Ok(Self { location: location.clone(), db, tx, tables, owned_since: None })
    }

    /// Says no if there is anything of somebody at `location`.
    pub async fn refuse_occupied(location: &Location) -> Result<(), StoreError> {
        match place(location).await? {
            Place::Empty | Place::Unfinished => Ok(()),
            Place::Occupied => Err(StoreError::Occupied),
        }
    }

    /// Adds one row to `table`, whose `columns` are named in the row's order.
    ///
    /// # Errors
    /// A table, a column or a kind of value that this schema has not.
    pub async fn insert(&mut self, table: &TableShape, row: Vec<Value>) -> Result<(), StoreError> {
        let foreign = || StoreError::Damaged("shape of the copy");
        let ours = self.tables.iter().find(|known| known.shape.name == table.name).ok_or_else(foreign)?;
        if row.len() != table.columns.len() {
            return Err(foreign());
        }
        if table.name == OWNER {
            let since = table.columns.iter().zip(&row).find_map(|(column, value)| match value {
                Value::Integer(micros) if column == "created_at" => Some(Timestamp::from_micros(*micros)),
                Value::Integer(_) | Value::Null | Value::Text(_) | Value::Bytes(_) => None,
            });
            self.owned_since = Some(since.ok_or_else(foreign)?);
            return Ok(());
        }
        let mut kinds = Vec::with_capacity(row.len());
        for column in &table.columns {
            // Only names that this very database gave enter the statement.
            let index = ours.shape.columns.iter().position(|known| known == column).ok_or_else(foreign)?;
            kinds.push(ours.kinds[index]);
        }
        let names: Vec<String> = table.columns.iter().map(|name| quoted(name)).collect();
        let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
        let sql = format!("INSERT INTO {} ({}) VALUES ({})", quoted(&table.name), names.join(", "), places.join(", "));
        let mut query = self.tx.generated(sql);
        for (value, kind) in row.into_iter().zip(kinds) {
            query = match (kind, value) {
                (Kind::Integer, Value::Integer(number)) => query.bind(number),
                (Kind::Integer, Value::Null) => query.bind(None::<i64>),
                (Kind::Truth, Value::Integer(number @ (0 | 1))) => query.bind(number == 1),
                (Kind::Truth, Value::Null) => query.bind(None::<bool>),
                (Kind::Text, Value::Text(text)) => query.bind(text),
                (Kind::Text, Value::Null) => query.bind(None::<String>),
                (Kind::Bytes, Value::Bytes(bytes)) => query.bind(bytes),
                (Kind::Bytes, Value::Null) => query.bind(None::<Vec<u8>>),
                (_, _) => return Err(foreign()),
            };
        }
        query.exec().await.map(drop)
    }

    /// Takes everything away again, tables included: the place is as empty as it was found.
    pub async fn abandon(self) -> Result<(), StoreError> {
        drop(self.tx);
        self.db.close().await;
        clear(&self.location).await
    }

    /// Everything is there: begins the new life in the same transaction. Invitations that nobody had spent when the
    /// copy was taken are ended, because somebody may have spent them since.
    ///
    /// The database belongs to nobody until its hub says so with [`HubStore::belongs_to`].
    ///
    /// # Errors
    /// Whatever fails, nothing stays behind, as far as the database still answers; what it leaves is taken away by the
    /// next [`Loading::begin`].
    pub async fn finish(self, restoration: &Restoration) -> Result<Filled, StoreError> {
        let Self { location, db, mut tx, tables, owned_since } = self;
        let known = ["restoration", "journal"].iter().all(|name| tables.iter().any(|table| table.shape.name == *name));
        let done = async {
            let ended = begin_again(&mut tx, restoration, known).await?;
            tx.commit().await?;
            Ok(ended)
        };
        let done = done.await;
        db.close().await;
        let done = match done {
            // A copy of an older schema: the note has its place only once the schema moved on.
            Ok(ended) if !known => note_later(&location, restoration).await.map(|()| ended),
            done => done,
        };
        match done {
            Ok(invitations_ended) => Ok(Filled { invitations_ended, owned_since }),
            Err(error) => {
                // The first error is the one that tells why.
                let _ = clear(&location).await;
                Err(error)
            }
        }
    }
}

impl HubStore {
    /// Takes away what was loaded at `location` and belongs to nobody yet.
    pub async fn discard(location: &Location) -> Result<(), StoreError> {
        match place(location).await? {
            Place::Unfinished => clear(location).await,
            Place::Empty | Place::Occupied => Ok(()),
        }
    }
}

async fn begin_again(tx: &mut Tx, restoration: &Restoration, known: bool) -> Result<u64, StoreError> {
    let ended = tx
        .q("UPDATE invitation SET revoked_at = $1 WHERE spent_at IS NULL AND revoked_at IS NULL")
        .bind(restoration.restored_at.as_micros())
        .exec()
        .await?;
    tx.q("UPDATE counter SET number = $1 WHERE id = 1").bind(integer(restoration.next_number)?).exec().await?;
    if known {
        note(tx, restoration).await?;
    }
    Ok(ended)
}

async fn note_later(location: &Location, restoration: &Restoration) -> Result<(), StoreError> {
    let db = migration::open(location, STEPS).await?;
    let mut tx = db.begin_write().await?;
    note(&mut tx, restoration).await?;
    tx.commit().await?;
    db.close().await;
    Ok(())
}

async fn place(location: &Location) -> Result<Place, StoreError> {
    if let Location::Sqlite(path) = location {
        // Somebody else's file must not even be opened: that would change it. Ours has its lock beside it from the
        // first moment at which it holds anything.
        match std::fs::metadata(path) {
            Ok(file) if file.len() > 0 && path.with_extension("lock").exists() => {}
            Ok(file) if file.len() > 0 => return Ok(Place::Occupied),
            Ok(_) | Err(_) => return Ok(Place::Empty),
        }
    }
    let db = Db::open(location).await?;
    let mut tx = db.begin_read().await?;
    let found = examine(&mut tx, db.is_postgres()).await;
    drop(tx);
    db.close().await;
    found
}

/// Unfinished is what this program alone can have left: no table that is not of its schema, its journal of migrations,
/// and no owner.
async fn examine(tx: &mut Tx, postgres: bool) -> Result<Place, StoreError> {
    let mut names = tables_named(tx, postgres).await?;
    names.retain(|name| !name.starts_with("sqlite_"));
    if names.is_empty() {
        return Ok(Place::Empty);
    }
    let ours = |name: &String| name == JOURNAL || STEPS.iter().any(|step| makes(step, name));
    if !names.contains(JOURNAL) || !names.iter().all(ours) {
        return Ok(Place::Occupied);
    }
    let telling = if names.contains(OWNER) { OWNER } else { JOURNAL };
    let rows =
        tx.generated(format!("SELECT COUNT(*) FROM {}", quoted(telling))).one(|row| row.count(0, "rows")).await?;
    Ok(if rows == 0 { Place::Unfinished } else { Place::Occupied })
}

fn makes(step: &Step, table: &str) -> bool {
    step.2.lines().any(|line| line.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split(' ').next()) == Some(table))
}

/// Drops every table of a place that is still unfinished once nobody else is at work in it.
async fn clear(location: &Location) -> Result<(), StoreError> {
    let db = Db::open(location).await?;
    let done = retry(|| clear_once(&db)).await;
    db.close().await;
    done
}

async fn clear_once(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.begin_write().await?;
    let names = tables_named(&mut tx, db.is_postgres()).await?;
    if db.is_postgres() {
        for name in &names {
            // Whoever fills these tables this moment holds them: that is not ours to end.
            tx.generated(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT", quoted(name))).exec().await?;
        }
    }
    match examine(&mut tx, db.is_postgres()).await? {
        Place::Empty => return Ok(()),
        Place::Occupied => return Err(StoreError::Occupied),
        Place::Unfinished => {}
    }
    let known = tables(&mut tx, db.is_postgres()).await?;
    for table in known.iter().rev() {
        tx.generated(format!("DROP TABLE {}", quoted(&table.shape.name))).exec().await?;
    }
    tx.q("DROP TABLE _sqlx_migrations").exec().await?;
    tx.commit().await
}
