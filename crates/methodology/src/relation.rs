//! How the rows of one indicator stand to those of another: what follows from filters, and what only the pack's author
//! knows.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Protection, Quantity, Restriction};
use model::IndicatorCode;

use crate::error::{PackCause, PackError, Position};
use crate::filter::{ColumnRef, Filter, Value};
use crate::indicator::{Definition, Indicator, Measure, Proof};

mod axes;
mod parse;
mod shown;
#[cfg(test)]
mod tests;
mod worlds;

use worlds::{Columns, Worlds};

pub(crate) use axes::{Derived, derive};
pub(crate) use parse::RelationText;

/// What is known of the rows of two or more indicators of one table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The same rows, counted alike.
    Same(IndicatorCode, IndicatorCode),
    /// Every row of the first is one of the second.
    Within(IndicatorCode, IndicatorCode),
    /// No row is in both.
    Apart(IndicatorCode, IndicatorCode),
    /// Each row of the whole is in exactly one of the parts, and no other row is.
    Partition {
        /// The whole.
        whole: IndicatorCode,
        /// At least two.
        parts: Vec<IndicatorCode>,
    },
    /// Both have rows of their own, or may have: nothing follows.
    Overlap(IndicatorCode, IndicatorCode),
    /// Numerator and denominator of a share: never more of the first than of the second.
    Bound(IndicatorCode, IndicatorCode),
}

/// Why it is held to be so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// It follows from filters, code lists and the ends of columns.
    Proven,
    /// The author says so, with a reason; it is checked against the rows of each commune when they are computed.
    Declared(String),
}

/// A relation, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What.
    pub relation: Relation,
    /// Why.
    pub basis: Basis,
}

impl Relation {
    /// As people read it: `a ⊂ b`, `c = a + b`, `n ≤ d`.
    pub fn in_french(&self) -> String {
        match self {
            Self::Same(a, b) => format!("{a} = {b} (mêmes lignes)"),
            Self::Within(a, b) => format!("{a} ⊂ {b}"),
            Self::Apart(a, b) => format!("{a} et {b} s'excluent"),
            Self::Partition { whole, parts } => {
                format!("{whole} = {}", parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
            }
            Self::Overlap(a, b) => format!("{a} et {b} se recouvrent, sans plus"),
            Self::Bound(a, b) => format!("{a} ≤ {b}"),
        }
    }

    /// The indicators it speaks of.
    pub fn indicators(&self) -> Vec<&IndicatorCode> {
        match self {
            Self::Same(a, b) | Self::Within(a, b) | Self::Apart(a, b) | Self::Overlap(a, b) | Self::Bound(a, b) => {
                vec![a, b]
            }
            Self::Partition { whole, parts } => std::iter::once(whole).chain(parts).collect(),
        }
    }
}

/// How two sets of rows stand to each other, by logic alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Within,
    Around,
    Apart,
    Overlap,
    /// Too many kinds of rows, or several patterns for one text.
    Undecided,
}

/// The measures of one table.
pub(crate) struct Measures<'a> {
    columns: Columns<'a>,
    list: &'a BTreeMap<IndicatorCode, Measure>,
    /// Of each: all its conditions, codes included.
    rows: BTreeMap<&'a IndicatorCode, Vec<Filter>>,
}

impl<'a> Measures<'a> {
    pub(crate) fn new(proof: &Proof<'a>, list: &'a BTreeMap<IndicatorCode, Measure>) -> Self {
        let columns = Columns { schema: proof.schema, dimensions: proof.dimensions };
        let rows = list.iter().map(|(code, measure)| (code, rows(&measure.restriction, &measure.conditions))).collect();
        Self { columns, list, rows }
    }

    fn verdict(&self, one: &IndicatorCode, other: &IndicatorCode) -> Verdict {
        let (a, b) = (&self.rows[one], &self.rows[other]);
        let Some(worlds) = Worlds::of(a.iter().chain(b), self.columns) else { return Verdict::Undecided };
        let [mut both, mut only_a, mut only_b] = [false; 3];
        worlds.each(&[a, b], |held| match *held {
            [true, true] => both = true,
            [true, false] => only_a = true,
            [false, true] => only_b = true,
            _ => {}
        });
        match (both, only_a, only_b) {
            (false, ..) => Verdict::Apart,
            (true, false, false) => Verdict::Same,
            (true, false, true) => Verdict::Within,
            (true, true, false) => Verdict::Around,
            (true, true, true) => Verdict::Overlap,
        }
    }

