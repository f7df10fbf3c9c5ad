//! Protected figures: the only ones that may leave, and the only ones that may be kept by a hub.

use std::collections::BTreeMap;

use model::{DefinitionHash, Figure, Flags, IndicatorCode, Key, RuleHash, Slice};

/// What a cell shows to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Value or silence.
    pub figure: Figure,
    /// Remarks.
    pub flags: Flags,
}

/// What fills a slice, besides its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceAttributes {
    /// Version of the pack, for example `1.0.0`.
    pub pack_version: String,
    /// What the table's indicators mean.
    pub definition: DefinitionHash,
    /// How they are protected.
    pub rule: RuleHash,
}

/// A slice as a peer claims it: well-formed, unproven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which slice.
    pub slice: Slice,
    /// Under which definitions.
    pub attributes: SliceAttributes,
    /// Its cells.
    pub cells: BTreeMap<(IndicatorCode, Key), Published>,
}

/// A slice whose hidden cells withstand the intruder, given everything sent before.
///
/// Private fields: only `protect` and `attack::admit` make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeTable {
    slice: Slice,
    attributes: SliceAttributes,
    cells: BTreeMap<(IndicatorCode, Key), Published>,
}

impl SafeTable {
    /// Callers inside the crate have run the attack on `received` and found nothing.
    pub(crate) fn proven(received: Received) -> Self {
        Self { slice: received.slice, attributes: received.attributes, cells: received.cells }
    }

    /// Which slice.
    pub fn slice(&self) -> &Slice {
        &self.slice
    }

    /// Under which definitions and rules.
    pub fn attributes(&self) -> &SliceAttributes {
        &self.attributes
    }

    /// Its cells, in ascending order of indicator and key.
    pub fn cells(&self) -> &BTreeMap<(IndicatorCode, Key), Published> {
        &self.cells
    }
}
