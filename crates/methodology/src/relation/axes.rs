//! What disclosure control is told of conditions that are not about codes.
//!
//! It takes such conditions by their text: more of them means fewer rows, and that is all. Two things are added here, both
//! by logic alone. A set of conditions gets those that follow from it, so that one filter inside another is seen. Where
//! conditions on the same columns overlap or exclude one another, the rows are cut into an axis of their own, whose codes
//! are the different answers that a row can give to them: then overlaps, rests and partitions are those of any code list.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Reading, Restriction};
use model::{Code, DimensionCode, IndicatorCode};

use super::{Known, Measures, Verdict, Worlds, by_row};
use crate::error::{PackCause, PackError};
use crate::filter::{ColumnRef, Filter};
use crate::indicator::{Measure, Proof};

/// Most codes of such an axis.
const MAX_CODES: usize = 64;

/// What the scheme of a table takes instead of the measures' own restrictions.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) restrictions: BTreeMap<IndicatorCode, Restriction>,
    pub(crate) axes: BTreeMap<DimensionCode, Vec<Code>>,
    pub(crate) readings: BTreeMap<String, Reading>,
}

/// # Errors
/// Each pair of measures whose difference may be few units without anybody seeing it, and that no relation speaks of.
pub(crate) fn derive(
    proof: &Proof<'_>,
    measures: &Measures<'_>,
    declared: &[Known],
) -> Result<Derived, Vec<PackError>> {
    let conditions: BTreeMap<&String, &Filter> =
        measures.list.values().flat_map(|measure| &measure.conditions).collect();
    let mut restrictions: BTreeMap<IndicatorCode, Restriction> = measures
        .list
        .iter()
        .map(|(code, measure)| {
            let mut restriction = measure.restriction.clone();
            restriction.conditions.extend(implied(measures, measure, &conditions));
            (code.clone(), restriction)
        })
        .collect();
    let unclear: Vec<(&IndicatorCode, &IndicatorCode)> = measures
        .comparable()
        .filter(|(a, b)| measures.unclear(&conditions, (a, &restrictions[*a]), (b, &restrictions[*b])))
        .collect();
    let mut axes = BTreeMap::new();
    let mut readings: BTreeMap<String, Reading> =
        measures.list.values().flat_map(|measure| measure.readings.clone()).collect();
    for family in families(&conditions) {
        let concerned = unclear.iter().any(|(a, _)| {
            by_row(&measures.list[*a].quantity)
                && restrictions[*a].conditions.iter().any(|condition| family.contains(&condition))
        });
        let Some(answers) = concerned.then(|| measures.answers(&conditions, &family)).flatten() else { continue };
        let code = proof.free_axis(axes.len());
        let codes: Vec<Code> = (0..answers.len()).map(numbered).collect();
        let held = |condition: &String| -> BTreeSet<Code> {
            let at = family.iter().position(|known| *known == condition);
            let yes = answers.iter().zip(&codes).filter(|(answer, _)| at.is_some_and(|at| answer[at]));
            yes.map(|(_, code)| code.clone()).collect()
        };
        for (indicator, restriction) in &mut restrictions {
            if !by_row(&measures.list[indicator].quantity) {
                continue;
            }
            let mine: Vec<String> =
                restriction.conditions.iter().filter(|condition| family.contains(condition)).cloned().collect();
            if mine.is_empty() {
                continue;
            }
            let mut kept: BTreeSet<Code> = codes.iter().cloned().collect();
            for condition in &mine {
                let yes = held(condition);
                kept.retain(|code| yes.contains(code));
                restriction.conditions.remove(condition);
            }
            restriction.codes.insert(code.clone(), kept);
        }
        readings.extend(family.iter().map(|condition| ((*condition).clone(), (code.clone(), held(condition)))));
        axes.insert(code, codes);
    }
    let named = |a: &IndicatorCode, b: &IndicatorCode| {
        declared.iter().any(|known| {
            let indicators = known.relation.indicators();
            indicators.contains(&a) && indicators.contains(&b)
        })
    };
    let left = unclear
        .into_iter()
        .filter(|(a, b)| measures.unclear(&conditions, (a, &restrictions[*a]), (b, &restrictions[*b])) && !named(a, b));
    let faults: Vec<PackError> = left.chain(measures.mixed(&named)).map(|(a, b)| undecided(proof, a, b)).collect();
    if faults.is_empty() { Ok(Derived { restrictions, axes, readings }) } else { Err(faults) }
}

/// Conditions that hold wherever all conditions of `measure` do. Its codes are left out of it, so that measures of equal
/// conditions stay so.
fn implied(measures: &Measures<'_>, measure: &Measure, conditions: &BTreeMap<&String, &Filter>) -> Vec<String> {
    let own: Vec<Filter> = measure.conditions.values().cloned().collect();
    if own.is_empty() {
        return Vec::new();
    }
    let follows = |other: &Filter| {
        let Some(worlds) = Worlds::of(own.iter().chain([other]), measures.columns) else { return false };
        let mut always = true;
        worlds.each(&[own.as_slice(), std::slice::from_ref(other)], |held| always &= !held[0] || held[1]);
        always
    };
    let own_columns: BTreeSet<&ColumnRef> = own.iter().flat_map(Filter::columns).collect();
    let near = |other: &Filter| other.columns().iter().any(|column| own_columns.contains(column));
    let others = conditions.iter().filter(|(text, other)| !measure.conditions.contains_key(**text) && near(other));
    others.filter(|(_, other)| follows(other)).map(|(text, _)| (*text).clone()).collect()
}

