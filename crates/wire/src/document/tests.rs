use std::collections::BTreeMap;

use disclosure::Received;
use model::{Decimals, IndicatorCode};

use super::submission::{Content, write};
use super::*;

/// Writes what a node merely claims: the tests of this crate cannot make a `SafeTable`, and should not.
pub(crate) fn write_claimed(
    header: &Header,
    slices: &[(Received, BTreeMap<IndicatorCode, Decimals>)],
) -> Result<Vec<u8>, DocumentError> {
    let contents = slices
        .iter()
        .map(|(received, decimals)| Content {
            slice: &received.slice,
            attributes: &received.attributes,
            cells: &received.cells,
            decimals: decimals.clone(),
        })
        .collect();
    write(header, contents)
}
