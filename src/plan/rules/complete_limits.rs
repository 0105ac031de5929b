//! [`CompleteLimits`]: an analyzer rule that completes the order of the rows among which a LIMIT over `dbcluster` chooses.
//!
//! SQL leaves open which of equal rows a LIMIT keeps: `ORDER BY cluster_size DESC LIMIT 20` would keep others on each run, and
//! other ones for each plan. The rule adds keys to the ORDER BY, so that the same rows are kept whatever the plan, the threads and
//! the files:
//!
//! 1. the order keys of the group's exemplar, its features and its partition: the canonical order of the groups, in which no
//!    two are equal;
//! 2. where a group may have several rows (noise events of one vector), the order keys and the other columns of the row, up to
//!    the last one that the query shows.
//!
//! A LIMIT without ORDER BY keeps the first rows in this order, if no filter on columns of the events stands below it. With such a
//! filter the engine can stop at the first rows that pass, which an order would forbid. A LIMIT without ORDER BY that is greater than
//! 100,000 stays open too: the engine holds all rows of a sort with a limit in memory.
//!
//! Floats among the keys are wrapped in [`__float_order`](super::super::functions), without which the engine would drop rows with
//! -0.0 or keep them, by the order in which they come.
//!
//! The added keys pass through the query's projections under internal names (`__limit_key_0`), and a projection above the sort
//! drops them again. Keys that the query has already are not added, so analyzing a plan again changes nothing.
//!
//! The rule is no optimization: [`PushDownToClusters`](super::PushDownToClusters) needs the complete order, and without that rule
//! the result has to be the same. So it has no setting, and runs where a session has no optimizer rules. It is the first
//! optimizer rule as well, for statements that are prepared.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Expr, FetchType, Filter, Limit, LogicalPlan, Projection, SkipType, Sort, SortExpr, SubqueryAlias,
};
use datafusion::optimizer::{AnalyzerRule, ApplyOrder, OptimizerConfig, OptimizerRule};

use super::super::columns::{cluster_column, limit_key_name};
use super::super::functions::float_order_udf;
use super::super::sorting::{has_order, limit_key, of_limit_key};
use super::super::spec::has_column;
use super::fetch::{Fetch, is_ours, over_join, passing_on};

/// The greatest LIMIT without ORDER BY that is given an order.
const MOST_SORTED: usize = 100_000;

/// Completes the orders of limits over `dbcluster`, see the module.
#[derive(Debug, Default)]
pub(crate) struct CompleteLimits;

impl AnalyzerRule for CompleteLimits {
    fn name(&self) -> &'static str {
        "dbcluster_complete_limits"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(complete).data()
    }
}

/// PREPARE optimizes a plan that has not been analyzed. Other rules must not drop what the order needs before it is complete.
impl OptimizerRule for CompleteLimits {
    fn name(&self) -> &'static str {
        "dbcluster_complete_limits"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        complete(plan)
    }
}

/// Completes the order below a limit.
fn complete(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Limit(mut limit) => {
            let input = match completed_below(&limit.input)? {
                Some(input) => Some(input),
                None if is_small(&limit)? => in_canonical_order(&limit.input)?,
                None => None,
            };
            let Some(input) = input else { return Ok(Transformed::no(LogicalPlan::Limit(limit))) };
            limit.input = Arc::new(input);
            Ok(Transformed::yes(LogicalPlan::Limit(limit)))
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => match completed(&sort)? {
            Some(complete) => Ok(Transformed::yes(complete)),
            None => Ok(Transformed::no(LogicalPlan::Sort(sort))),
        },
        other => Ok(Transformed::no(other)),
    }
}

/// Whether the rows that a limit keeps or passes over can be held in memory. Placeholders have no value yet, and count as small.
fn is_small(limit: &Limit) -> Result<bool> {
    let skipped = match limit.get_skip_type()? {
        SkipType::Literal(skipped) => skipped,
        SkipType::UnsupportedExpr => 0,
    };
    Ok(match limit.get_fetch_type()? {
        FetchType::Literal(kept) => kept.is_some_and(|kept| skipped.saturating_add(kept) <= MOST_SORTED),
        FetchType::UnsupportedExpr => true,
    })
}

