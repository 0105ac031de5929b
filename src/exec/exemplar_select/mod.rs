//! [`ExemplarSelectExec`] selects the first of the rows that could stand for a cluster.
//!
//! `dbcluster` numbers the candidates of each cluster by a window function, `row_number() OVER (PARTITION BY cluster
//! ORDER BY the remaining columns)`, and shows those with number 1. The engine would shuffle and sort all rows for that,
//! and the rows without a cluster, of which there can be millions, need no number at all.
//!
//! This operator passes rows without a cluster on as they arrive. It keeps the first row of each cluster so far, and emits
//! these rows when all of its input has ended. It sorts nothing, and needs memory for one row per cluster, which it reserves.
//! The result is that of the window function and the filter above it. Cost: one hash per candidate, and a comparison for each
//! further one of a cluster.
//!
//! The rows of a cluster may be in all partitions of the input. Each partition is read by a task of its own, and the tasks of a
//! run share one state and one output stream.

mod first_rows;

use std::any::Any;
use std::fmt::Formatter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{HashMap, Result, Statistics};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{
    EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr,
};
use datafusion::physical_plan::execution_plan::{EmissionType, EvaluationType, SchedulingType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::windows::BoundedWindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use first_rows::{Candidate, FirstRows, Order, rows_of};

use super::one_input::{one_input, visit_expressions};
use crate::error::internal_err;
use crate::group::Group;
use crate::plan::columns::TIE;
use crate::plan::functions::exemplar_group_udf;

/// Emits the rows without a cluster and the first row of each cluster, and appends their number, 1.
#[derive(Debug, Clone)]
pub struct ExemplarSelectExec {
    input: Arc<dyn ExecutionPlan>,
    /// The schema of the input with [`TIE`] appended.
    schema: SchemaRef,
    /// The keys of a cluster; the last is its number, below 0 for rows without one.
    cluster: Vec<Arc<dyn PhysicalExpr>>,
    /// The order that decides which row of a cluster is the first.
    order: Vec<PhysicalSortExpr>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ExemplarSelectExec {
    /// Returns the operator that replaces `node`, if that is the window by which `dbcluster` decides ties.
    pub(super) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
        let window = (node.as_ref() as &dyn Any).downcast_ref::<BoundedWindowAggExec>()?;
        Some(Arc::new(Self::try_from_window(window)?))
    }

    /// Builds the operator for `window`, or returns `None` if that is not the window by which `dbcluster` decides ties.
    pub fn try_from_window(window: &BoundedWindowAggExec) -> Option<Self> {
        let [expr] = window.window_expr() else { return None };
        let is_tie = expr.name() == TIE && expr.partition_by().last().is_some_and(is_tie_group);
        is_tie.then(|| Self::new(Arc::clone(window.input()), window.schema(), expr.as_ref()))
    }

    fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef, tie: &dyn WindowExpr) -> Self {
        let (cluster, order) = (tie.partition_by().to_vec(), tie.order_by().to_vec());
        Self::with_input(input, schema, cluster, order)
    }

    pub(super) fn with_input(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        cluster: Vec<Arc<dyn PhysicalExpr>>,
        order: Vec<PhysicalSortExpr>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Both,
            input.boundedness(),
        );
        // The engine expects these two properties of every operator that reads its input in tasks.
        let properties = properties
            .with_evaluation_type(EvaluationType::Eager)
            .with_scheduling_type(SchedulingType::Cooperative);
        let properties = Arc::new(properties);
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, schema, cluster, order, properties, metrics }
    }
}

/// Whether an expression is a call of `__exemplar_group`.
fn is_tie_group(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let function = (expr.as_ref() as &dyn Any).downcast_ref::<ScalarFunctionExpr>();
    function.is_some_and(|function| function.name() == exemplar_group_udf().name())
}

impl DisplayAs for ExemplarSelectExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        let cluster: Vec<String> = self.cluster.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order.iter().map(ToString::to_string).collect();
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(
                    f,
                    "ExemplarSelectExec: cluster=[{}], order_by=[{}]",
                    cluster.join(", "),
                    order.join(", ")
                )
            }
            DisplayFormatType::TreeRender => writeln!(f, "cluster={}", cluster.join(", ")),
        }
    }
}

