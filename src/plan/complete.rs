//! Completes the orders in an input query, so that two reads of it return the same rows.
//!
//! SQL does not say which of equal rows comes first: with threads, `ORDER BY host LIMIT 1000`, `DISTINCT ON`, `first_value(x)`
//! and `row_number() OVER (ORDER BY host)` choose other rows on each run. The table functions read their input twice, and
//! promise the same answer on every run. So where an order decides something, the other columns are added to it as further
//! keys, and only rows that are equal in all of them can change places. The result is still one that the query allows. Cost:
//! the sorts compare more keys; no operator is added.
//!
//! | part | further keys |
//! |---|---|
//! | `LIMIT`, `OFFSET` over `ORDER BY` | all columns of what is sorted |
//! | `DISTINCT ON` | all that is selected |
//! | `first_value`, `last_value`, `nth_value`, `array_agg`, `string_agg`, `any_value` | the arguments of all of them, so that all choose the same row |
//! | `row_number`, `ntile`, `lag`, `lead` and window functions over `ROWS` | all columns of the input |
//!
//! Sums, averages and variances of floats depend on the order of the rows in their last bits. They are replaced by
//! [`__exact_statistic`](crate::plan::functions::exact_statistic_udaf), which does not depend on it.
//!
//! Columns of types without an order (unions) are left out. A frame of `RANGE` or `GROUPS` ends at equal rows, so further keys
//! would change its meaning; it stays as it is.
//!
//! `DISTINCT ON` becomes the aggregation that the engine would plan for it, since the engine panics on it in `PREPARE`: its
//! rule looks for `first_value` in a registry that it has not been given.
//!
//! An order without a LIMIT is dropped. It would cost a sort. The engine would also refuse its own plan for some of them: a
//! later rule removes the single partition of the sort below an aggregation that relies on it. The engine drops such orders
//! itself in SQL subqueries, but not that of a `DISTINCT ON` or of a `DataFrame`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::functions_aggregate::expr_fn::first_value;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::functions_nested::expr_fn::map_entries;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment, WindowFunction};
use datafusion::logical_expr::expr_rewriter::{NamePreserver, normalize_cols};
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Sort, SortExpr,
    Window, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, cast, ident, lit,
};

use super::columns::is_reserved;
use super::functions::exact_statistic_udaf;
use super::sorting::{has_order, limit_key, of_limit_key};
use crate::window::regroup::{window_function, with_expressions};

/// Completes all orders of a plan, and drops those that decide nothing.
pub(super) fn complete(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut has_new_types = false;
    let complete = plan.transform_up_with_subqueries(|node| {
        // The engine takes any first_value for nullable, so the schemas of the nodes above may change.
        let node = if has_new_types { node.recompute_schema()? } else { node };
        has_new_types |= matches!(node, LogicalPlan::Distinct(Distinct::On(_)));
        let node = if passes_order_on(&node) { Transformed::no(node) } else { node.map_children(unordered)? };
        node.transform_data(complete_node)
    })?;
    Ok(complete.transform_data(unordered)?.data)
}

/// Whether a node passes its rows on in the order of its input, for a LIMIT above it.
fn passes_order_on(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Limit(_))
}

/// Removes a sort of all rows at the top of a plan, whose order is not used. A sort with a limit stays.
fn unordered(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            Ok(Transformed::yes(unordered(Arc::unwrap_or_clone(sort.input))?.data))
        }
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => plan.map_children(unordered),
        other => Ok(Transformed::no(other)),
    }
}

/// Completes the orders of a node. Those in plans of this crate are complete already.
fn complete_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Limit(mut limit) => {
            limit.input = Arc::new(complete_sort(Arc::unwrap_or_clone(limit.input))?);
            Ok(Transformed::yes(LogicalPlan::Limit(limit)))
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => {
            Ok(Transformed::yes(complete_sort(LogicalPlan::Sort(sort))?))
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => Ok(Transformed::yes(first_row_of_each(distinct)?)),
        LogicalPlan::Aggregate(aggregate) if !is_ours(aggregate.schema.as_ref()) => {
            complete_aggregate(aggregate)
        }
        LogicalPlan::Window(window) if !is_ours(window.schema.as_ref()) => complete_window(window),
        other => Ok(Transformed::no(other)),
    }
}

fn is_ours(schema: &DFSchema) -> bool {
    schema.fields().iter().any(|field| is_reserved(field.name()))
}

/// Completes the sort below a LIMIT, which may stand below nodes that keep its order.
fn complete_sort(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(Sort { expr, input, fetch }) => {
            let keys = with_keys(expr, columns(input.schema()), input.schema())?.into_iter();
            let expr = keys.map(|key| limit_key(key, input.schema())).collect::<Result<_>>()?;
            Ok(LogicalPlan::Sort(Sort { expr, input, fetch }))
        }
        plan if passes_order_on(&plan) => {
            plan.map_children(|child| complete_sort(child).map(Transformed::yes)).map(|plan| plan.data)
        }
        other => Ok(other),
    }
}

