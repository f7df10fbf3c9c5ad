//! What can go wrong between a node and its hub, told apart by who can do something about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use model::{Failure, FailureKind};
use rustls::AlertDescription;
use tonic::{Code, Status};

use super::obstacle::{Obstacle, ObstacleKind};
use crate::status::{Refused, from_status};
use crate::tls::ForeignAuthority;

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// No connection: wrong address, firewall, hub stopped.
    #[error("hub cannot be reached: {0}")]
    Unreachable(String),
    /// The network of this place does not let us through.
    #[error("network in between: {0}")]
    Obstacle(Box<Obstacle>),
    /// The other end is not the hub of the invitation, or it refused our certificate.
    #[error("secure connection refused: {0}")]
    Tls(TlsProblem),
    /// No answer in time. Whether the hub acted is not known: repeat with the same document.
    #[error("hub did not answer in time")]
    Deadline,
    /// The hub said no.
    #[error("hub refused: {0}")]
    Refused(Box<Refused>),
    /// The answer cannot be read.
    #[error("hub's answer is malformed: {0}")]
    Protocol(String),
}

/// Why TLS did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// Not the authority of the invitation, or not a certificate for this name.
    #[error("the server is not the hub that was asked for")]
    WrongServer,
    /// The server's certificate is out of date, or the clock here is wrong.
    #[error("the server's certificate is not valid at this date")]
    ServerExpired,
    /// Ours is out of date.
    #[error("the server says that our certificate has expired")]
    OurCertificateExpired,
    /// Ours is of another authority, or damaged.
    #[error("the server does not accept our certificate")]
    OurCertificateRefused,
    /// Anything else: not TLS 1.3, not HTTP/2, a proxy in between.
    #[error("the handshake failed")]
    Handshake,
}

impl ClientError {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Deadline => true,
            Self::Refused(refused) => refused.kind.is_transient(),
            Self::Obstacle(obstacle) => obstacle.is_transient(),
            Self::Tls(_) | Self::Protocol(_) => false,
        }
    }

    /// How long the hub asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refused) => refused.retry_after,
            Self::Unreachable(_) | Self::Obstacle(_) | Self::Deadline | Self::Tls(_) | Self::Protocol(_) => None,
        }
    }

    /// The kind, for exit codes.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable(_) | Self::Deadline => FailureKind::Unavailable,
            Self::Tls(TlsProblem::OurCertificateExpired | TlsProblem::OurCertificateRefused) => {
                FailureKind::Unauthenticated
            }
            Self::Tls(TlsProblem::WrongServer | TlsProblem::ServerExpired | TlsProblem::Handshake) => {
                FailureKind::Precondition
            }
            Self::Refused(refused) => refused.kind,
            Self::Obstacle(obstacle) => obstacle.failure_kind(),
            Self::Protocol(_) => FailureKind::Internal,
        }
    }

    /// The reason, stable and machine-readable.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unreachable(_) => "HUB_UNREACHABLE",
            Self::Deadline => "DEADLINE",
            Self::Tls(TlsProblem::WrongServer) => "TLS_WRONG_SERVER",
            Self::Tls(TlsProblem::ServerExpired) => "TLS_SERVER_EXPIRED",
            Self::Tls(TlsProblem::OurCertificateExpired) => "CERTIFICATE_EXPIRED",
            Self::Tls(TlsProblem::OurCertificateRefused) => "CERTIFICATE_REFUSED",
            Self::Tls(TlsProblem::Handshake) => "TLS_HANDSHAKE",
            Self::Obstacle(obstacle) => obstacle.reason(),
            Self::Refused(refused) => &refused.reason,
            Self::Protocol(_) => "ANSWER_MALFORMED",
        }
    }

    /// For the person at the keyboard, in French: cause and cure.
    pub fn message(&self) -> &str {
        match self {
            Self::Unreachable(_) => {
                "Le centre n’est pas joignable : vérifiez la connexion et l’adresse, puis réessayez. Un envoi approuvé repartira de lui-même."
            }
            Self::Deadline => "Le centre n’a pas répondu à temps : l’envoi sera retenté, sans risque de doublon.",
            Self::Tls(TlsProblem::WrongServer) => {
                "Le serveur joint n’est pas le centre de l’invitation : rien n’a été envoyé. Vérifiez l’adresse, ou demandez une nouvelle invitation."
            }
            Self::Tls(TlsProblem::ServerExpired) => {
                "Le certificat du centre n’est pas valable à cette date : vérifiez l’horloge de ce poste, puis prévenez l’administrateur du centre."
            }
            Self::Tls(TlsProblem::OurCertificateExpired) => {
                "Le certificat de ce poste a expiré : il doit être renouvelé avant tout envoi."
            }
            Self::Tls(TlsProblem::OurCertificateRefused) => {
                "Le centre ne reconnaît pas le certificat de ce poste : demandez une nouvelle invitation."
            }
            Self::Tls(TlsProblem::Handshake) => {
                "La connexion sécurisée a échoué : un équipement du réseau l’intercepte peut-être. Prévenez votre service informatique."
            }
            Self::Obstacle(obstacle) => obstacle.message(),
            Self::Refused(refused) => &refused.message,
            Self::Protocol(_) => {
                "La réponse du centre n’a pas pu être lue : les deux logiciels n’ont sans doute pas la même version."
            }
        }
    }

    /// An answer that the other end should not have given.
    pub(super) fn from_failure(failure: Failure) -> Self {
        Self::Protocol(failure.detail)
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let typed = !status.details().is_empty();
        let broken = status.source().and_then(diagnose);
        match (typed, broken, status.code()) {
            (false, Some(error), _) => error,
            (false, None, Code::DeadlineExceeded | Code::Cancelled) => Self::Deadline,
            (_, _, _) => Self::Refused(Box::new(from_status(&status))),
        }
    }
}

