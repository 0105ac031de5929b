//! The calls of `hunt(table, text => ...)`, `hunt_processes(table)` and `hunt_logons(table)`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::functions::expr_fn::{coalesce, concat_ws, nullif};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::sqlparser::ast::{self, FunctionArg, FunctionArgExpr};

use super::depth::{TOO_DEEP, nests_too_deep};
use super::lists::string_literal;
use super::relation::{ContextPlanner, LEVELS_OF_LISTS, looks_like_an_option, named, plan_input};
use super::scope::Scope;
use crate::event_columns::{
    self, ACCOUNTS, COMMAND_LINES, HOSTS, LOGON_ACCOUNTS, LOGON_DETAILS, LOGON_SOURCES, LOGON_TYPES,
    PARENT_PROGRAMS, PROGRAMS, all_of, auditd, is_logon, is_process_creation,
};
use crate::functions::logon_type_name_udf;
use crate::near_miss::{did_you_mean, likely_column, listed_columns, sql_name};
use crate::options::Key;
use crate::plan::hunt::score::Term;
use crate::plan::hunt::{HuntSpec, Inputs, hunt};

/// The functions, each with the columns that it takes where a call names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HuntFunction {
    Hunt,
    Processes,
    Logons,
}

impl HuntFunction {
    const ALL: [Self; 3] = [Self::Hunt, Self::Processes, Self::Logons];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hunt => "hunt",
            Self::Processes => "hunt_processes",
            Self::Logons => "hunt_logons",
        }
    }

    /// Finds the function of this name, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

/// The options; the places of `given` below are those of their names.
const OPTIONS: [&str; 9] =
    ["text", "subject", "path", "context", "who", "host", "time_column", "terms", "watch"];

/// Reads a call and builds its plan.
///
/// # Errors
/// Something is wrong with the call; the text names the argument, the value and what is allowed.
pub(super) fn plan(
    function: HuntFunction,
    args: &[FunctionArg],
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let name = function.name();
    let (table, given) = arguments(function, args)?;
    let (input, shadow) = plan_input(name, table, context)?;
    let schema = Arc::clone(input.schema());
    let mut planner = ContextPlanner(context);
    let mut scope =
        Scope { function: name, schema: &schema, shadow: shadow.as_deref(), planner: &mut planner };
    let mut inputs = Inputs { context_is_path: function == HuntFunction::Processes, ..Inputs::default() };
    let [text, subject, path, context, who, host, time_column, terms, watch] = given;
    // Columns that a call leaves out with NULL are not looked for.
    let mut none = vec![];
    for (option, value, key) in [
        ("text", text, &mut inputs.text),
        ("subject", subject, &mut inputs.subject),
        ("path", path, &mut inputs.path),
        ("context", context, &mut inputs.context),
        ("who", who, &mut inputs.who),
        ("host", host, &mut inputs.host),
        ("time_column", time_column, &mut inputs.time_column),
    ] {
        match value {
            Some(value) if is_null(value) => {
                none.push(option);
            }
            Some(value) => *key = Some(scope.time(option, value)?),
            None => {}
        }
    }
    let terms = match terms {
        None => Term::ALL.to_vec(),
        Some(terms) => each(name, "terms", terms, name_or_string)?
            .into_iter()
            .map(|word| match Term::from_name(word) {
                Some(term) => Ok(term),
                None => {
                    let names = Term::ALL.map(Term::name);
                    plan_err!(
                        "{name}: there is no term '{word}'{}; terms are {}",
                        did_you_mean(word, &names),
                        names.join(", ")
                    )
                }
            })
            .collect::<Result<_>>()?,
    };
    let watch = watch.map_or(Ok(vec![]), |watch| each(name, "watch", watch, string_literal))?;
    if watch.iter().any(|text| text.trim().is_empty()) {
        return plan_err!("{name}: watch has an empty text, which every event has; take it away");
    }
    let is_context_given = inputs.context.is_some();
    if function != HuntFunction::Hunt && inputs.time_column.is_none() {
        inputs.time_column = event_columns::time(&schema)?.map(|(expr, text)| Key { expr, text });
    }
    match function {
        HuntFunction::Hunt => {}
        HuntFunction::Processes => fill_in_processes(name, &mut inputs, &schema)?,
        HuntFunction::Logons => fill_in_logons(name, &mut inputs, &schema)?,
    }
    for option in none {
        match option {
            "context" => inputs.context = None,
            "who" => inputs.who = None,
            "host" => inputs.host = None,
            "path" => inputs.path = None,
            option => return plan_err!("{name}: {option} is NULL, expected a column or an expression"),
        }
    }
    if inputs.subject.is_none()
        && inputs.path.is_none()
        && inputs.context.take().is_some()
        && is_context_given
    {
        return plan_err!(
            "{name}: context needs a subject, since what counts is how unusual it is for that; name it, as in subject => Account, or leave \
             context out"
        );
    }
    // The columns of processes also stand in events of files and registry keys, and those of logons in logoffs.
    let (kind, told_by) = match function {
        HuntFunction::Hunt => (None, vec![]),
        HuntFunction::Processes => (is_process_creation(&schema)?, vec![&inputs.text, &inputs.path]),
        HuntFunction::Logons => (is_logon(&schema)?, vec![&inputs.subject, &inputs.path]),
    };
    // Rows without them are events of other logs in the same table.
    let told_by = told_by.into_iter().flatten().map(|key| key.expr.clone().is_not_null()).reduce(Expr::or);
    let input = match kind.into_iter().chain(told_by).reduce(Expr::and) {
        Some(is_kind) => LogicalPlanBuilder::from(input).filter(is_kind)?.build()?,
        None => input,
    };
    let watch = watch.into_iter().map(ToString::to_string).collect();
    hunt(&HuntSpec::try_new(name, input, inputs, terms, watch)?)
}

