//! The client certificate: kept, read, and renewed long before it ends.

use std::sync::Arc;
use std::time::Duration;

use model::{Failure, FailureKind, Timestamp};
use store::node::Identity as Membership;
use wire::client::HubClient;
use wire::identity::{Identity, TlsKey};
use wire::tls::ClientTls;

use crate::{Node, NodeFolder, bundle, failure};

/// Renewed when less than this is left: a third of the usual 30 days, so that a hub may be down for a week.
const MARGIN: Duration = Duration::from_hours(10 * 24);

/// The node's key and certificate.
pub(crate) fn load_identity(folder: &NodeFolder) -> Result<Identity, Failure> {
    let key = Arc::new(load_tls_key(folder)?);
    let path = folder.chain();
    let chain = std::fs::read_to_string(&path).map_err(|error| failure::folder(&path, &error))?;
    Identity::from_pem(key, &chain).map_err(|error| damaged(error.to_string()))
}

/// When the certificate ends; `None` if there is none that reads.
pub fn certificate_end(folder: &NodeFolder) -> Option<Timestamp> {
    load_identity(folder).ok().map(|identity| identity.certificate().not_after)
}

/// Renews the certificate if it ends soon or has ended. Gives whether it did.
///
/// The request is proven by the key alone: a node that slept for months finds its way back without a visit.
pub async fn renew_if_due(node: &Node) -> Result<bool, Failure> {
    let identity = load_identity(node.folder())?;
    if identity.certificate().not_after > node.now().plus(MARGIN) {
        return Ok(false);
    }
    let address = node.address()?;
    let tls = ClientTls::new(node.identity().ca_fingerprint, None, Arc::clone(&node.world.clock))
        .map_err(|error| failure::defect(error.to_string()))?;
    let client = HubClient::connect_through(&tls, &address, &node.route()?).await;
    let client = client.map_err(|error| failure::network(&error))?;
    let renewed = client.renew(identity.key()).await.map_err(|error| failure::network(&error))?;
    keep_chain(node.folder(), identity.key(), &renewed.chain)?;
    let known = node.identity();
    node.store()
        .set_identity(&Membership {
            provider: known.provider,
            territories: renewed.territories.clone(),
            hub_address: known.hub_address.clone(),
            ca_fingerprint: known.ca_fingerprint,
            hub_keys: renewed.hub_keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            joined_at: known.joined_at,
        })
        .await
        .map_err(|error| failure::storage(&error))?;
    bundle::keep_sealing_key(node.folder(), renewed.sealing_key.as_ref(), &renewed.hub_keys);
    Ok(true)
}

/// Keeps a chain, if it is of this key.
pub(crate) fn keep_chain(folder: &NodeFolder, key: &Arc<TlsKey>, chain: &[Vec<u8>]) -> Result<(), Failure> {
    let identity = Identity::new(Arc::clone(key), chain).map_err(|error| damaged(error.to_string()))?;
    let path = folder.chain();
    folder.write(&path, identity.chain_pem().as_bytes(), false).map_err(|error| failure::folder(&path, &error))
}

fn load_tls_key(folder: &NodeFolder) -> Result<TlsKey, Failure> {
    let path = folder.tls_key();
    let pem = std::fs::read_to_string(&path).map_err(|error| failure::folder(&path, &error))?;
    TlsKey::from_pem(&pem).map_err(|error| damaged(error.to_string()))
}

/// The key of the folder; a damaged one is set aside, because a new invitation is the cure and needs a key.
pub(crate) fn load_or_make_tls_key(folder: &NodeFolder) -> Result<TlsKey, Failure> {
    match load_tls_key(folder) {
        Ok(key) => Ok(key),
        Err(_) => make_tls_key(folder),
    }
}

/// A new key; one that was there is kept beside it.
pub(crate) fn make_tls_key(folder: &NodeFolder) -> Result<TlsKey, Failure> {
    let path = folder.tls_key();
    folder.set_aside(&path).map_err(|error| failure::folder(&path, &error))?;
    let key = TlsKey::generate();
    folder.write(&path, key.to_pem().as_bytes(), true).map_err(|error| failure::folder(&path, &error))?;
    Ok(key)
}

fn damaged(detail: String) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "CERTIFICATE_DAMAGED",
        detail,
        "La clé ou le certificat du nœud est abîmé. Demandez une nouvelle invitation à l’union départementale.",
    )
}
