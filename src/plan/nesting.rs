//! Limits the nesting of table functions.
//!
//! A plan of this crate reads its input twice, so the table at the bottom of n nested ones is planned and read 2^n times.

use datafusion::common::tree_node::{TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, Window, WindowFunctionDefinition};

use crate::window::is_of_vectors;

/// The deepest nesting of table functions: the table below them is read 2^4 times.
const DEEPEST: usize = 4;

/// Checks that a further level is allowed over the input.
///
/// # Errors
/// The input has [`DEEPEST`] levels already.
pub(crate) fn check_nesting(function: &str, input: &LogicalPlan) -> Result<()> {
    let mut levels = Levels::default();
    input.visit_with_subqueries(&mut levels)?;
    if levels.most >= DEEPEST {
        return plan_err!(
            "{function}: more than {DEEPEST} clusterings stand in one another, each of which reads its input twice, so \
             that the table below them would be read {} times; store what is inside with CREATE TABLE ... AS SELECT \
             ..., and cluster that",
            1_usize << (DEEPEST + 1)
        );
    }
    Ok(())
}

/// Counts the clusterings between the root of a plan and the visited node.
#[derive(Default)]
struct Levels {
    open: usize,
    most: usize,
}

impl<'n> TreeNodeVisitor<'n> for Levels {
    type Node = LogicalPlan;

    fn f_down(&mut self, node: &'n LogicalPlan) -> Result<TreeNodeRecursion> {
        if matches!(node, LogicalPlan::Window(window) if is_labelling(window)) {
            self.open += 1;
            self.most = self.most.max(self.open);
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn f_up(&mut self, node: &'n LogicalPlan) -> Result<TreeNodeRecursion> {
        if matches!(node, LogicalPlan::Window(window) if is_labelling(window)) {
            self.open -= 1;
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

/// Whether a window labels the vectors of a table function.
pub fn is_labelling(window: &Window) -> bool {
    window.window_expr.iter().any(|expr| {
        let function = match expr {
            Expr::Alias(alias) => alias.expr.as_ref(),
            other => other,
        };
        matches!(function, Expr::WindowFunction(function)
            if matches!(&function.fun, WindowFunctionDefinition::WindowUDF(udf) if is_of_vectors(udf)))
    })
}
