//! One indicator, all communes, as a page.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use methodology::{Indicator, Table};
use model::{Code, DimensionCode, Failure, FailureKind, IndicatorCode, Key, PackCode, Period};
use render::chart::{Benchmark, DotPlot, Mark, dot_plot};
use render::typography::french;
use serde::Deserialize;
use statistics::Reading;

use super::{Frame, page, problem};
use crate::compare::{Comparison, Question, Reference, Shown, Spread};
use crate::packs::{Packs, Published};
use crate::visibility::Reader;
use crate::{Hub, failure};

/// `?indicateur=ccas-activite/dom_demandes&periode=2025&place=sexe=F;tranche_age=65%2B`.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    indicateur: Option<String>,
    periode: Option<String>,
    place: Option<String>,
}

pub(super) async fn show(State(hub): State<Hub>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let shown = compared(&hub, &asked).await;
    shown.unwrap_or_else(|failure| problem::of(&hub, &failure))
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct ComparisonPage {
    frame: Frame,
    indicators: Vec<Group>,
    periods: Vec<Choice>,
    places: Vec<Group>,
    total: bool,
    notices: Vec<String>,
    shown: Option<ShownView>,
}

struct Group {
    label: String,
    options: Vec<Choice>,
}

struct Choice {
    value: String,
    label: String,
    selected: bool,
}

struct ShownView {
    title: String,
    subtitle: String,
    chart: String,
    caption: String,
    heads: Vec<String>,
    rows: Vec<RowView>,
    group: RowView,
    reason: Option<String>,
    reference: Option<String>,
    spread: Option<String>,
    intervals: bool,
    source: String,
    sheet: Vec<SheetLine>,
}

struct RowView {
    name: String,
    code: String,
    cells: Vec<CellView>,
}

struct CellView {
    text: String,
    secret: bool,
}

struct SheetLine {
    title: &'static str,
    text: String,
}

/// What an address asks for, found in the packs.
struct Found<'a> {
    published: &'a Published,
    table: &'a Table,
    indicator: &'a Indicator,
}

async fn compared(hub: &Hub, asked: &Asked) -> Result<Response, Failure> {
    let filled = hub.0.store.filled().await.map_err(failure::storage)?;
    let frame = |title: &str| Frame::new(hub, title, "comparison");
    let mut notices = Vec::new();
    let packs = hub.packs().await?;
    let Some(found) = find(&packs, asked.indicateur.as_deref(), |published, table| {
        filled.iter().any(|one| one.slice.pack == *published.pack.code() && one.slice.table == *table.code())
    })?
    else {
        notices.push("Le centre n’a encore aucun référentiel d’indicateurs.".to_owned());
        let (indicators, periods, places) = (Vec::new(), Vec::new(), Vec::new());
        let frame = frame("Comparer les communes");
        return page(&ComparisonPage { frame, indicators, periods, places, total: true, notices, shown: None });
    };
    let mut known: Vec<Period> = filled
        .iter()
        .filter(|one| one.slice.pack == *found.published.pack.code() && one.slice.table == *found.table.code())
        .map(|one| one.slice.period)
        .collect();
    known.sort_by_key(|period| std::cmp::Reverse((period.year(), *period)));
    known.dedup();
    let said: Option<Period> = match asked.periode.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Some(text.parse().map_err(|_| unreadable("periode", "2025, 2025-S1, 2025-Q4 ou 2025-06"))?),
        None => None,
    };
    let last_year = Period::Year(hub.now().year().unwrap_or_default().saturating_sub(1));
    let period = said.or_else(|| known.first().copied()).unwrap_or(last_year);
    if !known.contains(&period) {
        known.insert(0, period);
    }
    let wanted = place(asked.place.as_deref().unwrap_or_default())?;
    let key = if offers(&found, &wanted) { wanted } else { Key::total() };
    if key.is_empty() && asked.place.as_deref().is_some_and(|place| !place.is_empty()) {
        notices.push("Cet indicateur n’est pas ventilé ainsi : c’est l’ensemble qui est montré.".to_owned());
    }
    let question = Question {
        indicator: found.indicator.code.clone(),
        period,
        key: key.clone(),
        pack: Some(found.published.pack.code().clone()),
    };
    let comparison = hub.compare(&Reader::coordination(), &question).await?;
    if comparison.communes.is_empty() {
        notices.push("Aucune commune n’a encore rejoint le centre : il n’y a rien à comparer.".to_owned());
    }
    let shown = (!comparison.communes.is_empty()).then(|| view(&found, &comparison, &key));
    let title = french(&found.indicator.title);
    page(&ComparisonPage {
        frame: frame(&format!("{title}, {}", render::date::period(period))),
        indicators: indicators(&packs, &found),
        periods: known
            .into_iter()
            .map(|one| Choice { value: one.to_string(), label: render::date::period(one), selected: one == period })
            .collect(),
        total: key.is_empty(),
        places: places(&found, &key),
        notices,
        shown,
    })
}

