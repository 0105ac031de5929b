//! Builds the plan of `dbcluster`: one row per cluster, one per noise event.
//!
//! Figures over all members of a cluster ([`member_figures`]) take a read of their own.
//!
//! Cost: the table is read twice. The second read computes features only for rows that have the first order key (usually the
//! time) of some cluster, unless noise vectors may stand for several rows.

use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::functions_aggregate::expr_fn::{first_value, max, sum};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr,
    ident, lit, when,
};

use super::columns::{
    CLUSTER_ID, CLUSTER_KEY, CLUSTER_SIZE, CLUSTERED, CLUSTERS, EXEMPLAR, FIRST_EVENT_TIME, FIRST_TIME,
    FOUND, GROUP_KEY, HASH, LAST_EVENT_TIME, LAST_TIME, POINT_TYPE, SIZE, TIE, WEIGHT, cluster_col,
    cluster_column, event_feature_name, event_key_name, event_partition_name, kept_name, key_name,
    member_value_name, partition_name,
};
use super::functions::{
    assert_row_found_udf, exemplar_group_udf, exemplar_sort_key_udf, kept_values_udf, vectors_equal_udf,
};
use super::member_figures::{self, Figure};
use super::sorting::{greatest, has_order_of_sort, least};
use super::spec::ClusterSpec;
use super::values::{
    cluster_id, cluster_key, feature_value, group, input_columns, label_field, over, partition_column,
    smallest,
};
use super::vectors::{kept_value, labelled_vectors, last_key_of_vector};
use crate::options::{ExemplarChoice, NullPolicy};
use crate::window::{CORE_HASH, GROUP, IS_EXEMPLAR};

/// Builds the plan of `dbcluster`.
pub(super) fn collapse(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let figures = member_figures::figures(spec)?;
    let more = OfClusters { figures: &figures, ..OfClusters::default() };
    let Fetched { rows, groups_have_one_row } = fetched(spec, &more)?;
    let mut output = shown_columns(spec);
    output.push(group().is_cluster().alias(CLUSTERED));
    output.push(cluster_id()?.alias(CLUSTER_ID));
    // A row without a cluster shows its own values, which are those of its group if that has one row.
    let group_or_event_value = |of_group: Expr, of_event: Expr| -> Result<Expr> {
        if groups_have_one_row {
            Ok(of_group)
        } else {
            when(group().is_cluster(), of_group).otherwise(of_event)
        }
    };
    output.push(group_or_event_value(cluster_col(SIZE), lit(1_i64))?.alias(CLUSTER_SIZE));
    if let Some(time) = spec.time_column() {
        let data_type = time.get_type(spec.input.schema())?;
        for (of_group, name) in [(FIRST_TIME, FIRST_EVENT_TIME), (LAST_TIME, LAST_EVENT_TIME)] {
            let of_group = cluster_col(of_group).cast_to(&data_type, rows.schema())?;
            output.push(group_or_event_value(of_group, time.clone())?.alias(name));
        }
    }
    output.push(cluster_key(spec, cluster_col)?.alias(CLUSTER_KEY));
    if spec.options.nulls == NullPolicy::Skip {
        let why_alone =
            when(group().is_noise(), lit("noise")).when(group().is_skipped(), lit("skipped")).end()?;
        output.push(why_alone.alias(POINT_TYPE));
    }
    for (index, kept) in spec.options.keep_members.iter().enumerate() {
        let of_group = kept_values_udf().call(vec![cluster_col(&kept_name(index))]);
        let of_event = make_array(vec![kept_value(spec, kept)?]);
        output.push(group_or_event_value(of_group, of_event)?.alias(kept.output_name()));
    }
    for (index, figure) in figures.into_iter().enumerate() {
        let of_group = cluster_col(&member_value_name(index));
        output.push(when(group().is_cluster(), of_group).otherwise(figure.of_event)?.alias(figure.name));
    }
    rows.project(output)?.alias(spec.function.name())?.build()
}

