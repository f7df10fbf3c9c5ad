//! How a use-case says no.

use std::borrow::Cow;

/// What kind of no: closed, so that each face maps it totally (gRPC code, HTTP status, exit code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// What was sent is wrong and will stay wrong.
    Invalid,
    /// Nobody known is speaking.
    Unauthenticated,
    /// Somebody known is speaking, who may not do this.
    Denied,
    /// No such thing, for somebody who may ask.
    NotFound,
    /// The thing changed meanwhile, or exists with another content.
    Conflict,
    /// Something else must happen first.
    Precondition,
    /// Too much, or too often.
    Exhausted,
    /// Try again: nothing was written.
    Unavailable,
    /// Our fault; details stay in our log under an incident id.
    Internal,
}

impl FailureKind {
    /// The exit code of a command that fails this way (after BSD `sysexits.h`).
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid => 65,
            Self::NotFound => 66,
            Self::Internal => 70,
            Self::Conflict => 73,
            Self::Precondition | Self::Exhausted | Self::Unavailable => 75,
            Self::Unauthenticated | Self::Denied => 77,
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unavailable | Self::Exhausted => true,
            Self::Invalid
            | Self::Unauthenticated
            | Self::Denied
            | Self::NotFound
            | Self::Conflict
            | Self::Precondition
            | Self::Internal => false,
        }
    }
}

/// A refusal at the boundary of a use-case.
///
/// `detail` is a lowercase fragment for operators, `message` a French sentence for the person at the keyboard.
/// Neither ever holds a cell value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Failure {
    /// What kind of no.
    pub kind: FailureKind,
    /// Stable, machine-readable: `SCREAMING_SNAKE_CASE`.
    pub reason: Cow<'static, str>,
    /// For operators and logs, in English.
    pub detail: String,
    /// For the person who asked, in French, with the cure.
    pub message: String,
}

impl Failure {
    /// A refusal of this kind.
    pub fn new(
        kind: FailureKind,
        reason: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, reason: reason.into(), detail: detail.into(), message: message.into() }
    }
}
