//! A block of text, and where the values of its records stand.

use std::sync::Arc;

use crate::report::Rejected;

/// The byte that ends the lines of a text: `\n`, also of those that end with `\r\n`. It is `\r` if the beginning of the text has
/// no other line end, as files of the first Macintosh systems.
pub(crate) fn line_end(head: &[u8], is_whole: bool) -> u8 {
    // The last byte may be the first half of `\r\n`.
    let certain = if is_whole { head } else { head.split_last().map_or(head, |(_, before)| before) };
    if memchr::memchr(b'\n', head).is_none() && memchr::memchr(b'\r', certain).is_some() {
        b'\r'
    } else {
        b'\n'
    }
}

/// The unit that places in a file are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Lines, with the byte that ends them, see [`line_end`].
    Line(u8),
    /// Parts of so many bytes.
    Bytes(usize),
}

impl Unit {
    /// The number of units that end in these bytes.
    pub(crate) fn count(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Line(line_end) => memchr::memchr_iter(line_end, bytes).count() as u64,
            Self::Bytes(size) => (bytes.len() / size.max(1)) as u64,
        }
    }

    /// The place in a text at which its last line begins; its beginning in other units.
    pub(crate) fn last_line(self, text: &[u8]) -> usize {
        match self {
            Self::Line(line_end) => memchr::memrchr(line_end, text).map_or(0, |end| end + 1),
            Self::Bytes(_) => 0,
        }
    }
}

/// A part of a file that holds whole records, shorter than 4 GiB. If the file is text, it is valid UTF-8, and without a byte order
/// mark.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) text: Vec<u8>,
    /// The number of its first line in the file, or of another [`Unit`]; the first of a file is 1.
    pub(crate) first_line: u64,
}

/// A place in the text of [`Records`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    start: u32,
    length: u32,
}

impl Cell {
    /// A value that is not there: the record has no such field, or the format says that it is empty.
    pub(crate) const NULL: Self = Self { start: u32::MAX, length: 0 };

    /// A text of no bytes that the format tells from NULL, such as `(empty)` of Zeek. An empty cell of plain syntax is NULL else.
    pub(crate) const EMPTY: Self = Self { start: u32::MAX - 1, length: 0 };

    pub(crate) fn new(start: usize, length: usize) -> Self {
        Self { start: start as u32, length: length as u32 }
    }

    pub(crate) fn is_null(self) -> bool {
        self.start == u32::MAX
    }

    /// The number of bytes of the value.
    pub(crate) fn length(self) -> usize {
        self.length as usize
    }

    /// The bytes of the value; none if it is NULL.
    pub(crate) fn of(self, text: &[u8]) -> Option<&[u8]> {
        match self {
            Self::NULL => None,
            Self::EMPTY => Some(&[]),
            Self { start, length } => text.get(start as usize..start as usize + length as usize),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }
}

/// How the bytes of a cell are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// The value itself, with quotes and escapes of the format taken away.
    Plain,
    /// A JSON value as it stands in the file, without white space around it: `"a\\b"`, `1.5`, `{"x": 1}`. `null` is [`Cell::NULL`].
    Json,
}

/// A column of [`Records`].
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: Arc<str>,
    pub(crate) syntax: Syntax,
    /// A cell for each row.
    pub(crate) cells: Vec<Cell>,
}

/// The records of a block by column. A column that occurs in none of its records is absent.
#[derive(Debug)]
pub(crate) struct Records {
    /// The text of the block, and behind it values that do not stand there as they are, such as those with doubled quotes.
    pub(crate) text: Vec<u8>,
    /// The block itself, if the text does not begin with it.
    pub(crate) block: Option<Vec<u8>>,
    pub(crate) first_line: u64,
    /// The byte that ends a line, or another [`Unit`].
    pub(crate) line_end: u8,
    pub(crate) rows: usize,
    /// Where each row begins in the text.
    pub(crate) row_starts: Vec<u32>,
    /// Rows with fewer fields than the header. The rest of their cells is NULL.
    pub(crate) short_rows: usize,
    /// In the order in which they first occur.
    pub(crate) columns: Vec<Column>,
    /// Lines that are no records, without the name of the file.
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) changes: Changes,
}

impl Records {
    /// The lines on which rows begin, for messages.
    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines { records: self, at: 0, line: self.first_line }
    }
}

/// The lines of rows that are asked for in their order, so that each line end is counted once.
pub(crate) struct Lines<'a> {
    records: &'a Records,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line in the file on which a row begins. It is no row before the last one that was asked for.
    pub(crate) fn of(&mut self, row: usize) -> u64 {
        let start = self.records.row_starts.get(row).map_or(self.at, |start| *start as usize);
        let between = self.records.text.get(self.at..start).unwrap_or_default();
        self.line += memchr::memchr_iter(self.records.line_end, between).count() as u64;
        self.at = self.at.max(start);
        self.line
    }
}

