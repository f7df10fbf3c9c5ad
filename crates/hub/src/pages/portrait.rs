//! One commune, all indicators of a pack, as a page.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use model::{CommuneCode, Decimals, Failure, FailureKind, PackCode, Period};
use render::chart::{Mark, SpinePlot, SpineRow, spine_plot};
use render::typography::french;
use serde::Deserialize;
use statistics::Reading;
use store::hub::SliceState;

use super::{Frame, page, problem};
use crate::compare::{Comparison, Quartiles, Shown};
use crate::profile::ProfileQuestion;
use crate::visibility::Reader;
use crate::{Hub, failure};

/// `?commune=93066&referentiel=ccas-activite&periode=2025`; what is absent or unreadable is the first there is.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    commune: Option<String>,
    referentiel: Option<String>,
    periode: Option<String>,
}

pub(super) async fn show(State(hub): State<Hub>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let shown = drawn(&hub, &asked).await;
    shown.unwrap_or_else(|failure| problem::of(&hub, &failure))
}

#[derive(Template)]
#[template(path = "portrait.html")]
struct PortraitPage {
    frame: Frame,
    communes: Vec<Choice>,
    packs: Vec<Choice>,
    periods: Vec<Choice>,
    notices: Vec<String>,
    tables: Vec<TableView>,
}

struct Choice {
    value: String,
    label: String,
    selected: bool,
}

struct TableView {
    id: String,
    title: String,
    caption: String,
    chart: Option<String>,
    rows: Vec<RowView>,
    source: String,
}

struct RowView {
    link: String,
    title: String,
    unit: String,
    own: String,
    secret: bool,
    group: String,
    median: String,
    position: String,
}

async fn drawn(hub: &Hub, asked: &Asked) -> Result<Response, Failure> {
    let filled = hub.0.store.filled().await.map_err(failure::storage)?;
    let filled: Vec<_> = filled.into_iter().filter(|one| one.state == SliceState::Present).collect();
    let packs = hub.packs().await?;
    let first = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    // Only what exists can be chosen; of each, the first that goes with what was chosen before.
    let mut communes: Vec<(String, CommuneCode)> =
        filled.iter().map(|one| (hub.0.communes.name(one.slice.territory), one.slice.territory)).collect();
    render::names::sort_by_name(&mut communes, |(name, _)| name);
    communes.dedup();
    let wanted: Option<CommuneCode> = first(&asked.commune).and_then(|text| text.parse().ok());
    let commune = wanted.filter(|code| communes.iter().any(|(_, one)| one == code));
    let commune = commune.or_else(|| communes.first().map(|(_, code)| *code));
    let of_it: Vec<_> = filled.iter().filter(|one| Some(one.slice.territory) == commune).collect();
    let mut codes: Vec<PackCode> = of_it.iter().map(|one| one.slice.pack.clone()).collect();
    codes.sort();
    codes.dedup();
    let wanted: Option<PackCode> = first(&asked.referentiel).and_then(|text| text.parse().ok());
    let pack = wanted.filter(|code| codes.contains(code)).or_else(|| codes.first().cloned());
    let mut periods: Vec<Period> =
        of_it.iter().filter(|one| Some(&one.slice.pack) == pack.as_ref()).map(|one| one.slice.period).collect();
    periods.sort_by_key(|period| std::cmp::Reverse((period.year(), *period)));
    periods.dedup();
    let wanted: Option<Period> = first(&asked.periode).and_then(|text| text.parse().ok());
    let period = wanted.filter(|period| periods.contains(period)).or_else(|| periods.first().copied());

    let (mut notices, mut tables, mut title) = (Vec::new(), Vec::new(), "Portrait d’une commune".to_owned());
    match (commune, &pack, period) {
        (Some(territory), Some(pack), Some(period)) => {
            let question = ProfileQuestion { territory, pack: pack.clone(), period };
            match hub.profile(&Reader::coordination(), &question).await {
                Ok(profile) => {
                    title = format!("{}, {}", profile.name, render::date::period(period));
                    tables = views(&profile.name, &profile.comparisons);
                }
                Err(failure) if failure.kind == FailureKind::NotFound => notices.push(failure.message),
                Err(failure) => return Err(failure),
            }
        }
        _ => notices
            .push("Aucune commune n’a encore envoyé de chiffres : il n’y a pas de portrait à montrer.".to_owned()),
    }
    page(&PortraitPage {
        frame: Frame::new(hub, title, "portrait"),
        communes: (communes.into_iter())
            .map(|(name, code)| Choice { value: code.to_string(), label: name, selected: Some(code) == commune })
            .collect(),
        packs: (codes.iter())
            .map(|code| Choice {
                value: code.to_string(),
                label: packs.get(code).map_or_else(|| code.to_string(), |one| french(one.pack.title())),
                selected: Some(code) == pack.as_ref(),
            })
            .collect(),
        periods: (periods.into_iter())
            .map(|one| Choice {
                value: one.to_string(),
                label: render::date::period(one),
                selected: Some(one) == period,
            })
            .collect(),
        notices,
        tables,
    })
}

