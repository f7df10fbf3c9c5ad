//! Where each commune stands: joined, silent, sent.

use model::{CommuneCode, Failure, Timestamp};
use store::hub::{CurrentSlice, SliceState};

use crate::{Hub, failure};

/// One commune that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommuneStanding {
    /// Its code.
    pub territory: CommuneCode,
    /// Its name.
    pub name: String,
    /// When its node joined.
    pub enrolled_at: Timestamp,
    /// When its node was revoked, if no living one replaced it.
    pub revoked_at: Option<Timestamp>,
    /// When its certificate ends.
    pub certificate_not_after: Timestamp,
    /// When it last spoke, to the minute.
    pub last_contact: Option<Timestamp>,
    /// The slices that it fills now.
    pub present: Vec<CurrentSlice>,
}

impl Hub {
    /// All communes that ever joined, in French alphabetical order of names.
    pub async fn overview(&self) -> Result<Vec<CommuneStanding>, Failure> {
        let mut standings: Vec<CommuneStanding> = Vec::new();
        // By commune, then by date of joining: a later node replaces an earlier one.
        for record in self.0.store.nodes().await.map_err(failure::storage)? {
            let territory = record.node.provider;
            if standings.last().is_some_and(|last| last.territory == territory) {
                standings.pop();
            }
            let mut present = Vec::new();
            for owned in self.rights(territory).await? {
                let current = self.0.store.current_of(owned).await.map_err(failure::storage)?;
                present.extend(current.into_iter().filter(|slice| slice.state == SliceState::Present));
            }
            standings.push(CommuneStanding {
                territory,
                name: self.0.communes.name(territory),
                enrolled_at: record.enrolled_at,
                revoked_at: record.revoked_at,
                certificate_not_after: record.node.certificate_not_after,
                last_contact: record.last_contact,
                present,
            });
        }
        render::names::sort_by_name(&mut standings, |standing| &standing.name);
        Ok(standings)
    }
}
