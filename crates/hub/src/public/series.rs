//! One series: an indicator, a source, a year, a geography.

use std::collections::{BTreeMap, BTreeSet};

use methodology::{Aggregation, PublicIndicator, PublicRatio};
use model::{
    Area, Code, CogYear, Decimals, Failure, Figure, Hash, IndicatorCode, Level, MissingReason, Period, Timestamp,
};
use statistics::{Amount, Interval, Ratio, Reading, Silence};
use store::hub::PublicBlock;

use super::block::Block;
use super::quarters::Sums;
use super::together::{Of, together};
use super::{Journal, definition, quarters};
use crate::cog::Communes;
use crate::compare::Shown;
use crate::{Hub, failure};

/// Figures of one indicator from one source, for one year and one geography.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicSeries {
    /// What it is.
    pub indicator: PublicIndicator,
    /// Whose figures.
    pub source: Code,
    /// What they speak of.
    pub period: Period,
    /// The communes that its rows are.
    pub geography: CogYear,
    /// Producer, title, licence: to be shown beside every figure.
    pub source_line: String,
    /// Where the producer publishes it.
    pub url: String,
    /// The files that brought these figures, oldest import first.
    pub files: Vec<PublicFile>,
    /// The communes of this hub, in French alphabetical order of names; none where all figures are of parts of communes
    /// that do not add up to them.
    pub communes: Vec<PublicRow>,
    /// IRIS and quartiers prioritaires of the hub's département, by code. Where the figures of IRIS add up and their
    /// producer gives none for communes, those of communes are sums of these.
    pub quarters: Vec<PublicRow>,
    /// The communes together.
    pub group: PublicGroup,
    /// The producer's own figures of the département, the région, France.
    pub references: Vec<PublicRow>,
    /// What one must know to read it, in French.
    pub notes: Vec<String>,
}

/// A file that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFile {
    /// Its name, without its folder.
    pub name: String,
    /// SHA-256.
    pub hash: Hash,
    /// When.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
}

/// One territory's figure.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicRow {
    /// Which.
    pub area: Area,
    /// Its name in this geography.
    pub name: String,
    /// The value.
    pub value: Shown,
    /// For a ratio.
    pub numerator: Option<Shown>,
    /// For a ratio.
    pub denominator: Option<Shown>,
    /// Whether its producer once published something else.
    pub revised: bool,
}

/// The communes together.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicGroup {
    /// French.
    pub name: String,
    /// Communes of this hub in this geography; quartiers prioritaires, if the series is only about these.
    pub expected: u32,
    /// Of these, those whose figure is in the value.
    pub counted: u32,
    /// Those whose figure is not: names, in French alphabetical order.
    pub lacking: Vec<String>,
    /// The value.
    pub value: Shown,
    /// Why there is none, in French.
    pub reason: Option<String>,
}

/// Which figures belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    pub(super) source: Code,
    pub(super) period: Period,
    pub(super) geography: CogYear,
}

/// What is kept of a series.
pub(super) struct Kept {
    indicator: IndicatorCode,
    /// The import that made the latest version of each block.
    imports: BTreeMap<(Level, String), u64>,
    pub(super) figures: BTreeMap<Area, One>,
}

/// One figure, and whether it was revised.
#[derive(Clone, Copy)]
pub(super) struct One {
    figure: Figure,
    decimals: Decimals,
    revised: bool,
}

/// The other half of a ratio whose numerators are at hand.
pub(super) struct Term<'a> {
    pub(super) ratio: &'a PublicRatio,
    pub(super) denominator: &'a Kept,
}

/// Sorts blocks, which come in ascending order of version, into series.
pub(super) fn kept(journal: &Journal, blocks: Vec<PublicBlock>) -> Result<BTreeMap<SeriesKey, Kept>, Failure> {
    let damaged = || failure::damaged("public figures");
    let mut all: BTreeMap<SeriesKey, Kept> = BTreeMap::new();
    for stored in blocks {
        journal.import(stored.import).ok_or_else(damaged)?;
        let block = Block::decode(&stored.block).ok_or_else(damaged)?;
        let key = SeriesKey { source: stored.key.source, period: stored.key.period, geography: stored.key.geography };
        let kept = all.entry(key).or_insert_with(|| Kept {
            indicator: stored.key.indicator,
            imports: BTreeMap::new(),
            figures: BTreeMap::new(),
        });
        kept.imports.insert((stored.key.level, stored.key.part), stored.import);
        for (code, figure) in block.figures {
            let area = Area::new(stored.key.level, &code).map_err(|_| damaged())?;
            let one = One { figure, decimals: block.decimals, revised: false };
            kept.figures.entry(area).and_modify(|known| *known = known.then(one)).or_insert(one);
        }
    }
    Ok(all)
}

impl One {
    /// This figure after a later version of its block.
    fn then(self, later: Self) -> Self {
        let same = match (self.figure, later.figure) {
            (Figure::Observed(before), Figure::Observed(after)) => {
                i128::from(before) * i128::from(later.decimals.one())
                    == i128::from(after) * i128::from(self.decimals.one())
            }
            (before, after) => before == after,
        };
        Self { revised: self.revised || !same, ..later }
    }

