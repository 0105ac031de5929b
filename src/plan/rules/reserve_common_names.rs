//! [`ReserveCommonNames`]: a logical rule that keeps the engine from giving a name twice.
//!
//! The engine computes an expression that occurs twice in a column `__common_expr_1`, and the next one in `__common_expr_2`. It counts
//! from 1 for each run of the optimizer. `CREATE TABLE ... AS`, a prepared statement and a cluster optimize a plan that was optimized
//! before. A new column then takes the place of an earlier one of its name, without an error, and the query computes with the
//! wrong values. The rules of this crate add expressions to such a plan, so it happens to `dbscan` in all three.
//!
//! The rule comes first in each run, and lets the engine count on from the greatest number in the plan. The engine does the same for
//! the other names that it makes (`extract_leaf_expressions`).

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The beginning of the engine's names of expressions that occur twice.
const PREFIX: &str = "__common_expr_";

/// Keeps new names of common expressions apart from those that a plan has, see the module.
#[derive(Debug, Default)]
pub(crate) struct ReserveCommonNames;

impl OptimizerRule for ReserveCommonNames {
    fn name(&self) -> &'static str {
        "dbcluster_reserve_common_names"
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Projection(projection) = node {
                let names = projection.schema.fields().iter().map(|field| field.name());
                let numbers = names.filter_map(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
                if let Some(greatest) = numbers.max() {
                    config.alias_generator().update_min_id(greatest as usize);
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Transformed::no(plan))
    }
}
