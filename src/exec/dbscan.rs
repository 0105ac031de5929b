//! [`DbscanExec`]: the window function's work as an operator.
//!
//! It keeps schema, order and distribution of the `WindowAggExec` in whose place it stands, so the plan around it
//! stays as it is, and it calls the same [`Call`], so the result does too.
//!
//! What it does, per input partition:
//!
//! 1. collects its input, each batch reserved in the memory pool before it is kept;
//! 2. reserves what the core needs, by the core's own formula, and fails with the figures if the pool refuses;
//! 3. runs the core on a blocking thread, inside a thread pool of `target_partitions` threads, with a cancel
//!    flag that dropping the stream sets;
//! 4. streams the labelled rows in batches.

use std::any::Any;
use std::fmt::Formatter;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::{SortColumn, concat};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::instant::Instant;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::common::{DataFusionError, HashMap, Result, Statistics, exec_datafusion_err, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation, human_readable_size};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput, Time,
};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{WindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::dbscan;
use crate::window::{Call, Dbscan, DbscanVectors};

/// Runs `dbscan` or `dbscan_vectors` over its partitioned and sorted input; one column more comes out.
#[derive(Debug, Clone)]
pub struct DbscanExec {
    /// The node in whose place this one stands. It knows schema, order and distribution.
    window: Arc<WindowAggExec>,
    call: Call,
    metrics: ExecutionPlanMetricsSet,
}

impl DbscanExec {
    /// The operator for `window`, or `None` if that does more than one `dbscan`.
    ///
    /// # Errors
    /// Constants of the call that are out of range.
    pub fn try_from_window(window: &Arc<WindowAggExec>) -> Result<Option<Self>> {
        let [expr] = window.window_expr() else { return Ok(None) };
        let Some(expr) = expr.as_any().downcast_ref::<StandardWindowExpr>() else { return Ok(None) };
        let Some(udf) = expr.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>() else {
            return Ok(None);
        };
        let implementation = udf.fun().inner().as_ref() as &dyn Any;
        if !implementation.is::<Dbscan>() && !implementation.is::<DbscanVectors>() {
            return Ok(None);
        }
        let schema = window.input().schema();
        let fields = udf.args().iter().map(|arg| arg.return_field(&schema)).collect::<Result<Vec<_>>>()?;
        let call = Call::try_new(udf.fun().name(), udf.args(), &fields)?;
        Ok(Some(Self { window: Arc::clone(window), call, metrics: ExecutionPlanMetricsSet::new() }))
    }

    fn args(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.window.window_expr()[0].expressions()
    }
}

impl DisplayAs for DbscanExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        let expr = &self.window.window_expr()[0];
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let args: Vec<String> = self.args().iter().map(ToString::to_string).collect();
                write!(f, "DbscanExec: {}({})", self.call.function(), args.join(", "))?;
                if !expr.partition_by().is_empty() {
                    let keys: Vec<String> = expr.partition_by().iter().map(ToString::to_string).collect();
                    write!(f, ", partition_by=[{}]", keys.join(", "))?;
                }
                Ok(())
            }
            DisplayFormatType::TreeRender => {
                for (name, value) in self.call.shown_options() {
                    writeln!(f, "{name}={value}")?;
                }
                writeln!(f, "features={}", self.call.features().join(", "))
            }
        }
    }
}

