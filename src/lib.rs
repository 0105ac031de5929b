#![doc = include_str!("../README.md")]

// In the order in which data flows: numbers from text, a call and its plan, the labels, the engine's operator.
mod feature;
pub mod functions;
mod dbcluster;
mod window;
pub mod dbscan;
mod exec;
mod session;
#[cfg(feature = "cli")]
pub mod repl;

pub use exec::{DbscanExec, DbscanRule};
pub use session::{documentation_example_table, register_all, table_function_documentation};
pub use window::{all_window_functions, dbscan_udwf, dbscan_vectors_udwf};
