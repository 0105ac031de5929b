//! Builds the plan of `dbcluster_values`: how often each value of a column occurs in each cluster.
//!
//! The events are joined with the clusters of their vectors and counted by partition, cluster and value; all columns in one read, as
//! grouping sets. Shares are windows over these counts, which are few. The values that the exemplars show come from the plan of
//! [`dbcluster`](super::collapse).
//!
//! Cost: three reads: of the features for the clustering, of the features and the counted columns, and of the exemplars. The clustering
//! of the distinct vectors runs twice.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, JoinType, NullEquality, Result, ScalarValue};
use datafusion::functions::encoding::expr_fn::encode;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr, cast, ident, lit,
    when,
};

use super::collapse::{Fetched, OfClusters, fetched};
use super::columns::{
    CLUSTERS, COLUMN, EXEMPLARS, GROUP_KEY, KEY, ROWS_OF_VALUE, VALUE, cluster_col, member_value_name,
    partition_name,
};
use super::functions::assert_row_found_udf;
use super::member_figures::{cluster_or_none, counts, is_of};
use super::members::{events_of, groups_of_vectors};
use super::sorting::canonical_float_key;
use super::spec::{ClusterSpec, VALUES_COLUMNS};
use super::values::{cluster_key, group, over, through_windows};
use crate::options::Feature;

/// The number of rows of the partition, of the cluster, and of the partition with the same value; and a value's place among the rarest
/// and the most frequent ones of its cluster.
const ROWS_OF_PARTITION: &str = "__rows_of_partition";
const ROWS_OF_CLUSTER: &str = "__rows_of_cluster";
const ROWS_IN_ALL: &str = "__rows_in_all";
const RARE: &str = "__rare";
const FREQUENT: &str = "__frequent";

/// Builds the plan of `dbcluster_values`.
pub(super) fn values(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let of = &spec.options.of;
    let partitions: Vec<String> = (0..spec.partition_by().len()).map(partition_name).collect();
    let partition = || partitions.iter().map(ident).collect::<Vec<_>>();

    // The counts by partition, cluster, column and value. The cluster is NULL for all rows without one.
    let mut keys = partition();
    keys.push(ident(GROUP_KEY));
    let counted = counts(members(spec)?, &keys, of.len())?;
    // Texts are copied here, behind the aggregation and batch by batch: its own arrays are parts of large ones, whose memory a sort
    // would count whole for each.
    let mut columns = for_windows(&partitions, |name| ident(name), counted.schema())?;
    columns.extend([
        ident(GROUP_KEY),
        of_each(of, |_, column| lit(column.name.as_str()))?.alias(COLUMN),
        of_each(of, |index, _| as_text(ident(member_value_name(index))))?.alias(VALUE),
        ident(ROWS_OF_VALUE),
    ]);
    // One column alone is a constant, which a cluster's executors take for a key without an order.
    let is_key = |name: &&str| of.len() > 1 || *name != COLUMN;
    let with = |more: &[&'static str]| {
        let more = more.iter().copied().filter(is_key).map(ident);
        partition().into_iter().chain(more).collect::<Vec<_>>()
    };
    let mut rows = counted
        .project(columns)?
        // The engine sorts once for each window, so each has a node of its own.
        .window([total(with(&[COLUMN])).alias(ROWS_OF_PARTITION)])?
        .window([total(with(&[COLUMN, VALUE])).alias(ROWS_IN_ALL)])?
        .window([total(with(&[COLUMN, GROUP_KEY])).alias(ROWS_OF_CLUSTER)])?
        .filter(ident(GROUP_KEY).is_not_null())?;
    if let Some(top) = spec.options.top {
        let of_cluster = || with(&[COLUMN, GROUP_KEY]);
        let by = |ascending: bool| {
            vec![ident(ROWS_OF_VALUE).sort(ascending, false), ident(VALUE).sort(true, false)]
        };
        let is_top = |name: &str| ident(name).lt_eq(lit(top.unsigned_abs()));
        rows = rows
            .window([place(of_cluster(), by(true)).alias(RARE)])?
            .window([place(of_cluster(), by(false)).alias(FREQUENT)])?
            .filter(is_top(RARE).or(is_top(FREQUENT)))?;
    }

    let of_exemplar = |name: &str| Expr::Column(Column::new(Some(EXEMPLARS), name));
    let on = |relation: &str| -> Vec<Column> {
        let keys = partitions.iter().map(String::as_str).chain([GROUP_KEY]);
        keys.map(|name| Column::new(Some(relation), name)).collect()
    };
    // Every cluster has its exemplar, so this is an inner join. The engine takes inner joins apart where a cross join stands above
    // them, and makes NULL differ from NULL.
    let rows = LogicalPlanBuilder::from(exemplars(spec)?).join_detailed(
        rows.alias(CLUSTERS)?.build()?,
        JoinType::Right,
        (on(EXEMPLARS), on(CLUSTERS)),
        None,
        NullEquality::NullEqualsNull,
    )?;

    let number = |name: &str| cast(cluster_col(name), DataType::Float64);
    let share = || number(ROWS_OF_VALUE) / number(ROWS_OF_CLUSTER);
    let overall_share = || number(ROWS_IN_ALL) / number(ROWS_OF_PARTITION);
    let mut shown = lit(ScalarValue::LargeUtf8(None));
    for (index, column) in of.iter().enumerate() {
        let is_it = cluster_col(COLUMN).eq(lit(column.name.as_str()));
        shown = when(is_it, of_exemplar(&member_value_name(index))).otherwise(shown)?;
    }
    let shown = Expr::BinaryExpr(BinaryExpr::new(
        Box::new(cluster_col(VALUE)),
        Operator::IsNotDistinctFrom,
        Box::new(shown),
    ));
    let keys = spec.partition_by().iter().zip(&partitions).map(|(key, name)| {
        let data_type = key.expr.get_type(spec.input.schema())?;
        Ok(cast(cluster_col(name), data_type).alias(key.text.as_str()))
    });
    let mut output = keys.collect::<Result<Vec<_>>>()?;
    let values = [
        cluster_col(GROUP_KEY),
        of_exemplar(KEY),
        cluster_col(COLUMN),
        cast(cluster_col(VALUE), DataType::Utf8View),
        cluster_col(ROWS_OF_VALUE),
        share(),
        overall_share(),
        share() / overall_share(),
        shown,
    ];
    output.extend(values.into_iter().zip(VALUES_COLUMNS).map(|(value, name)| value.alias(name)));
    rows.project(output)?.alias(spec.function.name())?.build()
}

