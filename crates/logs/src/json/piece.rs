//! The end of one object among others, without a look at its grammar.
//!
//! The end of a valid object is the bracket that closes it. If the object is damaged, its end is a guess, and the guess has to
//! be the same wherever the text is cut. So it follows from the text of the object alone, and from the beginning of the line
//! that comes next:
//!
//! - A line end in a string, or one behind something that no object can follow, ends the piece if a record seems to begin there.
//! - If that comes to light later, since the damaged object seemed to contain others, the piece ends where the first of them began.
//! - If brackets do not match, the piece ends at the next line with which a record seems to begin.
//!
//! A line ends with `\n` or `\r`. Both bytes of `\r\n` count, which does no harm: between them nothing begins.

use super::lex::{self, MAX_DEPTH, Open};

/// The longest piece. A longer one is damaged, or nothing that is a row.
pub(super) const MAX_PIECE: usize = 64 << 20;

/// The end of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: usize,
    /// Whether it ends with the bracket that closes its object.
    pub(super) is_closed: bool,
}

/// A search for the end of the object that begins at `start`. It keeps its place, so that it can go on when more text is there.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    start: usize,
    at: usize,
    open: Open,
    state: State,
    /// The last byte that was no white space, outside of strings.
    last: u8,
    /// Where the white space begins that starts with a line end, if `at` is in it.
    line: Option<usize>,
    /// The first line of the object with which a record seems to begin.
    inner: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    InString,
    /// Brackets did not match.
    Lost,
}

/// The meaning of a line end.
enum Line {
    /// Nothing, the piece goes on here.
    Goes(usize),
    Ends(End),
    /// It is not known before more text is there.
    Open,
}

impl Piece {
    pub(super) fn new(start: usize) -> Self {
        Self {
            start,
            at: start,
            open: Open::default(),
            state: State::Outside,
            last: 0,
            line: None,
            inner: None,
        }
    }

    /// Moves to a text of which the first `bytes` are gone.
    pub(super) fn rebase(&mut self, bytes: usize) {
        self.start -= bytes.min(self.start);
        self.at -= bytes.min(self.at);
        self.line = self.line.map(|line| line.saturating_sub(bytes));
        self.inner = self.inner.map(|inner| inner.saturating_sub(bytes));
    }

    /// The end of the object; none if more text is needed, which is never so if `is_end`.
    pub(super) fn end(&mut self, text: &[u8], is_end: bool) -> Option<End> {
        let limit = self.start.saturating_add(MAX_PIECE);
        let seen = text.get(..limit).unwrap_or(text);
        let is_end = is_end || text.len() >= limit;
        self.search(seen, is_end).or_else(|| {
            is_end.then(|| End { at: self.inner.unwrap_or(floor_char(text, seen.len())), is_closed: false })
        })
    }

    fn search(&mut self, text: &[u8], is_end: bool) -> Option<End> {
        loop {
            if let Some(line) = self.line {
                match self.line_end(text, line, is_end) {
                    Line::Goes(at) => {
                        self.line = None;
                        self.at = at;
                    }
                    Line::Ends(end) => return Some(end),
                    Line::Open => return None,
                }
            }
            match self.state {
                State::Outside => {
                    if let Some(end) = self.search_outside(text) {
                        return Some(end);
                    }
                }
                State::InString => self.search_string(text),
                State::Lost => {
                    let rest = text.get(self.at..).unwrap_or_default();
                    self.line = memchr::memchr2(b'\n', b'\r', rest).map(|line| self.at + line);
                    self.at = self.line.unwrap_or(text.len());
                }
            }
            if self.line.is_none() && self.at >= text.len() {
                return None;
            }
            // An escape that is cut in two waits for its second half.
            if self.state == State::InString
                && self.line.is_none()
                && self.at + 1 == text.len()
                && text.last() == Some(&b'\\')
            {
                return None;
            }
        }
    }

    /// Goes on to the next string, line end or mismatch.
    fn search_outside(&mut self, text: &[u8]) -> Option<End> {
        while let Some(byte) = text.get(self.at).copied() {
            match byte {
                b'"' => {
                    self.state = State::InString;
                    self.last = byte;
                    self.at += 1;
                    return None;
                }
                b'{' | b'[' => {
                    let is_opened = self.open.push(byte == b'{', MAX_DEPTH);
                    if !is_opened {
                        // Not back to the objects in it: nested as deep again, they would be searched again and again.
                        self.inner = None;
                        self.state = State::Lost;
                        return None;
                    }
                }
                b'}' | b']' if self.open.is_object() != Some(byte == b'}') => {
                    self.state = State::Lost;
                    return self.inner.map(|at| End { at, is_closed: false });
                }
                b'}' | b']' => {
                    self.open.pop();
                    if self.open.is_object().is_none() {
                        return Some(End { at: self.at + 1, is_closed: true });
                    }
                }
                b'\n' | b'\r' => {
                    self.line = Some(self.at);
                    return None;
                }
                b' ' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            self.last = byte;
            self.at += 1;
        }
        None
    }

    /// Goes on to the end of the string, to a line end in it, or to an escape that is cut in two.
    fn search_string(&mut self, text: &[u8]) {
        loop {
            self.at = lex::skip_plain(text, self.at);
            match text.get(self.at) {
                Some(b'"') => {
                    self.state = State::Outside;
                    self.at += 1;
                    return;
                }
                Some(b'\\') if self.at + 1 == text.len() => return,
                // A line end behind a backslash is looked at like any other.
                Some(b'\\') if !matches!(text.get(self.at + 1), Some(b'\n' | b'\r')) => self.at += 2,
                Some(b'\n' | b'\r') => {
                    self.line = Some(self.at);
                    return;
                }
                Some(_) => self.at += 1,
                None => return,
            }
        }
    }

    fn line_end(&mut self, text: &[u8], line: usize, is_end: bool) -> Line {
        let (next, begins_record) = lex::begins_record(text, self.at.max(line));
        match begins_record {
            Some(true) => {}
            Some(false) => return Line::Goes(next),
            None if is_end => return Line::Goes(next),
            None => {
                self.at = next;
                return Line::Open;
            }
        }
        let can_contain = match self.last {
            b'[' | b':' => true,
            b',' => self.open.is_object() == Some(false),
            _ => false,
        };
        if self.state == State::Outside && can_contain {
            self.inner.get_or_insert(line + 1);
            return Line::Goes(next);
        }
        Line::Ends(End { at: self.inner.unwrap_or(line + 1), is_closed: false })
    }
}

/// The last place up to `at` that is not within a character.
pub(super) fn floor_char(text: &[u8], at: usize) -> usize {
    let is_inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|at| !is_inside(at)).unwrap_or(at)
}
