//! The positional form, `dbcluster('events', 'cols', eps [, min_samples])`, for every engine that takes table
//! functions, and the lookup of tables by name that both forms share.
//!
//! A table function is called with constants and gives a provider. Ours gives a view: the engine inlines its
//! plan, and the optimizer sees through it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock};

use arrow::array::Array;
use arrow::datatypes::DataType;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{
    DFSchema, Result, ScalarValue, TableReference, exec_datafusion_err, plan_datafusion_err, plan_err,
};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{self, ExprWithAlias};
use datafusion::sql::sqlparser::dialect::{Dialect, dialect_from_str};
use datafusion::sql::unparser::expr_to_sql;
use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

use super::args::{Call, ClusterSpec, OptionName, TableFunction, said_by};
use super::lists::parse_list;
use super::scope::SqlPlanner;
use super::{process_features, rewrite};
use crate::near_miss::{did_you_mean, excerpt};

/// `dbcluster` and `dbcluster_members` as table functions.
#[derive(Debug)]
pub(crate) struct ClusterTableFunction(pub(crate) TableFunction);

impl TableFunctionImpl for ClusterTableFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let name = self.0.name();
        let usage = || format!("{name}('table', 'feature, ...', eps [, min_samples])");
        let [table, columns, eps, rest @ ..] = args.exprs() else {
            return plan_err!("{name} expects at least 3 arguments, got {}: {}", args.exprs().len(), usage());
        };
        if rest.len() > 1 {
            return plan_err!("{name} expects at most 4 arguments, got {}: {}", args.exprs().len(), usage());
        }
        let mut planner = StatePlanner::try_new(name, args.session())?;
        let input = scan(name, args.session(), string(name, "the first argument", "a table's name", table)?)?;
        let mut features = vec![];
        for text in strings(name, columns)? {
            features.extend(parse_list(name, "feature", &text, input.schema(), &planner)?);
        }
        let mut options = vec![];
        for (option, value) in
            [OptionName::Eps, OptionName::MinSamples].into_iter().zip([eps].into_iter().chain(rest))
        {
            options.push((option, as_sql(name, option.as_str(), value)?));
        }
        let call = Call { function: self.0, input, shadow: None, features, options };
        let plan = rewrite::plan(&ClusterSpec::try_new(call, &mut planner)?)?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

/// `process_features('table')` as a table function.
#[derive(Debug)]
pub(crate) struct ProcessFeaturesFunction;

impl TableFunctionImpl for ProcessFeaturesFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let name = process_features::NAME;
        let [table] = args.exprs() else {
            return plan_err!("{name} expects 1 argument, got {}: {name}('table')", args.exprs().len());
        };
        let input = scan(name, args.session(), string(name, "the first argument", "a table's name", table)?)?;
        Ok(Arc::new(ViewTable::new(process_features::plan(input)?, None)))
    }
}

/// The table of a name, as a table function: how the relation planner reaches the session's catalogs, which
/// the SQL planner shows to nobody else. `SELECT * FROM dbcluster_input('events')` is `SELECT * FROM events`.
#[derive(Debug)]
pub(crate) struct InputFunction;

impl InputFunction {
    pub(crate) const NAME: &'static str = "dbcluster_input";
}

impl TableFunctionImpl for InputFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [table] = args.exprs() else {
            return plan_err!("{} expects 1 argument, got {}", Self::NAME, args.exprs().len());
        };
        let name = string(Self::NAME, "the first argument", "a table's name", table)?;
        Ok(lookup(args.session(), name)?.1)
    }
}

/// Reads the table that `name` stands for.
fn scan(function: &str, session: &dyn Session, name: &str) -> Result<LogicalPlan> {
    let (reference, provider) = lookup(session, name).map_err(|error| said_by(function, error))?;
    LogicalPlanBuilder::scan(reference, provider_as_source(provider), None)?.build()
}

/// The table, view or file that `name` stands for: to the letter, else as a qualified SQL name.
///
/// # Errors
/// There is none: names the closest ones.
pub(crate) fn lookup(session: &dyn Session, name: &str) -> Result<(TableReference, Arc<dyn TableProvider>)> {
    if name.trim().is_empty() {
        return plan_err!(
            "the table's name is empty, expected a table, or a file where the session reads files"
        );
    }
    let catalog = &session.config_options().catalog;
    let ignore_case = !session.config_options().sql_parser.enable_ident_normalization;
    let mut candidates =
        vec![TableReference::bare(name), TableReference::parse_str_normalized(name, ignore_case)];
    candidates.dedup();
    let mut known = vec![];
    for reference in candidates {
        let resolved = reference.clone().resolve(&catalog.default_catalog, &catalog.default_schema);
        let schema = session
            .catalog_list()
            .catalog(&resolved.catalog)
            .and_then(|catalog| catalog.schema(&resolved.schema));
        if let Some(schema) = schema {
            known.extend(schema.table_names());
            if let Some(table) = wait_for(schema.table(&resolved.table))?? {
                return Ok((reference, table));
            }
        }
    }
    let looks_like_a_path = name.contains(['/', '\\', '*']) || name.rsplit_once('.').is_some();
    let hint = if looks_like_a_path {
        "; if it is a file, check the path, and that this session reads files by their path (enable_url_table)"
    } else {
        ""
    };
    plan_err!("table '{}' not found{}{hint}", excerpt(name), did_you_mean(name, &known))
}

