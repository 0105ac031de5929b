//! `__feature_to_double(value, name, nulls)` converts an event's feature to the DOUBLE that is clustered.
//!
//! The table functions wrap every feature in it, before the vectors are grouped. After it, equal vectors have equal bits,
//! whatever their columns' types were.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use crate::error::argument_error;
use crate::feature::{is_feature_type, number_hint, to_double};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct FeatureToDouble;

impl ScalarUDFImpl for FeatureToDouble {
    fn name(&self) -> &'static str {
        "__feature_to_double"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, _, _] = take_function_args(self.name(), arg_types)?;
        if !is_feature_type(value) {
            let hint = number_hint("...", value);
            return Err(argument_error("dbcluster", "a feature", value, "a number", Some(&hint)));
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
