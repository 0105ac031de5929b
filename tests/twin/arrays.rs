//! Plain values as Arrow arrays, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int32Array,
    Int64Array, ListArray, RecordBatch, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Field, Float64Type, Int32Type, Int64Type, Schema, UInt64Type,
};

use super::table::{Column, Table};
use super::value::Value;

/// The rows from `start` on, `len` of them.
pub fn batch(table: &Table, start: usize, len: usize) -> RecordBatch {
    let rows = &table.rows[start..start + len];
    let columns = (table.columns.iter().enumerate())
        .map(|(index, column)| {
            array(&column.data_type, &rows.iter().map(|row| row[index].clone()).collect::<Vec<_>>())
        })
        .collect();
    RecordBatch::try_new(Arc::new(schema(&table.columns)), columns).expect("columns of one length")
}

pub fn schema(columns: &[Column]) -> Schema {
    let field = |column: &Column| Field::new(&column.name, column.data_type.clone(), true);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

fn array(data_type: &DataType, values: &[Value]) -> ArrayRef {
    let base: ArrayRef = match data_type {
        DataType::Boolean => Arc::new(values.iter().map(bool).collect::<BooleanArray>()),
        DataType::UInt64 => {
            Arc::new(values.iter().map(|value| int(value).map(|it| it as u64)).collect::<UInt64Array>())
        }
        DataType::Date32 => {
            Arc::new(values.iter().map(|value| int(value).map(|it| it as i32)).collect::<Int32Array>())
        }
        data_type if data_type.is_integer() || matches!(data_type, DataType::Timestamp(..)) => {
            Arc::new(values.iter().map(|value| int(value).map(|it| it as i64)).collect::<Int64Array>())
        }
        data_type if data_type.is_floating() => Arc::new(values.iter().map(float).collect::<Float64Array>()),
        DataType::Decimal128(precision, scale) => {
            let decimals = values.iter().map(decimal).collect::<Decimal128Array>();
            Arc::new(decimals.with_precision_and_scale(*precision, *scale).expect("digits that fit"))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Arc::new(values.iter().map(bytes).collect::<BinaryArray>())
        }
        DataType::List(_) => {
            let items = |value: &Value| match value {
                Value::List(items) => {
                    Some(items.iter().map(|item| int(item).map(|it| it as i32)).collect::<Vec<_>>())
                }
                _ => None,
            };
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values.iter().map(items)))
        }
        DataType::Struct(fields) => {
            let of_field = |index: usize| {
                let value = |value: &Value| match value {
                    Value::Struct(fields) => fields[index].1.clone(),
                    _ => Value::Null,
                };
                values.iter().map(value).collect::<Vec<_>>()
            };
            let children = fields.iter().enumerate();
            let children = children.map(|(index, field)| array(field.data_type(), &of_field(index)));
            let nulls: NullBuffer = values.iter().map(|value| !value.is_null()).collect();
            return Arc::new(StructArray::new(fields.clone(), children.collect(), Some(nulls)));
        }
        _ => Arc::new(values.iter().map(text).collect::<StringArray>()),
    };
    cast(&base, data_type).unwrap_or_else(|error| panic!("values as {data_type}: {error}"))
}

fn bool(value: &Value) -> Option<bool> {
    if let Value::Bool(value) = value { Some(*value) } else { none(value) }
}

fn int(value: &Value) -> Option<i128> {
    if let Value::Int(value) = value { Some(*value) } else { none(value) }
}

fn float(value: &Value) -> Option<f64> {
    if let Value::Float(value) = value { Some(*value) } else { none(value) }
}

fn decimal(value: &Value) -> Option<i128> {
    if let Value::Decimal { unscaled, .. } = value { Some(*unscaled) } else { none(value) }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(value) = value { Some(value) } else { none(value) }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(value) = value { Some(value) } else { none(value) }
}

fn none<T>(value: &Value) -> Option<T> {
    assert!(value.is_null(), "{value:?} is not of its column's type");
    None
}

/// The values of an array. Every NaN is the same one.
pub fn values(array: &ArrayRef) -> Vec<Value> {
    let as_type = |data_type: &DataType| cast(array, data_type).expect("a cast that loses nothing");
    let of = |value: Option<Value>| value.unwrap_or(Value::Null);
    match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Dictionary(_, value) => values(&as_type(value)),
        DataType::Boolean => array.as_boolean().iter().map(|value| of(value.map(Value::Bool))).collect(),
        DataType::UInt64 => {
            let ints = array.as_primitive::<UInt64Type>();
            ints.iter().map(|value| of(value.map(|it| Value::Int(it.into())))).collect()
        }
        DataType::Date32 => values(&as_type(&DataType::Int32)),
        data_type if data_type.is_integer() || matches!(data_type, DataType::Timestamp(..)) => {
            let ints = as_type(&DataType::Int64);
            let ints = ints.as_primitive::<Int64Type>();
            ints.iter().map(|value| of(value.map(|it| Value::Int(it.into())))).collect()
        }
        data_type if data_type.is_floating() => {
            let floats = as_type(&DataType::Float64);
            let canonical = |value: f64| Value::Float(if value.is_nan() { f64::NAN } else { value });
            floats.as_primitive::<Float64Type>().iter().map(|value| of(value.map(canonical))).collect()
        }
        DataType::Decimal128(_, scale) => {
            let value = |unscaled: i128| Value::Decimal { unscaled, scale: *scale };
            array.as_primitive::<Decimal128Type>().iter().map(|it| of(it.map(value))).collect()
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let bytes = as_type(&DataType::Binary);
            let bytes = bytes.as_binary::<i32>().iter();
            bytes.map(|value| of(value.map(|it| Value::Bytes(it.to_vec())))).collect()
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = as_type(&DataType::Utf8);
            let texts = texts.as_string::<i32>().iter();
            texts.map(|value| of(value.map(|it| Value::Text(it.to_string())))).collect()
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>().iter();
            lists.map(|list| of(list.map(|items| Value::List(values(&items))))).collect()
        }
        DataType::Struct(fields) => {
            let columns: Vec<Vec<Value>> = array.as_struct().columns().iter().map(values).collect();
            let row = |index: usize| {
                let fields = fields.iter().zip(&columns);
                fields.map(|(field, column)| (field.name().clone(), column[index].clone())).collect()
            };
            let row_or_null =
                |index| if array.is_null(index) { Value::Null } else { Value::Struct(row(index)) };
            (0..array.len()).map(row_or_null).collect()
        }
        other => panic!("a result has a column of type {other}"),
    }
}
