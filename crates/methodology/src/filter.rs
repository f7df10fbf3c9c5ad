//! Which rows count: a small row-wise expression of our own.
//!
//! The SQL text of a pack is only *parsed* by a SQL library; what is kept is this closed tree. No aggregate,
//! subquery, window or file function has a place in it, so none can reach the compute engine.

use std::collections::BTreeSet;
use std::fmt;

use model::DimensionCode;

mod case;
mod parse;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use parse::{Names, parse};
pub(crate) use split::{Split, split};

/// What a filter may look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnRef {
    /// A dimension: its value is one code, never blank.
    Dimension(DimensionCode),
    /// A column that feeds no dimension; may be blank.
    Field(String),
}

/// A constant, already in the units of the column it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Text, or a code.
    Text(String),
    /// Units of an integer or number column.
    Number(i64),
    /// Days since 1970-01-01.
    Date(i64),
    /// Yes or no.
    Boolean(bool),
}

/// `<`, `<=`, `>`, `>=`; equality is [`Filter::In`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    /// What holds exactly when this does not, blanks aside.
    fn opposite(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The same with both sides exchanged.
    fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A row-wise condition with SQL's three-valued logic: a blank makes a comparison unknown, and rows for which the
/// condition is unknown do not count.
///
/// Parsed filters are in normal form: `Not` stands only around `In`, `Like` and `IsNull`; `All` and `Any` are
/// flat, sorted and without repetition. Equal normal forms choose equal rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// The column is one of these values (`=` is a list of one).
    In(ColumnRef, BTreeSet<Value>),
    /// Order against a constant; numbers and dates only.
    Compare(ColumnRef, Comparison, Value),
    /// SQL `LIKE`: `%` any text, `_` one character, no escape.
    Like(ColumnRef, String),
    /// No value.
    IsNull(ColumnRef),
    /// Negation.
    Not(Box<Filter>),
    /// All of them; at least two.
    All(Vec<Filter>),
    /// One of them; at least two.
    Any(Vec<Filter>),
}

impl Filter {
    /// Whether a row meets the condition; `None` is SQL's unknown. `value` gives a row's value, `None` for a blank.
    pub fn holds(&self, value: &dyn Fn(&ColumnRef) -> Option<Value>) -> Option<bool> {
        match self {
            Self::In(column, values) => value(column).map(|v| values.contains(&v)),
            Self::Compare(column, comparison, constant) => value(column).map(|v| comparison.holds(&v, constant)),
            Self::Like(column, pattern) => match value(column)? {
                Value::Text(text) => regex::Regex::new(&Self::like_as_regex(pattern)).ok().map(|r| r.is_match(&text)),
                Value::Number(_) | Value::Date(_) | Value::Boolean(_) => None,
            },
            Self::IsNull(column) => Some(value(column).is_none()),
            Self::Not(inner) => inner.holds(value).map(|held| !held),
            Self::All(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match part.holds(value) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Self::Any(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match part.holds(value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
        }
    }

    /// A `LIKE` pattern as an anchored regular expression.
    pub fn like_as_regex(pattern: &str) -> String {
        let mut text = String::from("(?s)^");
        for character in pattern.chars() {
            match character {
                '%' => text.push_str(".*"),
                '_' => text.push('.'),
                other => text.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            }
        }
        text.push('$');
        text
    }

    /// The columns it looks at.
    pub fn columns(&self) -> BTreeSet<&ColumnRef> {
        match self {
            Self::In(column, _) | Self::Compare(column, _, _) | Self::Like(column, _) | Self::IsNull(column) => {
                BTreeSet::from([column])
            }
            Self::Not(inner) => inner.columns(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::columns).collect(),
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::Compare(column, comparison, value) => Self::Compare(column, comparison.opposite(), value),
            Self::Not(inner) => *inner,
            Self::All(parts) => Self::any(parts.into_iter().map(Self::negated)),
            Self::Any(parts) => Self::all(parts.into_iter().map(Self::negated)),
            leaf @ (Self::In(..) | Self::Like(..) | Self::IsNull(_)) => Self::Not(Box::new(leaf)),
        }
    }

    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat: BTreeSet<Self> = parts
            .into_iter()
            .flat_map(|part| match part {
                Self::All(inner) => inner,
                other => vec![other],
            })
            .collect();
        Self::joined(flat, Self::All)
    }

    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat: BTreeSet<Self> = parts
            .into_iter()
            .flat_map(|part| match part {
                Self::Any(inner) => inner,
                other => vec![other],
            })
            .collect();
        Self::joined(flat, Self::Any)
    }

    fn joined(flat: BTreeSet<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        let mut flat: Vec<Self> = flat.into_iter().collect();
        if flat.len() == 1
            && let Some(only) = flat.pop()
        {
            return only;
        }
        join(flat)
    }
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension(code) => write!(f, "{code}"),
            Self::Field(name) => write!(f, "{name}"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(units) => write!(f, "{units}"),
            Self::Date(days) => write!(f, "day {days}"),
            Self::Boolean(true) => f.write_str("TRUE"),
            Self::Boolean(false) => f.write_str("FALSE"),
        }
    }
}

impl fmt::Display for Filter {
    /// Canonical text: equal text, equal rows. Numbers are in units of their column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}({part})", if i == 0 { "" } else { word })?;
            }
            Ok(())
        };
        match self {
            Self::In(column, values) => {
                let list: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "{column} IN ({})", list.join(", "))
            }
            Self::Compare(column, comparison, value) => {
                let sign = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessOrEqual => "<=",
                    Comparison::Greater => ">",
                    Comparison::GreaterOrEqual => ">=",
                };
                write!(f, "{column} {sign} {value}")
            }
            Self::Like(column, pattern) => write!(f, "{column} LIKE {}", Value::Text(pattern.clone())),
            Self::IsNull(column) => write!(f, "{column} IS NULL"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::All(parts) => joined(f, parts, " AND "),
            Self::Any(parts) => joined(f, parts, " OR "),
        }
    }
}
