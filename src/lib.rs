#![doc = include_str!("../README.md")]

// In the order in which data flows: the pieces that all need, numbers from text, a call and its plan, the labels, the
// operators, the figures.
mod constant;
mod error;
pub mod near_miss;
mod config;
mod feature;
pub mod file_versions;
mod options;
mod group;
pub mod functions;
mod call;
mod dataframe;
mod plan;
mod window;
mod exec;
#[cfg(feature = "figures")]
pub mod figure_file;
pub mod json;
mod nested_columns;
pub mod reference;
mod register;
pub mod distributed;

/// The functions of this crate over expressions: `df.select(vec![cmdline_tokens(col("command"))])`.
pub mod expr_fn {
    pub use crate::functions::expr_fn::*;
    pub use crate::window::expr_fn::*;
}

/// The functions that plans of this crate name and people never call. A plan holds them; a process that is sent plans in which
/// functions are names, such as Ballista's scheduler and executors, registers them beside [`functions::all`] and
/// [`all_window_functions`].
pub mod plan_functions {
    pub use crate::plan::functions::{all_aggregate as aggregate, all_scalar as scalar};
    pub use crate::window::dbscan_vectors_udwf;
}

pub use config::DbclusterConfig;
pub use dataframe::DbclusterDataFrameExt;
/// The core: exact DBSCAN over weighted vectors, without SQL.
pub use dbcluster_dbscan as dbscan;
/// Rows to pages, without SQL.
#[cfg(feature = "figures")]
pub use dbcluster_figures as figures;
pub use exec::{
    DbscanExec, ExemplarFilterExec, ExemplarKeyCollectExec, ExemplarSelectExec, FetchExemplars,
    FileStatistics, JoinClustersByHash, SelectExemplars, UnchangedFilesExec, UnchangedFilesRule,
    UseDbscanExec,
};
#[cfg(feature = "figures")]
pub use figure_file::FigureFormatFactory;
pub use options::{ClusterOption, ClusterOptions, ExemplarChoice, NullPolicy, Parameter};
pub use register::{SessionStateBuilderExt, register_all};
pub use window::{all_window_functions, dbscan_udwf};
