//! A file of totals: each line stands for many rows of its table ("famille monoparentale ; 42 demandes ; 37 ménages").
//!
//! Such a line is unfolded into rows that nobody has seen but that agree with it: so many rows, of so many units, with its
//! codes and with any value in columns that the file has not. From these rows everything is counted as from others, and
//! what does not follow from the lines themselves is marked: nobody is ever shown it ([`unknown`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use disclosure::{MeasureScheme, Quantity};
use methodology::{ColumnRef, Dimension, Field, FieldType, Table};
use model::{DimensionCode, IndicatorCode};

use crate::rows::Cell;
use crate::tally::{Shape, Tally};

/// What counts the rows behind a line, and what counts their units: columns that no table has.
pub(crate) static COUNT: LazyLock<Field> = LazyLock::new(|| number("totals.count", "Nombre"));
pub(crate) static UNITS: LazyLock<Field> = LazyLock::new(|| number("totals.units", "Nombre d’unités"));

/// Rows behind one line. More are hardly totals of a commune.
const MOST: i64 = 2_000_000;

fn number(name: &str, title: &str) -> Field {
    Field {
        name: name.to_owned(),
        title: title.to_owned(),
        description: String::new(),
        kind: FieldType::Integer,
        required: true,
        allowed: BTreeSet::new(),
        pattern: None,
        minimum: Some(0),
        maximum: Some(MOST),
    }
}

/// Whether a column names rows or units: lines of totals cannot have it.
pub(crate) fn identifies(table: &Table, field: &str) -> bool {
    let counted = |scheme: &MeasureScheme| match &scheme.quantity {
        Quantity::Distinct { column } => column == field,
        Quantity::Rows | Quantity::Sum { .. } | Quantity::Weight { .. } => false,
    };
    table.unit() == Some(field)
        || table.schema().primary_key.iter().any(|name| name == field)
        || table.scheme().measures().iter().any(counted)
}

/// Whether a column is added up: a line has the sum over its rows. All others tell lines apart.
pub(crate) fn is_amount(table: &Table, field: &str) -> bool {
    table.scheme().measures().iter().any(|scheme| match &scheme.quantity {
        Quantity::Sum { column } | Quantity::Weight { column } => column == field,
        Quantity::Rows | Quantity::Distinct { .. } => false,
    })
}

/// A value that the column takes, for one that the file has not.
pub(crate) fn any_value<'a>(field: &'a Field, dimension: Option<&Dimension>) -> Cell<'a> {
    if dimension.is_some() {
        return Cell::Code(0);
    }
    match field.kind {
        FieldType::String => Cell::Text(field.allowed.first().map_or("x", String::as_str)),
        FieldType::Integer | FieldType::Number(_) | FieldType::Date => {
            let low = field.minimum.unwrap_or(i64::MIN);
            Cell::Number(0.clamp(low, field.maximum.unwrap_or(i64::MAX).max(low)))
        }
        FieldType::Boolean => Cell::Boolean(false),
    }
}

/// The breakdowns that lines with these columns say nothing about, by place among the table's columns.
pub(crate) fn unknown(table: &Table, given: &[bool]) -> BTreeSet<(IndicatorCode, BTreeSet<DimensionCode>)> {
    let fields = &table.schema().fields;
    let has = |name: &str| fields.iter().zip(given).any(|(field, given)| field.name == name && *given);
    let tells = |name: &str| has(name) && !is_amount(table, name) && !identifies(table, name);
    let of_code = |code: &DimensionCode| table.dimension(code).is_some_and(|dimension| tells(&dimension.field));
    // Units of two lines are different ones only if a column tells these apart that has one value for each unit.
    let measure = |scheme: &MeasureScheme| table.indicator(&scheme.indicator).and_then(|indicator| indicator.measure());
    let apart = |scheme: &MeasureScheme, unit: &str| {
        // Only one code of it counts, whether the filter is a restriction or, for units, a condition.
        let one = |code: &DimensionCode| {
            let readings = measure(scheme).into_iter().flat_map(|measure| measure.readings.values());
            let codes = scheme.restriction.codes.get(code).into_iter();
            codes.chain(readings.filter(|(read, _)| read == code).map(|(_, codes)| codes)).any(|codes| codes.len() == 1)
        };
        fields.iter().filter(|field| tells(&field.name)).all(|field| {
            table
                .dimension_of(&field.name)
                .is_some_and(|dimension| dimension.single_valued_for.contains(unit) || one(&dimension.code))
        })
    };
    let follows = |scheme: &MeasureScheme| {
        let quantity = match &scheme.quantity {
            Quantity::Rows => true,
            Quantity::Sum { column } => has(column),
            Quantity::Weight { .. } => false,
            Quantity::Distinct { column } => table.unit() == Some(column) && apart(scheme, column),
        };
        let columns =
            measure(scheme).into_iter().flat_map(|measure| measure.conditions.values()).flat_map(|f| f.columns());
        let mut conditions = columns.map(|column| match column {
            ColumnRef::Field(name) => tells(name),
            ColumnRef::Dimension(code) => of_code(code),
        });
        quantity && scheme.restriction.codes.keys().all(of_code) && conditions.all(|told| told)
    };
    let mut unknown = BTreeSet::new();
    for scheme in table.scheme().measures() {
        let all = !follows(scheme);
        let without = scheme.breakdowns.iter().filter(|breakdown| all || !breakdown.iter().all(of_code));
        unknown.extend(without.map(|breakdown| (scheme.indicator.clone(), breakdown.clone())));
    }
    unknown
}

