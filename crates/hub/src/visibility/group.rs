//! Which communes a group is made of, for readers who do not see its members by name.
//!
//! Four communes at least, the reader among them, none of them nearly the whole. And not only now: somebody who reads a
//! group before and after a commune joined it subtracts. So a group is shown only if it says, together with every group
//! ever shown about the same table to the same audience, nothing about fewer than four communes
//! ([`disclosure::groups`]). Where the communes of today would say too much, the last group that was shown goes on being
//! shown, with its date, as long as each of its communes still agrees.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::groups::{Group, says_of_fewer};
use model::{Audience, CommuneCode, Failure, PackCode, Period, SubmissionId, TableCode, Timestamp};
use statistics::Amount;
use store::hub::ShownGroup;

use crate::{Hub, failure};

/// The fewest communes that something may be said about, the reader's included.
pub(crate) const LEAST: usize = 4;

/// A commune that makes this part of a sum hides nobody: hundredths.
const MOST_OF_IT: i128 = 85;

/// The communes of a group, each with the document that its figures come from.
pub(crate) type Contributors = Group<CommuneCode, SubmissionId>;

/// Whose figures are put together, and since when these very ones are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Together {
    pub(crate) of: Contributors,
    /// Set where it is not the group of today.
    pub(crate) since: Option<Timestamp>,
}

/// What a group is about.
pub(crate) struct About<'a> {
    pub(crate) audience: Audience,
    pub(crate) pack: &'a PackCode,
    pub(crate) table: &'a TableCode,
    pub(crate) period: Period,
}

impl Hub {
    /// The group that `about.audience` may be shown, if there is one: `today` where that says nothing of few, or else
    /// the last one shown whose communes all still share. What is chosen is noted before it is shown.
    pub(crate) async fn together(
        &self,
        about: &About<'_>,
        today: &Contributors,
        still: &BTreeSet<CommuneCode>,
    ) -> Result<Option<Together>, Failure> {
        let holders = self.holders().await?;
        loop {
            let shown = self
                .0
                .store
                .groups_shown(about.audience, about.pack, about.table, about.period)
                .await
                .map_err(failure::storage)?;
            if shown.iter().any(|group| group.of == *today) {
                return Ok(Some(Together { of: today.clone(), since: None }));
            }
            let all = shown.iter().map(|group| &group.of).chain([today]);
            let all: Vec<_> = all.map(|of| by_holder(of, &holders)).collect();
            if all.last().is_none_or(|today| today.len() < LEAST) || says_of_fewer(&all, LEAST) {
                let last = shown.into_iter().rev().find(|group| group.of.keys().all(|one| still.contains(one)));
                return Ok(last.map(|group| Together { of: group.of, since: Some(group.shown_at) }));
            }
            let group = ShownGroup { of: today.clone(), shown_at: self.now() };
            let noted = self
                .0
                .store
                .show_group(about.audience, about.pack, about.table, about.period, &group, shown.len())
                .await
                .map_err(failure::storage)?;
            // Otherwise another request was faster: judged again beside what it showed.
            if noted {
                return Ok(Some(Together { of: today.clone(), since: None }));
            }
        }
    }
}

impl Hub {
    /// Territories that one and the same reader may hold, by any of them: a commune and those that it absorbed or was
    /// granted are one contributor, because whoever knows its own knows them all.
    async fn holders(&self) -> Result<BTreeMap<CommuneCode, CommuneCode>, Failure> {
        let mut holders: BTreeMap<CommuneCode, CommuneCode> = BTreeMap::new();
        for record in self.0.store.nodes().await.map_err(failure::storage)? {
            let held = self.rights(record.node.provider).await?;
            let joined: BTreeSet<CommuneCode> =
                held.iter().map(|territory| holders.get(territory).copied().unwrap_or(*territory)).collect();
            let Some(first) = joined.first().copied() else { continue };
            holders.values_mut().filter(|holder| joined.contains(holder)).for_each(|holder| *holder = first);
            holders.extend(held.into_iter().map(|territory| (territory, first)));
        }
        Ok(holders)
    }
}

/// The group with one contributor for each holder, whose figure is that of all its territories.
fn by_holder(
    of: &Contributors,
    holders: &BTreeMap<CommuneCode, CommuneCode>,
) -> Group<CommuneCode, Vec<(CommuneCode, SubmissionId)>> {
    let mut group = Group::new();
    for (territory, submission) in of {
        let holder = holders.get(territory).copied().unwrap_or(*territory);
        group.entry(holder).or_insert_with(Vec::new).push((*territory, *submission));
    }
    group
}

/// Whether one of `amounts` may be 85 % or more of their sum, as far as visible figures allow.
pub(crate) fn dominated(amounts: &[Amount]) -> bool {
    let low: i128 = amounts.iter().map(|amount| amount.interval.lo()).sum();
    amounts.iter().any(|amount| {
        let Some(high) = amount.interval.hi() else { return true };
        // The largest that this one may be, beside the least that the others are.
        let whole = low - amount.interval.lo() + high;
        high > 0 && 100 * high >= MOST_OF_IT * whole
    })
}

/// The contributors among `of` that `have` a figure.
pub(crate) fn only(of: &Contributors, have: &BTreeSet<CommuneCode>) -> Contributors {
    of.iter().filter(|(one, _)| have.contains(one)).map(|(one, id)| (*one, *id)).collect()
}

#[cfg(test)]
mod tests {
    use model::Decimals;
    use statistics::Interval;

    use super::*;

    fn amount(low: i128, high: Option<i128>) -> Amount {
        let interval = Interval::between(low, high).expect("in order");
        Amount { interval, decimals: Decimals::NONE }
    }

    fn known(values: &[i128]) -> Vec<Amount> {
        values.iter().map(|value| amount(*value, Some(*value))).collect()
    }

    #[test]
    fn eighty_five_hundredths_are_too_much_and_less_are_not() {
        assert!(dominated(&known(&[85, 5, 5, 5])));
        assert!(!dominated(&known(&[84, 6, 5, 5])));
        assert!(dominated(&known(&[0, 0, 0, 1])), "one is all of it");
        assert!(!dominated(&known(&[0, 0, 0, 0])), "nothing is nobody's");
    }

    #[test]
    fn what_is_hidden_may_be_most_of_it() {
        assert!(dominated(&[amount(1, Some(90)), amount(5, Some(5)), amount(5, Some(5)), amount(5, Some(5))]));
        assert!(!dominated(&[amount(1, Some(4)), amount(5, Some(5)), amount(5, Some(5)), amount(5, Some(5))]));
        assert!(dominated(&[amount(1, None), amount(1000, Some(1000)), amount(1000, Some(1000))]));
    }
}
