//! What is measured, and how one must read it.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Protection, Quantity, Reading, Restriction};
use model::{Code, Decimals, DimensionCode, IndicatorCode};

use crate::filter::Filter;

mod parse;
mod prove;

pub(crate) use parse::{AggregationText, IndicatorsText, PolarityText, SheetText, UncertaintyText};
pub(crate) use prove::{Proof, identifies, indicators};

/// How values of several territories combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aggregation {
    /// They add up.
    Additive,
    /// They add up inside a commune only: the same household may be counted by two communes.
    AdditiveWithinCommune,
    /// Sum of numerators over sum of denominators.
    Ratio,
    /// The value of the distributions put together: a median of several communes is never made of their medians.
    Distribution,
    /// Only the producer's own upper-level value counts.
    NonAdditive,
}

/// Where a figure's uncertainty comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uncertainty {
    /// Everything was counted: no interval, no test.
    None,
    /// A share of independent cases.
    Binomial,
    /// As its producer states.
    Producer,
    /// From survey weights.
    SurveyWeighted,
    /// From a model.
    Model,
}

/// Whether more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polarity {
    /// More is better.
    Positive,
    /// More is worse.
    Negative,
    /// Neither: more requests may mean more need or better access.
    Neutral,
}

/// The methodological sheet, in French.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Who produces the data, from what.
    pub source: String,
    /// Who or what is counted, and who is not.
    pub population: String,
    /// How often it is renewed, and when.
    pub periodicity: String,
    /// How long after the period it can be had; may be empty.
    pub lag: String,
    /// What the figure does not see.
    pub limits: Vec<String>,
    /// A sentence that reads one value.
    pub how_to_read: String,
    /// The misreading to avoid.
    pub how_not_to_read: String,
    /// Legal or statistical reference; may be empty.
    pub reference: String,
}

/// An additive measure of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What is summed.
    pub quantity: Quantity,
    /// Which rows: the part of the filter that is about codes, and the rest as canonical text.
    pub restriction: Restriction,
    /// The filter as its author wrote it; may be empty.
    pub filter: String,
    /// The rest of the filter, executable, keyed by its canonical text in `restriction.conditions`.
    pub conditions: BTreeMap<String, Filter>,
    /// Of these conditions, those that say which codes a row has on one dimension.
    pub readings: BTreeMap<String, Reading>,
    /// The ways it is broken down, closed under leaving a dimension out.
    pub breakdowns: BTreeSet<BTreeSet<DimensionCode>>,
    /// How it is protected.
    pub protection: Protection,
    /// Decimal places of its units.
    pub decimals: Decimals,
    /// Decimal places worth showing; what is computed, protected and sent keeps all.
    pub shown: Decimals,
}

/// When what is counted is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Convention {
    /// What is there on a day: periods do not add up.
    Stock,
    /// What happened during a period, or who was concerned at least once.
    Flow,
}

/// A public figure of the same territory that the hub puts a measure beside: `per` × measure ÷ figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The public source.
    pub source: Code,
    /// Its indicator.
    pub indicator: IndicatorCode,
    /// 1 000 for a rate per thousand.
    pub per: u32,
    /// Decimal places to show.
    pub decimals: Decimals,
}

/// How the two terms of a ratio stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RatioKind {
    /// The numerator's rows are among the denominator's, and both sum the same quantity: between 0 and `per`.
    Share,
    /// Anything else, such as euros per household.
    Plain,
}

/// `per` × numerator ÷ denominator. Only its two terms travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// An additive indicator of the same table.
    pub numerator: IndicatorCode,
    /// An additive indicator of the same table.
    pub denominator: IndicatorCode,
    /// 100 for a percentage, 1 for a plain ratio.
    pub per: u32,
    /// Share or not; derived from the two terms.
    pub kind: RatioKind,
    /// Breakdowns that both terms have.
    pub breakdowns: BTreeSet<BTreeSet<DimensionCode>>,
    /// Decimal places to show.
    pub decimals: Decimals,
}

/// One class of a distribution, in units of its column: `from` up to, not including, `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The code whose count is that of the class.
    pub code: Code,
    /// Lower limit; `None` is open.
    pub from: Option<i64>,
    /// Upper limit; `None` is open.
    pub to: Option<i64>,
}

