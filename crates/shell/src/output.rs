//! Results on standard output.
//!
//! A table is collected up to the rows it shows. Every other format is written batch by batch, so that a result of
//! any size passes through constant memory, and is complete: one header, one JSON array.
//!
//! A table is for people: characters that a terminal would obey are escaped ([`dbcluster_terminal`]), line breaks too, so
//! that no value looks like a row, and a value too long for a cell says how long it is. The other formats
//! are for programs: they keep every byte, and CSV and TSV have nested values as JSON text.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringArray, RecordBatch};
use arrow::csv;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::{self, ArrayWriter, LineDelimitedWriter};
use arrow::util::display::{self, ArrayFormatter};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use datafusion::config::FormatOptions;
use datafusion_cli::print_format::PrintFormat;

use super::failure::Failure;
use datafusion_dbcluster::json::{as_json, json_text};
use dbcluster_terminal::{printable, printable_lines};

/// A longer value is cut in a table. The printer of tables has columns of at most 65,535 places, and a character takes
/// up to three.
const LONGEST_CELL: usize = 20_000;

/// Writes bytes to standard output as they are; a closed pipe is told from an error.
pub(super) fn write(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    io::stdout().lock().write_all(bytes.as_ref()).map_err(|error| Failure::output(&error))
}

/// Writes a text for people to standard output.
pub(super) fn say(text: impl AsRef<str>) -> Result<(), Failure> {
    write(printable_lines(text.as_ref()).as_bytes())
}

/// Flushes standard output, so that its reader has everything that was written.
pub(super) fn flush() -> Result<(), Failure> {
    io::stdout().lock().flush().map_err(|error| Failure::output(&error))
}

/// Writes batches of one result, one after the other, in a format for machines.
pub(super) struct BatchWriter {
    schema: SchemaRef,
    form: Form,
}

enum Form {
    Separated { delimiter: u8, header: bool },
    Json(ArrayWriter<Vec<u8>>),
    Lines(LineDelimitedWriter<Vec<u8>>),
}

impl BatchWriter {
    /// A writer for a format; none for a table.
    pub(super) fn new(format: PrintFormat, schema: SchemaRef) -> Option<Self> {
        let separated = |delimiter| Form::Separated { delimiter, header: true };
        let form = match format {
            PrintFormat::Csv => separated(b','),
            PrintFormat::Tsv => separated(b'\t'),
            PrintFormat::Json => Form::Json(json().build(Vec::new())),
            PrintFormat::NdJson => Form::Lines(json().build(Vec::new())),
            PrintFormat::Table | PrintFormat::Automatic => return None,
        };
        Some(Self { schema, form })
    }

    /// The bytes of a batch.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        match &mut self.form {
            Form::Separated { delimiter, header } => {
                let batch = &with_nested(batch, json_text)?;
                let mut bytes = Vec::new();
                let has_header = std::mem::take(header);
                let mut writer = csv::WriterBuilder::new()
                    .with_header(has_header)
                    .with_delimiter(*delimiter)
                    .build(&mut bytes);
                writer.write(batch)?;
                drop(writer);
                Ok(bytes)
            }
            Form::Json(writer) => {
                writer.write(&with_nested(batch, as_json)?)?;
                Ok(std::mem::take(writer.get_mut()))
            }
            Form::Lines(writer) => {
                writer.write(&with_nested(batch, as_json)?)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// The bytes after the last batch; for an empty result its header or its brackets.
    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        // The result of SET has no columns, and prints nothing.
        if self.schema.fields().is_empty() {
            return Ok(Vec::new());
        }
        match &mut self.form {
            Form::Separated { header: true, .. } => {
                let empty = RecordBatch::new_empty(SchemaRef::clone(&self.schema));
                self.batch(&empty)
            }
            Form::Separated { .. } => Ok(Vec::new()),
            Form::Json(writer) => {
                writer.finish()?;
                let mut bytes = std::mem::take(writer.get_mut());
                bytes.push(b'\n');
                Ok(bytes)
            }
            Form::Lines(writer) => {
                writer.finish()?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }
}

/// A writer of JSON whose objects have every column, NULL or not: readers learn the columns from the first object.
fn json() -> json::WriterBuilder {
    json::WriterBuilder::new().with_explicit_nulls(true)
}

/// The batch with its nested columns replaced by what `change` makes of them.
fn with_nested(batch: &RecordBatch, change: fn(&ArrayRef) -> Result<ArrayRef>) -> Result<RecordBatch> {
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| field.data_type().is_nested()) {
        return Ok(batch.clone());
    }
    let changed = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        if !field.data_type().is_nested() {
            return Ok((Arc::clone(field), Arc::clone(column)));
        }
        let column = change(column)?;
        let field = field.as_ref().clone().with_data_type(column.data_type().clone()).with_nullable(true);
        Ok((Arc::new(field), column))
    });
    let (fields, columns): (Vec<_>, Vec<_>) = changed.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The treatment of line breaks in a table's values.
