//! What separates two versions of a pack, by meaning.

use std::collections::BTreeSet;

use model::{DimensionCode, IndicatorCode, TableCode};

use crate::identity;
use crate::indicator::Indicator;
use crate::pack::Pack;
use crate::relation::Basis;
use crate::table::Table;

mod french;
#[cfg(test)]
mod tests;

/// The part of a version number that a change asks to raise, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bump {
    /// Texts, sheets, examples: the same questions under the same protection.
    Patch,
    /// New questions or another protection; figures sent before stay comparable.
    Minor,
    /// Figures sent before stop being comparable.
    Major,
}

/// Why figures sent before stop being comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// The indicator asks for something else, everywhere.
    Definition,
    /// It is no longer asked for.
    Removed,
    /// One breakdown is gone.
    BreakdownRemoved(BTreeSet<DimensionCode>),
    /// The codes of one breakdown, or what leads to them, changed.
    BreakdownChanged(BTreeSet<DimensionCode>),
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Figures of this indicator stop being comparable.
    Breaks {
        /// Of this table.
        table: TableCode,
        /// The indicator, a ratio too.
        indicator: IndicatorCode,
        /// Why.
        breach: Breach,
    },
    /// An indicator that was not there.
    NewIndicator(TableCode, IndicatorCode),
    /// A breakdown that was not there.
    NewBreakdown(TableCode, IndicatorCode, BTreeSet<DimensionCode>),
    /// The same figures, protected otherwise.
    Rule(TableCode),
    /// The slice of a table is one whole: its definition hash changed, so communes send it again.
    SentAgain(TableCode),
    /// Files differ in what is only read by people or tests.
    Texts,
}

impl Change {
    /// What it asks of the version number.
    pub fn bump(&self) -> Bump {
        match self {
            Self::Breaks { .. } => Bump::Major,
            Self::NewIndicator(..) | Self::NewBreakdown(..) | Self::Rule(_) | Self::SentAgain(_) => Bump::Minor,
            Self::Texts => Bump::Patch,
        }
    }
}

/// What a version number says that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Two packs of different codes have no common line of versions.
    OtherPack,
    /// Files differ under a number that is not higher.
    NotHigher,
    /// More changed than the number says.
    TooSmall,
    /// The number announces a break of comparability, and nothing breaks.
    NothingBreaks,
}

/// The differences, and the number that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// By table, in the order of the old pack, then the new.
    pub changes: Vec<Change>,
    /// The least part to raise; `None` if no byte differs.
    pub due: Option<Bump>,
    /// The version number that is due: the old one, raised.
    pub version: String,
    /// What the new number says wrongly, if it does.
    pub lie: Option<Lie>,
}

/// Compares two versions by meaning. Before 1.0.0 the same rule holds: a node cannot know that a first number 0 excuses
/// a break.
pub fn diff(old: &Pack, new: &Pack) -> Diff {
    let mut changes = Vec::new();
    for before in old.tables() {
        match new.table(before.code()) {
            Some(after) => tables(before, after, &mut changes),
            None => changes.extend(before.indicators().iter().map(|indicator| Change::Breaks {
                table: before.code().clone(),
                indicator: indicator.code.clone(),
                breach: Breach::Removed,
            })),
        }
    }
    for after in new.tables().iter().filter(|table| old.table(table.code()).is_none()) {
        let added = after.indicators().iter().map(|i| Change::NewIndicator(after.code().clone(), i.code.clone()));
        changes.extend(added);
    }
    let differ = |pack: &Pack| {
        let mut files = pack.files().clone();
        // The number alone is no change.
        if let Some(front) = files.get_mut("pack.toml") {
            let text = String::from_utf8_lossy(front).replace(&format!("\"{}\"", pack.version()), "");
            *front = text.into_bytes();
        }
        files
    };
    if changes.is_empty() && differ(old) != differ(new) {
        changes.push(Change::Texts);
    }
    let due = changes.iter().map(Change::bump).max();
    let (from, to) = (numbers(old.version()), numbers(new.version()));
    let lie = if old.code() == new.code() { due.and_then(|due| lie(due, from, to)) } else { Some(Lie::OtherPack) };
    let [major, minor, patch] = from;
    let version = match due {
        None => old.version().to_owned(),
        Some(Bump::Patch) => format!("{major}.{minor}.{}", patch + 1),
        Some(Bump::Minor) => format!("{major}.{}.0", minor + 1),
        Some(Bump::Major) => format!("{}.0.0", major + 1),
    };
    Diff { changes, due, version, lie }
}

