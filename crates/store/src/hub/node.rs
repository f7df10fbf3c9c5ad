//! Nodes: which keys speak for which commune.

use std::time::Duration;

use model::{CommuneCode, Hash, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::StoreError;
use crate::db::{Row, Tx, retry};

/// A node that joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNode {
    /// The commune it speaks for.
    pub provider: CommuneCode,
    /// SHA-256 of its TLS public key.
    pub key_fingerprint: Hash,
    /// Ed25519 key with which it signs documents, 32 bytes.
    pub signing_key: Vec<u8>,
    /// Serial number of its certificate.
    pub certificate_serial: String,
    /// When that certificate ends.
    pub certificate_not_after: Timestamp,
}

/// A node that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its keys and certificate.
    pub node: NewNode,
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// When a newer invitation, or an operator, put an end to it.
    pub revoked_at: Option<Timestamp>,
    /// When it last spoke, to the minute.
    pub last_contact: Option<Timestamp>,
}

impl HubStore {
    /// The node with this TLS key, living or revoked.
    pub async fn node(&self, key_fingerprint: Hash) -> Result<Option<NodeRecord>, StoreError> {
        self.db
            .q("SELECT provider, key_fingerprint, signing_key, certificate_serial, certificate_not_after, \
                enrolled_at, revoked_at, last_contact FROM provider_node WHERE key_fingerprint = $1")
            .bind(key_fingerprint.to_string())
            .opt(read_node)
            .await
    }

    /// All nodes that ever joined, by commune, then by date.
    pub async fn nodes(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.db
            .q("SELECT provider, key_fingerprint, signing_key, certificate_serial, certificate_not_after, \
                enrolled_at, revoked_at, last_contact FROM provider_node ORDER BY provider, enrolled_at")
            .all(read_node)
            .await
    }

    /// Territories that the provider was given, its own first. Succession of communes is the caller's to add.
    pub async fn territories(&self, provider: CommuneCode) -> Result<Vec<CommuneCode>, StoreError> {
        let mut all = self
            .db
            .q("SELECT territory FROM provider_territory WHERE provider = $1 ORDER BY territory")
            .bind(provider.as_str())
            .all(|row| row.parsed::<CommuneCode>(0, "territory"))
            .await?;
        all.sort_by_key(|territory| (*territory != provider, *territory));
        Ok(all)
    }

    /// Notes a fresh certificate; `false` if the node was revoked meanwhile.
    pub async fn renew_node(
        &self,
        key_fingerprint: Hash,
        serial: &str,
        not_after: Timestamp,
    ) -> Result<bool, StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            let renewed = tx
                .q("UPDATE provider_node SET certificate_serial = $1, certificate_not_after = $2 \
                    WHERE key_fingerprint = $3 AND revoked_at IS NULL")
                .bind(serial)
                .bind(not_after.as_micros())
                .bind(key_fingerprint.to_string())
                .exec()
                .await?;
            tx.commit().await?;
            Ok(renewed > 0)
        })
        .await
    }

    /// Puts an end to the living node of a commune and to what would let another one join; `false` if there was neither.
    pub async fn revoke_node(&self, provider: CommuneCode, now: Timestamp) -> Result<bool, StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            let nodes = tx
                .q("UPDATE provider_node SET revoked_at = $1 WHERE provider = $2 AND revoked_at IS NULL")
                .bind(now.as_micros())
                .bind(provider.as_str())
                .exec()
                .await?;
            let invitations = tx
                .q("UPDATE invitation SET revoked_at = $1 \
                    WHERE provider = $2 AND spent_at IS NULL AND revoked_at IS NULL")
                .bind(now.as_micros())
                .bind(provider.as_str())
                .exec()
                .await?;
            let revoked = nodes + invitations;
            if revoked > 0 {
                let about = vec![("territory", provider.to_string())];
                let event = Event { what: "revoked", who: Who::Operator, at: now, about };
                journal::note(&mut tx, &event).await?;
            }
            tx.commit().await?;
            Ok(revoked > 0)
        })
        .await
    }

    /// Notes that the node spoke. Writes once a minute at most: a poll must not cost a synchronous write.
    pub async fn touch_node(&self, record: &NodeRecord, now: Timestamp) -> Result<(), StoreError> {
        const RESOLUTION: Duration = Duration::from_mins(1);
        if record.last_contact.is_some_and(|last| now.since(last) < RESOLUTION) {
            return Ok(());
        }
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            tx.q("UPDATE provider_node SET last_contact = $1 WHERE key_fingerprint = $2")
                .bind(now.as_micros())
                .bind(record.node.key_fingerprint.to_string())
                .exec()
                .await?;
            tx.commit().await
        })
        .await
    }
}

pub(super) async fn insert_node(tx: &mut Tx, node: &NewNode, now: Timestamp) -> Result<(), StoreError> {
    tx.q("INSERT INTO provider_node (provider, key_fingerprint, signing_key, certificate_serial, \
          certificate_not_after, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(node.provider.as_str())
        .bind(node.key_fingerprint.to_string())
        .bind(node.signing_key.as_slice())
        .bind(node.certificate_serial.as_str())
        .bind(node.certificate_not_after.as_micros())
        .bind(now.as_micros())
        .exec()
        .await?;
    Ok(())
}

fn read_node(row: &Row) -> Result<NodeRecord, StoreError> {
    Ok(NodeRecord {
        node: NewNode {
            provider: row.parsed(0, "provider")?,
            key_fingerprint: row.parsed(1, "key fingerprint")?,
            signing_key: row.get(2)?,
            certificate_serial: row.get(3)?,
            certificate_not_after: row.time(4)?,
        },
        enrolled_at: row.time(5)?,
        revoked_at: row.time_opt(6)?,
        last_contact: row.time_opt(7)?,
    })
}
