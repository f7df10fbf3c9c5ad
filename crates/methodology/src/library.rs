//! The starter library, inside the program.

use std::collections::BTreeMap;

use crate::error::{PackCause, PackError};
use crate::pack::Pack;

pub(crate) fn unfinished(_: &BTreeMap<String, Vec<u8>>) -> Result<Pack, PackError> {
    Err(PackError::new("pack.toml", "-", PackCause::File, "lecture des référentiels en cours d'écriture"))
}

/// The packs that come with the program.
pub fn library() -> Vec<Pack> {
    Vec::new()
}