    /// Whether each row of `whole` is surely in one of `parts`.
    fn covered(&self, whole: &IndicatorCode, parts: &[&IndicatorCode]) -> Option<bool> {
        let sets: Vec<&[Filter]> =
            std::iter::once(&whole).chain(parts).map(|code| self.rows[*code].as_slice()).collect();
        let worlds = Worlds::of(sets.iter().copied().flatten(), self.columns)?;
        let mut covered = true;
        worlds.each(&sets, |held| covered &= !held[0] || held[1..].contains(&true));
        Some(covered)
    }

    /// Pairs that sum the same quantity, at least one of them protected here.
    fn comparable(&self) -> impl Iterator<Item = (&'a IndicatorCode, &'a IndicatorCode)> {
        let here = |measure: &Measure| matches!(measure.protection, Protection::Here(_));
        let list = self.list;
        list.iter().flat_map(move |(a, one)| {
            list.range::<IndicatorCode, _>((std::ops::Bound::Excluded(a), std::ops::Bound::Unbounded))
                .filter(move |(_, other)| one.quantity == other.quantity && (here(one) || here(other)))
                .map(move |(b, _)| (a, b))
        })
    }
}

/// A measure's rows as conditions.
fn rows(restriction: &Restriction, conditions: &BTreeMap<String, Filter>) -> Vec<Filter> {
    let codes = restriction.codes.iter().map(|(dimension, codes)| {
        let values = codes.iter().map(|code| Value::Text(code.to_string())).collect();
        Filter::In(ColumnRef::Dimension(dimension.clone()), values)
    });
    codes.chain(conditions.values().cloned()).collect()
}

/// Whether numbers of this quantity add up along any condition: each row counts for one cell of it only.
fn by_row(quantity: &Quantity) -> bool {
    !matches!(quantity, Quantity::Distinct { .. })
}

