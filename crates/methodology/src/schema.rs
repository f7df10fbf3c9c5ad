//! The Table Schema of a source table (Frictionless, <https://specs.frictionlessdata.io/table-schema/>).

use std::collections::BTreeSet;

use model::Decimals;

/// What a column holds once read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number kept as an integer of its last place; more places in the source are rounded half away from zero.
    Number(Decimals),
    /// A calendar day.
    Date,
    /// Yes or no.
    Boolean,
}

impl FieldType {
    /// Places kept: those of a number, none for the rest.
    pub fn decimals(self) -> Decimals {
        match self {
            Self::Number(decimals) => decimals,
            Self::String | Self::Integer | Self::Date | Self::Boolean => Decimals::NONE,
        }
    }
}

/// One column that the pack reads. Columns of the source that no field names are never read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in definitions.
    pub name: String,
    /// French title.
    pub title: String,
    /// French explanation; may be empty.
    pub description: String,
    /// What it holds.
    pub kind: FieldType,
    /// Whether a blank is refused.
    pub required: bool,
    /// Values accepted, as written in the source after trimming; empty means any.
    pub allowed: BTreeSet<String>,
    /// The whole text must match this pattern of `regex` syntax without look-around.
    pub pattern: Option<String>,
    /// Smallest value, in units of the field.
    pub minimum: Option<i64>,
    /// Largest value, in units of the field.
    pub maximum: Option<i64>,
}

/// The columns of a table and what makes a row unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Columns, in the order of the file.
    pub fields: Vec<Field>,
    /// Columns that together name a row once; empty if rows need not differ.
    pub primary_key: Vec<String>,
    /// Texts that mean "no value", compared after trimming; always holds the empty text.
    pub missing_values: BTreeSet<String>,
}

impl TableSchema {
    /// The column of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Days from 1970-01-01 to a day written `2025-12-31`; `None` for anything that is not a day of the calendar.
pub fn calendar_days(text: &str) -> Option<i64> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = time::Date::parse(text, format).ok()?;
    Some((date - time::macros::date!(1970 - 01 - 01)).whole_days())
}

/// `-12.5` in units of `decimals`, exactly: `None` if it needs more places, does not fit or is not a plain number.
pub(crate) fn exact_units(text: &str, decimals: Decimals) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let places = usize::from(decimals.places());
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return None;
    }
    let units: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    Some(if negative { -units } else { units })
}

mod parse;
pub(crate) use parse::{DimensionText, SchemaText};