fn lie(due: Bump, from: [u32; 3], to: [u32; 3]) -> Option<Lie> {
    if to <= from {
        return Some(Lie::NotHigher);
    }
    let said = match (to[0] > from[0], to[1] > from[1]) {
        (true, _) => Bump::Major,
        (false, true) => Bump::Minor,
        (false, false) => Bump::Patch,
    };
    if said < due {
        Some(Lie::TooSmall)
    } else if said == Bump::Major && due < Bump::Major {
        Some(Lie::NothingBreaks)
    } else {
        None
    }
}

/// Whether `version` comes after `other`.
pub fn is_later(version: &str, other: &str) -> bool {
    numbers(version) > numbers(other)
}

/// Whether figures sent for an indicator of one version of a table mean the same as those of another, broken down by
/// `axes`. Nothing here asks for equal hashes of the tables: a neighbour that came or went changes no figure.
pub fn same_figures(before: (&Table, &Indicator), after: (&Table, &Indicator), axes: &BTreeSet<DimensionCode>) -> bool {
    identity::question(before.0, before.1) == identity::question(after.0, after.1)
        && before.1.breakdowns().contains(axes)
        && after.1.breakdowns().contains(axes)
        && axes.iter().all(|axis| identity::axis(before.0, axis) == identity::axis(after.0, axis))
}

/// Whether every indicator that was sent under one version of a table asks the same in another.
pub fn same_questions(before: &Table, after: &Table) -> bool {
    let same = |one: &Indicator| {
        after.indicator(&one.code).is_some_and(|now| identity::question(before, one) == identity::question(after, now))
    };
    before.indicators().iter().all(same)
}

/// `Pack::parse` admits nothing but three numbers.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

fn tables(before: &Table, after: &Table, changes: &mut Vec<Change>) {
    let known = changes.len();
    let code = before.code();
    for old in before.indicators() {
        let breaks = |breach| Change::Breaks { table: code.clone(), indicator: old.code.clone(), breach };
        let Some(new) = after.indicator(&old.code) else {
            changes.push(breaks(Breach::Removed));
            continue;
        };
        if identity::question(before, old) != identity::question(after, new) {
            changes.push(breaks(Breach::Definition));
            continue;
        }
        changes.extend(breakdowns((before, old), (after, new)).into_iter().map(breaks));
        let added = new.breakdowns().difference(old.breakdowns());
        changes.extend(added.map(|axes| Change::NewBreakdown(code.clone(), old.code.clone(), axes.clone())));
    }
    for new in after.indicators().iter().filter(|new| before.indicator(&new.code).is_none()) {
        changes.push(Change::NewIndicator(code.clone(), new.code.clone()));
    }
    // Rules of indicators that came or went are told with them.
    let protection = |table: &Table, other: &Table| -> Vec<_> {
        let kept = table.indicators().iter().filter(|i| other.indicator(&i.code).is_some());
        kept.filter_map(|i| Some((i.code.clone(), i.measure()?.protection))).collect()
    };
    let sorted = |mut list: Vec<_>| {
        list.sort_by(|(a, _): &(IndicatorCode, _), (b, _)| a.cmp(b));
        list
    };
    let claimed = |table: &Table| -> Vec<_> {
        let declared = table.relations().iter().filter(|known| known.basis != Basis::Proven);
        declared
            .map(|known| (known.relation.clone(), known.basis.clone()))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    if sorted(protection(before, after)) != sorted(protection(after, before)) || claimed(before) != claimed(after) {
        changes.push(Change::Rule(code.clone()));
    }
    let breaks = changes.iter().skip(known).any(|change| change.bump() == Bump::Major);
    if before.definition_hash() != after.definition_hash() && !breaks {
        changes.push(Change::SentAgain(code.clone()));
    }
}

fn breakdowns((before, old): (&Table, &Indicator), (after, new): (&Table, &Indicator)) -> Vec<Breach> {
    let same = |axis: &DimensionCode| identity::axis(before, axis) == identity::axis(after, axis);
    let mut found = Vec::new();
    for axes in old.breakdowns() {
        if !new.breakdowns().contains(axes) {
            found.push(Breach::BreakdownRemoved(axes.clone()));
        } else if !axes.iter().all(same) {
            found.push(Breach::BreakdownChanged(axes.clone()));
        }
    }
    found
}
