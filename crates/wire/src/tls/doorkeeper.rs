//! Says in the hub's log why a client certificate was refused: the client only gets an alert of one byte.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::identity::{Certificate, issuer};

/// Decides nothing: webpki does.
#[derive(Debug)]
pub(super) struct Doorkeeper(pub(super) Arc<dyn ClientCertVerifier>);

impl Doorkeeper {
    fn tell(error: &Error, der: &CertificateDer<'_>) {
        let reason = reason(error);
        let issuer = issuer(der).unwrap_or_else(|| "unreadable".to_owned());
        // A foreign certificate may name any commune: the name is a hint of where to look, nothing more.
        if let Ok(certificate) = Certificate::read(der) {
            tracing::warn!(
                reason,
                named = %certificate.subject.urn(),
                not_before = %certificate.not_before,
                not_after = %certificate.not_after,
                %issuer,
                "client certificate refused"
            );
        } else {
            tracing::warn!(reason, %issuer, "client certificate refused");
        }
    }
}

/// Stable; the same words as the node's doctor uses.
fn reason(error: &Error) -> &'static str {
    use CertificateError as Bad;
    match error {
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "CERTIFICATE_EXPIRED",
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => "CERTIFICATE_NOT_YET_VALID",
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => "CERTIFICATE_FOREIGN",
        Error::InvalidCertificate(Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. }) => "CERTIFICATE_PURPOSE",
        // A foreign enum that grows.
        _ => "CERTIFICATE_MALFORMED",
    }
}

impl ClientCertVerifier for Doorkeeper {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now).inspect_err(|error| Self::tell(error, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
