//! A filter as disclosure control sees it: code sets where it speaks of codes, opaque conditions elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::Reading;
use model::{Code, DimensionCode};

use super::{ColumnRef, Filter, Value};
use crate::table::Dimension;

/// The two parts of a filter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) codes: BTreeMap<DimensionCode, BTreeSet<Code>>,
    pub(crate) conditions: BTreeMap<String, Filter>,
    /// Conditions that are about one dimension's codes all the same: what they say of rows.
    pub(crate) readings: BTreeMap<String, Reading>,
}

/// Splits the conjuncts of `filter`. A conjunct about one dimension becomes the set of codes for which it holds,
/// if `partitions` says that the counted units fall into exactly one code of it each; otherwise cells of different
/// codes may share a unit, and it stays an opaque condition, which only promises "not more than without it".
///
/// `Err` names a dimension of which no code is left.
pub(crate) fn split(
    filter: Option<Filter>,
    dimensions: &[Dimension],
    partitions: &dyn Fn(&Dimension) -> bool,
) -> Result<Split, DimensionCode> {
    let mut result = Split::default();
    let conjuncts = match filter {
        None => Vec::new(),
        Some(Filter::All(parts)) => parts,
        Some(other) => vec![other],
    };
    for conjunct in conjuncts {
        let columns = conjunct.columns();
        let only = columns.iter().next().filter(|_| columns.len() == 1);
        let dimension = match only {
            Some(ColumnRef::Dimension(code)) => dimensions.iter().find(|d| d.code == *code),
            Some(ColumnRef::Field(_)) | None => None,
        };
        let held = |dimension: &Dimension| -> BTreeSet<Code> {
            dimension
                .items
                .iter()
                .filter(|item| conjunct.holds(&|_| Some(Value::Text(item.code.to_string()))) == Some(true))
                .map(|item| item.code.clone())
                .collect()
        };
        if let Some(dimension) = dimension.filter(|d| partitions(d)) {
            let held = held(dimension);
            let codes = result.codes.entry(dimension.code.clone()).or_insert_with(|| dimension.code_set());
            codes.retain(|code| held.contains(code));
            if codes.is_empty() {
                return Err(dimension.code.clone());
            }
        } else {
            if let Some(dimension) = dimension {
                result.readings.insert(conjunct.to_string(), (dimension.code.clone(), held(dimension)));
            }
            result.conditions.insert(conjunct.to_string(), conjunct);
        }
    }
    result.codes.retain(|code, kept| {
        dimensions.iter().find(|d| d.code == *code).is_none_or(|dimension| *kept != dimension.code_set())
    });
    Ok(result)
}
