//! `__assert_row_found(value)` returns true, or fails on NULL: a row is missing in the second read of the table.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct AssertRowFound;

impl ScalarUDFImpl for AssertRowFound {
    fn name(&self) -> &'static str {
        "__assert_row_found"
    }

    fn signature(&self) -> &Signature {
        // The function is not immutable, since the optimizer would evaluate it, and fail, while it folds constants.
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
}
