//! Builds the plan of `dbcluster_summary`: one row about a whole clustering.
//!
//! Cost: the table is read once, for the vectors; nothing is joined.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, cast, ident, lit};

use super::columns::{GROUP_KEY, PARTITION_EPS, SIZE, VECTORS, WEIGHT, counted_name, partition_name};
use super::spec::ClusterSpec;
use super::values::label_field;
use super::vectors::labelled_vectors;
use crate::group::Group;
use crate::options::{Eps, number};
use crate::window::{EPS, GROUP};

const INPUT_ROWS: &str = "input_rows";
const NUMBER_OF_CLUSTERS: &str = "clusters";
const NOISE: &str = "noise";
const SKIPPED_ROWS: &str = "skipped";
const EPS_LEAST: &str = "eps_least";
const EPS_GREATEST: &str = "eps_greatest";

/// Builds the plan of `dbcluster_summary`.
pub(super) fn summary(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let mut groups: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| ident(partition_name(index))).collect();
    let mut columns = groups.clone();
    columns.extend([ident(WEIGHT), label_field(GROUP).alias(GROUP_KEY)]);
    groups.push(ident(GROUP_KEY));
    let eps = match &spec.options.eps {
        Eps::Given(eps) => Some(eps),
        Eps::Auto | Eps::Each(_) => None,
    };
    let mut of_group = vec![sum(ident(WEIGHT)).alias(SIZE), count(lit(1_i64)).alias(VECTORS)];
    if eps.is_none() {
        columns.push(label_field(EPS).alias(PARTITION_EPS));
        of_group.push(max(ident(PARTITION_EPS)).alias(PARTITION_EPS));
    }

    let group = Group(ident(GROUP_KEY));
    let size = || ident(SIZE);
    let aggregates = [
        (INPUT_ROWS, sum(size())),
        ("distinct_vectors", sum(ident(VECTORS)).filter(group.is_skipped().is_false()).build()?),
        (NUMBER_OF_CLUSTERS, count(lit(1_i64)).filter(group.is_cluster()).build()?),
        (NOISE, sum(size()).filter(group.is_noise()).build()?),
        (SKIPPED_ROWS, sum(size()).filter(group.is_skipped()).build()?),
        ("largest_cluster", max(size()).filter(group.is_cluster()).build()?),
    ];
    let names = aggregates.each_ref().map(|(name, _)| *name);
    let mut of_all: Vec<Expr> =
        aggregates.into_iter().map(|(name, value)| value.alias(counted_name(name))).collect();
    if eps.is_none() {
        of_all.push(min(ident(PARTITION_EPS)).alias(counted_name(EPS_LEAST)));
        of_all.push(max(ident(PARTITION_EPS)).alias(counted_name(EPS_GREATEST)));
    }
    let counted = LogicalPlanBuilder::from(labelled_vectors(spec)?)
        .project(columns)?
        .aggregate(groups, of_group)?
        .aggregate(Vec::<Expr>::new(), of_all)?;

    // The sum of no rows is NULL, which the summary shows as 0.
    let figure = |name: &str| coalesce(vec![ident(counted_name(name)), lit(0_i64)]);
    let mut output: Vec<Expr> = names.iter().map(|name| figure(name).alias(*name)).collect();
    output.push((figure(NUMBER_OF_CLUSTERS) + figure(NOISE) + figure(SKIPPED_ROWS)).alias("collapsed_rows"));
    for name in [EPS_LEAST, EPS_GREATEST] {
        let value =
            eps.map_or_else(|| ident(counted_name(name)), |eps| cast(number(eps, name), DataType::Float64));
        output.push(value.alias(name));
    }
    output.push(spec.options.to_struct()?.alias("options"));
    counted.project(output)?.alias(spec.function.name())?.build()
}
