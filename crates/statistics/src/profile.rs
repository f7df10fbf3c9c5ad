//! Places described by many indicators, and these brought to one scale.

use crate::estimate::{enough, finite, same_length};
use crate::special::length;
use crate::{Reading, Undefined};

/// Values that differ by less than this share of their size differ by rounding only.
const ROUNDING: f64 = 1e-12;

/// A place and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile<L> {
    /// What the place is called, such as its code; no two places have the same.
    pub label: L,
    /// One reading per indicator, in the same order for all places. Only values are compared: the middle of a hidden
    /// figure's interval would be a guess, and a commune must not be like another by our guess.
    pub indicators: Vec<Reading>,
}

/// The scale of one indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standard {
    /// The mean of all places that have it, each counted once, in units of the indicator.
    pub mean: f64,
    /// Their standard deviation, with n: these places are all that there are, not a sample. In units of the indicator.
    pub deviation: f64,
    /// How many places have it.
    pub count: usize,
}

impl Standard {
    /// The scale of these values; `None` where they do not vary.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        // In order of value, so that a sum does not depend on who comes first.
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        if most - least <= ROUNDING * least.abs().max(most.abs()) {
            return None;
        }
        let n = length(values.len());
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        (deviation > 0.0).then_some(Self { mean, deviation, count: values.len() })
    }

    /// How many standard deviations `value` lies above the mean.
    pub fn score(self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }
}

/// A place, and each indicator's value where it is known.
type Row<'a, L> = (&'a L, Vec<Option<f64>>);

/// The values of all places, in order of label: each indicator's value where it is known.
pub(crate) fn known<L: Ord>(places: &[Profile<L>]) -> Result<Vec<Row<'_, L>>, Undefined> {
    let indicators = places.first().map_or(0, |place| place.indicators.len());
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        same_length(indicators, place.indicators.len())?;
        let values = place.indicators.iter().map(|reading| match reading {
            // Zero without its sign.
            Reading::Value(value) => finite(*value).map(|value| Some(value + 0.0)),
            Reading::Interval { .. } | Reading::Silence(_) => Ok(None),
        });
        rows.push((&place.label, values.collect::<Result<Vec<_>, _>>()?));
    }
    rows.sort_by(|a, b| a.0.cmp(b.0));
    if rows.windows(2).any(|two| two[0].0 == two[1].0) {
        return Err(Undefined::RepeatedPlace);
    }
    Ok(rows)
}

/// A place that lacks some of the indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete<L> {
    /// The place.
    pub label: L,
    /// The indicators without a known value.
    pub missing: Vec<usize>,
}

/// Places that have a value of every indicator, all indicators with mean 0 and standard deviation 1.
///
/// Places stand in order of their values (of the first indicator, then the second, …), and only those with the same
/// values in order of label: whatever is computed from here on depends neither on the order in which they were given nor
/// on what they are called.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardised<L> {
    pub(crate) places: Vec<L>,
    pub(crate) indicators: Vec<(usize, Standard)>,
    /// Values by place, then indicator.
    pub(crate) values: Vec<Vec<f64>>,
    /// The same in standard deviations from the mean.
    pub(crate) scores: Vec<Vec<f64>>,
    constant: Vec<usize>,
    incomplete: Vec<Incomplete<L>>,
}

/// All indicators on one scale: (x − mean) / standard deviation over the places that have all of them.
///
/// An indicator that is the same everywhere, or that no place has, tells no place from another: it is left out and named
/// ([`constant`](Standardised::constant)). A place that lacks one of the others is left out and named
/// ([`incomplete`](Standardised::incomplete)): a mean put in its stead would make it more average than it is. Where that
/// costs many places, leave out the indicator instead.
///
/// Domain: at least three places with all indicators; no units.
///
/// # Errors
/// [`LengthMismatch`](Undefined::LengthMismatch) unless all places have as many readings as the first,
/// [`RepeatedPlace`](Undefined::RepeatedPlace), [`NotFinite`](Undefined::NotFinite), [`TooFew`](Undefined::TooFew) below
/// three complete places, [`NoSpread`](Undefined::NoSpread) if nothing varies.
pub fn standardise<L: Ord + Clone>(places: &[Profile<L>]) -> Result<Standardised<L>, Undefined> {
    let rows = known(places)?;
    let given = rows.first().map_or(0, |(_, values)| values.len());
    let mut kept: Vec<usize> = (0..given).collect();
    // Leaving out an incomplete place can make an indicator constant, and leaving that out a place complete.
    loop {
        let varies = |at: &usize, among: &[&Vec<Option<f64>>]| {
            Standard::of(among.iter().filter_map(|values| values[*at]).collect()).is_some()
        };
        let all: Vec<_> = rows.iter().map(|(_, values)| values).collect();
        let mut left: Vec<usize> = kept.iter().copied().filter(|at| varies(at, &all)).collect();
        let complete: Vec<_> = all.into_iter().filter(|values| left.iter().all(|at| values[*at].is_some())).collect();
        // Among fewer, it is the places that are not enough: no indicator is to blame.
        if complete.len() >= 3 {
            left.retain(|at| varies(at, &complete));
        }
        if left.len() == kept.len() {
            break;
        }
        kept = left;
    }
    let mut complete: Vec<(Vec<f64>, &L)> = Vec::new();
    let mut incomplete = Vec::new();
    for (label, values) in &rows {
        let missing: Vec<usize> = kept.iter().copied().filter(|at| values[*at].is_none()).collect();
        if missing.is_empty() {
            complete.push((kept.iter().filter_map(|at| values[*at]).collect(), *label));
        } else {
            incomplete.push(Incomplete { label: (*label).clone(), missing });
        }
    }
    if kept.is_empty() {
        enough(rows.len(), 3)?;
        return Err(Undefined::NoSpread);
    }
    enough(complete.len(), 3)?;
    let by_value = |a: &[f64], b: &[f64]| {
        let differing = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        differing.unwrap_or(std::cmp::Ordering::Equal)
    };
    complete.sort_by(|a, b| by_value(&a.0, &b.0).then_with(|| a.1.cmp(b.1)));
    let standard = |column: usize| Standard::of(complete.iter().map(|(values, _)| values[column]).collect());
    let standards = (0..kept.len()).map(standard).collect::<Option<Vec<_>>>().ok_or(Undefined::NoSpread)?;
    let score = |values: &Vec<f64>| values.iter().zip(&standards).map(|(value, scale)| scale.score(*value)).collect();
    Ok(Standardised {
        places: complete.iter().map(|(_, label)| (*label).clone()).collect(),
        scores: complete.iter().map(|(values, _)| score(values)).collect(),
        values: complete.into_iter().map(|(values, _)| values).collect(),
        constant: (0..given).filter(|at| !kept.contains(at)).collect(),
        indicators: kept.into_iter().zip(standards).collect(),
        incomplete,
    })
}

impl<L> Standardised<L> {
    /// The places, in the order of all that is computed from here on.
    pub fn places(&self) -> &[L] {
        &self.places
    }

    /// The indicators that are compared, by their position in the profiles, each with its scale.
    pub fn indicators(&self) -> &[(usize, Standard)] {
        &self.indicators
    }

    /// Standard deviations from the mean, by place, then indicator.
    pub fn scores(&self) -> &[Vec<f64>] {
        &self.scores
    }

    /// Indicators left out because they do not vary.
    pub fn constant(&self) -> &[usize] {
        &self.constant
    }

    /// Places left out because they lack an indicator, in order of label.
    pub fn incomplete(&self) -> &[Incomplete<L>] {
        &self.incomplete
    }
}
