//! Whether the hub may be sent anything: each obstacle with its cure.

use std::time::Duration;

use crate::Hub;

/// A database that does not answer for this long does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// A document may be 32 MiB, and is written twice before it is folded into the file.
const LEAST_FREE: u64 = 128 << 20;

/// Something that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Stable, for machines.
    pub(crate) reason: &'static str,
    /// For the operator, in French.
    pub(crate) cure: &'static str,
}

impl Hub {
    /// What stands in the way of being ready; nothing when it is.
    pub(crate) async fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        match tokio::time::timeout(PATIENCE, self.0.store.is_current()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => found.push(Obstacle {
                reason: "schema_moved_on",
                cure: "la base a été migrée par une version plus récente : mettez ce centre à jour",
            }),
            Ok(Err(_)) | Err(_) => found.push(Obstacle {
                reason: "database",
                cure: "la base ne répond pas : vérifiez qu’elle est démarrée et joignable",
            }),
        }
        if self.0.certificate_end.get().is_some_and(|end| end <= self.now()) {
            found.push(Obstacle {
                reason: "certificate",
                cure: "le certificat du centre a expiré : vérifiez l’horloge de la machine, puis redémarrez le centre",
            });
        }
        if free_bytes(self.folder().root()).is_some_and(|free| free < LEAST_FREE) {
            found.push(Obstacle { reason: "disk", cure: "le disque est presque plein : libérez au moins 128 Mio" });
        }
        found
    }
}

/// What an ordinary user may still write below `folder`; `None` where the system does not say.
pub(super) fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}