impl ExecutionPlan for DbscanExec {
    fn name(&self) -> &'static str {
        "DbscanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.window.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.window.input()]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.window.apply_expressions(f)
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.window.required_input_ordering()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.window.input_distribution_requirements()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = Arc::clone(&self.window).replace_children(children, options)?;
        let Ok(window) = (replaced as Arc<dyn Any + Send + Sync>).downcast::<WindowAggExec>() else {
            return internal_err!("a WindowAggExec with new children is no WindowAggExec");
        };
        Ok(Arc::new(Self { window, call: self.call.clone(), metrics: ExecutionPlanMetricsSet::new() }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.window.input().execute(partition, Arc::clone(&context))?;
        let reservation =
            MemoryConsumer::new(format!("DbscanExec[{partition}]")).register(context.memory_pool());
        let threads = context.session_config().target_partitions();
        let job = Job {
            call: self.call.clone(),
            schema: self.schema(),
            args: self.args(),
            partition_keys: self.window.partition_by_sort_keys()?,
            threads,
            metrics: DbscanMetrics::new(&self.metrics, partition),
            reservation,
        };
        let schema = self.schema();
        let output = futures::stream::once(async move { job.run(input).await })
            .map_ok(futures::stream::iter)
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.window.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let statistics = self.window.statistics_from_inputs(input_stats, args)?;
        if !self.call.is_of_vectors() {
            return Ok(statistics);
        }
        let mut statistics = Arc::unwrap_or_clone(statistics);
        statistics.num_rows = statistics.num_rows.min(&Precision::Inexact(VECTORS_ESTIMATE)).to_inexact();
        Ok(Arc::new(statistics))
    }
}

/// How many distinct vectors there are, for the planner, who otherwise assumes as many as events.
///
/// With that assumption a join may take the events into its hash table and look the vectors up, which costs the memory
/// of all events. Vectors are far fewer wherever clustering them makes sense, and where they are not, they are never
/// more than events: the vectors belong into the hash table.
const VECTORS_ESTIMATE: usize = 1000;

/// What EXPLAIN ANALYZE shows of the core.
struct DbscanMetrics {
    baseline: BaselineMetrics,
    /// Rows that came in: distinct vectors where `dbcluster` plans it.
    input_rows: Count,
    clusters: Count,
    /// What the core's [`dbscan::Statistics`] count, all partitions together.
    cells: Count,
    core_points: Count,
    noise_points: Count,
    distances: Count,
    /// Time inside the core, and its steps.
    cluster_time: Time,
    index_time: Time,
    cores_time: Time,
    components_time: Time,
    labels_time: Time,
    peak_memory: datafusion::physical_plan::metrics::Gauge,
}

impl DbscanMetrics {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let count = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(metrics).subset_time(name, partition);
        Self {
            baseline: BaselineMetrics::new(metrics, partition),
            input_rows: count("input_rows"),
            clusters: count("clusters"),
            cells: count("cells"),
            core_points: count("core_points"),
            noise_points: count("noise_points"),
            distances: count("distances"),
            cluster_time: time("cluster_time"),
            index_time: time("index_time"),
            cores_time: time("cores_time"),
            components_time: time("components_time"),
            labels_time: time("labels_time"),
            peak_memory: MetricBuilder::new(metrics).gauge("peak_mem_used", partition),
        }
    }

    /// Adds what one partition came to.
    fn add(&self, statistics: &dbscan::Statistics) {
        self.clusters.add(statistics.clusters);
        self.cells.add(statistics.cells as usize);
        self.core_points.add(statistics.core_points);
        self.noise_points.add(statistics.noise_points);
        self.distances.add(statistics.distances as usize);
        self.index_time.add_duration(statistics.index_time);
        self.cores_time.add_duration(statistics.cores_time);
        self.components_time.add_duration(statistics.components_time);
        self.labels_time.add_duration(statistics.labels_time);
    }
}

/// What has come in so far.
#[derive(Default)]
struct InputSize {
    /// Rows of the table; as many as vectors, unless a vector stands for several.
    rows: i64,
    vectors: usize,
    bytes: usize,
}

/// One partition's work, from its input to its labelled rows.
struct Job {
    call: Call,
    schema: SchemaRef,
    args: Vec<Arc<dyn PhysicalExpr>>,
    partition_keys: Vec<PhysicalSortExpr>,
    threads: usize,
    metrics: DbscanMetrics,
    reservation: MemoryReservation,
}

