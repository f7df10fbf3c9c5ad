//! Communes together, where they may be put together.

use methodology::{Aggregation, PublicIndicator, PublicRatio};
use model::Decimals;
use statistics::{Amount, Interval, Reading, Silence, group_ratio};

use super::series::{PublicGroup, Share, ratio_of};
use crate::compare::Shown;

/// What is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Communes.
    Communes,
    /// Quartiers prioritaires.
    Quarters,
}

impl Of {
    fn plural(self) -> &'static str {
        match self {
            Self::Communes => "communes",
            Self::Quarters => "quartiers prioritaires",
        }
    }
}

/// Sums, or says why not. `expected`: how many communes there are in this geography, or quarters in the file.
pub(super) fn together(
    indicator: &PublicIndicator,
    ratio: Option<&PublicRatio>,
    shares: &[Share],
    expected: usize,
    of: Of,
) -> PublicGroup {
    let them = of.plural();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let silent = |silence, reason: String| PublicGroup {
        name: format!("Ensemble des {them}"),
        expected: number(expected),
        counted: 0,
        lacking: Vec::new(),
        value: Shown::silent(silence, indicator.shown),
        reason: Some(reason),
    };
    let additive = match indicator.aggregation {
        Aggregation::Additive | Aggregation::Ratio => true,
        Aggregation::AdditiveWithinCommune | Aggregation::Distribution | Aggregation::NonAdditive => false,
    };
    if !additive {
        return silent(
            Silence::NotAdditive,
            format!(
                "Ne s’agrège pas : ni somme ni moyenne des {them} n’aurait de sens. Seul le chiffre que le producteur publie pour un territoire plus grand se compare."
            ),
        );
    }
    if shares.is_empty() {
        return silent(Silence::NotReceived, format!("Pas un seul chiffre dans cette série parmi les {them}."));
    }
    let value = Shown { reading: reading(ratio, shares), suppressed: false, decimals: indicator.shown };
    let name = if shares.len() == expected {
        format!("Ensemble des {expected} {them}")
    } else {
        format!("Ensemble de {} {them} sur {expected}", shares.len())
    };
    PublicGroup {
        name,
        expected: number(expected),
        counted: number(shares.len()),
        lacking: Vec::new(),
        value,
        reason: None,
    }
}

fn reading(ratio: Option<&PublicRatio>, shares: &[Share]) -> Reading {
    match ratio {
        None => {
            let amounts = || {
                shares.iter().filter_map(|share| match share {
                    Share::One(amount) => Some(*amount),
                    Share::Two(..) => None,
                })
            };
            // Blocks of one series differ in decimals where a layout once kept fewer.
            let decimals = amounts().map(|amount| amount.decimals).max().unwrap_or(Decimals::NONE);
            let interval = amounts().map(|amount| finer(amount, decimals)).sum();
            Amount { interval, decimals }.reading()
        }
        Some(ratio) => {
            let pairs: Vec<(Amount, Amount)> = shares
                .iter()
                .filter_map(|share| match share {
                    Share::Two(numerator, denominator) => Some((*numerator, *denominator)),
                    Share::One(_) => None,
                })
                .collect();
            group_ratio(ratio_of(ratio), &pairs)
        }
    }
}

/// The same interval in units of `decimals`, which are at least as fine.
fn finer(amount: Amount, decimals: Decimals) -> Interval {
    let factor = i128::from(decimals.one() / amount.decimals.one());
    let interval = amount.interval;
    let high = interval.hi().map(|high| high.saturating_mul(factor));
    Interval::between(interval.lo().saturating_mul(factor), high).unwrap_or(interval)
}
