//! [`TextTable`]: text files as a table of rows that were read.
//!
//! The rows are those of the time at which the name was looked up. A plan that is kept, as that of a view or of a prepared statement,
//! is of an earlier time, so each query looks whether the files are still the same, and reads those again that have changed. All
//! scans of one query have the same rows, since `dbcluster` reads its input twice.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use dbcluster_logs::{BinaryFormat, ReadOptions, shown};

use super::files::LogFile;
use super::kept::ReadTable;
use super::tables::LogTables;

/// The number of queries that are planned at the same time over a table, each of which has rows of its own.
const AT_ONCE: usize = 8;

/// The rows of the text files of some names.
pub(super) struct TextTable {
    pub(super) tables: LogTables,
    /// The names by which the files are looked for again; without one the rows stay.
    pub(super) names: Vec<String>,
    pub(super) options: ReadOptions,
    /// The files in the versions that were read.
    pub(super) files: Vec<LogFile>,
    /// The kinds of the files beside them that the engine reads.
    pub(super) beside: Vec<BinaryFormat>,
    pub(super) rows: Arc<ReadTable>,
    /// The rows of the last queries.
    pub(super) of_queries: Mutex<OfQueries>,
}

/// Rows by the time at which a query began, in nanoseconds since 1970.
pub(super) type OfQueries = Vec<(i64, Arc<ReadTable>)>;

impl Debug for TextTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextTable").field("names", &self.names).finish_non_exhaustive()
    }
}

impl TextTable {
    /// The rows for a query.
    async fn rows_now(&self, session: &dyn Session) -> Result<Arc<ReadTable>> {
        if self.names.is_empty() {
            return Ok(Arc::clone(&self.rows));
        }
        let started = session.execution_props().query_execution_start_time;
        let Some(query) = started.and_then(|time| time.timestamp_nanos_opt()) else {
            return Ok(Arc::clone(&self.rows));
        };
        let of_query = |queries: &OfQueries| {
            queries.iter().find(|(start, _)| *start == query).map(|(_, rows)| Arc::clone(rows))
        };
        if let Some(rows) = of_query(&self.lock()) {
            return Ok(rows);
        }
        let known = (self.files.as_slice(), self.beside.as_slice());
        let now = self.tables.text_now(session, &self.names, &self.options, known).await?;
        let rows = now.unwrap_or_else(|| Arc::clone(&self.rows));
        let mut queries = self.lock();
        // Another scan of the query may have been faster.
        if let Some(rows) = of_query(&queries) {
            return Ok(rows);
        }
        if queries.len() >= AT_ONCE {
            queries.remove(0);
        }
        queries.push((query, Arc::clone(&rows)));
        Ok(rows)
    }

    fn lock(&self) -> MutexGuard<'_, OfQueries> {
        self.of_queries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places of this table's columns among those of rows that were read later.
    fn places(&self, projection: Option<&Vec<usize>>, now: &Schema) -> Result<Vec<usize>> {
        let schema = self.schema();
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let place = |index: &usize| {
            let field = schema.fields().get(*index)?;
            let (place, found) = now.column_with_name(field.name())?;
            (found.data_type() == field.data_type()).then_some(place)
        };
        let places = projection.unwrap_or(&all).iter().map(place).collect::<Option<_>>();
        places.ok_or_else(|| {
            let names = self.names.join(", ");
            plan_datafusion_err!(
                "the columns of {} or their types have changed since it was planned; make the view or table again",
                shown(&names)
            )
        })
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.rows.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.rows_now(state).await?;
        if rows.schema() == self.schema() {
            return rows.scan(state, projection, filters, limit).await;
        }
        let places = self.places(projection, &rows.schema())?;
        rows.scan(state, Some(&places), filters, limit).await
    }
}
