//! Which versions of packs were taken into use.

use model::PackCode;

use super::NodeStore;
use crate::StoreError;
use crate::db::retry;

impl NodeStore {
    /// The version noted last; `None` for a pack that was never here.
    pub async fn pack_seen(&self, code: &PackCode) -> Result<Option<String>, StoreError> {
        self.db.q("SELECT version FROM pack_seen WHERE code = $1").bind(code.as_str()).opt(|row| row.get(0)).await
    }

    /// Notes a version that is about to be taken into use.
    pub async fn note_pack(&self, code: &PackCode, version: &str) -> Result<(), StoreError> {
        retry(|| self.note_pack_once(code, version)).await
    }

    async fn note_pack_once(&self, code: &PackCode, version: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin_write().await?;
        tx.q("INSERT INTO pack_seen (code, version) VALUES ($1, $2) \
              ON CONFLICT (code) DO UPDATE SET version = excluded.version")
            .bind(code.as_str())
            .bind(version)
            .exec()
            .await?;
        tx.commit().await
    }
}
