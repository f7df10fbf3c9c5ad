//! Public figures, read: one indicator, every territory, with whose figures they are.
//!
//! Figures of two sources, two years or two geographies are never put together: each is a series of its own. What
//! several communes have together is a sum only of what adds up, a ratio of sums where both terms are there, and
//! otherwise what the producer itself publishes for the larger territory.

pub(crate) mod block;
mod catalogue;
mod quarters;
mod series;
mod together;

pub use catalogue::{Edition, PublicEntry};
pub use series::{PublicFile, PublicGroup, PublicRow, PublicSeries};
pub use store::hub::PublicImport;

use methodology::{Layout, PublicIndicator, PublicRatio};
use model::{Code, CogYear, Failure, FailureKind, Hash, IndicatorCode, Period};

use crate::{Hub, failure};
use series::{Kept, SeriesKey, Term};

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicQuestion {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// Which period; all without.
    pub period: Option<Period>,
    /// Whose; all without.
    pub source: Option<Code>,
    /// In which geography; all without.
    pub geography: Option<CogYear>,
}

impl PublicQuestion {
    fn asks_for(&self, key: &SeriesKey) -> bool {
        self.period.is_none_or(|period| period == key.period)
            && self.source.as_ref().is_none_or(|source| *source == key.source)
            && self.geography.is_none_or(|geography| geography == key.geography)
    }
}

/// The journal and the layouts that it names.
struct Journal {
    imports: Vec<(u64, PublicImport)>,
    layouts: Vec<(Hash, Layout)>,
}

impl Journal {
    fn import(&self, number: u64) -> Option<&PublicImport> {
        self.imports.iter().find(|(known, _)| *known == number).map(|(_, import)| import)
    }

    fn layout(&self, number: u64) -> Option<&Layout> {
        let hash = self.import(number)?.layout;
        self.layouts.iter().find(|(known, _)| *known == hash).map(|(_, layout)| layout)
    }

    fn ratio(&self, code: &IndicatorCode) -> Option<&PublicRatio> {
        self.layouts.iter().flat_map(|(_, layout)| &layout.ratios).find(|ratio| ratio.indicator.code == *code)
    }

    fn measured(&self, code: &IndicatorCode) -> bool {
        self.layouts.iter().any(|(_, layout)| layout.columns.iter().any(|column| column.indicator.code == *code))
    }
}

impl Hub {
    /// All series of an indicator that the question asks for: latest year first, then by geography and source.
    ///
    /// # Errors
    /// An indicator that no import brought, or not for what was asked.
    pub async fn public_figures(&self, question: &PublicQuestion) -> Result<Vec<PublicSeries>, Failure> {
        let journal = self.import_journal().await?;
        let mut all = match journal.ratio(&question.indicator) {
            Some(ratio) => self.ratio_series(&journal, question, ratio).await?,
            None if journal.measured(&question.indicator) => self.measured_series(&journal, question).await?,
            None => return Err(unknown(&question.indicator)),
        };
        if all.is_empty() {
            // A layout may name a column that no file of it had.
            let anything = question.period.is_none() && question.source.is_none() && question.geography.is_none();
            return Err(if anything { unknown(&question.indicator) } else { absent(question) });
        }
        all.sort_by(|left, right| {
            let order = |one: &PublicSeries| (std::cmp::Reverse(one.period), one.geography, one.source.clone());
            order(left).cmp(&order(right))
        });
        Ok(all)
    }

    /// Every import that changed something, oldest first, with its number.
    pub async fn public_imports(&self) -> Result<Vec<(u64, PublicImport)>, Failure> {
        self.0.store.public_imports().await.map_err(failure::storage)
    }

    async fn import_journal(&self) -> Result<Journal, Failure> {
        let imports = self.public_imports().await?;
        let mut layouts = Vec::new();
        for kept in self.0.store.public_layouts().await.map_err(failure::storage)? {
            let files = std::collections::BTreeMap::from([(kept.code.to_string(), kept.document)]);
            let read = methodology::layouts(&files).map_err(|_| failure::damaged("layout"))?;
            layouts.extend(read.into_iter().map(|layout| (kept.hash, layout)));
        }
        Ok(Journal { imports, layouts })
    }

    async fn measured_series(
        &self,
        journal: &Journal,
        question: &PublicQuestion,
    ) -> Result<Vec<PublicSeries>, Failure> {
        let kept = self.kept(journal, &question.indicator).await?;
        let asked = kept.into_iter().filter(|(key, _)| question.asks_for(key));
        asked.map(|(key, kept)| self.series(journal, &key, &kept, None)).collect()
    }

    async fn ratio_series(
        &self,
        journal: &Journal,
        question: &PublicQuestion,
        ratio: &PublicRatio,
    ) -> Result<Vec<PublicSeries>, Failure> {
        let numerators = self.kept(journal, &ratio.numerator).await?;
        let mut denominators = self.kept(journal, &ratio.denominator).await?;
        let mut all = Vec::new();
        for (key, numerator) in numerators.into_iter().filter(|(key, _)| question.asks_for(key)) {
            // Both terms of one source, year and geography, or no ratio.
            if let Some(denominator) = denominators.remove(&key) {
                let terms = Term { ratio, denominator: &denominator };
                all.push(self.series(journal, &key, &numerator, Some(&terms))?);
            }
        }
        Ok(all)
    }

    /// All that is kept of an indicator, by series.
    async fn kept(
        &self,
        journal: &Journal,
        indicator: &IndicatorCode,
    ) -> Result<std::collections::BTreeMap<SeriesKey, Kept>, Failure> {
        let parts = self.0.communes.departements();
        let blocks = self.0.store.public_blocks(indicator, &parts).await.map_err(failure::storage)?;
        series::kept(journal, blocks)
    }
}

fn definition<'a>(layout: &'a Layout, indicator: &IndicatorCode) -> Result<&'a PublicIndicator, Failure> {
    layout.indicator(indicator).ok_or_else(|| failure::damaged("layout"))
}

fn unknown(indicator: &IndicatorCode) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "PUBLIC_INDICATOR_UNKNOWN",
        format!("no import brought {indicator}"),
        format!(
            "Aucun fichier importé ne porte l’indicateur « {indicator} ». « maillage hub figures » liste ceux qui sont là ; « maillage hub import FICHIER » en ajoute."
        ),
    )
}

fn absent(question: &PublicQuestion) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "PUBLIC_FIGURES_ABSENT",
        format!("{} is there, but not for what was asked", question.indicator),
        format!(
            "L’indicateur « {} » est là, mais pas pour cette période, cette source ou cette géographie. « maillage hub figures » dit ce qui est là.",
            question.indicator
        ),
    )
}
