//! `__float_order(value)` returns a BIGINT that orders floats as a sort does: -0.0 before 0.0, NaN last.
//!
//! The engine sorts -0.0 before 0.0, but compares them as equal. An `ORDER BY x, y LIMIT k` drops rows early by comparing them
//! with the k-th one so far, so which rows it keeps depends on the order in which they come. With integers both agree.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct FloatOrder;

impl ScalarUDFImpl for FloatOrder {
    fn name(&self) -> &'static str {
        "__float_order"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_] = take_function_args(self.name(), arg_types)?;
        Ok(vec![DataType::Float64])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [values] = take_function_args(self.name(), ColumnarValue::values_to_arrays(&args.args)?)?;
        // A rule that runs after the engine has coerced types may have added the call.
        let values = cast(&values, &DataType::Float64)?;
        let order: Int64Array = values.as_primitive::<Float64Type>().unary(in_total_order);
        Ok(ColumnarValue::Array(Arc::new(order)))
    }
}

/// Returns an integer that is less where [`f64::total_cmp`] says that the value is less.
fn in_total_order(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    // The bits of negative values count down. All but the sign are flipped, as in `f64::total_cmp`.
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::in_total_order;

    #[test]
    fn integers_are_ordered_as_floats() {
        let values =
            [-f64::NAN, f64::NEG_INFINITY, -1.5, -5e-324, -0.0, 0.0, 5e-324, 1.0, f64::INFINITY, f64::NAN];
        for left in values {
            for right in values {
                assert_eq!(in_total_order(left).cmp(&in_total_order(right)), left.total_cmp(&right));
            }
        }
    }
}
