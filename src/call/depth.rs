//! Refuses expressions that nest too deep: the engine computes the type of each part from all parts below it, level by level.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};

/// The deepest nesting that an expression may have.
const DEEPEST: usize = 256;

/// The error text for an expression that [nests too deep](nests_too_deep).
pub(crate) const TOO_DEEP: &str = "nests more than 256 operations, as a sum of so many terms does; store it in a table first, \
                                   with CREATE TABLE ... AS SELECT";

/// Whether an expression nests deeper than the engine can type in reasonable time. The outermost `around` levels, such as the
/// list that holds it, are not counted.
pub(crate) fn nests_too_deep(sql: &impl Visit, around: usize) -> bool {
    sql.visit(&mut Depth { open: 0, most: DEEPEST + around, queries: 0 }).is_break()
}

/// Counts the operations that enclose the visited node, and stops at the limit. Subqueries are not counted: the engine
/// limits them itself.
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