impl ExecutionPlan for ExemplarSelectExec {
    fn name(&self) -> &'static str {
        "ExemplarSelectExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    one_input!(|exec, input| {
        let (schema, cluster) = (Arc::clone(&exec.schema), exec.cluster.clone());
        Ok(Self::with_input(input, schema, cluster, exec.order.clone()))
    });

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let order = self.order.iter().map(|key| &key.expr);
        visit_expressions(self.cluster.iter().chain(order), f)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!(
                "ExemplarSelectExec has one partition, and none with the number {partition}"
            );
        }
        let input_schema = self.input.schema();
        let field = |expr: &Arc<dyn PhysicalExpr>| expr.data_type(&input_schema);
        let cluster_fields =
            self.cluster.iter().map(|expr| Ok(SortField::new(field(expr)?))).collect::<Result<_>>()?;
        let inputs = self.input.output_partitioning().partition_count();
        let reservation = MemoryConsumer::new("ExemplarSelectExec").register(context.memory_pool());
        let run = Arc::new(Run {
            schema: Arc::clone(&self.schema),
            cluster: self.cluster.clone(),
            order: Order::try_new(self.order.clone(), &input_schema)?,
            cluster_rows: RowConverter::new(cluster_fields)?,
            firsts: Mutex::new(FirstRows::new(reservation)),
            running: AtomicUsize::new(inputs),
            batch_size: context.session_config().batch_size().max(1),
            candidates: MetricBuilder::new(&self.metrics).counter("candidates", partition),
            baseline: BaselineMetrics::new(&self.metrics, partition),
        });
        let mut output = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), inputs);
        for input in 0..inputs {
            let input = self.input.execute(input, Arc::clone(&context))?;
            let (run, rows) = (Arc::clone(&run), output.tx());
            output.spawn(async move { run.read(input, rows).await });
        }
        Ok(output.build())
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

/// The state of one run, which the tasks of its partitions share.
struct Run {
    schema: SchemaRef,
    cluster: Vec<Arc<dyn PhysicalExpr>>,
    order: Order,
    cluster_rows: RowConverter,
    firsts: Mutex<FirstRows>,
    /// The number of partitions that have not ended.
    running: AtomicUsize,
    batch_size: usize,
    candidates: Count,
    baseline: BaselineMetrics,
}

impl Run {
    /// Reads a partition to its end. The last partition to end emits the first rows. If the receiver is gone, it stops.
    async fn read(
        &self,
        mut input: SendableRecordBatchStream,
        rows: Sender<Result<RecordBatch>>,
    ) -> Result<()> {
        while let Some(batch) = input.next().await.transpose()? {
            let passing = {
                let _timer = self.baseline.elapsed_compute().timer();
                self.pass(&batch)?
            };
            if let Some(batch) = passing
                && rows.send(Ok(batch.record_output(&self.baseline))).await.is_err()
            {
                return Ok(());
            }
        }
        drop(input);
        if self.running.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        let mut exemplars = self.firsts.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        while let Some(batch) = exemplars.next_batch(self.batch_size)? {
            let batch = self.with_tie(&batch)?.record_output(&self.baseline);
            if rows.send(Ok(batch)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns the rows without a cluster, and keeps those of clusters that are the first so far.
    fn pass(&self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let Some(group) = self.cluster.last() else { return Ok(Some(self.with_tie(batch)?)) };
        let group = group.evaluate(batch)?.into_array(batch.num_rows())?;
        let in_cluster =
            BooleanArray::from_unary(group.as_primitive::<Int64Type>(), |group| Group(group).is_cluster());
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

    /// Appends the number 1, which the window function gives to a first row.
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

        // The first rows of this batch are found before the lock is taken, so that other threads need not wait.
        let mut firsts: HashMap<&[u8], usize> = HashMap::new();
        let mut further: Vec<usize> = vec![];
        for row in 0..rows {
            if *firsts.entry(clusters.row(row).data()).or_insert(row) != row {
                further.push(row);
            }
        }
        if !further.is_empty() && !self.order.is_empty() {
            self.choose(candidates, &clusters, &further, &mut firsts)?;
        }
        let firsts = firsts.into_iter().map(|(cluster, row)| Candidate { cluster, row }).collect();
        self.firsts.lock().unwrap_or_else(PoisonError::into_inner).keep(candidates, firsts, &self.order)
    }

    /// Chooses among the rows of a cluster that has further rows than the one in `firsts`.
    fn choose<'r>(
        &self,
        candidates: &RecordBatch,
        clusters: &'r Rows,
        further: &[usize],
        firsts: &mut HashMap<&'r [u8], usize>,
    ) -> Result<()> {
        let cluster = |row: usize| clusters.row(row).data();
        let mut rivals: Vec<usize> = further.to_vec();
        rivals.extend(further.iter().filter_map(|&row| firsts.get(cluster(row)).copied()));
        rivals.sort_unstable();
        rivals.dedup();
        let orders = self.order.of(&rows_of(candidates, rivals.iter().copied())?)?;
        let mut best: HashMap<&'r [u8], usize> = HashMap::new();
        for (place, &row) in rivals.iter().enumerate() {
            let first = best.entry(cluster(row)).or_insert(place);
            if orders.row(place) < orders.row(*first) {
                *first = place;
            }
        }
        // A place of `best` is one of `rivals`.
        firsts.extend(best.into_iter().filter_map(|(cluster, place)| Some((cluster, *rivals.get(place)?))));
        Ok(())
    }
}
