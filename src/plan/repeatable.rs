//! Checks that the input of a table function is the same in both reads, and does not depend on an outer query.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::complete::{adds_floats, complete, is_left_open, is_sorted};
use crate::window::regroup::window_function;

/// Returns the input with its orders [completed](super::complete), so that it can be read twice.
///
/// # Errors
/// The input may differ from read to read, or uses a column of an outer query.
pub(crate) fn repeatable(function: &str, input: LogicalPlan) -> Result<LogicalPlan> {
    check_is_alone(function, &input)?;
    let mut reason = None;
    input.apply_with_subqueries(|node| {
        reason = what_differs(node);
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if let Some(reason) = reason {
        return plan_err!(
            "{function}: the input {reason}, but its rows are read twice; store it first with CREATE TABLE ... AS \
             SELECT ..., and cluster that"
        );
    }
    complete(input)
}

/// Checks that the input uses no outer query. A subquery within the input may refer to the input's rows, so only references
/// in the input's own nodes count.
fn check_is_alone(function: &str, input: &LogicalPlan) -> Result<()> {
    let mut outer = None;
    input.apply(|node| {
        for expr in node.expressions() {
            expr.apply(|part| {
                if let Expr::OuterReferenceColumn(_, column) = part {
                    outer = Some(column.flat_name());
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(if outer.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match outer {
        Some(column) => plan_err!(
            "{function}: the input uses {column} of the query around it, so it would be clustered once per outer \
             row, which is not supported; cluster all rows with partition_by, and join the result"
        ),
        None => Ok(()),
    }
}

/// Returns the reason why a node may return other rows the next time, in words that follow "the input".
fn what_differs(node: &LogicalPlan) -> Option<String> {
    let exprs = node.expressions();
    if exprs.iter().any(Expr::is_volatile) {
        return Some("has an expression that gives another value each time, such as random()".to_string());
    }
    match node {
        LogicalPlan::Limit(limit) if !is_sorted(&limit.input) => {
            Some("has a LIMIT or OFFSET without ORDER BY, which may choose other rows each time".to_string())
        }
        LogicalPlan::Window(_) => {
            let open = exprs.iter().filter_map(window_function).find(|function| is_left_open(function))?;
            Some(format!(
                "has {} over a frame whose limits are equal rows, which may come in another order each time (ROWS in place of \
                 RANGE or GROUPS would do, or another function)",
                open.fun.name()
            ))
        }
        LogicalPlan::Aggregate(aggregate) => {
            exprs.iter().find_map(|expr| open_aggregate(expr, aggregate.input.schema()))
        }
        _ => None,
    }
}

/// Returns the name of an aggregate function in an expression that depends on the order of its rows and has no exact form.
fn open_aggregate(expr: &Expr, schema: &DFSchema) -> Option<String> {
    let mut found = None;
    let walked = expr.apply(|expr| {
        let Expr::AggregateFunction(function) = expr else { return Ok(TreeNodeRecursion::Continue) };
        let name = function.func.name();
        found = match name {
            "approx_median" | "approx_percentile_cont" | "approx_percentile_cont_with_weight" => Some(format!(
                "has {name}, whose estimate depends on the order in which threads meet (median and percentile_cont are exact)"
            )),
            "corr" | "covar_samp" | "covar_pop" | "regr_slope" | "regr_intercept" | "regr_r2" | "regr_avgx"
            | "regr_avgy" | "regr_sxx" | "regr_syy" | "regr_sxy" => {
                Some(format!("has {name}, whose last digits depend on the order in which threads meet"))
            }
            _ if function.params.distinct && adds_floats(function, schema)? => Some(format!(
                "has {name}(DISTINCT ...) of floats, whose last digits depend on the order in which threads meet"
            )),
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.ok().and(found)
}
