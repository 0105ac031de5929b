//! What a table function can read: rows that are the same each time, and known without an outer row.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The rows are read twice, so both reads have to see the same ones.
///
/// # Errors
/// The input has something that may differ from read to read, or that an outer query has to supply.
pub(crate) fn check_repeatable(function: &str, input: &LogicalPlan) -> Result<()> {
    // A subquery inside of the input may refer to the input's rows; only what the input's own nodes refer to is outer.
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
    if let Some(column) = outer {
        return plan_err!(
            "{function}: the input uses {column} of the query around it, so it would be clustered once per outer \
             row, which is not supported; cluster all rows with partition_by, and join the result"
        );
    }
    let mut reason = None;
    input.apply_with_subqueries(|node| {
        if node.expressions().iter().any(Expr::is_volatile) {
            reason = Some("has an expression that gives another value each time, such as random()");
        } else if let LogicalPlan::Limit(limit) = node
            && !is_sorted(&limit.input)
        {
            reason = Some("has a LIMIT without ORDER BY, which may choose other rows each time");
        }
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match reason {
        Some(reason) => plan_err!(
            "{function}: the input {reason}, but its rows are read twice; store it first with CREATE TABLE ... AS \
             SELECT ..., and cluster that"
        ),
        None => Ok(()),
    }
}

fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_sorted(&alias.input),
        _ => false,
    }
}
