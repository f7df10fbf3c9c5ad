//! The hub of a département: enrol, submit, withdraw, say who may see, share the method, compare. One file per use-case.
//!
//! Whatever needs to know who speaks takes a [`auth::Provider`] or a [`visibility::Reader`], which only [`auth`] makes;
//! whatever needs the time or randomness takes them from [`World`]. Generated types of the wire stay in `rpc`, and in
//! [`compare::ask`], its other end.

pub mod access;
mod archive;
pub mod auth;
pub mod backup;
pub mod board;
mod bounds;
pub mod bundle;
mod campaign;
mod cog;
pub mod compare;
pub mod config;
mod enrol;
mod failure;
pub mod folder;
pub mod import;
pub mod init;
pub mod invite;
pub mod journal;
mod ledger;
mod operations;
mod packs;
mod pages;
pub mod profile;
pub mod public;
pub mod publish;
pub mod purge;
mod recover;
mod refusal;
mod renew;
pub mod restore;
mod rights;
mod rpc;
mod serve;
mod share;
pub mod submit;
mod turns;
pub mod visibility;
mod withdraw;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use methodology::Pack;
use model::{Entropy, Failure, Timestamp};
use seal::{PublicKey, SigningKey};
use store::hub::{HubKey, HubStore};
use wire::authority::Authority;

use archive::Archive;
use bounds::Solved;
use cog::Communes;
use packs::{Known, Packs};
use turns::Turns;

pub use config::HubConfig;
pub use folder::HubFolder;
pub use model::World;
pub use serve::Listeners;

/// An open hub. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    config: HubConfig,
    folder: HubFolder,
    store: HubStore,
    authority: Authority,
    signing_key: SigningKey,
    packs: Known,
    archive: Archive,
    solved: Solved,
    communes: Communes,
    turns: Turns,
    metrics: operations::Metrics,
    /// When the certificate that is served now ends; unset while nothing is served.
    certificate_end: CertificateEnd,
    world: World,
}

#[derive(Default)]
struct CertificateEnd(std::sync::atomic::AtomicI64);

impl CertificateEnd {
    fn set(&self, end: Timestamp) {
        self.0.store(end.as_micros(), std::sync::atomic::Ordering::Relaxed);
    }

    fn get(&self) -> Option<Timestamp> {
        let micros = self.0.load(std::sync::atomic::Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }
}

impl Hub {
    /// Opens the hub in `folder` with its own settings and the packs of the library.
    pub async fn open(folder: HubFolder, world: World) -> Result<Self, Failure> {
        let config = HubConfig::load(&folder)?;
        Self::open_with(folder, config, methodology::library(), world).await
    }

    /// Opens the hub in `folder`, which [`init::init`] made, with these settings and packs.
    ///
    /// # Errors
    /// Keys that are missing or do not read, a database of another hub or version, a pack that changed without a new
    /// version.
    pub async fn open_with(
        folder: HubFolder,
        config: HubConfig,
        packs: Vec<Pack>,
        world: World,
    ) -> Result<Self, Failure> {
        let authority = folder.authority()?;
        let signing_key = folder.signing_key()?;
        let names = config.communes.as_deref().map(|path| folder.root().join(path));
        let communes = Communes::load(names.as_deref(), folder.root())?;
        let location = config.location(&folder)?;
        let store = HubStore::open(&location).await.map_err(|error| failure::opening(&error, &location))?;
        let now = world.clock.now();
        if !store.belongs_to(authority.fingerprint(), now).await.map_err(failure::storage)? {
            return Err(failure::foreign_database(&location));
        }
        let public = signing_key.public();
        let key = HubKey { id: public.id(), public: public.as_bytes().to_vec(), since: now };
        store.add_hub_key(&key).await.map_err(failure::storage)?;
        let packs = Known::new(Packs::open(packs, &store, &signing_key, now).await?);
        let archive = Archive::new(store.clone());
        let hub = Self(Arc::new(Inner {
            config,
            folder,
            store,
            authority,
            signing_key,
            packs,
            archive,
            solved: Solved::default(),
            communes,
            turns: Turns::new(),
            metrics: operations::Metrics::default(),
            certificate_end: CertificateEnd::default(),
            world,
        }));
        hub.forget_persons().await?;
        Ok(hub)
    }

    /// The key that verifies what it signs now.
    pub fn signing_key(&self) -> PublicKey {
        self.0.signing_key.public()
    }

    /// Its settings.
    pub fn config(&self) -> &HubConfig {
        &self.0.config
    }

    /// Where it lives.
    pub fn folder(&self) -> &HubFolder {
        &self.0.folder
    }

    /// Its database, for tests of durability.
    pub fn store(&self) -> &HubStore {
        &self.0.store
    }

    /// Closes the database; what was written stays.
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    /// All keys that the hub ever signed with, the one of this process first. Read each time: another process on the
    /// same database may have begun to sign with a new one.
    async fn keys(&self) -> Result<Vec<PublicKey>, Failure> {
        read_keys(&self.0.store, self.0.signing_key.public()).await
    }

    fn now(&self) -> Timestamp {
        self.0.world.clock.now()
    }

    fn entropy(&self) -> &dyn Entropy {
        self.0.world.entropy.as_ref()
    }
}

/// The key that signs now comes first, whatever the clock said when older ones were noted.
async fn read_keys(store: &HubStore, current: PublicKey) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = vec![current];
    for known in store.hub_keys().await.map_err(failure::storage)? {
        let key = PublicKey::from_slice(&known.public).map_err(|_| failure::damaged("hub key"))?;
        if key != current {
            keys.push(key);
        }
    }
    Ok(keys)
}
