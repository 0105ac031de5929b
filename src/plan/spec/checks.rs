//! Checks of what a call gives, against the rows to cluster. Each error names the option, the value and what is allowed.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, lit};

use super::super::functions::{has_key, is_countable_time, is_text, text_to_time_udf};
use super::super::sorting::canonical_float_key;
use super::TableFunction;
use crate::near_miss::{excerpt, quoted_name};
use crate::options::{ClusterOptions, ColumnsAre, Eps, Key, MAX_FEATURES, MAX_KEYS, Parameter, TimeColumn};

/// The most values of eps that `dbcluster_eps` takes.
const MOST_EPS: usize = 1000;

/// Checks that the function takes the eps. Of a number `dbcluster_eps` makes a list of one.
pub(super) fn check_eps(function: TableFunction, options: &mut ClusterOptions) -> Result<()> {
    let name = function.name();
    if function != TableFunction::DbclusterEps {
        return match &options.eps {
            Eps::Each(_) => plan_err!(
                "{name}: eps is a list, expected a number above 0 or 'auto'; {} takes a list",
                TableFunction::DbclusterEps.name()
            ),
            Eps::Given(_) | Eps::Auto => Ok(()),
        };
    }
    match &options.eps {
        Eps::Given(Parameter::Value(eps)) => options.eps = Eps::Each(vec![*eps]),
        Eps::Given(Parameter::Placeholder(placeholder)) => {
            return plan_err!("{name}: eps is {}, expected constants, as in [0.1, 0.2]", placeholder.id);
        }
        Eps::Auto | Eps::Each(_) => {}
    }
    let Eps::Each(list) = &options.eps else { return Ok(()) };
    if list.is_empty() || list.len() > MOST_EPS {
        return plan_err!("{name}: eps is a list of {}, expected from 1 to {MOST_EPS} numbers", list.len());
    }
    match list.iter().enumerate().find(|(_, eps)| !(eps.is_finite() && **eps > 0.0)) {
        Some((place, eps)) => {
            plan_err!("{name}: eps, number {}, is {eps}, expected a finite number above 0", place + 1)
        }
        None => Ok(()),
    }
}

pub(super) fn check_share(function: &str, option: &str, share: f64) -> Result<()> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    plan_err!("{function}: {option} is {share}, expected a number from 0 to 1")
}

pub(super) fn check_count(
    function: &str,
    option: &str,
    count: i64,
    range: RangeInclusive<i64>,
) -> Result<()> {
    if range.contains(&count) {
        return Ok(());
    }
    plan_err!(
        "{function}: {option} is {count}, expected a whole number from {} to {}",
        range.start(),
        range.end()
    )
}

/// Checks that the values of a column can be grouped, or are text.
pub(super) fn check_column(
    function: &str,
    option: &str,
    column: &Column,
    are: ColumnsAre,
    schema: &DFSchema,
) -> Result<()> {
    let column = Expr::Column(column.clone());
    let Expr::Column(Column { name, .. }) = &column else { return Ok(()) };
    if are == ColumnsAre::Text {
        let data_type = column.get_type(schema)?;
        if !is_text(&data_type) {
            return plan_err!(
                "{function}: {option} '{name}' is {data_type}, expected text; CAST({} AS VARCHAR) in a subquery makes it text",
                quoted_name(name)
            );
        }
        return Ok(());
    }
    check_value(function, option, &column, name, schema)
}

/// Checks that the values of an expression can be grouped.
pub(super) fn check_value(
    function: &str,
    option: &str,
    expr: &Expr,
    text: &str,
    schema: &DFSchema,
) -> Result<()> {
    let data_type = expr.get_type(schema)?;
    if has_key(&data_type) {
        return Ok(());
    }
    let way_out = if data_type.is_nested() {
        "name a field or an element of it"
    } else {
        "cast it to text, a number or a time"
    };
    plan_err!(
        "{function}: {option} '{}' is {data_type}, whose values can't be told apart; {way_out}",
        excerpt(text)
    )
}

/// Checks that the time of the events can be cut into equal spans.
pub(super) fn check_activity(function: &str, time: &TimeColumn, schema: &DFSchema) -> Result<()> {
    let TimeColumn::Given(time) = time else {
        return plan_err!(
            "{function}: activity counts events over time, but the input has no column of a timestamp or date type; name the time \
             with time_column"
        );
    };
    let data_type = time.expr.get_type(schema)?;
    if is_countable_time(&data_type) {
        return Ok(());
    }
    plan_err!(
        "{function}: activity counts events over time, but '{}' is {data_type}, expected a timestamp, a date or a whole number",
        excerpt(&time.text)
    )
}

