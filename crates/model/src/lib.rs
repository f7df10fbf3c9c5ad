//! The words of the house: what every room says the same way.
//!
//! No input, no output, no async. Whatever can be wrong about a word is wrong here, at construction:
//! a [`CommuneCode`] in hand is five characters of the official geographic code, a [`Period`] exists in
//! the calendar, a [`Key`] has one code per dimension.

mod area;
mod audience;
mod clock;
mod code;
mod failure;
mod figure;
mod id;
mod key;
mod period;
mod succession;
mod territory;

pub use area::{Area, InvalidLevel, Level};
pub use audience::{Audience, InvalidAudience};
pub use clock::{Clock, Entropy, SystemClock, Timestamp, World};
pub use code::{Code, DimensionCode, IndicatorCode, InvalidCode, PackCode, TableCode};
pub use failure::{Failure, FailureKind};
pub use figure::{Decimals, Figure, Flag, Flags, MissingReason, Units};
pub use id::{DefinitionHash, Hash, InvalidId, InvitationToken, RuleHash, SubmissionId};
pub use key::Key;
pub use period::{InvalidPeriod, Period, PeriodKind};
pub use succession::{InvalidSuccession, Succession, Successions};
pub use territory::{CogYear, CommuneCode, InvalidTerritory};

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

/// Why a text is not a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slice is written territory/pack/table/period")]
pub struct InvalidSlice;

impl std::str::FromStr for Slice {
    type Err = InvalidSlice;
    /// As `Display` writes it; no code holds a `/`.
    fn from_str(text: &str) -> Result<Self, InvalidSlice> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(InvalidSlice);
        let slice = Self {
            territory: next()?.parse().map_err(|_| InvalidSlice)?,
            pack: next()?.parse().map_err(|_| InvalidSlice)?,
            table: next()?.parse().map_err(|_| InvalidSlice)?,
            period: next()?.parse().map_err(|_| InvalidSlice)?,
        };
        if parts.next().is_some() { Err(InvalidSlice) } else { Ok(slice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_read_back_as_written() {
        let text = "93066/ccas-activite/domiciliation/2025-Q4";
        assert_eq!(text.parse::<Slice>().map(|slice| slice.to_string()), Ok(text.to_owned()));
        for bad in ["", "93066/a/b", "93066/a/b/2025/c", "9306/a/b/2025"] {
            assert_eq!(bad.parse::<Slice>(), Err(InvalidSlice), "{bad}");
        }
    }
}
