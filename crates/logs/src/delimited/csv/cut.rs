//! Where records end: at line ends outside quotes.
//!
//! A quote opens a field only if it stands where a field begins, so looking at the byte before it is enough, and the text
//! between quotes is passed over with `memchr`. No byte is looked at twice but for quotes that nothing closes, see [`Patience`].

use memchr::{memchr, memrchr};

use super::field::{Form, QUOTE, is_escaped};
use crate::delimited::near::find_byte;
use crate::records::{Cut, Cutter};

/// How far a cutter looks for the quote that closes a field.
///
/// If it gives up, the line with the quote that opened is a record of its own that the parser rejects, and the text behind it is
/// looked at again. A text that makes it give up at every line would be looked at once for each line; so what it looked at in
/// vain is paid from a credit that grows with the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The longest record.
    longest: usize,
    /// Bytes that may be looked at in vain.
    credit: u64,
    /// Where in the file it gave up last.
    gave_up: u64,
}

impl Patience {
    /// Bytes of credit for each byte of text.
    const INTEREST: u64 = 8;
    /// The credit of a new file, in longest records.
    const RECORDS: u64 = 2;

    pub(super) fn new(longest: usize) -> Self {
        Self { longest, credit: longest as u64 * Self::RECORDS, gave_up: 0 }
    }

    /// The credit at a place in the file.
    fn credit(&self, place: u64) -> u64 {
        let earned = place.saturating_sub(self.gave_up).saturating_mul(Self::INTEREST);
        self.credit.saturating_add(earned).min(self.longest as u64 * Self::RECORDS)
    }

    /// The longest record that may begin at a place in the file.
    fn longest(&self, place: u64) -> usize {
        self.longest.min(usize::try_from(self.credit(place)).unwrap_or(usize::MAX))
    }

    /// Pays for bytes that were looked at in vain.
    fn give_up(&mut self, place: u64, bytes: usize) {
        self.credit = self.credit(place).saturating_sub(bytes as u64);
        self.gave_up = place;
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

/// The thing that the next byte is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unquoted,
    Quoted,
    /// A comment; quotes mean nothing in it.
    Comment,
    /// A line with a quote that nothing closes.
    Unclosed,
}

/// Cuts CSV.
pub(super) struct RecordCutter {
    form: Form,
    patience: Patience,
    /// Bytes before the first record that are still to be skipped.
    skip: usize,
    /// The place in the file of the text that is left.
    offset: u64,
    /// How far the text that is left has been looked at, and what stands there.
    scanned: usize,
    state: State,
    /// Where the record begins that `scanned` is in; what stands before it is whole.
    record: usize,
    /// Where the text behind the open quote begins.
    opened: usize,
}

impl RecordCutter {
    /// A cutter of text whose records begin behind `skip` bytes.
    pub(super) fn new(form: Form, skip: usize, patience: Patience) -> Self {
        Self { form, patience, skip, offset: 0, scanned: 0, state: State::Unquoted, record: 0, opened: 0 }
    }

    /// The length of the whole records at the beginning of a text.
    fn records(&mut self, text: &[u8], is_end: bool) -> usize {
        loop {
            match self.state {
                State::Unquoted => {
                    if !self.find_opening(text) {
                        return if is_end { text.len() } else { self.record };
                    }
                }
                State::Quoted => {
                    if !self.find_closing(text, is_end) {
                        return self.record;
                    }
                }
                State::Comment | State::Unclosed => {
                    let rest = text.get(self.scanned..).unwrap_or_default();
                    let Some(end) = memchr(self.form.line_end, rest) else {
                        self.scanned = text.len();
                        return if is_end { text.len() } else { self.record };
                    };
                    self.scanned += end + 1;
                    self.record = self.scanned;
                    // The parser rejects all that follows the quote, so nothing else may.
                    if std::mem::replace(&mut self.state, State::Unquoted) == State::Unclosed {
                        return self.record;
                    }
                }
            }
        }
    }

