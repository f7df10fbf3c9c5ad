//! Rules as they are typed.

use std::path::PathBuf;
use std::str::FromStr;

use disclosure::Zeros;
use disclosure::tables::catalogue::{self, Entry, Treatment};
use disclosure::tables::{Criterion, Percent, Strictness};
use model::Failure;

use super::french;

/// One rule: written out, or by its name in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `threshold=5`, `dominance=1,85`, …
    Written(Criterion),
    /// `ccas-ordinaire`, …
    Named(Entry),
}

const FORMS: &str = "threshold=5, dominance=1,85, p=15, min-contributors=3, one-category=DIMENSION, differences=5, ou un \
                     nom du catalogue (maillage protect --rules)";

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, limit)) = text.split_once('=') else {
            return catalogue::find(text)
                .map(Self::Named)
                .ok_or_else(|| format!("aucune règle de ce nom ; écrivez {FORMS}"));
        };
        let least = || match limit.trim().parse::<u32>() {
            Ok(least) if least >= 1 => Ok(least),
            _ => Err("après « = », écrivez un nombre entier d’au moins 1".to_owned()),
        };
        let criterion = match name.trim() {
            "threshold" => Criterion::Threshold { least: least()? },
            "min-contributors" => Criterion::Contributors { least: least()? },
            "differences" => Criterion::Difference { least: least()? },
            "p" => Criterion::Precision { p: percent(limit)? },
            "dominance" => {
                let (largest, share) = limit
                    .split_once(',')
                    .ok_or("écrivez dominance=N,K : N (1 ou 2) plus grands contributeurs, K % au plus")?;
                let largest = match largest.trim() {
                    "1" => 1,
                    "2" => 2,
                    _ => return Err("N est 1 ou 2 : les colonnes top1 et top2 ne disent rien de plus".to_owned()),
                };
                Criterion::Dominance { largest, share: percent(share)?, strictness: Strictness::Beyond }
            }
            "one-category" if !limit.trim().is_empty() => Criterion::OneCategory { dimension: limit.trim().to_owned() },
            _ => return Err(format!("règle inconnue ; écrivez {FORMS}")),
        };
        Ok(Self::Written(criterion))
    }
}

/// A table as its producer published it: `cnaf-arrondi=cnaf.csv`, `exact=insee.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtSource {
    /// Where it is.
    pub path: PathBuf,
    /// A figure `v` may stand for anything from `v − below` to `v + above`.
    pub below: u32,
    /// See `below`.
    pub above: u32,
}

impl FromStr for AtSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rounded = |name: &str| match catalogue::find(name)?.treatment {
            Treatment::AtSource { below, above } => Some((below, above)),
            Treatment::Here { .. } => None,
        };
        let known = text.split_once('=').and_then(|(name, path)| {
            let (below, above) = if name.trim() == "exact" { (0, 0) } else { rounded(name.trim())? };
            Some(Self { path: path.into(), below, above })
        });
        let known = known.filter(|source| !source.path.as_os_str().is_empty());
        known.ok_or_else(|| {
            let names = catalogue::catalogue().into_iter().filter(|entry| rounded(entry.name).is_some());
            let names: Vec<&str> = names.map(|entry| entry.name).collect();
            format!("écrivez exact=FICHIER, ou l’arrondi du producteur : {}=FICHIER", names.join("=FICHIER, "))
        })
    }
}

/// More than 0, up to 100, three decimals at most.
fn percent(text: &str) -> Result<Percent, String> {
    let wrong = || "écrivez un pourcentage de plus de 0 et jusqu’à 100, trois décimales au plus".to_owned();
    let text = text.trim().trim_end_matches('%').trim_end();
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 3 || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let thousandths: u32 = format!("{whole}{fraction:0<3}").parse().map_err(|_| wrong())?;
    if (1..=100_000).contains(&thousandths) { Ok(Percent::thousandths(thousandths)) } else { Err(wrong()) }
}

