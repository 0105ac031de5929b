//! Blocks to records.
//!
//! An object is read in one go: its grammar is checked, and each member becomes a cell. Only if that fails, the end of the damaged
//! piece is searched for, by the same rules by which the cutter found it.

use std::sync::Arc;

use super::envelope::Envelope;
use super::lex::{self, Fault, MAX_DEPTH, Problem};
use super::piece::{End, MAX_PIECE, Piece};
use super::table::Table;
use super::walk::{Step, Walk};
use crate::records::{Block, Parser, Records, Syntax};
use crate::report::Rejected;

/// The most columns of a block.
const MAX_COLUMNS: usize = 16 << 10;
/// The most cells of a block for each byte of it. Cells are there for missing values too, so a text in which every object has other
/// names would take memory by the square of its length.
const CELLS_PER_BYTE: usize = 16;
const MIN_CELLS: usize = 1 << 20;

/// Finds the records of one file's blocks.
pub(super) struct JsonParser {
    pub(super) envelope: Option<Arc<Envelope>>,
    /// The byte that ends a line, for the numbers of lines.
    pub(super) line_end: u8,
}

impl Parser for JsonParser {
    fn parse(&self, block: Block) -> Records {
        let Block { text, first_line } = block;
        let mut walk = Walk::of_block(self.envelope.clone(), &text);
        let mut table = Table::new(MAX_COLUMNS, MIN_CELLS.max(text.len().saturating_mul(CELLS_PER_BYTE)));
        let mut row_starts = vec![];
        let mut rejected = vec![];
        let line_end = self.line_end;
        let mut lines = Lines { line_end, at: 0, line: first_line };
        loop {
            match walk.next(&text, true) {
                Step::Object(at) => match table.push_object(&text, at, MAX_PIECE) {
                    Ok(end) => {
                        row_starts.push(at as u32);
                        walk.pass(End { at: end, is_closed: true });
                    }
                    Err(fault) => {
                        let end = Piece::new(at).end(&text, true);
                        let end = end.unwrap_or(End { at: text.len(), is_closed: false });
                        rejected.push(lines.reject_object(&text, at, end, fault));
                        walk.pass(end);
                    }
                },
                Step::Scrap(start, end) => {
                    rejected.push(lines.reject_scrap(&text, start, end));
                }
                Step::End(_) => break,
            }
        }
        let rows = table.rows();
        let changes = table.take_changes();
        let columns = table.into_columns(Syntax::Json);
        Records {
            text,
            block: None,
            first_line,
            line_end,
            rows,
            row_starts,
            short_rows: 0,
            columns,
            rejected,
            changes,
        }
    }
}

/// The line of a place, for places that come one after the other.
struct Lines {
    line_end: u8,
    at: usize,
    line: u64,
}

impl Lines {
    fn line(&mut self, text: &[u8], at: usize) -> u64 {
        let between = text.get(self.at..at).unwrap_or_default();
        self.line += memchr::memchr_iter(self.line_end, between).count() as u64;
        self.at = self.at.max(at);
        self.line
    }

    fn reject(&mut self, text: &[u8], start: usize, end: usize, reason: String) -> Rejected {
        let line = self.line(text, start);
        let text = text.get(start..end).unwrap_or_default().trim_ascii_end();
        Rejected::record(line, text, reason)
    }

    fn reject_scrap(&mut self, text: &[u8], start: usize, end: usize) -> Rejected {
        let got = char_at(text.get(start..end).unwrap_or_default());
        self.reject(text, start, end, format!("expected a JSON object, got {got:?}"))
    }

    fn reject_object(&mut self, text: &[u8], start: usize, end: End, fault: Fault) -> Rejected {
        // The search for the fault may have left the piece.
        let piece = text.get(..end.at).unwrap_or(text);
        let fault = match fault.problem {
            Problem::Expected(_) => lex::check_object(piece, start).err(),
            _ => Some(fault),
        };
        let line = self.line(text, start);
        let reason = fault.map_or_else(
            || "damaged".to_owned(),
            |fault| explained(piece, start, (line, self.line_end), fault),
        );
        self.reject(text, start, end.at, reason)
    }
}

/// The fault of the piece that begins at `start`, on a line whose number is given with the byte that ends lines.
fn explained(piece: &[u8], start: usize, (line, line_end): (u64, u8), fault: Fault) -> String {
    let expected = match fault.problem {
        Problem::Expected(expected) => expected,
        Problem::Deep => return format!("a JSON object nested deeper than {MAX_DEPTH} levels"),
        Problem::Wide => return "a JSON object with which there would be too many columns".to_owned(),
        Problem::Long => return format!("a JSON object of more than {} MiB", MAX_PIECE >> 20),
    };
    let Some(rest) = piece.get(fault.at..).filter(|rest| !rest.trim_ascii_start().is_empty()) else {
        return format!("a JSON object that is not finished: expected {expected}");
    };
    let got = char_at(rest);
    let before = piece.get(..fault.at).unwrap_or_default();
    // A block may begin within a line, so columns of the object's first line are counted from its brace.
    let line_start = memchr::memrchr(line_end, before).map_or(0, |newline| newline + 1).max(start);
    let lines = memchr::memchr_iter(line_end, before.get(start..).unwrap_or_default()).count() as u64;
    let column = 1 + before.iter().skip(line_start).filter(|byte| **byte & 0xc0 != 0x80).count();
    format!("not a JSON object: expected {expected} in line {}, column {column}, got {got:?}", line + lines)
}

/// The first character of a text.
fn char_at(text: &[u8]) -> char {
    String::from_utf8_lossy(text.get(..4).unwrap_or(text)).chars().next().unwrap_or_default()
}
