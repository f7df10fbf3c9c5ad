//! Whether a submission may be taken: by whom, under which definitions, and whether the intruder learns too much.

use std::collections::BTreeSet;

use disclosure::Ledger;
use disclosure::attack::examine;
use methodology::Table;
use model::{CogYear, FailureKind, Slice, Successions, Timestamp};
use wire::document::{ReceivedSlice, Submission};
use wire::status::{Conflict, Refusal};

use super::conflict::{of_cause, refuse, row};
use crate::auth::Provider;
use crate::packs::{NotTaken, Packs};

/// Territories and periods are those that the provider may write about.
pub(crate) fn rights(
    provider: &Provider,
    submission: &Submission,
    successions: &Successions,
    now: Timestamp,
) -> Result<(), Refusal> {
    let slices = submission.slices.iter().map(|slice| &slice.received.slice);
    slices_allowed(provider, slices, successions, now)
}

/// The same for slices that are only named.
pub(crate) fn slices_allowed<'a>(
    provider: &Provider,
    slices: impl Iterator<Item = &'a Slice> + Clone,
    successions: &Successions,
    now: Timestamp,
) -> Result<(), Refusal> {
    let foreign: Vec<Conflict> = slices
        .clone()
        .filter(|slice| !provider.owns(slice.territory))
        .map(|slice| {
            conflict(
                "TERRITORY_NOT_YOURS",
                slice,
                format!("La commune {} n’est pas de celles que ce poste peut renseigner.", slice.territory),
                "Corrigez le territoire dans node.toml, ou demandez ce droit à la coordination.",
            )
        })
        .collect();
    if let Some(refusal) = refuse(FailureKind::Denied, "TERRITORY_NOT_YOURS", foreign) {
        return Err(refusal);
    }
    let misdated: Vec<Conflict> = slices.filter_map(|slice| misdated(slice, successions, now)).collect();
    refuse(FailureKind::Invalid, "PERIOD_NOT_POSSIBLE", misdated).map_or(Ok(()), Err)
}

fn misdated(slice: &Slice, successions: &Successions, now: Timestamp) -> Option<Conflict> {
    let year = slice.period.year();
    if let Some(step) = successions.ended(slice.territory, CogYear(year)) {
        return Some(conflict(
            "TERRITORY_CEASED",
            slice,
            format!("La commune {} n’existe plus depuis {}.", slice.territory, step.since.0),
            &format!("Rattachez ces chiffres à la commune {} à partir de cette année-là.", step.successor),
        ));
    }
    if now.year().is_some_and(|this_year| year > this_year) {
        return Some(conflict(
            "PERIOD_IN_FUTURE",
            slice,
            format!("La période {} n’a pas encore commencé.", slice.period),
            "Corrigez la période de la source dans node.toml.",
        ));
    }
    None
}

/// Packs, versions, definitions and units are those that the hub compares by.
///
/// Any rule may be named: a commune may be stricter than its pack, and looser is not taken on its word, because the
/// attack applies the pack's own rule to what is visible.
pub(crate) fn definitions(submission: &Submission, packs: &Packs, now: Timestamp) -> Result<(), Refusal> {
    let conflicts: Vec<Conflict> = submission.slices.iter().flat_map(|slice| undefined(slice, packs, now)).collect();
    refuse(FailureKind::Precondition, "DEFINITION_MISMATCH", conflicts).map_or(Ok(()), Err)
}

/// Periods are of the kind that their tables speak of.
pub(crate) fn periods(submission: &Submission, packs: &Packs) -> Result<(), Refusal> {
    let conflicts: Vec<Conflict> = submission
        .slices
        .iter()
        .filter_map(|slice| Some((&slice.received.slice, table(slice, packs)?)))
        .filter(|(name, table)| !table.takes(name.period))
        .map(|(name, table)| {
            conflict(
                "PERIOD_OF_ANOTHER_KIND",
                name,
                format!(
                    "« {} » ne se remplit pas pour la période {} : le référentiel attend {}.",
                    table.title(),
                    name.period,
                    table.periods_in_french()
                ),
                "Corrigez la période de la source dans node.toml.",
            )
        })
        .collect();
    refuse(FailureKind::Invalid, "PERIOD_NOT_POSSIBLE", conflicts).map_or(Ok(()), Err)
}

