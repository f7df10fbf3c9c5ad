//! Rules by producer, as data, each with where it is written. Texts are French: an agent reads them.

use super::criterion::{Criterion, Percent, Strictness};
use crate::scheme::Zeros;

/// What a producer's rule does with figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Cells are hidden here.
    Here {
        /// By these rules.
        criteria: Vec<Criterion>,
        /// Whether zeros are hidden too.
        zeros: Zeros,
        /// How wide every hidden figure must stay at least.
        width: u32,
    },
    /// The producer protected them already: they are shown, and known to the intruder.
    AtSource {
        /// A figure `v` may stand for anything from `v − below` to `v + above`.
        below: u32,
        /// See `below`.
        above: u32,
    },
}

/// A rule as a producer states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How it is named on the command line.
    pub name: &'static str,
    /// Whose rule.
    pub producer: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Where it is written.
    pub source: &'static str,
    /// What is done.
    pub treatment: Treatment,
}

fn here(criteria: Vec<Criterion>, width: u32) -> Treatment {
    Treatment::Here { criteria, zeros: Zeros::Publish, width }
}

/// The whole catalogue.
pub fn catalogue() -> Vec<Entry> {
    let share = |percent, strictness| Criterion::Dominance { largest: 1, share: Percent::new(percent), strictness };
    vec![
        Entry {
            name: "ccas-ordinaire",
            producer: "CCAS, activité ordinaire",
            says: "les effectifs de 1 à 4 sont cachés ; l’incertitude reste d’au moins 5",
            source: "proposition du projet, à décider par le DPO et le comité de pilotage",
            treatment: here(vec![Criterion::Threshold { least: 5 }], 5),
        },
        Entry {
            name: "ccas-sensible",
            producer: "CCAS, thèmes sensibles (santé, violences, enfance, domiciliation)",
            says: "les effectifs de 1 à 10 sont cachés ; l’incertitude reste d’au moins 11",
            source: "proposition du projet, à décider par le DPO et le comité de pilotage",
            treatment: here(vec![Criterion::Threshold { least: 11 }], 11),
        },
        Entry {
            name: "departement-rsa",
            producer: "Départements, RSA en données ouvertes",
            says: "les valeurs de 1 à 4 inclus ne sont pas publiées ; zéro l’est",
            source: "https://www.data.gouv.fr/datasets/revenu-de-solidarite-active-rsa-en-loire-atlantique-par-commune-2/",
            treatment: here(vec![Criterion::Threshold { least: 5 }], 5),
        },
        Entry {
            name: "insee-fiscal",
            producer: "INSEE, revenus fiscaux (données carroyées)",
            says: "rien sous 11 ménages ; colonne contributors = nombre de ménages",
            source: "https://decryptageo.fr/donnees-carroyees-de-linsee-entre-espoir-et-deception",
            treatment: here(vec![Criterion::Contributors { least: 11 }], 1),
        },
        Entry {
            name: "insee-entreprises",
            producer: "INSEE, entreprises",
            says: "au moins 3 unités par case, aucune au-delà de 85 % ; colonnes contributors et top1",
            source: "https://inseefrlab.github.io/manuel-protection-tableaux/chapters/annexes/regles.html",
            treatment: here(vec![Criterion::Contributors { least: 3 }, share(85, Strictness::Beyond)], 1),
        },
        Entry {
            name: "communes",
            producer: "Statistiques de groupe entre communes",
            says: "au moins 3 communes par case, aucune à 85 % ou plus ; contributors = communes, top1 = la plus grande",
            source: "règle 3 unités / 85 % de l’INSEE, appliquée aux communes : https://inseefrlab.github.io/manuel-protection-tableaux/chapters/annexes/regles.html",
            treatment: here(vec![Criterion::Contributors { least: 3 }, share(85, Strictness::From)], 1),
        },
        Entry {
            name: "cnam-ns",
            producer: "CNAM, professionnels de santé",
            says: "rien sous 5 professionnels (« NS ») ; colonne contributors = professionnels",
            source: "https://www.data.gouv.fr/datasets/acces-aux-soins-file-active-moyenne-par-specialite-et-territoire-departement-region-par-annee/",
            treatment: here(vec![Criterion::Contributors { least: 5 }], 1),
        },
        Entry {
            name: "drees-es",
            producer: "DREES, enquête auprès des établissements sociaux",
            says: "aucun tableau sur une population de dix personnes ou moins",
            source: "arrêté du 8 janvier 1993, https://legal.tricoteuses.fr/articles/JORFARTI000001963750",
            treatment: here(vec![Criterion::Threshold { least: 11 }], 11),
        },
        Entry {
            name: "cnaf-arrondi",
            producer: "CNAF, données ouvertes",
            says: "arrondi à 5 par le producteur : montré tel quel, une valeur v peut être de v − 2 à v + 4",
            source: "https://www.data.gouv.fr/datasets/rsa-et-pa-repartition-des-allocataires-epci/",
            treatment: Treatment::AtSource { below: 2, above: 4 },
        },
    ]
}

/// The rule of this name.
pub fn find(name: &str) -> Option<Entry> {
    catalogue().into_iter().find(|entry| entry.name == name)
}