/// One for each table, in the order of the pack.
fn views(name: &str, comparisons: &[Comparison]) -> Vec<TableView> {
    let tables = comparisons.chunk_by(|left, right| left.heading.table == right.heading.table);
    tables.filter_map(|table| view(name, table)).collect()
}

fn view(name: &str, comparisons: &[Comparison]) -> Option<TableView> {
    let heading = &comparisons.first()?.heading;
    let rows: Vec<SpineRow> = comparisons.iter().filter_map(spine_row).collect();
    let title = french(&heading.table_title);
    let plot = SpinePlot {
        id: format!("portrait-{}", heading.table),
        title: format!("{name} : {title}"),
        description: "Chaque ligne est un indicateur, sur son échelle : toutes les communes, la moitié du milieu, et la commune. Les mêmes chiffres sont dans le tableau qui suit.".to_owned(),
        benchmark: "commune médiane".to_owned(),
        rows,
    };
    Some(TableView {
        id: format!("chiffres-{}", heading.table),
        caption: format!("{name}, {}", render::date::period(heading.period)),
        chart: (!plot.rows.is_empty()).then(|| spine_plot(&plot)),
        rows: comparisons.iter().filter_map(row_view).collect(),
        source: format!(
            "Source : calculs des communes d’après le référentiel {}, version {} (définition {}).",
            heading.pack,
            heading.pack_version,
            &heading.definition.to_string()[..12]
        ),
        title,
    })
}

fn row_view(comparison: &Comparison) -> Option<RowView> {
    let heading = &comparison.heading;
    let own = comparison.communes.first()?;
    let quartiles = comparison.spread.as_ref().and_then(|spread| spread.quartiles);
    let position = comparison.spread.as_ref().zip(own.bands).map(|(spread, bands)| spread.words(bands));
    Some(RowView {
        link: format!("/comparer?indicateur={}%2F{}&periode={}", heading.pack, heading.indicator, heading.period),
        title: french(&heading.title),
        unit: french(&heading.unit),
        own: words(own.value),
        secret: own.value.suppressed && words(own.value) != "secret",
        group: words(comparison.group.value),
        median: quartiles
            // Of a count, the median is of its rate, which this column does not speak of.
            .filter(|_| own.rate.is_none())
            .map_or_else(String::new, |at| words(at.median)),
        position: position.unwrap_or_default(),
    })
}

/// Where the commune and all others stand around the commune in the middle; `None` where there is no scale.
///
/// The scale reaches as far on both sides as the farther end may lie, so that every known value is a point on it.
fn spine_row(comparison: &Comparison) -> Option<SpineRow> {
    let own = comparison.communes.first()?;
    let Quartiles { minimum, lower, median, upper, maximum } = comparison.spread.as_ref()?.quartiles?;
    let value = own.rate.unwrap_or(own.value);
    let ends = |shown: Shown| {
        let (low, high) = shown.reading.bounds()?;
        Some((low, high?))
    };
    let (least, most) = (ends(minimum)?.0, ends(maximum)?.1);
    let (from, to) = ends(median)?;
    let center = f64::midpoint(from, to);
    let reach = (most - center).max(center - least);
    let at = |value: f64| if reach > 0.0 { f64::midpoint(1.0, (value - center) / reach) } else { 0.5 };
    let mark = match value.reading {
        Reading::Value(value) => Mark::Dot(at(value)),
        Reading::Interval { low, high } => Mark::Range { low: at(low), high: high.map(at) },
        Reading::Silence(_) => Mark::Nothing,
    };
    Some(SpineRow {
        name: format!("{} ({})", french(&comparison.heading.title), french(&comparison.heading.unit)),
        own: mark,
        whole: (at(least), at(most)),
        half: (at(ends(lower)?.0), at(ends(upper)?.1)),
        text: words(value),
        beside: format!("médiane : {}", words(median)),
    })
}

fn words(shown: Shown) -> String {
    let blank = matches!(shown.reading, Reading::Interval { low, high: None } if low <= 0.0);
    if blank && shown.suppressed {
        return "secret".to_owned();
    }
    render::reading::reading(shown.reading, shown.decimals.min(Decimals::new(3).unwrap_or(Decimals::NONE)), false)
}
