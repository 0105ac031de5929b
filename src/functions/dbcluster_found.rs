//! `dbcluster_found(value)`: true, or an error that says that a row has gone between two reads of the table.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster`, which reads its input twice: true, or an error where the value \
                   is NULL because the second read did not find a row of the first.",
    syntax_example = "dbcluster_found(value)",
    sql_example = r"```sql
> SELECT dbcluster_found(1) AS found;
+-------+
| found |
+-------+
| true  |
+-------+
```",
    argument(name = "value", description = "Anything that is never NULL in a row that was found.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterFound;

impl ScalarUDFImpl for DbclusterFound {
    fn name(&self) -> &'static str {
        "dbcluster_found"
    }

    fn signature(&self) -> &Signature {
        // Not immutable: an error must come from running the query, never from folding constants.
        static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::any(1, Volatility::Stable));
        &SIGNATURE
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), args.args)?;
        let missing = match &value {
            ColumnarValue::Scalar(value) => usize::from(value.is_null()),
            ColumnarValue::Array(array) => array.logical_null_count(),
        };
        if missing > 0 {
            return exec_err!(
                "the table changed while it was clustered: {missing} row(s) of one read were not in the other; \
                 run the query again, or on a copy"
            );
        }
        Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
