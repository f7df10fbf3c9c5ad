//! Ed25519 (RFC 8032) signatures.

use std::fmt;

use model::Hash;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::sha256;

/// Why some bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not PKCS#8, not Ed25519, or the public half does not belong to the private one.
    #[error("signing key is not an Ed25519 key in PKCS#8 form")]
    Private,
    /// Not 32 bytes.
    #[error("public key must be 32 bytes")]
    PublicLength,
    /// Not 64 bytes.
    #[error("signature must be 64 bytes")]
    SignatureLength,
}

/// The signature was not made over these bytes by this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not fit the document and the key")]
pub struct InvalidSignature;

/// Where the seed stands in RFC 8410's form of a private key.
const SEED: std::ops::Range<usize> = 16..48;

/// 64 bytes that prove who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// From the bytes themselves.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidKey::SignatureLength)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// A private Ed25519 key. `Debug` shows whose it is, never the key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl SigningKey {
    /// Draws a key from the operating system's generator.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    pub fn generate() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .expect("the operating system always gives random bytes once it has started");
        Self::from_pkcs8(document.as_ref()).expect("ring reads the keys that it writes")
    }

    /// Reads a PKCS#8 v2 document (RFC 5958) as [`SigningKey::to_pkcs8`] writes it.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| InvalidKey::Private)?;
        Ok(Self { pair, pkcs8: Zeroizing::new(bytes.to_vec()) })
    }

    /// The key for a file that only its owner may read; the copy in memory is wiped when dropped.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// What everything of this key follows from.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        let seed = self.pkcs8.get(SEED).and_then(|seed| seed.try_into().ok());
        Zeroizing::new(seed.expect("ring reads one form of PKCS#8 only, where the seed stands at this place"))
    }

    /// The half that others may hold.
    pub fn public(&self) -> PublicKey {
        let mut key = [0_u8; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs `message`; Ed25519 is deterministic, so the same message gets the same signature.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut signature = [0_u8; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        Signature(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// A public Ed25519 key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// From the bytes themselves. Whether they are a point of the curve shows when a signature is verified.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidKey::PublicLength)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the key: its name in receipts.
    pub fn id(&self) -> Hash {
        sha256(&self.0)
    }

    /// Whether `signature` was made over `message` by the private half.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, &signature.0).map_err(|_| InvalidSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_its_key_only() {
        let key = SigningKey::generate();
        let signature = key.sign(b"document");
        assert_eq!(key.public().verify(b"document", &signature), Ok(()));
        assert_eq!(key.public().verify(b"documenT", &signature), Err(InvalidSignature));
        assert_eq!(SigningKey::generate().public().verify(b"document", &signature), Err(InvalidSignature));
        for index in 0..64 {
            let mut forged = *signature.as_bytes();
            forged[index] ^= 1;
            let forged = Signature::from_slice(&forged).expect("64 bytes");
            assert!(key.public().verify(b"document", &forged).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_key_reads_back_as_written() {
        let key = SigningKey::generate();
        let again = SigningKey::from_pkcs8(&key.to_pkcs8()).expect("a written key reads back");
        assert_eq!(again.public(), key.public());
        assert_eq!(again.sign(b"x"), key.sign(b"x"));
        assert_eq!(SigningKey::from_pkcs8(b"not a key").err(), Some(InvalidKey::Private));
    }

    #[test]
    fn the_published_vector_holds() {
        // RFC 8032, section 7.1, TEST 3.
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
        let public = PublicKey::from_slice(&hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"))
            .expect("32");
        let signature = Signature::from_slice(&hex(concat!(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        )))
        .expect("64");
        assert_eq!(public.verify(&hex("af82"), &signature), Ok(()));
    }

    // Nobody prints, copies or compares a private key by accident.
    static_assertions::assert_not_impl_any!(SigningKey: Clone, fmt::Display, PartialEq, AsRef<[u8]>);

    #[test]
    fn neither_key_nor_secret_shows_in_debug() {
        let key = SigningKey::generate();
        let shown = format!("{key:?}");
        // The private seed sits at bytes 16..48 of the PKCS#8 document.
        assert_eq!(shown, format!("SigningKey({})", key.public().id()));
        assert!(!shown.contains(&data_encoding::HEXLOWER.encode(&key.to_pkcs8()[16..48])));
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        assert_eq!(PublicKey::from_slice(&[0; 31]).err(), Some(InvalidKey::PublicLength));
        assert_eq!(Signature::from_slice(&[0; 65]).err(), Some(InvalidKey::SignatureLength));
    }
}
