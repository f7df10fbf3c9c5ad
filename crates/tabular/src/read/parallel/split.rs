//! Which texts of a line are the cells of the table.

use std::borrow::Cow;

use crate::read::cells::is_total;

/// How lines of a file become cells.
pub(super) struct Columns {
    pub(super) separator: u8,
    pub(super) width: usize,
    /// Per column of the file: the column of the table that it feeds.
    pub(super) owners: Vec<Option<usize>>,
    /// The same as pairs.
    owned: Vec<(usize, usize)>,
}

impl Columns {
    pub(super) fn new(separator: u8, owners: Vec<Option<usize>>) -> Self {
        let owned = owners.iter().enumerate().filter_map(|(column, owner)| Some((column, (*owner)?))).collect();
        Self { separator, width: owners.len(), owners, owned }
    }

    /// Takes the cells of a line without quotes, of which each ends where `ends` says. Gives the end of the line and
    /// whether all is blank.
    pub(super) fn plain<'t>(
        &self,
        text: &'t str,
        start: usize,
        ends: &[usize],
        texts: &mut [Cow<'t, str>],
    ) -> Option<(usize, bool)> {
        let bytes = text.as_bytes();
        let line_end = *ends.last()?;
        let cell = |column: usize| {
            let from = column.checked_sub(1).map_or(start, |before| ends[before] + 1);
            text.get(from..ends[column])
        };
        let starts = std::iter::once(start).chain(ends.iter().map(|end| end + 1)).take(ends.len());
        let first = |from: usize| usize::from(bytes.get(from).copied().unwrap_or(b'\n'));
        let some = line_end - start >= ends.len();
        if some && ends.len() == self.width && !starts.map(first).fold(false, |odd, first| odd | ODD[first]) {
            for (column, owner) in &self.owned {
                texts[*owner] = Cow::Borrowed(cell(*column)?);
            }
            return Some((line_end, false));
        }
        let mut blank = true;
        for column in 0..ends.len() {
            let cell = cell(column)?;
            let empty = cell.trim().is_empty();
            if is_total(cell) || (column >= self.width && !empty) {
                return None;
            }
            blank &= empty;
            if let Some(Some(owner)) = self.owners.get(column) {
                texts[*owner] = Cow::Borrowed(cell);
            }
        }
        (blank || ends.len() >= self.width).then_some((line_end, blank))
    }

    /// The same where cells may be quoted.
    pub(super) fn quoted<'t>(&self, text: &'t str, start: usize, texts: &mut [Cow<'t, str>]) -> Option<(usize, bool)> {
        let bytes = text.as_bytes();
        let (mut at, mut column, mut blank) = (start, 0, true);
        loop {
            let (cell, end) = self.cell(text, at)?;
            let empty = cell.trim().is_empty();
            if is_total(&cell) || (column >= self.width && !empty) {
                return None;
            }
            blank &= empty;
            if let Some(Some(owner)) = self.owners.get(column) {
                texts[*owner] = cell;
            }
            column += 1;
            if bytes.get(end).is_none_or(|b| *b == b'\n') {
                return (blank || column >= self.width).then_some((end, blank));
            }
            at = end + 1;
        }
    }

    /// The cell that begins at `at`, and where it ends: at a separator, a line's end, or the end of all.
    fn cell<'t>(&self, text: &'t str, at: usize) -> Option<(Cow<'t, str>, usize)> {
        let bytes = text.as_bytes();
        let ends = |b: &u8| *b == self.separator || *b == b'\n';
        if bytes.get(at) != Some(&b'"') {
            let end = bytes[at..].iter().position(ends).map_or(bytes.len(), |length| at + length);
            return Some((Cow::Borrowed(&text[at..end]), end));
        }
        let (mut from, mut quoted) = (at + 1, false);
        let close = loop {
            let close = from + memchr::memchr2(b'"', b'\n', &bytes[from..])?;
            match (bytes[close], bytes.get(close + 1)) {
                (b'\n', _) => return None,
                (_, Some(b'"')) => (from, quoted) = (close + 2, true),
                _ => break close,
            }
        };
        let inner = &text[at + 1..close];
        let end = close + if bytes.get(close + 1) == Some(&b'\r') { 2 } else { 1 };
        if !bytes.get(end).is_none_or(ends) {
            return None;
        }
        Some((if quoted { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) }, end))
    }
}

/// First bytes of cells that need a second look: blanks, and letters beyond ASCII, which may be blanks too; `t`, `s` and
/// `e`, with which words for totals begin. Not the line's end: the last cell is empty then.
const ODD: [bool; 256] = {
    let mut odd = [false; 256];
    let mut byte = 0_u8;
    loop {
        odd[byte as usize] =
            (byte <= b' ' && byte != b'\n') || byte >= 0x7f || matches!(byte | 0x20, b't' | b's' | b'e');
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    odd
};
