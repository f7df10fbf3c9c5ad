//! Which rows count: a small row-wise expression of our own.
//!
//! The SQL text of a pack is only *parsed* by a SQL library; what is kept is this closed tree. No aggregate,
//! subquery, window or file function has a place in it, so none can reach the compute engine.

use std::collections::BTreeSet;
use std::fmt;

use model::DimensionCode;

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

/// A row-wise condition with SQL's three-valued logic: a blank makes a comparison unknown, unknown rows do not count.
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

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self)
    }
}
