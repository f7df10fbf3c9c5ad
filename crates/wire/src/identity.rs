//! Who speaks: TLS keys, certificates, and the [`Peer`] that the port makes of them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use model::{Code, CommuneCode, Entropy, Hash, Timestamp};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use seal::{Zeroizing, sha256};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

const NODE_URN: &str = "urn:maillage:node:";
const COORDINATOR_URN: &str = "urn:maillage:coordinator:";
const PARTNER_URN: &str = "urn:maillage:partner:";

/// Why something is not an identity of this mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a private key in PKCS#8 PEM.
    #[error("TLS key is not an ECDSA P-256 key in PKCS#8 PEM")]
    Key,
    /// Not X.509 in DER or PEM.
    #[error("certificate is damaged")]
    Certificate,
    /// Not from an authority of this product.
    #[error("certificate names neither a node nor a coordinator")]
    Subject,
    /// The leaf is of another key, or there is no leaf.
    #[error("certificate chain does not belong to this key")]
    Mismatch,
}

/// SHA-256 of a public key (DER of its `SubjectPublicKeyInfo`): stays the same when a certificate is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(Hash);

impl KeyFingerprint {
    pub(crate) fn of_spki(der: &[u8]) -> Self {
        Self(sha256(der))
    }

    /// Back from where it was stored.
    pub fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// The hash.
    pub fn hash(self) -> Hash {
        self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a certificate: 16 bytes, random, positive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

impl Serial {
    pub(crate) fn draw(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        // DER integers are signed and without leading zeros: 01 in front keeps every serial at 16 bytes.
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

/// A private TLS key (ECDSA P-256), made where it stays. `Debug` shows the public half's fingerprint.
pub struct TlsKey(KeyPair);

impl TlsKey {
    /// Draws a key from the operating system's generator.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    pub fn generate() -> Self {
        Self(KeyPair::generate().expect("the operating system always gives random bytes once it has started"))
    }

    /// Reads PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        let key = KeyPair::from_pem(pem).map_err(|_| IdentityError::Key)?;
        if key.algorithm() != &rcgen::PKCS_ECDSA_P256_SHA256 {
            return Err(IdentityError::Key);
        }
        Ok(Self(key))
    }

    /// PKCS#8 PEM for a file that only its owner may read; this copy is wiped when dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// A certification request (PKCS#10, DER). It asks for nothing: only the key of it survives signing anyway.
    ///
    /// # Panics
    /// Never: a request without attributes can always be written.
    pub fn request(&self) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let request = params.serialize_request(&self.0).expect("a P-256 key in memory signs any request");
        request.der().to_vec()
    }

    /// The public half's fingerprint.
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of_spki(&self.0.subject_public_key_info())
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub(crate) fn into_pair(self) -> KeyPair {
        self.0
    }

    pub(crate) fn to_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.serialize_der()))
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsKey({})", self.fingerprint())
    }
}

/// Whom a certificate names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The node of a commune.
    Node(CommuneCode),
    /// A coordinator, by account name.
    Coordinator(Code),
    /// A partner, by account name.
    Partner(Code),
}

impl Subject {
    /// As the certificate bears it: `urn:maillage:node:93066`.
    pub fn urn(&self) -> String {
        match self {
            Self::Node(commune) => format!("{NODE_URN}{commune}"),
            Self::Coordinator(name) => format!("{COORDINATOR_URN}{name}"),
            Self::Partner(name) => format!("{PARTNER_URN}{name}"),
        }
    }

    fn from_urn(urn: &str) -> Option<Self> {
        if let Some(commune) = urn.strip_prefix(NODE_URN) {
            commune.parse().ok().map(Self::Node)
        } else if let Some(name) = urn.strip_prefix(COORDINATOR_URN) {
            name.parse().ok().map(Self::Coordinator)
        } else {
            urn.strip_prefix(PARTNER_URN)?.parse().ok().map(Self::Partner)
        }
    }
}

/// What a certificate of the mesh says. Whether the authority signed it was checked by who made this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it names.
    pub subject: Subject,
    /// The key it vouches for.
    pub key: KeyFingerprint,
    /// Its number.
    pub serial: Serial,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
    /// SHA-256 of its DER.
    pub fingerprint: Hash,
}

