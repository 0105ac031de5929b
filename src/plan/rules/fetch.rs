//! [`Fetch`]: the part of a `dbcluster` plan that fetches exemplars, as rules find it.
//!
//! ```text
//! filter                __assert_row_found(__found), the rows that are shown, and what a WHERE has added
//!   window row_number   __tie
//!     join              clusters (the relation __clusters) on the left, events on the right
//! ```
//!
//! The engine may put projections between these nodes, and gives names of its own to common subexpressions there. So the rules
//! compare expressions in their form over the join ([`over_join`]), where a column is either one of the clusters or one of
//! the events.
//!
//! The join says more than it seems: in every row that is shown, its keys and its features are the same on both sides. So a
//! feature or a time of an event is known from the cluster alone ([`Fetch::known_values`]).

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{Alias, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, Join, JoinType, LogicalPlan, Operator, Projection, Window, cast,
    lit,
};

use super::super::columns::{
    GROUP_KEY, SIZE, TIE, cluster_col, cluster_column, is_exemplar_key, is_partition,
};
use super::super::functions::{
    assert_row_found_udf, exemplar_sort_key_udf, feature_to_double_udf, vectors_equal_udf,
};
use super::super::values::group;
use crate::options::NullPolicy;

/// The largest expression that is rewritten. Projections over one another can repeat their input 2^n times.
const LARGEST: usize = 1000;

/// The filter, the window and the join of a `dbcluster`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fetch<'p> {
    pub(super) filter: &'p Filter,
    pub(super) window: &'p Window,
    pub(super) join: &'p Join,
}

impl<'p> Fetch<'p> {
    /// Returns the part that begins with this node, if the node is the filter of a `dbcluster`.
    pub(super) fn of(node: &'p LogicalPlan) -> Option<Self> {
        let LogicalPlan::Filter(filter) = node else { return None };
        let conjuncts = split_conjunction(&filter.predicate);
        if !conjuncts.iter().any(|conjunct| calls(conjunct, assert_row_found_udf().name())) {
            return None;
        }
        let LogicalPlan::Window(window) = without_projections(&filter.input) else { return None };
        let [Expr::Alias(Alias { name, .. })] = window.window_expr.as_slice() else { return None };
        let LogicalPlan::Join(join) = without_projections(&window.input) else { return None };
        let has_clusters = join.left.schema().has_column(&cluster_column(GROUP_KEY));
        let is_fetch = matches!(join.join_type, JoinType::Left | JoinType::Inner) && has_clusters;
        (name == TIE && is_fetch).then_some(Self { filter, window, join })
    }

    /// Whether each group is one row of the result: a cluster, or a vector without a cluster that is always one event. Such
    /// a join compares the features in its filter, see `groups_have_one_row` in `collapse`.
    pub(super) fn has_one_row_per_group(&self) -> bool {
        self.join.filter.as_ref().is_some_and(|on| calls(on, vectors_equal_udf().name()))
    }

    /// Whether an expression over the join reads columns of the clusters alone.
    pub(super) fn is_of_clusters(&self, expr: &Expr) -> bool {
        expr.column_refs().into_iter().all(|column| self.join.left.schema().has_column(column))
    }

