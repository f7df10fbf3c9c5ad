//! A commune's tables on their way out and in.

use std::collections::BTreeMap;

use disclosure::{Published, Received, SafeTable, SliceAttributes, TableScheme};
use model::{
    Code, CommuneCode, Decimals, DefinitionHash, DimensionCode, Figure, Flags, IndicatorCode, Key, MissingReason,
    RuleHash, Slice, SubmissionId, Timestamp,
};
use prost::Message;

use super::field::{approval, approval_to_pb, ascending, id, instant, refuse, slice, slice_order, version, word};
use super::shape::SUBMISSION;
use super::{Approval, DocumentError, FORMAT, MAX_DOCUMENT, Purpose, read};
use crate::pb::submission::v1 as pb;

/// What a submission says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The commune that the node speaks for.
    pub provider: CommuneCode,
    /// Drawn by the node.
    pub id: SubmissionId,
    /// The node's clock: information, never trusted.
    pub written_at: Timestamp,
    /// What is asked.
    pub purpose: Purpose,
    /// How the commune agreed.
    pub approval: Approval,
}

/// A protected table with the scheme that gives its decimal places.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// What leaves.
    pub table: &'a SafeTable,
    /// The scheme that the table was protected under.
    pub scheme: &'a TableScheme,
}

/// A slice as the peer claims it, with the decimal places that its figures are written in.
///
/// Whether these are the pack's is for the reader to check: units of another place would be another number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSlice {
    /// The slice, unproven.
    pub received: Received,
    /// Decimal places of each indicator that occurs.
    pub decimals: BTreeMap<IndicatorCode, Decimals>,
}

/// A well-formed submission, unproven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// What it says about itself.
    pub header: Header,
    /// Its slices, at least one, all different.
    pub slices: Vec<ReceivedSlice>,
}

/// Writes the one canonical document with these tables, in any order given.
///
/// # Errors
/// No table, a table without cells, the same slice twice, an indicator that the scheme lacks, or too large.
pub fn encode(header: &Header, tables: &[Outgoing<'_>]) -> Result<Vec<u8>, DocumentError> {
    let mut contents = Vec::with_capacity(tables.len());
    for (index, outgoing) in tables.iter().enumerate() {
        let mut decimals = BTreeMap::new();
        for (indicator, _) in outgoing.table.cells().keys() {
            let measure = outgoing
                .scheme
                .measure(indicator)
                .ok_or_else(|| refuse(format_args!("slices[{index}]"), "has an indicator outside its scheme"))?;
            decimals.insert(indicator.clone(), measure.decimals);
        }
        contents.push(Content {
            slice: outgoing.table.slice(),
            attributes: outgoing.table.attributes(),
            cells: outgoing.table.cells(),
            decimals,
        });
    }
    write(header, contents)
}

/// Reads a document; everything that can be wrong without knowing the pack is wrong here.
pub fn decode(bytes: &[u8]) -> Result<Submission, DocumentError> {
    let document: pb::SubmissionDocument = read(bytes, &SUBMISSION)?;
    let header = Header {
        provider: word("provider", &document.provider)?,
        id: id("submission_id", &document.submission_id, SubmissionId::from_slice)?,
        written_at: instant(document.written_at_micros),
        purpose: match pb::Purpose::try_from(document.purpose) {
            Ok(pb::Purpose::Submit) => Purpose::Submit,
            Ok(pb::Purpose::Check) => Purpose::Check,
            Ok(pb::Purpose::Unspecified) | Err(_) => return Err(refuse("purpose", "is absent or unknown")),
        },
        approval: approval(document.approval)?,
    };
    if document.slices.is_empty() {
        return Err(refuse("slices", "must not be empty"));
    }
    let mut last = None;
    let mut slices = Vec::with_capacity(document.slices.len());
    for (index, content) in document.slices.into_iter().enumerate() {
        let path = format!("slices[{index}]");
        let slice = read_slice(&path, content)?;
        ascending(&path, &mut last, slice_order(&slice.received.slice))?;
        slices.push(slice);
    }
    Ok(Submission { header, slices })
}

/// A slice about to be written, whether proven or (in tests) only claimed.
pub(super) struct Content<'a> {
    pub(super) slice: &'a Slice,
    pub(super) attributes: &'a SliceAttributes,
    pub(super) cells: &'a BTreeMap<(IndicatorCode, Key), Published>,
    pub(super) decimals: BTreeMap<IndicatorCode, Decimals>,
}