/// All rules together.
pub(super) struct Policy {
    pub(super) criteria: Vec<Criterion>,
    pub(super) zeros: Zeros,
    pub(super) width: u32,
    /// Protected by the producer: below, above.
    pub(super) at_source: Option<(u32, u32)>,
}

impl Policy {
    /// What is said on the command line comes before what the catalogue says.
    pub(super) fn of(rules: &[Rule], width: Option<u32>, zeros: Option<Zeros>) -> Result<Self, Failure> {
        let mut policy = Self { criteria: Vec::new(), zeros: Zeros::Publish, width: 1, at_source: None };
        for rule in rules {
            match rule {
                Rule::Written(criterion) => policy.criteria.push(criterion.clone()),
                Rule::Named(Entry { treatment: Treatment::Here { criteria, zeros, width }, .. }) => {
                    policy.criteria.extend(criteria.iter().cloned());
                    policy.width = policy.width.max(*width);
                    if *zeros == Zeros::Protect {
                        policy.zeros = Zeros::Protect;
                    }
                }
                Rule::Named(Entry { treatment: Treatment::AtSource { below, above }, .. }) => {
                    if rules.len() > 1 {
                        return Err(french::invalid(
                            "TABLE_RULE",
                            "a rule beside figures protected at source",
                            "Des chiffres protégés par leur producteur n’ont pas d’autre règle : donnez celle-là seule. S’ils \
                             portent sur les mêmes cellules qu’un tableau à vous, donnez-les avec --at-source.",
                        ));
                    }
                    policy.at_source = Some((*below, *above));
                }
            }
        }
        policy.zeros = zeros.unwrap_or(policy.zeros);
        policy.width = width.unwrap_or(policy.width);
        if policy.width == 0 {
            return Err(french::invalid("TABLE_WIDTH", "a width of zero", "La largeur demandée est au moins 1."));
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_they_are_documented() {
        let written = |text: &str| match text.parse() {
            Ok(Rule::Written(criterion)) => Some(criterion),
            _ => None,
        };
        assert_eq!(written("threshold=5"), Some(Criterion::Threshold { least: 5 }));
        assert_eq!(written("min-contributors=3"), Some(Criterion::Contributors { least: 3 }));
        assert_eq!(
            written("dominance=1,85"),
            Some(Criterion::Dominance { largest: 1, share: Percent::new(85), strictness: Strictness::Beyond })
        );
        assert_eq!(written("p=15,001"), Some(Criterion::Precision { p: Percent::thousandths(15_001) }));
        assert_eq!(
            written("dominance=2,85,5"),
            Some(Criterion::Dominance {
                largest: 2,
                share: Percent::thousandths(85_500),
                strictness: Strictness::Beyond
            })
        );
        assert_eq!(written("p=12.5"), Some(Criterion::Precision { p: Percent::thousandths(12_500) }));
        for wrong in [
            "p=1,5,5",
            "p=1.5,5",
            "p=0,0001",
            "threshold=1,5",
            "threshold",
            "threshold=0",
            "threshold=-1",
            "dominance=85",
            "dominance=3,85",
            "p=0",
            "p=101",
            "x=1",
        ] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
        assert!(matches!("ccas-sensible".parse(), Ok(Rule::Named(_))));
    }

    #[test]
    fn the_catalogue_gives_the_width_unless_the_person_does() {
        let rules: Vec<Rule> = vec!["ccas-sensible".parse().expect("a rule"), "p=15".parse().expect("a rule")];
        let policy = Policy::of(&rules, None, None).expect("a policy");
        assert_eq!((policy.width, policy.criteria.len()), (11, 2));
        assert_eq!(Policy::of(&rules, Some(3), None).expect("a policy").width, 3);
        let rounded: Vec<Rule> = vec!["cnaf-arrondi".parse().expect("a rule")];
        assert_eq!(Policy::of(&rounded, None, None).expect("a policy").at_source, Some((2, 4)));
        assert!(Policy::of(&[rounded, rules].concat(), None, None).is_err());
    }
}
