//! A commune says who may be shown its slices.

use std::collections::{BTreeMap, BTreeSet};

use model::{Audience, CommuneCode, Slice, SubmissionId, Timestamp};
use prost::Message;

use super::field::{
    approval, approval_to_pb, ascending, id, instant, read_slice_name, refuse, slice_name, slice_order, word,
};
use super::shape::SHARING;
use super::{Approval, DocumentError, FORMAT, read};
use crate::pb::submission::v1 as pb;

/// Who may be shown slices from now on. It holds no figure; it stands in the ledger so that a hub that was restored from
/// a copy learns again what it forgot, a no above all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// The commune that the node speaks for.
    pub provider: CommuneCode,
    /// Drawn by the node.
    pub id: SubmissionId,
    /// The node's clock: information, never trusted.
    pub written_at: Timestamp,
    /// How the commune agreed.
    pub approval: Approval,
    /// At least one; each with every audience that it may be shown to.
    pub slices: BTreeMap<Slice, BTreeSet<Audience>>,
}

impl Sharing {
    /// The one canonical document.
    ///
    /// # Errors
    /// No slice, or too many for one document.
    pub fn encode(&self) -> Result<Vec<u8>, DocumentError> {
        let mut ordered: Vec<_> = self.slices.iter().collect();
        ordered.sort_by_cached_key(|(slice, _)| slice_order(slice));
        let shared = |(slice, audiences): (&Slice, &BTreeSet<Audience>)| pb::SharedSlice {
            slice: Some(slice_name(slice)),
            audiences: audiences.iter().map(|audience| i32::from(audience_to_pb(*audience))).collect(),
        };
        let bytes = pb::SharingDocument {
            format: FORMAT,
            submission_id: self.id.as_bytes().to_vec(),
            provider: self.provider.to_string(),
            written_at_micros: self.written_at.as_micros(),
            approval: approval_to_pb(self.approval),
            slices: ordered.into_iter().map(shared).collect(),
        }
        .encode_to_vec();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a document.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document: pb::SharingDocument = read(bytes, &SHARING)?;
        if document.slices.is_empty() {
            return Err(refuse("slices", "must not be empty"));
        }
        Ok(Self {
            provider: word("provider", &document.provider)?,
            id: id("submission_id", &document.submission_id, SubmissionId::from_slice)?,
            written_at: instant(document.written_at_micros),
            approval: approval(document.approval)?,
            slices: read_shared(&document.slices)?,
        })
    }
}

fn read_shared(shared: &[pb::SharedSlice]) -> Result<BTreeMap<Slice, BTreeSet<Audience>>, DocumentError> {
    let mut slices = BTreeMap::new();
    let mut last = None;
    for (index, shared) in shared.iter().enumerate() {
        let path = format!("slices[{index}]");
        let name = shared.slice.as_ref().ok_or_else(|| refuse(format_args!("{path}.slice"), "is absent"))?;
        let slice = read_slice_name(&format!("{path}.slice"), name)?;
        ascending(&path, &mut last, slice_order(&slice))?;
        let (mut audiences, mut before) = (BTreeSet::new(), None);
        for (index, number) in shared.audiences.iter().enumerate() {
            let path = format!("{path}.audiences[{index}]");
            ascending(&path, &mut before, *number)?;
            audiences.insert(audience(&path, *number)?);
        }
        slices.insert(slice, audiences);
    }
    Ok(slices)
}

fn audience_to_pb(audience: Audience) -> pb::Audience {
    match audience {
        Audience::Coordinators => pb::Audience::Coordinators,
        Audience::Members => pb::Audience::Members,
        Audience::Partners => pb::Audience::Partners,
        Audience::Public => pb::Audience::Public,
    }
}

fn audience(path: &str, number: i32) -> Result<Audience, DocumentError> {
    match pb::Audience::try_from(number) {
        Ok(pb::Audience::Coordinators) => Ok(Audience::Coordinators),
        Ok(pb::Audience::Members) => Ok(Audience::Members),
        Ok(pb::Audience::Partners) => Ok(Audience::Partners),
        Ok(pb::Audience::Public) => Ok(Audience::Public),
        Ok(pb::Audience::Unspecified) | Err(_) => Err(refuse(path, "is absent or unknown")),
    }
}
