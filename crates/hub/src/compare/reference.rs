//! A measure beside the public figure that its definition names: "38 households followed per 1 000 of the commune".

use std::collections::BTreeMap;

use methodology::Indicator;
use model::{CommuneCode, Decimals, Failure, FailureKind, Level, Period, Units};
use statistics::{Amount, Interval, Ratio, Reading, group_ratio};

use super::Shown;
use super::commune::{Row, Terms};
use crate::Hub;
use crate::public::{PublicQuestion, PublicSeries};

/// What a measure is read beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// French title of the public figure.
    pub title: String,
    /// Per how many.
    pub per: u32,
    /// What the public figure speaks of: the latest that is not after the measure.
    pub period: Period,
    /// Whose it is.
    pub source_line: String,
}

impl Reference {
    /// Heading of its column, in French: `Pour 1 000 (ménages)`.
    pub fn column(&self) -> String {
        format!(
            "Pour {} ({})",
            render::number::count(render::Exact::whole(self.per.into())),
            render::typography::french(&self.title)
        )
    }

    /// What the column is, in French, with year and source.
    pub fn sentence(&self) -> String {
        render::typography::french(&format!(
            "« {} » : rapporté à « {} », {}. {}",
            self.column(),
            self.title,
            render::date::period(self.period),
            self.source_line
        ))
    }
}

/// The reference with its figures.
pub(super) struct Beside {
    pub(super) reference: Reference,
    figures: BTreeMap<CommuneCode, Amount>,
    ratio: Ratio,
    decimals: Decimals,
}

impl Beside {
    /// The figure of a commune, per so many of the reference; `None` where either is missing.
    pub(super) fn rate(&self, row: &Row) -> Option<Shown> {
        let (own, below) = self.terms(row)?;
        let suppressed = row.value.suppressed;
        Some(Shown { reading: self.ratio.of(own, below), suppressed, decimals: self.decimals })
    }

    /// The sum over the sum, of communes that may be added up; `None` if one of them has no reference.
    pub(super) fn together(&self, rows: &[&Row]) -> Option<Shown> {
        let counted = rows.iter().filter(|row| row.terms.is_some());
        let pairs: Vec<(Amount, Amount)> = counted.map(|row| self.terms(row)).collect::<Option<_>>()?;
        let suppressed = rows.iter().any(|row| row.terms.is_some() && row.value.suppressed);
        (!pairs.is_empty()).then(|| Shown {
            reading: group_ratio(self.ratio, &pairs),
            suppressed,
            decimals: self.decimals,
        })
    }

    fn terms(&self, row: &Row) -> Option<(Amount, Amount)> {
        match &row.terms {
            Some(Terms::One(term)) => Some((term.amount, *self.figures.get(&row.territory)?)),
            Some(Terms::Two(..) | Terms::Many(_)) | None => None,
        }
    }
}

impl Hub {
    /// The public figures that an indicator is read beside, if its definition names any and the hub has them: of the
    /// latest year that is not after `period`, in the latest geography.
    pub(super) async fn beside(&self, indicator: &Indicator, period: Period) -> Result<Option<Beside>, Failure> {
        let Some(named) = &indicator.reference else { return Ok(None) };
        let question = PublicQuestion {
            indicator: named.indicator.clone(),
            period: None,
            source: Some(named.source.clone()),
            geography: None,
        };
        let all = match self.public_figures(&question).await {
            Ok(all) => all,
            Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let known = all.into_iter().filter(|series| series.period.year() <= period.year());
        let Some(series) = known.max_by_key(|series| (series.period.year(), series.period, series.geography)) else {
            return Ok(None);
        };
        let decimals = series.indicator.decimals;
        let figures = series.communes.iter().filter(|row| row.area.level() == Level::Commune).filter_map(|row| {
            let amount = amount(row.value.reading, decimals)?;
            Some((row.area.code().parse().ok()?, amount))
        });
        let ratio = Ratio { per: Units::from(named.per), share: false };
        Ok(Some(Beside {
            figures: figures.collect(),
            ratio,
            decimals: named.decimals,
            reference: reference(&series, named.per),
        }))
    }
}

fn reference(series: &PublicSeries, per: u32) -> Reference {
    Reference {
        title: series.indicator.title.clone(),
        per,
        period: series.period,
        source_line: series.source_line.clone(),
    }
}

/// The units of a public figure; `None` where its producer gives none.
fn amount(reading: Reading, decimals: Decimals) -> Option<Amount> {
    let Reading::Value(value) = reading else { return None };
    // Written with its decimals it is the number that was read.
    let units = format!("{value:.*}", usize::from(decimals.places())).replace('.', "").parse().ok()?;
    Some(Amount { interval: Interval::known(units), decimals })
}
