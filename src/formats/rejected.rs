//! The lines and values that could not be read, as a table.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use dbcluster_logs::Rejected;

use super::tables::LogTables;

/// The number of rows of a batch.
const BATCH: usize = 8192;

/// The rejected lines and values of the last reading of each name, in the order of files and lines.
pub(super) struct RejectedTable {
    tables: LogTables,
    schema: SchemaRef,
}

impl RejectedTable {
    pub(super) fn new(tables: LogTables) -> Self {
        let fields = vec![
            Field::new("file", DataType::Utf8, false),
            Field::new("line", DataType::Int64, false),
            Field::new("column", DataType::Utf8, true),
            Field::new("text", DataType::Utf8, false),
            Field::new("reason", DataType::Utf8, false),
        ];
        Self { tables, schema: Arc::new(Schema::new(fields)) }
    }

    fn batch(&self, rejected: &[&Rejected]) -> Result<RecordBatch> {
        let text = |of: fn(&Rejected) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rejected.iter().map(|rejected| of(rejected))))
        };
        let lines = rejected.iter().map(|rejected| i64::try_from(rejected.line).unwrap_or(i64::MAX));
        let columns = rejected.iter().map(|rejected| rejected.column.as_deref());
        let arrays: Vec<ArrayRef> = vec![
            text(|rejected| &rejected.file),
            Arc::new(Int64Array::from_iter_values(lines)),
            Arc::new(columns.collect::<StringArray>()),
            text(|rejected| &rejected.text),
            text(|rejected| &rejected.reason),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

impl Debug for RejectedTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedTable").finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for RejectedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let readings = self.tables.all_rejected();
        let mut rejected: Vec<&Rejected> = readings.iter().flat_map(|reading| reading.iter()).collect();
        let place = |rejected: &Rejected| (rejected.file.clone(), rejected.line, rejected.column.clone());
        rejected.sort_by_cached_key(|rejected| place(rejected));
        // Two names may stand for the same file.
        rejected.dedup();
        let batches = rejected.chunks(BATCH).map(|rejected| self.batch(rejected));
        let table = MemTable::try_new(self.schema(), vec![batches.collect::<Result<_>>()?])?;
        table.scan(state, projection, filters, limit).await
    }
}
