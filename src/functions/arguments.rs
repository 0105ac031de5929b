//! Checks the arguments of the functions in one place, while the query is planned.
//!
//! Every function has one value as argument 1, and some have one optional constant as argument 2. The constant must
//! be a literal: it is looked at twice, by [`planned_option`] so that a bad one is a planning error, and by
//! [`evaluated`] when rows come.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, Signature, Volatility};

use crate::error::{argument_error, argument_text, internal_err};

/// The types that a parameter accepts.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    String,
    StringOrInteger,
    Number,
}

impl Takes {
    fn accepts(self, data_type: &DataType) -> bool {
        let value_type = match data_type {
            DataType::Dictionary(_, value_type) => value_type.as_ref(),
            other => other,
        };
        match self {
            Self::String => value_type.is_string(),
            Self::StringOrInteger => value_type.is_string() || value_type.is_integer(),
            Self::Number => data_type.is_numeric(),
        }
    }

    /// Returns the words for what is expected, and an expression that converts a column of the type that was given.
    fn words(self, got: &DataType) -> (&'static str, &'static str) {
        match self {
            Self::String => ("a string", "CAST(... AS VARCHAR)"),
            // As text, 3.0 is no integer any more.
            Self::StringOrInteger if got.is_numeric() => ("a string or an integer", "CAST(... AS BIGINT)"),
            Self::StringOrInteger => {
                ("a string or an integer", "CAST(... AS BIGINT) or CAST(... AS VARCHAR)")
            }
            Self::Number => ("a number", "CAST(... AS DOUBLE)"),
        }
    }
}

/// Implements the methods of a scalar function that follow from its name and the type of its result.
macro_rules! named_function {
    ($name:literal -> $returns:expr) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            $crate::functions::arguments::signature()
        }

        fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
            Ok($returns)
        }

        fn is_strict(&self) -> bool {
            true
        }

        fn documentation(&self) -> Option<&datafusion::logical_expr::Documentation> {
            self.doc()
        }
    };
}
pub(super) use named_function;

/// Implements the methods of a scalar function that follow from its name, its parameters and the type of its result. `option`
/// reads argument 2, the second parameter.
macro_rules! scalar_function {
    (
        $name:literal($($parameter:literal: $takes:ident),+) -> $returns:expr
        $(, option: $option:expr)?
    ) => {
        $crate::functions::arguments::named_function!($name -> $returns);

        fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
            use $crate::functions::arguments::{Takes, coerce};
            coerce(self.name(), &[$(($parameter, Takes::$takes)),+], types)
        }

        $(
            fn return_field_from_args(
                &self,
                args: datafusion::logical_expr::ReturnFieldArgs,
            ) -> Result<arrow::datatypes::FieldRef> {
                use $crate::functions::arguments::{planned_option, result_field};
                $option(self.name(), planned_option(self.name(), &args)?)?;
                Ok(result_field(self.name(), $returns))
            }
        )?
    };
}
pub(super) use scalar_function;

/// Returns the signature of every function here, which leaves the check to [`coerce`].
///
/// The engine's `Signature::coercible` keeps dictionaries too, but its errors name neither the argument nor a way out.
pub(super) fn signature() -> &'static Signature {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::user_defined(Volatility::Immutable));
    &SIGNATURE
}

/// Checks the number and the types of the arguments against `parameters`, of which the first is required.
///
/// The types are kept as they are: a dictionary stays one, and a literal is not hidden in a cast. Only an untyped
/// NULL as the value becomes a string.
pub(super) fn coerce(
    function: &str,
    parameters: &[(&str, Takes)],
    types: &[DataType],
) -> Result<Vec<DataType>> {
    let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
    let call = || format!("call it as {function}({})", names.join(" [, ") + &"]".repeat(names.len() - 1));
    if types.is_empty() {
        let place = format!("argument 1 ({})", names[0]);
        return Err(argument_error(function, &place, &"missing", "a value", Some(&call())));
    }
    if types.len() > parameters.len() {
        let place = format!("argument {}", parameters.len() + 1);
        let expected = format!("no more than {}", parameters.len());
        return Err(argument_error(function, &place, &"one too many", &expected, Some(&call())));
    }
    for (index, (data_type, (name, takes))) in types.iter().zip(parameters).enumerate() {
        if !data_type.is_null() && !takes.accepts(data_type) {
            let (expected, cast) = takes.words(data_type);
            let way_out = format!("use {}", if index == 0 { cast } else { "a literal" });
            let place = format!("argument {} ({name})", index + 1);
            return Err(argument_error(function, &place, data_type, expected, Some(&way_out)));
        }
    }
    let mut types = types.to_vec();
    if types[0].is_null() {
        types[0] = DataType::Utf8;
    }
    Ok(types)
}

