//! What there is.

use std::collections::{BTreeMap, BTreeSet};

use methodology::{Layout, PublicIndicator};
use model::{Code, CogYear, Failure, IndicatorCode, Level, Period};
use store::hub::BlockKey;

use super::definition;
use crate::{Hub, failure};

/// An indicator of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicEntry {
    /// What it is.
    pub indicator: PublicIndicator,
    /// Whose.
    pub source: Code,
    /// Producer, title, licence.
    pub source_line: String,
    /// For which years, in which geographies, latest year first.
    pub editions: Vec<Edition>,
}

/// A year of an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// What the figures speak of.
    pub period: Period,
    /// The communes that they are of.
    pub geography: CogYear,
    /// For which kinds of territory.
    pub levels: BTreeSet<Level>,
}

type Dates = BTreeMap<(Period, CogYear), BTreeSet<Level>>;

impl Hub {
    /// Every indicator of every source, by theme, then by title; ratios whose two terms are there included.
    pub async fn public_catalogue(&self) -> Result<Vec<PublicEntry>, Failure> {
        let journal = self.import_journal().await?;
        let mut dates: BTreeMap<(Code, IndicatorCode), Dates> = BTreeMap::new();
        let mut latest: BTreeMap<(Code, IndicatorCode), u64> = BTreeMap::new();
        for (key, import) in self.0.store.public_keys().await.map_err(failure::storage)? {
            let BlockKey { indicator, source, period, geography, level, part: _ } = key;
            let of = (source, indicator);
            let last = latest.entry(of.clone()).or_default();
            *last = import.max(*last);
            dates.entry(of).or_default().entry((period, geography)).or_default().insert(level);
        }
        let mut entries = Vec::new();
        for ((source, code), dated) in &dates {
            let layout = latest
                .get(&(source.clone(), code.clone()))
                .and_then(|import| journal.layout(*import))
                .ok_or_else(|| failure::damaged("layout"))?;
            entries.push(entry(definition(layout, code)?, source, layout, dated));
            for ratio in layout.ratios.iter().filter(|ratio| ratio.numerator == *code) {
                let Some(below) = dates.get(&(source.clone(), ratio.denominator.clone())) else { continue };
                let both: Dates =
                    dated.iter().filter_map(|(date, levels)| Some((*date, levels & below.get(date)?))).collect();
                if !both.is_empty() {
                    entries.push(entry(&ratio.indicator, source, layout, &both));
                }
            }
        }
        entries.sort_by(|left, right| {
            render::names::compare(&left.indicator.theme, &right.indicator.theme)
                .then_with(|| render::names::compare(&left.indicator.title, &right.indicator.title))
                .then_with(|| left.source.cmp(&right.source))
        });
        Ok(entries)
    }
}

fn entry(indicator: &PublicIndicator, source: &Code, layout: &Layout, dates: &Dates) -> PublicEntry {
    let editions = dates
        .iter()
        .rev()
        .map(|((period, geography), levels)| Edition { period: *period, geography: *geography, levels: levels.clone() })
        .collect();
    PublicEntry { indicator: indicator.clone(), source: source.clone(), source_line: layout.source_line(), editions }
}
