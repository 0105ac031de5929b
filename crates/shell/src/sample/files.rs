//! Writes events to Parquet files, row group by row group on all threads.
//!
//! A row group is made and encoded as a whole by one thread, and appended in its turn: memory holds one row group per
//! thread, whatever the size of the file, and the bytes do not depend on the number of threads.

use std::fs::File;
use std::ops::Range;
use std::thread;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::properties::WriterProperties;

/// The rows of a row group: few enough for many threads, enough for long runs.
const ROW_GROUP: u64 = 1 << 17;

/// The threads that files are written with.
#[derive(Clone, Copy)]
pub(crate) struct Workers<'a> {
    pub(crate) threads: usize,
    /// Says between row groups whether to give up.
    pub(crate) stopped: &'a dyn Fn() -> bool,
}

/// The number of parts, one per row group, that the rows make.
pub(super) fn parts(rows: &Range<u64>) -> u64 {
    (rows.end - rows.start).div_ceil(ROW_GROUP)
}

/// Writes some rows of a table as one file, and returns its size. `make` makes the events of a part, given its number and its
/// rows.
pub(super) fn write(
    file: &File,
    schema: &SchemaRef,
    rows: Range<u64>,
    first_part: u64,
    workers: Workers<'_>,
    make: &(impl Fn(u64, Range<u64>) -> Result<RecordBatch, ArrowError> + Sync),
) -> Result<u64> {
    // Without Arrow's own schema in the file, readers choose their types, such as string views.
    let options = ArrowWriterOptions::new().with_properties(properties()?).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(file, SchemaRef::clone(schema), options)?;
    let (mut groups, factory) = writer.into_serialized_writer()?;
    let parts = parts(&rows);
    let encode_part = |part: u64| {
        let start = rows.start + part * ROW_GROUP;
        let batch = make(first_part + part, start..rows.end.min(start + ROW_GROUP))?;
        encode(&factory, part, &batch)
    };
    let mut next = 0;
    while next < parts {
        if (workers.stopped)() {
            return Err(ParquetError::General("stopped".to_string()));
        }
        let wave = next..parts.min(next + workers.threads.max(1) as u64);
        next = wave.end;
        let encoded: Vec<Result<Vec<ArrowColumnChunk>>> = thread::scope(|scope| {
            let threads: Vec<_> = wave.map(|part| scope.spawn(move || encode_part(part))).collect();
            let panicked = || Err(ParquetError::General("a thread of the generator panicked".to_string()));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
        });
        for chunks in encoded {
            let mut group = groups.next_row_group()?;
            for chunk in chunks? {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
        }
    }
    groups.close()?;
    Ok(file.metadata()?.len())
}

fn encode(
    factory: &ArrowRowGroupWriterFactory,
    part: u64,
    batch: &RecordBatch,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut writers = factory.create_column_writers(usize::try_from(part).unwrap_or(0))?;
    let mut next = writers.iter_mut();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        for leaf in compute_leaves(field, column)? {
            if let Some(writer) = next.next() {
                writer.write(&leaf)?;
            }
        }
    }
    writers.into_iter().map(datafusion::parquet::arrow::arrow_writer::ArrowColumnWriter::close).collect()
}

fn properties() -> Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        // Times are distinct, so a dictionary would be useless.
        .set_column_dictionary_enabled("TimeGenerated".into(), false)
        .set_column_encoding("TimeGenerated".into(), Encoding::DELTA_BINARY_PACKED)
        .build())
}
