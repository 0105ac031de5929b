//! `__assume_few_rows(value)` is always true. As a filter it lowers the planner's estimate of the rows, so that a cluster
//! broadcasts this side of the join.
//!
//! Vectors are far fewer than events, which a planner can't know: it expects as many groups as rows. So it would exchange all
//! events between machines, and not send the vectors to each of them. For a filter with a function that it does not know, a
//! planner expects the share of rows in `datafusion.optimizer.default_filter_selectivity`.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct AssumeFewRows;

impl ScalarUDFImpl for AssumeFewRows {
    fn name(&self) -> &'static str {
        "__assume_few_rows"
    }

    fn signature(&self) -> &Signature {
        // The function is not immutable, since the optimizer would fold it to true and drop the filter.
        static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::any(1, Volatility::Stable));
        &SIGNATURE
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))
    }
}