/// Lines on their way to rows.
pub(crate) struct Unfolding<'a> {
    shape: &'a Shape,
    fields: &'a [Field],
    unit: Option<usize>,
    /// Columns with one value for each unit.
    single: Vec<usize>,
    /// Units by their values in these columns: the lines of one group may speak of the same units.
    groups: BTreeMap<Vec<u32>, i64>,
    rows: i64,
}

impl<'a> Unfolding<'a> {
    pub(crate) fn new(table: &'a Table, shape: &'a Shape) -> Self {
        let fields = &table.schema().fields;
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        let single = table.unit().into_iter().flat_map(|unit| {
            let dimensions = table.dimensions().iter().filter(|d| d.single_valued_for.contains(unit));
            dimensions.filter_map(|dimension| place(&dimension.field)).collect::<Vec<_>>()
        });
        Self {
            shape,
            fields,
            unit: table.unit().and_then(place),
            single: single.collect(),
            groups: BTreeMap::new(),
            rows: 0,
        }
    }

    /// Counts the rows of one line; `cells` are those of the table, then [`COUNT`], then [`UNITS`] if it protects any.
    ///
    /// The units of two lines that may be the same are the same: a cell has at least as many as its largest line, and
    /// nobody may rely on more.
    pub(crate) fn push(&mut self, tally: &mut Tally, cells: &[Cell<'_>], line: u64) {
        let (given, counts) = cells.split_at(self.fields.len());
        let counted = |at: usize| counts.get(at).and_then(Cell::number);
        let count = counted(0).unwrap_or(0);
        let units = counted(1).unwrap_or(count).max(1);
        let group = given.iter().enumerate().filter(|(place, _)| self.single.contains(place));
        let group: Vec<u32> = group.map(|(_, cell)| if let Cell::Code(code) = cell { *code } else { 0 }).collect();
        let next = i64::try_from(self.groups.len()).expect("fewer groups than lines");
        let group = *self.groups.entry(group).or_insert(next) * (MOST + 1);
        for row in 0..count {
            let of_unit = group + row % units;
            let names: Vec<(usize, String)> = self
                .shape
                .identities
                .iter()
                .map(|&field| {
                    let number = if Some(field) == self.unit { of_unit } else { self.rows };
                    (field, number.to_string())
                })
                .collect();
            let mut cells: Vec<Cell<'_>> = given.to_vec();
            for (field, name) in &names {
                cells[*field] = match self.fields[*field].kind {
                    FieldType::Integer => Cell::Number(name.parse().expect("written from a number")),
                    _ => Cell::Text(name),
                };
            }
            // Twelve aids and 350 euros may be eleven parcels and one household's 350: an amount is of one of them, as far as
            // anybody may rely on it.
            for &field in &self.shape.amounts {
                if matches!(given[field], Cell::Number(_)) && row > 0 {
                    cells[field] = Cell::Number(0);
                }
            }
            tally.push(self.shape, &cells, line);
            self.rows += 1;
        }
    }
}

/// What is wrong with the counts of a line, in French.
pub(crate) fn fault(cells: &[Cell<'_>], table: &Table) -> Option<Cow<'static, str>> {
    let fields = &table.schema().fields;
    let width = fields.len();
    let amount = |(field, cell): (&Field, &Cell<'_>)| {
        is_amount(table, &field.name) && matches!(cell, Cell::Number(sum) if *sum != 0)
    };
    if cells.get(width).and_then(Cell::number) == Some(0) && fields.iter().zip(cells).any(amount) {
        return Some(
            "Cette ligne a un montant et compte zéro ligne (demandes, aides, …) : il ne serait dans aucun total. Vérifiez \
                     les deux colonnes."
                .into(),
        );
    }
    let counted = |at: usize| cells.get(width + at).and_then(Cell::number);
    let (count, units) = (counted(0)?, counted(1)?);
    if units > count {
        return Some(
            "Cette ligne compte plus de ménages ou de personnes que de lignes (demandes, aides, …) : chacun en a au \
                     moins une. Vérifiez que les deux colonnes ne sont pas inversées."
                .into(),
        );
    }
    (units == 0 && count > 0).then(|| {
        "Cette ligne a des demandes et personne qui les ait faites : indiquez le nombre de \
                                       ménages ou de personnes."
            .into()
    })
}

#[cfg(test)]
mod tests;
