//! The audit journal: who did what, in the transaction that did it.
//!
//! A line is text that is never written again. Its hash is SHA-256 of the hash before it, in hexadecimal, a line feed and
//! the line: whoever has the lines can follow the chain with any tool. Lines hold ids of communes, accesses and documents;
//! persons are numbers in them, and their names lie apart, where they can be erased.

use model::{CommuneCode, Hash, Timestamp};
use serde_json::{Map, Value};

use super::HubStore;
use crate::StoreError;
use crate::db::{Row, Tx, integer, retry};

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who<'a> {
    /// The node of a commune.
    Commune(CommuneCode),
    /// A person who gave a name.
    Person(&'a str),
    /// Whoever holds the hub's machine.
    Operator,
}

/// Something that was done. No text of it is a figure, a name or free text.
pub(super) struct Event<'a> {
    pub(super) what: &'static str,
    pub(super) who: Who<'a>,
    pub(super) at: Timestamp,
    pub(super) about: Vec<(&'static str, String)>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// 1, 2, 3, … without a gap.
    pub number: u64,
    /// JSON, exactly as it was hashed.
    pub line: String,
    /// SHA-256 of the hash before it, a line feed and the line.
    pub hash: Hash,
}

/// A person whom lines speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPerson {
    /// As lines say it.
    pub number: u64,
    /// `None` once erased.
    pub name: Option<String>,
    /// When a line last spoke of it.
    pub last_at: Timestamp,
}

/// The hash that the first line is bound to.
pub fn before_the_first() -> Hash {
    Hash::from_bytes([0; 32])
}

/// The hash of a line that follows the one with the hash `before`.
pub fn link(before: Hash, line: &str) -> Hash {
    seal::sha256(format!("{before}\n{line}").as_bytes())
}

/// Adds a line. Last of all in a transaction: it holds the journal until the end.
pub(super) async fn note(tx: &mut Tx, event: &Event<'_>) -> Result<(), StoreError> {
    let (number, before): (i64, Hash) = tx
        .q("UPDATE journal_head SET number = number + 1 WHERE id = 1 RETURNING number, hash")
        .one(|row| Ok((row.get(0)?, row.parsed(1, "journal hash")?)))
        .await?;
    let who = match event.who {
        Who::Commune(commune) => Value::from(commune.as_str()),
        Who::Operator => Value::from("operator"),
        Who::Person(name) => Value::from(format!("person {}", person(tx, name, event.at).await?)),
    };
    let mut line = Map::new();
    line.insert("number".to_owned(), number.into());
    line.insert("at".to_owned(), event.at.to_string().into());
    line.insert("what".to_owned(), event.what.into());
    line.insert("who".to_owned(), who);
    line.extend(event.about.iter().map(|(key, text)| ((*key).to_owned(), text.as_str().into())));
    let line = Value::Object(line).to_string();
    let hash = link(before, &line);
    tx.q("INSERT INTO journal (number, noted_at, line, hash) VALUES ($1, $2, $3, $4)")
        .bind(number)
        .bind(event.at.as_micros())
        .bind(line.as_str())
        .bind(hash.to_string())
        .exec()
        .await?;
    tx.q("UPDATE journal_head SET hash = $1 WHERE id = 1").bind(hash.to_string()).exec().await?;
    Ok(())
}

/// The number of a person, who gets one the first time.
async fn person(tx: &mut Tx, name: &str, at: Timestamp) -> Result<i64, StoreError> {
    if name.contains('\0') {
        return Err(StoreError::Unstorable("a name with a NUL"));
    }
    let known = tx
        .q("UPDATE journal_person SET last_at = $1 WHERE name = $2 RETURNING number")
        .bind(at.as_micros())
        .bind(name)
        .opt(|row| row.get(0))
        .await?;
    if let Some(number) = known {
        return Ok(number);
    }
    // The journal's head is held: nobody else draws a number meanwhile. Erased ones keep theirs.
    tx.q("INSERT INTO journal_person (number, name, last_at) \
          SELECT COALESCE(MAX(number), 0) + 1, $1, $2 FROM journal_person RETURNING number")
        .bind(name)
        .bind(at.as_micros())
        .one(|row| row.get(0))
        .await
}

impl HubStore {
    /// All lines, or those after number `after`, oldest first.
    pub async fn journal(&self, after: u64) -> Result<Vec<JournalLine>, StoreError> {
        self.db
            .q("SELECT number, line, hash FROM journal WHERE number > $1 ORDER BY number")
            .bind(integer(after)?)
            .all(|row| {
                Ok(JournalLine {
                    number: row.count(0, "number")?,
                    line: row.get(1)?,
                    hash: row.parsed(2, "journal hash")?,
                })
            })
            .await
    }

    /// Number and hash of the last line: 0 and [`before_the_first`] before any.
    pub async fn journal_head(&self) -> Result<(u64, Hash), StoreError> {
        self.db
            .q("SELECT number, hash FROM journal_head WHERE id = 1")
            .one(|row| Ok((row.count(0, "number")?, row.parsed(1, "journal hash")?)))
            .await
    }

    /// Everybody whom lines speak of, by number.
    pub async fn journal_persons(&self) -> Result<Vec<JournalPerson>, StoreError> {
        self.db.q("SELECT number, name, last_at FROM journal_person ORDER BY number").all(read_person).await
    }

    /// Erases the names of whom no line spoke since `before`; how many.
    pub async fn forget_persons(&self, before: Timestamp) -> Result<u64, StoreError> {
        let erased = retry(|| async {
            let mut tx = self.db.begin_write().await?;
            let erased = tx
                .q("UPDATE journal_person SET name = NULL WHERE name IS NOT NULL AND last_at < $1")
                .bind(before.as_micros())
                .exec()
                .await?;
            tx.commit().await?;
            Ok(erased)
        })
        .await?;
        if erased > 0 {
            self.db.scrub().await?;
        }
        Ok(erased)
    }
}

fn read_person(row: &Row) -> Result<JournalPerson, StoreError> {
    Ok(JournalPerson { number: row.count(0, "number")?, name: row.get(1)?, last_at: row.time(2)? })
}
