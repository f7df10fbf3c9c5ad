//! Ageing a population by cohorts: everybody moves on by one group per step, by ratios seen between censuses.

use std::ops::Range;

use crate::estimate::{amount, enough, same_length, size};
use crate::special::length;
use crate::{Limits, Undefined};

/// What one step, as long as an age group is wide (five years), does to a population in `k` groups of equal width, the
/// last of them open.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortStep {
    /// `k` − 1 ratios, ≥ 0. The i-th: people of group i + 1 after, per person of group i before; the last: people of the
    /// open group after, per person of the last two groups before. Deaths and moves are both in it: it may be above one.
    pub onward: Vec<f64>,
    /// People of the youngest group after, per person of the parents' groups after; ≥ 0.
    pub children: f64,
}

/// People of a group as projected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aged {
    /// Under the mean of the ratios seen.
    pub value: f64,
    /// Under the lowest and the highest ratios seen, group by group; `None` with fewer than three steps to see them in.
    /// A range of what was, not a probability.
    pub limits: Option<Limits>,
}

/// The cohort-change ratios between two censuses one step apart.
///
/// `before` and `after` are people by group, youngest first, the last group open; `parents` are the groups whose people
/// have the children, such as 3..10 for 15–49 in groups of five years.
///
/// Source: C. H. Hamilton & J. Perry, 1962, *Social Forces* 41:163–170; children per adult instead of per woman where
/// sexes are put together. Domain: at least three groups, nobody missing: ratios of a very small place are those of the
/// moves of a few, and those of a larger area around it serve it better.
///
/// # Errors
/// [`LengthMismatch`](Undefined::LengthMismatch), [`TooFew`](Undefined::TooFew) below three groups,
/// [`EmptyDenominator`](Undefined::EmptyDenominator) where nobody was there to age or to have children,
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn cohort_step(before: &[f64], after: &[f64], parents: Range<usize>) -> Result<CohortStep, Undefined> {
    same_length(before.len(), after.len())?;
    people(before)?;
    people(after)?;
    let onward = (1..after.len()).map(|group| Ok(after[group] / size(ageing_into(before, group))?));
    let children = after[0] / size(sum(after, &parents)?)?;
    Ok(CohortStep { onward: onward.collect::<Result<_, Undefined>>()?, children })
}

/// How many steps of `width` years lead from one year to another.
///
/// # Errors
/// [`BetweenSteps`](Undefined::BetweenSteps) if `target` is before `from` or not a whole number of steps after it.
pub fn steps_between(from: i32, target: i32, width: u32) -> Result<u32, Undefined> {
    let years = i64::from(target) - i64::from(from);
    match years.checked_rem(width.into()) {
        Some(0) => u32::try_from(years / i64::from(width)).map_err(|_| Undefined::BetweenSteps),
        _ => Err(Undefined::BetweenSteps),
    }
}

/// A population `steps` later, if people go on moving from group to group as in the steps of `history`: one step if
/// ratios are given (survival, say), several if they were seen between censuses ([`cohort_step`]).
///
/// The value takes the mean of the ratios seen for each group; the limits their lowest and highest.
///
/// Source: C. H. Hamilton & J. Perry, 1962, *Social Forces* 41:163–170. Domain: `population` youngest first, the last
/// group open; `parents` the same as those of the steps.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) without history or below three groups, [`LengthMismatch`](Undefined::LengthMismatch),
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn aged(
    population: &[f64],
    history: &[CohortStep],
    parents: Range<usize>,
    steps: u32,
) -> Result<Vec<Aged>, Undefined> {
    people(population)?;
    enough(history.len(), 1)?;
    for step in history {
        same_length(population.len() - 1, step.onward.len())?;
        step.onward.iter().try_for_each(|ratio| amount(*ratio).map(drop))?;
        amount(step.children)?;
    }
    let count = length(history.len());
    let mean = |ratios: &mut dyn Iterator<Item = f64>| ratios.sum::<f64>() / count;
    let values = run(population, &combined(history, mean), &parents, steps)?;
    let limits: Vec<Option<Limits>> = if history.len() < 3 {
        vec![None; values.len()]
    } else {
        let least = combined(history, |ratios| ratios.fold(f64::INFINITY, f64::min));
        let most = combined(history, |ratios| ratios.fold(0.0, f64::max));
        let lower = run(population, &least, &parents, steps)?;
        let upper = run(population, &most, &parents, steps)?;
        lower.into_iter().zip(upper).map(|(lower, upper)| Some(Limits { lower, upper })).collect()
    };
    Ok(values.into_iter().zip(limits).map(|(value, limits)| Aged { value, limits }).collect())
}

/// One step whose every ratio is put together from those of `history`.
fn combined(history: &[CohortStep], of: impl Fn(&mut dyn Iterator<Item = f64>) -> f64) -> CohortStep {
    let groups = history.first().map_or(0, |step| step.onward.len());
    CohortStep {
        onward: (0..groups).map(|group| of(&mut history.iter().map(|step| step.onward[group]))).collect(),
        children: of(&mut history.iter().map(|step| step.children)),
    }
}

fn run(population: &[f64], step: &CohortStep, parents: &Range<usize>, steps: u32) -> Result<Vec<f64>, Undefined> {
    let mut now = population.to_vec();
    for _ in 0..steps {
        let mut next = vec![0.0; now.len()];
        for (group, ratio) in step.onward.iter().enumerate() {
            next[group + 1] = ageing_into(&now, group + 1) * ratio;
        }
        next[0] = sum(&next, parents)? * step.children;
        people(&next)?;
        now = next;
    }
    Ok(now)
}

/// Who of `before` will be in `group` one step later.
fn ageing_into(before: &[f64], group: usize) -> f64 {
    if group + 1 == before.len() { before[group - 1] + before[group] } else { before[group - 1] }
}

/// People of the parents' groups, none of them the youngest.
fn sum(population: &[f64], parents: &Range<usize>) -> Result<f64, Undefined> {
    let groups = population.get(parents.clone()).filter(|_| parents.start > 0);
    Ok(groups.ok_or(Undefined::LengthMismatch { expected: population.len(), found: parents.end })?.iter().sum())
}

fn people(population: &[f64]) -> Result<(), Undefined> {
    enough(population.len(), 3)?;
    population.iter().try_for_each(|people| amount(*people).map(drop))
}
