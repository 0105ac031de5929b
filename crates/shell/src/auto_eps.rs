//! Tells the eps that `eps => 'auto'` has taken, once a query has run.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_dbcluster::DbscanExec;

/// Returns a line for each clustering of the plan whose rows have decided its eps. A cluster runs the plan elsewhere, and has
/// none.
pub(super) fn lines(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<String>> {
    let mut lines = vec![];
    plan.apply(|node| {
        let eps = (node.as_ref() as &dyn Any).downcast_ref::<DbscanExec>().and_then(DbscanExec::auto_eps);
        if let Some((least, greatest)) = eps {
            lines.push(if least < greatest {
                format!("eps => 'auto' took from {least:?} to {greatest:?}, for each partition its own")
            } else {
                format!("eps => 'auto' took {least:?}")
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(lines)
}
