//! The physical rules that replace operators of the engine by ours.
//!
//! They belong before the rules of the engine that choose joins, which use the operators' row estimates, and before those that
//! add shuffles and sorts, which use the operators' requirements. Among themselves [`JoinClustersByHash`] comes before
//! [`FetchExemplars`], which rewrites its joins.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::{ExemplarSelectExec, dbscan, exemplar_fetch};
use crate::config::DbclusterConfig;

/// Defines a rule that replaces single operators, by its name in EXPLAIN VERBOSE, its switch, and the function that replaces an
/// operator.
macro_rules! operator_rule {
    ($(#[$doc:meta])* $rule:ident, $name:literal, $enabled:ident, $in_place_of:expr) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $rule;

        impl PhysicalOptimizerRule for $rule {
            fn optimize(
                &self,
                plan: Arc<dyn ExecutionPlan>,
                config: &ConfigOptions,
            ) -> Result<Arc<dyn ExecutionPlan>> {
                if !DbclusterConfig::of(config).$enabled {
                    return Ok(plan);
                }
                replace_operators(plan, $in_place_of)
            }

            fn name(&self) -> &'static str {
                $name
            }

            fn schema_check(&self) -> bool {
                true
            }
        }
    };
}

operator_rule! {
    /// Puts [`DbscanExec`](super::DbscanExec) in the place of windows that cluster.
    UseDbscanExec, "use_dbscan_exec", enable_dbscan_exec, dbscan::in_place_of
}

operator_rule! {
    /// Joins clusters with events by a hash table of the clusters, where the session prefers joins that sort both sides.
    JoinClustersByHash, "join_clusters_by_hash", enable_cluster_hash_join, exemplar_fetch::hash_join_in_place_of
}

operator_rule! {
    /// Filters the events by the order keys of the exemplars before they are joined with the clusters.
    FetchExemplars, "fetch_exemplars", enable_exemplar_fetch, exemplar_fetch::in_place_of
}

operator_rule! {
    /// Puts [`ExemplarSelectExec`] in the place of the window that decides which row stands for a cluster.
    SelectExemplars, "select_exemplars", enable_exemplar_select, |node| Ok(ExemplarSelectExec::in_place_of(node))
}

fn replace_operators(
    plan: Arc<dyn ExecutionPlan>,
    in_place_of: impl Fn(&Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| match in_place_of(&node)? {
        Some(ours) => Ok(Transformed::yes(ours)),
        None => Ok(Transformed::no(node)),
    })
    .data()
}
