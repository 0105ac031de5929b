//! Fetches the events that stand for the clusters, with at most one comparison per event.
//!
//! `dbcluster` joins its clusters with the events on the order key of the exemplar, which is usually the time, and compares the
//! features in the join's filter. So the features are computed only for rows that have the time of some cluster. But if many
//! clusters share a time with many rows (the time is a day, `order_by` has few values), the join compares each cluster with
//! each row: a million rows with a thousand clusters is a billion comparisons.
//!
//! [`FetchExemplars`](super::FetchExemplars) therefore makes the features keys of the join, so that a row is compared with its
//! own cluster alone. The join would then compute the features of all rows, so the rows are filtered by their times before:
//!
//! ```text
//! HashJoinExec: time, features            HashJoinExec: time; filter: features
//!   ExemplarKeyCollectExec    instead of    clusters
//!     clusters                              events
//!   ExemplarFilterExec
//!     events
//! ```
//!
//! [`ExemplarKeyCollectExec`] collects the times while the join builds its table of the clusters, which it does before it reads
//! the first event. [`ExemplarFilterExec`] filters the events by these times, and offers the filter to the scan below, as a
//! join does. Cost: one hash per event, and the memory of one hash per cluster.
//!
//! Two joins also filter the events by each value that they compare, a feature or a partition, the cheapest first:
//!
//! - `min_samples` is above 2, or rows are skipped: vectors without a cluster may be several rows, all of which are fetched. Where
//!   there are none, the keys decide.
//! - `dbcluster_members` with a condition on the clusters needs the rows of few vectors, and has no keys.
//!
//! # Plans that are recognised by their shape
//!
//! A table function returns a plain logical plan, in which only the names of functions and columns mark the parts of this
//! crate. The following places find such a part again. Each leaves a plan alone that it does not recognise; the operators of the
//! engine then return the same rows. A change of the plans in `plan/collapse.rs` may need a change in these places;
//! `tests/explain.rs` and `tests/plans.rs` fail when one of them no longer matches.
//!
//! - `plan/rules/fetch.rs`, for three rules: the filter that calls `__assert_row_found`, the window `__tie` and the join with the
//!   relation `__clusters` on its left. `complete_limits.rs` completes the order of a sort above it. `push_down_to_clusters.rs`
//!   moves filters and limits to the join's left side. `prune_exemplar_columns.rs` gives the window fewer sort keys, or leaves
//!   out the second read if no column of the events is shown.
//! - `plan/rules/broadcast_clusters.rs`: a join with the relation `__clusters` on its left, and a window with `dbscan_vectors`.
//!   The join becomes an inner one on the features too, and the window gets filters with `__assume_few_rows`.
//! - `exec/dbscan`: a `WindowAggExec` with `dbscan` or `dbscan_vectors`. It becomes a [`DbscanExec`](super::DbscanExec).
//! - [`hash_join`]: a left `SortMergeJoinExec` with a filter and a clustering on its left. It becomes a `HashJoinExec`.
//! - `plan/rules/members.rs`, for two rules: the filter that calls `__assert_row_found` over a join of the relation `__clusters`
//!   with the events. `count_members.rs` leaves the join out; `push_down_to_clusters.rs` filters its left side.
//! - This module: a left `HashJoinExec` whose filter is `__vectors_equal`, or a left or inner one that has the feature of an event
//!   among its keys. It becomes the plan above.
//! - `exec/exemplar_select`: a `BoundedWindowAggExec` for `__tie`, partitioned by `__exemplar_group`. It becomes an
//!   [`ExemplarSelectExec`](super::ExemplarSelectExec).
//! - `exec/unchanged_files.rs`: a plan that clusters and reads a file twice. It gets an
//!   [`UnchangedFilesExec`](super::UnchangedFilesExec) at its root.
//! - `stage.rs` of the shell: a [`DbscanExec`](super::DbscanExec) and the scans around it. The progress bar names the stage of
//!   the query by them; the plan stays as it is.
//!
//! All but the last two find functions and columns by the names that `plan/columns.rs` and `plan/functions` define.
//!
//! `__vectors_equal` is hidden and found on purpose. The logical optimizer would turn plain equalities into join keys, and
//! compute the features of all events. The function hides them from it; this module turns them into join keys when the filter
//! below makes that cheap. `broadcast_clusters.rs` does the same for a cluster of machines, without a filter: its join is an
//! inner one, which this module leaves alone.

