//! How all places spread in one indicator, and where one stands among them.

use crate::estimate::{enough, finite};
use crate::special::length;
use crate::{Reading, Undefined};

/// The least and the highest value, and those at the quarters: as far as they may be known where figures are hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spine {
    /// How many places have a number, hidden ones included.
    pub count: usize,
    /// How many of them are hidden.
    pub hidden: usize,
    /// The lowest value.
    pub minimum: Reading,
    /// A quarter of places lie below.
    pub lower_quartile: Reading,
    /// Half of places lie below.
    pub median: Reading,
    /// Three quarters of places lie below.
    pub upper_quartile: Reading,
    /// The highest value.
    pub maximum: Reading,
}

/// Minimum, quartiles and maximum of places, each counted once, in units of the indicator; silences are not counted.
///
/// The quantile p of n values in order lies at h = 1 + (n − 1)p, between two of them in proportion: type 7 of Hyndman and
/// Fan, that of R, of `DuckDB`'s `quantile_cont` and of Fingertips' own charts. A quantile only rises if a value does: where
/// figures are hidden, it lies between that of all lowest and that of all highest values, and both can be true.
///
/// Source: R. J. Hyndman & Y. Fan, 1996, *The American Statistician* 50:361–365.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) without any number, [`NotFinite`](Undefined::NotFinite).
pub fn spine(readings: &[Reading]) -> Result<Spine, Undefined> {
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    let mut hidden = 0;
    for (low, high) in readings.iter().filter_map(|reading| reading.bounds()) {
        let low = finite(low)? + 0.0;
        let high = high.map(finite).transpose()?.map_or(f64::INFINITY, |high| high + 0.0);
        hidden += usize::from(low < high);
        lows.push(low);
        highs.push(high);
    }
    enough(lows.len(), 1)?;
    lows.sort_by(f64::total_cmp);
    highs.sort_by(f64::total_cmp);
    let at = |quarters: usize| {
        let high = quantile(&highs, quarters);
        Reading::from_bounds(quantile(&lows, quarters), high.is_finite().then_some(high))
    };
    Ok(Spine {
        count: lows.len(),
        hidden,
        minimum: at(0),
        lower_quartile: at(1),
        median: at(2),
        upper_quartile: at(3),
        maximum: at(4),
    })
}

/// Values in order, at least one, of which the last may be infinite.
fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    let place = (sorted.len() - 1) * quarters;
    let (below, part) = (sorted[place / 4], length(place % 4) / 4.0);
    match sorted.get(place / 4 + 1) {
        Some(above) if part > 0.0 && above > &below => below + part * (above - below),
        _ => below,
    }
}

impl Spine {
    /// Where `place`, one of those counted, stands on a scale from 0 to 1 with the benchmark in the middle.
    ///
    /// ½ + (x − b) / (2 max(maximum − b, b − minimum)): the scale reaches as far on both sides as the farther of minimum
    /// and maximum, so that the benchmarks of all indicators lie on one line. Low values are on the left whatever is
    /// better: the original turns indicators where low is good, which leaves nobody able to read a value off it. All at
    /// the benchmark: ½. Where figures are hidden, all positions that they allow. A silence stays one.
    ///
    /// Source: the spine charts of Public Health England's Fingertips, as drawn by its R package fingertipscharts.
    ///
    /// # Errors
    /// [`NotFinite`](Undefined::NotFinite).
    pub fn position(&self, place: Reading, benchmark: f64) -> Result<Reading, Undefined> {
        let benchmark = finite(benchmark)?;
        let (low, high) = match place {
            Reading::Silence(_) => return Ok(place),
            Reading::Value(value) => (finite(value)?, finite(value)?),
            Reading::Interval { low, high } => (finite(low)?, high.map(finite).transpose()?.unwrap_or(f64::INFINITY)),
        };
        let ends = |reading: Reading| {
            let (low, high) = reading.bounds().unwrap_or((f64::NEG_INFINITY, None));
            (low, high.unwrap_or(f64::INFINITY))
        };
        let ((least, least_at_most), (most_at_least, most)) = (ends(self.minimum), ends(self.maximum));
        let short = (most_at_least - benchmark).max(benchmark - least_at_most).max(0.0);
        let long = (most - benchmark).max(benchmark - least).max(0.0);
        // A shorter scale takes a value farther from the middle, on whichever side it is.
        let at = |value: f64, nearer: bool| {
            let away = value - benchmark;
            let reach = if nearer { long } else { short };
            let part = match () {
                () if away == 0.0 => 0.0,
                () if reach.is_infinite() => {
                    if away.is_infinite() {
                        1.0
                    } else {
                        0.0
                    }
                }
                () if away.abs() >= reach => away.signum(),
                () => away / reach,
            };
            f64::midpoint(1.0, part)
        };
        Ok(Reading::from_bounds(at(low, low > benchmark), Some(at(high, high < benchmark))))
    }
}
