//! `__json_text(value)` writes a list, struct or map as JSON text.

use std::str;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, LargeStringBuilder};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::json::{EncoderOptions, writer::make_encoder};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct JsonText;

impl ScalarUDFImpl for JsonText {
    fn name(&self) -> &'static str {
        "__json_text"
    }

    fn signature(&self) -> &Signature {
        static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::any(1, Volatility::Immutable));
        &SIGNATURE
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        arg_types.iter().try_for_each(check)?;
        Ok(DataType::LargeUtf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(json_text(&arrays[0])?))
    }
}

/// Writes each value as JSON text, NULL as NULL.
pub fn json_text(array: &ArrayRef) -> Result<ArrayRef> {
    let array = as_json(array)?;
    let field = Arc::new(Field::new("value", array.data_type().clone(), true));
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(&field, array.as_ref(), &options)?;
    let mut texts = LargeStringBuilder::with_capacity(array.len(), 0);
    let mut bytes = Vec::new();
    for row in 0..array.len() {
        if encoder.is_null(row) {
            texts.append_null();
            continue;
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        texts.append_value(
            str::from_utf8(&bytes).map_err(|error| exec_datafusion_err!("JSON is no text: {error}"))?,
        );
    }
    Ok(Arc::new(texts.finish()))
}

/// Casts values to types that the engine's JSON writer takes.
pub fn as_json(array: &ArrayRef) -> Result<ArrayRef> {
    check(array.data_type())?;
    let wanted = json_type(array.data_type());
    if &wanted == array.data_type() || !can_cast_types(array.data_type(), &wanted) {
        return Ok(Arc::clone(array));
    }
    Ok(cast(array, &wanted)?)
}

/// Refuses unions, since JSON would lose which of its types a value has.
fn check(data_type: &DataType) -> Result<()> {
    match data_type {
        DataType::Union(..) => {
            plan_err!("a union has no text in CSV or JSON: leave the column out, or select one of its types")
        }
        DataType::Dictionary(_, values) => check(values),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check(field.data_type())),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::RunEndEncoded(_, field)
        | DataType::Map(field, _) => check(field.data_type()),
        _ => Ok(()),
    }
}

/// Returns the type that is written: dictionaries as their values, and keys of maps as text.
fn json_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => json_type(values),
        DataType::List(field) => DataType::List(json_field(field)),
        DataType::LargeList(field) => DataType::LargeList(json_field(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(json_field(field), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(json_field).collect()),
        DataType::Map(entries, sorted) => {
            let DataType::Struct(columns) = entries.data_type() else { return data_type.clone() };
            let columns: Fields = columns
                .iter()
                .enumerate()
                .map(|(at, column)| match column.data_type() {
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if at == 0 => {
                        Arc::clone(column)
                    }
                    _ if at == 0 => Arc::new(column.as_ref().clone().with_data_type(DataType::Utf8)),
                    _ => json_field(column),
                })
                .collect();
            let entries = entries.as_ref().clone().with_data_type(DataType::Struct(columns));
            DataType::Map(Arc::new(entries), *sorted)
        }
        other => other.clone(),
    }
}

fn json_field(field: &FieldRef) -> FieldRef {
    let data_type = json_type(field.data_type());
    if &data_type == field.data_type() {
        return Arc::clone(field);
    }
    // The values of a dictionary may be NULL though its keys are not.
    Arc::new(field.as_ref().clone().with_data_type(data_type).with_nullable(true))
}
