//! Where cells end in text without quotes, eight bytes at a time.

const LOW: u64 = 0x0101_0101_0101_0101;
const SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// Separators and line ends, in order.
pub(super) struct Ends<'a> {
    bytes: &'a [u8],
    separators: u64,
    /// Where the eight bytes begin that come next.
    next: usize,
    /// The highest bit of each byte that is found and not told yet, among those before `next`.
    found: u64,
}

impl<'a> Ends<'a> {
    pub(super) fn new(bytes: &'a [u8], separator: u8) -> Self {
        Self { bytes, separators: u64::from(separator) * LOW, next: 0, found: 0 }
    }

    /// All ends of the next line: its separators, then its line end or the end of the text.
    pub(super) fn line(&mut self, ends: &mut Vec<usize>) {
        ends.clear();
        loop {
            while self.found == 0 {
                if self.next >= self.bytes.len() {
                    ends.push(self.bytes.len());
                    return;
                }
                self.look();
            }
            let end = self.next - 8 + (self.found.trailing_zeros() / 8) as usize;
            self.found &= self.found - 1;
            ends.push(end);
            if self.bytes[end] == b'\n' {
                return;
            }
        }
    }

    fn look(&mut self) {
        let rest = &self.bytes[self.next..];
        let word = if let Some(eight) = rest.first_chunk::<8>() {
            u64::from_le_bytes(*eight)
        } else {
            // Zero is neither a separator nor a line end.
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(eight)
        };
        self.found = equal(word, self.separators) | equal(word, u64::from(b'\n') * LOW);
        self.next += 8;
    }
}

/// The highest bit of each byte in which both are equal; exact, no carry crosses bytes.
fn equal(word: u64, bytes: u64) -> u64 {
    let different = word ^ bytes;
    !(((different & SEVEN) + SEVEN) | different | SEVEN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ends_are_those_of_a_search_byte_by_byte(text in "[;\n:a\u{e9}<\u{b}]{0,40}") {
            let bytes = text.as_bytes();
            let mut ends = Ends::new(bytes, b';');
            let (mut found, mut line): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
            while found.last().is_none_or(|end| end + 1 < bytes.len()) {
                ends.line(&mut line);
                found.extend(&line);
            }
            let search = bytes.iter().enumerate().filter(|(_, b)| matches!(b, b';' | b'\n')).map(|(at, _)| at);
            let last = (bytes.last() != Some(&b'\n')).then_some(bytes.len());
            prop_assert_eq!(found, search.chain(last).collect::<Vec<_>>());
        }
    }
}
