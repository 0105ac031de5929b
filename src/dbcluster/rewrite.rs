//! A [`ClusterSpec`] becomes a plan of the engine's own operators around one window function.
//!
//! Names that begin with two underscores are the plan's own; people meet them in EXPLAIN only.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, NullEquality, Result, ScalarValue};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, min, sum};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFrame,
    WindowFunctionDefinition, ident, lit, when,
};

use super::args::{
    CLUSTER_ID, CLUSTER_SIZE, CLUSTERED, ClusterSpec, FIRST_EVENT_TIME, Feature, LAST_EVENT_TIME, Nulls,
    POINT_TYPE, TableFunction,
};
use crate::functions::{dbcluster_feature_udf, dbcluster_found_udf, dbcluster_same_vector_udf};
use crate::window::{GROUP, IS_CORE, IS_FIRST, SKIPPED, dbscan_vectors_udwf};

const WEIGHT: &str = "__weight";
const FIRST_TIME: &str = "__first_time";
const TIME: &str = "__time";
const LAST_TIME: &str = "__last_time";
const LABEL: &str = "__label";
const SIZE: &str = "__size";
pub(super) const FOUND: &str = "__found";
pub(super) const TIE: &str = "__tie";
const GROUP_KEY: &str = "__group";
const CORE: &str = "__is_core";
const FIRST: &str = "__is_first";
/// The relation of clusters, on the left of the join with the events.
pub(super) const CLUSTERS: &str = "__clusters";

/// The plan of a call.
pub(crate) fn plan(spec: &ClusterSpec) -> Result<LogicalPlan> {
    match spec.function {
        TableFunction::Dbcluster => collapse(spec),
        TableFunction::DbclusterMembers => members(spec),
    }
}

/// `dbcluster`: one row per cluster, one per noise event.
fn collapse(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let keys = spec.order_keys();
    let clusters = clusters(spec, &keys)?;
    // Where a vector without a cluster stands for one row, every group stands for one row, and the rows are found
    // by their first order key alone: nothing has to be computed for the others.
    let one_row_each = spec.min_samples <= 2 && spec.nulls != Nulls::Skip;
    let by_key = one_row_each && !keys.is_empty();

    let mut events: Vec<Expr> = spec.input.schema().columns().into_iter().map(Expr::Column).collect();
    events.push(lit(true).alias(FOUND));
    let mut key_columns = vec![];
    for (index, key) in keys.iter().enumerate() {
        if let Expr::Column(column) = key {
            key_columns.push(column.clone());
        } else {
            events.push(key.clone().alias(event_key_name(index)));
            key_columns.push(Column::from_name(event_key_name(index)));
        }
    }
    let same_key = |(index, column): (usize, &Column)| -> Expr {
        not_distinct(cluster_col(&cluster_key_name(spec, index)), Expr::Column(column.clone()))
    };
    let (left_on, right_on, residual) = if by_key {
        let same_vector = spec
            .features
            .iter()
            .flat_map(|feature| [cluster_col(&feature.name), feature_value(spec, feature)])
            .collect();
        let left =
            (0..keys.len()).map(|index| cluster_column(&cluster_key_name(spec, index))).collect::<Vec<_>>();
        (left, key_columns, Some(dbcluster_same_vector_udf().call(same_vector)))
    } else {
        let mut right = vec![];
        for (index, feature) in spec.features.iter().enumerate() {
            events.push(feature_value(spec, feature).alias(event_feature_name(index)));
            right.push(Column::from_name(event_feature_name(index)));
        }
        let left = spec.features.iter().map(|feature| cluster_column(&feature.name)).collect();
        // All rows of a vector without a cluster, but only the first ones of a cluster's first vector.
        let first_of_cluster = key_columns.iter().enumerate().map(same_key).reduce(Expr::and);
        (left, right, first_of_cluster.map(|first| cluster_col(GROUP_KEY).lt(lit(0_i64)).or(first)))
    };
    let events = LogicalPlanBuilder::from(spec.input.clone()).project(events)?.build()?;

    // A left join, so that a cluster whose row is gone is noticed: dbcluster_found fails on its NULL.
    let joined = LogicalPlanBuilder::from(clusters)
        .join_detailed(events, JoinType::Left, (left_on, right_on), residual, NullEquality::NullEqualsNull)?
        .window([tie_break(spec)])?
        .filter(
            dbcluster_found_udf()
                .call(vec![ident(FOUND)])
                .and(cluster_col(GROUP_KEY).lt(lit(0_i64)).or(ident(TIE).eq(lit(1_u64)))),
        )?;

    let in_cluster = || cluster_col(GROUP_KEY).gt_eq(lit(0_i64));
    let mut output: Vec<Expr> = spec.input.schema().columns().into_iter().map(Expr::Column).collect();
    output.extend(
        spec.features
            .iter()
            .filter(|feature| !feature.is_input_column)
            .map(|feature| feature.expr.clone().alias(feature.name.as_str())),
    );
    output.push(in_cluster().alias(CLUSTERED));
    output.push(cluster_id()?.alias(CLUSTER_ID));
    // What a row without a cluster has of its own; the same as its group's where that is the only row.
    let own = |of_group: &str, of_event: Expr| -> Result<Expr> {
        if one_row_each {
            Ok(cluster_col(of_group))
        } else {
            when(in_cluster(), cluster_col(of_group)).otherwise(of_event)
        }
    };
    output.push(own(SIZE, lit(1_i64))?.alias(CLUSTER_SIZE));
    if let Some(time) = &spec.time_column {
        output.push(own(FIRST_TIME, Expr::Column(time.clone()))?.alias(FIRST_EVENT_TIME));
        output.push(own(LAST_TIME, Expr::Column(time.clone()))?.alias(LAST_EVENT_TIME));
    }
    joined.project(output)?.alias(spec.function.name())?.build()
}

