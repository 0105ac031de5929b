//! Defines the names of columns: those of the results, and those that plans use internally.
//!
//! Internal names begin with two underscores; people meet them in EXPLAIN only. Rules and operators recognise parts of a plan
//! by them, so each is defined here once.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;

pub(crate) const CLUSTERED: &str = "clustered";
pub(crate) const CLUSTER_ID: &str = "cluster_id";
pub(crate) const CLUSTER_KEY: &str = "cluster_key";
pub(crate) const CLUSTER_SIZE: &str = "cluster_size";
pub(crate) const FIRST_EVENT_TIME: &str = "first_event_time";
pub(crate) const LAST_EVENT_TIME: &str = "last_event_time";
pub(crate) const POINT_TYPE: &str = "point_type";

/// Columns of `hunt`, beside the times.
pub(super) const SUBJECT: &str = "subject";
pub(super) const TEXT_TEMPLATE: &str = "text_template";
pub(super) const EVENTS: &str = "events";
pub(super) const HOSTS: &str = "hosts";
pub(super) const ACCOUNTS: &str = "accounts";
pub(super) const SCORE: &str = "score";
pub(super) const TERMS: &str = "terms";
pub(super) const REASONS: &str = "reasons";

/// The relation of clusters or vectors, on the left of the join with the events.
pub(crate) const CLUSTERS: &str = "__clusters";

/// A column of clusters: the number of rows of the result that a row stands for.
pub(super) const ROWS: &str = "__rows";
/// A column of clusters: the number of rows before the first one that a row stands for.
pub(super) const START: &str = "__start";
/// A column of events: true. After the join it is NULL for a cluster without an event.
pub(crate) const FOUND: &str = "__found";
/// A column of events: the number of the event among those that could be the exemplar of its cluster.
pub(crate) const TIE: &str = "__tie";
/// A column of vectors: the number of rows that each stands for.
pub(crate) const WEIGHT: &str = "__weight";
/// A column of vectors: the struct that `dbscan_vectors` returns.
pub(crate) const LABEL: &str = "__label";
/// A column of rows: the time, if that is not the order key.
pub(super) const TIME: &str = "__time";
/// A column of vectors and clusters: their first time.
pub(super) const FIRST_TIME: &str = "__first_time";
/// A column of vectors and clusters: their last time.
pub(super) const LAST_TIME: &str = "__last_time";
/// A column of vectors and clusters: the number of the group.
pub(super) const GROUP_KEY: &str = "__group";
/// A column of vectors and clusters: the hash of the cluster's core vectors.
pub(super) const HASH: &str = "__core_hash";
/// A column of vectors: whether the exemplar has this vector.
pub(super) const EXEMPLAR: &str = "__is_exemplar";
/// A column of vectors: whether the vector is core.
pub(super) const CORE: &str = "__is_core";
/// A column of vectors: the key of their cluster, which is the same on every day.
pub(super) const KEY: &str = "__cluster_key";
/// A column of clusters: the number of their rows.
pub(crate) const SIZE: &str = "__size";
/// A column of clusters: the number of their vectors.
pub(super) const VECTORS: &str = "__vectors";
/// A column of vectors and clusters: the eps of their partition, if its rows decide it.
pub(super) const PARTITION_EPS: &str = "__eps";
/// A column of vectors and clusters: of noise the nearest cluster, the hash of that one's core vectors, how far it is, and the eps
/// at which the vector joins a cluster.
pub(super) const NEAREST: &str = "__nearest";
pub(super) const NEAREST_HASH: &str = "__nearest_hash";
pub(super) const DISTANCE: &str = "__distance";
pub(super) const JOINS_AT: &str = "__joins_at";

/// The relation of figures over all members of a cluster, beside that of clusters.
pub(super) const OF_MEMBERS: &str = "__of_members";
/// The relation of clusters before their figures are joined.
pub(super) const GROUPS: &str = "__groups";
/// The relation of the first and the last time of all rows.
pub(super) const BOUNDS: &str = "__bounds";
/// A column of clusters: the first and the last time of all rows.
pub(super) const FIRST_OF_ALL: &str = "__first_of_all";
pub(super) const LAST_OF_ALL: &str = "__last_of_all";
/// The relation of exemplars, beside that of their clusters' values.
pub(super) const EXEMPLARS: &str = "__exemplars";
/// A column of values: the number of rows that have it.
pub(super) const ROWS_OF_VALUE: &str = "__rows_of_value";
/// A column of values: the name of the column that they are of.
pub(super) const COLUMN: &str = "__column";
/// A column of values: the value as text.
pub(super) const VALUE: &str = "__value";

/// The internal names without a number, which columns of the input and features can't have.
const RESERVED: [&str; 21] = [
    FOUND,
    TIE,
    GROUP_KEY,
    HASH,
    WEIGHT,
    FIRST_TIME,
    LAST_TIME,
    TIME,
    LABEL,
    SIZE,
    EXEMPLAR,
    CORE,
    KEY,
    ROWS,
    START,
    PARTITION_EPS,
    ROWS_OF_VALUE,
    COLUMN,
    VALUE,
    FIRST_OF_ALL,
    LAST_OF_ALL,
];

/// The internal names with a number.
const NUMBERED: [fn(usize) -> String; 12] = [
    partition_name,
    event_partition_name,
    event_feature_name,
    event_key_name,
    key_name,
    last_key_name,
    kept_name,
    limit_key_name,
    common_expression_name,
    nearest_feature_name,
    nearest_column_name,
    member_value_name,
];

/// Whether a name is one of the internal names, with or without a number.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || NUMBERED.into_iter().any(|of_number| is_numbered(name, of_number))
}

fn is_numbered(name: &str, of_number: fn(usize) -> String) -> bool {
    let number = name.rsplit('_').next().and_then(|digits| digits.parse().ok());
    number.is_some_and(|number| of_number(number) == name)
}

/// Whether a column of clusters is a key of the partitions.
pub(super) fn is_partition(name: &str) -> bool {
    is_numbered(name, partition_name)
}

/// Whether a column of clusters that is compared with the events is a key of the exemplar's order.
pub(super) fn is_exemplar_key(name: &str) -> bool {
    [FIRST_TIME, LAST_TIME].contains(&name) || is_numbered(name, key_name)
}

/// Whether a column of events is the value that a feature is compared with.
pub(crate) fn is_event_feature(name: &str) -> bool {
    is_numbered(name, event_feature_name)
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

/// The list of values that `keep_members` keeps of a column.
pub(super) fn kept_name(index: usize) -> String {
    format!("__kept_{index}")
}

/// A key that completes the order above a LIMIT.
pub(super) fn limit_key_name(index: usize) -> String {
    format!("__limit_key_{index}")
}

/// A feature of the nearest core vector.
pub(super) fn nearest_feature_name(index: usize) -> String {
    format!("__nearest_feature_{index}")
}

/// A column of the nearest cluster's exemplar.
pub(super) fn nearest_column_name(index: usize) -> String {
    format!("__nearest_column_{index}")
}

/// A value of an event that is counted over the members of its cluster, and the figure that comes of it.
pub(super) fn member_value_name(index: usize) -> String {
    format!("__member_value_{index}")
}

/// A figure of the summary, under a name that expressions over the output can't have.
pub(super) fn counted_name(figure: &str) -> String {
    format!("__{figure}")
}

/// The name that the engine's optimizer gives to an expression that occurs twice in a plan.
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
