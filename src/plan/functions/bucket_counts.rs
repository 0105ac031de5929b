//! `__bucket_counts(bucket, events, n)` adds up events per bucket into a list of n numbers, and `__one_event(bucket, n)` makes that
//! list of a single event. A NULL bucket is not counted.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use datafusion::physical_expr::expressions::Literal;

use crate::error::internal_err;

/// The list of counts. The plan gives constants from 1 to 1000 as n.
fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

fn list(numbers: Vec<i64>, lists: usize, n: usize) -> Result<ListArray> {
    // The offsets end at the number of numbers, which its caller has kept within 32 bits.
    let item = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(n, lists));
    Ok(ListArray::try_new(item, offsets, Arc::new(Int64Array::from(numbers)), None)?)
}

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct BucketCounts;

impl AggregateUDFImpl for BucketCounts {
    fn name(&self) -> &'static str {
        "__bucket_counts"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_, _, _] = take_function_args(self.name(), arg_types)?;
        Ok(vec![DataType::Int64; 3])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let n = args.exprs.get(2).and_then(|n| (n.as_ref() as &dyn std::any::Any).downcast_ref::<Literal>());
        match n.map(Literal::value) {
            Some(ScalarValue::Int64(Some(n))) if *n > 0 => Ok(Box::new(Counts(vec![0; *n as usize]))),
            _ => plan_err!("{}: argument 3 is no constant number above 0", self.name()),
        }
    }
}

/// The events of each bucket.
#[derive(Debug)]
struct Counts(Vec<i64>);

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [buckets, events, ..] = values else { return internal_err!("__bucket_counts has no values") };
        let [buckets, events] = [buckets, events].map(AsArray::as_primitive::<Int64Type>);
        for (bucket, events) in buckets.iter().zip(events) {
            let bucket = bucket.and_then(|bucket| usize::try_from(bucket).ok());
            if let (Some(bucket), Some(events)) = (bucket, events)
                && let Some(count) = self.0.get_mut(bucket)
            {
                *count += events;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::List(Arc::new(list(self.0.clone(), 1, self.0.len())?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.capacity() * size_of::<i64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first().and_then(|lists| lists.as_list_opt::<i32>()) else {
            return internal_err!("the state of __bucket_counts is no list");
        };
        for counts in lists.iter().flatten() {
            for (count, more) in self.0.iter_mut().zip(counts.as_primitive::<Int64Type>().values()) {
                *count += more;
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct OneEvent;

impl ScalarUDFImpl for OneEvent {
    fn name(&self) -> &'static str {
        "__one_event"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_, _] = take_function_args(self.name(), arg_types)?;
        Ok(vec![DataType::Int64; 2])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [buckets, n] = take_function_args(self.name(), args.args)?;
        let ColumnarValue::Scalar(ScalarValue::Int64(Some(n))) = n else {
            return internal_err!("{} was planned for a constant number", self.name());
        };
        let buckets = buckets.into_array(rows)?;
        if i32::try_from(rows.saturating_mul(n as usize)).is_err() {
            return exec_err!(
                "activity: a batch of {rows} rows with {n} numbers each is too large for a list; SET datafusion.execution.batch_size = 8192"
            );
        }
        let mut numbers = vec![0; rows * n as usize];
        for (row, bucket) in buckets.as_primitive::<Int64Type>().iter().enumerate() {
            let place = bucket.filter(|bucket| (0..n).contains(bucket));
            if let Some(count) = place.and_then(|bucket| numbers.get_mut(row * n as usize + bucket as usize))
            {
                *count = 1;
            }
        }
        Ok(ColumnarValue::Array(Arc::new(list(numbers, rows, n as usize)?)))
    }
}