/// `dbcluster_members`: every row with the cluster of its vector.
fn members(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let keys = spec.order_keys();
    let mut columns: Vec<Expr> = spec.features.iter().map(|feature| ident(&feature.name)).collect();
    columns.extend([label_field(GROUP).alias(GROUP_KEY), label_field(IS_CORE).alias(CORE)]);
    let vectors = LogicalPlanBuilder::from(labelled_vectors(spec, &keys)?)
        .project(columns)?
        .alias(CLUSTERS)?
        .build()?;

    let mut events: Vec<Expr> = spec.input.schema().columns().into_iter().map(Expr::Column).collect();
    let (mut left_on, mut right_on) = (vec![], vec![]);
    for (index, feature) in spec.features.iter().enumerate() {
        events.push(feature_value(spec, feature).alias(event_feature_name(index)));
        left_on.push(cluster_column(&feature.name));
        right_on.push(Column::from_name(event_feature_name(index)));
    }
    let events = LogicalPlanBuilder::from(spec.input.clone()).project(events)?.build()?;

    let mut output: Vec<Expr> = spec.input.schema().columns().into_iter().map(Expr::Column).collect();
    output.push(cluster_id()?.alias(CLUSTER_ID));
    output.push(
        when(cluster_col(CORE), lit("core"))
            .when(cluster_col(GROUP_KEY).gt_eq(lit(0_i64)), lit("border"))
            .when(cluster_col(GROUP_KEY).gt_eq(lit(SKIPPED)), lit("noise"))
            .otherwise(lit("skipped"))?
            .alias(POINT_TYPE),
    );
    // The rows are kept whatever happens; one without a vector has come after the vectors were made.
    LogicalPlanBuilder::from(vectors)
        .join_detailed(events, JoinType::Right, (left_on, right_on), None, NullEquality::NullEqualsNull)?
        .filter(dbcluster_found_udf().call(vec![cluster_col(GROUP_KEY)]))?
        .project(output)?
        .alias(spec.function.name())?
        .build()
}

