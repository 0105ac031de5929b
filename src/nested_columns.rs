//! [`NestedColumnsInCsv`]: an analyzer rule that writes nested columns to CSV files as JSON text.
//!
//! CSV has no lists, structs or maps, and the engine's writer refuses them, among them what `keep_members` keeps and
//! the statistics of `dbcluster_summary`. This rule has `COPY ... TO 'x.csv'` and `DataFrame::write_csv` write them as JSON
//! text, wherever the plan runs.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

use crate::json::json_text_udf;

/// The engine's name of the format.
const CSV: &str = "csv";

/// Replaces nested columns of a CSV file by JSON text.
#[derive(Debug)]
pub(crate) struct NestedColumnsInCsv;

impl AnalyzerRule for NestedColumnsInCsv {
    fn name(&self) -> &'static str {
        "nested_columns_in_csv"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_down(|node| match node {
            LogicalPlan::Copy(copy) if copy.file_type.get_ext() == CSV => {
                let copy = LogicalPlan::Copy(with_json_text(copy)?);
                Ok(Transformed::new(copy, true, TreeNodeRecursion::Stop))
            }
            // EXPLAIN ANALYZE COPY ...
            LogicalPlan::Analyze(_) => Ok(Transformed::no(node)),
            node => Ok(Transformed::new(node, false, TreeNodeRecursion::Stop)),
        });
        Ok(plan?.data)
    }
}

fn with_json_text(copy: CopyTo) -> Result<CopyTo> {
    let schema = copy.input.schema();
    if !schema.fields().iter().any(|field| field.data_type().is_nested()) {
        return Ok(copy);
    }
    let columns: Vec<Expr> = schema
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            if field.data_type().is_nested() {
                json_text_udf().call(vec![column]).alias_qualified(qualifier.cloned(), field.name())
            } else {
                column
            }
        })
        .collect();
    let input = LogicalPlanBuilder::new_from_arc(Arc::clone(&copy.input)).project(columns)?.build()?;
    Ok(CopyTo { input: Arc::new(input), ..copy })
}
