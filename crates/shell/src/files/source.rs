//! Scans whose errors name the file.

use std::any::Any;
use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, SortOrderPushdownResult};
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::stream::{BoxStream, StreamExt};

use super::blame::{ReadFile, caught, is_readers_error, is_text, panicked};
use datafusion_dbcluster::file_versions::file_name;

/// A scan that names the file that an error is about.
pub(super) fn named(scan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let any: &dyn Any = scan.as_ref();
    let Some(exec) = any.downcast_ref::<DataSourceExec>() else { return scan };
    let Some(config) = exec.data_source().downcast_ref::<FileScanConfig>() else { return scan };
    let mut config = config.clone();
    config.file_source = Naming::of(config.file_source);
    DataSourceExec::from_data_source(config)
}

/// The engine's source, with errors that name the file.
struct Naming(Arc<dyn FileSource>);

impl Naming {
    fn of(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self(source))
    }
}

impl FileSource for Naming {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.0.create_file_opener(object_store, base_config, partition)
    }

    fn create_morselizer(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let morselizer = self.0.create_morselizer(Arc::clone(&object_store), base_config, partition)?;
        let url = base_config.object_store_url.clone();
        let is_text = is_text(self.0.file_type());
        let of = move |file: &PartitionedFile| {
            let meta = file.object_meta.clone();
            ReadFile {
                name: file_name(&url, &meta.location),
                store: Arc::clone(&object_store),
                meta,
                is_text,
            }
        };
        Ok(Box::new(NamingMorselizer { morselizer, of: Box::new(of) }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.0.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Self::of(self.0.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.0.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.0.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.0.metrics()
    }

    fn file_type(&self) -> &str {
        self.0.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt_extra(t, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.0.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        self.0.repartitioned(target_partitions, repartition_file_min_size, output_ordering, config)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let mut propagation = self.0.try_pushdown_filters(filters, config)?;
        propagation.updated_node = propagation.updated_node.map(Self::of);
        Ok(propagation)
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        eq_properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(self.0.try_pushdown_sort(order, eq_properties)?.map(Self::of))
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.0.try_pushdown_projection(projection)?.map(Self::of))
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.0.reorder_files(files)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }
}

/// Plans the reading of files, and keeps the name of each for errors.
struct NamingMorselizer {
    morselizer: Box<dyn Morselizer>,
    of: Box<dyn Fn(&PartitionedFile) -> ReadFile + Send + Sync>,
}

impl Debug for NamingMorselizer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.morselizer.fmt(f)
    }
}

impl Morselizer for NamingMorselizer {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let read = (self.of)(&file);
        match unwound(|| self.morselizer.plan_file(file)) {
            Ok(planner) => Ok(Box::new(NamingPlanner { planner, file: read })),
            Err(error) => Err(name_readers_error(&read, error)),
        }
    }
}

#[derive(Debug)]
struct NamingPlanner {
    planner: Box<dyn MorselPlanner>,
    file: ReadFile,
}

impl MorselPlanner for NamingPlanner {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { planner, file } = *self;
        let failed = match unwound(|| planner.plan()) {
            Ok(None) => return Ok(None),
            Ok(Some(plan)) => return Ok(Some(with_name(plan, &file))),
            Err(error) => error,
        };
        // Looking whether the file has been replaced is asynchronous, so the error comes from a pending planner.
        let explained = async move { Err(explain_readers_error(&file, failed).await) };
        Ok(Some(MorselPlan::new().with_pending_planner(explained)))
    }
}

/// Puts the file's name on the errors of all parts of a plan.
fn with_name(mut plan: MorselPlan, file: &ReadFile) -> MorselPlan {
    let planner = |planner: Box<dyn MorselPlanner>| -> Box<dyn MorselPlanner> {
        Box::new(NamingPlanner { planner, file: file.clone() })
    };
    let morsels = plan
        .take_morsels()
        .into_iter()
        .map(|morsel| -> Box<dyn Morsel> { Box::new(NamingMorsel { morsel, file: file.clone() }) });
    let mut named = MorselPlan::new()
        .with_morsels(morsels.collect())
        .with_planners(plan.take_ready_planners().into_iter().map(planner).collect());
    if let Some(pending) = plan.take_pending_planner() {
        let file = file.clone();
        named.set_pending_planner(async move {
            match caught(pending).await {
                Ok(planner) => Ok(Box::new(NamingPlanner { planner, file }) as Box<dyn MorselPlanner>),
                Err(error) => Err(explain_readers_error(&file, error).await),
            }
        });
    }
    named
}

#[derive(Debug)]
struct NamingMorsel {
    morsel: Box<dyn Morsel>,
    file: ReadFile,
}

impl Morsel for NamingMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { morsel, file } = *self;
        let batches = AssertUnwindSafe(morsel.into_stream()).catch_unwind();
        let named = batches.then(move |batch| {
            let failed = match batch {
                Ok(Ok(batch)) => Ok(batch),
                Ok(Err(error)) => Err(error),
                Err(panic) => Err(panicked(panic.as_ref())),
            };
            // Batches pass without a copy of the file's name.
            let file = failed.is_err().then(|| file.clone());
            async move {
                match (failed, file) {
                    (Err(error), Some(file)) => Err(explain_readers_error(&file, error).await),
                    (batch, _) => batch,
                }
            }
        });
        named.boxed()
    }
}

fn unwound<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn name_readers_error(file: &ReadFile, error: DataFusionError) -> DataFusionError {
    if is_readers_error(&error) { file.with_name(&error) } else { error }
}

async fn explain_readers_error(file: &ReadFile, error: DataFusionError) -> DataFusionError {
    if is_readers_error(&error) { file.with_reason(error).await } else { error }
}
