//! Builds the plan of `dbcluster_summary`: one row about a whole clustering.
//!
//! Cost: the table is read once, for the vectors; nothing is joined.

use datafusion::common::Result;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, ident, lit};

use super::columns::{GROUP_KEY, SIZE, VECTORS, WEIGHT, counted_name, partition_name};
use super::spec::ClusterSpec;
use super::values::label_field;
use super::vectors::labelled_vectors;
use crate::group::Group;
use crate::window::GROUP;

const INPUT_ROWS: &str = "input_rows";
const NUMBER_OF_CLUSTERS: &str = "clusters";
const NOISE: &str = "noise";
const SKIPPED_ROWS: &str = "skipped";

/// Builds the plan of `dbcluster_summary`.
pub(super) fn summary(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let mut groups: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| ident(partition_name(index))).collect();
    let mut columns = groups.clone();
    columns.extend([ident(WEIGHT), label_field(GROUP).alias(GROUP_KEY)]);
    groups.push(ident(GROUP_KEY));

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
    let counted = LogicalPlanBuilder::from(labelled_vectors(spec)?)
        .project(columns)?
        .aggregate(groups, [sum(ident(WEIGHT)).alias(SIZE), count(lit(1_i64)).alias(VECTORS)])?
        .aggregate(Vec::<Expr>::new(), aggregates.map(|(name, value)| value.alias(counted_name(name))))?;

    // The sum of no rows is NULL, which the summary shows as 0.
    let number = |name: &str| coalesce(vec![ident(counted_name(name)), lit(0_i64)]);
    let mut output: Vec<Expr> = names.iter().map(|name| number(name).alias(*name)).collect();
    output.push((number(NUMBER_OF_CLUSTERS) + number(NOISE) + number(SKIPPED_ROWS)).alias("collapsed_rows"));
    output.push(spec.options.to_struct()?.alias("options"));
    counted.project(output)?.alias(spec.function.name())?.build()
}
