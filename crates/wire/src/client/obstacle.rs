//! What a network puts between a node and its hub, in words that can be handed to whoever runs that network.

use std::fmt;

use model::FailureKind;

use super::route::{InvalidProxy, SaidBy};

/// What stands in the way, and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    kind: ObstacleKind,
    message: String,
}

/// What stands in the way. Addresses and the names of certificates; never a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObstacleKind {
    /// The name has no address here.
    NameUnknown {
        /// Which.
        host: String,
    },
    /// What was given is not the address of an HTTP proxy.
    ProxyInvalid {
        /// Where it was given.
        said_by: SaidBy,
    },
    /// Nobody answers at the proxy's address.
    ProxyUnreachable {
        /// `host:port`.
        proxy: String,
    },
    /// 407: the proxy wants to know who asks.
    ProxyPassword {
        /// `host:port`.
        proxy: String,
        /// Whether a password was shown.
        shown: bool,
        /// Whether the proxy takes a password at all, and not only the session of a Windows domain.
        basic: bool,
    },
    /// 403: the proxy does not let anybody through to there.
    ProxyForbids {
        /// `host:port`.
        proxy: String,
        /// The hub's `host:port`.
        target: String,
    },
    /// The proxy cannot reach the hub, or answered something else.
    ProxyAnswered {
        /// `host:port`.
        proxy: String,
        /// The hub's `host:port`.
        target: String,
        /// HTTP status; `None` if it was not even HTTP.
        status: Option<u16>,
    },
    /// The certificate is of an authority that is not a hub's: a device opens encrypted connections.
    Intercepted {
        /// Who signed it, as it says itself.
        issuer: String,
    },
}

impl Obstacle {
    /// What stands in the way.
    pub fn kind(&self) -> &ObstacleKind {
        &self.kind
    }

    /// French: cause and cure.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Stable.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            ObstacleKind::NameUnknown { .. } => "HUB_NAME_UNKNOWN",
            ObstacleKind::ProxyInvalid { .. } => "PROXY_INVALID",
            ObstacleKind::ProxyUnreachable { .. } => "PROXY_UNREACHABLE",
            ObstacleKind::ProxyPassword { .. } => "PROXY_PASSWORD",
            ObstacleKind::ProxyForbids { .. } => "PROXY_FORBIDS",
            ObstacleKind::ProxyAnswered { .. } => "PROXY_ANSWER",
            ObstacleKind::Intercepted { .. } => "TLS_INTERCEPTED",
        }
    }

    /// Whether it may go away by itself.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ObstacleKind::NameUnknown { .. } | ObstacleKind::ProxyUnreachable { .. } => true,
            ObstacleKind::ProxyAnswered { status, .. } => status.is_some_and(|status| status >= 500),
            ObstacleKind::ProxyInvalid { .. }
            | ObstacleKind::ProxyPassword { .. }
            | ObstacleKind::ProxyForbids { .. }
            | ObstacleKind::Intercepted { .. } => false,
        }
    }

    pub(super) fn failure_kind(&self) -> FailureKind {
        if self.is_transient() { FailureKind::Unavailable } else { FailureKind::Precondition }
    }
}

impl From<ObstacleKind> for Obstacle {
    fn from(kind: ObstacleKind) -> Self {
        let message = french(&kind);
        Self { kind, message }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ObstacleKind::NameUnknown { host } => write!(f, "no address for {host}"),
            ObstacleKind::ProxyInvalid { said_by } => write!(f, "{InvalidProxy} ({said_by:?})"),
            ObstacleKind::ProxyUnreachable { proxy } => write!(f, "proxy {proxy} cannot be reached"),
            ObstacleKind::ProxyPassword { proxy, shown, .. } => {
                write!(
                    f,
                    "proxy {proxy} asks for a password ({})",
                    if *shown { "another one" } else { "none was shown" }
                )
            }
            ObstacleKind::ProxyForbids { proxy, target } => write!(f, "proxy {proxy} forbids {target}"),
            ObstacleKind::ProxyAnswered { proxy, target, status: Some(status) } => {
                write!(f, "proxy {proxy} answered {status} for {target}")
            }
            ObstacleKind::ProxyAnswered { proxy, status: None, .. } => write!(f, "{proxy} does not answer as a proxy"),
            ObstacleKind::Intercepted { issuer } => write!(f, "the certificate shown was signed by {issuer:?}"),
        }
    }
}

