//! The read of the events that stand for the clusters, with no more comparisons than there are events.
//!
//! `dbcluster` joins its clusters with the events by the order key of the exemplar, which is the time for most, and
//! compares the features in the join's filter: so the features are computed for those rows only that have some
//! cluster's time. But where many clusters share a time with many rows (a time that is a day, an `order_by` with few
//! values) the join compares each with each, and a million rows with a thousand clusters is a billion.
//!
//! So the features become keys of the join, too, which makes it compare each row with its own cluster alone; and since
//! the join would then compute them for all rows, the rows are filtered by their times before:
//!
//! ```text
//! HashJoinExec: time, features            HashJoinExec: time; filter: features
//!   ExemplarKeyCollectExec    instead of    clusters
//!     clusters                              events
//!   ExemplarFilterExec
//!     events
//! ```
//!
//! [`ExemplarKeyCollectExec`] learns the times when the join takes in the clusters, which it does before it asks for the
//! first event. [`ExemplarFilterExec`] filters by them, and offers them to the scan below, as a join does.

mod collect_keys;
mod filter;
mod hash_join;
mod key_ranges;

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinSide, JoinType, Result};
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::{JoinFilter, JoinOn};

pub use collect_keys::ExemplarKeyCollectExec;
pub use filter::ExemplarFilterExec;
pub(super) use hash_join::in_place_of as hash_join_in_place_of;

use crate::plan::functions::vectors_equal_udf;

/// The better join for `node`, if that is the join of `dbcluster` that compares features in its filter.
pub(super) fn in_place_of(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = (node.as_ref() as &dyn Any).downcast_ref::<HashJoinExec>() else { return Ok(None) };
    let Some(filter) = join.filter().filter(|_| *join.join_type() == JoinType::Left) else { return Ok(None) };
    let Some(features) = compared(filter, &join.right().schema())? else { return Ok(None) };
    let (of_clusters, of_events): (Vec<_>, Vec<_>) = join.on().iter().cloned().unzip();
    let known = Arc::new(DynamicFilterPhysicalExpr::new(of_events.clone(), lit(true)));
    let clusters =
        ExemplarKeyCollectExec::new(Arc::clone(join.left()), of_clusters, of_events, Arc::clone(&known));
    let events = ExemplarFilterExec::new(Arc::clone(join.right()), known);
    let on = join.on().iter().cloned().chain(features).collect();
    let better = join
        .builder()
        .with_new_children(vec![Arc::new(clusters), Arc::new(events)])?
        .with_on(on)
        .with_filter(None)
        .recompute_properties()
        .build_exec()?;
    Ok(Some(better))
}

/// The features that the filter compares, of the clusters and of the events, if it is a comparison of vectors.
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
        // A feature that can't be computed here would fail only when the query runs.
        of_event.data_type(events)?;
        pairs.push((of_cluster, of_event));
    }
    Ok(Some(pairs))
}

/// A part of a join's filter as an expression over one of its inputs, if it reads no other.
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
