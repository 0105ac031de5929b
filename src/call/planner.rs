//! [`SqlPlanner`]: the SQL planning of the statement or session that a call is made in.

use datafusion::common::config::ConfigOptions;
use datafusion::common::{DFSchema, Result, plan_datafusion_err};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::{Dialect, dialect_from_str};

/// Plans SQL as the statement or the session of a call does.
pub(super) trait SqlPlanner {
    /// Plans `sql` over the columns of `schema`.
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr>;
    /// Normalizes an identifier by the session's rules.
    fn normalize(&self, ident: ast::Ident) -> String;
    /// Returns the session's SQL dialect.
    fn dialect(&self) -> Result<Box<dyn Dialect>>;
}

/// Returns the SQL dialect of a session.
pub(super) fn session_dialect(options: &ConfigOptions) -> Result<Box<dyn Dialect>> {
    let name = &options.sql_parser.dialect;
    dialect_from_str(name).ok_or_else(|| plan_datafusion_err!("unknown SQL dialect {name}"))
}
