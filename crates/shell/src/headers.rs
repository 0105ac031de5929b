//! The names of columns in a result as people read them: `count(Account)`, and not `count(logs/day.csv.Account)`.
//!
//! The engine puts the table before each column in the name of an expression. A table that is a file has a path for a name, which
//! hides what the column is.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

/// The result of a plan with the paths of tables left out of the names of its columns.
pub(super) fn without_paths(
    plan: &LogicalPlan,
    stream: SendableRecordBatchStream,
) -> SendableRecordBatchStream {
    match shortened(&stream.schema(), &paths(plan)) {
        None => stream,
        Some(schema) => {
            let of_batch = Arc::clone(&schema);
            let renamed = stream.map(move |batch| {
                let batch = batch?;
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = batch.columns().to_vec();
                Ok(RecordBatch::try_new_with_options(Arc::clone(&of_batch), columns, &options)?)
            });
            Box::pin(RecordBatchStreamAdapter::new(schema, renamed))
        }
    }
}

/// The names of tables that are no plain names.
fn paths(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let taken = plan.apply_with_subqueries(|node| {
        let table = match node {
            LogicalPlan::TableScan(scan) => Some(scan.table_name.to_string()),
            LogicalPlan::SubqueryAlias(alias) => Some(alias.alias.to_string()),
            _ => None,
        };
        let is_path = |name: &String| !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        paths.extend(table.filter(is_path));
        Ok(TreeNodeRecursion::Continue)
    });
    // Looking at a plan has no errors of its own.
    if taken.is_err() { BTreeSet::new() } else { paths }
}

/// The schema with shorter names; none if nothing changes, or if two columns would have one name.
fn shortened(schema: &SchemaRef, paths: &BTreeSet<String>) -> Option<SchemaRef> {
    // A path may begin another one.
    let mut paths: Vec<String> = paths.iter().map(|path| format!("{path}.")).collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    let short =
        |name: &str| paths.iter().fold(name.to_string(), |name, path| name.replace(path.as_str(), ""));
    let names: Vec<String> = schema.fields().iter().map(|field| short(field.name())).collect();
    let is_same = names.iter().zip(schema.fields()).all(|(name, field)| name == field.name());
    let before: BTreeSet<&String> = schema.fields().iter().map(|field| field.name()).collect();
    let after: BTreeSet<&String> = names.iter().collect();
    if is_same || after.len() < before.len() {
        return None;
    }
    let fields =
        schema.fields().iter().zip(&names).map(|(field, name)| field.as_ref().clone().with_name(name));
    Some(Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone())))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn paths_are_left_out_unless_names_meet() {
        let short = |names: &[&str]| {
            let fields: Vec<Field> =
                names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
            let paths = ["a.csv", "logs/a.csv"].map(ToString::to_string).into();
            let short = shortened(&Arc::new(Schema::new(fields)), &paths)?;
            Some(short.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>())
        };
        assert_eq!(
            short(&["max(logs/a.csv.x)", "a.csv.x + logs/a.csv.y", "z"]).expect("shorter names"),
            ["max(x)", "x + y", "z"]
        );
        assert_eq!(short(&["max(a.csv.x)", "max(logs/a.csv.x)"]), None);
        assert_eq!(short(&["x"]), None);
    }
}
