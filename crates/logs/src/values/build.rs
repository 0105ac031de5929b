//! Values to arrays.
//!
//! The type is matched once for a column, not for each value. The values of a type that was found fit it, in the spelling that it was
//! found by. A type that was ordered takes more spellings, `007` and `0x1F` as integers, and what does not fit is told.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanBuilder, ListArray, NullBufferBuilder, PrimitiveArray,
    StringViewBuilder, StructArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Field, Fields, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

use super::time::TimeReading;
use super::{ColumnType, Values, number};
use crate::json;
use crate::options::ReadOptions;
use crate::records::{Cell, Syntax};

/// Is told of a value that does not fit: its row, its text and the reason.
type Reject<'a> = &'a mut dyn FnMut(usize, &[u8], String);

/// Converts cells to an array of the type. A value that does not fit is NULL, and told by its row, its text and the reason.
pub(crate) fn build(
    column_type: &ColumnType,
    text: &[u8],
    cells: &[Cell],
    syntax: Syntax,
    options: &ReadOptions,
    reject: &mut dyn FnMut(usize, &[u8], String),
) -> ArrayRef {
    let values = Values { text, syntax, nulls: &options.nulls };
    match column_type {
        ColumnType::Boolean => booleans(values, cells, reject),
        ColumnType::Integer => Arc::new(primitives::<Int64Type>(values, cells, reject, |value| {
            number::integer(value).or_else(|| ordered_integer(value)).ok_or("it is not a 64-bit integer")
        })),
        ColumnType::Float => Arc::new(primitives::<Float64Type>(values, cells, reject, |value| {
            number::float(value)
                .or_else(|| ordered_float(value))
                .ok_or("it is not a number that a DOUBLE can hold")
        })),
        ColumnType::Date(reading) => Arc::new(primitives::<Date32Type>(values, cells, reject, |value| {
            reading.read(value)?.day().ok_or("it has a time of day: TIMESTAMP holds it")
        })),
        ColumnType::Timestamp(unit, is_instant, reading) => {
            timestamps(values, cells, reject, (*unit, *is_instant, reading))
        }
        ColumnType::Text => text_views(values, cells),
        ColumnType::Json => views(cells, |cell| values.raw(cell)),
        ColumnType::Struct(fields) => structs(fields, values, cells, options, reject),
        ColumnType::List(item) => lists(item, values, cells, options, reject),
    }
}

fn booleans(values: Values, cells: &[Cell], reject: Reject) -> ArrayRef {
    let mut array = BooleanBuilder::with_capacity(cells.len());
    let read = |value: &[u8]| {
        super::boolean(value).or_else(|| ordered_boolean(value)).ok_or("it is neither true nor false")
    };
    for (row, cell) in cells.iter().enumerate() {
        array.append_option(scalar(values, *cell, read, row, reject));
    }
    Arc::new(array.finish())
}

fn primitives<T: ArrowPrimitiveType>(
    values: Values,
    cells: &[Cell],
    reject: Reject,
    read: impl Fn(&[u8]) -> Result<T::Native, &'static str>,
) -> PrimitiveArray<T> {
    let mut natives = Vec::with_capacity(cells.len());
    let mut nulls = NullBufferBuilder::new(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        let native = scalar(values, *cell, &read, row, reject);
        natives.push(native.unwrap_or_default());
        nulls.append(native.is_some());
    }
    PrimitiveArray::new(natives.into(), nulls.finish())
}

/// Reads one value; none if it is NULL or rejected.
#[inline]
fn scalar<T>(
    values: Values,
    cell: Cell,
    read: impl Fn(&[u8]) -> Result<T, &'static str>,
    row: usize,
    reject: Reject,
) -> Option<T> {
    let value = values.raw(cell)?;
    let scalar = values.read(value, read);
    scalar.map_err(|reason| reject(row, &values.shown(value), reason.to_owned())).ok()
}

fn timestamps(
    values: Values,
    cells: &[Cell],
    reject: Reject,
    (unit, is_instant, reading): (TimeUnit, bool, &TimeReading),
) -> ArrayRef {
    let read = |value: &[u8]| reading.read(value)?.in_unit(unit);
    let zone = is_instant.then(|| Arc::from("UTC"));
    match unit {
        TimeUnit::Second => Arc::new(
            primitives::<TimestampSecondType>(values, cells, reject, read)
                .with_timezone_opt::<Arc<str>>(zone),
        ),
        TimeUnit::Millisecond => Arc::new(
            primitives::<TimestampMillisecondType>(values, cells, reject, read)
                .with_timezone_opt::<Arc<str>>(zone),
        ),
        TimeUnit::Microsecond => Arc::new(
            primitives::<TimestampMicrosecondType>(values, cells, reject, read)
                .with_timezone_opt::<Arc<str>>(zone),
        ),
        TimeUnit::Nanosecond => Arc::new(
            primitives::<TimestampNanosecondType>(values, cells, reject, read)
                .with_timezone_opt::<Arc<str>>(zone),
        ),
    }
}

/// Text as it is, and what JSON strings stand for.
fn text_views(values: Values, cells: &[Cell]) -> ArrayRef {
    if values.syntax == Syntax::Plain {
        return views(cells, |cell| values.raw(cell));
    }
    let mut array = StringViewBuilder::with_capacity(cells.len()).with_fixed_block_size(block_size(cells));
    let mut unescaped = vec![];
    for cell in cells {
        let value = values.raw(*cell).map(|value| {
            if value.first() != Some(&b'"') || memchr::memchr(b'\\', value).is_none() {
                return super::inside_quotes(value);
            }
            unescaped.clear();
            json::unescape(value, &mut unescaped);
            unescaped.as_slice()
        });
        append(&mut array, value);
    }
    Arc::new(array.finish())
}

