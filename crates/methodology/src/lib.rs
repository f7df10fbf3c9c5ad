//! Packs: executable, versioned definitions of indicators, and what makes them the same everywhere.
//!
//! A [`Pack`] is a handful of text files (format: `README.md` of this crate). Parsing one proves it: every column,
//! code and breakdown exists, every filter is a small row-wise expression of known types, every indicator has a
//! sheet and a golden case. What comes out carries its [`disclosure::TableScheme`], its
//! [`model::DefinitionHash`] (what is asked) and its [`model::RuleHash`] (how it is protected), apart.

mod diff;
mod error;
mod filter;
mod forbidden;
mod golden;
mod identity;
mod indicator;
mod layout;
mod library;
mod pack;
mod relation;
mod schema;
mod syntax;
mod table;

pub use diff::{Breach, Bump, Change, Diff, Lie, diff, is_later, same_figures, same_questions};
pub use error::{PackCause, PackError, Position};
pub use filter::{ColumnRef, Comparison, Filter, Value};
pub use golden::GoldenCase;
pub use indicator::{
    Aggregation, Class, Convention, Definition, Indicator, Measure, Median, Polarity, Ratio, RatioKind, Reference,
    Sheet, Uncertainty,
};
pub use layout::{
    Dated, Fold, Layout, LayoutColumn, LevelHint, Only, PublicIndicator, PublicRatio, Shape, Vintage, layouts,
    public_layouts,
};
pub use library::library;
pub use pack::Pack;
pub use relation::{Basis, Known, Relation};
pub use schema::{Field, FieldType, TableSchema, calendar_days};
pub use table::{Band, CodeItem, Dimension, LooserRule, Table};