type Given<'a> = [Option<&'a ast::Expr>; OPTIONS.len()];

/// Sorts the arguments of a call into its table and its options.
fn arguments(function: HuntFunction, args: &[FunctionArg]) -> Result<(&ast::Expr, Given<'_>)> {
    let name = function.name();
    let (mut tables, mut given) = (vec![], [None; OPTIONS.len()]);
    for arg in args {
        if nests_too_deep(arg, LEVELS_OF_LISTS) {
            return plan_err!("{name}: an argument {TOO_DEEP}");
        }
        match named(name, arg)? {
            Some((option, value)) => {
                let Some(place) = OPTIONS.iter().position(|name| name.eq_ignore_ascii_case(&option)) else {
                    return plan_err!(
                        "{name}: there is no option '{option}'{}; options are {}",
                        did_you_mean(&option, &OPTIONS),
                        OPTIONS.join(", ")
                    );
                };
                if given[place].replace(value).is_some() {
                    return plan_err!("{name}: option {} was given twice", OPTIONS[place]);
                }
            }
            None => match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(table)) => match looks_like_an_option(table) {
                    Some((option, value)) => {
                        return plan_err!("{name}: options are given with =>, as in {option} => {value}");
                    }
                    None => tables.push(table),
                },
                other => return plan_err!("{name}: '{other}' is no table"),
            },
        }
    }
    let call = match function {
        HuntFunction::Hunt => "hunt(events, text => CommandLine, path => NewProcessName)".to_string(),
        _ => format!("{name}(events)"),
    };
    let [table] = tables.as_slice() else {
        return plan_err!(
            "{name} expects one table, and options by name: {call}; got {} argument(s) without a name",
            tables.len()
        );
    };
    Ok((*table, given))
}

/// Reads the items of a list, or a value that stands for a list of one.
fn each<'a>(
    function: &str,
    option: &str,
    value: &'a ast::Expr,
    read: impl Fn(&'a ast::Expr) -> Option<&'a str>,
) -> Result<Vec<&'a str>> {
    let items = match value {
        ast::Expr::Array(array) => array.elem.as_slice(),
        ast::Expr::Tuple(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let text = |item: &'a ast::Expr| match read(item) {
        Some(text) => Ok(text),
        None => plan_err!(
            "{function}: {option} has {item}, expected texts in single quotes, as in {option} => ['...', '...']"
        ),
    };
    items.iter().map(text).collect()
}

/// Reads a term, with or without quotes.
fn name_or_string(item: &ast::Expr) -> Option<&str> {
    match item {
        ast::Expr::Identifier(name) => Some(&name.value),
        other => string_literal(other),
    }
}

