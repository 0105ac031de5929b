//! From one object of a text to the next.
//!
//! Between objects there may be white space, commas and the brackets of arrays. So one walk reads JSON lines, objects without
//! anything between them, and arrays. In files with an [`Envelope`] it also steps into the arrays of records and out of them.
//!
//! The cutter walks through the file, and the parser through each block; both have to find the same pieces. A block begins with a
//! comma or an opening bracket exactly if it begins within an envelope. That is all a parser has to know of what came before.

use std::sync::Arc;

use super::envelope::{Beside, Envelope, Reached};
use super::lex;
use super::piece::{End, MAX_PIECE, floor_char};

/// How far behind a number or a string the comma is looked for that makes it an item.
const SCALAR: usize = 64 << 10;

/// The byte order mark, which stands within a file that was joined of several.
const MARK: &[u8] = "\u{feff}".as_bytes();
const MARK_BYTE: u8 = 0xef;

/// The next thing in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An object seems to begin here. The walk goes on when it has been [passed](Walk::pass).
    Object(usize),
    /// Something between two places that is no object. It has been passed.
    Scrap(usize, usize),
    /// The text ends. What is before this place is not needed any more.
    End(usize),
}

/// A walk through a text.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    envelope: Option<Arc<Envelope>>,
    place: Place,
    at: usize,
    /// The comma or the bracket before the next piece, if the walk is within an envelope.
    mark: usize,
    /// Where a block with the last step's piece begins.
    block: usize,
    beside: Beside,
    /// The brackets of arrays that are open outside of objects, if the text begins with one; none before the first byte, and in a
    /// text that begins otherwise.
    open: Option<u64>,
    is_begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In no object.
    Top,
    /// In the array of an envelope, behind a comma or not.
    Items { is_behind_comma: bool },
    /// Behind the array of an envelope.
    Tail,
}

impl Walk {
    /// A walk from the beginning of a file.
    pub(super) fn of_file(envelope: Option<Arc<Envelope>>) -> Self {
        Self {
            envelope,
            place: Place::Top,
            at: 0,
            mark: 0,
            block: 0,
            beside: Beside::default(),
            open: None,
            is_begun: false,
        }
    }

    /// A walk from the beginning of a block.
    pub(super) fn of_block(envelope: Option<Arc<Envelope>>, block: &[u8]) -> Self {
        let is_inside = envelope.is_some() && matches!(block.first(), Some(b',' | b'['));
        let place = if is_inside { Place::Items { is_behind_comma: true } } else { Place::Top };
        Self { place, at: usize::from(is_inside), ..Self::of_file(envelope) }
    }

    /// Whether there are neither envelopes to step into, nor brackets to count.
    pub(super) fn is_flat(&self) -> bool {
        self.envelope.is_none() && self.open.is_none()
    }

    /// A sentence about envelopes.
    pub(super) fn note(&self) -> Option<String> {
        self.envelope.as_ref().and_then(|envelope| envelope.note(&self.beside))
    }

    /// A sentence about a bracket that the text lacks at its end, where this walk has come.
    pub(super) fn unclosed(&self) -> Option<String> {
        let what = match self.place {
            Place::Top if self.open.is_some_and(|open| open > 0) => {
                "array around its objects ends without its closing ]"
            }
            Place::Items { .. } => "list of its objects ends without its closing ]",
            Place::Tail => "object around its list ends without its closing }",
            Place::Top => return None,
        };
        Some(format!("the {what}, so the text may be cut off"))
    }

    /// Where a block with the piece of the last step begins.
    pub(super) fn block_start(&self) -> usize {
        self.block
    }

    /// Moves to a text of which the first `bytes` are gone.
    pub(super) fn rebase(&mut self, bytes: usize) {
        self.at = self.at.saturating_sub(bytes);
        self.mark = self.mark.saturating_sub(bytes);
        self.block = self.block.saturating_sub(bytes);
    }

    /// Goes on behind an object.
    pub(super) fn pass(&mut self, end: End) {
        self.at = end.at;
        self.place = match self.place {
            Place::Items { .. } if end.is_closed => Place::Items { is_behind_comma: false },
            _ => Place::Top,
        };
    }

