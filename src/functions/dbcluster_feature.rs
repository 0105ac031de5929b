//! `dbcluster_feature(value, name, nulls)`: an event's feature as the DOUBLE that is clustered.
//!
//! The table functions put it around every feature, before the vectors are grouped. After it, equal vectors have
//! equal bits, whatever their columns' types were.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion_macros::user_doc;

use super::arguments;
use crate::feature::{is_feature_type, make_it_a_number, to_double};

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster`: a feature as the DOUBLE that is clustered. Booleans become 0 \
                   and 1, `-0.0` becomes `0.0`; integers beyond 2^53 and decimals of more digits than DOUBLE gives back are \
                   errors.",
    syntax_example = "dbcluster_feature(value, name, nulls)",
    sql_example = r"```sql
> SELECT dbcluster_feature(true, 'is_system', 'error') AS value;
+-------+
| value |
+-------+
| 1.0   |
+-------+
```",
    argument(name = "value", description = "A boolean, integer, float or decimal expression."),
    argument(name = "name", description = "The feature's name, for error messages."),
    argument(
        name = "nulls",
        description = "What becomes of NULL, NaN and infinite values: `error` leaves them to the clustering, which fails on them; `zero` makes them 0; `skip` makes them NULL."
    )
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterFeature;

impl ScalarUDFImpl for DbclusterFeature {
    fn name(&self) -> &'static str {
        "dbcluster_feature"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, _, _] = take_function_args(self.name(), arg_types)?;
        if !is_feature_type(value) {
            return plan_err!(
                "{}: argument 1 is {value}, expected a number; {}",
                self.name(),
                make_it_a_number("it", value).replace("(it)", "(...)")
            );
        }
        Ok(vec![value.clone(), DataType::Utf8, DataType::Utf8])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, name, nulls] = take_function_args(self.name(), args.args)?;
        let (ColumnarValue::Scalar(name), ColumnarValue::Scalar(nulls)) = (&name, &nulls) else {
            return exec_err!("{}: arguments 2 and 3 are columns, expected constants", self.name());
        };
        let name = name.try_as_str().flatten().unwrap_or_default();
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let array = value.into_array(if is_scalar { 1 } else { args.number_rows })?;
        let double = to_double(name, array)?;
        let double = match nulls.try_as_str().flatten() {
            Some("zero") => zero_for_bad(&double),
            Some("skip") => null_for_bad(&double),
            _ => double,
        };
        if is_scalar {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&double, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(double)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn zero_for_bad(values: &Float64Array) -> Float64Array {
    values.iter().map(|value| Some(value.filter(|value| value.is_finite()).unwrap_or(0.0))).collect()
}

fn null_for_bad(values: &Float64Array) -> Float64Array {
    if values.values().iter().all(|value| value.is_finite()) {
        return values.clone();
    }
    let values: &dyn Array = values;
    values.as_primitive::<Float64Type>().iter().map(|value| value.filter(|value| value.is_finite())).collect()
}
