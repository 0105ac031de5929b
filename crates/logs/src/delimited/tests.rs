use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::options::ReadOptions;
use crate::records::{Block, Changes, Dialect, line_end};

/// The findings of the reader of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The values by column; a column that a block does not have is NULL there.
    pub(super) columns: BTreeMap<String, Vec<Option<String>>>,
    /// The line on which each row begins.
    pub(super) lines: Vec<u64>,
    pub(super) short_rows: usize,
    /// Line, text and reason.
    pub(super) rejected: Vec<(u64, String, String)>,
    pub(super) changes: Changes,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Vec<&str> {
        let Some(values) = self.columns.get(name) else { panic!("{name:?} in {:?}", self.columns.keys()) };
        values.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect()
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.keys().map(String::as_str).collect()
    }
}

/// Reads a text that comes in pieces of so many bytes.
pub(super) fn read_pieces(dialect: &mut Dialect, text: &[u8], piece: usize) -> Table {
    let mut table = Table::default();
    let mut line = 1;
    let (mut begin, mut end) = (0, 0);
    loop {
        end = text.len().min(end + piece);
        let is_end = end == text.len();
        loop {
            let cut = dialect.cutter.cut(&text[begin..end], is_end);
            let skipped = &text[begin..begin + cut.skip];
            line += dialect.unit.count(skipped);
            begin += cut.skip;
            let records = &text[begin..begin + cut.records];
            begin += cut.records;
            if !records.is_empty() {
                add(&mut table, dialect, records, line);
                line += dialect.unit.count(records);
            }
            if cut.skip + cut.records == 0 || begin == end {
                break;
            }
        }
        if is_end {
            assert_eq!(begin, text.len(), "the text is used up");
            return table;
        }
    }
}

fn add(table: &mut Table, dialect: &Dialect, text: &[u8], first_line: u64) {
    let records = dialect.parser.parse(Block { text: text.to_vec(), first_line });
    assert_eq!(records.row_starts.len(), records.rows);
    assert_eq!(records.first_line, first_line);
    assert!(records.text.starts_with(text) && std::str::from_utf8(&records.text).is_ok());
    let before = table.lines.len();
    let mut lines = records.lines();
    table.lines.extend((0..records.rows).map(|row| lines.of(row)));
    for column in &records.columns {
        assert_eq!(column.cells.len(), records.rows, "{}", column.name);
        let values = table.columns.entry(column.name.to_string()).or_default();
        values.resize(before, None);
        for cell in &column.cells {
            let value = cell
                .of(&records.text)
                .filter(|value| !value.is_empty() || *cell == crate::records::Cell::EMPTY);
            assert!(cell.length() == 0 || value.is_some(), "a cell outside the text");
            values.push(value.map(|value| String::from_utf8(value.to_vec()).expect("UTF-8")));
        }
    }
    for values in table.columns.values_mut() {
        values.resize(table.lines.len(), None);
    }
    table.short_rows += records.short_rows;
    table.changes.join(&records.changes);
    table.rejected.extend(records.rejected.into_iter().map(|line| (line.line, line.text, line.reason)));
}

/// Reads a text in one piece, and in pieces of every small size, which makes no difference.
pub(super) fn read(open: impl Fn() -> Dialect, text: &str) -> Table {
    let whole = read_pieces(&mut open(), text.as_bytes(), text.len().max(1));
    for piece in (1..=text.len().min(40)).chain([text.len() / 2 + 1]) {
        let pieces = read_pieces(&mut open(), text.as_bytes(), piece);
        assert_eq!(pieces, whole, "pieces of {piece} bytes");
    }
    whole
}

#[test]
fn the_first_line_ends_decide() {
    assert_eq!(line_end(b"a\nb", true), b'\n');
    assert_eq!(line_end(b"a\r\nb", true), b'\n');
    assert_eq!(line_end(b"a\rb", true), b'\r');
    assert_eq!(line_end(b"a\rb\nc", true), b'\n');
    assert_eq!(line_end(b"a\r", true), b'\r');
    assert_eq!(line_end(b"a\r", false), b'\n');
    assert_eq!(line_end(b"", true), b'\n');
}

#[test]
fn parts_of_logs_are_shown_on_one_short_line() {
    assert_eq!(quoted("a\nb\u{1b}"), r"'a\nb\u{1b}'");
    assert_eq!(quoted(&"x".repeat(1000)).len(), 69);
    assert_eq!(counted(1, "row"), "1 row");
    assert_eq!(counted(0, "row"), "0 rows");
}

/// Text with all that means something to one of the readers.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "a",
        "b",
        "12",
        "x y",
        "-",
        "\"",
        "\"\"",
        ",",
        ",",
        ";",
        "\t",
        "|",
        " ",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "#",
        "#fields\t",
        "#types\ttime\tbool",
        "#separator \\x09\n",
        "#Fields: ",
        "date time ",
        "\\x41",
        "\\xff",
        "ü",
        "\0",
        "(empty)",
        "T",
        "sep=;",
        "#TYPE ",
        "\u{feff}",
        "=",
        "01:02:03",
    ]);
    prop::collection::vec(parts, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_is_read_differently_in_pieces(text in hostile(), piece in 1..20_usize, name in "x(\\.csv|\\.tsv|\\.log)") {
        let options = ReadOptions::default();
        let head = text.as_bytes();
        let readers: [&dyn Fn() -> Option<Dialect>; 4] = [
            &|| csv(head, true, &name, &options),
            &|| zeek(head, true, &options),
            &|| w3c(head, true, &options),
            &|| Some(lines(head, true)),
        ];
        for reader in readers {
            if let Some(mut dialect) = reader() {
                let whole = read_pieces(&mut dialect, head, head.len().max(1));
                let pieces = read_pieces(&mut reader().expect("as before"), head, piece);
                prop_assert_eq!(whole, pieces);
            }
        }
    }

    #[test]
    fn a_head_that_is_cut_off_is_no_harm(text in hostile(), length in 0..40_usize, delimiter in prop::option::of(0..128_u8)) {
        let options = ReadOptions { delimiter, ..ReadOptions::default() };
        let head = text.as_bytes().get(..length).unwrap_or(text.as_bytes());
        let dialects = [
            csv(head, false, "x.csv", &options),
            zeek(head, false, &options),
            w3c(head, false, &options),
            Some(lines(head, false)),
        ];
        for dialect in dialects.into_iter().flatten() {
            let mut dialect = dialect;
            read_pieces(&mut dialect, text.as_bytes(), 7);
        }
    }

    #[test]
    fn every_line_is_a_row_or_rejected(lines in prop::collection::vec("[a-c1-3,]{0,6}", 1..30)) {
        let text = format!("one,two\n{}\n", lines.join("\n"));
        let mut dialect = csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
        let table = read_pieces(&mut dialect, text.as_bytes(), text.len());
        let records = lines.iter().filter(|line| !line.is_empty()).count();
        // A short text may look like data from its first line on.
        let first = usize::from(dialect.notes.iter().any(|note| note.contains("looks like data")));
        prop_assert_eq!(table.lines.len() + table.rejected.len(), records + first);
    }
}
