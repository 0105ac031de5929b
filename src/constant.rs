//! The value of an expression that has no columns, while a statement is planned.

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

/// The value, or `None` if the expression has none yet: it uses columns, placeholders, or is wrong in itself.
pub(crate) fn constant(expr: Expr) -> Option<ScalarValue> {
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    // Functions take it for granted that their arguments have been coerced: [1, 0.5] would panic.
    let coerced = simplifier.coerce(expr, &DFSchema::empty()).ok()?;
    match simplifier.simplify(coerced) {
        Ok(Expr::Literal(value, _)) => Some(value),
        _ => None,
    }
}
