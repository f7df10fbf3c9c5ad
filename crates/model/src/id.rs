//! Identities: hashes of bytes, and ids drawn at random by who makes the thing.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is {expected} lowercase hexadecimal characters")]
pub struct InvalidId {
    expected: usize,
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).expect("four bits are one digit");
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidId> {
    let refuse = InvalidId { expected: N * 2 };
    if text.len() != N * 2 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(refuse);
    }
    let mut bytes = [0_u8; N];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| refuse.clone())?;
    }
    Ok(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $debug:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// From the bytes themselves.
            pub fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// `None` if the length is not right.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The bytes themselves.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                from_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&to_hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let show: fn(&Self) -> String = $debug;
                f.write_str(&show(self))
            }
        }
    };
}

id!(
    /// SHA-256 of some bytes; `seal` computes it.
    Hash, 32, |hash| to_hex(&hash.0)
);
id!(
    /// What an indicator means: same hash, same question.
    DefinitionHash, 32, |hash| to_hex(&hash.0)
);
id!(
    /// How an indicator is protected, apart from what it means: a commune may be stricter than its pack.
    RuleHash, 32, |hash| to_hex(&hash.0)
);
id!(
    /// Drawn at random by the node; the same id with the same content is the same submission.
    SubmissionId, 16, |id| to_hex(&id.0)
);
id!(
    /// The secret half of an invitation. Never printed by `Debug`: whoever reads it may join once.
    InvitationToken, 32, |_| "InvitationToken(…)".to_owned()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written_and_refuse_the_rest() {
        let id = SubmissionId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("AB".repeat(16).parse::<SubmissionId>().is_err());
        assert!("é".repeat(16).parse::<SubmissionId>().is_err());
    }

    #[test]
    fn a_token_is_not_readable_in_debug() {
        assert!(!format!("{:?}", InvitationToken::from_bytes([0xab; 32])).contains("ab"));
    }
}
