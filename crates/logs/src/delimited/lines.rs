//! Plain lines.

use std::sync::Arc;

use super::rows::Rows;
use crate::records::{Block, Cell, Cut, Cutter, Dialect, Parser, Records, Unit, line_end};

/// The reader of plain lines: each is a row with one column, `line`. An empty line is a row with NULL.
pub(crate) fn lines(head: &[u8], is_whole: bool) -> Dialect {
    let line_end = line_end(head, is_whole);
    let name = Arc::from("line");
    Dialect {
        cutter: Box::new(LineCutter { line_end, scanned: 0 }),
        parser: Arc::new(LineParser { line_end, name: Arc::clone(&name) }),
        unit: Unit::Line(line_end),
        declared: vec![(name, None)],
        notes: vec![],
    }
}

/// Cuts behind the last line end.
struct LineCutter {
    line_end: u8,
    /// How far the text has no line end.
    scanned: usize,
}

impl Cutter for LineCutter {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        let new = text.get(self.scanned..).unwrap_or_default();
        let records = match memchr::memrchr(self.line_end, new) {
            _ if is_end => text.len(),
            Some(last) => self.scanned + last + 1,
            None => 0,
        };
        self.scanned = text.len() - records;
        Cut { skip: 0, records }
    }
}

struct LineParser {
    line_end: u8,
    name: Arc<str>,
}

impl Parser for LineParser {
    fn parse(&self, block: Block) -> Records {
        let mut rows = Rows::new(&block, self.line_end);
        for (start, line) in lines_of(&block.text, self.line_end) {
            rows.push(0, Cell::new(start, line.len()));
            rows.end(start, 1, false);
        }
        rows.finish().records(block, std::iter::once(Arc::clone(&self.name)), 1)
    }
}

/// The lines of a text without their ends, and where they begin.
pub(crate) fn lines_of(text: &[u8], line_end: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next;
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let line = rest.get(..memchr::memchr(line_end, rest).unwrap_or(rest.len()))?;
        next = start + line.len() + 1;
        Some((start, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::tests::read;

    #[test]
    fn every_line_is_a_row() {
        let text = "a, \"b\n\n  c\r\n\r\nd\re";
        let table = read(|| lines(text.as_bytes(), true), text);
        assert_eq!(table.column("line"), ["a, \"b", "NULL", "  c", "NULL", "d\re"]);
        assert_eq!(table.lines, [1, 2, 3, 4, 5]);
        let text = "a\rb\r\rc\r";
        let table = read(|| lines(text.as_bytes(), true), text);
        assert_eq!(table.column("line"), ["a", "b", "NULL", "c"]);
        assert_eq!(table.lines, [1, 2, 3, 4]);
    }

    #[test]
    fn no_line_is_no_row() {
        assert_eq!(read(|| lines(b"", true), "").lines, [] as [u64; 0]);
        assert_eq!(read(|| lines(b"\n", true), "\n").lines, [1]);
    }
}
