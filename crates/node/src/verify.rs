//! A receipt, checked without the hub: years later, on a machine that never saw the network.

use model::{Failure, FailureKind};
use seal::PublicKey;
use wire::document::{Receipt, ReceiptKind, SignedReceipt};

use crate::failure;

/// Reads `bytes`, a receipt file, if one of the hub's `keys` signed it.
pub fn verify(bytes: &[u8], keys: &[PublicKey]) -> Result<Receipt, Failure> {
    let signed = SignedReceipt::from_bytes(bytes).map_err(|error| failure::document(&error))?;
    signed.verify(keys).map_err(|error| {
        Failure::new(
            FailureKind::Invalid,
            "RECEIPT_NOT_AUTHENTIC",
            error.to_string(),
            "Ce récépissé n’est pas authentique : il a été modifié, ou il vient d’un autre centre que le vôtre.",
        )
    })
}

/// A receipt in French, for a person.
pub fn describe(receipt: &Receipt) -> Vec<String> {
    let what = match receipt.kind {
        ReceiptKind::Submission => "envoi reçu",
        ReceiptKind::Check => "essai reçu (rien n’a été remplacé)",
        ReceiptKind::Withdrawal => "retrait enregistré",
        ReceiptKind::Purge => "destruction enregistrée",
        ReceiptKind::Sharing => "partage enregistré",
    };
    let mut lines = vec![
        format!("Récépissé n° {} : {what}", receipt.number),
        format!("  commune {} ; accepté le {}", receipt.provider, render::date::moment(receipt.accepted_at)),
        format!("  document {}", receipt.document_hash),
    ];
    if receipt.kind != ReceiptKind::Sharing {
        lines.push(format!(
            "  {} nouvelles, {} modifiées, {} inchangées, {} retirées",
            receipt.outcome.new, receipt.outcome.changed, receipt.outcome.unchanged, receipt.outcome.withdrawn
        ));
    }
    lines.extend(
        receipt.links.iter().map(|(territory, link)| format!("  registre de {territory} : rang {}", link.sequence)),
    );
    lines
}
