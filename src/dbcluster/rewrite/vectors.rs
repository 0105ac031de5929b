//! Rows become distinct vectors, and these are labelled: the part of the plan that is the same for every function.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, min};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFrame, WindowFunctionDefinition,
    cast, ident, lit,
};

use super::super::args::{ClusterSpec, TableFunction};
use super::super::constants::KeptColumn;
use super::collapse::remaining_columns;
use super::{LABEL, WEIGHT, feature_value, partition_name};
use crate::functions::dbcluster_smallest_udaf;
use crate::window::dbscan_vectors_udwf;
use crate::window::options::Exemplar;

pub(super) const FIRST_TIME: &str = "__first_time";
pub(super) const LAST_TIME: &str = "__last_time";
pub(super) const TIME: &str = "__time";

/// The distinct vectors of each partition, each with its weight, its first order keys and its label; for `dbcluster`
/// also with its times, and with what the exemplars and lists of members need.
pub(super) fn labelled_vectors(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let keys = exemplar_keys(spec)?;
    let order_keys = spec.order_keys()?;
    let features: Vec<Expr> = spec.features.iter().map(|feature| ident(&feature.name)).collect();
    let partitions: Vec<Expr> =
        (0..spec.partition_by.len()).map(|index| ident(partition_name(index))).collect();

    let partition_keys = spec.partition_by.iter().enumerate();
    let mut columns: Vec<Expr> =
        partition_keys.map(|(index, key)| key.expr.clone().alias(partition_name(index))).collect();
    columns.extend(
        spec.features.iter().map(|feature| feature_value(spec, feature).alias(feature.name.as_str())),
    );
    columns.extend(keys.iter().enumerate().map(|(index, key)| key.clone().alias(key_name(index))));
    let mut aggregates = vec![count(lit(1_i64)).alias(WEIGHT)];
    if spec.function == TableFunction::Dbcluster {
        if let Some(time) = spec.time()? {
            let data_type = time.get_type(spec.input.schema())?;
            if !spec.time_is_key() {
                columns.push(time.alias(TIME));
                aggregates.push(least(ident(TIME), &data_type).alias(FIRST_TIME));
            }
            let time = if spec.time_is_key() { key_name(0) } else { TIME.to_string() };
            aggregates.push(greatest(ident(time), &data_type).alias(LAST_TIME));
        }
        for (index, kept) in spec.keep_members.iter().enumerate() {
            columns.push(kept_value(spec, kept)?.alias(kept_name(index)));
            aggregates
                .push(smallest(kept_struct(spec, &order_keys, index)?, kept.count).alias(kept_name(index)));
        }
    }
    let rows = LogicalPlanBuilder::from(spec.input.clone()).project(columns)?;
    // The first row of a vector has the smallest keys, taken together, and the last one the greatest.
    let in_order = |ascending: bool| -> Vec<SortExpr> {
        (0..order_keys.len()).map(|index| ident(key_name(index)).sort(ascending, false)).collect()
    };
    let has_own_last_keys =
        spec.function == TableFunction::Dbcluster && spec.exemplar == Exemplar::Last && !spec.time_is_key();
    for index in 0..keys.len() {
        let key = ident(key_name(index));
        let data_type = key.get_type(rows.schema())?;
        let is_alone = keys.len() == 1 && has_order_of_sort(&data_type);
        let first = if is_alone { min(key.clone()) } else { first_value(key.clone(), in_order(true)) };
        aggregates.push(first.alias(key_name(index)));
        if has_own_last_keys {
            let last = if is_alone { max(key) } else { first_value(key, in_order(false)) };
            aggregates.push(last.alias(last_key_name(index)));
        }
    }
    let groups: Vec<Expr> = partitions.iter().chain(&features).cloned().collect();
    let vectors = rows.aggregate(groups, aggregates)?;

    let mut args = vec![spec.options()?, ident(WEIGHT)];
    args.extend(features.iter().cloned());
    let mut order_by = in_order(true);
    order_by.extend(features.into_iter().map(|feature| feature.sort(true, false)));
    let label = Expr::from(WindowFunction {
        fun: WindowFunctionDefinition::WindowUDF(dbscan_vectors_udwf()),
        params: WindowFunctionParams {
            args,
            partition_by: partitions,
            order_by,
            window_frame: WindowFrame::new(None),
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    });
    vectors.window([label.alias(LABEL)])?.build()
}

/// What the exemplars are found by: what orders the rows, or where nothing does, the first of the columns that decide
/// ties. By its least value the second look finds the candidates, which otherwise are all rows of their vectors.
pub(super) fn exemplar_keys(spec: &ClusterSpec) -> Result<Vec<Expr>> {
    let keys = spec.order_keys()?;
    if !keys.is_empty() || spec.function != TableFunction::Dbcluster || spec.exemplar == Exemplar::Last {
        return Ok(keys);
    }
    // None but the first: the others decide only where it is equal.
    let first = remaining_columns(spec)?.into_iter().next();
    let data_type = first.as_ref().map(|column| column.get_type(spec.input.schema())).transpose()?;
    Ok(first
        .filter(|_| data_type.is_some_and(|data_type| has_order_of_sort(&data_type)))
        .into_iter()
        .collect())
}

pub(super) fn label_field(name: &str) -> Expr {
    get_field(ident(LABEL), name)
}

/// Whether min and max take what a sort puts first and last; `first_value` does so of all types, but slower. Of floats they
/// don't: NaN is anything to them, and where all values are -inf, max is the least finite number.
pub(super) fn has_order_of_sort(data_type: &DataType) -> bool {
    (data_type.is_numeric() && !data_type.is_floating())
        || data_type.is_temporal()
        || matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

pub(super) fn least(value: Expr, data_type: &DataType) -> Expr {
    if has_order_of_sort(data_type) {
        return min(value);
    }
    first_value(value.clone(), vec![value.sort(true, false)])
}

pub(super) fn greatest(value: Expr, data_type: &DataType) -> Expr {
    if has_order_of_sort(data_type) {
        return max(value);
    }
    first_value(value.clone(), vec![value.sort(false, false)])
}

/// A value to keep.
pub(super) fn kept_value(spec: &ClusterSpec, kept: &KeptColumn) -> Result<Expr> {
    let value = Expr::Column(kept.column.clone());
    let data_type = value.get_type(spec.input.schema())?;
    Ok(without_dictionary(value, data_type))
}

/// What orders the members, and then the value itself, so that ties don't depend on threads.
fn kept_struct(spec: &ClusterSpec, keys: &[Expr], index: usize) -> Result<Expr> {
    let mut fields = vec![];
    for (place, key) in keys.iter().enumerate() {
        let data_type = key.get_type(spec.input.schema())?;
        fields.extend([lit(key_name(place)), without_dictionary(ident(key_name(place)), data_type)]);
    }
    fields.extend([lit("value"), ident(kept_name(index))]);
    Ok(named_struct(fields))
}

/// The row format that orders what is kept gives values back, and no dictionaries.
fn without_dictionary(value: Expr, data_type: DataType) -> Expr {
    match data_type {
        DataType::Dictionary(_, value_type) => cast(value, *value_type),
        _ => value,
    }
}

pub(super) fn smallest(value: Expr, count: i64) -> Expr {
    dbcluster_smallest_udaf().call(vec![value, lit(count)])
}

pub(super) fn key_name(index: usize) -> String {
    format!("__key_{index}")
}

pub(super) fn last_key_name(index: usize) -> String {
    format!("__last_key_{index}")
}

/// The name of a key of a vector's last row.
pub(super) fn last_key_of_vector(spec: &ClusterSpec, index: usize) -> String {
    if spec.time_is_key() { LAST_TIME.to_string() } else { last_key_name(index) }
}

pub(super) fn kept_name(index: usize) -> String {
    format!("__kept_{index}")
}
