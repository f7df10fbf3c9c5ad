//! Small worlds for the tests: rows of people, schemes about them, tables counted from both.

pub(crate) mod brute;
pub(crate) mod every;
pub(crate) mod grids;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Decimals, DefinitionHash, DimensionCode, Figure, Flags, IndicatorCode, Key, Period, RuleHash, Slice, Units,
};

use crate::{
    ConfidentialCell, ConfidentialCount, ConfidentialTable, MeasureScheme, Protection, Published, Quantity, Received,
    Restriction, Rule, SliceAttributes, TableScheme, Zeros,
};

/// One row of a local file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) codes: BTreeMap<DimensionCode, model::Code>,
    pub(crate) conditions: BTreeSet<String>,
    pub(crate) unit: u32,
    pub(crate) amount: Units,
}

pub(crate) fn code<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a valid code")
}

pub(crate) fn key(pairs: &[(&str, &str)]) -> Key {
    pairs.iter().map(|(dimension, c)| (code(dimension), code(c))).collect()
}

pub(crate) fn rule(threshold: u32, width: Units) -> Rule {
    Rule { threshold, zeros: Zeros::Publish, width }
}

pub(crate) fn measure(indicator: &str, breakdowns: &[&[&str]], rule: Rule) -> MeasureScheme {
    MeasureScheme {
        indicator: code(indicator),
        quantity: Quantity::Rows,
        restriction: Restriction::default(),
        breakdowns: breakdowns.iter().map(|dimensions| dimensions.iter().map(|d| code(d)).collect()).collect(),
        protection: Protection::Here(rule),
        decimals: Decimals::NONE,
    }
}

pub(crate) fn scheme(dimensions: &[(&str, &[&str])], measures: Vec<MeasureScheme>) -> TableScheme {
    let dimensions =
        dimensions.iter().map(|(name, codes)| (code(name), codes.iter().map(|c| code(c)).collect())).collect();
    TableScheme::new(dimensions, measures).expect("a valid scheme")
}

pub(crate) fn slice() -> Slice {
    Slice { territory: code("93066"), pack: code("p"), table: code("t"), period: Period::Year(2025) }
}

pub(crate) fn attributes() -> SliceAttributes {
    SliceAttributes {
        pack_version: "1.0.0".into(),
        definition: DefinitionHash::from_bytes([1; 32]),
        rule: RuleHash::from_bytes([2; 32]),
    }
}

/// Rows with these codes, `count` of each.
pub(crate) fn records(counts: &[(&[(&str, &str)], u32)]) -> Vec<Record> {
    let mut records = Vec::new();
    for (codes, count) in counts {
        for _ in 0..*count {
            let unit = u32::try_from(records.len()).expect("few records");
            let codes = codes.iter().map(|(dimension, c)| (code(dimension), code(c))).collect();
            records.push(Record { codes, conditions: BTreeSet::new(), unit, amount: 10 });
        }
    }
    records
}

/// Counts a table from records; weights are 1.25 each.
pub(crate) fn tabulate(scheme: &TableScheme, records: &[Record]) -> ConfidentialTable {
    let cells = scheme.cells().map(|(indicator, key)| {
        let measure = scheme.measure(&indicator).expect("a measure of the scheme");
        let inside: Vec<&Record> = records.iter().filter(|record| counts(measure, &key, record)).collect();
        let rows = Units::try_from(inside.len()).expect("few records");
        let units = inside.iter().map(|record| record.unit).collect::<BTreeSet<_>>().len();
        let value = match measure.quantity {
            Quantity::Rows => rows,
            Quantity::Distinct { .. } => Units::try_from(units).expect("few records"),
            Quantity::Sum { .. } => inside.iter().map(|record| record.amount).sum(),
            Quantity::Weight { .. } => rows * measure.decimals.one() * 5 / 4,
        };
        confidential(indicator, key, value, rows)
    });
    ConfidentialTable::new(cells.collect())
}

pub(crate) fn confidential(indicator: IndicatorCode, key: Key, value: Units, contributors: Units) -> ConfidentialCell {
    ConfidentialCell {
        indicator,
        key,
        value: ConfidentialCount::new(value),
        contributors: ConfidentialCount::new(contributors),
        largest: ConfidentialCount::new(0),
        second: ConfidentialCount::new(0),
    }
}

pub(crate) fn counts(measure: &MeasureScheme, key: &Key, record: &Record) -> bool {
    measure.restriction.codes.iter().all(|(dimension, codes)| codes.contains(&record.codes[dimension]))
        && measure.restriction.conditions.is_subset(&record.conditions)
        && key.iter().all(|(dimension, c)| record.codes[dimension] == *c)
}

/// What a table shows when exactly `hidden` is suppressed.
#[expect(clippy::disallowed_methods, reason = "invented figures")]
pub(crate) fn show(table: &ConfidentialTable, hidden: &[(&str, Key)]) -> Received {
    let hidden: BTreeSet<(IndicatorCode, Key)> =
        hidden.iter().map(|(indicator, key)| (code(indicator), key.clone())).collect();
    let cells = table
        .cells()
        .iter()
        .map(|cell| {
            let name = (cell.indicator.clone(), cell.key.clone());
            let figure =
                if hidden.contains(&name) { Figure::Suppressed } else { Figure::Observed(cell.value.expose()) };
            (name, Published { figure, flags: Flags::default() })
        })
        .collect();
    Received { slice: slice(), attributes: attributes(), cells }
}

/// The claim that a safe table was made from.
pub(crate) fn sent(table: &crate::SafeTable) -> Received {
    Received { slice: table.slice().clone(), attributes: table.attributes().clone(), cells: table.cells().clone() }
}