    /// Returns the clusters' columns that the join compares: the keys of the exemplar, its features, and the partition. The
    /// features and the partition identify a group.
    pub(super) fn compared(&self) -> Compared {
        let mut compared = Compared::default();
        let pairs = self.pairs();
        for column in pairs.iter().filter_map(|pair| pair.of_cluster.try_as_col()) {
            let columns = if is_partition(&column.name) {
                &mut compared.partitions
            } else if is_exemplar_key(&column.name) {
                &mut compared.keys
            } else {
                &mut compared.features
            };
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        compared
    }

    /// Returns the events' columns that order the rows of one group: the keys, then the columns that decide ties.
    pub(super) fn order_of_rows(&self) -> Vec<Expr> {
        let pairs = self.pairs();
        let is_key =
            |pair: &&Pair| pair.of_cluster.try_as_col().is_some_and(|column| is_exemplar_key(&column.name));
        let mut order: Vec<Expr> = pairs.iter().filter(is_key).map(|pair| pair.of_event.clone()).collect();
        let [Expr::Alias(Alias { expr, .. })] = self.window.window_expr.as_slice() else { return order };
        let Expr::WindowFunction(row_number) = expr.as_ref() else { return order };
        order.extend(row_number.params.order_by.iter().filter_map(|sort| match &sort.expr {
            Expr::ScalarFunction(ScalarFunction { func, args })
                if func.name() == exemplar_sort_key_udf().name() =>
            {
                args.last().cloned()
            }
            _ => None,
        }));
        order
    }

    /// Returns the values of events that the clusters have too.
    pub(super) fn known_values(&self) -> Vec<KnownValue> {
        let mut known = vec![];
        for Pair { of_cluster, of_event, in_one_row } in self.pairs() {
            let Some(of_event) = self.definition(of_event) else { continue };
            // A constant is known anyway.
            if !self.is_of_clusters(&of_cluster) || of_event.column_refs().is_empty() {
                continue;
            }
            let condition = in_one_row.then(|| self.stands_for_one_row());
            known.extend(self.known_value(of_cluster, of_event, condition));
        }
        known
    }

    fn known_value(&self, of_cluster: Expr, of_event: Expr, condition: Option<Expr>) -> Option<KnownValue> {
        let (clusters, events) = (self.join.left.schema(), self.join.right.schema());
        if let Expr::ScalarFunction(ScalarFunction { func, args }) = &of_event
            && func.name() == feature_to_double_udf().name()
            && let [value, _, Expr::Literal(nulls, _)] = args.as_slice()
        {
            let Ok(data_type) = value.get_type(events) else { return None };
            let is_float = matches!(data_type, DataType::Float32 | DataType::Float64);
            if !is_float && !data_type.is_integer() && data_type != DataType::Boolean {
                return None;
            }
            // -0.0 is clustered as 0.0, and under zero so are NULL and what is no number.
            let is_sure = !is_float && nulls.try_as_str().flatten() != Some(NullPolicy::Zero.name());
            let is_not_zero = (!is_sure).then(|| of_cluster.clone().not_eq(lit(0.0)).is_true());
            let condition = conjunction(condition.into_iter().chain(is_not_zero));
            let of_cluster = cast(of_cluster, data_type);
            return Some(KnownValue { of_event: value.clone(), of_cluster, condition });
        }
        let (Ok(data_type), Ok(of_clusters)) = (of_event.get_type(events), of_cluster.get_type(clusters))
        else {
            return None;
        };
        let is_plain = data_type.is_integer()
            || data_type.is_temporal()
            || data_type.is_decimal()
            || data_type.is_string()
            || data_type.is_binary()
            || data_type == DataType::Boolean;
        let is_same = is_plain && of_clusters == data_type;
        is_same.then_some(KnownValue { of_event, of_cluster, condition })
    }

    /// Tests that a group is one row of the result: a cluster, or a vector of one event.
    fn stands_for_one_row(&self) -> Expr {
        let is_cluster = group().is_cluster();
        if self.join.left.schema().has_column(&cluster_column(SIZE)) {
            is_cluster.or(cluster_col(SIZE).eq(lit(1_i64)))
        } else {
            is_cluster
        }
    }

    /// Returns the expression over the events that a key of the join stands for, if its columns are those of the join.
    pub(super) fn definition(&self, of_event: Expr) -> Option<Expr> {
        let LogicalPlan::Projection(events) = self.join.right.as_ref() else { return Some(of_event) };
        let is_passed = |column: &Column| events.expr.iter().any(|expr| expr.try_as_col() == Some(column));
        let defined = match of_event.try_as_col() {
            Some(key) if !is_passed(key) => {
                let place = events.schema.maybe_index_of_column(key)?;
                events.expr.get(place)?.clone().unalias()
            }
            _ => of_event,
        };
        defined.column_refs().into_iter().all(is_passed).then_some(defined)
    }

    /// Returns the pairs that are equal in every row of the join, or in every row of a group that stands for one.
    fn pairs(&self) -> Vec<Pair> {
        let pair = |of_cluster: &Expr, of_event: &Expr, in_one_row: bool| Pair {
            of_cluster: of_cluster.clone(),
            of_event: of_event.clone(),
            in_one_row,
        };
        let mut pairs: Vec<Pair> =
            self.join.on.iter().map(|(left, right)| pair(left, right, false)).collect();
        for conjunct in self.join.filter.iter().flat_map(split_conjunction) {
            match conjunct {
                Expr::ScalarFunction(ScalarFunction { func, args })
                    if func.name() == vectors_equal_udf().name() =>
                {
                    let (of_call, _) = args.as_chunks::<2>();
                    pairs.extend(of_call.iter().map(|[left, right]| pair(left, right, false)));
                }
                // A row of a group without a cluster, or the same keys: see `events` in `collapse`.
                Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right })
                    if **left == group().is_no_cluster() =>
                {
                    for same in split_conjunction(right) {
                        let Expr::BinaryExpr(same) = same else { continue };
                        if same.op == Operator::IsNotDistinctFrom {
                            pairs.push(pair(&same.left, &same.right, true));
                        }
                    }
                }
                _ => {}
            }
        }
        pairs
    }
}

