//! Creates a hub: its authority, its signing key, its settings, its first coordinator.

use model::{Code, Failure, FailureKind, Hash};
use seal::SigningKey;
use wire::authority::Authority;

use crate::coordinator::Credentials;
use crate::folder::write_new;
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
/// # Errors
/// A hub is there already: nothing is ever overwritten, because losing the authority loses every commune.
pub async fn init(
    folder: &HubFolder,
    config: &HubConfig,
    coordinator: &Code,
    world: &World,
) -> Result<Initialised, Failure> {
    config.address()?;
    for path in [folder.config(), folder.authority_key(), folder.authority_certificate(), folder.signing_key_file()] {
        if path.exists() {
            return Err(Failure::new(
                FailureKind::Conflict,
                "HUB_EXISTS",
                format!("{} exists", path.display()),
                format!(
                    "Il y a déjà un centre dans ce dossier ({}) : rien n’a été modifié. Choisissez un autre dossier, ou démarrez celui-ci avec « maillage hub run ».",
                    path.display()
                ),
            ));
        }
    }
    let name = format!("Maillage, centre {}", config.address()?.host());
    let authority = Authority::create(&name, world.entropy.as_ref(), world.clock.now())
        .map_err(|error| failure::internal("AUTHORITY", error.to_string()))?;
    write_new(&folder.authority_key(), authority.key_pem().as_bytes(), true)?;
    write_new(&folder.authority_certificate(), authority.certificate_pem().as_bytes(), false)?;
    write_new(&folder.signing_key_file(), &SigningKey::generate().to_pkcs8(), true)?;
    // The settings may name a database with its password.
    write_new(&folder.config(), config.to_toml().as_bytes(), true)?;
    let hub = Hub::open_with(folder.clone(), config.clone(), Vec::new(), world.clone()).await?;
    let coordinator = hub.add_coordinator(coordinator).await?;
    hub.close().await;
    Ok(Initialised { authority: authority.fingerprint(), coordinator })
}
