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

pub use ask::{ask, ask_for_profile, ask_through, connect};
pub use position::{Quartiles, Spread};
pub use reference::Reference;
pub use wire::client::HubClient;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Audience, CommuneCode, Decimals, DefinitionHash, Failure, IndicatorCode, Key, PackCode, Period, Slice, TableCode,
};
use statistics::{Bands, Reading, Silence};

use crate::archive::Content;
use crate::visibility::group::{self as few, About, Contributors, LEAST};
use crate::visibility::{Reader, Showing};
use crate::{Hub, failure};
use commune::{Commune, Row};
use question::Asked;
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
    /// One per commune that may be seen by name, in French alphabetical order.
    pub communes: Vec<CommuneRow>,
    /// The communes together.
    pub group: Group,
    /// The public figure that each one is read beside, where the definition names one and the hub has it.
    pub reference: Option<Reference>,
    /// Where values lie that large and small communes may be compared by: the value itself, or its rate.
    pub spread: Option<Spread>,
    /// How other communes' figures are shown to who asked.
    pub others: Showing,
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
    /// French title of the table.
    pub table_title: String,
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

impl CommuneRow {
    /// Whether its commune keeps it from who asked.
    pub fn withheld(&self) -> bool {
        self.value.reading == Reading::Silence(Silence::NotShared)
    }
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

/// What a group is computed from.
enum Grouped {
    /// The communes that are shown by name.
    Named,
    /// Communes that are not; these rows, of this day where it is not today.
    Apart { rows: Vec<Row>, since: Option<model::Timestamp> },
    /// Nothing, for this French reason.
    Refused(String),
}

impl Hub {
    /// Compares for `reader`, as far as communes share their figures with such readers and the policy shows them.
    pub async fn compare(&self, reader: &Reader, question: &Question) -> Result<Comparison, Failure> {
        tracing::info!(audience = %reader.audience(), indicator = %question.indicator, "comparison");
        let packs = self.packs().await?;
        let asked = question::find(question, &packs)?;
        let (pack, table) = (asked.published.pack.code(), asked.table.code());
        let others = self.policy(&packs)?.showing(reader.audience(), pack, table, &question.indicator);
        // A public figure is of the whole commune: it says nothing about the part that a place is.
        let beside = if question.key.is_empty() { self.beside(asked.indicator, question.period).await? } else { None };
        let about = About { audience: reader.audience(), pack, table, period: question.period };
        let sent = self.sent(reader, &about).await?;
        let mut communes = sent.communes;
        let grouped = match others {
            Showing::Named => Grouped::Named,
            Showing::Bands | Showing::Nothing => {
                communes.retain(|commune| reader.owns(commune.slice.territory));
                self.apart(reader, question, &about, &sent.sharing).await?
            }
        };
        let rows = self.rows(communes, question).await?;
        let named = rows.iter().map(|row| (self.0.communes.name(row.territory), row.clone()));
        let mut named: Vec<(String, Row)> = named.collect();
        render::names::sort_by_name(&mut named, |(name, _)| name);
        Ok(self.answer(question, &asked, &named, &grouped, beside.as_ref(), others))
    }

