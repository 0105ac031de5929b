//! Logical rules that use facts about the plans of this crate, which the engine can't know.
//!
//! [`CompleteLimits`] decides which of equal rows a LIMIT keeps, and [`ReserveCommonNames`] keeps columns of the engine apart. The
//! other rules make a plan cheaper and change no result.
//! [`fetch`] finds the part of a plan of `dbcluster` that most of them rewrite, and [`members`] that of `dbcluster_members`.

pub(crate) mod broadcast_clusters;
mod complete_limits;
mod count_members;
mod fetch;
mod members;
mod prune_exemplar_columns;
mod push_down_to_clusters;
mod reserve_common_names;

use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan};

pub(crate) use complete_limits::CompleteLimits;
pub(crate) use count_members::CountMembers;
pub(crate) use prune_exemplar_columns::PruneExemplarColumns;
pub(crate) use push_down_to_clusters::PushDownToClusters;
pub(crate) use reserve_common_names::ReserveCommonNames;

/// Makes an inner join of a join, with another left side and other keys.
fn inner_join(join: &Join, left: Arc<LogicalPlan>, on: Vec<(Expr, Expr)>) -> Result<LogicalPlan> {
    let join = Join::try_new(
        left,
        Arc::clone(&join.right),
        on,
        join.filter.clone(),
        JoinType::Inner,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    Ok(LogicalPlan::Join(join))
}
