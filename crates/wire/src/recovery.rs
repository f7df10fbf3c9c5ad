//! After a hub was restored from an older copy: where each ledger ends there, and what its nodes give back.

use futures::{Stream, StreamExt, stream};
use model::{CommuneCode, Failure, FailureKind, Hash};
use seal::PublicKey;
use tonic::{Status, Streaming};

use crate::document::{DocumentError, MAX_DOCUMENT, Receipt, ReceiptKind, SignedReceipt};
use crate::ledger::{LedgerEntry, LedgerError};
use crate::pb::submission::v1 as pb;
use crate::status::Refusal;
use crate::upload::{CHUNK, broken, explained, take_chunk};

/// Where a node stands, as the hub sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Every territory whose slices the node may replace, its own first, with the end of its ledger.
    pub heads: Vec<TerritoryHead>,
    /// The keys with which the hub signs receipts and packs, newest first.
    pub hub_keys: Vec<PublicKey>,
}

/// The end of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerritoryHead {
    /// Whose ledger.
    pub territory: CommuneCode,
    /// The last sequence number; 0 if nothing was ever accepted.
    pub sequence: u64,
    /// SHA-256 of the receipt there.
    pub receipt: Option<Hash>,
}

/// One forgotten document with everything that proves it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The receipt of then, the provider's signature, the length.
    pub entry: LedgerEntry,
    /// The purge that destroyed the bytes, if they are gone.
    pub purge: Option<SignedReceipt>,
    /// The bytes that were signed; empty for a purge, and for what was purged.
    pub document: Vec<u8>,
}

impl Recovery {
    /// The receipt, if one of the hub's `keys` signed it and everything else belongs to it.
    ///
    /// # Errors
    /// Among others: bytes that are missing though no purge, signed by the same hub, destroyed them. Otherwise a node
    /// could make the hub reckon as if nobody had read them.
    pub fn prove(&self, keys: &[PublicKey]) -> Result<Receipt, LedgerError> {
        let receipt = self.entry.receipt(keys)?;
        let mismatch = Err(LedgerError::Mismatch(receipt.submission));
        if receipt.kind == ReceiptKind::Purge {
            return if self.document.is_empty() && self.entry.length == 0 { Ok(receipt) } else { mismatch };
        }
        let Some(purge) = &self.purge else { return self.entry.prove(&self.document, keys) };
        let purge = purge.verify(keys)?;
        let explains = purge.kind == ReceiptKind::Purge && purge.document_hash == receipt.document_hash;
        if explains && self.document.is_empty() && self.entry.length == 0 { Ok(receipt) } else { mismatch }
    }
}

impl From<&Standing> for pb::StandingResponse {
    fn from(standing: &Standing) -> Self {
        Self {
            provider: standing.heads.first().map(|head| head.territory.to_string()).unwrap_or_default(),
            heads: standing
                .heads
                .iter()
                .map(|head| pb::TerritoryHead {
                    territory: head.territory.to_string(),
                    sequence: head.sequence,
                    receipt: head.receipt.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
                })
                .collect(),
            hub_signing_keys: standing.hub_keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
        }
    }
}

impl TryFrom<pb::StandingResponse> for Standing {
    type Error = LedgerError;
    fn try_from(answer: pb::StandingResponse) -> Result<Self, LedgerError> {
        let head = |head: &pb::TerritoryHead| {
            let receipt = match head.receipt.as_slice() {
                [] => None,
                bytes => Some(Hash::from_slice(bytes).ok_or(LedgerError::Malformed)?),
            };
            if receipt.is_none() != (head.sequence == 0) {
                return Err(LedgerError::Malformed);
            }
            let territory = head.territory.parse().map_err(|_| LedgerError::Malformed)?;
            Ok(TerritoryHead { territory, sequence: head.sequence, receipt })
        };
        let heads: Vec<TerritoryHead> = answer.heads.iter().map(head).collect::<Result<_, _>>()?;
        let key = |key: &Vec<u8>| PublicKey::from_slice(key).map_err(|_| LedgerError::Malformed);
        let hub_keys: Vec<PublicKey> = answer.hub_signing_keys.iter().map(key).collect::<Result<_, _>>()?;
        let first = heads.first().map(|head| head.territory.to_string());
        if hub_keys.is_empty() || first.as_ref() != Some(&answer.provider) {
            return Err(LedgerError::Malformed);
        }
        Ok(Self { heads, hub_keys })
    }
}