    /// Communes that sent the table and share it with `reader`, its own, and, for the coordination, those that are
    /// expected to: every commune with a living node.
    async fn sent(&self, reader: &Reader, about: &About<'_>) -> Result<Sent, Failure> {
        let About { audience, pack, table, period } = *about;
        let current = self.0.store.current(pack, table, period).await.map_err(failure::storage)?;
        // After the pointers: a commune that says no in between is obeyed.
        let said = self.0.store.shared(pack, table, period).await.map_err(failure::storage)?;
        let said: BTreeMap<CommuneCode, _> =
            said.into_iter().map(|shared| (shared.slice.territory, shared.audiences)).collect();
        let coordination = audience == Audience::Coordinators;
        let mut silent = BTreeSet::new();
        for provider in self.silent_since_restoration().await? {
            silent.extend(self.rights(provider).await?);
        }
        let mut sent = Sent { communes: Vec::with_capacity(current.len()), sharing: Vec::new() };
        for pointer in current {
            let territory = pointer.slice.territory;
            // What a restored hub forgot may be a no.
            let unsure = !coordination && silent.contains(&territory) && !reader.owns(territory);
            if unsure || !reader.sees(territory, said.get(&territory)) {
                if coordination {
                    sent.communes.push(Commune { slice: pointer.slice, content: None });
                }
                continue;
            }
            let content = self.0.archive.content_of(pointer.submission, pointer.state).await?;
            let present = matches!(content, Content::Present(..));
            // Its own figures are not shared with a commune for being its own.
            let shares = said.get(&territory).map_or(coordination, |said| said.contains(&audience));
            if present && shares && (coordination || !silent.contains(&territory)) {
                sent.sharing.push((pointer.slice.clone(), pointer.submission));
            }
            if present || coordination || reader.owns(territory) {
                sent.communes.push(Commune { slice: pointer.slice, content: Some(content) });
            }
        }
        for record in self.0.store.nodes().await.map_err(failure::storage)? {
            let territory = record.node.provider;
            let expected = record.revoked_at.is_none() && (coordination || reader.owns(territory));
            if expected && !sent.communes.iter().any(|commune| commune.slice.territory == territory) {
                let slice = Slice { territory, pack: pack.clone(), table: table.clone(), period };
                sent.communes.push(Commune { slice, content: Some(Content::Absent) });
            }
        }
        Ok(sent)
    }

    /// The group for a reader who does not see its communes by name.
    async fn apart(
        &self,
        reader: &Reader,
        question: &Question,
        about: &About<'_>,
        sharing: &[(Slice, model::SubmissionId)],
    ) -> Result<Grouped, Failure> {
        let with = render::audience::label(about.audience);
        let today: Contributors = sharing.iter().map(|(slice, id)| (slice.territory, *id)).collect();
        let still: BTreeSet<CommuneCode> = today.keys().copied().collect();
        let Some(together) = self.together(about, &today, &still).await? else {
            return Ok(Grouped::Refused(if today.len() < LEAST {
                format!(
                    "Moins de quatre communes partagent ce tableau avec {with} : le chiffre de leur groupe n’est pas montré."
                )
            } else {
                "Trop peu de communes ont rejoint le groupe, l’ont quitté ou ont corrigé leurs chiffres depuis qu’il a été montré : la différence désignerait l’une d’elles. Son chiffre sera montré à nouveau quand d’autres l’auront fait.".to_owned()
            }));
        };
        let is_member = about.audience == Audience::Members;
        if is_member && !together.of.keys().any(|one| reader.owns(*one)) {
            return Ok(Grouped::Refused(if still.iter().any(|one| reader.owns(*one)) {
                "Votre commune vient de rejoindre le groupe : son chiffre sera montré quand d’autres l’auront fait aussi, pour que la différence ne désigne personne.".to_owned()
            } else {
                format!(
                    "Le chiffre du groupe est montré aux communes qui y contribuent. Pour en être, partagez ce tableau avec {with} : maillage node share --pack {} --table {} --period {} --with coordination,communes",
                    about.pack, about.table, about.period
                )
            }));
        }
        let mut communes = Vec::with_capacity(together.of.len());
        for (territory, submission) in &together.of {
            // Destroyed since: what stood there is not shown again.
            let Some(slices) = self.0.archive.slices(*submission).await? else {
                return Ok(Grouped::Refused("Les chiffres d’une commune du groupe ont été détruits.".to_owned()));
            };
            let slice = Slice {
                territory: *territory,
                pack: about.pack.clone(),
                table: about.table.clone(),
                period: about.period,
            };
            communes.push(Commune { slice, content: Some(Content::Present(*submission, slices)) });
        }
        let mut rows = self.rows(communes, question).await?;
        let have: BTreeSet<CommuneCode> =
            rows.iter().filter(|row| row.terms.is_some()).map(|row| row.territory).collect();
        let with_figures = few::only(&together.of, &have);
        if with_figures != together.of {
            // Another set of communes than for the table's other figures is another group, and judged as one.
            let judged = self.together(about, &with_figures, &still).await?;
            if judged.is_none_or(|judged| judged.of != with_figures) {
                return Ok(Grouped::Refused(
                    "Des communes du groupe n’ont pas ce chiffre ; celui des autres en dirait trop sur quelques-unes."
                        .to_owned(),
                ));
            }
            rows.retain(|row| have.contains(&row.territory));
        }
        let parts = rows.iter().filter_map(|row| row.terms.as_ref());
        if (0..2).any(|part| few::dominated(&parts.clone().filter_map(|terms| terms.part(part)).collect::<Vec<_>>())) {
            return Ok(Grouped::Refused(
                "Une seule commune pourrait faire 85 % ou plus de ce total : il n’est pas montré.".to_owned(),
            ));
        }
        Ok(Grouped::Apart { rows, since: together.since })
    }

