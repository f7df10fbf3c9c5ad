//! From SQL text to the small tree; whatever the tree has no place for is refused with its place.

use std::collections::BTreeSet;
use std::ops::Range;

use model::DimensionCode;
use sqlparser::ast::{self, BinaryOperator, Expr, Spanned, UnaryOperator};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::case::plain;
use super::{ColumnRef, Comparison, Filter, Value};
use crate::error::{PackCause, Position};
use crate::schema::{Field, FieldType, TableSchema, calendar_days, exact_units};
use crate::table::Dimension;

/// Longest text accepted, in bytes.
const MAX_BYTES: usize = 1000;
/// Most tokens accepted. Parsing and walking recurse at most once per token, so this bounds the stack.
const MAX_TOKENS: usize = 200;
/// Most `CASE` accepted: unfolding one inside another multiplies.
const MAX_CASES: usize = 2;
/// Deepest nesting of parentheses accepted by the SQL library.
const MAX_DEPTH: usize = 30;

/// Why a text is not a filter: cause, and a French fragment that names the place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) cause: PackCause,
    pub(crate) message: String,
    /// Line and column in the filter, from 1; zero if not known.
    at: (u64, u64),
}

impl Refusal {
    fn near(mut self, place: Location) -> Self {
        if self.at.0 == 0 {
            self.at = (place.line, place.column);
        }
        self
    }

    /// The place in the file whose bytes `span` hold the filter `value`, quotes included.
    pub(crate) fn position(&self, file: &str, span: Range<usize>, value: &str) -> Position {
        let start = Position::of(file, span.start);
        let raw = file.get(span.clone()).unwrap_or_default();
        // Behind an escape, columns of the value are not columns of the file.
        let Some(inside) = raw.find(value).filter(|_| self.at.0 > 0 && !value.is_empty()) else { return start };
        let before: usize =
            value.split_inclusive('\n').take(usize::try_from(self.at.0 - 1).unwrap_or(0)).map(str::len).sum();
        let line = Position::of(file, span.start + inside + before);
        Position { column: line.column + usize::try_from(self.at.1.saturating_sub(1)).unwrap_or(0), ..line }
    }
}

pub(super) fn refuse<T>(cause: PackCause, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { cause, message: message.into(), at: (0, 0) })
}

/// What a filter may name.
pub(crate) struct Names<'a> {
    pub(crate) schema: &'a TableSchema,
    pub(crate) dimensions: &'a [Dimension],
}

/// Parses a filter; `None` for an empty text, which keeps every row.
pub(crate) fn parse(text: &str, names: &Names<'_>) -> Result<Option<Filter>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.len() > MAX_BYTES {
        return refuse(PackCause::Filter, format!("le filtre dépasse {MAX_BYTES} octets : découpez l'indicateur."));
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| Refusal {
        cause: PackCause::Filter,
        message: "une apostrophe ou un guillemet n'est pas refermé, ou un signe n'est pas permis.".to_owned(),
        at: (error.location.line, error.location.column),
    })?;
    if tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).count() > MAX_TOKENS {
        return refuse(
            PackCause::Filter,
            format!("le filtre a plus de {MAX_TOKENS} éléments : préférez IN (…) à une suite de OR."),
        );
    }
    let cases = tokens.iter().filter(|t| matches!(&t.token, Token::Word(word) if word.keyword == Keyword::CASE));
    if cases.count() > MAX_CASES {
        return refuse(PackCause::Filter, format!("le filtre a plus de {MAX_CASES} CASE : découpez l'indicateur."));
    }
    let end = tokens.last().map_or((1, 1), |last| (last.span.start.line, last.span.start.column));
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => Refusal {
            cause: PackCause::Filter,
            message: format!("le filtre est trop imbriqué ({MAX_DEPTH} niveaux au plus) : retirez des parenthèses."),
            at: (1, 1),
        },
        ParserError::ParserError(said) | ParserError::TokenizerError(said) => {
            let at = place_said(&said).unwrap_or(end);
            Refusal {
                cause: PackCause::Filter,
                message: format!("ce n'est pas une condition SQL : l'écriture s'arrête à la colonne {}.", at.1),
                at,
            }
        }
    })?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return refuse(
            PackCause::Filter,
            format!("le filtre continue après la condition, à la colonne {}.", rest.span.start.column),
        )
        .map_err(|refusal| refusal.near(rest.span.start));
    }
    names.condition(&expression).map(Some)
}

