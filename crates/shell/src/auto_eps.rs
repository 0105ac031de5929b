//! Tells the eps that `eps => 'auto'` has taken, once a statement has run.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_dbcluster::{AutoEps, DbscanExec};

/// Whether a plan leaves an eps to the rows.
pub(super) fn is_left_open(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_auto = |node: &Arc<dyn ExecutionPlan>| Ok(clustering(node).is_some_and(DbscanExec::has_auto_eps));
    plan.exists(is_auto).unwrap_or(false)
}

/// Returns a line for each clustering of the plan whose rows have decided its eps. A cluster runs the plan elsewhere, and has
/// none.
pub(super) fn lines(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<String>> {
    let mut lines = vec![];
    plan.apply(|node| {
        lines.extend(clustering(node).and_then(DbscanExec::auto_eps).map(|eps| match eps {
            AutoEps::Range { least, greatest } if least < greatest => {
                format!("eps => 'auto' took from {least:?} to {greatest:?}, for each partition its own")
            }
            AutoEps::Range { least, .. } => format!("eps => 'auto' took {least:?}"),
            AutoEps::Any => "eps => 'auto': every eps gives the same rows".to_string(),
        }));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(lines)
}

fn clustering(node: &Arc<dyn ExecutionPlan>) -> Option<&DbscanExec> {
    (node.as_ref() as &dyn Any).downcast_ref()
}
