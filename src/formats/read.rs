//! `read('path' [, option => value ...])` in FROM, and `rejected()`.
//!
//! The engine's own planning of table functions takes constants only. A [`RelationPlanner`] sees the call as it was parsed, checks
//! the names and values of the options, and hands them to the table function [`ReadFunction`], which reaches the session.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, ScalarValue, TableReference, plan_err};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, FunctionArgOperator, ObjectName, ObjectNamePart, TableFactor,
};
use dbcluster_logs::{ReadOptions, shown};

use super::tables::LogTables;
use crate::error::internal;
use crate::near_miss::excerpt;
use crate::read_options::{constant, set_all, text_of};
use crate::wait::wait_for;

const READ: &str = ReadFunction::NAME;

/// An example of a call.
const USAGE: &str = "read('path' [, option => value ...])";

/// Metadata of the path with this beginning has the options. SQL can't write it: the literals of a statement have none.
const OPTION: &str = "dbcluster.read.";

/// Plans `read(...)` where a table may stand.
#[derive(Debug, Default)]
pub(crate) struct ReadPlanner;

impl RelationPlanner for ReadPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (name, args, alias) = match &relation {
            TableFactor::Table { name, args: Some(args), alias, .. } => (name, &args.args, alias),
            TableFactor::Function { name, args, alias, .. } => (name, args, alias),
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        if !is_read(name) {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        }
        let (path, options) = read_call(args)?;
        let argument = argument(&path, &options);
        let source = context.context_provider().get_table_function_source(READ, vec![argument])?;
        let plan = LogicalPlanBuilder::scan(TableReference::bare(path), source, None)?.build()?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone()))))
    }
}

fn is_read(name: &ObjectName) -> bool {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => ident.value.eq_ignore_ascii_case(READ),
        _ => false,
    }
}

/// The path and the options of a call, with the text of their values.
fn read_call(args: &[FunctionArg]) -> Result<(String, Vec<(String, String)>)> {
    let Some((FunctionArg::Unnamed(FunctionArgExpr::Expr(path)), rest)) = args.split_first() else {
        return plan_err!("read expects the path of a file, a folder or a pattern first: {USAGE}");
    };
    let Some(path) = constant(path) else {
        return plan_err!("read: the path is {path}, expected a text, as in read('logs/*.csv')");
    };
    let mut options = vec![];
    for arg in rest {
        let (name, operator, value) = match arg {
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator } => {
                (name.value.clone(), operator, value)
            }
            FunctionArg::ExprNamed { name, arg: FunctionArgExpr::Expr(value), operator } => {
                (name.to_string(), operator, value)
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::BinaryOp {
                left,
                op: ast::BinaryOperator::Eq,
                right,
            })) => return plan_err!("read: options are given with =>, as in {left} => {right}"),
            other => {
                let other = other.to_string();
                return plan_err!("read: '{}' has no name: {USAGE}", excerpt(&other));
            }
        };
        if !matches!(operator, FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment) {
            return plan_err!("read: options are given with =>, as in {name} => {value}");
        }
        options.push((name, text_of(value)));
    }
    set_all(READ, &mut ReadOptions::default(), pairs(&options))?;
    Ok((path.to_string(), options))
}

fn pairs(options: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    options.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The path with the options as the argument of the table function.
fn argument(path: &str, options: &[(String, String)]) -> Expr {
    let options = options.iter().map(|(name, value)| (format!("{OPTION}{name}"), value.clone()));
    let metadata = options.collect::<BTreeMap<_, _>>();
    Expr::Literal(ScalarValue::from(path), Some(FieldMetadata::from(metadata)))
}

/// `read` as a table function; without the relation planner it takes the path only.
#[derive(Debug)]
pub(crate) struct ReadFunction;

impl ReadFunction {
    pub(crate) const NAME: &str = "read";
}

impl TableFunctionImpl for ReadFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(path, metadata)] = args.exprs() else {
            return plan_err!("read expects 1 argument, got {}: read('path')", args.exprs().len());
        };
        let Some(path) = path.try_as_str().flatten() else {
            return plan_err!("read: the path is {path}, expected a text, as in read('logs/*.csv')");
        };
        let session = args.session();
        let mut options = LogTables::options(session)?;
        if let Some(metadata) = metadata {
            let given = metadata.inner().iter();
            let given = given.filter_map(|(name, value)| Some((name.strip_prefix(OPTION)?, value.as_str())));
            set_all(READ, &mut options, given)?;
        }
        let tables = LogTables::of(session).ok_or_else(|| internal("the session has no tables of files"))?;
        match wait_for(tables.table(session, path, &options))?? {
            Some(table) => Ok(table),
            None => plan_err!("read: there is no file {}", shown(path)),
        }
    }
}

/// `rejected()`: the lines and values that could not be read.
#[derive(Debug)]
pub(crate) struct RejectedFunction;

impl RejectedFunction {
    pub(crate) const NAME: &str = LogTables::REJECTED;
}

impl TableFunctionImpl for RejectedFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if !args.exprs().is_empty() {
            return plan_err!("rejected expects no argument, got {}: rejected()", args.exprs().len());
        }
        let tables = LogTables::of(args.session());
        let tables = tables.ok_or_else(|| internal("the session has no tables of files"))?;
        Ok(tables.rejected())
    }
}