/// Builds every event with its partition, its cluster and its values.
fn members(spec: &ClusterSpec) -> Result<LogicalPlanBuilder> {
    let vectors = groups_of_vectors(spec)?.alias(CLUSTERS)?.build()?;
    let values = values_of_event(spec)?;
    let partitions = (0..spec.partition_by().len()).map(partition_name);
    let mut output: Vec<Expr> = partitions.map(|name| cluster_col(&name).alias(name)).collect();
    output.push(cluster_or_none()?.alias(GROUP_KEY));
    output.extend((0..values.len()).map(|index| ident(member_value_name(index))));
    events_of(spec, vectors, (spec.input.clone(), values), JoinType::Right)?
        .filter(assert_row_found_udf().call(vec![cluster_col(GROUP_KEY)]))?
        .project(output)
}

/// Builds one row per cluster: its partition, its number, its key and the texts of its exemplar's values.
fn exemplars(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let wanted = OfClusters { wanted: Some(group().is_cluster()), ..OfClusters::default() };
    let Fetched { rows, .. } = fetched(spec, &wanted)?;
    let partitions: Vec<String> = (0..spec.partition_by().len()).map(partition_name).collect();
    let mut columns = for_windows(&partitions, cluster_col, rows.schema())?;
    columns.push(cluster_col(GROUP_KEY).alias(GROUP_KEY));
    columns.push(cluster_key(spec, cluster_col)?.alias(KEY));
    let texts = values_of_event(spec)?.into_iter().map(Expr::unalias).map(as_text).enumerate();
    columns.extend(texts.map(|(index, text)| text.alias(member_value_name(index))));
    rows.project(columns)?.alias(EXEMPLARS)?.build()
}

/// The keys of the partitions in the types in which they pass windows. `column` refers to one by its name.
fn for_windows(names: &[String], column: impl Fn(&str) -> Expr, schema: &DFSchema) -> Result<Vec<Expr>> {
    names.iter().map(|name| Ok(through_windows(column(name), schema)?.alias(name))).collect()
}

/// A value as text, of the type in which it passes windows.
fn as_text(value: Expr) -> Expr {
    cast(value, DataType::LargeUtf8)
}

/// The values of an event as text, each under a name of the plan's own.
fn values_of_event(spec: &ClusterSpec) -> Result<Vec<Expr>> {
    let schema = spec.input.schema();
    let value = |(index, Feature { expr, .. }): (usize, &Feature)| {
        let data_type = match expr.get_type(schema)? {
            DataType::Dictionary(_, value_type) => *value_type,
            other => other,
        };
        let value = match &data_type {
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => encode(cast(expr.clone(), DataType::Binary), lit("hex")),
            _ => canonical_float_key(expr.clone(), schema)?,
        };
        // The engine groups text fast in this type, and `as_text` then copies what a batch of it shows.
        Ok(cast(value, DataType::Utf8View).alias(member_value_name(index)))
    };
    spec.options.of.iter().enumerate().map(value).collect()
}

/// Builds a value that depends on the column that a row is about.
fn of_each(of: &[Feature], value: impl Fn(usize, &Feature) -> Expr) -> Result<Expr> {
    let mut result: Option<Expr> = None;
    for (index, column) in of.iter().enumerate().rev() {
        let value = value(index, column);
        result = Some(match (result, is_of(index, of.len())) {
            (Some(others), Some(is_of)) => when(is_of, value).otherwise(others)?,
            _ => value,
        });
    }
    Ok(result.unwrap_or_else(|| lit(ScalarValue::LargeUtf8(None))))
}

/// Builds the number of rows of all values of a partition.
fn total(partition_by: Vec<Expr>) -> Expr {
    over(sum_udaf(), vec![ident(ROWS_OF_VALUE)], partition_by, vec![], None)
}

/// Builds the place of a value in an order.
fn place(partition_by: Vec<Expr>, order_by: Vec<SortExpr>) -> Expr {
    over(row_number_udwf(), vec![], partition_by, order_by, None)
}
