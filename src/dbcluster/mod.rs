//! The table functions `dbcluster`, `dbcluster_members` and `process_features`, as relational rewrites.
//!
//! A call becomes a plan of the engine's own operators around one window function, so everything that an
//! engine does well (scan, project, group, spill, sort, join, distribute) stays the engine's:
//!
//! ```text
//! dbcluster(events, {tokens: cmdline_tokens(CommandLine)}, eps => 0.1)
//!
//!   project                 the input's columns, the features, the cluster's columns
//!     filter                one row per cluster, one per noise event
//!       window row_number   ties among the rows that could be a cluster's exemplar
//!         join              each cluster with its exemplar's row: the second look at the table, on the time
//!           aggregate       vectors into clusters: size, first and last time, first vector
//!             window        dbscan_vectors: the one place where clustering happens, over distinct vectors
//!               aggregate   rows into distinct vectors: count, first and last time
//!                 scan      only the columns that features and time need
//!           scan            only the columns that were asked for
//! ```
//!
//! The plan is a tree on purpose: an engine runs a subplan once per use, so clusters and noise go through one
//! aggregation (a noise vector is a group of its own) and one join.
//!
//! - [`args`]: what was written becomes a checked [`ClusterSpec`](args::ClusterSpec), or an error for the person
//!   who wrote it, with the help of [`lists`], [`scope`], [`constants`], [`nesting`] and [`repeatable`].
//! - [`complete`]: what the input leaves open about equal rows is decided, so that it can be read twice.
//! - [`table`]: the positional form, for any engine that takes table functions.
//! - [`relation`]: the full form with named options, bare tables, subqueries and feature lists.
//! - [`rewrite`]: a specification becomes a plan.
//! - [`exemplars`]: the plan reads no more than a query shows.

pub(crate) mod args;
pub(crate) mod broadcast;
mod complete;
mod constants;
pub(crate) mod documentation;
pub(crate) mod exemplars;
mod lists;
pub(crate) mod nesting;
mod order;
pub(crate) mod process_features;
pub(crate) mod relation;
mod repeatable;
pub(crate) mod rewrite;
pub(crate) mod scope;
pub(crate) mod table;