/// The place at the end of what the SQL library says: `… at Line: 1, Column: 5`.
fn place_said(said: &str) -> Option<(u64, u64)> {
    let (line, column) = said.rsplit_once(" at Line: ")?.1.split_once(", Column: ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

pub(super) fn outside<T>(expression: &Expr) -> Result<T, Refusal> {
    refuse(
        PackCause::Filter,
        format!(
            "« {expression} » (colonne {}) n'est pas permis : un filtre compare une colonne à une valeur, avec \
             =, <>, <, <=, >, >=, IN, BETWEEN, LIKE, IS NULL, CASE, AND, OR, NOT.",
            expression.span().start.column
        ),
    )
}

impl Names<'_> {
    pub(super) fn condition(&self, expression: &Expr) -> Result<Filter, Refusal> {
        self.bare(expression).map_err(|refusal| refusal.near(expression.span().start))
    }

    fn bare(&self, expression: &Expr) -> Result<Filter, Refusal> {
        match expression {
            Expr::Nested(inner) => self.condition(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(self.condition(expr)?.negated()),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                Ok(Filter::all([self.condition(left)?, self.condition(right)?]))
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                Ok(Filter::any([self.condition(left)?, self.condition(right)?]))
            }
            Expr::Case { .. } => self.case(expression),
            Expr::BinaryOp { left, op: op @ (BinaryOperator::Eq | BinaryOperator::NotEq), right }
                if matches!(plain(left), Expr::Case { .. }) =>
            {
                self.case_among(left, std::slice::from_ref(right), *op == BinaryOperator::NotEq)
            }
            Expr::InList { expr, list, negated } if matches!(plain(expr), Expr::Case { .. }) => {
                self.case_among(expr, list, *negated)
            }
            Expr::BinaryOp { left, op, right } => match (Self::identifier(left), Self::identifier(right)) {
                (Some(name), None) => self.comparison(name, op, right, false, expression),
                (None, Some(name)) => self.comparison(name, op, left, true, expression),
                _ => outside(expression),
            },
            Expr::InList { expr, list, negated } => {
                let column = self.column(Self::identifier(expr).map_or_else(|| outside(expression), Ok)?)?;
                let values: BTreeSet<Value> =
                    list.iter().map(|item| self.constant(&column, item)).collect::<Result<_, _>>()?;
                if values.is_empty() {
                    return outside(expression);
                }
                Ok(negate(*negated, Filter::In(column, values)))
            }
            Expr::Between { expr, negated, low, high } => {
                let column = self.ordered(Self::identifier(expr).map_or_else(|| outside(expression), Ok)?)?;
                let low = self.constant(&column, low)?;
                let high = self.constant(&column, high)?;
                let range = Filter::all([
                    Filter::Compare(column.clone(), Comparison::GreaterOrEqual, low),
                    Filter::Compare(column, Comparison::LessOrEqual, high),
                ]);
                Ok(negate(*negated, range))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let column = self.column(Self::identifier(expr).map_or_else(|| outside(expression), Ok)?)?;
                let Value::Text(pattern) = self.constant_text(&column, pattern)? else { return outside(expression) };
                Ok(negate(*negated, Filter::Like(column, pattern)))
            }
            Expr::IsNull(inner) => self.blank(inner, false, expression),
            Expr::IsNotNull(inner) => self.blank(inner, true, expression),
            Expr::Identifier(_) => {
                let name = Self::identifier(expression).map_or_else(|| outside(expression), Ok)?;
                let column = self.column(name)?;
                if self.kind(&column) == Some(FieldType::Boolean) {
                    Ok(Filter::In(column, BTreeSet::from([Value::Boolean(true)])))
                } else {
                    refuse(
                        PackCause::Type,
                        format!("« {name} » seul n'est pas une condition : comparez-le à une valeur."),
                    )
                }
            }
            _ => outside(expression),
        }
    }

    fn comparison(
        &self,
        name: &str,
        op: &BinaryOperator,
        constant: &Expr,
        mirrored: bool,
        whole: &Expr,
    ) -> Result<Filter, Refusal> {
        let order = match op {
            BinaryOperator::Eq | BinaryOperator::NotEq => {
                let column = self.column(name)?;
                let value = self.constant(&column, constant)?;
                let equal = Filter::In(column, BTreeSet::from([value]));
                return Ok(negate(*op == BinaryOperator::NotEq, equal));
            }
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            _ => return outside(whole),
        };
        let column = self.ordered(name)?;
        let value = self.constant(&column, constant)?;
        Ok(Filter::Compare(column, if mirrored { order.mirrored() } else { order }, value))
    }

    fn blank(&self, inner: &Expr, negated: bool, whole: &Expr) -> Result<Filter, Refusal> {
        let column = self.column(Self::identifier(inner).map_or_else(|| outside(whole), Ok)?)?;
        if let ColumnRef::Dimension(code) = &column {
            return refuse(
                PackCause::Type,
                format!("le critère « {code} » n'est jamais vide : comparez-le à sa modalité « non renseigné »."),
            );
        }
        Ok(negate(negated, Filter::IsNull(column)))
    }

    fn identifier(expression: &Expr) -> Option<&str> {
        match expression {
            Expr::Identifier(name) => Some(&name.value),
            Expr::Nested(inner) => Self::identifier(inner),
            _ => None,
        }
    }

    fn column(&self, name: &str) -> Result<ColumnRef, Refusal> {
        if let Some(dimension) = self.dimensions.iter().find(|d| d.code.as_str() == name) {
            return Ok(ColumnRef::Dimension(dimension.code.clone()));
        }
        if let Some(dimension) = self.dimensions.iter().find(|d| d.field == name) {
            // Two ways to speak of one column would hide from disclosure control that their cells overlap.
            return refuse(
                PackCause::Inconsistent,
                format!(
                    "la colonne « {name} » porte le critère « {} » : écrivez la condition sur ce critère et ses modalités.",
                    dimension.code
                ),
            );
        }
        if self.schema.field(name).is_some() {
            return Ok(ColumnRef::Field(name.to_owned()));
        }
        let known: Vec<&str> = self.schema.fields.iter().map(|f| f.name.as_str()).collect();
        refuse(
            PackCause::Unknown,
            format!("la colonne « {name} » n'existe pas dans la table (colonnes : {}).", known.join(", ")),
        )
    }

    fn ordered(&self, name: &str) -> Result<ColumnRef, Refusal> {
        let column = self.column(name)?;
        match self.kind(&column) {
            Some(FieldType::Integer | FieldType::Number(_) | FieldType::Date) => Ok(column),
            Some(FieldType::String | FieldType::Boolean) | None => refuse(
                PackCause::Type,
                format!("« {name} » n'est ni un nombre ni une date : comparez-le avec =, <> ou IN."),
            ),
        }
    }

    fn kind(&self, column: &ColumnRef) -> Option<FieldType> {
        match column {
            ColumnRef::Dimension(_) => None,
            ColumnRef::Field(name) => self.schema.field(name).map(|field| field.kind),
        }
    }

    fn constant_text(&self, column: &ColumnRef, expression: &Expr) -> Result<Value, Refusal> {
        match (self.kind(column), expression) {
            (None | Some(FieldType::String), Expr::Value(value)) => match &value.value {
                ast::Value::SingleQuotedString(text) => Ok(Value::Text(text.clone())),
                _ => outside(expression),
            },
            _ => refuse(PackCause::Type, format!("« {column} » n'est pas un texte : LIKE ne s'y applique pas.")),
        }
    }

    fn constant(&self, column: &ColumnRef, expression: &Expr) -> Result<Value, Refusal> {
        match column {
            ColumnRef::Dimension(code) => self.code(code, expression),
            ColumnRef::Field(name) => {
                let field = self.schema.field(name).expect("`column` found it");
                typed(field, expression)
            }
        }
    }

    fn code(&self, dimension: &DimensionCode, expression: &Expr) -> Result<Value, Refusal> {
        let Expr::Value(value) = expression else { return outside(expression) };
        let ast::Value::SingleQuotedString(text) = &value.value else {
            return refuse(
                PackCause::Type,
                format!("« {dimension} » a des modalités : écrivez-les entre apostrophes ('…')."),
            );
        };
        let found = self.dimensions.iter().find(|d| d.code == *dimension);
        if found.is_some_and(|d| d.items.iter().any(|item| item.code.as_str() == text)) {
            Ok(Value::Text(text.clone()))
        } else {
            refuse(PackCause::Unknown, format!("« {text} » n'est pas une modalité du critère « {dimension} »."))
        }
    }
}

fn negate(negated: bool, filter: Filter) -> Filter {
    if negated { filter.negated() } else { filter }
}

/// A literal in the units of the field, or why it cannot be compared with it.
fn typed(field: &Field, expression: &Expr) -> Result<Value, Refusal> {
    let wrong = |what: &str| {
        refuse(PackCause::Type, format!("« {} » se compare à {what}, pas à « {expression} ».", field.name))
    };
    match (field.kind, expression) {
        (kind, Expr::Nested(inner)) => {
            debug_assert_eq!(kind, field.kind);
            typed(field, inner)
        }
        (FieldType::String, Expr::Value(value)) => match &value.value {
            ast::Value::SingleQuotedString(text) => Ok(Value::Text(text.clone())),
            _ => wrong("un texte entre apostrophes"),
        },
        (FieldType::Boolean, Expr::Value(value)) => match &value.value {
            ast::Value::Boolean(yes) => Ok(Value::Boolean(*yes)),
            _ => wrong("TRUE ou FALSE"),
        },
        (FieldType::Date, Expr::Value(value)) => match &value.value {
            ast::Value::SingleQuotedString(text) => date(text).map_or_else(|| wrong("une date 'AAAA-MM-JJ'"), Ok),
            _ => wrong("une date 'AAAA-MM-JJ'"),
        },
        (FieldType::Date, Expr::TypedString(typed)) if typed.data_type == ast::DataType::Date => {
            match &typed.value.value {
                ast::Value::SingleQuotedString(text) => date(text).map_or_else(|| wrong("une date 'AAAA-MM-JJ'"), Ok),
                _ => wrong("une date 'AAAA-MM-JJ'"),
            }
        }
        (FieldType::Integer | FieldType::Number(_), Expr::Value(_) | Expr::UnaryOp { .. }) => {
            number(field, expression).map_or_else(|| wrong("un nombre avec au plus ses décimales"), Ok)
        }
        (FieldType::String, _) => wrong("un texte entre apostrophes"),
        (FieldType::Boolean, _) => wrong("TRUE ou FALSE"),
        (FieldType::Date, _) => wrong("une date 'AAAA-MM-JJ'"),
        (FieldType::Integer | FieldType::Number(_), _) => wrong("un nombre"),
    }
}

fn date(text: &str) -> Option<Value> {
    calendar_days(text).map(Value::Date)
}

fn number(field: &Field, expression: &Expr) -> Option<Value> {
    let (sign, literal) = match expression {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => ("-", &**expr),
        other => ("", other),
    };
    let Expr::Value(value) = literal else { return None };
    let ast::Value::Number(digits, _) = &value.value else { return None };
    exact_units(&format!("{sign}{digits}"), field.kind.decimals()).map(Value::Number)
}