impl std::error::Error for Obstacle {}

fn french(kind: &ObstacleKind) -> String {
    match kind {
        ObstacleKind::NameUnknown { host } => format!(
            "Le nom « {host} » n’est pas connu de ce réseau (DNS). Vérifiez son écriture et la connexion ; si la mairie impose un mandataire (proxy), indiquez-le dans node.toml, réglage [network] proxy."
        ),
        ObstacleKind::ProxyInvalid { said_by: SaidBy::Settings } => {
            "L’adresse du mandataire (proxy) de node.toml ne convient pas : [network] proxy s’écrit \"http://NOM:MOTDEPASSE@machine:port\" ou \"http://machine:port\" ; proxy_password_file demande un NOM dans l’adresse. Les mandataires SOCKS et HTTPS ne sont pas pris en charge.".to_owned()
        }
        ObstacleKind::ProxyInvalid { said_by: SaidBy::Environment } => {
            "La variable HTTPS_PROXY (ou ALL_PROXY) de ce poste ne convient pas : elle s’écrit http://machine:port. Les mandataires SOCKS et HTTPS ne sont pas pris en charge. Pour ne pas en tenir compte : node.toml, [network] proxy = \"direct\".".to_owned()
        }
        ObstacleKind::ProxyUnreachable { proxy } => format!(
            "Le mandataire (proxy) {proxy} ne répond pas. Vérifiez son adresse dans node.toml, réglage [network] proxy, auprès de votre service informatique. Un envoi approuvé repartira de lui-même."
        ),
        ObstacleKind::ProxyPassword { proxy, basic: false, .. } => format!(
            "Le mandataire (proxy) {proxy} n’accepte que la session Windows de l’agent (NTLM ou Kerberos), que ce logiciel ne présente pas. Demandez à votre service informatique une exception sans authentification pour l’adresse du centre, ou un compte avec mot de passe."
        ),
        ObstacleKind::ProxyPassword { proxy, shown: true, .. } => format!(
            "Le mandataire (proxy) {proxy} refuse le nom ou le mot de passe donné. Corrigez-les dans node.toml, réglages [network] proxy et proxy_password_file."
        ),
        ObstacleKind::ProxyPassword { proxy, shown: false, .. } => format!(
            "Le mandataire (proxy) {proxy} demande un nom et un mot de passe. Demandez-les à votre service informatique, puis node.toml : [network] proxy = \"http://NOM@{proxy}\" et proxy_password_file."
        ),
        ObstacleKind::ProxyForbids { proxy, target } => format!(
            "Le mandataire (proxy) {proxy} interdit l’accès à {target}. Demandez à votre service informatique d’autoriser CONNECT vers {target}, sans inspection du contenu : la connexion est déjà chiffrée de bout en bout."
        ),
        ObstacleKind::ProxyAnswered { proxy, target, status: Some(status) } if *status >= 500 => format!(
            "Le mandataire (proxy) {proxy} fonctionne, mais n’arrive pas à joindre le centre {target} (réponse {status}). Vérifiez l’adresse du centre ; s’il est arrêté, l’envoi repartira de lui-même."
        ),
        ObstacleKind::ProxyAnswered { proxy, target, status: Some(status) } => format!(
            "Le mandataire (proxy) {proxy} a répondu {status} à la demande de connexion vers {target}. Montrez ce message à votre service informatique : il faut autoriser CONNECT vers {target}."
        ),
        ObstacleKind::ProxyAnswered { proxy, status: None, .. } => format!(
            "L’adresse {proxy} ne répond pas comme un mandataire (proxy) HTTP. Vérifiez-la dans node.toml, réglage [network] proxy."
        ),
        ObstacleKind::Intercepted { issuer } => format!(
            "Un équipement intercepte la connexion (certificat de « {issuer} ») : rien n’a été envoyé. Demandez à votre service informatique d’exclure l’adresse du centre de l’inspection TLS (déchiffrement) ; le logiciel n’accepte que le certificat du centre de l’invitation."
        ),
    }
}
