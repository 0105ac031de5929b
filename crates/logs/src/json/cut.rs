//! Blocks of whole objects.
//!
//! A line that ends with a brace, with a record beginning on the next line, needs no closer look: no object goes on behind it. So
//! JSON lines are cut as fast as line ends are found. All other text is searched for strings and brackets.

use super::lex;
use super::piece::{End, Piece};
use super::walk::{Step, Walk};
use crate::records::{Cut, Cutter};

/// Cuts the text of one file.
pub(super) struct JsonCutter {
    walk: Walk,
    /// The search for the end of an object that was not there yet.
    piece: Option<Piece>,
    /// Where the line ends that had to be looked at more closely.
    searched: usize,
}

impl JsonCutter {
    pub(super) fn new(walk: Walk) -> Self {
        Self { walk, piece: None, searched: 0 }
    }

    /// The end of the line, if it is the end of its last object too.
    fn line_end(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if !self.walk.is_flat() || at < self.searched {
            return None;
        }
        let line = text.get(at..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', line) else {
            self.searched = text.len();
            return None;
        };
        let next = at + length + 1;
        let last = line.iter().take(length).rfind(|byte| !lex::is_gap(**byte));
        if last == Some(&b'}') && lex::begins_record(text, next).1 == Some(true) {
            return Some(next);
        }
        self.searched = next;
        None
    }

    fn rebase(&mut self, bytes: usize) {
        self.walk.rebase(bytes);
        self.searched = self.searched.saturating_sub(bytes);
        if let Some(piece) = &mut self.piece {
            piece.rebase(bytes);
        }
    }
}

impl JsonCutter {
    /// Cuts a text. If `is_end`, no more text comes; if `is_damaged`, too, the object that it ends within is left.
    fn cut_text(&mut self, text: &[u8], is_end: bool, is_damaged: bool) -> Cut {
        let mut first = None;
        let mut whole = 0;
        let kept = loop {
            let mut piece = match self.piece.take() {
                Some(piece) => piece,
                None => match self.walk.next(text, is_end) {
                    Step::Object(at) => {
                        if let Some(end) = self.line_end(text, at) {
                            first.get_or_insert(self.walk.block_start());
                            whole = end;
                            self.walk.pass(End { at: end, is_closed: true });
                            continue;
                        }
                        Piece::new(at)
                    }
                    Step::Scrap(_, end) => {
                        first.get_or_insert(self.walk.block_start());
                        whole = end;
                        continue;
                    }
                    Step::End(kept) => break kept,
                },
            };
            match piece.end(text, is_end && !is_damaged) {
                Some(end) => {
                    first.get_or_insert(self.walk.block_start());
                    whole = end.at;
                    self.walk.pass(end);
                }
                None => {
                    self.piece = Some(piece);
                    break self.walk.block_start();
                }
            }
        };
        let takes_all = is_end && self.piece.is_none();
        let skip = first.unwrap_or(if takes_all { text.len() } else { kept });
        let end = if takes_all { text.len() } else { whole.max(skip) };
        self.rebase(end);
        Cut { skip, records: end - skip }
    }
}

impl Cutter for JsonCutter {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        self.cut_text(text, is_end, false)
    }

    fn cut_damaged(&mut self, text: &[u8]) -> Cut {
        self.cut_text(text, true, true)
    }

    fn notes(&self) -> Vec<String> {
        // Of an object that was cut off, more is told.
        let unclosed = if self.piece.is_none() { self.walk.unclosed() } else { None };
        unclosed.into_iter().chain(self.walk.note()).collect()
    }
}
