//! What the hub signs when it accepted something.

use std::collections::{BTreeMap, BTreeSet};

use model::{CommuneCode, Hash, Slice, SubmissionId, Timestamp};
use prost::Message;
use seal::{PublicKey, Signature, SigningKey, sha256};

use super::field::{ascending, id, instant, read_slice_names, refuse, slice_names, word};
use super::shape::RECEIPT;
use super::{DocumentError, FORMAT, MAX_DOCUMENT, canonical, read};
use crate::pb::submission::v1 as pb;

/// What a receipt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptKind {
    /// Slices were replaced.
    Submission,
    /// Slices were checked; nothing was replaced, but the figures were disclosed.
    Check,
    /// Slices were withdrawn.
    Withdrawal,
    /// Bytes were destroyed after a breach; this receipt keeps their hash.
    Purge,
    /// A commune said who may be shown its slices.
    Sharing,
}

/// The place of a receipt in one territory's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// 1, 2, 3, … without a gap.
    pub sequence: u64,
    /// SHA-256 of the receipt document before; none for the first only.
    pub previous: Option<Hash>,
}

/// Counts of cells against what the slices held before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Cells that did not exist.
    pub new: u32,
    /// Cells whose figure is another.
    pub changed: u32,
    /// Cells whose figure is the same.
    pub unchanged: u32,
    /// Cells that are no longer there.
    pub withdrawn: u32,
}

/// The hub accepted a document, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The id of what was accepted.
    pub submission: SubmissionId,
    /// SHA-256 of the signed document's bytes.
    pub document_hash: Hash,
    /// The commune that sent it.
    pub provider: CommuneCode,
    /// [`PublicKey::id`] of the key that signed the document.
    pub provider_key: Hash,
    /// What it is for.
    pub kind: ReceiptKind,
    /// The hub's clock.
    pub accepted_at: Timestamp,
    /// Unique and growing across all communes, from 1; a hub restored from a copy leaves a gap.
    pub number: u64,
    /// Its place in the ledger of each territory it touches; at least one.
    pub links: BTreeMap<CommuneCode, Link>,
    /// What happened to the cells.
    pub outcome: Outcome,
    /// For a purge: every slice that the destroyed document had moved, because its bytes can no longer say. Empty for
    /// anything else, and in purges of hubs that did not say it yet.
    pub destroyed: BTreeSet<Slice>,
}

