//! The full form of the table functions in FROM: bare tables, CTEs and subqueries, feature lists, options by name.
//!
//! The engine's own planning of table functions takes constants only. A [`RelationPlanner`] sees the call as it
//! was parsed, so `dbcluster(events, {tokens: cmdline_tokens(CommandLine)}, eps => 0.1)` can mean what it says.
//! The forms that the positional function takes mean the same here.

use datafusion::common::{DFSchema, DataFusionError, Result, TableReference, plan_err};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, FunctionArgOperator, ObjectName, ObjectNamePart, TableFactor,
};
use datafusion::sql::sqlparser::dialect::Dialect;

use super::catalog::lookup_argument;
use super::depth::{TOO_DEEP, nests_too_deep};
use super::hunt::HuntFunction;
use super::lists::{read_list, string_literal};
use super::planner::{SqlPlanner, session_dialect};
use super::value::Value;
use super::written::{WrittenCall, find_option, with_function_name};
use crate::options::ClusterOption;
use crate::plan;
use crate::plan::spec::TableFunction;
use crate::plan::{around, one_shape, process_features};

/// The levels of lists, tuples and names that an argument may have around its expressions.
pub(super) const LEVELS_OF_LISTS: usize = 8;

/// Plans `dbcluster(...)` and its relatives, and `process_features(...)`, where a table may stand.
#[derive(Debug, Default)]
pub(crate) struct DbclusterPlanner;

impl RelationPlanner for DbclusterPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (name, args, alias, is_lateral) = match &relation {
            TableFactor::Table { name, args: Some(args), alias, .. } => (name, &args.args, alias, false),
            TableFactor::Function { name, args, alias, lateral, .. } => (name, args, alias, *lateral),
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        let Some(function) = function_name(name) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let plan = if let Some(function) = TableFunction::from_name(function) {
            refuse_lateral(function.name(), is_lateral)?;
            let call = read_call(function, args, context)?;
            plan::plan(&call.check(&mut ContextPlanner(context))?)?
        } else if function.eq_ignore_ascii_case(process_features::NAME) {
            refuse_lateral(process_features::NAME, is_lateral)?;
            let [FunctionArg::Unnamed(FunctionArgExpr::Expr(table))] = args.as_slice() else {
                return plan_err!("{0} expects one table: {0}(events)", process_features::NAME);
            };
            process_features::plan(plan_input(process_features::NAME, table, context)?.0)?
        } else if let Some((name, events)) = one_shape(function) {
            refuse_lateral(name, is_lateral)?;
            let [FunctionArg::Unnamed(FunctionArgExpr::Expr(table))] = args.as_slice() else {
                return plan_err!("{name} expects one table: {name}(events)");
            };
            events(plan_input(name, table, context)?.0)?
        } else if function.eq_ignore_ascii_case(around::NAME) {
            refuse_lateral(around::NAME, is_lateral)?;
            super::around::plan(args, context)?
        } else if let Some(function) = HuntFunction::from_name(function) {
            refuse_lateral(function.name(), is_lateral)?;
            super::hunt::plan(function, args, context)?
        } else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone()))))
    }
}

/// A function that maps the columns of events.
type OneShape = fn(LogicalPlan) -> Result<LogicalPlan>;

/// Finds a function that maps the columns of events, in any case.
fn one_shape(function: &str) -> Option<(&'static str, OneShape)> {
    let functions: [(&str, OneShape); 2] = [
        (one_shape::PROCESS_EVENTS, one_shape::process_events),
        (one_shape::LOGON_EVENTS, one_shape::logon_events),
    ];
    functions.into_iter().find(|(name, _)| function.eq_ignore_ascii_case(name))
}

/// The name of a function without a schema.
fn function_name(name: &ObjectName) -> Option<&str> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(&ident.value),
        _ => None,
    }
}

fn refuse_lateral(function: &str, is_lateral: bool) -> Result<()> {
    if is_lateral {
        return plan_err!(
            "LATERAL {function}(...) would cluster once per outer row, which is not supported; take LATERAL away"
        );
    }
    Ok(())
}

