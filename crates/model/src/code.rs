//! Codes: short, stable, lowercase-or-digit names that travel on the wire and in SQL.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Why a text is not a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} must be 1 to {max} characters among letters without accent, digits, '_', '-', '.' and '+'")]
pub struct InvalidCode {
    what: &'static str,
    text: String,
    max: usize,
}

const MAX: usize = 64;

fn valid(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'+'))
}

// A table has thousands of keys: codes of up to 24 bytes stand in the key itself, without an allocation each.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(CompactString);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidCode;
            fn try_from(text: String) -> Result<Self, InvalidCode> {
                text.parse()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidCode;
            fn from_str(text: &str) -> Result<Self, InvalidCode> {
                if valid(text) {
                    Ok(Self(CompactString::new(text)))
                } else {
                    Err(InvalidCode { what: $what, text: text.to_owned(), max: MAX })
                }
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0.into_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

code!(
    /// Names a pack, for example `ccas-activite`.
    PackCode, "pack code"
);
code!(
    /// Names a table of a pack, for example `domiciliation`.
    TableCode, "table code"
);
code!(
    /// Names an indicator of a pack, for example `dom_personnes`.
    IndicatorCode, "indicator code"
);
code!(
    /// Names an axis of a breakdown, for example `sexe` (SDMX dimension; in French, *critère*).
    DimensionCode, "dimension code"
);
code!(
    /// One value on an axis, for example `75-84` (in French, *modalité*).
    Code, "code"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_short_ascii_and_without_blanks() {
        assert!("75-84".parse::<Code>().is_ok());
        assert!("85+".parse::<Code>().is_ok());
        for bad in ["", "a b", "é", "a;b", "a=b", &"x".repeat(65)] {
            assert!(bad.parse::<Code>().is_err(), "{bad:?}");
        }
    }
}
