//! Results as tables for people.
//!
//! A table is collected up to the rows it shows. Characters that a terminal would obey are escaped ([`dbcluster_terminal`]), line
//! breaks too, so that no value looks like a row.
//!
//! Where not all columns fit, those that tell most are shown. For a query that names its columns these are the first it names.
//! For `SELECT *` they are found by what investigators read first (sizes and scores, the command line, the program, the time, who,
//! where), and a column that is empty, or the same in all rows, comes after the others.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{self, ArrayFormatter};
use datafusion::common::Result;
use datafusion::config::FormatOptions;

use dbcluster_terminal::{Border, Cell, Column, Table};

/// A longer value is cut in a table of any width.
pub(super) const LONGEST_CELL: usize = 20_000;

/// The treatment of line breaks in a table's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineBreaks {
    /// They are escaped, so that no value looks like a row.
    Escaped,
    /// They break the line, as in a plan, which is drawn over several lines.
    Kept,
}

/// The columns that are shown when not all fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// The first in their order.
    InOrder,
    /// Those that tell most about the rows.
    Telling,
}

/// Names of columns in the order in which they are worth reading, without case, `_`, `-` and what stands before a dot.
const TELLING: [&[&str]; 7] = [
    &["clustersize", "score", "events", "reasons", "pointtype"],
    &["commandline", "cmdline", "processcommandline", "command", "line", "message", "eventname"],
    &["newprocessname", "processname", "image", "exe", "process", "program", "file", "name"],
    &["lasteventtime", "timegenerated", "timecreated", "eventtime", "timestamp", "time"],
    &["account", "accountname", "username", "user", "subjectusername", "targetusername", "arn"],
    &["computer", "computername", "host", "hostname", "sourceipaddress", "ipaddress"],
    &["parentprocessname", "parentimage", "parentcommandline", "logontype", "clustered"],
];

/// The batches as a table with borders of ASCII that has any width, with dots below when there were more rows.
pub(super) fn whole(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    more: bool,
    line_breaks: LineBreaks,
    options: &FormatOptions,
) -> Result<String> {
    if schema.fields().is_empty() {
        return Ok(String::new());
    }
    let table = table(schema, batches, line_breaks, First::InOrder, Some(LONGEST_CELL), options)?;
    Ok(table.draw(Border::Ascii, None, more).text)
}

/// The batches as a table that can be drawn in any form. `longest` is the number of characters of a value that it keeps.
pub(super) fn table(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    line_breaks: LineBreaks,
    first: First,
    longest: Option<usize>,
    options: &FormatOptions,
) -> Result<Table> {
    let form: display::FormatOptions<'_> = options.try_into()?;
    let cell = |text: &str| {
        let cell = match line_breaks {
            LineBreaks::Escaped => Cell::new(text),
            LineBreaks::Kept => Cell::with_lines(text),
        };
        longest.map_or_else(|| cell.clone(), |longest| cell.clone().at_most(longest))
    };
    let mut columns = vec![];
    for (place, field) in schema.fields().iter().enumerate() {
        let mut cells = vec![];
        let mut values = Values::default();
        for batch in batches {
            let column = batch.column(place);
            let formatter = ArrayFormatter::try_new(column.as_ref(), &form)?;
            for row in 0..column.len() {
                let value = formatter.value(row);
                // A value that can't be shown has the error in its place, unless the session wants it raised.
                let text = if options.safe { value.to_string() } else { value.try_to_string()? };
                cells.push(cell(&text));
                values.add(text, column.is_null(row));
            }
        }
        let name = if options.types_info {
            // The line break between name and type is the only one.
            let lines = [field.name().as_str(), &field.data_type().to_string()];
            Cell::with_lines(&lines.map(|line| line.replace('\n', "\\u{a}")).join("\n"))
        } else {
            Cell::new(field.name())
        };
        let rank = match first {
            First::InOrder => 0,
            First::Telling => rank(field.name(), field.data_type(), &values),
        };
        columns.push(Column { name, cells, is_whole: is_whole(field.data_type()), rank });
    }
    Ok(Table::new(columns))
}

/// Whether a part of a value would be read as another value.
fn is_whole(of: &DataType) -> bool {
    of.is_numeric() || of.is_temporal() || matches!(of, DataType::Boolean)
}

/// The variety of a column's values.
#[derive(Debug, Default)]
struct Values {
    distinct: BTreeSet<String>,
    rows: usize,
    nulls: usize,
}

impl Values {
    /// Two different values are enough to know that a column is not the same in all rows.
    fn add(&mut self, text: String, is_null: bool) {
        self.rows += 1;
        self.nulls += usize::from(is_null || text.is_empty());
        if self.distinct.len() < 2 {
            self.distinct.insert(text);
        }
    }
}