/// Sorts the arguments of a call into table, features and options.
fn read_call<'a>(
    function: TableFunction,
    args: &'a [FunctionArg],
    context: &mut dyn RelationPlannerContext,
) -> Result<WrittenCall<'a>> {
    let name = function.name();
    let (mut positional, mut options) = (vec![], vec![]);
    for arg in args {
        // This check comes before anything is copied, since copying takes stack for each level.
        if nests_too_deep(arg, LEVELS_OF_LISTS) {
            return plan_err!("{name}: an argument {TOO_DEEP}");
        }
        match named(name, arg)? {
            Some((option, value)) => {
                options.push((find_option(function, &option)?, Value::Sql(value)));
            }
            None => match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => {
                    if let Some((option, value)) = looks_like_an_option(value) {
                        return plan_err!("{name}: options are given with =>, as in {option} => {value}");
                    }
                    if !options.is_empty() {
                        return plan_err!(
                            "{name}: '{value}' stands behind an option; put it before, or name it"
                        );
                    }
                    positional.push(value);
                }
                other => {
                    return plan_err!(
                        "{name}: '{other}' is no table and no feature; name the table, and list its features one by one, \
                         as in {name}(events, [f1, f2], eps => 0.0001)"
                    );
                }
            },
        }
    }
    let [table, columns, rest @ ..] = positional.as_slice() else {
        return plan_err!(
            "{name} expects a table and its features: {name}(events, [f1, f2], eps => 0.0001), got {} argument(s) \
             without a name",
            positional.len()
        );
    };
    let by_position = function.by_position();
    if rest.len() > by_position.len() {
        let names: Vec<&str> = by_position.iter().map(ClusterOption::name).collect();
        return plan_err!(
            "{name}: at most {} arguments go without a name (table, features, {}), got {}; give the others as \
             option => value",
            by_position.len() + 2,
            names.join(", "),
            positional.len()
        );
    }
    let positional_options = by_position.iter().zip(rest.iter().map(|value| Value::Sql(value)));
    let options = positional_options.chain(options).collect();
    let (input, shadow) = plan_input(name, table, context)?;
    let features = read_list(name, "feature", columns, input.schema(), &ContextPlanner(context))?;
    Ok(WrittenCall { function, input, shadow, features, options })
}

/// An argument with a name: the name and the value.
///
/// # Errors
/// There is another sign than `=>` or `:=` between them.
pub(super) fn named<'a>(function: &str, arg: &'a FunctionArg) -> Result<Option<(String, &'a ast::Expr)>> {
    let (option, operator, value) = match arg {
        FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator } => {
            (name.value.clone(), operator, value)
        }
        FunctionArg::ExprNamed { name, arg: FunctionArgExpr::Expr(value), operator } => {
            (name.to_string(), operator, value)
        }
        _ => return Ok(None),
    };
    match operator {
        FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment => Ok(Some((option, value))),
        _ => plan_err!("{function}: options are given with =>, as in {option} => {value}"),
    }
}

/// Recognises `eps = 0.1`, which SQL reads as a comparison, and returns its two sides.
pub(super) fn looks_like_an_option(value: &ast::Expr) -> Option<(&str, &ast::Expr)> {
    match value {
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => match left.as_ref() {
            ast::Expr::Identifier(ident) => Some((&ident.value, right)),
            _ => None,
        },
        _ => None,
    }
}

/// Plans the rows to cluster: a subquery, another table function, or a table by its name. Also returns the name of the WITH
/// query that they come from, if it hides a table of the session.
pub(super) fn plan_input(
    function: &str,
    table: &ast::Expr,
    context: &mut dyn RelationPlannerContext,
) -> Result<(LogicalPlan, Option<String>)> {
    let name = match table {
        ast::Expr::Subquery(query) => {
            let derived =
                TableFactor::Derived { lateral: false, subquery: query.clone(), alias: None, sample: None };
            return Ok((under_one_name(context.plan(derived)?)?, None));
        }
        ast::Expr::Function(call) => return Ok((plan_function(function, call, context)?, None)),
        ast::Expr::Identifier(ident) => ObjectName::from(vec![ident.clone()]),
        ast::Expr::CompoundIdentifier(idents) => ObjectName::from(idents.clone()),
        other => match string_literal(other) {
            // A WITH query has no catalog, only a name.
            Some(text) => {
                let name = ObjectName::from(vec![ast::Ident::with_quote('"', text)]);
                return plan_table(function, &name, text.into(), text, context);
            }
            None => {
                return plan_err!(
                    "{function}: the first argument is '{other}', expected a table's name or a (SELECT ...)"
                );
            }
        },
    };
    let reference = context
        .object_name_to_table_reference(name.clone())
        .map_err(|error| with_function_name(function, error))?;
    let text = reference.to_quoted_string();
    plan_table(function, &name, reference, &text, context)
}

