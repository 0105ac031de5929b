//! Records to cells.

use std::sync::Arc;

use super::field::{Field, Form, Written};
use crate::delimited::rows::{Rows, misfit};
use crate::records::{Block, Cell, Parser, Records};

/// A byte order mark in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The beginning of a line in which PowerShell names the type of the objects.
const TYPE: &[u8] = b"#TYPE ";

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::delimited) struct Columns {
    pub(in crate::delimited) names: Vec<Arc<str>>,
    /// How many a row has at least. Those behind them have no name in the header and are there if a row has a value for them.
    pub(in crate::delimited) required: usize,
}

/// Parses CSV.
pub(super) struct RecordParser {
    pub(super) form: Form,
    pub(super) columns: Columns,
    /// The header without its line end. Files that were put together have it again in their middle.
    pub(super) header: Vec<u8>,
    /// Whether `-` is NULL, as in text that has a space between fields.
    pub(super) dash_is_null: bool,
}

impl RecordParser {
    /// Reads the record that begins at `start`; returns where the next one begins.
    fn record(&self, text: &[u8], start: usize, rows: &mut Rows) -> usize {
        let width = self.columns.names.len();
        let mut at = start;
        let mut fields = 0;
        let mut has_more = false;
        let stop = loop {
            let field = self.form.field(text, at);
            if field.written == Written::Unclosed {
                // The cutter has looked for its end and cut the line alone.
                rows.reject(
                    start,
                    text.len(),
                    fields.min(width),
                    format!("a quote opens in column {} and is not closed", fields + 1),
                );
                return text.len();
            }
            if fields < width {
                let cell = self.cell(text, &field, rows);
                rows.push(fields, cell);
            } else {
                has_more |= field.end > field.start;
            }
            fields += 1;
            if self.form.ends_record(text, &field) {
                break field.stop;
            }
            at = field.stop + 1;
        };
        match misfit(width, fields, stop - start, has_more) {
            Some(reason) => rows.reject(start, stop, fields.min(width), reason),
            None => rows.end(start, fields, fields < self.columns.required),
        }
        stop + 1
    }

    #[inline]
    fn cell(&self, text: &[u8], field: &Field, rows: &mut Rows) -> Cell {
        match field.written {
            Written::Bare if self.dash_is_null && text.get(field.start..field.end) == Some(b"-") => {
                Cell::NULL
            }
            Written::Bare | Written::Quoted => Cell::new(field.start, field.end - field.start),
            Written::Doubled | Written::Escaped | Written::Followed(_) | Written::Unclosed => {
                if matches!(field.written, Written::Followed(_)) {
                    rows.follow();
                }
                rows.append(|behind| field.write(text, behind))
            }
        }
    }

    /// Passes over a line that is no record. Where the next one begins, if it is one.
    fn passed_over(&self, text: &[u8], start: usize, rows: &mut Rows) -> Option<usize> {
        let rest = text.get(start..)?;
        let first = *rest.first()?;
        // Files that were put together have a byte order mark before each header, and PowerShell's mark.
        let is_marked = rest.starts_with(MARK);
        let may_be_header = is_marked || self.header.first() == Some(&first);
        let is_type = first == b'#' && rest.starts_with(TYPE);
        let is_comment = self.form.comments && first == b'#';
        if !(may_be_header || is_type || is_comment || first.is_ascii_whitespace()) {
            return None;
        }
        let line = if is_marked { rest.get(MARK.len()..).unwrap_or_default() } else { rest };
        if let (true, Some(behind)) =
            (may_be_header && !self.header.is_empty(), line.strip_prefix(self.header.as_slice()))
        {
            let behind = match behind.strip_prefix(b"\r") {
                Some(behind) if self.form.line_end == b'\n' => behind,
                _ => behind,
            };
            if behind.first().is_none_or(|byte| *byte == self.form.line_end) {
                let end = text.len() - behind.len();
                rows.reject(start, end, 0, "the header stands here again".to_owned());
                return Some(end + 1);
            }
        }
        let length = memchr::memchr(self.form.line_end, rest).unwrap_or(rest.len());
        if is_type {
            rows.reject(
                start,
                start + length,
                0,
                "PowerShell's line for the type stands here again".to_owned(),
            );
            return Some(start + length + 1);
        }
        let is_blank = || {
            let mut line = rest.iter().take(length);
            line.all(|byte| byte.is_ascii_whitespace() && *byte != self.form.delimiter)
        };
        (is_comment || first.is_ascii_whitespace() && is_blank()).then_some(start + length + 1)
    }
}

impl Parser for RecordParser {
    fn parse(&self, block: Block) -> Records {
        let text = block.text.as_slice();
        let mut rows = Rows::new(&block, self.form.line_end);
        let mut start = 0;
        while start < text.len() {
            start = match self.passed_over(text, start, &mut rows) {
                Some(next) => next,
                None => self.record(text, start, &mut rows),
            };
        }
        rows.finish().records(block, self.columns.names.iter().map(Arc::clone), self.columns.required)
    }
}
