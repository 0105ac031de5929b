//! The names of columns: those of the results, and those that a plan has for itself.
//!
//! Names that begin with two underscores are the plan's own; people meet them in EXPLAIN only. Rules and operators know
//! parts of a plan by them, so each stands here once.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;

pub(crate) const CLUSTERED: &str = "clustered";
pub(crate) const CLUSTER_ID: &str = "cluster_id";
pub(crate) const CLUSTER_KEY: &str = "cluster_key";
pub(crate) const CLUSTER_SIZE: &str = "cluster_size";
pub(crate) const FIRST_EVENT_TIME: &str = "first_event_time";
pub(crate) const LAST_EVENT_TIME: &str = "last_event_time";
pub(crate) const POINT_TYPE: &str = "point_type";

/// The relation of clusters or vectors, on the left of the join with the events.
pub(crate) const CLUSTERS: &str = "__clusters";

/// True for each event, so that NULL after the join says that a cluster has found none.
pub(crate) const FOUND: &str = "__found";
/// The number of an event among those that could be its cluster's exemplar.
pub(crate) const TIE: &str = "__tie";
/// The number of rows that a vector stands for.
pub(crate) const WEIGHT: &str = "__weight";
/// The struct that `dbscan_vectors` gives of a vector.
pub(crate) const LABEL: &str = "__label";
/// The time of a row, where that is no key of the order.
pub(super) const TIME: &str = "__time";
/// The first time of a vector or a cluster.
pub(super) const FIRST_TIME: &str = "__first_time";
/// The last time of a vector or a cluster.
pub(super) const LAST_TIME: &str = "__last_time";
/// The number of the [`Group`](crate::group::Group) of a vector or a cluster.
pub(super) const GROUP_KEY: &str = "__group";
/// The hash of the core vectors of a vector's cluster.
pub(super) const HASH: &str = "__core_hash";
/// True for the vector of its cluster's exemplar.
pub(super) const EXEMPLAR: &str = "__is_exemplar";
/// True for a core vector.
pub(super) const CORE: &str = "__is_core";
/// The name of a vector's cluster that is the same on every day.
pub(super) const KEY: &str = "__cluster_key";
/// The number of rows of a group.
pub(super) const SIZE: &str = "__size";
/// The number of vectors of a group.
pub(super) const VECTORS: &str = "__vectors";

/// The names without a number that a column of the input or a feature could be taken for.
const RESERVED: [&str; 13] =
    [FOUND, TIE, GROUP_KEY, HASH, WEIGHT, FIRST_TIME, LAST_TIME, TIME, LABEL, SIZE, EXEMPLAR, CORE, KEY];

/// The names with a number.
const NUMBERED: [fn(usize) -> String; 8] = [
    partition_name,
    event_partition_name,
    event_feature_name,
    event_key_name,
    key_name,
    last_key_name,
    kept_name,
    common_expression_name,
];

/// Whether a name is one of the plan's own, some of which have a number behind them.
pub(super) fn is_reserved(name: &str) -> bool {
    let number = name.rsplit('_').next().and_then(|digits| digits.parse().ok());
    RESERVED.contains(&name)
        || number.is_some_and(|number| NUMBERED.iter().any(|of_number| of_number(number) == name))
}

/// A key of the partitions, of a vector or a cluster.
pub(super) fn partition_name(index: usize) -> String {
    format!("__partition_{index}")
}

/// The value of an event that a partition key is compared with.
pub(super) fn event_partition_name(index: usize) -> String {
    format!("__event_partition_{index}")
}

/// The value of an event that a feature is compared with.
pub(super) fn event_feature_name(index: usize) -> String {
    format!("__event_feature_{index}")
}

/// The value of an event that a key of the order is compared with.
pub(super) fn event_key_name(index: usize) -> String {
    format!("__event_key_{index}")
}

/// A key of the order, of a vector's first row.
pub(super) fn key_name(index: usize) -> String {
    format!("__key_{index}")
}

/// A key of the order, of a vector's last row.
pub(super) fn last_key_name(index: usize) -> String {
    format!("__last_key_{index}")
}

/// The values that `keep_members` keeps of a column.
pub(super) fn kept_name(index: usize) -> String {
    format!("__kept_{index}")
}

/// A figure of the summary: the engine may put expressions over the output beside it.
pub(super) fn counted_name(figure: &str) -> String {
    format!("__{figure}")
}

/// The engine's optimizer calls an expression that a plan has twice so.
fn common_expression_name(index: usize) -> String {
    format!("__common_expr_{index}")
}

/// A column of the relation of clusters.
pub(super) fn cluster_column(name: &str) -> Column {
    Column::new(Some(CLUSTERS), name)
}

/// A column of the relation of clusters, as an expression.
pub(super) fn cluster_col(name: &str) -> Expr {
    Expr::Column(cluster_column(name))
}
