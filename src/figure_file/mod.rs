//! Figures as file formats: `COPY (SELECT ...) TO 'page.html' STORED AS SCATTER OPTIONS (x 'tokens', y 'path')`.
//!
//! Each [`Figure`] is a [`FileFormatFactory`] of the engine, so `COPY` plans, checks and runs it as it does Parquet,
//! wherever SQL runs and on every object store. Options and columns are checked when the statement is planned, before
//! anything is read. All of them write through one sink, which holds the rows in memory.
//!
//! A page can't be read back: `CREATE EXTERNAL TABLE ... STORED AS SCATTER` says so.

mod sink;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::common::{GetExt, Result, Statistics, not_impl_err, plan_datafusion_err, plan_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSinkConfig, FileSource};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::CreateExternalTable;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::ExecutionPlan;

use dbcluster_figures::{ColumnType, Figure, Settings};
use sink::FigureSink;
pub use sink::rows;

/// One figure as a file format, by its name after `STORED AS`.
#[derive(Debug, Clone)]
pub struct FigureFormatFactory(pub Figure);

impl GetExt for FigureFormatFactory {
    fn get_ext(&self) -> String {
        self.0.name().to_lowercase()
    }
}

impl FileFormatFactory for FigureFormatFactory {
    fn create(&self, _: &dyn Session, options: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        // The engine puts `format.` before a name without a dot.
        let mut options: Vec<(String, String)> = options
            .iter()
            .map(|(name, value)| (name.strip_prefix("format.").unwrap_or(name).to_string(), value.clone()))
            .collect();
        options.sort();
        Ok(Arc::new(FigureFormat { figure: self.0, options }))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        Arc::new(FigureFormat { figure: self.0, options: vec![] })
    }
}

/// Refuses `CREATE EXTERNAL TABLE` for a figure.
#[async_trait]
impl TableProviderFactory for FigureFormatFactory {
    async fn create(&self, _: &dyn Session, _: &CreateExternalTable) -> Result<Arc<dyn TableProvider>> {
        cannot_be_read(self.0)
    }
}

fn cannot_be_read<T>(figure: Figure) -> Result<T> {
    plan_err!(
        "a {} is a page for people and can't be read as a table; read the table that it was made of, or copy the query to \
         Parquet as well",
        figure.name()
    )
}

/// A figure with its options, which are checked when the columns are known.
#[derive(Debug)]
struct FigureFormat {
    figure: Figure,
    options: Vec<(String, String)>,
}

#[async_trait]
impl FileFormat for FigureFormat {
    fn get_ext(&self) -> String {
        "html".to_string()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        if compression.get_variant() == &CompressionTypeVariant::UNCOMPRESSED {
            Ok(self.get_ext())
        } else {
            not_impl_err!("a {} can't be written compressed", self.figure.name())
        }
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _: &dyn Session,
        _: &Arc<dyn ObjectStore>,
        _: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        cannot_be_read(self.figure)
    }

    async fn infer_stats(
        &self,
        _: &dyn Session,
        _: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        _: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&table_schema))
    }

    async fn create_physical_plan(
        &self,
        _: &dyn Session,
        _: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        cannot_be_read(self.figure)
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        _: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !config.table_partition_cols.is_empty() {
            return plan_err!("{} is one page: PARTITIONED BY can't be used with it", self.figure.name());
        }
        let is_file =
            config.table_paths.first().is_some_and(|path| config.file_output_mode.single_file_output(path));
        if !is_file {
            return plan_err!(
                "{} writes one page, expected a file name such as 'figure.html', got '{}'",
                self.figure.name(),
                config.original_url
            );
        }
        let schema = input.schema();
        let columns = columns(&schema);
        let given = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = Settings::try_new(self.figure, given, &columns)
            .map_err(|error| plan_datafusion_err!("{error}"))?;
        let sink = FigureSink::new(self.figure, settings, config, schema);
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        // This is never called: no schema is inferred for a figure, so none is scanned.
        datafusion::datasource::file_format::json::JsonFormat::default().file_source(table_schema)
    }
}

/// Returns the columns of a query with their types for a figure.
pub fn columns(schema: &Schema) -> Vec<(&str, ColumnType)> {
    schema.fields().iter().map(|field| (field.name().as_str(), column_type(field.data_type()))).collect()
}

/// Returns the type for a figure of an Arrow type.
fn column_type(data_type: &DataType) -> ColumnType {
    match data_type {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => ColumnType::Time,
        DataType::Dictionary(_, value_type) => column_type(value_type),
        number if number.is_numeric() => ColumnType::Number,
        _ => ColumnType::Text,
    }
}
