//! How unequal places are: along a ranking, between and within groups, and over all.

use crate::estimate::{amount, enough, finite, size};
use crate::line::Line;
use crate::{Confidence, Estimate, Limits, Undefined};

/// A place with its position in a social ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// What places are ranked by, such as median income: the lowest is the worst off. Only the order matters.
    pub rank: f64,
    /// Its value.
    pub value: f64,
    /// How many people live there, > 0.
    pub population: f64,
}

/// How a value changes from the worst to the best off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlopeIndex {
    /// The slope index: value of the best off minus that of the worst off, in units of the value; below zero where the
    /// worst off have more.
    pub slope: Estimate,
    /// The relative index: the slope index over the mean of all people; `None` where that is not above zero.
    pub relative: Option<Estimate>,
}

/// The slope and relative index of inequality.
///
/// Places stand in order of `rank`; each is at the middle of its share of the population, cumulated from 0 (worst off)
/// to 1 (best off), places of equal rank at their common middle. The slope of the line of least squares weighted by
/// population is the slope index; over the weighted mean, taken as fixed, it is the relative one. Limits are
/// ± z √(s²/Σ w(x − x̄)²), with s² = Σ w(y − ŷ)² / (k − 2).
///
/// Source: E. R. Pamuk, 1985, *Population Studies* 39:17–31; J. P. Mackenbach & A. E. Kunst, 1997, *Social Science &
/// Medicine* 44:757–771. Domain: at least three places of at least two ranks.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) below three places, [`NoSpread`](Undefined::NoSpread) if all have one rank,
/// [`EmptyDenominator`](Undefined::EmptyDenominator) where nobody lives, [`NotFinite`](Undefined::NotFinite),
/// [`NegativeCount`](Undefined::NegativeCount).
pub fn slope_index(places: &[Ranked], confidence: Confidence) -> Result<SlopeIndex, Undefined> {
    enough(places.len(), 3)?;
    let mut places = places.to_vec();
    for place in &mut places {
        // Zero without its sign: both zeros are one rank.
        place.rank = finite(place.rank)? + 0.0;
        finite(place.value)?;
        size(place.population)?;
    }
    places.sort_by(|a, b| {
        a.rank.total_cmp(&b.rank).then(a.value.total_cmp(&b.value)).then(a.population.total_cmp(&b.population))
    });
    if places.first().map(|first| first.rank) == places.last().map(|last| last.rank) {
        return Err(Undefined::NoSpread);
    }
    let total = finite(places.iter().map(|place| place.population).sum())?;
    let mut points = Vec::with_capacity(places.len());
    let mut below = 0.0;
    for class in places.chunk_by(|a, b| a.rank.total_cmp(&b.rank).is_eq()) {
        let people: f64 = class.iter().map(|place| place.population).sum();
        let middle = (below + people / 2.0) / total;
        points.extend(class.iter().map(|place| (middle, place.value, place.population)));
        below += people;
    }
    let line = Line::through(&points)?;
    let reach = confidence.z() * (line.residual / line.spread).sqrt();
    let slope = Estimate { value: line.slope, limits: Limits { lower: line.slope - reach, upper: line.slope + reach } };
    let relative = (line.y > 0.0).then(|| slope.per(line.y.recip()));
    Ok(SlopeIndex { slope, relative })
}

/// A place, its group, and how much it weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member<G> {
    /// Its group, such as its region.
    pub group: G,
    /// Its value, ≥ 0, such as income per head.
    pub value: f64,
    /// How many people have that value, ≥ 0.
    pub weight: f64,
}

/// Theil's T, in two parts that sum to it; 0 where all are equal, no units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theil {
    /// Inequality of all members.
    pub total: f64,
    /// Inequality that would remain if all members of a group had its mean.
    pub between: f64,
    /// Inequality inside groups, each weighted by its share of the whole value.
    pub within: f64,
}

/// Theil's T of members weighted by population, decomposed between and within groups.
///
/// T = Σ (wᵢ/W)(yᵢ/μ) ln(yᵢ/μ), where 0 ln 0 is 0. Between: the same over groups with their means. Within: Σ of each
/// group's own T times its share of Σ wᵢyᵢ.
///
/// Source: H. Theil, 1967, *Economics and Information Theory*, ch. 4; A. F. Shorrocks, 1980, *Econometrica* 48:613–625.
/// Domain: values ≥ 0 with a mean above zero.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator) if weights or values sum to zero,
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn theil<G: Ord>(members: &[Member<G>]) -> Result<Theil, Undefined> {
    let mut sorted: Vec<&Member<G>> = members.iter().collect();
    for member in &sorted {
        amount(member.value)?;
        amount(member.weight)?;
    }
    sorted.sort_by(|a, b| a.group.cmp(&b.group).then(a.value.total_cmp(&b.value)).then(a.weight.total_cmp(&b.weight)));
    let all = Part::of(&sorted);
    let (people, mean) = (size(all.weight)?, size(all.sum)? / all.weight);
    let (mut between, mut within) = (0.0, 0.0);
    for group in sorted.chunk_by(|a, b| a.group == b.group) {
        let part = Part::of(group);
        if part.sum > 0.0 {
            let own = part.sum / part.weight;
            between += part.weight / people * entropy(own / mean);
            within += part.sum / all.sum * part.inequality(group);
        }
    }
    Ok(Theil { total: all.inequality(&sorted), between, within })
}

struct Part {
    weight: f64,
    sum: f64,
}

impl Part {
    fn of<G>(members: &[&Member<G>]) -> Self {
        Self {
            weight: members.iter().map(|member| member.weight).sum(),
            sum: members.iter().map(|member| member.weight * member.value).sum(),
        }
    }

    /// Theil's T of `members`, whose weight and sum these are.
    fn inequality<G>(&self, members: &[&Member<G>]) -> f64 {
        let mean = self.sum / self.weight;
        members.iter().map(|member| member.weight / self.weight * entropy(member.value / mean)).sum()
    }
}

/// s ln s, 0 at 0.
fn entropy(s: f64) -> f64 {
    if s > 0.0 { s * s.ln() } else { 0.0 }
}

/// The Gini coefficient of values (≥ 0), each with the number of people who have it (≥ 0): 0 where all are equal,
/// towards 1 where one has everything; no units.
///
/// Twice the area between the diagonal and the Lorenz curve through the cumulated shares of people and of value, in order
/// of value: 1 − Σ wᵢ (Sᵢ₋₁ + Sᵢ) / (W S).
///
/// Source: C. Gini, 1912, *Variabilità e mutabilità*; R. I. Lerman & S. Yitzhaki, 1989, *Journal of Econometrics*
/// 42:43–47 (weights). Domain: values ≥ 0 with a mean above zero.
///
/// # Errors
/// [`EmptyDenominator`](Undefined::EmptyDenominator) if weights or values sum to zero,
/// [`NotFinite`](Undefined::NotFinite), [`NegativeCount`](Undefined::NegativeCount).
pub fn gini(values: &[(f64, f64)]) -> Result<f64, Undefined> {
    let mut sorted = values.to_vec();
    for (value, weight) in &sorted {
        amount(*value)?;
        amount(*weight)?;
    }
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let people = size(sorted.iter().map(|(_, weight)| weight).sum())?;
    let sum = size(sorted.iter().map(|(value, weight)| value * weight).sum())?;
    let (mut cumulated, mut area) = (0.0, 0.0);
    for (value, weight) in sorted {
        let before = cumulated;
        cumulated += value * weight;
        area += weight * (before + cumulated);
    }
    // Rounding alone takes it below zero.
    Ok((1.0 - area / (people * sum)).max(0.0))
}
