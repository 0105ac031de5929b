//! What a window function can't do by itself: operators that the engine can account for, measure and stop.
//!
//! A window function inside `WindowAggExec` has no memory pool, no metrics, no way to be cancelled, and blocks
//! an async thread while it works. [`DbscanRule`] puts [`DbscanExec`] in the place of a `WindowAggExec` of ours, and
//! [`ExemplarExec`] in the place of the window that decides which row stands for a cluster. [`second_look`] tells what
//! else it does to the join of clusters and events. Where the rule is absent the engine's own operators do the same
//! work, with the same result.
//!
//! A plan may run several times, one run after the other or at once, and a run may be dropped at any point. So what an
//! operator learns in a run belongs to the stream of that run, and an operator that has to see all of its input has one
//! output partition. The filter of the second look is the exception: it stands in the plan, where the scan has it, so
//! each run opens it before it learns anew.
//!
//! [`UnchangedFilesRule`] adds [`UnchangedFilesExec`], which makes a file that is replaced during the query an error.

mod dbscan;
mod exemplar;
mod exemplar_filter;
mod exemplar_keys;
mod file_statistics;
mod first_rows;
mod key_ranges;
mod merge_join;
mod second_look;
#[cfg(test)]
mod tests;
mod unchanged_files;

use std::any::Any;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::windows::BoundedWindowAggExec;

pub use dbscan::DbscanExec;
pub use exemplar::ExemplarExec;
pub use exemplar_filter::ExemplarFilterExec;
pub use exemplar_keys::ExemplarKeysExec;
pub use file_statistics::FileStatistics;
pub use unchanged_files::{UnchangedFilesExec, UnchangedFilesRule};

/// Puts our operators in the place of the engine's. It belongs before the rules that choose joins, which ask the
/// operators how many rows to expect, and before those that add shuffles and sorts, which ask what they need.
#[derive(Debug, Default)]
pub struct DbscanRule;

impl PhysicalOptimizerRule for DbscanRule {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match ours(&node)? {
            Some(ours) => Ok(Transformed::yes(ours)),
            None => Ok(Transformed::no(node)),
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

/// The part of [`DbscanRule`] that a plan can take which is cut into stages already: [`DbscanExec`] in the place of the
/// windows that cluster.
pub fn with_dbscan_exec(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| match dbscan::in_place_of(&node)? {
        Some(ours) => Ok(Transformed::yes(ours)),
        None => Ok(Transformed::no(node)),
    })
    .data()
}

/// Our operator for what `node` does, if there is one.
fn ours(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let any = || Arc::clone(node) as Arc<dyn Any + Send + Sync>;
    if let Some(exec) = dbscan::in_place_of(node)? {
        return Ok(Some(exec));
    }
    if let Ok(window) = any().downcast::<BoundedWindowAggExec>() {
        let exec = ExemplarExec::try_from_window(&window);
        return Ok(exec.map(|exec| Arc::new(exec) as Arc<dyn ExecutionPlan>));
    }
    if let Some(join) = merge_join::as_hash_join(node)? {
        let better = second_look::with_features_as_keys(&join)?;
        return Ok(Some(better.unwrap_or_else(|| Arc::new(join))));
    }
    if let Ok(join) = any().downcast::<HashJoinExec>() {
        return second_look::with_features_as_keys(&join);
    }
    Ok(None)
}
