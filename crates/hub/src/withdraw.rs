//! A commune takes slices back. What was read stays known: the ledger keeps it.

use std::collections::BTreeSet;

use model::{FailureKind, Slice};
use seal::{Signature, sha256};
use store::DocumentKind;
use store::hub::{SliceChange, SliceState};
use wire::document::{Outcome, Withdrawal};
use wire::status::{Conflict, Refusal};

use crate::Hub;
use crate::archive::Content;
use crate::auth::Provider;
use crate::refusal::Judged;
use crate::submit::{
    ATTEMPTS, Answer, Effect, Heads, SignedDocument, authorised, busy, refuse, row, slices_allowed, verify,
};

impl Hub {
    /// Takes a signed withdrawal, whole or not at all.
    pub(crate) async fn withdraw(
        &self,
        provider: &Provider,
        document: &[u8],
        signature: Signature,
    ) -> Result<Answer, Refusal> {
        self.withdraw_at(provider, document, signature, None).await
    }

    /// The same, only if no ledger moved on since `heads` were read, where there are any.
    pub(crate) async fn withdraw_at(
        &self,
        provider: &Provider,
        document: &[u8],
        signature: Signature,
        heads: Option<&Heads>,
    ) -> Result<Answer, Refusal> {
        let mut judged =
            Judged { kind: DocumentKind::Withdrawal, document_hash: sha256(document), slices: BTreeSet::new() };
        let answer = self.take_back(provider, document, signature, heads, &mut judged).await;
        if let Err(refusal) = &answer {
            self.note_refusal(provider, judged, refusal).await;
        }
        answer
    }

    async fn take_back(
        &self,
        provider: &Provider,
        document: &[u8],
        signature: Signature,
        at: Option<&Heads>,
        judged: &mut Judged,
    ) -> Result<Answer, Refusal> {
        verify(provider, document, &signature)?;
        let withdrawal = Withdrawal::decode(document).map_err(model::Failure::from)?;
        authorised(provider, withdrawal.provider)?;
        judged.slices = withdrawal.slices.iter().filter(|slice| provider.owns(slice.territory)).cloned().collect();
        let signed = SignedDocument {
            provider,
            id: withdrawal.id,
            kind: judged.kind,
            document,
            hash: judged.document_hash,
            signature,
            at,
        };
        if let Some(answer) = self.known(&signed).await? {
            return Ok(answer);
        }
        slices_allowed(provider, withdrawal.slices.iter(), self.successions(), self.now())?;
        let territories = withdrawal.slices.iter().map(|slice| slice.territory).collect();
        self.readable_to_every_holder(provider, &territories).await?;
        self.heard_since_restoration(provider, &territories).await?;
        for _ in 0..ATTEMPTS {
            let heads = self.heads(&territories).await?;
            let outcome = self.withdrawn(&withdrawal).await?;
            let change = |slice: &Slice| SliceChange { slice: slice.clone(), state: SliceState::Withdrawn };
            let slices = withdrawal.slices.iter().map(change).collect();
            if let Some(answer) = self.accept(&signed, heads, Effect::Move(slices), outcome).await? {
                return Ok(answer);
            }
        }
        Err(busy().into())
    }

    /// How many cells go; refused if a slice holds nothing.
    async fn withdrawn(&self, withdrawal: &Withdrawal) -> Result<Outcome, Refusal> {
        let mut outcome = Outcome::default();
        let mut conflicts = Vec::new();
        for slice in &withdrawal.slices {
            match self.0.archive.content(slice).await? {
                Content::Present(_, slices) => {
                    let cells = slices.iter().find(|held| held.slice == *slice).map_or(0, |held| held.cells.len());
                    outcome.withdrawn += u32::try_from(cells).unwrap_or(u32::MAX);
                }
                Content::Absent | Content::Withdrawn => conflicts.push(Conflict {
                    code: "SLICE_NOT_PRESENT".to_owned(),
                    row: row(slice, None),
                    cause: "Le centre n’a pas de chiffres à retirer pour ce tableau et cette période.".to_owned(),
                    cure: "Vérifiez le tableau et la période avec « maillage node status ».".to_owned(),
                }),
            }
        }
        match refuse(FailureKind::Precondition, "SLICE_NOT_PRESENT", conflicts) {
            Some(refusal) => Err(refusal),
            None => Ok(outcome),
        }
    }
}
