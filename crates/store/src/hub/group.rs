//! Groups of communes whose sums were shown: what was shown stays known.

use std::collections::BTreeMap;

use model::{Audience, CommuneCode, PackCode, Period, SubmissionId, TableCode, Timestamp};

use super::HubStore;
use crate::StoreError;
use crate::db::{integer, retry};

/// A group that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownGroup {
    /// Its communes, each with the document that its figures came from.
    pub of: BTreeMap<CommuneCode, SubmissionId>,
    /// Since when.
    pub shown_at: Timestamp,
}

impl HubStore {
    /// All groups ever shown to `audience` about one table and period, oldest first.
    pub async fn groups_shown(
        &self,
        audience: Audience,
        pack: &PackCode,
        table: &TableCode,
        period: Period,
    ) -> Result<Vec<ShownGroup>, StoreError> {
        self.db
            .q("SELECT contributors, shown_at FROM group_shown \
                WHERE audience = $1 AND pack = $2 AND table_code = $3 AND period = $4 ORDER BY number")
            .bind(audience.as_str())
            .bind(pack.as_str())
            .bind(table.as_str())
            .bind(period.to_string())
            .all(|row| Ok(ShownGroup { of: read(&row.get::<String>(0)?)?, shown_at: row.time(1)? }))
            .await
    }

    /// Notes that `group` is about to be shown, if exactly `shown` groups were before; `false` if another came between.
    pub async fn show_group(
        &self,
        audience: Audience,
        pack: &PackCode,
        table: &TableCode,
        period: Period,
        group: &ShownGroup,
        shown: usize,
    ) -> Result<bool, StoreError> {
        let number = integer(shown as u64 + 1)?;
        let contributors: Vec<String> = group.of.iter().map(|(commune, id)| format!("{commune}={id}")).collect();
        let contributors = contributors.join(" ");
        let noted = retry(|| async {
            let mut tx = self.db.begin_write().await?;
            tx.q("INSERT INTO group_shown (audience, pack, table_code, period, number, contributors, shown_at) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7)")
                .bind(audience.as_str())
                .bind(pack.as_str())
                .bind(table.as_str())
                .bind(period.to_string())
                .bind(number)
                .bind(contributors.as_str())
                .bind(group.shown_at.as_micros())
                .exec()
                .await?;
            tx.commit().await
        });
        match noted.await {
            Ok(()) => Ok(true),
            Err(StoreError::Duplicate(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn read(text: &str) -> Result<BTreeMap<CommuneCode, SubmissionId>, StoreError> {
    let one = |word: &str| {
        let (commune, id) = word.split_once('=')?;
        Some((commune.parse().ok()?, id.parse().ok()?))
    };
    text.split_whitespace().map(one).collect::<Option<_>>().ok_or(StoreError::Damaged("group"))
}
