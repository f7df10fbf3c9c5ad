//! The node's schema: identity, outbox, ledger, previews.
//!
//! Two invariants live here. What may be sent is in the ledger before it is sent: [`NodeStore::enqueue`] writes both
//! or neither. A ledger is complete only if its chain has no gap from the first receipt to the head:
//! [`NodeStore::completeness`] says so, and the node protects nothing otherwise.

mod identity;
mod ledger;
mod outbox;
mod pack;
mod preview;
#[cfg(test)]
mod tests;

use crate::db::Db;
use crate::migration::{self, Step};
use crate::{Location, StoreError};

pub use identity::Identity;
pub use ledger::{Completeness, LedgerRecord, Link};
pub use outbox::{OutboxItem, OutboxState, Outgoing, Refusal};
pub use preview::{Approved, Preview};

const STEPS: &[Step] = &[
    (1, "first", include_str!("node/schema/0001_first.sql")),
    (2, "pack_seen", include_str!("node/schema/0002_pack_seen.sql")),
    (3, "sharing", include_str!("node/schema/0003_sharing.sql")),
];

/// What one commune sent, or is about to send.
#[derive(Clone, Debug)]
pub struct NodeStore {
    db: Db,
}

impl NodeStore {
    /// Opens the database, creates it if missing, migrates it forward. A schema that this program does not know is
    /// refused.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        Ok(Self { db: migration::open(location, STEPS).await? })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
