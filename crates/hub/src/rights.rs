//! Who may write about which territory, and read back what was said of it.
//!
//! A commune, what it was granted, and the communes that either continues. Several may hold one territory; each must
//! then be able to read its ledger from the first document to the last, because a document that one of them cannot
//! read is one that it cannot reckon with.

use std::collections::BTreeSet;

use model::{CogYear, CommuneCode, Failure, FailureKind, Successions};
use wire::status::{Conflict, Refusal};

use crate::auth::Provider;
use crate::submit::refuse;
use crate::{Hub, failure};

impl Hub {
    /// Who became part of whom, as this hub reckons.
    pub(crate) fn successions(&self) -> &Successions {
        self.0.communes.successions()
    }

    /// Territories of a provider, its own first, followed by what was granted and by communes that these absorbed.
    pub(crate) async fn rights(&self, provider: CommuneCode) -> Result<Vec<CommuneCode>, Failure> {
        let granted = self.0.store.territories(provider).await.map_err(failure::storage)?;
        // A merger to come gives no right yet.
        let year = CogYear(self.now().year().unwrap_or_default());
        Ok(with_former(provider, granted, self.successions(), year))
    }

    /// Whether the ledgers of `territories` are whole: after a restoration, not before every other living node that may
    /// write in them has spoken. Its first word gives back what this hub forgot; judged without that, a document could
    /// give away together with it what neither does alone.
    ///
    /// A node that will never speak again is revoked by the operator, who knows then that its ledger may lack its end.
    pub(crate) async fn heard_since_restoration(
        &self,
        provider: &Provider,
        territories: &BTreeSet<CommuneCode>,
    ) -> Result<(), Failure> {
        for other in self.silent_since_restoration().await? {
            if other != provider.commune() && self.rights(other).await?.iter().any(|own| territories.contains(own)) {
                return Err(Failure::new(
                    FailureKind::Unavailable,
                    "RESTORED_WAITING",
                    format!("restored, and the node of {other} has not spoken since"),
                    format!(
                        "Le centre a été restauré d’une sauvegarde et attend d’abord le poste de la commune {other}, qui peut avoir à lui rendre des envois. L’envoi sera retenté."
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Communes whose living node has not spoken since the hub was restored from a copy: what they said since is not known
    /// here yet.
    pub(crate) async fn silent_since_restoration(&self) -> Result<BTreeSet<CommuneCode>, Failure> {
        let Some(restoration) = self.0.store.last_restoration().await.map_err(failure::storage)? else {
            return Ok(BTreeSet::new());
        };
        let silent = |record: &store::hub::NodeRecord| {
            record.revoked_at.is_none()
                && record.enrolled_at < restoration.restored_at
                && record.last_contact.is_none_or(|spoke| spoke < restoration.restored_at)
        };
        let nodes = self.0.store.nodes().await.map_err(failure::storage)?;
        Ok(nodes.into_iter().filter(silent).map(|record| record.node.provider).collect())
    }

    /// A document is signed, and so read, as a whole: one about several territories is refused while somebody else may
    /// read some of them and not all. Who was invited and has yet to join counts, because its first act is to read.
    pub(crate) async fn readable_to_every_holder(
        &self,
        provider: &Provider,
        territories: &BTreeSet<CommuneCode>,
    ) -> Result<(), Refusal> {
        if territories.len() < 2 {
            return Ok(());
        }
        let nodes = self.0.store.nodes().await.map_err(failure::storage)?;
        let living = nodes.iter().filter(|record| record.revoked_at.is_none()).map(|record| record.node.provider);
        let invitations = self.0.store.last_invitations().await.map_err(failure::storage)?;
        let invited = invitations.iter().filter(|one| one.spent_at.is_none()).map(|one| one.provider);
        let others: BTreeSet<CommuneCode> =
            living.chain(invited).filter(|other| *other != provider.commune()).collect();
        let mut conflicts = Vec::new();
        for other in others {
            let rights = self.rights(other).await?;
            let (its_own, foreign): (Vec<CommuneCode>, Vec<CommuneCode>) =
                territories.iter().partition(|territory| rights.contains(territory));
            if let ([first, ..], [_, ..]) = (its_own.as_slice(), foreign.as_slice()) {
                conflicts.push(Conflict {
                    code: "DOCUMENT_OVER_TERRITORIES".to_owned(),
                    row: first.to_string(),
                    cause: format!(
                        "Le poste de la commune {other} tient aussi le registre de {first}, et ne pourrait pas lire un envoi qui porte en plus sur {}.",
                        foreign.iter().map(CommuneCode::as_str).collect::<Vec<_>>().join(", ")
                    ),
                    cure: "Mettez à jour le logiciel du poste, puis relancez « maillage node preview » : il prépare un envoi par commune."
                        .to_owned(),
                });
            }
        }
        refuse(FailureKind::Precondition, "DOCUMENT_OVER_TERRITORIES", conflicts).map_or(Ok(()), Err)
    }
}

/// Adds former communes to the territories that continue them.
fn with_former(
    provider: CommuneCode,
    granted: Vec<CommuneCode>,
    successions: &Successions,
    year: CogYear,
) -> Vec<CommuneCode> {
    let mut all: BTreeSet<CommuneCode> = granted.into_iter().collect();
    all.insert(provider);
    let mut all = successions.with_former(all, year);
    all.remove(&provider);
    std::iter::once(provider).chain(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_follow_the_succession_of_communes() {
        let code = |text: &str| -> CommuneCode { text.parse().expect("a commune") };
        let of = |provider, granted: &[&str], year| {
            let granted = granted.iter().map(|one| code(one)).collect();
            with_former(code(provider), granted, &Successions::known(), CogYear(year))
        };
        assert_eq!(of("93066", &["93066"], 2026), [code("93066"), code("93059")]);
        assert_eq!(of("93066", &["93066"], 2024), [code("93066")]);
        assert_eq!(of("93001", &[], 2026), [code("93001")]);
        assert_eq!(of("93001", &["93001", "93066"], 2026), [code("93001"), code("93059"), code("93066")]);
    }
}
