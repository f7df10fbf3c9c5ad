//! Filters of a pack as expressions of the engine.

use disclosure::Restriction;
use methodology::{ColumnRef, Comparison, Filter, Measure, Table, Value};
use polars::prelude::{Column, DataFrame, Expr, IntoColumn, NamedFrom, PolarsResult, Series, col, lit};
use regex::Regex;

use crate::rows::{dimension_column, field_column};

/// Lowers filters against one frame, to which it adds the columns that the engine cannot compute itself.
pub(super) struct Lowered<'a> {
    rows: &'a DataFrame,
    table: &'a Table,
    /// One Boolean column per `LIKE`: the engine's pattern matching is not compiled in, ours is the pack's own.
    likes: Vec<Column>,
}

impl<'a> Lowered<'a> {
    pub(super) fn new(rows: &'a DataFrame, table: &'a Table) -> Self {
        Self { rows, table, likes: Vec::new() }
    }

    /// The rows, the columns made on the way, and `more`.
    pub(super) fn frame_with<const N: usize>(self, more: [(&str, Vec<u32>); N]) -> PolarsResult<DataFrame> {
        let mut columns: Vec<Column> = self.rows.columns().to_vec();
        columns.extend(self.likes);
        columns.extend(more.into_iter().map(|(name, values)| Series::new(name.into(), values).into_column()));
        DataFrame::new(self.rows.height(), columns)
    }

    /// Which rows count for a measure.
    pub(super) fn rows_of(&mut self, measure: &Measure) -> PolarsResult<Expr> {
        let mut parts = self.codes(&measure.restriction);
        for condition in measure.conditions.values() {
            parts.push(self.condition(condition)?);
        }
        Ok(balanced(parts, Expr::and).unwrap_or_else(|| lit(true)))
    }

    fn codes(&self, restriction: &Restriction) -> Vec<Expr> {
        let mut parts = Vec::new();
        for (code, allowed) in &restriction.codes {
            let list = &self.table.scheme().dimensions()[code];
            let places = (0_u32..).zip(list).filter(|(_, code)| allowed.contains(code));
            let equals = places.map(|(place, _)| col(dimension_column(code)).eq(lit(place))).collect();
            parts.push(balanced(equals, Expr::or).unwrap_or_else(|| lit(false)));
        }
        parts
    }

    fn condition(&mut self, filter: &Filter) -> PolarsResult<Expr> {
        Ok(match filter {
            Filter::In(column, values) => {
                let equals = values.iter().map(|value| column_of(column).eq(self.value(column, value))).collect();
                balanced(equals, Expr::or).unwrap_or_else(|| lit(false))
            }
            Filter::Compare(column, comparison, value) => {
                let (left, right) = (column_of(column), self.value(column, value));
                match comparison {
                    Comparison::Less => left.lt(right),
                    Comparison::LessOrEqual => left.lt_eq(right),
                    Comparison::Greater => left.gt(right),
                    Comparison::GreaterOrEqual => left.gt_eq(right),
                }
            }
            Filter::Like(column, pattern) => self.like(column, pattern)?,
            Filter::IsNull(column) => column_of(column).is_null(),
            Filter::Not(inner) => self.condition(inner)?.not(),
            Filter::All(parts) => self.joined(parts, Expr::and)?,
            Filter::Any(parts) => self.joined(parts, Expr::or)?,
        })
    }

    fn joined(&mut self, parts: &[Filter], join: fn(Expr, Expr) -> Expr) -> PolarsResult<Expr> {
        let parts = parts.iter().map(|part| self.condition(part)).collect::<PolarsResult<Vec<_>>>()?;
        Ok(balanced(parts, join).unwrap_or_else(|| lit(true)))
    }

    /// A constant as the frame holds it: a code is its place in the list of its dimension.
    fn value(&self, column: &ColumnRef, value: &Value) -> Expr {
        match (column, value) {
            (ColumnRef::Dimension(dimension), Value::Text(code)) => {
                let list = &self.table.scheme().dimensions()[dimension];
                let place = (0_u32..).zip(list).find(|(_, known)| known.as_str() == code).map(|(place, _)| place);
                lit(place.expect("a pack's filters name known codes only"))
            }
            (_, Value::Text(text)) => lit(text.clone()),
            (_, Value::Number(units)) => lit(*units),
            (_, Value::Date(days)) => lit(*days),
            (_, Value::Boolean(yes)) => lit(*yes),
        }
    }

    fn like(&mut self, column: &ColumnRef, pattern: &str) -> PolarsResult<Expr> {
        let pattern = Regex::new(&Filter::like_as_regex(pattern)).expect("an escaped pattern of at most 1 000 bytes");
        let held: Vec<Option<bool>> = match column {
            ColumnRef::Dimension(dimension) => {
                let list = &self.table.scheme().dimensions()[dimension];
                let of_code: Vec<bool> = list.iter().map(|code| pattern.is_match(code.as_str())).collect();
                let places = self.rows.column(&dimension_column(dimension))?.u32()?;
                places.iter().map(|place| of_code.get(usize::try_from(place?).ok()?).copied()).collect()
            }
            ColumnRef::Field(name) => {
                let texts = self.rows.column(&field_column(name))?.str()?;
                texts.iter().map(|text| text.map(|text| pattern.is_match(text))).collect()
            }
        };
        let name = format!("like {}", self.likes.len());
        self.likes.push(Series::new(name.as_str().into(), held).into_column());
        Ok(col(name))
    }
}

fn column_of(column: &ColumnRef) -> Expr {
    match column {
        ColumnRef::Dimension(code) => col(dimension_column(code)),
        ColumnRef::Field(name) => col(field_column(name)),
    }
}

/// Joins as a tree of logarithmic depth: the engine recurses once per level, and overflowing its stack cannot be
/// caught.
fn balanced(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while parts.len() > 1 {
        let mut halved = Vec::with_capacity(parts.len().div_ceil(2));
        let mut pairs = parts.into_iter();
        while let Some(left) = pairs.next() {
            halved.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        parts = halved;
    }
    parts.pop()
}
