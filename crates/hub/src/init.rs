//! Creates a hub: its authority, its signing key, its settings, its first coordinator.

use std::path::Path;

use model::{Code, Failure, FailureKind, Hash};
use seal::SigningKey;
use store::hub::HubStore;
use wire::authority::Authority;

use crate::access::Credentials;
use crate::folder::{make, put_in_place, write_new};
use crate::{Hub, HubConfig, HubFolder, World, failure};

/// What was created.
#[derive(Debug)]
pub struct Initialised {
    /// SHA-256 of the authority's certificate: what invitations carry.
    pub authority: Hash,
    /// Credentials of the first coordinator, to hand over.
    pub coordinator: Credentials,
}

/// Creates everything in `folder`, with private files readable by their owner only.
///
/// The settings come last: without them there is no hub yet, and whatever was interrupted, or stopped by a database
/// that did not answer, is taken up where it stood by calling this again.
///
/// # Errors
/// A hub is there already: nothing is ever overwritten, because losing the authority loses every commune.
pub async fn init(
    folder: &HubFolder,
    config: &HubConfig,
    coordinator: &Code,
    world: &World,
) -> Result<Initialised, Failure> {
    let address = config.address()?;
    if folder.config().exists() {
        return Err(exists(&folder.config()));
    }
    make(folder.root())?;
    let (authority, kept) = authority(folder, address.host(), world)?;
    // The database before the keys: one that cannot be used must leave nothing behind.
    unowned(folder, config, authority.fingerprint()).await?;
    if !kept {
        write_new(&folder.authority_key(), authority.key_pem().as_bytes(), true)?;
        write_new(&folder.authority_certificate(), authority.certificate_pem().as_bytes(), false)?;
    }
    if !folder.signing_key_file().exists() {
        write_new(&folder.signing_key_file(), &SigningKey::generate().to_pkcs8(), true)?;
    }
    let hub = Hub::open_with(folder.clone(), config.clone(), Vec::new(), world.clone()).await?;
    let place = folder.coordinator(coordinator);
    // In its place it is whole, and known to the database.
    let coordinator =
        if kept && place.exists() { Credentials::load(&place) } else { hub.add_coordinator(coordinator).await };
    hub.close().await;
    let coordinator = coordinator?;
    // The settings may name a database with its password.
    write_new(&folder.config(), config.to_toml().as_bytes(), true)?;
    Ok(Initialised { authority: authority.fingerprint(), coordinator })
}

/// The authority of an interrupted creation, or a new one that is not written yet; whether it was kept.
fn authority(folder: &HubFolder, host: &str, world: &World) -> Result<(Authority, bool), Failure> {
    let (key, certificate) = (folder.authority_key(), folder.authority_certificate());
    match (key.exists(), certificate.exists()) {
        (true, true) => return Ok((folder.authority()?, true)),
        // Its key is somewhere else, or lost: not ours to decide.
        (false, true) => return Err(exists(&certificate)),
        // The key is written first: without a certificate nobody has ever trusted it.
        (true, false) => put_in_place(&key, &key.with_extension("old"))?,
        (false, false) => {}
    }
    let name = format!("Maillage, centre {host}");
    let authority = Authority::create(&name, world.entropy.as_ref(), world.clock.now())
        .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
    Ok((authority, false))
}

/// The database opens, and belongs to nobody else.
async fn unowned(folder: &HubFolder, config: &HubConfig, authority: Hash) -> Result<(), Failure> {
    let location = config.location(folder)?;
    let store = HubStore::open(&location).await.map_err(|error| failure::opening(&error, &location))?;
    let owner = store.owner().await.map_err(failure::storage);
    store.close().await;
    match owner? {
        Some(owner) if owner != authority => Err(failure::foreign_database(&location)),
        Some(_) | None => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "HUB_EXISTS",
        format!("{} exists", path.display()),
        format!(
            "Il y a déjà un centre dans ce dossier ({}) : rien n’a été modifié. Choisissez un autre dossier, ou démarrez celui-ci avec « maillage hub run ».",
            path.display()
        ),
    )
}