/// One row per cluster and per vector without one: its size, times and first vector.
fn clusters(spec: &ClusterSpec, keys: &[Expr]) -> Result<LogicalPlan> {
    let mut columns: Vec<Expr> = spec.features.iter().map(|feature| ident(&feature.name)).collect();
    columns.extend((0..keys.len()).map(|index| ident(key_name(index))));
    columns.push(ident(WEIGHT));
    if spec.time_column.is_some() {
        columns.push(ident(LAST_TIME));
        if !time_is_key(spec) {
            columns.push(ident(FIRST_TIME));
        }
    }
    columns.extend([label_field(GROUP).alias(GROUP_KEY), label_field(IS_FIRST).alias(FIRST)]);
    let labelled = LogicalPlanBuilder::from(labelled_vectors(spec, keys)?).project(columns)?;

    let schema = labelled.schema();
    let mut aggregates = vec![sum(ident(WEIGHT)).alias(SIZE)];
    if spec.time_column.is_some() {
        let first_time = if time_is_key(spec) { key_name(0) } else { FIRST_TIME.to_string() };
        aggregates.push(min(ident(first_time)).alias(FIRST_TIME));
        aggregates.push(max(ident(LAST_TIME)).alias(LAST_TIME));
    }
    // One vector of each group is its first, so any aggregate over that one row gives the row's value.
    let keys = (0..keys.len()).filter(|_| !time_is_key(spec)).map(key_name);
    for name in spec.features.iter().map(|feature| feature.name.clone()).chain(keys) {
        let value = ident(&name);
        let of_first =
            if has_fast_max(&value.get_type(schema)?) { max(value) } else { first_value(value, vec![]) };
        aggregates.push(of_first.filter(ident(FIRST)).build()?.alias(name));
    }
    labelled.aggregate([ident(GROUP_KEY)], aggregates)?.alias(CLUSTERS)?.build()
}

