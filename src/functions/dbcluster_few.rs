//! `dbcluster_few(value)`: always true, and a word to the planner of a cluster.
//!
//! Vectors are far fewer than events, which a planner can't know: it takes as many groups as rows. So it would rather
//! exchange all events between machines than send the vectors to each of them. A filter is something that it expects rows to
//! be dropped by, as many as `datafusion.optimizer.default_filter_selectivity` says, and what a function keeps it can't guess.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster` on a cluster: always true. As a filter it drops nothing, but makes a \
                   planner expect few rows.",
    syntax_example = "dbcluster_few(value)",
    sql_example = r"```sql
> SELECT dbcluster_few(1) AS few;
+------+
| few  |
+------+
| true |
+------+
```",
    argument(name = "value", description = "Anything.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterFew;

impl ScalarUDFImpl for DbclusterFew {
    fn name(&self) -> &'static str {
        "dbcluster_few"
    }

    fn signature(&self) -> &Signature {
        // Not immutable: a filter that is known to keep everything would go.
        static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::any(1, Volatility::Stable));
        &SIGNATURE
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