/// Conditions that no other column than theirs ties together, mixed ones left out.
fn families<'a>(conditions: &BTreeMap<&'a String, &'a Filter>) -> Vec<Vec<&'a String>> {
    let mut families: Vec<(BTreeSet<&ColumnRef>, Vec<&'a String>)> = Vec::new();
    for (text, filter) in conditions {
        let columns = filter.columns();
        if columns.iter().any(|column| matches!(column, ColumnRef::Dimension(_))) {
            continue;
        }
        let (near, far): (Vec<_>, Vec<_>) = families.into_iter().partition(|(known, _)| !known.is_disjoint(&columns));
        let mut joined = (columns, vec![*text]);
        for (columns, texts) in near {
            joined.0.extend(columns);
            joined.1.extend(texts);
        }
        joined.1.sort();
        families = far;
        families.push(joined);
    }
    let mut lists: Vec<Vec<&String>> = families.into_iter().map(|(_, texts)| texts).collect();
    lists.sort();
    lists
}

impl Measures<'_> {
    /// The different answers that rows give to these conditions; `None` if they cannot be listed.
    fn answers(&self, conditions: &BTreeMap<&String, &Filter>, family: &[&String]) -> Option<Vec<Vec<bool>>> {
        let filters: Vec<Filter> = family.iter().map(|text| conditions[*text].clone()).collect();
        let worlds = Worlds::of(&filters, self.columns)?;
        let asked: Vec<&[Filter]> = filters.iter().map(std::slice::from_ref).collect();
        let mut answers: BTreeSet<Vec<bool>> = BTreeSet::new();
        worlds.each(&asked, |held| {
            answers.insert(held.to_vec());
        });
        (2..=MAX_CODES).contains(&answers.len()).then(|| answers.into_iter().collect())
    }

    /// Whether each has conditions that the other has not, about a column that both look at, so that disclosure control,
    /// which compares conditions as texts, cannot see what they share.
    fn unclear(
        &self,
        conditions: &BTreeMap<&String, &Filter>,
        (a, one): (&IndicatorCode, &Restriction),
        (b, other): (&IndicatorCode, &Restriction),
    ) -> bool {
        let columns = |here: &Restriction, there: &Restriction| -> BTreeSet<&ColumnRef> {
            here.conditions.difference(&there.conditions).flat_map(|text| conditions[text].columns()).collect()
        };
        if columns(one, other).is_disjoint(&columns(other, one)) {
            return false;
        }
        let codes_apart = one
            .codes
            .iter()
            .any(|(dimension, codes)| other.codes.get(dimension).is_some_and(|others| codes.is_disjoint(others)));
        if codes_apart {
            return false;
        }
        if by_row(&self.list[a].quantity) {
            return true;
        }
        // Units may have rows in both, so numbers of units tell nothing of each other, unless together they are all of a
        // third: then the third less one of them is at most the other.
        let list = self
            .list
            .iter()
            .filter(|(code, measure)| *code != a && *code != b && measure.quantity == self.list[a].quantity);
        list.into_iter().any(|(whole, _)| {
            self.covered(whole, &[a, b]) != Some(false)
                && !matches!(self.verdict(whole, a), Verdict::Within | Verdict::Same)
                && !matches!(self.verdict(whole, b), Verdict::Within | Verdict::Same)
        })
    }

    /// Pairs one of which has a condition that ties a dimension to other columns, where the other is broken down or
    /// restricted by that dimension: codes and condition are linked, and nobody sees it.
    fn mixed<'s>(
        &'s self,
        named: &'s dyn Fn(&IndicatorCode, &IndicatorCode) -> bool,
    ) -> impl Iterator<Item = (&'s IndicatorCode, &'s IndicatorCode)> {
        let tied = |measure: &Measure| -> BTreeSet<DimensionCode> {
            let mixed = measure.conditions.values().map(Filter::columns).filter(|columns| columns.len() > 1);
            let dimensions = mixed.flatten().filter_map(|column| match column {
                ColumnRef::Dimension(code) => Some(code.clone()),
                ColumnRef::Field(_) => None,
            });
            dimensions.collect()
        };
        self.list.iter().flat_map(move |(a, one)| {
            let tied = tied(one);
            let linked = move |other: &Measure| {
                let axes = other.breakdowns.iter().flatten().chain(other.restriction.codes.keys());
                one.quantity == other.quantity && axes.into_iter().any(|axis| tied.contains(axis))
            };
            let others = self.list.iter().filter(move |(_, other)| linked(other));
            others.map(move |(b, _)| (a, b)).filter(|(a, b)| a != b && !named(a, b))
        })
    }
}

fn numbered(at: usize) -> Code {
    format!("r{at}").parse().expect("a letter and digits")
}

impl Proof<'_> {
    /// A name that no dimension of the table has: theirs have columns of that name, or are refused beside one.
    fn free_axis(&self, made: usize) -> DimensionCode {
        let taken = |code: &DimensionCode| self.dimensions.iter().any(|dimension| dimension.code == *code);
        let codes = (made..).map(|n| format!("filtres-{n}").parse::<DimensionCode>().expect("letters and digits"));
        codes.into_iter().find(|code| !taken(code)).expect("a table has few dimensions")
    }
}

fn undecided(proof: &Proof<'_>, a: &IndicatorCode, b: &IndicatorCode) -> PackError {
    proof.of(
        a,
        PackCause::Undecided,
        format!(
            "Rien ne dit ce que les lignes de « {a} » et de « {b} » ont en commun : leur différence pourrait désigner \
             quelques personnes. Écrivez leurs filtres sur un même critère, ou déclarez la relation ([[relation]] : implies, \
             excludes, partition, ou overlaps si rien ne s'ensuit)."
        ),
    )
}
