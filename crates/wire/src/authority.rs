//! The hub's own certificate authority.

use std::net::IpAddr;
use std::time::Duration;

use model::{Code, CommuneCode, Entropy, Hash, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SubjectPublicKeyInfo,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use seal::{Zeroizing, sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::identity::{Certificate, IdentityError, KeyFingerprint, Serial, Subject, TlsKey, pem};

/// How long a node's certificate lives, unless the hub says otherwise.
pub const NODE_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long the hub's own TLS certificate lives, unless the hub says otherwise.
pub const SERVER_LIFETIME: Duration = Duration::from_hours(90 * 24);

const AUTHORITY_LIFETIME: Duration = Duration::from_hours(20 * 365 * 24);
/// Clocks of communes run late; a certificate must be valid on them at once.
const BACKDATED_MICROS: i64 = 5 * 60 * 1_000_000;
const MAX_REQUEST: usize = 8 << 10;

/// Why the authority did not sign, or could not be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Not a certification request.
    #[error("certification request is damaged")]
    Request,
    /// Whoever sent it does not hold the key.
    #[error("certification request is not signed by its own key")]
    Proof,
    /// Only ECDSA P-256.
    #[error("certification request has a key of another kind than ECDSA P-256")]
    KeyKind,
    /// The stored authority cannot be read.
    #[error("certificate authority cannot be read, or its certificate is of another key")]
    Stored,
    /// Neither a DNS name nor an IP address.
    #[error("server name is neither a DNS name nor an IP address")]
    ServerName,
    /// The date is out of the calendar, or the name cannot be written.
    #[error("certificate cannot be written")]
    Unwritable,
    /// The hub's own certificate cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// When a certificate is to be valid: from five minutes before `now`.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// The hub's clock.
    pub now: Timestamp,
    /// From now.
    pub lifetime: Duration,
}

/// A fresh certificate.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Leaf first, then the authority; DER.
    pub chain: Vec<Vec<u8>>,
    /// What the leaf says.
    pub certificate: Certificate,
}

/// The hub's TLS certificate with its key.
#[derive(Debug)]
pub struct ServerCertificate {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: TlsKey,
}

impl ServerCertificate {
    /// Reads what [`ServerCertificate::key_pem`] and [`ServerCertificate::chain_pem`] wrote.
    pub fn from_pem(key: &str, chain: &str) -> Result<Self, IdentityError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| IdentityError::Certificate)?;
        Ok(Self { chain, key: TlsKey::from_pem(key)? })
    }

    /// The key, PKCS#8 PEM; this copy is wiped when dropped.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.to_pem()
    }

    /// The chain, leaf first and authority last, PEM.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// When the leaf ends.
    pub fn not_after(&self) -> Result<Timestamp, IdentityError> {
        use x509_parser::prelude::X509Certificate;
        let leaf = self.chain.first().ok_or(IdentityError::Mismatch)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| IdentityError::Certificate)?;
        Ok(Timestamp::from_micros(leaf.validity().not_after.timestamp() * 1_000_000))
    }
}