/// Completes the sort of a plan that keeps its order, if there is one to complete.
fn completed_below(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Sort(sort) => completed(sort),
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            let completed = plan.clone().map_children(|input| match completed_below(&input)? {
                Some(completed) => Ok(Transformed::yes(completed)),
                None => Ok(Transformed::no(input)),
            })?;
            Ok(completed.transformed.then_some(completed.data))
        }
        _ => Ok(None),
    }
}

/// Sorts the rows of a plan canonically, if they are those of a `dbcluster` that are filtered by the clusters alone.
fn in_canonical_order(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if !is_filtered_by_clusters(plan)? {
        return Ok(None);
    }
    completed(&Sort { expr: vec![], input: Arc::new(plan.clone()), fetch: None })
}

/// Whether a plan has the rows of a `dbcluster`, or of those of its clusters that pass a filter.
fn is_filtered_by_clusters(plan: &LogicalPlan) -> Result<bool> {
    let Some(fetch) = fetch_below(plan) else { return Ok(false) };
    let is_decided_by_cluster = |conjunct: &Expr, input: &LogicalPlan| -> Result<bool> {
        let over_join = over_join(conjunct.clone(), input)?;
        Ok(is_ours(conjunct) || over_join.is_some_and(|expr| fetch.is_of_clusters(&expr)))
    };
    match plan {
        LogicalPlan::Projection(projection) => is_filtered_by_clusters(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_filtered_by_clusters(&alias.input),
        LogicalPlan::Filter(filter) => {
            for conjunct in split_conjunction(&filter.predicate) {
                if !is_decided_by_cluster(conjunct, &filter.input)? {
                    return Ok(false);
                }
            }
            Ok(Fetch::of(plan).is_some() || is_filtered_by_clusters(&filter.input)?)
        }
        _ => Ok(false),
    }
}

/// Returns the part that fetches exemplars, below nodes that pass its rows on.
fn fetch_below(plan: &LogicalPlan) -> Option<Fetch<'_>> {
    let input = match plan {
        LogicalPlan::Projection(projection) => &projection.input,
        LogicalPlan::SubqueryAlias(alias) => &alias.input,
        LogicalPlan::Filter(filter) => match Fetch::of(plan) {
            Some(fetch) => return Some(fetch),
            None => &filter.input,
        },
        _ => return None,
    };
    fetch_below(input)
}

/// Returns a sort with all keys, under a projection to the columns of `sort`, if keys are missing.
fn completed(sort: &Sort) -> Result<Option<LogicalPlan>> {
    let Some(fetch) = fetch_below(&sort.input) else { return Ok(None) };
    let mut given = vec![];
    let mut order: Vec<SortExpr> = vec![];
    for key in &sort.expr {
        let over_join = over_join(key.expr.clone(), &sort.input)?;
        let is_canonical = over_join.as_ref().is_some_and(|key| is_canonical(&fetch, of_limit_key(key)));
        given.extend(over_join.map(|key| of_limit_key(&key).clone()));
        order.push(if is_canonical { key.clone() } else { limit_key(key.clone(), sort.input.schema())? });
    }
    let keys = canonical_keys(&fetch, &sort.input)?;
    let is_missing = |key: &Column| !given.iter().any(|given| given.try_as_col() == Some(key));
    let missing: Vec<Column> = keys.into_iter().filter(is_missing).collect();
    if missing.is_empty() && order == sort.expr {
        return Ok(None);
    }
    let is_free = |name: &String| !has_column(sort.input.schema(), name);
    let names: Vec<String> = (0..).map(limit_key_name).filter(is_free).take(missing.len()).collect();
    let Some((input, keys)) = with_keys(&sort.input, &missing, &names)? else { return Ok(None) };
    for (key, of_join) in keys.into_iter().zip(missing) {
        let key = Expr::Column(key).sort(true, false);
        let is_canonical = is_canonical(&fetch, &Expr::Column(of_join));
        order.push(if is_canonical { key } else { limit_key(key, input.schema())? });
    }
    let columns = sort.input.schema().columns().into_iter().map(Expr::Column).collect();
    let sort = LogicalPlan::Sort(Sort { expr: order, input: Arc::new(input), fetch: sort.fetch });
    Ok(Some(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(sort))?)))
}