/// The clusters, joined with the rows that stand for them.
pub(super) struct Fetched {
    pub(super) rows: LogicalPlanBuilder,
    /// Whether a vector without a cluster always stands for one row.
    groups_have_one_row: bool,
}

/// Further columns of clusters, and a choice of them.
#[derive(Default)]
pub(super) struct OfClusters<'a> {
    /// Further fields of the label of a vector without a cluster, each with the name of its column.
    pub(super) of_label: &'a [(String, String)],
    /// The values that are computed from all members.
    pub(super) figures: &'a [Figure],
    /// The clusters that are wanted, if not all are.
    pub(super) wanted: Option<Expr>,
}

/// Joins clusters with the rows that stand for them.
pub(super) fn fetched(spec: &ClusterSpec, more: &OfClusters) -> Result<Fetched> {
    let mut clusters = LogicalPlanBuilder::from(clusters(spec, more)?);
    if let Some(wanted) = &more.wanted {
        clusters = clusters.filter(wanted.clone())?;
    }
    // If a vector without a cluster always stands for one row, every group has one row in the result. These rows are found by
    // their order key, so features need not be computed for the others.
    let groups_have_one_row = spec.options.min_samples.value().is_some_and(|least| least <= 2)
        && spec.options.nulls != NullPolicy::Skip;
    Ok(Fetched { rows: fetched_rows(spec, clusters, groups_have_one_row)?, groups_have_one_row })
}

/// Joins the relation of clusters with the rows that stand for them. Each cluster has the keys of its exemplar, and its features.
pub(super) fn fetched_rows(
    spec: &ClusterSpec,
    clusters: LogicalPlanBuilder,
    groups_have_one_row: bool,
) -> Result<LogicalPlanBuilder> {
    // The join is a left one so that a cluster whose row has gone is noticed: __assert_row_found fails on its NULL.
    let (events, keys) = events(spec, groups_have_one_row)?;
    // A rule that leaves the join out needs the number of rows of a vector. The condition keeps the optimizer from dropping it.
    let is_no_cluster = if groups_have_one_row {
        group().is_no_cluster()
    } else {
        group().is_no_cluster().and(cluster_col(SIZE).gt(lit(0_i64)))
    };
    clusters
        .join_detailed(events, JoinType::Left, keys.columns, keys.residual, NullEquality::NullEqualsNull)?
        .window([tie_break(spec)?])?
        .filter(
            assert_row_found_udf().call(vec![ident(FOUND)]).and(is_no_cluster.or(ident(TIE).eq(lit(1_u64)))),
        )
}

/// Returns the input's columns as the output shows them, and the features that were given as expressions. Partition keys are taken
/// from the clusters, where they are keys of every step, so that a filter on them is pushed down to both scans.
pub(super) fn shown_columns(spec: &ClusterSpec) -> Vec<Expr> {
    let shown = |column: Expr| {
        let place = spec.partition_by().iter().position(|key| key.expr == column);
        match (place, column.try_as_col()) {
            (Some(place), Some(name)) => cluster_col(&partition_name(place)).alias(name.name.as_str()),
            _ => column,
        }
    };
    let computed = spec.features().iter().filter(|feature| !feature.is_input_column());
    let features = computed.map(|feature| feature.expr.clone().alias(feature.name.as_str()));
    input_columns(spec).into_iter().map(shown).chain(features).collect()
}

/// The condition of the join of clusters and events.
struct JoinKeys {
    columns: (Vec<Column>, Vec<Column>),
    residual: Option<Expr>,
}

