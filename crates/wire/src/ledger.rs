//! What the hub gives back of a territory's past, and the proof that it is whole.

use futures::{Stream, stream};
use model::{CommuneCode, Hash, SubmissionId};
use seal::{PublicKey, Signature, sha256};
use tonic::Status;

use crate::document::{DocumentError, Receipt, SignedReceipt};
use crate::pb::submission::v1 as pb;
use crate::upload::CHUNK;

/// Why a ledger cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A receipt or document that does not hold.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The receipt is about other bytes, another key or another id.
    #[error("ledger entry {0}: receipt, document and key do not belong together")]
    Mismatch(SubmissionId),
    /// Something is missing, or was inserted.
    #[error("ledger of {territory}: the entry after {after} is not the next one")]
    Broken {
        /// Whose ledger.
        territory: CommuneCode,
        /// The last sequence number that holds.
        after: u64,
    },
    /// A field of the answer is malformed.
    #[error("ledger answer is malformed")]
    Malformed,
}

/// One accepted document, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The id.
    pub submission: SubmissionId,
    /// The hub's receipt.
    pub receipt: SignedReceipt,
    /// The provider's signature of the document.
    pub signature: Signature,
    /// The key that made it.
    pub signing_key: PublicKey,
    /// Length of the document in bytes; 0 once purged.
    pub length: u64,
}

impl LedgerEntry {
    /// The receipt, if the hub signed it and it speaks of this entry.
    pub fn receipt(&self, hub_keys: &[PublicKey]) -> Result<Receipt, LedgerError> {
        let receipt = self.receipt.verify(hub_keys)?;
        if receipt.submission != self.submission || receipt.provider_key != self.signing_key.id() {
            return Err(LedgerError::Mismatch(self.submission));
        }
        Ok(receipt)
    }

    /// The receipt, if `document` is what it speaks of and what the provider signed.
    pub fn prove(&self, document: &[u8], hub_keys: &[PublicKey]) -> Result<Receipt, LedgerError> {
        let receipt = self.receipt(hub_keys)?;
        if receipt.document_hash != sha256(document)
            || self.signing_key.verify(document, &self.signature).is_err()
            || self.length != document.len() as u64
        {
            return Err(LedgerError::Mismatch(self.submission));
        }
        Ok(receipt)
    }
}

/// A part of a territory's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPage {
    /// Oldest first.
    pub entries: Vec<LedgerEntry>,
    /// The last sequence number at the time of the answer; 0 if nothing was ever accepted.
    pub head_sequence: u64,
    /// SHA-256 of the receipt at the head.
    pub head_receipt: Option<Hash>,
}

/// Follows a territory's receipts one by one: nothing left out, nothing put in between.
#[derive(Clone, Debug)]
pub struct Chain {
    territory: CommuneCode,
    sequence: u64,
    last: Option<Hash>,
}

impl Chain {
    /// The beginning of a ledger.
    pub fn new(territory: CommuneCode) -> Self {
        Self { territory, sequence: 0, last: None }
    }

    /// From a link that was followed before.
    pub fn resume(territory: CommuneCode, sequence: u64, last: Hash) -> Self {
        Self { territory, sequence, last: Some(last) }
    }

    /// Takes the next entry, if it is the next one.
    pub fn follow(&mut self, entry: &LedgerEntry, hub_keys: &[PublicKey]) -> Result<Receipt, LedgerError> {
        let receipt = entry.receipt(hub_keys)?;
        let broken = LedgerError::Broken { territory: self.territory, after: self.sequence };
        let link = receipt.links.get(&self.territory).ok_or_else(|| broken.clone())?;
        if link.sequence != self.sequence + 1 || link.previous != self.last {
            return Err(broken);
        }
        self.sequence = link.sequence;
        self.last = Some(entry.receipt.hash());
        Ok(receipt)
    }

    /// The last sequence number that holds.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether this is where the hub said that the ledger ends.
    pub fn is_whole(&self, page: &LedgerPage) -> bool {
        self.sequence == page.head_sequence && self.last == page.head_receipt
    }
}

impl From<&LedgerEntry> for pb::LedgerEntry {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            submission_id: entry.submission.as_bytes().to_vec(),
            receipt: Some((&entry.receipt).into()),
            signature: entry.signature.as_bytes().to_vec(),
            signing_key: entry.signing_key.as_bytes().to_vec(),
            length: entry.length,
        }
    }
}

impl TryFrom<pb::LedgerEntry> for LedgerEntry {
    type Error = LedgerError;
    fn try_from(entry: pb::LedgerEntry) -> Result<Self, LedgerError> {
        Ok(Self {
            submission: SubmissionId::from_slice(&entry.submission_id).ok_or(LedgerError::Malformed)?,
            receipt: entry.receipt.ok_or(LedgerError::Malformed)?.try_into()?,
            signature: Signature::from_slice(&entry.signature).map_err(|_| LedgerError::Malformed)?,
            signing_key: PublicKey::from_slice(&entry.signing_key).map_err(|_| LedgerError::Malformed)?,
            length: entry.length,
        })
    }
}

impl From<&LedgerPage> for pb::ListResponse {
    fn from(page: &LedgerPage) -> Self {
        Self {
            entries: page.entries.iter().map(Into::into).collect(),
            head_sequence: page.head_sequence,
            head_receipt: page.head_receipt.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::ListResponse> for LedgerPage {
    type Error = LedgerError;
    fn try_from(page: pb::ListResponse) -> Result<Self, LedgerError> {
        let head_receipt = match page.head_receipt.as_slice() {
            [] => None,
            bytes => Some(Hash::from_slice(bytes).ok_or(LedgerError::Malformed)?),
        };
        if head_receipt.is_none() != (page.head_sequence == 0) {
            return Err(LedgerError::Malformed);
        }
        let entries = page.entries.into_iter().map(LedgerEntry::try_from).collect::<Result<_, _>>()?;
        Ok(Self { entries, head_sequence: page.head_sequence, head_receipt })
    }
}

/// For the hub: a document given back in parts. Purged documents have an entry and no bytes.
pub fn give_back(
    entry: &LedgerEntry,
    document: &[u8],
) -> impl Stream<Item = Result<pb::GetResponse, Status>> + Send + 'static {
    use pb::get_response::Part;
    let entry = Part::Entry(entry.into());
    let chunks: Vec<Vec<u8>> = document.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    stream::iter(
        std::iter::once(entry)
            .chain(chunks.into_iter().map(Part::Chunk))
            .map(|part| Ok(pb::GetResponse { part: Some(part) })),
    )
}

#[cfg(test)]
mod tests;