/// The place of a column among the others: low for those that are read first.
fn rank(name: &str, of: &DataType, values: &Values) -> usize {
    let name = name.rsplit('.').next().unwrap_or(name).replace(['_', '-', ' ', '@'], "").to_lowercase();
    let known = TELLING.iter().position(|names| names.contains(&name.as_str()));
    let is_identifier = name.starts_with("column")
        || ["id", "guid", "key", "hash", "sid"].iter().any(|end| name.ends_with(end));
    let by_name = match known {
        Some(place) => place,
        None if of.is_temporal() => 11,
        None if is_identifier => 12,
        None => 10,
    };
    let by_values = match values {
        Values { rows, nulls, .. } if rows == nulls => 100,
        // All events of one host say so, too, but behind what differs.
        Values { rows: 2.., distinct, .. } if distinct.len() < 2 => {
            if known.is_some() {
                4
            } else {
                50
            }
        }
        _ => 0,
    };
    by_name + by_values
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::{Field, Int64Type};

    use super::*;

    fn batch(values: &[Option<&str>]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("a", column, true)]).expect("one column")
    }

    fn print_table(batch: &RecordBatch, more: bool, line_breaks: LineBreaks) -> String {
        let options = FormatOptions::default();
        whole(&batch.schema(), std::slice::from_ref(batch), more, line_breaks, &options).expect("a table")
    }

    #[test]
    fn table_tells_that_there_is_more() {
        let text = print_table(&batch(&[Some("a"), Some("b")]), true, LineBreaks::Escaped);
        assert_eq!(text, "+---+\n| a |\n+---+\n| a |\n| b |\n| . |\n| . |\n| . |\n+---+\n");
    }

    #[test]
    fn no_value_of_a_table_looks_like_a_row() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["two\nlines", "\x1b[2J", "\u{202e}b\tc"]));
        let batch = RecordBatch::try_from_iter([("na\rme\n", column)]).expect("one column");
        let text = print_table(&batch, false, LineBreaks::Escaped);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..6],
            [
                r"| na\u{d}me\u{a}  |",
                "+-----------------+",
                r"| two\u{a}lines   |",
                r"| \u{1b}[2J       |",
                r"| \u{202e}b\u{9}c |",
            ]
        );
        let plan = print_table(&batch, false, LineBreaks::Kept);
        assert!(
            plan.contains("| two ") && plan.contains("| lines ") && plan.contains(r"\u{1b}[2J"),
            "{plan}"
        );
    }

    #[test]
    fn nested_values_are_escaped_at_any_depth() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1), None])]);
        let names: ArrayRef = Arc::new(StringArray::from(vec!["\x1b"]));
        let fields = [("\u{200b}", names), ("list", Arc::new(list) as ArrayRef)];
        let fields = fields
            .map(|(name, column)| (Arc::new(Field::new(name, column.data_type().clone(), true)), column));
        let column: ArrayRef = Arc::new(StructArray::from(fields.to_vec()));
        let batch = RecordBatch::try_from_iter([("s", column)]).expect("one column");
        let text = print_table(&batch, false, LineBreaks::Escaped);
        assert!(text.contains(r"{\u{200b}: \u{1b}, list: [1, ]}"), "{text}");
        let options = FormatOptions { types_info: true, ..FormatOptions::default() };
        let text = whole(&batch.schema(), &[batch], false, LineBreaks::Escaped, &options).expect("a table");
        assert!(text.contains("| s ") && text.contains(r#""\u{200b}": Utf8"#), "{text}");
    }

    #[test]
    fn long_value_says_how_long_it_is() {
        let long = "x ".repeat(250_000);
        let fits = "y ".repeat(LONGEST_CELL / 2);
        let text = print_table(&batch(&[Some(&long), Some(&fits)]), false, LineBreaks::Escaped);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "no line is wrapped");
        assert!(lines[3].ends_with("x x ... [cut: 500000 characters in all] |"));
        assert!(lines[4].contains(&fits));
        // Wide characters take the most columns.
        let wide = "漢".repeat(LONGEST_CELL);
        assert_eq!(print_table(&batch(&[Some(&wide)]), false, LineBreaks::Escaped).lines().count(), 5);
    }

    #[test]
    fn telling_columns_come_first() {
        let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        let number = |values: &[Option<i64>]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let columns = [
            (
                "TenantId",
                text(&["52b1ab41-869e-4138-9e40-2a4457f09bf0", "52b1ab41-869e-4138-9e40-2a4457f09bf0"]),
            ),
            ("Nothing", number(&[None, None])),
            ("Note", text(&["first note of the day", "second note of the day"])),
            ("Computer", text(&["host-one.example.org", "host-two.example.org"])),
            ("CommandLine", text(&["cmd.exe /c whoami /all", "reg.exe query HKLM"])),
            ("cluster_size", number(&[Some(1), Some(2)])),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)));
        let batch = batch.expect("a batch");
        let options = FormatOptions::default();
        let batches = std::slice::from_ref(&batch);
        let drawn = |first, width| {
            let table = table(&batch.schema(), batches, LineBreaks::Escaped, first, None, &options);
            let hidden = table.expect("a table").draw(Border::Ascii, Some(width), false).hidden;
            hidden.into_iter().map(|place| batch.schema().field(place).name().clone()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(First::Telling, 55), ["TenantId", "Nothing", "Note"]);
        assert_eq!(drawn(First::Telling, 39), ["TenantId", "Nothing", "Note", "Computer"]);
        assert_eq!(drawn(First::InOrder, 39), ["Note", "Computer", "CommandLine", "cluster_size"]);
    }
}
