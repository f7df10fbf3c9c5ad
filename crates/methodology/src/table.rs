//! One table of a pack: its columns, its axes, its indicators.

use std::collections::BTreeSet;

use disclosure::TableScheme;
use model::{Code, DefinitionHash, DimensionCode, IndicatorCode, PackCode, Period, PeriodKind, RuleHash, TableCode};

use crate::golden::GoldenCase;
use crate::indicator::Indicator;
use crate::relation::{Basis, Known, Relation};
use crate::schema::TableSchema;

mod build;
mod dimension;
mod stricter;

pub use stricter::LooserRule;

pub(crate) use build::{Texts, build, from_toml};

/// Numbers that fall into one code, both ends included, in units of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    /// Smallest; `None` is open.
    pub from: Option<i64>,
    /// Largest; `None` is open.
    pub to: Option<i64>,
}

impl Band {
    /// Whether `units` falls into it.
    pub fn holds(self, units: i64) -> bool {
        self.from.is_none_or(|from| from <= units) && self.to.is_none_or(|to| units <= to)
    }
}

/// One code of a dimension, and what leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeItem {
    /// The code.
    pub code: Code,
    /// French title.
    pub title: String,
    /// For text and booleans: the source values that fold into it.
    pub values: BTreeSet<String>,
    /// For numbers: the band.
    pub band: Option<Band>,
}

/// An axis with a closed list of codes: each row has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its code.
    pub code: DimensionCode,
    /// French title.
    pub title: String,
    /// The column it is made from; a column feeds at most one dimension.
    pub field: String,
    /// Its codes, in the order of presentation.
    pub items: Vec<CodeItem>,
    /// The code of a blank; without one, a blank is a fault.
    pub blank: Option<Code>,
    /// Columns for whose every value this dimension has one code only (the reader checks it).
    pub single_valued_for: BTreeSet<String>,
}

impl Dimension {
    /// Place of the code whose source value is `value`.
    pub fn of_text(&self, value: &str) -> Option<usize> {
        self.items.iter().position(|item| item.values.contains(value))
    }

    /// Place of the code whose band holds `units`.
    pub fn of_number(&self, units: i64) -> Option<usize> {
        self.items.iter().position(|item| item.band.is_some_and(|band| band.holds(units)))
    }

    /// Place of the code of blanks.
    pub fn of_blank(&self) -> Option<usize> {
        let blank = self.blank.as_ref()?;
        self.items.iter().position(|item| item.code == *blank)
    }

    /// The codes alone.
    pub fn codes(&self) -> Vec<Code> {
        self.items.iter().map(|item| item.code.clone()).collect()
    }

    pub(crate) fn code_set(&self) -> BTreeSet<Code> {
        self.items.iter().map(|item| item.code.clone()).collect()
    }

    /// French title of a code, or the code itself.
    pub fn title_of<'a>(&'a self, code: &'a Code) -> &'a str {
        self.items.iter().find(|item| item.code == *code).map_or(code.as_str(), |item| item.title.as_str())
    }
}

/// One table of a pack. Made by [`crate::Pack::parse`] only, so whatever it names exists.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) pack: PackCode,
    pub(crate) code: TableCode,
    pub(crate) title: String,
    pub(crate) row: String,
    pub(crate) facts: String,
    pub(crate) unit: Option<String>,
    pub(crate) periods: BTreeSet<PeriodKind>,
    pub(crate) schema: TableSchema,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) indicators: Vec<Indicator>,
    pub(crate) scheme: TableScheme,
    pub(crate) relations: Vec<Known>,
    pub(crate) definition: DefinitionHash,
    pub(crate) rule: RuleHash,
    pub(crate) golden: Vec<GoldenCase>,
}

impl Table {
    /// The pack it belongs to.
    pub fn pack(&self) -> &PackCode {
        &self.pack
    }

    /// Its code.
    pub fn code(&self) -> &TableCode {
        &self.code
    }

    /// French title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What one row is, in French: "une demande d'aide facultative".
    pub fn row(&self) -> &str {
        &self.row
    }

    /// Which facts its rows are, in French; no other table of the pack has the same.
    pub fn facts(&self) -> &str {
        &self.facts
    }

    /// The column that names who is protected (person, household). Contributors to a cell are its different
    /// values: six requests of one household are one contributor. Without it each row is its own unit.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Whether a file may speak of a period of this kind. A table that says nothing takes any.
    pub fn takes(&self, period: Period) -> bool {
        self.periods.is_empty() || self.periods.contains(&period.kind())
    }

    /// The kinds of period that it takes, in French: "année (2025) ou semestre (2025-S1)"; empty if it takes any.
    pub fn periods_in_french(&self) -> String {
        self.periods.iter().map(|kind| kind.french()).collect::<Vec<_>>().join(" ou ")
    }

    /// Its columns.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// Its axes, in the order of the file.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The axis of this code.
    pub fn dimension(&self, code: &DimensionCode) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.code == *code)
    }

    /// The axis made from this column.
    pub fn dimension_of(&self, field: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.field == field)
    }

    /// Its indicators, ratios included, in the order of the file.
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// The indicator of this code.
    pub fn indicator(&self, code: &IndicatorCode) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.code == *code)
    }

    /// What secrecy must know: additive indicators only.
    pub fn scheme(&self) -> &TableScheme {
        &self.scheme
    }

    /// What is known of the rows of its indicators beside each other, proven and declared.
    pub fn relations(&self) -> &[Known] {
        &self.relations
    }

    /// The declared ones that the rows of a commune can break: `compute` looks.
    pub fn claims(&self) -> impl Iterator<Item = &Relation> {
        let declared = self.relations.iter().filter(|known| matches!(known.basis, Basis::Declared(_)));
        declared.map(|known| &known.relation).filter(|relation| !matches!(relation, Relation::Overlap(..)))
    }

    /// What its indicators mean. Titles and sheets do not count: a corrected spelling asks the same question.
    pub fn definition_hash(&self) -> DefinitionHash {
        self.definition
    }

    /// How its indicators are protected by the pack.
    pub fn rule_hash(&self) -> RuleHash {
        self.rule
    }

    /// Worked examples with figures found by hand.
    pub fn golden(&self) -> &[GoldenCase] {
        &self.golden
    }
}
