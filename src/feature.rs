//! Converts the Arrow types that can be features to DOUBLE, exactly.
//!
//! DBSCAN measures distances, so a feature has to be a number: booleans (0 and 1), integers, floats and
//! decimals. Two different numbers never silently become the same vector:
//!
//! - Every integer up to 2^53 has a DOUBLE of its own; beyond that it is an error.
//! - So has every decimal of up to 15 digits. One with more digits is an error unless it is the shortest decimal text of its
//!   DOUBLE.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Int64Type, UInt64Type, i256,
};
use datafusion::common::{Result, exec_err};

/// Integers up to this size, on either side of zero, are exact as DOUBLE.
const MAX_EXACT: u64 = 1 << 53;

/// Decimals below this number of last places have a DOUBLE of their own: 15 digits.
const DISTINCT_DECIMALS: i64 = 1_000_000_000_000_000;

/// Whether columns of this type can be features as they are.
pub(crate) fn is_feature_type(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value_type) => is_feature_type(value_type),
        DataType::Boolean | DataType::Null => true,
        other => other.is_numeric(),
    }
}

/// Returns the hint for a value whose type is not a number. `name` is the value as SQL, or `...`.
pub(crate) fn number_hint(name: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => format!(
            "cmdline_tokens({name}), path_score({name}) or string_score({name}) would make it a number, and TRY_CAST({name} AS \
             DOUBLE) reads text that is one"
        ),
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_) => {
            format!("date_part('hour', {name}) or date_part('epoch', {name}) would make it a number")
        }
        DataType::Struct(fields) => match fields.first() {
            Some(field) => {
                format!("name one of its fields, as in {name}['{}']", field.name().replace('\'', "''"))
            }
            None => "it has no field".to_string(),
        },
        _ => "an expression that gives a number would do".to_string(),
    }
}

/// Converts `array` to DOUBLE. `-0.0` becomes `0.0` and every NaN the same NaN, so that equal vectors have equal bits. NULLs
/// stay. A DOUBLE array that is not shared is changed in place.
///
/// # Errors
/// An integer or a decimal without fraction is beyond 2^53, a decimal has more digits than its DOUBLE keeps, or the type is
/// not a number.
pub(crate) fn to_double(name: &str, array: ArrayRef) -> Result<Float64Array> {
    if let DataType::Dictionary(_, value_type) = array.data_type() {
        return to_double(name, cast(&array, value_type)?);
    }
    let out_of_range = match array.data_type() {
        DataType::Int64 => array
            .as_primitive::<Int64Type>()
            .iter()
            .flatten()
            .find(|value| value.unsigned_abs() > MAX_EXACT)
            .map(|value| value.to_string()),
        DataType::UInt64 => array
            .as_primitive::<UInt64Type>()
            .iter()
            .flatten()
            .find(|value| *value > MAX_EXACT)
            .map(|value| value.to_string()),
        _ => None,
    };
    if let Some(value) = out_of_range {
        return inexact(name, &value);
    }
    if !is_feature_type(array.data_type()) {
        return exec_err!(
            "feature '{name}' is {}, expected a number; {}",
            array.data_type(),
            number_hint(name, array.data_type())
        );
    }
    let whole_numbers_only = has_whole_numbers_only(array.data_type());
    let double = Float64Array::from(cast(&array, &DataType::Float64)?.into_data());
    let double = of_decimals(name, &array, double)?;
    drop(array);
    if whole_numbers_only
        && let Some(value) = double.iter().flatten().find(|value| value.abs() >= MAX_EXACT as f64)
    {
        return inexact(name, &value.to_string());
    }
    let canonical = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
    Ok(double.unary_mut(canonical).unwrap_or_else(|shared| shared.unary(canonical)))
}

/// Whether a type is a decimal without a fraction. Integer types were checked before their conversion.
fn has_whole_numbers_only(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale <= 0,
        _ => false,
    }
}

/// Converts decimals with a fraction. The engine's conversion is right for few digits. For more it divides two rounded numbers,
/// so these are parsed from their digits.
fn of_decimals(name: &str, array: &dyn Array, double: Float64Array) -> Result<Float64Array> {
    match array.data_type() {
        DataType::Decimal64(_, 1..) => {
            let is_long = |value: i64| value.unsigned_abs() >= DISTINCT_DECIMALS.unsigned_abs();
            with_long(name, array.as_primitive::<Decimal64Type>(), double, is_long)
        }
        DataType::Decimal128(_, 1..) => {
            let is_long = |value: i128| value.unsigned_abs() >= u128::from(DISTINCT_DECIMALS.unsigned_abs());
            with_long(name, array.as_primitive::<Decimal128Type>(), double, is_long)
        }
        DataType::Decimal256(_, 1..) => {
            let long = i256::from_i128(i128::from(DISTINCT_DECIMALS));
            let is_long = |value: i256| value >= long || value <= -long;
            with_long(name, array.as_primitive::<Decimal256Type>(), double, is_long)
        }
        _ => Ok(double),
    }
}

fn with_long<T: DecimalType>(
    name: &str,
    decimals: &PrimitiveArray<T>,
    double: Float64Array,
    is_long: impl Fn(T::Native) -> bool,
) -> Result<Float64Array> {
    // Higher powers of ten are not exact as DOUBLE.
    let is_fine = decimals.scale() > 22;
    let is_read = |row: usize| decimals.is_valid(row) && (is_fine || is_long(decimals.value(row)));
    if !(0..decimals.len()).any(is_read) {
        return Ok(double);
    }
    let read = |row: usize| -> Result<Option<f64>> {
        if !is_read(row) {
            return Ok(double.is_valid(row).then(|| double.value(row)));
        }
        let digits = decimals.value_as_string(row);
        let shortest = digits.trim_end_matches('0').trim_end_matches('.');
        match shortest.parse::<f64>() {
            // These are the shortest digits of the DOUBLE, so no other decimal has the same.
            Ok(number) if number.to_string() == shortest => Ok(Some(number)),
            _ => exec_err!(
                "feature '{name}' holds {digits}, which is not exact as DOUBLE: two different values could become one; round it \
                 to 15 digits, or say CAST(... AS DOUBLE) if they may"
            ),
        }
    };
    (0..decimals.len()).map(read).collect()
}

fn inexact<T>(name: &str, value: &str) -> Result<T> {
    exec_err!(
        "feature '{name}' holds {value}, which is beyond 2^53 and not exact as DOUBLE: two different values \
         could become one; scale it down first, as in (...) / 1024, or score it as text, as in string_score(CAST(... AS VARCHAR))"
    )
}
