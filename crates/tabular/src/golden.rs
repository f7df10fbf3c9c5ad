//! Proves a pack by its worked examples.

use std::collections::BTreeMap;

use disclosure::ConfidentialTable;
use methodology::{Definition, GoldenCase, Median, Pack, Ratio, Table};
use model::{Decimals, IndicatorCode, Key, TableCode, Units};
use statistics::{Interval, Reading};

use crate::compute::compute;
use crate::read::read_bytes;
use crate::source::SourceSpec;

/// One expected figure and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenResult {
    /// The table.
    pub table: TableCode,
    /// Name of the case.
    pub case: String,
    /// The indicator; `None` if the rows themselves could not be read or computed.
    pub indicator: Option<IndicatorCode>,
    /// Where.
    pub key: Key,
    /// Whether the figure is the one expected.
    pub passed: bool,
    /// The figure found by hand, as French people write it; empty if the rows failed.
    pub expected: String,
    /// What came out, or that nothing did.
    pub found: String,
    /// In French, what was expected and found. Golden rows are invented, so figures may be quoted.
    pub message: String,
}

/// Runs every golden case of `pack` through [`read_bytes`] and [`compute`].
pub fn run(pack: &Pack) -> Vec<GoldenResult> {
    let mut results = Vec::new();
    for table in pack.tables() {
        for case in table.golden() {
            match figures(table, case) {
                Ok(found) => results.extend(case.expected.iter().map(|expected| judge(table, case, expected, &found))),
                Err(message) => results.push(GoldenResult {
                    table: table.code().clone(),
                    case: case.name.clone(),
                    indicator: None,
                    key: Key::total(),
                    passed: false,
                    expected: String::new(),
                    found: String::new(),
                    message,
                }),
            }
        }
    }
    results
}

type Figures = BTreeMap<(IndicatorCode, Key), Units>;

fn figures(table: &Table, case: &GoldenCase) -> Result<Figures, String> {
    let spec = SourceSpec::new(format!("cas « {} »", case.name));
    let rows = read_bytes(&spec, &case.name, case.rows.as_bytes(), table).map_err(|faults| {
        let first = faults.first.first();
        let line = first.and_then(|fault| fault.line).map_or_else(String::new, |line| format!("ligne {line} : "));
        format!("Les lignes du cas ne se lisent pas. {line}{}", first.map_or("", |fault| fault.message.as_str()))
    })?;
    Ok(exposed(&compute(&rows, table).map_err(|error| error.message())?))
}

#[expect(clippy::disallowed_methods, reason = "golden rows are invented and public: their figures uncover nobody")]
fn exposed(table: &ConfidentialTable) -> Figures {
    table.cells().iter().map(|cell| ((cell.indicator.clone(), cell.key.clone()), cell.value.expose())).collect()
}

fn judge(
    table: &Table,
    case: &GoldenCase,
    (indicator, key, expected): &(IndicatorCode, Key, Units),
    found: &Figures,
) -> GoldenResult {
    let definition = table.indicator(indicator).expect("`Pack::parse` checked the case");
    let value = match &definition.definition {
        Definition::Measure(_) => found.get(&(indicator.clone(), key.clone())).copied(),
        Definition::Ratio(ratio) => quotient(ratio, key, table, found),
        Definition::Median(median) => middle(median, key, found),
    };
    let decimals = definition.decimals();
    let shown = value.map_or_else(|| "aucun chiffre".to_owned(), |units| show(units, decimals));
    let wanted = show(*expected, decimals);
    GoldenResult {
        table: table.code().clone(),
        case: case.name.clone(),
        indicator: Some(indicator.clone()),
        key: key.clone(),
        passed: value == Some(*expected),
        message: format!("{indicator} ({key}) : attendu {wanted}, trouvé {shown}."),
        expected: wanted,
        found: shown,
    }
}

/// `per` × N ÷ D in units of the ratio, rounded half away from zero; `None` when D is zero.
fn quotient(ratio: &Ratio, key: &Key, table: &Table, found: &Figures) -> Option<Units> {
    let term = |code: &IndicatorCode| {
        let units = found.get(&(code.clone(), key.clone()))?;
        Some((i128::from(*units), i128::from(table.indicator(code)?.decimals().one())))
    };
    let (n, n_one) = term(&ratio.numerator)?;
    let (d, d_one) = term(&ratio.denominator)?;
    let above =
        n.checked_mul(d_one)?.checked_mul(i128::from(ratio.per))?.checked_mul(i128::from(ratio.decimals.one()))?;
    let below = d.checked_mul(n_one)?;
    if below == 0 {
        return None;
    }
    // Both terms are sums of non-negative quantities.
    Units::try_from((above * 2 + below) / (below * 2)).ok()
}

/// The median in units of its decimals, rounded half away from zero; `None` where its class has no limit, or nobody counts.
fn middle(median: &Median, key: &Key, found: &Figures) -> Option<Units> {
    let counts: Option<Vec<Interval>> = (median.classes.iter())
        .map(|class| {
            let place = key.clone().with(median.along.clone(), class.code.clone());
            found.get(&(median.of.clone(), place)).copied().map(Interval::known)
        })
        .collect();
    match crate::median(median, &counts?) {
        Reading::Value(value) => {
            let mut scaled = value;
            for _ in 0..median.decimals.places() {
                scaled *= 10.0;
            }
            format!("{:.0}", scaled.round()).parse().ok()
        }
        Reading::Interval { .. } | Reading::Silence(_) => None,
    }
}

fn show(units: Units, decimals: Decimals) -> String {
    let places = usize::from(decimals.places());
    if places == 0 {
        return units.to_string();
    }
    let one = decimals.one();
    format!("{}{},{:0places$}", if units < 0 { "-" } else { "" }, (units / one).abs(), (units % one).abs())
}

#[cfg(test)]
mod exports;

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn every_golden_case_of_the_library_holds() {
        for pack in methodology::library() {
            let results = run(&pack);
            assert!(!results.is_empty());
            let failed: Vec<&str> = results.iter().filter(|r| !r.passed).map(|r| r.message.as_str()).collect();
            assert!(failed.is_empty(), "{failed:#?}");
        }
    }
}
