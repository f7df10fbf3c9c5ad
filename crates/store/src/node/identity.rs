//! Who the node is for its hub. Private keys live in files, not here.

use model::{CommuneCode, Hash, Timestamp};

use super::NodeStore;
use crate::StoreError;
use crate::db::{integer, retry};

/// What joining a hub gave the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The commune that the node speaks for.
    pub provider: CommuneCode,
    /// Territories whose slices it may replace, the provider's own first.
    pub territories: Vec<CommuneCode>,
    /// `host:port`.
    pub hub_address: String,
    /// SHA-256 of the authority's certificate, DER.
    pub ca_fingerprint: Hash,
    /// Ed25519 keys with which the hub signs, newest first; 32 bytes each.
    pub hub_keys: Vec<Vec<u8>>,
    /// When the node joined.
    pub joined_at: Timestamp,
}

impl NodeStore {
    /// Who the node is; `None` before it joined.
    pub async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let head = self
            .db
            .q("SELECT provider, hub_address, ca_fingerprint, joined_at FROM identity WHERE id = 1")
            .opt(|row| Ok((row.parsed(0, "provider")?, row.get(1)?, row.parsed(2, "CA fingerprint")?, row.time(3)?)))
            .await?;
        let Some((provider, hub_address, ca_fingerprint, joined_at)) = head else { return Ok(None) };
        let territories = self
            .db
            .q("SELECT territory FROM identity_territory ORDER BY position")
            .all(|row| row.parsed(0, "territory"))
            .await?;
        let hub_keys = self.db.q("SELECT public_key FROM hub_key ORDER BY position").all(|row| row.get(0)).await?;
        Ok(Some(Identity { provider, territories, hub_address, ca_fingerprint, hub_keys, joined_at }))
    }

    /// Replaces who the node is.
    pub async fn set_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        retry(|| self.set_identity_once(identity)).await
    }

    async fn set_identity_once(&self, identity: &Identity) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        let same = "SELECT id FROM identity WHERE ca_fingerprint = $1";
        if tx.q(same).bind(identity.ca_fingerprint.to_string()).opt(|row| row.get::<i64>(0)).await?.is_none() {
            // Another hub counts its versions from the beginning.
            tx.q("DELETE FROM pack_seen").exec().await?;
        }
        tx.q("DELETE FROM identity").exec().await?;
        tx.q("DELETE FROM identity_territory").exec().await?;
        tx.q("DELETE FROM hub_key").exec().await?;
        tx.q("INSERT INTO identity (id, provider, hub_address, ca_fingerprint, joined_at) VALUES (1, $1, $2, $3, $4)")
            .bind(identity.provider.as_str())
            .bind(identity.hub_address.as_str())
            .bind(identity.ca_fingerprint.to_string())
            .bind(identity.joined_at.as_micros())
            .exec()
            .await?;
        for (position, territory) in (0_u64..).zip(&identity.territories) {
            tx.q("INSERT INTO identity_territory (position, territory) VALUES ($1, $2)")
                .bind(integer(position)?)
                .bind(territory.as_str())
                .exec()
                .await?;
        }
        for (position, key) in (0_u64..).zip(&identity.hub_keys) {
            tx.q("INSERT INTO hub_key (position, public_key) VALUES ($1, $2)")
                .bind(integer(position)?)
                .bind(key.as_slice())
                .exec()
                .await?;
        }
        tx.commit().await
    }
}
