//! The offline route: documents and their answers as files that somebody carries.
//!
//! An envelope is sealed to one reader and signed by its writer, and the signature covers whom it is sealed to. Opening
//! one proves who wrote it ([`Sender`]); what that writer may do is asked of the hub, as for a
//! [`Peer`](crate::identity::Peer).

mod answer;
mod envelope;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::{CommuneCode, Entropy, Failure, FailureKind, Hash, Timestamp};
use prost::Message;
use seal::{InvalidKey, OpeningKey, PublicKey, SealingKey, Signature, SigningKey};

use crate::document::{DocumentError, FORMAT, MAX_DOCUMENT, read_up_to, shape};
use crate::pb::bundle::v1 as pb;

pub use answer::{Answer, AnsweredItem, ItemVerdict};
use envelope::{Opened, open};

/// Largest envelope, in bytes. A larger file is refused before it is read.
pub const MAX_BUNDLE: usize = 64 << 20;

/// What documents of one bundle may weigh together: the rest of [`MAX_BUNDLE`] is for signatures and the frame.
pub const MAX_CONTENT: usize = MAX_BUNDLE - (1 << 20);

/// Why bytes are not an envelope for this reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Something else entirely.
    #[error("not an envelope of this product")]
    NotABundle,
    /// Written by a later version.
    #[error("envelope has format {0}, and only format {FORMAT} is known here")]
    UnknownFormat(u32),
    /// Over [`MAX_BUNDLE`].
    #[error("envelope is larger than {MAX_BUNDLE} bytes")]
    TooLarge,
    /// An answer where a bundle was expected, or the other way round.
    #[error("envelope is for the other direction")]
    WrongDirection,
    /// Of another mesh.
    #[error("envelope belongs to another hub")]
    OtherHub,
    /// Sealed to a key that is not ours: another commune's answer, or an older key.
    #[error("envelope is sealed to another key")]
    NotForUs,
    /// Cut off or changed on its way.
    #[error("envelope is damaged or cut off")]
    Damaged,
    /// The writer's signature does not hold, or the writer is not who it must be.
    #[error("envelope's signature does not hold")]
    Signature,
    /// What is inside does not read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The reader's public key cannot be sealed to.
    #[error("envelope cannot be sealed: {0}")]
    Key(#[from] InvalidKey),
}

impl From<&BundleError> for Failure {
    fn from(error: &BundleError) -> Self {
        let (reason, message) = match error {
            BundleError::NotABundle => (
                "BUNDLE_MALFORMED",
                "Ce fichier n’est pas une enveloppe Maillage. Vérifiez que c’est bien celui que l’autre partie a remis.",
            ),
            BundleError::UnknownFormat(_) => (
                "BUNDLE_FORMAT_UNKNOWN",
                "Cette enveloppe a été écrite par une version plus récente du logiciel : mettez celui-ci à jour.",
            ),
            BundleError::TooLarge => (
                "BUNDLE_TOO_LARGE",
                "Ce fichier est trop gros pour être une enveloppe (au plus 64 Mio) : il n’a pas été lu.",
            ),
            BundleError::WrongDirection => (
                "BUNDLE_WRONG_DIRECTION",
                "Cette enveloppe va dans l’autre sens : le centre lit les enveloppes (maillage hub accept-bundle), la commune lit les réponses (maillage node accept-answer).",
            ),
            BundleError::OtherHub => (
                "BUNDLE_OTHER_HUB",
                "Cette enveloppe est destinée à un autre centre, ou vient d’un autre centre. Elle n’a pas été ouverte.",
            ),
            BundleError::NotForUs => (
                "BUNDLE_NOT_FOR_US",
                "Cette enveloppe est fermée pour une autre clé : la réponse d’une autre commune, ou une enveloppe faite avec une clé ancienne. Demandez qu’elle soit refaite.",
            ),
            BundleError::Damaged => (
                "BUNDLE_DAMAGED",
                "L’enveloppe est abîmée ou incomplète : recopiez le fichier, ou refaites-le. Rien n’a été enregistré.",
            ),
            BundleError::Signature => (
                "BUNDLE_SIGNATURE_INVALID",
                "La signature de l’enveloppe ne tient pas : elle n’est pas de qui elle dit être. Rien n’a été enregistré ; prévenez l’union départementale.",
            ),
            BundleError::Document(error) => return Self::from(error),
            BundleError::Key(_) => (
                "BUNDLE_KEY_INVALID",
                "La clé du destinataire ne peut pas servir : connectez une fois ce poste au centre, ou demandez une nouvelle invitation.",
            ),
        };
        Self::new(FailureKind::Invalid, reason, error.to_string(), message)
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        Self::from(&error)
    }
}

