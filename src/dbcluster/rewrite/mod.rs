//! A [`ClusterSpec`] becomes a plan of the engine's own operators around one window function.
//!
//! - [`vectors`]: rows to distinct vectors to labelled vectors, which all three functions begin with.
//! - [`collapse`]: `dbcluster`. [`members`]: `dbcluster_members`. [`summary`]: `dbcluster_summary`.
//!
//! Names that begin with two underscores are the plan's own; people meet them in EXPLAIN only.

mod collapse;
mod members;
mod summary;
mod vectors;

use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, lit, when};

pub(super) use collapse::number_ties;

use super::args::{ClusterSpec, TableFunction};
use super::scope::Feature;
use crate::functions::{dbcluster_feature_udf, dbcluster_key_udf};
use crate::window::{CORE_HASH, GROUP, IS_CORE, IS_EXEMPLAR, SKIPPED};

/// The relation of clusters or vectors, on the left of the join with the events.
pub(super) const CLUSTERS: &str = "__clusters";
pub(super) const FOUND: &str = "__found";
pub(super) const TIE: &str = "__tie";
pub(super) const WEIGHT: &str = "__weight";
pub(super) const LABEL: &str = "__label";
const GROUP_KEY: &str = "__group";
const HASH: &str = "__core_hash";

/// The plan of a call.
pub(crate) fn plan(spec: &ClusterSpec) -> Result<LogicalPlan> {
    match spec.function {
        TableFunction::Dbcluster => collapse::collapse(spec),
        TableFunction::DbclusterMembers => members::members(spec),
        TableFunction::DbclusterSummary => summary::summary(spec),
    }
}

/// Whether a name is one of the plan's own, some of which have a number behind them.
pub(super) fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        FOUND,
        TIE,
        GROUP_KEY,
        HASH,
        WEIGHT,
        vectors::FIRST_TIME,
        vectors::LAST_TIME,
        vectors::TIME,
        LABEL,
        collapse::SIZE,
        collapse::EXEMPLAR,
        members::CORE,
        members::KEY,
    ];
    let numbered: [fn(usize) -> String; 8] = [
        partition_name,
        event_partition_name,
        event_feature_name,
        collapse::event_key_name,
        vectors::key_name,
        vectors::last_key_name,
        vectors::kept_name,
        common_expression_name,
    ];
    let number = name.rsplit('_').next().and_then(|digits| digits.parse().ok());
    NAMES.contains(&name)
        || number.is_some_and(|number| numbered.iter().any(|of_number| of_number(number) == name))
}

/// What the engine's optimizer calls an expression that a plan has twice.
fn common_expression_name(index: usize) -> String {
    format!("__common_expr_{index}")
}

/// The columns of the input.
fn input_columns(spec: &ClusterSpec) -> Vec<Expr> {
    spec.input.schema().columns().into_iter().map(Expr::Column).collect()
}

/// A feature of one event as the number that is clustered.
fn feature_value(spec: &ClusterSpec, feature: &Feature) -> Expr {
    dbcluster_feature_udf().call(vec![
        feature.expr.clone(),
        lit(feature.name.as_str()),
        lit(spec.nulls.name()),
    ])
}

/// Whether a group is a cluster, and no row without one.
fn in_cluster() -> Expr {
    cluster_col(GROUP_KEY).gt_eq(lit(0_i64))
}

/// The cluster's number, -1 for noise, NULL for skipped rows.
fn cluster_id() -> Result<Expr> {
    when(in_cluster(), cluster_col(GROUP_KEY))
        .when(cluster_col(GROUP_KEY).gt_eq(lit(SKIPPED)), lit(-1_i64))
        .otherwise(lit(ScalarValue::Int64(None)))
}

/// The cluster's name that is the same on every day, NULL for rows without a cluster. The columns are those of `group`.
fn cluster_key(spec: &ClusterSpec, column: impl Fn(&str) -> Expr) -> Result<Expr> {
    let mut args = vec![column(HASH)];
    args.extend((0..spec.partition_by.len()).map(|index| column(&partition_name(index))));
    when(column(GROUP_KEY).gt_eq(lit(0_i64)), dbcluster_key_udf().call(args))
        .otherwise(lit(ScalarValue::Utf8(None)))
}

/// The column of the input that a partition key is, if it is one.
fn partition_column(spec: &ClusterSpec, index: usize) -> Option<&Column> {
    spec.partition_by.get(index).and_then(|key| key.expr.try_as_col())
}

fn cluster_column(name: &str) -> Column {
    Column::new(Some(CLUSTERS), name)
}

fn cluster_col(name: &str) -> Expr {
    Expr::Column(cluster_column(name))
}

fn partition_name(index: usize) -> String {
    format!("__partition_{index}")
}

/// The name of what a partition key of an event is compared by.
fn event_partition_name(index: usize) -> String {
    format!("__event_partition_{index}")
}

fn event_feature_name(index: usize) -> String {
    format!("__event_feature_{index}")
}
