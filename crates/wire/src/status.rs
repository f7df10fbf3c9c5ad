//! Refusals on the wire: `Failure` ↔ `google.rpc.Status`.
//!
//! The server side is total over [`FailureKind`]. The client side reads the stable reason, the French sentence,
//! the delay before a repetition and the list of conflicts back; a status that did not come from a hub of ours
//! (a proxy, a size limit of the transport) still becomes a refusal with a French sentence.

use std::collections::HashMap;
use std::time::Duration;

use model::{Failure, FailureKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt};

const DOMAIN: &str = "maillage";
const LOCALE: &str = "fr-FR";
/// The status travels in HTTP headers, of which peers take 16 KiB; base64 and the protobuf frame take their share.
const CONFLICTS_BUDGET: usize = 5 << 10;
const MESSAGE_BUDGET: usize = 1536;
const DETAIL_BUDGET: usize = 512;
const CONFLICTS_TOTAL: &str = "conflicts_total";

/// One thing to change before the same content can be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Stable, `SCREAMING_SNAKE_CASE`.
    pub code: String,
    /// Which row: slice, indicator and key, never a value.
    pub row: String,
    /// Why, in French.
    pub cause: String,
    /// Who can fix it and how, in French.
    pub cure: String,
}

/// A failure about to leave the hub, with what only some failures have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What went wrong.
    pub failure: Failure,
    /// What to change; as many as fit travel.
    pub conflicts: Vec<Conflict>,
    /// When a repetition makes sense; only for transient kinds, five seconds if not said.
    pub retry_after: Option<Duration>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, conflicts: Vec::new(), retry_after: None }
    }
}

impl Refusal {
    /// This refusal with these conflicts.
    #[must_use]
    pub fn with_conflicts(mut self, conflicts: Vec<Conflict>) -> Self {
        self.conflicts = conflicts;
        self
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        to_status(&refusal)
    }
}

/// A refusal as the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refused {
    /// What kind of no.
    pub kind: FailureKind,
    /// Stable, machine-readable.
    pub reason: String,
    /// For operators and logs, in English.
    pub detail: String,
    /// For the person who asked, in French.
    pub message: String,
    /// What to change.
    pub conflicts: Vec<Conflict>,
    /// How many there are, of which `conflicts` may hold the first only.
    pub conflicts_total: usize,
    /// When a repetition makes sense.
    pub retry_after: Option<Duration>,
}

/// The gRPC code of each kind.
pub fn code(kind: FailureKind) -> Code {
    match kind {
        FailureKind::Invalid => Code::InvalidArgument,
        FailureKind::Unauthenticated => Code::Unauthenticated,
        FailureKind::Denied => Code::PermissionDenied,
        FailureKind::NotFound => Code::NotFound,
        FailureKind::Conflict => Code::Aborted,
        FailureKind::Precondition => Code::FailedPrecondition,
        FailureKind::Exhausted => Code::ResourceExhausted,
        FailureKind::Unavailable => Code::Unavailable,
        FailureKind::Internal => Code::Internal,
    }
}

/// The kind of each gRPC code, also of those that only transports and other servers give.
pub fn kind(code: Code) -> FailureKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => FailureKind::Invalid,
        Code::Unauthenticated => FailureKind::Unauthenticated,
        Code::PermissionDenied => FailureKind::Denied,
        Code::NotFound => FailureKind::NotFound,
        Code::Aborted | Code::AlreadyExists => FailureKind::Conflict,
        Code::FailedPrecondition | Code::Unimplemented => FailureKind::Precondition,
        Code::ResourceExhausted => FailureKind::Exhausted,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => FailureKind::Unavailable,
        Code::Internal | Code::Unknown | Code::DataLoss | Code::Ok => FailureKind::Internal,
    }
}

