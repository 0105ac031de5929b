//! [`PruneExemplarColumns`]: a logical rule that reads only those columns of the events that affect the result.
//!
//! `dbcluster` plans a second read of its table, for all columns of the exemplars, and decides ties among the candidates by all
//! of them. The engine drops columns that are not used, but it can't know two facts:
//!
//! - Ties are decided column by column, so a column after the last one that is shown does not affect the result.
//! - If each group is one row and no column of the events is shown (`SELECT cluster_size`, `count(*)`), the clusters alone are
//!   the answer, and the table need not be read again.
//!
//! The result is the same without the rule, at a higher cost.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::{Alias, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, expr_to_columns, split_conjunction};
use datafusion::logical_expr::{Expr, Filter, JoinType, LogicalPlan, Projection, SortExpr, Window};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::super::collapse::number_ties;
use super::super::columns::{CLUSTERS, FOUND, TIE};
use super::super::functions::{assert_row_found_udf, vectors_equal_udf};

/// Drops sort keys and whole reads of events that do not affect the result, see the module.
#[derive(Debug, Default)]
pub(crate) struct PruneExemplarColumns;

impl OptimizerRule for PruneExemplarColumns {
    fn name(&self) -> &'static str {
        "dbcluster_exemplar_columns"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match rewritten(&plan)? {
            Some(better) => Ok(Transformed::yes(better)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// Returns the cheaper plan, if `plan` is a projection over the filter of a `dbcluster` and there is a cheaper one.
fn rewritten(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Projection(shown) = plan else { return Ok(None) };
    let LogicalPlan::Filter(filter) = shown.input.as_ref() else { return Ok(None) };
    let conjuncts = split_conjunction(&filter.predicate);
    if !conjuncts.iter().any(|conjunct| calls(conjunct, assert_row_found_udf().name())) {
        return Ok(None);
    }
    let others: Vec<Expr> = conjuncts.into_iter().filter(|conjunct| !is_ours(conjunct)).cloned().collect();
    let mut seen = HashSet::new();
    for expr in shown.expr.iter().chain(&others) {
        expr_to_columns(expr, &mut seen)?;
    }
    let seen_of_events: HashSet<&Column> = seen
        .iter()
        .filter(|column| !is_of_clusters(column) && column.name != FOUND && column.name != TIE)
        .collect();

    if seen_of_events.is_empty()
        && let Some(clusters) = clusters_that_are_rows(&filter.input)
    {
        let clusters = match conjunction(others) {
            Some(predicate) => Arc::new(LogicalPlan::Filter(Filter::try_new(predicate, clusters)?)),
            None => clusters,
        };
        return Ok(Some(LogicalPlan::Projection(Projection::try_new(shown.expr.clone(), clusters)?)));
    }
    let Some(input) = with_fewer_ties(&filter.input, &seen_of_events)? else { return Ok(None) };
    let filter = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
    let filter = Arc::new(LogicalPlan::Filter(filter));
    Ok(Some(LogicalPlan::Projection(Projection::try_new(shown.expr.clone(), filter)?)))
}

/// Whether a conjunct of the filter is from the plan of `dbcluster`, and not from a WHERE.
fn is_ours(conjunct: &Expr) -> bool {
    calls(conjunct, assert_row_found_udf().name())
        || conjunct.column_refs().iter().any(|column| column.relation.is_none() && column.name == TIE)
}

fn calls(expr: &Expr, function: &str) -> bool {
    matches!(expr, Expr::ScalarFunction(ScalarFunction { func, .. }) if func.name() == function)
}

fn is_of_clusters(column: &Column) -> bool {
    column.relation.as_ref().is_some_and(|relation| relation.table() == CLUSTERS)
}

/// Returns the clusters below the window and the join, if each becomes exactly one row of the result.
fn clusters_that_are_rows(plan: &LogicalPlan) -> Option<Arc<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => clusters_that_are_rows(&projection.input),
        LogicalPlan::Window(window) => clusters_that_are_rows(&window.input),
        // A join with `__vectors_equal` has one row per group, see `groups_have_one_row` in `collapse`. In the other join noise
        // may have many rows.
        LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Left | JoinType::Inner) => {
            let by_key = join.filter.as_ref().is_some_and(|on| calls(on, vectors_equal_udf().name()));
            by_key.then(|| Arc::clone(&join.left))
        }
        _ => None,
    }
}

/// Removes the sort keys of the window after the last column that is shown, if there are any.
fn with_fewer_ties(plan: &LogicalPlan, seen: &HashSet<&Column>) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => match with_fewer_ties(&projection.input, seen)? {
            Some(input) => Ok(Some(LogicalPlan::Projection(Projection::try_new(
                projection.expr.clone(),
                Arc::new(input),
            )?))),
            None => Ok(None),
        },
        LogicalPlan::Window(window) => {
            let [Expr::Alias(Alias { expr, name, .. })] = window.window_expr.as_slice() else {
                return Ok(None);
            };
            let Expr::WindowFunction(row_number) = expr.as_ref() else { return Ok(None) };
            let order_by = &row_number.params.order_by;
            let is_seen = |key: &SortExpr| key.expr.column_refs().iter().any(|column| seen.contains(column));
            let deciding = order_by.iter().rposition(is_seen).map_or(0, |last| last + 1);
            if name != TIE || deciding == order_by.len() {
                return Ok(None);
            }
            let tie = number_ties(row_number.params.partition_by.clone(), order_by[..deciding].to_vec());
            let window = Window::try_new(vec![tie], Arc::clone(&window.input))?;
            Ok(Some(LogicalPlan::Window(window)))
        }
        _ => Ok(None),
    }
}
