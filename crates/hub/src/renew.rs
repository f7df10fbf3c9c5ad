//! A node replaces its certificate, also one that has expired.

use std::time::Duration;

use model::{Failure, FailureKind};
use wire::authority::proven_key;
use wire::enrolment::Membership;

use crate::auth::revoked;
use crate::enrol::request_refused;
use crate::{Hub, failure};

/// How long after its certificate ended a node may still renew it by proving its key.
const GRACE: Duration = Duration::from_hours(365 * 24);

impl Hub {
    /// A fresh certificate for the key that signed `request` (PKCS#10, DER).
    pub(crate) async fn renew(&self, request: &[u8]) -> Result<Membership, Failure> {
        let now = self.now();
        let key = proven_key(request).map_err(request_refused)?.hash();
        let record = self.0.store.node(key).await.map_err(failure::storage)?.ok_or_else(|| {
            Failure::new(
                FailureKind::Denied,
                "NODE_UNKNOWN",
                "no node with this key is enrolled",
                "Ce poste n’est pas connu du centre. Demandez une nouvelle invitation à la coordination.",
            )
        })?;
        if record.revoked_at.is_some() {
            return Err(revoked());
        }
        if record.node.certificate_not_after.plus(GRACE) < now {
            return Err(Failure::new(
                FailureKind::Denied,
                "RENEWAL_TOO_LATE",
                "the certificate ended more than twelve months ago",
                "Le certificat de ce poste a expiré depuis plus de douze mois. Demandez une nouvelle invitation à la coordination.",
            ));
        }
        let commune = record.node.provider;
        let issued =
            self.0.authority.sign_node(request, commune, self.validity(), self.entropy()).map_err(request_refused)?;
        let serial = issued.certificate.serial.to_string();
        let not_after = issued.certificate.not_after;
        if !self.0.store.renew_node(key, &serial, not_after).await.map_err(failure::storage)? {
            return Err(revoked());
        }
        tracing::info!(%commune, "certificate renewed");
        Ok(Membership {
            chain: issued.chain,
            territories: self.rights(commune).await?,
            hub_keys: self.keys().await?,
            sealing_key: Some(self.sealing_key()),
        })
    }
}
