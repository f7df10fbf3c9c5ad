//! Coordinators: people who compare for the union.

use std::time::Duration;

use model::{Code, Failure};
use wire::authority::Validity;

use super::{Credentials, Making};
use crate::{Hub, failure};

/// Coordinators renew by hand, once a year; revoking one takes effect at once all the same.
const LIFETIME: Duration = Duration::from_hours(365 * 24);

impl Hub {
    /// Makes a key and a certificate for a coordinator and writes them into a folder to hand over.
    pub async fn add_coordinator(&self, name: &Code) -> Result<Credentials, Failure> {
        let folder = self.folder();
        let making = Making::begin(name, folder.coordinator_in_the_making(name), folder.coordinator(name))?;
        let validity = Validity { now: self.now(), lifetime: LIFETIME };
        let authority = &self.0.authority;
        let issued = authority
            .sign_coordinator(&making.key.request(), name, validity, self.entropy())
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
        let credentials = making.write(self, &issued)?;
        let key = making.key.fingerprint().hash();
        self.0.store.add_coordinator(name, key, self.now()).await.map_err(failure::storage)?;
        making.finish()?;
        Ok(credentials)
    }

    /// Takes a coordinator's access away, at once; `false` if there was none.
    pub async fn revoke_coordinator(&self, name: &Code) -> Result<bool, Failure> {
        let revoked = self.0.store.revoke_coordinator(name, self.now()).await.map_err(failure::storage)?;
        Ok(revoked > 0)
    }
}