pub(super) fn write(header: &Header, mut contents: Vec<Content<'_>>) -> Result<Vec<u8>, DocumentError> {
    contents.sort_by_cached_key(|content| slice_order(content.slice));
    let document = pb::SubmissionDocument {
        format: FORMAT,
        submission_id: header.id.as_bytes().to_vec(),
        provider: header.provider.to_string(),
        written_at_micros: header.written_at.as_micros(),
        purpose: i32::from(match header.purpose {
            Purpose::Submit => pb::Purpose::Submit,
            Purpose::Check => pb::Purpose::Check,
        }),
        approval: approval_to_pb(header.approval),
        slices: contents.iter().map(write_slice).collect(),
    };
    if document.encoded_len() > MAX_DOCUMENT {
        return Err(DocumentError::TooLarge);
    }
    let bytes = document.encode_to_vec();
    // Reading it back is what proves that every peer of this version will take it.
    decode(&bytes)?;
    Ok(bytes)
}

fn write_slice(content: &Content<'_>) -> pb::SliceContent {
    let mut series: BTreeMap<(&IndicatorCode, Vec<&DimensionCode>), Vec<pb::Cell>> = BTreeMap::new();
    for ((indicator, key), published) in content.cells {
        let (dimensions, codes): (Vec<_>, Vec<_>) = key.iter().map(|(d, c)| (d, c.to_string())).unzip();
        // Cells come in ascending order of keys, hence of codes within one series.
        series.entry((indicator, dimensions)).or_default().push(write_cell(codes, *published));
    }
    pb::SliceContent {
        territory: content.slice.territory.to_string(),
        pack: content.slice.pack.to_string(),
        pack_version: content.attributes.pack_version.clone(),
        table: content.slice.table.to_string(),
        period: content.slice.period.to_string(),
        definition_hash: content.attributes.definition.as_bytes().to_vec(),
        rule_hash: content.attributes.rule.as_bytes().to_vec(),
        series: series
            .into_iter()
            .map(|((indicator, dimensions), cells)| pb::Series {
                indicator: indicator.to_string(),
                decimals: content.decimals.get(indicator).map_or(0, |decimals| u32::from(decimals.places())),
                dimensions: dimensions.into_iter().map(ToString::to_string).collect(),
                cells,
            })
            .collect(),
    }
}

fn write_cell(codes: Vec<String>, published: Published) -> pb::Cell {
    let figure = match published.figure {
        Figure::Observed(units) => pb::cell::Figure::Observed(units),
        Figure::Suppressed => pb::cell::Figure::Suppressed(pb::Suppressed {}),
        Figure::Missing(reason) => pb::cell::Figure::Missing(i32::from(match reason {
            MissingReason::NotCollected => pb::MissingReason::NotCollected,
            MissingReason::NotYetAvailable => pb::MissingReason::NotYetAvailable,
        })),
        Figure::NotApplicable => pb::cell::Figure::NotApplicable(pb::NotApplicable {}),
    };
    pb::Cell { codes, figure: Some(figure), flags: u32::from(published.flags.bits()) }
}

fn read_slice(path: &str, content: pb::SliceContent) -> Result<ReceivedSlice, DocumentError> {
    let slice = slice(path, &content.territory, &content.pack, &content.table, &content.period)?;
    let attributes = SliceAttributes {
        pack_version: version(format_args!("{path}.pack_version"), &content.pack_version)?,
        definition: id(format_args!("{path}.definition_hash"), &content.definition_hash, DefinitionHash::from_slice)?,
        rule: id(format_args!("{path}.rule_hash"), &content.rule_hash, RuleHash::from_slice)?,
    };
    if content.series.is_empty() {
        return Err(refuse(format_args!("{path}.series"), "must not be empty"));
    }
    // Made into a map at once: nearly sorted already, where a map filled cell by cell would search for each.
    let mut cells = Vec::with_capacity(content.series.iter().map(|series| series.cells.len()).sum());
    let mut decimals = BTreeMap::new();
    let mut last = None;
    for (index, series) in content.series.into_iter().enumerate() {
        let path = format!("{path}.series[{index}]");
        ascending(&path, &mut last, (series.indicator.clone(), series.dimensions.clone()))?;
        read_series(&path, series, &mut cells, &mut decimals)?;
    }
    Ok(ReceivedSlice { received: Received { slice, attributes, cells: cells.into_iter().collect() }, decimals })
}