/// Values and names of rows that are not as they were written, for the report. Those of blocks join to those of their file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The number of values with text behind their closing quote, and the line of the first.
    pub(crate) followed: u64,
    pub(crate) first_followed: u64,
    /// Names that an object has more than once.
    pub(crate) doubled: Names,
    /// Names with halves of surrogate pairs, as they are with U+FFFD.
    pub(crate) replaced: Names,
    /// The number of chunks whose bytes have another checksum than they say, and the first of them.
    pub(crate) unsound: u64,
    pub(crate) first_unsound: u64,
}

impl Changes {
    /// Takes in those of the next block.
    pub(crate) fn join(&mut self, later: &Self) {
        if self.followed == 0 {
            self.first_followed = later.first_followed;
        }
        self.followed += later.followed;
        if self.unsound == 0 {
            self.first_unsound = later.first_unsound;
        }
        self.unsound += later.unsound;
        self.doubled.join(&later.doubled);
        self.replaced.join(&later.replaced);
    }

    /// Sentences for the report.
    pub(crate) fn notes(&self) -> Vec<String> {
        let line = self.first_followed;
        let followed = match self.followed {
            0 => None,
            1 => Some(format!(
                "the value on line {line} has text behind its closing quote; the quotes were dropped"
            )),
            count => Some(format!(
                "{count} values have text behind their closing quote, the first on line {line}; the quotes were dropped"
            )),
        };
        let unsound = match self.unsound {
            0 => None,
            1 => Some(format!(
                "chunk {} has another checksum than it says, so it was changed or not finished; its events are read as they are",
                self.first_unsound
            )),
            count => Some(format!(
                "{count} chunks have another checksum than they say, the first is {}, so they were changed or not finished; \
                 their events are read as they are",
                self.first_unsound
            )),
        };
        let names = [
            self.doubled.shown().map(|names| format!("objects have {names} more than once: the second is called with _2")),
            self.replaced.shown().map(|names| {
                format!("names with half of a surrogate pair, such as \\ud800, which is no letter: it became U+FFFD in {names}")
            }),
        ];
        followed.into_iter().chain(unsound).chain(names.into_iter().flatten()).collect()
    }
}

/// The first names of many.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    first: Vec<Arc<str>>,
    has_more: bool,
}

impl Names {
    /// The most names that a sentence has.
    const MOST: usize = 4;

    pub(crate) fn add(&mut self, name: &Arc<str>) {
        if self.first.iter().any(|known| known == name) {
            return;
        }
        if self.first.len() < Self::MOST {
            self.first.push(Arc::clone(name));
        } else {
            self.has_more = true;
        }
    }

    pub(crate) fn join(&mut self, later: &Self) {
        later.first.iter().for_each(|name| self.add(name));
        self.has_more |= later.has_more;
    }

    /// The names in a sentence; none if there are none.
    pub(crate) fn shown(&self) -> Option<String> {
        let names: Vec<String> =
            self.first.iter().map(|name| format!("'{}'", crate::values::shown(name.as_bytes()))).collect();
        let more = if self.has_more { " and others" } else { "" };
        (!names.is_empty()).then(|| names.join(", ") + more)
    }
}

/// The next part of a text that is to be cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes at the beginning that belong to no record: a header, the bracket of an array.
    pub(crate) skip: usize,
    /// Bytes after them that are whole records; 0 if none is whole yet.
    pub(crate) records: usize,
}

/// Cuts one file's text at the ends of records. It is asked again and again with what is left and more text behind it.
pub(crate) trait Cutter: Send {
    /// Finds a beginning of `text` that is whole records, as long as one block may be. The bytes that it cuts are a valid block; what
    /// can't be a record is cut too, so that the parser rejects it. If `is_end`, no more text comes: each call skips or cuts
    /// something until nothing is left.
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut;

    /// Cuts the last text of a file that was cut off within it. The text that is left, when nothing more is cut, is the record that
    /// was cut off.
    fn cut_damaged(&mut self, text: &[u8]) -> Cut {
        self.cut(text, false)
    }

    /// The text that is parsed in place of a block that was cut, with all of it in time: other than in most formats, a record may stand
    /// among others.
    fn gather(&mut self, block: Block) -> Block {
        block
    }

    /// The text that is still to be parsed when all blocks are gathered.
    fn gather_rest(&mut self) -> Option<Block> {
        None
    }

    /// Sentences for the report that are known at the end of the text.
    fn notes(&self) -> Vec<String> {
        vec![]
    }
}

/// Finds the records of blocks of one file, on many threads at once.
pub(crate) trait Parser: Send + Sync {
    fn parse(&self, block: Block) -> Records;
}

/// The reader of one file's text.
pub(crate) struct Dialect {
    pub(crate) cutter: Box<dyn Cutter>,
    pub(crate) parser: Arc<dyn Parser>,
    /// The unit of places in the file.
    pub(crate) unit: Unit,
    /// Columns that the file declares, in order, with types if it tells them (Zeek); they are there also if no row follows.
    pub(crate) declared: Vec<(Arc<str>, Option<crate::values::ColumnType>)>,
    /// Sentences about the file for the report, such as `the header names 'a' twice: the second is a_2`.
    pub(crate) notes: Vec<String>,
}
