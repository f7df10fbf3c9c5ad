//! Where a record begins, as a person counts lines.

/// Line numbers from byte places; the CSV reader's own count starts before skipped blank lines.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), byte: 0, line: 1 }
    }

    /// The line of the record that begins at `byte` or after the line ends there. Bytes only grow.
    pub(crate) fn advance(&mut self, byte: u64) -> u64 {
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        while matches!(self.text.get(to), Some(b'\r' | b'\n')) {
            to += 1;
        }
        self.line += self.text[self.byte..to].iter().map(|b| u64::from(*b == b'\n')).sum::<u64>();
        self.byte = to;
        self.line
    }
}