fn read_series(
    path: &str,
    series: pb::Series,
    cells: &mut Vec<((IndicatorCode, Key), Published)>,
    decimals: &mut BTreeMap<IndicatorCode, Decimals>,
) -> Result<(), DocumentError> {
    let indicator: IndicatorCode = word(format_args!("{path}.indicator"), &series.indicator)?;
    let places = u8::try_from(series.decimals)
        .ok()
        .and_then(Decimals::new)
        .ok_or_else(|| refuse(format_args!("{path}.decimals"), "must be at most 9"))?;
    if *decimals.entry(indicator.clone()).or_insert(places) != places {
        return Err(refuse(format_args!("{path}.decimals"), "differs from another series of the same indicator"));
    }
    let mut dimensions: Vec<DimensionCode> = Vec::with_capacity(series.dimensions.len());
    let mut last = None;
    for (index, text) in series.dimensions.iter().enumerate() {
        let path = format!("{path}.dimensions[{index}]");
        dimensions.push(word(&path, text)?);
        ascending(path, &mut last, text)?;
    }
    if series.cells.is_empty() {
        return Err(refuse(format_args!("{path}.cells"), "must not be empty"));
    }
    let mut last = None;
    for (index, cell) in series.cells.into_iter().enumerate() {
        let path = CellPath { series: path, index };
        let (key, published) = read_cell(&path, &dimensions, &cell)?;
        ascending(&path, &mut last, cell.codes)?;
        cells.push(((indicator.clone(), key), published));
    }
    Ok(())
}

/// Written out only when something is wrong: there may be a million cells.
struct CellPath<'a> {
    series: &'a str,
    index: usize,
}

impl std::fmt::Display for CellPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.cells[{}]", self.series, self.index)
    }
}

fn read_cell(
    path: &CellPath<'_>,
    dimensions: &[DimensionCode],
    cell: &pb::Cell,
) -> Result<(Key, Published), DocumentError> {
    if cell.codes.len() != dimensions.len() {
        return Err(refuse(format_args!("{path}.codes"), "must be one per dimension"));
    }
    let mut pairs = Vec::with_capacity(dimensions.len());
    for (dimension, text) in dimensions.iter().zip(&cell.codes) {
        let code: Code = word(format_args!("{path}.codes"), text)?;
        pairs.push((dimension.clone(), code));
    }
    let figure = match &cell.figure {
        Some(pb::cell::Figure::Observed(units)) => Figure::Observed(*units),
        Some(pb::cell::Figure::Suppressed(pb::Suppressed {})) => Figure::Suppressed,
        Some(pb::cell::Figure::NotApplicable(pb::NotApplicable {})) => Figure::NotApplicable,
        Some(pb::cell::Figure::Missing(reason)) => match pb::MissingReason::try_from(*reason) {
            Ok(pb::MissingReason::NotCollected) => Figure::Missing(MissingReason::NotCollected),
            Ok(pb::MissingReason::NotYetAvailable) => Figure::Missing(MissingReason::NotYetAvailable),
            Ok(pb::MissingReason::Unspecified) | Err(_) => {
                return Err(refuse(format_args!("{path}.missing"), "is absent or unknown"));
            }
        },
        None => return Err(refuse(path, "shows no figure")),
    };
    let flags = u8::try_from(cell.flags)
        .ok()
        .and_then(Flags::from_bits)
        .ok_or_else(|| refuse(format_args!("{path}.flags"), "has a flag unknown here"))?;
    Ok((pairs.into_iter().collect(), Published { figure, flags }))
}
