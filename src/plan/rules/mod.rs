//! Logical rules that use facts about the plans of this crate, which the engine can't know.
//!
//! [`CompleteLimits`] decides which of equal rows a LIMIT keeps, and [`ReserveCommonNames`] keeps columns of the engine apart. The
//! other rules make a plan cheaper and change no result.
//! [`fetch`] finds the part of a plan that most of them rewrite.

pub(crate) mod broadcast_clusters;
mod complete_limits;
mod fetch;
mod prune_exemplar_columns;
mod push_down_to_clusters;
mod reserve_common_names;

pub(crate) use complete_limits::CompleteLimits;
pub(crate) use prune_exemplar_columns::PruneExemplarColumns;
pub(crate) use push_down_to_clusters::PushDownToClusters;
pub(crate) use reserve_common_names::ReserveCommonNames;
