//! A node spends its invitation.

use model::{Failure, FailureKind, Timestamp};
use seal::sha256;
use store::hub::{Invitation, NewNode, Spent};
use wire::authority::{AuthorityError, Validity, proven_key};
use wire::bundle::SignedSealingKey;
use wire::enrolment::{JoinRequest, Membership};

use crate::{Hub, failure};

impl Hub {
    /// Enrols the node that sent `request`: its key is certified for the commune of the invitation, which is spent.
    pub(crate) async fn enrol(&self, request: &JoinRequest) -> Result<Membership, Failure> {
        let now = self.now();
        let token_hash = sha256(request.token.as_bytes());
        let invitation = self.0.store.invitation(token_hash).await.map_err(failure::storage)?;
        let invitation = usable(invitation, now)?;
        let key = proven_key(&request.certificate_request).map_err(request_refused)?;
        let issued = self
            .0
            .authority
            .sign_node(&request.certificate_request, invitation.provider, self.validity(), self.entropy())
            .map_err(request_refused)?;
        let node = NewNode {
            provider: invitation.provider,
            key_fingerprint: key.hash(),
            signing_key: request.signing_key.as_bytes().to_vec(),
            certificate_serial: issued.certificate.serial.to_string(),
            certificate_not_after: issued.certificate.not_after,
        };
        match self.0.store.spend_invitation(token_hash, &node, now).await.map_err(failure::storage)? {
            Spent::Enrolled => {}
            // Between the look above and now.
            Spent::Refused => return Err(spent()),
            Spent::KeyKnown => {
                return Err(Failure::new(
                    FailureKind::Conflict,
                    "TLS_KEY_KNOWN",
                    "this TLS key belongs, or belonged, to a node",
                    "Cette clé a déjà servi à un poste : relancez l’adhésion dans un dossier neuf.",
                ));
            }
        }
        tracing::info!(commune = %invitation.provider, "node enrolled");
        let territories = self.rights(invitation.provider).await?;
        Ok(Membership {
            chain: issued.chain,
            territories,
            hub_keys: self.keys().await?,
            sealing_key: Some(self.sealing_key()),
        })
    }

    /// The key to which envelopes for this hub are sealed.
    pub(crate) fn sealing_key(&self) -> SignedSealingKey {
        SignedSealingKey::of(&self.0.signing_key)
    }

    pub(crate) fn validity(&self) -> Validity {
        Validity { now: self.now(), lifetime: self.config().certificate_lifetime() }
    }
}

/// Whoever knows the 32 secret bytes may also know what became of them.
fn usable(invitation: Option<Invitation>, now: Timestamp) -> Result<Invitation, Failure> {
    let invitation = invitation.ok_or_else(|| {
        denied(
            "INVITATION_UNKNOWN",
            "no such invitation",
            "Cette invitation n’est pas connue du centre. Demandez-en une nouvelle à la coordination.",
        )
    })?;
    if invitation.spent_at.is_some() {
        return Err(spent());
    }
    if invitation.revoked_at.is_some() {
        return Err(denied(
            "INVITATION_REVOKED",
            "a newer invitation replaced this one",
            "Une invitation plus récente a remplacé celle-ci : utilisez la dernière reçue.",
        ));
    }
    if invitation.expires_at <= now {
        return Err(denied(
            "INVITATION_EXPIRED",
            "the invitation has expired",
            "Cette invitation a expiré. Demandez-en une nouvelle à la coordination.",
        ));
    }
    Ok(invitation)
}

fn spent() -> Failure {
    denied(
        "INVITATION_SPENT",
        "the invitation was used before",
        "Cette invitation a déjà servi. Si ce n’est pas par vous, prévenez la coordination tout de suite et demandez-en une nouvelle.",
    )
}

fn denied(reason: &'static str, detail: &str, message: &str) -> Failure {
    Failure::new(FailureKind::Denied, reason, detail, message)
}

/// A certification request that the authority did not take.
pub(crate) fn request_refused(error: AuthorityError) -> Failure {
    match error {
        AuthorityError::Request | AuthorityError::Proof | AuthorityError::KeyKind => Failure::new(
            FailureKind::Invalid,
            "CERTIFICATE_REQUEST_INVALID",
            error.to_string(),
            "La demande de certificat est mal formée ou n’est pas signée par sa propre clé : relancez l’opération avec la dernière version du logiciel.",
        ),
        AuthorityError::Stored
        | AuthorityError::ServerName
        | AuthorityError::Unwritable
        | AuthorityError::Identity(_) => failure::internal("AUTHORITY", error.to_string()),
    }
}
