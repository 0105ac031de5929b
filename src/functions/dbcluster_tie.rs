//! `dbcluster_tie(group)` and `dbcluster_tie(group, value)`: what decides among rows that could stand for a cluster.
//!
//! Rows without a cluster (groups below 0) need no decision. They share a few groups, and have no values, so that a window
//! over millions of them keeps no partition for each, and a sort does not look at all their columns. Functions hide from
//! the engine what it would rewrite in expressions over constants, which then are no longer what it has sorted by.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion_macros::user_doc;

use super::arguments;
use crate::group::Group;

/// More than there are threads, so that all of them have work.
const SHARED_GROUPS: i64 = 64;

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster`, which order the rows that could stand for a cluster: of one argument, \
                   the group, or one of a few negative ones for all rows without a cluster (below 0); of two, the value, \
                   or NULL for rows without a cluster.",
    syntax_example = "dbcluster_tie(group[, value])",
    sql_example = r"```sql
> SELECT dbcluster_tie(7) AS cluster, dbcluster_tie(7, 'a') AS value, dbcluster_tie(-70) AS noise;
+---------+-------+-------+
| cluster | value | noise |
+---------+-------+-------+
| 7       | a     | -7    |
+---------+-------+-------+
```",
    argument(name = "group", description = "The field `group` of `dbscan_vectors`."),
    argument(name = "value", description = "Anything.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterTie;

impl ScalarUDFImpl for DbclusterTie {
    fn name(&self) -> &'static str {
        "dbcluster_tie"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [group] if group.is_integer() => Ok(vec![DataType::Int64]),
            [group, value] if group.is_integer() => Ok(vec![DataType::Int64, value.clone()]),
            other => plan_err!(
                "{} expects a group and perhaps a value, got {} argument(s): {}(group[, value])",
                self.name(),
                other.len(),
                self.name()
            ),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types.get(1).cloned().unwrap_or(DataType::Int64))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [group, value @ ..] = arrays.as_slice() else {
            return plan_err!("{} expects a group and perhaps a value, got no argument", self.name());
        };
        let group = group.as_primitive::<Int64Type>();
        let Some(value) = value.first() else {
            let shared = |group: i64| {
                if Group(group).is_cluster() { group } else { group % SHARED_GROUPS - 1 }
            };
            return Ok(ColumnarValue::Array(Arc::new(group.unary::<_, Int64Type>(shared))));
        };
        let has_no_cluster = BooleanArray::from_unary(group, |group| !Group(group).is_cluster());
        Ok(ColumnarValue::Array(nullif(value, &has_no_cluster)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
