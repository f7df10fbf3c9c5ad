//! The hub's receipts as files beside the database, for whoever verifies one without this program's database.

use std::path::PathBuf;

use model::Failure;
use seal::Signature;
use store::SealedReceipt;
use wire::document::{Receipt, SignedReceipt};

use crate::{Node, failure};

/// Where the bytes of a receipt are kept.
pub(crate) fn file(node: &Node, receipt: &Receipt) -> PathBuf {
    node.folder().receipts().join(format!("{:06}.recepisse", receipt.number))
}

/// Keeps one as a file. The database holds it already: a full disk must not make a success look like a failure, and
/// [`complete`] makes up for it later.
pub(crate) fn keep(node: &Node, signed: &SignedReceipt, receipt: &Receipt) -> PathBuf {
    let file = file(node, receipt);
    if let Err(error) = node.folder().write(&file, &signed.to_bytes(), false) {
        tracing::warn!(path = %file.display(), %error, "receipt not written beside the database");
    }
    file
}

/// Writes the files that an interruption, a full disk or a lost folder left out.
pub(crate) async fn complete(node: &Node) -> Result<(), Failure> {
    let keys = node.hub_keys()?;
    for sealed in node.store().receipts().await.map_err(|error| failure::storage(&error))? {
        let SealedReceipt { document, signature, key } = sealed;
        let Ok(signature) = Signature::from_slice(&signature) else { continue };
        let signed = SignedReceipt { document, signature, key };
        match signed.verify(&keys) {
            Ok(receipt) if !file(node, &receipt).exists() => drop(keep(node, &signed, &receipt)),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a kept receipt does not verify"),
        }
    }
    Ok(())
}