/// 16 random bytes that name a bundle, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BundleId([u8; 16]);

impl BundleId {
    /// Draws one.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for BundleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// What is asked with one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// Replace its slices.
    Submit,
    /// Say what would happen.
    Check,
    /// Take its slices back.
    Withdraw,
    /// Say who may be shown its slices.
    Share,
}

/// One document with its own signature, as it would have been pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is asked.
    pub kind: ItemKind,
    /// Its bytes.
    pub document: Vec<u8>,
    /// The node's signature of these bytes.
    pub signature: Signature,
}

/// What waits in a node's outbox, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its name.
    pub id: BundleId,
    /// The commune that the node speaks for.
    pub provider: CommuneCode,
    /// The node's clock.
    pub written_at: Timestamp,
    /// To whom the answer is sealed.
    pub reply_key: SealingKey,
    /// The heads of the ledgers that the documents touch, as the node knew them.
    pub positions: BTreeMap<CommuneCode, u64>,
    /// Oldest first; at least one.
    pub items: Vec<Item>,
}

/// Who wrote an envelope: the holder of this key says to be this commune. Made only by opening one, so that the key is
/// proven; whether it is the commune's is for the hub to say.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    commune: CommuneCode,
    key: PublicKey,
}

impl Sender {
    /// The commune that the writer says to be.
    pub fn commune(&self) -> CommuneCode {
        self.commune
    }

    /// The key that the writer holds.
    pub fn signing_key(&self) -> PublicKey {
        self.key
    }
}

impl Bundle {
    /// Signs and seals, for the hub of this authority.
    ///
    /// # Errors
    /// No item, or more than fits.
    pub fn seal(
        &self,
        signing: &SigningKey,
        hub: &SealingKey,
        authority: Hash,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, BundleError> {
        let document = pb::BundleDocument {
            format: FORMAT,
            bundle_id: self.id.0.to_vec(),
            provider: self.provider.to_string(),
            written_at_micros: self.written_at.as_micros(),
            reply_key: self.reply_key.as_bytes().to_vec(),
            positions: self
                .positions
                .iter()
                .map(|(territory, sequence)| pb::Position { territory: territory.to_string(), sequence: *sequence })
                .collect(),
            items: self.items.iter().map(Into::into).collect(),
        }
        .encode_to_vec();
        Self::decode(&document)?;
        envelope::seal(pb::Contents::Bundle, authority, hub, signing, &document, entropy)
    }

    /// Opens a bundle sealed to `opening`, the hub's of this authority. What the sender may do is not asked yet.
    pub fn open(bytes: &[u8], opening: &OpeningKey, authority: Hash) -> Result<(Sender, Self), BundleError> {
        let Opened { writer, document } = open(pb::Contents::Bundle, bytes, opening, authority)?;
        let bundle = Self::decode(&document)?;
        Ok((Sender { commune: bundle.provider, key: writer }, bundle))
    }

    fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let document: pb::BundleDocument = read_up_to(bytes, MAX_BUNDLE, &shape::BUNDLE)?;
        let items = document.items.into_iter().map(Item::try_from).collect::<Result<Vec<_>, _>>()?;
        if items.is_empty() {
            return Err(field("items", "must not be empty"));
        }
        let mut positions = BTreeMap::new();
        for position in document.positions {
            let territory: CommuneCode = word("positions.territory", &position.territory)?;
            if positions.last_key_value().is_some_and(|(last, _)| *last >= territory) {
                return Err(field("positions", "is out of order or a duplicate"));
            }
            positions.insert(territory, position.sequence);
        }
        Ok(Self {
            id: BundleId::from_slice(&document.bundle_id).ok_or_else(|| field("bundle_id", "has the wrong length"))?,
            provider: word("provider", &document.provider)?,
            written_at: Timestamp::from_micros(document.written_at_micros),
            reply_key: SealingKey::from_slice(&document.reply_key)
                .map_err(|_| field("reply_key", "has the wrong length"))?,
            positions,
            items,
        })
    }
}