/// The columns of the clusters that the join compares with the events.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) keys: Vec<Column>,
    pub(super) features: Vec<Column>,
    pub(super) partitions: Vec<Column>,
}

/// Two sides of a comparison in the join.
struct Pair {
    of_cluster: Expr,
    of_event: Expr,
    /// The sides may differ in rows of a group that stands for several rows.
    in_one_row: bool,
}

/// A value of an event that the cluster has too.
#[derive(Debug)]
pub(super) struct KnownValue {
    of_event: Expr,
    of_cluster: Expr,
    /// The groups of which that is true, or `None` for all. It is never NULL.
    condition: Option<Expr>,
}

impl KnownValue {
    /// Whether all clusters have the value.
    pub(super) fn is_of_all_groups(&self) -> bool {
        self.condition.is_none()
    }
}

/// Writes an expression over the join with values of the clusters in the place of the same values of events. Returns the
/// conditions of these values too.
pub(super) fn with_known_values(expr: Expr, known: &[KnownValue]) -> Result<(Expr, Vec<Expr>)> {
    let mut conditions = vec![];
    let expr = expr.transform_down(|part| {
        let Some(value) = known.iter().find(|value| value.of_event == part) else {
            return Ok(Transformed::no(part));
        };
        for condition in value.condition.iter().flat_map(split_conjunction) {
            if !conditions.contains(condition) {
                conditions.push(condition.clone());
            }
        }
        Ok(Transformed::new(value.of_cluster.clone(), true, TreeNodeRecursion::Jump))
    });
    Ok((expr.data()?, conditions))
}

/// Whether a conjunct of the filter is from the plan of `dbcluster`, and not from a WHERE.
pub(super) fn is_ours(conjunct: &Expr) -> bool {
    calls(conjunct, assert_row_found_udf().name())
        || conjunct.column_refs().iter().any(|column| column.relation.is_none() && column.name == TIE)
}

/// Whether an expression is a call of a function.
pub(super) fn calls(expr: &Expr, function: &str) -> bool {
    matches!(expr, Expr::ScalarFunction(ScalarFunction { func, .. }) if func.name() == function)
}

/// Whether an expression gives the same value wherever it is computed from the same row.
pub(super) fn can_move(expr: &Expr) -> Result<bool> {
    let stays = expr.exists(|part| {
        Ok(part.is_volatile_node()
            || matches!(
                part,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
                    | Expr::OuterReferenceColumn(..)
            ))
    })?;
    Ok(!stays)
}

