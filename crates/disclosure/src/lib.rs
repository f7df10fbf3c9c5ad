//! Statistical disclosure control: from confidential tables to safe ones, and the intruder who tries them.

pub mod attack;
mod confidential;
mod exact;
#[cfg(test)]
mod fixture;
mod ledger;
mod protect;
mod relations;
mod rule;
mod safe;
mod scheme;

pub use confidential::{ConfidentialCell, ConfidentialCount, ConfidentialTable};
pub use ledger::Ledger;
pub use protect::{Hidden, ProtectError, Protected, Reason, Report, protect};
pub use rule::{Need, need};
pub use safe::{Published, Received, SafeTable, SliceAttributes};
pub use scheme::{InvalidScheme, MeasureScheme, Protection, Quantity, Restriction, Rule, TableScheme, Zeros};
