//! Compares communes on one indicator, one period, one place in its breakdown.
//!
//! Hidden figures are intervals, missing ones are silences, zero is a value. What several communes sent is summed only
//! where it may be, under the name of a group of communes and never of the département.

mod ask;
mod commune;
pub mod file;
mod group;
mod position;
mod question;
mod reference;

pub use ask::ask;
pub use position::Spread;
pub use reference::Reference;

use model::{CommuneCode, Decimals, DefinitionHash, Failure, IndicatorCode, Key, PackCode, Period, TableCode};
use statistics::{Bands, Reading, Silence};

use crate::archive::Content;
use crate::auth::Coordinator;
use crate::packs::Packs;
use crate::{Hub, failure};
use commune::{Commune, Row};
use reference::Beside;

/// What to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// Which period.
    pub period: Period,
    /// Which place in its breakdown; the empty key is the total.
    pub key: Key,
    /// Which pack, where several have the indicator.
    pub pack: Option<PackCode>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What was compared.
    pub heading: Heading,
    /// One per commune, in French alphabetical order of names.
    pub communes: Vec<CommuneRow>,
    /// The communes together.
    pub group: Group,
    /// The public figure that each one is read beside, where the definition names one and the hub has it.
    pub reference: Option<Reference>,
    /// Where values lie that large and small communes may be compared by: the value itself, or its rate.
    pub spread: Option<Spread>,
}

/// What the figures are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Pack code.
    pub pack: PackCode,
    /// Its version.
    pub pack_version: String,
    /// Table code.
    pub table: TableCode,
    /// Indicator code.
    pub indicator: IndicatorCode,
    /// French title.
    pub title: String,
    /// French unit.
    pub unit: String,
    /// Period.
    pub period: Period,
    /// What the table's indicators mean.
    pub definition: DefinitionHash,
    /// Whether every figure is invented.
    pub fictional: bool,
}

/// A number as far as it may be known, and how to show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// The number.
    pub reading: Reading,
    /// Whether this figure itself is hidden for secrecy.
    pub suppressed: bool,
    /// Decimal places worth showing.
    pub decimals: Decimals,
}

impl Shown {
    pub(crate) fn silent(silence: Silence, decimals: Decimals) -> Self {
        Self { reading: Reading::Silence(silence), suppressed: false, decimals }
    }
}

/// One commune's figure.
#[derive(Clone, Debug, PartialEq)]
pub struct CommuneRow {
    /// Its code.
    pub territory: CommuneCode,
    /// Its name.
    pub name: String,
    /// The value.
    pub value: Shown,
    /// For a ratio.
    pub numerator: Option<Shown>,
    /// For a ratio.
    pub denominator: Option<Shown>,
    /// For a ratio: the value minus the group's. A count minus a sum of counts would say nothing.
    pub difference: Option<Shown>,
    /// The value per so many of the reference.
    pub rate: Option<Shown>,
    /// In which band of the spread it lies, or may lie.
    pub bands: Option<Bands>,
}

/// The communes together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// French: `groupe des 14 communes`.
    pub name: String,
    /// How many communes contribute.
    pub communes: u32,
    /// The group's figure.
    pub value: Shown,
    /// For a ratio.
    pub numerator: Option<Shown>,
    /// For a ratio.
    pub denominator: Option<Shown>,
    /// The sum per so many of the references' sum.
    pub rate: Option<Shown>,
    /// French, where there is no figure: why.
    pub reason: Option<String>,
}

impl Hub {
    /// Compares for a coordinator, who alone may see other communes' figures.
    pub async fn compare_for(&self, coordinator: &Coordinator, question: &Question) -> Result<Comparison, Failure> {
        tracing::info!(coordinator = %coordinator.name(), indicator = %question.indicator, "comparison");
        self.compare(question).await
    }

