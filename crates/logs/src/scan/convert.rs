//! Parts to batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::merge::{ColumnContent, TableColumn};
use super::reading::{Kept, Part, ReadFile};
use super::{Host, cancelled};
use crate::options::ReadOptions;
use crate::records::Records;
use crate::report::Rejected;
use crate::source::shown;
use crate::values::build;
use crate::{Error, Result};

/// Batches with fewer rows are put together.
const SMALL_BATCH: usize = 8192;

/// Rejected values with the index of their file.
pub(super) type RejectedOfFiles = Vec<(usize, Rejected)>;

/// Converts parts to batches of the table.
pub(super) struct Converter<'a> {
    columns: &'a [TableColumn],
    schema: SchemaRef,
    options: &'a ReadOptions,
    host: &'a dyn Host,
}

impl<'a> Converter<'a> {
    pub(super) fn new(
        columns: &'a [TableColumn],
        schema: SchemaRef,
        options: &'a ReadOptions,
        host: &'a dyn Host,
    ) -> Self {
        Self { columns, schema, options, host }
    }

    /// Converts all parts on the host's threads, some at a time, and gives them to `sink` in their order.
    pub(super) fn run(
        &self,
        files: Vec<ReadFile>,
        sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<RejectedOfFiles> {
        let threads = self.host.threads().max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| Error::new(format!("cannot start threads: {error}")))?;
        let names: Vec<Arc<str>> = files.iter().map(|file| Arc::from(file.name.as_str())).collect();
        let parts = files.into_iter().enumerate().flat_map(|(file, read)| {
            let with_file = move |part| (file, part);
            read.parts.into_iter().map(with_file)
        });
        let mut parts = parts.fuse();
        let (mut rejected, mut small) = (vec![], vec![]);
        loop {
            let some: Vec<(usize, Part)> = parts.by_ref().take(threads * 2).collect();
            if some.is_empty() {
                break;
            }
            let converted: Vec<Result<(RecordBatch, RejectedOfFiles)>> = pool.install(|| {
                let convert = |(file, part)| self.convert(file, names.get(file), part);
                some.into_par_iter().map(convert).collect()
            });
            for part in converted {
                let (batch, mut of_part) = part?;
                rejected.append(&mut of_part);
                small.push(batch);
                if small.iter().map(RecordBatch::num_rows).sum::<usize>() >= SMALL_BATCH {
                    self.flush(&mut small, sink)?;
                }
            }
        }
        self.flush(&mut small, sink)?;
        Ok(rejected)
    }

    fn flush(
        &self,
        batches: &mut Vec<RecordBatch>,
        sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let mut batches = std::mem::take(batches);
        batches.retain(|batch| batch.num_rows() > 0);
        match batches.len() {
            0 => Ok(()),
            1 => batches.into_iter().try_for_each(sink),
            _ => sink(concat_batches(&self.schema, &batches).map_err(|error| Error::new(error.to_string()))?),
        }
    }

    fn convert(
        &self,
        file: usize,
        name: Option<&Arc<str>>,
        part: Part,
    ) -> Result<(RecordBatch, RejectedOfFiles)> {
        if self.host.is_cancelled() {
            return Err(cancelled());
        }
        let (records, granted) = match part.kept {
            Kept::Memory(records, granted) => (records, granted),
            Kept::Stored(stored, temporary, parser) => (Box::new(parser.parse(temporary.read(stored)?)), 0),
        };
        let name = name.map(AsRef::as_ref).unwrap_or_default();
        let converted = self.batch(file, name, &records);
        drop(records);
        self.host.shrink(granted);
        converted
    }

    fn batch(&self, file: usize, name: &str, records: &Records) -> Result<(RecordBatch, RejectedOfFiles)> {
        let found: HashMap<&str, usize> =
            records.columns.iter().enumerate().map(|(at, column)| (column.name.as_ref(), at)).collect();
        let mut rejected = vec![];
        let mut arrays: Vec<ArrayRef> = vec![];
        for column in self.columns {
            arrays.push(match &column.content {
                ColumnContent::File => {
                    Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(name, records.rows)))
                }
                ColumnContent::Values(of, column_type) => {
                    let cells = found.get(of.as_ref()).and_then(|at| records.columns.get(*at));
                    match cells {
                        None => new_null_array(&column_type.data_type(), records.rows),
                        Some(values) => {
                            let mut reject = |row: usize, value: &[u8], reason: String| {
                                rejected.push((
                                    row,
                                    Rejected {
                                        file: name.to_string(),
                                        line: 0,
                                        column: Some(column.name.to_string()),
                                        text: Rejected::beginning(value),
                                        reason,
                                    },
                                ));
                            };
                            build(
                                column_type,
                                &records.text,
                                &values.cells,
                                values.syntax,
                                self.options,
                                &mut reject,
                            )
                        }
                    }
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(records.rows));
        let batch = RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), arrays, &options)
            .map_err(|error| Error::new(format!("{}: {error}", shown(name))))?;
        // Several rows may stand on one line, and the order must not depend on where blocks end.
        rejected.sort_by_key(|(row, _)| *row);
        let mut lines = records.lines();
        let with_line = |(row, rejected)| (file, Rejected { line: lines.of(row), ..rejected });
        Ok((batch, rejected.into_iter().map(with_line).collect()))
    }
}