/// Whether the query gives an order for the rows of a plan.
pub(super) fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Distinct(Distinct::On(distinct)) => distinct.sort_expr.is_some(),
        plan => passes_order_on(plan) && plan.inputs().first().is_some_and(|input| is_sorted(input)),
    }
}

/// Rewrites `DISTINCT ON` as an aggregation, which takes the first of the rows with equal keys, by the order of the query and
/// then by all selected expressions.
fn first_row_of_each(distinct: DistinctOn) -> Result<LogicalPlan> {
    let DistinctOn { on_expr, select_expr, sort_expr, input, schema } = distinct;
    let mut groups: Vec<Expr> = vec![];
    for on in &on_expr {
        if !groups.contains(on) {
            groups.push(on.clone());
        }
    }
    // The order begins with the keys, which are equal within a group.
    let is_ordered = sort_expr.is_some();
    let mut of_groups = sort_expr.unwrap_or_default();
    let in_group = of_groups.split_off(on_expr.len().min(of_groups.len()));
    let selected = normalize_cols(select_expr.into_iter().map(Expr::unalias), input.as_ref())?;
    let others = selected.iter().filter(|expr| !groups.contains(expr)).cloned().collect();
    let order = with_keys(in_group, others, input.schema())?;

    // The aggregates have internal names, since a selected expression may have the name of a key.
    let name = |index: usize| format!("__first_{index}");
    let firsts = selected
        .into_iter()
        .enumerate()
        .map(|(index, expr)| first_value(expr, order.clone()).alias(name(index)))
        .collect::<Vec<_>>();
    let mut rows = LogicalPlanBuilder::from(input).aggregate(groups.clone(), firsts)?;
    if is_ordered {
        let columns = rows.schema().columns();
        let of_column = |sort: SortExpr| {
            let key = groups.iter().zip(&columns).find(|(group, _)| **group == sort.expr);
            key.map(|(_, column)| SortExpr { expr: Expr::Column(column.clone()), ..sort })
        };
        rows = rows.sort(of_groups.into_iter().filter_map(of_column).collect::<Vec<_>>())?;
    }
    let shown = schema.iter().enumerate().map(|(index, (qualifier, field))| {
        ident(name(index)).alias_qualified(qualifier.cloned(), field.name())
    });
    rows.project(shown)?.build()
}

/// Whether the result of an aggregate function depends on the order of its rows.
fn takes_rows_in_order(function: &str) -> bool {
    matches!(function, "first_value" | "last_value" | "nth_value" | "array_agg" | "string_agg" | "any_value")
}

