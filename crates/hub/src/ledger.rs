//! What a commune ever sent, given back to its node.

use model::{CommuneCode, Failure, FailureKind, SubmissionId};
use seal::{PublicKey, Signature};
use store::hub::SubmissionRecord;
use wire::ledger::{LedgerEntry, LedgerPage};

use crate::auth::Provider;
use crate::submit::unsealed;
use crate::{Hub, failure};

/// A receipt is some 500 bytes: a page stays far below the size of a message.
const LARGEST_PAGE: u32 = 500;

impl Hub {
    /// A part of the ledger of `territory`, oldest first, after sequence number `after`. `size` 0 is ours to choose.
    pub(crate) async fn list(
        &self,
        provider: &Provider,
        territory: CommuneCode,
        after: u64,
        size: u32,
    ) -> Result<LedgerPage, Failure> {
        if !provider.owns(territory) {
            return Err(Failure::new(
                FailureKind::Denied,
                "TERRITORY_NOT_YOURS",
                "the territory is not one of this provider",
                format!("La commune {territory} n’est pas de celles que ce poste peut lire."),
            ));
        }
        let size = if size == 0 { LARGEST_PAGE } else { size.min(LARGEST_PAGE) };
        // The head first: a page may then hold more than it promises, never less.
        let head = self.0.store.head(territory).await.map_err(failure::storage)?;
        let page = self.0.store.ledger(territory, after, size).await.map_err(failure::storage)?;
        let entries = page
            .into_iter()
            .filter(|entry| entry.sequence <= head.sequence)
            .map(|entry| ledger_entry(entry.submission))
            .collect::<Result<_, _>>()?;
        Ok(LedgerPage { entries, head_sequence: head.sequence, head_receipt: head.receipt })
    }

    /// One document about territories that the provider may write, with its entry; no bytes once purged.
    ///
    /// A document of somebody else is as unknown as one that does not exist. One that is partly somebody else's is in
    /// the provider's ledger, so that it exists is no secret; what it holds is given whole or not at all, because a
    /// signature is of the whole.
    pub(crate) async fn get(&self, provider: &Provider, id: SubmissionId) -> Result<(LedgerEntry, Vec<u8>), Failure> {
        let unknown = || {
            Failure::new(
                FailureKind::NotFound,
                "SUBMISSION_UNKNOWN",
                "no such document in the ledgers of this provider",
                "Aucun envoi de cette commune ne porte cet identifiant.",
            )
        };
        let territories = self.0.store.territories_of(id).await.map_err(failure::storage)?;
        if !territories.iter().any(|territory| provider.owns(*territory)) {
            return Err(unknown());
        }
        let others: Vec<&str> =
            territories.iter().filter(|territory| !provider.owns(**territory)).map(CommuneCode::as_str).collect();
        if !others.is_empty() {
            return Err(Failure::new(
                FailureKind::Denied,
                "DOCUMENT_NOT_WHOLLY_YOURS",
                "the document is also about territories of others",
                format!(
                    "Cet envoi porte aussi sur {}, que ce poste ne peut pas lire. Demandez à la coordination une invitation qui couvre ces communes.",
                    others.join(", ")
                ),
            ));
        }
        let record = self.0.store.submission(id).await.map_err(failure::storage)?.ok_or_else(unknown)?;
        let document = self.0.store.document(id).await.map_err(failure::storage)?.unwrap_or_default();
        Ok((ledger_entry(record)?, document))
    }
}

fn ledger_entry(record: SubmissionRecord) -> Result<LedgerEntry, Failure> {
    Ok(LedgerEntry {
        submission: record.id,
        receipt: unsealed(record.receipt)?,
        signature: Signature::from_slice(&record.signature).map_err(|_| failure::damaged("signature"))?,
        signing_key: PublicKey::from_slice(&record.signing_key).map_err(|_| failure::damaged("signing key"))?,
        length: record.length,
    })
}
