//! The hub's folder: one place to back up, one place to protect.
//!
//! ```text
//! hub.toml                    settings, written by people
//! campaign.toml               what is expected from whom until when, written by people; may be absent
//! visibility.toml             who sees what of other communes' figures, written by people; may be absent
//! hub.sqlite                  what communes sent, unless hub.toml names another database
//! keys/authority.key, .pem    the certificate authority; whoever has the key can speak as any commune
//! keys/signing.key            key that signs receipts and packs; not a TLS key, so that receipts outlive certificates
//! layouts/*.toml              how further public files are written, besides the layouts of the product
//! successions.csv             further mergers of communes, if the hub is of another département
//! coordinators/NAME/          credentials of a person who compares: hand the folder over, then delete it
//! partners/NAME/              the same for a partner
//! ```
//!
//! The hub's own TLS certificate is signed afresh at each start and lives in memory only.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use model::{Code, Failure};
use seal::SigningKey;
use store::crash;
use wire::authority::Authority;

use crate::failure;

/// Paths below the hub's folder.
#[derive(Clone, Debug)]
pub struct HubFolder {
    root: PathBuf,
}

impl HubFolder {
    /// The folder at `root`; nothing is touched.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Settings.
    pub fn config(&self) -> PathBuf {
        self.root.join("hub.toml")
    }

    /// Who sees what of other communes' figures, if somebody wrote it down.
    pub fn visibility(&self) -> PathBuf {
        self.root.join("visibility.toml")
    }

    /// What the campaign expects, if somebody wrote it down.
    pub fn campaign(&self) -> PathBuf {
        self.root.join("campaign.toml")
    }

    /// The database, unless the settings name another.
    pub fn database(&self) -> PathBuf {
        self.root.join("hub.sqlite")
    }

    /// The authority's private key.
    pub fn authority_key(&self) -> PathBuf {
        self.root.join("keys/authority.key")
    }

    /// The authority's certificate.
    pub fn authority_certificate(&self) -> PathBuf {
        self.root.join("keys/authority.pem")
    }

    /// The key that signs receipts and packs, PKCS#8.
    pub fn signing_key_file(&self) -> PathBuf {
        self.root.join("keys/signing.key")
    }

    /// Layouts of public files, besides those of the product.
    pub fn layouts(&self) -> PathBuf {
        self.root.join("layouts")
    }

    /// Further mergers of communes.
    pub fn successions(&self) -> PathBuf {
        self.root.join("successions.csv")
    }

    /// A path of this folder as the folder names it, with `/`.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Credentials of a coordinator.
    pub fn coordinator(&self, name: &Code) -> PathBuf {
        self.root.join("coordinators").join(name.as_str())
    }

    /// Where a coordinator's credentials are made before they are moved to their place, whole.
    pub(crate) fn coordinator_in_the_making(&self, name: &Code) -> PathBuf {
        self.root.join("coordinators").join(format!(".{name}.new"))
    }

    /// Credentials of a partner.
    pub fn partner(&self, name: &Code) -> PathBuf {
        self.root.join("partners").join(name.as_str())
    }

    /// Where they are made.
    pub(crate) fn partner_in_the_making(&self, name: &Code) -> PathBuf {
        self.root.join("partners").join(format!(".{name}.new"))
    }

    pub(crate) fn authority(&self) -> Result<Authority, Failure> {
        let key = read(&self.authority_key())?;
        let certificate = read(&self.authority_certificate())?;
        let text =
            |bytes, path: PathBuf| String::from_utf8(bytes).map_err(|_| failure::content(&path, "not a PEM file"));
        Authority::from_pem(&text(key, self.authority_key())?, &text(certificate, self.authority_certificate())?)
            .map_err(|error| failure::content(&self.authority_certificate(), error))
    }

    pub(crate) fn signing_key(&self) -> Result<SigningKey, Failure> {
        let path = self.signing_key_file();
        SigningKey::from_pkcs8(&read(&path)?).map_err(|error| failure::content(&path, error))
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| failure::file(path, error))
}

/// Makes a folder, and those above it, for its owner only.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    let mut folders = std::fs::DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.create(folder).map_err(|error| failure::file(folder, error))
}

/// Moves a file or a folder to its place, durably.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> Result<(), Failure> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let moved = || {
        crash::point(&format!("file {name}: rename"));
        std::fs::rename(from, to)?;
        crash::point(&format!("file {name}: in place"));
        #[cfg(unix)]
        if let Some(parent) = to.parent() {
            std::fs::File::open(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?.sync_all()?;
        }
        Ok(())
    };
    moved().map_err(|error: std::io::Error| failure::file(to, error))
}

/// Writes a file that must not exist yet, whole or not at all, readable by its owner only if `secret`.
pub(crate) fn write_new(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        make(parent)?;
    }
    if path.exists() {
        return Err(failure::file(path, std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
    }
    let beside = path.with_extension("new");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let written = || {
        // What an interrupted write left there may be readable by all: a mode is only given to a file that is made.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
        crash::point(&format!("file {name}: make"));
        let mut file = options.open(&beside)?;
        crash::point(&format!("file {name}: fill"));
        file.write_all(bytes)?;
        crash::point(&format!("file {name}: sync"));
        file.sync_all()
    };
    written().map_err(|error: std::io::Error| failure::file(path, error))?;
    put_in_place(&beside, path)
}
