//! Partners: which keys may read what communes share with partners, what for, and until when.

use model::{Code, Hash, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::StoreError;
use crate::db::{Row, retry};

/// A partner's access, with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRecord {
    /// SHA-256 of the TLS public key.
    pub key_fingerprint: Hash,
    /// Account name.
    pub name: Code,
    /// What it reads for, as the partnership wrote it.
    pub purpose: String,
    /// Since when.
    pub added_at: Timestamp,
    /// The last instant at which it may read.
    pub ends_at: Timestamp,
    /// When it was taken away before that.
    pub revoked_at: Option<Timestamp>,
}

impl HubStore {
    /// Adds a partner's key.
    pub async fn add_partner(&self, partner: &PartnerRecord) -> Result<(), StoreError> {
        if partner.purpose.contains('\0') {
            return Err(StoreError::Unstorable("a purpose with a NUL"));
        }
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            tx.q("INSERT INTO partner (key_fingerprint, name, purpose, added_at, ends_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(partner.key_fingerprint.to_string())
                .bind(partner.name.as_str())
                .bind(partner.purpose.as_str())
                .bind(partner.added_at.as_micros())
                .bind(partner.ends_at.as_micros())
                .exec()
                .await?;
            // What for is free text, and may name somebody: it stands in the row, and can be erased there.
            let about = vec![
                ("access", partner.name.to_string()),
                ("key", partner.key_fingerprint.to_string()),
                ("until", partner.ends_at.to_string()),
            ];
            let event = Event { what: "partner_added", who: Who::Operator, at: partner.added_at, about };
            journal::note(&mut tx, &event).await?;
            tx.commit().await
        })
        .await
    }

    /// The partner with this key, whether it may still read or not.
    pub async fn partner(&self, key_fingerprint: Hash) -> Result<Option<PartnerRecord>, StoreError> {
        self.db
            .q("SELECT key_fingerprint, name, purpose, added_at, ends_at, revoked_at FROM partner \
                WHERE key_fingerprint = $1")
            .bind(key_fingerprint.to_string())
            .opt(read_partner)
            .await
    }

    /// All partners that there ever were, by name.
    pub async fn partners(&self) -> Result<Vec<PartnerRecord>, StoreError> {
        self.db
            .q("SELECT key_fingerprint, name, purpose, added_at, ends_at, revoked_at FROM partner \
                ORDER BY name, added_at, key_fingerprint")
            .all(read_partner)
            .await
    }

    /// Takes all keys of a partner away; how many could still read.
    pub async fn revoke_partner(&self, name: &Code, now: Timestamp) -> Result<u64, StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            let revoked = tx
                .q("UPDATE partner SET revoked_at = $1 WHERE name = $2 AND revoked_at IS NULL AND ends_at >= $1")
                .bind(now.as_micros())
                .bind(name.as_str())
                .exec()
                .await?;
            if revoked > 0 {
                let about = vec![("access", name.to_string())];
                let event = Event { what: "partner_revoked", who: Who::Operator, at: now, about };
                journal::note(&mut tx, &event).await?;
            }
            tx.commit().await?;
            Ok(revoked)
        })
        .await
    }
}

fn read_partner(row: &Row) -> Result<PartnerRecord, StoreError> {
    Ok(PartnerRecord {
        key_fingerprint: row.parsed(0, "key fingerprint")?,
        name: row.parsed(1, "partner name")?,
        purpose: row.get(2)?,
        added_at: row.time(3)?,
        ends_at: row.time(4)?,
        revoked_at: row.time_opt(5)?,
    })
}