/// Builds the second read of the table: all columns of the events, and the keys that join them with the clusters.
fn events(spec: &ClusterSpec, groups_have_one_row: bool) -> Result<(LogicalPlan, JoinKeys)> {
    let keys = spec.exemplar_keys()?;
    let mut events = input_columns(spec);
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
    let (mut left, mut right) = (vec![], vec![]);
    let mut computed_partitions = vec![];
    for (index, key) in spec.partition_by().iter().enumerate() {
        if let Some(column) = partition_column(spec, index) {
            left.push(cluster_column(&partition_name(index)));
            right.push(column.clone());
        } else {
            computed_partitions.push((index, key.expr.clone()));
        }
    }
    let residual = if groups_have_one_row && !keys.is_empty() {
        left.extend((0..keys.len()).map(|index| cluster_column(&exemplar_key_name(spec, index))));
        right.extend(key_columns);
        let partitions = computed_partitions
            .into_iter()
            .flat_map(|(index, key)| [cluster_col(&partition_name(index)), key]);
        let features = spec
            .features()
            .iter()
            .flat_map(|feature| [cluster_col(&feature.name), feature_value(spec, feature)]);
        Some(vectors_equal_udf().call(partitions.chain(features).collect()))
    } else {
        for (index, key) in computed_partitions {
            events.push(key.alias(event_partition_name(index)));
            left.push(cluster_column(&partition_name(index)));
            right.push(Column::from_name(event_partition_name(index)));
        }
        for (index, feature) in spec.features().iter().enumerate() {
            events.push(feature_value(spec, feature).alias(event_feature_name(index)));
            left.push(cluster_column(&feature.name));
            right.push(Column::from_name(event_feature_name(index)));
        }
        // The join keeps all rows of a vector without a cluster, and of a cluster only rows with the order key of its exemplar.
        let same_keys = key_columns.into_iter().enumerate().map(|(index, column)| {
            not_distinct(cluster_col(&exemplar_key_name(spec, index)), Expr::Column(column))
        });
        same_keys.reduce(Expr::and).map(|same| group().is_no_cluster().or(same))
    };
    let events = LogicalPlanBuilder::from(spec.input.clone()).project(events)?.build()?;
    Ok((events, JoinKeys { columns: (left, right), residual }))
}

/// Builds one row per cluster and per vector without one: its size, its times and the vector of its exemplar.
fn clusters(spec: &ClusterSpec, &OfClusters { of_label, figures, .. }: &OfClusters) -> Result<LogicalPlan> {
    let keys = spec.exemplar_keys()?.len();
    let partitions: Vec<String> = (0..spec.partition_by().len()).map(partition_name).collect();
    let mut columns: Vec<Expr> = partitions.iter().map(ident).collect();
    columns.extend(spec.features().iter().map(|feature| ident(&feature.name)));
    columns.extend((0..keys).map(|index| ident(key_name(index))));
    columns.push(ident(WEIGHT));
    if spec.time_column().is_some() {
        columns.push(ident(LAST_TIME));
        if !spec.time_is_key() {
            columns.push(ident(FIRST_TIME));
        }
    }
    if spec.options.exemplar == ExemplarChoice::Last && !spec.time_is_key() {
        columns.extend((0..keys).map(|index| ident(last_key_of_vector(spec, index))));
    }
    columns.extend((0..spec.options.keep_members.len()).map(|index| ident(kept_name(index))));
    columns.extend([
        label_field(GROUP).alias(GROUP_KEY),
        label_field(IS_EXEMPLAR).alias(EXEMPLAR),
        label_field(CORE_HASH).alias(HASH),
    ]);
    columns.extend(of_label.iter().map(|(field, name)| label_field(field).alias(name)));
    let labelled = LogicalPlanBuilder::from(labelled_vectors(spec)?).project(columns)?;

    let schema = labelled.schema();
    let mut aggregates = vec![sum(ident(WEIGHT)).alias(SIZE), max(ident(HASH)).alias(HASH)];
    if spec.time_column().is_some() {
        let first_time = if spec.time_is_key() { key_name(0) } else { FIRST_TIME.to_string() };
        let data_type = ident(LAST_TIME).get_type(schema)?;
        aggregates.push(least(ident(first_time), &data_type).alias(FIRST_TIME));
        aggregates.push(greatest(ident(LAST_TIME), &data_type).alias(LAST_TIME));
    }
    let of_exemplar = |value: Expr| -> Result<Expr> {
        if spec.options.exemplar == ExemplarChoice::Last {
            return Ok(first_value(value, last_vector_first(spec, keys)));
        }
        // One vector of each group is its exemplar, so any aggregate over that one row returns the row's value.
        let of_one =
            if has_order_of_sort(&value.get_type(schema)?) { max(value) } else { first_value(value, vec![]) };
        of_one.filter(ident(EXEMPLAR)).build()
    };
    for feature in spec.features() {
        // Clustered features are finite, so max works for DOUBLE too.
        let value = ident(&feature.name);
        let of_feature = if spec.options.exemplar == ExemplarChoice::Last {
            of_exemplar(value)?
        } else {
            max(value).filter(ident(EXEMPLAR)).build()?
        };
        aggregates.push(of_feature.alias(feature.name.as_str()));
    }
    for index in 0..keys {
        let name = key_name(index);
        if exemplar_key_name(spec, index) == name {
            let of_vector = if spec.options.exemplar == ExemplarChoice::Last {
                last_key_of_vector(spec, index)
            } else {
                name.clone()
            };
            aggregates.push(of_exemplar(ident(of_vector))?.alias(name));
        }
    }
    for (index, kept) in spec.options.keep_members.iter().enumerate() {
        aggregates.push(smallest(ident(kept_name(index)), kept.count).alias(kept_name(index)));
    }
    // A group without a cluster is one vector.
    aggregates.extend(of_label.iter().map(|(_, name)| max(ident(name)).alias(name)));
    let groups: Vec<Expr> = partitions.iter().map(ident).chain([ident(GROUP_KEY)]).collect();
    let mut clusters = labelled.aggregate(groups, aggregates)?;
    if !figures.is_empty() {
        clusters = member_figures::joined(spec, clusters, figures)?;
    }
    clusters.alias(CLUSTERS)?.build()
}

