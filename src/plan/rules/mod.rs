//! Logical rules that use facts about the plans of this crate, which the engine's optimizer can't know.

pub(crate) mod broadcast_clusters;
mod prune_exemplar_columns;

pub(crate) use prune_exemplar_columns::PruneExemplarColumns;