fn column(schema: &DFSchema, names: &[&'static str]) -> Option<Key> {
    let mut found = all_of(schema, names);
    if found.len() < 2 {
        return found.pop().map(|(expr, name)| Key { expr, text: name.to_string() });
    }
    // Tables of several collectors have several: each event takes the first that has a value.
    let text = found.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    Some(Key { expr: coalesce(found.into_iter().map(|(expr, _)| as_text(expr)).collect()), text })
}

fn fill_in(key: &mut Option<Key>, schema: &DFSchema, names: &[&'static str]) {
    if key.is_none() {
        *key = column(schema, names);
    }
}

fn fill_in_processes(function: &str, inputs: &mut Inputs, schema: &DFSchema) -> Result<()> {
    fill_in(&mut inputs.text, schema, COMMAND_LINES);
    if inputs.subject.is_none() {
        fill_in(&mut inputs.path, schema, PROGRAMS);
    }
    fill_in(&mut inputs.context, schema, PARENT_PROGRAMS);
    if inputs.who.is_none() {
        let (known, text) = column(schema, ACCOUNTS).map(|key| (key.expr, key.text)).unzip();
        let text = text.unwrap_or_else(|| "AUID, UID".to_string());
        inputs.who = auditd::account(schema, known)?.map(|expr| Key { expr, text });
    }
    fill_in(&mut inputs.host, schema, HOSTS);
    if inputs.text.is_none() {
        inputs.text =
            inputs.path.as_ref().map(|path| Key { expr: path.expr.clone(), text: path.text.clone() });
    }
    if inputs.text.is_some() {
        return Ok(());
    }
    no_column(
        function,
        "a command line or the path of a program",
        &[("text", COMMAND_LINES), ("path", PROGRAMS)],
        schema,
    )
}

fn fill_in_logons(function: &str, inputs: &mut Inputs, schema: &DFSchema) -> Result<()> {
    if inputs.subject.is_none() && inputs.path.is_none() {
        inputs.subject = column(schema, LOGON_ACCOUNTS);
    }
    fill_in(&mut inputs.host, schema, HOSTS);
    if inputs.context.is_none() {
        let sources: Vec<Key> = LOGON_SOURCES.iter().filter_map(|name| column(schema, &[*name])).collect();
        // Windows writes `-` where there is no address.
        let text = sources.iter().map(|source| source.text.as_str()).collect::<Vec<_>>().join(", ");
        let sources: Vec<Expr> =
            sources.into_iter().map(|source| nullif(as_text(source.expr), lit("-"))).collect();
        if !sources.is_empty() {
            inputs.context = Some(Key { expr: coalesce(sources), text });
        }
    }
    if inputs.text.is_none() {
        let logon_type = column(schema, LOGON_TYPES);
        let details = LOGON_DETAILS.iter().filter_map(|names| column(schema, names));
        let logon_type = logon_type.map(|it| logon_type_name(it, schema)).transpose()?;
        let parts: Vec<Key> = logon_type.into_iter().chain(details).collect();
        if !parts.is_empty() {
            let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(", ");
            let parts = parts.into_iter().map(|part| as_text(part.expr)).collect();
            inputs.text = Some(Key { expr: concat_ws(lit(" "), parts), text });
        }
    }
    if inputs.text.is_some() && inputs.subject.is_some() {
        return Ok(());
    }
    no_column(
        function,
        "an account and the kind of its logons",
        &[("subject", LOGON_ACCOUNTS), ("text", LOGON_TYPES)],
        schema,
    )
}

/// The name of a logon type. Tables that were written with gaps have types such as 3.0.
fn logon_type_name(logon_type: Key, schema: &DFSchema) -> Result<Key> {
    let Key { mut expr, text } = logon_type;
    if expr.get_type(schema)?.is_floating() {
        expr = cast(expr, DataType::Int64);
    }
    Ok(Key { expr: logon_type_name_udf().call(vec![expr]), text })
}

fn is_null(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Value(value) if matches!(value.value, ast::Value::Null))
}

fn as_text(expr: Expr) -> Expr {
    cast(expr, DataType::Utf8View)
}

fn no_column(function: &str, what: &str, options: &[(&str, &[&str])], schema: &DFSchema) -> Result<()> {
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let likely = |names: &[&str]| likely_column(&columns, names).map(|(column, _)| sql_name(column));
    let given = options.iter().filter_map(|(option, names)| Some(format!("{option} => {}", likely(names)?)));
    let mut given: Vec<String> = given.collect();
    if given.is_empty() {
        given = options.iter().map(|(option, _)| format!("{option} => ...")).collect();
    }
    let names: Vec<&str> = options.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    plan_err!(
        "{function} finds no column with {what}; it looks for {}, and the columns are {}; name them, as in {function}(events, {})",
        names.join(", "),
        listed_columns(&columns),
        given.join(", ")
    )
}
