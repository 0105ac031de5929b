//! Logs of Zeek, formerly Bro.
//!
//! Lines with `#` name the separator, the columns and their types, at the beginning of the file and wherever another log was
//! appended. `-` is NULL, `(empty)` is a text or a set without anything in it, `T` and `F` are booleans. In texts, bytes are written
//! as `\x09`; sets and vectors stay as they are written, since a comma in an element is written so too.

use std::sync::Arc;

use memchr::memchr;

use super::lines::lines_of;
use super::rows::{Rows, misfit};
use super::sections::{Description, Descriptions, SectionCutter, description_of, unique, whole_lines};
use crate::options::ReadOptions;
use crate::records::{Block, Cell, Dialect, Parser, Records, Unit};
use crate::values::ColumnType;

/// The reader of a Zeek log; none if `head` has not its header.
pub(crate) fn zeek(head: &[u8], is_whole: bool, _options: &ReadOptions) -> Option<Dialect> {
    let mut header = Header::default();
    for line in whole_lines(head, is_whole).take_while(|line| matches!(line, [] | [b'#', ..])) {
        header.read(line);
    }
    if !head.trim_ascii_start().starts_with(b"#separator ") || header.fields.is_empty() {
        return None;
    }
    let descriptions = Descriptions::default();
    Some(Dialect {
        declared: header.declared(),
        cutter: Box::new(SectionCutter::new(Header::default(), Arc::clone(&descriptions))),
        parser: Arc::new(ZeekParser { headers: descriptions }),
        unit: Unit::Line(b'\n'),
        notes: vec![],
    })
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Time,
    Integer,
    Float,
    /// A text; bytes of it may be written as `\x09`.
    Text,
    /// Elements between set separators.
    Several,
}

impl Kind {
    /// The kind of a type of Zeek.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Boolean,
            "time" => Self::Time,
            "count" | "counter" | "int" | "port" => Self::Integer,
            "double" | "interval" => Self::Float,
            "string" | "addr" | "subnet" | "enum" | "pattern" | "func" | "file" => Self::Text,
            _ if ["set[", "vector[", "table["].iter().any(|start| name.starts_with(start)) => Self::Several,
            _ => return None,
        })
    }

    fn column_type(self) -> Option<ColumnType> {
        ColumnType::of_sql_name(match self {
            Self::Boolean => "BOOLEAN",
            // Seconds since 1970 are instants.
            Self::Time => "TIMESTAMP WITH TIME ZONE",
            Self::Integer => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Text | Self::Several => "VARCHAR",
        })
    }
}

/// The header of a Zeek log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    separator: u8,
    empty: Arc<[u8]>,
    unset: Arc<[u8]>,
    fields: Arc<[Arc<str>]>,
    /// Of each field; none if its type has an unknown name.
    kinds: Arc<[Option<Kind>]>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: b'\t',
            empty: Arc::from(b"(empty)".as_slice()),
            unset: Arc::from(b"-".as_slice()),
            fields: Arc::from([]),
            kinds: Arc::from([]),
        }
    }
}

impl Header {
    fn kind(&self, field: usize) -> Option<Kind> {
        self.kinds.get(field).copied().flatten()
    }

    fn declared(&self) -> Vec<(Arc<str>, Option<ColumnType>)> {
        let column_type = |field| self.kind(field).and_then(Kind::column_type);
        self.fields.iter().enumerate().map(|(field, name)| (Arc::clone(name), column_type(field))).collect()
    }
}

