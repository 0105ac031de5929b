//! `__cluster_key(core_hash, partition...)` returns a key of a cluster that is the same on any machine, on any day.
//!
//! A cluster is identified by its partition and its core vectors. The vectors come as one hash, computed where they are
//! clustered; the partition comes as its values. These are hashed as text, so that 5 has the same hash in an INT and in a
//! BIGINT column, and a string in every encoding. Values without a text (bytes that are not UTF-8, times beyond the calendar)
//! are hashed as their bytes, after a mark that no text has.

use std::hash::Hasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray, StringBuilder};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use twox_hash::XxHash64;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ClusterKey;

impl ScalarUDFImpl for ClusterKey {
    fn name(&self) -> &'static str {
        "__cluster_key"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let Some((hash, partition)) = arg_types.split_first() else {
            return plan_err!("{} expects at least 1 argument, got none", self.name());
        };
        if !hash.is_integer() {
            return plan_err!("{}: argument 1 is {hash}, expected an integer", self.name());
        }
        if let Some(place) = partition.iter().position(|it| !has_key(it)) {
            return plan_err!(
                "{}: argument {} is {}, expected one value that has a text or bytes",
                self.name(),
                place + 2,
                partition[place]
            );
        }
        Ok(std::iter::once(DataType::Int64).chain(partition.iter().cloned()).collect())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let mut arrays = args.args.into_iter().map(|arg| arg.into_array(rows));
        let Some(hash) = arrays.next().transpose()? else {
            return plan_err!("{} expects at least 1 argument, got none", self.name());
        };
        let partition: Vec<Values> = arrays.map(|array| Values::try_new(array?)).collect::<Result<_>>()?;
        let mut keys = StringBuilder::with_capacity(rows, 16 * rows);
        for (row, core_hash) in hash.as_primitive::<Int64Type>().iter().enumerate() {
            let key = core_hash.map(|core_hash| key(core_hash, &partition, row)).transpose()?;
            keys.append_option(key.map(|key| format!("{key:016x}")));
        }
        let keys = keys.finish();
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&keys, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(keys)))
    }
}

/// Whether the values of a type can be part of a key.
pub(crate) fn has_key(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => has_key(value),
        DataType::FixedSizeBinary(_) => true,
        other => !other.is_nested() && can_cast_types(other, &DataType::Utf8),
    }
}

/// The marks for bytes that are not text and for NULL. They take the place of a text's length, which is never that large.
const BYTES: u64 = u64::MAX - 1;
const NULL: u64 = u64::MAX;

/// The values of one partition key, with their texts.
struct Values {
    values: ArrayRef,
    texts: StringArray,
}

impl Values {
    fn try_new(values: ArrayRef) -> Result<Self> {
        let values = match values.data_type() {
            DataType::Dictionary(_, value_type) => cast(&values, value_type)?,
            _ => values,
        };
        let values = match values.data_type() {
            DataType::FixedSizeBinary(_) | DataType::LargeBinary | DataType::BinaryView => {
                cast(&values, &DataType::Binary)?
            }
            _ => values,
        };
        let texts = match cast(&values, &DataType::Utf8) {
            Ok(texts) => texts.as_string::<i32>().clone(),
            // A single value beyond the calendar fails the whole cast, so the values are cast one by one.
            Err(_) => (0..values.len())
                .map(|row| {
                    let text = cast(&values.slice(row, 1), &DataType::Utf8).ok()?;
                    text.is_valid(0).then(|| text.as_string::<i32>().value(0).to_string())
                })
                .collect(),
        };
        Ok(Self { values, texts })
    }

    fn hash(&self, row: usize, hasher: &mut XxHash64) -> Result<()> {
        let mut write = |mark: Option<u64>, bytes: &[u8]| {
            if let Some(mark) = mark {
                hasher.write(&mark.to_le_bytes());
            }
            hasher.write(&(bytes.len() as u64).to_le_bytes());
            hasher.write(bytes);
        };
        let array: &dyn Array = &self.values;
        if self.texts.is_valid(row) {
            write(None, self.texts.value(row).as_bytes());
        } else if array.logical_nulls().is_none_or(|nulls| nulls.is_valid(row)) {
            let Some(bytes) = bytes(array, row) else {
                return exec_err!("a value of type {} has neither a text nor bytes", array.data_type());
            };
            write(Some(BYTES), &bytes);
        } else {
            hasher.write(&NULL.to_le_bytes());
        }
        Ok(())
    }
}

/// Returns the bytes of a value; numbers are little-endian on any machine.
fn bytes(array: &dyn Array, row: usize) -> Option<Vec<u8>> {
    if let Some(values) = array.as_any().downcast_ref::<BinaryArray>() {
        return Some(values.value(row).to_vec());
    }
    let width = array.data_type().primitive_width()?;
    let data = array.to_data();
    let start = (data.offset() + row) * width;
    let mut bytes = data.buffers().first()?.as_slice().get(start..start + width)?.to_vec();
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    Some(bytes)
}

/// Hashes a row's partition and core hash. Lengths and NULLs are hashed too: `('ab', 'c')` is not `('a', 'bc')`.
fn key(core_hash: i64, partition: &[Values], row: usize) -> Result<u64> {
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(&core_hash.to_le_bytes());
    for values in partition {
        values.hash(row, &mut hasher)?;
    }
    Ok(hasher.finish())
}
