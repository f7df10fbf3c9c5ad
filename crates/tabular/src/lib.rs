//! From a local export to confidential figures: messy text in, a [`disclosure::ConfidentialTable`] out.
//!
//! [`read`] accepts what a CCAS really has (Windows-1252, semicolons, "1 284,50", preamble lines, total rows) and
//! guesses nothing silently: whatever reads two ways is a [`Fault`] with file, line, column, cause and cure.
//! [`public`] reads what INSEE and others publish for all communes, as layouts describe it.
//! [`grid`] reads tables of cells that somebody else computed, margins included.
//! [`columns`] writes figures that may leave as files for analysts.
//! [`compute`] turns rows into every cell of the table's scheme. [`golden::run`] proves a pack by its examples.

pub mod columns;
mod compute;
mod fault;
#[cfg(test)]
mod fixture;
pub mod golden;
pub mod grid;
pub mod public;
mod read;
mod rows;
mod source;
mod tally;
mod totals;

pub use compute::{ComputeError, compute, median};
pub use fault::{Fault, FaultCause, Faults};
pub use read::{read, read_bytes};
pub use rows::Rows;
pub use source::{DecimalMark, Encoding, Names, Separator, SourceSpec, Totals};
