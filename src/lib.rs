#![doc = include_str!("../README.md")]

// The order is that in which data flows: shared pieces, numbers from text, a call and its plan, labels, operators, figures.
mod constant;
mod error;
pub mod event_columns;
pub mod near_miss;
#[cfg(feature = "logs")]
mod read_options;
mod config;
mod wait;
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
#[cfg(feature = "logs")]
mod formats;
pub mod json;
#[cfg(feature = "json")]
pub mod json_fields;
mod nested_columns;
pub mod reference;
mod register;
pub mod distributed;

/// The functions of this crate over expressions: `df.select(vec![cmdline_tokens(col("command"))])`.
pub mod expr_fn {
    pub use crate::functions::expr_fn::*;
    pub use crate::window::expr_fn::*;
}

/// The functions that only plans of this crate call. A plan in one process holds them. A process that receives plans with
/// functions as names, such as Ballista's scheduler and executors, registers them beside [`functions::all`] and
/// [`all_window_functions`].
pub mod plan_functions {
    pub use crate::plan::functions::{
        all_aggregate as aggregate, all_scalar as scalar, all_window as window,
    };
    pub use crate::window::all_plan_window_functions;
}

pub use call::name_fields_by_strings;
pub use config::DbclusterConfig;
pub use dataframe::DbclusterDataFrameExt;
/// The core: exact DBSCAN over weighted vectors, without SQL.
pub use dbcluster_dbscan as dbscan;
/// The figures: pages of HTML from rows, without SQL.
#[cfg(feature = "figures")]
pub use dbcluster_figures as figures;
/// The readers of logs: bytes to batches, without SQL.
#[cfg(feature = "logs")]
pub use dbcluster_logs as logs;
pub use exec::{
    AutoEps, DbscanExec, ExemplarFilterExec, ExemplarKeyCollectExec, ExemplarSelectExec, FetchExemplars,
    FileStatistics, Found, JoinClustersByHash, SelectExemplars, UnchangedFilesExec, UnchangedFilesRule,
    UseDbscanExec,
};
#[cfg(feature = "figures")]
pub use figure_file::FigureFormatFactory;
#[cfg(feature = "logs")]
pub use formats::{FoundFiles, LogTableFactory, LogTables, ReadElsewhere, ReadListener, StoreMaker};
pub use options::{ClusterOption, ClusterOptions, Eps, ExemplarChoice, NullPolicy, Parameter};
#[cfg(feature = "logs")]
pub use read_options::ReadOption;
pub use register::{SessionStateBuilderExt, register_all};
pub use window::{all_window_functions, dbscan_udwf};