/// Signs the certificates of the mesh.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// A new authority with a key of its own; `name` is what certificate viewers show.
    pub fn create(name: &str, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, AuthorityError> {
        let mut params = parameters(name, Validity { now, lifetime: AUTHORITY_LIFETIME }, Serial::draw(entropy))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = false;
        let key = TlsKey::generate().into_pair();
        let certificate = params.self_signed(&key).map_err(|_| AuthorityError::Unwritable)?;
        Ok(Self { certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Reads what [`Authority::key_pem`] and [`Authority::certificate_pem`] wrote.
    pub fn from_pem(key: &str, certificate: &str) -> Result<Self, AuthorityError> {
        let key = TlsKey::from_pem(key)?;
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| AuthorityError::Stored)?;
        if authority_key(&certificate)? != key.fingerprint() {
            return Err(AuthorityError::Stored);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key.into_pair()).map_err(|_| AuthorityError::Stored)?;
        Ok(Self { issuer, certificate })
    }

    /// The private key, PKCS#8 PEM; this copy is wiped when dropped.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// The certificate, PEM.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// SHA-256 of the certificate's DER: what an invitation carries.
    pub fn fingerprint(&self) -> Hash {
        sha256(&self.certificate)
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs the key of `request` (PKCS#10, DER) as the node of `commune`.
    ///
    /// Nothing of the request but its public key is even read: subject, names, usages and dates are ours.
    pub fn sign_node(
        &self,
        request: &[u8],
        commune: CommuneCode,
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        self.sign_client(request, &Subject::Node(commune), validity, entropy)
    }

    /// Signs the key of `request` (PKCS#10, DER) as the coordinator of this account name.
    pub fn sign_coordinator(
        &self,
        request: &[u8],
        name: &Code,
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        self.sign_client(request, &Subject::Coordinator(name.clone()), validity, entropy)
    }

    /// Signs the key of `request` (PKCS#10, DER) as the partner of this account name.
    pub fn sign_partner(
        &self,
        request: &[u8],
        name: &Code,
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        self.sign_client(request, &Subject::Partner(name.clone()), validity, entropy)
    }

    /// Makes a key and a certificate with which the hub serves under `names` (DNS names and IP addresses).
    pub fn sign_server(
        &self,
        names: &[&str],
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<ServerCertificate, AuthorityError> {
        let first = names.first().ok_or(AuthorityError::ServerName)?;
        let mut params = parameters(first, validity, Serial::draw(entropy))?;
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().map_err(|_| AuthorityError::ServerName)?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = TlsKey::generate();
        let leaf = params.signed_by(key.pair(), &self.issuer).map_err(|_| AuthorityError::Unwritable)?;
        Ok(ServerCertificate { chain: vec![leaf.der().clone(), self.certificate.clone()], key })
    }

    fn sign_client(
        &self,
        request: &[u8],
        subject: &Subject,
        validity: Validity,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        let key = requested_key(request)?;
        let urn = subject.urn();
        let mut params = parameters(&urn, validity, Serial::draw(entropy))?;
        params.subject_alt_names = vec![SanType::URI(urn.as_str().try_into().map_err(|_| AuthorityError::Unwritable)?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key, &self.issuer).map_err(|_| AuthorityError::Unwritable)?;
        let chain = vec![leaf.der().to_vec(), self.certificate.to_vec()];
        Ok(Issued { certificate: Certificate::read(&chain[0])?, chain })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

/// The fingerprint of the key that a certification request (PKCS#10, DER) is about, if that key signed it: the
/// proof of possession with which an expired node renews.
pub fn proven_key(request: &[u8]) -> Result<KeyFingerprint, AuthorityError> {
    let key = requested_key(request)?;
    Ok(KeyFingerprint::of_spki(&rcgen::PublicKeyData::subject_public_key_info(&key)))
}

fn requested_key(request: &[u8]) -> Result<SubjectPublicKeyInfo, AuthorityError> {
    if request.len() > MAX_REQUEST {
        return Err(AuthorityError::Request);
    }
    let (rest, request) = X509CertificationRequest::from_der(request).map_err(|_| AuthorityError::Request)?;
    if !rest.is_empty() {
        return Err(AuthorityError::Request);
    }
    let key = SubjectPublicKeyInfo::from_der(request.certification_request_info.subject_pki.raw)
        .map_err(|_| AuthorityError::KeyKind)?;
    if rcgen::PublicKeyData::algorithm(&key) != &rcgen::PKCS_ECDSA_P256_SHA256 {
        return Err(AuthorityError::KeyKind);
    }
    request.verify_signature().map_err(|_| AuthorityError::Proof)?;
    Ok(key)
}

fn authority_key(certificate: &CertificateDer<'_>) -> Result<KeyFingerprint, AuthorityError> {
    use x509_parser::prelude::X509Certificate;
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| AuthorityError::Stored)?;
    Ok(KeyFingerprint::of_spki(certificate.public_key().raw))
}

fn parameters(name: &str, validity: Validity, serial: Serial) -> Result<CertificateParams, AuthorityError> {
    let date = |instant: Timestamp| {
        OffsetDateTime::from_unix_timestamp(instant.as_seconds()).map_err(|_| AuthorityError::Unwritable)
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial.as_bytes().to_vec().into());
    params.not_before = date(Timestamp::from_micros(validity.now.as_micros().saturating_sub(BACKDATED_MICROS)))?;
    params.not_after = date(validity.now.plus(validity.lifetime))?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

#[cfg(test)]
mod tests;
