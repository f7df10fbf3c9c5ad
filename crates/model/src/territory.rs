//! Communes, and the year of the official geographic code (COG) that names them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a commune code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTerritory {
    /// Four digits: the usual damage of a spreadsheet that dropped the leading zero.
    #[error("commune code {0:?} has four digits: a leading zero was lost, write 0{0}")]
    LostZero(String),
    /// Anything else.
    #[error("commune code {0:?} must be five characters such as 93066 or 2A004")]
    Malformed(String),
}

/// An INSEE commune code: five characters, `2A`/`2B` for Corsica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommuneCode([u8; 5]);

impl CommuneCode {
    /// Five bytes that the caller wrote down and that are a code.
    pub(crate) const fn known(text: [u8; 5]) -> Self {
        Self(text)
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII digits, 'A' and 'B' pass construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for CommuneCode {
    type Err = InvalidTerritory;
    fn from_str(text: &str) -> Result<Self, InvalidTerritory> {
        let bytes = text.as_bytes();
        if bytes.len() == 4 && bytes.iter().all(u8::is_ascii_digit) {
            return Err(InvalidTerritory::LostZero(text.to_owned()));
        }
        let code: [u8; 5] = bytes.try_into().map_err(|_| InvalidTerritory::Malformed(text.to_owned()))?;
        let corsica = code[0] == b'2' && matches!(code[1], b'A' | b'B');
        let digits = |range: &[u8]| range.iter().all(u8::is_ascii_digit);
        if digits(&code[2..]) && (corsica || digits(&code[..2])) {
            Ok(Self(code))
        } else {
            Err(InvalidTerritory::Malformed(text.to_owned()))
        }
    }
}

impl TryFrom<String> for CommuneCode {
    type Error = InvalidTerritory;
    fn try_from(text: String) -> Result<Self, InvalidTerritory> {
        text.parse()
    }
}

impl From<CommuneCode> for String {
    fn from(code: CommuneCode) -> String {
        code.as_str().to_owned()
    }
}

impl fmt::Display for CommuneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The vintage of the official geographic code: the communes as they stood on 1 January of that year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CogYear(pub u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_zero_is_named_and_never_repaired_silently() {
        assert_eq!("1004".parse::<CommuneCode>(), Err(InvalidTerritory::LostZero("1004".into())));
        assert_eq!("01004".parse::<CommuneCode>().map(|c| c.to_string()), Ok("01004".into()));
        assert!("2A004".parse::<CommuneCode>().is_ok());
        for bad in ["2C004", "9306", "930666", "A3066", "93 66"] {
            assert!(bad.parse::<CommuneCode>().is_err(), "{bad}");
        }
    }
}
