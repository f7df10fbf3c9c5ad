//! Why files are not a pack.

/// What is wrong, closed so that tests and pages can tell causes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PackCause {
    /// A file that must be there is not, or one that must not be is.
    File,
    /// A file is not readable as TOML, JSON or UTF-8, or has an unknown or missing key.
    Syntax,
    /// A code, a version or a number is not written as it must be.
    Malformed,
    /// The same code twice.
    Duplicate,
    /// A column, dimension, code, rule or indicator that does not exist.
    Unknown,
    /// A value or comparison of the wrong type.
    Type,
    /// A filter uses something outside the small language.
    Filter,
    /// A distinct count over a dimension on which one unit may have several values.
    MultiValued,
    /// More than two dimensions crossed.
    TooManyDimensions,
    /// A topic that may not be collected.
    Forbidden,
    /// The methodological sheet is missing or empty.
    Sheet,
    /// No golden case checks the indicator.
    Golden,
    /// The definition contradicts itself (aggregation, ratio terms, rule).
    Inconsistent,
}

/// One refusal: which file, where in it, why, and a French sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}: {cause:?}")]
pub struct PackError {
    /// Path inside the pack.
    pub file: String,
    /// Line, key or indicator inside the file.
    pub place: String,
    /// What is wrong.
    pub cause: PackCause,
    /// For the author of the pack, in French: cause and cure.
    pub message: String,
}

impl PackError {
    pub(crate) fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        cause: PackCause,
        message: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), place: place.into(), cause, message: message.into() }
    }
}
