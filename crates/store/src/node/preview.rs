//! What a person reads before figures leave, and who agreed.

use model::{Hash, Timestamp};

use super::NodeStore;
use crate::db::{Row, retry};
use crate::{DocumentKind, StoreError};

/// Who agreed, and when. The name stays in the commune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// As given on the command line.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Protected slices, waiting for somebody to agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// SHA-256 of `document`: what the person agrees to is exactly this.
    pub hash: Hash,
    /// What sending it would ask for.
    pub kind: DocumentKind,
    /// The protected slices, canonical, without id or signature.
    pub document: Vec<u8>,
    /// When it was computed.
    pub created_at: Timestamp,
    /// Who agreed.
    pub approved: Option<Approved>,
    /// Whether it left for the outbox.
    pub queued: bool,
}

const SELECT: &str = "SELECT hash, kind, document, created_at, approved_by, approved_at, queued_as FROM preview \
     WHERE hash = $1";
const SELECT_LATEST: &str = "SELECT hash, kind, document, created_at, approved_by, approved_at, queued_as \
     FROM preview ORDER BY (queued_as IS NOT NULL), created_at DESC, hash LIMIT 1";

const SELECT_WAITING: &str = "SELECT hash, kind, document, created_at, approved_by, approved_at, queued_as \
     FROM preview WHERE queued_as IS NULL AND kind IN ('submission', 'check') ORDER BY hash";

impl NodeStore {
    /// Keeps one document alone: see [`NodeStore::save_previews`].
    pub async fn save_preview(&self, preview: &Preview) -> Result<(), StoreError> {
        self.save_previews(std::slice::from_ref(preview)).await
    }

    /// Keeps the documents of one preview, which are agreed to together; the same bytes again renew their date and keep
    /// who agreed. Whatever else nobody queued is forgotten: only the newest can be agreed to. A word on who may see moves
    /// no figure, so that what waits goes on waiting.
    pub async fn save_previews(&self, previews: &[Preview]) -> Result<(), StoreError> {
        retry(|| self.save_previews_once(previews)).await
    }

    async fn save_previews_once(&self, previews: &[Preview]) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        let waiting: Vec<Hash> =
            tx.q("SELECT hash FROM preview WHERE queued_as IS NULL").all(|row| row.parsed(0, "preview hash")).await?;
        let of_figures = previews.iter().any(|preview| preview.kind != DocumentKind::Sharing);
        let gone = |hash: &&Hash| of_figures && previews.iter().all(|preview| preview.hash != **hash);
        for gone in waiting.iter().filter(gone) {
            tx.q("DELETE FROM preview WHERE hash = $1").bind(gone.to_string()).exec().await?;
        }
        for preview in previews {
            tx.q("INSERT INTO preview (hash, kind, document, created_at) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (hash) DO UPDATE SET created_at = $4")
                .bind(preview.hash.to_string())
                .bind(preview.kind.as_str())
                .bind(preview.document.as_slice())
                .bind(preview.created_at.as_micros())
                .exec()
                .await?;
        }
        tx.commit().await
    }

    /// Forgets every preview that nobody queued: it no longer says what would leave.
    pub async fn discard_previews(&self) -> Result<(), StoreError> {
        retry(|| self.discard_previews_once()).await
    }

    async fn discard_previews_once(&self) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("DELETE FROM preview WHERE queued_as IS NULL").exec().await?;
        tx.commit().await
    }

    /// The preview with this hash.
    pub async fn preview(&self, hash: Hash) -> Result<Option<Preview>, StoreError> {
        self.db.q(SELECT).bind(hash.to_string()).opt(read_preview).await
    }

    /// The preview that waits for somebody to agree, or else the newest.
    pub async fn latest_preview(&self) -> Result<Option<Preview>, StoreError> {
        self.db.q(SELECT_LATEST).opt(read_preview).await
    }

    /// The documents of the preview that waits for somebody to agree, by their hash; none if none waits. A withdrawal, or a
    /// word on who may see, is
    /// decided in one breath and waits for nobody.
    pub async fn waiting_previews(&self) -> Result<Vec<Preview>, StoreError> {
        self.db.q(SELECT_WAITING).all(read_preview).await
    }

    /// Notes that `by` agreed. [`StoreError::Moved`] if the preview is gone or already left.
    pub async fn approve_preview(&self, hash: Hash, by: &str, now: Timestamp) -> Result<(), StoreError> {
        if by.contains('\0') {
            return Err(StoreError::Unstorable("a name with a NUL"));
        }
        retry(|| self.approve_preview_once(hash, by, now)).await
    }

    async fn approve_preview_once(&self, hash: Hash, by: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("UPDATE preview SET approved_by = $1, approved_at = $2 WHERE hash = $3 AND queued_as IS NULL \
              RETURNING hash")
            .bind(by)
            .bind(now.as_micros())
            .bind(hash.to_string())
            .opt(|row| row.get::<String>(0))
            .await?
            .ok_or(StoreError::Moved("preview"))?;
        tx.commit().await
    }
}

fn read_preview(row: &Row) -> Result<Preview, StoreError> {
    let approved = match (row.get(4)?, row.time_opt(5)?) {
        (Some(by), Some(at)) => Some(Approved { by, at }),
        _ => None,
    };
    Ok(Preview {
        hash: row.parsed(0, "preview hash")?,
        kind: row.parsed(1, "document kind")?,
        document: row.get(2)?,
        created_at: row.time(3)?,
        approved,
        queued: row.get::<Option<String>>(6)?.is_some(),
    })
}
