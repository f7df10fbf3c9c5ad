//! A commune takes figures back.

use std::collections::BTreeSet;

use model::{CommuneCode, Failure, FailureKind, Slice, SubmissionId};
use store::DocumentKind;
use store::node::{Outgoing, Preview};
use wire::document::{Approval, Withdrawal};

use crate::{Node, failure, ledger};

/// Signs a withdrawal of `slices` for each of their territories and puts them into the outbox, all or none.
///
/// # Errors
/// A slice that was never sent or is withdrawn already; no name.
pub async fn withdraw(node: &Node, slices: BTreeSet<Slice>, by: &str) -> Result<Vec<SubmissionId>, Failure> {
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
    let now = node.now();
    let (mut kept, mut outgoing) = (Vec::new(), Vec::new());
    for territory in territories {
        let of_it = slices.iter().filter(|slice| slice.territory == territory).cloned().collect();
        let item = signed(node, territory, of_it)?;
        // Kept as a preview that was agreed to, so that who decided is noted in the same place and the same way.
        kept.push(Preview {
            hash: seal::sha256(&item.document),
            kind: DocumentKind::Withdrawal,
            document: item.document.clone(),
            created_at: now,
            approved: None,
            queued: false,
        });
        outgoing.push(item);
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

fn signed(node: &Node, territory: CommuneCode, slices: BTreeSet<Slice>) -> Result<Outgoing, Failure> {
    let mut id = [0_u8; 16];
    node.entropy().fill(&mut id);
    let id = SubmissionId::from_bytes(id);
    let document =
        Withdrawal { provider: node.provider(), id, written_at: node.now(), approval: Approval::Person, slices }
            .encode()
            .map_err(|error| failure::document(&error))?;
    let signature = node.signing_key().sign(&document);
    Ok(Outgoing {
        submission: id,
        kind: DocumentKind::Withdrawal,
        document,
        signature: signature.as_bytes().to_vec(),
        signing_key: node.signing_key().public().as_bytes().to_vec(),
        territories: vec![territory],
    })
}
