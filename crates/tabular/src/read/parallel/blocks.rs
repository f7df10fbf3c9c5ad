//! A file in blocks that end where a line ends.

use std::io::{ErrorKind, Read};

/// Some whole lines.
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// Blocks of a file, in order.
pub(super) struct Blocks<R> {
    source: R,
    size: usize,
    /// Bytes that may still come.
    left: u64,
    number: u64,
    carry: Vec<u8>,
    ended: bool,
    failed: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(source: R, size: usize, most: u64) -> Self {
        Self { source, size, left: most, number: 0, carry: Vec::new(), ended: false, failed: false }
    }

    /// Whether the file could not be read to its end, or was larger than allowed.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// The next block. A line longer than many blocks is nothing that this way reads.
    pub(super) fn next(&mut self) -> Option<Block> {
        const LONGEST: usize = 16;
        let mut bytes = std::mem::take(&mut self.carry);
        while !self.ended && !self.failed {
            let before = bytes.len();
            bytes.resize(before + self.size, 0);
            let read = self.fill(&mut bytes[before..]);
            bytes.truncate(before + read);
            if self.ended {
                break;
            }
            if let Some(end) = memchr::memrchr(b'\n', &bytes[before..]) {
                self.carry = bytes.split_off(before + end + 1);
                break;
            }
            self.failed |= bytes.len() > self.size.saturating_mul(LONGEST);
        }
        if self.failed || bytes.is_empty() {
            return None;
        }
        self.number += 1;
        Some(Block { number: self.number - 1, bytes })
    }

    /// Fills the buffer as far as the file goes.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.failed = true;
                    break;
                }
            }
        }
        match self.left.checked_sub(u64::try_from(filled).unwrap_or(u64::MAX)) {
            Some(left) => self.left = left,
            None => self.failed = true,
        }
        filled
    }
}
