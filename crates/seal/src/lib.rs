//! Identities of bytes, signatures over them, and envelopes that one reader opens.
//!
//! Signing keys are not TLS keys: certificates live for weeks, while a receipt of 2027 must verify in 2033 against
//! the public key that the hub or the commune handed over at enrolment. Everything here is pure but
//! [`SystemEntropy`] and [`SigningKey::generate`], which ask the operating system for randomness.

mod entropy;
mod hash;
mod sealing;
mod signature;

pub use entropy::SystemEntropy;
pub use hash::sha256;
pub use sealing::{ENCAPSULATED, NotOpened, OpeningKey, SealingKey};
pub use signature::{InvalidKey, InvalidSignature, PublicKey, Signature, SigningKey};
pub use zeroize::Zeroizing;
