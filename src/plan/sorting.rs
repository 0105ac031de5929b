//! Rules about sorting: the types that can be sorted, and the values that a sort puts first and last.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::functions_aggregate::expr_fn::{first_value, max, min};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, SortExpr, lit};

use super::functions::{feature_to_double_udf, float_order_udf};

/// Rewrites a key so that equal values have equal bits. 0.0 and -0.0 are equal in SQL, but some operators sort, group or join
/// them as two values.
pub(crate) fn canonical_float_key(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let canonical = feature_to_double_udf();
    let is_canonical =
        matches!(&expr, Expr::ScalarFunction(function) if function.func.name() == canonical.name());
    if !is_canonical && is_float(&expr, schema)? {
        return Ok(canonical.call(vec![expr, lit("key"), lit("error")]));
    }
    Ok(expr)
}

fn is_float(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    Ok(match expr.get_type(schema)? {
        DataType::Dictionary(_, value_type) => value_type.is_floating(),
        data_type => data_type.is_floating(),
    })
}

/// Rewrites a key of a sort with a LIMIT so that the rows that are kept do not depend on the order in which they come, see
/// [`float_order`](super::functions).
pub(super) fn limit_key(key: SortExpr, schema: &DFSchema) -> Result<SortExpr> {
    if is_float(&key.expr, schema)? {
        return Ok(SortExpr { expr: float_order_udf().call(vec![key.expr]), ..key });
    }
    Ok(key)
}

/// Returns the value that a key of a sort with a LIMIT stands for.
pub(super) fn of_limit_key(key: &Expr) -> &Expr {
    match key {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == float_order_udf().name() => {
            args.first().unwrap_or(key)
        }
        key => key,
    }
}

/// Whether the engine can sort by a type.
pub(super) fn has_order(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => false,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            has_order(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| has_order(field.data_type())),
        DataType::Dictionary(_, value) => !value.is_nested(),
        _ => true,
    }
}

/// Whether `min` and `max` return the values that a sort puts first and last. `first_value` does for all types, but is slower.
/// For floats `min` and `max` do not: they have no fixed place for NaN, and the max of -inf alone is the least finite number.
pub(super) fn has_order_of_sort(data_type: &DataType) -> bool {
    (data_type.is_numeric() && !data_type.is_floating())
        || data_type.is_temporal()
        || matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Aggregates the value that a sort puts first.
pub(super) fn least(value: Expr, data_type: &DataType) -> Expr {
    if has_order_of_sort(data_type) {
        return min(value);
    }
    first_value(value.clone(), vec![value.sort(true, false)])
}

/// Aggregates the value that a sort puts last.
pub(super) fn greatest(value: Expr, data_type: &DataType) -> Expr {
    if has_order_of_sort(data_type) {
        return max(value);
    }
    first_value(value.clone(), vec![value.sort(false, false)])
}
