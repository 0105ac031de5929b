//! Splits a window that has our functions and others into several operators.
//!
//! The planner puts functions with the same PARTITION BY and ORDER BY into one node. Each run of our functions in it becomes a
//! [`DbscanExec`]; the others stay in windows of the engine. The order of the columns stays, and all of the operators keep the
//! order of the rows, so nothing is sorted twice.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use super::{DbscanExec, clustering};
use crate::error::internal_err;

/// Returns the operators that replace `node`, if that is a window with a function of ours.
pub(in super::super) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Ok(window) = (Arc::clone(node) as Arc<dyn Any + Send + Sync>).downcast::<WindowAggExec>() else {
        return Ok(None);
    };
    let is_ours = |expr: &Arc<dyn WindowExpr>| clustering(expr).is_some();
    if !window.window_expr().iter().any(is_ours) {
        return Ok(None);
    }
    let is_partitioned = !window.partition_keys().is_empty();
    let mut plan = Arc::clone(window.input());
    for exprs in window.window_expr().chunk_by(|left, right| is_ours(left) == is_ours(right)) {
        plan = window_of(exprs, plan, is_partitioned)?;
    }
    Ok(Some(plan))
}

/// Builds the operator for functions that are either all ours or all others.
fn window_of(
    exprs: &[Arc<dyn WindowExpr>],
    input: Arc<dyn ExecutionPlan>,
    is_partitioned: bool,
) -> Result<Arc<dyn ExecutionPlan>> {
    // The engine's planner chooses between the two windows in the same way.
    if exprs.iter().all(|expr| expr.uses_bounded_memory()) {
        let order = InputOrderMode::Sorted;
        return Ok(Arc::new(BoundedWindowAggExec::try_new(exprs.to_vec(), input, order, is_partitioned)?));
    }
    let window = Arc::new(WindowAggExec::try_new(exprs.to_vec(), input, is_partitioned)?);
    if !exprs.iter().any(|expr| clustering(expr).is_some()) {
        return Ok(window);
    }
    match DbscanExec::try_from_window(&window)? {
        Some(exec) => Ok(Arc::new(exec)),
        None => internal_err!("a window of clusterings is none"),
    }
}