/// Checks that each of `parameters` is given and is text. Dictionaries are kept, untyped NULLs become strings.
pub(super) fn coerce_all_text(
    function: &str,
    parameters: &[&str],
    types: &[DataType],
) -> Result<Vec<DataType>> {
    let call = || format!("call it as {function}({})", parameters.join(", "));
    if types.len() > parameters.len() {
        let (place, expected) =
            (format!("argument {}", parameters.len() + 1), format!("no more than {}", parameters.len()));
        return Err(argument_error(function, &place, &"one too many", &expected, Some(&call())));
    }
    let coerced = parameters.iter().enumerate().map(|(index, name)| {
        let place = format!("argument {} ({name})", index + 1);
        match types.get(index) {
            None => Err(argument_error(function, &place, &"missing", "a string", Some(&call()))),
            Some(DataType::Null) => Ok(DataType::Utf8),
            Some(text) if Takes::String.accepts(text) => Ok(text.clone()),
            Some(other) => {
                let way_out = "use CAST(... AS VARCHAR)";
                Err(argument_error(function, &place, other, "a string", Some(way_out)))
            }
        }
    });
    coerced.collect()
}

/// Returns the texts of an argument, one for each row.
pub(super) fn texts(value: &ColumnarValue, rows: usize) -> Result<StringViewArray> {
    views(&value.to_array(rows)?)
}

/// Returns texts of any type as views.
pub(super) fn views(texts: &dyn Array) -> Result<StringViewArray> {
    let views = cast(texts, &DataType::Utf8View)?;
    match views.as_string_view_opt() {
        Some(views) => Ok(views.clone()),
        None => internal_err!("text was cast to views, and is {}", views.data_type()),
    }
}

/// Returns the optional argument 2 as the planner sees it, `None` if it is not given.
pub(super) fn planned_option<'a>(
    function: &str,
    args: &ReturnFieldArgs<'a>,
) -> Result<Option<&'a ScalarValue>> {
    match args.scalar_arguments.get(1) {
        None => Ok(None),
        Some(Some(literal)) => Ok(Some(literal)),
        Some(None) => {
            let got = format!("an expression of type {}", args.arg_fields[1].data_type());
            Err(argument_error(function, "argument 2", &got, "a literal, the same for all rows", None))
        }
    }
}

/// Returns argument 1, and the optional argument 2 as a value, while the query runs.
///
/// A host behind the foreign function interface passes constants as arrays, so an array that repeats a single value is a
/// constant too. An empty one means that there are no rows, and any value will do.
pub(super) fn evaluated<'a>(
    function: &str,
    args: &'a [ColumnarValue],
) -> Result<(&'a ColumnarValue, Option<ScalarValue>)> {
    match args {
        [value] => Ok((value, None)),
        [value, ColumnarValue::Scalar(option)] => Ok((value, Some(option.clone()))),
        [value, ColumnarValue::Array(options)] => {
            let Some(others) = options.len().checked_sub(1) else {
                return Ok((value, Some(ScalarValue::Null)));
            };
            if options.slice(0, others) != options.slice(1, others) {
                let expected = "the same value for all rows";
                let text = argument_text(function, "argument 2", &"several values", expected, None);
                return exec_err!("{text}");
            }
            Ok((value, Some(ScalarValue::try_from_array(options, 0)?)))
        }
        _ => internal_err!("{function} was planned with 1 or 2 arguments and evaluated with {}", args.len()),
    }
}

/// Returns the field of a result, which is NULL wherever an argument is.
pub(super) fn result_field(function: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(function, data_type, true))
}

/// Returns the result for a NULL as argument 2.
pub(super) fn null(data_type: &DataType) -> Result<ColumnarValue> {
    ScalarValue::try_new_null(data_type).map(ColumnarValue::Scalar)
}
