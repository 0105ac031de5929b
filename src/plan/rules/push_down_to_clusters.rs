//! [`PushDownToClusters`]: a logical rule that filters and limits clusters before their exemplars are fetched.
//!
//! `dbcluster` joins all its clusters with the events, and a WHERE or a LIMIT above it drops most of the rows again. The engine
//! can't move them below the join, since the window that chooses each exemplar stands between. The rule can, because it knows
//! that the window numbers the rows of one cluster, so that clusters may be dropped as a whole:
//!
//! - **Filters.** A condition on columns of the clusters (`cluster_size > 100`, `clustered`) is moved to the clusters. Some
//!   columns of events are known from the cluster alone: its features, and its first time. A condition on them is rewritten
//!   for the clusters. Where that is not true of every cluster (`-0.0` is clustered as `0.0`; with `min_samples` above 2 a vector
//!   without a cluster may stand for several times) the clusters are filtered where it is, and the rows of the others above.
//! - **Top-k.** Each cluster is at least one row. So the first k rows of the result are rows of the first k clusters, if the rows
//!   are sorted by columns of the clusters that leave no two clusters equal. [`CompleteLimits`](super::CompleteLimits) adds such
//!   columns to the ORDER BY of a LIMIT. The rule copies sort and limit to the clusters and keeps both above, for the rows of a
//!   cluster that has several, and since a join keeps no order.
//!
//! ```text
//! Sort: cluster_size DESC, fetch=20              Sort: cluster_size DESC, fetch=20
//!   Filter: ...                                    Filter: ...
//!     Window: __tie                                  Window: __tie
//!       Left Join                      becomes         Left Join
//!         __clusters                                     Sort: __size DESC, fetch=20
//!         events                                           __clusters
//!                                                        events
//! ```
//!
//! `dbcluster_members` joins its vectors with all events. A condition on what the clustering gave (`cluster_id = 7`, `point_type
//! = 'noise'`) is moved to the vectors in the same way. The events of the other vectors then have no partner, so the join becomes
//! an inner one. It can't tell an event whose vector was filtered out from one that was added between the two reads, which
//! is left out of the result instead of failing the query.
//!
//! The result is the same without the rule, at a higher cost. The setting `dbcluster.enable_cluster_pushdown` switches it off.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_binary, split_conjunction};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Operator, Projection, Sort, SortExpr};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::super::sorting::of_limit_key;
use super::fetch::{
    Fetch, KnownValue, can_move, clusters_mut, is_ours, over_join, passing_on, with_known_values,
};
use super::inner_join;
use super::members::{Members, is_assertion};
use crate::config::DbclusterConfig;

/// Moves filters and limits of a query to the clusters, see the module.
#[derive(Debug, Default)]
pub(crate) struct PushDownToClusters;

impl OptimizerRule for PushDownToClusters {
    fn name(&self) -> &'static str {
        "dbcluster_push_down_to_clusters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        // Filters go first, since a filter that stays keeps a limit above it.
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let rewritten = match &plan {
            LogicalPlan::Filter(filter) if is_enabled(config) => match Members::of(&plan) {
                Some(members) => filtered_members(&members)?,
                None => filtered(&plan, filter)?,
            },
            LogicalPlan::Sort(sort) if is_enabled(config) => limited(&plan, sort)?,
            _ => None,
        };
        Ok(rewritten.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

fn is_enabled(config: &dyn OptimizerConfig) -> bool {
    DbclusterConfig::of(&config.options()).enable_cluster_pushdown
}

/// Returns the plan with conditions of the filter moved to the clusters, if this is the filter of a `dbcluster` with any.
fn filtered(plan: &LogicalPlan, filter: &Filter) -> Result<Option<LogicalPlan>> {
    let Some(fetch) = Fetch::of(plan).filter(|fetch| !is_limited(&fetch.join.left)) else { return Ok(None) };
    let known = fetch.known_values();
    let (mut above, mut below, mut needed) = (vec![], vec![], vec![]);
    for conjunct in split_conjunction(&filter.predicate) {
        match of_clusters(&fetch, &known, conjunct)? {
            Some(Moved { below: moved, is_known }) => {
                below.push(moved);
                if let Some(is_known) = is_known {
                    needed.extend(is_known.column_refs().into_iter().cloned());
                    above.push(is_known.or(conjunct.clone()));
                }
            }
            None => above.push(conjunct.clone()),
        }
    }
    let (Some(above), Some(below)) = (conjunction(above), conjunction(below)) else { return Ok(None) };
    // The engine has dropped columns of the clusters that nothing above the join has needed so far.
    let Some(plan) = passing_on(plan, &needed)? else { return Ok(None) };
    let filtered = with_clusters(plan, |clusters| Filter::try_new(below, clusters).map(LogicalPlan::Filter))?;
    let LogicalPlan::Filter(mut filter) = filtered else { return Ok(None) };
    filter.predicate = above;
    Ok(Some(LogicalPlan::Filter(filter)))
}

/// Returns the members with conditions of the filter moved to their vectors, if there are any.
fn filtered_members(members: &Members) -> Result<Option<LogicalPlan>> {
    let (mut above, mut below) = (vec![], vec![]);
    for conjunct in split_conjunction(&members.filter.predicate) {
        let condition =
            if is_assertion(conjunct) { None } else { over_join(conjunct.clone(), &members.filter.input)? };
        match condition.filter(|condition| members.is_of_vectors(condition)) {
            Some(condition) if can_move(&condition)? => below.push(condition),
            _ => above.push(conjunct.clone()),
        }
    }
    let (Some(above), Some(below)) = (conjunction(above), conjunction(below)) else { return Ok(None) };
    let Some(input) = with_vectors_that(below, &members.filter.input)? else { return Ok(None) };
    Filter::try_new(above, Arc::new(input)).map(LogicalPlan::Filter).map(Some)
}

/// Returns the join of vectors and events, below projections, with only those vectors that meet a condition.
fn with_vectors_that(condition: Expr, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let Some(input) = with_vectors_that(condition, &projection.input)? else { return Ok(None) };
            let projection = Projection::try_new(projection.expr.clone(), Arc::new(input))?;
            Ok(Some(LogicalPlan::Projection(projection)))
        }
        LogicalPlan::Join(join) => {
            let vectors = Filter::try_new(condition, Arc::clone(&join.left))?;
            inner_join(join, Arc::new(LogicalPlan::Filter(vectors)), join.on.clone()).map(Some)
        }
        _ => Ok(None),
    }
}

