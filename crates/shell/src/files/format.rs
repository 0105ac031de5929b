//! Kinds of files whose errors name the file: while schemas and statistics are read, and by [`named`] while rows are.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, GetExt, Result, Statistics};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory, FileMeta};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSinkConfig, FileSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::SessionState;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_expr::{LexOrdering, LexRequirement};
use datafusion::physical_plan::ExecutionPlan;

use super::blame::{ReadFile, caught, is_text};
use super::source::named;

/// The kinds of files that hold tables.
const READABLE: [&str; 5] = ["csv", "json", "parquet", "arrow", "avro"];

/// Replaces a session's formats by ones whose errors name the file.
pub(crate) fn with_names(state: &mut SessionState) -> Result<()> {
    for kind in READABLE {
        if let Some(factory) = state.get_file_format_factory(kind) {
            state.register_file_format(Arc::new(NamingFactory(factory)), true)?;
        }
    }
    Ok(())
}

/// Makes formats that name files.
#[derive(Debug)]
struct NamingFactory(Arc<dyn FileFormatFactory>);

impl GetExt for NamingFactory {
    fn get_ext(&self) -> String {
        self.0.get_ext()
    }
}

impl FileFormatFactory for NamingFactory {
    fn create(&self, state: &dyn Session, options: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        Ok(Arc::new(Naming(self.0.create(state, options)?)))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        Arc::new(Naming(self.0.default()))
    }
}

/// The engine's format, with errors that name the file.
#[derive(Debug)]
struct Naming(Arc<dyn FileFormat>);

impl Naming {
    /// Finds the file that reading several files failed at, which the engine does not tell: the first that fails by itself,
    /// or that has another type for a column than those before it.
    async fn culprit(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
        error: DataFusionError,
    ) -> DataFusionError {
        let mut merged = Schema::empty();
        for file in files {
            let found = caught(self.0.infer_schema(state, store, slice::from_ref(file))).await;
            let together = found.and_then(|schema| {
                Ok(Schema::try_merge([
                    merged.clone(),
                    schema.as_ref().clone().with_metadata(HashMap::new()),
                ])?)
            });
            match together {
                Ok(together) => merged = together,
                Err(error) => return self.of_file(store, file, error).await,
            }
        }
        error
    }

    async fn of_file(
        &self,
        store: &Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        error: DataFusionError,
    ) -> DataFusionError {
        // A store does not tell its URL, but the store of local files is known by its name.
        let is_local = store.to_string().contains("LocalFileSystem");
        let name = format!("{}{}", if is_local { "/" } else { "" }, file.location);
        let is_text = is_text(&self.0.get_ext());
        ReadFile { name, store: Arc::clone(store), meta: file.clone(), is_text }.with_reason(error).await
    }
}

#[async_trait]
impl FileFormat for Naming {
    fn get_ext(&self) -> String {
        self.0.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.0.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.0.compression_type()
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        match caught(self.0.infer_schema(state, store, objects)).await {
            Ok(schema) => Ok(schema),
            Err(error) => Err(self.culprit(state, store, objects, error).await),
        }
    }

    async fn infer_stats(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        match caught(self.0.infer_stats(state, store, table_schema, object)).await {
            Ok(statistics) => Ok(statistics),
            Err(error) => Err(self.of_file(store, object, error).await),
        }
    }

    async fn infer_ordering(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Option<LexOrdering>> {
        match caught(self.0.infer_ordering(state, store, table_schema, object)).await {
            Ok(ordering) => Ok(ordering),
            Err(error) => Err(self.of_file(store, object, error).await),
        }
    }

    async fn infer_stats_and_ordering(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<FileMeta> {
        match caught(self.0.infer_stats_and_ordering(state, store, table_schema, object)).await {
            Ok(found) => Ok(found),
            Err(error) => Err(self.of_file(store, object, error).await),
        }
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(named(self.0.create_physical_plan(state, config).await?))
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &dyn Session,
        config: FileSinkConfig,
        order_requirements: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.create_writer_physical_plan(input, state, config, order_requirements).await
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        self.0.file_source(table_schema)
    }
}