impl Certificate {
    /// Reads a leaf certificate (DER). Proves nothing about who signed it.
    pub fn read(der: &[u8]) -> Result<Self, IdentityError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| IdentityError::Certificate)?;
        if !rest.is_empty() {
            return Err(IdentityError::Certificate);
        }
        let mut names = certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
        // Exactly one name of exactly one kind: a certificate with two subjects names nobody.
        let (Some(names), None) = (names.next(), names.next()) else { return Err(IdentityError::Subject) };
        let [GeneralName::URI(urn)] = names.as_slice() else { return Err(IdentityError::Subject) };
        let instant = |time: x509_parser::time::ASN1Time| Timestamp::from_micros(time.timestamp() * 1_000_000);
        Ok(Self {
            subject: Subject::from_urn(urn).ok_or(IdentityError::Subject)?,
            key: KeyFingerprint::of_spki(certificate.public_key().raw),
            serial: Serial(certificate.raw_serial().try_into().map_err(|_| IdentityError::Subject)?),
            not_before: instant(certificate.validity().not_before),
            not_after: instant(certificate.validity().not_after),
            fingerprint: sha256(der),
        })
    }
}

/// Who signed a certificate, as it says itself: common name, else organisation. One line, not long: it is shown.
pub(crate) fn issuer(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let issuer = certificate.issuer();
    let name = issuer.iter_common_name().chain(issuer.iter_organization()).find_map(|name| name.as_str().ok())?;
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    Some(name.chars().map(plain).take(80).collect())
}

/// A key with the chain that the hub signed for it: what a client shows at the handshake.
#[derive(Clone, Debug)]
pub struct Identity {
    key: Arc<TlsKey>,
    chain: Vec<CertificateDer<'static>>,
    certificate: Certificate,
}

impl Identity {
    /// Joins a key to the chain (leaf first, DER) that was signed for it.
    pub fn new(key: Arc<TlsKey>, chain: &[Vec<u8>]) -> Result<Self, IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::Mismatch)?;
        let certificate = Certificate::read(leaf)?;
        if certificate.key != key.fingerprint() {
            return Err(IdentityError::Mismatch);
        }
        Ok(Self { key, chain: chain.iter().map(|der| CertificateDer::from(der.clone())).collect(), certificate })
    }

    /// Reads a chain in PEM, leaf first.
    pub fn from_pem(key: Arc<TlsKey>, chain: &str) -> Result<Self, IdentityError> {
        let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .map(|der| der.map(|der| der.to_vec()).map_err(|_| IdentityError::Certificate))
            .collect::<Result<_, _>>()?;
        Self::new(key, &chain)
    }

    /// The chain in PEM, leaf first.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// The leaf.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The key.
    pub fn key(&self) -> &Arc<TlsKey> {
        &self.key
    }

    /// SHA-256 of the authority's certificate, if the chain has it.
    pub fn authority(&self) -> Option<Hash> {
        self.chain.get(1).map(|der| sha256(der))
    }

    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }
}

/// RFC 7468.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for start in (0..base64.len()).step_by(64) {
        text.push_str(&base64[start..base64.len().min(start + 64)]);
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// Who is at the other end of a connection, as the handshake proved it.
///
/// Private fields and no public constructor: only the port of this crate makes one, so a `Peer` in a handler's hand
/// cannot have been invented by a header, a message or a test.
///
/// ```
/// let request = tonic::Request::new(());
/// assert!(wire::identity::Peer::of(&request).certificate().is_none());
/// ```
///
/// ```compile_fail,E0624
/// let invented = wire::identity::Peer::new(None, None);
/// ```
#[derive(Clone, Debug)]
pub struct Peer(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    address: Option<SocketAddr>,
    certificate: Option<Certificate>,
}

impl Peer {
    pub(crate) fn new(address: Option<SocketAddr>, certificate: Option<Certificate>) -> Self {
        Self(Arc::new(Connection { address, certificate }))
    }

    /// Who sent this request. Nobody, if it did not come through the port of this crate.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self::new(None, None))
    }

    /// The certificate that the authority signed and whose key the peer holds; none if it showed none.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.0.certificate.as_ref()
    }

    /// From where; for logs and for limits, never for rights.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }
}

#[cfg(test)]
mod tests;
