//! `hour_of_day`: the hour of a time, in the time's own zone.

use std::sync::Arc;

use arrow::array::new_null_array;
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments;
use crate::error::argument_error;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The hour of a time, from 0 to 23, on the clock of the time's own zone: logons at night stand apart from those of the day. Of a time without a zone it is the hour as it is written.",
    syntax_example = "hour_of_day(time)",
    sql_example = "```sql
> SELECT hour_of_day(TIMESTAMP '2019-01-15 05:15:20') AS hour;
+------+
| hour |
+------+
| 5    |
+------+
```",
    argument(name = "time", description = "Timestamp, with or without a zone, or a time of the day."),
    related_udf(name = "logon_type_name")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HourOfDay;

impl ScalarUDFImpl for HourOfDay {
    arguments::named_function!("hour_of_day" -> DataType::Int64);

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [time] = take_function_args(self.name(), types)?;
        match time {
            DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Null => Ok(types.to_vec()),
            other => {
                let way_out = "use to_timestamp(...)";
                Err(argument_error(self.name(), "argument 1 (time)", other, "a timestamp", Some(way_out)))
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = take_function_args(self.name(), args.args)?;
        let times = times.into_array(args.number_rows)?;
        if times.data_type().is_null() {
            return Ok(ColumnarValue::Array(new_null_array(&DataType::Int64, times.len())));
        }
        let hours = cast(&date_part(&times, DatePart::Hour)?, &DataType::Int64)?;
        Ok(ColumnarValue::Array(Arc::clone(&hours)))
    }
}