mod collect_keys;
mod compared;
mod filter;
mod hash_join;
mod key_ranges;

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinSide, JoinType, Result};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::{JoinFilter, JoinOn};

pub use collect_keys::ExemplarKeyCollectExec;
pub use filter::ExemplarFilterExec;
pub(super) use hash_join::in_place_of as hash_join_in_place_of;

use compared::Compared;

use crate::exec::dbscan::clusters;
use crate::plan::columns::{SIZE, is_event_feature};
use crate::plan::functions::vectors_equal_udf;

/// Returns the faster join for `node`, if that is a join of clusters or vectors with their events.
pub(super) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = (node.as_ref() as &dyn Any).downcast_ref::<HashJoinExec>() else { return Ok(None) };
    let search = match (join.join_type(), join.filter()) {
        (JoinType::Left, Some(filter)) => match of_exemplars(join, filter)? {
            Some(search) => Some(search),
            None => of_rows(join, filter)?,
        },
        (JoinType::Left | JoinType::Inner, None) => by_all_values(join)?,
        _ => None,
    };
    let Some(Search { keys, values, by_values, on, filter }) = search else { return Ok(None) };
    let (of_clusters, of_events): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let known = Arc::new(DynamicFilterPhysicalExpr::new(of_events.clone(), lit(true)));
    let values = Compared::all(&values, &of_events, join.right());
    let by_keys = (!of_events.is_empty()).then(|| Arc::clone(&known));
    let filters = by_keys.into_iter().chain(values.iter().map(Compared::filter).cloned()).collect();
    let clusters = ExemplarKeyCollectExec::new(Arc::clone(join.left()), of_clusters, of_events, known);
    let clusters = clusters.with_values(values, by_values);
    let events = ExemplarFilterExec::new(Arc::clone(join.right()), filters);
    let better = join
        .builder()
        .with_new_children(vec![Arc::new(clusters), Arc::new(events)])?
        .with_on(on)
        .with_filter(filter)
        .recompute_properties()
        .build_exec()?;
    Ok(Some(better))
}

/// The filters of events before a join, and the new condition of the join.
struct Search {
    /// The keys of the exemplars.
    keys: JoinOn,
    /// The other values by which events are filtered.
    values: JoinOn,
    /// A condition for the clusters whose events are found by the values alone.
    by_values: Option<Arc<dyn PhysicalExpr>>,
    on: JoinOn,
    filter: Option<JoinFilter>,
}

/// Returns the search for exemplars that are found by their keys, if the filter of the join compares the features.
fn of_exemplars(join: &HashJoinExec, filter: &JoinFilter) -> Result<Option<Search>> {
    let Some(features) = compared(filter, &join.right().schema())? else { return Ok(None) };
    let on = join.on().iter().cloned().chain(features).collect();
    Ok(Some(Search { keys: join.on().to_vec(), values: vec![], by_values: None, on, filter: None }))
}

/// Returns the search for exemplars and all rows of vectors without a cluster, if the filter of the join compares the keys of
/// the exemplars where there is a cluster.
fn of_rows(join: &HashJoinExec, filter: &JoinFilter) -> Result<Option<Search>> {
    if !compares_features(join) {
        return Ok(None);
    }
    let Some([is_no_cluster, same_keys]) = parts_of(filter.expression(), Operator::Or) else {
        return Ok(None);
    };
    let Some(is_no_cluster) = on_side(filter, &is_no_cluster, JoinSide::Left)? else { return Ok(None) };
    let mut search = by_values_of(join);
    if let Some(keys) = keys_of(filter, &same_keys, &join.left().schema(), &join.right().schema())? {
        search.keys = keys;
        search.by_values = Some(has_several_rows(is_no_cluster, &join.left().schema()));
    }
    Ok(Some(search))
}

/// Returns the condition for a vector without a cluster that may be several rows. A single row is found by its keys.
fn has_several_rows(is_no_cluster: Arc<dyn PhysicalExpr>, clusters: &Schema) -> Arc<dyn PhysicalExpr> {
    let Ok(size) = Column::new_with_schema(SIZE, clusters) else { return is_no_cluster };
    let is_not_one = BinaryExpr::new(Arc::new(size), Operator::NotEq, lit(1_i64));
    Arc::new(BinaryExpr::new(is_no_cluster, Operator::And, Arc::new(is_not_one)))
}

