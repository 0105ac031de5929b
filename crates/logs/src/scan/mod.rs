//! Many files on many threads, in the order of one thread.
//!
//! Threads take turns: one reads the next file, decompresses it and cuts it into blocks of whole records, the others parse the
//! blocks that wait. A reader that is too far ahead parses a block itself. Each block is parsed by itself, and the parts are put
//! together in the order of files and blocks, so the number of threads and the order of their work change nothing.
//!
//! Parsed blocks stay in memory while the host grants it. The text of the others goes to a temporary file and is parsed again
//! when the types are known, so that text from a pipe, too, is taken in once.

mod convert;
mod merge;
mod reading;
mod temporary;

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};

use self::convert::{Converter, RejectedOfFiles};
use self::merge::{TableColumn, merged};
use self::reading::{ReadFile, read_all};
use crate::options::ReadOptions;
use crate::report::{Note, Report};
use crate::source::Source;
use crate::{Error, Result};

/// The resources that a reading may use.
pub trait Host: Send + Sync {
    /// The number of threads.
    fn threads(&self) -> usize;

    /// Asks for memory. If it says no, what was read goes to a [temporary file](Self::temporary_file).
    fn try_grow(&self, bytes: usize) -> bool;

    /// Gives memory back.
    fn shrink(&self, bytes: usize);

    /// A file of its own that is removed when it is dropped, or why there is none.
    fn temporary_file(&self) -> Result<File>;

    /// Notes that so many more bytes are in temporary files; an error if that is too many.
    fn grow_temporary(&self, bytes: usize) -> Result<()>;

    /// Whether the reading is to stop.
    fn is_cancelled(&self) -> bool;

    /// The bytes of text that a thread parses at once. Each has an array for each column, so small blocks are slow; the result is
    /// the same with any.
    fn block_size(&self) -> usize {
        4 << 20
    }
}

/// Files whose text has been read, so that the types of their columns are known.
pub struct Scanned {
    files: Vec<ReadFile>,
    columns: Vec<TableColumn>,
    schema: SchemaRef,
    options: ReadOptions,
    host: Arc<dyn Host>,
    report: Report,
    rejected: RejectedOfFiles,
}

impl Scanned {
    /// The columns: those of the first file, then those that others add, in the order in which they occur.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The account so far. Values that do not fit an ordered type are still missing from it.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Converts the values, and gives batches in the order of files and rows to `sink`. Returns the whole account.
    pub fn batches(self, sink: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<Report> {
        let Self { files, columns, schema, options, host, mut report, mut rejected } = self;
        let converter = Converter::new(&columns, schema, &options, host.as_ref());
        rejected.append(&mut converter.run(files, sink)?);
        rejected.sort_by(|(a, x), (b, y)| (a, x.line).cmp(&(b, y.line)));
        report.rejected = rejected.into_iter().map(|(_, rejected)| rejected).collect();
        Ok(report)
    }
}

/// Reads the text of all sources, and finds columns and types that hold every value.
///
/// # Errors
/// A source can't be read, or is damaged; an option names a column that is not there; the host cancels, or has no room left.
pub fn scan(sources: &[Box<dyn Source>], options: &ReadOptions, host: Arc<dyn Host>) -> Result<Scanned> {
    options.check()?;
    let mut files = read_all(sources, options, host.as_ref())?;
    let mut report = Report { files: files.len(), ..Report::default() };
    let mut rejected = vec![];
    for (index, file) in files.iter_mut().enumerate() {
        report.rows += file.rows;
        report.bytes += file.bytes;
        let with_name = |text| Note { file: Some(file.name.clone()), text };
        report.notes.extend(std::mem::take(&mut file.notes).into_iter().map(with_name));
        for mut of_file in std::mem::take(&mut file.rejected) {
            of_file.file.clone_from(&file.name);
            rejected.push((index, of_file));
        }
    }
    let columns = merged(&mut files, options, &mut report)?;
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(column.name.as_ref(), column.data_type(), true)).collect();
    Ok(Scanned {
        files,
        columns,
        schema: Arc::new(Schema::new(fields)),
        options: options.clone(),
        host,
        report,
        rejected,
    })
}

/// The error of a reading that its host has cancelled.
fn cancelled() -> Error {
    Error::new("the reading was cancelled")
}
