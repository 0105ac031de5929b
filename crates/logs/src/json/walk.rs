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
        Self { envelope, place: Place::Top, at: 0, mark: 0, block: 0, beside: Beside::default() }
    }

    /// A walk from the beginning of a block.
    pub(super) fn of_block(envelope: Option<Arc<Envelope>>, block: &[u8]) -> Self {
        let is_inside = envelope.is_some() && matches!(block.first(), Some(b',' | b'['));
        let place = if is_inside { Place::Items { is_behind_comma: true } } else { Place::Top };
        Self { envelope, place, at: usize::from(is_inside), mark: 0, block: 0, beside: Beside::default() }
    }

    /// Whether there are no envelopes to step into.
    pub(super) fn is_flat(&self) -> bool {
        self.envelope.is_none()
    }

    /// A sentence about the members that were passed over in envelopes.
    pub(super) fn note(&self) -> Option<String> {
        self.envelope.as_ref().and_then(|envelope| envelope.note(&self.beside))
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
            match (self.place, byte) {
                (Place::Top, b',' | b'[' | b']') => self.at += 1,
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
                (Place::Top, 0xef) if text.get(self.at..).is_some_and(|rest| rest.starts_with(MARK)) => {
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
    let line_end = memchr::memchr(b'\n', near);
    let line = near.get(..line_end.unwrap_or(near.len())).unwrap_or(near);
    match lex::value(line, 0).map(|end| (end, near.get(lex::skip_gap(near, end)))) {
        Ok((end, Some(b',' | b']'))) => return Some(End { at: start + end, is_closed: true }),
        Ok((_, None)) if !is_all => return None,
        Err(fault) if !is_all && line_end.is_none() && fault.at >= near.len() => return None,
        _ => {}
    }
    let long = rest.get(..MAX_PIECE).unwrap_or(rest);
    let at = match memchr::memchr(b'\n', long) {
        Some(length) => start + length,
        None if is_end || long.len() == MAX_PIECE => floor_char(text, start + long.len()),
        None => return None,
    };
    Some(End { at, is_closed: false })
}
