//! Results on standard output.
//!
//! A table is collected up to the rows it shows. Every other format is written batch by batch, so that a result of
//! any size passes through constant memory, and is complete: one header, one JSON array.

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json::{self, ArrayWriter, LineDelimitedWriter};
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;
use datafusion::common::Result;
use datafusion::config::FormatOptions;
use datafusion_cli::print_format::PrintFormat;

use super::failure::Failure;

/// Writes to standard output; a closed pipe is told from an error.
pub(super) fn write(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    io::stdout().lock().write_all(text.as_ref()).map_err(|error| Failure::output(&error))
}

/// Hands what was written to the reader.
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
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
            Form::Lines(writer) => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// The bytes behind the last batch; of an empty result, its header or its brackets.
    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        // SET and the like have no columns, and print nothing
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

/// Every object has every column: a reader learns the columns from the first one.
fn json() -> json::WriterBuilder {
    json::WriterBuilder::new().with_explicit_nulls(true)
}

/// The batches as a table, with dots below when there were more rows.
pub(super) fn table(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    more: bool,
    options: &FormatOptions,
) -> Result<String> {
    if schema.fields().is_empty() {
        return Ok(String::new());
    }
    let empty = [RecordBatch::new_empty(SchemaRef::clone(schema))];
    let batches = if batches.is_empty() { &empty } else { batches };
    let mut text = pretty_format_batches_with_options(batches, &options.try_into()?)?.to_string();
    if more && let Some(border) = text.rfind('\n').map(|at| at + 1) {
        let width = text.len() - border;
        let dots = format!("| {:<1$}|\n", ".", width.saturating_sub(3));
        text.insert_str(border, &dots.repeat(3));
    }
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, StringArray};

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

    #[test]
    fn table_tells_that_there_is_more() {
        let batch = batch(&[Some("two\nlines"), Some("b")]);
        let text = table(&batch.schema(), &[batch], true, &FormatOptions::default()).expect("a table");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[lines.len() - 4..], ["| .     |", "| .     |", "| .     |", "+-------+"]);
        assert!(text.contains("| lines |") && text.contains("| b     |"), "{text}");
    }
}
