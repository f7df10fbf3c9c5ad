//! The TOML of a table's indicators and rules, before it is proven.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Aggregation, Convention, Polarity, Sheet, Uncertainty};
use crate::relation::RelationText;

/// A file `tables/<table>.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndicatorsText {
    #[serde(default)]
    pub(crate) rules: BTreeMap<String, RuleText>,
    #[serde(rename = "indicator")]
    pub(crate) indicators: Vec<IndicatorText>,
    #[serde(rename = "relation", default)]
    pub(crate) relations: Vec<RelationText>,
}

/// One rule. `width` is in whole units of the measure (persons, euros), not in its decimals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    pub(crate) threshold: u32,
    pub(crate) zeros: ZerosText,
    pub(crate) width: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ZerosText {
    Publish,
    Protect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndicatorText {
    pub(crate) code: Spanned<String>,
    pub(crate) title: String,
    pub(crate) theme: String,
    pub(crate) unit: String,
    pub(crate) aggregation: AggregationText,
    pub(crate) uncertainty: UncertaintyText,
    pub(crate) polarity: PolarityText,
    #[serde(default)]
    pub(crate) convention: Option<ConventionText>,
    #[serde(default)]
    pub(crate) window: String,
    #[serde(default)]
    pub(crate) coverage: String,
    #[serde(default)]
    pub(crate) reference: Option<ReferenceText>,
    #[serde(default)]
    pub(crate) measure: Option<MeasureText>,
    #[serde(default)]
    pub(crate) ratio: Option<RatioText>,
    #[serde(default)]
    pub(crate) median: Option<MedianText>,
    #[serde(default)]
    pub(crate) sheet: Option<SheetText>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AggregationText {
    Additive,
    AdditiveWithinCommune,
    Ratio,
    Distribution,
    NonAdditive,
}

impl From<AggregationText> for Aggregation {
    fn from(text: AggregationText) -> Self {
        match text {
            AggregationText::Additive => Self::Additive,
            AggregationText::AdditiveWithinCommune => Self::AdditiveWithinCommune,
            AggregationText::Ratio => Self::Ratio,
            AggregationText::Distribution => Self::Distribution,
            AggregationText::NonAdditive => Self::NonAdditive,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UncertaintyText {
    None,
    Binomial,
    Producer,
    SurveyWeighted,
    Model,
}

impl From<UncertaintyText> for Uncertainty {
    fn from(text: UncertaintyText) -> Self {
        match text {
            UncertaintyText::None => Self::None,
            UncertaintyText::Binomial => Self::Binomial,
            UncertaintyText::Producer => Self::Producer,
            UncertaintyText::SurveyWeighted => Self::SurveyWeighted,
            UncertaintyText::Model => Self::Model,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConventionText {
    Stock,
    Flow,
}

impl From<ConventionText> for Convention {
    fn from(text: ConventionText) -> Self {
        match text {
            ConventionText::Stock => Self::Stock,
            ConventionText::Flow => Self::Flow,
        }
    }
}

/// A denominator that the hub has: `public:<source>/<indicator>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReferenceText {
    pub(crate) denominator: String,
    pub(crate) per: u32,
    pub(crate) decimals: u8,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PolarityText {
    Positive,
    Negative,
    Neutral,
}

impl From<PolarityText> for Polarity {
    fn from(text: PolarityText) -> Self {
        match text {
            PolarityText::Positive => Self::Positive,
            PolarityText::Negative => Self::Negative,
            PolarityText::Neutral => Self::Neutral,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeasureText {
    pub(crate) quantity: QuantityText,
    #[serde(default)]
    pub(crate) column: Option<String>,
    #[serde(default)]
    pub(crate) filter: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) by: Vec<Vec<String>>,
    pub(crate) protection: String,
    #[serde(default)]
    pub(crate) decimals: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuantityText {
    Rows,
    Distinct,
    Sum,
    Weight,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatioText {
    pub(crate) numerator: String,
    pub(crate) denominator: String,
    pub(crate) per: u32,
    pub(crate) decimals: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MedianText {
    pub(crate) of: String,
    pub(crate) along: String,
    pub(crate) decimals: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SheetText {
    pub(crate) source: String,
    pub(crate) population: String,
    pub(crate) periodicity: String,
    #[serde(default)]
    pub(crate) lag: String,
    pub(crate) limits: Vec<String>,
    pub(crate) how_to_read: String,
    pub(crate) how_not_to_read: String,
    #[serde(default)]
    pub(crate) reference: String,
}

impl SheetText {
    /// The sheet; `None` if a part that must be there is empty.
    pub(crate) fn whole(&self) -> Option<Sheet> {
        let parts = [&self.source, &self.population, &self.periodicity, &self.how_to_read, &self.how_not_to_read];
        let empty = |text: &String| text.trim().is_empty();
        if parts.into_iter().any(empty) || self.limits.is_empty() || self.limits.iter().any(empty) {
            return None;
        }
        Some(Sheet {
            source: self.source.clone(),
            population: self.population.clone(),
            periodicity: self.periodicity.clone(),
            lag: self.lag.clone(),
            limits: self.limits.clone(),
            how_to_read: self.how_to_read.clone(),
            how_not_to_read: self.how_not_to_read.clone(),
            reference: self.reference.clone(),
        })
    }
}
