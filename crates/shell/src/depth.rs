//! Expressions that nest deeper than the engine can plan them.
//!
//! `x = 1 OR x = 2 OR ...` is one operation in another, as many as it has terms. The engine walks them on the stack, level
//! by level, in the planning thread and in those that compute; with the stack at its end the process ends, too. And it finds
//! the types of each level by way of all levels below it, in a time that grows with the square of their number: 4,000 terms
//! take some 10 seconds. So the threads of the program have [`STACK`], which no level up to [`DEEPEST`] uses up, and what
//! nests deeper is refused.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;

use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{CopyToSource, DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};

use super::failure::Failure;
use super::statements::dialect;

/// Bytes of the stack of each thread. What is not used takes no memory.
pub(super) const STACK: usize = 64 << 20;

/// The deepest nesting of operations, subqueries included.
const DEEPEST: usize = 4000;

/// Returns the parsed statement, unless something in it nests too deep.
pub(super) fn checked(statements: VecDeque<Statement>) -> Result<VecDeque<Statement>, Failure> {
    if statements.iter().any(nests_too_deep) {
        // Each level of it would take a part of the stack to be dropped.
        mem::forget(statements);
        return Err(Failure::new(format!(
            "an expression nests more than {DEEPEST} operations, as a condition or a sum of so many terms does: compare with many \
             values by x IN (1, 2, ...), or by a join with a table of them"
        )));
    }
    Ok(statements)
}

/// Plans a query, as the session does, unless something in it nests too deep.
pub(super) async fn sql(ctx: &SessionContext, query: &str) -> Result<DataFrame, Failure> {
    let (name, recursion_limit) = {
        let state = ctx.state_ref();
        let state = state.read();
        let parser = &state.config_options().sql_parser;
        (parser.dialect, parser.recursion_limit.get())
    };
    let dialect = dialect(name);
    let parser =
        DFParserBuilder::new(query).with_dialect(dialect.as_ref()).with_recursion_limit(recursion_limit);
    checked(parser.build()?.parse_statements()?)?;
    Ok(ctx.sql(query).await?)
}

fn nests_too_deep(statement: &Statement) -> bool {
    let mut depth = Depth { open: 0 };
    match statement {
        Statement::Statement(statement) => statement.visit(&mut depth).is_break(),
        Statement::Explain(explain) => nests_too_deep(&explain.statement),
        Statement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => query.visit(&mut depth).is_break(),
            CopyToSource::Relation(_) => false,
        },
        Statement::CreateExternalTable(table) => {
            table.columns.visit(&mut depth).is_break() || table.order_exprs.visit(&mut depth).is_break()
        }
        Statement::Reset(_) => false,
    }
}

/// Counts the operations that enclose the visited node, and stops at the limit.
struct Depth {
    open: usize,
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open += 1;
        if self.open > DEEPEST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open -= 1;
        ControlFlow::Continue(())
    }
}
