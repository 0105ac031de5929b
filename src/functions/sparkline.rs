//! `sparkline`: a list of numbers as a line of bars.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::error::{argument_error, internal_err};

#[user_doc(
    doc_section(label = "Event features"),
    description = "A list of numbers as a line of bars, one character each, for a terminal. The highest number of the list has the \
                   highest bar. 0 and what is below have the lowest one, and every number above 0 at least the next, so that one event \
                   is seen beside thousands. NULL, NaN and infinity are a blank.",
    syntax_example = "sparkline(list)",
    sql_example = "```sql
> SELECT sparkline([0, 1, 2, 4, 8, 100, NULL, 3]) AS drawn;
+----------+
| drawn    |
+----------+
| ▁▂▂▂▂█ ▂ |
+----------+
```",
    argument(name = "list", description = "List of numbers, such as the column `activity` of `dbcluster`."),
    related_udf(name = "cmdline_template")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sparkline;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl ScalarUDFImpl for Sparkline {
    fn name(&self) -> &'static str {
        "sparkline"
    }

    fn signature(&self) -> &Signature {
        static SIGNATURE: std::sync::LazyLock<Signature> =
            std::sync::LazyLock::new(|| Signature::user_defined(Volatility::Immutable));
        &SIGNATURE
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [list] = take_function_args(self.name(), arg_types)?;
        let item = match list {
            DataType::Null => return Ok(vec![DataType::Null]),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item,
            other => return Err(argument_error(self.name(), "argument 1", other, "a list of numbers", None)),
        };
        if !item.data_type().is_numeric() && !item.data_type().is_null() {
            return Err(argument_error(self.name(), "argument 1", list, "a list of numbers", None));
        }
        Ok(vec![DataType::List(Arc::clone(item))])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lists] = take_function_args(self.name(), args.args)?;
        let lists = lists.into_array(args.number_rows)?;
        let mut drawn = StringBuilder::new();
        if lists.data_type().is_null() {
            (0..lists.len()).for_each(|_| drawn.append_null());
            return Ok(ColumnarValue::Array(Arc::new(drawn.finish())));
        }
        let Some(lists) = lists.as_list_opt::<i32>() else {
            return internal_err!("{} was planned for lists", self.name());
        };
        for list in lists.iter() {
            let Some(list) = list else {
                drawn.append_null();
                continue;
            };
            let numbers = cast(&list, &DataType::Float64)?;
            let numbers: Vec<Option<f64>> = numbers.as_primitive::<Float64Type>().iter().collect();
            drawn.append_value(line(&numbers));
        }
        Ok(ColumnarValue::Array(Arc::new(drawn.finish())))
    }
}

fn line(numbers: &[Option<f64>]) -> String {
    let numbers = || numbers.iter().map(|number| number.filter(|number| number.is_finite()));
    let greatest = numbers().flatten().fold(0.0, f64::max);
    let steps = (BARS.len() - 1) as f64;
    let bar = |number: f64| {
        if number <= 0.0 {
            return BARS[0];
        }
        // The quotient is above 0 and at most 1, so the index is from 1 to the last.
        BARS[((number / greatest * steps).ceil() as usize).clamp(1, BARS.len() - 1)]
    };
    numbers().map(|number| number.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_numbers() {
        let line = |numbers: &[f64]| line(&numbers.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(line(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(line(&[0.0, 0.0]), "▁▁");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[-5.0, f64::NAN, 1e-300, 1e300, f64::INFINITY]), "▁ ▂█ ");
        assert_eq!(line(&[5.0]), "█");
    }
}
