//! Bands of places of equal number: quintiles, deciles.

use std::num::NonZeroUsize;

use crate::estimate::{enough, finite};
use crate::{Reading, Undefined};

/// Five bands.
pub const QUINTILES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
/// Ten bands.
pub const DECILES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9);

/// The bands in which a place may lie; band 1 holds the lowest values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bands {
    /// The lowest of them, at least 1.
    pub lowest: usize,
    /// The highest of them, at most the number of bands.
    pub highest: usize,
}

impl Bands {
    /// The band, if only one is possible.
    pub fn band(self) -> Option<usize> {
        (self.lowest == self.highest).then_some(self.lowest)
    }

    /// Whether `band` is possible.
    pub fn contain(self, band: usize) -> bool {
        (self.lowest..=self.highest).contains(&band)
    }
}

/// The band of each place among all that have a number; `None` for those that have none, which are not counted.
///
/// Of n places, one with `b` others below it and `t` others equal to it lies in band
/// 1 + ⌊bands × (2b + t + 1) / 2n⌋: the middle of its ranks decides, so equal values always share a band. A place known
/// only as an interval gets all bands that it may lie in, whatever the true values of all others are; so does a known
/// one among others that are not known.
///
/// # Errors
/// [`TooFew`](Undefined::TooFew) with fewer numbers than bands, [`NotFinite`](Undefined::NotFinite).
pub fn bands(readings: &[Reading], bands: NonZeroUsize) -> Result<Vec<Option<Bands>>, Undefined> {
    let bounds: Vec<Option<(f64, f64)>> = readings
        .iter()
        .map(|reading| reading.bounds().map(|(low, high)| checked(low, high)).transpose())
        .collect::<Result<_, _>>()?;
    let sorted = |of: fn(&(f64, f64)) -> f64| {
        let mut ends: Vec<f64> = bounds.iter().flatten().map(of).collect();
        ends.sort_by(f64::total_cmp);
        ends
    };
    let (lows, highs) = (sorted(|(low, _)| *low), sorted(|(_, high)| *high));
    let places = lows.len();
    enough(places, bands.get())?;
    // Twice the places below and once those equal, itself among them, of which only `ends` are known.
    let twice =
        |ends: &[f64], value: f64| ends.partition_point(|end| *end < value) + ends.partition_point(|end| *end <= value);
    let band = |twice_middle: usize| 1 + bands.get() * twice_middle / (2 * places);
    let of = |(low, high): (f64, f64)| {
        // At the lowest, all others are as high as may be; at the highest, as low. Itself counts once either way.
        let itself = usize::from(low < high);
        Bands { lowest: band(twice(&highs, low) + itself), highest: band(twice(&lows, high) - itself) }
    };
    Ok(bounds.into_iter().map(|bounds| bounds.map(of)).collect())
}

/// Zero without its sign, and no upper limit as infinity.
fn checked(low: f64, high: Option<f64>) -> Result<(f64, f64), Undefined> {
    Ok((finite(low)? + 0.0, high.map(finite).transpose()?.map_or(f64::INFINITY, |high| high + 0.0)))
}
