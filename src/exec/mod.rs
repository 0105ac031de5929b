//! Operators that the engine can account for, measure and stop, in the place of window functions.
//!
//! A window function inside `WindowAggExec` has no memory pool, no metrics, no way to be cancelled, and blocks an async thread
//! while it works. So physical rules put operators of ours in the place of the engine's, each with a switch in
//! [`DbclusterConfig`](crate::DbclusterConfig):
//!
//! | rule | puts in place |
//! |---|---|
//! | [`UseDbscanExec`] | [`DbscanExec`] for a window that clusters |
//! | [`JoinClustersByHash`] | the engine's hash join for its sort-merge join of clusters with events |
//! | [`FetchExemplars`] | [`ExemplarKeyCollectExec`] and [`ExemplarFilterExec`] below that join, see [`exemplar_fetch`] |
//! | [`SelectExemplars`] | [`ExemplarSelectExec`] for the window that decides which row stands for a cluster |
//!
//! Without a rule the engine's own operators do the same work, with the same result. Two rules have no
//! switch, since answers depend on them: [`FileStatistics`], and [`UnchangedFilesRule`], which adds [`UnchangedFilesExec`] to
//! make a file that is replaced during the query an error.
//!
//! A plan may run several times, one run after the other or at once, and a run may be dropped at any point. So the
//! state of a run belongs to the stream of that run, and an operator that has to see all of its input has one output partition.
//! The filter of [`exemplar_fetch`] is the exception: the scan needs it in the plan, so each run opens it first and sets it
//! anew.
//!
//! [`exemplar_fetch`] lists all places that recognise a plan of this crate by its shape.

mod dbscan;
mod exemplar_fetch;
mod exemplar_select;
mod file_statistics;
mod one_input;
mod rules;
#[cfg(test)]
mod tests;
mod unchanged_files;

pub use dbscan::{AutoEps, DbscanExec, Found};
pub use exemplar_fetch::{ExemplarFilterExec, ExemplarKeyCollectExec};
pub use exemplar_select::ExemplarSelectExec;
pub use file_statistics::FileStatistics;
pub use rules::{FetchExemplars, JoinClustersByHash, SelectExemplars, UseDbscanExec};
pub use unchanged_files::{UnchangedFilesExec, UnchangedFilesRule};
