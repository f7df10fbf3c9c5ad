//! The words of the house: what every room says the same way.
//!
//! No input, no output, no async. Whatever can be wrong about a word is wrong here, at construction:
//! a [`CommuneCode`] in hand is five characters of the official geographic code, a [`Period`] exists in
//! the calendar, a [`Key`] has one code per dimension.

mod area;
mod clock;
mod code;
mod failure;
mod figure;
mod id;
mod key;
mod period;
mod territory;

pub use area::{Area, InvalidLevel, Level};
pub use clock::{Clock, Entropy, SystemClock, Timestamp, World};
pub use code::{Code, DimensionCode, IndicatorCode, InvalidCode, PackCode, TableCode};
pub use failure::{Failure, FailureKind};
pub use figure::{Decimals, Figure, Flag, Flags, MissingReason, Units};
pub use id::{DefinitionHash, Hash, InvalidId, InvitationToken, RuleHash, SubmissionId};
pub use key::Key;
pub use period::{InvalidPeriod, Period, PeriodKind};
pub use territory::{CogYear, CommuneCode, InvalidTerritory, Succession, succession};

/// A slice: the smallest thing a provider replaces, withdraws or answers for (architecture, law 3).
///
/// The pack *version* is an attribute of what fills the slice, not part of its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice {
    /// Where: the commune whose residents the figures describe.
    pub territory: CommuneCode,
    /// Which pack defines the table.
    pub pack: PackCode,
    /// Which table of that pack.
    pub table: TableCode,
    /// When.
    pub period: Period,
}

impl std::fmt::Display for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{}", self.territory, self.pack, self.table, self.period)
    }
}