    /// Goes to the next piece. If `is_end`, no more text comes.
    pub(super) fn next(&mut self, text: &[u8], is_end: bool) -> Step {
        loop {
            self.at = lex::skip_gap(text, self.at);
            let Some(byte) = text.get(self.at) else { return self.wait() };
            if !self.is_begun && *byte != MARK_BYTE {
                self.is_begun = true;
                self.open = (*byte == b'[').then_some(0);
            }
            match (self.place, byte) {
                (Place::Top, b',' | b'[' | b']') => {
                    self.at += 1;
                    self.open = self.open.map(|open| match byte {
                        b'[' => open + 1,
                        b']' => open.saturating_sub(1),
                        _ => open,
                    });
                }
                (Place::Top, b'{') => {
                    let Some(envelope) = &self.envelope else { return self.object() };
                    match envelope.array(text, self.at, is_end, &mut self.beside) {
                        Reached::At(bracket) => {
                            self.at = bracket;
                            self.step_in();
                        }
                        Reached::Nothing => return self.object(),
                        Reached::More => return self.wait(),
                    }
                }
                (Place::Top, &MARK_BYTE)
                    if text.get(self.at..).is_some_and(|rest| rest.starts_with(MARK)) =>
                {
                    self.at += MARK.len();
                }
                (Place::Items { .. }, b',') => self.step_in(),
                (Place::Items { .. }, b']') => {
                    self.at += 1;
                    self.place = Place::Tail;
                }
                (Place::Items { is_behind_comma: true }, b'{') => return self.object(),
                (Place::Items { is_behind_comma: false }, _) => self.place = Place::Top,
                (Place::Top | Place::Items { .. }, _) => {
                    return self.scrap(text, is_end).unwrap_or_else(|| self.wait());
                }
                (Place::Tail, _) => {
                    let envelope = self.envelope.as_ref();
                    match envelope.map(|envelope| envelope.end(text, self.at, is_end, &mut self.beside)) {
                        Some(Reached::At(end)) => self.at = end,
                        Some(Reached::More) => return self.wait(),
                        Some(Reached::Nothing) | None => {}
                    }
                    self.place = Place::Top;
                }
            }
        }
    }

    /// Goes behind the comma or the bracket before an item.
    fn step_in(&mut self) {
        self.mark = self.at;
        self.at += 1;
        self.place = Place::Items { is_behind_comma: true };
    }

    fn object(&mut self) -> Step {
        self.block = self.kept();
        Step::Object(self.at)
    }

    fn wait(&self) -> Step {
        Step::End(self.kept())
    }

    fn kept(&self) -> usize {
        match self.place {
            Place::Items { is_behind_comma: true } => self.mark,
            _ => self.at,
        }
    }

    /// Passes what is no object. None if more text is needed.
    fn scrap(&mut self, text: &[u8], is_end: bool) -> Option<Step> {
        let start = self.at;
        let end = scrap_end(text, start, is_end)?;
        self.block = self.kept();
        self.pass(end);
        Some(Step::Scrap(start, end.at))
    }
}

/// The end of what is no object: of brackets that close nothing, of a value of an array, else of the line. None if more text is
/// needed.
fn scrap_end(text: &[u8], start: usize, is_end: bool) -> Option<End> {
    let rest = text.get(start..).unwrap_or_default();
    let near = rest.get(..SCALAR).unwrap_or(rest);
    let is_all = is_end || near.len() == SCALAR;
    let may_be_mark = near.len() < MARK.len() && MARK.starts_with(near);
    let brackets = near.iter().take_while(|byte| **byte == b'}').count();
    if !is_all && (may_be_mark || brackets == near.len()) {
        return None;
    }
    if brackets > 0 {
        return Some(End { at: start + brackets, is_closed: false });
    }
    // The value may not go on behind the line, since a block may end there.
    let line_end = memchr::memchr2(b'\n', b'\r', near);
    let line = near.get(..line_end.unwrap_or(near.len())).unwrap_or(near);
    match lex::value(line, 0).map(|end| (end, near.get(lex::skip_gap(near, end)))) {
        Ok((end, Some(b',' | b']'))) => return Some(End { at: start + end, is_closed: true }),
        Ok((_, None)) if !is_all => return None,
        Err(fault) if !is_all && line_end.is_none() && fault.at >= near.len() => return None,
        _ => {}
    }
    let long = rest.get(..MAX_PIECE).unwrap_or(rest);
    let at = match memchr::memchr2(b'\n', b'\r', long) {
        Some(length) => start + length,
        None if is_end || long.len() == MAX_PIECE => floor_char(text, start + long.len()),
        None => return None,
    };
    Some(End { at, is_closed: false })
}
