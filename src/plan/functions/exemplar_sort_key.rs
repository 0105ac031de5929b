//! `__exemplar_sort_key(group, value)` returns the value that decides which row of a cluster comes first, and NULL for a row
//! without a cluster (a group below 0).
//!
//! So a sort need not compare rows without a cluster column by column. It is a function and no `CASE` for the reason that
//! [`__exemplar_group`](super::exemplar_group) gives.

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ExemplarSortKey;

impl ScalarUDFImpl for ExemplarSortKey {
    fn name(&self) -> &'static str {
        "__exemplar_sort_key"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [group, value] = take_function_args(self.name(), arg_types)?;
        if !group.is_integer() {
            return plan_err!("{}: argument 1 is {group}, expected an integer", self.name());
        }
        Ok(vec![DataType::Int64, value.clone()])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [_, value] = take_function_args(self.name(), arg_types)?;
        Ok(value.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [group, value] = take_function_args(self.name(), arrays)?;
        let has_no_cluster = BooleanArray::from_unary(group.as_primitive::<Int64Type>(), |group| group < 0);
        Ok(ColumnarValue::Array(nullif(&value, &has_no_cluster)?))
    }
}
