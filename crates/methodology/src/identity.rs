//! What makes two tables ask the same question, and protect it the same way.
//!
//! The canonical form is a sequence of tagged, length-prefixed parts: no two different tables share one, and it
//! depends on no serialiser.

use std::collections::BTreeSet;

use disclosure::{Protection, Quantity, Zeros};
use model::{DefinitionHash, DimensionCode, Hash, RuleHash};
use seal::sha256;

use crate::filter::{ColumnRef, Filter};
use crate::indicator::{Aggregation, Definition, Indicator, Measure};
use crate::relation::{Basis, Known, Relation};
use crate::schema::{Field, FieldType};
use crate::table::{Dimension, Table};

#[derive(Default)]
struct Canonical(Vec<u8>);

impl Canonical {
    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u64).to_be_bytes());
        self.0.extend(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.text(&number.to_string());
    }

    fn optional(&mut self, number: Option<i64>) {
        match number {
            Some(number) => self.number(number),
            None => self.text("-"),
        }
    }

    /// A list is its length, then its parts.
    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        let items = items.into_iter();
        self.text(&items.len().to_string());
        for item in items {
            each(self, item);
        }
    }
}

/// The question: columns, codes, quantities, filters, breakdowns, ratio terms. Neither titles nor sheets, nor the kinds
/// of period: a slice names its own.
pub(crate) fn definition(table: &Table) -> DefinitionHash {
    let mut c = Canonical::default();
    c.text("maillage definition 1");
    c.text(table.pack.as_str());
    c.text(table.code.as_str());
    c.text(table.unit.as_deref().unwrap_or(""));
    columns(&mut c, table);
    c.list(&table.dimensions, dimension);
    c.list(&table.indicators, |c, indicator| {
        c.text(indicator.code.as_str());
        c.text(&indicator.unit);
        c.text(aggregation(indicator.aggregation));
        match &indicator.definition {
            Definition::Measure(m) => measure(c, m),
            Definition::Ratio(ratio) => {
                c.text("ratio");
                c.text(ratio.numerator.as_str());
                c.text(ratio.denominator.as_str());
                c.number(i64::from(ratio.per));
                c.number(i64::from(ratio.decimals.places()));
            }
            Definition::Median(median) => {
                // Its classes are those of the dimension.
                c.text("median");
                c.text(median.of.as_str());
                c.text(median.along.as_str());
                c.number(i64::from(median.decimals.places()));
            }
        }
    });
    DefinitionHash::from_bytes(*sha256(&c.0).as_bytes())
}

fn aggregation(aggregation: Aggregation) -> &'static str {
    match aggregation {
        Aggregation::Additive => "additive",
        Aggregation::AdditiveWithinCommune => "additive within commune",
        Aggregation::Ratio => "ratio",
        Aggregation::Distribution => "distribution",
        Aggregation::NonAdditive => "non-additive",
    }
}

fn dimension(c: &mut Canonical, dimension: &Dimension) {
    c.text(dimension.code.as_str());
    c.text(&dimension.field);
    c.text(dimension.blank.as_ref().map_or("", |code| code.as_str()));
    c.list(&dimension.single_valued_for, |c, column| c.text(column));
    c.list(&dimension.items, |c, item| {
        c.text(item.code.as_str());
        c.list(&item.values, |c, value| c.text(value));
        c.optional(item.band.and_then(|band| band.from));
        c.optional(item.band.and_then(|band| band.to));
    });
}

fn columns(c: &mut Canonical, table: &Table) {
    c.list(&table.schema.fields, column);
    c.list(&table.schema.primary_key, |c, name| c.text(name));
    c.list(&table.schema.missing_values, |c, value| c.text(value));
}

fn column(c: &mut Canonical, field: &Field) {
    c.text(&field.name);
    c.text(match field.kind {
        FieldType::String => "string",
        FieldType::Integer => "integer",
        FieldType::Number(_) => "number",
        FieldType::Date => "date",
        FieldType::Boolean => "boolean",
    });
    c.number(i64::from(field.kind.decimals().places()));
    c.text(if field.required { "required" } else { "optional" });
    c.list(&field.allowed, |c, value| c.text(value));
    c.text(field.pattern.as_deref().unwrap_or(""));
    c.optional(field.minimum);
    c.optional(field.maximum);
}

fn measure(c: &mut Canonical, measure: &Measure) {
    let (kind, column) = match &measure.quantity {
        Quantity::Rows => ("rows", ""),
        Quantity::Distinct { column } => ("distinct", column.as_str()),
        Quantity::Sum { column } => ("sum", column.as_str()),
        Quantity::Weight { column } => ("weight", column.as_str()),
    };
    c.text(kind);
    c.text(column);
    c.number(i64::from(measure.decimals.places()));
    c.list(&measure.restriction.codes, |c, (dimension, codes)| {
        c.text(dimension.as_str());
        c.list(codes, |c, code| c.text(code.as_str()));
    });
    c.list(&measure.restriction.conditions, |c, condition| c.text(condition));
    c.list(&measure.breakdowns, |c, breakdown| {
        c.list(breakdown, |c, dimension| c.text(dimension.as_str()));
    });
}