/// The distinct vectors, each with its weight, its first order keys and its label.
fn labelled_vectors(spec: &ClusterSpec, keys: &[Expr]) -> Result<LogicalPlan> {
    let features: Vec<Expr> = spec.features.iter().map(|feature| ident(&feature.name)).collect();

    let mut columns: Vec<Expr> = spec
        .features
        .iter()
        .map(|feature| feature_value(spec, feature).alias(feature.name.as_str()))
        .collect();
    let mut aggregates = vec![count(lit(1_i64)).alias(WEIGHT)];
    columns.extend(keys.iter().enumerate().map(|(index, key)| key.clone().alias(key_name(index))));
    if let Some(time) = &spec.time_column
        && spec.function == TableFunction::Dbcluster
    {
        if !time_is_key(spec) {
            columns.push(Expr::Column(time.clone()).alias(TIME));
            aggregates.push(min(ident(TIME)).alias(FIRST_TIME));
        }
        let time = if time_is_key(spec) { key_name(0) } else { TIME.to_string() };
        aggregates.push(max(ident(time)).alias(LAST_TIME));
    }
    let rows = LogicalPlanBuilder::from(spec.input.clone()).project(columns)?;
    // The first row of a vector has the smallest keys, taken together.
    let key_order: Vec<SortExpr> =
        (0..keys.len()).map(|index| ident(key_name(index)).sort(true, false)).collect();
    for index in 0..keys.len() {
        let key = ident(key_name(index));
        let is_alone = keys.len() == 1 && has_fast_max(&key.get_type(rows.schema())?);
        let first = if is_alone { min(key) } else { first_value(key, key_order.clone()) };
        aggregates.push(first.alias(key_name(index)));
    }
    let vectors = rows.aggregate(features.clone(), aggregates)?;

    let mut args = vec![
        lit(spec.eps),
        lit(spec.min_samples),
        lit(spec.scaling.as_str()),
        lit(spec.nulls.name()),
        ident(WEIGHT),
    ];
    args.extend(features.iter().cloned());
    let mut order_by = key_order;
    order_by.extend(features.into_iter().map(|feature| feature.sort(true, false)));
    let label = Expr::from(WindowFunction {
        fun: WindowFunctionDefinition::WindowUDF(dbscan_vectors_udwf()),
        params: WindowFunctionParams {
            args,
            partition_by: vec![],
            order_by,
            window_frame: WindowFrame::new(None),
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    });
    vectors.window([label.alias(LABEL)])?.build()
}

/// A feature of one event as the number that is clustered.
fn feature_value(spec: &ClusterSpec, feature: &Feature) -> Expr {
    dbcluster_feature_udf().call(vec![
        feature.expr.clone(),
        lit(feature.name.as_str()),
        lit(spec.nulls.name()),
    ])
}

/// The number of a row among those that could be its cluster's exemplar.
fn tie_break(spec: &ClusterSpec) -> Expr {
    number_ties(vec![cluster_col(GROUP_KEY)], remaining_columns(spec))
}

/// `row_number() OVER (PARTITION BY ... [ORDER BY ...]) AS __tie`.
pub(super) fn number_ties(partition_by: Vec<Expr>, order_by: Vec<SortExpr>) -> Expr {
    let has_order = !order_by.is_empty();
    Expr::from(WindowFunction {
        fun: WindowFunctionDefinition::WindowUDF(row_number_udwf()),
        params: WindowFunctionParams {
            args: vec![],
            partition_by,
            order_by,
            window_frame: WindowFrame::new(has_order.then_some(true)),
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    })
    .alias(TIE)
}

/// What decides among rows that are equal in the order keys and in the vector: all other columns, in the
/// table's order. Columns of types that have no order take no part.
fn remaining_columns(spec: &ClusterSpec) -> Vec<SortExpr> {
    let known: Vec<&Expr> =
        spec.features.iter().filter(|feature| feature.is_input_column).map(|feature| &feature.expr).collect();
    let keys = spec.order_keys();
    spec.input
        .schema()
        .iter()
        .filter(|(_, field)| has_order(field.data_type()))
        .map(|field| Expr::Column(Column::from(field)))
        .filter(|column| !known.contains(&column) && !keys.contains(column))
        .map(|column| column.sort(true, false))
        .collect()
}

fn has_order(data_type: &DataType) -> bool {
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

/// Whether min and max work on this type; `first_value` works on all, but slower.
fn has_fast_max(data_type: &DataType) -> bool {
    data_type.is_numeric()
        || data_type.is_temporal()
        || matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The cluster's number, -1 for noise, NULL for skipped rows.
fn cluster_id() -> Result<Expr> {
    let group = || cluster_col(GROUP_KEY);
    when(group().gt_eq(lit(0_i64)), group())
        .when(group().gt_eq(lit(SKIPPED)), lit(-1_i64))
        .otherwise(lit(ScalarValue::Int64(None)))
}

fn label_field(name: &str) -> Expr {
    get_field(ident(LABEL), name)
}

fn not_distinct(left: Expr, right: Expr) -> Expr {
    use datafusion::logical_expr::{BinaryExpr, Operator};
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::IsNotDistinctFrom, Box::new(right)))
}

fn cluster_column(name: &str) -> Column {
    Column::new(Some(CLUSTERS), name)
}

fn cluster_col(name: &str) -> Expr {
    Expr::Column(cluster_column(name))
}

fn key_name(index: usize) -> String {
    format!("__key_{index}")
}

/// Whether the events are in the order of their time: the first key of a cluster is its first time then.
fn time_is_key(spec: &ClusterSpec) -> bool {
    spec.order_by.is_empty() && spec.time_column.is_some()
}

/// The name of an order key of a cluster's first row.
fn cluster_key_name(spec: &ClusterSpec, index: usize) -> String {
    if time_is_key(spec) { FIRST_TIME.to_string() } else { key_name(index) }
}

fn event_key_name(index: usize) -> String {
    format!("__event_key_{index}")
}

fn event_feature_name(index: usize) -> String {
    format!("__event_feature_{index}")
}
