//! Builds what `dbcluster` tells of all members of a cluster: `distinct_of`, `template_of` and `activity`.
//!
//! The exemplar of a cluster is fetched by its order key, and the other members are never read. These figures need them all, so the
//! events are read once more and joined with the clusters of their vectors. They are counted per cluster and value, and then these
//! counts per cluster, since the engine's `count(DISTINCT text)` neither spills nor groups fast. Several columns are counted in one
//! read, as grouping sets.
//!
//! Cost: one more read of the features and of the columns that are counted, one hash table of all values of each cluster, which spills,
//! and the clustering once more, over the distinct vectors.

use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::logical_plan::Aggregate;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, ident, lit, when};

use super::columns::{
    BOUNDS, CLUSTERS, FIRST_OF_ALL, GROUP_KEY, GROUPS, LAST_OF_ALL, OF_MEMBERS, ROWS_OF_VALUE, cluster_col,
    member_value_name, partition_name,
};
use super::functions::{bucket_counts_udaf, common_template_udaf, one_event_udf, time_bucket_udf};
use super::members::{events_of, groups_of_vectors};
use super::sorting::canonical_float_key;
use super::spec::{ACTIVITY, ClusterSpec, distinct_name, template_name};
use super::values::group;
use crate::functions::cmdline_template_udf;
use crate::group::Group;

/// A column of the result that is computed from all members of a cluster.
pub(super) struct Figure {
    /// The name of the column.
    pub(super) name: String,
    /// Its value in the row of an event without a cluster.
    pub(super) of_event: Expr,
    /// The value of each member.
    member: Expr,
    kind: Kind,
}

enum Kind {
    Distinct,
    Template,
    Activity { buckets: i64 },
}

/// Returns the figures that the options ask for.
pub(super) fn figures(spec: &ClusterSpec) -> Result<Vec<Figure>> {
    let mut figures = vec![];
    for column in &spec.options.distinct_of {
        let value = Expr::Column(column.clone());
        figures.push(Figure {
            name: distinct_name(&column.name),
            of_event: when(value.clone().is_null(), lit(0_i64)).otherwise(lit(1_i64))?,
            member: canonical_float_key(value, spec.input.schema())?,
            kind: Kind::Distinct,
        });
    }
    for column in &spec.options.template_of {
        let masked = cmdline_template_udf().call(vec![Expr::Column(column.clone())]);
        let name = template_name(&column.name);
        figures.push(Figure { name, of_event: masked.clone(), member: masked, kind: Kind::Template });
    }
    if let (Some(buckets), Some(time)) = (spec.options.activity, spec.time_column()) {
        let bucket = |bound: fn(&str) -> Expr| {
            let bounds = [FIRST_OF_ALL, LAST_OF_ALL].map(bound);
            let args = [time.clone()].into_iter().chain(bounds).chain([lit(buckets)]);
            time_bucket_udf().call(args.collect())
        };
        figures.push(Figure {
            name: ACTIVITY.to_string(),
            of_event: one_event_udf().call(vec![bucket(cluster_col), lit(buckets)]),
            member: bucket(|name| Expr::Column(Column::new(Some(BOUNDS), name))),
            kind: Kind::Activity { buckets },
        });
    }
    Ok(figures)
}

/// Adds figures to the clusters, as columns [`member_value_name`], and where events are counted over time the bounds of it.
pub(super) fn joined(
    spec: &ClusterSpec,
    clusters: LogicalPlanBuilder,
    figures: &[Figure],
) -> Result<LogicalPlanBuilder> {
    let column = |relation: &str, name: &str| Expr::Column(Column::new(Some(relation), name));
    let mut columns: Vec<Expr> =
        clusters.schema().columns().iter().map(|it| column(GROUPS, &it.name).alias(&it.name)).collect();
    columns
        .extend((0..figures.len()).map(member_value_name).map(|name| column(OF_MEMBERS, &name).alias(name)));
    let mut clusters = clusters.alias(GROUPS)?;
    if spec.options.activity.is_some() {
        clusters = clusters.cross_join(bounds(spec)?)?;
        columns.extend([FIRST_OF_ALL, LAST_OF_ALL].map(|name| column(BOUNDS, name).alias(name)));
    }
    let on = |relation: &str| -> Vec<Column> {
        keys(spec).into_iter().map(|name| Column::new(Some(relation), name)).collect()
    };
    // Vectors without a cluster have no figures. The figures stand on the left, since Ballista's adaptive planner broadcasts the left
    // side of a left join, and then gives no row that has no partner.
    LogicalPlanBuilder::from(figures_of_clusters(spec, figures)?)
        .join_detailed(
            clusters.build()?,
            JoinType::Right,
            (on(OF_MEMBERS), on(GROUPS)),
            None,
            NullEquality::NullEqualsNull,
        )?
        .project(columns)
}