    fn half(self, signed: bool) -> Half {
        let silence = match self.figure {
            Figure::Missing(MissingReason::NotYetAvailable) => Silence::NotYetAvailable,
            Figure::NotApplicable => Silence::NotApplicable,
            Figure::Observed(_) | Figure::Suppressed | Figure::Missing(MissingReason::NotCollected) => {
                Silence::NotCollected
            }
        };
        let suppressed = self.figure == Figure::Suppressed;
        Half { amount: self.amount(signed), silence, suppressed, revised: self.revised }
    }

    fn amount(self, signed: bool) -> Option<Amount> {
        let interval = match self.figure {
            Figure::Observed(units) => Interval::known(units),
            Figure::Suppressed => unknown(signed)?,
            Figure::Missing(_) | Figure::NotApplicable => return None,
        };
        Some(Amount { interval, decimals: self.decimals })
    }

    /// What it brings to the sum of a territory that it is a part of: nobody knows what a missing part would bring.
    pub(super) fn in_sum(self, signed: bool) -> Option<Amount> {
        match self.figure {
            Figure::NotApplicable => Some(Amount { interval: Interval::known(0), decimals: self.decimals }),
            Figure::Missing(_) => Some(Amount { interval: unknown(signed)?, decimals: self.decimals }),
            Figure::Observed(_) | Figure::Suppressed => self.amount(signed),
        }
    }

    pub(super) fn is_revised(self) -> bool {
        self.revised
    }
}

fn unknown(signed: bool) -> Option<Interval> {
    Interval::between(if signed { i128::from(i64::MIN) } else { 0 }, None)
}

/// What a territory has in one term: its producer's figure, or the sum of its parts.
#[derive(Clone, Copy)]
pub(super) struct Half {
    pub(super) amount: Option<Amount>,
    /// Where there is no amount.
    pub(super) silence: Silence,
    pub(super) suppressed: bool,
    pub(super) revised: bool,
}

impl Half {
    fn shown(self, decimals: Decimals) -> Shown {
        let reading = self.amount.map_or(Reading::Silence(self.silence), Amount::reading);
        Shown { reading, suppressed: self.suppressed, decimals }
    }
}

/// What a territory brings to a sum.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    One(Amount),
    Two(Amount, Amount),
}

impl Hub {
    /// One series as people read it; with `terms`, `kept` holds the numerators.
    pub(super) fn series(
        &self,
        journal: &Journal,
        key: &SeriesKey,
        kept: &Kept,
        terms: Option<&Term<'_>>,
    ) -> Result<PublicSeries, Failure> {
        let damaged = || failure::damaged("public figures");
        let halves = std::iter::once(kept).chain(terms.map(|terms| terms.denominator));
        let imports: BTreeSet<u64> = halves.flat_map(|half| half.imports.values().copied()).collect();
        let layout = imports.last().and_then(|last| journal.layout(*last)).ok_or_else(damaged)?;
        let files: Vec<PublicFile> = imports
            .iter()
            .filter_map(|number| journal.import(*number))
            .map(|import| PublicFile {
                name: import.file_name.clone(),
                hash: import.file_hash,
                imported_at: import.imported_at,
                imported_by: import.imported_by.clone(),
            })
            .collect();
        let measured = definition(layout, &kept.indicator)?;
        let indicator = terms.map_or(measured, |terms| &terms.ratio.indicator).clone();
        let signed = layout.columns.iter().any(|column| column.indicator.code == kept.indicator && column.signed);
        let adds = measured.aggregation == Aggregation::Additive;
        let sums = |half: &Kept| if adds { quarters::sums(half, signed) } else { BTreeMap::new() };
        let sums = (sums(kept), terms.map(|terms| sums(terms.denominator)).unwrap_or_default());
        let reader = Reader { kept, terms, indicator: &indicator, signed, sums: &sums };

        let expected: BTreeSet<Area> = self
            .0
            .communes
            .in_geography(key.geography)
            .filter_map(|commune| Area::new(Level::Commune, commune.as_str()).ok())
            .collect();
        let ours = self.0.communes.departements();
        let inside = |area: &&Area| area.departement().is_some_and(|code| ours.iter().any(|known| known == code));
        let present: BTreeSet<Area> =
            reader.areas().filter(|area| area.level() == Level::Commune).filter(inside).cloned().collect();
        let quarters: Vec<Area> = reader
            .areas()
            .filter(|area| matches!(area.level(), Level::Iris | Level::Qpv))
            .filter(inside)
            .cloned()
            .collect();
        let named = |area: Area| {
            let name = self.0.communes.area_name(&area, key.geography);
            reader.row(area, name)
        };
        // A quartier prioritaire may lie in several communes: its figures are of no commune, and add up among themselves.
        let of = if present.is_empty() && !quarters.is_empty() { Of::Quarters } else { Of::Communes };
        let all: BTreeSet<Area> = match of {
            Of::Communes => present.into_iter().chain(expected).collect(),
            Of::Quarters => quarters.iter().filter(|area| area.level() == Level::Qpv).cloned().collect(),
        };
        let shares: Vec<Share> = all.iter().filter_map(|area| reader.share(area)).collect();
        let mut group = together(&indicator, terms.map(|terms| terms.ratio), &shares, all.len(), of);
        if group.reason.is_none() {
            let lacking = all.iter().filter(|area| reader.share(area).is_none());
            group.lacking = lacking.map(|area| self.0.communes.area_name(area, key.geography)).collect();
            render::names::sort_by_name(&mut group.lacking, |name| name);
        }
        let communes = if of == Of::Communes { all } else { BTreeSet::new() };
        let mut communes: Vec<PublicRow> = communes.into_iter().map(named).collect();
        render::names::sort_by_name(&mut communes, |row| &row.name);
        let quarters: Vec<PublicRow> = quarters.into_iter().map(named).collect();
        let mut notes = self.notes(key);
        notes.extend(quarters::note(&communes, &quarters, !sums.0.is_empty()));
        let references = references(&ours).into_iter().filter(|area| reader.has(area)).map(named).collect();
        Ok(PublicSeries {
            source: key.source.clone(),
            period: key.period,
            geography: key.geography,
            source_line: layout.source_line(),
            url: layout.url.clone(),
            files,
            notes,
            communes,
            quarters,
            group,
            references,
            indicator,
        })
    }

