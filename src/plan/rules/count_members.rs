//! [`CountMembers`]: a logical rule that counts the members of clusters without a look at the events.
//!
//! `dbcluster_members` labels each event by a second read of its table. A query that only counts them (`SELECT cluster_id,
//! count(*) ... GROUP BY cluster_id`) needs no event: the labelled vectors have the number of their events. The rule aggregates
//! the vectors in their place, and reads the table once.
//!
//! ```text
//! Aggregate: cluster_id, count(*)               Aggregate: cluster_id, sum(__weight)
//!   Filter: __assert_row_found(__group)           Filter: __assert_row_found(__group)
//!     Right Join                      becomes       __clusters
//!       __clusters
//!       events
//! ```
//!
//! A vector stands for as many equal rows as it has events, so `count` becomes a sum of the weights, and the `sum` of a BIGINT one of
//! products. Both wrap around at 2^64, so they agree even there. `min`, `max` and `count(DISTINCT ...)` do not depend on how often
//! a value occurs. Other aggregates, and those that need a column of the events, keep the second read. A condition of a WHERE
//! between the two filters the vectors. The filter of the plan stays as well. It needs the labels, so a clustering that fails
//! fails here too.
//!
//! The weights are the numbers of events only if both reads have the same rows, and the engine moves conditions below the join.
//! So the rule runs first, and compares the two inputs node by node.
//!
//! The result is the same without the rule, at a higher cost. The setting `dbcluster.enable_cluster_pushdown` switches it off.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprSchemable, Filter, LogicalPlan, Projection, lit,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::super::columns::{WEIGHT, cluster_col, cluster_column};
use super::super::nesting::is_labelling;
use super::fetch::{can_move, over_join};
use super::members::{Members, is_assertion};
use crate::config::DbclusterConfig;

/// Counts members by the weights of their vectors, see the module.
#[derive(Debug, Default)]
pub(crate) struct CountMembers;

impl OptimizerRule for CountMembers {
    fn name(&self) -> &'static str {
        "dbcluster_count_members"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !DbclusterConfig::of(&config.options()).enable_cluster_pushdown {
            return Ok(Transformed::no(plan));
        }
        let counted = match &plan {
            LogicalPlan::Aggregate(aggregate) => {
                counted(&plan, &aggregate.input, &aggregate.group_expr, &aggregate.aggr_expr)?
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
                counted(&plan, input, &columns, &[])?
            }
            _ => None,
        };
        Ok(counted.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// Returns the same aggregate of the vectors, with the columns of `plan`, if it aggregates members that it need not see.
fn counted(
    plan: &LogicalPlan,
    input: &LogicalPlan,
    groups: &[Expr],
    calls: &[Expr],
) -> Result<Option<LogicalPlan>> {
    let Some(Rows { members, conditions }) = rows_below(input)? else { return Ok(None) };
    if !reads_same_rows(&members) {
        return Ok(None);
    }
    let over_vectors = |expr: &Expr| over_vectors(&members, expr.clone().unalias(), input);
    let mut counts = Counts::default();
    for group in groups {
        let Some(group) = over_vectors(group)? else { return Ok(None) };
        counts.groups.push(group);
    }
    for call in calls {
        let Expr::AggregateFunction(call) = call.clone().unalias() else { return Ok(None) };
        let Some(call) = Call::of(call, over_vectors)? else { return Ok(None) };
        let Some(call) = call.of_weights(members.join.left.schema())? else { return Ok(None) };
        counts.calls.push(call);
    }
    let vectors = match conjunction(conditions) {
        Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, Arc::clone(&members.join.left))?),
        None => members.join.left.as_ref().clone(),
    };
    counts.under_names_of(plan, vectors)
}

/// The members below a query, and the conditions of the query on the vectors.
struct Rows<'p> {
    members: Members<'p>,
    conditions: Vec<Expr>,
}

/// Returns the members whose rows, or those that pass a filter on their vectors, are the rows of a plan.
fn rows_below(plan: &LogicalPlan) -> Result<Option<Rows<'_>>> {
    let (filter, mut rows) = match plan {
        LogicalPlan::Projection(projection) => return rows_below(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => return rows_below(&alias.input),
        LogicalPlan::Filter(filter) => match Members::of(plan) {
            Some(members) => (filter, Rows { members, conditions: vec![] }),
            None => match rows_below(&filter.input)? {
                Some(rows) => (filter, rows),
                None => return Ok(None),
            },
        },
        _ => return Ok(None),
    };
    for conjunct in split_conjunction(&filter.predicate) {
        let condition = if is_assertion(conjunct) {
            over_join(conjunct.clone(), &filter.input)?.and_then(|expr| rows.members.of_vectors(expr))
        } else {
            over_vectors(&rows.members, conjunct.clone(), &filter.input)?
        };
        let Some(condition) = condition else { return Ok(None) };
        rows.conditions.push(condition);
    }
    Ok(Some(rows))
}

/// Rewrites an expression over the output of a plan into one over the vectors of the members below, if they have what it needs.
fn over_vectors(members: &Members, expr: Expr, plan: &LogicalPlan) -> Result<Option<Expr>> {
    match over_join(expr, plan)? {
        Some(expr) if can_move(&expr)? => Ok(members.of_vectors(expr)),
        _ => Ok(None),
    }
}

/// Whether the vectors are those of the rows that the join would label: all rows of the same input.
fn reads_same_rows(members: &Members) -> bool {
    let LogicalPlan::Projection(events) = members.join.right.as_ref() else { return false };
    let is_all =
        members.join.filter.is_none() && members.join.left.schema().has_column(&cluster_column(WEIGHT));
    is_all && input_of_vectors(&members.join.left).is_some_and(|input| *input == *events.input)
}