/// Returns the search for all events of the vectors or clusters on the left, if this is a join of ours.
fn by_all_values(join: &HashJoinExec) -> Result<Option<Search>> {
    Ok((compares_features(join) && clusters(join.left())?).then(|| by_values_of(join)))
}

fn by_values_of(join: &HashJoinExec) -> Search {
    let on = join.on().to_vec();
    Search { keys: vec![], values: on.clone(), by_values: None, on, filter: join.filter().cloned() }
}

/// Whether a join compares the features of clusters or vectors with those of events.
fn compares_features(join: &HashJoinExec) -> bool {
    let is_feature = |of_event: &Arc<dyn PhysicalExpr>| {
        let column = (of_event.as_ref() as &dyn Any).downcast_ref::<Column>();
        column.is_some_and(|column| is_event_feature(column.name()))
    };
    join.on().iter().any(|(_, of_event)| is_feature(of_event))
}

/// Returns the pairs of keys of which a conjunction says that they are not distinct, if it says nothing else and their hashes can
/// be compared.
fn keys_of(
    filter: &JoinFilter,
    same_keys: &Arc<dyn PhysicalExpr>,
    clusters: &Schema,
    events: &Schema,
) -> Result<Option<JoinOn>> {
    let mut keys = vec![];
    for same in split_conjunction(same_keys) {
        let Some([one, other]) = parts_of(same, Operator::IsNotDistinctFrom) else { return Ok(None) };
        let of_cluster = on_side(filter, &one, JoinSide::Left)?;
        let of_event = on_side(filter, &other, JoinSide::Right)?;
        let (Some(of_cluster), Some(of_event)) = (of_cluster, of_event) else { return Ok(None) };
        let data_type = of_cluster.data_type(clusters)?;
        let has_hash = data_type.is_primitive()
            || data_type.is_string()
            || data_type.is_binary()
            || data_type == DataType::Boolean;
        if !has_hash || data_type.is_floating() || of_event.data_type(events)? != data_type {
            return Ok(None);
        }
        keys.push((of_cluster, of_event));
    }
    Ok(Some(keys))
}

/// Returns the two sides of an operator.
fn parts_of(expr: &Arc<dyn PhysicalExpr>, operator: Operator) -> Option<[Arc<dyn PhysicalExpr>; 2]> {
    let binary = (expr.as_ref() as &dyn Any).downcast_ref::<BinaryExpr>()?;
    (*binary.op() == operator).then(|| [Arc::clone(binary.left()), Arc::clone(binary.right())])
}

/// Returns the features that the filter compares, as pairs of a cluster's and an event's, if it is a `__vectors_equal`.
fn compared(filter: &JoinFilter, events: &Schema) -> Result<Option<JoinOn>> {
    let call = (filter.expression().as_ref() as &dyn Any).downcast_ref::<ScalarFunctionExpr>();
    let Some(call) = call.filter(|call| call.name() == vectors_equal_udf().name()) else {
        return Ok(None);
    };
    let mut pairs = vec![];
    for pair in call.args().chunks(2) {
        let [of_cluster, of_event] = pair else { return Ok(None) };
        let of_cluster = on_side(filter, of_cluster, JoinSide::Left)?;
        let of_event = on_side(filter, of_event, JoinSide::Right)?;
        let (Some(of_cluster), Some(of_event)) = (of_cluster, of_event) else { return Ok(None) };
        // This check finds a feature that can't be computed over the events now, and not when the query runs.
        of_event.data_type(events)?;
        pairs.push((of_cluster, of_event));
    }
    Ok(Some(pairs))
}

/// Rewrites a part of a join's filter into an expression over one input of the join, if it reads no other.
fn on_side(
    filter: &JoinFilter,
    expr: &Arc<dyn PhysicalExpr>,
    side: JoinSide,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let places = filter.column_indices();
    let is_there = |column: &Column| places.get(column.index()).is_some_and(|place| place.side == side);
    if !collect_columns(expr).iter().all(is_there) {
        return Ok(None);
    }
    let moved = Arc::clone(expr).transform(|expr| {
        let Some(column) = (expr.as_ref() as &dyn Any).downcast_ref::<Column>() else {
            return Ok(Transformed::no(expr));
        };
        let moved = Column::new(column.name(), places[column.index()].index);
        Ok(Transformed::yes(Arc::new(moved) as Arc<dyn PhysicalExpr>))
    });
    moved.data().map(Some)
}
