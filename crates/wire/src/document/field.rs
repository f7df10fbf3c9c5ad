//! Checks of single fields, with the place where they stand.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use model::{Slice, Timestamp};

use super::{Approval, DocumentError};
use crate::pb::submission::v1 as pb;

pub(super) fn refuse(path: impl Display, problem: &'static str) -> DocumentError {
    DocumentError::Field { path: path.to_string(), problem }
}

/// Parses one of the house's words; the text itself stays out of the error.
pub(super) fn word<T: FromStr>(path: impl Display, text: &str) -> Result<T, DocumentError> {
    text.parse().map_err(|_| refuse(path, "is not well-formed"))
}

/// An id or a hash of fixed length.
pub(super) fn id<T>(path: impl Display, bytes: &[u8], read: fn(&[u8]) -> Option<T>) -> Result<T, DocumentError> {
    read(bytes).ok_or_else(|| refuse(path, "has the wrong length"))
}

/// Pack versions: short, visible ASCII without blanks.
pub(super) fn version(path: impl Display, text: &str) -> Result<String, DocumentError> {
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'));
    if fits { Ok(text.to_owned()) } else { Err(refuse(path, "is not well-formed")) }
}

pub(super) fn approval(value: i32) -> Result<Approval, DocumentError> {
    match pb::Approval::try_from(value) {
        Ok(pb::Approval::Person) => Ok(Approval::Person),
        Ok(pb::Approval::Rule) => Ok(Approval::Rule),
        Ok(pb::Approval::Unspecified) | Err(_) => Err(refuse("approval", "is absent or unknown")),
    }
}

pub(super) fn approval_to_pb(approval: Approval) -> i32 {
    i32::from(match approval {
        Approval::Person => pb::Approval::Person,
        Approval::Rule => pb::Approval::Rule,
    })
}

pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Refuses what does not come strictly after what was before.
pub(super) fn ascending<T: Ord>(path: impl Display, last: &mut Option<T>, next: T) -> Result<(), DocumentError> {
    match last.as_ref().map(|last| last.cmp(&next)) {
        Some(Ordering::Equal) => return Err(refuse(path, "is the same as the one before it")),
        Some(Ordering::Greater) => return Err(refuse(path, "is out of order")),
        Some(Ordering::Less) | None => {}
    }
    *last = Some(next);
    Ok(())
}

/// The order of slices on the wire: by the bytes of their texts, which any language can compare.
pub(super) fn slice_order(slice: &Slice) -> (String, String, String, String) {
    (slice.territory.to_string(), slice.pack.to_string(), slice.table.to_string(), slice.period.to_string())
}

pub(super) fn slice(
    path: &str,
    territory: &str,
    pack: &str,
    table: &str,
    period: &str,
) -> Result<Slice, DocumentError> {
    let slice = Slice {
        territory: word(format_args!("{path}.territory"), territory)?,
        pack: word(format_args!("{path}.pack"), pack)?,
        table: word(format_args!("{path}.table"), table)?,
        period: word(format_args!("{path}.period"), period)?,
    };
    Ok(slice)
}

/// Names of slices, in the order of the wire.
pub(super) fn slice_names(slices: &BTreeSet<Slice>) -> Vec<pb::SliceName> {
    let mut ordered: Vec<&Slice> = slices.iter().collect();
    ordered.sort_by_cached_key(|slice| slice_order(slice));
    ordered.into_iter().map(slice_name).collect()
}

/// The name of one.
pub(super) fn slice_name(slice: &Slice) -> pb::SliceName {
    pb::SliceName {
        territory: slice.territory.to_string(),
        pack: slice.pack.to_string(),
        table: slice.table.to_string(),
        period: slice.period.to_string(),
    }
}

pub(super) fn read_slice_name(path: &str, name: &pb::SliceName) -> Result<Slice, DocumentError> {
    slice(path, &name.territory, &name.pack, &name.table, &name.period)
}

/// Reads names that must come in that order, each once.
pub(super) fn read_slice_names(field: &str, names: &[pb::SliceName]) -> Result<BTreeSet<Slice>, DocumentError> {
    let mut slices = BTreeSet::new();
    let mut last = None;
    for (index, name) in names.iter().enumerate() {
        let path = format!("{field}[{index}]");
        let slice = read_slice_name(&path, name)?;
        ascending(path, &mut last, slice_order(&slice))?;
        slices.insert(slice);
    }
    Ok(slices)
}
