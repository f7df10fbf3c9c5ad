//! What became of each document of a bundle.

use model::{CommuneCode, Entropy, Hash, SubmissionId, Timestamp};
use prost::Message;
use seal::{OpeningKey, PublicKey, SealingKey, SigningKey};

use super::envelope::{Opened, open, seal};
use super::{BundleError, BundleId, MAX_BUNDLE, field, word};
use crate::document::{FORMAT, SignedReceipt, read_up_to, shape};
use crate::pb::bundle::v1 as pb;
use crate::status::Conflict;

/// How many conflicts of one refusal travel: the next preview tells the rest.
const CONFLICTS: usize = 200;

/// What became of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The bundle that is answered.
    pub bundle: BundleId,
    /// The commune that is answered.
    pub provider: CommuneCode,
    /// The hub's clock.
    pub answered_at: Timestamp,
    /// In the order of the bundle.
    pub items: Vec<AnsweredItem>,
}

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredItem {
    /// Its id.
    pub submission: SubmissionId,
    /// Receipt or refusal.
    pub verdict: ItemVerdict,
}

/// Receipt or refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemVerdict {
    /// Accepted, durably.
    Received {
        /// To be verified with the hub's keys.
        receipt: SignedReceipt,
        /// This very document had been received before.
        already: bool,
    },
    /// Refused whole.
    Refused {
        /// Stable reason.
        reason: String,
        /// French, for a person.
        message: String,
        /// What to change; as many as travel.
        conflicts: Vec<Conflict>,
        /// How many there are.
        total: usize,
    },
}

impl Answer {
    /// Signs and seals, for the node with this reply key.
    pub fn seal(
        &self,
        hub: &SigningKey,
        node: &SealingKey,
        authority: Hash,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, BundleError> {
        let document = pb::AnswerDocument {
            format: FORMAT,
            bundle_id: self.bundle.0.to_vec(),
            provider: self.provider.to_string(),
            answered_at_micros: self.answered_at.as_micros(),
            items: self.items.iter().map(Into::into).collect(),
        }
        .encode_to_vec();
        seal(pb::Contents::Answer, authority, node, hub, &document, entropy)
    }

    /// Opens an answer sealed to `opening`, the node's; one of `keys`, the hub's present and former ones, must have
    /// signed it.
    pub fn open(bytes: &[u8], opening: &OpeningKey, authority: Hash, keys: &[PublicKey]) -> Result<Self, BundleError> {
        let Opened { writer, document } = open(pb::Contents::Answer, bytes, opening, authority)?;
        if !keys.contains(&writer) {
            return Err(BundleError::Signature);
        }
        let document: pb::AnswerDocument = read_up_to(&document, MAX_BUNDLE, &shape::ANSWER)?;
        Ok(Self {
            bundle: BundleId::from_slice(&document.bundle_id)
                .ok_or_else(|| field("bundle_id", "has the wrong length"))?,
            provider: word("provider", &document.provider)?,
            answered_at: Timestamp::from_micros(document.answered_at_micros),
            items: document.items.into_iter().map(AnsweredItem::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&AnsweredItem> for pb::AnswerItem {
    fn from(item: &AnsweredItem) -> Self {
        let verdict = match &item.verdict {
            ItemVerdict::Received { receipt, already } => pb::answer_item::Verdict::Received(pb::Received {
                receipt: Some(receipt.into()),
                already_received: *already,
            }),
            ItemVerdict::Refused { reason, message, conflicts, total } => {
                pb::answer_item::Verdict::Refused(pb::Refused {
                    reason: reason.clone(),
                    message: message.clone(),
                    conflicts: conflicts.iter().take(CONFLICTS).map(row).collect(),
                    conflicts_total: u32::try_from(*total).unwrap_or(u32::MAX),
                })
            }
        };
        Self { submission_id: item.submission.as_bytes().to_vec(), verdict: Some(verdict) }
    }
}

fn row(conflict: &Conflict) -> pb::ConflictRow {
    pb::ConflictRow {
        code: conflict.code.clone(),
        row: conflict.row.clone(),
        cause: conflict.cause.clone(),
        cure: conflict.cure.clone(),
    }
}

impl TryFrom<pb::AnswerItem> for AnsweredItem {
    type Error = BundleError;
    fn try_from(item: pb::AnswerItem) -> Result<Self, BundleError> {
        let verdict = match item.verdict {
            Some(pb::answer_item::Verdict::Received(received)) => ItemVerdict::Received {
                receipt: received.receipt.ok_or_else(|| field("items.receipt", "is absent"))?.try_into()?,
                already: received.already_received,
            },
            Some(pb::answer_item::Verdict::Refused(refused)) => ItemVerdict::Refused {
                reason: refused.reason,
                message: refused.message,
                conflicts: refused
                    .conflicts
                    .into_iter()
                    .map(|row| Conflict { code: row.code, row: row.row, cause: row.cause, cure: row.cure })
                    .collect(),
                total: usize::try_from(refused.conflicts_total).unwrap_or(usize::MAX),
            },
            None => return Err(field("items.verdict", "is absent or unknown")),
        };
        let submission = SubmissionId::from_slice(&item.submission_id)
            .ok_or_else(|| field("items.submission_id", "has the wrong length"))?;
        Ok(Self { submission, verdict })
    }
}
