//! Publishes a new version of a pack: shown first, written when somebody agreed.

mod ask;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use methodology::{Change, Diff, Pack, diff};
use model::{CommuneCode, Failure, FailureKind, TableCode, Timestamp};
use store::hub::{FormerVersion, PackLine, PackPublication, SliceState};

use crate::packs::{changed, record};
use crate::{Hub, failure};

pub use ask::{download, offered};

/// How long figures are taken under the former version where nobody says otherwise: a quarter, in which every commune
/// computes at least once.
pub const FORMER_TAKEN: Duration = Duration::from_hours(24 * 90);

/// What publishing would change.
pub struct PublicationPlan {
    pack: Pack,
    before: Option<Arc<Pack>>,
    expected: Option<PackLine>,
    next: PackLine,
    found: Option<Diff>,
    at: Timestamp,
    /// Communes that filled a table whose definition changes.
    senders: BTreeSet<CommuneCode>,
}

impl Hub {
    /// Compares `pack` with the version published now. `former_until` is the last instant at which figures are taken
    /// under that one; without it, [`FORMER_TAKEN`] from now. The version published now may be named again: its former
    /// one then ends at another instant.
    ///
    /// # Errors
    /// `PACK_NUMBER`: a number that lies; `PACK_CHANGED`: other files under a published number; `PACK_UNTIL`: an end in
    /// the past, or of a version that is not there.
    pub async fn plan_publication(
        &self,
        pack: Pack,
        former_until: Option<Timestamp>,
    ) -> Result<PublicationPlan, Failure> {
        let now = self.now();
        if former_until.is_some_and(|until| until <= now) {
            return Err(until("La date de fin de l’ancienne version est passée : choisissez une date à venir."));
        }
        let packs = self.packs().await?;
        let expected = packs.line(pack.code()).cloned();
        let before = packs.get(pack.code()).map(|published| Arc::clone(&published.pack));
        let former = match (&before, &expected) {
            (Some(before), Some(line)) if before.version() == pack.version() => {
                if before.files() != pack.files() {
                    return Err(changed(&pack));
                }
                match (&line.former, former_until) {
                    (None, Some(_)) => {
                        return Err(until(
                            "Cette version n’en remplace aucune : il n’y a pas d’ancienne version à prolonger.",
                        ));
                    }
                    (former, None) => former.clone(),
                    (Some(former), Some(until)) => Some(FormerVersion { until, ..former.clone() }),
                }
            }
            (_, Some(line)) => Some(FormerVersion {
                version: line.version.clone(),
                until: former_until.unwrap_or(now.plus(FORMER_TAKEN)),
            }),
            (_, None) if former_until.is_some() => {
                return Err(until("C’est la première version de ce référentiel : il n’y a pas d’ancienne version."));
            }
            (_, None) => None,
        };
        let found =
            before.as_ref().filter(|before| before.version() != pack.version()).map(|before| diff(before, &pack));
        if let Some(found) = &found {
            honest(&pack, found)?;
        }
        let senders = match &found {
            Some(found) => self.senders(&pack, &redefined(found)).await?,
            None => BTreeSet::new(),
        };
        let next = PackLine { code: pack.code().clone(), version: pack.version().to_owned(), former };
        Ok(PublicationPlan { pack, before, expected, next, found, at: now, senders })
    }

    /// Publishes what was planned. `false`: everything was there already.
    ///
    /// # Errors
    /// `PACK_MOVED` if another publication came first.
    pub async fn publish_pack(&self, plan: &PublicationPlan) -> Result<bool, Failure> {
        if plan.is_there() {
            return Ok(false);
        }
        let record = record(&plan.pack, &self.0.signing_key, self.now())?;
        match self.0.store.publish_pack(&record, &plan.next, plan.expected.as_ref()).await.map_err(failure::storage)? {
            PackPublication::Done => {
                tracing::info!(pack = %plan.next.code, version = %plan.next.version, "published");
                Ok(true)
            }
            PackPublication::OtherBytes => Err(changed(&plan.pack)),
            PackPublication::Overtaken => Err(Failure::new(
                FailureKind::Conflict,
                "PACK_MOVED",
                "the line of the pack moved since it was read",
                "Une autre publication de ce référentiel vient d’avoir lieu : relancez la commande pour voir ce qui change maintenant.",
            )),
        }
    }

