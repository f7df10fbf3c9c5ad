//! All kinds of rows that some conditions can tell apart.
//!
//! Each column is cut where a condition changes its answer: around every constant, at the ends of the column, at a
//! blank. What holds for one value of each piece, crossed, holds for every row that the schema admits.

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::{ColumnRef, Filter, Value};
use crate::schema::{Field, FieldType, TableSchema};
use crate::table::Dimension;

/// Most kinds of rows that are looked through.
const LIMIT: usize = 4_000;

/// Where columns are described.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) schema: &'a TableSchema,
    pub(super) dimensions: &'a [Dimension],
}

/// One row of each kind, as far as these conditions see rows.
pub(super) struct Worlds {
    columns: Vec<ColumnRef>,
    values: Vec<Vec<Option<Value>>>,
}

impl Worlds {
    /// `None` where nothing can be said: too many kinds, or texts that several patterns may share.
    pub(super) fn of<'f>(filters: impl IntoIterator<Item = &'f Filter>, columns: Columns<'_>) -> Option<Self> {
        let mut leaves: BTreeMap<ColumnRef, BTreeSet<&Filter>> = BTreeMap::new();
        for filter in filters {
            gather(filter, &mut leaves);
        }
        let mut size = 1_usize;
        let mut values = Vec::new();
        for (column, leaves) in &leaves {
            let mut told: BTreeMap<Vec<Option<bool>>, Option<Value>> = BTreeMap::new();
            for value in columns.candidates(column, leaves)? {
                let answers = leaves.iter().map(|leaf| leaf.holds(&|_| value.clone())).collect();
                told.entry(answers).or_insert(value);
            }
            size = size.checked_mul(told.len()).filter(|size| *size <= LIMIT)?;
            values.push(told.into_values().collect());
        }
        Some(Self { columns: leaves.into_keys().collect(), values })
    }

    /// Goes through them; `see` is told which of `rows` hold for each.
    pub(super) fn each(&self, rows: &[&[Filter]], mut see: impl FnMut(&[bool])) {
        if self.values.iter().any(Vec::is_empty) {
            return;
        }
        let mut places = vec![0_usize; self.columns.len()];
        loop {
            let value = |column: &ColumnRef| {
                let at = self.columns.binary_search(column).ok()?;
                self.values[at][places[at]].clone()
            };
            let held: Vec<bool> =
                rows.iter().map(|all| all.iter().all(|filter| filter.holds(&value) == Some(true))).collect();
            see(&held);
            let Some(next) = (0..places.len()).find(|&at| places[at] + 1 < self.values[at].len()) else { return };
            places[next] += 1;
            places[..next].fill(0);
        }
    }
}

fn gather<'f>(filter: &'f Filter, leaves: &mut BTreeMap<ColumnRef, BTreeSet<&'f Filter>>) {
    match filter {
        Filter::In(column, _) | Filter::Compare(column, _, _) | Filter::Like(column, _) | Filter::IsNull(column) => {
            leaves.entry(column.clone()).or_default().insert(filter);
        }
        Filter::Not(inner) => gather(inner, leaves),
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| gather(part, leaves)),
    }
}

impl Columns<'_> {
    /// At least one value of each piece of the column.
    fn candidates(self, column: &ColumnRef, leaves: &BTreeSet<&Filter>) -> Option<Vec<Option<Value>>> {
        let name = match column {
            ColumnRef::Dimension(code) => {
                let dimension = self.dimensions.iter().find(|dimension| dimension.code == *code)?;
                let codes = dimension.items.iter().map(|item| Some(Value::Text(item.code.to_string())));
                return Some(codes.collect());
            }
            ColumnRef::Field(name) => name,
        };
        let field = self.schema.field(name)?;
        let mut values: Vec<Option<Value>> = match field.kind {
            FieldType::Boolean => [true, false].map(|yes| Some(Value::Boolean(yes))).into(),
            FieldType::String => texts(field, leaves)?.into_iter().map(|text| Some(Value::Text(text))).collect(),
            FieldType::Date => numbers(field, leaves).into_iter().map(|days| Some(Value::Date(days))).collect(),
            FieldType::Integer | FieldType::Number(_) => {
                numbers(field, leaves).into_iter().map(|units| Some(Value::Number(units))).collect()
            }
        };
        if !field.required {
            values.push(None);
        }
        Some(values)
    }
}

fn numbers(field: &Field, leaves: &BTreeSet<&Filter>) -> BTreeSet<i64> {
    let number = |value: &Value| match value {
        Value::Number(units) | Value::Date(units) => Some(*units),
        Value::Text(_) | Value::Boolean(_) => None,
    };
    let constants = leaves.iter().flat_map(|leaf| match leaf {
        Filter::In(_, values) => values.iter().filter_map(number).collect(),
        Filter::Compare(_, _, value) => number(value).into_iter().collect(),
        _ => Vec::new(),
    });
    let around = constants.flat_map(|n| [n.saturating_sub(1), n, n.saturating_add(1)]);
    let ends = [field.minimum, field.maximum].into_iter().flatten();
    let fits = |n: &i64| field.minimum.is_none_or(|m| m <= *n) && field.maximum.is_none_or(|m| *n <= m);
    let mut found: BTreeSet<i64> = around.chain(ends).filter(fits).collect();
    if found.is_empty() {
        found.insert(0);
    }
    found
}

/// Constants, a text that is none of them, and one that a single pattern admits. Two patterns, or a pattern of the
/// schema, may leave out or ask for texts that nothing here would find.
fn texts(field: &Field, leaves: &BTreeSet<&Filter>) -> Option<BTreeSet<String>> {
    if !field.allowed.is_empty() {
        return Some(field.allowed.clone());
    }
    let mut found = BTreeSet::new();
    let mut patterns = 0;
    for leaf in leaves {
        match leaf {
            Filter::In(_, values) => found.extend(values.iter().filter_map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })),
            Filter::Like(_, pattern) => {
                patterns += 1;
                found.extend(["", "\u{1}"].map(|any| pattern.replace('%', any).replace('_', "\u{1}")));
            }
            _ => {}
        }
    }
    if patterns > 1 || (patterns == 1 && field.pattern.is_some()) {
        return None;
    }
    // No pack writes this character.
    found.insert("\u{2}".to_owned());
    Some(found)
}
