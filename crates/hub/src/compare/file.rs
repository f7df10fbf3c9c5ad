//! A comparison as a file that analysts open: a row per commune, the group last.

use std::io::Write;

use model::{Failure, Key};
use statistics::{Reading, Silence};
use tabular::columns::{Columns, ColumnsError, Habit, Values};

use super::{Comparison, Shown};
use crate::failure;

/// A form of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text after RFC 4180.
    Csv,
    /// Text that a French spreadsheet opens.
    CsvFr,
    /// An object: `about`, and `rows`.
    Json,
    /// Parquet, with what is said of all figures as its metadata.
    Parquet,
}

/// Writes a comparison; `place` is where in the breakdown it was made.
pub fn write(comparison: &Comparison, place: &Key, form: Form, out: impl Write) -> Result<(), Failure> {
    let written = columns(comparison, place).and_then(|columns| match form {
        Form::Csv => columns.text(out, Habit::International),
        Form::CsvFr => columns.text(out, Habit::French),
        Form::Json => columns.json(out),
        Form::Parquet => columns.parquet(out),
    });
    written.map_err(|error| failure::internal("COMPARE_FILE", error.to_string()))
}

/// One line of the file.
struct Line<'a> {
    kind: &'static str,
    territory: Option<String>,
    name: &'a str,
    figures: [(&'static str, Option<Shown>); 5],
}

fn columns(comparison: &Comparison, place: &Key) -> Result<Columns, ColumnsError> {
    let heading = &comparison.heading;
    let communes = comparison.communes.iter().map(|row| Line {
        kind: "commune",
        territory: Some(row.territory.to_string()),
        name: &row.name,
        figures: [
            ("value", Some(row.value)),
            ("numerator", row.numerator),
            ("denominator", row.denominator),
            ("difference", row.difference),
            ("rate", row.rate),
        ],
    });
    let group = &comparison.group;
    let group = Line {
        kind: "group",
        territory: None,
        name: &group.name,
        figures: [
            ("value", Some(group.value)),
            ("numerator", group.numerator),
            ("denominator", group.denominator),
            ("difference", None),
            ("rate", group.rate),
        ],
    };
    let lines: Vec<Line<'_>> = communes.chain([group]).collect();
    let texts = |text: &dyn Fn(&Line<'_>) -> Option<String>| Values::Texts(lines.iter().map(text).collect());
    let all = |text: &str| texts(&|_| Some(text.to_owned()));
    let mut columns = vec![
        ("kind".to_owned(), texts(&|line| Some(line.kind.to_owned()))),
        ("territory".to_owned(), texts(&|line| line.territory.clone())),
        ("name".to_owned(), texts(&|line| Some(line.name.to_owned()))),
        ("indicator".to_owned(), all(heading.indicator.as_str())),
        ("period".to_owned(), all(&heading.period.to_string())),
        ("place".to_owned(), all(&place.to_string())),
        ("unit".to_owned(), all(&heading.unit)),
    ];
    for figure in 0..5 {
        let shown: Vec<Option<Shown>> = lines.iter().map(|line| line.figures[figure].1).collect();
        let name = lines[0].figures[figure].0;
        if figure > 0 && shown.iter().all(Option::is_none) {
            continue;
        }
        let readings = || shown.iter().map(|shown| shown.map(|shown| shown.reading));
        let numbers = |number: fn(Reading) -> Option<f64>| {
            Values::Numbers(readings().map(|reading| reading.and_then(number)).collect())
        };
        columns.push((name.to_owned(), numbers(exact)));
        columns.push((format!("{name}_low"), numbers(|reading| reading.bounds().map(|(low, _)| low))));
        columns.push((format!("{name}_high"), numbers(|reading| reading.bounds().and_then(|(_, high)| high))));
        let status = readings().map(|reading| reading.map(|reading| status(reading).to_owned()));
        columns.push((format!("{name}_status"), Values::Texts(status.collect())));
    }
    if let Some(spread) = &comparison.spread {
        let end = |end: fn(&statistics::Bands) -> usize| {
            let rows = comparison.communes.iter().map(|row| row.bands.as_ref());
            // The group has no place among its members.
            let bands = rows
                .chain([None])
                .map(|bands| bands.map(|bands| u32::try_from(end(bands)).map_or(f64::NAN, f64::from)));
            Values::Numbers(bands.collect())
        };
        columns.push((format!("band_low_of_{}", spread.bands), end(|bands| bands.lowest)));
        columns.push((format!("band_high_of_{}", spread.bands), end(|bands| bands.highest)));
    }
    let hidden = |line: &Line<'_>| line.figures[0].1.map(|shown| shown.suppressed);
    columns.push(("suppressed".to_owned(), Values::Flags(lines.iter().map(hidden).collect())));
    let about = Columns::new(columns)?
        .note("title", &heading.title)
        .note("pack", heading.pack.as_str())
        .note("pack_version", &heading.pack_version)
        .note("table", heading.table.as_str())
        .note("definition", heading.definition.to_string())
        .note("fictional", heading.fictional.to_string());
    let about = match &comparison.reference {
        Some(reference) => about
            .note("rate_per", reference.per.to_string())
            .note("rate_reference", &reference.title)
            .note("rate_reference_period", reference.period.to_string())
            .note("rate_reference_source", &reference.source_line),
        None => about,
    };
    Ok(match &comparison.group.reason {
        Some(reason) => about.note("group_reason", reason),
        None => about,
    })
}

fn exact(reading: Reading) -> Option<f64> {
    match reading {
        Reading::Value(value) => Some(value),
        Reading::Interval { .. } | Reading::Silence(_) => None,
    }
}

fn status(reading: Reading) -> &'static str {
    match reading {
        Reading::Value(_) => "value",
        Reading::Interval { .. } => "interval",
        Reading::Silence(Silence::NotReceived) => "not_received",
        Reading::Silence(Silence::NotCollected) => "not_collected",
        Reading::Silence(Silence::NotYetAvailable) => "not_yet_available",
        Reading::Silence(Silence::NotApplicable) => "not_applicable",
        Reading::Silence(Silence::ZeroDenominator) => "zero_denominator",
        Reading::Silence(Silence::NotAdditive) => "not_additive",
        Reading::Silence(Silence::Withdrawn) => "withdrawn",
        Reading::Silence(Silence::NotShared) => "not_shared",
        Reading::Silence(Silence::NotShown) => "not_shown",
    }
}

#[cfg(test)]
mod tests {
    use model::{Decimals, DefinitionHash};

    use super::super::{CommuneRow, Group, Heading};
    use super::*;
    use crate::visibility::Showing;

    fn shown(reading: Reading, suppressed: bool) -> Shown {
        Shown { reading, suppressed, decimals: Decimals::NONE }
    }

    fn comparison() -> Comparison {
        let row = |territory: &str, name: &str, value| CommuneRow {
            territory: territory.parse().expect("a code"),
            name: name.to_owned(),
            value,
            numerator: None,
            denominator: None,
            difference: None,
            rate: None,
            bands: None,
        };
        Comparison {
            heading: Heading {
                pack: "ccas-activite".parse().expect("a code"),
                pack_version: "1.2.0".to_owned(),
                table: "domiciliation".parse().expect("a code"),
                table_title: "Domiciliation".to_owned(),
                indicator: "dom_demandes".parse().expect("a code"),
                title: "Demandes de domiciliation".to_owned(),
                unit: "demandes".to_owned(),
                period: "2025".parse().expect("a period"),
                definition: DefinitionHash::from_slice(&[7; 32]).expect("32 bytes"),
                fictional: true,
            },
            communes: vec![
                row("01004", "Ambérieu", shown(Reading::Value(0.0), false)),
                row("93005", "Aulnay", shown(Reading::Interval { low: 1.0, high: Some(10.0) }, true)),
                row("93006", "Bagnolet", shown(Reading::Interval { low: 12.0, high: None }, true)),
                row("93008", "Bobigny", shown(Reading::Silence(Silence::NotReceived), false)),
            ],
            group: Group {
                name: "groupe des 3 communes".to_owned(),
                communes: 3,
                value: shown(Reading::Silence(Silence::NotAdditive), false),
                numerator: None,
                denominator: None,
                rate: None,
                reason: Some("quatre communes au moins".to_owned()),
            },
            reference: None,
            spread: None,
            others: Showing::Named,
        }
    }

    #[test]
    fn zero_is_a_value_and_what_is_hidden_or_missing_has_none() {
        let mut bytes = Vec::new();
        write(&comparison(), &Key::default(), Form::Csv, &mut bytes).expect("written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let figures = |line: &str| line.split(',').skip(7).collect::<Vec<_>>().join(",");
        let figures: Vec<String> = text.lines().map(figures).collect();
        assert_eq!(
            figures,
            [
                "value,value_low,value_high,value_status,suppressed",
                "0,0,0,value,false",
                ",1,10,interval,true",
                ",12,,interval,true",
                ",,,not_received,false",
                ",,,not_additive,false",
            ]
        );
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("commune,01004,Ambérieu,dom_demandes,2025,total,demandes,"))
        );
    }

    #[test]
    fn an_object_says_what_all_figures_are() {
        let mut bytes = Vec::new();
        write(&comparison(), &Key::default(), Form::Json, &mut bytes).expect("written");
        let read: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(read["rows"].as_array().map(Vec::len), Some(5));
        assert_eq!(read["about"]["fictional"], "true");
        assert_eq!(read["about"]["definition"], "07".repeat(32));
        assert_eq!(read["about"]["group_reason"], "quatre communes au moins");
    }
}
