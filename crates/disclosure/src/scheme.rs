//! What a table of a pack may contain, as far as secrecy is concerned: every cell as a *set of rows*.
//!
//! A cell sums one [`Quantity`] over the rows that meet a [`Restriction`]; its key only adds codes to the
//! restriction. Two indicators whose cells sum the same quantity over the same rows therefore name the *same*
//! cell, and all relations (totals, partitions, N ≤ D, one filter implying another) follow from the sets:
//! nobody has to declare them, nobody can forget them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use model::{Code, Decimals, DimensionCode, IndicatorCode, Key, Units};

use crate::relations::Relations;

/// What is summed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// One per row.
    Rows,
    /// One per different value of a column (a person, a household).
    Distinct {
        /// The identifying column.
        column: String,
    },
    /// The values of an amount column; never negative.
    Sum {
        /// The amount column.
        column: String,
    },
    /// The weights of a survey or census file; never negative.
    Weight {
        /// The weight column.
        column: String,
    },
}

/// Which rows count: for each dimension named, one of these codes; and all of the opaque conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Restriction {
    /// Allowed codes per dimension; a dimension left out allows all its codes.
    pub codes: BTreeMap<DimensionCode, BTreeSet<Code>>,
    /// Conditions that are not about codes, in canonical text: equal text, equal rows.
    pub conditions: BTreeSet<String>,
}

/// What happens to cells that hold zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zeros {
    /// Zero is shown (nobody is in the cell, so nobody is uncovered).
    Publish,
    /// Zero is protected like a small count.
    Protect,
}

/// When a cell must be hidden, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Fewer contributors than this hide a cell (strictly fewer: 5 hides 1 to 4).
    pub threshold: u32,
    /// What happens to zeros.
    pub zeros: Zeros,
    /// A hidden cell that might be below the threshold must be uncertain by at least this much, in units of
    /// the measure: the reachable interval's `high − low`.
    pub width: Units,
}

/// Whether figures are protected in this house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// The rule acts here.
    Here(Rule),
    /// Already published by its producer: shown as published, known to every intruder.
    AtSource,
    /// Not about persons (places, hours, equipment).
    None,
}

/// One additive indicator of a table, as secrecy sees it. Ratios are not here: they travel as their two terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureScheme {
    /// Its code.
    pub indicator: IndicatorCode,
    /// What is summed.
    pub quantity: Quantity,
    /// Over which rows.
    pub restriction: Restriction,
    /// The ways it is broken down, closed under leaving a dimension out: with {age, sexe} come {age}, {sexe}
    /// and {} (the total).
    pub breakdowns: BTreeSet<BTreeSet<DimensionCode>>,
    /// How it is protected.
    pub protection: Protection,
    /// Decimal places of its units.
    pub decimals: Decimals,
}

/// Why a scheme cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScheme {
    /// The same indicator twice.
    #[error("indicator {0} appears twice")]
    DuplicateIndicator(IndicatorCode),
    /// A breakdown or restriction names a dimension without code list.
    #[error("indicator {0}: dimension {1} has no code list")]
    UnknownDimension(IndicatorCode, DimensionCode),
    /// A restriction names a code outside the list.
    #[error("indicator {0}: code {2} is not in the list of dimension {1}")]
    UnknownCode(IndicatorCode, DimensionCode, Code),
    /// More than two crossed dimensions.
    #[error("indicator {0}: at most two dimensions may be crossed")]
    TooManyDimensions(IndicatorCode),
    /// A threshold below 1 or a negative width.
    #[error("indicator {0}: the rule's threshold must be at least 1 and its width not negative")]
    EmptyRule(IndicatorCode),
    /// The same quantity in two different units could not be added up.
    #[error("indicators {0} and {1} sum the same quantity with different decimals")]
    DifferentDecimals(IndicatorCode, IndicatorCode),
    /// A number of rows or of distinct units with decimal places.
    #[error("indicator {0}: a count has no decimals")]
    FractionalCount(IndicatorCode),
    /// A code list without codes, or with the same code twice.
    #[error("dimension {0} needs a list of different codes, at least one")]
    InvalidCodes(DimensionCode),
}

/// All measures of one table of a pack, with the code lists of their dimensions.
#[derive(Clone, Debug)]
pub struct TableScheme {
    dimensions: BTreeMap<DimensionCode, Vec<Code>>,
    measures: Vec<MeasureScheme>,
    readings: BTreeMap<String, Reading>,
    /// Follows from the rest. Derived once: it costs as much as reading thousands of documents.
    relations: OnceLock<Arc<Relations>>,
}

impl PartialEq for TableScheme {
    fn eq(&self, other: &Self) -> bool {
        (&self.dimensions, &self.measures, &self.readings) == (&other.dimensions, &other.measures, &other.readings)
    }
}

impl Eq for TableScheme {}

/// What an opaque condition says of rows: their codes on one dimension are among these.
pub type Reading = (DimensionCode, BTreeSet<Code>);

