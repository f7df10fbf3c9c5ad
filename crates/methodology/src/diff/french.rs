//! Differences between versions, as a CCAS agent, a coordinator or an author reads them.

use std::collections::BTreeSet;

use model::{DimensionCode, IndicatorCode};

use super::{Breach, Bump, Change, Diff, Lie};
use crate::pack::Pack;

impl Change {
    /// One sentence.
    pub fn french(&self, old: &Pack, new: &Pack) -> String {
        let name = |indicator: &IndicatorCode| {
            let found = new.indicator(indicator).or_else(|| old.indicator(indicator));
            found.map_or_else(|| indicator.to_string(), |(_, found)| format!("{indicator} (« {} »)", found.title))
        };
        match self {
            Self::Breaks { indicator, breach, .. } => {
                let name = name(indicator);
                match breach {
                    Breach::Definition => {
                        format!("✗ {name} : la définition change ; aucun chiffre d’avant ne se compare à ceux d’après.")
                    }
                    Breach::Removed => format!("✗ {name} : l’indicateur disparaît ; sa série s’arrête."),
                    Breach::BreakdownRemoved(axes) => {
                        format!("✗ {name} : la ventilation par {} disparaît ; sa série s’arrête.", by(axes))
                    }
                    Breach::BreakdownChanged(axes) => format!(
                        "✗ {name} : les modalités changent ; les chiffres d’avant par {} ne se comparent plus.",
                        by(axes)
                    ),
                }
            }
            Self::NewIndicator(table, indicator) => {
                format!("+ {} : nouvel indicateur de la table {table}.", name(indicator))
            }
            Self::NewBreakdown(_, indicator, axes) => {
                format!("+ {} : nouvelle ventilation par {}.", name(indicator), by(axes))
            }
            Self::Rule(table) => format!(
                "~ Table {table} : la protection change ; mêmes chiffres, mais d’autres cellules peuvent être cachées."
            ),
            Self::SentAgain(table) => format!(
                "~ Table {table} : son empreinte change sans que ses chiffres perdent leur sens ; les communes la renvoient entière."
            ),
            Self::Texts => "~ Seuls des textes, des fiches ou des cas d’épreuve changent.".to_owned(),
        }
    }
}

impl Diff {
    /// A title, one line per change, the number that is due.
    pub fn french(&self, old: &Pack, new: &Pack) -> String {
        let mut text = format!("{} : {} → {}\n", new.title(), old.version(), new.version());
        for change in &self.changes {
            text.push_str(&change.french(old, new));
            text.push('\n');
        }
        let due = match self.due {
            None => "Aucun octet ne diffère, sauf peut-être le numéro.".to_owned(),
            Some(bump) => format!(
                "Numéro dû : {} ({}).",
                self.version,
                match bump {
                    Bump::Major => "des chiffres cessent d’être comparables",
                    Bump::Minor => "rien ne cesse d’être comparable",
                    Bump::Patch => "mêmes questions, mêmes règles",
                }
            ),
        };
        text + &due
    }
}

impl Lie {
    /// What is wrong with the number of `new`, and the number to write.
    pub fn french(self, new: &Pack, found: &Diff) -> String {
        let (said, due) = (new.version(), &found.version);
        match self {
            Self::OtherPack => {
                "Ce sont deux référentiels différents (code de pack.toml), non deux versions du même.".to_owned()
            }
            Self::NotHigher => {
                format!(
                    "Refusé : des fichiers changent et le numéro {said} n’augmente pas. Écrivez version = \"{due}\"."
                )
            }
            Self::TooSmall => {
                format!("Refusé : le numéro {said} annonce moins que ce qui change. Écrivez version = \"{due}\".")
            }
            Self::NothingBreaks => format!(
                "Refusé : le numéro {said} annonce une rupture, et aucun chiffre ne cesse d’être comparable. Écrivez version = \
                 \"{due}\"."
            ),
        }
    }
}

fn by(axes: &BTreeSet<DimensionCode>) -> String {
    if axes.is_empty() {
        return "le total".to_owned();
    }
    axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ")
}