/// Returns the input of the function, of which vectors are made.
fn input_of_vectors(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => input_of_vectors(&alias.input),
        LogicalPlan::Projection(projection) => input_of_vectors(&projection.input),
        LogicalPlan::Window(window) if is_labelling(window) => {
            let LogicalPlan::Aggregate(vectors) = window.input.as_ref() else { return None };
            let LogicalPlan::Projection(rows) = vectors.input.as_ref() else { return None };
            Some(&rows.input)
        }
        _ => None,
    }
}

/// A call of an aggregate, over the vectors.
struct Call {
    function: AggregateFunction,
    args: Vec<Expr>,
    filter: Option<Expr>,
}

impl Call {
    fn of(
        call: AggregateFunction,
        over_vectors: impl Fn(&Expr) -> Result<Option<Expr>>,
    ) -> Result<Option<Self>> {
        let AggregateFunctionParams { args, filter, order_by, null_treatment, .. } = &call.params;
        if !order_by.is_empty() || null_treatment.is_some() {
            return Ok(None);
        }
        let Some(args) = args.iter().map(&over_vectors).collect::<Result<Option<Vec<_>>>>()? else {
            return Ok(None);
        };
        let filter = match filter {
            None => None,
            Some(filter) => match over_vectors(filter)? {
                Some(filter) => Some(filter),
                None => return Ok(None),
            },
        };
        Ok(Some(Self { function: call, args, filter }))
    }

    /// Returns the call that has the same result where each row stands for as many as its weight, if there is one.
    fn of_weights(self, vectors: &DFSchema) -> Result<Option<Counted>> {
        let Self { function: AggregateFunction { func, params }, args, filter } = self;
        let is_insensitive =
            (params.distinct && func == count_udaf()) || func == min_udaf() || func == max_udaf();
        if is_insensitive {
            let call =
                AggregateFunction::new_udf(func, args, params.distinct, filter.map(Box::new), vec![], None);
            return Ok(Some(Counted { call: Expr::AggregateFunction(call), is_count: false }));
        }
        if params.distinct {
            return Ok(None);
        }
        let weight = cluster_col(WEIGHT);
        let (value, filter) = if func == count_udaf() {
            let is_constant = |arg: &Expr| matches!(arg, Expr::Literal(value, _) if !value.is_null());
            let counted = args.into_iter().filter(|arg| !is_constant(arg)).map(Expr::is_not_null);
            (weight, conjunction(filter.into_iter().chain(counted)))
        } else if func == sum_udaf()
            && let [value] = args.as_slice()
            && value.get_type(vectors)? == DataType::Int64
        {
            (value.clone() * weight, filter)
        } else {
            return Ok(None);
        };
        let sum =
            AggregateFunction::new_udf(sum_udaf(), vec![value], false, filter.map(Box::new), vec![], None);
        Ok(Some(Counted { call: Expr::AggregateFunction(sum), is_count: func == count_udaf() }))
    }
}

/// An aggregate of the vectors in the place of one of their events.
struct Counted {
    call: Expr,
    /// Whether it counts, so that of no rows it is 0.
    is_count: bool,
}

/// The aggregate of the vectors: an entry for each column of the aggregate of their events.
#[derive(Default)]
struct Counts {
    groups: Vec<Expr>,
    calls: Vec<Counted>,
}

impl Counts {
    /// Aggregates the vectors, and gives the results the names of the columns of `plan`, if they have its types.
    fn under_names_of(self, plan: &LogicalPlan, vectors: LogicalPlan) -> Result<Option<LogicalPlan>> {
        let (mut groups, mut calls): (Vec<Expr>, Vec<Expr>) = (vec![], vec![]);
        // Columns of the query may be the same expression over the vectors, which an aggregate has only once.
        let place_in = |exprs: &mut Vec<Expr>, expr: &Expr| {
            exprs.iter().position(|known| known == expr).unwrap_or_else(|| {
                exprs.push(expr.clone());
                exprs.len() - 1
            })
        };
        let of_groups: Vec<usize> = self.groups.iter().map(|group| place_in(&mut groups, group)).collect();
        let of_calls: Vec<(usize, bool)> = self
            .calls
            .iter()
            .map(|counted| (place_in(&mut calls, &counted.call), counted.is_count))
            .collect();
        // An aggregate that groups twice by one expression has one column for it. The columns can't be told apart then.
        if of_groups.len() + of_calls.len() != plan.schema().fields().len() {
            return Ok(None);
        }
        let before_calls = groups.len();
        let aggregate =
            Arc::new(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(vectors), groups, calls)?));
        let columns = aggregate.schema().columns();
        let places = of_groups.into_iter().map(|place| (place, false));
        let places =
            places.chain(of_calls.into_iter().map(|(place, is_count)| (before_calls + place, is_count)));
        let mut exprs = vec![];
        for ((place, is_count), (qualifier, field)) in places.zip(plan.schema().iter()) {
            let Some(column) = columns.get(place).cloned().map(Expr::Column) else { return Ok(None) };
            let value = if is_count { coalesce(vec![column, lit(0_i64)]) } else { column };
            if value.get_type(aggregate.schema())? != *field.data_type() {
                return Ok(None);
            }
            exprs.push(value.alias_qualified(qualifier.cloned(), field.name()));
        }
        Projection::try_new(exprs, aggregate).map(LogicalPlan::Projection).map(Some)
    }
}
