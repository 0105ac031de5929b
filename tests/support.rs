//! Shared code of several test modules: sessions, the real event sets, results as text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use datafusion::config::ExtensionOptions;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions, SessionConfig, SessionContext};
use datafusion_dbcluster::DbclusterConfig;

/// The folder of the workspace, whose scripts, pages and sources tests read.
pub fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// Creates a session as an embedder does.
pub fn session() -> SessionContext {
    session_with(SessionConfig::new().with_target_partitions(2))
}

/// Creates a session with these settings and everything of this crate.
pub fn session_with(config: SessionConfig) -> SessionContext {
    let ctx = SessionContext::new_with_config(config);
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    ctx
}

/// Creates the same session without the operators of this crate, so that the engine's own run.
pub fn session_without_operators(config: SessionConfig) -> SessionContext {
    session_with(without_operators(config))
}

/// Switches off each rule of this crate that has a setting.
pub fn without_operators(config: SessionConfig) -> SessionConfig {
    let ours = DbclusterConfig::default();
    let settings = ours.entries();
    let config = config.with_option_extension(ours);
    let settings = settings.iter().filter(|setting| setting.value.as_deref() == Some("true"));
    settings.fold(config, |config, setting| config.set_bool(&setting.key, false))
}

/// Creates the same session without the relation planner, as in a host that supports table functions only.
pub fn session_without_planner(config: SessionConfig) -> SessionContext {
    let mut builder = SessionStateBuilder::new_from_existing(session_with(config).state());
    *builder.relation_planners() = None;
    SessionContext::new_with_state(builder.build())
}

/// The folder of the real event sets. Tests that call it are ignored where the build found none.
pub fn data_folder() -> PathBuf {
    let folder =
        std::env::var_os("DBCLUSTER_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    assert!(folder.is_dir(), "no event sets in {}: DBCLUSTER_DATA names their folder", folder.display());
    folder
}

/// Runs a query and returns all rows in one batch.
pub async fn rows(ctx: &SessionContext, sql: &str) -> RecordBatch {
    let frame = ctx.sql(sql).await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches).expect("batches of one query have one schema")
}

/// Returns the rows of a query as the text that people see.
pub async fn text(ctx: &SessionContext, sql: &str) -> String {
    pretty_format_batches(&[rows(ctx, sql).await]).expect("rows print").to_string()
}

/// Returns the single number of a query.
pub async fn number(ctx: &SessionContext, sql: &str) -> i64 {
    let rows = rows(ctx, sql).await;
    assert_eq!((rows.num_rows(), rows.num_columns()), (1, 1), "{sql}");
    let column = arrow::compute::cast(rows.column(0), &DataType::Int64).expect("a number");
    column.as_any().downcast_ref::<Int64Array>().expect("a number").value(0)
}

/// Reads a file of the real sets as one batch, in file order, with its row numbers as the column `row`.
pub async fn read_set(path: &Path) -> RecordBatch {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let path_text = path.to_str().expect("a path in UTF-8");
    let frame = if path.extension().is_some_and(|extension| extension == "csv") {
        ctx.read_csv(path_text, CsvReadOptions::new().schema_infer_max_records(100_000)).await
    } else {
        ctx.read_parquet(path_text, ParquetReadOptions::default()).await
    }
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batch = concat_batches(&schema, &frame.collect().await.expect("a readable set")).expect("one schema");
    with_row_numbers(&batch)
}

fn with_row_numbers(batch: &RecordBatch) -> RecordBatch {
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("row", DataType::Int64, false)));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new((0..batch.num_rows() as i64).collect::<Int64Array>()));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one length")
}

/// Registers `batch` as a table, distributed over `partitions` partitions.
pub fn register(ctx: &SessionContext, name: &str, batch: &RecordBatch, partitions: usize) {
    let size = batch.num_rows().div_ceil(partitions).max(1);
    let parts = (0..partitions)
        .map(|part| {
            let start = (part * size).min(batch.num_rows());
            vec![batch.slice(start, size.min(batch.num_rows() - start))]
        })
        .collect();
    let table = MemTable::try_new(batch.schema(), parts).expect("a table");
    ctx.register_table(name, Arc::new(table)).expect("a new name");
}

/// Returns rows as the text that people see, sorted.
pub fn sorted_text(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).expect("rows print").to_string();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    lines.sort();
    lines
}
