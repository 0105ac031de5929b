#![doc = include_str!("../README.md")]

// In the order in which data flows: what all need, numbers from text, a call and its plan, the labels, the operator,
// the figures, the files.
mod constant;
mod near_miss;
mod windows_names;
mod feature;
mod files;
pub mod functions;
mod dbcluster;
mod window;
pub mod dbscan;
mod exec;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(feature = "plot")]
mod figure_file;
#[cfg(any(feature = "cli", feature = "ballista"))]
mod writes;
mod nested_columns;
mod session;
#[cfg(any(feature = "cli", feature = "ballista"))]
mod terminal;
#[cfg(feature = "ballista")]
pub mod ballista;
#[cfg(feature = "cli")]
pub mod repl;

pub use dbcluster::documentation::OptionDocumentation;
pub use exec::{
    DbscanExec, DbscanRule, ExemplarExec, ExemplarFilterExec, ExemplarKeysExec, FileStatistics,
    UnchangedFilesExec, UnchangedFilesRule,
};
#[cfg(feature = "plot")]
pub use figure_file::FigureFormatFactory;
pub use session::{
    documentation_example_table, documentation_grammar, option_documentation, register_all,
    table_function_documentation,
};
pub use window::{all_window_functions, dbscan_udwf, dbscan_vectors_udwf};