    /// Compares, for who holds the hub itself.
    pub async fn compare(&self, question: &Question) -> Result<Comparison, Failure> {
        let packs = self.packs().await?;
        let asked = question::find(question, &packs)?;
        // A public figure is of the whole commune: it says nothing about the part that a place is.
        let beside = if question.key.is_empty() { self.beside(asked.indicator, question.period).await? } else { None };
        let communes = self.communes(question, &packs).await?;
        let hub = self.clone();
        let question = question.clone();
        tokio::task::spawn_blocking(move || hub.answer(&question, &communes, &packs, beside.as_ref()))
            .await
            .map_err(|_| failure::internal("COMPARE", "a comparison was interrupted"))?
    }

    /// Communes that sent the table, and those that are expected to: every commune with a living node.
    async fn communes(&self, question: &Question, packs: &Packs) -> Result<Vec<Commune>, Failure> {
        let asked = question::find(question, packs)?;
        let pack = asked.published.pack.code();
        let current =
            self.0.store.current(pack, asked.table.code(), question.period).await.map_err(failure::storage)?;
        let mut communes = Vec::with_capacity(current.len());
        for pointer in current {
            let content = self.0.archive.content_of(pointer.submission, pointer.state).await?;
            communes.push(Commune { slice: pointer.slice, content });
        }
        for record in self.0.store.nodes().await.map_err(failure::storage)? {
            let territory = record.node.provider;
            let living = record.revoked_at.is_none();
            if living && !communes.iter().any(|commune| commune.slice.territory == territory) {
                let slice = model::Slice {
                    territory,
                    pack: pack.clone(),
                    table: asked.table.code().clone(),
                    period: question.period,
                };
                communes.push(Commune { slice, content: Content::Absent });
            }
        }
        Ok(communes)
    }

    /// Long where something is hidden: runs off the event loop.
    fn answer(
        &self,
        question: &Question,
        communes: &[Commune],
        packs: &Packs,
        beside: Option<&Beside>,
    ) -> Result<Comparison, Failure> {
        let asked = question::find(question, packs)?;
        let decimals = asked.indicator.shown();
        let mut rows: Vec<Row> =
            communes.iter().map(|commune| commune.read(&asked, &question.key, &self.0.solved)).collect();
        let names: Vec<String> = rows.iter().map(|row| self.0.communes.name(row.territory)).collect();
        let mut rows: Vec<(String, Row)> = names.into_iter().zip(rows.drain(..)).collect();
        render::names::sort_by_name(&mut rows, |(name, _)| name);
        let figures: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
        let mut group = group::together(&asked, &figures);
        group.rate = beside.filter(|_| group.reason.is_none()).and_then(|beside| beside.together(&figures));
        let mut communes: Vec<CommuneRow> = rows
            .iter()
            .map(|(name, row)| CommuneRow {
                territory: row.territory,
                name: name.clone(),
                value: row.value,
                numerator: row.numerator,
                denominator: row.denominator,
                difference: asked.indicator.ratio().and_then(|_| {
                    let reading = row.value.reading.minus(group.value.reading)?;
                    Some(Shown { reading, suppressed: false, decimals })
                }),
                rate: beside.and_then(|beside| beside.rate(row)),
                bands: None,
            })
            .collect();
        let nothing = Shown::silent(Silence::NotReceived, decimals);
        let compared: Option<Vec<Shown>> = if position::compares(asked.indicator) {
            Some(communes.iter().map(|row| row.value).collect())
        } else {
            beside.map(|_| communes.iter().map(|row| row.rate.unwrap_or(nothing)).collect())
        };
        let spread = compared.and_then(|values| position::spread(&values)).map(|(spread, bands)| {
            communes.iter_mut().zip(bands).for_each(|(row, bands)| row.bands = bands);
            spread
        });
        let heading = Heading {
            pack: asked.published.pack.code().clone(),
            pack_version: asked.published.pack.version().to_owned(),
            table: asked.table.code().clone(),
            indicator: asked.indicator.code.clone(),
            title: asked.indicator.title.clone(),
            unit: asked.indicator.unit.clone(),
            period: question.period,
            definition: asked.table.definition_hash(),
            fictional: self.config().fictional,
        };
        let reference = beside.map(|beside| beside.reference.clone());
        Ok(Comparison { heading, communes, group, reference, spread })
    }
}
