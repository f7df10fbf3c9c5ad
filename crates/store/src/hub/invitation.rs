//! One-time invitations, and what creating or spending one does to nodes.

use model::{CommuneCode, Hash, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use super::node::{NewNode, insert_node};
use crate::StoreError;
use crate::db::retry;

/// An invitation to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// SHA-256 of the secret token.
    pub token_hash: Hash,
    /// The commune that the node will speak for.
    pub provider: CommuneCode,
    /// Further territories whose slices it may replace.
    pub territories: Vec<CommuneCode>,
    /// Now.
    pub created_at: Timestamp,
    /// No longer valid from then on.
    pub expires_at: Timestamp,
}

/// What creating an invitation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Whether a living node of the commune was revoked.
    pub revoked_node: bool,
    /// How many unspent invitations of the commune were revoked.
    pub revoked_invitations: u64,
}

/// A kept invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The commune that the node will speak for.
    pub provider: CommuneCode,
    /// No longer valid from then on.
    pub expires_at: Timestamp,
    /// When somebody joined with it.
    pub spent_at: Option<Timestamp>,
    /// When a newer invitation replaced it.
    pub revoked_at: Option<Timestamp>,
}

/// What became of an attempt to spend an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The node is enrolled.
    Enrolled,
    /// Unknown, spent, revoked or expired: nothing was written.
    Refused,
    /// This TLS key belongs, or belonged, to another node: nothing was written.
    KeyKnown,
}

impl HubStore {
    /// Keeps an invitation. Older unspent invitations of the commune and its living node are revoked in the same
    /// transaction: whoever holds the newest invitation is the commune.
    pub async fn create_invitation(&self, invitation: &NewInvitation) -> Result<Invited, StoreError> {
        retry(|| self.create_invitation_once(invitation)).await
    }

    async fn create_invitation_once(&self, invitation: &NewInvitation) -> Result<Invited, StoreError> {
        let mut tx = self.db.begin_write().await?;
        let provider = invitation.provider.as_str();
        let now = invitation.created_at.as_micros();
        let revoked_invitations = tx
            .q("UPDATE invitation SET revoked_at = $1 \
                WHERE provider = $2 AND spent_at IS NULL AND revoked_at IS NULL")
            .bind(now)
            .bind(provider)
            .exec()
            .await?;
        let revoked_nodes = tx
            .q("UPDATE provider_node SET revoked_at = $1 WHERE provider = $2 AND revoked_at IS NULL")
            .bind(now)
            .bind(provider)
            .exec()
            .await?;
        tx.q("INSERT INTO invitation (token_hash, provider, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(invitation.token_hash.to_string())
            .bind(provider)
            .bind(now)
            .bind(invitation.expires_at.as_micros())
            .exec()
            .await?;
        // The newest invitation says what the provider may write, and nothing older does.
        tx.q("DELETE FROM provider_territory WHERE provider = $1").bind(provider).exec().await?;
        for territory in [&invitation.provider].into_iter().chain(&invitation.territories) {
            tx.q("INSERT INTO provider_territory (provider, territory) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(provider)
                .bind(territory.as_str())
                .exec()
                .await?;
        }
        let event = Event {
            what: "invited",
            who: Who::Operator,
            at: invitation.created_at,
            about: vec![
                ("territory", provider.to_owned()),
                ("nodes_revoked", revoked_nodes.to_string()),
                ("invitations_revoked", revoked_invitations.to_string()),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(Invited { revoked_node: revoked_nodes > 0, revoked_invitations })
    }

    /// The invitation whose token hashes to this.
    pub async fn invitation(&self, token_hash: Hash) -> Result<Option<Invitation>, StoreError> {
        self.db
            .q("SELECT provider, expires_at, spent_at, revoked_at FROM invitation WHERE token_hash = $1")
            .bind(token_hash.to_string())
            .opt(|row| {
                Ok(Invitation {
                    provider: row.parsed(0, "provider")?,
                    expires_at: row.time(1)?,
                    spent_at: row.time_opt(2)?,
                    revoked_at: row.time_opt(3)?,
                })
            })
            .await
    }

    /// Spends the invitation for `node`, once, whoever asks.
    pub async fn spend_invitation(
        &self,
        token_hash: Hash,
        node: &NewNode,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        match retry(|| self.spend_invitation_once(token_hash, node, now)).await {
            Err(StoreError::Duplicate(name)) if name == "provider_node_pkey" => Ok(Spent::KeyKnown),
            done => done,
        }
    }

    async fn spend_invitation_once(
        &self,
        token_hash: Hash,
        node: &NewNode,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let mut tx = self.db.begin_write().await?;
        let spent = tx
            .q("UPDATE invitation SET spent_at = $1 WHERE token_hash = $2 AND provider = $3 AND spent_at IS NULL \
                AND revoked_at IS NULL AND expires_at > $1")
            .bind(now.as_micros())
            .bind(token_hash.to_string())
            .bind(node.provider.as_str())
            .exec()
            .await?;
        if spent == 0 {
            return Ok(Spent::Refused);
        }
        insert_node(&mut tx, node, now).await?;
        let event = Event {
            what: "joined",
            who: Who::Commune(node.provider),
            at: now,
            about: vec![("node", node.key_fingerprint.to_string())],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(Spent::Enrolled)
    }
}
