//! Builds the plan of `dbcluster_eps`: one row per partition and eps.
//!
//! The window function returns the clusterings of a partition as a list in its first row, which is then unnested.
//!
//! Cost: the table is read once, for the vectors; nothing is joined.

use datafusion::common::{Column, Result};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident};

use super::columns::{LABEL, partition_name};
use super::spec::{ClusterSpec, EPS_COLUMNS};
use super::vectors::labelled_vectors;

/// Builds the plan of `dbcluster_eps`.
pub(super) fn every_eps(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let partitions = || (0..spec.partition_by().len()).map(partition_name);
    let mut columns: Vec<Expr> = partitions().map(ident).collect();
    columns.push(ident(LABEL));

    let names = spec.partition_by().iter().map(|key| key.text.as_str());
    let mut output: Vec<Expr> = partitions().zip(names).map(|(key, name)| ident(key).alias(name)).collect();
    output.extend(EPS_COLUMNS.map(|name| get_field(ident(LABEL), name).alias(name)));

    LogicalPlanBuilder::from(labelled_vectors(spec)?)
        .project(columns)?
        .filter(ident(LABEL).is_not_null())?
        .unnest_column(Column::from_name(LABEL))?
        .project(output)?
        .alias(spec.function.name())?
        .build()
}
