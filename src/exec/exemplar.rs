//! [`ExemplarExec`]: of the rows that could stand for a cluster, the first.
//!
//! `dbcluster` numbers the candidates of each cluster by a window function, `row_number() OVER (PARTITION BY cluster
//! ORDER BY the remaining columns)`, and shows those with number 1. The engine would shuffle and sort all rows for that,
//! and the rows without a cluster, of which there can be millions, need no number at all.
//!
//! This operator lets rows without a cluster pass as they come. Of each cluster it keeps the first row that it has seen
//! so far, and gives it out when its last input partition has ended. It needs memory for one row per cluster, which it
//! reserves, however many candidates there are, and sorts nothing. The rows are those that the window function and the
//! filter above it give.

use std::any::Any;
use std::fmt::Formatter;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array, UInt64Array,
};
use datafusion::arrow::compute::{filter_record_batch, interleave_record_batch, not, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::hash_map::Entry;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, HashMap, Result, Statistics};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryPool, MemoryReservation, human_readable_size,
};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{
    EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr,
};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::BoundedWindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, stream};

use crate::functions::dbcluster_tie_udf;

/// The column that the window function would add: 1 for every row that comes out.
const TIE: &str = "__tie";

/// Rows without a cluster, and the first row of each cluster; one column more comes out.
#[derive(Debug, Clone)]
pub struct ExemplarExec {
    input: Arc<dyn ExecutionPlan>,
    /// The input's and [`TIE`].
    schema: SchemaRef,
    /// What a cluster is known by; the last is its number, below 0 for rows without one.
    cluster: Vec<Arc<dyn PhysicalExpr>>,
    /// Which row of a cluster comes first.
    order: Vec<PhysicalSortExpr>,
    properties: Arc<PlanProperties>,
    firsts: Arc<Mutex<Firsts>>,
    metrics: ExecutionPlanMetricsSet,
}

impl ExemplarExec {
    /// The operator for `window`, or `None` if that is not what `dbcluster` decides ties by.
    pub fn try_from_window(window: &BoundedWindowAggExec) -> Option<Self> {
        let [expr] = window.window_expr() else { return None };
        let is_tie = expr.name() == TIE && expr.partition_by().last().is_some_and(is_tie_group);
        is_tie.then(|| Self::new(Arc::clone(window.input()), window.schema(), expr.as_ref()))
    }

    fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef, tie: &dyn WindowExpr) -> Self {
        let (cluster, order) = (tie.partition_by().to_vec(), tie.order_by().to_vec());
        Self::with_input(input, schema, cluster, order)
    }

    fn with_input(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        cluster: Vec<Arc<dyn PhysicalExpr>>,
        order: Vec<PhysicalSortExpr>,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            // The clusters come out of whichever partition ends last.
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Both,
            input.boundedness(),
        ));
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, schema, cluster, order, properties, firsts: Arc::default(), metrics }
    }
}

/// Whether an expression gives the number of a row's cluster.
fn is_tie_group(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let function = (expr.as_ref() as &dyn Any).downcast_ref::<ScalarFunctionExpr>();
    function
        .is_some_and(|function| function.name() == dbcluster_tie_udf().name() && function.args().len() == 1)
}

impl DisplayAs for ExemplarExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        let cluster: Vec<String> = self.cluster.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order.iter().map(ToString::to_string).collect();
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "ExemplarExec: cluster=[{}], order_by=[{}]", cluster.join(", "), order.join(", "))
            }
            DisplayFormatType::TreeRender => writeln!(f, "cluster={}", cluster.join(", ")),
        }
    }
}

impl ExecutionPlan for ExemplarExec {
    fn name(&self) -> &'static str {
        "ExemplarExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let order = self.order.iter().map(|key| &key.expr);
        let mut recursion = TreeNodeRecursion::Continue;
        for expr in self.cluster.iter().chain(order) {
            recursion = recursion.visit_sibling(|| f(expr))?;
        }
        Ok(recursion)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // The engine gives back as many as children() has.
        let input = children.swap_remove(0);
        let (schema, cluster) = (Arc::clone(&self.schema), self.cluster.clone());
        Ok(Arc::new(Self::with_input(input, schema, cluster, self.order.clone())))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let input_schema = self.input.schema();
        let field = |expr: &Arc<dyn PhysicalExpr>| expr.data_type(&input_schema);
        let cluster_fields =
            self.cluster.iter().map(|expr| Ok(SortField::new(field(expr)?))).collect::<Result<_>>()?;
        let order_fields = self
            .order
            .iter()
            .map(|key| Ok(SortField::new_with_options(field(&key.expr)?, key.options)))
            .collect::<Result<_>>()?;
        let job = Job {
            schema: Arc::clone(&self.schema),
            cluster: self.cluster.clone(),
            order: self.order.clone(),
            cluster_rows: RowConverter::new(cluster_fields)?,
            order_rows: RowConverter::new(order_fields)?,
            firsts: Arc::clone(&self.firsts),
            pool: Arc::clone(context.memory_pool()),
            partitions: self.input.output_partitioning().partition_count(),
            batch_size: context.session_config().batch_size().max(1),
            candidates: MetricBuilder::new(&self.metrics).counter("candidates", partition),
            baseline: BaselineMetrics::new(&self.metrics, partition),
        };
        let output = stream::try_unfold((job, Phase::Passing(input)), |(job, phase)| job.step(phase));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        if let [input] = input_stats {
            statistics.num_rows = input.num_rows.to_inexact();
        }
        Ok(Arc::new(statistics))
    }
}

