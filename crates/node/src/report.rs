//! The internal edition: the commune's own exact figures, on its own machine, never to be handed on.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use disclosure::{ConfidentialTable, SafeTable};
use methodology::{Definition, Indicator, Table};
use model::{Decimals, DimensionCode, Figure, IndicatorCode, Key, Units};
use render::Exact;
use statistics::{Interval, Reading};

use crate::collect::{Collected, collect};
use crate::local::{self, LocalTable};
use crate::preview::{self, PreviewError};
use crate::{Node, failure};

/// The page; every figure on it is exact.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    commune: String,
    made_at: String,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    period: String,
    file: String,
    rows: String,
    pack: String,
    /// Whether it is of a pack of the commune's own, of which nothing leaves.
    local: bool,
    totals: Vec<Line>,
    grids: Vec<Grid>,
}

struct Line {
    title: String,
    value: String,
    hidden: bool,
    unit: String,
    reading: String,
}

struct Grid {
    title: String,
    row_title: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    title: String,
    cells: Vec<Entry>,
}

struct Entry {
    value: String,
    hidden: bool,
}

type Exacts = BTreeMap<(IndicatorCode, Key), Units>;

#[expect(
    clippy::disallowed_methods,
    reason = "the internal edition is the one page that shows a commune its own exact figures"
)]
fn exacts(table: &ConfidentialTable) -> Exacts {
    let own = table.cells().iter().filter(|cell| table.is_known(cell));
    own.map(|cell| ((cell.indicator.clone(), cell.key.clone()), cell.value.expose())).collect()
}

/// Renders the internal edition of everything that the sources hold. Where protection is possible now, the page
/// also marks what others will not see.
pub async fn internal_edition(node: &Node) -> Result<String, PreviewError> {
    let collected = collect(node.config(), &node.identity().territories, node.packs(), node.folder().root())
        .map_err(PreviewError::Sources)?;
    // The commune's own figures are its own whether or not the ledger is complete.
    let safe = match preview::protected(node, &collected).await {
        Ok(protected) => protected.into_iter().map(|one| one.table).collect(),
        Err(_) => Vec::new(),
    };
    let locals = local::read_all(node.config(), &node.identity().territories, node.folder().root())
        .map_err(PreviewError::Sources)?;
    let page = Page {
        commune: format!("Commune {}", node.provider()),
        made_at: render::date::moment(node.now()),
        sections: sections(&collected, &safe).into_iter().chain(locals.iter().map(own)).collect(),
    };
    page.render().map_err(|error| failure::defect(error.to_string()).into())
}

fn sections(collected: &[Collected<'_>], safe: &[SafeTable]) -> Vec<Section> {
    collected
        .iter()
        .map(|one| {
            let hidden = safe.iter().find(|table| *table.slice() == one.slice);
            let view = View { table: &one.table, exacts: exacts(&one.confidential), hidden };
            Section {
                title: one.table.title().to_owned(),
                period: render::date::period(one.slice.period),
                file: one.source.read.file.display().to_string(),
                rows: render::number::counted(one.rows, "ligne lue", "lignes lues"),
                pack: format!("{} {}", one.pack.title(), one.pack.version()),
                local: false,
                totals: one.table.indicators().iter().map(|indicator| view.line(indicator)).collect(),
                grids: one.table.indicators().iter().flat_map(|indicator| view.grids(indicator)).collect(),
            }
        })
        .collect()
}

fn own(one: &LocalTable) -> Section {
    let view = View { table: &one.table, exacts: exacts(&one.confidential), hidden: None };
    Section {
        title: one.table.title().to_owned(),
        period: render::date::period(one.period),
        file: one.file.clone(),
        rows: render::number::counted(one.rows, "ligne lue", "lignes lues"),
        pack: one.pack.clone(),
        local: true,
        totals: one.table.indicators().iter().map(|indicator| view.line(indicator)).collect(),
        grids: one.table.indicators().iter().flat_map(|indicator| view.grids(indicator)).collect(),
    }
}

struct View<'a> {
    table: &'a Table,
    exacts: Exacts,
    hidden: Option<&'a SafeTable>,
}

