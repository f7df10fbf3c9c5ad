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
    /// What two indicators have in common cannot be told, and nobody declared it.
    Undecided,
    /// The definition contradicts itself (aggregation, ratio terms, rule).
    Inconsistent,
}

/// A place in a text; both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// Of a byte of `text`; its end if there is no such byte.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let last = before.rsplit('\n').next().unwrap_or(before);
        Self { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 }
    }
}

/// One refusal: which file, where in it, why, and a French sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}: {cause:?}")]
pub struct PackError {
    /// Path inside the pack.
    pub file: String,
    /// Line, key or indicator inside the file.
    pub place: String,
    /// Where that is, as far as it is known.
    pub position: Option<Position>,
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
        Self { file: file.into(), place: place.into(), position: None, cause, message: message.into() }
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Looks in the file for what `place` names (« x », or its last word), written between quotes.
    pub(crate) fn found_in(self, text: &str) -> Self {
        if self.position.is_some() {
            return self;
        }
        let quoted = self.place.rsplit_once("« ").and_then(|(_, rest)| rest.split_once(" »")).map(|(name, _)| name);
        let name = quoted.or_else(|| self.place.rsplit([' ', '.']).next()).unwrap_or_default();
        let offset = text.find(&format!("\"{name}\"")).or_else(|| {
            let key = |line: &str| {
                line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
            };
            let mut from = 0;
            text.split_inclusive('\n').find_map(|line| {
                let start = from;
                from += line.len();
                key(line).then_some(start)
            })
        });
        match offset {
            Some(offset) if !name.is_empty() => self.at(Position::of(text, offset)),
            _ => self,
        }
    }
}