impl Description for Header {
    fn read(&mut self, line: &[u8]) -> bool {
        if let Some(separator) = line.strip_prefix(b"#separator ") {
            let mut decoded = vec![];
            decode(separator, &mut decoded);
            // Another log begins. A separator is one byte, and none that is part of a letter.
            let separator = decoded.first().copied().filter(u8::is_ascii).unwrap_or(b'\t');
            *self = Self { separator, ..Self::default() };
            return true;
        }
        let separator = self.separator;
        let mut parts = line.split(|byte| *byte == separator);
        let name = parts.next().unwrap_or_default();
        let value = || line.get(name.len() + 1..).unwrap_or_default();
        match name {
            b"#empty_field" => self.empty = Arc::from(value()),
            b"#unset_field" => self.unset = Arc::from(value()),
            b"#fields" => self.fields = unique(parts.map(|name| String::from_utf8_lossy(name).into_owned())),
            b"#types" => self.kinds = parts.map(|name| Kind::of(&String::from_utf8_lossy(name))).collect(),
            _ => return false,
        }
        true
    }
}

/// Appends text in which bytes may be written as `\x09`.
fn decode(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(place) = memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(place);
        into.extend_from_slice(before);
        let byte = match escape {
            [b'\\', b'x', high, low, ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                digit(*high).zip(digit(*low)).map(|(high, low)| (high * 16 + low) as u8)
            }
            _ => None,
        };
        into.push(byte.unwrap_or(b'\\'));
        rest = escape.get(if byte.is_some() { 4 } else { 1 }..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
}

struct ZeekParser {
    headers: Descriptions<Header>,
}

/// Cells for `T` and `F`, of which the text needs one each.
#[derive(Default)]
struct Booleans {
    yes: Option<Cell>,
    no: Option<Cell>,
}

impl ZeekParser {
    fn line(header: &Header, line: &[u8], start: usize, rows: &mut Rows, booleans: &mut Booleans) {
        let width = header.fields.len();
        let has_escapes = memchr(b'\\', line).is_some();
        let mut fields = 0;
        let mut at = 0;
        loop {
            let rest = line.get(at..).unwrap_or_default();
            let length = memchr(header.separator, rest).unwrap_or(rest.len());
            if fields < width {
                let value = rest.get(..length).unwrap_or_default();
                let kind = header.kind(fields).unwrap_or(Kind::Text);
                let cell = match value {
                    _ if value == &*header.unset => Cell::NULL,
                    _ if value == &*header.empty => Cell::EMPTY,
                    b"T" if kind == Kind::Boolean => {
                        *booleans.yes.get_or_insert_with(|| rows.append(|behind| behind.extend(b"true")))
                    }
                    b"F" if kind == Kind::Boolean => {
                        *booleans.no.get_or_insert_with(|| rows.append(|behind| behind.extend(b"false")))
                    }
                    _ if has_escapes && kind == Kind::Text => Self::text(value, start + at, rows),
                    _ => Cell::new(start + at, value.len()),
                };
                rows.push(fields, cell);
            }
            fields += 1;
            at += length + 1;
            if at > line.len() {
                break;
            }
        }
        match misfit(width, fields, line.len(), fields > width) {
            Some(reason) => rows.reject(start, start + line.len(), fields.min(width), reason),
            None => rows.end(start, fields, fields < width),
        }
    }

    /// The cell of a text. It stays as it is written if its bytes are no characters.
    fn text(value: &[u8], start: usize, rows: &mut Rows) -> Cell {
        if memchr(b'\\', value).is_some() {
            let mut decoded = vec![];
            decode(value, &mut decoded);
            if decoded != value && std::str::from_utf8(&decoded).is_ok() {
                return rows.append(|behind| behind.extend_from_slice(&decoded));
            }
        }
        Cell::new(start, value.len())
    }
}

impl Parser for ZeekParser {
    fn parse(&self, block: Block) -> Records {
        let header = description_of(&self.headers, block.first_line);
        let mut rows = Rows::new(&block, b'\n');
        let mut booleans = Booleans::default();
        for (start, line) in lines_of(&block.text, b'\n') {
            if !(line.is_empty() || line.first() == Some(&b'#')) {
                Self::line(&header, line, start, &mut rows, &mut booleans);
            }
        }
        rows.finish().records(block, header.fields.iter().map(Arc::clone), usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::tests::{Table, read};

    const HEAD: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
        #open\t2019-01-15-10-00-00\n";

    fn open(text: &str) -> Option<Dialect> {
        zeek(text.as_bytes(), true, &ReadOptions::default())
    }

    fn table(text: &str) -> Table {
        read(|| open(text).expect("a Zeek log"), text)
    }

    #[test]
    fn fields_are_columns() {
        let table = table(&format!(
            "{HEAD}#fields\tts\tuid\tid.orig_p\tlocal\ttags\tduration\n#types\ttime\tstring\tport\tbool\tset[string]\tinterval\n\
             1547546700.123456\tC1\t443\tT\ta\\x2cb,c\t0.5\n1547546701.000000\t-\t-\tF\t(empty)\t-\r\n\n\
             1547546702.000000\t(empty)\t1\t-\t-\t1\n#close\t2019-01-15-11-00-00\n"
        ));
        assert_eq!(table.column("ts"), ["1547546700.123456", "1547546701.000000", "1547546702.000000"]);
        assert_eq!(table.column("uid"), ["C1", "NULL", ""]);
        assert_eq!(table.column("id.orig_p"), ["443", "NULL", "1"]);
        assert_eq!(table.column("local"), ["true", "false", "NULL"]);
        assert_eq!(table.column("tags"), ["a\\x2cb,c", "", "NULL"]);
        assert_eq!(table.lines, [9, 10, 12]);
        assert_eq!((table.short_rows, table.rejected), (0, vec![]));
    }

    #[test]
    fn bytes_that_are_written_as_numbers_are_read() {
        let table = table(&format!(
            "{HEAD}#fields\ta\tb\n#types\tstring\tcount\n\
             x\\x09y\\x5cz\t1\n\\xc3\\xbc\t2\n\\xff\\x09\t3\n\\x\\server\t4\nT\t5\n"
        ));
        assert_eq!(table.column("a"), ["x\ty\\z", "ü", "\\xff\\x09", "\\x\\server", "T"]);
    }

    #[test]
    fn a_separator_does_not_cut_letters() {
        let table = table("#separator \\xc3\n#fields\ta\tb\n#types\tstring\tstring\n1\t\u{fc}x\n");
        assert_eq!((table.column("a"), table.column("b")), (vec!["1"], vec!["\u{fc}x"]));
    }

    #[test]
    fn rows_have_the_columns_of_the_header_before_them() {
        let table = table(&format!(
            "{HEAD}#fields\ta\tb\n#types\tstring\tbool\n1\tT\n#close\tx\n{HEAD}#fields\ta\tb\n#types\tstring\tbool\n2\tF\n\
             #separator \\x2c\n#unset_field,?\n#fields,b,c\n#types,string,string\nT,3\n?,-\n"
        ));
        assert_eq!(table.column("a"), ["1", "2", "NULL", "NULL"]);
        assert_eq!(table.column("b"), ["true", "false", "T", "NULL"]);
        assert_eq!(table.column("c"), ["NULL", "NULL", "3", "-"]);
    }

    #[test]
    fn lines_that_do_not_fit_are_told() {
        let table = table(&format!("{HEAD}#fields\ta\ta\n1\n1\t2\t3\n4\t5"));
        assert_eq!((table.column("a"), table.column("a_2")), (vec!["1", "4"], vec!["NULL", "5"]));
        assert_eq!(table.short_rows, 1);
        assert_eq!(table.rejected, [(9, "1\t2\t3".to_owned(), "expected 2 fields, got 3".to_owned())]);
    }

    #[test]
    fn other_texts_are_not_of_zeek() {
        assert!(open("").is_none());
        assert!(open("a\tb\n").is_none());
        assert!(open("# a comment\n#fields\ta\n").is_none());
        assert!(open(HEAD).is_none());
        let declared = open(&format!("{HEAD}#fields\tts\tx\n#types\ttime\tstring\n#close\tx\n"))
            .map(|found| found.declared.len());
        assert_eq!(declared, Some(2));
        // The header is cut off.
        assert!(zeek(format!("{HEAD}#fields\tts").as_bytes(), false, &ReadOptions::default()).is_none());
    }
}
