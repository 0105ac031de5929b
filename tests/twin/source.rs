//! The place of a table: memory, or files of a format.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::{csv, ipc, json};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::options::ArrowReadOptions;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::prelude::{CsvReadOptions, JsonReadOptions, ParquetReadOptions, SessionContext};
use fastrand::Rng;

use super::arrays::{batch, schema};
use super::table::Table;
use super::tables::{one, percent};
use super::value::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Memory,
    Parquet,
    Csv,
    Json,
    Arrow,
}

impl Format {
    pub fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Json)
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Arrow => "arrow",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Source {
    pub format: Format,
    /// The number of files, or of partitions of a table in memory.
    pub parts: usize,
    /// Rows of a batch, or of a row group.
    pub chunk: usize,
    /// Of Parquet.
    pub statistics: bool,
    /// The last column, if it stands in the names of folders: `folder=a/`.
    pub folders: Option<String>,
}

impl Source {
    pub fn random(rng: &mut Rng) -> Self {
        use Format::{Arrow, Csv, Json, Memory, Parquet};
        Self {
            format: one(rng, &[Memory, Memory, Memory, Parquet, Parquet, Parquet, Csv, Json, Arrow]),
            parts: one(rng, &[1, 1, 2, 3]),
            chunk: one(rng, &[1, 3, 100]),
            statistics: percent(rng, 70),
            folders: None,
        }
    }

    pub fn can_be_partitioned(&self) -> bool {
        self.format != Format::Memory
    }

    /// True where SQL may name the path instead of the table, because the files hold the types.
    pub fn has_path(&self) -> bool {
        matches!(self.format, Format::Parquet | Format::Arrow) && self.folders.is_none()
    }

    /// The file, or the folder of all of them.
    pub fn path(&self, folder: &Path) -> String {
        let path =
            if self.parts == 1 && self.folders.is_none() { self.file(folder, 0) } else { folder.join("") };
        path.to_str().expect("a path in UTF-8").to_string()
    }

    fn file(&self, folder: &Path, part: usize) -> PathBuf {
        folder.join(format!("part{part}.{}", self.format.extension()))
    }

    /// Writes the files.
    pub fn write(&self, table: &Table, folder: &Path) {
        if self.format == Format::Memory {
            return;
        }
        for part in 0..self.parts {
            let rows = rows_of_part(table.rows.len(), part, self.parts);
            let Some(of_folders) = &self.folders else {
                self.write_file(&batch(table, rows.start, rows.len()), &self.file(folder, part));
                continue;
            };
            let mut of_part: Vec<Vec<Value>> = table.rows[rows].to_vec();
            of_part.sort_by(|a, b| a.last().cmp(&b.last()));
            for rows in of_part.chunk_by(|a, b| a.last() == b.last()) {
                let mut columns = table.columns.clone();
                columns.pop();
                let value = match rows[0].last() {
                    Some(Value::Text(text)) => text.clone(),
                    Some(Value::Int(value)) => value.to_string(),
                    other => panic!("{other:?} as a folder's name"),
                };
                let rows = rows.iter().map(|row| row[..columns.len()].to_vec()).collect();
                let table = Table { columns, rows };
                let folder = folder.join(format!("{of_folders}={value}"));
                std::fs::create_dir_all(&folder).expect("a folder");
                self.write_file(&batch(&table, 0, table.rows.len()), &self.file(&folder, part));
            }
        }
    }

    fn write_file(&self, batch: &RecordBatch, path: &Path) {
        let file = File::create(path).expect("a file");
        match self.format {
            Format::Memory => {}
            Format::Parquet => {
                let statistics =
                    if self.statistics { EnabledStatistics::Page } else { EnabledStatistics::None };
                let properties = WriterProperties::builder()
                    .set_max_row_group_row_count(Some(self.chunk))
                    .set_statistics_enabled(statistics)
                    .build();
                let mut writer =
                    ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
                writer.write(batch).expect("rows are written");
                writer.close().expect("the file is written");
            }
            Format::Csv => {
                csv::WriterBuilder::new()
                    .with_header(true)
                    .build(file)
                    .write(batch)
                    .expect("rows are written");
            }
            Format::Json => {
                let mut writer = json::LineDelimitedWriter::new(file);
                writer.write(batch).expect("rows are written");
                writer.finish().expect("the file is written");
            }
            Format::Arrow => {
                let mut writer = ipc::writer::FileWriter::try_new(file, &batch.schema()).expect("a writer");
                writer.write(batch).expect("rows are written");
                writer.finish().expect("the file is written");
            }
        }
    }

    /// Gives the session the table under a name.
    pub async fn register(&self, ctx: &SessionContext, name: &str, table: &Table, folder: &Path) {
        let path = self.path(folder);
        let mut schema = schema(&table.columns);
        let mut folders = vec![];
        if let Some(of_folders) = &self.folders {
            folders.push((of_folders.clone(), table.type_of(of_folders).clone()));
            schema = schema.project(&(0..table.columns.len() - 1).collect::<Vec<_>>()).expect("columns");
        }
        let registered = match self.format {
            Format::Memory => {
                let parts = (0..self.parts).map(|part| {
                    let rows = rows_of_part(table.rows.len(), part, self.parts);
                    let starts = rows.clone().step_by(self.chunk);
                    starts.map(|start| batch(table, start, self.chunk.min(rows.end - start))).collect()
                });
                let table = MemTable::try_new(Arc::new(schema), parts.collect()).expect("a table");
                ctx.register_table(name, Arc::new(table)).map(|_| ())
            }
            Format::Parquet => {
                let options = ParquetReadOptions::default().table_partition_cols(folders);
                ctx.register_parquet(name, path, options).await
            }
            Format::Csv => {
                let options = CsvReadOptions::new().schema(&schema).table_partition_cols(folders);
                ctx.register_csv(name, path, options).await
            }
            Format::Json => {
                let options = JsonReadOptions::default().schema(&schema).table_partition_cols(folders);
                ctx.register_json(name, path, options).await
            }
            Format::Arrow => {
                let options = ArrowReadOptions::default().table_partition_cols(folders);
                ctx.register_arrow(name, &path, options).await
            }
        };
        registered.unwrap_or_else(|error| panic!("{self}: {error}"));
    }
}

/// The rows of a file or partition: the first ones may have one more than the last.
fn rows_of_part(rows: usize, part: usize, parts: usize) -> std::ops::Range<usize> {
    let end = |part: usize| (rows * part).div_ceil(parts);
    end(part)..end(part + 1)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, parts, chunk, .. } = self;
        match format {
            Format::Memory => write!(f, "in memory: {parts} partition(s), batches of {chunk}")?,
            Format::Parquet => {
                let statistics = if self.statistics { "with" } else { "without" };
                write!(f, "Parquet: {parts} file(s), row groups of {chunk}, {statistics} statistics")?;
            }
            Format::Csv | Format::Json | Format::Arrow => {
                write!(f, "{}: {parts} file(s)", format.extension())?;
            }
        }
        match &self.folders {
            Some(column) => write!(f, ", in folders by {column}"),
            None => Ok(()),
        }
    }
}
