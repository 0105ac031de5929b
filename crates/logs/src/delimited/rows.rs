//! Rows of a block while they are found.

use std::sync::Arc;

use super::counted;
use crate::records::{Block, Cell, Changes, Column, Records, Syntax};
use crate::report::Rejected;

/// Why a record of so many fields and bytes is no row of a table with so many columns, if it isn't: it has fields for other columns,
/// or it lacks so many that its NULLs would take far more memory than its text.
pub(super) fn misfit(columns: usize, fields: usize, bytes: usize, has_more: bool) -> Option<String> {
    let is_torn = columns.saturating_sub(fields) > 64 + 8 * bytes;
    (has_more || is_torn).then(|| format!("expected {}, got {fields}", counted(columns, "field")))
}

/// The rows of a block. Cells are pushed from the first column to the last, then the row ends or is rejected. A column is there from
/// the first row on that has a field for it.
pub(super) struct Rows<'a> {
    text: &'a [u8],
    line_end: u8,
    /// How many rows there may be.
    expected: usize,
    /// The columns of the rows that have ended.
    known: usize,
    /// A place in the text and the number of its line, so that lines are counted once.
    counted: (usize, u64),
    /// The values of the current row that have text behind their closing quote.
    followed: u64,
    found: Found,
}

/// The findings of [`Rows`], without the text that they borrow.
#[derive(Default)]
pub(super) struct Found {
    /// Values that do not stand in the text.
    behind: Vec<u8>,
    columns: Vec<Vec<Cell>>,
    row_starts: Vec<u32>,
    short: usize,
    rejected: Vec<Rejected>,
    line_end: u8,
    /// The number of values with text behind their closing quote, and where the row of the first begins.
    followed: u64,
    first_followed: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(block: &'a Block, line_end: u8) -> Self {
        // The first line tells how many there are; a wrong guess costs a copy.
        let first = memchr::memchr(line_end, &block.text).unwrap_or(block.text.len());
        let expected = block.text.len() / (first + 1) + 1;
        Self {
            text: &block.text,
            line_end,
            expected,
            known: 0,
            counted: (0, block.first_line),
            followed: 0,
            found: Found { row_starts: Vec::with_capacity(expected), line_end, ..Found::default() },
        }
    }

    /// Sets the cell of the next column in the current row.
    #[inline]
    pub(super) fn push(&mut self, column: usize, cell: Cell) {
        match self.found.columns.get_mut(column) {
            Some(cells) => cells.push(cell),
            None => self.add_column(cell),
        }
    }

    #[cold]
    fn add_column(&mut self, cell: Cell) {
        let rows = self.found.row_starts.len();
        // The text has no room for many rows with many fields.
        let most = self.text.len() / (self.found.columns.len() + 1);
        let mut cells = Vec::with_capacity(self.expected.min(most).max(rows) + 1);
        cells.resize(rows, Cell::NULL);
        cells.push(cell);
        self.found.columns.push(cells);
    }

    /// Counts a value of the current row that has text behind its closing quote.
    pub(super) fn follow(&mut self) {
        self.followed += 1;
    }

    /// Appends a value that `write` makes to the text.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Cell {
        let start = self.found.behind.len();
        write(&mut self.found.behind);
        Cell::new(self.text.len() + start, self.found.behind.len() - start)
    }

    /// Appends the last values of two columns with texts between and behind them. NULL if one of them is.
    pub(super) fn join(&mut self, first: usize, between: &str, second: usize, ends: &str) -> Cell {
        let start = self.found.behind.len();
        let parts = [(first, between), (second, ends)];
        for (column, text) in parts {
            let cell =
                self.found.columns.get(column).and_then(|cells| cells.last()).copied().unwrap_or(Cell::NULL);
            match cell.of(self.text) {
                Some(value) if !value.is_empty() => self.found.behind.extend_from_slice(value),
                // It has been appended.
                _ if cell.length() > 0 => {
                    let place = cell.start() - self.text.len();
                    self.found.behind.extend_from_within(place..place + cell.length());
                }
                _ => {
                    self.found.behind.truncate(start);
                    return Cell::NULL;
                }
            }
            self.found.behind.extend_from_slice(text.as_bytes());
        }
        Cell::new(self.text.len() + start, self.found.behind.len() - start)
    }

    /// Ends the row that begins at `start` and has so many cells; the others are NULL.
    #[inline]
    pub(super) fn end(&mut self, start: usize, fields: usize, is_short: bool) {
        self.found.row_starts.push(start as u32);
        self.found.short += usize::from(is_short);
        if self.followed > 0 {
            if self.found.followed == 0 {
                self.found.first_followed = start;
            }
            self.found.followed += std::mem::take(&mut self.followed);
        }
        self.known = self.found.columns.len();
        for cells in self.found.columns.iter_mut().skip(fields) {
            cells.push(Cell::NULL);
        }
    }

    /// Rejects the text from `start` to `end`, and takes back the cells that were pushed for it.
    pub(super) fn reject(&mut self, start: usize, end: usize, cells: usize, reason: String) {
        self.followed = 0;
        self.found.columns.truncate(self.known);
        for column in self.found.columns.iter_mut().take(cells) {
            column.pop();
        }
        let (counted, line) = self.counted;
        let between = self.text.get(counted..start).unwrap_or_default();
        self.counted = (start, line + memchr::memchr_iter(self.line_end, between).count() as u64);
        let text = self.text.get(start..end).unwrap_or_default();
        let text = text.strip_suffix(&[self.line_end]).unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.found.rejected.push(Rejected::record(self.counted.1, text, reason));
    }

    /// Returns the findings.
    pub(super) fn finish(self) -> Found {
        self.found
    }
}

impl Found {
    /// The records with the names of their columns. Those behind the `required` ones are left out if no row has
    /// a value for them or for one behind them.
    pub(super) fn records(
        self,
        block: Block,
        names: impl Iterator<Item = Arc<str>>,
        required: usize,
    ) -> Records {
        let Block { mut text, first_line } = block;
        let mut changes = Changes { followed: self.followed, ..Changes::default() };
        if self.followed > 0 {
            let before = text.get(..self.first_followed).unwrap_or_default();
            changes.first_followed = first_line + memchr::memchr_iter(self.line_end, before).count() as u64;
        }
        text.extend_from_slice(&self.behind);
        // Blocks tell columns in the same order if none leaves one out before another that it has.
        let has_value = |cells: &Vec<Cell>| cells.iter().any(|cell| cell.length() > 0);
        let last = self.columns.iter().rposition(has_value).map_or(0, |last| last + 1);
        let columns = names.zip(self.columns).take(required.max(last));
        Records {
            text,
            block: None,
            first_line,
            line_end: self.line_end,
            rows: self.row_starts.len(),
            row_starts: self.row_starts,
            columns: columns.map(|(name, cells)| Column { name, syntax: Syntax::Plain, cells }).collect(),
            short_rows: self.short,
            rejected: self.rejected,
            changes,
        }
    }
}
