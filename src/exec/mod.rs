//! What a window function can't do by itself: operators that the engine can account for, measure and stop.
//!
//! A window function inside `WindowAggExec` has no memory pool, no metrics, no way to be cancelled, and blocks
//! an async thread while it works. [`DbscanRule`] puts [`DbscanExec`] in the place of a `WindowAggExec` whose only
//! expression is one of ours. Where the rule is absent the window function does the same work by itself.

mod dbscan;

use std::any::Any;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::WindowAggExec;

pub use dbscan::DbscanExec;

/// Puts [`DbscanExec`] in the place of each `WindowAggExec` that only runs one of our functions. It belongs before the
/// rules that choose joins, which ask the operator how many rows to expect.
#[derive(Debug, Default)]
pub struct DbscanRule;

impl PhysicalOptimizerRule for DbscanRule {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Ok(window) = (Arc::clone(&node) as Arc<dyn Any + Send + Sync>).downcast::<WindowAggExec>()
            else {
                return Ok(Transformed::no(node));
            };
            Ok(match DbscanExec::try_from_window(&window)? {
                Some(exec) => Transformed::yes(Arc::new(exec) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "dbscan_exec"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
