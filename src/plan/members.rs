//! Builds the plan of `dbcluster_members`: every row with the cluster of its vector.
//!
//! Cost: the table is read twice, and its features are computed in both reads. The labelled vectors are the build side of the
//! join.

use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit, when};

use super::columns::{
    CLUSTER_ID, CLUSTER_KEY, CLUSTERS, CORE, GROUP_KEY, HASH, KEY, POINT_TYPE, WEIGHT, cluster_col,
    cluster_column, event_feature_name, event_partition_name, partition_name,
};
use super::functions::assert_row_found_udf;
use super::spec::ClusterSpec;
use super::values::{
    cluster_id, cluster_key, feature_value, group, input_columns, label_field, partition_column,
};
use super::vectors::labelled_vectors;
use crate::window::{CORE_HASH, GROUP, IS_CORE};

/// Builds the plan of `dbcluster_members`.
pub(super) fn members(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let partitions = (0..spec.partition_by().len()).map(|index| ident(partition_name(index)));
    let mut columns: Vec<Expr> = partitions.collect();
    columns.extend(spec.features().iter().map(|feature| ident(&feature.name)));
    // The number of rows is for the rule that counts members without a second read.
    columns.extend([
        ident(WEIGHT),
        label_field(GROUP).alias(GROUP_KEY),
        label_field(IS_CORE).alias(CORE),
        label_field(CORE_HASH).alias(HASH),
    ]);
    let labelled = LogicalPlanBuilder::from(labelled_vectors(spec)?).project(columns)?;
    // The cluster's columns are computed once per vector, not once per row.
    let mut columns: Vec<Expr> = labelled.schema().columns().into_iter().map(Expr::Column).collect();
    columns.push(cluster_key(spec, |name| ident(name))?.alias(KEY));
    let vectors = labelled.project(columns)?.alias(CLUSTERS)?.build()?;

    let mut output = input_columns(spec);
    output.push(cluster_id()?.alias(CLUSTER_ID));
    output.push(cluster_col(KEY).alias(CLUSTER_KEY));
    output.push(
        when(cluster_col(CORE), lit("core"))
            .when(group().is_cluster(), lit("border"))
            .when(group().took_part(), lit("noise"))
            .otherwise(lit("skipped"))?
            .alias(POINT_TYPE),
    );
    // The right join keeps every row. A row without a vector was added between the two reads, and __assert_row_found fails.
    events_of(spec, vectors, (spec.input.clone(), input_columns(spec)), JoinType::Right)?
        .filter(assert_row_found_udf().call(vec![cluster_col(GROUP_KEY)]))?
        .project(output)?
        .alias(spec.function.name())?
        .build()
}

/// Builds the distinct vectors with their partition and their group.
pub(super) fn groups_of_vectors(spec: &ClusterSpec) -> Result<LogicalPlanBuilder> {
    let mut columns: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| ident(partition_name(index))).collect();
    columns.extend(spec.features().iter().map(|feature| ident(&feature.name)));
    columns.push(label_field(GROUP).alias(GROUP_KEY));
    LogicalPlanBuilder::from(labelled_vectors(spec)?).project(columns)
}

/// Joins vectors, which are the relation of clusters, with the second read of the table, of which these columns are read.
pub(super) fn events_of(
    spec: &ClusterSpec,
    vectors: LogicalPlan,
    (events, mut columns): (LogicalPlan, Vec<Expr>),
    join_type: JoinType,
) -> Result<LogicalPlanBuilder> {
    let (mut left_on, mut right_on) = (vec![], vec![]);
    for (index, key) in spec.partition_by().iter().enumerate() {
        left_on.push(cluster_column(&partition_name(index)));
        // A plain column keeps its name, so that the engine can infer a filter on it for the vectors.
        right_on.push(match partition_column(spec, index) {
            Some(column) => {
                if !columns.contains(&key.expr) {
                    columns.push(key.expr.clone());
                }
                column.clone()
            }
            None => {
                columns.push(key.expr.clone().alias(event_partition_name(index)));
                Column::from_name(event_partition_name(index))
            }
        });
    }
    for (index, feature) in spec.features().iter().enumerate() {
        columns.push(feature_value(spec, feature).alias(event_feature_name(index)));
        left_on.push(cluster_column(&feature.name));
        right_on.push(Column::from_name(event_feature_name(index)));
    }
    let events = LogicalPlanBuilder::from(events).project(columns)?.build()?;
    let on = (left_on, right_on);
    LogicalPlanBuilder::from(vectors).join_detailed(events, join_type, on, None, NullEquality::NullEqualsNull)
}
