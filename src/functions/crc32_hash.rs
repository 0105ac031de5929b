//! `crc32_hash`: a string as one number.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The CRC-32 of a string as UTF-8, an unsigned number; 0 for the empty string. The number \
                   is a name, not a measure: two hashes near each other mean nothing.",
    syntax_example = "crc32_hash(s)",
    sql_example = r"```sql
> SELECT crc32_hash('C:\Windows\System32\cmd.exe') AS hash;
+------------+
| hash       |
+------------+
| 2866286114 |
+------------+
```",
    argument(name = "s", description = "String to hash."),
    related_udf(name = "delim_hash"),
    related_udf(name = "string_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Crc32Hash;

impl ScalarUDFImpl for Crc32Hash {
    scalar_function!("crc32_hash"("s": String) -> DataType::Int64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Int64Type>(&s, |s| i64::from(crc32fast::hash(s.as_bytes())))
    }
}