fn unreadable(what: &'static str, example: &str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "ADDRESS_MALFORMED",
        format!("{what} does not read"),
        format!(
            "L’adresse de cette page est abîmée : « {what} » s’écrit par exemple {example}. Repartez du formulaire."
        ),
    )
}

/// The indicator of the address; without one, the first of a table that somebody filled, else the first of all.
fn find<'a>(
    packs: &'a Packs,
    text: Option<&str>,
    filled: impl Fn(&Published, &Table) -> bool,
) -> Result<Option<Found<'a>>, Failure> {
    let all = || {
        packs.all().flat_map(|published| {
            published.pack.tables().iter().flat_map(move |table| {
                table.indicators().iter().map(move |indicator| Found { published, table, indicator })
            })
        })
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(all().find(|found| filled(found.published, found.table)).or_else(|| all().next()));
    };
    let malformed = || unreadable("indicateur", "ccas-activite/dom_demandes");
    let (pack, indicator) = text.split_once('/').ok_or_else(malformed)?;
    let pack: PackCode = pack.parse().map_err(|_| malformed())?;
    let indicator: IndicatorCode = indicator.parse().map_err(|_| malformed())?;
    let found = all().find(|found| *found.published.pack.code() == pack && found.indicator.code == indicator);
    found.map(Some).ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            "INDICATOR_UNKNOWN",
            format!("no indicator {indicator} in {pack}"),
            format!("Le centre ne connaît pas d’indicateur « {indicator} » dans le référentiel « {pack} ». Choisissez-en un dans le formulaire de la page Comparer."),
        )
    })
}

/// `sexe=F;tranche_age=0-24`; empty for the total.
fn place(text: &str) -> Result<Key, Failure> {
    let pair = |pair: &str| {
        let (dimension, code) = pair.split_once('=')?;
        Some((dimension.parse::<DimensionCode>().ok()?, code.parse::<Code>().ok()?))
    };
    let pairs: Option<Key> = text.split(';').filter(|one| !one.is_empty()).map(pair).collect();
    pairs.ok_or_else(|| unreadable("place", "sexe=F"))
}

fn offers(found: &Found<'_>, key: &Key) -> bool {
    let asked = key.iter().map(|(dimension, _)| dimension.clone()).collect();
    let known = |(dimension, code): (&DimensionCode, &Code)| {
        found.table.dimension(dimension).is_some_and(|dimension| dimension.items.iter().any(|item| item.code == *code))
    };
    found.indicator.breakdowns().contains(&asked) && key.iter().all(known)
}

fn indicators(packs: &Packs, found: &Found<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    for published in packs.all() {
        for table in published.pack.tables() {
            let choice = |indicator: &Indicator| Choice {
                value: format!("{}/{}", published.pack.code(), indicator.code),
                label: format!("{} ({})", french(&indicator.title), french(&indicator.unit)),
                selected: indicator.code == found.indicator.code
                    && published.pack.code() == found.published.pack.code(),
            };
            let options = table.indicators().iter().map(choice).collect();
            groups.push(Group { label: french(table.title()), options });
        }
    }
    groups
}