/// Whether a key is a column of the clusters. Their floats are canonical: -0.0 does not occur among them.
fn is_canonical(fetch: &Fetch, over_join: &Expr) -> bool {
    over_join.try_as_col().is_some_and(|column| fetch.join.left.schema().has_column(column))
}

/// Returns the columns of the join that leave no two rows equal that differ in a column of the plan.
fn canonical_keys(fetch: &Fetch, plan: &LogicalPlan) -> Result<Vec<Column>> {
    let compared = fetch.compared();
    let of_group = compared.keys.into_iter().chain(compared.features).chain(compared.partitions);
    let mut keys = sortable(of_group, fetch.join.left.schema());
    if fetch.has_one_row_per_group() {
        return Ok(keys);
    }
    let shown = shown_columns(plan)?;
    // A key without a definition is of columns that no node above the join has.
    let is_shown = |key: &Expr| {
        let Some(shown) = &shown else { return true };
        let columns = fetch.definition(key.clone());
        columns.is_some_and(|key| key.column_refs().into_iter().any(|column| shown.contains(column)))
    };
    let mut of_rows = fetch.order_of_rows();
    let deciding = of_rows.iter().rposition(is_shown).map_or(0, |last| last + 1);
    of_rows.truncate(deciding);
    let of_rows = of_rows.iter().filter_map(Expr::try_as_col).cloned();
    keys.extend(sortable(of_rows, fetch.join.right.schema()));
    Ok(keys)
}

/// Returns the columns of the join on which columns of the plan depend, if that can be told.
fn shown_columns(plan: &LogicalPlan) -> Result<Option<HashSet<Column>>> {
    let mut shown = HashSet::new();
    for column in plan.schema().columns() {
        let Some(over_join) = over_join(Expr::Column(column), plan)? else { return Ok(None) };
        shown.extend(over_join.column_refs().into_iter().cloned());
    }
    Ok(Some(shown))
}

/// Returns the columns that the engine can sort by, without those that occur again.
fn sortable(columns: impl IntoIterator<Item = Column>, schema: &DFSchema) -> Vec<Column> {
    let mut sortable = vec![];
    for column in columns {
        let place = schema.maybe_index_of_column(&column);
        if place.is_some_and(|place| has_order(schema.field(place).data_type()))
            && !sortable.contains(&column)
        {
            sortable.push(column);
        }
    }
    sortable
}

/// Adds columns of the join to the output of a plan, under these names. Returns the plan and the added columns.
fn with_keys(
    plan: &LogicalPlan,
    keys: &[Column],
    names: &[String],
) -> Result<Option<(LogicalPlan, Vec<Column>)>> {
    let plan = match plan {
        LogicalPlan::Projection(projection) if Fetch::of(&projection.input).is_some() => {
            let Some(input) = passing_on(&projection.input, keys)? else { return Ok(None) };
            // The engine moves access to members of structs below projections, and there puts the column behind an alias in the place
            // of the alias. A column of the clusters would then stand beside the feature of the same name.
            let has_structs = input.schema().fields().iter().any(|field| field.data_type().is_nested());
            let key_columns = keys.iter().zip(names).map(|(key, name)| {
                let column = Expr::Column(key.clone());
                let is_of_feature = has_structs
                    && *key == cluster_column(&key.name)
                    && has_column(&projection.schema, &key.name);
                let key = if is_of_feature { float_order_udf().call(vec![column]) } else { column };
                key.alias(name)
            });
            let exprs = projection.expr.iter().cloned().chain(key_columns).collect();
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)
        }
        LogicalPlan::Projection(projection) => {
            let Some((input, columns)) = with_keys(&projection.input, keys, names)? else { return Ok(None) };
            let exprs =
                projection.expr.iter().cloned().chain(columns.into_iter().map(Expr::Column)).collect();
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some((input, _)) = with_keys(&alias.input, keys, names)? else { return Ok(None) };
            LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?)
        }
        LogicalPlan::Filter(filter) if Fetch::of(plan).is_none() => {
            let Some((input, _)) = with_keys(&filter.input, keys, names)? else { return Ok(None) };
            LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), Arc::new(input))?)
        }
        _ => return Ok(None),
    };
    // Each node passes the added columns on as its last ones.
    let mut columns = plan.schema().columns();
    let added = columns.split_off(columns.len().saturating_sub(keys.len()));
    Ok(Some((plan, added)))
}
