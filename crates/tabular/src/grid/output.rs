//! The file again, with what was decided about each row: written as it was, cell by cell.

use disclosure::tables::Decided;
use encoding_rs::WINDOWS_1252;

use super::GridFile;

/// What to write of rows that are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// Everything as it was: for the commune's own use.
    Working,
    /// Codes, shown figures, and nothing else: what may leave.
    Public,
}

/// How a file is written, beside its separator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// A byte order mark stands before the text.
    marked: bool,
    /// The text is not UTF-8 but Windows-1252.
    windows: bool,
    /// Lines end with CR LF.
    returns: bool,
}

impl Style {
    pub(super) fn of(bytes: &[u8], text: &str, decoded: bool) -> Self {
        Self {
            marked: bytes.starts_with(b"\xef\xbb\xbf"),
            windows: decoded,
            returns: text.find('\n').is_some_and(|at| text[..at].ends_with('\r')),
        }
    }
}

impl GridFile {
    /// The columns as they were, then `primary` (if there was none) and `suppressed`, each 0 or 1. `decided` row by row.
    /// Separator, quotes, ends of lines, byte order mark and encoding are those of the file.
    pub fn decided(&self, decided: &[Decided], edition: Edition) -> Vec<u8> {
        let columns = &self.columns;
        let primary = columns.primary.unwrap_or(self.header.len());
        let suppressed = columns.suppressed.unwrap_or(self.header.len() + usize::from(columns.primary.is_none()));
        let width =
            self.header.len() + usize::from(columns.primary.is_none()) + usize::from(columns.suppressed.is_none());
        let kept: Vec<usize> = match edition {
            Edition::Working => (0..width).collect(),
            Edition::Public => {
                columns.dimensions.iter().map(|&(column, _)| column).chain([columns.value, suppressed]).collect()
            }
        };
        let mut text = String::with_capacity(self.text.len() + 4 * self.rows);
        if self.style.marked {
            text.push('\u{feff}');
        }
        let mut write = |raw: &[&str], cell: &dyn Fn(usize) -> Option<&'static str>| {
            let quoted = raw.iter().all(|cell| cell.starts_with('"'));
            for (index, &at) in kept.iter().enumerate() {
                if index > 0 {
                    text.push(char::from(self.separator));
                }
                match cell(at) {
                    Some(own) if quoted => {
                        text.push('"');
                        text.push_str(own);
                        text.push('"');
                    }
                    Some(own) => text.push_str(own),
                    None => text.push_str(raw.get(at).copied().unwrap_or_default()),
                }
            }
            text.push_str(if self.style.returns { "\r\n" } else { "\n" });
        };
        write(&self.raw(0), &|at| match at {
            _ if at < self.header.len() => None,
            _ if at == primary => Some("primary"),
            _ => Some("suppressed"),
        });
        let mut row = 0;
        let flag = |flag: bool| Some(if flag { "1" } else { "0" });
        let each = self.each(|record| {
            let Decided { suppressed: hidden, primary: by_rule } = decided.get(row).copied().unwrap_or(Decided::HIDDEN);
            let start = record.position().map_or(0, csv::Position::byte);
            write(&self.raw(usize::try_from(start).unwrap_or(usize::MAX)), &|at| match at {
                _ if at == primary => flag(by_rule),
                _ if at == suppressed => flag(hidden),
                _ if at == columns.value && hidden && edition == Edition::Public => Some(""),
                _ => None,
            });
            row += 1;
            Ok(())
        });
        debug_assert!(each.is_ok(), "nothing above refuses a row");
        if self.style.windows { WINDOWS_1252.encode(&text).0.into_owned() } else { text.into_bytes() }
    }

    /// The cells of the record that begins at this byte, or after the blank lines there, with their quotes. Quotes count
    /// at the beginning of a cell only, as they do for the reader of the rows.
    fn raw(&self, start: usize) -> Vec<&str> {
        let bytes = self.text.as_bytes();
        let mut at = start.min(bytes.len());
        while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
            at += 1;
        }
        let mut cells = Vec::with_capacity(self.header.len());
        let mut begun = at;
        let mut quoted = bytes.get(at) == Some(&b'"');
        at += usize::from(quoted);
        loop {
            match bytes.get(at) {
                Some(b'"') if quoted && bytes.get(at + 1) == Some(&b'"') => at += 1,
                Some(b'"') if quoted => quoted = false,
                Some(_) if quoted => {}
                None | Some(b'\r' | b'\n') => {
                    cells.push(&self.text[begun..at]);
                    return cells;
                }
                Some(&byte) if byte == self.separator => {
                    cells.push(&self.text[begun..at]);
                    begun = at + 1;
                    quoted = bytes.get(begun) == Some(&b'"');
                    at += usize::from(quoted);
                }
                Some(_) => {}
            }
            at += 1;
        }
    }
}