fn complete_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let mut values: Vec<Expr> = vec![];
    // A function without an order gets the order of the others, since the engine supports only one for some of them.
    let mut order: Vec<SortExpr> = vec![];
    for expr in &aggregate.aggr_expr {
        expr.apply(|expr| {
            if let Expr::AggregateFunction(function) = expr
                && takes_rows_in_order(function.func.name())
            {
                values.extend(function.params.args.iter().cloned());
                if order.is_empty() && !function.params.distinct {
                    order.clone_from(&function.params.order_by);
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let input_schema = Arc::clone(aggregate.input.schema());
    let names = NamePreserver::new_for_projection();
    let complete = |expr: &Expr| {
        let completed = expr.clone().transform_up(|expr| match expr {
            Expr::AggregateFunction(function) if takes_rows_in_order(function.func.name()) => {
                let completed = complete_function(function, &values, &order, &input_schema)?;
                Ok(Transformed::yes(Expr::AggregateFunction(completed)))
            }
            Expr::AggregateFunction(function) => match exact(&function, &input_schema)? {
                Some(exact) => Ok(Transformed::yes(exact)),
                None => Ok(Transformed::no(Expr::AggregateFunction(function))),
            },
            other => Ok(Transformed::no(other)),
        })?;
        Ok(names.save(expr).restore(completed.data))
    };
    let aggr_expr = aggregate.aggr_expr.iter().map(complete).collect::<Result<Vec<_>>>()?;
    if aggr_expr == aggregate.aggr_expr {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let Aggregate { input, group_expr, schema, .. } = aggregate;
    let aggregate = Aggregate::try_new_with_schema(input, group_expr, aggr_expr, schema)?;
    Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
}

/// Replaces a statistic of floats by one that does not depend on the order of the rows.
fn exact(function: &AggregateFunction, schema: &DFSchema) -> Result<Option<Expr>> {
    let [value] = function.params.args.as_slice() else { return Ok(None) };
    if !adds_floats(function, schema)? || function.params.distinct {
        return Ok(None);
    }
    let args = vec![lit(function.func.name()), cast(value.clone(), DataType::Float64)];
    let AggregateFunction { params, .. } = function;
    let (filter, null_treatment) = (params.filter.clone(), params.null_treatment);
    let exact =
        AggregateFunction::new_udf(exact_statistic_udaf(), args, false, filter, vec![], null_treatment);
    Ok(Some(Expr::AggregateFunction(exact)))
}

/// Whether an aggregate function of one argument adds floats up.
pub(super) fn adds_floats(function: &AggregateFunction, schema: &DFSchema) -> Result<bool> {
    let [value] = function.params.args.as_slice() else { return Ok(false) };
    let data_type = value.get_type(schema)?;
    Ok(match function.func.name() {
        "sum" => data_type.is_floating(),
        "avg" => data_type.is_numeric() && !data_type.is_decimal(),
        "var" | "var_pop" | "stddev" | "stddev_pop" => data_type.is_numeric(),
        _ => false,
    })
}

fn complete_function(
    mut function: AggregateFunction,
    values: &[Expr],
    order: &[SortExpr],
    schema: &DFSchema,
) -> Result<AggregateFunction> {
    if function.func.name() == "any_value" {
        // any_value takes no order.
        function.func = first_value_udaf();
        function.params.null_treatment = Some(NullTreatment::IgnoreNulls);
    }
    // The engine orders distinct values by the value alone.
    let keys = if function.params.distinct {
        function.params.args.first().cloned().into_iter().collect()
    } else {
        if function.params.order_by.is_empty() {
            function.params.order_by = order.to_vec();
        }
        values.to_vec()
    };
    function.params.order_by = with_keys(function.params.order_by, keys, schema)?;
    Ok(function)
}

fn complete_window(window: Window) -> Result<Transformed<LogicalPlan>> {
    let input_schema = window.input.schema();
    let names = NamePreserver::new_for_projection();
    let mut exprs = Vec::with_capacity(window.window_expr.len());
    for expr in &window.window_expr {
        let frame = window_function(expr).and_then(|function| Some((function, frame_to_complete(function)?)));
        let Some((function, frame)) = frame else {
            exprs.push(expr.clone());
            continue;
        };
        let mut function = function.clone();
        let order_by = std::mem::take(&mut function.params.order_by);
        function.params.order_by = with_keys(order_by, columns(input_schema), input_schema)?;
        function.params.window_frame = frame;
        exprs.push(names.save(expr).restore(Expr::from(function)));
    }
    if exprs == window.window_expr {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    Ok(Transformed::yes(with_expressions(&window, exprs, |_| false)?))
}

/// The ways in which a window function depends on the order of equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependence {
    /// It does not depend on it.
    None,
    /// It depends on the place of each row in its partition.
    Place,
    /// It depends on the rows of its frame and on their order.
    Frame,
    /// It depends on the rows of its frame.
    Rows,
}

fn dependence(function: &WindowFunctionDefinition) -> Dependence {
    match function {
        WindowFunctionDefinition::WindowUDF(udf) => match udf.name() {
            "row_number" | "ntile" | "lag" | "lead" => Dependence::Place,
            "first_value" | "last_value" | "nth_value" => Dependence::Frame,
            // Ranks are the same for equal rows, and dbscan is completed in every plan. Other functions are not known.
            _ => Dependence::None,
        },
        WindowFunctionDefinition::AggregateUDF(udf) if takes_rows_in_order(udf.name()) => Dependence::Frame,
        WindowFunctionDefinition::AggregateUDF(_) => Dependence::Rows,
    }
}

/// Returns the frame under which a function means the same with further keys, if it needs keys and there is such a frame.
fn frame_to_complete(function: &WindowFunction) -> Option<WindowFrame> {
    let params = &function.params;
    let frame = &params.window_frame;
    let in_rows = || {
        let (start, end) = (frame.start_bound.clone(), frame.end_bound.clone());
        WindowFrame::new_bounds(WindowFrameUnits::Rows, start, end)
    };
    let is_whole = frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded();
    match dependence(&function.fun) {
        // The function ignores its frame, so the default one will do.
        Dependence::Place => Some(WindowFrame::new((!params.order_by.is_empty()).then_some(true))),
        Dependence::Rows if frame.units == WindowFrameUnits::Rows => Some(frame.clone()),
        Dependence::Frame if is_whole || frame.units == WindowFrameUnits::Rows => Some(in_rows()),
        // A frame that begins with the partition has the partition's first row, whatever its end.
        Dependence::Frame
            if function.fun.name() == "first_value"
                && frame.start_bound.is_unbounded()
                && frame.end_bound == WindowFrameBound::CurrentRow
                && params.null_treatment != Some(NullTreatment::IgnoreNulls) =>
        {
            Some(in_rows())
        }
        _ => None,
    }
}

/// Whether the result of a window function depends on an order that can't be completed.
pub(super) fn is_left_open(function: &WindowFunction) -> bool {
    dependence(&function.fun) == Dependence::Frame && frame_to_complete(function).is_none()
}

fn columns(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}

/// Appends to an order those keys that it does not have yet.
fn with_keys(mut order_by: Vec<SortExpr>, keys: Vec<Expr>, schema: &DFSchema) -> Result<Vec<SortExpr>> {
    for key in keys {
        let is_known = order_by.iter().any(|sort| *of_limit_key(&sort.expr) == key);
        if is_known || key.column_refs().is_empty() {
            continue;
        }
        let data_type = key.get_type(schema)?;
        if has_order(&data_type) {
            order_by.push(key.sort(true, false));
        } else if let DataType::Map(entries, _) = &data_type
            && has_order(entries.data_type())
        {
            order_by.push(map_entries(key).sort(true, false));
        }
    }
    Ok(order_by)
}
