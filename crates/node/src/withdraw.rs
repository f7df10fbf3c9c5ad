//! A commune takes figures back.

use std::collections::BTreeSet;

use model::{CommuneCode, Failure, FailureKind, Slice, SubmissionId};
use store::DocumentKind;
use wire::document::{Approval, Withdrawal};

use crate::decision::{self, Decision};
use crate::{Node, failure, ledger};

/// Signs a withdrawal of `slices` for each of their territories and puts them into the outbox, all or none.
///
/// # Errors
/// A slice that was never sent or is withdrawn already; no name.
pub async fn withdraw(node: &Node, slices: BTreeSet<Slice>, by: &str) -> Result<Vec<SubmissionId>, Failure> {
    decision::named(by, "Le retrait doit porter le nom de la personne qui le décide : --name \"Prénom Nom\".")?;
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
    let of = |territory| {
        let slices = slices.iter().filter(|slice| slice.territory == territory).cloned().collect();
        let id = decision::draw(node);
        let withdrawal =
            Withdrawal { provider: node.provider(), id, written_at: node.now(), approval: Approval::Person, slices };
        let document = withdrawal.encode().map_err(|error| failure::document(&error))?;
        Ok(Decision { territory, id, document })
    };
    let decisions = territories.into_iter().map(of).collect::<Result<_, Failure>>()?;
    decision::queue(node, DocumentKind::Withdrawal, decisions, by).await
}