    fn notes(&self, key: &SeriesKey) -> Vec<String> {
        let communes = &self.0.communes;
        communes
            .to_be_absorbed(key.geography)
            .map(|step| {
                format!(
                    "Géographie {} : {} ({}) y est encore une commune, distincte de {} qui l’a absorbée en {}. Ces chiffres ne se comparent pas tels quels à ceux d’une géographie plus récente.",
                    key.geography.0,
                    communes.name(step.former),
                    step.former,
                    communes.name(step.successor),
                    step.since.0
                )
            })
            .collect()
    }
}

/// The département, its région, France: smallest first.
fn references(departements: &[String]) -> Vec<Area> {
    let mut areas: Vec<Area> =
        departements.iter().filter_map(|code| Area::new(Level::Departement, code).ok()).collect();
    let regions: BTreeSet<&str> = departements.iter().filter_map(|code| Communes::region_of(code)).collect();
    areas.extend(regions.into_iter().filter_map(|code| Area::new(Level::Region, code).ok()));
    areas.extend(Area::new(Level::Metropole, Area::METROPOLE).ok());
    areas.extend(Area::new(Level::France, Area::FRANCE).ok());
    areas
}

struct Reader<'a> {
    kept: &'a Kept,
    terms: Option<&'a Term<'a>>,
    indicator: &'a PublicIndicator,
    signed: bool,
    /// Of communes that have no figure but those of their parts: of the figures, or of numerators and denominators.
    sums: &'a (Sums, Sums),
}

impl Reader<'_> {
    fn areas(&self) -> impl Iterator<Item = &Area> {
        self.kept.figures.keys().chain(self.sums.0.keys())
    }

    fn has(&self, area: &Area) -> bool {
        self.kept.figures.contains_key(area)
    }

    fn halves(&self, area: &Area) -> (Option<Half>, Option<Half>) {
        let half = |kept: &Kept, sums: &Sums, signed: bool| {
            kept.figures.get(area).map(|one| one.half(signed)).or_else(|| sums.get(area).copied())
        };
        let below = self.terms.and_then(|terms| half(terms.denominator, &self.sums.1, false));
        (half(self.kept, &self.sums.0, self.signed && self.terms.is_none()), below)
    }

    fn share(&self, area: &Area) -> Option<Share> {
        let (one, below) = self.halves(area);
        let amount = one?.amount?;
        match self.terms {
            None => Some(Share::One(amount)),
            Some(_) => Some(Share::Two(amount, below?.amount?)),
        }
    }

    fn row(&self, area: Area, name: String) -> PublicRow {
        let decimals = self.indicator.shown;
        let nothing = Shown::silent(Silence::NotReceived, decimals);
        let (one, below) = self.halves(&area);
        let Some(terms) = self.terms else {
            let value = one.map_or(nothing, |one| one.shown(decimals));
            let revised = one.is_some_and(|one| one.revised);
            return PublicRow { area, name, value, numerator: None, denominator: None, revised };
        };
        let part = |half: Option<Half>| half.map(|half| half.shown(Decimals::NONE));
        let value = match (one, below) {
            (Some(one), Some(below)) => match (one.amount, below.amount) {
                (Some(numerator), Some(denominator)) => Shown {
                    reading: ratio_of(terms.ratio).of(numerator, denominator),
                    suppressed: one.suppressed || below.suppressed,
                    decimals,
                },
                (None, _) => Shown::silent(one.silence, decimals),
                (_, None) => Shown::silent(below.silence, decimals),
            },
            _ => nothing,
        };
        let revised = [one, below].into_iter().flatten().any(|half| half.revised);
        PublicRow { area, name, value, numerator: part(one), denominator: part(below), revised }
    }
}

pub(super) fn ratio_of(ratio: &PublicRatio) -> Ratio {
    Ratio { per: ratio.per.into(), share: ratio.share }
}