/// For the hub: reads what a node gives back, never holding more than was announced and really came. `room` is asked
/// for the announced length before the first byte is kept; what it gives lives as long as the recovery.
pub async fn receive<R>(
    stream: Streaming<pb::RecoverRequest>,
    room: impl AsyncFnOnce(usize) -> Result<R, Status>,
) -> Result<(Recovery, R), Status> {
    collect(stream, room).await
}

async fn collect<R>(
    mut stream: impl Stream<Item = Result<pb::RecoverRequest, Status>> + Unpin,
    room: impl AsyncFnOnce(usize) -> Result<R, Status>,
) -> Result<(Recovery, R), Status> {
    use pb::recover_request::Part;
    let mut next = async || match stream.next().await {
        Some(Ok(message)) => message.part.map(Some).ok_or_else(|| broken("a message of the recovery is empty")),
        Some(Err(status)) => Err(explained(status)),
        None => Ok(None),
    };
    let Some(Part::Entry(entry)) = next().await? else {
        return Err(broken("the recovery does not begin with its entry"));
    };
    let entry = LedgerEntry::try_from(entry).map_err(|_| broken("the entry is malformed"))?;
    let length = usize::try_from(entry.length)
        .ok()
        .filter(|length| *length <= MAX_DOCUMENT)
        .ok_or_else(|| Status::from(Refusal::from(Failure::from(DocumentError::TooLarge))))?;
    let room = room(length).await?;
    let mut purge = None;
    let mut document = Vec::new();
    while let Some(part) = next().await? {
        match part {
            Part::Entry(_) => return Err(broken("the recovery has two entries")),
            Part::Purge(receipt) if purge.is_none() && document.is_empty() => {
                purge = Some(SignedReceipt::try_from(receipt).map_err(|_| broken("the purge is malformed"))?);
            }
            Part::Purge(_) => return Err(broken("the purge is not in its place")),
            Part::Chunk(chunk) => take_chunk(&mut document, &chunk, length)?,
        }
    }
    if document.len() != length {
        return Err(broken("the recovery is shorter than announced"));
    }
    Ok((Recovery { entry, purge, document }, room))
}

/// For the node: the messages of a recovery.
pub(crate) fn send(recovery: &Recovery) -> impl Stream<Item = pb::RecoverRequest> + Send + 'static {
    use pb::recover_request::Part;
    let entry = Part::Entry((&recovery.entry).into());
    let purge = recovery.purge.as_ref().map(|receipt| Part::Purge(receipt.into()));
    let chunks: Vec<Vec<u8>> = recovery.document.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    let parts = std::iter::once(entry).chain(purge).chain(chunks.into_iter().map(Part::Chunk));
    stream::iter(parts.map(|part| pb::RecoverRequest { part: Some(part) }))
}

/// A recovery that does not hold.
pub fn refused(error: &LedgerError) -> Failure {
    match error {
        LedgerError::Document(DocumentError::UnknownKey) => Failure::new(
            FailureKind::Precondition,
            "RECEIPT_KEY_UNKNOWN",
            "the receipt was signed by a key that this hub does not know",
            "Ce récépissé est signé par une clé que le centre restauré ne connaît pas : la sauvegarde restaurée est antérieure à cette clé. Prévenez l’union départementale.",
        ),
        LedgerError::Document(_) | LedgerError::Mismatch(_) | LedgerError::Broken { .. } | LedgerError::Malformed => {
            Failure::new(
                FailureKind::Invalid,
                "RECOVERY_NOT_PROVEN",
                error.to_string(),
                "Le centre n’a pas pu vérifier cet ancien envoi (récépissé, signature ou document altéré) : rien n’a été repris. Prévenez l’union départementale.",
            )
        }
    }
}

#[cfg(test)]
mod tests;
