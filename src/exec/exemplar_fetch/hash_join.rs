//! The join that fetches exemplars, where a session prefers joins that sort both sides.
//!
//! The clusters are few and belong into a hash table, whatever the session prefers for its own tables. And the engine's sort-merge
//! join panics on a left join with a filter whose keys are NULL, which an event without a time has.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};

use crate::exec::dbscan::clusters;

/// The hash join for a sort-merge join of clusters with events.
pub(in crate::exec) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = (node.as_ref() as &dyn Any).downcast_ref::<SortMergeJoinExec>() else { return Ok(None) };
    if join.join_type() != JoinType::Left || join.filter().is_none() || !clusters(join.left())? {
        return Ok(None);
    }
    let hash_join = HashJoinExec::try_new(
        Arc::clone(join.left()),
        Arc::clone(join.right()),
        join.on().to_vec(),
        join.filter().clone(),
        &JoinType::Left,
        None,
        PartitionMode::Auto,
        join.null_equality(),
        false,
    )?;
    Ok(Some(Arc::new(hash_join)))
}
