//! Joining a hub: keys made here, an invitation spent there, the past rebuilt and verified.

use std::sync::Arc;

use model::{CommuneCode, Failure, FailureKind};
use seal::SigningKey;
use store::node::Identity;
use wire::client::HubClient;
use wire::enrolment::JoinRequest;
use wire::invitation::Invitation;
use wire::tls::ClientTls;

use crate::{NodeFolder, World, bundle, failure, packs, receipts, renew, sync};

/// What joining gave.
#[derive(Debug)]
pub struct Joined {
    /// The commune.
    pub provider: CommuneCode,
    /// The hub's address.
    pub hub: String,
    /// Per territory, how many ledger entries were found at the hub and verified.
    pub ledgers: Vec<(CommuneCode, u64)>,
    /// Packs received.
    pub packs: Vec<String>,
    /// Whether a commented `node.toml` was prepared.
    pub settings_written: bool,
}

/// Settings for a node that has none yet: everything off, everything explained.
const FIRST_SETTINGS: &str = include_str!("first_settings.toml");

/// Joins the hub of `invitation`, also from a folder that was joined before: settings, receipts and outbox stay.
/// Whatever fails half-way may be repeated with the same invitation.
pub async fn join(folder: &NodeFolder, invitation: &str, world: World) -> Result<Joined, Failure> {
    let invitation: Invitation = invitation.parse().map_err(|error: wire::invitation::InvalidInvitation| {
        Failure::new(FailureKind::Invalid, "INVITATION_INVALID", "invitation does not read", error.to_string())
    })?;
    // A setting that does not read must stop us before the invitation is spent, not after.
    let config = if folder.config().exists() {
        crate::NodeConfig::load(&folder.config())
            .map_err(|error| Failure::new(error.kind(), "NODE_CONFIG", error.to_string(), error.french()))?
    } else {
        crate::NodeConfig::default()
    };
    let route = config.network.route(folder.root())?;
    let store = crate::open_store(folder).await?;
    let held = folder.hold().await?;
    let mut tls_key = Arc::new(renew::load_or_make_tls_key(folder)?);
    let signing_key = load_or_make_signing_key(folder)?;
    let tls = ClientTls::new(invitation.authority, None, Arc::clone(&world.clock))
        .map_err(|error| failure::defect(error.to_string()))?;
    let client = HubClient::connect_through(&tls, &invitation.address, &route).await;
    let client = client.map_err(|error| failure::network(&error))?;
    let membership = match client.enrol(&JoinRequest::new(invitation.token, &tls_key, &signing_key)).await {
        // A key that was revoked never comes back: the folder gets a new one, the invitation is still whole.
        Err(error) if error.reason() == "TLS_KEY_KNOWN" => {
            tls_key = Arc::new(renew::make_tls_key(folder)?);
            client.enrol(&JoinRequest::new(invitation.token, &tls_key, &signing_key)).await
        }
        // Perhaps spent by ourselves, and the answer was lost: holding the key proves it.
        Err(error) if error.reason() == "INVITATION_SPENT" => {
            let renewed = client.renew(&tls_key).await;
            renewed.ok().filter(|known| known.provider() == Some(invitation.territory)).ok_or(error)
        }
        answer => answer,
    }
    .map_err(|error| failure::network(&error))?;
    let provider =
        membership.provider().filter(|provider| *provider == invitation.territory).ok_or_else(wrong_territory)?;
    renew::keep_chain(folder, &tls_key, &membership.chain)?;
    store
        .set_identity(&Identity {
            provider,
            territories: membership.territories.clone(),
            hub_address: invitation.address.to_string(),
            ca_fingerprint: invitation.authority,
            hub_keys: membership.hub_keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            joined_at: world.clock.now(),
        })
        .await
        .map_err(|error| failure::storage(&error))?;
    bundle::keep_sealing_key(folder, membership.sealing_key.as_ref(), &membership.hub_keys);
    let settings_written = !folder.config().exists();
    if settings_written {
        folder
            .write(&folder.config(), FIRST_SETTINGS.as_bytes(), false)
            .map_err(|error| failure::folder(&folder.config(), &error))?;
    }
    store.close().await;

    let node = crate::Node::open(folder.clone(), world).await?;
    let fetched = packs::fetch(&node, &held).await?;
    // A new place has nothing to go on with meanwhile.
    if let Some(failure) = fetched.refused.into_iter().next() {
        return Err(failure);
    }
    let received = fetched.received.iter().map(packs::Received::named).collect();
    let ledgers = sync::counted(&node, &held).await?;
    receipts::complete(&node).await?;
    let hub = node.hub_address();
    node.close().await;
    Ok(Joined { provider, hub, ledgers, packs: received, settings_written })
}

fn wrong_territory() -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "INVITATION_TERRITORY",
        "the hub answered for another territory than the invitation’s",
        "Le centre a répondu pour une autre commune que celle de l’invitation. Rien n’a été gardé ; prévenez l’union départementale.",
    )
}

/// The key that signs documents.
pub(crate) fn load_signing_key(folder: &NodeFolder) -> Result<SigningKey, Failure> {
    let path = folder.signing_key();
    let bytes = std::fs::read(&path).map_err(|error| failure::folder(&path, &error))?;
    SigningKey::from_pkcs8(&bytes).map_err(|error| {
        Failure::new(
            FailureKind::Precondition,
            "SIGNING_KEY_DAMAGED",
            error.to_string(),
            "La clé de signature du nœud est abîmée. Demandez une nouvelle invitation à l’union départementale.",
        )
    })
}

fn load_or_make_signing_key(folder: &NodeFolder) -> Result<SigningKey, Failure> {
    let path = folder.signing_key();
    if let Ok(key) = load_signing_key(folder) {
        return Ok(key);
    }
    folder.set_aside(&path).map_err(|error| failure::folder(&path, &error))?;
    let key = SigningKey::generate();
    folder.write(&path, &key.to_pkcs8(), true).map_err(|error| failure::folder(&path, &error))?;
    Ok(key)
}
