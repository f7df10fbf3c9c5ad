//! Periods, written as SDMX writes them: `2025`, `2025-S1`, `2025-Q4`, `2025-06`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("period {0:?} must be written 2025, 2025-S1, 2025-Q4 or 2025-06")]
pub struct InvalidPeriod(String);

/// The time a figure speaks of. Annual stocks (31 December) are written as their year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// A calendar year.
    Year(u16),
    /// A half-year, 1 or 2.
    Semester(u16, u8),
    /// A quarter, 1 to 4.
    Quarter(u16, u8),
    /// A month, 1 to 12.
    Month(u16, u8),
}

/// How long a period is: what a table may be restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeriodKind {
    /// A calendar year.
    Year,
    /// A half-year.
    Semester,
    /// A quarter.
    Quarter,
    /// A month.
    Month,
}

impl PeriodKind {
    /// In French, with an example of how it is written: "année (2025)".
    pub fn french(self) -> &'static str {
        match self {
            Self::Year => "année (2025)",
            Self::Semester => "semestre (2025-S1)",
            Self::Quarter => "trimestre (2025-Q4)",
            Self::Month => "mois (2025-06)",
        }
    }
}

impl Period {
    /// How long it is.
    pub fn kind(self) -> PeriodKind {
        match self {
            Self::Year(_) => PeriodKind::Year,
            Self::Semester(..) => PeriodKind::Semester,
            Self::Quarter(..) => PeriodKind::Quarter,
            Self::Month(..) => PeriodKind::Month,
        }
    }

    /// The calendar year the period lies in.
    pub fn year(self) -> u16 {
        match self {
            Self::Year(y) | Self::Semester(y, _) | Self::Quarter(y, _) | Self::Month(y, _) => y,
        }
    }
}

impl std::str::FromStr for Period {
    type Err = InvalidPeriod;
    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let refuse = || InvalidPeriod(text.to_owned());
        let (year, part) = match text.split_once('-') {
            Some((year, part)) => (year, Some(part)),
            None => (text, None),
        };
        let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) {
            return Err(refuse());
        }
        let year = year.parse().map_err(|_| refuse())?;
        if !(1800..=2200).contains(&year) {
            return Err(refuse());
        }
        let number = |t: &str, max: u8| t.parse::<u8>().ok().filter(|n| (1..=max).contains(n)).ok_or_else(refuse);
        match part {
            None => Ok(Self::Year(year)),
            Some(part) if part.starts_with('S') && digits(&part[1..], 1) => {
                Ok(Self::Semester(year, number(&part[1..], 2)?))
            }
            Some(part) if part.starts_with('Q') && digits(&part[1..], 1) => {
                Ok(Self::Quarter(year, number(&part[1..], 4)?))
            }
            Some(part) if digits(part, 2) => Ok(Self::Month(year, number(part, 12)?)),
            Some(_) => Err(refuse()),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidPeriod;
    fn try_from(text: String) -> Result<Self, InvalidPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Year(y) => format!("{y:04}"),
            Self::Semester(y, s) => format!("{y:04}-S{s}"),
            Self::Quarter(y, q) => format!("{y:04}-Q{q}"),
            Self::Month(y, m) => format!("{y:04}-{m:02}"),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_back_as_written() {
        for text in ["2025", "2025-S2", "2025-Q4", "2025-06"] {
            assert_eq!(text.parse::<Period>().map(|p| p.to_string()), Ok(text.to_owned()));
        }
        for bad in ["", "25", "2025-Q5", "2025-13", "2025-T1", "2025-", "2025-S+1", "+025", "2025-é"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
