//! [`Members`]: the part of a `dbcluster_members` plan that labels the events, as rules find it.
//!
//! ```text
//! filter      __assert_row_found(__group), and what a WHERE has added
//!   join      labelled vectors (the relation __clusters) on the left, events on the right
//! ```
//!
//! The engine may put projections between the two, see [`fetch`](super::fetch).

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan};

use super::super::columns::{GROUP_KEY, cluster_column, is_partition};
use super::super::functions::assert_row_found_udf;
use super::fetch::{calls, without_projections};

/// The filter and the join of a `dbcluster_members`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'p> {
    pub(super) filter: &'p Filter,
    pub(super) join: &'p Join,
}

impl<'p> Members<'p> {
    /// Returns the part that begins with this node, if the node is the filter of a `dbcluster_members`.
    pub(super) fn of(node: &'p LogicalPlan) -> Option<Self> {
        let LogicalPlan::Filter(filter) = node else { return None };
        if !split_conjunction(&filter.predicate).into_iter().any(is_assertion) {
            return None;
        }
        let LogicalPlan::Join(join) = without_projections(&filter.input) else { return None };
        let is_labelling = matches!(join.join_type, JoinType::Right | JoinType::Inner)
            && join.left.schema().has_column(&cluster_column(GROUP_KEY));
        is_labelling.then_some(Self { filter, join })
    }

    /// Rewrites an expression over the join into one over the vectors, if they have all that it needs. The join compares the
    /// partitions, so those of an event are known from its vector.
    pub(super) fn of_vectors(&self, expr: Expr) -> Option<Expr> {
        let known = |column: &Column| {
            let mut pairs = self.join.on.iter();
            pairs.find_map(|(of_vector, of_event)| match (of_vector, of_event) {
                (Expr::Column(of_vector), Expr::Column(of_event)) if of_event == column => {
                    (is_partition(&of_vector.name) && self.is_exact(of_vector, of_event)).then_some(of_vector)
                }
                _ => None,
            })
        };
        let expr = expr.transform(|part| {
            Ok(match part.try_as_col().and_then(known).cloned() {
                Some(of_vector) => Transformed::yes(Expr::Column(of_vector)),
                None => Transformed::no(part),
            })
        });
        expr.data().ok().filter(|expr| self.is_of_vectors(expr))
    }

    /// Whether an expression over the join reads columns of the vectors alone.
    pub(super) fn is_of_vectors(&self, expr: &Expr) -> bool {
        expr.column_refs().into_iter().all(|column| self.join.left.schema().has_column(column))
    }

    /// Whether values that are equal to the join are the same in every respect.
    fn is_exact(&self, of_vector: &Column, of_event: &Column) -> bool {
        let (vectors, events) = (self.join.left.schema(), self.join.right.schema());
        let place = |column| vectors.maybe_index_of_column(column);
        let (Some(vector), Some(event)) = (place(of_vector), events.maybe_index_of_column(of_event)) else {
            return false;
        };
        let data_type = vectors.field(vector).data_type();
        let is_plain = data_type.is_integer()
            || data_type.is_temporal()
            || data_type.is_decimal()
            || data_type.is_string()
            || data_type.is_binary()
            || *data_type == DataType::Boolean;
        is_plain && data_type == events.field(event).data_type()
    }
}

/// Whether a conjunct of the filter is from the plan of `dbcluster_members`, and not from a WHERE.
pub(super) fn is_assertion(conjunct: &Expr) -> bool {
    calls(conjunct, assert_row_found_udf().name())
}
