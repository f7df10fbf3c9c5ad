//! The partnership's policy: what each audience sees of *another* commune's figures, by kind of indicator.
//!
//! A file of the hub's folder, `visibility.toml`, read each time somebody asks. Without one the coordination sees figures
//! by the names of the communes, and nobody else sees any but its own and those of a group. The narrowest rule that fits
//! decides: of an indicator before of a table, of a table before of a pack, of a pack before of all.
//!
//! ```toml
//! [[rule]]
//! audience = "members"                    # coordinators, members, partners or public
//! shows = "bands"                         # named, bands or nothing
//! pack = "ccas-activite"                  # without it: every pack
//! table = "domiciliation"                 # without it: every table of the pack
//! indicator = "dom_demandes"              # without it: every indicator of the table
//! ```

use std::path::Path;

use model::{Audience, Failure, FailureKind, IndicatorCode, PackCode, TableCode};
use serde::Deserialize;

use crate::packs::Packs;
use crate::{Hub, failure};

/// How other communes' figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Showing {
    /// Not at all: one's own figure, and the group's.
    Nothing,
    /// As the band in which one's own figure lies; no value of another commune, no list, no number of those behind it.
    Bands,
    /// By the names of the communes.
    Named,
}

impl Showing {
    /// What is not shown, in French; `None` where communes are named.
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Named => None,
            Self::Bands => Some(
                "Les chiffres des autres communes ne sont pas montrés : seulement votre position parmi celles qui partagent ce tableau, et leur groupe.",
            ),
            Self::Nothing => Some(
                "Les chiffres des autres communes ne sont pas montrés : seulement le vôtre, et celui du groupe de celles qui partagent ce tableau.",
            ),
        }
    }
}

/// What the partnership decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    audience: Audience,
    shows: Showing,
    pack: Option<PackCode>,
    table: Option<TableCode>,
    indicator: Option<IndicatorCode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyText {
    #[serde(default)]
    rule: Vec<Rule>,
}

impl Rule {
    fn meets(&self, audience: Audience, pack: &PackCode, table: &TableCode, indicator: &IndicatorCode) -> bool {
        self.audience == audience
            && self.pack.as_ref().is_none_or(|own| own == pack)
            && self.table.as_ref().is_none_or(|own| own == table)
            && self.indicator.as_ref().is_none_or(|own| own == indicator)
    }

    /// Larger for what says more of what it is about.
    fn narrowness(&self) -> u8 {
        u8::from(self.pack.is_some()) + u8::from(self.table.is_some()) + u8::from(self.indicator.is_some())
    }
}

impl Policy {
    /// How `audience` sees other communes' figures of an indicator.
    pub fn showing(
        &self,
        audience: Audience,
        pack: &PackCode,
        table: &TableCode,
        indicator: &IndicatorCode,
    ) -> Showing {
        let fitting = self.rules.iter().filter(|rule| rule.meets(audience, pack, table, indicator));
        match fitting.max_by_key(|rule| rule.narrowness()) {
            Some(rule) => rule.shows,
            None if audience == Audience::Coordinators => Showing::Named,
            None => Showing::Nothing,
        }
    }

    /// Reads the file; the cause, in French, where it is wrong.
    pub(crate) fn read(text: &str, packs: &Packs) -> Result<Self, String> {
        let file: PolicyText = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            format!("\n{}\n", render::settings::fault(text, at, error.message()))
        })?;
        for (index, rule) in file.rule.iter().enumerate() {
            known(rule, packs)?;
            // Two rules that fit alike must not leave it to their order who sees what.
            let same = |other: &&Rule| {
                (&other.audience, &other.pack, &other.table, &other.indicator)
                    == (&rule.audience, &rule.pack, &rule.table, &rule.indicator)
            };
            if file.rule[..index].iter().any(|other| same(&other)) {
                return Err(format!("la règle n° {} parle du même sujet qu’une règle qui la précède.", index + 1));
            }
        }
        Ok(Self { rules: file.rule })
    }
}

/// A rule about something that does not exist protects nothing, and whoever wrote it believes that it does.
fn known(rule: &Rule, packs: &Packs) -> Result<(), String> {
    let Some(pack) = &rule.pack else {
        return match (&rule.table, &rule.indicator) {
            (None, None) => Ok(()),
            _ => Err("« table » et « indicator » demandent « pack ».".to_owned()),
        };
    };
    let published = packs.get(pack).ok_or_else(|| format!("le centre n’a pas de référentiel « {pack} »."))?;
    let Some(code) = &rule.table else {
        return match &rule.indicator {
            None => Ok(()),
            Some(_) => Err("« indicator » demande « table ».".to_owned()),
        };
    };
    let table = published
        .pack
        .table(code)
        .ok_or_else(|| format!("le référentiel « {pack} » n’a pas de tableau « {code} »."))?;
    match &rule.indicator {
        Some(indicator) if table.indicator(indicator).is_none() => {
            Err(format!("le tableau « {code} » n’a pas d’indicateur « {indicator} »."))
        }
        Some(_) | None => Ok(()),
    }
}

impl Hub {
    /// The policy of now.
    pub(crate) fn policy(&self, packs: &Packs) -> Result<Policy, Failure> {
        let path = self.folder().visibility();
        match std::fs::read_to_string(&path) {
            Ok(text) => Policy::read(&text, packs).map_err(|cause| malformed(&path, &cause)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Policy::default()),
            Err(error) => Err(failure::file(&path, error)),
        }
    }
}

fn malformed(path: &Path, cause: &str) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "VISIBILITY",
        format!("{}: not a policy", path.display()),
        format!(
            "Le fichier qui dit qui voit quoi ({}) contient une erreur : {cause} Tant qu’elle n’est pas corrigée, aucune comparaison n’est montrée.",
            path.display()
        ),
    )
}
