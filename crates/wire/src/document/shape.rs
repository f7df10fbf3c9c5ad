//! How much memory a document would take once decoded, before it is decoded.
//!
//! An empty cell is two bytes on the wire and more than a hundred in memory: without this look ahead, a node of
//! this mesh could make the hub allocate gigabytes with a document of the permitted length.

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::DocumentError;

/// What one decoded document may weigh, in bytes.
const BUDGET: u64 = 256 << 20;
/// A text or byte string, empty or not, besides its content.
const STRING: u64 = 32;

/// A message type: its weight in memory, and its fields that are messages again.
pub(crate) struct Shape {
    weight: u64,
    messages: &'static [(u32, &'static Shape)],
}

/// With the map entry that the cell becomes.
static CELL: Shape = Shape { weight: 320, messages: &[] };
static SERIES: Shape = Shape { weight: 192, messages: &[(4, &CELL)] };
static SLICE_CONTENT: Shape = Shape { weight: 512, messages: &[(8, &SERIES)] };
pub(super) static SUBMISSION: Shape = Shape { weight: 0, messages: &[(7, &SLICE_CONTENT)] };

static SLICE_NAME: Shape = Shape { weight: 256, messages: &[] };
pub(super) static WITHDRAWAL: Shape = Shape { weight: 0, messages: &[(6, &SLICE_NAME)] };

static SHARED_SLICE: Shape = Shape { weight: 64, messages: &[(1, &SLICE_NAME)] };
pub(super) static SHARING: Shape = Shape { weight: 0, messages: &[(6, &SHARED_SLICE)] };

static LEDGER_LINK: Shape = Shape { weight: 128, messages: &[] };
pub(super) static RECEIPT: Shape = Shape { weight: 0, messages: &[(9, &LEDGER_LINK), (11, &SLICE_NAME)] };

static PACK_FILE: Shape = Shape { weight: 160, messages: &[] };
pub(super) static PACK: Shape = Shape { weight: 0, messages: &[(4, &PACK_FILE)] };

static POSITION: Shape = Shape { weight: 96, messages: &[] };
static ITEM: Shape = Shape { weight: 128, messages: &[] };
pub(crate) static BUNDLE: Shape = Shape { weight: 0, messages: &[(6, &POSITION), (7, &ITEM)] };

static CONFLICT_ROW: Shape = Shape { weight: 128, messages: &[] };
static REFUSED: Shape = Shape { weight: 128, messages: &[(3, &CONFLICT_ROW)] };
static ANSWER_ITEM: Shape = Shape { weight: 256, messages: &[(3, &REFUSED)] };
pub(crate) static ANSWER: Shape = Shape { weight: 0, messages: &[(5, &ANSWER_ITEM)] };

/// Refuses what would not fit.
pub(super) fn affordable(bytes: &[u8], shape: &Shape) -> Result<(), DocumentError> {
    let mut left = BUDGET;
    weigh(bytes, shape, &mut left)
}

fn weigh(mut bytes: &[u8], shape: &Shape, left: &mut u64) -> Result<(), DocumentError> {
    while bytes.has_remaining() {
        let (tag, wire_type) = decode_key(&mut bytes).map_err(|_| DocumentError::Malformed)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).map_err(|_| DocumentError::Malformed)?;
            continue;
        }
        let length = decode_varint(&mut bytes).map_err(|_| DocumentError::Malformed)?;
        let length = usize::try_from(length).map_err(|_| DocumentError::Malformed)?;
        let (field, rest) = bytes.split_at_checked(length).ok_or(DocumentError::Malformed)?;
        bytes = rest;
        let message = shape.messages.iter().find(|(number, _)| *number == tag).map(|(_, message)| *message);
        let cost = message.map_or(STRING + field.len() as u64, |message| message.weight);
        *left = left.checked_sub(cost).ok_or(DocumentError::TooLarge)?;
        if let Some(message) = message {
            weigh(field, message, left)?;
        }
    }
    Ok(())
}