/// Reads and proves declared relations.
///
/// # Errors
/// An indicator that is no measure of the table, a relation without reason or of two kinds, or one that cannot be.
pub(crate) fn declared(
    proof: &Proof<'_>,
    texts: &[RelationText],
    measures: &Measures<'_>,
) -> Result<Vec<Known>, Vec<PackError>> {
    let mut found: Vec<Known> = Vec::new();
    let mut faults = Vec::new();
    for text in texts {
        match one(text, measures) {
            Ok(known) if found.iter().any(|other| other.relation == known.relation) => {
                faults.push(refused(
                    proof,
                    text,
                    PackCause::Duplicate,
                    "Cette relation est écrite deux fois : gardez-en une.",
                ));
            }
            Ok(known) => found.push(known),
            Err((cause, message)) => faults.push(refused(proof, text, cause, message)),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

fn refused(proof: &Proof<'_>, text: &RelationText, cause: PackCause, message: impl Into<String>) -> PackError {
    PackError::new(proof.file, "relation", cause, message).at(Position::of(proof.text, text.reason.span().start))
}

fn one(text: &RelationText, measures: &Measures<'_>) -> Result<Known, (PackCause, String)> {
    if text.reason.get_ref().trim().is_empty() {
        return Err((PackCause::Malformed, "Dites pourquoi cette relation est vraie (reason).".to_owned()));
    }
    let code = |name: &String| {
        measures.list.keys().find(|code| code.as_str() == name).cloned().ok_or_else(|| {
            (
                PackCause::Unknown,
                format!("« {name} » n'est pas une mesure de cette table : une relation lie des mesures."),
            )
        })
    };
    let pair = |[a, b]: &[String; 2]| Ok::<_, (PackCause, String)>((code(a)?, code(b)?));
    let relation = match (&text.implies, &text.excludes, &text.partition, &text.overlaps) {
        (Some(both), None, None, None) => pair(both).map(|(a, b)| Relation::Within(a, b))?,
        (None, Some(both), None, None) => pair(both).map(|(a, b)| Relation::Apart(a, b))?,
        (None, None, None, Some(both)) => pair(both).map(|(a, b)| Relation::Overlap(a, b))?,
        (None, None, Some(partition), None) => Relation::Partition {
            whole: code(&partition.whole)?,
            parts: partition.parts.iter().map(code).collect::<Result<_, _>>()?,
        },
        _ => {
            let cure = "Une relation dit une seule chose : implies, excludes, partition ou overlaps.";
            return Err((PackCause::Malformed, cure.to_owned()));
        }
    };
    let named = relation.indicators();
    if named.iter().collect::<BTreeSet<_>>().len() < named.len() || named.len() < 2 {
        return Err((PackCause::Malformed, "Une relation lie des indicateurs différents, deux au moins.".to_owned()));
    }
    if matches!(&relation, Relation::Partition { parts, .. } if parts.len() < 2) {
        return Err((PackCause::Malformed, "Une partition a deux parties au moins.".to_owned()));
    }
    measures.possible(&relation).map_err(|why| (PackCause::Inconsistent, why))?;
    let basis = if measures.proven(&relation) {
        Basis::Proven
    } else {
        Basis::Declared(text.reason.get_ref().trim().to_owned())
    };
    Ok(Known { relation, basis })
}

impl Measures<'_> {
    /// Refuses what logic excludes. What it merely does not say may be known otherwise.
    fn possible(&self, relation: &Relation) -> Result<(), String> {
        let never = |what: String| {
            Err(format!("{what} : les filtres disent le contraire. Retirez la relation ou corrigez un filtre."))
        };
        match relation {
            Relation::Within(a, b) if self.verdict(a, b) == Verdict::Apart => {
                never(format!("« {a} » ne peut pas être une partie de « {b} »"))
            }
            Relation::Apart(a, b)
                if matches!(self.verdict(a, b), Verdict::Same | Verdict::Within | Verdict::Around) =>
            {
                never(format!("« {a} » et « {b} » ne peuvent pas s'exclure"))
            }
            Relation::Overlap(a, b)
                if matches!(self.verdict(a, b), Verdict::Same | Verdict::Within | Verdict::Around) =>
            {
                never(format!("« {a} » et « {b} » n'ont pas chacun des lignes à soi"))
            }
            Relation::Partition { whole, parts } => {
                for part in parts {
                    self.possible(&Relation::Within(part.clone(), whole.clone()))?;
                }
                for (at, part) in parts.iter().enumerate() {
                    for other in &parts[at + 1..] {
                        self.possible(&Relation::Apart(part.clone(), other.clone()))?;
                    }
                }
                Ok(())
            }
            Relation::Same(..)
            | Relation::Within(..)
            | Relation::Apart(..)
            | Relation::Overlap(..)
            | Relation::Bound(..) => Ok(()),
        }
    }

    fn proven(&self, relation: &Relation) -> bool {
        match relation {
            Relation::Within(a, b) | Relation::Bound(a, b) => {
                matches!(self.verdict(a, b), Verdict::Within | Verdict::Same)
            }
            Relation::Same(a, b) => self.verdict(a, b) == Verdict::Same,
            Relation::Apart(a, b) => self.verdict(a, b) == Verdict::Apart,
            // That nothing follows is no claim about rows.
            Relation::Overlap(..) => false,
            Relation::Partition { whole, parts } => {
                let named: Vec<&IndicatorCode> = parts.iter().collect();
                parts.iter().all(|part| self.proven(&Relation::Within(part.clone(), whole.clone())))
                    && parts.iter().enumerate().all(|(at, part)| {
                        parts[at + 1..].iter().all(|other| self.verdict(part, other) == Verdict::Apart)
                    })
                    && self.covered(whole, &named) == Some(true)
            }
        }
    }
}

/// The shares of a table: numerator and denominator.
fn shares(indicators: &[Indicator]) -> impl Iterator<Item = Relation> {
    indicators.iter().filter_map(|indicator| match &indicator.definition {
        Definition::Ratio(ratio) if ratio.kind == crate::indicator::RatioKind::Share => {
            Some(Relation::Bound(ratio.numerator.clone(), ratio.denominator.clone()))
        }
        Definition::Ratio(_) | Definition::Measure(_) | Definition::Median(_) => None,
    })
}

/// All that is known of the indicators of a table, for people: proven relations without those that follow from others,
/// then shares, then what is declared.
pub(crate) fn all(measures: &Measures<'_>, indicators: &[Indicator], declared: Vec<Known>) -> Vec<Known> {
    let mut relations = shown::proven(measures);
    relations.extend(shares(indicators));
    let told: BTreeSet<Relation> = declared.iter().map(|known| known.relation.clone()).collect();
    let proven = relations.into_iter().filter(|relation| !told.contains(relation));
    proven.map(|relation| Known { relation, basis: Basis::Proven }).chain(declared).collect()
}
