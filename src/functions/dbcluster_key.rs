//! `dbcluster_key(core_hash, partition...)`: the name of a cluster that is the same on any machine, on any day.
//!
//! A cluster is its partition and its core vectors. The vectors come as one number, made where they are clustered; the
//! partition comes as its values. They are hashed as text, so that 5 is 5 in an INT and in a BIGINT column, and a
//! string is itself in every encoding.

use std::hash::Hasher;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::compute::{can_cast_types, cast};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion_macros::user_doc;
use twox_hash::XxHash64;

use super::arguments;

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster`: the `cluster_key` of a cluster, 16 hexadecimal digits (XXH64) of the \
                   hash of its core vectors and of the values of its partition as text.",
    syntax_example = "dbcluster_key(core_hash[, partition, ...])",
    sql_example = r"```sql
> SELECT dbcluster_key(42, 'host-1') AS key;
+------------------+
| key              |
+------------------+
| b1c057c8c48d6946 |
+------------------+
```",
    argument(name = "core_hash", description = "The field `core_hash` of `dbscan_vectors`."),
    argument(name = "partition", description = "The values of `partition_by`.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterKey;

impl ScalarUDFImpl for DbclusterKey {
    fn name(&self) -> &'static str {
        "dbcluster_key"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let Some((hash, partition)) = arg_types.split_first() else {
            return plan_err!("{} expects at least 1 argument, got none", self.name());
        };
        if !hash.is_integer() {
            return plan_err!("{}: argument 1 is {hash}, expected an integer", self.name());
        }
        if let Some(place) = partition.iter().position(|it| !can_cast_types(it, &DataType::Utf8)) {
            return plan_err!(
                "{}: argument {} is {}, which has no text; partition by something that has",
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
        let texts: Vec<ArrayRef> =
            arrays.map(|array| Ok(cast(&array?, &DataType::Utf8)?)).collect::<Result<_>>()?;
        let mut keys = StringBuilder::with_capacity(rows, 16 * rows);
        for (row, core_hash) in hash.as_primitive::<Int64Type>().iter().enumerate() {
            keys.append_option(core_hash.map(|core_hash| format!("{:016x}", key(core_hash, &texts, row))));
        }
        let keys = keys.finish();
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&keys, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(keys)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// Lengths and NULLs are hashed too: `('ab', 'c')` is another partition than `('a', 'bc')`.
fn key(core_hash: i64, texts: &[ArrayRef], row: usize) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(&core_hash.to_le_bytes());
    for text in texts {
        if text.is_null(row) {
            hasher.write(&u64::MAX.to_le_bytes());
        } else {
            let text = text.as_string::<i32>().value(row);
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        }
    }
    hasher.finish()
}
