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
