//! From values to places on the page.

use model::Decimals;

use super::{DotPlot, LEFT, Mark, RIGHT};
use crate::number::approximate;

/// About so many intervals between ticks.
const STEPS: f64 = 5.0;

/// A linear axis from zero, or from below where something is negative, to a round number above everything.
pub(super) struct Scale {
    bottom: f64,
    top: f64,
    step: f64,
    decimals: Decimals,
}

impl Scale {
    pub(super) fn over(marks: impl Iterator<Item = Mark>, plot: &DotPlot) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        let mut see = |value: f64| {
            if value.is_finite() {
                low = low.min(value);
                high = high.max(value);
            }
        };
        for mark in marks {
            match mark {
                Mark::Dot(value) => see(value),
                Mark::Range { low, high } => {
                    see(low);
                    // An open bar must be seen to go on.
                    see(high.unwrap_or(low * 1.25));
                }
                Mark::Nothing => {}
            }
        }
        if high <= low {
            high = low + 1.0;
        }
        let whole = plot.decimals == Decimals::NONE;
        let step = round_step((high - low) / STEPS, whole);
        Self { bottom: (low / step).floor() * step, top: (high / step).ceil() * step, step, decimals: plot.decimals }
    }

    /// The highest value of the axis.
    pub(super) fn top(&self) -> f64 {
        self.top
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Values and their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let places = if self.step.fract() == 0.0 { Decimals::NONE } else { self.decimals.max(fine(self.step)) };
        let mut ticks = Vec::new();
        let mut value = self.bottom;
        while value <= self.top + self.step / 2.0 {
            ticks.push((value, approximate(value, places).unwrap_or_default()));
            value += self.step;
        }
        ticks
    }
}

fn fine(step: f64) -> Decimals {
    (0..=9)
        .filter_map(Decimals::new)
        .find(|places| {
            let units = step * 10_f64.powi(i32::from(places.places()));
            (units - units.round()).abs() < 1e-6
        })
        .unwrap_or(Decimals::NONE)
}

/// The least of 1, 2, 2.5, 5 × 10ⁿ that is not below `least`; never below one where only whole numbers exist.
fn round_step(least: f64, whole: bool) -> f64 {
    let magnitude = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= least * 0.999_999 && (!whole || step.fract() == 0.0))
        .unwrap_or(10.0 * magnitude);
    if whole { step.max(1.0) } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_whole_where_people_are_counted() {
        let step = |least: f64, whole: bool| format!("{:.3}", round_step(least, whole));
        let whole = [0.3, 2.3, 23.0, 180.0].map(|least| step(least, true));
        assert_eq!(whole, ["1.000", "5.000", "25.000", "200.000"]);
        assert_eq!([0.23, 0.021, 17.0].map(|least| step(least, false)), ["0.250", "0.025", "20.000"]);
    }
}
