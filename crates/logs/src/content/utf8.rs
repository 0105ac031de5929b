//! Text that is UTF-8, but for some lines.
//!
//! Bytes that are UTF-8 are passed on as they are; a check is all that they cost. A line that is not UTF-8 is read as Windows-1252,
//! in which every byte is a letter, so that nothing is lost; its neighbours stay as they are. A line of UTF-8 that a writer has cut
//! within a letter keeps its letters: if it has more letters of several bytes than bytes that are wrong, only those bytes are read
//! as Windows-1252.
//!
//! The reading of a line depends on its bytes alone, and not on the pieces in which they arrive. So a line is held back until its
//! end is known. Of a line longer than 1 MiB, each MiB is taken for a line of its own: memory is bounded. ASCII passes at 7 GB/s,
//! and lines in Windows-1252 at 0.7 GB/s (one core of a server).

use std::io::{self, Read};

use encoding_rs::WINDOWS_1252;

use super::Notes;
use super::encoding::incomplete_end;

/// The longest part of a line that is decoded in one way.
const LONGEST_LINE: usize = 1024 * 1024;

/// The number of bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Text as UTF-8. Always `start <= ready <= valid <= end <= buffer.len()`, so the parts between them are there.
pub(super) struct Utf8 {
    bytes: Box<dyn Read + Send>,
    /// Bytes that are read, up to `end`; those before `start` are done.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The bytes from `start` up to here are given out next as they are.
    ready: usize,
    /// The bytes from `ready` up to here are UTF-8.
    valid: usize,
    /// Lines that were decoded, and how much of them was given out: they come before those that are ready.
    decoded: Vec<u8>,
    given: usize,
    /// Whether more bytes are needed to go on.
    is_hungry: bool,
    is_end: bool,
    lines: Lines,
    notes: Notes,
    /// The longest part of a line that is decoded in one way, and the number of bytes that are read at once.
    longest: usize,
    piece: usize,
}

/// The lines that are not UTF-8.
struct Lines {
    /// The byte that ends a line.
    end: u8,
    /// The number of lines that ended.
    ended: u64,
    /// The number of lines that are not UTF-8.
    others: u64,
    /// The first of them.
    first: u64,
    /// The last of them.
    last: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { end: b'\n', ended: 0, others: 0, first: 0, last: 0 }
    }
}

impl Utf8 {
    /// Text whose lines end with a byte.
    pub(super) fn new(bytes: Box<dyn Read + Send>, notes: Notes, line_end: u8) -> Self {
        let lines = Lines { end: line_end, ..Lines::default() };
        Self { lines, ..Self::with_sizes(bytes, notes, LONGEST_LINE, PIECE) }
    }

    /// With other sizes: `longest` is 4 at least, and `piece` 1.
    pub(super) fn with_sizes(
        bytes: Box<dyn Read + Send>,
        notes: Notes,
        longest: usize,
        piece: usize,
    ) -> Self {
        Self {
            bytes,
            // The bytes that are held back are no longer than a line.
            buffer: vec![0; longest + piece],
            start: 0,
            end: 0,
            ready: 0,
            valid: 0,
            decoded: vec![],
            given: 0,
            is_hungry: true,
            is_end: false,
            lines: Lines::default(),
            notes,
            longest,
            piece,
        }
    }

