//! `__assume_few_rows(value)` is always true. As a filter it lowers the planner's estimate of the rows, so that a cluster
//! broadcasts this side of the join.
//!
//! Vectors are far fewer than events, which a planner can't know: it takes as many groups as rows. So it would rather
//! exchange all events between machines than send the vectors to each of them. A filter is something that it expects rows to
//! be dropped by, as many as `datafusion.optimizer.default_filter_selectivity` says, and what a function keeps it can't guess.

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
}
