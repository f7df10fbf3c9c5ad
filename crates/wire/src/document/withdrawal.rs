//! A commune takes figures back.

use std::collections::BTreeSet;

use model::{CommuneCode, Slice, SubmissionId, Timestamp};
use prost::Message;

use super::field::{approval, approval_to_pb, id, instant, read_slice_names, refuse, slice_names, word};
use super::shape::WITHDRAWAL;
use super::{Approval, DocumentError, FORMAT, read};
use crate::pb::submission::v1 as pb;

/// Slices to withdraw. What was read stays known, so the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The commune that the node speaks for.
    pub provider: CommuneCode,
    /// Drawn by the node.
    pub id: SubmissionId,
    /// The node's clock: information, never trusted.
    pub written_at: Timestamp,
    /// How the commune agreed.
    pub approval: Approval,
    /// At least one.
    pub slices: BTreeSet<Slice>,
}

impl Withdrawal {
    /// The one canonical document.
    ///
    /// # Errors
    /// No slice, or too many for one document.
    pub fn encode(&self) -> Result<Vec<u8>, DocumentError> {
        let bytes = pb::WithdrawalDocument {
            format: FORMAT,
            submission_id: self.id.as_bytes().to_vec(),
            provider: self.provider.to_string(),
            written_at_micros: self.written_at.as_micros(),
            approval: approval_to_pb(self.approval),
            slices: slice_names(&self.slices),
        }
        .encode_to_vec();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a document.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document: pb::WithdrawalDocument = read(bytes, &WITHDRAWAL)?;
        if document.slices.is_empty() {
            return Err(refuse("slices", "must not be empty"));
        }
        Ok(Self {
            provider: word("provider", &document.provider)?,
            id: id("submission_id", &document.submission_id, SubmissionId::from_slice)?,
            written_at: instant(document.written_at_micros),
            approval: approval(document.approval)?,
            slices: read_slice_names("slices", &document.slices)?,
        })
    }
}