impl Receipt {
    /// The one canonical document.
    ///
    /// # Errors
    /// No link, a number or a sequence of 0, a first link with a predecessor or a later one without, destroyed slices
    /// without a purge.
    pub fn encode(&self) -> Result<Vec<u8>, DocumentError> {
        let bytes = pb::ReceiptDocument {
            format: FORMAT,
            submission_id: self.submission.as_bytes().to_vec(),
            document_hash: self.document_hash.as_bytes().to_vec(),
            provider: self.provider.to_string(),
            provider_key: self.provider_key.as_bytes().to_vec(),
            kind: i32::from(match self.kind {
                ReceiptKind::Submission => pb::ReceiptKind::Submission,
                ReceiptKind::Check => pb::ReceiptKind::Check,
                ReceiptKind::Withdrawal => pb::ReceiptKind::Withdrawal,
                ReceiptKind::Purge => pb::ReceiptKind::Purge,
                ReceiptKind::Sharing => pb::ReceiptKind::Sharing,
            }),
            accepted_at_micros: self.accepted_at.as_micros(),
            number: self.number,
            links: self
                .links
                .iter()
                .map(|(territory, link)| pb::LedgerLink {
                    territory: territory.to_string(),
                    sequence: link.sequence,
                    previous_receipt: link.previous.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
                })
                .collect(),
            outcome: Some(pb::Outcome {
                new_cells: self.outcome.new,
                changed_cells: self.outcome.changed,
                unchanged_cells: self.outcome.unchanged,
                withdrawn_cells: self.outcome.withdrawn,
            }),
            destroyed: slice_names(&self.destroyed),
        }
        .encode_to_vec();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a document. Nobody vouches for it yet: see [`SignedReceipt::verify`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document: pb::ReceiptDocument = read(bytes, &RECEIPT)?;
        let outcome = document.outcome.ok_or_else(|| refuse("outcome", "is absent"))?;
        if document.number == 0 {
            return Err(refuse("number", "must be at least 1"));
        }
        let kind = match pb::ReceiptKind::try_from(document.kind) {
            Ok(pb::ReceiptKind::Submission) => ReceiptKind::Submission,
            Ok(pb::ReceiptKind::Check) => ReceiptKind::Check,
            Ok(pb::ReceiptKind::Withdrawal) => ReceiptKind::Withdrawal,
            Ok(pb::ReceiptKind::Purge) => ReceiptKind::Purge,
            Ok(pb::ReceiptKind::Sharing) => ReceiptKind::Sharing,
            Ok(pb::ReceiptKind::Unspecified) | Err(_) => return Err(refuse("kind", "is absent or unknown")),
        };
        if kind != ReceiptKind::Purge && !document.destroyed.is_empty() {
            return Err(refuse("destroyed", "belongs to purges alone"));
        }
        Ok(Self {
            submission: id("submission_id", &document.submission_id, SubmissionId::from_slice)?,
            document_hash: id("document_hash", &document.document_hash, Hash::from_slice)?,
            provider: word("provider", &document.provider)?,
            provider_key: id("provider_key", &document.provider_key, Hash::from_slice)?,
            kind,
            accepted_at: instant(document.accepted_at_micros),
            number: document.number,
            links: read_links(&document.links)?,
            outcome: Outcome {
                new: outcome.new_cells,
                changed: outcome.changed_cells,
                unchanged: outcome.unchanged_cells,
                withdrawn: outcome.withdrawn_cells,
            },
            destroyed: read_slice_names("destroyed", &document.destroyed)?,
        })
    }
}

fn read_links(links: &[pb::LedgerLink]) -> Result<BTreeMap<CommuneCode, Link>, DocumentError> {
    if links.is_empty() {
        return Err(refuse("links", "must not be empty"));
    }
    let mut read = BTreeMap::new();
    let mut last = None;
    for (index, link) in links.iter().enumerate() {
        let path = format!("links[{index}]");
        let territory: CommuneCode = word(format_args!("{path}.territory"), &link.territory)?;
        ascending(&path, &mut last, &link.territory)?;
        let previous = match link.previous_receipt.as_slice() {
            [] => None,
            bytes => Some(id(format_args!("{path}.previous_receipt"), bytes, Hash::from_slice)?),
        };
        // A chain with a beginning and no gap: only the first link has nothing before it.
        if link.sequence == 0 || (link.sequence == 1) != previous.is_none() {
            return Err(refuse(format_args!("{path}.sequence"), "does not fit the receipt before"));
        }
        read.insert(territory, Link { sequence: link.sequence, previous });
    }
    Ok(read)
}

/// A receipt with the hub's signature: verifiable offline, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// A [`Receipt`], canonical.
    pub document: Vec<u8>,
    /// The hub's signature of these bytes.
    pub signature: Signature,
    /// [`PublicKey::id`] of the key that made it.
    pub key: Hash,
}

impl SignedReceipt {
    /// Signs `receipt`.
    pub fn sign(receipt: &Receipt, key: &SigningKey) -> Result<Self, DocumentError> {
        let document = receipt.encode()?;
        let signature = key.sign(&document);
        Ok(Self { document, signature, key: key.public().id() })
    }

    /// Reads the receipt if one of `keys`, the hub's present and former ones, signed it.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Receipt, DocumentError> {
        let key = keys.iter().find(|key| key.id() == self.key).ok_or(DocumentError::UnknownKey)?;
        key.verify(&self.document, &self.signature).map_err(|_| DocumentError::Signature)?;
        Receipt::decode(&self.document)
    }

    /// SHA-256 of the receipt document: what the next link of the chain holds.
    pub fn hash(&self) -> Hash {
        sha256(&self.document)
    }

    /// The receipt as the bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        pb::SignedReceipt::from(self).encode_to_vec()
    }

    /// Reads the bytes of such a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        Self::try_from(canonical::<pb::SignedReceipt>(bytes)?)
    }
}

impl From<&SignedReceipt> for pb::SignedReceipt {
    fn from(receipt: &SignedReceipt) -> Self {
        Self {
            document: receipt.document.clone(),
            signature: receipt.signature.as_bytes().to_vec(),
            key: receipt.key.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<pb::SignedReceipt> for SignedReceipt {
    type Error = DocumentError;
    fn try_from(receipt: pb::SignedReceipt) -> Result<Self, DocumentError> {
        Ok(Self {
            signature: Signature::from_slice(&receipt.signature)
                .map_err(|_| refuse("signature", "has the wrong length"))?,
            key: id("key", &receipt.key, Hash::from_slice)?,
            document: receipt.document,
        })
    }
}
