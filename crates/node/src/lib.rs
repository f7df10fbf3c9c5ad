//! A commune's node: collect → compute → protect → preview → approve → push. One file per use-case.
//!
//! Files and exact figures stay in this process; what crosses [`push`] are documents made of
//! [`disclosure::SafeTable`]s, signed after somebody agreed, and already in the local ledger.

pub mod approve;
pub mod author;
pub mod bundle;
pub mod collect;
pub mod config;
mod decision;
pub mod doctor;
mod failure;
pub mod folder;
pub mod join;
pub mod ledger;
pub mod local;
pub mod packs;
pub mod preview;
pub mod push;
mod receipts;
pub mod renew;
pub mod report;
pub mod run;
pub mod share;
pub mod status;
pub mod sync;
pub mod tables;
pub mod verify;
pub mod withdraw;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use methodology::Pack;
use model::{CommuneCode, Entropy, Failure, FailureKind, PackCode, Timestamp};
use seal::{PublicKey, SigningKey};
use store::node::{Identity, NodeStore};

pub use config::NodeConfig;
pub use folder::NodeFolder;
pub use model::World;
pub use store::DocumentKind;

/// A node that joined a hub.
pub struct Node {
    folder: NodeFolder,
    config: NodeConfig,
    store: NodeStore,
    /// What the hub said last; replaced at a contact, while others read.
    identity: RwLock<Arc<Identity>>,
    signing_key: SigningKey,
    packs: BTreeMap<PackCode, Pack>,
    world: World,
}

impl Node {
    /// Opens the node in `folder`.
    ///
    /// # Errors
    /// Settings that do not read, a database of another version, a node that never joined.
    pub async fn open(folder: NodeFolder, world: World) -> Result<Self, Failure> {
        let config = NodeConfig::load(&folder.config())
            .map_err(|error| Failure::new(error.kind(), "NODE_CONFIG", error.to_string(), error.french()))?;
        Self::open_with(folder, config, world).await
    }

    /// Opens the node in `folder` with settings already read.
    pub async fn open_with(folder: NodeFolder, config: NodeConfig, world: World) -> Result<Self, Failure> {
        let store = open_store(&folder).await?;
        let identity =
            store.identity().await.map_err(|error| failure::storage(&error))?.ok_or_else(|| not_joined(&folder))?;
        let signing_key = join::load_signing_key(&folder)?;
        let keys = public_keys(&identity.hub_keys)?;
        let packs = packs::load(&folder, &keys)?;
        let known = |indicator| packs.values().any(|pack| pack.indicator(indicator).is_some());
        if let Some(unknown) = config.stricter.keys().find(|indicator| !packs.is_empty() && !known(indicator)) {
            return Err(Failure::new(
                FailureKind::Invalid,
                "NODE_CONFIG",
                format!("[stricter] names {unknown}, which no pack has"),
                format!(
                    "Le réglage [stricter] de node.toml cite « {unknown} », qu’aucun référentiel ne connaît. Vérifiez son code."
                ),
            ));
        }
        let identity = RwLock::new(Arc::new(identity));
        Ok(Self { folder, config, store, identity, signing_key, packs, world })
    }

    /// Where it lives.
    pub fn folder(&self) -> &NodeFolder {
        &self.folder
    }

    /// Its settings.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Its database.
    pub fn store(&self) -> &NodeStore {
        &self.store
    }

    /// The commune that it speaks for.
    pub fn provider(&self) -> CommuneCode {
        self.identity().provider
    }

    /// What joining gave it, and what the hub said since: a key with which the hub begins to sign, a right that was
    /// granted, hold from the contact that brought them.
    pub fn identity(&self) -> Arc<Identity> {
        // Replaced as a whole: it is whole even if a thread died while holding the lock.
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what the hub says now. A key that was known stays known: receipts that it signed are verified for ever.
    /// Gives all keys, the one that signs now first.
    pub(crate) async fn note(
        &self,
        territories: Vec<CommuneCode>,
        said: &[PublicKey],
    ) -> Result<Vec<PublicKey>, Failure> {
        let known = self.identity();
        let mut keys = said.to_vec();
        keys.extend(public_keys(&known.hub_keys)?.into_iter().filter(|key| !said.contains(key)));
        let hub_keys: Vec<Vec<u8>> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
        if territories != known.territories || hub_keys != known.hub_keys {
            let identity = Identity { territories, hub_keys, ..Identity::clone(&known) };
            self.store.set_identity(&identity).await.map_err(|error| failure::storage(&error))?;
            *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
        }
        Ok(keys)
    }

    /// Packs as the hub signed them.
    pub fn packs(&self) -> &BTreeMap<PackCode, Pack> {
        &self.packs
    }

    /// Keys with which the hub signs.
    pub fn hub_keys(&self) -> Result<Vec<PublicKey>, Failure> {
        public_keys(&self.identity().hub_keys)
    }

    /// Where the hub is: `node.toml` may say otherwise than the invitation did.
    pub fn hub_address(&self) -> String {
        self.config.hub.address.clone().unwrap_or_else(|| self.identity().hub_address.clone())
    }

    pub(crate) fn address(&self) -> Result<wire::invitation::HubAddress, Failure> {
        self.hub_address().parse().map_err(|error: wire::invitation::InvalidAddress| {
            Failure::new(
                FailureKind::Invalid,
                "HUB_ADDRESS",
                error.to_string(),
                "L’adresse du centre doit s’écrire nom:port, par exemple hub.exemple.fr:8443 (réglage [hub] address de node.toml).",
            )
        })
    }

    pub(crate) fn route(&self) -> Result<wire::client::Route, Failure> {
        self.config.network.route(self.folder.root())
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.signing_key
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.world.entropy.as_ref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Closes the database; what was written stays.
    pub async fn close(self) {
        self.store.close().await;
    }
}

pub(crate) async fn open_store(folder: &NodeFolder) -> Result<NodeStore, Failure> {
    folder.make().map_err(|error| failure::folder(folder.root(), &error))?;
    NodeStore::open(&store::Location::Sqlite(folder.database())).await.map_err(|error| failure::storage(&error))
}

fn public_keys(keys: &[Vec<u8>]) -> Result<Vec<PublicKey>, Failure> {
    keys.iter()
        .map(|key| PublicKey::from_slice(key).map_err(|_| failure::defect("stored hub key is not a public key")))
        .collect()
}

fn not_joined(folder: &NodeFolder) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "NODE_NOT_JOINED",
        format!("{} holds no identity", folder.root().display()),
        format!(
            "Ce nœud n’a pas encore rejoint de centre (dossier {}). Demandez une invitation à l’union départementale, puis : maillage node join INVITATION",
            folder.root().display()
        ),
    )
}
