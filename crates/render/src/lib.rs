//! French as an agent of a CCAS reads it: numbers, dates, the order of names, tables for a terminal, charts.
//!
//! Every text made here is for eyes. What travels, is stored or is compared by a machine has its own form
//! (`Display` in `model`, the wire document) and never goes through this crate.

pub mod audience;
pub mod chart;
pub mod date;
pub mod figure;
pub mod names;
pub mod number;
pub mod reading;
pub mod settings;
pub mod system;
pub mod table;
pub mod typography;

pub use number::Exact;
pub use table::{Column, Screen, Table};
