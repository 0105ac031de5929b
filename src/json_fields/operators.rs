//! The operators `->`, `->>` and `?`, which the parser knows and the engine leaves to others.
//!
//! The engine's own dialect reads `ev->>'user' = 'amy'` as `ev->>('user' = 'amy')`, where Postgres compares the field. A comparison
//! is neither JSON nor a step, so it can only have been meant the other way, and [`read`] puts the operator inside it. `'name: ' ||
//! ev->>'user'` and `ev->>'n'::int` may be meant either way, so they are refused, with what to write.

use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::{Alias, Between, InList, Like};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::function::Reads;
use super::udf;

/// Plans the operators as calls of the functions, under the names that they were written with.
#[derive(Debug)]
pub(crate) struct JsonOperators;

impl ExprPlanner for JsonOperators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (reads, operator) = match expr.op {
            BinaryOperator::Arrow => (Reads::Json, "->"),
            BinaryOperator::LongArrow => (Reads::Text, "->>"),
            BinaryOperator::Question => (Reads::IsThere, "?"),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        read(reads, operator, expr.left, expr.right).map(PlannerResult::Planned)
    }
}

/// Builds `json -> step`, inside of a comparison that was taken for one of the two.
fn read(reads: Reads, operator: &str, json: Expr, step: Expr) -> Result<Expr> {
    // `json -> (step = other)` becomes `(json -> step) = other`.
    let inside = |json: Expr, step: Box<Expr>| read(reads, operator, json, *step).map(Box::new);
    Ok(match (json, step) {
        (json, Expr::BinaryExpr(BinaryExpr { left, op, right })) if is_comparison(op) => {
            Expr::BinaryExpr(BinaryExpr { left: inside(json, left)?, op, right })
        }
        (json, Expr::Like(like)) => Expr::Like(Like { expr: inside(json, like.expr)?, ..like }),
        (json, Expr::SimilarTo(like)) => Expr::SimilarTo(Like { expr: inside(json, like.expr)?, ..like }),
        (json, Expr::InList(list)) => Expr::InList(InList { expr: inside(json, list.expr)?, ..list }),
        (json, Expr::Between(range)) => Expr::Between(Between { expr: inside(json, range.expr)?, ..range }),
        (json, Expr::IsNull(step)) => Expr::IsNull(inside(json, step)?),
        (json, Expr::IsNotNull(step)) => Expr::IsNotNull(inside(json, step)?),
        // `(other = json) -> step` becomes `other = (json -> step)`.
        (Expr::BinaryExpr(BinaryExpr { left, op, right }), step) if is_comparison(op) => {
            Expr::BinaryExpr(BinaryExpr { left, op, right: inside(*right, Box::new(step))? })
        }
        (json, step) => {
            let is_computed = matches!(json, Expr::BinaryExpr(_))
                || matches!(step, Expr::BinaryExpr(_) | Expr::Cast(_) | Expr::TryCast(_));
            if is_computed {
                return plan_err!(
                    "{operator} binds less than the operators beside it: write (ev{operator}'name') || 'text' or \
                     (ev{operator}'name')::int with brackets, and {}(...) for text or a step that is computed",
                    reads.name()
                );
            }
            let name = format!("{}{operator}{}", written(&json), written(&step));
            udf(reads).call(vec![unnamed(json), unnamed(step)]).alias(name)
        }
    })
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// An operand without the name that this planner gave it.
fn unnamed(operand: Expr) -> Expr {
    match operand {
        Expr::Alias(Alias { expr, .. }) => *expr,
        other => other,
    }
}

/// An operand as it was written, as far as it can be told.
fn written(operand: &Expr) -> String {
    match operand {
        Expr::Column(Column { name, .. }) | Expr::Alias(Alias { name, .. }) => name.clone(),
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(Some(text)) => format!("'{text}'"),
            _ if matches!(value, ScalarValue::Null) => "NULL".to_string(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}
