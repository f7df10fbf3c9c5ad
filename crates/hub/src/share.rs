//! A commune says who may be shown its slices: its last word holds, from the moment it is accepted.

use std::collections::BTreeSet;

use model::CommuneCode;
use seal::{Signature, sha256};
use store::DocumentKind;
use store::hub::SliceAudiences;
use wire::document::{Outcome, Sharing};
use wire::status::Refusal;

use crate::auth::Provider;
use crate::submit::{ATTEMPTS, Answer, Effect, Heads, SignedDocument, authorised, busy, slices_allowed, verify};
use crate::{Hub, failure};

impl Hub {
    /// Takes a signed decision, whole or not at all. Slices that were never sent may be named: a commune may say no
    /// before anything leaves.
    pub(crate) async fn share(
        &self,
        provider: &Provider,
        document: &[u8],
        signature: Signature,
    ) -> Result<Answer, Refusal> {
        self.share_at(provider, document, signature, None).await
    }

    /// The same, only if no ledger moved on since `heads` were read, where there are any.
    pub(crate) async fn share_at(
        &self,
        provider: &Provider,
        document: &[u8],
        signature: Signature,
        heads: Option<&Heads>,
    ) -> Result<Answer, Refusal> {
        verify(provider, document, &signature)?;
        let sharing = Sharing::decode(document).map_err(model::Failure::from)?;
        authorised(provider, sharing.provider)?;
        let signed = SignedDocument {
            provider,
            id: sharing.id,
            kind: DocumentKind::Sharing,
            document,
            hash: sha256(document),
            signature,
            at: heads,
        };
        if let Some(answer) = self.known(&signed).await? {
            return Ok(answer);
        }
        slices_allowed(provider, sharing.slices.keys(), self.successions(), self.now())?;
        let territories = sharing.slices.keys().map(|slice| slice.territory).collect();
        self.readable_to_every_holder(provider, &territories).await?;
        self.heard_since_restoration(provider, &territories).await?;
        let shared = audiences(sharing);
        for _ in 0..ATTEMPTS {
            let heads = self.heads(&territories).await?;
            let effect = Effect::Share(shared.clone());
            if let Some(answer) = self.accept(&signed, heads, effect, Outcome::default()).await? {
                return Ok(answer);
            }
        }
        Err(busy().into())
    }

    /// Where the ledgers of `territories` end now.
    pub(crate) async fn heads(
        &self,
        territories: &BTreeSet<CommuneCode>,
    ) -> Result<Vec<(CommuneCode, u64)>, model::Failure> {
        let mut heads = Vec::with_capacity(territories.len());
        for territory in territories {
            let head = self.0.store.head(*territory).await.map_err(failure::storage)?;
            heads.push((*territory, head.sequence));
        }
        Ok(heads)
    }
}

/// What the document says, as it is kept.
pub(crate) fn audiences(sharing: Sharing) -> Vec<SliceAudiences> {
    sharing.slices.into_iter().map(|(slice, audiences)| SliceAudiences { slice, audiences }).collect()
}
