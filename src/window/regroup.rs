//! Distributes window expressions over nodes by their sort keys, since the engine sorts once per node.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::utils::generate_sort_key;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Window};

use crate::error::internal_err;

/// Returns the window function of an expression of a [`Window`] node.
pub(crate) fn window_function(expr: &Expr) -> Option<&WindowFunction> {
    match expr {
        Expr::WindowFunction(function) => Some(function),
        Expr::Alias(alias) => window_function(&alias.expr),
        _ => None,
    }
}

/// Replaces the expressions of `window` by others of the same names in the same places, in as many nodes as they need.
/// Functions for which `is_apart` is true share no node with the others.
pub(crate) fn with_expressions(
    window: &Window,
    exprs: Vec<Expr>,
    is_apart: impl Fn(&WindowFunction) -> bool,
) -> Result<LogicalPlan> {
    let mut nodes = vec![];
    for expr in exprs {
        let Some(function) = window_function(&expr) else {
            return internal_err!("a window node computes {expr}, which is no window function");
        };
        let sort_key = generate_sort_key(&function.params.partition_by, &function.params.order_by)?;
        let key = (is_apart(function), sort_key);
        match nodes.iter_mut().find(|(other, _): &&mut (_, Vec<Expr>)| *other == key) {
            Some((_, exprs)) => exprs.push(expr),
            None => nodes.push((key, vec![expr])),
        }
    }
    let mut plan = Arc::clone(&window.input);
    for (_, exprs) in nodes {
        plan = Arc::new(LogicalPlan::Window(Window::try_new(exprs, plan)?));
    }
    if plan.schema().columns() != window.schema.columns() {
        let columns = Projection::new_from_schema(plan, Arc::clone(&window.schema));
        return Ok(LogicalPlan::Projection(columns));
    }
    Ok(Arc::unwrap_or_clone(plan))
}