    /// Goes behind the next quote that opens a field; false if there is none in the text.
    fn find_opening(&mut self, text: &[u8]) -> bool {
        // Line ends are looked for backwards, from where a record may be open.
        let mut start = self.scanned;
        while let Some(length) = text.get(start..).and_then(|rest| find_byte(QUOTE, rest)) {
            let quote = start + length;
            let before = text.get(start..quote).unwrap_or_default();
            if let Some(end) = self.last_line_end(before) {
                self.record = start + end + 1;
            }
            if self.form.comments && text.get(self.record) == Some(&b'#') {
                (self.state, self.scanned) = (State::Comment, quote);
                return true;
            }
            if self.opens(text, quote) {
                (self.state, self.scanned, self.opened) = (State::Quoted, quote + 1, quote + 1);
                return true;
            }
            start = quote + 1;
        }
        if let Some(end) = text.get(start..).and_then(|rest| self.last_line_end(rest)) {
            self.record = start + end + 1;
        }
        self.scanned = text.len();
        false
    }

    /// The last line end of a text, which is short between the fields of a record.
    fn last_line_end(&self, text: &[u8]) -> Option<usize> {
        if text.len() < 8 {
            text.iter().rposition(|byte| *byte == self.form.line_end)
        } else {
            memrchr(self.form.line_end, text)
        }
    }

    /// Whether a field begins with the quote at a place outside quotes.
    fn opens(&self, text: &[u8], quote: usize) -> bool {
        let mut before = text.get(self.record..quote).unwrap_or_default();
        while let (true, Some(shorter)) = (self.form.pads, before.strip_suffix(b" ")) {
            before = shorter;
        }
        before.last().is_none_or(|byte| *byte == self.form.delimiter)
    }

    /// Goes behind the quote that closes the field; false if it is not there yet. Gives up if it stands too far away.
    fn find_closing(&mut self, text: &[u8], is_end: bool) -> bool {
        let place = self.offset + self.record as u64;
        let limit = self.record.saturating_add(self.patience.longest(place));
        let seen = limit.min(text.len());
        let mut start = self.scanned;
        while let Some(length) = text.get(start..seen).and_then(|rest| find_byte(QUOTE, rest)) {
            let quote = start + length;
            match text.get(quote + 1) {
                _ if self.form.escapes && is_escaped(text, quote) => start = quote + 1,
                Some(&QUOTE) => start = quote + 2,
                None if !is_end => {
                    self.scanned = quote;
                    return false;
                }
                Some(byte) if *byte != self.form.delimiter && *byte != self.form.line_end => {
                    let (behind, is_followed) = self.form.behind(text, quote);
                    // The end of the field may not be there yet.
                    if behind.stop == text.len() && limit > text.len() && !is_end {
                        self.scanned = quote;
                        return false;
                    }
                    if is_followed && self.form.spans_lines(text, self.opened, quote) {
                        self.patience.give_up(place, quote - self.record);
                        (self.state, self.scanned) = (State::Unclosed, self.record);
                        return true;
                    }
                    (self.state, self.scanned) = (State::Unquoted, quote + 1);
                    return true;
                }
                _ => {
                    (self.state, self.scanned) = (State::Unquoted, quote + 1);
                    return true;
                }
            }
        }
        if limit > text.len() && !is_end {
            self.scanned = start.max(seen);
            return false;
        }
        self.patience.give_up(place, seen - self.record);
        (self.state, self.scanned) = (State::Unclosed, self.record);
        true
    }
}

impl Cutter for RecordCutter {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        let skip = self.skip.min(text.len());
        self.skip -= skip;
        self.offset += skip as u64;
        let records = self.records(text.get(skip..).unwrap_or_default(), is_end);
        self.offset += records as u64;
        self.scanned = self.scanned.saturating_sub(records);
        self.opened = self.opened.saturating_sub(records);
        self.record = 0;
        Cut { skip, records }
    }
}