impl TableScheme {
    /// Checks that everything named exists; adds the breakdowns that others imply; orders measures by indicator.
    pub fn new(
        dimensions: BTreeMap<DimensionCode, Vec<Code>>,
        mut measures: Vec<MeasureScheme>,
    ) -> Result<Self, InvalidScheme> {
        for (dimension, codes) in &dimensions {
            if codes.is_empty() || codes.iter().collect::<BTreeSet<_>>().len() < codes.len() {
                return Err(InvalidScheme::InvalidCodes(dimension.clone()));
            }
        }
        measures.sort_by(|a, b| a.indicator.cmp(&b.indicator));
        if let Some(pair) = measures.windows(2).find(|pair| pair[0].indicator == pair[1].indicator) {
            return Err(InvalidScheme::DuplicateIndicator(pair[0].indicator.clone()));
        }
        check_units(&measures)?;
        for measure in &mut measures {
            let indicator = measure.indicator.clone();
            for (dimension, codes) in &measure.restriction.codes {
                let list = dimensions
                    .get(dimension)
                    .ok_or_else(|| InvalidScheme::UnknownDimension(indicator.clone(), dimension.clone()))?;
                if let Some(code) = codes.iter().find(|code| !list.contains(code)) {
                    return Err(InvalidScheme::UnknownCode(indicator, dimension.clone(), code.clone()));
                }
            }
            for breakdown in &measure.breakdowns {
                if breakdown.len() > 2 {
                    return Err(InvalidScheme::TooManyDimensions(indicator));
                }
                if let Some(dimension) = breakdown.iter().find(|d| !dimensions.contains_key(*d)) {
                    return Err(InvalidScheme::UnknownDimension(indicator, dimension.clone()));
                }
            }
            if let Protection::Here(rule) = measure.protection
                && (rule.threshold == 0 || rule.width < 0)
            {
                return Err(InvalidScheme::EmptyRule(indicator));
            }
            let implied: Vec<_> = measure
                .breakdowns
                .iter()
                .flat_map(|breakdown| breakdown.iter().map(|d| BTreeSet::from([d.clone()])))
                .chain([BTreeSet::new()])
                .collect();
            measure.breakdowns.extend(implied);
        }
        Ok(Self { dimensions, measures, readings: BTreeMap::new(), relations: OnceLock::new() })
    }

    /// The same scheme, told what some conditions of distinct counts say of rows. A unit may have several codes on that
    /// dimension, so its counts must not be added along it; but there are never more units than rows with these codes.
    #[must_use]
    pub fn with_readings(self, readings: BTreeMap<String, Reading>) -> Self {
        Self { readings, relations: OnceLock::new(), ..self }
    }

    /// The system over all its cells.
    pub(crate) fn relations(&self) -> &Relations {
        self.relations.get_or_init(|| Arc::new(Relations::of(self)))
    }

    /// What opaque conditions say of rows.
    pub fn readings(&self) -> &BTreeMap<String, Reading> {
        &self.readings
    }

    /// Code lists, closed: each row has exactly one code on each dimension.
    pub fn dimensions(&self) -> &BTreeMap<DimensionCode, Vec<Code>> {
        &self.dimensions
    }

    /// The measures, in ascending order of indicator.
    pub fn measures(&self) -> &[MeasureScheme] {
        &self.measures
    }

    /// Every cell that the table publishes, in ascending order of indicator; a submission holds each exactly once.
    pub fn cells(&self) -> impl Iterator<Item = (IndicatorCode, Key)> {
        self.measures.iter().flat_map(|measure| {
            measure
                .breakdowns
                .iter()
                .flat_map(|breakdown| self.keys(breakdown))
                .map(|key| (measure.indicator.clone(), key))
        })
    }

    /// Whether the cell holds no row by definition: its key contradicts the indicator's own restriction. Such a cell
    /// reads `NotApplicable`.
    pub fn is_empty_by_definition(&self, indicator: &IndicatorCode, key: &Key) -> bool {
        self.measure(indicator).is_some_and(|measure| self.rows_of(measure, key).is_none())
    }

    /// The rows of a cell: the measure's restriction met with the key, without the dimensions that restrict nothing.
    /// `None` if no row can be in it.
    pub(crate) fn rows_of(&self, measure: &MeasureScheme, key: &Key) -> Option<Restriction> {
        let mut rows = measure.restriction.clone();
        for (dimension, code) in key.iter() {
            let codes = rows.codes.entry(dimension.clone()).or_insert_with(|| BTreeSet::from([code.clone()]));
            codes.retain(|c| c == code);
        }
        if rows.codes.values().any(BTreeSet::is_empty) {
            return None;
        }
        rows.codes.retain(|dimension, codes| codes.len() < self.dimensions[dimension].len());
        Some(rows)
    }

    fn keys(&self, breakdown: &BTreeSet<DimensionCode>) -> Vec<Key> {
        breakdown.iter().fold(vec![Key::total()], |keys, dimension| {
            keys.iter()
                .flat_map(|key| {
                    self.dimensions[dimension].iter().map(|code| key.clone().with(dimension.clone(), code.clone()))
                })
                .collect()
        })
    }

    /// The measure of this indicator.
    pub fn measure(&self, indicator: &IndicatorCode) -> Option<&MeasureScheme> {
        self.measures.binary_search_by(|m| m.indicator.cmp(indicator)).ok().map(|i| &self.measures[i])
    }
}

/// One quantity, one unit: otherwise cells of two indicators about the same rows could not be compared.
fn check_units(measures: &[MeasureScheme]) -> Result<(), InvalidScheme> {
    let mut seen: BTreeMap<&Quantity, &MeasureScheme> = BTreeMap::new();
    for measure in measures {
        if matches!(measure.quantity, Quantity::Rows | Quantity::Distinct { .. }) && measure.decimals != Decimals::NONE
        {
            return Err(InvalidScheme::FractionalCount(measure.indicator.clone()));
        }
        let first = seen.entry(&measure.quantity).or_insert(measure);
        if first.decimals != measure.decimals {
            return Err(InvalidScheme::DifferentDecimals(first.indicator.clone(), measure.indicator.clone()));
        }
    }
    Ok(())
}
