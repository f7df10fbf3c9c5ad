//! Worked examples: a few rows, and the figures a person found by hand.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::TableScheme;
use model::{Code, DimensionCode, IndicatorCode, Key, Units};
use serde::Deserialize;

use crate::error::{PackCause, PackError};
use crate::indicator::Indicator;
use crate::schema::exact_units;

/// One example. `tabular::golden` runs it through the real reader and the real computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenCase {
    /// What it shows, in French.
    pub name: String,
    /// A small CSV text with `;` and a header of field names, decimal comma.
    pub rows: String,
    /// Figures found by hand, in units of the indicator; of a ratio, rounded half away from zero.
    pub expected: Vec<(IndicatorCode, Key, Units)>,
}

/// A file `golden/<table>.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenText {
    #[serde(rename = "case", default)]
    cases: Vec<CaseText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    rows: String,
    expected: BTreeMap<String, FigureText>,
}

/// A whole number, or decimals as text: a float would not say how many places were meant.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FigureText {
    Whole(i64),
    Decimal(String),
}

/// Checks that every figure names a cell that exists, and that every indicator is checked at least once.
///
/// # Errors
/// Every figure that names no cell or does not read, and every indicator that nothing checks.
pub(crate) fn prove(
    file: &str,
    text: &GoldenText,
    indicators: &[Indicator],
    scheme: &TableScheme,
) -> Result<Vec<GoldenCase>, Vec<PackError>> {
    let mut cases = Vec::new();
    let mut faults = Vec::new();
    // An expected figure that does not read is not also said to be missing.
    let mut checked: BTreeSet<&str> = BTreeSet::new();
    for case in &text.cases {
        let mut expected = Vec::new();
        for (name, figure) in &case.expected {
            checked.insert(name.split_once(' ').map_or(name.as_str(), |(code, _)| code));
            match read_figure(name, figure, indicators, scheme) {
                Ok(read) => expected.push(read),
                Err((cause, message)) => {
                    faults.push(PackError::new(file, format!("cas « {} », « {name} »", case.name), cause, message));
                }
            }
        }
        cases.push(GoldenCase { name: case.name.clone(), rows: case.rows.clone(), expected });
    }
    faults.extend(indicators.iter().filter(|i| !checked.contains(i.code.as_str())).map(|indicator| {
        PackError::new(
            file,
            format!("indicateur {}", indicator.code),
            PackCause::Golden,
            "Aucun cas ne vérifie cet indicateur : ajoutez quelques lignes et le chiffre trouvé à la main.",
        )
    }));
    if faults.is_empty() { Ok(cases) } else { Err(faults) }
}

fn read_figure(
    name: &str,
    figure: &FigureText,
    indicators: &[Indicator],
    scheme: &TableScheme,
) -> Result<(IndicatorCode, Key, Units), (PackCause, String)> {
    let (code, key) = name.split_once(' ').unwrap_or((name, ""));
    let indicator = indicators
        .iter()
        .find(|i| i.code.as_str() == code)
        .ok_or_else(|| (PackCause::Unknown, format!("L'indicateur « {code} » n'existe pas dans la table.")))?;
    let key = read_key(key).filter(|key| exists(key, indicator, scheme)).ok_or_else(|| {
        let cure = "Cette case n'existe pas : écrivez « indicateur critère=modalité;critère=modalité » selon une ventilation \
                    de l'indicateur.";
        (PackCause::Unknown, cure.to_owned())
    })?;
    let written = match figure {
        FigureText::Whole(whole) => whole.to_string(),
        FigureText::Decimal(text) => text.replace(',', "."),
    };
    let units = exact_units(&written, indicator.decimals()).ok_or_else(|| {
        let places = indicator.decimals().places();
        (PackCause::Type, format!("Le chiffre attendu s'écrit avec au plus {places} décimales."))
    })?;
    Ok((indicator.code.clone(), key, units))
}

fn read_key(text: &str) -> Option<Key> {
    if text.is_empty() {
        return Some(Key::total());
    }
    let mut key = Key::total();
    for part in text.split(';') {
        let (dimension, code) = part.split_once('=')?;
        let dimension: DimensionCode = dimension.parse().ok()?;
        let code: Code = code.parse().ok()?;
        if key.get(&dimension).is_some() {
            return None;
        }
        key = key.with(dimension, code);
    }
    Some(key)
}

fn exists(key: &Key, indicator: &Indicator, scheme: &TableScheme) -> bool {
    let dimensions: BTreeSet<DimensionCode> = key.iter().map(|(dimension, _)| dimension.clone()).collect();
    indicator.breakdowns().contains(&dimensions)
        && key
            .iter()
            .all(|(dimension, code)| scheme.dimensions().get(dimension).is_some_and(|list| list.contains(code)))
}