/// Every place of every breakdown, so that no choice of the form can be refused.
fn places(found: &Found<'_>, selected: &Key) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut breakdowns: Vec<_> = found.indicator.breakdowns().iter().filter(|one| !one.is_empty()).collect();
    breakdowns.sort_by_key(|one| one.len());
    for breakdown in breakdowns {
        let axes: Vec<_> = breakdown.iter().filter_map(|code| found.table.dimension(code)).collect();
        let titles: Vec<String> = axes.iter().map(|axis| french(&axis.title)).collect();
        let mut keys = vec![Key::total()];
        for axis in &axes {
            keys = keys
                .iter()
                .flat_map(|key| axis.items.iter().map(|item| key.clone().with(axis.code.clone(), item.code.clone())))
                .collect();
        }
        let choice = |key: &Key| Choice {
            value: key.to_string(),
            label: words(found.table, key, false),
            selected: key == selected,
        };
        let options = keys.iter().map(choice).collect();
        groups.push(Group { label: format!("Par {}", titles.join(" et ").to_lowercase()), options });
    }
    groups
}

/// `Femmes, Moins de 25 ans`, or `Sexe : Femmes` with the criterion.
fn words(table: &Table, key: &Key, criteria: bool) -> String {
    let one = |(dimension, code): (&DimensionCode, &Code)| match table.dimension(dimension) {
        Some(axis) if criteria => french(&format!("{} : {}", axis.title, axis.title_of(code))),
        Some(axis) => french(axis.title_of(code)),
        None => code.to_string(),
    };
    key.iter().map(one).collect::<Vec<_>>().join(if criteria { " · " } else { ", " })
}

fn view(found: &Found<'_>, comparison: &Comparison, key: &Key) -> ShownView {
    let heading = &comparison.heading;
    let (title, unit) = (french(&heading.title), french(&heading.unit));
    let ratio = found.indicator.ratio();
    let term =
        |code: &IndicatorCode| found.table.indicator(code).map_or_else(|| code.to_string(), |term| french(&term.title));
    let mut heads = vec![format!("Valeur ({unit})")];
    if let Some(ratio) = ratio {
        heads.extend([term(&ratio.numerator), term(&ratio.denominator), "Écart au groupe".to_owned()]);
    }
    if let Some(reference) = &comparison.reference {
        heads.push(reference.column());
    }
    if comparison.spread.is_some() {
        heads.push("Position".to_owned());
    }
    let cell = |shown: Option<Shown>, signed| match shown {
        Some(shown) => CellView { text: words_of(shown, signed), secret: shown.suppressed && !is_blank(shown) },
        None => CellView { text: String::new(), secret: false },
    };
    let rows = comparison.communes.iter().map(|row| {
        let mut cells = vec![cell(Some(row.value), false)];
        if ratio.is_some() {
            cells.extend([cell(row.numerator, false), cell(row.denominator, false), cell(row.difference, true)]);
        }
        if comparison.reference.is_some() {
            cells.push(cell(row.rate, false));
        }
        if let Some(spread) = &comparison.spread {
            let text = row.bands.map_or_else(String::new, |bands| spread.words(bands));
            cells.push(CellView { text, secret: false });
        }
        RowView { name: row.name.clone(), code: row.territory.to_string(), cells }
    });
    let group = &comparison.group;
    let mut together = vec![cell(Some(group.value), false)];
    if ratio.is_some() {
        together.extend([cell(group.numerator, false), cell(group.denominator, false), cell(None, false)]);
    }
    if comparison.reference.is_some() {
        together.push(cell(group.rate, false));
    }
    if comparison.spread.is_some() {
        together.push(cell(None, false));
    }
    let when = render::date::period(heading.period);
    let place = if key.is_empty() { "Ensemble".to_owned() } else { words(found.table, key, true) };
    ShownView {
        subtitle: format!("{place} · {when} · {unit}"),
        chart: dot_plot(&plot(comparison, &format!("{title}, {when}, {place}"), ratio.is_some())),
        caption: format!("{title} ({unit}), {when}, {place} : les chiffres du graphique"),
        heads,
        rows: rows.collect(),
        group: RowView { name: capital(&group.name), code: String::new(), cells: together },
        reason: group.reason.as_deref().map(french),
        reference: comparison.reference.as_ref().map(Reference::sentence),
        spread: comparison.spread.as_ref().map(Spread::sentence),
        intervals: comparison.communes.iter().map(|row| row.value).chain([group.value]).any(is_interval),
        source: format!(
            "Source : {} qui ont envoyé ce tableau, calculs des communes d’après « {} », version {} (définition {}). Ce n’est pas un total départemental.",
            group.name,
            french(found.published.pack.title()),
            heading.pack_version,
            &heading.definition.to_string()[..12],
        )
        .replace("commune qui ont", "commune qui a"),
        sheet: sheet(found.indicator),
        title,
    }
}

