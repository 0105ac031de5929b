//! `__time_bucket(t, first, last, n)` tells in which of n equal spans of time, from the first to the last event, an event lies.
//!
//! The span is `(t - first) * n / (last - first + 1)`, rounded down, in the unit of the column. Differences of two times take up to
//! 65 bits and the product more, so it is computed in 128.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct TimeBucket;

/// Whether times of this type are whole numbers of some unit.
pub(crate) fn is_countable_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
    ) || data_type.is_integer()
}

impl ScalarUDFImpl for TimeBucket {
    fn name(&self) -> &'static str {
        "__time_bucket"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [time, _, _, _] = take_function_args(self.name(), arg_types)?;
        if !is_countable_time(time) {
            return plan_err!("{}: argument 1 is {time}, expected a time", self.name());
        }
        Ok(vec![time.clone(), time.clone(), time.clone(), DataType::Int64])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [times, first, last, n] = take_function_args(self.name(), args.args)?;
        let ColumnarValue::Scalar(ScalarValue::Int64(Some(n))) = n else {
            return internal_err!("{} was planned for a constant number", self.name());
        };
        let [times, first, last] =
            [times, first, last].map(|array| array.into_array(rows).and_then(|array| numbers(&array)));
        let buckets = times?
            .into_iter()
            .zip(first?)
            .zip(last?)
            .map(|((time, first), last)| bucket(time?, first?, last?, i128::from(n)));
        Ok(ColumnarValue::Array(Arc::new(buckets.collect::<Int64Array>())))
    }
}

/// Returns the span of a time, `None` for one that is not between the first and the last.
fn bucket(time: i128, first: i128, last: i128, n: i128) -> Option<i64> {
    if !(first..=last).contains(&time) {
        return None;
    }
    // The three are numbers of at most 64 bits and n is below 2^63, so nothing overflows.
    i64::try_from((time - first) * n / (last - first + 1)).ok()
}

fn numbers(times: &ArrayRef) -> Result<Vec<Option<i128>>> {
    if let Some(numbers) = times.as_primitive_opt::<UInt64Type>() {
        return Ok(numbers.iter().map(|number| number.map(i128::from)).collect());
    }
    let times = match times.data_type() {
        DataType::Date32 | DataType::Time32(_) => cast(times, &DataType::Int32)?,
        _ => Arc::clone(times),
    };
    let numbers = cast(&times, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().iter().map(|number| number.map(i128::from)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_equal_and_have_no_gap() {
        let buckets = |n: i128| (10..20).map(move |time| bucket(time, 10, 19, n)).collect::<Vec<_>>();
        assert_eq!(buckets(1), [Some(0); 10]);
        assert_eq!(buckets(2), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1].map(Some));
        assert_eq!(buckets(3), [0, 0, 0, 0, 1, 1, 1, 2, 2, 2].map(Some));
        assert_eq!(buckets(20), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18].map(Some));
        assert_eq!(bucket(9, 10, 19, 2), None);
        let (least, greatest) = (i128::from(i64::MIN), i128::from(u64::MAX));
        assert_eq!(bucket(greatest, least, greatest, 10_000), Some(9999));
        assert_eq!(bucket(7, 7, 7, 24), Some(0));
    }
}
