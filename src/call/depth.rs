//! A limit to the depth of expressions: the engine finds the types of each part by way of all parts below it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};

/// The greatest depth of an expression.
const DEEPEST: usize = 256;

/// The text about an expression that [nests too deep](nests_too_deep).
pub(crate) const TOO_DEEP: &str = "nests more than 256 operations, as a sum of so many terms does; store it in a table first, \
                                   with CREATE TABLE ... AS SELECT";

/// Whether an expression nests deeper than the engine finds the types of it in reasonable time. So many levels `around` it, such
/// as a list, count for nothing.
pub(crate) fn nests_too_deep(sql: &impl Visit, around: usize) -> bool {
    sql.visit(&mut Depth { open: 0, most: DEEPEST + around, queries: 0 }).is_break()
}

/// Counts the operations that are open where a visit stands; the visit ends where they are too many. Queries are the engine's.
struct Depth {
    open: usize,
    most: usize,
    queries: usize,
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open += usize::from(self.queries == 0);
        if self.open > self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open -= usize::from(self.queries == 0);
        ControlFlow::Continue(())
    }
}