/// The status that carries `refusal`.
///
/// Of an internal failure only the reason and the French sentence travel: its detail stays in the hub's log.
pub fn to_status(refusal: &Refusal) -> Status {
    let failure = &refusal.failure;
    let mut metadata = HashMap::new();
    if !refusal.conflicts.is_empty() {
        metadata.insert(CONFLICTS_TOTAL.to_owned(), refusal.conflicts.len().to_string());
    }
    let mut details = ErrorDetails::with_error_info(failure.reason.clone(), DOMAIN, metadata);
    details.set_localized_message(LOCALE, cut(&failure.message, MESSAGE_BUDGET));
    let violations = fitting(&refusal.conflicts);
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    if failure.kind.is_transient() {
        details.set_retry_info(Some(refusal.retry_after.unwrap_or(Duration::from_secs(5))));
    }
    let text = match failure.kind {
        FailureKind::Internal => "internal failure; the incident is in the hub's log",
        FailureKind::Invalid
        | FailureKind::Unauthenticated
        | FailureKind::Denied
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::Precondition
        | FailureKind::Exhausted
        | FailureKind::Unavailable => &failure.detail,
    };
    Status::with_error_details(code(failure.kind), cut(text, DETAIL_BUDGET), details)
}

fn fitting(conflicts: &[Conflict]) -> Vec<FieldViolation> {
    let mut left = CONFLICTS_BUDGET;
    let mut violations = Vec::new();
    for conflict in conflicts {
        let size = conflict.code.len() + conflict.row.len() + conflict.cause.len() + conflict.cure.len() + 32;
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        violations.push(FieldViolation {
            field: conflict.row.clone(),
            description: conflict.cause.clone(),
            reason: conflict.code.clone(),
            localized_message: Some(LocalizedMessage::new(LOCALE, conflict.cure.clone())),
        });
    }
    violations
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// What `status` says.
pub fn from_status(status: &Status) -> Refused {
    let details = status.get_error_details();
    let kind = kind(status.code());
    let info = details.error_info().filter(|info| info.domain == DOMAIN);
    let conflicts: Vec<Conflict> = details
        .bad_request()
        .map(|request| {
            let read = |violation: &FieldViolation| Conflict {
                code: violation.reason.clone(),
                row: violation.field.clone(),
                cause: violation.description.clone(),
                cure: violation.localized_message.as_ref().map(|m| m.message.clone()).unwrap_or_default(),
            };
            request.field_violations.iter().map(read).collect()
        })
        .unwrap_or_default();
    Refused {
        kind,
        reason: info.map_or_else(|| transport_reason(status.code()).to_owned(), |info| info.reason.clone()),
        detail: cut(status.message(), DETAIL_BUDGET).to_owned(),
        message: details
            .localized_message()
            .map_or_else(|| transport_message(kind).to_owned(), |localized| localized.message.clone()),
        conflicts_total: info
            .and_then(|info| info.metadata.get(CONFLICTS_TOTAL)?.parse().ok())
            .unwrap_or(conflicts.len()),
        conflicts,
        retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
    }
}

fn transport_reason(code: Code) -> &'static str {
    match code {
        Code::OutOfRange => "MESSAGE_TOO_LARGE",
        Code::ResourceExhausted => "EXHAUSTED",
        Code::Unimplemented => "METHOD_UNKNOWN",
        Code::DeadlineExceeded => "DEADLINE",
        Code::Unavailable | Code::Cancelled => "UNAVAILABLE",
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => "TRANSPORT",
    }
}

fn transport_message(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Invalid => "Le centre a refusé le message : il est trop volumineux ou mal formé.",
        FailureKind::Exhausted => "Le centre est très sollicité : l’envoi sera retenté.",
        FailureKind::Unauthenticated | FailureKind::Denied => "Le centre n’a pas reconnu ce poste.",
        FailureKind::Unavailable => "Le centre n’est pas joignable pour l’instant : l’envoi sera retenté.",
        FailureKind::Precondition => {
            "Le centre ne connaît pas cette demande : les deux logiciels n’ont sans doute pas la même version."
        }
        FailureKind::NotFound | FailureKind::Conflict | FailureKind::Internal => {
            "Le centre a rencontré un problème : signalez-le à son administrateur."
        }
    }
}

#[cfg(test)]
mod tests;
