//! Everything ever sent about a slice: what the intruder already knows.

use std::collections::BTreeMap;

use model::Slice;

use crate::safe::Received;

/// All versions of all slices that were ever sent, checked or withdrawn, oldest first.
///
/// Withdrawn figures stay: what was read is known. Entries are [`Received`] and not `SafeTable`, because a ledger
/// is rebuilt from signed documents that were proven when they were sent.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    versions: BTreeMap<Slice, Vec<Received>>,
}

impl Ledger {
    /// Nothing was ever sent.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds one version of a slice, after those already there. A repetition of the last one adds nothing.
    pub fn record(&mut self, version: Received) {
        let versions = self.versions.entry(version.slice.clone()).or_default();
        if versions.last().is_none_or(|last| last.cells != version.cells) {
            versions.push(version);
        }
    }

    /// All versions of `slice`, oldest first.
    pub fn versions(&self, slice: &Slice) -> &[Received] {
        self.versions.get(slice).map_or(&[], Vec::as_slice)
    }
}