fn undefined(slice: &ReceivedSlice, packs: &Packs, now: Timestamp) -> Vec<Conflict> {
    const SYNC: &str = "Relancez « maillage node preview » : le poste recevra le référentiel à jour.";
    let name = &slice.received.slice;
    let unknown = || {
        vec![conflict(
            "TABLE_UNKNOWN",
            name,
            format!("Le centre n’attend pas de tableau « {} » du référentiel « {} ».", name.table, name.pack),
            SYNC,
        )]
    };
    let attributes = &slice.received.attributes;
    let version = &attributes.pack_version;
    let Some((current, taken)) =
        packs.get(&name.pack).zip(packs.taken(&name.pack, version, now)).map(|(known, taken)| (&known.pack, taken))
    else {
        return unknown();
    };
    let pack = match taken {
        Ok(pack) => pack,
        // What the current version has no table for is not a matter of versions.
        Err(_) if current.table(&name.table).is_none() => return unknown(),
        Err(NotTaken::Ended(until)) => {
            return vec![conflict(
                "PACK_VERSION_ENDED",
                name,
                format!(
                    "Le tableau suit la version {version} du référentiel « {} », acceptée jusqu’au {} ; la version en vigueur est la {}.",
                    name.pack,
                    render::date::day(until),
                    current.version()
                ),
                SYNC,
            )];
        }
        Err(NotTaken::Other) => {
            return vec![conflict(
                "PACK_VERSION_NOT_CURRENT",
                name,
                format!(
                    "Le tableau suit la version {version} du référentiel « {} », le centre compare en version {}.",
                    name.pack,
                    current.version()
                ),
                SYNC,
            )];
        }
    };
    let Some(table) = pack.table(&name.table) else { return unknown() };
    if attributes.definition != table.definition_hash() {
        return vec![conflict(
            "DEFINITION_MISMATCH",
            name,
            "Les définitions du poste ne sont pas celles du centre, bien que la version soit la même.".to_owned(),
            SYNC,
        )];
    }
    let scheme = table.scheme();
    slice
        .decimals
        .iter()
        .filter(|(indicator, decimals)| scheme.measure(indicator).is_some_and(|m| m.decimals != **decimals))
        .map(|(indicator, _)| Conflict {
            code: "DECIMALS_MISMATCH".to_owned(),
            row: format!("{name} {indicator}"),
            cause: "Les chiffres sont écrits avec un autre nombre de décimales que celui du référentiel.".to_owned(),
            cure: SYNC.to_owned(),
        })
        .collect()
}

/// The table as the version that the slice names defines it.
fn table<'a>(slice: &ReceivedSlice, packs: &'a Packs) -> Option<&'a Table> {
    let name = &slice.received.slice;
    packs.version(&name.pack, &slice.received.attributes.pack_version)?.table(&name.table)
}

/// Whether every slice withstands the intruder who knows `ledger`. Long: runs off the event loop.
pub(crate) fn admissible(submission: &Submission, packs: &Packs, ledger: &Ledger) -> Result<(), Refusal> {
    let mut conflicts = Vec::new();
    let (mut cells, mut troubled) = (0, BTreeSet::new());
    for slice in &submission.slices {
        cells += slice.received.cells.len();
        let name = &slice.received.slice;
        let Some(table) = table(slice, packs) else { continue };
        let Err(refusal) = examine(&slice.received, table.scheme(), ledger) else { continue };
        for found in refusal.conflicts {
            let row = row(name, Some((&found.indicator, &found.key)));
            if slice.received.cells.contains_key(&(found.indicator, found.key)) {
                troubled.insert(row.clone());
            }
            conflicts.push(of_cause(row, found.cause));
        }
    }
    let Some(mut refusal) = refuse(FailureKind::Invalid, "DISCLOSURE_CONFLICT", conflicts) else { return Ok(()) };
    let good = cells - troubled.len();
    refusal.failure.detail = format!("{good} of {cells} cells without conflict; {}", refusal.failure.detail);
    refusal.failure.message = format!("{} (Cases sans reproche : {good} sur {cells}.)", refusal.failure.message);
    Err(refusal)
}

fn conflict(code: &str, slice: &Slice, cause: String, cure: &str) -> Conflict {
    Conflict { code: code.to_owned(), row: row(slice, None), cause, cure: cure.to_owned() }
}