/// What a stream is at: its input, or the clusters, which only the last stream has.
enum Phase {
    Passing(SendableRecordBatchStream),
    Emitting(Exemplars),
}

/// One partition's work.
struct Job {
    schema: SchemaRef,
    cluster: Vec<Arc<dyn PhysicalExpr>>,
    order: Vec<PhysicalSortExpr>,
    cluster_rows: RowConverter,
    order_rows: RowConverter,
    firsts: Arc<Mutex<Firsts>>,
    pool: Arc<dyn MemoryPool>,
    partitions: usize,
    batch_size: usize,
    candidates: Count,
    baseline: BaselineMetrics,
}

impl Job {
    async fn step(self, mut phase: Phase) -> Result<Option<(RecordBatch, (Self, Phase))>> {
        loop {
            match phase {
                Phase::Passing(mut input) => match input.next().await.transpose()? {
                    Some(batch) => {
                        let passing = {
                            let _timer = self.baseline.elapsed_compute().timer();
                            self.pass(&batch)?
                        };
                        if let Some(batch) = passing {
                            let batch = batch.record_output(&self.baseline);
                            return Ok(Some((batch, (self, Phase::Passing(input)))));
                        }
                        phase = Phase::Passing(input);
                    }
                    None => phase = Phase::Emitting(self.end()),
                },
                Phase::Emitting(mut exemplars) => {
                    let Some(batch) = exemplars.next_batch(self.batch_size)? else { return Ok(None) };
                    let batch = self.with_tie(&batch)?.record_output(&self.baseline);
                    return Ok(Some((batch, (self, Phase::Emitting(exemplars)))));
                }
            }
        }
    }

    /// The rows without a cluster. Those of clusters are kept if they are the first so far.
    fn pass(&self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let Some(group) = self.cluster.last() else { return Ok(Some(self.with_tie(batch)?)) };
        let group = group.evaluate(batch)?.into_array(batch.num_rows())?;
        let in_cluster = BooleanArray::from_unary(group.as_primitive::<Int64Type>(), |group| group >= 0);
        match in_cluster.true_count() {
            0 => Ok(Some(self.with_tie(batch)?)),
            all if all == batch.num_rows() => {
                self.keep_firsts(batch)?;
                Ok(None)
            }
            _ => {
                self.keep_firsts(&filter_record_batch(batch, &in_cluster)?)?;
                Ok(Some(self.with_tie(&filter_record_batch(batch, &not(&in_cluster)?)?)?))
            }
        }
    }

    /// The number that the window function gives to a first row.
    fn with_tie(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(UInt64Array::from_value(1, batch.num_rows())));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn keep_firsts(&self, candidates: &RecordBatch) -> Result<()> {
        let rows = candidates.num_rows();
        self.candidates.add(rows);
        let evaluate = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(candidates)?.into_array(rows);
        let clusters: Vec<ArrayRef> = self.cluster.iter().map(evaluate).collect::<Result<_>>()?;
        let clusters = self.cluster_rows.convert_columns(&clusters)?;
        let order: Vec<ArrayRef> = self.order.iter().map(|key| evaluate(&key.expr)).collect::<Result<_>>()?;
        let order = (!order.is_empty()).then(|| self.order_rows.convert_columns(&order)).transpose()?;
        let order = |row: usize| order.as_ref().map_or(&[][..], |order| order.row(row).data());

        // Among these first, without keeping the other threads waiting.
        let mut firsts: HashMap<&[u8], usize> = HashMap::new();
        for row in 0..rows {
            let first = firsts.entry(clusters.row(row).data()).or_insert(row);
            if order(row) < order(*first) {
                *first = row;
            }
        }
        let firsts = firsts.into_iter().map(|(cluster, row)| (cluster, order(row), row)).collect();
        self.firsts.lock().unwrap_or_else(PoisonError::into_inner).keep(candidates, firsts, &self.pool)
    }

    /// This partition has ended: everything that was kept, if it is the last one to do so.
    fn end(&self) -> Exemplars {
        let mut firsts = self.firsts.lock().unwrap_or_else(PoisonError::into_inner);
        firsts.ended += 1;
        let firsts =
            if firsts.ended == self.partitions { std::mem::take(&mut *firsts) } else { Firsts::default() };
        Exemplars::new(firsts)
    }
}

