//! Calls of the table functions, from text to a checked [`ClusterSpec`](crate::plan::spec::ClusterSpec).
//!
//! - [`relation`]: the full form with named options, bare tables, subqueries and feature lists.
//! - [`table_function`]: the positional form, for any engine that takes table functions.
//! - [`around`]: the call of `dbcluster_around`. [`hunt`]: the calls of `hunt`, `hunt_processes` and `hunt_logons`.
//! - [`written`]: both forms as one type, and how it is read option by option.
//! - [`value`]: the value of an option as it was written.
//! - [`lists`], [`literals`], [`scope`]: lists, constants and expressions, with errors in the words of the call.
//! - [`fields`]: fields of columns whose names are words of SQL.
//! - [`planner`]: planning SQL by the host. [`catalog`]: finding its tables. [`depth`]: the limit on nested expressions.
//! - [`documentation`]: the reference of the functions.

mod around;
mod catalog;
mod depth;
pub(crate) mod documentation;
mod fields;
mod hunt;
mod lists;
mod literals;
mod planner;
mod relation;
mod scope;
mod table_function;
mod value;
mod written;

pub use fields::name_fields_by_strings;
pub(crate) use relation::DbclusterPlanner;
pub(crate) use table_function::{ClusterTableFunction, ProcessFeaturesFunction};
