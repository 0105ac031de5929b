//! [`JsonFunction`]: a function that reads a value of JSON text, `f(json, step, ...)`.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringViewArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::documentation;
use super::find::{Found, Step, find};
use crate::error::argument_error;

/// The form in which a function returns a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reads {
    Text,
    IsThere,
    Boolean,
    Float,
    Integer,
    Json,
    String,
}

impl Reads {
    /// All of them, in the alphabetical order of their names.
    pub(super) const ALL: [Self; 7] =
        [Self::Text, Self::IsThere, Self::Boolean, Self::Float, Self::Integer, Self::Json, Self::String];

    /// The SQL name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "json_as_text",
            Self::IsThere => "json_contains",
            Self::Boolean => "json_get_bool",
            Self::Float => "json_get_float",
            Self::Integer => "json_get_int",
            Self::Json => "json_get_json",
            Self::String => "json_get_str",
        }
    }

    fn returns(self) -> DataType {
        match self {
            Self::Text | Self::Json | Self::String => DataType::Utf8View,
            Self::IsThere | Self::Boolean => DataType::Boolean,
            Self::Float => DataType::Float64,
            Self::Integer => DataType::Int64,
        }
    }

    /// Makes the column of a result. `found` gives what there is for a row.
    fn column<'a>(self, rows: usize, found: impl Fn(usize) -> Found<'a>) -> ArrayRef {
        let values = (0..rows).map(|row| match found(row) {
            Found::Value(json) => Some(json),
            Found::Nothing | Found::NoJson => None,
        });
        match self {
            Self::IsThere => {
                let is_there = |row| match found(row) {
                    Found::Value(_) => Some(true),
                    Found::Nothing => Some(false),
                    Found::NoJson => None,
                };
                Arc::new((0..rows).map(is_there).collect::<BooleanArray>())
            }
            Self::Json => {
                Arc::new(values.map(|json| json.filter(|json| *json != "null")).collect::<StringViewArray>())
            }
            Self::Text => Arc::new(values.map(|json| text(json?)).collect::<StringViewArray>()),
            Self::String => Arc::new(values.map(|json| string(json?)).collect::<StringViewArray>()),
            Self::Boolean => {
                Arc::new(values.map(|json| json?.parse::<bool>().ok()).collect::<BooleanArray>())
            }
            Self::Integer => Arc::new(values.map(|json| json?.parse::<i64>().ok()).collect::<Int64Array>()),
            Self::Float => Arc::new(values.map(|json| number(json?)).collect::<Float64Array>()),
        }
    }
}

/// Reads a string without its quotes, other values as they are.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match json {
        "null" => None,
        quoted if quoted.starts_with('"') => string(quoted),
        other => Some(Cow::Borrowed(other)),
    }
}

fn string(json: &str) -> Option<Cow<'_, str>> {
    let between = json.strip_prefix('"')?.strip_suffix('"')?;
    if between.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(between))
    }
}

fn number(json: &str) -> Option<f64> {
    // Rust reads words such as inf too, which are no JSON.
    json.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A function of JSON text and the steps to a value in it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct JsonFunction(pub(super) Reads);

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        static SIGNATURE: LazyLock<Signature> =
            LazyLock::new(|| Signature::user_defined(Volatility::Immutable));
        &SIGNATURE
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let Some((json, steps)) = arg_types.split_first() else {
            let hint = format!("call it as {}(json, 'name')", self.name());
            return Err(argument_error(
                self.name(),
                "argument 1 (json)",
                &"missing",
                "a string",
                Some(&hint),
            ));
        };
        if !(is_text(json) || json.is_null()) {
            let hint = match json {
                DataType::Struct(_) => "a field of a struct is ...['name']",
                _ => "use CAST(... AS VARCHAR)",
            };
            return Err(argument_error(
                self.name(),
                "argument 1 (json)",
                json,
                "a string with JSON",
                Some(hint),
            ));
        }
        let mut types = vec![DataType::Utf8View];
        for (index, step) in steps.iter().enumerate() {
            types.push(match step {
                step if is_text(step) || step.is_null() => DataType::Utf8View,
                step if step.is_integer() => DataType::Int64,
                step => {
                    let place = format!("argument {} (step)", index + 2);
                    return Err(argument_error(self.name(), &place, step, "a name or a whole number", None));
                }
            });
        }
        Ok(types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.0.returns())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let arguments = args.args.iter().map(Argument::of).collect::<Result<Vec<_>>>()?;
        let Some((json, steps)) = arguments.split_first() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Null));
        };
        let values = self.0.column(rows, |row| {
            let path = steps.iter().map(|step| step.step(row)).collect::<Option<Vec<_>>>();
            // NULL is no JSON, and a step that is NULL leads nowhere that is known.
            json.text(row).zip(path).map_or(Found::NoJson, |(json, path)| find(json, &path))
        });
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?));
        }
        Ok(ColumnarValue::Array(values))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn documentation(&self) -> Option<&Documentation> {
        static ALL: LazyLock<Vec<(Reads, Documentation)>> =
            LazyLock::new(|| Reads::ALL.map(|reads| (reads, documentation::of(reads))).into());
        ALL.iter().find(|(reads, _)| *reads == self.0).map(|(_, text)| text)
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value_type) => value_type.is_string(),
        other => other.is_string(),
    }
}

/// The values of an argument: one for all rows, or one for each.
struct Argument {
    values: ArrayRef,
    is_constant: bool,
}

impl Argument {
    fn of(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(values) => Self { values: Arc::clone(values), is_constant: false },
            ColumnarValue::Scalar(value) => Self { values: value.to_array()?, is_constant: true },
        })
    }

    /// The place of a row's value, unless that is NULL.
    fn place(&self, row: usize) -> Option<usize> {
        let place = if self.is_constant { 0 } else { row };
        self.values.is_valid(place).then_some(place)
    }

    fn text(&self, row: usize) -> Option<&str> {
        let place = self.place(row)?;
        Some(self.values.as_string_view_opt()?.value(place))
    }

    fn step(&self, row: usize) -> Option<Step<'_>> {
        let place = self.place(row)?;
        match self.values.as_primitive_opt::<Int64Type>() {
            Some(places) => Some(Step::Place(places.value(place))),
            None => self.text(row).map(Step::Name),
        }
    }
}
