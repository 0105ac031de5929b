//! Rows as Parquet files, one after the other: those of a day in the order of their time.
//!
//! One file is written at a time, so memory holds one row group, however many days there are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Schema};
use datafusion::common::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use datafusion::parquet::schema::types::ColumnPath;
use datafusion_dbcluster::event_columns::{Place, TIMES, is_time};
use futures::StreamExt;

use super::DAY;
use super::fingerprint::fingerprint;
use super::manifest::DataFile;
use crate::failure::Failure;
use crate::report::{expression, identifier};
use crate::runner::Runner;

/// The folder of the rows without a time, as Hive and its successors name it.
const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// Rows of a group: few enough that a look for some events skips most of a file, and enough that its columns compress well.
const GROUP_ROWS: usize = 131_072;

/// Writes the rows of a table into a folder, and returns the files.
pub(super) async fn write(
    runner: &Runner,
    table: &str,
    schema: &Schema,
    folder: &Path,
    import: u64,
) -> Result<BTreeMap<String, DataFile>, Failure> {
    let query = match time(schema) {
        Some(time) => {
            format!("SELECT *, CAST({time} AS DATE) AS {DAY} FROM {table} ORDER BY {time} NULLS LAST")
        }
        None => format!("SELECT * FROM {table}"),
    };
    let (_bar, mut batches) = runner.read(&query).await?;
    let mut files =
        Files { folder, import, properties: properties(schema)?, open: None, written: BTreeMap::new() };
    while let Some(batch) = batches.next().await {
        files.push(batch?)?;
    }
    files.close()?;
    Ok(files.written)
}

/// The time of an event in UTC, as SQL: the first value in the columns that collectors give it, else the first in other columns of times.
fn time(schema: &Schema) -> Option<String> {
    let known = Place::all(schema, TIMES).filter(|(place, _)| is_time(place.data_type));
    let others = schema.fields().iter().filter(|field| is_time(field.data_type()));
    let mut times: Vec<String> = vec![];
    for time in known.map(|(place, _)| expression(&place)).chain(others.map(|field| identifier(field.name())))
    {
        if !times.contains(&time) {
            times.push(time);
        }
    }
    let in_utc = |time: &String| format!("arrow_cast({time}, 'Timestamp(Microsecond, Some(\"UTC\"))')");
    match times.as_slice() {
        [] => None,
        [time] => Some(in_utc(time)),
        times => Some(format!("coalesce({})", times.iter().map(in_utc).collect::<Vec<_>>().join(", "))),
    }
}

/// The form of the files. Nearly every time is another one, so a dictionary of times would be as long as the times.
fn properties(schema: &Schema) -> Result<WriterProperties, Failure> {
    let level = ZstdLevel::try_new(3).map_err(DataFusionError::from)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for field in schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::Timestamp(..))) {
        let column = ColumnPath::new(vec![field.name().clone()]);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build())
}

/// The files of an import.
struct Files<'a> {
    folder: &'a Path,
    import: u64,
    properties: WriterProperties,
    /// The file that is written, with its day.
    open: Option<(Option<i32>, String, ArrowWriter<File>)>,
    written: BTreeMap<String, DataFile>,
}

impl Files<'_> {
    /// Writes rows, which come by days.
    fn push(&mut self, batch: RecordBatch) -> Result<(), Failure> {
        let Some(place) = batch.schema().index_of(DAY).ok() else {
            return self.push_of_day(&batch, "", None);
        };
        // The query makes this column by CAST to DATE, and a table with a column of its name is refused before.
        let days: Date32Array = batch.column(place).as_primitive::<Date32Type>().clone();
        let mut rows = batch;
        rows.remove_column(place);
        let day = |row: usize| days.is_valid(row).then(|| days.value(row));
        let mut start = 0;
        while start < days.len() {
            let of_start = day(start);
            // The row at `start` is of its own day, so the end is behind it.
            let end = (start..days.len()).find(|row| day(*row) != of_start).unwrap_or(days.len());
            let folder = match of_start {
                Some(day) => format!("{DAY}={}/", name_of(day)?),
                None => format!("{DAY}={NO_DAY}/"),
            };
            self.push_of_day(&rows.slice(start, end - start), &folder, of_start)?;
            start = end;
        }
        Ok(())
    }

    fn push_of_day(&mut self, rows: &RecordBatch, folder: &str, day: Option<i32>) -> Result<(), Failure> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let is_open =
            self.open.as_ref().is_some_and(|(of_file, name, _)| *of_file == day && name.starts_with(folder));
        if !is_open {
            self.close()?;
            let name = format!("{folder}import-{:06}.parquet", self.import);
            let path = self.folder.join(&name);
            let file = fs::create_dir_all(self.folder.join(folder)).and_then(|()| File::create_new(&path));
            let file = file.map_err(|error| failed(&name, &error))?;
            let writer = ArrowWriter::try_new(file, rows.schema(), Some(self.properties.clone()));
            self.open = Some((day, name, writer.map_err(DataFusionError::from)?));
        }
        if let Some((_, _, writer)) = &mut self.open {
            writer.write(rows).map_err(DataFusionError::from)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some((_, name, writer)) = self.open.take() else { return Ok(()) };
        writer.close().map_err(DataFusionError::from)?;
        let file = data_file(&self.folder.join(&name)).map_err(|error| failed(&name, &error))?;
        self.written.insert(name, file);
        Ok(())
    }
}

fn failed(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{name} can't be written: {error}"))
}

/// A day as the name of a folder has it.
fn name_of(day: i32) -> Result<String, Failure> {
    let days: Arc<dyn Array> = Arc::new(Date32Array::from(vec![day]));
    let format = arrow::util::display::FormatOptions::default();
    let shown = arrow::util::display::ArrayFormatter::try_new(days.as_ref(), &format)
        .and_then(|days| days.value(0).try_to_string());
    Ok(shown.map_err(DataFusionError::from)?)
}

/// The size of a Parquet file, and its rows as its footer has them.
pub(super) fn data_file(path: &Path) -> io::Result<DataFile> {
    let (bytes, sha256) = fingerprint(File::open(path)?, &[], || false)?.0;
    let reader = SerializedFileReader::new(File::open(path)?).map_err(io::Error::other)?;
    let rows = reader.metadata().file_metadata().num_rows();
    Ok(DataFile { rows: rows.max(0).unsigned_abs(), bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn time_is_the_first_that_an_event_has() {
        let time_type = || DataType::Timestamp(TimeUnit::Microsecond, None);
        let of = |columns: &[(&str, DataType)]| {
            let fields: Vec<Field> =
                columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
            time(&Schema::new(fields))
                .map(|time| time.replace(", 'Timestamp(Microsecond, Some(\"UTC\"))'", ""))
        };
        assert_eq!(
            of(&[("started", time_type()), ("UtcTime", time_type()), ("TimeCreated", time_type())])
                .as_deref(),
            Some("coalesce(arrow_cast(\"TimeCreated\"), arrow_cast(\"UtcTime\"), arrow_cast(\"started\"))")
        );
        assert_eq!(
            of(&[("a", DataType::Utf8), ("ended", DataType::Date32)]).as_deref(),
            Some("arrow_cast(\"ended\")")
        );
        assert_eq!(of(&[("time", DataType::Utf8)]), None);
    }
}
