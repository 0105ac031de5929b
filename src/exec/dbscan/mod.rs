//! [`DbscanExec`]: the window function's work as an operator.
//!
//! It keeps schema, order and distribution of the `WindowAggExec` in whose place it stands, so the plan around it
//! stays as it is, and it calls the same [`Call`], so the result does too.
//!
//! For each input partition, it
//!
//! 1. collects its input, each batch reserved in the memory pool before it is kept, until there are partitions enough
//!    that are complete;
//! 2. reserves what the core needs, by the core's own formula, and fails with the figures if the pool refuses;
//! 3. runs the core on a blocking thread, inside a thread pool of at most `target_partitions` threads, with a cancel
//!    flag that dropping the stream sets;
//! 4. streams the labelled rows in batches, gives back the memory of each, and goes on with the next partitions.
//!
//! A window may have several calls, as in a query that compares values of eps: they share the input, and are worked on one
//! after the other. Functions of the engine beside them get a window of their own, see [`split`]. Nothing of a run is kept
//! in the plan, which can run many times, also at once.
//!
//! - [`job`]: the work of an input partition, and the memory that it holds.
//! - [`partitions`]: where the partitions of PARTITION BY begin.
//! - [`split`]: a window with other functions among ours.
//! - [`metrics`]: what EXPLAIN ANALYZE shows.

mod job;
mod metrics;
mod partitions;
mod split;

use std::any::Any;
use std::fmt::Formatter;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{WindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties, StatisticsArgs,
};

use crate::error::internal_err;
use crate::window::{Call, Dbscan, DbscanVectors};
use job::{Job, Pending, Work};
use metrics::DbscanMetrics;
use partitions::Partitions;

pub(super) use split::in_place_of;

/// Runs calls of `dbscan` or `dbscan_vectors` over its partitioned and sorted input; a column more for each comes out.
#[derive(Debug, Clone)]
pub struct DbscanExec {
    /// The node in whose place this one stands. It knows schema, order and distribution.
    window: Arc<WindowAggExec>,
    /// One for each expression of the window.
    calls: Vec<Call>,
    metrics: ExecutionPlanMetricsSet,
}

impl DbscanExec {
    /// The operator for `window`, or `None` if that does anything else than `dbscan` and `dbscan_vectors`.
    ///
    /// # Errors
    /// Constants of a call that are out of range.
    pub fn try_from_window(window: &Arc<WindowAggExec>) -> Result<Option<Self>> {
        let mut calls = vec![];
        for expr in window.window_expr() {
            let Some(udf) = clustering(expr) else { return Ok(None) };
            let schema = window.input().schema();
            let fields =
                udf.args().iter().map(|arg| arg.return_field(&schema)).collect::<Result<Vec<_>>>()?;
            calls.push(Call::try_new(udf.fun().name(), udf.args(), &fields)?);
        }
        Ok(Some(Self { window: Arc::clone(window), calls, metrics: ExecutionPlanMetricsSet::new() }))
    }

    /// Each call with its arguments.
    fn calls(&self) -> impl Iterator<Item = (&Call, Vec<Arc<dyn PhysicalExpr>>)> {
        self.calls.iter().zip(self.window.window_expr().iter().map(|expr| expr.expressions()))
    }
}

/// The function of a window expression, if it is one of those that cluster.
fn clustering(expr: &Arc<dyn WindowExpr>) -> Option<&WindowUDFExpr> {
    let expr = expr.as_any().downcast_ref::<StandardWindowExpr>()?;
    let udf = expr.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
    let implementation = udf.fun().inner().as_ref() as &dyn Any;
    (implementation.is::<Dbscan>() || implementation.is::<DbscanVectors>()).then_some(udf)
}

/// Whether a plan clusters, by this operator or by the engine's window in its place.
pub(super) fn clusters(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    plan.exists(|node| Ok((node.as_ref() as &dyn Any).is::<DbscanExec>() || in_place_of(node)?.is_some()))
}

impl DisplayAs for DbscanExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let text = |(call, args): (&Call, Vec<Arc<dyn PhysicalExpr>>)| {
                    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
                    format!("{}({})", call.function(), args.join(", "))
                };
                let calls: Vec<String> = self.calls().map(text).collect();
                write!(f, "DbscanExec: {}", calls.join(", "))?;
                // All expressions of a window have the same.
                let keys = self.window.window_expr().first().map_or(&[][..], |expr| expr.partition_by());
                if !keys.is_empty() {
                    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                    write!(f, ", partition_by=[{}]", keys.join(", "))?;
                }
                Ok(())
            }
            DisplayFormatType::TreeRender => {
                for call in &self.calls {
                    for (name, value) in call.shown_options() {
                        writeln!(f, "{name}={value}")?;
                    }
                    writeln!(f, "features={}", call.features().join(", "))?;
                }
                Ok(())
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

    /// It keeps the order of the rows, which its properties say. Where an operator says it here, too, the engine moves the
    /// sort of a window above below it as soon as one key of the two is the same, so that the rows would come in the wrong order
    /// (<https://github.com/apache/datafusion/issues/11675> mended this for sorts that have no key in common).
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
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
        Ok(Arc::new(Self { window, calls: self.calls.clone(), metrics: ExecutionPlanMetricsSet::new() }))
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
        let work = Work {
            calls: self.calls().map(|(call, args)| (call.clone(), args)).collect(),
            schema: self.schema(),
            threads: threads(&context),
            metrics: DbscanMetrics::new(&self.metrics, partition),
        };
        let job = Job {
            work: Arc::new(work),
            input: Some(input),
            partitions: Partitions::new(self.window.partition_by_sort_keys()?),
            pending: Pending::default(),
            reservation,
            enough_rows: ENOUGH_BATCHES * context.session_config().batch_size().max(1),
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), job.output())))
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
        if !self.calls.iter().any(Call::is_of_vectors) {
            return Ok(statistics);
        }
        let mut statistics = Arc::unwrap_or_clone(statistics);
        statistics.num_rows = statistics.num_rows.min(&Precision::Inexact(VECTORS_ESTIMATE)).to_inexact();
        Ok(Arc::new(statistics))
    }
}

/// Complete partitions are worked on together, as long as they are small.
const ENOUGH_BATCHES: usize = 8;

/// How many distinct vectors there are, for the planner, who otherwise assumes as many as events.
///
/// With that assumption a join may take the events into its hash table and look the vectors up, which costs the memory
/// of all events. Vectors are far fewer wherever clustering them makes sense, and where they are not, they are never
/// more than events: the vectors belong into the hash table.
const VECTORS_ESTIMATE: usize = 1000;

/// How many threads work on a partition: those that the session asks for, but no more than there are processors, of which the
/// others would only wait for each other.
fn threads(context: &TaskContext) -> usize {
    let processors = available_parallelism().map_or(usize::MAX, NonZeroUsize::get);
    context.session_config().target_partitions().min(processors)
}
