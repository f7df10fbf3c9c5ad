//! Access of people who compare: a folder to hand over, with a key, a certificate and an address.

mod coordinator;
mod partner;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Clock, Code, Failure, FailureKind, Hash};
use serde::{Deserialize, Serialize};
use wire::authority::Issued;
use wire::client::{ClientError, HubClient, Route, SaidBy};
use wire::identity::{Identity, TlsKey};
use wire::invitation::HubAddress;
use wire::tls::ClientTls;

use crate::folder::{put_in_place, read, write_new};
use crate::{Hub, failure};

/// What a person needs to reach the hub: a folder with a key, a certificate and an address.
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
        if !folder.is_dir() {
            return Err(absent(folder));
        }
        let text = |name: &str| {
            let path = folder.join(name);
            String::from_utf8(read(&path)?).map_err(|_| failure::content(&path, "not a text file"))
        };
        let key = TlsKey::from_pem(&text("tls.key")?).map_err(|e| failure::content(&folder.join("tls.key"), e))?;
        let identity = Identity::from_pem(Arc::new(key), &text("chain.pem")?)
            .map_err(|error| failure::content(&folder.join("chain.pem"), error))?;
        let path = folder.join("access.toml");
        let access: Access = toml::from_str(&text("access.toml")?).map_err(|error| failure::content(&path, error))?;
        Ok(Self {
            address: access.address.parse().map_err(|error| failure::content(&path, error))?,
            authority: access.authority.parse().map_err(|error| failure::content(&path, error))?,
            identity,
            folder: folder.to_owned(),
        })
    }

    /// Connects to the hub as this person, the way that `HTTPS_PROXY` says.
    pub async fn connect(&self, clock: Arc<dyn Clock>) -> Result<HubClient, ClientError> {
        let tls = ClientTls::new(self.authority, Some(&self.identity), clock)
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let route = Route::of_environment(|name| std::env::var(name).ok())
            .map_err(|error| error.obstacle(SaidBy::Environment))?;
        HubClient::connect_through(&tls, &self.address, &route).await
    }
}

/// A folder of credentials that is made: beside its place first, because whoever finds it there may hand it over, so that
/// the hub must know the key by then.
struct Making {
    key: Arc<TlsKey>,
    beside: PathBuf,
    place: PathBuf,
}

impl Making {
    /// Draws a key for the folder `place`, made in `beside`.
    fn begin(name: &Code, beside: PathBuf, place: PathBuf) -> Result<Self, Failure> {
        if place.exists() {
            return Err(Failure::new(
                FailureKind::Conflict,
                "ACCESS_EXISTS",
                format!("{} exists", place.display()),
                format!(
                    "Des accès au nom de « {name} » attendent encore dans {} : remettez-les à la personne puis supprimez ce dossier, ou choisissez un autre nom.",
                    place.display()
                ),
            ));
        }
        Ok(Self { key: Arc::new(TlsKey::generate()), beside, place })
    }

    /// Writes everything into the folder in the making.
    fn write(&self, hub: &Hub, issued: &Issued) -> Result<Credentials, Failure> {
        let identity = Identity::new(Arc::clone(&self.key), &issued.chain)
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
        let address = hub.config().address()?;
        let authority = hub.0.authority.fingerprint();
        let access = Access { address: address.to_string(), authority: authority.to_string() };
        let access = toml::to_string(&access).map_err(|error| failure::internal("ACCESS", error.to_string()))?;
        match std::fs::remove_dir_all(&self.beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failure::file(&self.beside, error));
            }
            Ok(()) | Err(_) => {}
        }
        write_new(&self.beside.join("tls.key"), self.key.to_pem().as_bytes(), true)?;
        write_new(&self.beside.join("chain.pem"), identity.chain_pem().as_bytes(), false)?;
        write_new(&self.beside.join("access.toml"), access.as_bytes(), false)?;
        Ok(Credentials { address, authority, identity, folder: self.place.clone() })
    }

    /// The hub knows the key now.
    fn finish(&self) -> Result<(), Failure> {
        put_in_place(&self.beside, &self.place)
    }
}

fn absent(folder: &Path) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "ACCESS_ABSENT",
        format!("{} is not a folder", folder.display()),
        format!(
            "Il n’y a pas d’accès de coordination dans {} : ce dossier n’existe pas. Indiquez avec --access le dossier que l’exploitant du centre vous a remis (« maillage hub coordinator add NOM » en fait un).",
            folder.display()
        ),
    )
}
