//! The node's folder: one place to back up, one place to protect.
//!
//! ```text
//! node.toml            settings, written by people
//! node.sqlite          drafts, outbox, ledger, approvals
//! keys/tls.key         key of the client certificate, 0600
//! keys/signing.key     key that signs documents, 0600; not the TLS key, so that a receipt outlives certificates
//! keys/chain.pem       the client certificate
//! keys/hub-sealing.pub the key to which envelopes for the hub are sealed, as the hub signed it; public
//! packs/               packs as the hub signed them
//! receipts/            the hub's receipts, verifiable for ever
//! turn.lock            held while something works on this folder
//! ```

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Failure, FailureKind};
use store::crash;

use crate::failure;

/// How long a command waits for another one to finish with the folder.
const TURN: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// The folder is ours until this is dropped, or the process dies.
#[must_use]
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

/// Paths below the node's folder.
#[derive(Clone, Debug)]
pub struct NodeFolder {
    root: PathBuf,
}

impl NodeFolder {
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
        self.root.join("node.toml")
    }

    /// Database.
    pub fn database(&self) -> PathBuf {
        self.root.join("node.sqlite")
    }

    /// Key of the client certificate.
    pub fn tls_key(&self) -> PathBuf {
        self.root.join("keys/tls.key")
    }

    /// Key that signs documents.
    pub fn signing_key(&self) -> PathBuf {
        self.root.join("keys/signing.key")
    }

    /// Client certificate, leaf first, PEM.
    pub fn chain(&self) -> PathBuf {
        self.root.join("keys/chain.pem")
    }

    /// The key to which envelopes for the hub are sealed.
    pub fn hub_sealing_key(&self) -> PathBuf {
        self.root.join("keys/hub-sealing.pub")
    }

    /// Receipts, one file each.
    pub fn receipts(&self) -> PathBuf {
        self.root.join("receipts")
    }

    /// Packs as the hub signed them.
    pub fn packs(&self) -> PathBuf {
        self.root.join("packs")
    }

    /// Waits until no other process, and no other task of this one, works on the folder: a service that runs and a
    /// person who pushes or approves take turns.
    ///
    /// # Errors
    /// `NODE_BUSY` after 20 seconds.
    pub async fn hold(&self) -> Result<Held, Failure> {
        self.hold_within(TURN).await
    }

    /// The same, waiting no longer than `limit`.
    pub async fn hold_within(&self, limit: Duration) -> Result<Held, Failure> {
        let path = self.root.join("turn.lock");
        let broken = |error: std::io::Error| failure::folder(&path, &error);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(broken)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Held(file)),
                Err(TryLockError::Error(error)) => return Err(broken(error)),
                Err(TryLockError::WouldBlock) if waited >= limit => return Err(busy(&self.root)),
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(LOOK).await;
                    waited += LOOK;
                }
            }
        }
    }

    /// Makes the folder and its `keys`, readable by their owner only: people also put their exports here.
    pub fn make(&self) -> std::io::Result<()> {
        let mut folders = std::fs::DirBuilder::new();
        folders.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            folders.mode(0o700);
        }
        folders.create(&self.root)?;
        folders.create(self.root.join("keys"))
    }

    /// Renames a file that cannot be used any more, if there is one, so that it is neither in the way nor lost.
    pub fn set_aside(&self, path: &Path) -> std::io::Result<()> {
        crash::point("file set aside");
        match std::fs::rename(path, path.with_extension("old")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Writes a file whole or not at all: beside its place first, then renamed. Secrets are readable by their
    /// owner only from the first byte.
    pub fn write(&self, path: &Path, bytes: &[u8], secret: bool) -> std::io::Result<()> {
        use std::io::Write;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let beside = path.with_extension("new");
        // What an interrupted write, or somebody else, left there may be readable by all, or a link elsewhere: a mode
        // is only given to a file that is made.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if secret {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        crash::point(&format!("file {name}: make"));
        let mut file = options.open(&beside)?;
        crash::point(&format!("file {name}: fill"));
        file.write_all(bytes)?;
        crash::point(&format!("file {name}: sync"));
        file.sync_all()?;
        drop(file);
        crash::point(&format!("file {name}: rename"));
        std::fs::rename(&beside, path)?;
        crash::point(&format!("file {name}: in place"));
        sync_folder(path)
    }
}

fn busy(root: &Path) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "NODE_BUSY",
        format!("another command works on {}", root.display()),
        format!(
            "Une autre commande (ou le service) travaille en ce moment sur le dossier {} : réessayez dans un instant.",
            root.display()
        ),
    )
}

/// A new name is durable once its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?.sync_all()?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_does_not_flow_into_a_file_that_lies_in_its_way() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = NodeFolder::at(root.path());
        let (page, beside, elsewhere) =
            (root.path().join("interne.html"), root.path().join("interne.new"), root.path().join("elsewhere"));
        std::fs::write(&beside, "left behind").expect("writes");
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o666)).expect("sets");
        folder.write(&page, b"secret", true).expect("writes");
        let mode = std::fs::metadata(&page).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        std::fs::write(&elsewhere, "untouched").expect("writes");
        std::os::unix::fs::symlink(&elsewhere, &beside).expect("links");
        folder.write(&page, b"secret", true).expect("writes");
        assert_eq!(std::fs::read(&elsewhere).expect("reads"), b"untouched");
        assert_eq!(std::fs::read(&page).expect("reads"), b"secret");
    }
}
