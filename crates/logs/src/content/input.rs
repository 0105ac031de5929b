//! The bytes of a compressed file, in pieces.

use std::io::{self, Read};

/// The number of compressed bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// The bytes of a compressed file. A decoder is given the same pieces of them whether they come from a file or a slow pipe, so that
/// it gives the same text before damage.
pub(super) struct Input {
    file: Box<dyn Read + Send>,
    /// Always `start <= end <= buffer.len()`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_end: bool,
    /// The number of bytes that were used.
    position: u64,
}

impl Input {
    pub(super) fn new(file: Box<dyn Read + Send>) -> Self {
        Self { file, buffer: vec![0; PIECE], start: 0, end: 0, is_end: false, position: 0 }
    }

    /// The number of bytes that were used.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The bytes that come next, at least so many (up to a piece) if the file has them.
    pub(super) fn next(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.end - self.start < wanted.min(PIECE) && !self.is_end {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while let Some(free) = self.buffer.get_mut(self.end..).filter(|free| !free.is_empty()) {
                match self.file.read(free) {
                    Ok(0) => {
                        self.is_end = true;
                        break;
                    }
                    Ok(length) => self.end += length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Goes behind so many bytes.
    pub(super) fn pass(&mut self, length: usize) {
        let length = length.min(self.end - self.start);
        self.start += length;
        self.position += length as u64;
    }

    /// Goes behind the next byte; none at the end of the file.
    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.next(1)?.first().copied();
        self.pass(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Goes behind zeros.
    pub(super) fn pass_zeros(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.next(1)?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let is_all = zeros == bytes.len();
            self.pass(zeros);
            if zeros == 0 || !is_all {
                return Ok(());
            }
        }
    }

    /// Goes to the end of the file, and tells how many bytes were left.
    pub(super) fn pass_all(&mut self) -> io::Result<u64> {
        let start = self.position;
        loop {
            let length = self.next(1)?.len();
            if length == 0 {
                return Ok(self.position - start);
            }
            self.pass(length);
        }
    }
}