/// Rewrites an expression over the output of a plan into one over the join of the `dbcluster` below. Returns `None` if another
/// node stands between, or if the expression needs `__tie` or grows too large.
pub(super) fn over_join(expr: Expr, plan: &LogicalPlan) -> Result<Option<Expr>> {
    let (input, expr) = match plan {
        LogicalPlan::Join(_) => return Ok(Some(expr)),
        LogicalPlan::Filter(filter) => (&filter.input, Some(expr)),
        LogicalPlan::Window(window) => {
            let is_below = |column: &Column| window.input.schema().has_column(column);
            let is_of_input = expr.column_refs().into_iter().all(is_below);
            (&window.input, is_of_input.then_some(expr))
        }
        LogicalPlan::Projection(projection) => {
            let of_input = |place: usize| projection.expr.get(place).map(|expr| expr.clone().unalias());
            (&projection.input, with_columns(expr, &projection.schema, of_input)?)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let columns = alias.input.schema().columns();
            let of_input = |place: usize| columns.get(place).cloned().map(Expr::Column);
            (&alias.input, with_columns(expr, &alias.schema, of_input)?)
        }
        _ => return Ok(None),
    };
    match expr {
        Some(expr) => over_join(expr, input),
        None => Ok(None),
    }
}

/// Replaces each column by the expression of its place in the schema, if there is one for each and the result is not too large.
fn with_columns(
    expr: Expr,
    schema: &DFSchema,
    of_place: impl Fn(usize) -> Option<Expr>,
) -> Result<Option<Expr>> {
    let mut is_known = true;
    let replaced = expr.transform_up(|part| {
        let Expr::Column(column) = &part else { return Ok(Transformed::no(part)) };
        match schema.maybe_index_of_column(column).and_then(&of_place) {
            Some(replacement) => Ok(Transformed::yes(replacement)),
            None => {
                is_known = false;
                Ok(Transformed::no(part))
            }
        }
    });
    let replaced = replaced.data()?;
    Ok((is_known && is_small(&replaced)?).then_some(replaced))
}

fn is_small(expr: &Expr) -> Result<bool> {
    let mut parts = 0_usize;
    expr.apply(|_| {
        parts += 1;
        Ok(if parts > LARGEST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(parts <= LARGEST)
}

pub(super) fn without_projections(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Projection(projection) => without_projections(&projection.input),
        other => other,
    }
}

/// Returns the clusters of the join below, to be replaced.
pub(super) fn clusters_mut(plan: &mut LogicalPlan) -> Option<&mut Arc<LogicalPlan>> {
    let input = match plan {
        LogicalPlan::Join(join) => return Some(&mut join.left),
        LogicalPlan::Projection(projection) => &mut projection.input,
        LogicalPlan::SubqueryAlias(alias) => &mut alias.input,
        LogicalPlan::Filter(filter) => &mut filter.input,
        LogicalPlan::Window(window) => &mut window.input,
        _ => return None,
    };
    clusters_mut(Arc::make_mut(input))
}

/// Returns the part that fetches exemplars with these columns of its join in its output, if the join has them.
pub(super) fn passing_on(plan: &LogicalPlan, keys: &[Column]) -> Result<Option<LogicalPlan>> {
    let input = match plan {
        LogicalPlan::Join(join) => {
            let has_all = keys.iter().all(|key| join.schema.has_column(key));
            return Ok(has_all.then(|| plan.clone()));
        }
        LogicalPlan::Projection(projection) => &projection.input,
        LogicalPlan::Filter(filter) => &filter.input,
        LogicalPlan::Window(window) => &window.input,
        _ => return Ok(None),
    };
    let Some(input) = passing_on(input, keys)?.map(Arc::new) else { return Ok(None) };
    Ok(Some(match plan {
        LogicalPlan::Projection(projection) => {
            let mut exprs = projection.expr.clone();
            for key in keys.iter().cloned().map(Expr::Column) {
                if !exprs.contains(&key) {
                    exprs.push(key);
                }
            }
            LogicalPlan::Projection(Projection::try_new(exprs, input)?)
        }
        LogicalPlan::Filter(filter) => LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), input)?),
        LogicalPlan::Window(window) => {
            LogicalPlan::Window(Window::try_new(window.window_expr.clone(), input)?)
        }
        _ => return Ok(None),
    }))
}