/// Returns the order in which the vector of a group's last row comes first: by its last keys, then by the features.
fn last_vector_first(spec: &ClusterSpec, keys: usize) -> Vec<SortExpr> {
    let keys = (0..keys).map(|index| last_key_of_vector(spec, index));
    let features = spec.features().iter().map(|feature| feature.name.clone());
    keys.chain(features).map(|name| ident(name).sort(false, false)).collect()
}

/// Builds the window expression that numbers the rows that could be their cluster's exemplar.
fn tie_break(spec: &ClusterSpec) -> Result<Expr> {
    // Rows without a cluster need no number. The two functions spare the engine a partition and a comparison for each of them.
    let mut groups: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| cluster_col(&partition_name(index))).collect();
    groups.push(exemplar_group_udf().call(vec![cluster_col(GROUP_KEY)]));
    let ascending = spec.options.exemplar != ExemplarChoice::Last;
    let keys = spec.exemplar_keys()?;
    let deciding = spec.remaining_columns()?.into_iter().filter(|column| !keys.contains(column));
    let deciding = deciding.map(|column| {
        exemplar_sort_key_udf().call(vec![cluster_col(GROUP_KEY), column]).sort(ascending, false)
    });
    Ok(number_ties(groups, deciding.collect()))
}

/// Builds `row_number() OVER (PARTITION BY ... [ORDER BY ...]) AS __tie`.
pub(super) fn number_ties(partition_by: Vec<Expr>, order_by: Vec<SortExpr>) -> Expr {
    over(row_number_udwf(), vec![], partition_by, order_by, None).alias(TIE)
}

fn not_distinct(left: Expr, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::IsNotDistinctFrom, Box::new(right)))
}

/// Returns the name of an order key of the exemplar's row. If the rows are ordered by time, that of the first row is the
/// cluster's first time, and that of the last row its last time.
fn exemplar_key_name(spec: &ClusterSpec, index: usize) -> String {
    match spec.options.exemplar {
        ExemplarChoice::First if spec.time_is_key() => FIRST_TIME.to_string(),
        ExemplarChoice::Last if spec.time_is_key() => LAST_TIME.to_string(),
        _ => key_name(index),
    }
}
