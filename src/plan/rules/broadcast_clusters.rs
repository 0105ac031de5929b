//! A logical rule for engines that run a join in many tasks.
//!
//! The plans of this crate join few rows with many: clusters with the events that stand for them, or labelled vectors with the
//! events that they label. So a cluster of machines should send the few to every task that reads events, where otherwise it
//! exchanges all events. Two things keep it from that:
//!
//! - It expects as many vectors as events. The rule filters the vectors by [`__assume_few_rows`](assume_few_rows_udf) before and
//!   after they are labelled, which drops nothing, and makes a planner expect a fraction of a fraction.
//! - `dbcluster` fetches the exemplars by a left join of the clusters with the events, so that a cluster whose row has gone is
//!   noticed. Of many tasks none knows that all others have no event for a cluster. The rule makes it an inner join, and whoever
//!   applies the rule has to see to it in another way that the two reads of the table are of the same rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, Window, ident};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::super::columns::{CLUSTERS, LABEL, WEIGHT};
use super::super::functions::{assume_few_rows_udf, vectors_equal_udf};
use super::super::nesting::is_labelling;

/// See the module's text.
#[derive(Debug, Default)]
pub struct BroadcastClusters;

impl OptimizerRule for BroadcastClusters {
    fn name(&self) -> &'static str {
        "dbcluster_broadcast_clusters"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let rewritten = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Join(join) if join.join_type == JoinType::Left && is_fetch(&join) => {
                let join = Join::try_new(
                    Arc::clone(&join.left),
                    Arc::clone(&join.right),
                    with_features(&join),
                    join.filter.clone(),
                    JoinType::Inner,
                    join.join_constraint,
                    join.null_equality,
                    join.null_aware,
                )?;
                Ok(Transformed::yes(LogicalPlan::Join(join)))
            }
            LogicalPlan::Window(window) if is_labelling(&window) && !is_of_few(&window.input)? => {
                let vectors = few(window.input, WEIGHT)?;
                let window = Window::try_new(window.window_expr, Arc::new(vectors))?;
                let labelled = few(Arc::new(LogicalPlan::Window(window)), LABEL)?;
                Ok(Transformed::yes(labelled))
            }
            other => Ok(Transformed::no(other)),
        })?;
        if !rewritten.transformed {
            return Ok(rewritten);
        }
        // Columns of the events can't be NULL for want of a row any more, and all above has to know.
        rewritten.map_data(|plan| {
            plan.transform_up(|node| node.recompute_schema().map(Transformed::yes)).map(|plan| plan.data)
        })
    }
}

/// The keys of the join that fetches exemplars, and the features that its filter compares.
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

/// Whether a plan has vectors that the rule has made few.
pub fn has_few(plan: &LogicalPlan) -> Result<bool> {
    let mut has = false;
    plan.apply_with_subqueries(|node| {
        has |= matches!(node, LogicalPlan::Filter(filter) if says_few(&filter.predicate)?);
        Ok(if has { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(has)
}

/// Whether the vectors that a window labels are filtered already, in this or an earlier pass.
fn is_of_few(vectors: &LogicalPlan) -> Result<bool> {
    match vectors {
        LogicalPlan::Filter(filter) if says_few(&filter.predicate)? => Ok(true),
        LogicalPlan::Filter(_) | LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            vectors.inputs().first().map_or(Ok(false), |input| is_of_few(input))
        }
        _ => Ok(false),
    }
}

fn says_few(predicate: &Expr) -> Result<bool> {
    predicate.exists(|expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.name() == assume_few_rows_udf().name()))
    })
}

fn few(input: Arc<LogicalPlan>, column: &str) -> Result<LogicalPlan> {
    let predicate = assume_few_rows_udf().call(vec![ident(column)]);
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, input)?))
}
