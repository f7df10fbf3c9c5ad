//! The median that a definition reads in counts, whether they are a commune's own, protected, or added up.

use methodology::Median;
use model::{Decimals, Units};
use statistics::{Amount, Class, Interval, Reading, grouped_median};

/// What lies in the middle of these counts, one for each class of the definition, in its order.
pub fn median(definition: &Median, counts: &[Interval]) -> Reading {
    let limit = |units: Units| whole(units, definition.limits);
    let classes = definition.classes.iter().zip(counts).map(|(class, count)| Class {
        from: class.from.map(limit),
        to: class.to.map(limit),
        count: *count,
    });
    grouped_median(&classes.collect::<Vec<_>>())
}

fn whole(units: Units, decimals: Decimals) -> f64 {
    let (low, _) = Amount { interval: Interval::known(units), decimals }.reading().bounds().unwrap_or_default();
    low
}
