//! Rates as they would be if every place had the same ages.

use crate::estimate::{amount, same_length, size};
use crate::rate::{BYAR_FROM, byar, count_limits};
use crate::{Confidence, Counted, Estimate, Limits, Undefined};

/// The European Standard Population of 2013 in 19 groups: 0–4, 5–9, …, 85–89, 90 and over; 100 000 in all.
///
/// Source: Eurostat, 2013, *Revision of the European Standard Population: report of Eurostat's task force*.
pub const EUROPEAN_STANDARD_POPULATION_2013: [f64; 19] = [
    5000.0, 5500.0, 5500.0, 5500.0, 6000.0, 6000.0, 6500.0, 7000.0, 7000.0, 7000.0, 7000.0, 6500.0, 6000.0, 5500.0,
    5000.0, 4000.0, 2500.0, 1500.0, 1000.0,
];

/// A directly standardised rate with Dobson's limits, per unit of the populations ([`Estimate::per`] 100 000 for a rate
/// per 100 000).
///
/// With counts xᵢ, populations nᵢ and standard weights wᵢ: d = Σ wᵢxᵢ/nᵢ / Σ wᵢ, its variance
/// v = Σ wᵢ²xᵢ/nᵢ² / (Σ wᵢ)², and limits d + √(v/x) (L − x), where x = Σ xᵢ and L stands for its [`byar`] limits.
///
/// Source: A. J. Dobson, K. Kuulasmaa, E. Eberle & J. Scherer, 1991, *Statistics in Medicine* 10:457–462. Domain: `strata`
/// and `standard` in the same order of groups; not given below ten events in all, where the limits could not be relied
/// on.
///
/// # Errors
/// [`LengthMismatch`](Undefined::LengthMismatch), [`TooFewEvents`](Undefined::TooFewEvents) below ten events,
/// [`EmptyDenominator`](Undefined::EmptyDenominator) where a group is empty or the weights sum to zero,
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn directly_standardised(
    strata: &[Counted],
    standard: &[f64],
    confidence: Confidence,
) -> Result<Estimate, Undefined> {
    same_length(strata.len(), standard.len())?;
    let (mut events, mut weights, mut rate, mut variance) = (0.0, 0.0, 0.0, 0.0);
    for (stratum, weight) in strata.iter().zip(standard) {
        let Counted { numerator, denominator } = stratum.checked()?;
        let per_head = amount(*weight)? / size(denominator)?;
        events += numerator;
        weights += weight;
        rate += per_head * numerator;
        variance += per_head * per_head * numerator;
    }
    let weights = size(weights)?;
    if events < BYAR_FROM {
        return Err(Undefined::TooFewEvents { needed: 10 });
    }
    let value = rate / weights;
    let scale = (variance / events).sqrt() / weights;
    let count = byar(events, confidence)?;
    let limits =
        Limits { lower: value + scale * (count.lower - events), upper: value + scale * (count.upper - events) };
    Ok(Estimate { value, limits })
}

/// The events that a place would count if every age had the rates of the reference: Σ nᵢ Xᵢ/Nᵢ.
///
/// `populations` and `reference` are in the same order of groups.
///
/// # Errors
/// [`LengthMismatch`](Undefined::LengthMismatch), [`EmptyDenominator`](Undefined::EmptyDenominator) where a group of the
/// reference is empty, [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn expected_events(populations: &[f64], reference: &[Counted]) -> Result<f64, Undefined> {
    same_length(populations.len(), reference.len())?;
    populations
        .iter()
        .zip(reference)
        .map(|(population, group)| Ok(amount(*population)? * group.checked()?.value()?))
        .sum()
}

/// An indirectly standardised ratio, observed ÷ expected events, with the limits of the observed count
/// ([`count_limits`]: exact below ten, Byar's from there on). One where the place has the rates of the reference;
/// [`Estimate::per`] 100 where that reads 100.
///
/// Source: N. E. Breslow & N. E. Day, 1987, *Statistical Methods in Cancer Research II*, IARC, ch. 2. Domain: observed
/// ≥ 0, `expected` > 0 (see [`expected_events`]).
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator), [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn indirectly_standardised_ratio(
    observed: f64,
    expected: f64,
    confidence: Confidence,
) -> Result<Estimate, Undefined> {
    let expected = size(expected)?;
    let limits = count_limits(observed, confidence)?.per(expected.recip());
    Ok(Estimate { value: observed / expected, limits })
}

/// An indirectly standardised rate: the ratio of [`indirectly_standardised_ratio`] times the crude rate of the
/// reference, per unit of its populations.
///
/// # Errors
/// As [`expected_events`] and [`indirectly_standardised_ratio`].
pub fn indirectly_standardised_rate(
    observed: f64,
    populations: &[f64],
    reference: &[Counted],
    confidence: Confidence,
) -> Result<Estimate, Undefined> {
    let ratio = indirectly_standardised_ratio(observed, expected_events(populations, reference)?, confidence)?;
    let whole = Counted {
        numerator: reference.iter().map(|group| group.numerator).sum(),
        denominator: reference.iter().map(|group| group.denominator).sum(),
    };
    Ok(ratio.per(whole.value()?))
}
