//! Events into Parquet files, row group by row group on all threads.
//!
//! A row group is made and encoded as a whole by one thread, and appended in its turn: memory holds one row group per
//! thread, whatever the size of the file, and the bytes do not depend on the number of threads.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::properties::WriterProperties;

/// Events per row group: small enough for many threads, large enough for long runs.
const ROW_GROUP: u64 = 1 << 17;

/// A file that is there, and what is in it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Writes some rows of a table as one file. `make` makes the events of a part: its number, and its rows.
pub(super) fn write(
    path: &Path,
    schema: &SchemaRef,
    rows: Range<u64>,
    first_part: u64,
    threads: usize,
    make: &(impl Fn(u64, Range<u64>) -> Result<RecordBatch, ArrowError> + Sync),
) -> Result<Written> {
    // a reader never sees half a file under its name
    let unfinished = path.with_extension("parquet.unfinished");
    let written = write_groups(&unfinished, schema, rows.clone(), first_part, threads, make)
        .and_then(|()| Ok(fs::rename(&unfinished, path)?));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    let bytes = fs::metadata(path)?.len();
    Ok(Written { path: path.to_path_buf(), rows: rows.end - rows.start, bytes })
}

/// How many parts that many rows make.
pub(super) fn parts(rows: &Range<u64>) -> u64 {
    (rows.end - rows.start).div_ceil(ROW_GROUP)
}

fn write_groups(
    path: &Path,
    schema: &SchemaRef,
    rows: Range<u64>,
    first_part: u64,
    threads: usize,
    make: &(impl Fn(u64, Range<u64>) -> Result<RecordBatch, ArrowError> + Sync),
) -> Result<()> {
    // Without Arrow's own schema, readers choose their types: string views, say
    let options = ArrowWriterOptions::new().with_properties(properties()?).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(File::create(path)?, SchemaRef::clone(schema), options)?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let parts = parts(&rows);
    let encode_part = |part: u64| {
        let start = rows.start + part * ROW_GROUP;
        let batch = make(first_part + part, start..rows.end.min(start + ROW_GROUP))?;
        encode(&factory, part, &batch)
    };
    let mut next = 0;
    while next < parts {
        let wave = next..parts.min(next + threads.max(1) as u64);
        next = wave.end;
        let encoded: Vec<Result<Vec<ArrowColumnChunk>>> = thread::scope(|scope| {
            let workers: Vec<_> = wave.map(|part| scope.spawn(move || encode_part(part))).collect();
            let panicked = || Err(ParquetError::General("a thread of the generator panicked".to_string()));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| panicked())).collect()
        });
        for chunks in encoded {
            let mut group = file.next_row_group()?;
            for chunk in chunks? {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
        }
    }
    file.close()?;
    Ok(())
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
        // every time is another one
        .set_column_dictionary_enabled("TimeGenerated".into(), false)
        .set_column_encoding("TimeGenerated".into(), Encoding::DELTA_BINARY_PACKED)
        .build())
}
