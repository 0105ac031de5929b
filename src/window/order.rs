//! [`DbscanOrder`] completes what SQL says of a `dbscan` window, and checks what can be checked while it is planned.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawWindowExpr};
use datafusion::logical_expr::{Expr, WindowFunctionDefinition};

use super::DBSCAN_ARGS;
use super::options::{Options, params};
use crate::constant::constant;

/// Completes the ORDER BY of a `dbscan` window with its features.
///
/// Rows that are equal in every feature are interchangeable for the clustering, so with the features as the
/// last keys the rows arrive in an order that only their values decide.
#[derive(Debug)]
pub(crate) struct DbscanOrder;

impl ExprPlanner for DbscanOrder {
    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let is_dbscan =
            matches!(&expr.func_def, WindowFunctionDefinition::WindowUDF(udf) if udf.name() == "dbscan");
        if !is_dbscan || expr.args.len() <= DBSCAN_ARGS.len() {
            return Ok(PlannerResult::Original(expr));
        }
        if expr.distinct || expr.filter.is_some() || expr.null_treatment.is_some() {
            return plan_err!(
                "dbscan takes no DISTINCT, FILTER, IGNORE NULLS or RESPECT NULLS: choose the rows with WHERE"
            );
        }
        if !expr.window_frame.start_bound.is_unbounded() {
            return plan_err!(
                "dbscan clusters its whole partition: leave the frame (ROWS or RANGE BETWEEN) out"
            );
        }
        let (features, options) = features_and_options(&expr.args[DBSCAN_ARGS.len()..]);
        check_constants(&expr.args, features.len(), options)?;
        let mut order_by = expr.order_by;
        for feature in features {
            if !order_by.iter().any(|sort| sort.expr == *feature) {
                order_by.push(feature.clone().sort(true, false));
            }
        }
        Ok(PlannerResult::Planned(Expr::from(WindowFunction {
            fun: expr.func_def,
            params: WindowFunctionParams {
                args: expr.args,
                partition_by: expr.partition_by,
                order_by,
                window_frame: expr.window_frame,
                filter: None,
                null_treatment: None,
                distinct: false,
            },
        })))
    }
}

/// Takes the options off the end, which are a struct as it is written: a feature can't be one.
fn features_and_options(args: &[Expr]) -> (&[Expr], Option<&Expr>) {
    match args.split_last() {
        Some((last, features)) if is_struct(last) => (features, Some(last)),
        _ => (args, None),
    }
}

fn is_struct(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => matches!(value, ScalarValue::Struct(_)),
        Expr::ScalarFunction(ScalarFunction { func, .. }) => matches!(func.name(), "named_struct" | "struct"),
        _ => false,
    }
}

/// What is wrong is told before the query runs; what is not constant yet (a placeholder) is checked later.
fn check_constants(args: &[Expr], features: usize, options: Option<&Expr>) -> Result<()> {
    let eps = constant(args[0].clone()).and_then(|value| as_number(&value));
    let min_samples = constant(args[1].clone()).and_then(|value| as_whole_number(&value));
    let params = params("dbscan", eps.unwrap_or(1.0), min_samples.unwrap_or(1))?;
    if let Some(options) = options.cloned().and_then(constant) {
        Options::of_dbscan(params, Some(&options), features)?;
    }
    Ok(())
}

fn as_number(value: &ScalarValue) -> Option<f64> {
    match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(number)) => number,
        _ => None,
    }
}

fn as_whole_number(value: &ScalarValue) -> Option<i64> {
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(number)) => number,
        _ => None,
    }
}
