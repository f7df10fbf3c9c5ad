//! Coordinators: which keys may compare.

use model::{Code, Hash, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::StoreError;
use crate::db::{Row, retry};

/// A person who may compare, with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorRecord {
    /// SHA-256 of the TLS public key.
    pub key_fingerprint: Hash,
    /// Account name.
    pub name: Code,
    /// Since when.
    pub added_at: Timestamp,
    /// Until when.
    pub revoked_at: Option<Timestamp>,
}

impl HubStore {
    /// Adds a coordinator's key.
    pub async fn add_coordinator(&self, name: &Code, key_fingerprint: Hash, now: Timestamp) -> Result<(), StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            tx.q("INSERT INTO coordinator (key_fingerprint, name, added_at) VALUES ($1, $2, $3)")
                .bind(key_fingerprint.to_string())
                .bind(name.as_str())
                .bind(now.as_micros())
                .exec()
                .await?;
            let about = vec![("access", name.to_string()), ("key", key_fingerprint.to_string())];
            let event = Event { what: "coordinator_added", who: Who::Operator, at: now, about };
            journal::note(&mut tx, &event).await?;
            tx.commit().await
        })
        .await
    }

    /// The coordinator with this key, living or revoked.
    pub async fn coordinator(&self, key_fingerprint: Hash) -> Result<Option<CoordinatorRecord>, StoreError> {
        self.db
            .q("SELECT key_fingerprint, name, added_at, revoked_at FROM coordinator WHERE key_fingerprint = $1")
            .bind(key_fingerprint.to_string())
            .opt(read_coordinator)
            .await
    }

    /// All coordinators, by name.
    pub async fn coordinators(&self) -> Result<Vec<CoordinatorRecord>, StoreError> {
        self.db
            .q("SELECT key_fingerprint, name, added_at, revoked_at FROM coordinator ORDER BY name, added_at")
            .all(read_coordinator)
            .await
    }

    /// Revokes all keys of a coordinator; how many were living.
    pub async fn revoke_coordinator(&self, name: &Code, now: Timestamp) -> Result<u64, StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            let revoked = tx
                .q("UPDATE coordinator SET revoked_at = $1 WHERE name = $2 AND revoked_at IS NULL")
                .bind(now.as_micros())
                .bind(name.as_str())
                .exec()
                .await?;
            if revoked > 0 {
                let about = vec![("access", name.to_string())];
                let event = Event { what: "coordinator_revoked", who: Who::Operator, at: now, about };
                journal::note(&mut tx, &event).await?;
            }
            tx.commit().await?;
            Ok(revoked)
        })
        .await
    }
}

fn read_coordinator(row: &Row) -> Result<CoordinatorRecord, StoreError> {
    Ok(CoordinatorRecord {
        key_fingerprint: row.parsed(0, "key fingerprint")?,
        name: row.parsed(1, "coordinator name")?,
        added_at: row.time(2)?,
        revoked_at: row.time_opt(3)?,
    })
}
