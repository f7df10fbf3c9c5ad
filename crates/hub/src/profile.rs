//! One commune in all indicators of a pack: what an elected board reads first.
//!
//! Each line is a comparison ([`crate::compare`]), asked for the same reader and cut to this commune: nothing is shown here that
//! would not be shown there.

use model::{CommuneCode, Failure, FailureKind, Key, PackCode, Period, TableCode};
use store::hub::SliceState;

use crate::compare::{Comparison, Question};
use crate::visibility::Reader;
use crate::{Hub, failure};

/// Whose profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileQuestion {
    /// Which commune.
    pub territory: CommuneCode,
    /// Which pack.
    pub pack: PackCode,
    /// Which period.
    pub period: Period,
}

/// A commune's profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Which commune.
    pub territory: CommuneCode,
    /// Its name.
    pub name: String,
    /// One per indicator, in the order of the pack; of the communes, this one alone.
    pub comparisons: Vec<Comparison>,
}

impl Hub {
    /// The totals of every indicator that the commune sent and that `reader` may be shown of it by name.
    ///
    /// # Errors
    /// No such pack; nothing of this commune that the reader may see, whether it exists or not.
    pub async fn profile(&self, reader: &Reader, wanted: &ProfileQuestion) -> Result<Profile, Failure> {
        let ProfileQuestion { territory, pack, period } = wanted;
        let packs = self.packs().await?;
        let published = packs.get(pack).ok_or_else(|| unknown(pack))?;
        let current = self.0.store.current_of(*territory).await.map_err(failure::storage)?;
        let sent = |table: &TableCode| {
            current.iter().any(|one| {
                one.slice.pack == *pack
                    && one.slice.table == *table
                    && one.slice.period == *period
                    && one.state == SliceState::Present
            })
        };
        let mut comparisons = Vec::new();
        for table in published.pack.tables().iter().filter(|table| sent(table.code())) {
            for indicator in table.indicators() {
                let question = Question {
                    indicator: indicator.code.clone(),
                    period: *period,
                    key: Key::total(),
                    pack: Some(pack.clone()),
                };
                let mut comparison = self.compare(reader, &question).await?;
                comparison.communes.retain(|row| row.territory == *territory);
                let told = comparison.communes.iter().any(|row| !row.withheld());
                if told {
                    comparisons.push(comparison);
                }
            }
        }
        if comparisons.is_empty() {
            return Err(nothing(*territory));
        }
        Ok(Profile { territory: *territory, name: self.0.communes.name(*territory), comparisons })
    }
}

fn unknown(pack: &PackCode) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "PACK_UNKNOWN",
        format!("no pack {pack}"),
        format!("Le centre n’a pas de référentiel « {pack} »."),
    )
}

/// The same for what was never sent and for what is not shared: whoever may not see it is not told which.
fn nothing(territory: CommuneCode) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "PROFILE_EMPTY",
        format!("nothing of {territory} for this reader"),
        format!(
            "Aucun chiffre de la commune {territory} ne peut vous être montré pour ce référentiel et cette période : elle n’en a pas envoyé, ou ne les partage pas avec vous."
        ),
    )
}
