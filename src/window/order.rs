//! [`DbscanOrder`] completes the ORDER BY of `dbscan` windows. [`DbscanChecks`] refuses wrong ones while SQL is planned.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawWindowExpr};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Window, WindowFrame, WindowFunctionDefinition,
};
use datafusion::optimizer::AnalyzerRule;

use super::Function;
use super::regroup::{window_function, with_expressions};
use crate::constant::constant;
use crate::options::Carried;

/// A function that rewrites an expression so that equal values have equal bits.
pub(crate) type EqualBits = fn(Expr, &DFSchema) -> Result<Expr>;

/// Completes the ORDER BY of every `dbscan` window with its features, whoever made the plan: SQL, a `DataFrame`, Substrait.
///
/// - Rows that are equal in every feature are interchangeable for the clustering, so with the features as the last keys the
///   rows arrive in an order that only their values decide.
/// - Floats are ordered and partitioned in the form in which -0.0 is 0.0, as the table functions do.
/// - The frame becomes the whole partition, in rows: for the default frame (RANGE up to the current row) the engine needs a
///   first key that supports arithmetic, which binary values, times and structs don't.
///
/// The rule belongs before the engine's type coercion, which checks the frame.
#[derive(Debug)]
pub(crate) struct DbscanOrder(pub(crate) EqualBits);

impl AnalyzerRule for DbscanOrder {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let completed = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Window(window) if window.window_expr.iter().any(calls_dbscan) => {
                self.complete(window)
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(completed.data)
    }

    fn name(&self) -> &'static str {
        "dbscan_order"
    }
}

impl DbscanOrder {
    fn complete(&self, window: Window) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new_for_projection();
        let mut exprs = Vec::with_capacity(window.window_expr.len());
        for expr in &window.window_expr {
            let Some(function) = window_function(expr).filter(|function| is_dbscan(&function.fun)) else {
                exprs.push(expr.clone());
                continue;
            };
            let completed = self.completed(function, window.input.schema())?;
            exprs.push(names.save(expr).restore(Expr::from(completed)));
        }
        if exprs == window.window_expr {
            return Ok(Transformed::no(LogicalPlan::Window(window)));
        }
        Ok(Transformed::yes(with_expressions(&window, exprs, |function| is_dbscan(&function.fun))?))
    }

    fn completed(&self, function: &WindowFunction, schema: &DFSchema) -> Result<WindowFunction> {
        let mut function = function.clone();
        let params = &mut function.params;
        let has_other_clauses = params.distinct || params.filter.is_some() || params.null_treatment.is_some();
        check_window(has_other_clauses, &params.window_frame)?;
        for key in &mut params.partition_by {
            *key = (self.0)(key.clone(), schema)?;
        }
        for sort in &mut params.order_by {
            sort.expr = (self.0)(sort.expr.clone(), schema)?;
        }
        for feature in params.args.get(Function::Dbscan.leading_args().len()..).unwrap_or_default() {
            if matches!(feature.get_type(schema)?, DataType::Struct(_)) {
                continue;
            }
            let feature = (self.0)(feature.clone(), schema)?;
            if !params.order_by.iter().any(|sort| sort.expr == feature) {
                params.order_by.push(feature.sort(true, false));
            }
        }
        params.window_frame = WindowFrame::new(None);
        Ok(function)
    }
}

fn calls_dbscan(expr: &Expr) -> bool {
    window_function(expr).is_some_and(|function| is_dbscan(&function.fun))
}

fn is_dbscan(function: &WindowFunctionDefinition) -> bool {
    matches!(function, WindowFunctionDefinition::WindowUDF(udf) if udf.name() == "dbscan")
}

fn check_window(has_other_clauses: bool, frame: &WindowFrame) -> Result<()> {
    if has_other_clauses {
        return plan_err!(
            "dbscan takes no DISTINCT, FILTER, IGNORE NULLS or RESPECT NULLS: choose the rows with WHERE"
        );
    }
    if !frame.start_bound.is_unbounded() {
        return plan_err!("dbscan clusters its whole partition: leave the frame (ROWS or RANGE BETWEEN) out");
    }
    Ok(())
}

/// Checks a `dbscan` while SQL is planned, so that an error comes before the query runs.
#[derive(Debug)]
pub(crate) struct DbscanChecks;

impl ExprPlanner for DbscanChecks {
    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        if is_dbscan(&expr.func_def) && expr.args.len() > Function::Dbscan.leading_args().len() {
            let has_other_clauses = expr.distinct || expr.filter.is_some() || expr.null_treatment.is_some();
            check_window(has_other_clauses, &expr.window_frame)?;
            let (features, options) =
                features_and_options(&expr.args[Function::Dbscan.leading_args().len()..]);
            check_constants(&expr.args, features.len(), options)?;
        }
        Ok(PlannerResult::Original(expr))
    }
}

/// Splits the options off the end. They are written as a struct, which a feature can't be.
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

/// Checks the constants of a call. Placeholders have no value yet and are checked when the query runs.
fn check_constants(args: &[Expr], features: usize, options: Option<&Expr>) -> Result<()> {
    let eps = constant(args[0].clone()).and_then(|value| as_number(&value));
    let min_samples = constant(args[1].clone()).and_then(|value| as_whole_number(&value));
    let options = options.cloned().and_then(constant);
    Carried::of_dbscan(eps.unwrap_or(1.0), min_samples.unwrap_or(1), options.as_ref(), features)?;
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
