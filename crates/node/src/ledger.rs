//! What the commune already sent, as the intruder remembers it.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Ledger, Received};
use model::{Audience, CommuneCode, Failure, FailureKind, Hash, Slice};
use store::DocumentKind;
use store::node::{Completeness, LedgerRecord, NodeStore};
use wire::document::Receipt;

use crate::failure;

/// The ledger of some territories, read for two purposes: what is known, and what is current.
#[derive(Debug, Default)]
pub struct Sent {
    /// Everything ever sent, checked or withdrawn: what protection must reckon with.
    pub ledger: Ledger,
    /// The last content of each slice that is not withdrawn: what a preview compares with.
    pub current: BTreeMap<Slice, Received>,
    /// Slices that a person took back, or two persons at the hub destroyed, and nobody sent again since.
    pub withdrawn: BTreeSet<Slice>,
    /// What the commune said of who may be shown a slice; where it said nothing, [`Audience::unless_said`].
    pub shared: BTreeMap<Slice, BTreeSet<Audience>>,
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
        let destroyed = destroyed(&records)?;
        for record in &records {
            sent.add(record, *territory, &destroyed)?;
        }
    }
    Ok(sent)
}

impl Sent {
    /// Takes from `record` what is of `territory`: a document about two communes stands in both ledgers, and in the
    /// other one later documents of this one are missing, so that it would bring back what they replaced.
    fn add(
        &mut self,
        record: &LedgerRecord,
        territory: CommuneCode,
        destroyed: &BTreeMap<Hash, BTreeSet<Slice>>,
    ) -> Result<(), Failure> {
        let Some(bytes) = &record.document else { return self.forget(record, territory, destroyed) };
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
                for slice in withdrawal.slices.into_iter().filter(|slice| slice.territory == territory) {
                    self.empty(slice);
                }
            }
            DocumentKind::Sharing => {
                let sharing = wire::document::Sharing::decode(bytes).map_err(|error| failure::document(&error))?;
                let own = sharing.slices.into_iter().filter(|(slice, _)| slice.territory == territory);
                self.shared.extend(own);
            }
            DocumentKind::Purge => {}
        }
        Ok(())
    }

    /// A purged document's bytes are gone everywhere; its receipt keeps the chain whole. What it replaced is not what the
    /// hub holds: that is nothing.
    fn forget(
        &mut self,
        record: &LedgerRecord,
        territory: CommuneCode,
        destroyed: &BTreeMap<Hash, BTreeSet<Slice>>,
    ) -> Result<(), Failure> {
        if !matches!(record.kind, DocumentKind::Submission | DocumentKind::Withdrawal) {
            return Ok(());
        }
        let Some(receipt) = receipt(record)? else { return Ok(()) };
        let Some(named) = destroyed.get(&receipt.document_hash) else { return Ok(()) };
        let mut slices: Vec<Slice> = named.iter().filter(|slice| slice.territory == territory).cloned().collect();
        if named.is_empty() {
            // A hub that did not say what it destroyed: nothing of before is sure to be there.
            slices = self.current.keys().filter(|slice| slice.territory == territory).cloned().collect();
        }
        for slice in slices {
            self.empty(slice);
        }
        Ok(())
    }

    fn empty(&mut self, slice: Slice) {
        self.current.remove(&slice);
        if let Some(audiences) = self.shared.get_mut(&slice) {
            *audiences = Audience::without_figures(audiences);
        }
        self.withdrawn.insert(slice);
    }

    /// Who is shown `slice` once it is there.
    pub fn audiences(&self, slice: &Slice) -> BTreeSet<Audience> {
        self.shared.get(slice).cloned().unwrap_or_else(Audience::unless_said)
    }
}

/// What purges destroyed: slices, by the hash of the document that had named them.
fn destroyed(records: &[LedgerRecord]) -> Result<BTreeMap<Hash, BTreeSet<Slice>>, Failure> {
    let purges = records.iter().filter(|record| record.kind == DocumentKind::Purge);
    let mut all = BTreeMap::new();
    for receipt in purges.filter_map(|record| receipt(record).transpose()) {
        let receipt = receipt?;
        all.insert(receipt.document_hash, receipt.destroyed);
    }
    Ok(all)
}

/// The receipt of a record, verified when it came; none while none did.
fn receipt(record: &LedgerRecord) -> Result<Option<Receipt>, Failure> {
    let sealed = record.receipt.as_ref();
    sealed.map(|sealed| Receipt::decode(&sealed.document)).transpose().map_err(|error| failure::document(&error))
}
