//! Every row of the published test data of indicator methods, which lies beside the repository and is not part of it.
//!
//! Each test counts the rows that it has checked: a row cannot be left out silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use testkit::Need;

use super::super::*;
use super::assert_close;

/// What the published figures must agree to.
const TOLERANCE: f64 = 1e-6;

/// A row by the names of its columns; an empty field is not there.
type Row = BTreeMap<String, String>;

/// A folder of the reference material beside the repository, if it is there.
pub(super) fn beside(folder: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|up| up.join("../shared").join(folder)).find(|folder| folder.is_dir())
}

fn rows(file: &str) -> Option<Vec<Row>> {
    let Some(folder) = beside("reference/indicator-methods") else {
        Need::RealData.absent("no ../shared/reference/indicator-methods beside the repository");
        return None;
    };
    let mut reader = csv::Reader::from_path(folder.join(file)).expect("a readable file");
    let names = reader.headers().expect("a header").clone();
    let by_name = |row: csv::StringRecord| {
        let fields = names.iter().zip(row.iter()).filter(|(_, field)| !field.is_empty());
        fields.map(|(name, field)| (name.trim_start_matches('\u{feff}').to_owned(), field.to_owned())).collect()
    };
    Some(reader.into_records().map(|row| by_name(row.expect("a whole row"))).collect())
}

fn number(row: &Row, name: &str) -> Option<f64> {
    row.get(name).map(|field| field.parse().expect("a number"))
}

fn given(row: &Row, name: &str) -> f64 {
    number(row, name).unwrap_or_else(|| panic!("{name} is not given in {row:?}"))
}

fn level(text: &str) -> Confidence {
    match text {
        "95%" => Confidence::P95,
        "99.8%" => Confidence::P998,
        other => panic!("no level {other:?}"),
    }
}

fn assert_estimate(row: &Row, of: impl Fn(Confidence) -> Estimate) {
    for (confidence, suffix) in [(Confidence::P95, "95_0cl"), (Confidence::P998, "99_8cl")] {
        let found = of(confidence);
        let what = format!("{row:?}");
        assert_close(found.value, given(row, "value"), TOLERANCE, &what);
        assert_close(found.limits.lower, given(row, &format!("lower{suffix}")), TOLERANCE, &what);
        assert_close(found.limits.upper, given(row, &format!("upper{suffix}")), TOLERANCE, &what);
    }
}

#[test]
fn limits_of_counts_and_proportions() {
    let Some(rows) = rows("byars_wilson.csv") else { return };
    let (mut counts, mut proportions) = (0, 0);
    for row in &rows {
        let (x, confidence) = (given(row, "x"), level(&row["confidence"]));
        let found = match row["method"].as_str() {
            "Byars" => {
                counts += 1;
                byar(x, confidence).expect("a count")
            }
            "Wilson" => {
                proportions += 1;
                proportion(Counted::new(x, given(row, "n")), confidence).expect("a proportion").limits
            }
            other => panic!("no method {other:?}"),
        };
        // Missing at the source where the formula is negative: no count is below zero.
        assert_close(found.lower, number(row, "lowercl").unwrap_or(0.0), TOLERANCE, &format!("{row:?}"));
        assert_close(found.upper, given(row, "uppercl"), TOLERANCE, &format!("{row:?}"));
    }
    assert_eq!((counts, proportions), (7, 6));
}

#[test]
fn proportions() {
    let Some(rows) = rows("proportions.csv") else { return };
    let (mut checked, mut missing) = (0, 0);
    for row in &rows {
        let (Some(x), Some(n)) = (number(row, "Numerator"), number(row, "Denominator")) else {
            assert_eq!((number(row, "value"), number(row, "lower95_0cl")), (None, None));
            missing += 1;
            continue;
        };
        let multiplier = given(row, "multiplier");
        assert_estimate(row, |level| proportion(Counted::new(x, n), level).expect("a proportion").per(multiplier));
        checked += 1;
    }
    assert_eq!((checked, missing), (16, 3));
}

#[test]
fn rates_exact_below_ten_and_byar_from_there() {
    let Some(rows) = rows("rates.csv") else { return };
    let (mut exact, mut approximate, mut missing) = (0, 0, 0);
    for row in &rows {
        let (Some(x), Some(n)) = (number(row, "Numerator"), number(row, "Denominator")) else {
            assert_eq!((number(row, "value"), number(row, "lower95_0cl")), (None, None));
            missing += 1;
            continue;
        };
        let multiplier = given(row, "multiplier");
        assert_estimate(row, |level| rate(Counted::new(x, n), level).expect("a rate").per(multiplier));
        let method = if row["method"] == "Exact" {
            exact += 1;
            exact_poisson(x, Confidence::P95)
        } else {
            approximate += 1;
            byar(x, Confidence::P95)
        };
        assert_eq!(method, count_limits(x, Confidence::P95), "{row:?}");
    }
    assert_eq!((exact, approximate, missing), (4, 13, 3));
}

