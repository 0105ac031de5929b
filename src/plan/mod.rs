//! A [`ClusterSpec`] becomes a plan of the engine's own operators around one window function.
//!
//! The engine does everything that it does well (scan, project, group, spill, sort, join, distribute):
//!
//! ```text
//! dbcluster(events, {tokens: cmdline_tokens(CommandLine)}, eps => 0.1)
//!
//!   project                 the input's columns, the features, the cluster's columns
//!     filter                one row per cluster, one per noise event
//!       window row_number   ties among the rows that could be a cluster's exemplar
//!         join              each cluster with its exemplar's row: the second read of the table, on the time
//!           aggregate       vectors into clusters: size, first and last time, first vector
//!             window        dbscan_vectors: the one place where clustering happens, over distinct vectors
//!               aggregate   rows into distinct vectors: count, first and last time
//!                 scan      only the columns that features and time need
//!           scan            only the columns that were asked for
//! ```
//!
//! The plan is a tree on purpose: an engine runs a subplan once per use. So clusters and noise go through one aggregation, in
//! which a noise vector is a group of its own, and one join.
//!
//! Cost: two scans of the table, one aggregation of all rows, the clustering of the distinct vectors, and one join.
//!
//! - [`spec`]: a checked call. [`nesting`], [`repeatable`] and [`complete`] check and complete its input, which is read twice.
//! - [`vectors`]: rows to distinct vectors to labelled vectors, which all these functions begin with.
//! - [`collapse`]: `dbcluster`. [`members`]: `dbcluster_members`. [`summary`]: `dbcluster_summary`. [`every_eps`]: `dbcluster_eps`.
//!   [`why`]: `dbcluster_why`. [`member_values`]: `dbcluster_values`. [`member_figures`]: what `dbcluster` tells of all members of a cluster.
//! - [`process_features`]: the table function of that name. [`around`]: `dbcluster_around`. [`hunt`]: `hunt` and its relatives. [`one_shape`]: `process_events` and `logon_events`.
//! - [`order`]: the canonical order of the rows. [`sorting`]: types that can be sorted.
//! - [`functions`]: functions that only plans call.
//! - [`columns`]: the names of all columns. [`values`]: expressions that several parts have.
//! - [`rules`]: optimizer rules for these plans.

pub(crate) mod around;
mod collapse;
pub(crate) mod columns;
mod complete;
mod every_eps;
pub(crate) mod functions;
pub(crate) mod hunt;
mod member_figures;
mod member_values;
mod members;
pub(crate) mod nesting;
pub(crate) mod one_shape;
mod order;
pub(crate) mod process_features;
mod repeatable;
pub(crate) mod rules;
pub(crate) mod sorting;
pub(crate) mod spec;
mod summary;
mod values;
mod vectors;
mod why;

use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::error::internal_err;
use spec::{ClusterSpec, TableFunction};

/// Builds the plan of a call.
pub(crate) fn plan(spec: &ClusterSpec) -> Result<LogicalPlan> {
    match spec.function {
        TableFunction::Dbcluster => collapse::collapse(spec),
        TableFunction::DbclusterMembers => members::members(spec),
        TableFunction::DbclusterSummary => summary::summary(spec),
        TableFunction::DbclusterEps => every_eps::every_eps(spec),
        TableFunction::DbclusterWhy => why::why(spec),
        TableFunction::DbclusterValues => member_values::values(spec),
        TableFunction::Hunt(name) => internal_err!("{name} has a plan of its own"),
    }
}