/// The columns that name a cluster.
fn keys(spec: &ClusterSpec) -> Vec<String> {
    let partitions = (0..spec.partition_by().len()).map(partition_name);
    partitions.chain([GROUP_KEY.to_string()]).collect()
}

/// The first and the last time of all rows of the call.
fn bounds(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let Some(time) = spec.time_column() else { return LogicalPlanBuilder::empty(false).build() };
    LogicalPlanBuilder::from(spec.input.clone())
        .aggregate(
            Vec::<Expr>::new(),
            [min(time.clone()).alias(FIRST_OF_ALL), max(time.clone()).alias(LAST_OF_ALL)],
        )?
        .alias(BOUNDS)?
        .build()
}

/// Counts the members of each cluster by each of their values, and makes the figures of the counts.
fn figures_of_clusters(spec: &ClusterSpec, figures: &[Figure]) -> Result<LogicalPlan> {
    let vectors =
        groups_of_vectors(spec)?.filter(Group(ident(GROUP_KEY)).is_cluster())?.alias(CLUSTERS)?.build()?;

    // The bounds are joined with the events before the vectors are: the engine takes a cross join above an inner join apart, and makes
    // NULL differ from NULL in it.
    let mut events = LogicalPlanBuilder::from(spec.input.clone());
    if spec.options.activity.is_some() {
        events = events.cross_join(bounds(spec)?)?;
    }
    let members = figures.iter().enumerate();
    let members = members.map(|(index, figure)| figure.member.clone().alias(member_value_name(index)));
    let members = events_of(spec, vectors, (events.build()?, members.collect()), JoinType::Inner)?;
    let clusters: Vec<Expr> = keys(spec).iter().map(|name| cluster_col(name)).collect();
    let mut values = clusters.clone();
    values.extend((0..figures.len()).map(|index| ident(member_value_name(index))));
    let counted = counts(members.project(values)?, &clusters, figures.len())?;

    let of_clusters = figures.iter().enumerate().map(|(index, figure)| {
        let value = ident(member_value_name(index));
        let figure = match figure.kind {
            Kind::Distinct => count(value),
            Kind::Template => common_template_udaf().call(vec![value]),
            Kind::Activity { buckets } => {
                bucket_counts_udaf().call(vec![value, ident(ROWS_OF_VALUE), lit(buckets)])
            }
        };
        let name = member_value_name(index);
        match is_of(index, figures.len()) {
            Some(is_of) => Ok(figure.filter(is_of).build()?.alias(name)),
            None => Ok(figure.alias(name)),
        }
    });
    let of_clusters = of_clusters.collect::<Result<Vec<_>>>()?;
    counted.aggregate(clusters, of_clusters)?.alias(OF_MEMBERS)?.build()
}

/// Counts rows by each of so many values, and by `keys`. [`is_of`] tells the counts of the values apart.
pub(super) fn counts(rows: LogicalPlanBuilder, keys: &[Expr], values: usize) -> Result<LogicalPlanBuilder> {
    let value = |index: usize| ident(member_value_name(index));
    let with = |index: usize| keys.iter().cloned().chain([value(index)]).collect::<Vec<_>>();
    let groups = if values == 1 {
        with(0)
    } else {
        vec![Expr::GroupingSet(GroupingSet::GroupingSets((0..values).map(with).collect()))]
    };
    rows.aggregate(groups, [count(lit(1_i64)).alias(ROWS_OF_VALUE)])
}

/// Whether a row of [`counts`] is about a value, `None` if there is no other.
///
/// The engine's grouping id has a bit for each column, the last column's being the lowest, and it is set if the column takes no part in
/// the grouping set. All sets have the keys.
pub(super) fn is_of(index: usize, values: usize) -> Option<Expr> {
    (values > 1).then(|| {
        let all = (1_u64 << values) - 1;
        let id = all ^ (1 << (values - 1 - index));
        ident(Aggregate::INTERNAL_GROUPING_ID).eq(lit(id))
    })
}

/// The cluster of a row, which is none for noise and skipped rows.
pub(super) fn cluster_or_none() -> Result<Expr> {
    when(group().is_cluster(), cluster_col(GROUP_KEY)).end()
}
