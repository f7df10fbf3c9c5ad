//! Partners: a university, a county. They read what communes share with partners, for a purpose, until a day.

use std::time::Duration;

use model::{Code, Failure, FailureKind, Timestamp};
use store::hub::PartnerRecord;
use wire::authority::Validity;

use super::{Credentials, Making};
use crate::{Hub, failure};

/// The certificate outlives the access, which the hub itself ends: so a partner is told that its access is over, and not that
/// something is wrong with its certificate.
const AFTER: Duration = Duration::from_hours(30 * 24);

/// Longer than any convention: whoever writes a later day has mistyped the year.
const LONGEST_DAYS: u64 = 5 * 366;

impl Hub {
    /// Makes a key and a certificate for a partner, whose access ends with `until`, and writes them into a folder to hand over.
    ///
    /// # Errors
    /// No purpose, or one that does not fit on a line; an end that is over or too far away.
    pub async fn add_partner(&self, name: &Code, purpose: &str, until: Timestamp) -> Result<Credentials, Failure> {
        let purpose = purpose.trim();
        if purpose.is_empty() || purpose.len() > 500 || purpose.chars().any(char::is_control) {
            return Err(Failure::new(
                FailureKind::Invalid,
                "PARTNER_PURPOSE",
                "a partner needs a purpose of one line",
                "Un partenaire lit pour une finalité que le partenariat a acceptée : écrivez-la en une ligne (500 caractères au plus), par exemple --purpose \"Observatoire social, convention du 12 janvier 2027\".",
            ));
        }
        let now = self.now();
        let lifetime = until.since(now);
        if until <= now || lifetime.as_secs() > LONGEST_DAYS * 24 * 3600 {
            return Err(Failure::new(
                FailureKind::Invalid,
                "PARTNER_END",
                "a partner's end is over or more than five years away",
                "La fin d’un accès de partenaire doit être à venir, et dans moins de cinq ans : --until ANNÉE-MOIS-JOUR.",
            ));
        }
        let folder = self.folder();
        let making = Making::begin(name, folder.partner_in_the_making(name), folder.partner(name))?;
        let issued = (self.0.authority)
            .sign_partner(&making.key.request(), name, Validity { now, lifetime: lifetime + AFTER }, self.entropy())
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
        let credentials = making.write(self, &issued)?;
        let record = PartnerRecord {
            key_fingerprint: making.key.fingerprint().hash(),
            name: name.clone(),
            purpose: purpose.to_owned(),
            added_at: now,
            ends_at: until,
            revoked_at: None,
        };
        self.0.store.add_partner(&record).await.map_err(failure::storage)?;
        making.finish()?;
        Ok(credentials)
    }

    /// All partners that there ever were, by name.
    pub async fn partners(&self) -> Result<Vec<PartnerRecord>, Failure> {
        self.0.store.partners().await.map_err(failure::storage)
    }

    /// Takes a partner's access away, at once; `false` if it had none any more.
    pub async fn revoke_partner(&self, name: &Code) -> Result<bool, Failure> {
        Ok(self.0.store.revoke_partner(name, self.now()).await.map_err(failure::storage)? > 0)
    }
}