#[derive(Debug, Clone, Copy)]
pub(super) enum LineBreaks {
    /// They are escaped, so that no value looks like a row.
    Escaped,
    /// They break the line, as in a plan, which is drawn over several lines.
    Kept,
}

/// The batches as a table, with dots below when there were more rows.
pub(super) fn table(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    more: bool,
    line_breaks: LineBreaks,
    options: &FormatOptions,
) -> Result<String> {
    if schema.fields().is_empty() {
        return Ok(String::new());
    }
    let header = schema.fields().iter().map(|field| {
        let name = cell(field.name(), LineBreaks::Escaped);
        let name = if options.types_info {
            format!("{name}\n{}", cell(&field.data_type().to_string(), LineBreaks::Escaped))
        } else {
            name
        };
        Field::new(name, DataType::LargeUtf8, false)
    });
    let header: SchemaRef = Arc::new(Schema::new(header.collect::<Vec<_>>()));
    let form: display::FormatOptions<'_> = options.try_into()?;
    let mut shown = vec![RecordBatch::new_empty(Arc::clone(&header))];
    for batch in batches {
        let columns = batch.columns().iter().map(|column| {
            let values = ArrayFormatter::try_new(column.as_ref(), &form)?;
            let cells = (0..column.len()).map(|row| {
                let value = values.value(row);
                // A value that can't be shown has the error in its place, unless the session wants it raised.
                let text = if options.safe { value.to_string() } else { value.try_to_string()? };
                Ok(Some(cell(&text, line_breaks)))
            });
            Ok(Arc::new(cells.collect::<Result<LargeStringArray>>()?) as ArrayRef)
        });
        shown.push(RecordBatch::try_new(Arc::clone(&header), columns.collect::<Result<_>>()?)?);
    }
    let mut text = pretty_format_batches(&shown)?.to_string();
    if more && let Some(border) = text.rfind('\n').map(|at| at + 1) {
        let width = text.len() - border;
        let dots = format!("| {:<1$}|\n", ".", width.saturating_sub(3));
        text.insert_str(border, &dots.repeat(3));
    }
    text.push('\n');
    Ok(text)
}

/// A value as a table shows it.
fn cell(text: &str, line_breaks: LineBreaks) -> String {
    match line_breaks {
        LineBreaks::Escaped => line_of_cell(text),
        LineBreaks::Kept => text.split('\n').map(line_of_cell).collect::<Vec<_>>().join("\n"),
    }
}

fn line_of_cell(text: &str) -> String {
    let shown = printable(text);
    match shown.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}... [cut: {} characters in all]", &shown[..end], text.chars().count()),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(values: &[Option<&str>]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("a", column, true)]).expect("one column")
    }

    fn print(format: PrintFormat, batches: &[RecordBatch]) -> String {
        let mut writer = BatchWriter::new(format, batch(&[]).schema()).expect("a format for machines");
        let mut bytes = Vec::new();
        for batch in batches {
            bytes.extend(writer.batch(batch).expect("a plain batch"));
        }
        bytes.extend(writer.finish().expect("a plain schema"));
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn batches_make_one_document() {
        let batches = [batch(&[Some("x,y"), None]), batch(&[]), batch(&[Some("z")])];
        assert_eq!(print(PrintFormat::Csv, &batches), "a\n\"x,y\"\n\"\"\nz\n");
        assert_eq!(print(PrintFormat::Tsv, &batches), "a\nx,y\n\"\"\nz\n");
        assert_eq!(print(PrintFormat::Json, &batches), "[{\"a\":\"x,y\"},{\"a\":null},{\"a\":\"z\"}]\n");
        assert_eq!(print(PrintFormat::NdJson, &batches), "{\"a\":\"x,y\"}\n{\"a\":null}\n{\"a\":\"z\"}\n");
    }

    #[test]
    fn empty_result_is_still_a_document() {
        assert_eq!(print(PrintFormat::Csv, &[]), "a\n");
        assert_eq!(print(PrintFormat::Json, &[]), "[]\n");
        assert_eq!(print(PrintFormat::NdJson, &[]), "");
    }

    fn print_table(batch: &RecordBatch, more: bool, line_breaks: LineBreaks) -> String {
        let options = FormatOptions::default();
        table(&batch.schema(), std::slice::from_ref(batch), more, line_breaks, &options).expect("a table")
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
        let text = table(&batch.schema(), &[batch], false, LineBreaks::Escaped, &options).expect("a table");
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
    fn nested_values_are_text_in_csv() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
        let batch = RecordBatch::try_from_iter([("l", Arc::new(list) as ArrayRef)]).expect("one column");
        let print = |format| {
            let mut writer = BatchWriter::new(format, batch.schema()).expect("a format for machines");
            let mut bytes = writer.batch(&batch).expect("a list");
            bytes.extend(writer.finish().expect("a list"));
            String::from_utf8(bytes).expect("text")
        };
        assert_eq!(print(PrintFormat::Csv), "l\n\"[1,null]\"\n\"\"\n");
        assert_eq!(print(PrintFormat::Json), "[{\"l\":[1,null]},{\"l\":null}]\n");
    }
}