impl Job {
    async fn run(self, mut input: SendableRecordBatchStream) -> Result<LabelledRows> {
        let mut batches = Vec::new();
        let mut input_size = InputSize::default();
        // What comes from below may have found no memory because so much is kept here already.
        let next = |error: DataFusionError, size: &InputSize| match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => {
                self.exhausted(size, "leaves too little for its input", &error)
            }
            _ => error,
        };
        while let Some(batch) = input.next().await.transpose().map_err(|error| next(error, &input_size))? {
            let size = get_record_batch_memory_size(&batch);
            input_size.vectors += batch.num_rows();
            input_size.rows += self.call.rows_of(&self.args, &batch)?;
            input_size.bytes += size;
            self.grow(size, &input_size)?;
            batches.push(batch);
        }
        drop(input);
        self.metrics.input_rows.add(input_size.vectors);
        let keys = self.partition_keys.len();
        self.grow(self.call.memory_required(input_size.vectors, keys), &input_size)?;
        self.metrics.peak_memory.set(self.reservation.size());
        let cancel = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&cancel.0);
        let labelled = SpawnedTask::spawn_blocking(move || self.label(batches, &flag)).join_unwind().await;
        drop(cancel);
        labelled.map_err(|error| exec_datafusion_err!("clustering was stopped: {error}"))?
    }

    fn grow(&self, more: usize, input: &InputSize) -> Result<()> {
        self.reservation.try_grow(more).map_err(|error| {
            let held = human_readable_size(self.reservation.size());
            let needs = format!("needs {} more than the {held} it holds", human_readable_size(more));
            self.exhausted(input, &needs, &error)
        })
    }

    fn exhausted(&self, input: &InputSize, what: &str, error: &DataFusionError) -> DataFusionError {
        DataFusionError::ResourcesExhausted(format!(
            "clustering {} rows, which are {} distinct vectors of {} features ({} so far), {what}; give more memory, or make \
             the features coarser. {error}",
            input.rows,
            input.vectors,
            self.call.features().len(),
            human_readable_size(input.bytes),
        ))
    }

    /// The part that computes, on a thread of its own.
    fn label(self, batches: Vec<RecordBatch>, cancel: &AtomicBool) -> Result<LabelledRows> {
        let started = Instant::now();
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(self.labelled(vec![], None));
        }
        // Once for all partitions: they may be many and small.
        let labels = thread_pool(self.threads)?.install(|| {
            let values = self.call.row_args(&self.args).par_iter();
            let values = values.map(|arg| in_one(&batches, arg)).collect::<Result<Vec<_>>>()?;
            let mut ranges = partition_ranges(&batches, rows, &self.partition_keys)?;
            // The only partition has the arrays for itself: it may change them in place, and free them.
            if ranges.len() == 1
                && let Some(range) = ranges.pop()
            {
                return Ok(vec![self.label_partition(values, range.len(), cancel)?]);
            }
            let partition = |range: Range<usize>| {
                let values = values.iter().map(|array| array.slice(range.start, range.len())).collect();
                self.label_partition(values, range.len(), cancel)
            };
            ranges.into_iter().map(partition).collect::<Result<Vec<_>>>()
        })?;
        let labels: Vec<&dyn Array> = labels.iter().map(AsRef::as_ref).collect();
        let labels = concat(&labels)?;
        self.metrics.cluster_time.add_elapsed(started);
        self.metrics.baseline.elapsed_compute().add_elapsed(started);
        Ok(self.labelled(batches, Some(labels)))
    }

    fn label_partition(&self, values: Vec<ArrayRef>, rows: usize, cancel: &AtomicBool) -> Result<ArrayRef> {
        let evaluated = self.call.evaluate(values, rows, cancel)?;
        self.metrics.add(&evaluated.statistics);
        Ok(evaluated.array)
    }

    fn labelled(self, batches: Vec<RecordBatch>, labels: Option<ArrayRef>) -> LabelledRows {
        LabelledRows {
            batches: batches.into_iter(),
            labels,
            offset: 0,
            schema: self.schema,
            metrics: self.metrics.baseline,
            _reservation: self.reservation,
        }
    }
}

/// The values of an expression for all rows, in one array.
fn in_one(batches: &[RecordBatch], expr: &Arc<dyn PhysicalExpr>) -> Result<ArrayRef> {
    let arrays = batches
        .iter()
        .map(|batch| expr.evaluate(batch)?.into_array(batch.num_rows()))
        .collect::<Result<Vec<_>>>()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(concat(&arrays)?)
}

/// Where the partitions begin and end in rows that are sorted by their keys.
fn partition_ranges(
    batches: &[RecordBatch],
    rows: usize,
    keys: &[PhysicalSortExpr],
) -> Result<Vec<Range<usize>>> {
    let columns = keys
        .iter()
        .map(|key| Ok(SortColumn { values: in_one(batches, &key.expr)?, options: Some(key.options) }))
        .collect::<Result<Vec<_>>>()?;
    evaluate_partition_ranges(rows, &columns)
}

/// Tells the core to stop once nobody waits for it any more: a started blocking task can't be aborted.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The result of one partition; the memory is given back when the last row has gone.
struct LabelledRows {
    batches: std::vec::IntoIter<RecordBatch>,
    /// Of all rows, unless there are none.
    labels: Option<ArrayRef>,
    /// How many rows have gone.
    offset: usize,
    schema: SchemaRef,
    metrics: BaselineMetrics,
    _reservation: MemoryReservation,
}

impl Iterator for LabelledRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let (batch, labels) = (self.batches.next()?, self.labels.as_ref()?);
        let mut columns = batch.columns().to_vec();
        columns.push(labels.slice(self.offset, batch.num_rows()));
        self.offset += batch.num_rows();
        let labelled = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        Some(labelled.map(|batch| batch.record_output(&self.metrics)).map_err(Into::into))
    }
}

/// The core's threads: one pool per size for the whole process, since sessions with the same
/// `target_partitions` would otherwise start threads of their own for every query.
fn thread_pool(threads: usize) -> Result<Arc<ThreadPool>> {
    static POOLS: LazyLock<Mutex<HashMap<usize, Arc<ThreadPool>>>> = LazyLock::new(Mutex::default);
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Ok(Arc::clone(pool));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("dbscan-{index}"))
        .build()
        .map_err(|error| exec_datafusion_err!("can't start {threads} threads for clustering: {error}"))?;
    Ok(Arc::clone(pools.entry(threads).or_insert_with(|| Arc::new(pool))))
}
