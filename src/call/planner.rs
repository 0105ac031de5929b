//! [`SqlPlanner`]: the host's planning of SQL.

use datafusion::common::config::ConfigOptions;
use datafusion::common::{DFSchema, Result, plan_datafusion_err};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::{Dialect, dialect_from_str};

/// A statement or a session that plans SQL.
pub(super) trait SqlPlanner {
    /// `sql` over columns of `schema`.
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr>;
    /// The name that an identifier stands for under the session's rules.
    fn normalize(&self, ident: ast::Ident) -> String;
    /// The session's SQL dialect.
    fn dialect(&self) -> Result<Box<dyn Dialect>>;
}

/// The dialect of a session's SQL.
pub(super) fn session_dialect(options: &ConfigOptions) -> Result<Box<dyn Dialect>> {
    let name = &options.sql_parser.dialect;
    dialect_from_str(name).ok_or_else(|| plan_datafusion_err!("unknown SQL dialect {name}"))
}
