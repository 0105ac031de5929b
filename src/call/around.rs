//! The call of `dbcluster_around(table, odd, by => [Computer], within => INTERVAL '30 seconds')`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{FunctionArg, FunctionArgExpr};

use super::depth::{TOO_DEEP, nests_too_deep};
use super::relation::{ContextPlanner, LEVELS_OF_LISTS, looks_like_an_option, named, plan_input};
use super::scope::Scope;
use super::value::Value;
use crate::near_miss::{did_you_mean, did_you_mean_column, listed_columns};
use crate::plan::around::{AroundSpec, NAME, around, unit_of};

/// The options; the places of `given` below are those of its names.
const OPTIONS: [&str; 3] = ["by", "within", "time_column"];

/// Reads a call and builds its plan.
///
/// # Errors
/// Something is wrong with the call; the text names the argument, the value and what is allowed.
pub(super) fn plan(args: &[FunctionArg], context: &mut dyn RelationPlannerContext) -> Result<LogicalPlan> {
    let (mut tables, mut given) = (vec![], [None; OPTIONS.len()]);
    for arg in args {
        if nests_too_deep(arg, LEVELS_OF_LISTS) {
            return plan_err!("{NAME}: an argument {TOO_DEEP}");
        }
        match named(NAME, arg)? {
            Some((option, value)) => {
                let Some(place) = OPTIONS.iter().position(|name| name.eq_ignore_ascii_case(&option)) else {
                    return plan_err!(
                        "{NAME}: there is no option '{option}'{}; options are {}",
                        did_you_mean(&option, &OPTIONS),
                        OPTIONS.join(", ")
                    );
                };
                if given[place].replace(value).is_some() {
                    return plan_err!("{NAME}: option {} was given twice", OPTIONS[place]);
                }
            }
            None => match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(table)) => match looks_like_an_option(table) {
                    Some((option, value)) => {
                        return plan_err!("{NAME}: options are given with =>, as in {option} => {value}");
                    }
                    None => tables.push(table),
                },
                other => return plan_err!("{NAME}: '{other}' is no table"),
            },
        }
    }
    let [table, odd] = tables.as_slice() else {
        return plan_err!(
            "{NAME} expects a table and the events to look around: {NAME}(events, odd, by => [Computer], within => INTERVAL '30 seconds'), \
             got {} argument(s) without a name",
            tables.len()
        );
    };
    let [by, within, time_column] = given;
    let Some(within) = within else {
        return plan_err!(
            "{NAME}: within is missing; give the time before and after, as in within => INTERVAL '30 seconds'"
        );
    };
    let (events, shadow) = plan_input(NAME, table, context)?;
    let (odd, _) = plan_input(NAME, odd, context)?;
    let schema = Arc::clone(events.schema());
    let mut planner = ContextPlanner(context);
    let mut scope =
        Scope { function: NAME, schema: &schema, shadow: shadow.as_deref(), planner: &mut planner };
    let within = scope.interval("within", Value::Sql(within))?;
    let mut columns = vec![];
    for column in by.map_or(Ok(vec![]), |by| scope.columns("by", by))? {
        let of_odd = column_named(odd.schema(), &column.name);
        let Some(of_odd) = of_odd else {
            return no_such_column("by", &column.name, odd.schema());
        };
        columns.push((column, of_odd));
    }
    let time = match time_column {
        Some(time) => scope.column("time_column", time)?,
        None => match first_time(&schema) {
            Some(time) => time,
            None => {
                return plan_err!(
                    "{NAME}: the table has no column of a timestamp or date type; name the time with time_column"
                );
            }
        },
    };
    let odd_time = match (column_named(odd.schema(), &time.name), first_time(odd.schema())) {
        (Some(same), _) => same,
        (None, Some(first)) => first,
        (None, None) => return no_such_column("the time", &time.name, odd.schema()),
    };
    let time = checked_time("the table", time, &schema)?;
    let odd_time = checked_time("the events to look around", odd_time, odd.schema())?;
    around(AroundSpec { events, odd, by: columns, time, odd_time, within })
}

fn no_such_column<T>(place: &str, name: &str, schema: &DFSchema) -> Result<T> {
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let meant = did_you_mean_column(name, &columns);
    let there_are = if meant.is_empty() {
        format!("; its columns are {}", listed_columns(&columns))
    } else {
        String::new()
    };
    plan_err!(
        "{NAME}: {place}: the events to look around have no column '{name}'{meant}{there_are}; both relations need it"
    )
}

fn column_named(schema: &DFSchema, name: &str) -> Option<Column> {
    schema.iter().find(|(_, field)| field.name() == name).map(Column::from)
}

fn first_time(schema: &DFSchema) -> Option<Column> {
    schema.iter().find(|(_, field)| unit_of(field.data_type()).is_some()).map(Column::from)
}

fn checked_time(of: &str, column: Column, schema: &DFSchema) -> Result<(Expr, DataType)> {
    let name = column.name.clone();
    let time = Expr::Column(column);
    let data_type = time.get_type(schema)?;
    if unit_of(&data_type).is_none() {
        return plan_err!(
            "{NAME}: the time of {of}, '{name}', is {data_type}, expected a timestamp or a date; to_timestamp({name}) in a subquery \
             makes it one"
        );
    }
    Ok((time, data_type))
}
