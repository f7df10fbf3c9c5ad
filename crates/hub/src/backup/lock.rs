//! How a backup is closed, and opened again.
//!
//! Best closed for a *recipient*: the hub then holds nothing that opens its own backups, and a nightly timer needs no
//! secret. A passphrase is for who has only paper to keep it on.

use std::path::Path;
use std::sync::Arc;

use age::secrecy::{ExposeSecret as _, SecretString};
use model::{Failure, FailureKind};

use crate::failure;
use crate::folder::{read, write_new};

/// 2^18: a quarter of a gigabyte and about a second for each guess.
const WORK: u8 = 18;
/// A file of somebody else may ask for more; beyond this, opening it would be an attack on this machine.
const MOST_WORK: u8 = 20;
/// What a stranger cannot go through.
const SHORTEST: usize = 12;

/// What closes a backup.
#[derive(Clone)]
pub enum Lock {
    /// Whoever holds one of the matching keys opens it.
    Recipients(Vec<age::x25519::Recipient>),
    /// Whoever knows it opens it.
    Passphrase(SecretString),
}

/// What opens a backup.
#[derive(Clone)]
pub enum Key {
    /// Keys as [`new_key`] or `age-keygen` write them.
    Identities(Arc<Vec<age::x25519::Identity>>),
    /// The passphrase.
    Passphrase(SecretString),
}

impl Lock {
    /// For the holders of the keys of which these are the public halves (`age1…`).
    pub fn recipients(texts: &[String]) -> Result<Self, Failure> {
        let read = |text: &String| {
            text.trim().parse::<age::x25519::Recipient>().map_err(|cause| {
                Failure::new(
                    FailureKind::Invalid,
                    "BACKUP_RECIPIENT",
                    format!("not an age recipient: {cause}"),
                    format!("« {text} » n’est pas une clé publique de sauvegarde : elle commence par age1 et se fabrique avec « maillage hub backup-key FICHIER »."),
                )
            })
        };
        let recipients: Vec<_> = texts.iter().map(read).collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(unlocked());
        }
        Ok(Self::Recipients(recipients))
    }

    /// With the passphrase that is the first line of the file at `path`.
    pub fn passphrase(path: &Path) -> Result<Self, Failure> {
        let text = first_line(path)?;
        if text.expose_secret().chars().count() < SHORTEST {
            return Err(Failure::new(
                FailureKind::Invalid,
                "BACKUP_PASSPHRASE",
                format!("a passphrase has at least {SHORTEST} characters"),
                format!(
                    "La phrase secrète de {} est trop courte : au moins {SHORTEST} caractères, par exemple cinq mots tirés au hasard.",
                    path.display()
                ),
            ));
        }
        Ok(Self::Passphrase(text))
    }

    pub(super) fn encryptor(&self) -> Result<age::Encryptor, Failure> {
        let made = match self {
            Self::Recipients(all) => age::Encryptor::with_recipients(all.iter().map(|one| one as _)),
            Self::Passphrase(text) => {
                let mut recipient = age::scrypt::Recipient::new(text.clone());
                recipient.set_work_factor(WORK);
                age::Encryptor::with_recipients(std::iter::once(&recipient as _))
            }
        };
        made.map_err(|error| failure::internal("BACKUP_LOCK", error.to_string()))
    }
}

impl Key {
    /// With the keys of the file at `path`, as [`new_key`] or `age-keygen` write it.
    pub fn identities(path: &Path) -> Result<Self, Failure> {
        let wrong = |detail: &str| {
            Failure::new(
                FailureKind::Invalid,
                "BACKUP_KEY",
                format!("{}: {detail}", path.display()),
                format!(
                    "Le fichier {} n’est pas une clé de sauvegarde : une ligne y commence par AGE-SECRET-KEY-1.",
                    path.display()
                ),
            )
        };
        let text = String::from_utf8(read(path)?).map_err(|_| wrong("not a text file"))?;
        let text = seal::Zeroizing::new(text);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        // The parser's own words could hold what stands in the file.
        let keys: Vec<age::x25519::Identity> =
            lines.map(|line| line.parse().map_err(|_| wrong("a line is not a key"))).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(wrong("no key in it"));
        }
        Ok(Self::Identities(Arc::new(keys)))
    }

    /// With the passphrase that is the first line of the file at `path`.
    pub fn passphrase(path: &Path) -> Result<Self, Failure> {
        first_line(path).map(Self::Passphrase)
    }

    pub(super) fn open<R: std::io::BufRead>(&self, file: R) -> Result<age::stream::StreamReader<R>, age::DecryptError> {
        let decryptor = age::Decryptor::new_buffered(file)?;
        match self {
            Self::Identities(keys) => decryptor.decrypt(keys.iter().map(|key| key as _)),
            Self::Passphrase(text) => {
                let mut identity = age::scrypt::Identity::new(text.clone());
                identity.set_max_work_factor(MOST_WORK);
                decryptor.decrypt(std::iter::once(&identity as _))
            }
        }
    }
}

/// Makes a key in a new file that only its owner may read; gives its public half, which closes backups.
pub fn new_key(path: &Path) -> Result<String, Failure> {
    let key = age::x25519::Identity::generate();
    let public = key.to_public().to_string();
    let secret = key.to_string();
    let text = seal::Zeroizing::new(format!(
        "# Clé des sauvegardes de Maillage : sans elle, aucune ne s’ouvre. À garder hors du centre, en deux endroits.\n# clé publique : {public}\n{}\n",
        secret.expose_secret()
    ));
    write_new(path, text.as_bytes(), true)?;
    Ok(public)
}

/// Nothing closes it: an archive with the authority's key is never written in the open.
pub fn unlocked() -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "BACKUP_UNLOCKED",
        "neither recipient nor passphrase",
        "Une sauvegarde contient la clé de l’autorité : elle n’est jamais écrite en clair. Fabriquez une clé (maillage hub backup-key FICHIER), écrivez sa partie publique dans hub.toml (backup_recipients), ou donnez --recipient ou --passphrase-file.",
    )
}

fn first_line(path: &Path) -> Result<SecretString, Failure> {
    let bytes = seal::Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| failure::file(path, "not a text file"))?;
    let line = text.lines().next().unwrap_or_default();
    Ok(SecretString::from(line.to_owned()))
}
