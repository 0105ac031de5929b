#![doc = include_str!("../README.md")]

// In the order in which data flows: the pieces that all need, numbers from text, a call and its plan, the labels, the
// operators, the figures.
mod constant;
pub mod near_miss;
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
mod session;
pub mod distributed;

pub use dataframe::DbclusterDataFrameExt;
/// The core: exact DBSCAN over weighted vectors, without SQL.
pub use dbcluster_dbscan as dbscan;
/// Rows to pages, without SQL.
#[cfg(feature = "figures")]
pub use dbcluster_figures as figures;
pub use exec::{
    DbscanExec, DbscanRule, ExemplarExec, ExemplarFilterExec, ExemplarKeysExec, FileStatistics,
    UnchangedFilesExec, UnchangedFilesRule,
};
#[cfg(feature = "figures")]
pub use figure_file::FigureFormatFactory;
pub use options::{ClusterOption, ClusterOptions, ExemplarChoice, NullPolicy, Parameter};
pub use session::{
    documentation_example_table, documentation_grammar, option_documentation, register_all,
    table_function_documentation,
};
pub use window::{all_window_functions, dbscan_udwf, dbscan_vectors_udwf};
