use std::collections::BTreeMap;

use super::*;
use crate::records::{Block, Cell, Changes, Column, Cut, Records};

mod damage;
mod envelopes;
mod forms;
mod nested;
mod random;

/// Rows by column, and what was rejected: line, text, reason.
#[derive(Debug, Default, PartialEq)]
struct Read {
    columns: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
    rejected: Vec<(u64, String, String)>,
    /// The notes of the cutter, and those of the records.
    notes: Vec<String>,
    changes: Changes,
}

impl Read {
    /// The rows as text: `n=1 s="a"`.
    fn lines(&self) -> Vec<String> {
        let line = |row: &BTreeMap<String, String>| {
            row.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        self.rows.iter().map(line).collect()
    }

    fn take(&mut self, records: &Records) {
        assert_eq!(records.row_starts.len(), records.rows);
        let before = self.rows.len();
        self.rows.resize(before + records.rows, BTreeMap::new());
        for Column { name, cells, .. } in &records.columns {
            assert_eq!(cells.len(), records.rows, "a cell for each row");
            if !self.columns.iter().any(|known| **known == **name) {
                self.columns.push(name.to_string());
            }
            for (row, cell) in self.rows[before..].iter_mut().zip(cells) {
                if let Some(value) = cell.of(&records.text) {
                    row.insert(name.to_string(), String::from_utf8(value.to_vec()).expect("UTF-8"));
                }
            }
        }
        self.changes.join(&records.changes);
        for rejected in &records.rejected {
            self.rejected.push((rejected.line, rejected.text.clone(), rejected.reason.clone()));
        }
    }
}

/// Reads a text that comes in parts, as a file does.
fn read_dialect(mut dialect: Dialect, parts: &[&[u8]]) -> Read {
    let mut read = Read::default();
    let mut text: Vec<u8> = vec![];
    let mut first_line = 1;
    for (index, part) in parts.iter().enumerate() {
        text.extend_from_slice(part);
        let is_end = index + 1 == parts.len();
        let Cut { skip, records } = dialect.cutter.cut(&text, is_end);
        if is_end {
            assert_eq!(skip + records, text.len(), "all is skipped or cut at the end");
        }
        let rest = text.split_off(skip + records);
        let block = text.split_off(skip);
        let skipped = dialect.unit.count(&text);
        let cut = dialect.unit.count(&block);
        if !block.is_empty() {
            std::str::from_utf8(&block).expect("blocks are UTF-8");
            read.take(&dialect.parser.parse(Block { text: block, first_line: first_line + skipped }));
        }
        first_line += skipped + cut;
        text = rest;
    }
    read.notes = dialect.cutter.notes();
    read.notes.extend(read.changes.notes());
    read
}

fn forced() -> ReadOptions {
    ReadOptions { format: Some(Format::Json), ..ReadOptions::default() }
}

/// Reads a text in one go, and checks that parts of any size give the same.
fn read(text: &str) -> Read {
    let dialect = || json(text.as_bytes(), true, &forced()).expect("JSON is told");
    let whole = read_dialect(dialect(), &[text.as_bytes()]);
    for size in [1, 2, 3, 5, 7, 16, 64, 1000] {
        let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        if parts.len() < 5_000 && !parts.is_empty() {
            assert_eq!(read_dialect(dialect(), &parts), whole, "in parts of {size} bytes");
        }
    }
    whole
}

/// Reads a text that is recognised as JSON.
fn found(text: &str) -> Read {
    assert!(json(text.as_bytes(), true, &ReadOptions::default()).is_some(), "{text} is JSON");
    read(text)
}

#[track_caller]
fn assert_rows(text: &str, rows: &[&str]) {
    let read = found(text);
    assert_eq!(read.lines(), rows, "{text}");
    assert_eq!(read.rejected, [], "{text}");
}
