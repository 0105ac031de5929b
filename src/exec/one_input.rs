//! Macros for the methods that operators with one input have in common.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;

use crate::error::internal_err;

/// Implements the methods of an `ExecutionPlan` that follow from its field `input`. The argument builds the same operator over
/// another input.
macro_rules! one_input {
    ($over:expr) => {
        fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
            vec![&self.input]
        }

        fn benefits_from_input_partitioning(&self) -> Vec<bool> {
            vec![false]
        }

        fn replace_children(
            self: Arc<Self>,
            children: Vec<Arc<dyn ExecutionPlan>>,
            _options: datafusion::physical_plan::execution_plan::ReplaceChildrenOptions,
        ) -> Result<Arc<dyn ExecutionPlan>> {
            let input = $crate::exec::one_input::only_child(self.name(), children)?;
            let over: fn(&Self, Arc<dyn ExecutionPlan>) -> Result<Self> = $over;
            Ok(Arc::new(over(&self, input)?))
        }

        fn with_new_children(
            self: Arc<Self>,
            children: Vec<Arc<dyn ExecutionPlan>>,
        ) -> Result<Arc<dyn ExecutionPlan>> {
            use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
            self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
        }
    };
}
pub(super) use one_input;

/// Implements the methods of an operator that passes its rows on, in their order and partitions.
macro_rules! rows_of_input {
    () => {
        fn properties(&self) -> &Arc<PlanProperties> {
            self.input.properties()
        }

        fn maintains_input_order(&self) -> Vec<bool> {
            vec![true]
        }

        fn child_stats_requests(
            &self,
            partition: Option<usize>,
        ) -> Vec<datafusion::physical_plan::ChildStats> {
            vec![datafusion::physical_plan::ChildStats::At(partition)]
        }
    };
}
pub(super) use rows_of_input;

/// Implements the statistics of an operator that passes all of its rows on.
macro_rules! statistics_of_input {
    () => {
        fn statistics_from_inputs(
            &self,
            input_stats: &[Arc<datafusion::common::Statistics>],
            _args: &datafusion::physical_plan::StatisticsArgs,
        ) -> Result<Arc<datafusion::common::Statistics>> {
            let unknown = || Arc::new(datafusion::common::Statistics::new_unknown(&self.schema()));
            Ok(input_stats.first().map_or_else(unknown, Arc::clone))
        }
    };
}
pub(super) use statistics_of_input;

/// Returns the one new child of an operator.
pub(super) fn only_child(
    operator: &str,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    match <[_; 1]>::try_from(children) {
        Ok([child]) => Ok(child),
        Err(children) => internal_err!("{operator} has one child, and was given {}", children.len()),
    }
}

/// Shows an operator's expressions to `f`, as `ExecutionPlan::apply_expressions` has to.
pub(super) fn visit_expressions<'a>(
    expressions: impl IntoIterator<Item = &'a Arc<dyn PhysicalExpr>>,
    f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
) -> Result<TreeNodeRecursion> {
    let mut recursion = TreeNodeRecursion::Continue;
    for expression in expressions {
        recursion = recursion.visit_sibling(|| f(expression))?;
    }
    Ok(recursion)
}
