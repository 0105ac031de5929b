//! Replaces the sort-merge join of clusters with events, which a session without `prefer_hash_join` plans, by a hash join.
//!
//! The clusters are few and belong in a hash table, whatever the session prefers for its own tables. Moreover, the engine's
//! sort-merge join panics on a left join with a filter when a key is NULL, as the time of an event may be.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};

use crate::exec::dbscan::clusters;

/// Returns the hash join for a sort-merge join of clusters with events.
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
