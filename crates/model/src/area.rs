//! Territories of any level, as public figures speak of them.

use std::fmt;
use std::str::FromStr;

use crate::{CommuneCode, InvalidTerritory};

/// What kind of territory a code names: `93` is a département and a region, and two different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A quarter of some two thousand inhabitants (INSEE), nine characters.
    Iris,
    /// A quartier prioritaire de la politique de la ville, `QP093001`.
    Qpv,
    /// An arrondissement of Paris, Lyon or Marseille: a part of a commune that files list beside the commune itself.
    Arrondissement,
    /// A commune.
    Commune,
    /// An établissement public territorial of the Grand Paris, or any other grouping of communes.
    Grouping,
    /// A département.
    Departement,
    /// A region.
    Region,
    /// France without its overseas départements.
    Metropole,
    /// France.
    France,
}

impl Level {
    /// All levels, smallest territories first.
    pub const ALL: [Self; 9] = [
        Self::Iris,
        Self::Qpv,
        Self::Arrondissement,
        Self::Commune,
        Self::Grouping,
        Self::Departement,
        Self::Region,
        Self::Metropole,
        Self::France,
    ];

    /// As layouts, SQL and commands write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iris => "iris",
            Self::Qpv => "qpv",
            Self::Arrondissement => "arrondissement",
            Self::Commune => "commune",
            Self::Grouping => "groupement",
            Self::Departement => "departement",
            Self::Region => "region",
            Self::Metropole => "metropole",
            Self::France => "france",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is not a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown level {0:?}")]
pub struct InvalidLevel(String);

impl FromStr for Level {
    type Err = InvalidLevel;
    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| InvalidLevel(text.to_owned()))
    }
}

/// A territory: its level and its code at that level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area {
    level: Level,
    code: String,
}

impl Area {
    /// France without its overseas départements has one territory, and so has France: their codes are ours.
    pub const METROPOLE: &'static str = "FM";
    /// See [`Area::METROPOLE`].
    pub const FRANCE: &'static str = "F";

    /// The territory of this code. A code of five characters that names an arrondissement of Paris, Lyon or Marseille is one,
    /// even in a list of communes: adding both would count their inhabitants twice.
    pub fn new(level: Level, code: &str) -> Result<Self, InvalidTerritory> {
        let malformed = || InvalidTerritory::Malformed(code.to_owned());
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let valid = match level {
            Level::Commune | Level::Arrondissement => {
                let commune: CommuneCode = code.parse()?;
                let inside = commune.whole().is_some();
                if level == Level::Arrondissement && !inside {
                    return Err(malformed());
                }
                let level = if inside { Level::Arrondissement } else { Level::Commune };
                return Ok(Self { level, code: code.to_owned() });
            }
            Level::Iris => {
                code.len() == 9 && code.is_ascii() && code[..5].parse::<CommuneCode>().is_ok() && digits(&code[5..])
            }
            Level::Qpv => {
                code.len() == 8
                    && code.strip_prefix("QP").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
            }
            Level::Grouping => (2..=9).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric()),
            Level::Departement => {
                matches!(code, "2A" | "2B")
                    || (digits(code) && (code.len() == 2 || (code.len() == 3 && code.starts_with('9'))))
            }
            Level::Region => code.len() == 2 && digits(code),
            Level::Metropole => code == Self::METROPOLE,
            Level::France => code == Self::FRANCE,
        };
        if valid { Ok(Self { level, code: code.to_owned() }) } else { Err(malformed()) }
    }

    /// What kind of territory it is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Its code at that level.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The commune, if it is one.
    pub fn commune(&self) -> Option<CommuneCode> {
        if self.level == Level::Commune { self.code.parse().ok() } else { None }
    }

    /// The département that a territory of the size of a commune, or smaller, lies in; nothing for larger ones.
    pub fn departement(&self) -> Option<&str> {
        match self.level {
            Level::Iris | Level::Arrondissement | Level::Commune => Some(departement(&self.code)),
            // `QP093001`: three characters, the first a zero outside the overseas départements.
            Level::Qpv => self.code.get(2..5).map(|code| code.strip_prefix('0').unwrap_or(code)),
            Level::Grouping | Level::Departement | Level::Region | Level::Metropole | Level::France => None,
        }
    }
}

/// The département in the first characters of a longer code: three overseas, two elsewhere.
fn departement(code: &str) -> &str {
    let length = if code.starts_with("97") || code.starts_with("98") { 3 } else { 2 };
    code.get(..length).unwrap_or(code)
}

impl CommuneCode {
    /// The commune that an arrondissement of Paris, Lyon or Marseille is a part of; `None` for a commune.
    pub fn whole(&self) -> Option<Self> {
        let whole = match self.as_str().parse::<u32>().ok()? {
            75_101..=75_120 => "75056",
            69_381..=69_389 => "69123",
            13_201..=13_216 => "13055",
            _ => return None,
        };
        whole.parse().ok()
    }

    /// The département that the code begins with.
    pub fn departement(&self) -> &str {
        departement(self.as_str())
    }
}

impl fmt::Display for Area {
    /// `commune 93066`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_belongs_to_its_level() {
        for (level, code) in [
            (Level::Iris, "930660101"),
            (Level::Iris, "2A0040101"),
            (Level::Qpv, "QP093001"),
            (Level::Commune, "93066"),
            (Level::Grouping, "T6"),
            (Level::Departement, "93"),
            (Level::Departement, "2A"),
            (Level::Departement, "974"),
            (Level::Region, "11"),
            (Level::Metropole, "FM"),
            (Level::France, "F"),
        ] {
            let area = Area::new(level, code).expect(code);
            assert_eq!((area.level(), area.code()), (level, code));
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        for (level, code) in [
            (Level::Departement, "1"),
            (Level::Departement, "93066"),
            (Level::Region, "2A"),
            (Level::Commune, "1004"),
            (Level::Iris, "93066"),
            (Level::Metropole, "1"),
            (Level::Arrondissement, "93066"),
        ] {
            assert!(Area::new(level, code).is_err(), "{level} {code}");
        }
    }

    #[test]
    fn an_arrondissement_in_a_list_of_communes_is_not_a_commune() {
        let area = |code| Area::new(Level::Commune, code).expect("a code");
        assert_eq!(area("75101").level(), Level::Arrondissement);
        assert_eq!(area("13216").level(), Level::Arrondissement);
        assert_eq!(area("69389").commune(), None);
        assert_eq!(area("75056").level(), Level::Commune);
        assert_eq!(area("69123").departement(), Some("69"));
        assert_eq!(area("97411").departement(), Some("974"));
        let qpv = Area::new(Level::Qpv, "QP093001").expect("a QPV");
        assert_eq!(qpv.departement(), Some("93"));
    }
}