    /// Reads the next piece behind what is left.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.valid -= self.start;
        (self.start, self.ready) = (0, 0);
        let full = self.end + self.piece;
        while self.end < full {
            match self.bytes.read(self.buffer.get_mut(self.end..full).unwrap_or_default()) {
                Ok(0) => {
                    self.is_end = true;
                    // A letter that was cut with its file is no letter of another encoding.
                    if self.notes.damage().is_some() {
                        self.end -= incomplete_end(part(&self.buffer, self.start, self.end));
                    }
                    break;
                }
                Ok(length) => self.end += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Finds the next bytes to give out: lines that were decoded, then lines as they are. False if more are needed for that.
    fn find(&mut self) -> bool {
        while let Some(wrong) = self.first_wrong() {
            let line = self.line_start(wrong);
            let end = self.line_end(line, wrong);
            if line > self.start && (end.is_none() || self.decoded.is_empty()) {
                self.set_ready(line);
                return true;
            }
            let Some(end) = end else { break };
            self.decoded.extend_from_slice(part(&self.buffer, self.start, line));
            self.lines.pass(part(&self.buffer, self.start, line));
            decode_line(part(&self.buffer, line, end), &mut self.decoded);
            self.lines.pass_other(part(&self.buffer, line, end));
            (self.start, self.ready, self.valid) = (end, end, end);
            if self.decoded.len() >= self.piece {
                break;
            }
        }
        if !self.decoded.is_empty() {
            return true;
        }
        let last_end = memchr::memrchr(self.lines.end, part(&self.buffer, self.start, self.valid));
        self.set_ready(match last_end {
            _ if self.is_end => self.end,
            Some(at) => self.start + at + 1,
            None if self.end - self.start > self.longest => self.part_end(self.start),
            None => return false,
        });
        true
    }

    /// Has the bytes up to `end` given out as they are.
    fn set_ready(&mut self, end: usize) {
        self.lines.pass(part(&self.buffer, self.start, end));
        self.ready = end;
        self.valid = self.valid.max(end);
    }

    /// The first byte that is not UTF-8. A letter at the end may become whole.
    fn first_wrong(&mut self) -> Option<usize> {
        match std::str::from_utf8(part(&self.buffer, self.valid, self.end)) {
            Ok(_) => self.valid = self.end,
            Err(error) => {
                self.valid += error.valid_up_to();
                if error.error_len().is_some() || self.is_end {
                    return Some(self.valid);
                }
            }
        }
        None
    }

    /// The beginning of the line, or of the part of a long line, in which the byte at `wrong` is the first that is not UTF-8.
    fn line_start(&self, wrong: usize) -> usize {
        let last_end = memchr::memrchr(self.lines.end, part(&self.buffer, self.start, wrong));
        let mut line = last_end.map_or(self.start, |at| self.start + at + 1);
        while self.end - line > self.longest
            && self.next_newline(line, wrong).is_none()
            && self.part_end(line) <= wrong
        {
            line = self.part_end(line);
        }
        line
    }

    /// The end of the line, or of the part of a long line, that begins at `line` and has no end before `from`; none if it is not
    /// known yet.
    fn line_end(&self, line: usize, from: usize) -> Option<usize> {
        match self.next_newline(line, from) {
            Some(end) => Some(end),
            None if self.end - line > self.longest => Some(self.part_end(line)),
            None => self.is_end.then_some(self.end),
        }
    }

    /// The end of the line that begins at `line` and has no end before `from`, if it is in reach and not too long.
    fn next_newline(&self, line: usize, from: usize) -> Option<usize> {
        let most = self.end.min(line + self.longest);
        let at = memchr::memchr(self.lines.end, self.buffer.get(from..most)?)?;
        Some(from + at + 1)
    }

    /// The end of the part of a long line that begins at `start`: not within a letter.
    fn part_end(&self, start: usize) -> usize {
        let end = start + self.longest;
        let is_inside = |at: &usize| self.buffer.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
        (end - 3..=end).rev().find(|at| !is_inside(at)).unwrap_or(end)
    }
}

impl Read for Utf8 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (ready, is_decoded) = match self.decoded.get(self.given..) {
                Some(decoded) if !decoded.is_empty() => (decoded, true),
                _ => (part(&self.buffer, self.start, self.ready), false),
            };
            let length = ready.len().min(buffer.len());
            if length > 0 || buffer.is_empty() {
                if let (Some(buffer), Some(ready)) = (buffer.get_mut(..length), ready.get(..length)) {
                    buffer.copy_from_slice(ready);
                }
                *if is_decoded { &mut self.given } else { &mut self.start } += length;
                return Ok(length);
            }
            self.decoded.clear();
            self.given = 0;
            if self.is_end && self.start == self.end {
                self.lines.tell(&self.notes);
                return Ok(0);
            }
            if self.is_hungry {
                self.fill()?;
            }
            self.is_hungry = !self.find();
        }
    }
}

/// The bytes between two places, which are in the buffer by the order that [`Utf8`] keeps.
fn part(buffer: &[u8], start: usize, end: usize) -> &[u8] {
    buffer.get(start..end).unwrap_or_default()
}

/// Appends the text of a line that is not UTF-8.
pub(super) fn decode_line(line: &[u8], into: &mut Vec<u8>) {
    let (mut letters, mut wrong) = (0, 0);
    for chunk in line.utf8_chunks() {
        // The first byte of a letter of several.
        letters += chunk.valid().bytes().filter(|byte| *byte >= 0xC0).count();
        wrong += chunk.invalid().len();
    }
    if letters <= wrong {
        return decode_windows_1252(line, into);
    }
    for chunk in line.utf8_chunks() {
        into.extend_from_slice(chunk.valid().as_bytes());
        decode_windows_1252(chunk.invalid(), into);
    }
}

/// Appends the text of bytes in Windows-1252, in which each is a letter.
fn decode_windows_1252(bytes: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
    into.resize(start + decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(3 * bytes.len() + 16), 0);
    let (_, _, written, _) = decoder.decode_to_utf8(bytes, into.get_mut(start..).unwrap_or_default(), true);
    into.truncate(start + written);
}

impl Lines {
    /// Counts the lines that end in a text.
    fn pass(&mut self, text: &[u8]) {
        self.ended += memchr::memchr_iter(self.end, text).count() as u64;
    }

    /// Counts a line, or a part of one, that is not UTF-8.
    fn pass_other(&mut self, text: &[u8]) {
        let line = self.ended + 1;
        if line != self.last {
            self.others += 1;
            self.last = line;
        }
        if self.others == 1 {
            self.first = line;
        }
        self.ended += u64::from(text.last() == Some(&self.end));
    }

    fn tell(&mut self, notes: &Notes) {
        let way_out = "encoding => '...' names another";
        match std::mem::take(&mut self.others) {
            0 => {}
            1 => notes.add(format!("line {} is not UTF-8, and read as Windows-1252; {way_out}", self.first)),
            others => notes.add(format!(
                "{others} lines are not UTF-8, the first is line {}, and read as Windows-1252; {way_out}",
                self.first
            )),
        }
    }
}
