//! Which places are most like one, and in what.

use crate::Undefined;
use crate::estimate::{amount, same_length, size};
use crate::profile::{Profile, Standard, known};

/// The fewest indicators that two places are compared in: being close in one or two is being close in these, not alike.
/// Nor in fewer than half of those compared at all: the rest would then say more by its absence than these do.
pub const FEWEST_IN_COMMON: usize = 3;

/// Two places less than this many standard deviations apart are alike in an indicator: half of one. Of two places drawn at
/// random from a normal population, somewhat more than one in four are.
pub const ALIKE_WITHIN: f64 = 0.5;

/// One indicator of two places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The indicator, by its position in the profiles.
    pub indicator: usize,
    /// Where the place asked about stands, in standard deviations above the mean.
    pub own: f64,
    /// Where the other stands, on the same scale.
    pub other: f64,
    /// The other minus the place asked about, in standard deviations.
    pub difference: f64,
    /// Its share of the squared distance, weight included: all of them sum to 1, or are 0 where nothing differs.
    pub share: f64,
}

/// A place and how near it is.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike<L> {
    /// The place.
    pub label: L,
    /// The typical difference of an indicator, in standard deviations: 0 where nothing differs.
    pub distance: f64,
    /// The indicators known of both, in the order of the profiles.
    pub comparisons: Vec<Comparison>,
}

impl<L> LookAlike<L> {
    /// The indicators in which both are alike ([`ALIKE_WITHIN`]); first those that tell most about them, in which both are
    /// farthest from the mean.
    pub fn alike(&self) -> Vec<Comparison> {
        let mut alike: Vec<_> =
            self.comparisons.iter().copied().filter(|c| c.difference.abs() <= ALIKE_WITHIN).collect();
        // A sort that keeps the order of what is equal.
        alike.sort_by(|a, b| (b.own + b.other).abs().total_cmp(&(a.own + a.other).abs()));
        alike
    }

    /// The indicators in which they differ by more than [`ALIKE_WITHIN`]; first those that add most to the distance.
    pub fn apart(&self) -> Vec<Comparison> {
        let mut apart: Vec<_> =
            self.comparisons.iter().copied().filter(|c| c.difference.abs() > ALIKE_WITHIN).collect();
        apart.sort_by(|a, b| b.share.total_cmp(&a.share));
        apart
    }
}

/// The places most like one, and what they were compared in.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlikes<L> {
    /// Nearest first; those equally near in order of label.
    pub nearest: Vec<LookAlike<L>>,
    /// The scale of each indicator that was compared, by its position in the profiles.
    pub indicators: Vec<(usize, Standard)>,
    /// Indicators left out because they do not vary.
    pub constant: Vec<usize>,
    /// Indicators left out because they weigh nothing.
    pub weightless: Vec<usize>,
    /// Places that share too few known indicators with the one asked about, and how many, in order of label.
    pub not_compared: Vec<(L, usize)>,
    /// The fewest indicators that two places had to share.
    pub needed: usize,
}

/// The `count` places nearest to one, and all others exactly as near as the last of them, so that no order or name decides.
///
/// Distance of x and y: √(Σ wⱼ ((xⱼ − yⱼ)/sⱼ)² / Σ wⱼ) over the indicators known of both; wⱼ is the weight, sⱼ the
/// standard deviation (with n) over the places that have indicator j. Dividing by the weights keeps pairs comparable that
/// share more or fewer indicators. No units: standard deviations. Weights only count relative to each other.
///
/// Source: J. C. Gower, 1971, *Biometrics* 27:857–871, for what is not known of both (§ 4); J. K. Dixon, 1979, *IEEE
/// Transactions on Systems, Man and Cybernetics* 9:617–621. Domain: weights ≥ 0, one per indicator.
///
/// # Errors
/// [`TooFewIndicators`](Undefined::TooFewIndicators) if fewer than [`FEWEST_IN_COMMON`] indicators vary and weigh, or the
/// place has fewer than that, or than half of them; [`UnknownPlace`](Undefined::UnknownPlace),
/// [`RepeatedPlace`](Undefined::RepeatedPlace), [`LengthMismatch`](Undefined::LengthMismatch),
/// [`EmptyDenominator`](Undefined::EmptyDenominator) if nothing weighs, [`NegativeCount`](Undefined::NegativeCount),
/// [`NotFinite`](Undefined::NotFinite).
pub fn look_alikes<L: Ord + Clone>(
    places: &[Profile<L>],
    of: &L,
    weights: &[f64],
    count: usize,
) -> Result<LookAlikes<L>, Undefined> {
    let rows = known(places)?;
    let (_, own) = rows.iter().find(|(label, _)| *label == of).ok_or(Undefined::UnknownPlace)?;
    same_length(own.len(), weights.len())?;
    weights.iter().try_for_each(|weight| amount(*weight).map(drop))?;
    let largest = size(weights.iter().copied().fold(0.0, f64::max))?;
    let mut indicators = Vec::new();
    let (mut constant, mut weightless) = (Vec::new(), Vec::new());
    for (at, weight) in weights.iter().enumerate() {
        match Standard::of(rows.iter().filter_map(|(_, values)| values[at]).collect()) {
            None => constant.push(at),
            Some(_) if *weight <= 0.0 => weightless.push(at),
            Some(standard) => indicators.push((at, standard)),
        }
    }
    let needed = FEWEST_IN_COMMON.max(indicators.len().div_ceil(2));
    let found = indicators.iter().filter(|(at, _)| own[*at].is_some()).count();
    if found < needed {
        return Err(Undefined::TooFewIndicators { found, needed });
    }
    let mut nearest = Vec::new();
    let mut not_compared = Vec::new();
    for (label, other) in rows.iter().filter(|(label, _)| *label != of) {
        let comparisons = compared(own, other, &indicators);
        if comparisons.len() < needed {
            not_compared.push(((*label).clone(), comparisons.len()));
        } else {
            nearest.push(weighed((*label).clone(), comparisons, |at| weights[at] / largest));
        }
    }
    // Rows are in order of label, and the sort keeps it among equals.
    nearest.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let last = count.checked_sub(1).and_then(|last| nearest.get(last)).map(|last| last.distance);
    if let Some(last) = last {
        nearest.truncate(nearest.partition_point(|place| place.distance <= last));
    } else if count == 0 {
        nearest.clear();
    }
    Ok(LookAlikes { nearest, indicators, constant, weightless, not_compared, needed })
}

/// What is known of both.
fn compared(own: &[Option<f64>], other: &[Option<f64>], indicators: &[(usize, Standard)]) -> Vec<Comparison> {
    let both = indicators.iter().filter_map(|(at, standard)| {
        let (own, other) = own[*at].zip(other[*at])?;
        Some(Comparison {
            indicator: *at,
            own: standard.score(own),
            other: standard.score(other),
            // Not the difference of both scores, which rounds twice: equal differences stay equal.
            difference: (other - own) / standard.deviation,
            share: 0.0,
        })
    });
    both.collect()
}

fn weighed<L>(label: L, mut comparisons: Vec<Comparison>, weight: impl Fn(usize) -> f64) -> LookAlike<L> {
    let part = |c: &Comparison| weight(c.indicator) * c.difference * c.difference;
    let squared: f64 = comparisons.iter().map(part).sum();
    let weights: f64 = comparisons.iter().map(|c| weight(c.indicator)).sum();
    if squared > 0.0 {
        for comparison in &mut comparisons {
            comparison.share = part(comparison) / squared;
        }
    }
    LookAlike { label, distance: (squared / weights).sqrt(), comparisons }
}
