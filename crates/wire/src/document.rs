//! Documents: the bytes that a commune or the hub signs, and that are stored as they were signed.
//!
//! Bytes are accepted only in their one canonical form: decoding and encoding again must give the same bytes. As
//! prost drops unknown fields, this is what refuses them; a document of a later version is refused by its format
//! number, with that reason, before anything else is looked at. "Ascending" always means strictly, by the bytes of
//! the text, so duplicates are refused too.

mod field;
mod pack;
mod receipt;
pub(crate) mod shape;
mod sharing;
mod submission;
mod withdrawal;

use model::{Failure, FailureKind};
use prost::Message;

pub use pack::{PackFiles, SignedPack};
pub use receipt::{Link, Outcome, Receipt, ReceiptKind, SignedReceipt};
pub use sharing::Sharing;
pub use submission::{Header, Outgoing, ReceivedSlice, Submission, decode, encode};
pub use withdrawal::Withdrawal;

/// Largest document of any kind, in bytes.
pub const MAX_DOCUMENT: usize = 32 << 20;

/// The format number of every document of this version.
pub const FORMAT: u32 = 1;

/// Whether the slices are to be replaced, or only checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Replace the slices.
    Submit,
    /// Say what would happen. The figures are disclosed all the same.
    Check,
}

/// How the commune agreed that these figures leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approval {
    /// A named person read the preview; the name stays in the commune.
    Person,
    /// A rule that the commune set beforehand.
    Rule,
}

/// Why bytes are not a document. Holds places in the document, never what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Over [`MAX_DOCUMENT`] bytes, or so many parts that it would take too much memory.
    #[error("document is larger than {MAX_DOCUMENT} bytes, or has too many parts")]
    TooLarge,
    /// Not this protobuf message at all.
    #[error("document is damaged: its bytes are not the expected message")]
    Malformed,
    /// A format of another version.
    #[error("document has format {0}, and only format {FORMAT} is known here")]
    UnknownFormat(u32),
    /// Another encoding of the same content, or fields that would be dropped silently.
    #[error("document is not in canonical form, or has a field unknown here")]
    NotCanonical,
    /// A field that cannot be.
    #[error("document field {path}: {problem}")]
    Field {
        /// Where, for example `slices[0].series[2].cells[7].flags`.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The signature was not made over these bytes by a known key.
    #[error("document signature does not fit")]
    Signature,
    /// None of the keys at hand is the one that the signature names.
    #[error("document was signed by a key that is not known here")]
    UnknownKey,
}

impl From<&DocumentError> for Failure {
    fn from(error: &DocumentError) -> Self {
        let (kind, reason, message) = match error {
            // Not `Exhausted`: that kind invites to repeat, and these bytes will never fit.
            DocumentError::TooLarge => (
                FailureKind::Invalid,
                "DOCUMENT_TOO_LARGE",
                "Le document est trop volumineux (au plus 32 Mio) : envoyez les tableaux en plusieurs fois.",
            ),
            DocumentError::Malformed => (
                FailureKind::Invalid,
                "DOCUMENT_MALFORMED",
                "Le document est endommagé et n’a pas pu être lu : renvoyez-le.",
            ),
            DocumentError::UnknownFormat(_) => (
                FailureKind::Invalid,
                "DOCUMENT_FORMAT_UNKNOWN",
                "Le document est d’un format que cette version ne connaît pas : mettez à jour le logiciel le plus ancien des deux.",
            ),
            DocumentError::NotCanonical => (
                FailureKind::Invalid,
                "DOCUMENT_NOT_CANONICAL",
                "Le document contient un élément inconnu ou n’est pas écrit sous sa forme unique : mettez le logiciel à jour.",
            ),
            DocumentError::Field { .. } => (
                FailureKind::Invalid,
                "DOCUMENT_FIELD_INVALID",
                "Un élément du document n’est pas valable ; l’emplacement figure dans le détail. Signalez-le à votre administrateur.",
            ),
            DocumentError::Signature => (
                FailureKind::Invalid,
                "SIGNATURE_INVALID",
                "La signature ne correspond pas au document : il a été modifié, ou signé avec une autre clé.",
            ),
            DocumentError::UnknownKey => {
                (FailureKind::Invalid, "SIGNING_KEY_UNKNOWN", "Le document est signé avec une clé inconnue ici.")
            }
        };
        Self::new(kind, reason, error.to_string(), message)
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::from(&error)
    }
}

/// What every document begins with, whatever its version.
#[derive(Clone, PartialEq, Message)]
struct Opening {
    #[prost(uint32, tag = "1")]
    format: u32,
}

/// Reads one canonical message of [`FORMAT`].
fn read<M: Message + Default>(bytes: &[u8], shape: &shape::Shape) -> Result<M, DocumentError> {
    read_up_to(bytes, MAX_DOCUMENT, shape)
}

/// The same for messages that hold whole documents.
pub(crate) fn read_up_to<M: Message + Default>(
    bytes: &[u8],
    largest: usize,
    shape: &shape::Shape,
) -> Result<M, DocumentError> {
    if bytes.len() > largest {
        return Err(DocumentError::TooLarge);
    }
    let opening = Opening::decode(bytes).map_err(|_| DocumentError::Malformed)?;
    if opening.format != FORMAT {
        return Err(DocumentError::UnknownFormat(opening.format));
    }
    shape::affordable(bytes, shape)?;
    canonical(bytes)
}

/// Reads one message of which there is only one encoding.
fn canonical<M: Message + Default>(bytes: &[u8]) -> Result<M, DocumentError> {
    let message = M::decode(bytes).map_err(|_| DocumentError::Malformed)?;
    if message.encode_to_vec() != bytes {
        return Err(DocumentError::NotCanonical);
    }
    Ok(message)
}

#[cfg(test)]
pub(crate) mod tests;