/// The value that half of the counted lie below, from how many lie in each class of a dimension. Made of protected counts
/// only, so that it says nothing that they do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Median {
    /// A count of the same table, broken down by `along`.
    pub of: IndicatorCode,
    /// The dimension, whose codes are bands of numbers that leave no gap.
    pub along: DimensionCode,
    /// Its classes, ascending; a code of blanks is not among them.
    pub classes: Vec<Class>,
    /// Decimal places of the classes' limits.
    pub limits: Decimals,
    /// Breakdowns that the count has together with `along`.
    pub breakdowns: BTreeSet<BTreeSet<DimensionCode>>,
    /// Decimal places to show.
    pub decimals: Decimals,
}

/// What an indicator is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// A measure of the table.
    Measure(Measure),
    /// Two measures, one over the other.
    Ratio(Ratio),
    /// The middle of a distribution.
    Median(Median),
}

/// One indicator of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Its code, unique in the pack.
    pub code: IndicatorCode,
    /// French title.
    pub title: String,
    /// French theme, for grouping.
    pub theme: String,
    /// French unit: `personnes`, `euros`, `%`.
    pub unit: String,
    /// What it is made of.
    pub definition: Definition,
    /// How territories combine.
    pub aggregation: Aggregation,
    /// Where uncertainty comes from.
    pub uncertainty: Uncertainty,
    /// Whether more is better.
    pub polarity: Polarity,
    /// Stock or flow, where it is said.
    pub convention: Option<Convention>,
    /// The day or the time counted, in French; may be empty.
    pub window: String,
    /// Which part of what it speaks of is seen, in French; may be empty.
    pub coverage: String,
    /// Of a measure: the public figure it may be read beside.
    pub reference: Option<Reference>,
    /// How to read it.
    pub sheet: Sheet,
}

impl Indicator {
    /// The measure, if it is one.
    pub fn measure(&self) -> Option<&Measure> {
        match &self.definition {
            Definition::Measure(measure) => Some(measure),
            Definition::Ratio(_) | Definition::Median(_) => None,
        }
    }

    /// The ratio, if it is one.
    pub fn ratio(&self) -> Option<&Ratio> {
        match &self.definition {
            Definition::Ratio(ratio) => Some(ratio),
            Definition::Measure(_) | Definition::Median(_) => None,
        }
    }

    /// The median, if it is one.
    pub fn median(&self) -> Option<&Median> {
        match &self.definition {
            Definition::Median(median) => Some(median),
            Definition::Measure(_) | Definition::Ratio(_) => None,
        }
    }

    /// Decimal places worth showing to people: never more than [`Self::decimals`].
    pub fn shown(&self) -> Decimals {
        match &self.definition {
            Definition::Measure(measure) => measure.shown,
            Definition::Ratio(ratio) => ratio.decimals,
            Definition::Median(median) => median.decimals,
        }
    }

    /// `stock, au 31 décembre`, `flux, pendant l'année`; `None` where the pack does not say.
    pub fn convention_in_french(&self) -> Option<String> {
        let kind = match self.convention? {
            Convention::Stock => "stock",
            Convention::Flow => "flux",
        };
        Some(if self.window.is_empty() { kind.to_owned() } else { format!("{kind}, {}", self.window) })
    }

    /// Decimal places of its units; of a ratio, to show.
    pub fn decimals(&self) -> Decimals {
        match &self.definition {
            Definition::Measure(measure) => measure.decimals,
            Definition::Ratio(ratio) => ratio.decimals,
            Definition::Median(median) => median.decimals,
        }
    }

    /// The ways it can be read, closed under leaving a dimension out.
    pub fn breakdowns(&self) -> &BTreeSet<BTreeSet<DimensionCode>> {
        match &self.definition {
            Definition::Measure(measure) => &measure.breakdowns,
            Definition::Ratio(ratio) => &ratio.breakdowns,
            Definition::Median(median) => &median.breakdowns,
        }
    }
}

/// Whether every row of `inner` is surely among those of `outer`, as the restrictions tell.
fn within(inner: &Restriction, outer: &Restriction) -> bool {
    outer.conditions.is_subset(&inner.conditions)
        && outer.codes.iter().all(|(dimension, codes): (_, &BTreeSet<Code>)| {
            inner.codes.get(dimension).is_some_and(|narrower| narrower.is_subset(codes))
        })
}
