//! What the commune already sent, as the intruder remembers it.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Ledger, Received};
use model::{CommuneCode, Failure, FailureKind, Slice};
use store::DocumentKind;
use store::node::{Completeness, LedgerRecord, NodeStore};

use crate::failure;

/// The ledger of some territories, read for two purposes: what is known, and what is current.
#[derive(Debug, Default)]
pub struct Sent {
    /// Everything ever sent, checked or withdrawn: what protection must reckon with.
    pub ledger: Ledger,
    /// The last content of each slice that is not withdrawn: what a preview compares with.
    pub current: BTreeMap<Slice, Received>,
    /// Slices that a person took back and nobody sent again since.
    pub withdrawn: BTreeSet<Slice>,
}

/// Reads the ledgers of `territories`; refuses if one of them may lack something.
///
/// # Errors
/// `LEDGER_INCOMPLETE` where the node cannot be sure to know everything: it must then protect nothing, because a
/// pattern that is safe alone may give away, together with a forgotten one, what both hide.
pub async fn read(store: &NodeStore, territories: &[CommuneCode]) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    for territory in territories {
        let completeness = store.completeness(*territory).await.map_err(|error| failure::storage(&error))?;
        if !matches!(completeness, Completeness::Complete(_)) {
            return Err(Failure::new(
                FailureKind::Precondition,
                "LEDGER_INCOMPLETE",
                format!("ledger of {territory} is not known to be complete"),
                format!(
                    "Le registre des envois de la commune {territory} n’est pas complet sur ce poste. Tant qu’il ne l’est pas, rien n’est protégé ni envoyé : un ancien envoi oublié pourrait trahir ce que le nouveau cache. Connectez le poste au centre et relancez la commande."
                ),
            ));
        }
        let records = store.ledger(*territory).await.map_err(|error| failure::storage(&error))?;
        for record in &records {
            sent.add(record, *territory)?;
        }
    }
    Ok(sent)
}

impl Sent {
    /// Takes from `record` what is of `territory`: a document about two communes stands in both ledgers, and in the
    /// other one later documents of this one are missing, so that it would bring back what they replaced.
    fn add(&mut self, record: &LedgerRecord, territory: CommuneCode) -> Result<(), Failure> {
        // A purged document's bytes are gone everywhere; its receipt keeps the chain whole.
        let Some(bytes) = &record.document else { return Ok(()) };
        match record.kind {
            DocumentKind::Submission | DocumentKind::Check => {
                let submission = wire::document::decode(bytes).map_err(|error| failure::document(&error))?;
                for slice in submission.slices {
                    if slice.received.slice.territory != territory {
                        continue;
                    }
                    if record.kind == DocumentKind::Submission {
                        self.withdrawn.remove(&slice.received.slice);
                        self.current.insert(slice.received.slice.clone(), slice.received.clone());
                    }
                    self.ledger.record(slice.received);
                }
            }
            DocumentKind::Withdrawal => {
                let withdrawal =
                    wire::document::Withdrawal::decode(bytes).map_err(|error| failure::document(&error))?;
                for slice in withdrawal.slices.iter().filter(|slice| slice.territory == territory) {
                    self.current.remove(slice);
                    self.withdrawn.insert(slice.clone());
                }
            }
            DocumentKind::Purge => {}
        }
        Ok(())
    }
}
