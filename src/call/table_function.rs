//! The positional form, `dbcluster('events', 'cols', eps [, min_samples])`, for every engine that takes table functions.
//!
//! The engine calls a table function with constants and gets a table provider. Ours is a view, so the engine inlines its
//! plan and the optimizer sees through it.

use std::sync::Arc;

use arrow::array::Array;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{self, ExprWithAlias};
use datafusion::sql::sqlparser::dialect::Dialect;

use super::catalog::{looked_up, scan, string};
use super::lists::parse_list;
use super::planner::{SqlPlanner, session_dialect};
use super::value::Value;
use super::written::WrittenCall;
use crate::plan;
use crate::plan::process_features;
use crate::plan::spec::TableFunction;

/// `dbcluster` and its relatives as table functions.
#[derive(Debug)]
pub(crate) struct ClusterTableFunction(pub(crate) TableFunction);

impl TableFunctionImpl for ClusterTableFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if let Some(table) = looked_up(args.session(), args.exprs())? {
            return Ok(table);
        }
        let name = self.0.name();
        let by_position = self.0.by_position();
        let given = args.exprs().len();
        let usage = || match self.0 {
            TableFunction::DbclusterEps => format!("{name}('table', 'feature, ...' [, min_samples])"),
            _ => format!("{name}('table', 'feature, ...', eps [, min_samples])"),
        };
        let least = by_position.len() + 1;
        let [table, columns, rest @ ..] = args.exprs() else {
            return plan_err!("{name} expects at least {least} arguments, got {given}: {}", usage());
        };
        if given < least {
            return plan_err!("{name} expects at least {least} arguments, got {given}: {}", usage());
        }
        if rest.len() > by_position.len() {
            return plan_err!("{name} expects at most {} arguments, got {given}: {}", least + 1, usage());
        }
        let mut planner = StatePlanner::try_new(name, args.session())?;
        let input = scan(name, args.session(), string(name, "the first argument", "a table's name", table)?)?;
        let mut features = vec![];
        for text in strings(name, columns)? {
            features.extend(parse_list(name, "feature", &text, input.schema(), &planner)?);
        }
        let options = by_position.iter().zip(rest.iter().map(Value::Planned)).collect();
        let call = WrittenCall { function: self.0, input, shadow: None, features, options };
        Ok(Arc::new(ViewTable::new(plan::plan(&call.check(&mut planner)?)?, None)))
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

/// Returns one string, or the strings of an array.
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

/// Plans SQL by a session's state.
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
