//! The TLS settings of both ends: TLS 1.3 only, the ring provider named explicitly, the house's clock.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use model::{Clock, Hash};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, ServerConfig,
    SignatureScheme, version,
};
use seal::sha256;

use crate::authority::{Authority, ServerCertificate};
use crate::identity::{Identity, IdentityError, issuer};

mod doorkeeper;

use doorkeeper::Doorkeeper;

/// Only gRPC speaks here.
pub(crate) const ALPN: &[u8] = b"h2";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Certificates are judged by the house's clock, so that a test can let them expire.
pub(crate) struct HouseClock(pub(crate) Arc<dyn Clock>);

impl fmt::Debug for HouseClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HouseClock")
    }
}

impl TimeProvider for HouseClock {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().as_seconds()).ok().map(|s| UnixTime::since_unix_epoch(Duration::from_secs(s)))
    }
}

/// The hub's end.
///
/// A client certificate is optional, because a node without one must be able to enrol on the same port; one that is
/// shown must be of this authority, in date, and for clients. Sessions are never resumed: a resumed session would
/// bring back a certificate without looking at its dates again.
#[derive(Clone, Debug)]
pub struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) clock: Arc<HouseClock>,
    current: Arc<CurrentCertificate>,
}

impl ServerTls {
    /// Serves with `certificate`, and takes the clients of `authority`.
    ///
    /// # Panics
    /// Never: the provider named here speaks TLS 1.3.
    pub fn new(
        authority: &Authority,
        certificate: &ServerCertificate,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, IdentityError> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().clone()).map_err(|_| IdentityError::Certificate)?;
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .allow_unauthenticated()
            .build()
            .map_err(|_| IdentityError::Certificate)?;
        let clients = Arc::new(Doorkeeper(clients));
        let current = Arc::new(CurrentCertificate(RwLock::new(certified(certificate)?)));
        let clock = Arc::new(HouseClock(clock));
        let mut config = ServerConfig::builder_with_details(provider(), Arc::clone(&clock) as Arc<dyn TimeProvider>)
            .with_protocol_versions(&[&version::TLS13])
            .expect("ring speaks TLS 1.3")
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { config: Arc::new(config), clock, current })
    }

    /// Serves new connections with another certificate; connections that exist stay.
    pub fn replace(&self, certificate: &ServerCertificate) -> Result<(), IdentityError> {
        let certified = certified(certificate)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }
}

fn certified(certificate: &ServerCertificate) -> Result<Arc<CertifiedKey>, IdentityError> {
    CertifiedKey::from_der(certificate.chain.clone(), certificate.key.to_der(), &provider())
        .map(Arc::new)
        .map_err(|_| IdentityError::Mismatch)
}

#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The node's end: whom it trusts, and who it is.
#[derive(Clone)]
pub struct ClientTls {
    pub(crate) config: Arc<ClientConfig>,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

impl ClientTls {
    /// Trusts servers of the authority whose certificate (DER) has this SHA-256, under the name that was asked for;
    /// shows `identity`, if there is one.
    ///
    /// # Errors
    /// The identity's chain is not of its key.
    ///
    /// # Panics
    /// Never: the provider named here speaks TLS 1.3.
    pub fn new(authority: Hash, identity: Option<&Identity>, clock: Arc<dyn Clock>) -> Result<Self, IdentityError> {
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(HouseClock(clock)))
            .with_protocol_versions(&[&version::TLS13])
            .expect("ring speaks TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinnedAuthority { authority, provider: provider() }));
        let mut config = match identity {
            Some(identity) => builder
                .with_client_auth_cert(identity.chain().to_vec(), identity.key().to_der())
                .map_err(|_| IdentityError::Mismatch)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config: Arc::new(config) })
    }
}

/// The server's certificate was signed by somebody who is no hub of this product: whoever runs the network can tell who.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate signed by {issuer:?}")]
pub(crate) struct ForeignAuthority {
    /// As it names itself.
    pub(crate) issuer: String,
}

/// Another hub is a wrong address; anybody else opens connections that are not theirs. The name proves nothing and
/// decides nothing: it chooses the sentence.
fn foreign(certificate: &CertificateDer<'_>) -> Error {
    Error::InvalidCertificate(match issuer(certificate) {
        Some(issuer) if !issuer.starts_with("Maillage") => {
            CertificateError::Other(OtherError(Arc::new(ForeignAuthority { issuer })))
        }
        _ => CertificateError::UnknownIssuer,
    })
}

/// Trusts one authority, known by the SHA-256 of its certificate.
///
/// It only finds that certificate in the chain that the server sent; everything else (signatures, dates, names,
/// usages) is left to webpki with that certificate as the only root.
#[derive(Debug)]
struct PinnedAuthority {
    authority: Hash,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let root = intermediates.iter().find(|der| sha256(der) == self.authority).ok_or_else(|| foreign(end_entity))?;
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|_| Error::InvalidCertificate(CertificateError::UnknownIssuer))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
