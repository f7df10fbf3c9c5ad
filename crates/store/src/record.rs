//! Records that both logical schemas hold.

use std::fmt;
use std::str::FromStr;

use model::Hash;

/// What a signed document asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// Replace slices.
    Submission,
    /// Say what would happen; the figures are disclosed all the same.
    Check,
    /// Take slices back.
    Withdrawal,
    /// Bytes of an earlier document were destroyed.
    Purge,
    /// Say who may be shown slices.
    Sharing,
}

impl DocumentKind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Check => "check",
            Self::Withdrawal => "withdrawal",
            Self::Purge => "purge",
            Self::Sharing => "sharing",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DocumentKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Submission, Self::Check, Self::Withdrawal, Self::Purge, Self::Sharing]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// A receipt as the hub signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedReceipt {
    /// A canonical receipt document.
    pub document: Vec<u8>,
    /// Ed25519, 64 bytes.
    pub signature: Vec<u8>,
    /// SHA-256 of the hub's public key.
    pub key: Hash,
}
