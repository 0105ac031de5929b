//! Rows that were read: in memory while the pool grants it, else in a temporary Parquet file.
//!
//! The file costs a third to a tenth of the memory, and the engine reads of it what a query needs. It is removed when no plan
//! and no table knows it any more.

use std::any::Any;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::{Result, exec_datafusion_err, internal_datafusion_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::spill_file::{SpillFile, SpillWriter};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::ExecutionPlan;
use url::Url;

/// The bytes of a row group of the temporary file. The writer holds one in memory, which no reservation covers.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// The rows of a row group, if they are short.
const ROW_GROUP_ROWS: usize = 1 << 20;

type RowWriter = ArrowWriter<Box<dyn SpillWriter>>;

/// Takes the rows of a reading as they come.
pub(super) struct RowKeeper {
    schema: SchemaRef,
    reservation: MemoryReservation,
    /// The bytes that may be in memory, whatever the pool grants.
    most_bytes: usize,
    free_unused: Box<dyn Fn() -> bool + Send + Sync>,
    disk: Arc<DiskManager>,
    batches: Vec<RecordBatch>,
    rows: usize,
    file: Option<(Arc<dyn SpillFile>, RowWriter)>,
}

impl RowKeeper {
    pub(super) fn new(
        schema: SchemaRef,
        reservation: MemoryReservation,
        most_bytes: usize,
        free_unused: Box<dyn Fn() -> bool + Send + Sync>,
        disk: Arc<DiskManager>,
    ) -> Self {
        Self { schema, reservation, most_bytes, free_unused, disk, batches: vec![], rows: 0, file: None }
    }

    /// Keeps a batch. The first one that finds no room in memory sends all rows to a file.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        if self.file.is_none() {
            if self.has_room(batch.get_array_memory_size()) {
                self.batches.push(batch);
                return Ok(());
            }
            self.open_file()?;
        }
        self.write(&batch)
    }

    fn has_room(&self, bytes: usize) -> bool {
        let grow = || self.reservation.try_grow(bytes).is_ok();
        self.reservation.size().saturating_add(bytes) <= self.most_bytes
            && (grow() || (self.free_unused)() && grow())
    }

    fn open_file(&mut self) -> Result<()> {
        let file = self.disk.create_tmp_file("keeping the rows of files")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .build();
        let writer = ArrowWriter::try_new(file.open_writer()?, Arc::clone(&self.schema), Some(properties))?;
        self.file = Some((file, writer));
        for batch in std::mem::take(&mut self.batches) {
            self.write(&batch)?;
            self.reservation.shrink(batch.get_array_memory_size().min(self.reservation.size()));
        }
        self.reservation.free();
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.file {
            Some((_, writer)) => Ok(writer.write(batch)?),
            None => Err(internal_datafusion_err!("no temporary file")),
        }
    }

    /// The table of the rows. In memory they are in one part, so that they come in the order of files and lines where nothing
    /// else is asked; the optimizer deals them out to threads where that helps. In a file they are read by `parquet`.
    pub(super) fn table(self, parquet: Arc<dyn FileFormat>) -> Result<ReadTable> {
        let Self { schema, reservation, batches, rows, file, .. } = self;
        let (inner, kept): (Arc<dyn TableProvider>, Kept) = match file {
            None => {
                let table = MemTable::try_new(schema, vec![batches])?;
                (Arc::new(table), Kept::Memory { _reservation: reservation })
            }
            Some((file, writer)) => {
                writer.into_inner()?.finish()?;
                (parquet_table(file.as_ref(), schema, parquet)?, Kept::File { _file: file })
            }
        };
        Ok(ReadTable { inner, kept: Arc::new(kept), rows })
    }
}

fn parquet_table(
    file: &dyn SpillFile,
    schema: SchemaRef,
    parquet: Arc<dyn FileFormat>,
) -> Result<Arc<dyn TableProvider>> {
    let path = file
        .path()
        .and_then(|path| std::path::absolute(path).ok())
        .and_then(|path| Url::from_file_path(path).ok())
        .ok_or_else(|| {
            exec_datafusion_err!("the session keeps its temporary files elsewhere than in a folder")
        })?;
    let options = ListingOptions::new(parquet).with_file_extension("");
    let config = ListingTableConfig::new(ListingTableUrl::try_new(path, None)?)
        .with_listing_options(options)
        .with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// The memory or the file that lives as long as a plan that reads the rows.
enum Kept {
    Memory { _reservation: MemoryReservation },
    File { _file: Arc<dyn SpillFile> },
}

/// The table of rows that were read.
pub(super) struct ReadTable {
    inner: Arc<dyn TableProvider>,
    kept: Arc<Kept>,
    rows: usize,
}

impl ReadTable {
    /// Whether a plan reads it that knows the table no more.
    pub(super) fn is_scanned(&self) -> bool {
        Arc::strong_count(&self.kept) > 1
    }

    /// Whether the rows take memory.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(*self.kept, Kept::Memory { .. })
    }
}

impl Debug for ReadTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadTable").field("rows", &self.rows).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for ReadTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = self.inner.scan(state, projection, filters, limit).await?;
        Ok(holding(scan, &self.kept))
    }
}

/// Makes a scan of a file keep the file, by an extension of its part.
fn holding(scan: Arc<dyn ExecutionPlan>, kept: &Arc<Kept>) -> Arc<dyn ExecutionPlan> {
    let any: &dyn Any = scan.as_ref();
    let Some(exec) = any.downcast_ref::<DataSourceExec>() else { return scan };
    let Some(config) = exec.data_source().downcast_ref::<FileScanConfig>() else { return scan };
    let mut config = config.clone();
    for group in &mut config.file_groups {
        let statistics = group.file_statistics(None).cloned();
        let files = std::mem::take(group).into_inner().into_iter();
        let holding: FileGroup = files.map(|file| file.with_extension(Arc::clone(kept))).collect();
        *group = match statistics {
            Some(statistics) => holding.with_statistics(Arc::new(statistics)),
            None => holding,
        };
    }
    DataSourceExec::from_data_source(config)
}