impl View<'_> {
    fn line(&self, indicator: &Indicator) -> Line {
        let entry = self.entry(indicator, &Key::total());
        Line {
            title: indicator.title.clone(),
            value: entry.value,
            hidden: entry.hidden,
            unit: indicator.unit.clone(),
            reading: indicator.sheet.how_to_read.clone(),
        }
    }

    fn units(&self, indicator: &IndicatorCode, key: &Key) -> Option<Exact> {
        let units = *self.exacts.get(&(indicator.clone(), key.clone()))?;
        let decimals = self.table.scheme().measure(indicator).map_or(Decimals::NONE, |measure| measure.decimals);
        Some(Exact { units, decimals })
    }

    fn is_hidden(&self, indicator: &IndicatorCode, key: &Key) -> bool {
        self.hidden
            .and_then(|table| table.cells().get(&(indicator.clone(), key.clone())))
            .is_some_and(|published| published.figure == Figure::Suppressed)
    }

    fn entry(&self, indicator: &Indicator, key: &Key) -> Entry {
        let (value, hidden) = match &indicator.definition {
            Definition::Measure(measure) => (
                self.units(&indicator.code, key).map(|exact| render::number::number(exact, measure.shown)),
                self.is_hidden(&indicator.code, key),
            ),
            Definition::Ratio(ratio) => {
                let value = self
                    .units(&ratio.numerator, key)
                    .zip(self.units(&ratio.denominator, key))
                    .and_then(|(n, d)| render::number::rate(n, d, ratio.per, ratio.decimals));
                (value, self.is_hidden(&ratio.numerator, key) || self.is_hidden(&ratio.denominator, key))
            }
            Definition::Median(median) => {
                let place = |class: &methodology::Class| key.clone().with(median.along.clone(), class.code.clone());
                let places: Vec<Key> = median.classes.iter().map(place).collect();
                let counts = places.iter().map(|place| Some(Interval::known(self.units(&median.of, place)?.units)));
                let counts: Option<Vec<Interval>> = counts.collect();
                let value = counts.map(|counts| tabular::median(median, &counts)).and_then(|middle| match middle {
                    Reading::Silence(_) => None,
                    middle => Some(render::reading::reading(middle, median.decimals, false)),
                });
                (value, places.iter().any(|place| self.is_hidden(&median.of, place)))
            }
        };
        Entry { value: value.unwrap_or_else(|| "–".to_owned()), hidden }
    }

    fn grids(&self, indicator: &Indicator) -> Vec<Grid> {
        // A two-way table shows both one-way tables in its margins: only breakdowns inside no other are drawn.
        let all = indicator.breakdowns();
        let widest = |one: &&BTreeSet<DimensionCode>| {
            !one.is_empty() && !all.iter().any(|other| other.len() > one.len() && one.is_subset(other))
        };
        all.iter().filter(widest).map(|breakdown| self.grid(indicator, breakdown)).collect()
    }

    fn grid(&self, indicator: &Indicator, breakdown: &BTreeSet<DimensionCode>) -> Grid {
        let axes: Vec<_> = breakdown.iter().filter_map(|code| self.table.dimension(code)).collect();
        let rows = axes.first().copied();
        let columns = axes.get(1).copied();
        let keyed = |row: Option<&model::Code>, column: Option<&model::Code>| {
            let mut key = Key::total();
            if let (Some(axis), Some(code)) = (rows, row) {
                key = key.with(axis.code.clone(), code.clone());
            }
            if let (Some(axis), Some(code)) = (columns, column) {
                key = key.with(axis.code.clone(), code.clone());
            }
            key
        };
        let line = |title: &str, row: Option<&model::Code>| {
            let across = columns.map(|axis| axis.items.iter().map(|item| Some(&item.code)).collect::<Vec<_>>());
            let cells = across
                .unwrap_or_default()
                .into_iter()
                .chain([None])
                .map(|column| self.entry(indicator, &keyed(row, column)))
                .collect();
            Row { title: title.to_owned(), cells }
        };
        let mut body: Vec<Row> = rows
            .map(|axis| axis.items.iter().map(|item| line(&item.title, Some(&item.code))).collect())
            .unwrap_or_default();
        body.push(line("Ensemble", None));
        let titles: Vec<&str> = axes.iter().map(|axis| axis.title.as_str()).collect();
        Grid {
            title: format!("{} ({}), par {}", indicator.title, indicator.unit, titles.join(" et ")),
            row_title: rows.map_or_else(String::new, |axis| axis.title.clone()),
            columns: columns
                .map(|axis| axis.items.iter().map(|item| item.title.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
                .into_iter()
                .chain([if columns.is_some() { "Ensemble" } else { "Valeur" }.to_owned()])
                .collect(),
            rows: body,
        }
    }
}
