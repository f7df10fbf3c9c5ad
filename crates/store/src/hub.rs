//! The hub's schema: who may speak, what was accepted, which document fills which slice.
//!
//! One invariant rules here: [`HubStore::accept`] moves current pointers, extends every ledger it touches and takes
//! the next acceptance number in one transaction, or does none of it. The heads of the ledgers that the caller
//! attacked are compared and swapped there, so nothing is admitted against a ledger that has grown meanwhile.

mod accept;
mod board;
mod coordinator;
mod group;
mod invitation;
mod journal;
mod node;
mod pack;
mod partner;
mod public;
mod purge;
mod read;
mod recover;
mod refusal;
mod snapshot;
#[cfg(test)]
mod tests;

use model::{Hash, Timestamp};

use crate::db::{Db, retry};
use crate::migration::{self, Step};
use crate::{Location, StoreError};

pub use accept::{Acceptance, Accepted, Place, PlaceLink, Seal, SliceAudiences, SliceChange, SliceState};
pub use board::{FilledSlice, LastInvitation};
pub use coordinator::CoordinatorRecord;
pub use group::ShownGroup;
pub use invitation::{Invitation, Invited, NewInvitation, Spent};
pub use journal::{JournalLine, JournalPerson, before_the_first, link};
pub use node::{NewNode, NodeRecord};
pub use pack::{FormerVersion, PackLine, PackPublication, PackRecord};
pub use partner::PartnerRecord;
pub use public::{BlockKey, PublicBlock, PublicImport, PublicLayout};
pub use purge::{Purge, PurgeRefusal, Purged};
pub use read::{CurrentSlice, Head, LedgerEntry, SliceVersion, SubmissionRecord};
pub use refusal::{NewRefusal, REFUSALS_KEPT, RefusalRecord};

pub use recover::{Recovered, Recovery};
pub use snapshot::{BackupRecord, Filled, Loading, Restoration, Snapshot, TableShape, Value};

const STEPS: &[Step] = &[
    (1, "first", include_str!("hub/schema/0001_first.sql")),
    (2, "refusal", include_str!("hub/schema/0002_refusal.sql")),
    (3, "public", include_str!("hub/schema/0003_public.sql")),
    (4, "operations", include_str!("hub/schema/0004_operations.sql")),
    (5, "uncompressed", include_str!("hub/schema/0005_uncompressed.sql")),
    (6, "pack_line", include_str!("hub/schema/0006_pack_line.sql")),
    (7, "journal", include_str!("hub/schema/0007_journal.sql")),
    (8, "audience", include_str!("hub/schema/0008_audience.sql")),
    (9, "partner", include_str!("hub/schema/0009_partner.sql")),
];

/// Everything a hub keeps.
#[derive(Clone, Debug)]
pub struct HubStore {
    db: Db,
}

/// A key with which the hub signs, or once signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubKey {
    /// SHA-256 of the public key.
    pub id: Hash,
    /// Ed25519, 32 bytes.
    pub public: Vec<u8>,
    /// Since when.
    pub since: Timestamp,
}

impl HubStore {
    /// Opens the database, creates it if missing, migrates it forward. A schema that this program does not know is
    /// refused.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        Ok(Self { db: migration::open(location, STEPS).await? })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// The authority that the database is tied to, if it is to any.
    pub async fn owner(&self) -> Result<Option<Hash>, StoreError> {
        self.db.q("SELECT ca_fingerprint FROM authority WHERE id = 1").opt(|row| row.parsed(0, "CA fingerprint")).await
    }

    /// Ties the database to the authority with this fingerprint, the first time; afterwards says whether it is this
    /// one.
    pub async fn belongs_to(&self, ca_fingerprint: Hash, now: Timestamp) -> Result<bool, StoreError> {
        retry(|| self.belongs_to_once(ca_fingerprint, now)).await
    }

    async fn belongs_to_once(&self, ca_fingerprint: Hash, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("INSERT INTO authority (id, ca_fingerprint, created_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING")
            .bind(ca_fingerprint.to_string())
            .bind(now.as_micros())
            .exec()
            .await?;
        let owner: Hash = tx
            .q("SELECT ca_fingerprint FROM authority WHERE id = 1")
            .one(|row| row.parsed(0, "CA fingerprint"))
            .await?;
        tx.commit().await?;
        Ok(owner == ca_fingerprint)
    }

    /// Notes a signing key; one already there stays as it is.
    pub async fn add_hub_key(&self, key: &HubKey) -> Result<(), StoreError> {
        retry(|| async {
            let mut tx = self.db.begin_write().await?;
            tx.q("INSERT INTO hub_key (key_id, public_key, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(key.id.to_string())
                .bind(key.public.as_slice())
                .bind(key.since.as_micros())
                .exec()
                .await?;
            tx.commit().await
        })
        .await
    }

    /// All keys with which the hub ever signed, newest first.
    pub async fn hub_keys(&self) -> Result<Vec<HubKey>, StoreError> {
        self.db
            .q("SELECT key_id, public_key, since FROM hub_key ORDER BY since DESC, key_id")
            .all(|row| Ok(HubKey { id: row.parsed(0, "key id")?, public: row.get(1)?, since: row.time(2)? }))
            .await
    }
}