/// The first rows of the clusters so far, of all partitions together.
#[derive(Debug, Default)]
struct Firsts {
    /// By what a cluster is known by, as bytes.
    kept: HashMap<Box<[u8]>, First>,
    /// Rows that are kept, and some that no longer are.
    batches: Vec<RecordBatch>,
    rows: usize,
    reservation: Option<MemoryReservation>,
    /// How many partitions have come to their end.
    ended: usize,
}

/// Where the first row of a cluster is, and what it is compared by.
#[derive(Debug)]
struct First {
    order: Box<[u8]>,
    batch: usize,
    row: usize,
}

impl Firsts {
    /// Keeps those of the firsts of `candidates` that come before what was kept: their clusters, orders and rows.
    fn keep(
        &mut self,
        candidates: &RecordBatch,
        mut firsts: Vec<(&[u8], &[u8], usize)>,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<()> {
        firsts.retain(|(cluster, order, _)| self.kept.get(*cluster).is_none_or(|kept| *order < &*kept.order));
        if firsts.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from_iter_values(firsts.iter().map(|(_, _, row)| *row as u32));
        let batch = compact(&take_record_batch(candidates, &rows)?)?;
        let bytes_of_keys: usize = firsts.iter().map(|(cluster, order, _)| cluster.len() + order.len()).sum();
        let entries = firsts.len() * size_of::<(Box<[u8]>, First)>() * 2;
        self.reserve(get_record_batch_memory_size(&batch) + bytes_of_keys + entries, pool)?;
        for (row, (cluster, order, _)) in firsts.into_iter().enumerate() {
            let first = First { order: order.into(), batch: self.batches.len(), row };
            match self.kept.entry(cluster.into()) {
                Entry::Occupied(mut kept) => {
                    kept.insert(first);
                }
                Entry::Vacant(free) => {
                    free.insert(first);
                }
            }
        }
        self.rows += batch.num_rows();
        self.batches.push(batch);
        // Where better rows keep coming, the others are dropped now and then: every row is copied twice at most.
        if self.rows > 2 * self.kept.len() + FEW_ROWS { self.drop_others() } else { Ok(()) }
    }

    fn reserve(&mut self, bytes: usize, pool: &Arc<dyn MemoryPool>) -> Result<()> {
        let clusters = self.kept.len();
        let reservation =
            self.reservation.get_or_insert_with(|| MemoryConsumer::new("ExemplarExec").register(pool));
        reservation.try_grow(bytes).map_err(|error| {
            DataFusionError::ResourcesExhausted(format!(
                "keeping a row for each cluster, {clusters} so far, needs {} more than the {} it holds; give more \
                 memory, or show fewer columns. {error}",
                human_readable_size(bytes),
                human_readable_size(reservation.size()),
            ))
        })
    }

    fn drop_others(&mut self) -> Result<()> {
        let mut places = Vec::with_capacity(self.kept.len());
        for (row, first) in self.kept.values_mut().enumerate() {
            places.push((first.batch, first.row));
            (first.batch, first.row) = (0, row);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let batch = compact(&interleave_record_batch(&batches, &places)?)?;
        let size = get_record_batch_memory_size;
        let freed = self.batches.iter().map(size).sum::<usize>().saturating_sub(size(&batch));
        if let Some(reservation) = &self.reservation {
            reservation.shrink(freed.min(reservation.size()));
        }
        self.rows = batch.num_rows();
        self.batches = vec![batch];
        Ok(())
    }
}

/// Rows that may be kept beside those that are first.
const FEW_ROWS: usize = 8192;

/// Without the text of other rows, which views hold on to.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let compacted = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => Arc::clone(column),
        }
    };
    Ok(RecordBatch::try_new(batch.schema(), batch.columns().iter().map(compacted).collect())?)
}

/// The first rows on their way out; the memory is given back with the last.
struct Exemplars {
    batches: Vec<RecordBatch>,
    places: std::vec::IntoIter<(usize, usize)>,
    _reservation: Option<MemoryReservation>,
}

impl Exemplars {
    fn new(firsts: Firsts) -> Self {
        let mut kept: Vec<(Box<[u8]>, First)> = firsts.kept.into_iter().collect();
        // The order of the clusters, and not of a hash table.
        kept.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let places: Vec<_> = kept.into_iter().map(|(_, first)| (first.batch, first.row)).collect();
        Self { batches: firsts.batches, places: places.into_iter(), _reservation: firsts.reservation }
    }

    fn next_batch(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        let places: Vec<_> = self.places.by_ref().take(rows).collect();
        if places.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        Ok(Some(interleave_record_batch(&batches, &places)?))
    }
}
