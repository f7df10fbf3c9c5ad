//! Arithmetic on figures that may be hidden: an interval always contains the truth.
//!
//! A hidden figure is never zero and never left out of a sum: it enters as the interval that visible figures allow.
//! {12, hidden between 1 and 9, 30} sums to 43–51, never to 42. Sums are exact, in integer units; only ratios and
//! display leave the integers.

mod interval;
mod median;
mod ratio;
mod reading;
#[cfg(test)]
mod tests;

pub use interval::Interval;
pub use median::{Class, grouped_median};
pub use ratio::{Amount, Ratio, group_ratio};
pub use reading::{Reading, Silence};
