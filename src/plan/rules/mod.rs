//! Logical rules: what the engine's optimizer can't know about the plans of this crate.

pub(crate) mod broadcast_clusters;
mod prune_exemplar_columns;

pub(crate) use prune_exemplar_columns::PruneExemplarColumns;