/// Plans a table by its name. Also returns the name if it stands for a WITH query while the session has a table of that name.
/// `text` is the name that the session looks up, and `reference` becomes the qualifier of the columns.
fn plan_table(
    function: &str,
    name: &ObjectName,
    reference: TableReference,
    text: &str,
    context: &mut dyn RelationPlannerContext,
) -> Result<(LogicalPlan, Option<String>)> {
    let qualifier = context
        .object_name_to_table_reference(name.clone())
        .map_err(|error| with_function_name(function, error))?;
    match plan_named(name, context) {
        Ok(plan) => {
            // A view is planned as a SubqueryAlias too, but its plan is the same as that of the lookup.
            let has_name = matches!(plan, LogicalPlan::SubqueryAlias(_));
            let hides =
                has_name && lookup(function, qualifier, text, context).is_ok_and(|table| table != plan);
            Ok((plan, hides.then(|| text.to_string())))
        }
        Err(error) if says_unknown(&error, qualifier, context) => {
            Ok((lookup(function, reference, text, context)?, None))
        }
        Err(error) => Err(with_function_name(function, error)),
    }
}

/// Whether an error only says that the statement's planner does not know a name. It knows the names that the statement uses
/// elsewhere; the session may know others.
fn says_unknown(
    error: &DataFusionError,
    reference: TableReference,
    context: &mut dyn RelationPlannerContext,
) -> bool {
    let unknown = context.context_provider().get_table_source(reference);
    unknown.is_err_and(|unknown| unknown.find_root().message() == error.find_root().message())
}

/// Gives all columns one qualifier, so that none is mistaken for a column of the clusters.
fn under_one_name(plan: LogicalPlan) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).alias("input")?.build()
}

/// Plans another table function, as in `dbcluster(process_features(events), ...)`.
fn plan_function(
    function: &str,
    call: &ast::Function,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let ast::FunctionArguments::List(list) = &call.args else {
        return plan_err!("{function}: the first argument is '{call}', expected a table or a table function");
    };
    let args = ast::TableFunctionArgs { args: list.args.clone(), settings: None };
    under_one_name(context.plan(table_factor(&call.name, Some(args)))?)
}

/// Plans a CTE, or a table that the statement names elsewhere too: the SQL planner knows these.
fn plan_named(name: &ObjectName, context: &mut dyn RelationPlannerContext) -> Result<LogicalPlan> {
    context.plan(table_factor(name, None))
}

fn table_factor(name: &ObjectName, args: Option<ast::TableFunctionArgs>) -> TableFactor {
    TableFactor::Table {
        name: name.clone(),
        alias: None,
        args,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
}

/// Looks a table up in the session's catalogs, by way of a table function, since nothing else gets to see them.
fn lookup(
    function: &str,
    reference: TableReference,
    name: &str,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let source = context
        .context_provider()
        .get_table_function_source(TableFunction::Dbcluster.name(), vec![lookup_argument(name)])
        .map_err(|error| with_function_name(function, error))?;
    LogicalPlanBuilder::scan(reference, source, None)?.build()
}

/// SQL planning by the statement that the call stands in.
pub(super) struct ContextPlanner<'a>(pub(super) &'a mut dyn RelationPlannerContext);

impl SqlPlanner for ContextPlanner<'_> {
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr> {
        self.0.sql_to_expr(sql, schema)
    }

    fn normalize(&self, ident: ast::Ident) -> String {
        self.0.normalize_ident(ident)
    }

    fn dialect(&self) -> Result<Box<dyn Dialect>> {
        session_dialect(self.0.context_provider().options())
    }
}
