//! Arithmetic on figures that may be hidden: an interval always contains the truth. And methods for comparing places:
//! what may be read of a figure, given its size.
//!
//! A hidden figure is never zero and never left out of a sum: it enters as the interval that visible figures allow.
//! {12, hidden between 1 and 9, 30} sums to 43–51, never to 42. Sums are exact, in integer units; only ratios, methods
//! and display leave the integers.
//!
//! Every method names its formula, its source, its domain and what it refuses: a number that is not defined is an
//! [`Undefined`], never a NaN.

mod bands;
mod cohort;
mod components;
mod correlation;
mod coverage;
mod estimate;
mod funnel;
mod inequality;
mod interval;
mod line;
mod look_alikes;
mod mean;
mod median;
mod profile;
mod proportion;
mod rate;
mod ratio;
mod reading;
mod shrinkage;
mod special;
mod spine;
mod standardised;
#[cfg(test)]
mod tests;
mod trend;
mod typology;
mod ward;

pub use bands::{Bands, DECILES, QUINTILES, bands};
pub use cohort::{Aged, CohortStep, aged, cohort_step, steps_between};
pub use components::{Component, principal_components};
pub use correlation::{pearson, spearman};
pub use coverage::{Conversion, Coverage, Excess, coverage};
pub use estimate::{Confidence, Counted, Estimate, Limits, Undefined};
pub use funnel::{
    ControlLimits, Sigma, Significance, baseline, proportion_control, proportion_significances, rate_control,
    rate_significances, ratio_control, ratio_significance,
};
pub use inequality::{Member, Ranked, SlopeIndex, Theil, gini, slope_index, theil};
pub use interval::Interval;
pub use look_alikes::{ALIKE_WITHIN, Comparison, FEWEST_IN_COMMON, LookAlike, LookAlikes, look_alikes};
pub use mean::{Mean, mean};
pub use median::{Class, grouped_median};
pub use profile::{Incomplete, Profile, Standard, Standardised, standardise};
pub use proportion::{proportion, proportion_within};
pub use rate::{BYAR_FROM, byar, count_limits, exact_poisson, rate, rate_within};
pub use ratio::{Amount, Ratio, group_ratio};
pub use reading::{Reading, Silence};
pub use shrinkage::{Between, Prior, Shrunk, proportion_prior, rate_prior};
pub use spine::{Spine, spine};
pub use standardised::{
    EUROPEAN_STANDARD_POPULATION_2013, directly_standardised, expected_events, indirectly_standardised_rate,
    indirectly_standardised_ratio,
};
pub use trend::{Course, Trend, project, proportion_change, rate_change, trend_in_proportions};
pub use typology::{CHARACTERISTIC, Group, Trait, Typology, typology};
pub use ward::{Division, MOST_PLACES, Merge, Tree, ward};
