//! What makes two tables ask the same question, and protect it the same way.
//!
//! The canonical form is a sequence of tagged, length-prefixed parts: no two different tables share one, and it
//! depends on no serialiser.

use disclosure::{Protection, Quantity, Zeros};
use model::{DefinitionHash, RuleHash};
use seal::sha256;

use crate::indicator::{Aggregation, Definition, Measure};
use crate::schema::FieldType;
use crate::table::Table;

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
    c.list(&table.dimensions, |c, dimension| {
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
    });
    c.list(&table.indicators, |c, indicator| {
        c.text(indicator.code.as_str());
        c.text(&indicator.unit);
        c.text(match indicator.aggregation {
            Aggregation::Additive => "additive",
            Aggregation::AdditiveWithinCommune => "additive within commune",
            Aggregation::Ratio => "ratio",
            Aggregation::NonAdditive => "non-additive",
        });
        match &indicator.definition {
            Definition::Measure(m) => measure(c, m),
            Definition::Ratio(ratio) => {
                c.text("ratio");
                c.text(ratio.numerator.as_str());
                c.text(ratio.denominator.as_str());
                c.number(i64::from(ratio.per));
                c.number(i64::from(ratio.decimals.places()));
            }
        }
    });
    DefinitionHash::from_bytes(*sha256(&c.0).as_bytes())
}

fn columns(c: &mut Canonical, table: &Table) {
    c.list(&table.schema.fields, |c, field| {
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
    });
    c.list(&table.schema.primary_key, |c, name| c.text(name));
    c.list(&table.schema.missing_values, |c, value| c.text(value));
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
    RuleHash::from_bytes(*sha256(&c.0).as_bytes())
}