    async fn senders(&self, pack: &Pack, tables: &BTreeSet<TableCode>) -> Result<BTreeSet<CommuneCode>, Failure> {
        let filled = self.0.store.filled().await.map_err(failure::storage)?;
        let touched = filled.into_iter().filter(|one| {
            one.state == SliceState::Present && one.slice.pack == *pack.code() && tables.contains(&one.slice.table)
        });
        Ok(touched.map(|one| one.slice.territory).collect())
    }
}

impl PublicationPlan {
    /// Whether nothing would change.
    pub fn is_there(&self) -> bool {
        self.expected.as_ref() == Some(&self.next)
    }

    /// What a person reads before agreeing.
    pub fn french(&self) -> String {
        let mut lines = Vec::new();
        match (&self.before, &self.found) {
            (Some(before), Some(found)) => {
                lines.push(found.french(before, &self.pack));
                let breaks = found.changes.iter().any(|change| matches!(change, Change::Breaks { .. }));
                lines.push(if breaks {
                    "Les indicateurs marqués ✗ : les chiffres déjà envoyés ne se comparent plus à ceux qui suivront. Les autres restent comparables.".to_owned()
                } else {
                    "Tous les chiffres déjà envoyés restent comparables.".to_owned()
                });
                let tables = redefined(found);
                if !tables.is_empty() {
                    let named: Vec<&str> = tables.iter().map(TableCode::as_str).collect();
                    lines.push(format!(
                        "Tables à envoyer entières sous la nouvelle version : {}. Les périodes déjà envoyées restent comme elles sont ; la nouvelle version sert dès la prochaine ({} ont déjà envoyé).",
                        named.join(", "),
                        render::number::counted(self.senders.len(), "commune", "communes")
                    ));
                }
            }
            (Some(_), None) => {
                lines.push(format!("{} {} est déjà la version en vigueur.", self.pack.title(), self.pack.version()));
            }
            (None, _) => lines.push(format!(
                "{} {} : première version publiée ici ; toutes ses tables pourront être envoyées.",
                self.pack.title(),
                self.pack.version()
            )),
        }
        if let Some(former) = &self.next.former {
            lines.push(format!(
                "La version {} reste acceptée jusqu’au {} inclus (--previous-until pour une autre date).",
                former.version,
                render::date::day(former.until)
            ));
        }
        let ended = self.expected.as_ref().and_then(|line| line.former.as_ref());
        let kept = self.next.former.as_ref().map(|former| &former.version);
        if let Some(ended) = ended.filter(|ended| Some(&ended.version) != kept && ended.until > self.at) {
            lines.push(format!(
                "La version {}, encore acceptée jusqu’au {}, ne le sera plus dès maintenant : deux versions au plus.",
                ended.version,
                render::date::day(ended.until)
            ));
        }
        lines.join("\n")
    }
}

fn redefined(found: &Diff) -> BTreeSet<TableCode> {
    let table = |change: &Change| match change {
        Change::Breaks { table, .. } | Change::SentAgain(table) => Some(table.clone()),
        Change::NewIndicator(..) | Change::NewBreakdown(..) | Change::Rule(_) | Change::Texts => None,
    };
    found.changes.iter().filter_map(table).collect()
}

fn honest(pack: &Pack, found: &Diff) -> Result<(), Failure> {
    let message = match (found.lie, found.due) {
        (Some(lie), _) => lie.french(pack, found),
        (None, None) => "Seul le numéro de version diffère de la version publiée : il n’y a rien à publier.".to_owned(),
        (None, Some(_)) => return Ok(()),
    };
    Err(Failure::new(FailureKind::Invalid, "PACK_NUMBER", format!("version {} is not due", pack.version()), message))
}

fn until(message: &str) -> Failure {
    Failure::new(FailureKind::Invalid, "PACK_UNTIL", "no such end of a former version", message)
}
