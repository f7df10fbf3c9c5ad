//! `CASE`, unfolded into AND, OR and NOT.
//!
//! A branch counts where its condition is true and no earlier one is; a condition that a blank makes unknown is not
//! true. Every leaf of a filter is unknown exactly where its column is blank, so "is true" and "is not true" can be
//! written without leaving the small tree, and unfolding is exact under `NOT` too.

use sqlparser::ast::{self, Expr};

use super::parse::{Names, Refusal, outside, refuse};
use super::{ColumnRef, Filter};
use crate::error::PackCause;

/// What a branch gives.
pub(super) enum Outcome {
    /// The same for every row.
    Always(bool),
    /// This condition.
    When(Filter),
}

impl Names<'_> {
    /// A `CASE` whose results are conditions.
    pub(super) fn case(&self, expression: &Expr) -> Result<Filter, Refusal> {
        self.unfold(expression, &|result| match plain(result) {
            Expr::Value(value) => match value.value {
                ast::Value::Boolean(yes) => Ok(Outcome::Always(yes)),
                _ => outside(result),
            },
            _ => self.condition(result).map(Outcome::When),
        })
    }

    /// A `CASE` whose results are texts or whole numbers, one of which must be (or not be) among `wanted`.
    pub(super) fn case_among(&self, expression: &Expr, wanted: &[Expr], negated: bool) -> Result<Filter, Refusal> {
        let literal = |of: &Expr| match plain(of) {
            Expr::Value(value) => match &value.value {
                ast::Value::SingleQuotedString(text) => Ok((true, text.clone())),
                ast::Value::Number(digits, _) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                    let digits = digits.trim_start_matches('0');
                    Ok((false, digits.to_owned()))
                }
                _ => outside(of),
            },
            _ => outside(of),
        };
        let wanted = wanted.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
        self.unfold(expression, &|result| {
            let given = literal(result)?;
            if wanted.iter().any(|(text, _)| *text != given.0) {
                return refuse(PackCause::Type, "les résultats de CASE et leur comparaison mêlent texte et nombre.");
            }
            Ok(Outcome::Always(wanted.contains(&given) != negated))
        })
    }

    fn unfold(
        &self,
        expression: &Expr,
        outcome: &dyn Fn(&Expr) -> Result<Outcome, Refusal>,
    ) -> Result<Filter, Refusal> {
        let Expr::Case { operand, conditions, else_result, .. } = plain(expression) else { return outside(expression) };
        let Some(otherwise) = else_result else {
            return refuse(
                PackCause::Filter,
                "un CASE sans ELSE ne dit pas ce que valent les autres lignes : ajoutez ELSE.",
            );
        };
        let mut earlier: Vec<Filter> = Vec::new();
        let mut branches: Vec<Filter> = Vec::new();
        for branch in conditions {
            let when = match operand {
                None => self.condition(&branch.condition)?,
                Some(operand) => self.condition(&Expr::BinaryOp {
                    left: operand.clone(),
                    op: ast::BinaryOperator::Eq,
                    right: Box::new(branch.condition.clone()),
                })?,
            };
            let reached = earlier.iter().cloned().chain([self.surely(when.clone())]);
            branches.extend(joined(reached, outcome(&branch.result)?));
            earlier.push(self.untrue(when));
        }
        branches.extend(joined(earlier.into_iter(), outcome(otherwise)?));
        if branches.is_empty() {
            return refuse(PackCause::Filter, "ce CASE ne retient jamais aucune ligne.");
        }
        Ok(Filter::any(branches))
    }

    /// True where `filter` is, false elsewhere; never unknown.
    fn surely(&self, filter: Filter) -> Filter {
        match filter {
            Filter::All(parts) => Filter::all(parts.into_iter().map(|part| self.surely(part))),
            Filter::Any(parts) => Filter::any(parts.into_iter().map(|part| self.surely(part))),
            leaf => match self.blank_of(&leaf) {
                Some(blank) => Filter::all([leaf, blank.negated()]),
                None => leaf,
            },
        }
    }

    /// True where `filter` is false or unknown, false elsewhere; never unknown.
    fn untrue(&self, filter: Filter) -> Filter {
        match filter {
            Filter::All(parts) => Filter::any(parts.into_iter().map(|part| self.untrue(part))),
            Filter::Any(parts) => Filter::all(parts.into_iter().map(|part| self.untrue(part))),
            leaf => match self.blank_of(&leaf) {
                Some(blank) => Filter::any([leaf.negated(), blank]),
                None => leaf.negated(),
            },
        }
    }

    /// What makes a leaf unknown, if anything can.
    fn blank_of(&self, leaf: &Filter) -> Option<Filter> {
        let bare = match leaf {
            Filter::Not(inner) => inner,
            other => other,
        };
        match bare {
            Filter::In(column, _) | Filter::Compare(column, _, _) | Filter::Like(column, _) => match column {
                ColumnRef::Field(name) if self.schema.field(name).is_none_or(|field| !field.required) => {
                    Some(Filter::IsNull(column.clone()))
                }
                ColumnRef::Field(_) | ColumnRef::Dimension(_) => None,
            },
            Filter::IsNull(_) | Filter::Not(_) | Filter::All(_) | Filter::Any(_) => None,
        }
    }
}

fn joined(reached: impl Iterator<Item = Filter>, outcome: Outcome) -> Option<Filter> {
    match outcome {
        Outcome::Always(false) => None,
        Outcome::Always(true) => Some(Filter::all(reached)),
        Outcome::When(filter) => Some(Filter::all(reached.chain([filter]))),
    }
}

/// Without its parentheses.
pub(super) fn plain(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => plain(inner),
        other => other,
    }
}
