//! Bytes that only one reader can open: one-shot HPKE (RFC 9180, base mode) with X25519 and `ChaCha20Poly1305`.

use std::convert::Infallible;
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use model::{Entropy, Hash};
use ring::hmac;

use crate::signature::InvalidKey;
use crate::{SigningKey, Zeroizing, sha256};

/// What the encapsulated key adds in front of a ciphertext, in bytes.
pub const ENCAPSULATED: usize = 32;

const DERIVATION: &[u8] = b"maillage sealing key v1";

/// The bytes were sealed to another key, or were changed: which of the two cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open with this key")]
pub struct NotOpened;

/// The half to which others seal (X25519).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

/// The half that opens. Not kept anywhere: it follows from a signing key, so that whoever saves or copies that one has
/// this one too, and two replicas of a hub open the same envelopes.
pub struct OpeningKey(<X25519HkdfSha256 as Kem>::PrivateKey);

impl OpeningKey {
    /// The one opening key of the holder of `signing`. A key that signs never decrypts itself: the seed goes through
    /// HMAC under a label of its own, then through the derivation of RFC 9180, section 7.1.3.
    pub fn of(signing: &SigningKey) -> Self {
        let label = hmac::Key::new(hmac::HMAC_SHA256, DERIVATION);
        let material = hmac::sign(&label, &signing.seed()[..]);
        Self(X25519HkdfSha256::derive_keypair(material.as_ref()).0)
    }

    /// The half to hand out.
    pub fn sealing_key(&self) -> SealingKey {
        let mut bytes = [0; 32];
        X25519HkdfSha256::sk_to_pk(&self.0).write_exact(&mut bytes);
        SealingKey(bytes)
    }

    /// Opens what [`SealingKey::seal`] made with the same `info` and `aad`.
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (key, ciphertext) = sealed.split_at_checked(ENCAPSULATED).ok_or(NotOpened)?;
        let key = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).map_err(|_| NotOpened)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &key,
            info,
            ciphertext,
            aad,
        )
        .map(Zeroizing::new)
        .map_err(|_| NotOpened)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningKey({})", self.sealing_key().id())
    }
}

impl SealingKey {
    /// From the bytes themselves.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidKey::PublicLength)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the key.
    pub fn id(&self) -> Hash {
        sha256(&self.0)
    }

    /// Seals `plaintext`, so that only the opening half reads it: [`ENCAPSULATED`] bytes of key, then the ciphertext.
    /// `info` says what for; `aad` travels in the clear beside it and cannot be changed either.
    ///
    /// # Errors
    /// A key that is no point worth agreeing with (all zeros, say).
    pub fn seal(
        &self,
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, InvalidKey> {
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0).map_err(|_| InvalidKey::PublicLength)?;
        let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &key, info, plaintext, aad, &mut Drawn(entropy))
        .map_err(|_| InvalidKey::PublicLength)?;
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend(ciphertext);
        Ok(sealed)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id())
    }
}

/// The house's randomness, as the library asks for it.
struct Drawn<'a>(&'a dyn Entropy);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn only_the_addressee_opens_and_only_what_was_sealed() {
        let (reader, other) = (OpeningKey::of(&SigningKey::generate()), OpeningKey::of(&SigningKey::generate()));
        let sealed = reader.sealing_key().seal(b"for", b"head", b"figures", &SystemEntropy::new()).expect("seals");
        assert_eq!(reader.open(b"for", b"head", &sealed).expect("opens").as_slice(), b"figures");
        assert_eq!(other.open(b"for", b"head", &sealed), Err(NotOpened));
        assert_eq!(reader.open(b"For", b"head", &sealed), Err(NotOpened));
        assert_eq!(reader.open(b"for", b"Head", &sealed), Err(NotOpened));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(reader.open(b"for", b"head", &changed), Err(NotOpened), "byte {index}");
            assert_eq!(reader.open(b"for", b"head", &sealed[..index]), Err(NotOpened), "cut at {index}");
        }
        assert!(!sealed.windows(7).any(|window| window == b"figures"));
    }

    #[test]
    fn the_opening_key_follows_from_the_signing_key() {
        let signing = SigningKey::generate();
        let again = SigningKey::from_pkcs8(&signing.to_pkcs8()).expect("a written key reads back");
        assert_eq!(OpeningKey::of(&signing).sealing_key(), OpeningKey::of(&again).sealing_key());
        // Envelopes sealed by an older version must open for ever: the derivation is part of the format.
        let fixed = SigningKey::from_pkcs8(&pkcs8([7; 32])).expect("a key");
        assert_eq!(
            data_encoding::HEXLOWER.encode(OpeningKey::of(&fixed).sealing_key().as_bytes()),
            "1a839993107c44fa2332b83e08e0266c8b3f4322409f2faf79a24434f4339772"
        );
    }

    /// RFC 8410: a private Ed25519 key with its public half.
    fn pkcs8(seed: [u8; 32]) -> Vec<u8> {
        use ring::signature::KeyPair;
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
        let head = data_encoding::HEXLOWER.decode(b"3053020101300506032b657004220420").expect("hexadecimal");
        let middle = data_encoding::HEXLOWER.decode(b"a123032100").expect("hexadecimal");
        [head, seed.to_vec(), middle, pair.public_key().as_ref().to_vec()].concat()
    }

    #[test]
    fn a_key_that_agrees_with_everybody_is_refused() {
        let zero = SealingKey::from_slice(&[0; 32]).expect("32 bytes");
        assert!(zero.seal(b"", b"", b"figures", &SystemEntropy::new()).is_err());
        assert!(SealingKey::from_slice(&[1; 31]).is_err());
    }

    static_assertions::assert_not_impl_any!(OpeningKey: Clone, fmt::Display, PartialEq, AsRef<[u8]>);
}