impl From<tonic::transport::Error> for ClientError {
    fn from(error: tonic::transport::Error) -> Self {
        diagnose(&error).unwrap_or_else(|| Self::Unreachable(error.to_string()))
    }
}

/// Looks for the deepest cause that says something.
fn diagnose(error: &(dyn Error + 'static)) -> Option<ClientError> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(problem) = error.downcast_ref::<rustls::Error>() {
            return Some(match foreign(problem) {
                Some(kind) => ClientError::Obstacle(Box::new(kind.into())),
                None => ClientError::Tls(tls_problem(problem)),
            });
        }
        if let Some(obstacle) = error.downcast_ref::<Obstacle>() {
            return Some(ClientError::Obstacle(Box::new(obstacle.clone())));
        }
        if error.is::<tonic::TimeoutExpired>() {
            return Some(ClientError::Deadline);
        }
        if let Some(transport) = error.downcast_ref::<tonic::transport::Error>() {
            found = found.or_else(|| Some(ClientError::Unreachable(transport.to_string())));
        }
        next = error.source();
        if let Some(problem) = error.downcast_ref::<io::Error>() {
            found = Some(ClientError::Unreachable(problem.kind().to_string()));
            // `source` of an i/o error skips the very error that it wraps.
            next = problem.get_ref().map(|inner| inner as &(dyn Error + 'static));
        }
    }
    found
}

/// A certificate of an authority that no hub of this product has.
fn foreign(error: &rustls::Error) -> Option<ObstacleKind> {
    let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = error else { return None };
    let ForeignAuthority { issuer } = other.0.downcast_ref()?;
    Some(ObstacleKind::Intercepted { issuer: issuer.clone() })
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => TlsProblem::ServerExpired,
        rustls::Error::InvalidCertificate(_) => TlsProblem::WrongServer,
        rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => TlsProblem::OurCertificateExpired,
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => TlsProblem::OurCertificateRefused,
        // Foreign enums that grow: whatever else there is, the handshake did not come about.
        _ => TlsProblem::Handshake,
    }
}
