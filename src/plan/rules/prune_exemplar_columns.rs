//! [`PruneExemplarColumns`]: a logical rule that reads only those columns of the events that affect the result.
//!
//! `dbcluster` plans a second read of its table, for all columns of the exemplars, and decides ties among the candidates by all
//! of them. The engine drops columns that are not used, but it can't know two facts:
//!
//! - Ties are decided column by column, so a column after the last one that is shown does not affect the result.
//! - If no column of the events is shown (`SELECT cluster_size`, `count(*)`), the clusters alone are the answer, and the table need
//!   not be read again. A vector without a cluster is as many rows as it has events: one, or with `min_samples` above 2 and for
//!   skipped vectors any number. Its row is repeated so many times.
//!
//! ```text
//! Filter                          Unnest: range(0, __rows, 1)
//!   Window: __tie       becomes     Unnest: range(0, __rows, 1024)
//!     Left Join                       Unnest: range(0, __rows, 1048576)
//!       __clusters                      __clusters
//!       events
//! ```
//!
//! A row is repeated in three steps: into one row per 1,048,576 repetitions, each of these into one per 1024, and those one by
//! one. The engine holds the list of a row in memory, and these lists are short whatever the number of events.
//!
//! The result is the same without the rule, at a higher cost.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::functions::core::expr_fn::least;
use datafusion::functions_nested::expr_fn::range;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::utils::{conjunction, expr_to_columns, split_conjunction};
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SortExpr, Window, ident, lit, when,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::super::collapse::number_ties;
use super::super::columns::{FOUND, ROWS, SIZE, START, TIE, cluster_col, cluster_column};
use super::super::values::group;
use super::fetch::{Fetch, is_ours};

/// The number of repetitions that a row stands for after each step.
const STEPS: [i64; 3] = [1024 * 1024, 1024, 1];

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
    let Some(fetch) = Fetch::of(&shown.input) else { return Ok(None) };
    let conjuncts = split_conjunction(&fetch.filter.predicate);
    let others: Vec<Expr> = conjuncts.into_iter().filter(|conjunct| !is_ours(conjunct)).cloned().collect();
    let mut seen = HashSet::new();
    for expr in shown.expr.iter().chain(&others) {
        expr_to_columns(expr, &mut seen)?;
    }
    let clusters = &fetch.join.left;
    let is_of_events = |column: &&Column| {
        !clusters.schema().has_column(column) && column.name != FOUND && column.name != TIE
    };
    let seen_of_events: HashSet<&Column> = seen.iter().filter(is_of_events).collect();

    if seen_of_events.is_empty() {
        let clusters = match conjunction(others) {
            Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, Arc::clone(clusters))?),
            None => clusters.as_ref().clone(),
        };
        if let Some(rows) = rows_of(clusters, fetch.has_one_row_per_group())? {
            return Ok(Some(LogicalPlan::Projection(Projection::try_new(
                shown.expr.clone(),
                Arc::new(rows),
            )?)));
        }
    }
    let Some(input) = with_fewer_ties(&fetch.filter.input, &seen_of_events)? else { return Ok(None) };
    let filter = Filter::try_new(fetch.filter.predicate.clone(), Arc::new(input))?;
    let filter = Arc::new(LogicalPlan::Filter(filter));
    Ok(Some(LogicalPlan::Projection(Projection::try_new(shown.expr.clone(), filter)?)))
}

/// Returns a row for each row of the result, without the events, if the plan still has the number of them.
fn rows_of(clusters: LogicalPlan, has_one_row_per_group: bool) -> Result<Option<LogicalPlan>> {
    if has_one_row_per_group {
        return Ok(Some(clusters));
    }
    if !clusters.schema().has_column(&cluster_column(SIZE)) {
        return Ok(None);
    }
    let columns: Vec<Expr> = clusters.schema().columns().into_iter().map(Expr::Column).collect();
    let mut rows = when(group().is_cluster(), lit(1_i64)).otherwise(cluster_col(SIZE))?;
    let mut repeated = LogicalPlanBuilder::from(clusters);
    for step in STEPS {
        let mut exprs = columns.clone();
        exprs.extend([rows.clone().alias(ROWS), range(lit(0_i64), rows, lit(step)).alias(START)]);
        repeated = repeated.project(exprs)?.unnest_column(START)?;
        rows = least(vec![lit(step), ident(ROWS) - ident(START)]);
    }
    repeated.project(columns)?.build().map(Some)
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
