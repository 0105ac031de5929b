//! Evaluates constant expressions while a statement is planned.

use arrow::datatypes::Schema;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::create_physical_expr;

/// Returns the value, or `None` if the expression has none yet (it uses columns or placeholders) or fails.
pub(crate) fn constant(expr: Expr) -> Option<ScalarValue> {
    computed(expr).ok().flatten()
}

/// Returns the value, or `None` if the expression has none yet, since it uses columns, placeholders or subqueries.
///
/// # Errors
/// The expression can't be computed, as in `1 / 0`.
pub(crate) fn computed(expr: Expr) -> Result<Option<ScalarValue>> {
    if !is_of_constants(&expr)? {
        return Ok(None);
    }
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    // Functions expect coerced arguments: [1, 0.5] would panic otherwise.
    let coerced = simplifier.coerce(expr, &DFSchema::empty())?;
    match simplifier.simplify(coerced)? {
        Expr::Literal(value, _) => Ok(Some(value)),
        // The simplifier returns an expression that fails unchanged, without the error.
        other => evaluated(&other).map(Some),
    }
}

/// Whether an expression is made of constants and of functions that give the same value each time.
fn is_of_constants(expr: &Expr) -> Result<bool> {
    let has_none_yet = expr.exists(|part| {
        // A stable function such as now() has a value only when the query runs.
        let is_immutable = match part {
            Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
            _ => !part.is_volatile_node(),
        };
        Ok(!is_immutable
            || matches!(
                part,
                Expr::Column(_)
                    | Expr::Placeholder(_)
                    | Expr::ScalarVariable(..)
                    | Expr::OuterReferenceColumn(..)
                    | Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
                    | Expr::AggregateFunction(_)
                    | Expr::WindowFunction(_)
            ))
    })?;
    Ok(!has_none_yet)
}

fn evaluated(expr: &Expr) -> Result<ScalarValue> {
    let planned = create_physical_expr(
        expr,
        &DFSchema::empty(),
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Schema::empty().into(), vec![], &one_row)?;
    match planned.evaluate(&row)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn failing_constants_are_errors_and_open_ones_have_no_value() {
        assert_eq!(constant(lit(1_i64) + lit(2_i64)), Some(ScalarValue::from(3_i64)));
        let failed = computed(lit(1_i64) / lit(0_i64)).map_err(|error| error.strip_backtrace());
        assert!(matches!(&failed, Err(text) if text.contains("Divide by zero")), "{failed:?}");
        assert!(matches!(computed(col("x") / lit(0_i64)), Ok(None)));
        assert_eq!(constant(lit(1_i64) / lit(0_i64)), None);
    }
}
