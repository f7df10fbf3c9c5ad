//! Communes from their parts, where their producer publishes only these.

use std::collections::BTreeMap;

use model::{Area, Level};
use statistics::{Amount, Interval, Silence};

use super::series::{Half, Kept, PublicRow};

/// Sums by commune.
pub(super) type Sums = BTreeMap<Area, Half>;

/// For each commune without a figure of its own, the sum of its IRIS: exact if all are known, else at least what is known
/// of them. An IRIS begins with the code of its commune; nothing is said about IRIS that the file does not list.
pub(super) fn sums(kept: &Kept, signed: bool) -> Sums {
    let mut sums = Sums::new();
    for (area, one) in kept.figures.iter().filter(|(area, _)| area.level() == Level::Iris) {
        let commune = area.code().get(..5).and_then(|code| Area::new(Level::Commune, code).ok());
        let Some(commune) = commune.filter(|commune| !kept.figures.contains_key(commune)) else { continue };
        let Some(amount) = one.in_sum(signed) else { continue };
        let known = sums.entry(commune).or_insert(Half {
            amount: Some(Amount { interval: Interval::known(0), decimals: amount.decimals }),
            silence: Silence::NotCollected,
            suppressed: false,
            revised: false,
        });
        known.revised |= one.is_revised();
        known.amount = known.amount.and_then(|sum| added(sum, amount));
    }
    sums
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
            "Communes : somme de leurs IRIS, telle que le fichier la permet. « au moins » dit que le producteur garde secret un IRIS de la commune. Une commune sans découpage en IRIS est absente du fichier.".to_owned(),
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