/// Runs a lookup to its end from code that can't wait. Most catalogs answer at once; the others (files, remote catalogs)
/// are waited for on a thread of their own, and work on a runtime that outlives them, as the connections that they open do.
/// The caller's runtime may be blocked by the caller.
fn wait_for<F: Future<Output: Send> + Send>(lookup: F) -> Result<F::Output> {
    static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(1).thread_name("dbcluster-lookup").enable_all().build()
    });
    let runtime = RUNTIME
        .as_ref()
        .map_err(|error| exec_datafusion_err!("can't start a thread to look up tables: {error}"))?;
    let mut lookup = pin!(lookup);
    let answer = {
        let _context = runtime.enter();
        lookup.as_mut().now_or_never()
    };
    if let Some(answer) = answer {
        return Ok(answer);
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime.block_on(lookup));
        thread.join().map_err(|_| exec_datafusion_err!("looking up the table panicked"))
    })
}

fn string<'a>(function: &str, place: &str, expected: &str, expr: &'a Expr) -> Result<&'a str> {
    match expr {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(text) => Ok(text),
            None => {
                plan_err!("{function}: {place} is '{}', expected {expected}", excerpt(&value.to_string()))
            }
        },
        other => plan_err!("{function}: {place} is '{other}', expected {expected}"),
    }
}

/// One string, or the strings of an array.
fn strings(function: &str, expr: &Expr) -> Result<Vec<String>> {
    const EXPECTED: &str = "expressions over the table's columns, as a string";
    let list = match expr {
        Expr::Literal(ScalarValue::List(list), _) if list.len() == 1 => list.value(0),
        _ => return Ok(vec![string(function, "the second argument", EXPECTED, expr)?.to_string()]),
    };
    (0..list.len())
        .map(|index| {
            let item = Expr::Literal(ScalarValue::try_from_array(&list, index)?, None);
            let place = format!("feature {}", index + 1);
            string(function, &place, EXPECTED, &item).map(ToString::to_string)
        })
        .collect()
}

/// A constant as the SQL that means it, for the checks that both forms share.
fn as_sql(function: &str, option: &str, expr: &Expr) -> Result<ast::Expr> {
    if let Expr::Literal(value, _) = expr
        && let Some(value) = value_as_sql(value)
    {
        return Ok(ast::Expr::Value(value.into()));
    }
    expr_to_sql(expr).map_err(|_| plan_datafusion_err!("{function}: {option} is {expr}, expected a constant"))
}

fn value_as_sql(value: &ScalarValue) -> Option<ast::Value> {
    if value.is_null() {
        return Some(ast::Value::Null);
    }
    match value.data_type() {
        data_type if data_type.is_integer() => Some(ast::Value::Number(value.to_string(), false)),
        // With its point, which tells it from a whole number, and with all of its digits.
        data_type if data_type.is_numeric() => match value.cast_to(&DataType::Float64).ok()? {
            ScalarValue::Float64(Some(number)) => Some(ast::Value::Number(format!("{number:?}"), false)),
            _ => None,
        },
        DataType::Boolean => Some(ast::Value::Boolean(*value == ScalarValue::from(true))),
        _ => value.try_as_str().flatten().map(|text| ast::Value::SingleQuotedString(text.to_string())),
    }
}

/// SQL planning by a session's state.
struct StatePlanner<'a>(&'a SessionState);

impl<'a> StatePlanner<'a> {
    fn try_new(function: &str, session: &'a dyn Session) -> Result<Self> {
        match session.as_any().downcast_ref::<SessionState>() {
            Some(state) => Ok(Self(state)),
            None => {
                Err(plan_datafusion_err!("{function} needs a session of DataFusion's own kind to read SQL"))
            }
        }
    }
}

impl SqlPlanner for StatePlanner<'_> {
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr> {
        self.0.create_logical_expr_from_sql_expr(ExprWithAlias { expr: sql, alias: None }, schema)
    }

    fn normalize(&self, ident: ast::Ident) -> String {
        if ident.quote_style.is_some() || !self.0.config_options().sql_parser.enable_ident_normalization {
            ident.value
        } else {
            ident.value.to_ascii_lowercase()
        }
    }

    fn dialect(&self) -> Result<Box<dyn Dialect>> {
        session_dialect(self.0.config_options())
    }
}

/// The dialect of a session's SQL.
pub(crate) fn session_dialect(options: &datafusion::config::ConfigOptions) -> Result<Box<dyn Dialect>> {
    let name = &options.sql_parser.dialect;
    dialect_from_str(name).ok_or_else(|| plan_datafusion_err!("unknown SQL dialect {name}"))
}
