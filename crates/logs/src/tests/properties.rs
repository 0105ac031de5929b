use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Table, TestHost, read_by};
use crate::{Format, ReadOptions};

/// Names of columns; two of them are names of times.
const NAMES: [&str; 5] = ["host", "time", "n", "created", "note"];

/// Values of a column, so that columns of each type and of several occur.
const KINDS: [&[&str]; 8] = [
    &["", "1", "-5", "443"],
    &["1", "2.5", "", "1547546700", "9007199254740993"],
    &["true", "FALSE", ""],
    &["2025-01-01 09:00:00", "2025-01-01T09:00:00.750", "", "2025-01-01"],
    &["2025-01-01T09:00:00Z", "2025-01-01T09:00:00+02:00", "2025-01-01 09:00:00"],
    &["01/02/2026", "15/01/2026", "01/03/2026"],
    &["007", "12e4", "", "NaN"],
    &["a,b", "x\ny", "say \"hi\"", " ", "M\u{fc}ller"],
];

/// Columns with values for each of some rows.
fn tables() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    (1_usize..14).prop_flat_map(|rows| {
        let column = select(&KINDS[..]).prop_flat_map(move |kind| vec(select(kind), rows));
        vec(column, 1..=NAMES.len())
    })
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    /// The order of columns and rows, by numbers to sort by.
    order: Vec<u8>,
    is_quoted: bool,
    line_end: &'static str,
    /// Whether columns that have no value in the file are left out.
    is_narrow: bool,
}

fn styles() -> impl Strategy<Value = Style> {
    (vec(any::<u8>(), 20), any::<bool>(), select(&["\n", "\r\n"][..]), any::<bool>())
        .prop_map(|(order, is_quoted, line_end, is_narrow)| Style { order, is_quoted, line_end, is_narrow })
}

impl Style {
    fn plain() -> Self {
        Self { order: vec![], is_quoted: false, line_end: "\n", is_narrow: false }
    }

    fn ordered(&self, mut places: Vec<usize>) -> Vec<usize> {
        places.sort_by_key(|place| self.order.get(*place));
        places
    }

    /// Some rows of a table as a file.
    fn csv(&self, table: &[Vec<&str>], rows: Vec<usize>) -> String {
        let has_value = |column: &usize| rows.iter().any(|row| !table[*column][*row].is_empty());
        let mut columns: Vec<usize> = (0..table.len()).collect();
        if self.is_narrow && columns.iter().any(has_value) {
            columns.retain(has_value);
        }
        let columns = self.ordered(columns);
        let line = |values: Vec<String>| values.join(",") + self.line_end;
        let header = line(columns.iter().map(|column| NAMES[*column].to_owned()).collect());
        let row = |row| line(columns.iter().map(|column| self.value(table[*column][row])).collect());
        header + &self.ordered(rows).into_iter().map(row).collect::<String>()
    }

    /// A value is quoted if it needs it; an empty one alone in a row would be a blank line.
    fn value(&self, value: &str) -> String {
        if self.is_quoted || value.trim().is_empty() || value.contains([',', '"', '\n']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value.to_owned()
        }
    }
}

/// Reads CSV whose first record is known to be the header: a file of one row may leave it open.
fn read_files(host: &Arc<TestHost>, files: &[(String, String)]) -> Table {
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let options = ReadOptions {
        format: Some(Format::Csv),
        delimiter: Some(b','),
        header: Some(true),
        ..ReadOptions::default()
    };
    read_by(host, &files, &options).expect("a table")
}

/// The columns with their types, and the rows, in an order that does not depend on the files.
fn content(table: &Table) -> (Vec<String>, Vec<Vec<String>>) {
    let fields = table.schema.fields();
    let mut columns: Vec<usize> = (0..fields.len()).collect();
    columns.sort_by_key(|column| fields[*column].name());
    let types = columns.iter().map(|column| format!("{:?}", fields[*column])).collect();
    let sorted = |row: &String| {
        let values: Vec<&str> = row.split('|').collect();
        columns.iter().map(|column| values[*column].to_owned()).collect()
    };
    let mut rows: Vec<Vec<String>> = table.rows.iter().map(sorted).collect();
    rows.sort_unstable();
    (types, rows)
}

proptest! {
    #[test]
    fn files_of_a_table_may_be_cut_reordered_and_renamed(
        table in tables(),
        parts in vec((0_usize..14, "[a-z]{1,8}(\\.csv|\\.log|)", styles()), 0..5),
        (block_size, threads, memory) in (1_usize..200, 1_usize..4, select(&[0, 500, usize::MAX][..])),
    ) {
        let rows = table[0].len();
        let whole = [("table.csv".to_owned(), Style::plain().csv(&table, (0..rows).collect()))];
        let whole = read_files(&TestHost::new(1, usize::MAX), &whole);
        prop_assert_eq!(whole.rows.len(), rows);

        // Each row goes to one of the files; the last has those that no cut has taken.
        let mut left: Vec<usize> = (0..rows).collect();
        let mut files = vec![];
        for (length, name, style) in parts {
            let taken = left.drain(..length.min(left.len())).collect();
            files.push((name, style.csv(&table, taken)));
        }
        files.push(("rest".to_owned(), Style::plain().csv(&table, left)));
        let host = TestHost::with_blocks(block_size, threads, memory);
        prop_assert_eq!(content(&read_files(&host, &files)), content(&whole));
        files.reverse();
        prop_assert_eq!(content(&read_files(&host, &files)), content(&whole));
    }
}
