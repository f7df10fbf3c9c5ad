//! What a person decides without a preview of figures, because none leaves: named, signed, queued, all or none.

use model::{CommuneCode, Failure, FailureKind, SubmissionId};
use store::DocumentKind;
use store::node::{Outgoing, Preview};

use crate::{Node, failure};

/// An unsigned document about one territory.
pub(crate) struct Decision {
    pub(crate) territory: CommuneCode,
    pub(crate) id: SubmissionId,
    pub(crate) document: Vec<u8>,
}

/// Whoever decides says who they are; the name stays in the commune.
pub(crate) fn named(by: &str, message: &str) -> Result<(), Failure> {
    if by.trim().is_empty() {
        return Err(Failure::new(FailureKind::Invalid, "APPROVAL_WITHOUT_NAME", "a decision needs a name", message));
    }
    Ok(())
}

/// Draws the id of a document.
pub(crate) fn draw(node: &Node) -> SubmissionId {
    let mut id = [0_u8; 16];
    node.entropy().fill(&mut id);
    SubmissionId::from_bytes(id)
}

/// Signs the documents and puts them into the outbox.
pub(crate) async fn queue(
    node: &Node,
    kind: DocumentKind,
    decisions: Vec<Decision>,
    by: &str,
) -> Result<Vec<SubmissionId>, Failure> {
    let now = node.now();
    let mut outgoing = Vec::with_capacity(decisions.len());
    let mut kept = Vec::with_capacity(decisions.len());
    for Decision { territory, id, document } in decisions {
        // Kept as a preview that was agreed to, so that who decided is noted in the same place and the same way.
        kept.push(Preview {
            hash: seal::sha256(&document),
            kind,
            document: document.clone(),
            created_at: now,
            approved: None,
            queued: false,
        });
        outgoing.push(Outgoing {
            submission: id,
            kind,
            signature: node.signing_key().sign(&document).as_bytes().to_vec(),
            signing_key: node.signing_key().public().as_bytes().to_vec(),
            territories: vec![territory],
            document,
        });
    }
    node.store().save_previews(&kept).await.map_err(|error| failure::storage(&error))?;
    for preview in &kept {
        let agreed = node.store().approve_preview(preview.hash, by.trim(), now).await;
        agreed.map_err(|error| failure::storage(&error))?;
    }
    let queued: Vec<_> = outgoing.iter().zip(&kept).map(|(item, preview)| (item, Some(preview.hash))).collect();
    node.store().enqueue_all(&queued, now).await.map_err(|error| failure::storage(&error))?;
    Ok(outgoing.into_iter().map(|item| item.submission).collect())
}
