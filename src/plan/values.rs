//! Expressions that several parts of a plan use.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr, ExprSchemable, SortExpr, WindowFrame, WindowFunctionDefinition, cast, ident, lit, when,
};

use super::columns::{GROUP_KEY, HASH, LABEL, cluster_col, partition_name};
use super::functions::{cluster_key_udf, feature_to_double_udf, smallest_n_udaf};
use super::spec::ClusterSpec;
use crate::group::Group;
use crate::options::Feature;

/// The columns of the input.
pub(super) fn input_columns(spec: &ClusterSpec) -> Vec<Expr> {
    spec.input.schema().columns().into_iter().map(Expr::Column).collect()
}

/// A feature of one event as the DOUBLE that is clustered.
pub(super) fn feature_value(spec: &ClusterSpec, feature: &Feature) -> Expr {
    feature_to_double_udf().call(vec![
        feature.expr.clone(),
        lit(feature.name.as_str()),
        lit(spec.options.nulls.name()),
    ])
}

/// A field of the struct that `dbscan_vectors` returns.
pub(super) fn label_field(name: &str) -> Expr {
    get_field(ident(LABEL), name)
}

/// The group of a row after the join with the clusters.
pub(super) fn group() -> Group<Expr> {
    Group(cluster_col(GROUP_KEY))
}

/// The cluster's number, -1 for noise, NULL for skipped rows.
pub(super) fn cluster_id() -> Result<Expr> {
    when(group().is_cluster(), group().0)
        .when(group().took_part(), lit(-1_i64))
        .otherwise(lit(ScalarValue::Int64(None)))
}

/// The key of the cluster, which is the same on every day, NULL for rows without a cluster. `column` builds a reference to a
/// column of the cluster.
pub(super) fn cluster_key(spec: &ClusterSpec, column: impl Fn(&str) -> Expr) -> Result<Expr> {
    let mut args = vec![column(HASH)];
    args.extend((0..spec.partition_by().len()).map(|index| column(&partition_name(index))));
    when(Group(column(GROUP_KEY)).is_cluster(), cluster_key_udf().call(args))
        .otherwise(lit(ScalarValue::Utf8(None)))
}

/// Returns the input column of a partition key, if the key is a plain column.
pub(super) fn partition_column(spec: &ClusterSpec, index: usize) -> Option<&Column> {
    spec.partition_by().get(index).and_then(|key| key.expr.try_as_col())
}

/// The smallest values of a group, up to a number of them.
pub(super) fn smallest(value: Expr, count: i64) -> Expr {
    smallest_n_udaf().call(vec![value, lit(count)])
}

/// Builds `function(args) OVER (PARTITION BY ... [ORDER BY ...])`. Without a frame it is the engine's default one.
pub(super) fn over(
    function: impl Into<WindowFunctionDefinition>,
    args: Vec<Expr>,
    partition_by: Vec<Expr>,
    order_by: Vec<SortExpr>,
    frame: Option<WindowFrame>,
) -> Expr {
    let window_frame = frame.unwrap_or_else(|| WindowFrame::new((!order_by.is_empty()).then_some(true)));
    Expr::from(WindowFunction {
        fun: function.into(),
        params: WindowFunctionParams {
            args,
            partition_by,
            order_by,
            window_frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    })
}

/// Casts text and bytes to the type in which they pass through sorts and windows.
///
/// A `Utf8View` array made of others keeps all their buffers, so their number multiplies with each sort and window that cuts rows into
/// batches and puts them together again. Dictionaries may do the same with their values.
pub(super) fn through_windows(value: Expr, schema: &DFSchema) -> Result<Expr> {
    let data_type = value.get_type(schema)?;
    let owned = match &data_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    Ok(match owned {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => cast(value, DataType::LargeUtf8),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => cast(value, DataType::LargeBinary),
        other if *other != data_type => cast(value, other.clone()),
        _ => value,
    })
}
