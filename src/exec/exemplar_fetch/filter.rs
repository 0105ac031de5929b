//! [`ExemplarFilterExec`] keeps the events that have the keys of some cluster's exemplar.

use std::fmt::Formatter;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, Statistics};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase,
    FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, future};

use crate::exec::one_input::{one_input, rows_of_input, visit_expressions};

/// Filters by predicates that are set while the query runs. It offers the predicates to the scan below and keeps all other
/// filters from the scan: the dynamic filter of the join above would compute features for rows that are dropped here. The
/// engine's `FilterExec` does neither: it is pushed down before dynamic filters exist, and lets its parents' filters through.
#[derive(Debug, Clone)]
pub struct ExemplarFilterExec {
    input: Arc<dyn ExecutionPlan>,
    /// The predicates, in the order in which they are applied.
    filters: Vec<Arc<DynamicFilterPhysicalExpr>>,
    /// Whether the scan applies all predicates, and decodes the other columns for the remaining rows only.
    is_in_scan: bool,
    metrics: ExecutionPlanMetricsSet,
}

impl ExemplarFilterExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, filters: Vec<Arc<DynamicFilterPhysicalExpr>>) -> Self {
        Self { input, filters, is_in_scan: false, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl ExemplarFilterExec {
    fn expressions(&self) -> impl Iterator<Item = Arc<dyn PhysicalExpr>> {
        self.filters.iter().map(|filter| Arc::clone(filter) as Arc<dyn PhysicalExpr>)
    }
}

impl DisplayAs for ExemplarFilterExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        // EXPLAIN shows whether the scan applies the filter, which decides what the query costs.
        let place = if self.is_in_scan { "in the scan" } else { "behind the scan, which decodes all rows" };
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "ExemplarFilterExec: {place}")
            }
            DisplayFormatType::TreeRender => writeln!(f, "{place}"),
        }
    }
}

impl ExecutionPlan for ExemplarFilterExec {
    fn name(&self) -> &'static str {
        "ExemplarFilterExec"
    }

    rows_of_input!();

    one_input!(|exec, input| Ok(Self { input, metrics: ExecutionPlanMetricsSet::new(), ..exec.clone() }));

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let filters: Vec<_> = self.expressions().collect();
        visit_expressions(&filters, f)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        if self.is_in_scan {
            return Ok(input);
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let filters = self.filters.clone();
        let output = input.filter_map(move |batch| {
            let _timer = metrics.elapsed_compute().timer();
            let left = batch.and_then(|batch| filtered(batch, &filters));
            future::ready(left.map(|left| left.map(|batch| batch.record_output(&metrics))).transpose())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let unknown = || Statistics::new_unknown(&self.schema());
        let statistics = input_stats.first().map_or_else(unknown, |stats| stats.as_ref().clone());
        Ok(Arc::new(statistics.to_inexact()))
    }

    fn gather_filters_for_pushdown(
        &self,
        phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let mut child = ChildFilterDescription::all_unsupported(&parent_filters);
        if phase == FilterPushdownPhase::Post {
            child = child.with_self_filters(self.expressions().collect());
        }
        Ok(FilterDescription::new().with_child(child))
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let own: Vec<_> = result.self_filters.iter().flatten().collect();
        let is_in_scan = phase == FilterPushdownPhase::Post
            && !own.is_empty()
            && own.iter().all(|filter| matches!(filter.discriminant, PushedDown::Yes));
        let propagation = FilterPushdownPropagation::if_all(result);
        if !is_in_scan {
            return Ok(propagation);
        }
        Ok(propagation.with_updated_node(Arc::new(Self { is_in_scan, ..self.clone() })))
    }
}

/// Returns the rows of a batch that pass the filters, if any.
fn filtered(batch: RecordBatch, filters: &[Arc<DynamicFilterPhysicalExpr>]) -> Result<Option<RecordBatch>> {
    let mut left = batch;
    for filter in filters {
        left = match filter.evaluate(&left)? {
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => left,
            keep => {
                let keep = keep.into_array(left.num_rows())?;
                filter_record_batch(&left, as_boolean_array(&keep)?)?
            }
        };
        if left.num_rows() == 0 {
            return Ok(None);
        }
    }
    Ok(Some(left).filter(|left| left.num_rows() > 0))
}
