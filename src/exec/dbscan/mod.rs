//! [`DbscanExec`]: the window functions as an operator with memory accounting, metrics and cancellation.
//!
//! It has the schema, order and distribution of the `WindowAggExec` that it replaces, so the plan around it stays valid. It
//! runs the same [`Call`], so the result is the same.
//!
//! For each input partition, it
//!
//! 1. collects its input until enough partitions are complete, and reserves each batch in the memory pool before it keeps it;
//! 2. reserves the memory of the core, by the core's own formula, and fails with the figures if the pool refuses;
//! 3. runs the core on a blocking thread, inside a thread pool of at most `target_partitions` threads, with a cancel
//!    flag that dropping the stream sets;
//! 4. streams the labelled rows in batches, releases the memory of each, and goes on with the next partitions.
//!
//! A window may have several calls, as in a query that compares values of eps: they share the input and run one after the
//! other. Functions of the engine beside them get a window of their own, see [`split`]. The plan node keeps no state of a run,
//! so it can run many times, also at once.
//!
//! - [`job`]: the work of an input partition, and the memory that it holds.
//! - [`partitions`]: finds the bounds of the partitions of PARTITION BY.
//! - [`split`]: separates our functions from others in one window.
//! - [`metrics`]: the figures that EXPLAIN ANALYZE shows.

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

use crate::dbscan::Scaling;
use crate::error::internal_err;
use crate::window::{Call, Function};
use job::{Job, Pending, Work};
use metrics::DbscanMetrics;
use partitions::Partitions;

pub(super) use split::in_place_of;

/// Runs calls of `dbscan` and the functions over vectors over its partitioned and sorted input, and appends a column for each.
#[derive(Debug, Clone)]
pub struct DbscanExec {
    /// The node that this one replaces. It knows schema, order and distribution.
    window: Arc<WindowAggExec>,
    /// One for each expression of the window.
    calls: Vec<Call>,
    metrics: ExecutionPlanMetricsSet,
}

impl DbscanExec {
    /// Builds the operator for `window`, or returns `None` if that has any function but ours.
    ///
    /// # Errors
    /// A constant of a call is out of range.
    pub fn try_from_window(window: &Arc<WindowAggExec>) -> Result<Option<Self>> {
        let mut calls = vec![];
        for expr in window.window_expr() {
            let Some((function, udf)) = clustering(expr) else { return Ok(None) };
            let schema = window.input().schema();
            let fields =
                udf.args().iter().map(|arg| arg.return_field(&schema)).collect::<Result<Vec<_>>>()?;
            calls.push(Call::try_new(function, udf.args(), &fields)?);
        }
        Ok(Some(Self { window: Arc::clone(window), calls, metrics: ExecutionPlanMetricsSet::new() }))
    }

    /// Whether it clusters rows at an eps that they decide, as `eps => 'auto'` asks for.
    pub fn has_auto_eps(&self) -> bool {
        self.calls.iter().any(Call::is_auto)
    }

    /// Returns the eps that the partitions have decided, once it has run with `eps => 'auto'` over some rows.
    pub fn auto_eps(&self) -> Option<AutoEps> {
        let metrics = self.metrics.clone_inner();
        let has_rows = metrics.sum_by_name("input_rows").is_some_and(|rows| rows.as_usize() > 0);
        let found = || match metrics::eps_range(&metrics) {
            Some((least, greatest)) => AutoEps::Range { least, greatest },
            None => AutoEps::Any,
        };
        (self.has_auto_eps() && has_rows).then(found)
    }

    /// Returns what the first call has found, once it has labelled some rows.
    pub fn found(&self) -> Option<Found> {
        let call = self.calls.first().filter(|call| call.labels_rows())?;
        let counted = self.metrics.clone_inner();
        let sum = |name: &str| counted.sum_by_name(name).map_or(0, |value| value.as_usize());
        let found = Found {
            vectors: sum("input_rows"),
            clusters: sum("clusters"),
            noise: sum("noise_points"),
            skipped: if call.may_skip() && self.calls.len() == 1 {
                sum("input_rows").saturating_sub(sum(metrics::POINTS))
            } else {
                0
            },
            features: call.features().len(),
            scaling: call.scaling(),
        };
        (found.vectors > 0 && sum("cluster_time") > 0).then_some(found)
    }

    /// Returns each call with its arguments.
    fn calls(&self) -> impl Iterator<Item = (&Call, Vec<Arc<dyn PhysicalExpr>>)> {
        self.calls.iter().zip(self.window.window_expr().iter().map(|expr| expr.expressions()))
    }
}

/// The outcome of a clustering, over all of its partitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The rows that were clustered. In the plans of `dbcluster` these are distinct vectors.
    pub vectors: usize,
    /// The clusters.
    pub clusters: usize,
    /// The rows that are noise.
    pub noise: usize,
    /// The rows that take no part, since a feature is NULL.
    pub skipped: usize,
    /// The number of features.
    pub features: usize,
    /// The scaling of the features.
    pub scaling: Scaling,
}

/// The eps that the rows of all partitions have decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AutoEps {
    /// The least and the greatest of them.
    Range {
        /// The least.
        least: f64,
        /// The greatest.
        greatest: f64,
    },
    /// Every eps gives the same rows.
    Any,
}

/// Returns the function of a window expression, if it is one of ours.
fn clustering(expr: &Arc<dyn WindowExpr>) -> Option<(Function, &WindowUDFExpr)> {
    let expr = expr.as_any().downcast_ref::<StandardWindowExpr>()?;
    let udf = expr.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
    Some((Function::of(udf.fun().inner().as_ref() as &dyn Any)?, udf))
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
                // All expressions of a window have the same keys.
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

    /// Returns false although the operator keeps the order of its rows, as its properties say. If it returned true, the engine
    /// would move the sort of a window above it to below it as soon as the two share one key, and the rows would arrive in the
    /// wrong order (<https://github.com/apache/datafusion/issues/11675> fixed this for sorts without a common key).
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
            metrics: DbscanMetrics::new(
                &self.metrics,
                partition,
                self.calls.iter().any(Call::decides_eps),
                self.calls.iter().any(Call::may_skip),
            ),
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

/// The batches' worth of rows that complete partitions need to be clustered; small partitions are clustered together.
const ENOUGH_BATCHES: usize = 8;

/// The number of distinct vectors that the planner is told to expect. It would expect as many as events otherwise.
///
/// A join might then put the events into its hash table, which needs the memory of all events. Vectors are far fewer wherever
/// clustering makes sense, and never more than events, so they belong in the hash table.
const VECTORS_ESTIMATE: usize = 1000;

/// Returns the number of threads that work on a partition: `target_partitions`, but no more than there are processors, since
/// further threads would only wait.
fn threads(context: &TaskContext) -> usize {
    let processors = available_parallelism().map_or(usize::MAX, NonZeroUsize::get);
    context.session_config().target_partitions().min(processors)
}
