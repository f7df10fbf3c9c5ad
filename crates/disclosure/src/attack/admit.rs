//! The hub's door: from a table that a peer claims to one that is proven.

use std::collections::BTreeSet;

use itertools::{EitherOrBoth, Itertools};
use model::{Figure, IndicatorCode, Key};

use super::cause::Cause;
use super::check::{Trouble, check};
use super::world::{Contradiction, Visible};
use crate::ledger::Ledger;
use crate::relations::{Entry, Relations, Standing};
use crate::safe::{Published, Received, SafeTable};
use crate::scheme::TableScheme;

type Name = (IndicatorCode, Key);

/// One problem, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{indicator} ({key}): {cause}")]
pub struct Conflict {
    /// The indicator.
    pub indicator: IndicatorCode,
    /// The cell; for a difference of cells, the smaller of the two.
    pub key: Key,
    /// What is wrong.
    pub cause: Cause,
}

/// Why a table is not let in: at least one conflict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} conflicts, first {}", .conflicts.len(), .conflicts.first().map(ToString::to_string).unwrap_or_default())]
pub struct Refusal {
    /// Every problem found, in ascending order of indicator and key.
    pub conflicts: Vec<Conflict>,
}

impl Refusal {
    fn new(mut conflicts: Vec<Conflict>) -> Self {
        conflicts.sort();
        conflicts.dedup();
        Self { conflicts }
    }

    pub(crate) fn troubles(relations: &Relations, troubles: &[Trouble]) -> Self {
        Self::new(troubles.iter().map(|trouble| conflict(relations, trouble.cell, trouble.cause)).collect())
    }

    pub(crate) fn contradiction(relations: &Relations, contradiction: &Contradiction) -> Self {
        let own = contradiction.0.iter().copied().filter(|&id| id < relations.cells.len());
        let cell = own.clone().find(|&id| !relations.cells[id].names.is_empty()).or_else(|| own.clone().next());
        Self::new(cell.map(|cell| conflict(relations, cell, Cause::Contradiction)).into_iter().collect())
    }
}

fn conflict(relations: &Relations, cell: usize, cause: Cause) -> Conflict {
    let (indicator, key) = relations.cells[cell].place.clone();
    Conflict { indicator, key, cause }
}

/// Lets a table in if it is whole, adds up, and withstands the intruder who also knows what `ledger` holds about the
/// same slice.
pub fn admit(received: Received, scheme: &TableScheme, ledger: &Ledger) -> Result<SafeTable, Refusal> {
    examine(&received, scheme, ledger)?;
    Ok(SafeTable::proven(received))
}

/// Whether [`admit`] would let a table in, for a reader who keeps the document and not the table.
pub fn examine(received: &Received, scheme: &TableScheme, ledger: &Ledger) -> Result<(), Refusal> {
    let relations = scheme.relations();
    same_definition(received, ledger)?;
    let now = visible(relations, received)?;
    let earlier: Vec<Visible> =
        ledger.versions(&received.slice).iter().rev().map(|version| remembered(relations, version)).collect();
    let troubles = check(relations, &now, &earlier, &BTreeSet::new());
    if troubles.is_empty() { Ok(()) } else { Err(Refusal::troubles(relations, &troubles)) }
}

/// The rows that an earlier definition counted are not known here: figures of two definitions of one table cannot be
/// attacked together yet, so the second is not let in at all.
pub(crate) fn same_definition(received: &Received, ledger: &Ledger) -> Result<(), Refusal> {
    let definition = received.attributes.definition;
    let other = ledger.versions(&received.slice).iter().any(|version| version.attributes.definition != definition);
    match received.cells.keys().next().filter(|_| other) {
        None => Ok(()),
        Some((indicator, key)) => Err(Refusal::new(vec![Conflict {
            indicator: indicator.clone(),
            key: key.clone(),
            cause: Cause::OtherDefinition,
        }])),
    }
}

/// What a table shows, after checking that it has exactly the cells of its scheme and that what is visible adds up.
pub(crate) fn visible(relations: &Relations, table: &Received) -> Result<Visible, Refusal> {
    let mut conflicts = Vec::new();
    let mut report = |(indicator, key): &(IndicatorCode, Key), cause| {
        conflicts.push(Conflict { indicator: indicator.clone(), key: key.clone(), cause });
    };
    let mut visible: Visible = vec![None; relations.cells.len()];
    for pair in side_by_side(relations, table) {
        let (name, entry, published) = match pair {
            EitherOrBoth::Both((name, entry), (_, published)) => (name, entry, published),
            EitherOrBoth::Left((name, _)) => {
                report(name, Cause::Absent);
                continue;
            }
            EitherOrBoth::Right((name, _)) => {
                report(name, Cause::Unknown);
                continue;
            }
        };
        match (*entry, published.figure) {
            (Entry::Empty, Figure::NotApplicable | Figure::Observed(0))
            | (Entry::Cell(_), Figure::Suppressed | Figure::Missing(_)) => {}
            (Entry::Empty, _) | (Entry::Cell(_), Figure::NotApplicable) => report(name, Cause::Impossible),
            (Entry::Cell(_), Figure::Observed(value)) if value < 0 => report(name, Cause::Negative),
            (Entry::Cell(cell), Figure::Observed(value)) => {
                let value = i128::from(value);
                if visible[cell].is_some_and(|other| other != value) {
                    report(name, Cause::NotAdditive);
                }
                visible[cell] = Some(value);
            }
        }
    }
    if conflicts.is_empty() {
        conflicts = sums(relations, &visible);
    }
    if conflicts.is_empty() { Ok(visible) } else { Err(Refusal::new(conflicts)) }
}

/// What is visible in full must add up.
fn sums(relations: &Relations, visible: &Visible) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for equality in &relations.equalities {
        let Some(whole) = visible[equality.whole] else { continue };
        let shown: i128 = equality.parts.iter().filter_map(|&part| visible[part]).sum();
        let hidden: Vec<usize> = equality.parts.iter().copied().filter(|&part| visible[part].is_none()).collect();
        let difference = hidden.iter().all(|&part| relations.cells[part].standing == Standing::Derived);
        if hidden.is_empty() && shown != whole {
            conflicts.push(conflict(relations, equality.whole, Cause::NotAdditive));
        } else if shown > whole && difference {
            conflicts.push(conflict(relations, equality.parts[0], Cause::LargerThanWhole));
        } else if shown > whole {
            conflicts.push(conflict(relations, equality.whole, Cause::NotAdditive));
        }
    }
    conflicts
}

/// What a version sent earlier showed, as far as this scheme has its cells. It was checked when it was sent, perhaps
/// under another version of the pack, so that oddities are left aside instead of refused.
pub(crate) fn remembered(relations: &Relations, table: &Received) -> Visible {
    let mut visible: Visible = vec![None; relations.cells.len()];
    for pair in side_by_side(relations, table) {
        if let EitherOrBoth::Both((_, Entry::Cell(cell)), (_, published)) = pair
            && let Some(value) = published.figure.observed()
        {
            visible[*cell].get_or_insert(i128::from(value));
        }
    }
    visible
}

/// The cells that the scheme has beside those that the table has, in ascending order.
fn side_by_side<'a>(
    relations: &'a Relations,
    table: &'a Received,
) -> impl Iterator<Item = EitherOrBoth<(&'a Name, &'a Entry), (&'a Name, &'a Published)>> {
    relations.entries.iter().merge_join_by(&table.cells, |(expected, _), (found, _)| expected.cmp(found))
}
