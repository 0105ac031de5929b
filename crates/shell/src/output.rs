//! Standard output, and the formats that are written batch by batch.
//!
//! A result of any size passes through constant memory, and is complete: one header, one JSON array. CSV, TSV, JSON and Parquet are
//! for programs: they keep every byte, and CSV and TSV have nested values as JSON text. Markdown is for documents, where text
//! must be no markup: a link or an image of an event's would be shown as one.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::csv;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::{self, ArrayWriter, LineDelimitedWriter};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::failure::Failure;
use super::format::Format;
use datafusion_dbcluster::json::{as_json, json_text};
use dbcluster_terminal::{printable, printable_lines};

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
    Separated {
        delimiter: u8,
        header: bool,
    },
    Json(ArrayWriter<Vec<u8>>),
    Lines(LineDelimitedWriter<Vec<u8>>),
    Markdown {
        header: bool,
    },
    /// None before the first batch.
    Parquet(Option<Box<ArrowWriter<Vec<u8>>>>),
}

impl BatchWriter {
    /// A writer for a format; none for a table.
    pub(super) fn new(format: Format, schema: SchemaRef) -> Option<Self> {
        let separated = |delimiter| Form::Separated { delimiter, header: true };
        let form = match format {
            Format::Csv => separated(b','),
            Format::Tsv => separated(b'\t'),
            Format::Json => Form::Json(json().build(Vec::new())),
            Format::NdJson => Form::Lines(json().build(Vec::new())),
            Format::Markdown => Form::Markdown { header: true },
            Format::Parquet => Form::Parquet(None),
            Format::Table | Format::Box => return None,
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
            Form::Markdown { header } => markdown(batch, std::mem::take(header)).map(String::into_bytes),
            Form::Parquet(open) => {
                let mut writer = match open.take() {
                    Some(writer) => writer,
                    None => parquet(&self.schema)?,
                };
                writer.write(batch)?;
                let bytes = std::mem::take(writer.inner_mut());
                *open = Some(writer);
                Ok(bytes)
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
            Form::Separated { header: true, .. } | Form::Markdown { header: true } => {
                let empty = RecordBatch::new_empty(SchemaRef::clone(&self.schema));
                self.batch(&empty)
            }
            Form::Separated { .. } | Form::Markdown { .. } => Ok(Vec::new()),
            Form::Parquet(open) => {
                let writer = match open.take() {
                    Some(writer) => writer,
                    None => parquet(&self.schema)?,
                };
                Ok(writer.into_inner()?)
            }
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

fn parquet(schema: &SchemaRef) -> Result<Box<ArrowWriter<Vec<u8>>>> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    Ok(Box::new(ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties.build()))?))
}

/// The rows of a batch as lines of a Markdown table.
fn markdown(batch: &RecordBatch, with_header: bool) -> Result<String> {
    let schema = batch.schema();
    let mut text = String::new();
    if with_header {
        let names: Vec<String> = schema.fields().iter().map(|field| of_markdown(field.name())).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |\n|{}", names.join(" | "), "---|".repeat(names.len()));
    }
    let form = FormatOptions::new();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &form))
        .collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| Ok(of_markdown(&column.value(row).try_to_string()?)))
            .collect::<Result<_>>()?;
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    Ok(text)
}

/// A value as text of Markdown: each character that could be markup has a backslash, and one that is not seen is a code.
fn of_markdown(value: &str) -> String {
    let mut text = String::new();
    let shown = printable(value);
    let mut rest = shown.chars().peekable();
    while let Some(character) = rest.next() {
        // Addresses are links without any mark: `https://` and `www.`.
        let begins_link = character == ':' && rest.peek() == Some(&'/');
        let ends_www = character == '.' && text.to_ascii_lowercase().ends_with("www");
        if "\\`*_{}[]<>|&~#@$!".contains(character) || begins_link || ends_www {
            text.push('\\');
        }
        text.push(character);
    }
    text
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

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int64Type;
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    use super::*;

    fn batch(values: &[Option<&str>]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("a", column, true)]).expect("one column")
    }

    fn print(format: Format, batches: &[RecordBatch]) -> String {
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
        assert_eq!(print(Format::Csv, &batches), "a\n\"x,y\"\n\"\"\nz\n");
        assert_eq!(print(Format::Tsv, &batches), "a\nx,y\n\"\"\nz\n");
        assert_eq!(print(Format::Json, &batches), "[{\"a\":\"x,y\"},{\"a\":null},{\"a\":\"z\"}]\n");
        assert_eq!(print(Format::NdJson, &batches), "{\"a\":\"x,y\"}\n{\"a\":null}\n{\"a\":\"z\"}\n");
    }

    #[test]
    fn empty_result_is_still_a_document() {
        assert_eq!(print(Format::Csv, &[]), "a\n");
        assert_eq!(print(Format::Json, &[]), "[]\n");
        assert_eq!(print(Format::NdJson, &[]), "");
    }

    #[test]
    fn no_text_is_markup_in_markdown() {
        let batches = [batch(&[Some("a|b"), Some("![x](https://e.org)\nC:\\new_*")]), batch(&[None])];
        assert_eq!(
            print(Format::Markdown, &batches),
            "| a |\n|---|\n| a\\|b |\n| \\!\\[x\\](https\\://e.org)\\\\u\\{a\\}C:\\\\new\\_\\* |\n|  |\n"
        );
        assert_eq!(print(Format::Markdown, &[]), "| a |\n|---|\n");
        assert_eq!(of_markdown("see www.e.org, me@e.org <b>"), "see www\\.e.org, me\\@e.org \\<b\\>");
    }

    #[test]
    fn parquet_is_written_as_it_comes() {
        let numbers = |values: std::ops::Range<i64>| {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
            RecordBatch::try_from_iter([("n", column)]).expect("one column")
        };
        for batches in [vec![], vec![numbers(0..10), numbers(10..2000)]] {
            let mut writer =
                BatchWriter::new(Format::Parquet, numbers(0..0).schema()).expect("a format for machines");
            let mut bytes = Vec::new();
            for batch in &batches {
                bytes.extend(writer.batch(batch).expect("a plain batch"));
            }
            bytes.extend(writer.finish().expect("a plain schema"));
            let read =
                ParquetRecordBatchReader::try_new(bytes::Bytes::from(bytes), 10_000).expect("a Parquet file");
            let rows: usize = read.map(|batch| batch.expect("a batch").num_rows()).sum();
            assert_eq!(rows, batches.iter().map(RecordBatch::num_rows).sum::<usize>());
        }
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
        assert_eq!(print(Format::Csv), "l\n\"[1,null]\"\n\"\"\n");
        assert_eq!(print(Format::Json), "[{\"l\":[1,null]},{\"l\":null}]\n");
    }
}
