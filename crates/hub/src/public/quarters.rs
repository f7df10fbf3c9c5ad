//! Communes from their parts, where their producer publishes only these.

use std::collections::BTreeMap;

use model::{Area, CommuneCode, Level};
use statistics::{Amount, Interval, Silence};

use super::series::{Half, Kept, PublicRow};

/// Sums by commune.
pub(super) type Sums = BTreeMap<Area, Half>;

/// For each commune without a figure of its own, the sum of its arrondissements, else of its IRIS: exact if all are known,
/// else at least what is known of them. Nothing is said about parts that the file does not list.
pub(super) fn sums(kept: &Kept, signed: bool) -> Sums {
    let mut sums = Sums::new();
    for level in [Level::Arrondissement, Level::Iris] {
        let mut of_level = Sums::new();
        for (area, one) in kept.figures.iter().filter(|(area, _)| area.level() == level) {
            let Some(commune) = commune(area) else { continue };
            if kept.figures.contains_key(&commune) || sums.contains_key(&commune) {
                continue;
            }
            let Some(amount) = one.in_sum(signed) else { continue };
            let nothing = Amount { interval: Interval::known(0), decimals: amount.decimals };
            let known = of_level.entry(commune).or_insert(Half {
                amount: Some(nothing),
                silence: Silence::NotCollected,
                suppressed: false,
                revised: false,
            });
            known.revised |= one.is_revised();
            known.amount = known.amount.and_then(|sum| added(sum, amount));
        }
        sums.extend(of_level);
    }
    sums
}

/// The commune that a part begins with the code of; Paris, Lyon and Marseille for their arrondissements.
fn commune(part: &Area) -> Option<Area> {
    let code: CommuneCode = part.code().get(..5)?.parse().ok()?;
    Area::new(Level::Commune, code.whole().unwrap_or(code).as_str()).ok()
}

/// In the finer of two units; `None` if that does not fit.
fn added(left: Amount, right: Amount) -> Option<Amount> {
    let decimals = left.decimals.max(right.decimals);
    let finer = |amount: Amount| {
        let factor = i128::from(decimals.one() / amount.decimals.one());
        let high = match amount.interval.hi() {
            Some(high) => Some(high.checked_mul(factor)?),
            None => None,
        };
        Interval::between(amount.interval.lo().checked_mul(factor)?, high)
    };
    Some(Amount { interval: finer(left)? + finer(right)?, decimals })
}

/// What one must know of communes that are sums, or of parts that are not.
pub(super) fn note(communes: &[PublicRow], quarters: &[PublicRow], summed: bool) -> Option<String> {
    let of = |level: Level| quarters.iter().any(|row| row.area.level() == level);
    if summed {
        return Some(
            "Communes : somme de leurs IRIS (ou de leurs arrondissements), telle que le fichier la permet. « au moins » dit que le producteur en garde un secret. Une commune sans découpage en IRIS est absente du fichier.".to_owned(),
        );
    }
    if of(Level::Qpv) {
        return Some(
            "Quartiers prioritaires : un quartier peut s’étendre sur plusieurs communes, et n’en couvre aucune. Ces chiffres ne se soustraient pas de ceux des communes sans précaution.".to_owned(),
        );
    }
    (of(Level::Iris) && communes.is_empty())
        .then(|| "Chiffres par IRIS : ni somme ni moyenne n’en donne un pour la commune.".to_owned())
}