/// A condition for the clusters in the place of one for rows.
struct Moved {
    below: Expr,
    /// The clusters for which it is the same condition, or `None` for all. The rows of the others are filtered above.
    is_known: Option<Expr>,
}

/// Rewrites a condition for the clusters, if it is one of a WHERE and the clusters have the values that it needs.
fn of_clusters(fetch: &Fetch, known: &[KnownValue], conjunct: &Expr) -> Result<Option<Moved>> {
    if is_ours(conjunct) {
        return Ok(None);
    }
    let Some(over_join) = over_join(conjunct.clone(), &fetch.filter.input)? else { return Ok(None) };
    if !can_move(&over_join)? {
        return Ok(None);
    }
    if fetch.is_of_clusters(&over_join) {
        return Ok(Some(Moved { below: over_join, is_known: None }));
    }
    let alternatives: Vec<Expr> = split_binary(&over_join, Operator::Or).into_iter().cloned().collect();
    let (of_clusters, conditions) = with_known_values(over_join, known)?;
    if !fetch.is_of_clusters(&of_clusters) {
        return Ok(None);
    }
    let Some(is_known) = conjunction(conditions) else {
        return Ok(Some(Moved { below: of_clusters, is_known: None }));
    };
    let is_known_or = split_binary(&is_known, Operator::Or);
    if is_known_or.iter().all(|part| alternatives.contains(part)) {
        // This is what an earlier pass has left above.
        return Ok(None);
    }
    let below = is_known.clone().is_not_true().or(of_clusters);
    Ok(Some(Moved { below, is_known: Some(is_known) }))
}

/// Returns the plan with its limit copied to the clusters, if this is a sort with a limit over a `dbcluster`.
fn limited(plan: &LogicalPlan, sort: &Sort) -> Result<Option<LogicalPlan>> {
    let Some(rows) = sort.fetch else { return Ok(None) };
    let Some(fetch) = fetch_of_all_rows(&sort.input) else { return Ok(None) };
    if is_limited(&fetch.join.left) {
        return Ok(None);
    }
    let known: Vec<KnownValue> =
        fetch.known_values().into_iter().filter(KnownValue::is_of_all_groups).collect();
    let mut order: Vec<SortExpr> = vec![];
    for key in &sort.expr {
        let Some(over_join) = over_join(key.expr.clone(), &sort.input)? else { break };
        let (of_clusters, _) = with_known_values(over_join, &known)?;
        if !can_move(&of_clusters)? || !fetch.is_of_clusters(&of_clusters) {
            break;
        }
        // Floats of clusters are canonical.
        let of_clusters = match of_limit_key(&of_clusters) {
            column @ Expr::Column(_) => column.clone(),
            _ => of_clusters,
        };
        order.push(SortExpr { expr: of_clusters, ..key.clone() });
    }
    let compared = fetch.compared();
    let mut identity = compared.features.iter().chain(&compared.partitions);
    if !identity.all(|column| order.iter().any(|key| key.expr.try_as_col() == Some(column))) {
        return Ok(None);
    }
    let first = |input| Ok(LogicalPlan::Sort(Sort { expr: order, input, fetch: Some(rows) }));
    with_clusters(plan.clone(), first).map(Some)
}

/// Returns the part that fetches exemplars, if all its rows are rows of the plan.
fn fetch_of_all_rows(plan: &LogicalPlan) -> Option<Fetch<'_>> {
    match plan {
        LogicalPlan::Projection(projection) => fetch_of_all_rows(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => fetch_of_all_rows(&alias.input),
        filter => Fetch::of(filter)
            .filter(|fetch| split_conjunction(&fetch.filter.predicate).into_iter().all(is_ours)),
    }
}

/// Whether clusters are limited already, from this or an earlier pass.
fn is_limited(clusters: &LogicalPlan) -> bool {
    match clusters {
        LogicalPlan::Sort(sort) => sort.fetch.is_some(),
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Filter(_) => {
            clusters.inputs().into_iter().any(is_limited)
        }
        _ => false,
    }
}

/// Replaces the clusters of the join below by a plan over them with the same columns.
fn with_clusters(
    mut plan: LogicalPlan,
    over: impl FnOnce(Arc<LogicalPlan>) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let clusters = match &mut plan {
        LogicalPlan::Sort(sort) => clusters_mut(Arc::make_mut(&mut sort.input)),
        other => clusters_mut(other),
    };
    if let Some(clusters) = clusters {
        *clusters = Arc::new(over(Arc::clone(clusters))?);
    }
    Ok(plan)
}