/// The protection of each measure, in ascending order of indicator.
pub(crate) fn rule(table: &Table) -> RuleHash {
    let mut c = Canonical::default();
    c.text("maillage rule 1");
    c.text(table.pack.as_str());
    c.text(table.code.as_str());
    c.list(table.scheme.measures(), |c, measure| {
        c.text(measure.indicator.as_str());
        match measure.protection {
            Protection::AtSource => c.text("at source"),
            Protection::None => c.text("none"),
            Protection::Here(rule) => {
                c.text("here");
                c.number(i64::from(rule.threshold));
                c.text(match rule.zeros {
                    Zeros::Publish => "publish zeros",
                    Zeros::Protect => "protect zeros",
                });
                c.number(rule.width);
            }
        }
    });
    // What is proven follows from the definition; a table without declared relations is hashed as before there were any.
    let mut declared: Vec<(&Relation, &str)> = table.relations.iter().filter_map(declared).collect();
    if !declared.is_empty() {
        declared.sort();
        c.list(declared, |c, (relation, reason)| {
            c.text(match relation {
                Relation::Same(..) => "same",
                Relation::Within(..) => "within",
                Relation::Apart(..) => "apart",
                Relation::Partition { .. } => "partition",
                Relation::Overlap(..) => "overlap",
                Relation::Bound(..) => "bound",
            });
            c.list(relation.indicators(), |c, code| c.text(code.as_str()));
            c.text(reason);
        });
    }
    RuleHash::from_bytes(*sha256(&c.0).as_bytes())
}

fn declared(known: &Known) -> Option<(&Relation, &str)> {
    match &known.basis {
        Basis::Declared(reason) => Some((&known.relation, reason)),
        Basis::Proven => None,
    }
}

/// What one indicator asks, breakdowns aside: equal questions give comparable totals.
pub(crate) fn question(table: &Table, indicator: &Indicator) -> Hash {
    let mut c = Canonical::default();
    c.text("maillage question 1");
    ask(&mut c, table, indicator);
    sha256(&c.0)
}

/// The codes of one axis and what leads to them.
pub(crate) fn axis(table: &Table, code: &DimensionCode) -> Option<Hash> {
    let mut c = Canonical::default();
    c.text("maillage axis 1");
    let found = table.dimension(code)?;
    dimension(&mut c, found);
    c.list(table.schema.field(&found.field), column);
    Some(sha256(&c.0))
}

fn ask(c: &mut Canonical, table: &Table, indicator: &Indicator) {
    c.text(table.pack.as_str());
    c.text(table.code.as_str());
    c.text(table.unit.as_deref().unwrap_or(""));
    c.list(&table.schema.primary_key, |c, name| c.text(name));
    c.list(&table.schema.missing_values, |c, value| c.text(value));
    c.text(indicator.code.as_str());
    c.text(&indicator.unit);
    c.text(aggregation(indicator.aggregation));
    match &indicator.definition {
        Definition::Measure(m) => {
            measure(c, &Measure { breakdowns: BTreeSet::new(), ..m.clone() });
            let conditions = m.conditions.values().flat_map(Filter::columns);
            let mut axes: BTreeSet<&DimensionCode> = m.restriction.codes.keys().collect();
            let mut fields: BTreeSet<&str> = BTreeSet::new();
            for named in conditions {
                match named {
                    ColumnRef::Dimension(code) => drop(axes.insert(code)),
                    ColumnRef::Field(name) => drop(fields.insert(name)),
                }
            }
            if let Quantity::Distinct { column } | Quantity::Sum { column } | Quantity::Weight { column } = &m.quantity
            {
                fields.insert(column);
            }
            fields.extend(table.unit.as_deref());
            let axes: Vec<&Dimension> = axes.into_iter().filter_map(|code| table.dimension(code)).collect();
            fields.extend(axes.iter().map(|axis| axis.field.as_str()));
            c.list(axes, dimension);
            let fields: Vec<&Field> = fields.into_iter().filter_map(|name| table.schema.field(name)).collect();
            c.list(fields, column);
        }
        Definition::Ratio(ratio) => {
            // Terms are measures of the same table: this does not go deeper.
            for term in [&ratio.numerator, &ratio.denominator] {
                match table.indicator(term) {
                    Some(term) => ask(c, table, term),
                    None => c.text(term.as_str()),
                }
            }
            c.number(i64::from(ratio.per));
            c.number(i64::from(ratio.decimals.places()));
        }
        Definition::Median(median) => {
            match table.indicator(&median.of) {
                Some(of) => ask(c, table, of),
                None => c.text(median.of.as_str()),
            }
            c.list(table.dimension(&median.along), dimension);
            c.number(i64::from(median.decimals.places()));
        }
    }
}
