//! Iterates over text in all encodings that Arrow has for it.
//!
//! A function defines its result for one `&str`; [`map_primitive`] and [`map_text`] do it for scalars and arrays of
//! `Utf8`, `LargeUtf8` and `Utf8View`. [`per_value`] is below them: it looks into dictionaries, so that each distinct
//! value is worked on once and the keys are then looked up in the results. The results are plain arrays; text comes
//! out as `Utf8View`, which has no limit of 2 GiB per batch and keeps short strings inline.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringArrayType,
    StringViewArray, StringViewBuilder,
};
use arrow::compute::take;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

/// Evaluates `$body` with `$strings` bound to the array behind `$array` by its own type.
macro_rules! with_strings {
    ($array:expr, $strings:ident => $body:expr) => {{
        use arrow::{array::AsArray, datatypes::DataType};
        match $array.data_type() {
            DataType::Utf8 => {
                let $strings = $array.as_string::<i32>();
                $body
            }
            DataType::LargeUtf8 => {
                let $strings = $array.as_string::<i64>();
                $body
            }
            DataType::Utf8View => {
                let $strings = $array.as_string_view();
                $body
            }
            other => $crate::error::internal_err!("a string was planned, {other} came"),
        }
    }};
}
pub(super) use with_strings;

/// Applies `kernel` to the values of a scalar, an array, or a dictionary.
///
/// A batch may carry a dictionary much larger than itself (a slice of a bigger one): then the rows are fewer than
/// the values and are unpacked instead.
pub(super) fn per_value(
    value: &ColumnarValue,
    kernel: impl Fn(&dyn Array) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let per_row_or_key = |array: &dyn Array| match array.as_any_dictionary_opt() {
        Some(dictionary) if dictionary.values().len() <= dictionary.len() => {
            Ok(take(&kernel(dictionary.values())?, dictionary.keys(), None)?)
        }
        Some(dictionary) => kernel(&take(dictionary.values(), dictionary.keys(), None)?),
        None => kernel(array),
    };
    match value {
        ColumnarValue::Array(array) => per_row_or_key(array).map(ColumnarValue::Array),
        ColumnarValue::Scalar(scalar) => {
            let result = per_row_or_key(&scalar.to_array()?)?;
            ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar)
        }
    }
}

/// Reads a whole number. A column of integers in which some are missing is often written with a fraction of zero, as in `3.0`.
pub(super) fn whole_number(text: &str) -> Option<i128> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// Computes a number for every string of a plain string array.
///
/// `f` also sees the text behind NULL slots; the nulls are copied over as a whole.
pub(super) fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    f: impl Fn(&str) -> T::Native,
) -> Result<PrimitiveArray<T>> {
    with_strings!(array, strings => Ok(PrimitiveArray::from_unary(strings, f)))
}

/// Computes a number for every string.
pub(super) fn map_primitive<T: ArrowPrimitiveType>(
    value: &ColumnarValue,
    f: impl Fn(&str) -> T::Native,
) -> Result<ColumnarValue> {
    per_value(value, |array| Ok(Arc::new(primitive::<T>(array, &f)?)))
}

/// Computes a truth value for every string.
pub(super) fn map_boolean(value: &ColumnarValue, f: impl Fn(&str) -> bool) -> Result<ColumnarValue> {
    per_value(
        value,
        |array| with_strings!(array, strings => Ok(Arc::new(BooleanArray::from_unary(strings, &f)))),
    )
}

/// Computes a text for every string: a part of it, a static text, or text that `f` writes into the buffer, which is empty.
pub(super) fn map_text(
    value: &ColumnarValue,
    f: impl for<'a> Fn(&'a str, &'a mut String) -> Option<&'a str>,
) -> Result<ColumnarValue> {
    fn build<'a>(
        strings: &impl StringArrayType<'a>,
        f: impl for<'b> Fn(&'b str, &'b mut String) -> Option<&'b str>,
    ) -> Result<StringViewArray> {
        let mut builder = StringViewBuilder::with_capacity(strings.len());
        let mut buffer = String::new();
        for string in strings.iter() {
            buffer.clear();
            match string.and_then(|string| f(string, &mut buffer)) {
                Some(text) => builder.try_append_value(text)?,
                None => builder.append_null(),
            }
        }
        Ok(builder.finish())
    }
    per_value(value, |array| with_strings!(array, strings => Ok(Arc::new(build(&strings, &f)?))))
}