#[test]
fn means() {
    let (Some(values), Some(rows)) = (rows("means_input.csv"), rows("means_expected.csv")) else { return };
    assert_eq!(values.len(), 26);
    let mut checked = 0;
    for row in &rows {
        let area = &row["area"];
        let of = |value: &&Row| area == "No grouping" || value["area"] == *area;
        let values: Vec<f64> = values.iter().filter(of).map(|value| given(value, "values")).collect();
        assert_estimate(row, |level| mean(&values, level).expect("a mean").estimate);
        let found = mean(&values, Confidence::P95).expect("a mean");
        assert_eq!(found.count.to_string(), row["value_count"]);
        assert_close(found.sum, given(row, "value_sum"), TOLERANCE, area);
        assert_close(found.deviation, given(row, "stdev"), TOLERANCE, area);
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
fn directly_standardised_rates() {
    let (Some(strata), Some(rows)) = (rows("dsr_input.csv"), rows("dsr_expected.csv")) else { return };
    let (mut checked, mut refused, mut without_inputs) = (0, 0, 0);
    for row in &rows {
        let area = row["area"].as_str();
        // Their inputs (a standard population of 1976, variances of repeated events) are not published with them.
        if area == "testdata_1976" || row["method"].contains("non-independent") {
            without_inputs += 1;
            continue;
        }
        let strata: Vec<Counted> = strata
            .iter()
            .filter(|stratum| stratum["area"] == area)
            .map(|stratum| Counted::new(number(stratum, "count").unwrap_or(0.0), given(stratum, "pop")))
            .collect();
        let of = |level| directly_standardised(&strata, &EUROPEAN_STANDARD_POPULATION_2013, level);
        assert_close(strata.iter().map(|stratum| stratum.numerator).sum(), given(row, "total_count"), TOLERANCE, area);
        match row["statistic"].as_str() {
            "dsr NA for total count < 10" => {
                assert_eq!(number(row, "value"), None);
                assert_eq!(of(Confidence::P95), Err(Undefined::TooFewEvents { needed: 10 }));
                refused += 1;
            }
            statistic => {
                let per = statistic.strip_prefix("dsr per ").and_then(|per| per.parse().ok()).expect("a multiplier");
                assert_estimate(row, |level| of(level).expect("a rate").per(per));
                checked += 1;
            }
        }
    }
    assert_eq!((checked, refused, without_inputs), (4, 2, 6));
}

fn areas() -> Option<Vec<(Counted, String)>> {
    let rows = rows("funnel_proportions_input.csv")?;
    let area =
        |row: &Row| (Counted::new(given(row, "numerator"), given(row, "denominator")), row["significance"].clone());
    Some(rows.iter().map(area).collect())
}

#[test]
fn control_limits_of_proportions() {
    let (Some(areas), Some(rows)) = (areas(), rows("funnel_proportions_expected.csv")) else { return };
    // Percent with six digits after the point.
    let printed = |found: f64, row: &Row, name: &str| {
        let expected = given(row, name);
        assert!((100.0 * found - expected).abs() <= 0.51e-6, "{name} of {row:?}: {found}");
    };
    let areas: Vec<Counted> = areas.into_iter().map(|(area, _)| area).collect();
    let mut checked = 0;
    for row in &rows {
        let baseline = baseline(&areas).expect("a baseline");
        let limits = proportion_control(baseline, given(row, "Population")).expect("control limits");
        printed(baseline, row, "Baseline");
        printed(limits.two.lower, row, "Lower2s0025limit");
        printed(limits.two.upper, row, "Upper2s0025limit");
        printed(limits.three.lower, row, "Lower3s0001limit");
        printed(limits.three.upper, row, "Upper3s0001limit");
        checked += 1;
    }
    assert_eq!(checked, 100);
}

#[test]
fn significance_in_the_funnel() {
    let Some(areas) = areas() else { return };
    let counted: Vec<Counted> = areas.iter().map(|(area, _)| *area).collect();
    let found = proportion_significances(&counted).expect("a funnel");
    let mut checked = BTreeMap::new();
    for (found, (area, expected)) in found.iter().zip(&areas) {
        let word = match found {
            Significance::Low(Sigma::Two) => "Low (0.025)",
            Significance::Low(Sigma::Three) => "Low (0.001)",
            Significance::NotSignificant => "Not significant",
            Significance::High(Sigma::Two) => "High (0.025)",
            Significance::High(Sigma::Three) => "High (0.001)",
        };
        assert_eq!(word, expected, "{area:?}");
        *checked.entry(word).or_insert(0) += 1;
    }
    assert_eq!(checked.values().sum::<i32>(), 303, "{checked:?}");
    assert_eq!(checked.len(), 5, "{checked:?}");
}
