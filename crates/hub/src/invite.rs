//! Invites a commune: a line that serves once.

use model::{CommuneCode, Failure, FailureKind, InvitationToken, Timestamp, succession};
use seal::sha256;
use store::hub::NewInvitation;
use wire::invitation::Invitation;

use crate::{Hub, failure};

/// An invitation, and what making it did.
#[derive(Debug)]
pub struct Invited {
    /// What to hand over; [`Invitation::to_line`] shows the secret, once.
    pub invitation: Invitation,
    /// No longer valid from then on.
    pub expires_at: Timestamp,
    /// Whether a living node of the commune was revoked.
    pub revoked_node: bool,
    /// How many unspent invitations of the commune were revoked.
    pub revoked_invitations: u64,
}

impl Invited {
    /// What the operator must know, in French: what has just stopped working.
    pub fn notice(&self) -> Option<String> {
        let territory = self.invitation.territory;
        match (self.revoked_node, self.revoked_invitations) {
            (true, _) => Some(format!(
                "Attention : le poste actuel de la commune {territory} vient d’être révoqué et ne peut plus rien envoyer. Ses envois passés restent ; le nouveau poste reconstruira son registre."
            )),
            (false, 0) => None,
            (false, _) => {
                Some(format!("L’invitation précédente de la commune {territory}, qui n’avait pas servi, ne vaut plus."))
            }
        }
    }
}

impl Hub {
    /// `Saint-Denis (93066)`: whoever mistyped a code reads another name. Without a name where the list has none.
    pub fn named(&self, commune: CommuneCode) -> String {
        match self.0.communes.name(commune) {
            name if name == commune.as_str() => format!("{commune} (code absent de la liste des communes du centre)"),
            name => format!("{name} ({commune})"),
        }
    }

    /// Invites `commune`, and lets it write about `also`. Whoever holds the newest invitation is the commune: its
    /// living node and older invitations end now, not when the invitation is spent.
    pub async fn invite(&self, commune: CommuneCode, also: &[CommuneCode]) -> Result<Invited, Failure> {
        let now = self.now();
        if let Some(step) = succession().iter().find(|step| step.former == commune)
            && now.year().is_some_and(|year| year >= step.since.0)
        {
            return Err(Failure::new(
                FailureKind::Invalid,
                "TERRITORY_CEASED",
                format!("commune {commune} ceased in {}", step.since.0),
                format!(
                    "La commune {commune} n’existe plus depuis {} : invitez {}, qui peut aussi corriger les chiffres d’avant.",
                    step.since.0, step.successor
                ),
            ));
        }
        let mut secret = [0; 32];
        self.entropy().fill(&mut secret);
        let expires_at = now.plus(self.config().invitation_lifetime());
        let created = self
            .0
            .store
            .create_invitation(&NewInvitation {
                token_hash: sha256(&secret),
                provider: commune,
                territories: also.to_vec(),
                created_at: now,
                expires_at,
            })
            .await
            .map_err(failure::storage)?;
        tracing::info!(%commune, revoked_node = created.revoked_node, "commune invited");
        Ok(Invited {
            invitation: Invitation {
                address: self.config().address()?,
                authority: self.0.authority.fingerprint(),
                token: InvitationToken::from_bytes(secret),
                territory: commune,
            },
            expires_at,
            revoked_node: created.revoked_node,
            revoked_invitations: created.revoked_invitations,
        })
    }

    /// Puts an end to the living node of a commune; `false` if there was none.
    pub async fn revoke_node(&self, commune: CommuneCode) -> Result<bool, Failure> {
        self.0.store.revoke_node(commune, self.now()).await.map_err(failure::storage)
    }
}