/// Checks that there is a feature, and no more than the core supports.
pub(super) fn check_number_of_features(function: &str, features: usize) -> Result<()> {
    if features == 0 {
        return plan_err!(
            "{function}: no features were given; name at least one, as in [cmdline_tokens(CommandLine)]"
        );
    }
    if features > MAX_FEATURES {
        return plan_err!("{function} takes at most {MAX_FEATURES} features, got {features}");
    }
    Ok(())
}

/// Checks the time of the events, and has text read as times: by its spelling, `10:00:00.5` would come before `10:00:00Z`.
pub(super) fn readable_time(function: &str, option: &str, time: &Key, schema: &DFSchema) -> Result<Expr> {
    let Key { expr, text } = time;
    if expr.column_refs().is_empty() {
        return plan_err!(
            "{function}: {option} '{}' is the same for all rows, expected a column or an expression over columns",
            excerpt(text)
        );
    }
    let data_type = expr.get_type(schema)?;
    if data_type.is_temporal() || data_type.is_numeric() {
        return Ok(expr.clone());
    }
    if !is_text(&data_type) {
        return plan_err!(
            "{function}: {option} '{}' is {data_type}, expected a time, text with times, or a number that orders like one",
            excerpt(text)
        );
    }
    let sql = match expr {
        Expr::Column(column) => quoted_name(&column.name),
        _ => text.clone(),
    };
    // The engine's functions of times take no dictionaries.
    let sql = if data_type.is_string() { sql } else { format!("CAST({sql} AS VARCHAR)") };
    Ok(text_to_time_udf().call(vec![expr.clone(), lit(format!("{function}: {option}")), lit(sql)]))
}

/// Checks keys and rewrites them so that equal values have equal bits. A key that occurs twice is dropped the second time.
pub(super) fn canonical_keys(
    function: &str,
    option: &str,
    keys: Vec<Key>,
    schema: &DFSchema,
) -> Result<Vec<Key>> {
    check_number_of_keys(function, option, keys.len())?;
    let (mut canonical, mut known) = (vec![], HashSet::new());
    for Key { expr, text } in keys {
        if expr.column_refs().is_empty() {
            return plan_err!(
                "{function}: {option} '{}' is the same for all rows, expected a column or an expression over columns",
                excerpt(&text)
            );
        }
        let expr = canonical_float_key(expr, schema)?;
        if known.insert(expr.clone()) {
            canonical.push(Key { expr, text });
        }
    }
    Ok(canonical)
}

/// Checks that a list of keys is not empty and not too long.
fn check_number_of_keys(function: &str, option: &str, keys: usize) -> Result<()> {
    if keys == 0 {
        return plan_err!("{function}: {option} is empty, expected a column or a list of columns");
    }
    if keys > MAX_KEYS {
        return plan_err!(
            "{function}: {option} takes at most {MAX_KEYS} keys, got {keys}; compute one of several in a subquery"
        );
    }
    Ok(())
}

pub(super) fn check_partition_key(function: &str, option: &str, key: &Key, schema: &DFSchema) -> Result<()> {
    let data_type = key.expr.get_type(schema)?;
    if data_type.is_nested() {
        return plan_err!(
            "{function}: {option} '{}' is {data_type}, expected one value; name a field or an element of it",
            key.text
        );
    }
    if !has_key(&data_type) {
        return plan_err!(
            "{function}: {option} '{}' is {data_type}, which can't name a partition; cast it to text, a number or a time",
            key.text
        );
    }
    Ok(())
}

/// Checks that an expression of a call is a function of one row that returns the same value each time. `place` names it in the
/// error text.
///
/// # Errors
/// It aggregates, holds a subquery, uses an outer query or is volatile; the text says what to do instead.
pub(crate) fn check_one_row(function: &str, place: &str, expr: &Expr) -> Result<()> {
    let mut reason = None;
    expr.apply(|node| {
        reason = match node {
            Expr::AggregateFunction(_) => Some("aggregates rows: aggregate in a subquery first"),
            Expr::WindowFunction(_) => Some("is a window function: compute it in a subquery first"),
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                Some("holds a subquery: join it in a subquery first")
            }
            Expr::OuterReferenceColumn(..) => {
                Some("uses a column of the query around it: cluster all rows, and join the result")
            }
            node if node.is_volatile_node() => {
                Some("gives another value each time, but the rows are read twice: store it in a table first")
            }
            _ => None,
        };
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match reason {
        Some(reason) => plan_err!("{function}: {place} {reason}"),
        None => Ok(()),
    }
}
