//! Statistical disclosure control: from confidential tables to safe ones, and the intruder who tries them.

mod confidential;
mod ledger;
mod safe;
mod scheme;

pub use confidential::{ConfidentialCell, ConfidentialCount, ConfidentialTable};
pub use ledger::Ledger;
pub use safe::{Published, Received, SafeTable, SliceAttributes};
pub use scheme::{InvalidScheme, MeasureScheme, Protection, Quantity, Restriction, Rule, TableScheme, Zeros};