    /// Reads the figures of `communes`. Long where something is hidden: off the event loop.
    async fn rows(&self, communes: Vec<Commune>, question: &Question) -> Result<Vec<Row>, Failure> {
        let packs = self.packs().await?;
        let (hub, question) = (self.clone(), question.clone());
        tokio::task::spawn_blocking(move || {
            let asked = question::find(&question, &packs)?;
            Ok(communes.iter().map(|commune| commune.read(&asked, &question.key, &hub.0.solved)).collect())
        })
        .await
        .map_err(|_| failure::internal("COMPARE", "a comparison was interrupted"))?
    }

    fn answer(
        &self,
        question: &Question,
        asked: &Asked<'_>,
        named: &[(String, Row)],
        grouped: &Grouped,
        beside: Option<&Beside>,
        others: Showing,
    ) -> Comparison {
        let decimals = asked.indicator.shown();
        let figures: Vec<&Row> = match grouped {
            Grouped::Named => named.iter().map(|(_, row)| row).collect(),
            Grouped::Apart { rows, .. } => rows.iter().collect(),
            Grouped::Refused(_) => Vec::new(),
        };
        let mut group = group::together(asked, &figures);
        match grouped {
            Grouped::Named | Grouped::Apart { since: None, .. } => {}
            Grouped::Apart { since: Some(since), .. } => {
                group.name = format!("{} (état du {})", group.name, render::date::day(*since));
            }
            Grouped::Refused(reason) => group.refuse(reason.clone()),
        }
        group.rate = beside.filter(|_| group.reason.is_none()).and_then(|beside| beside.together(&figures));
        let mut communes: Vec<CommuneRow> = named
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
        let spread = if others == Showing::Nothing { None } else { spread(asked, &figures, beside) };
        let spread = spread.map(|(mut spread, bands)| {
            for (row, bands) in figures.iter().zip(bands) {
                if let Some(own) = communes.iter_mut().find(|own| own.territory == row.territory) {
                    own.bands = bands;
                }
            }
            // The lowest and the highest are somebody's.
            spread.quartiles = spread.quartiles.filter(|_| others == Showing::Named);
            spread
        });
        let heading = Heading {
            pack: asked.published.pack.code().clone(),
            pack_version: asked.published.pack.version().to_owned(),
            table: asked.table.code().clone(),
            table_title: asked.table.title().to_owned(),
            indicator: asked.indicator.code.clone(),
            title: asked.indicator.title.clone(),
            unit: asked.indicator.unit.clone(),
            period: question.period,
            definition: asked.table.definition_hash(),
            fictional: self.config().fictional,
        };
        let reference = beside.map(|beside| beside.reference.clone());
        Comparison { heading, communes, group, reference, spread, others }
    }
}

/// What there is for one reader.
struct Sent {
    /// What may be read commune by commune, as far as others are shown by name.
    communes: Vec<Commune>,
    /// Slices that hold figures and are shared with such readers, with their documents.
    sharing: Vec<(Slice, model::SubmissionId)>,
}

/// Where the values of `rows` lie that may be compared, and the band of each.
fn spread(asked: &Asked<'_>, rows: &[&Row], beside: Option<&Beside>) -> Option<(Spread, Vec<Option<Bands>>)> {
    let nothing = Shown::silent(Silence::NotReceived, asked.indicator.shown());
    let values: Vec<Shown> = if position::compares(asked.indicator) {
        rows.iter().map(|row| row.value).collect()
    } else {
        let beside = beside?;
        rows.iter().map(|row| beside.rate(row).unwrap_or(nothing)).collect()
    };
    position::spread(&values)
}
