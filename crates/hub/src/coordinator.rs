//! Coordinators: people who compare, each with a key of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Code, Failure, FailureKind, Hash};
use serde::{Deserialize, Serialize};
use wire::authority::Validity;
use wire::client::{ClientError, HubClient, Route, SaidBy};
use wire::identity::{Identity, TlsKey};
use wire::invitation::HubAddress;
use wire::tls::ClientTls;

use crate::folder::{put_in_place, read, write_new};
use crate::{Hub, failure};

/// Coordinators renew by hand, once a year; revoking one takes effect at once all the same.
const LIFETIME: Duration = Duration::from_hours(365 * 24);

/// What a coordinator needs to reach the hub: a folder with a key, a certificate and an address.
#[derive(Debug)]
pub struct Credentials {
    /// Where the hub is.
    pub address: HubAddress,
    /// SHA-256 of its authority's certificate.
    pub authority: Hash,
    /// Key and certificate.
    pub identity: Identity,
    /// The folder.
    pub folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    address: String,
    authority: String,
}

impl Credentials {
    /// Reads the credentials in `folder`.
    pub fn load(folder: &Path) -> Result<Self, Failure> {
        let text = |name: &str| {
            let path = folder.join(name);
            String::from_utf8(read(&path)?).map_err(|_| failure::file(&path, "not a text file"))
        };
        let key = TlsKey::from_pem(&text("tls.key")?).map_err(|e| failure::file(&folder.join("tls.key"), e))?;
        let identity = Identity::from_pem(Arc::new(key), &text("chain.pem")?)
            .map_err(|error| failure::file(&folder.join("chain.pem"), error))?;
        let path = folder.join("access.toml");
        let access: Access = toml::from_str(&text("access.toml")?).map_err(|error| failure::file(&path, error))?;
        Ok(Self {
            address: access.address.parse().map_err(|error| failure::file(&path, error))?,
            authority: access.authority.parse().map_err(|error| failure::file(&path, error))?,
            identity,
            folder: folder.to_owned(),
        })
    }

    /// Connects to the hub as this coordinator, the way that `HTTPS_PROXY` says.
    pub async fn connect(&self, clock: Arc<dyn Clock>) -> Result<HubClient, ClientError> {
        let tls = ClientTls::new(self.authority, Some(&self.identity), clock)
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let route = Route::of_environment(|name| std::env::var(name).ok())
            .map_err(|error| error.obstacle(SaidBy::Environment))?;
        HubClient::connect_through(&tls, &self.address, &route).await
    }
}

impl Hub {
    /// Makes a key and a certificate for a coordinator and writes them into a folder to hand over.
    pub async fn add_coordinator(&self, name: &Code) -> Result<Credentials, Failure> {
        let folder = self.folder().coordinator(name);
        if folder.exists() {
            return Err(Failure::new(
                FailureKind::Conflict,
                "COORDINATOR_EXISTS",
                format!("{} exists", folder.display()),
                format!(
                    "Des accès au nom de « {name} » attendent encore dans {} : remettez-les à la personne puis supprimez ce dossier, ou choisissez un autre nom.",
                    folder.display()
                ),
            ));
        }
        let key = Arc::new(TlsKey::generate());
        let validity = Validity { now: self.now(), lifetime: LIFETIME };
        let issued = self
            .0
            .authority
            .sign_coordinator(&key.request(), name, validity, self.entropy())
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
        let identity = Identity::new(Arc::clone(&key), &issued.chain)
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
        let address = self.config().address()?;
        let authority = self.0.authority.fingerprint();
        let access = Access { address: address.to_string(), authority: authority.to_string() };
        let access = toml::to_string(&access).map_err(|error| failure::internal("ACCESS", error.to_string()))?;
        // Made beside its place: whoever finds the folder may hand it over, so the hub must know the key by then.
        let making = self.folder().coordinator_in_the_making(name);
        match std::fs::remove_dir_all(&making) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failure::file(&making, error)),
            Ok(()) | Err(_) => {}
        }
        write_new(&making.join("tls.key"), key.to_pem().as_bytes(), true)?;
        write_new(&making.join("chain.pem"), identity.chain_pem().as_bytes(), false)?;
        write_new(&making.join("access.toml"), access.as_bytes(), false)?;
        self.0.store.add_coordinator(name, key.fingerprint().hash(), self.now()).await.map_err(failure::storage)?;
        put_in_place(&making, &folder)?;
        Ok(Credentials { address, authority, identity, folder })
    }

    /// Takes a coordinator's access away, at once; `false` if there was none.
    pub async fn revoke_coordinator(&self, name: &Code) -> Result<bool, Failure> {
        let revoked = self.0.store.revoke_coordinator(name, self.now()).await.map_err(failure::storage)?;
        Ok(revoked > 0)
    }
}