fn plot(comparison: &Comparison, title: &str, ratio: bool) -> DotPlot {
    let row = |row: &crate::compare::CommuneRow| render::chart::Row {
        name: row.name.clone(),
        mark: mark(row.value.reading),
        text: if row.value.suppressed && !is_blank(row.value) {
            format!("secret, {}", words_of(row.value, false))
        } else {
            words_of(row.value, false)
        },
    };
    let group = &comparison.group;
    // A sum of counts is no yardstick for one commune's count.
    let benchmark = (ratio && mark(group.value.reading) != Mark::Nothing).then(|| Benchmark {
        label: format!("{} : {}", group.name, words_of(group.value, false)),
        mark: mark(group.value.reading),
    });
    DotPlot {
        id: "comparaison".to_owned(),
        title: title.to_owned(),
        description: format!(
            "Graphique à points : {}, dans l’ordre alphabétique. Les mêmes chiffres sont dans le tableau qui suit.",
            render::number::counted(comparison.communes.len(), "commune", "communes")
        ),
        decimals: group.value.decimals.min(model::Decimals::new(3).unwrap_or(model::Decimals::NONE)),
        rows: comparison.communes.iter().map(row).collect(),
        benchmark,
    }
}

fn mark(reading: Reading) -> Mark {
    match reading {
        Reading::Value(value) => Mark::Dot(value),
        Reading::Interval { low, high } => Mark::Range { low, high },
        Reading::Silence(_) => Mark::Nothing,
    }
}

fn is_interval(shown: Shown) -> bool {
    matches!(shown.reading, Reading::Interval { .. })
}

/// Hidden, and the word `secret` says all there is to say.
fn is_blank(shown: Shown) -> bool {
    matches!(shown.reading, Reading::Interval { low, high: None } if low <= 0.0)
}

fn words_of(shown: Shown, signed: bool) -> String {
    if is_blank(shown) && shown.suppressed {
        return "secret".to_owned();
    }
    render::reading::reading(shown.reading, shown.decimals, signed)
}

fn sheet(indicator: &Indicator) -> Vec<SheetLine> {
    let sheet = &indicator.sheet;
    let mut lines = vec![
        SheetLine { title: "Source", text: french(&sheet.source) },
        SheetLine { title: "Qui est compté", text: french(&sheet.population) },
        SheetLine { title: "Limites", text: french(&sheet.limits.join(" ")) },
        SheetLine { title: "À ne pas lire ainsi", text: french(&sheet.how_not_to_read) },
        SheetLine { title: "Exemple de phrase (chiffres inventés)", text: french(&sheet.how_to_read) },
    ];
    if let Some(convention) = indicator.convention_in_french() {
        lines.insert(2, SheetLine { title: "Stock ou flux", text: french(&capital(&convention)) });
    }
    for (title, text) in [("Couverture", &indicator.coverage), ("Délai", &sheet.lag)] {
        if !text.is_empty() {
            lines.push(SheetLine { title, text: french(text) });
        }
    }
    if !sheet.reference.is_empty() {
        lines.push(SheetLine { title: "Référence", text: french(&sheet.reference) });
    }
    lines
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