fn views<'a>(cells: &[Cell], value: impl Fn(Cell) -> Option<&'a [u8]>) -> ArrayRef {
    let mut array = StringViewBuilder::with_capacity(cells.len()).with_fixed_block_size(block_size(cells));
    for cell in cells {
        append(&mut array, value(*cell));
    }
    Arc::new(array.finish())
}

fn append(array: &mut StringViewBuilder, value: Option<&[u8]>) {
    match value.map(std::str::from_utf8) {
        Some(Ok(value)) => array.append_value(value),
        Some(Err(_)) => array.append_value(String::from_utf8_lossy(value.unwrap_or_default())),
        None => array.append_null(),
    }
}

/// The bytes of the values that are too long for their views.
fn block_size(cells: &[Cell]) -> u32 {
    const IN_VIEW: usize = 12;
    let bytes: usize = cells.iter().map(|cell| cell.length()).filter(|length| *length > IN_VIEW).sum();
    // Values of 4 GiB are not in one block of text.
    u32::try_from(bytes).unwrap_or(u32::MAX).max(1)
}

fn structs(
    fields: &[(Arc<str>, ColumnType)],
    values: Values,
    cells: &[Cell],
    options: &ReadOptions,
    reject: Reject,
) -> ArrayRef {
    let objects = only(values, cells, b'{', reject);
    let members = json::members(values.text, &objects);
    let mut nulls = NullBufferBuilder::new(cells.len());
    for cell in &objects {
        nulls.append(!cell.is_null());
    }
    let arrays = fields.iter().enumerate().map(|(at, (name, kind))| {
        let is_named = |(member, _): &&(Arc<str>, Vec<Cell>)| member == name;
        let member = members.get(at).filter(is_named).or_else(|| members.iter().find(is_named));
        match member {
            Some((_, cells)) if cells.len() == objects.len() => {
                build(kind, values.text, cells, values.syntax, options, reject)
            }
            _ => new_null_array(&kind.data_type(), cells.len()),
        }
    });
    let arrays: Vec<ArrayRef> = arrays.collect();
    let fields: Fields =
        fields.iter().map(|(name, kind)| Field::new(name.as_ref(), kind.data_type(), true)).collect();
    let array = StructArray::try_new_with_length(fields.clone(), arrays, nulls.finish(), cells.len());
    array.map_or_else(
        |_| new_null_array(&DataType::Struct(fields), cells.len()),
        |array| Arc::new(array) as ArrayRef,
    )
}

fn lists(
    item: &ColumnType,
    values: Values,
    cells: &[Cell],
    options: &ReadOptions,
    reject: Reject,
) -> ArrayRef {
    let arrays = only(values, cells, b'[', reject);
    let (lengths, items) = json::items(values.text, &arrays);
    let mut nulls = NullBufferBuilder::new(cells.len());
    for length in &lengths {
        nulls.append(length.is_some());
    }
    let lengths = lengths.iter().map(|length| length.unwrap_or(0) as usize);
    let rows: Vec<usize> =
        lengths.clone().enumerate().flat_map(|(row, length)| std::iter::repeat_n(row, length)).collect();
    let mut reject_item = |item: usize, value: &[u8], reason| {
        reject(rows.get(item).copied().unwrap_or_default(), value, reason);
    };
    let items = build(item, values.text, &items, values.syntax, options, &mut reject_item);
    let field = Arc::new(Field::new_list_field(item.data_type(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let array = ListArray::try_new(Arc::clone(&field), offsets, items, nulls.finish());
    match array {
        Ok(array) if array.len() == cells.len() => Arc::new(array),
        _ => new_null_array(&DataType::List(field), cells.len()),
    }
}

/// The cells whose values begin with a bracket; the others are NULL, and told.
fn only(values: Values, cells: &[Cell], bracket: u8, reject: Reject) -> Vec<Cell> {
    let is_nested = |(row, cell): (usize, &Cell)| match values.raw(*cell) {
        Some(value) if values.syntax == Syntax::Json && value.first() == Some(&bracket) => *cell,
        Some(value) => {
            reject(row, value, format!("it is not JSON that begins with {}", char::from(bracket)));
            Cell::NULL
        }
        None => Cell::NULL,
    };
    cells.iter().enumerate().map(is_nested).collect()
}

/// An integer in the spellings that only an order makes one: `007`, ` 7`, `+7`, `0x1F`.
fn ordered_integer(value: &[u8]) -> Option<i64> {
    let value = std::str::from_utf8(value).ok()?.trim();
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", value.strip_prefix('+').unwrap_or(value)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let is_digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let magnitude = i128::from(u64::from_str_radix(hex, 16).ok().filter(|_| is_digits)?);
        return i64::try_from(if sign.is_empty() { magnitude } else { -magnitude }).ok();
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // `3.0` is a whole number, too.
        let (whole, fraction) = digits.split_once('.')?;
        let is_whole = !whole.is_empty() && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        return is_whole.then(|| ordered_integer(value.split_once('.')?.0.as_bytes()))?;
    }
    value.parse().ok()
}

/// A finite number with white space around it, or in any spelling.
fn ordered_float(value: &[u8]) -> Option<f64> {
    number::float(value.trim_ascii())
}

fn ordered_boolean(value: &[u8]) -> Option<bool> {
    let value = value.trim_ascii();
    let is = |words: [&str; 5]| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    if is(["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if is(["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}