impl From<&Item> for pb::BundleItem {
    fn from(item: &Item) -> Self {
        let kind = match item.kind {
            ItemKind::Submit => pb::ItemKind::Submit,
            ItemKind::Check => pb::ItemKind::Check,
            ItemKind::Withdraw => pb::ItemKind::Withdraw,
            ItemKind::Share => pb::ItemKind::Share,
        };
        Self { kind: i32::from(kind), document: item.document.clone(), signature: item.signature.as_bytes().to_vec() }
    }
}

impl TryFrom<pb::BundleItem> for Item {
    type Error = BundleError;
    fn try_from(item: pb::BundleItem) -> Result<Self, BundleError> {
        let kind = match pb::ItemKind::try_from(item.kind) {
            Ok(pb::ItemKind::Submit) => ItemKind::Submit,
            Ok(pb::ItemKind::Check) => ItemKind::Check,
            Ok(pb::ItemKind::Withdraw) => ItemKind::Withdraw,
            Ok(pb::ItemKind::Share) => ItemKind::Share,
            Ok(pb::ItemKind::Unspecified) | Err(_) => return Err(field("items.kind", "is absent or unknown")),
        };
        if item.document.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge.into());
        }
        let signature =
            Signature::from_slice(&item.signature).map_err(|_| field("items.signature", "has the wrong length"))?;
        Ok(Self { kind, document: item.document, signature })
    }
}

fn field(path: &str, problem: &'static str) -> BundleError {
    DocumentError::Field { path: path.to_owned(), problem }.into()
}

fn word<T: std::str::FromStr>(path: &str, text: &str) -> Result<T, BundleError> {
    text.parse().map_err(|_| field(path, "is not well-formed"))
}

const VOUCHED: &[u8] = b"maillage-sealing-key-v1\0";

/// The key to which envelopes for a hub are sealed, with the word of the hub's signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedSealingKey {
    key: SealingKey,
    signature: Signature,
    signer: Hash,
}

impl SignedSealingKey {
    /// The one of the hub that holds `signing`.
    pub fn of(signing: &SigningKey) -> Self {
        let key = OpeningKey::of(signing).sealing_key();
        let signature = signing.sign(&[VOUCHED, key.as_bytes()].concat());
        Self { key, signature, signer: signing.public().id() }
    }

    /// The key, if one of `keys`, the hub's present and former ones, vouches for it.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<SealingKey, DocumentError> {
        let signer = keys.iter().find(|key| key.id() == self.signer).ok_or(DocumentError::UnknownKey)?;
        signer
            .verify(&[VOUCHED, self.key.as_bytes()].concat(), &self.signature)
            .map_err(|_| DocumentError::Signature)?;
        Ok(self.key)
    }

    /// As the bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        pb::SealingKey::from(self).encode_to_vec()
    }

    /// Reads the bytes of such a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        pb::SealingKey::decode(bytes).map_err(|_| DocumentError::Malformed)?.try_into()
    }
}

impl From<&SignedSealingKey> for pb::SealingKey {
    fn from(signed: &SignedSealingKey) -> Self {
        Self {
            key: signed.key.as_bytes().to_vec(),
            signature: signed.signature.as_bytes().to_vec(),
            signer: signed.signer.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<pb::SealingKey> for SignedSealingKey {
    type Error = DocumentError;
    fn try_from(signed: pb::SealingKey) -> Result<Self, DocumentError> {
        let malformed = |_| DocumentError::Malformed;
        Ok(Self {
            key: SealingKey::from_slice(&signed.key).map_err(malformed)?,
            signature: Signature::from_slice(&signed.signature).map_err(malformed)?,
            signer: Hash::from_slice(&signed.signer).ok_or(DocumentError::Malformed)?,
        })
    }
}
