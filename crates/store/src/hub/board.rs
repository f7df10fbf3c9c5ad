//! What fills every slice, who was invited, what came after: what a coordinator asks of the whole hub at once.

use model::{CommuneCode, Slice, SubmissionId, Timestamp};

use super::HubStore;
use super::accept::SliceState;
use crate::db::integer;
use crate::{DocumentKind, StoreError};

/// A slice that was ever filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledSlice {
    /// Which slice.
    pub slice: Slice,
    /// The document that moved it last.
    pub submission: SubmissionId,
    /// That document's acceptance number.
    pub number: u64,
    /// What it holds.
    pub state: SliceState,
    /// Since when.
    pub changed_at: Timestamp,
}

/// The newest invitation of a commune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastInvitation {
    /// Whose.
    pub provider: CommuneCode,
    /// No longer valid from then on.
    pub expires_at: Timestamp,
    /// When somebody joined with it.
    pub spent_at: Option<Timestamp>,
}

impl HubStore {
    /// Every slice that was ever filled, by territory, pack, table, period.
    pub async fn filled(&self) -> Result<Vec<FilledSlice>, StoreError> {
        self.db
            .q("SELECT c.territory, c.pack, c.table_code, c.period, c.submission, s.number, c.state, s.accepted_at \
                FROM slice_current c JOIN submission s ON s.id = c.submission \
                ORDER BY c.territory, c.pack, c.table_code, c.period")
            .all(|row| {
                Ok(FilledSlice {
                    slice: Slice {
                        territory: row.parsed(0, "territory")?,
                        pack: row.parsed(1, "pack")?,
                        table: row.parsed(2, "table")?,
                        period: row.parsed(3, "period")?,
                    },
                    submission: row.parsed(4, "submission id")?,
                    number: row.count(5, "number")?,
                    state: row.parsed(6, "slice state")?,
                    changed_at: row.time(7)?,
                })
            })
            .await
    }

    /// Documents of `provider` that were accepted after the acceptance number `after`, oldest first.
    pub async fn accepted_after(
        &self,
        provider: CommuneCode,
        after: u64,
    ) -> Result<Vec<(u64, SubmissionId, DocumentKind)>, StoreError> {
        self.db
            .q("SELECT number, id, kind FROM submission WHERE provider = $1 AND number > $2 ORDER BY number")
            .bind(provider.as_str())
            .bind(integer(after.min(u64::MAX >> 1))?)
            .all(|row| Ok((row.count(0, "number")?, row.parsed(1, "submission id")?, row.parsed(2, "document kind")?)))
            .await
    }

    /// The newest invitation of each commune, ascending.
    pub async fn last_invitations(&self) -> Result<Vec<LastInvitation>, StoreError> {
        let all = self
            .db
            .q("SELECT provider, expires_at, spent_at FROM invitation WHERE revoked_at IS NULL \
                ORDER BY provider, created_at, expires_at")
            .all(|row| {
                Ok(LastInvitation {
                    provider: row.parsed(0, "provider")?,
                    expires_at: row.time(1)?,
                    spent_at: row.time_opt(2)?,
                })
            })
            .await?;
        let mut newest: Vec<LastInvitation> = Vec::new();
        for invitation in all {
            if newest.last().is_some_and(|last| last.provider == invitation.provider) {
                newest.pop();
            }
            newest.push(invitation);
        }
        Ok(newest)
    }
}
