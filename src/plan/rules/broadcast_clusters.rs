//! [`BroadcastClusters`]: a logical rule for engines that run a join in many tasks.
//!
//! The plans of this crate join few rows with many: clusters with the events that stand for them, or labelled vectors with the
//! events that they label. A cluster of machines should broadcast the few rows to every task that reads events, and not
//! exchange all events. Two things keep it from that:
//!
//! - It expects as many vectors as events. The rule adds filters with [`__assume_few_rows`](assume_few_rows_udf) before and
//!   after the vectors are labelled, which drop nothing and lower the estimate twice.
//! - `dbcluster` fetches the exemplars by a left join of the clusters with the events, so that a cluster whose row has gone is
//!   noticed. With a broadcast, no task knows whether the others have an event for a cluster. The rule makes it an inner join.
//!   A host that applies the rule must make sure in another way that both reads of the table return the same rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, Window, ident};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::super::columns::{CLUSTERS, LABEL, WEIGHT};
use super::super::functions::{assume_few_rows_udf, vectors_equal_udf};
use super::super::nesting::is_labelling;
use super::inner_join;

/// Prepares the joins of this crate's plans for engines that broadcast a small side to many tasks. It lowers the estimate of
/// the vectors, and makes the join that fetches exemplars an inner one. The host must make sure that both reads of a table
/// return the same rows, since that join no longer notices a missing row.
#[derive(Debug, Default)]
pub struct BroadcastClusters;

impl OptimizerRule for BroadcastClusters {
    fn name(&self) -> &'static str {
        "dbcluster_broadcast_clusters"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let rewritten = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Join(join) if join.join_type == JoinType::Left && is_fetch(&join) => {
                inner_join(&join, Arc::clone(&join.left), with_features(&join)).map(Transformed::yes)
            }
            LogicalPlan::Window(window) if is_labelling(&window) && !has_few_rows_filter(&window.input)? => {
                let vectors = with_few_rows_filter(window.input, WEIGHT)?;
                let window = Window::try_new(window.window_expr, Arc::new(vectors))?;
                let labelled = with_few_rows_filter(Arc::new(LogicalPlan::Window(window)), LABEL)?;
                Ok(Transformed::yes(labelled))
            }
            other => Ok(Transformed::no(other)),
        })?;
        if !rewritten.transformed {
            return Ok(rewritten);
        }
        // The inner join makes columns of the events not nullable, so the schemas above it change.
        rewritten.map_data(|plan| {
            plan.transform_up(|node| node.recompute_schema().map(Transformed::yes)).map(|plan| plan.data)
        })
    }
}

/// Returns the keys of the join that fetches exemplars, and the pairs of features that its filter compares.
fn with_features(join: &Join) -> Vec<(Expr, Expr)> {
    let mut on = join.on.clone();
    for conjunct in join.filter.iter().flat_map(split_conjunction) {
        if let Expr::ScalarFunction(call) = conjunct
            && call.func.name() == vectors_equal_udf().name()
        {
            let (pairs, _) = call.args.as_chunks::<2>();
            on.extend(pairs.iter().cloned().map(|[of_cluster, of_event]| (of_cluster, of_event)));
        }
    }
    on
}

/// Whether this is the join that fetches exemplars, before or after the rule.
fn is_fetch(join: &Join) -> bool {
    let is_of_clusters = join
        .left
        .schema()
        .iter()
        .any(|(relation, _)| relation.is_some_and(|relation| relation.table() == CLUSTERS));
    is_of_clusters && matches!(join.join_type, JoinType::Left | JoinType::Inner)
}

/// Returns whether the rule has added a filter with `__assume_few_rows` to a plan.
pub fn assumes_few_rows(plan: &LogicalPlan) -> Result<bool> {
    let mut has = false;
    plan.apply_with_subqueries(|node| {
        has |= matches!(node, LogicalPlan::Filter(filter) if calls_assume_few_rows(&filter.predicate)?);
        Ok(if has { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(has)
}

/// Whether the vectors below a window have the filter already, from this or an earlier pass.
fn has_few_rows_filter(vectors: &LogicalPlan) -> Result<bool> {
    match vectors {
        LogicalPlan::Filter(filter) if calls_assume_few_rows(&filter.predicate)? => Ok(true),
        LogicalPlan::Filter(_) | LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            vectors.inputs().first().map_or(Ok(false), |input| has_few_rows_filter(input))
        }
        _ => Ok(false),
    }
}

fn calls_assume_few_rows(predicate: &Expr) -> Result<bool> {
    predicate.exists(|expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.name() == assume_few_rows_udf().name()))
    })
}

fn with_few_rows_filter(input: Arc<LogicalPlan>, column: &str) -> Result<LogicalPlan> {
    let predicate = assume_few_rows_udf().call(vec![ident(column)]);
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, input)?))
}
