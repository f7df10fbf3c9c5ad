//! A commune takes figures back.

use std::collections::BTreeSet;

use model::{CommuneCode, Failure, FailureKind, Slice, SubmissionId};
use store::DocumentKind;
use store::node::{Outgoing, Preview};
use wire::document::{Approval, Withdrawal};

use crate::{Node, failure, ledger};

/// Signs a withdrawal of `slices` and puts it into the outbox.
///
/// # Errors
/// A slice that was never sent or is withdrawn already; no name.
pub async fn withdraw(node: &Node, slices: BTreeSet<Slice>, by: &str) -> Result<SubmissionId, Failure> {
    if by.trim().is_empty() {
        return Err(Failure::new(
            FailureKind::Invalid,
            "APPROVAL_WITHOUT_NAME",
            "a withdrawal needs a name",
            "Le retrait doit porter le nom de la personne qui le décide : --name \"Prénom Nom\".",
        ));
    }
    let _held = node.folder().hold().await?;
    let territories: BTreeSet<CommuneCode> = slices.iter().map(|slice| slice.territory).collect();
    let territories: Vec<CommuneCode> = territories.into_iter().collect();
    let sent = ledger::read(node.store(), &territories).await?;
    if let Some(absent) = slices.iter().find(|slice| !sent.current.contains_key(slice)) {
        return Err(Failure::new(
            FailureKind::NotFound,
            "SLICE_NOT_SENT",
            format!("{absent} is not at the hub"),
            format!("Le tableau {absent} n’est pas au centre : il n’a jamais été envoyé, ou il est déjà retiré."),
        ));
    }
    let mut id = [0_u8; 16];
    node.entropy().fill(&mut id);
    let id = SubmissionId::from_bytes(id);
    let document =
        Withdrawal { provider: node.provider(), id, written_at: node.now(), approval: Approval::Person, slices }
            .encode()
            .map_err(|error| failure::document(&error))?;
    let signature = node.signing_key().sign(&document);
    // Kept as a preview that was agreed to, so that who decided is noted in the same place and the same way.
    let hash = seal::sha256(&document);
    let now = node.now();
    let kept = Preview {
        hash,
        kind: DocumentKind::Withdrawal,
        document: document.clone(),
        created_at: now,
        approved: None,
        queued: false,
    };
    node.store().save_preview(&kept).await.map_err(|error| failure::storage(&error))?;
    node.store().approve_preview(hash, by.trim(), now).await.map_err(|error| failure::storage(&error))?;
    let outgoing = Outgoing {
        submission: id,
        kind: DocumentKind::Withdrawal,
        document,
        signature: signature.as_bytes().to_vec(),
        signing_key: node.signing_key().public().as_bytes().to_vec(),
        territories,
    };
    node.store().enqueue(&outgoing, Some(hash), now).await.map_err(|error| failure::storage(&error))?;
    Ok(id)
}
